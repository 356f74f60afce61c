// Dictionaries: the standard one, an application's own, and that none is ever mistaken for another.
import Foundation
import Testing

@testable import SealedCookie

@Suite struct DictionaryTests {
    private let policy = SessionLifetime(absolute: .days(14))

    private func sealer(_ compression: SessionCompression) throws -> CookieSealer<Login> {
        try CookieSealer(keys: sampleRing(1), lifetime: policy, compression: compression)
    }

    private func dictionary(_ text: String) throws -> CompressionDictionary {
        try CompressionDictionary(Array(text.utf8))
    }

    @Test func `the standard dictionary is the one that its list makes`() throws {
        let file = packageFolder.appending(path: "Benchmarks/Dictionary/standard.bin")
        let bytes = CompressionDictionary.standard.bytes
        #expect(try bytes == Array(Data(contentsOf: file)))
        #expect(bytes.count == 2029)
        let digest = try SHA256.digest(of: bytes).hex
        #expect(digest == "36c8569d3e04e5c8d8934a138d697ceb4d244910f3f7d1e14f6b1aa239975ced")
        // FIPS 180-4's example.
        let abc = try SHA256.digest(of: Array("abc".utf8)).hex
        #expect(abc == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    }

    @Test func `a dictionary is named by its content`() throws {
        #expect(CompressionDictionary.standard.id.description == "01")
        let digest = try SHA256.digest(of: Array("member".utf8))
        let id = try dictionary("member").id
        #expect(id.description == [16 + digest[0] % 240, digest[1], digest[2], digest[3]].hex)
        #expect(throws: DictionaryError.invalidByteCount(0)) { try CompressionDictionary([]) }
        #expect(throws: DictionaryError.invalidByteCount(7937)) {
            try CompressionDictionary(Array(repeating: 1, count: 7937))
        }
        #expect(try CompressionDictionary(Array(repeating: 1, count: 7936)).bytes.count == 7936)
    }

    private func sealing(_ compression: SessionCompression) -> CompressionDictionary? {
        compression.sealingIndex.map { compression.dictionaries[$0] }
    }

