// The state that sealing and opening need, kept with the key from one token to the next.

/// The state for one token at a time under one key.
struct Workspace: ~Copyable {
    var ciphers: XAESCiphers
    var deflater = Deflater()
    var memory = WorkingMemory()

    init(_ key: XAESKey) throws(NativeFailure) {
        ciphers = try XAESCiphers(key)
    }
}

/// An error of work with a workspace. It says whether the workspace can be reused.
protocol WorkspaceError: Error {
    static func libraryFailed(operation: String) -> Self
    /// Whether a C library failed, so that the workspace is not used again.
    var isLibraryFailure: Bool { get }
    /// Whether a refused token's contents may be left in the memory. The next visitor then gets other memory.
    var leavesContents: Bool { get }
}

/// A key with its spare workspaces. It owns every copy of the key: everything keyed with it is freed, and so wiped,
/// together with it.
final class WorkingKey: Sendable {
    let key: XAESKey
    private let spares = Pool<Workspace>()

    init(_ key: XAESKey) throws(NativeFailure) {
        self.key = key
        // To fail now rather than at the first session.
        try spares.with(
            { (_: inout Workspace) throws(NativeFailure) -> Void in },
            orNew: { () throws(NativeFailure) -> Workspace in try Workspace(key) })
    }

    /// Runs `body` with a workspace that no one else uses meanwhile.
    @inline(__always)
    func withWorkspace<Result, Failure: WorkspaceError>(
        _ body: (inout Workspace) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try spares.with(
            { (workspace) throws(Failure) in
                do throws(Failure) {
                    return try body(&workspace)
                } catch {
                    // The next visitor reuses this memory, except for an array that garbage has filled.
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
