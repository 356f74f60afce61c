// The targets: a naive codec, and this library with secrets of several types.
import CHostile
import Foundation
import SealedCookie

/// Something that seals a secret next to a text, as the attacker meets it.
struct Codec {
    let name: String
    let sees: String
    /// The bytes before the secret, as far as a text can contain them.
    let prefix: String
    /// The attacker only sees whether a size is passed, or in which step.
    var isThreshold = false
    /// The length of a text that certainly passes it.
    var fillerLimit = 0
    let seen: (_ secret: String, _ chosen: String) throws -> Int
}

enum Naive {
    /// JSON, DEFLATE, and as much overhead as ours; the payload is padded to a multiple of `block`.
    static func json(block: Int) -> Codec {
        Codec(
            name: "naive: JSON, DEFLATE" + (block > 1 ? ", padded to \(block)" : ""),
            sees: "the cookie's length", prefix: #""csrf":""#, isThreshold: block > 1, fillerLimit: 2 * block
        ) { secret, chosen in
            length(secret, chosen, block)
        }
    }

    static func jsonLimit(_ limit: Int) -> Codec {
        Codec(
            name: "naive: JSON, DEFLATE", sees: "whether it is too large", prefix: #""csrf":""#,
            isThreshold: true,
            fillerLimit: limit
        ) { secret, chosen in length(secret, chosen, 1) > limit ? 1 : 0 }
    }

    private static func length(_ secret: String, _ chosen: String, _ block: Int) -> Int {
        let json = Array(
            #"{"user":184467,"csrf":"\#(secret)","roles":["member"],"search":"\#(chosen)","locale":"en-US"}"#
                .utf8)
        var out = [UInt8](repeating: 0, count: json.count + 100)
        let count = hostile_deflate(json, json.count, nil, 0, &out, out.count)
        let padded = (count + block) / block * block
        return ((padded + 40) * 4 + 2) / 3
    }
}

protocol SessionWithSecret: Codable, Sendable {
    init(secret: String, chosen: String)
}

struct PlainSession: SessionWithSecret {
    var user = 184_467
    var csrf: String
    var roles = ["member"]
    var search: String
    var locale = "en-US"
    init(secret: String, chosen: String) { (csrf, search) = (secret, chosen) }
}

struct SecretSession: SessionWithSecret {
    var user = 184_467
    var csrf: Secret<String>
    var roles = ["member"]
    var search: String
    var locale = "en-US"
    init(secret: String, chosen: String) { (csrf, search) = (Secret(secret), chosen) }
}

struct DataSession: SessionWithSecret {
    var user = 184_467
    var csrf: Data
    var roles = ["member"]
    var search: String
    var locale = "en-US"
    init(secret: String, chosen: String) { (csrf, search) = (Data(secret.utf8), chosen) }
}

struct UUIDSession: SessionWithSecret {
    var user = 184_467
    var csrf: UUID
    var roles = ["member"]
    var search: String
    var locale = "en-US"
    init(secret: String, chosen: String) {
        let digits = Array(secret)
        let parts = [0..<8, 8..<12, 12..<16, 16..<20, 20..<32].map { String(digits[$0]) }
        csrf = UUID(uuidString: parts.joined(separator: "-")) ?? UUID()
        search = chosen
    }
}

@MainActor enum Ours {
    private static let now = Date(timeIntervalSince1970: 1_785_715_200)

    /// A naive codec that knows the session's shape, and by mistake a secret of another session.
    static let dictionary = "csrfx 0123456789abcdef0123456789abcdefdsearchelocaleeen-USerolesfmember"

    /// The library with every setting that affects a cookie's length.
    static func all<Session: SessionWithSecret>(_ type: Session.Type, _ field: String) throws -> [Codec] {
        let own = try CompressionDictionary(Array(dictionary.utf8))
        return [
            try lengths(type, "ours: \(field), standard dictionary"),
            try lengths(type, "ours: \(field), no dictionary", compression: .withoutDictionary),
            try lengths(type, "ours: \(field), own dictionary", compression: .dictionaries([own])),
            try lengths(type, "ours: \(field), padded to 64", paddingBlock: 64, fillerLimit: 128),
            try lengths(type, "ours: \(field), split", splitting: .upTo(4), fillerLimit: 4300),
            try limit(type, "ours: \(field), standard dictionary"),
        ]
    }

    private static func lengths<Session: SessionWithSecret>(
        _ type: Session.Type, _ name: String, compression: SessionCompression = .standard,
        paddingBlock: Int = 0,
        splitting: CookieSplitting = .never, fillerLimit: Int = 0
    ) throws -> Codec {
        let sessions = try CookieSealer<Session>(
            keys: keys, lifetime: .init(absolute: .days(1)), splitting: splitting, compression: compression,
            paddingBlock: paddingBlock)
        let isSplit = splitting != .never
        return Codec(
            name: name, sees: isSplit ? "how many cookies" : "the cookie's length", prefix: "csrfx ",
            isThreshold: fillerLimit > 0, fillerLimit: fillerLimit
        ) { secret, chosen in
            let sealed = try sessions.seal(Session(secret: secret, chosen: chosen), at: now)
            return isSplit
                ? sealed.cookies.count { $0.maxAge != 0 }
                : sealed.cookies.reduce(0) { $0 + $1.value.utf8.count }
        }
    }

    private static func limit<Session: SessionWithSecret>(_ type: Session.Type, _ name: String) throws
        -> Codec
    {
        let sessions = try CookieSealer<Session>(keys: keys, lifetime: .init(absolute: .days(1)))
        return Codec(
            name: name, sees: "whether it is too large", prefix: "csrfx ", isThreshold: true,
            fillerLimit: 4300
        ) { secret, chosen in
            do {
                _ = try sessions.seal(Session(secret: secret, chosen: chosen), at: now)
                return 0
            } catch SealError.tooLarge {
                return 1
            }
        }
    }
}