    @Test func `every way opens what every other sealed, if it has the dictionary`() throws {
        let (first, second) = (
            try dictionary("member_admin billing_admin"), try dictionary("fmemberlmember_admin")
        )
        let ways: [SessionCompression] = [
            .standard, .off, .withoutDictionary, .dictionaries([first]), .dictionaries([first, second]),
            .dictionaries([second, first]),
        ]
        for (number, from) in ways.enumerated() {
            let token = try sealer(from).seal(login, at: noon).token
            for to in ways {
                let reader = try sealer(to)
                if let used = sealing(from), to.index(of: used.id) == nil {
                    #expect(throws: OpenError.unknownDictionary(used.id.description)) {
                        try reader.open(value: token, at: noon)
                    }
                } else {
                    let opened = try reader.open(value: token, at: noon)
                    #expect(opened.session == login)
                    // A dictionary other than this sealer's is no reason to seal again at once (`ResealingTests`).
                    #expect(!opened.needsResealing, "\(number)")
                }
            }
        }
    }

    @Test func `a dictionary that differs by a byte is another one`() throws {
        let token = try sealer(.dictionaries([dictionary("fmemberlmember_admin")])).seal(login, at: noon)
            .token
        for other in ["fmemberlmember_admiN", "fmemberlmember_admin ", "Fmemberlmember_admin"] {
            #expect(throws: OpenError.self) {
                try sealer(.dictionaries([dictionary(other)])).open(value: token, at: noon)
            }
        }
    }

    @Test func `the standard dictionary's content can be an application's as well`() throws {
        let twin = try sealer(.dictionaries([CompressionDictionary(CompressionDictionary.standard.bytes)]))
        let token = try twin.seal(login, at: noon).token
        #expect(try twin.open(value: token, at: noon).session == login)
        // The name differs: three more bytes, and unknown to others.
        #expect(try token.utf8.count == sealer(.standard).seal(login, at: noon).token.utf8.count + 4)
        #expect(throws: OpenError.self) { try sealer(.standard).open(value: token, at: noon) }
    }

    @Test func `two dictionaries of one name are refused`() throws {
        // Names have four bytes: found by the birthday paradox among counted texts.
        var seen: [CompressionDictionary.ID: Int] = [:]
        var pair: (Int, Int)?
        for number in 0..<200_000 {
            let id = CompressionDictionary.ID(digest: try SHA256.digest(of: Array("d\(number)".utf8)))
            if let other = seen.updateValue(number, forKey: id) {
                pair = (other, number)
                break
            }
        }
        let (a, b) = try #require(pair)
        #expect(throws: SealerConfigurationError.ambiguousDictionaries) {
            try sealer(.dictionaries([dictionary("d\(a)"), dictionary("d\(b)")]))
        }
        // The standard dictionary's contents under another name do not change that.
        let twin = try CompressionDictionary(CompressionDictionary.standard.bytes)
        #expect(throws: SealerConfigurationError.ambiguousDictionaries) {
            try sealer(.dictionaries([twin, dictionary("d\(a)"), dictionary("d\(b)")]))
        }
        // The same dictionary twice does no harm.
        #expect(throws: Never.self) { try sealer(.dictionaries([dictionary("d\(a)"), dictionary("d\(a)")])) }
    }

    @Test func `reserved names and a dictionary for nothing are refused`() throws {
        for (flags, field, error) in [
            (9, [0x00], OpenError.unknownDictionary("00")), (9, [0x02], .unknownDictionary("02")),
            (9, [0x0F], .unknownDictionary("0f")),
            (9, [0x10, 1, 2, 3, 0xF6], .unknownDictionary("10010203")),
            // Without a body, too.
            (9, [0x10, 1, 2, 3], .unknownDictionary("10010203")),
            (9, [0xFF, 1, 2], .malformedPayload("the payload ends early")),

            (8, [0x01], .malformedPayload("unknown flags 0x8")),
        ] as [(UInt8, [UInt8], OpenError)] {
            let payload: [UInt8] =
                [flags, 0x6A, 0x6F, 0xDB, 0x80, 0] + field
                + (flags == 8 || field.count == 1 ? [0xF6, 0xF6] : [])
            let bytes = [UInt8](repeating: 0, count: 24) + payload
            let token = try tokenText(CompressedPayload(bytes: bytes, range: 24..<bytes.count), sampleKey(1))
            #expect(throws: error) { try sealer(.standard).open(value: token, at: noon + 3600) }
        }
    }

    @Test func `compressors are primed anew for each session`() throws {
        // Many sessions through one pool: none may see what another left behind.
        let sealer = try CookieSealer<String>(keys: sampleRing(1), lifetime: policy)
        var lengths: [String: Int] = [:]
        for round in 0..<50 {
            for text in [
                "access_token", "zqxjkvbnmw zqxjkvbnmw", String(repeating: "expires ", count: 400), "plain",
            ] {
                let token = try sealer.seal(text, at: noon).token
                #expect(
                    lengths.updateValue(token.utf8.count, forKey: text) ?? token.utf8.count
                        == token.utf8.count, "\(round)")
                #expect(try sealer.open(value: token, at: noon).session == text)
            }
        }
    }

    @Test func `training takes what sessions share, and never a byte string`() throws {
        let sessions = try (0..<30).map { number in
            try EncodedSession(
                CBOREncoder.encode([
                    "tenant": CBORValue.text("t\(number &* 7919)"), "theme": .text("solarized dark"),
                    "token": .bytes(Array("the same secret bytes".utf8)),
                    "n": .secret(.text("the same secret text")),
                ]).bytes)
        }
        let dictionary = try #require(try EncodedSession.trainedDictionary(on: sessions))
        let text = String(decoding: dictionary.bytes, as: UTF8.self)
        #expect(text.contains("solarized dark") && text.contains("tenant"))
        #expect(!text.contains("secret") && dictionary.bytes.count < 100)
        func average(_ compression: SessionCompression) throws -> Int {
            let sealer = try CookieSealer<EncodedSession>(
                keys: sampleRing(1), lifetime: policy, compression: compression)
            return try sessions.reduce(0) { $0 + (try sealer.seal($1, at: noon).tokenLength) }
                / sessions.count
        }
        #expect(try average(.dictionaries([dictionary])) < average(.standard))
        #expect(try EncodedSession.trainedDictionary(on: [sessions[0]]) == nil)
        #expect(try EncodedSession.trainedDictionary(on: []) == nil)
        let small = try #require(try EncodedSession.trainedDictionary(on: sessions, size: 64))
        #expect(small.bytes.count <= 64)
    }
}
