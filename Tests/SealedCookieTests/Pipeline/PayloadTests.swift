// What an authentic token may contain: a payload that breaks one rule of FORMAT §6 is refused.
import Foundation
import Testing

@testable import SealedCookie

@Suite struct PayloadTests {
    /// A token with any plaintext, sealed with the first sample key for `__Host-session`.
    private func token(_ payload: [UInt8]) throws -> String {
        let bytes = Array(repeating: 0, count: SealedBox.headerCount) + payload
        return try tokenText(
            CompressedPayload(bytes: bytes, range: SealedBox.headerCount..<bytes.count), sampleKey(1))
    }

    private let sealer = Result {
        try CookieSealer<CBORValue>(keys: sampleRing(1), lifetime: .init(absolute: .days(14)))
    }

    private static let created: [UInt8] = [0x6A, 0x6F, 0xDB, 0x80]  // noon + 384 s

    private func open(_ payload: [UInt8], at now: Date = noon + 3600) throws -> OpenedSession<CBORValue> {
        try sealer.get().open(value: token(payload), at: now)
    }

    @Test func `a plain payload opens`() throws {
        let opened = try open([0] + Self.created + [0, 0x83, 1, 2, 3])
        #expect(opened.session == .array([1, 2, 3].map { .integer(CBORInteger($0)) }))
        #expect(opened.createdAt == Date(timeIntervalSince1970: 1_785_715_584))
        #expect(opened.sealedAt == opened.createdAt && opened.lifetime == nil)
    }

    @Test func `flags, lifetime and padding together`() throws {
        let opened = try open(
            [0x16] + Self.created + [0x90, 0x03, 0x80, 0xA3, 0x05, 0x90, 0x1C, 0xF6, 0x80, 0, 0, 0])
        #expect(opened.session == .null)
        #expect(opened.sealedAt == opened.createdAt + 400)
        #expect(opened.lifetime == .init(absolute: .seconds(86_400), idle: .seconds(3600)))
        #expect(opened.endsWithBrowser && opened.expiresAt == opened.sealedAt + 3600)
        // An idle time of 0 means none.
        let endless = try open([2] + Self.created + [0, 0x80, 0xA3, 0x05, 0, 0xF6])
        #expect(endless.lifetime == .init(absolute: .seconds(86_400)) && !endless.endsWithBrowser)
        #expect(endless.expiresAt == endless.createdAt + 86_400)
    }

    @Test func `a session that was signed out is null, not compressed, and no session`() throws {
        let signedOut = OpenError.signedOut(Date(timeIntervalSince1970: 1_785_715_584))
        // Other flags do not change that.
        for payload: [UInt8] in [
            [0x20] + Self.created + [0, 0xF6], [0x24] + Self.created + [0, 0xF6, 0x80, 0],
            [0x22] + Self.created + [0, 1, 0, 0xF6], [0x30] + Self.created + [0, 0xF6],
        ] {
            #expect(throws: signedOut) { try open(payload) }
            #expect(throws: signedOut) { try open(payload, at: noon + 86_400 * 5000) }
        }
    }

