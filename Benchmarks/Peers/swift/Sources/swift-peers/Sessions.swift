// swift-format-ignore-file: AlwaysUseLowerCamelCase
// The corpus as types, as applications declare their sessions. Properties are named as the corpus names them, and
// every string stays a String, so that all peers carry the same data.

/// A member that is present and null.
struct Null: Codable, Hashable {
    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard container.decodeNil() else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not null")
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encodeNil()
    }
}

struct Tiny: Codable, Hashable {
    var user_id: Int
}

struct Login: Codable, Hashable {
    struct Flash: Codable, Hashable {
        var notice: String
    }

    var user_id, csrf_token: String
    var issued_at, expires_at: Int
    var roles: [String]
    var locale: String
    var remember_me: Bool
    var flash: Flash
}

struct OAuth: Codable, Hashable {
    var provider, sub, token_type, scope, access_token, refresh_token, id_token: String
    var expires_at: Int
    var state, nonce, code_verifier: String
}

struct Cart: Codable, Hashable {
    struct Item: Codable, Hashable {
        var productId: Int
        var variant, name: String
        var quantity, unitPrice: Int
        var taxable: Bool
    }
    struct Shipping: Codable, Hashable {
        var method: String
        var price: Int
    }

    var cartId, currency: String
    var coupon: Null
    var updatedAt: String
    var items: [Item]
    var shipping: Shipping
}

struct Profile: Codable, Hashable {
    struct NumberFormat: Codable, Hashable {
        var decimal, group: String
    }

    var display_name, name_native, city, greeting: String
    var last_search: [String]
    var locale: String
    var fallback_locales: [String]
    var timezone, currency: String
    var first_day_of_week: Int
    var signature: String
    var number_format: NumberFormat
    var mood, theme: String
}

struct Wizard: Codable, Hashable {
    struct Contact: Codable, Hashable {
        var first_name, last_name, email, phone, address_line_1, address_line_2, postcode, country: String
        var preferred_contact: String
    }
    struct Policy: Codable, Hashable {
        var number, holder_since: String
        var excess: Int
        var contents_cover, buildings_cover: Bool
    }
    struct Incident: Codable, Hashable {
        var date, time, kind, description: String
    }
    struct Damage: Codable, Hashable {
        var rooms: [String]
        var description: String
        var estimate_kitchen, estimate_hallway, estimate_dining_room, estimate_bathroom, photos_attached: Int
        var dehumidifier_hired: Bool
    }
    struct Witness: Codable, Hashable {
        var name, relation, phone, statement: String
    }
    struct Repairs: Codable, Hashable {
        struct Quote: Codable, Hashable {
            var firm: String
            var amount: Int
            var note: String
        }

        var temporary: String
        var quotes: [Quote]
    }
    struct Declaration: Codable, Hashable {
        var accurate, understands_fraud_notice, share_with_loss_adjuster: Bool
        var comments: String
    }

    var wizard: String
    var current_step: Int
    var completed_steps: [String]
    var contact: Contact
    var policy: Policy
    var incident: Incident
    var damage: Damage
    var witnesses: [Witness]
    var repairs: Repairs
    var declaration: Declaration
    var draft_saved_at: Int
}

struct Flags: Codable, Hashable {
    var v: Int
    var flags: [String: Bool]
    var buckets: [String: Int]
    var seen: [Int]
    var visits, last: Int
}

struct Blob: Codable, Hashable {
    var blob: String
}
