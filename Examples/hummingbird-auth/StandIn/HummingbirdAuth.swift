// What SealedSessionMiddleware.swift and its tests use of hummingbird-auth, with the same declarations. It is here to
// be compiled where hummingbird-auth cannot be fetched; it is no replacement.
public import Hummingbird
import Synchronization

@dynamicMemberLookup
public struct SessionData<Session: Sendable & Codable>: Sendable {
    fileprivate var value: Session
    public var expiresIn: Duration?

    public subscript<T>(dynamicMember keyPath: WritableKeyPath<Session, T>) -> T {
        get { value[keyPath: keyPath] }
        set { value[keyPath: keyPath] = newValue }
    }
}

public struct SessionContext<Session: Sendable & Codable>: Sendable {
    private final class Storage: Sendable {
        let data = Mutex<SessionData<Session>?>(nil)
    }
    private let storage = Storage()

    public init() {}

    public var session: Session? { storage.data.withLock { $0?.value } }

    public func setSession(_ session: Session, expiresIn: Duration? = nil) {
        storage.data.withLock { $0 = SessionData(value: session, expiresIn: expiresIn) }
    }

    public func clearSession() {
        storage.data.withLock { $0 = nil }
    }

    public func withLockedSession<Value>(_ mutate: (inout SessionData<Session>?) -> Value) -> Value {
        // As hummingbird-auth has it: the value may be of any type, which Mutex refuses.
        var value: Value?
        storage.data.withLock { data in value = mutate(&data) }
        guard let value else { preconditionFailure("withLock calls its body") }
        return value
    }
}

public protocol SessionRequestContext<Session>: RequestContext {
    associatedtype Session: Sendable & Codable
    var sessions: SessionContext<Session> { get }
}
