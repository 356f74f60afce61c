// An operation that the operating system refused. It names the call and never its operands.
import SealedCookieLibc

/// Why the operating system refused: the call and its errno.
package struct SystemFailure: Error, Equatable {
    let operation: String
    let code: Int32

    /// A reason for which the system has no number.
    private var words: String?

    package init(operation: String, code: Int32) {
        self.operation = operation
        self.code = code
    }

    private init(operation: String, words: String) {
        self.init(operation: operation, code: 0)
        self.words = words
    }

    /// A device, a pipe or a folder where a file is required.
    static let notAFile = SystemFailure(operation: "open", words: "not a regular file")
    /// A link that would lead a change to a file that the link's owner may not change.
    static let foreignLink = SystemFailure(
        operation: "open", words: "a symbolic link in its path belongs to another user")
    /// A lock that another user made, and which would block every change.
    static func foreignLock(_ name: String) -> SystemFailure {
        SystemFailure(operation: "lock", words: "\"\(name)\" in the same folder does not belong to its owner")
    }
    /// The file with this name is no longer the one that was written, although no other change can be in progress.
    static let swapped = SystemFailure(
        operation: "rename", words: "another file replaced it meanwhile")

    static func tooLong(_ limit: Int) -> SystemFailure {
        SystemFailure(operation: "read", words: "more than \(limit) bytes")
    }

    var isExisting: Bool { code == EEXIST }
    var isMissing: Bool { code == ENOENT }
    /// Whether the file exists but cannot be changed.
    private(set) var isOfChanging = false

    static func ofChanging<Result: ~Copyable>(
        _ work: () throws(SystemFailure) -> Result
    ) throws(SystemFailure) -> Result {
        do throws(SystemFailure) {
            return try work()
        } catch {
            var error = error
            error.isOfChanging = true
            throw error
        }
    }
    /// Whether the medium or memory failed, rather than the file being missing, another user's or too large.
    var isOfReading: Bool { ![ENOENT, EACCES, EPERM, ELOOP, ENXIO, EFBIG, EISDIR].contains(code) }
    /// Whether another process held the lock for too long.
    var isLocked: Bool { operation == "flock" && code == EWOULDBLOCK }

    /// The system's words for `code`.
    package var reason: String {
        if let words { return words }
        var text: [CChar] = Array(repeating: 0, count: 128)
        // Sound: POSIX strerror_r writes at most the count, and ends its text with a zero.
        guard unsafe strerror_r(code, &text, text.count) == 0 else { return "error \(code)" }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
