// A token that was changed, cut, renamed or sealed by another sealer is refused, with its reason.
import Foundation
import Testing

@testable import SealedCookie

@Suite struct TokenTests {
    @Test func `a token begins with S and opens to an equal session`() throws {
        let sealer = try loginSealer(sampleRing(1))
        let token = try sealer.seal(login, at: noon).token
        #expect(token.hasPrefix("S"))
        #expect(try sealer.open(value: token, at: noon).session == login)
    }

    @Test func `two tokens of one session share no random bytes`() throws {
        let sealer = try loginSealer(sampleRing(1))
        var seen: Set<[UInt8]> = []
        for _ in 0..<1000 {
            let bytes = try #require(Base64URL.decode(sealer.seal(login, at: noon).token))
            #expect(seen.insert(Array(bytes[4..<24])).inserted)
        }
        #expect(seen.count == 1000)
    }

    @Test func `every single-bit flip is refused, each for its reason`() throws {
        let sealer = try loginSealer(sampleRing(1))
        let sealed = try #require(Base64URL.decode(sealer.seal(login, at: noon).token))
        for bit in 0..<sealed.count * 8 {
            var bytes = sealed
            bytes[bit / 8] ^= 0x80 >> UInt8(bit % 8)
            let expected: OpenError =
                switch bit / 8 {
                case 0: .unknownVersion(bytes[0])
                case 1...3: .unknownKey(KeyID(bytes[1], bytes[2], bytes[3]))
                default: .notAuthentic
                }
            #expect(throws: expected) { try sealer.open(value: Base64URL.encode(bytes.span), at: noon) }
        }
    }

    @Test func `every truncation of the text is refused`() throws {
        let sealer = try loginSealer(sampleRing(1))
        let token = try sealer.seal(login, at: noon).token
        var refusals: [String: Int] = [:]
        for count in 0..<token.count {
            let error = #expect(throws: OpenError.self) {
                try sealer.open(value: token.prefix(count), at: noon)
            }
            switch try #require(error) {
            case .tooShort(let bytes):
                #expect(bytes == count * 3 / 4 && bytes < 47)
                refusals["tooShort", default: 0] += 1
            case .notAuthentic:
                #expect(count * 3 / 4 >= 47)
                refusals["notAuthentic", default: 0] += 1
            case .notBase64URL:
                refusals["notBase64URL", default: 0] += 1
            default:
                Issue.record("unexpected \(String(describing: error)) for \(count) characters")
            }
        }
        #expect(refusals.values.reduce(0, +) == token.count && refusals.count == 3)
    }

    @Test func `every change of one character is refused`() throws {
        let sealer = try loginSealer(sampleRing(1))
        let token = Array(try sealer.seal(login, at: noon).token.utf8)
        var refused = 0
        // The whole alphabet, and the characters just outside it.
        for position in token.indices {
            for character in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=+/ .\n\0\u{7F}"
                .utf8
            where character != token[position] {
                var changed = token
                changed[position] = character
                #expect(throws: OpenError.self) {
                    try sealer.open(value: String(decoding: changed, as: UTF8.self), at: noon)
                }
                refused += 1
            }
        }
        #expect(refused == token.count * 71)
    }

    @Test func `what surrounds a token is not part of it`() throws {
        let sealer = try loginSealer(sampleRing(1))
        let token = try sealer.seal(login, at: noon).token
        for text in [token + "=", " " + token, token + "\n", "\"\(token)\"", token + "é"] {
            #expect(throws: OpenError.notBase64URL) { try sealer.open(value: text, at: noon) }
        }
        let long = String(repeating: "S", count: 4097)
        #expect(throws: OpenError.tooLong(byteCount: 4097)) { try sealer.open(value: long, at: noon) }
        #expect(throws: OpenError.tooShort(byteCount: 0)) { try sealer.open(value: "", at: noon) }
    }

    @Test func `a token under another name, purpose or ring is refused`() throws {
        let ring = try sampleRing(1)
        let token = try loginSealer(ring, purpose: "shop").seal(login, at: noon).token
        #expect(throws: OpenError.notAuthentic) {
            try loginSealer(ring, name: "__Host-admin", purpose: "shop").open(value: token, at: noon)
        }
        for purpose in ["", "Shop", "shop ", "session"] {
            #expect(throws: OpenError.notAuthentic) {
                try loginSealer(ring, purpose: purpose).open(value: token, at: noon)
            }
        }
        let other = try sampleRing(9)
        let id = try sampleKey(1).id
        #expect(throws: OpenError.unknownKey(id)) {
            try loginSealer(other, purpose: "shop").open(value: token, at: noon)
        }
        let revoked = try KeyRing([sampleKey(9)], revoked: [id])
        #expect(throws: OpenError.revokedKey(id)) {
            try loginSealer(revoked, purpose: "shop").open(value: token, at: noon)
        }
    }

    @Test func `name and purpose cannot trade bytes`() throws {
        let ring = try sampleRing(1)
        let token = try loginSealer(ring, name: "ab", purpose: "c").seal(login, at: noon).token
        #expect(throws: OpenError.notAuthentic) {
            try loginSealer(ring, name: "a", purpose: "bc").open(value: token, at: noon)
        }
    }

    @Test func `an inspection tells what anyone can read`() throws {
        let sealer = try loginSealer(sampleRing(1))
        let token = try sealer.seal(login, at: noon).token
        let inspection = try TokenInspection(token)
        #expect(inspection.keyID == (try sampleKey(1).id))
        #expect(inspection.version == 0x48)
        #expect(inspection.characterCount == token.utf8.count)
        #expect(Base64URL.encodedCount(inspection.byteCount) == token.utf8.count)
        #expect(inspection.byteCount == inspection.payloadByteCount + 40)
        #expect(throws: OpenError.notBase64URL) { try TokenInspection("no token") }
        #expect(throws: OpenError.unknownVersion(0)) {
            try TokenInspection(String(repeating: "A", count: 80))
        }
    }
    @Test func `an inspection takes 1 MiB of text and no more`() throws {
        let text = "S" + String(repeating: "A", count: 1_048_575)
        #expect(try TokenInspection(text).byteCount == 786_432)
        #expect(throws: OpenError.tooLong(byteCount: 1_048_577)) { try TokenInspection(text + "A") }
        // Whatever it contains: it is not read.
        #expect(throws: OpenError.tooLong(byteCount: 1_100_000)) {
            try TokenInspection(String(repeating: "é", count: 550_000))
        }
    }
}
