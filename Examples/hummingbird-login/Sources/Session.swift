// What a visitor's cookie holds.
import SealedCookie

struct ShopSession: Codable, Equatable, Sendable {
    struct Line: Codable, Equatable, Sendable {
        var product: Int
        var engraving: String
    }

    /// Who signed in; nil: a visitor who has not.
    var name: String?
    /// Stands in every form of ours, where no other site can read it. Drawn anew with every session.
    var csrf = Secret((0..<16).map { _ in UInt8.random(in: 0...255) })
    var cart: [Line] = []

    var csrfText: String {
        csrf.value.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }

    /// Compares in a time that does not tell how much of the token is right.
    func hasCSRF(_ text: String) -> Bool {
        let (ours, theirs) = (Array(csrfText.utf8), Array(text.utf8))
        guard ours.count == theirs.count else { return false }
        return zip(ours, theirs).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
