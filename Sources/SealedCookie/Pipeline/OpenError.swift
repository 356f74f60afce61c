// Why a token is refused: for the server's log. A visitor sees one thing: no session.
#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// Why a cookie is no session. It holds no value of the session, no key and no token. A place in the
/// session names map keys, and so those of dictionaries; nothing inside a `Secret` is named.
///
/// In the order of the checks (FORMAT §5.2): what comes before `notAuthentic` is found without any
/// cryptography and may be anybody's doing; what comes after it was sealed by a holder of the key.
#if hasAttribute(nonexhaustive)
    @nonexhaustive
#endif
public enum OpenError: Error, Equatable, Sendable {
    /// Longer than any token that this sealer writes.
    case tooLong(byteCount: Int)
    /// In more cookies than this sealer allows.
    case tooManyCookies(Int, limit: Int)
    /// A split session of which this cookie did not come: 1 for the second.
    case missingPart(Int, of: Int)
    /// Not base64url without padding in its one valid spelling: another character, `=`, white space,
    /// an impossible length, trailing bits that are not zero.
    case notBase64URL
    /// Too few bytes for a token.
    case tooShort(byteCount: Int)
    /// The first byte is not 0x48.
    case unknownVersion(UInt8)
    /// No key of the ring has this id.
    case unknownKey(KeyID)
    /// The ring refuses this key for good.
    case revokedKey(KeyID)
    /// The tag does not verify: changed in any bit, or sealed with another key, for another cookie
    /// name or for another purpose.
    case notAuthentic
    /// Authentic, but not a payload of this version; says where.
    case malformedPayload(String)
    /// Authentic, but compressed with a dictionary that this sealer does not have.
    case unknownDictionary(String)
    /// Begun or sealed by a clock more than 60 s ahead of this one.
    case inFuture(Date)
    /// Not a session, but what a sign-out left in its place, at this time.
    case signedOut(Date)
    /// In a former form of the cookie, sealed at this time: more than 60 s after nothing more was (`FormerCookie.sealedUntil`).
    case formerCookie(Date)
    /// Over since this time, by its lifetime.
    case expired(Date)
    /// Began before the ring's `not-before`.
    case endedBefore(Date)
    /// A session of another shape than the one to open: where in it, and why, such as "the key is missing", "text where Int was
    /// expected" or "an integer that Int8 cannot hold".
    case sessionMismatch(codingPath: [String], reason: String)
    /// A C library failed for a reason other than the token, such as want of memory.
    case libraryFailed(operation: String)
}

extension OpenError {
    /// A short word for metrics, which stays the same: FORMAT's word for the refusal (§5.2, §11.1) with hyphens, such as
    /// `not-authentic`; besides those `session-mismatch` and `library-failed`.
    public var code: String {
        switch self {
        case .tooLong: "too-long"
        case .tooManyCookies: "too-many-cookies"
        case .missingPart: "missing-part"
        case .notBase64URL: "not-base64url"
        case .tooShort: "too-short"
        case .unknownVersion: "unknown-version"
        case .unknownKey: "unknown-key"
        case .revokedKey: "revoked-key"
        case .notAuthentic: "not-authentic"
        case .malformedPayload: "malformed-payload"
        case .unknownDictionary: "unknown-dictionary"
        case .inFuture: "in-the-future"
        case .signedOut: "signed-out"
        case .formerCookie: "former-cookie"
        case .expired: "expired"
        case .endedBefore: "ended"
        case .sessionMismatch: "session-mismatch"
        case .libraryFailed: "library-failed"
        }
    }
}

extension OpenError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .tooLong(let count): "too long for a token: \(count) bytes"
        case .tooManyCookies(let count, let limit): "in \(count) cookies, where \(limit) are allowed"
        case .missingPart(let part, let count): "cookie \(part + 1) of \(count) is missing"
        case .notBase64URL: "not a token: not base64url without padding"
        case .tooShort(let count): "too short for a token: \(count) bytes"
        case .unknownVersion(let version): "unknown version 0x\(String(version, radix: 16))"
        case .unknownKey(let id): "no key \(id) in the ring"
        case .revokedKey(let id): "key \(id) is revoked"
        case .notAuthentic: "not authentic: changed, or sealed with another key, name or purpose"
        case .malformedPayload(let reason): "authentic, but malformed: \(reason)"
        case .unknownDictionary(let id): "compressed with dictionary \(id), which is not here"
        case .inFuture(let date): "sealed in the future, at \(Timestamp.text(date))"
        case .signedOut(let date): "signed out at \(Timestamp.text(date))"
        case .formerCookie(let date):
            "in a former form of the cookie, but sealed at \(Timestamp.text(date)), after that form's time"
        case .expired(let date): "expired at \(Timestamp.text(date))"
        case .endedBefore(let date): "began before \(Timestamp.text(date)), when all sessions were ended"
        case .sessionMismatch(let path, let reason):
            "not the expected session: at \(path.isEmpty ? "its root" : path.joined(separator: ".")), \(reason)"
        case .libraryFailed(let operation): "\(operation) failed"
        }
    }
}

extension OpenError {
    /// Whether this was found before anything was opened: neither behind the tag nor by a failing library.
    var isBeforeOpening: Bool {
        switch self {
        case .tooLong, .tooManyCookies, .missingPart, .notBase64URL, .tooShort, .unknownVersion, .unknownKey,
            .revokedKey, .notAuthentic:
            true
        case .malformedPayload, .unknownDictionary, .inFuture, .signedOut, .formerCookie, .expired,
            .endedBefore,
            .sessionMismatch, .libraryFailed:
            false
        }
    }

    /// What `init(from:)` threw, in words for the log.
    @usableFromInline
    init(decoding error: any Error) {
        if let error = error as? DecodingError {
            self.init(error)
        } else {
            self = .sessionMismatch(codingPath: [], reason: "an error of type \(type(of: error))")
        }
    }

    /// Of a decoding error the place in the session, and why. Another's words are not repeated: they may quote the session.
    private init(_ error: DecodingError) {
        let (key, reason): ((any CodingKey)?, String) =
            switch error {
            case .typeMismatch(let type, _): (nil, "a value of another type than \(type)")
            case .valueNotFound(let type, _): (nil, "no value where \(type) was expected")
            case .keyNotFound(let key, _): (key, "the key is missing")
            case .dataCorrupted: (nil, "a value that its type refuses")
            @unknown default: (nil, "another session")
            }
        let own = (error.context?.underlyingError as? CBORMismatch)?.words
        var path = (error.context?.codingPath ?? []) + (key.map { [$0] } ?? [])
        // Nor keys of another's making, which may hold a value.
        if own == nil { path = Array(path.prefix { $0 is CBORKey }) }
        self = .sessionMismatch(codingPath: path.map(\.stringValue.printable), reason: own ?? reason)
    }
}

extension OpenError: WorkspaceError {
    /// Whether a C library failed, for want of memory for example: the cookie may be good. Answer 503, and write no cookie over it.
    public var isLibraryFailure: Bool { if case .libraryFailed = self { true } else { false } }
    var leavesContents: Bool { !isBeforeOpening }
}
