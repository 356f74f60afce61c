// What sealing and opening work with, kept with the key from one token to the next.

/// What works on one token at a time under one key.
struct Workspace: ~Copyable {
    var ciphers: XAESCiphers
    var deflater = Deflater()
    var memory = WorkingMemory()

    init(_ key: XAESKey) throws(NativeFailure) {
        ciphers = try XAESCiphers(key)
    }
}

/// An error of work with a workspace, which says what becomes of that.
protocol WorkspaceError: Error {
    static func libraryFailed(operation: String) -> Self
    /// Whether a C library failed: the workspace is not used again.
    var isLibraryFailure: Bool { get }
    /// Whether a refused token's contents may be left in the memory: the next visitor gets other memory.
    var leavesContents: Bool { get }
}

/// A key with its spare workspaces. It owns every copy of the key: what was keyed with it is freed, and so
/// wiped, with it.
final class WorkingKey: Sendable {
    let key: XAESKey
    private let spares = Pool<Workspace>()

    init(_ key: XAESKey) throws(NativeFailure) {
        self.key = key
        // Fails now rather than at the first session.
        try spares.with(
            { (_: inout Workspace) throws(NativeFailure) -> Void in },
            orNew: { () throws(NativeFailure) -> Workspace in try Workspace(key) })
    }

    /// Runs `body` with a workspace that it has alone.
    @inline(__always)
    func withWorkspace<Result, Failure: WorkspaceError>(
        _ body: (inout Workspace) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try spares.with(
            { (workspace) throws(Failure) in
                do throws(Failure) {
                    return try body(&workspace)
                } catch {
                    // The next visitor takes the same memory, but for an array that garbage has taken.
                    if error.leavesContents { workspace.memory = WorkingMemory() }
                    throw error
                }
            },
            orNew: { () throws(Failure) in
                do throws(NativeFailure) {
                    return try Workspace(key)
                } catch {
                    throw .libraryFailed(operation: error.operation)
                }
            }, sparing: { !$0.isLibraryFailure })
    }
}
