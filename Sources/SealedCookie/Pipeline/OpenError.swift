// Why a token is refused, for the server's log. Visitors see only one thing: no session.
#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// The reason why a cookie is no session. It contains no value of the session, no key and no token. A coding path
/// contains map keys, including those of dictionaries, but nothing inside a ``Secret``.
///
/// The cases are in the order of the checks (FORMAT §5.2). Those before ``notAuthentic`` are found without any
/// cryptography, and anyone can cause them. For those after it, a holder of the key sealed the token.
#if hasAttribute(nonexhaustive)
    @nonexhaustive
#endif
public enum OpenError: Error, Equatable, Sendable {
    /// The token is longer than any that this sealer writes.
    case tooLong(byteCount: Int)
    /// The session is in more cookies than this sealer allows.
    case tooManyCookies(Int, limit: Int)
    /// A split session lacks this cookie: 1 is the second.
    case missingPart(Int, of: Int)
    /// The text is not base64url without padding in its only valid spelling: another character, `=`, white space, an
    /// impossible length, or trailing bits that are not zero.
    case notBase64URL
    /// The text has too few bytes for a token.
    case tooShort(byteCount: Int)
    /// The first byte is not 0x48.
    case unknownVersion(UInt8)
    /// No key in the ring has this ID.
    case unknownKey(KeyID)
    /// The ring refuses this key for good.
    case revokedKey(KeyID)
    /// The tag does not verify: the token was changed, or sealed with another key, for another cookie name or for
    /// another purpose.
    case notAuthentic
    /// Authentic, but not a payload of this version. The text says in which way.
    case malformedPayload(String)
    /// Authentic, but compressed with a dictionary that this sealer does not have.
    case unknownDictionary(String)
    /// Begun or sealed by a clock that is more than 60 s ahead of this one.
    case inFuture(Date)
    /// Not a session, but the mark that a sign-out left in its place, at this time.
    case signedOut(Date)
    /// In a former form of the cookie, and sealed at this time: more than 60 s after that form was retired
    /// (``FormerCookie/sealedUntil``).
    case formerCookie(Date)
    /// The session's lifetime ended at this time.
    case expired(Date)
    /// The session began before the ring's `not-before`.
    case endedBefore(Date)
    /// The session does not match the expected type: the path in it, and the reason, such as "the key is missing",
    /// "text where Int was expected" or "an integer that Int8 cannot hold".
    case sessionMismatch(codingPath: [String], reason: String)
    /// A C library failed for a reason other than the token, such as lack of memory.
    case libraryFailed(operation: String)
}

extension OpenError {
    /// A short, stable word for metrics: FORMAT's word for the refusal (§5.2, §11.1) with hyphens, such as
    /// `not-authentic`. In addition, there are `session-mismatch` and `library-failed`.
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
    /// The reason in words, for the log.
    public var description: String {
        switch self {
        case .tooLong(let count): "too long for a token: \(count) bytes"
        case .tooManyCookies(let count, let limit): "in \(count) cookies, but at most \(limit) are allowed"
        case .missingPart(let part, let count): "cookie \(part + 1) of \(count) is missing"
        case .notBase64URL: "not a token: not base64url without padding"
        case .tooShort(let count): "too short for a token: \(count) bytes"
        case .unknownVersion(let version): "unknown version 0x\(String(version, radix: 16))"
        case .unknownKey(let id): "no key \(id) in the ring"
        case .revokedKey(let id): "key \(id) is revoked"
        case .notAuthentic: "not authentic: changed, or sealed with another key, name or purpose"
        case .malformedPayload(let reason): "authentic, but malformed: \(reason)"
        case .unknownDictionary(let id): "compressed with dictionary \(id), which this sealer does not have"
        case .inFuture(let date): "sealed in the future, at \(Timestamp.text(date))"
        case .signedOut(let date): "signed out at \(Timestamp.text(date))"
        case .formerCookie(let date):
            "in a former form of the cookie, but sealed at \(Timestamp.text(date)), after that form was retired"
        case .expired(let date): "expired at \(Timestamp.text(date))"
        case .endedBefore(let date): "began before \(Timestamp.text(date)), when all sessions were ended"
        case .sessionMismatch(let path, let reason):
            "not the expected session: at \(path.isEmpty ? "its root" : path.joined(separator: ".")), \(reason)"
        case .libraryFailed(let operation): "\(operation) failed"
        }
    }
}

extension OpenError {
    /// Whether this was found before anything was opened: neither after the tag's check nor by a failing library.
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

    /// The path in the session and the reason, from a decoding error. Descriptions by other code are not repeated:
    /// they may quote the session.
    private init(_ error: DecodingError) {
        let (key, reason): ((any CodingKey)?, String) =
            switch error {
            case .typeMismatch(let type, _): (nil, "a value that is not of type \(type)")
            case .valueNotFound(let type, _): (nil, "no value where \(type) was expected")
            case .keyNotFound(let key, _): (key, "the key is missing")
            case .dataCorrupted: (nil, "a value that its type refuses")
            @unknown default: (nil, "another session")
            }
        let own = (error.context?.underlyingError as? CBORMismatch)?.words
        var path = (error.context?.codingPath ?? []) + (key.map { [$0] } ?? [])
        // Nor are keys of other code's types, which may contain a value.
        if own == nil { path = Array(path.prefix { $0 is CBORKey }) }
        self = .sessionMismatch(codingPath: path.map(\.stringValue.printable), reason: own ?? reason)
    }
}

extension OpenError: WorkspaceError {
    /// Whether a C library failed, for lack of memory for example, so that the cookie may be good. Answer 503, and
    /// write no cookie over it.
    public var isLibraryFailure: Bool { if case .libraryFailed = self { true } else { false } }
    var leavesContents: Bool { !isBeforeOpening }
}
