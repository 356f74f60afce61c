// Tokens for links, forms and headers.
import Foundation
import Testing

@testable import SealedCookie

@Suite struct TokenSealerTests {
    struct Reset: Codable, Equatable, Sendable {
        var user: Int
        var note = ""
    }

    private func sealer(
        _ purpose: String = "password-reset", _ ring: KeyRing? = nil, limit: Int = 2000
    ) throws -> TokenSealer<Reset> {
        try TokenSealer(
            purpose: purpose, keys: ring ?? sampleRing(1), lifetime: .init(absolute: .hours(1)),
            tokenLimit: limit)
    }

    @Test func `a token opens to its value, with its times and its key`() throws {
        let sealer = try sealer()
        let token = try sealer.seal(Reset(user: 42), at: noon)
        #expect(token.expiresAt == noon + 3600)
        let allowed = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
        #expect(token.text.allSatisfy(allowed.contains))
        let opened = try sealer.open(token.text, at: noon + 3599)
        #expect(opened.value == Reset(user: 42))
        #expect(opened.createdAt == noon && opened.expiresAt == noon + 3600)
        #expect(opened.keyID == sealer.keys.keys[0].id && opened.purpose == "password-reset")
        #expect(try sealer.open("x\(token.text)".dropFirst(), at: noon).value.user == 42)
        #expect(throws: OpenError.expired(noon + 3600)) { try sealer.open(token.text, at: noon + 3600) }
        #expect(!"\(opened)".contains("42") && !"\(token)".contains(token.text))
    }

    @Test func `a token opens for its own purpose alone, and never as a cookie's, nor the other way round`()
        throws
    {
        let ring = try sampleRing(1)
        let reset = try sealer("password-reset", ring)
        let token = try reset.seal(Reset(user: 42), at: noon).text
        #expect(throws: OpenError.notAuthentic) { try sealer("magic-link", ring).open(token, at: noon) }
        for name in ["password-reset", "s", "__Host-session"] {
            for purpose in ["", "password-reset"] {
                let cookies = try CookieSealer<Reset>(
                    name, keys: ring, lifetime: .init(absolute: .hours(1)), purpose: purpose)
                #expect(throws: OpenError.notAuthentic) { try cookies.open(value: token, at: noon) }
                #expect(throws: OpenError.notAuthentic) {
                    try cookies.open(cookieHeader: "\(name)=\(token)", at: noon)
                }
                let cookie = try cookies.seal(Reset(user: 42), at: noon)
                #expect(throws: OpenError.notAuthentic) { try reset.open(cookie.token, at: noon) }
                #expect(try cookies.open(value: cookie.token, at: noon).session.user == 42)
            }
        }
    }

    @Test func `there is no sealer without a purpose, nor with a limit that no token has`() throws {
        #expect(throws: SealerConfigurationError.emptyPurpose) { try sealer("") }
        for limit in [0, 62, 1_048_577] {
            #expect(throws: SealerConfigurationError.invalidTokenLimit(limit)) { try sealer(limit: limit) }
        }
        #expect(CookieForm.smallestToken == Base64URL.encodedCount(SealedBox.minimumCount))
        _ = try sealer(limit: 63)
    }

    @Test func `a token of the limit is sealed and opened, and a character more is neither`() throws {
        // Not to be compressed: every byte counts.
        func note(_ count: Int) -> String {
            var random = SystemRandomNumberGenerator()
            return String(
                (0..<count).map { _ in "abcdefghijklmnopqrstuvwxyz0123456789".randomElement(using: &random)! }
            )
        }
        let long = try sealer(limit: 5000).seal(Reset(user: 1, note: note(2600)), at: noon).text
        let length = long.utf8.count
        #expect(length > 2000)
        #expect(try sealer(limit: length).open(long, at: noon).value.user == 1)
        #expect(throws: OpenError.tooLong(byteCount: length)) {
            try sealer(limit: length - 1).open(long, at: noon)
        }
        #expect(throws: OpenError.tooLong(byteCount: length)) { try sealer().open(long, at: noon) }
        let value = Reset(user: 1, note: note(2600))
        let error = #expect(throws: SealError.self) { try sealer().seal(value, at: noon) }
        guard case .tooLarge(let report)? = error else { return #expect(Bool(false), "\(error as Any)") }
        #expect(report.tokenLimit == 2000 && report.tokenLength > 2000 && report.cookieCount == 0)
        #expect(report.fields.first?.name == "note" && report.refusingServers.isEmpty)
        #expect(try sealer().sizeReport(for: value, at: noon).tokenLength == report.tokenLength)
        #expect("\(report)".hasPrefix("a token of \(report.tokenLength) characters, "))
    }

    @Test func `what is refused of a cookie is refused of a token for the same reasons`() throws {
        let sealer = try sealer()
        let token = try sealer.seal(Reset(user: 42), at: noon).text
        var changed = token
        changed.removeLast()
        #expect(throws: OpenError.self) { try sealer.open(changed, at: noon) }
        #expect(throws: OpenError.notBase64URL) { try sealer.open(token + "=", at: noon) }
        #expect(throws: OpenError.tooShort(byteCount: 0)) { try sealer.open("", at: noon) }
        #expect(throws: OpenError.inFuture(noon)) { try sealer.open(token, at: noon - 61) }
        #expect(throws: OpenError.unknownKey(sealer.keys.keys[0].id)) {
            try self.sealer("password-reset", sampleRing(9)).open(token, at: noon)
        }
        let other = try TokenSealer<[String]>(
            purpose: "password-reset", keys: sampleRing(1), lifetime: .init(absolute: .hours(1)))
        let error = #expect(throws: OpenError.self) { try other.open(token, at: noon) }
        #expect(error?.code == "session-mismatch")
    }

    @Test func `a token's own lifetime takes the policy's place`() throws {
        let sealer = try sealer()
        let token = try sealer.seal(Reset(user: 1), lifetime: .init(absolute: .minutes(5)), at: noon)
        #expect(token.expiresAt == noon + 300)
        #expect(throws: OpenError.expired(noon + 300)) { try sealer.open(token.text, at: noon + 300) }
    }

    @Test func `a followed and a replaced ring's keys seal and open tokens`() throws {
        let shared = try SharedKeyRing(sampleRing(1))
        let sealer = try TokenSealer<Reset>(
            purpose: "p", keys: shared, lifetime: .init(absolute: .hours(1)))
        let token = try sealer.seal(Reset(user: 7), at: noon).text
        try shared.replace(with: KeyRing([sampleKey(2)], revoked: [sampleKey(1).id]))
        #expect(throws: OpenError.revokedKey(try sampleKey(1).id)) { try sealer.open(token, at: noon) }
        #expect(
            try sealer.open(sealer.seal(Reset(user: 8), at: noon).text, at: noon).keyID == sampleKey(2).id)
    }
}
