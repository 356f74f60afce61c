// A value of a generic type as one of the concrete type that it turned out to be.

/// `value`, where `To` has been found to be its type. `as?` would look both types up at run time.
@inline(__always)
func sameType<From, To>(_ value: From, as type: To.Type) -> To {
    precondition(From.self == To.self)
    // Sound: they are one type.
    return unsafe unsafeBitCast(value, to: type)
}

/// The byte that `value` is; nil for a type that is not one byte.
@inline(__always)
func onlyByte<Value>(of value: Value) -> UInt8? {
    guard MemoryLayout<Value>.size == 1 else { return nil }
    // Sound: no reference fits in, and a byte may have any bits.
    return unsafe unsafeBitCast(value, to: UInt8.self)
}
