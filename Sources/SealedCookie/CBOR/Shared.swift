// A variable that several structs share, without the run-time exclusivity check of a class property.

/// A reference to a mutable value, for the encoder's containers, which all write to one tree, and for the
/// decoder's, whose reads note where they were. For one thread at a time.
///
/// The check costs more than a third of the time to encode a small session. It is not needed here
/// as long as one rule holds: `Value`'s methods never call code that could reach this same
/// reference again (they call no closure and no protocol witness of the user's).
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
