// A variable that several structs share, without the run-time exclusivity check of a class property.

/// A reference to a mutable value, used by one thread at a time. All of the encoder's containers write to one tree
/// through it, and the decoder's reads note their position.
///
/// The exclusivity check costs more than a third of the time to encode a small session. It is not needed as long as
/// one rule holds: `Value`'s methods never call code that could reach this same reference again. They call no
/// protocol witness of the user's types, and no closure but those of the containers that append a value to the span
/// that they get.
final class Shared<Value> {
    @exclusivity(unchecked) private var storage: Value

    init(_ value: Value) {
        unsafe storage = value
    }

    @inline(__always) var value: Value {
        _read { yield unsafe storage }
        _modify { yield unsafe &storage }
    }
}
