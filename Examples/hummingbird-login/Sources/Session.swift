// What a visitor's cookie holds.
import SealedCookie

struct ShopSession: Codable, Equatable, Sendable {
    struct Line: Codable, Equatable, Sendable {
        var product: Int
        var engraving: String
    }

    /// Who signed in; nil: a visitor who has not.
    var name: String?
    /// Stands in every form of ours, where no other site can read it.
    let csrf: Secret<[UInt8]>
    var cart: [Line]

    /// Draws a new CSRF token. (Not as the property's default: that would be drawn at each decoding, too.)
    init(name: String? = nil, cart: [Line] = []) {
        self.name = name
        self.cart = cart
        csrf = Secret(
            withUnsafeBytes(of: (UInt64.random(in: 0 ... .max), UInt64.random(in: 0 ... .max)), Array.init))
    }

    var csrfText: String {
        let digits = Array("0123456789abcdef".utf8)
        return String(
            decoding: csrf.value.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    /// Compares in a time that does not tell how much of the token is right.
    func hasCSRF(_ text: String) -> Bool {
        let (ours, theirs) = (Array(csrfText.utf8), Array(text.utf8))
        guard ours.count == theirs.count else { return false }
        return zip(ours, theirs).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
