// The object that a thread is working with, for code that is called back without getting it as an argument.
import SealedCookieLibc

/// An object for each thread, for as long as the work with it lasts.
@safe struct ThreadVariable<Object: AnyObject>: Sendable {
    private let key: pthread_key_t?

    init() {
        var key = pthread_key_t()
        self.key = unsafe pthread_key_create(&key, nil) == 0 ? key : nil
    }

    /// Whether the process had room for it: it can create 1,024 such variables.
    var isUsable: Bool { key != nil }

    /// The object of the innermost `with` on this thread.
    var current: Object? {
        guard let key, let object = unsafe pthread_getspecific(key) else { return nil }
        // Sound: `with` keeps the object alive for as long as the thread's value refers to it.
        return unsafe Unmanaged<Object>.fromOpaque(object).takeUnretainedValue()
    }

    /// Runs `body` with `object` as this thread's object.
    @inline(__always)
    func with<Result>(_ object: Object, _ body: () throws -> Result) rethrows -> Result {
        let outer = unsafe key.flatMap { unsafe pthread_getspecific($0) }
        if let key { unsafe pthread_setspecific(key, Unmanaged.passUnretained(object).toOpaque()) }
        defer {
            if let key { unsafe pthread_setspecific(key, outer) }
            extendLifetime(object)
        }
        return try body()
    }
}