    static let malformed: [(String, [UInt8])] = [
        ("bit 3 of the flags", [8] + created + [0, 0x83, 1, 2, 3]),
        ("bit 5, and more than null", [0x20] + created + [0, 0x83, 1, 2, 3]),
        ("bit 5, and another item of one byte", [0x20] + created + [0, 0xF5]),
        ("bit 5, and bytes behind null", [0x20] + created + [0, 0xF6, 0xF6]),
        ("bit 5, and nothing", [0x24] + created + [0, 0x80]),
        // FB 06 00: the stream of f6.
        ("bit 5, compressed", [0x21] + created + [0, 0xFB, 0x06, 0x00]),
        ("bit 6", [0x40] + created + [0, 0x83, 1, 2, 3]),
        ("bit 7", [0x80] + created + [0, 0x83, 1, 2, 3]),
        ("age with a final zero group", [0] + created + [0x80, 0x00, 0x83, 1, 2, 3]),
        ("age of 2^32", [0] + created + [0x80, 0x80, 0x80, 0x80, 0x10, 0xF6]),
        ("age of six bytes", [0] + created + [0x80, 0x80, 0x80, 0x80, 0x80, 0x01, 0xF6]),
        ("age that never ends", [0] + created + [0x80, 0x80, 0x80]),
        ("lifetime missing", [2] + created + [0, 0x80]),
        ("lifetime of zero", [2] + created + [0, 0, 0, 0xF6]),
        ("lifetime with a final zero group", [2] + created + [0, 0x81, 0x00, 0, 0xF6]),
        ("own idle time with a final zero group", [2] + created + [0, 1, 0x81, 0x00, 0xF6]),
        ("own idle time of 0 in two bytes", [2] + created + [0, 1, 0x80, 0x00, 0xF6]),
        ("own idle time of 2^32", [2] + created + [0, 1, 0x80, 0x80, 0x80, 0x80, 0x10, 0xF6]),
        ("no body", [2] + created + [0, 1, 1]),
        ("padding that does not begin with 0x80", [4] + created + [0, 0xF6, 0x40, 0]),
        ("padding of zeros alone", [4] + created + [0, 0, 0, 0]),
        ("padding without its flag", [0] + created + [0, 0xF6, 0x80]),
        ("padding flag without padding", [4] + created + [0, 0xF6, 0xF6]),
        ("two items", [0] + created + [0, 0xF6, 0xF6]),
        ("an item that ends early", [0] + created + [0, 0x83, 1, 2]),
        ("not deflate", [1] + created + [0, 0xFF, 0xFF, 0xFF]),
        // 03 00: the empty stream.
        ("a stream of nothing", [1] + created + [0, 0x03, 0x00]),
        ("a stream cut short", [1] + created + [0, 0x4B]),
        ("zlib's wrapper", [1] + created + [0, 0x78, 0x9C, 0xFB, 0x06, 0x00, 0x00, 0xF7, 0x00, 0xF7]),
        // FB 06 00: the stream of f6.
        ("bytes behind a stream without byte strings", [1] + created + [0, 0xFB, 0x06, 0x00, 0xF6]),
    ]

    @Test(arguments: malformed) func `refused as malformed`(name: String, payload: [UInt8]) throws {
        let error = #expect(throws: OpenError.self, "\(name)") { try open(payload) }
        guard case .malformedPayload? = error else {
            Issue.record("\(name): \(String(describing: error))")
            return
        }
    }

