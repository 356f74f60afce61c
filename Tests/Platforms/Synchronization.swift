// The parts in use of Swift's module of this name, which on Linux imports Linux's C library.
public enum Ordering { case relaxed, acquiring, releasing }

public struct Atomic<Value>: ~Copyable, @unchecked Sendable {  // A stand-in: compiled, and never run.
    public init(_ value: Value) {}
    public func load(ordering: Ordering) -> Value { preconditionFailure() }
    public func exchange(_ value: Value, ordering: Ordering) -> Value { preconditionFailure() }
    public func compareExchange(expected: Value, desired: Value, ordering: Ordering) -> (
        exchanged: Bool, original: Value
    ) {
        preconditionFailure()
    }
}

extension Atomic where Value == Int {
    @discardableResult public func add(_ value: Int, ordering: Ordering) -> (oldValue: Int, newValue: Int) {
        preconditionFailure()
    }
}
