// Why a session could not be sealed.
#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// The reason why `seal` wrote no cookie. It contains no value of the session and no key. A coding path contains map
/// keys, but nothing inside a ``Secret``.
#if hasAttribute(nonexhaustive)
    @nonexhaustive
#endif
public enum SealError: Error, Equatable, Sendable {
    /// The ring has no key. If all keys are pending, the earliest seals (FORMAT §9).
    case noActiveKey
    /// Name and value exceed the limit: a browser would silently keep the old cookie. The report says which fields
    /// are largest and how much must go.
    case tooLarge(SizeReport)
    /// As CBOR, before compression, the session has too many values, or exceeds the sealer's `itemLimit` or the
    /// 65,536 bytes of FORMAT §7. The path says where that was found. For up to 65,536 bytes and 16,384 values,
    /// ``CookieSealer/sizeReport(for:lifetime:at:)`` shows what is large.
    case itemTooLarge(codingPath: [String], reason: String)
    /// The session cannot be encoded: the path in it, and the reason.
    case notEncodable(codingPath: [String], reason: String)
    /// `now` is not between 1970 and 2106.
    case timeOutOfRange
    /// The session to seal again ended at this time.
    case expired(Date)
    /// The session to seal again has ended: its key was revoked since it was opened, or is no longer in the ring.
    case revokedKey(KeyID)
    /// The key of the session to adopt is not in this sealer's ring, and not revoked there: the two sealers have
    /// different rings. Put the keys of both into one ring.
    case foreignKey(KeyID)
    /// The session begins before the ring's `not-before`, or before the cut-off passed to `seal`, so it would be
    /// refused at once. That time is in the future, or this clock is more than 60 s behind the one that set it.
    case endedBefore(Date)
    /// The session to seal again was opened from a cookie of another name, or for another purpose. To make it one of
    /// this sealer's on purpose, use ``CookieSealer/adopt(_:at:)``.
    case anotherCookie(name: String, purpose: String)
    /// A C library failed, for lack of randomness or memory for example.
    case libraryFailed(operation: String)
}

extension SealError {
    /// Whether `reseal` or `adopt` failed because the session has ended since it was opened (`.expired`,
    /// `.endedBefore`, `.revokedKey`). Answer as if there were no session; the next request finds none.
    public var isSessionOver: Bool {
        switch self {
        case .expired, .endedBefore, .revokedKey: true
        case .noActiveKey, .tooLarge, .itemTooLarge, .notEncodable, .timeOutOfRange, .anotherCookie,
            .foreignKey,
            .libraryFailed:
            false
        }
    }

    /// Whether the session is too large, before or after compression (`.itemTooLarge`, `.tooLarge`). Answer 413, for
    /// example, or let the visitor remove something.
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
    /// A short, stable word for metrics, such as `too-large`. A word that ``OpenError`` also has means the same
    /// there, with one exception: here, `revoked-key` includes a key that is no longer in the ring.
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
    /// The reason in words, for the log.
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
            "the session's key \(id) is not in the ring of the adopting sealer: put both keys into one ring"
        case .endedBefore(let date): "sessions that begin before \(Timestamp.text(date)) have ended"
        case .anotherCookie(let name, let purpose):
            "the session was opened from cookie \(name.printable), "
                + (purpose.isEmpty ? "without a purpose" : "with the purpose \"\(purpose.printable)\"")
        case .libraryFailed(let operation): "\(operation) failed"
        }
    }
}

extension SealError {
    /// - Parameter limit: The bytes that the item was allowed.
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
            // Neither the context's description nor keys of other code's types: they may quote the value.
            self = .notEncodable(
                codingPath: context.codingPath.prefix { $0 is CBORKey }.map(\.stringValue.printable),
                reason: "an invalid value")
        default: self = .notEncodable(codingPath: [], reason: "an error of type \(type(of: error))")
        }
    }
}

extension SealError: WorkspaceError {
    /// Whether a C library failed, for lack of memory for example, although the session is in order. Answer 503; the
    /// same may succeed later.
    public var isLibraryFailure: Bool { if case .libraryFailed = self { true } else { false } }
    var leavesContents: Bool { false }
}
