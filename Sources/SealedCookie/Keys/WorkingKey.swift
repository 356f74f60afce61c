// What sealing and opening work with, kept with the key from one token to the next.

/// What works on one token at a time under one key.
struct Workspace: ~Copyable {
    var ciphers: XAESCiphers
    var memory = WorkingMemory()

    init(_ key: XAESKey) throws(NativeFailure) {
        ciphers = try XAESCiphers(key)
    }
}

/// A key with its spare workspaces. It owns every copy of the key: what was keyed with it is freed, and so
/// wiped, with it.
final class WorkingKey: Sendable {
    let key: XAESKey
    private let spares = Pool<Workspace>()

    init(_ key: XAESKey) throws(NativeFailure) {
        self.key = key
        // Fails now rather than at the first session.
        try with({ (_) throws(NativeFailure) in }, failure: { $0 })
    }

    /// Runs `body` with a workspace that it has alone.
    ///
    /// - Parameters:
    ///   - failure: the error for a workspace that could not be made.
    ///   - spares: whether an error of `body` leaves the workspace as good as it was.
    @inline(__always)
    func with<Result, Failure: Error>(
        _ body: (inout Workspace) throws(Failure) -> Result, failure: (NativeFailure) -> Failure,
        sparing spares: (Failure) -> Bool = { _ in false }
    ) throws(Failure) -> Result {
        try self.spares.with(
            body,
            orNew: { () throws(Failure) in
                do throws(NativeFailure) {
                    return try Workspace(key)
                } catch {
                    throw failure(error)
                }
            }, sparing: spares)
    }
}
