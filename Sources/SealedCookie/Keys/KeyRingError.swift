// What is wrong with a key ring, in words that hold no secret.

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
        /// The operating system's reason, such as `No such file or directory`.
        case unreadable(String)
        /// The operating system's reason.
        case unwritable(String)
        /// The file is mounted by itself, as into a container, or has no name any more: where another takes its place, this
        /// process does not see it. Mount its folder.
        case detached
        /// There is a file of this name already.
        case alreadyExists
        /// Where a server begins with a ring: it has no key.
        case noKeys
        /// Where a ring replaces another: it says nothing at all, as an emptied file.
        case noLines
        /// Another process has been changing the file for half a minute.
        case locked
        case notUTF8
        /// The text begins with U+FEFF.
        case byteOrderMark
        /// A carriage return that is not before a line feed or at the end: it ends no line.
        case carriageReturn
        /// One line where there should be several, such as an environment variable whose line breaks became blanks, `\n`
        /// or nothing. There is a form of one line, divided by `;`.
        case lostLineBreaks
        /// The form of one line has empty lines before or behind it.
        case emptyLines
        /// The form of one line has no comments: the rest of the ring would be one.
        case commentInOneLine
        /// A line that begins with none of `key`, `revoked`, `not-before` and `#`, or has other fields.
        case unknownLine
        /// The secret is not `sck1_` and 43 base64url characters.
        case notAKey
        /// Not six lower-case hexadecimal digits.
        case notAKeyID
        /// Not a time such as `2026-08-03T00:00:00Z`.
        case notATime
        /// The id is not the one that belongs to the secret.
        case mislabelled(KeyID)
        /// Two different keys with one id: it could not select one. About 1 in 16 million pairs.
        case idCollision(KeyID)
        /// A key is to be added whose id the ring revokes.
        case revokedKey(KeyID)
        /// A C library failed, such as for want of randomness or memory.
        case libraryFailed(operation: String)
    }

    /// The file, or where else the ring came from.
    public let source: String
    /// The line at fault, counted from 1; nil: none in particular.
    public let line: Int?
    /// What is wrong.
    public let problem: Problem

    /// For a source of rings of the application's own, that failed.
    ///
    /// - Parameters:
    ///   - source: the name of the file, or of where else the ring came from.
    ///   - line: the line at fault, counted from 1; nil: none in particular.
    ///   - problem: what is wrong. Its words must hold no secret.
    public init(source: String, line: Int? = nil, problem: Problem) {
        self.source = source
        self.line = line
        self.problem = problem
    }

    public var description: String {
        let place = line.map { ": line \($0)" } ?? ""
        return "key ring \"\(source.escaped)\"\(place): \(problem.words.escaped)"
    }
}

extension KeyRingError {
    /// The problem's: a short word for metrics, which stays the same, such as `not-a-key`.
    public var code: String { problem.code }
}

extension KeyRingError.Problem {
    /// A short word for metrics, which stays the same, such as `not-a-key`.
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
            "is mounted by itself, or was replaced where it is not seen from here: mount its folder, not the file"
        case .alreadyExists: "exists already"
        case .noKeys: "holds no key"
        case .noLines: "says nothing"
        case .locked: "another process is changing it"
        case .notUTF8: "not UTF-8 text"
        case .byteOrderMark: "begins with a byte order mark, which a ring must not have"
        case .carriageReturn: "a carriage return alone ends no line: lines end with LF or CRLF"
        case .lostLineBreaks:
            "the line breaks seem to be lost: keep them, or write the ring on one line, without comments, with \";\" between"
        case .emptyLines:
            "a ring on one line, divided by \";\", has no empty lines before or behind it"
        case .commentInOneLine: "a ring on one line has no comments"
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
    /// `date` in whole seconds, as a ring can write it.
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