    @Test func `a compressed body opens, byte strings behind the stream`() throws {
        // The stream of 82 41 41: an array of two byte strings of one byte each.
        let skeleton: [UInt8] = [0x82, 0x41, 0x41]
        let stream = deflated(skeleton)
        let opened = try open([1] + Self.created + [0] + stream + [0xAA, 0xBB])
        #expect(opened.session == .array([.bytes([0xAA]), .bytes([0xBB])]))
        for contents: [UInt8] in [[], [0xAA], [0xAA, 0xBB, 0xCC]] {
            let error = #expect(throws: OpenError.self) {
                try open([1] + Self.created + [0] + stream + contents)
            }
            guard case .malformedPayload? = error else {
                Issue.record("\(contents.count) bytes of contents: \(String(describing: error))")
                return
            }
        }
    }

    @Test func `what inflates beyond 64 KiB is refused`() throws {
        for (count, fits) in [(65_536, true), (65_537, false), (10_000_000, false)] {
            // Text of one letter: head of five bytes or three, then the letters.
            var item: [UInt8] = []
            let headCount = count <= 65_538 ? (count - 3 > 0xFFFF ? 5 : 3) : 5
            item.append(.text, UInt64(count - headCount))
            item += Array(repeating: 0x61, count: count - item.count)
            #expect(item.count == count)
            let stream = zlibDeflated(item)
            // Even so, ten million letters take 10 kB: a sealer with a high limit, to reach the check.
            let wide = try CookieSealer<CBORValue>(
                keys: sampleRing(1), lifetime: .init(absolute: .days(14)),
                limits: CookieLimits(nameAndValue: 60_000, attributeValue: 1024))
            let token = try token([1] + Self.created + [0] + stream)
            if fits {
                #expect(try wide.open(value: token, at: noon + 3600).session != .null)
            } else {
                #expect(
                    throws: OpenError.malformedPayload("more than 65536 bytes")
                ) { try wide.open(value: token, at: noon + 3600) }
            }
        }
    }

    @Test func `compression is kept only where it makes the payload smaller`() throws {
        let random = CBORItem(bytes: [0x67] + Array("aZ3_9-k".utf8), byteStrings: [])
        let repeated = CBORItem(bytes: [0x78, 60] + Array(repeating: 0x61, count: 60), byteStrings: [])
        let times = SessionTimes(created: 1, age: 0, lifetime: nil)
        let plain = CompressedPayload(
            compressing: SessionPayload(times: times, item: random), headroom: 0, tailroom: 0)
        #expect(plain.bytes == [0, 0, 0, 0, 1, 0] + random.bytes)
        let small = CompressedPayload(
            compressing: SessionPayload(times: times, item: repeated), headroom: 0, tailroom: 0)
        #expect(small.bytes[0] == 1 && small.range.count < 6 + repeated.bytes.count)
        var memory = WorkingMemory()
        _ = try small.decompressed(.standard, in: &memory)
        #expect(memory.item.bytes == repeated.bytes)
    }

    @Test func `a stream of just the allowed length is kept`() throws {
        let text = Array("member, member-admin, member-billing".utf8)
        var deflater = Deflater()
        let stream = deflated(text)
        var kept: [UInt8] = [7]
        #expect(deflater.compress(text, appendingTo: &kept, limit: stream.count))
        #expect(kept == [7] + stream)
        var left: [UInt8] = [7]
        #expect(!deflater.compress(text, appendingTo: &left, limit: stream.count - 1))
        #expect(left == [7])
    }

    @Test func `byte strings count towards the 64 KiB of an item`() throws {
        // An array of a text and a byte string, divided: 1 + 3 + 65,500 + 2 bytes and the content.
        for (count, fits) in [(30, true), (31, false)] as [(UInt8, Bool)] {
            let skeleton =
                [0x82, 0x79, 0xFF, 0xDC] + [UInt8](repeating: 0x61, count: 65_500) + [0x58, count]
            let stream = deflated(skeleton)
            let payload = [1] + Self.created + [0] + stream + [UInt8](repeating: 0, count: Int(count))
            if fits {
                #expect(try open(payload).session != .null)
            } else {
                #expect(throws: OpenError.malformedPayload("more than 65536 bytes")) { try open(payload) }
            }
        }
    }

    @Test func `byte strings and secrets never enter the stream`() throws {
        struct Session: Codable, Sendable {
            var text = "the same words, the same words, the same words"
            var data = Data("the same words, the same words".utf8)
            var secret = Secret("the same words, the same words")
        }
        let item = try CBOREncoder.encode(Session())
        #expect(item.byteStrings.map(\.count) == [30, 32])
        let payload = CompressedPayload(
            compressing: SessionPayload(times: SessionTimes(created: 1, age: 0, lifetime: nil), item: item),
            headroom: 0, tailroom: 0)
        #expect(payload.bytes[0] == 1)
        // The contents follow the stream unchanged, in order.
        let tail = Array("the same words, the same words".utf8)
        #expect(Array(payload.bytes.suffix(62)) == tail + [0x78, 30] + tail)
    }

    struct Search: Codable, Sendable {
        var search: String
        var csrf: Secret<String>
        var plain: String
    }

    @Test func `a secret's own bytes do not change the length of a token`() throws {
        let sealer = try CookieSealer<Search>(keys: sampleRing(1), lifetime: .init(absolute: .days(1)))
        func count(search: String, csrf: String, plain: String) throws -> Int {
            let session = Search(search: search, csrf: Secret(csrf), plain: plain)
            return try sealer.seal(session, at: noon).tokenLength + "__Host-session".utf8.count
        }
        let token = "8f3a77c2d94e01b6"
        let wrong = "5e1b90d3a8c2f746"
        #expect(
            try count(search: token, csrf: token, plain: "") == count(search: token, csrf: wrong, plain: ""))
        // The check can fail: text that is not a secret does leak.
        #expect(
            try count(search: token, csrf: "", plain: token) < count(search: token, csrf: "", plain: wrong))
    }

    /// Texts with few and with many different letters: their streams are a little shorter than the item, as long, and
    /// longer.
    private static let texts: [CBORItem] = {
        var state: UInt64 = 7
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        return (0..<600).map { index in
            let letters = 1 + index % 40
            let text = (0..<5 + next(60)).map { _ in UInt8(0x41 + next(letters)) }
            return CBORItem(
                bytes: (text.count < 24 ? [0x60 + UInt8(text.count)] : [0x78, UInt8(text.count)]) + text,
                byteStrings: [])
        }
    }()

    @Test func `a body is compressed if, and only if, that makes it shorter`() throws {
        let own = try CompressionDictionary(Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8))
        let times = SessionTimes(created: 1, age: 0, lifetime: nil)
        var differences: Set<Int> = []
        for item in Self.texts {
            for compression in [.withoutDictionary, .standard, SessionCompression.dictionaries([own])] {
                let payload = CompressedPayload(
                    compressing: SessionPayload(times: times, item: item), by: compression, headroom: 0,
                    tailroom: 0)
                let plain = 6 + item.bytes.count
                #expect(payload.bytes[0] == 0 ? payload.range.count == plain : payload.range.count < plain)
                guard payload.bytes[0] == 0, compression.sealingIndex == nil else { continue }
                // What was left uncompressed would not have been shorter.
                let stream = deflated(item.bytes)
                #expect(stream.count >= item.bytes.count)
                differences.insert(stream.count - item.bytes.count)
            }
        }
        // The check can fail: some streams are exactly as long as the item.
        #expect(differences.contains(0) && differences.contains(1))
    }

    @Test(arguments: [2, 3, 16, 64, 255, 1000])
    func `padding fills up to a whole block, and adds one where a payload fills its blocks already`(
        block: Int
    ) throws {
        func sealer(_ padding: Int) throws -> CookieSealer<String> {
            try CookieSealer(
                "s", keys: sampleRing(1), lifetime: .init(absolute: .days(1)), compression: .off,
                paddingBlock: padding)
        }
        let (plain, padded) = (try sealer(0), try sealer(block))
        for count in [block - 1, block, block + 1, 2 * block].flatMap({ max(0, $0 - 12)...$0 }) {
            let text = String(repeating: "x", count: count)
            let unpadded = try TokenInspection(plain.seal(text, at: noon).token).payloadByteCount
            let sealed = try padded.seal(text, at: noon)
            #expect(try padded.open(value: sealed.token, at: noon).session == text)
            // A multiple gets another block, so that there is always some padding.
            let blocks = unpadded / block + 1
            #expect(try TokenInspection(sealed.token).payloadByteCount == blocks * block, "\(count)")
        }
    }

    @Test func `padding rounds a payload up`() throws {
        var lengths: Set<Int> = []
        for count in 0..<64 {
            let sealer = try CookieSealer<String>(
                keys: sampleRing(1), lifetime: .init(absolute: .days(1)), paddingBlock: 64)
            let text = String(repeating: "x", count: count)
            let sealed = try sealer.seal(text, at: noon)
            #expect(try sealer.open(value: sealed.token, at: noon).session == text)
            let payload = try TokenInspection(sealed.token).payloadByteCount
            #expect(payload.isMultiple(of: 64))
            lengths.insert(payload)
        }
        #expect(lengths == [64])
    }
}
