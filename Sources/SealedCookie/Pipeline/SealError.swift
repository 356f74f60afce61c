// Why a session could not be sealed.
#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// Why `seal` wrote no cookie. It holds no value of the session and no key; a place in the session names
/// map keys, but nothing inside a `Secret`.
#if hasAttribute(nonexhaustive)
    @nonexhaustive
#endif
public enum SealError: Error, Equatable, Sendable {
    /// The ring has no key. Where all are pending, the earliest seals (FORMAT §9).
    case noActiveKey
    /// Name and value are over the limit: a browser would keep the old cookie in silence. The report
    /// says which fields are largest and how much must go.
    case tooLarge(SizeReport)
    /// The session has more bytes as CBOR than the sealer's `itemLimit`, or than the 65,536 of FORMAT §7, or too many
    /// values: where in it that was found. It is not compressed first. `sizeReport(for:)` says what is large, for up to
    /// 65,536 bytes and 16,384 values.
    case itemTooLarge(codingPath: [String], reason: String)
    /// The session cannot be encoded: where in it, and why.
    case notEncodable(codingPath: [String], reason: String)
    /// `now` is not between 1970 and 2106.
    case timeOutOfRange
    /// The session to seal again is over since this time.
    case expired(Date)
    /// The key of the session to seal again has been revoked since it was opened, or is no longer in the
    /// ring: it is over.
    case revokedKey(KeyID)
    /// The session to adopt has a key that this sealer's ring neither has nor has revoked: the two sealers have
    /// different rings. Let one ring hold the keys of both.
    case foreignKey(KeyID)
    /// The session begins before the ring's `not-before` or the cut-off that `seal` was given, and would be refused at once:
    /// that time is in the future, or this clock is more than 60 s behind the one that set it.
    case endedBefore(Date)
    /// The session to seal again was opened from a cookie of another name, or for another purpose: `adopt`
    /// makes it one of this sealer's, and says so.
    case anotherCookie(name: String, purpose: String)
    /// A C library failed, such as for want of randomness or memory.
    case libraryFailed(operation: String)
}

extension SealError {
    /// Of `reseal` and `adopt`: the session is over since it was opened (`.expired`, `.endedBefore`, `.revokedKey`).
    /// Answer as where there is none; the next request finds none.
    public var isSessionOver: Bool {
        switch self {
        case .expired, .endedBefore, .revokedKey: true
        case .noActiveKey, .tooLarge, .itemTooLarge, .notEncodable, .timeOutOfRange, .anotherCookie,
            .foreignKey,
            .libraryFailed:
            false
        }
    }

    /// The session holds too much, before compression or after it (`.itemTooLarge`, `.tooLarge`): answer with 413, for
    /// example, or let the visitor take something out.
    public var isTooLarge: Bool {
        switch self {
        case .tooLarge, .itemTooLarge: true
        case .noActiveKey, .notEncodable, .timeOutOfRange, .expired, .endedBefore, .revokedKey,
            .anotherCookie,
            .foreignKey, .libraryFailed:
            false
        }
    }
}

extension SealError {
    /// A short word for metrics, which stays the same, such as `too-large`. Words that
    /// `OpenError` has too mean the same there, but that a key which is no longer in the ring is `revoked-key` here.
    public var code: String {
        switch self {
        case .noActiveKey: "no-active-key"
        case .tooLarge: "too-large"
        case .itemTooLarge: "item-too-large"
        case .notEncodable: "not-encodable"
        case .timeOutOfRange: "time-out-of-range"
        case .expired: "expired"
        case .revokedKey: "revoked-key"
        case .foreignKey: "foreign-key"
        case .endedBefore: "ended"
        case .anotherCookie: "another-cookie"
        case .libraryFailed: "library-failed"
        }
    }
}

extension SealError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .noActiveKey: "the ring has no key"
        case .tooLarge(let report): "too large for a cookie: \(report)"
        case .itemTooLarge(let path, let reason):
            "too large to seal: \(reason) at \(path.isEmpty ? "its root" : path.joined(separator: "."))"
        case .notEncodable(let path, let reason):
            "cannot be encoded: \(reason) at \(path.isEmpty ? "its root" : path.joined(separator: "."))"
        case .timeOutOfRange: "the time is not between 1970 and 2106"
        case .expired(let end): "the session ended at \(Timestamp.text(end))"
        case .revokedKey(let id): "the session's key \(id) is no longer in the ring"
        case .foreignKey(let id):
            "the session's key \(id) is not in the ring of the sealer that is to adopt it: one ring must hold both"
        case .endedBefore(let date): "sessions that begin before \(Timestamp.text(date)) have ended"
        case .anotherCookie(let name, let purpose):
            "the session was opened from cookie \(name.printable), "
                + (purpose.isEmpty ? "no purpose" : "purpose \"\(purpose.printable)\"")
        case .libraryFailed(let operation): "\(operation) failed"
        }
    }
}

extension SealError {
    /// - Parameter limit: bytes that the item was allowed.
    init(_ failure: CBORFailure, limit: Int = CBORLimits.itemBytes) {
        let path = failure.path.map(\.text)
        switch failure.reason {
        case .tooLong: self = .itemTooLarge(codingPath: path, reason: "more than \(limit) bytes")
        case .tooManyValues: self = .itemTooLarge(codingPath: path, reason: failure.reason.description)
        default: self = .notEncodable(codingPath: path, reason: failure.reason.description)
        }
    }

    /// What `encode(to:)` threw, in words for the log.
    @usableFromInline
    init(encoding error: any Error, limit: Int) {
        switch error {
        case let failure as CBORFailure: self.init(failure, limit: limit)
        case EncodingError.invalidValue(_, let context):
            // Not the context's words, nor keys of its maker's: they may quote the value.
            self = .notEncodable(
                codingPath: context.codingPath.prefix { $0 is CBORKey }.map(\.stringValue.printable),
                reason: "an invalid value")
        default: self = .notEncodable(codingPath: [], reason: "an error of type \(type(of: error))")
        }
    }
}

extension SealError: WorkspaceError {
    /// Whether a C library failed, for want of memory for example: the session is in order. Answer 503; the same may succeed later.
    public var isLibraryFailure: Bool { if case .libraryFailed = self { true } else { false } }
    var leavesContents: Bool { false }
}
