// What is wrong with a key ring, in words that contain no secret.

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A key ring that cannot be read, written or used.
public struct KeyRingError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What is wrong with a ring, its text or its file.
    #if hasAttribute(nonexhaustive)
        @nonexhaustive
    #endif
    public enum Problem: Equatable, Sendable {
        /// The ring cannot be read. The text is the operating system's reason, such as `No such file or directory`.
        case unreadable(String)
        /// The ring cannot be written. The text is the operating system's reason.
        case unwritable(String)
        /// The file is mounted by itself, as into a container, or no longer has a name. If another file replaces it,
        /// this process does not see that. Mount its folder.
        case detached
        /// A file with this name already exists.
        case alreadyExists
        /// The ring with which a server starts has no key.
        case noKeys
        /// The ring that replaces another is empty, like a truncated file.
        case noLines
        /// Another process has been changing the file for half a minute.
        case locked
        /// The text is not UTF-8.
        case notUTF8
        /// The text begins with U+FEFF.
        case byteOrderMark
        /// A carriage return is not before a line feed or at the end: it ends no line.
        case carriageReturn
        /// There is one line instead of several, as in an environment variable whose line breaks became blanks or
        /// `\n`, or were removed. The form on one line separates them with `;`.
        case lostLineBreaks
        /// The form on one line has empty lines before or after it.
        case emptyLines
        /// The form on one line contains a comment, which would swallow the rest of the ring.
        case commentInOneLine
        /// A line begins with none of `key`, `revoked`, `not-before` and `#`, or has other fields.
        case unknownLine
        /// The secret is not `sck1_` and 43 base64url characters.
        case notAKey
        /// The ID is not six lower-case hexadecimal digits.
        case notAKeyID
        /// The text is not a time such as `2026-08-03T00:00:00Z`.
        case notATime
        /// This ID is not the one derived from the secret.
        case mislabelled(KeyID)
        /// Two different keys have this ID, so it could not select one. This happens to about 1 in 16 million pairs.
        case idCollision(KeyID)
        /// The key to add has an ID that the ring revokes.
        case revokedKey(KeyID)
        /// A C library failed, for lack of randomness or memory for example.
        case libraryFailed(operation: String)
    }

    /// The file, or the other source that the ring came from.
    public let source: String
    /// The number of the faulty line, counted from 1; nil if there is none in particular.
    public let line: Int?
    /// What is wrong.
    public let problem: Problem

    /// Creates an error for an application's own source of rings that failed.
    ///
    /// - Parameters:
    ///   - source: The name of the file or other source of the ring.
    ///   - line: The number of the faulty line, counted from 1; nil if there is none in particular.
    ///   - problem: What is wrong. Its text must contain no secret.
    public init(source: String, line: Int? = nil, problem: Problem) {
        self.source = source
        self.line = line
        self.problem = problem
    }

    /// The source, the line and what is wrong, in words that contain no secret.
    public var description: String {
        let place = line.map { ": line \($0)" } ?? ""
        return "key ring \"\(source.escaped)\"\(place): \(problem.words.escaped)"
    }
}

extension KeyRingError {
    /// The problem's short, stable word for metrics, such as `not-a-key`.
    public var code: String { problem.code }
}

extension KeyRingError.Problem {
    /// A short, stable word for metrics, such as `not-a-key`.
    public var code: String {
        switch self {
        case .unreadable: "unreadable"
        case .unwritable: "unwritable"
        case .detached: "detached"
        case .alreadyExists: "already-exists"
        case .noKeys: "no-keys"
        case .noLines: "no-lines"
        case .locked: "locked"
        case .notUTF8: "not-utf8"
        case .byteOrderMark: "byte-order-mark"
        case .carriageReturn: "carriage-return"
        case .lostLineBreaks: "lost-line-breaks"
        case .emptyLines: "empty-lines"
        case .commentInOneLine: "comment-in-one-line"
        case .unknownLine: "unknown-line"
        case .notAKey: "not-a-key"
        case .notAKeyID: "not-a-key-id"
        case .notATime: "not-a-time"
        case .mislabelled: "mislabelled"
        case .idCollision: "id-collision"
        case .revokedKey: "revoked-key"
        case .libraryFailed: "library-failed"
        }
    }

    fileprivate var words: String {
        switch self {
        case .unreadable(let reason): "cannot be read: \(reason)"
        case .unwritable(let reason): "cannot be written: \(reason)"
        case .detached:
            "is mounted by itself, or was replaced where this process cannot see it: mount its folder, not the file"
        case .alreadyExists: "already exists"
        case .noKeys: "contains no key"
        case .noLines: "is empty"
        case .locked: "another process is changing it"
        case .notUTF8: "not UTF-8 text"
        case .byteOrderMark: "begins with a byte order mark, which a ring must not have"
        case .carriageReturn: "a carriage return alone does not end a line: lines end with LF or CRLF"
        case .lostLineBreaks:
            "the line breaks seem to be lost: keep them, or write the ring on one line, without comments, with \";\" between"
        case .emptyLines:
            "a ring on one line, with \";\" between its lines, must not have empty lines before or after it"
        case .commentInOneLine: "a ring on one line cannot have comments"
        case .unknownLine: "not a line of a key ring"
        case .notAKey: "not a key"
        case .notAKeyID: "not a key id"
        case .notATime: "not a time"
        case .mislabelled(let id): "the id \(id) is not this key's"
        case .idCollision(let id): "two different keys have the id \(id)"
        case .revokedKey(let id): "the id \(id) is revoked"
        case .libraryFailed(let operation): "\(operation) failed"
        }
    }
}

extension KeyRingError {
    /// `date` in whole seconds, in the range that a ring can write.
    static func time(_ date: Date?, source: String) throws(KeyRingError) -> Date? {
        guard let date else { return nil }
        guard let whole = Timestamp.wholeSeconds(date) else {
            throw KeyRingError(source: source, line: nil, problem: .notATime)
        }
        return whole
    }

    /// Runs calls into OpenSSL for the ring `source`.
    static func unlessItFails<Result: ~Copyable>(
        _ source: String, line: Int? = nil, _ body: () throws(NativeFailure) -> Result
    ) throws(KeyRingError) -> Result {
        do throws(NativeFailure) {
            return try body()
        } catch {
            throw KeyRingError(
                source: source, line: line, problem: .libraryFailed(operation: error.operation))
        }
    }
}

extension KeyRingError {
    /// Runs calls that read the ring file at `path`.
    static func reading<Result: ~Copyable>(
        _ path: String, _ body: () throws(SystemFailure) -> Result
    ) throws(KeyRingError) -> Result {
        do throws(SystemFailure) {
            return try body()
        } catch {
            let problem: Problem =
                error.isLocked
                ? .locked : error.isOfChanging ? .writing(error) : .unreadable(error.reason)
            throw KeyRingError(source: path, line: nil, problem: problem)
        }
    }

    /// Runs calls that write the ring file at `path`.
    static func writing<Result: ~Copyable>(
        _ path: String, _ body: () throws(SystemFailure) -> Result
    ) throws(KeyRingError) -> Result {
        do throws(SystemFailure) {
            return try body()
        } catch {
            throw KeyRingError(source: path, line: nil, problem: .writing(error))
        }
    }
}

extension KeyRingError.Problem {
    fileprivate static func writing(_ failure: SystemFailure) -> Self {
        if failure.isExisting { return .alreadyExists }
        return .unwritable("\(failure.operation): \(failure.reason)")
    }
}
