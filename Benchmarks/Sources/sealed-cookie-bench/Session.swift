// The sessions to seal: the corpus, and a session of an application's own type.
import Foundation
import SealedCookie

/// Ten fields with integer keys, as in an application that cares about its cookie's size.
struct User: Codable, Sendable, Equatable {
    // Without default values: those would be created for each session that is decoded.
    var id: Int
    var name: String
    var email: String
    var roles: [String]
    var csrf: Data
    var locale: String
    var rememberMe: Bool
    var visits: Int
    var signedInAt: Date
    var cart: UUID?

    static let sample = User(
        id: 184_467, name: "Zoë Müller", email: "zoe.mueller@gmail.com", roles: ["member", "billing_admin"],
        csrf: Data((0..<16).map { UInt8($0) &* 37 }), locale: "en-US", rememberMe: true, visits: 17,
        signedInAt: Date(timeIntervalSince1970: 1_790_000_000),
        cart: UUID(uuidString: "ee4d1e8f-3ce5-4824-8532-9a34bfa25f5c"))

    enum CodingKeys: Int, CodingKey {
        case id = 1
        case name, email, roles, csrf, locale, rememberMe, visits, signedInAt, cart
    }
}

/// b_login as an application's type, with its names for keys.
struct Login: Codable, Sendable, Equatable {
    struct Flash: Codable, Sendable, Equatable {
        var notice: String
    }

    enum CodingKeys: String, CodingKey {
        case userID = "user_id"
        case csrfToken = "csrf_token"
        case issuedAt = "issued_at"
        case expiresAt = "expires_at"
        case roles, locale
        case isRemembered = "remember_me"
        case flash
    }

    var userID: String
    var csrfToken: String
    var issuedAt: Int
    var expiresAt: Int
    var roles: [String]
    var locale: String
    var isRemembered: Bool
    var flash: Flash
}

/// Any JSON, to make items from the corpus.
enum JSON: Codable, Sendable {
    case null
    case bool(Bool)
    case integer(Int)
    case number(Double)
    case text(String)
    case array([JSON])
    case object([String: JSON])

    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if value.decodeNil() {
            self = .null
        } else if let bool = try? value.decode(Bool.self) {
            self = .bool(bool)
        } else if let integer = try? value.decode(Int.self) {
            self = .integer(integer)
        } else if let number = try? value.decode(Double.self) {
            self = .number(number)
        } else if let text = try? value.decode(String.self) {
            self = .text(text)
        } else if let array = try? value.decode([JSON].self) {
            self = .array(array)
        } else {
            self = .object(try value.decode([String: JSON].self))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var value = encoder.singleValueContainer()
        switch self {
        case .null: try value.encodeNil()
        case .bool(let bool): try value.encode(bool)
        case .integer(let integer): try value.encode(integer)
        case .number(let number): try value.encode(number)
        case .text(let text): try value.encode(text)
        case .array(let array): try value.encode(array)
        case .object(let object): try value.encode(object)
        }
    }
}
