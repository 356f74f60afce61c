// When a session is compressed, and with which dictionary.
import Foundation
import Testing

@testable import SealedCookie

@Suite struct CompressionChoiceTests {
    private let times = SessionTimes(created: 1, age: 0, lifetime: nil)

    private func payload(_ item: CBORItem, _ compression: SessionCompression) -> (
        flags: UInt8, count: Int
    ) {
        let payload = CompressedPayload(
            compressing: SessionPayload(times: times, item: item), by: compression, headroom: 0, tailroom: 0)
        return (payload.bytes[0], payload.range.count)
    }

    private func text(_ characters: [UInt8]) -> CBORItem {
        CBORItem(
            bytes: (characters.count < 24
                ? [0x60 + UInt8(characters.count)] : [0x78, UInt8(characters.count)]) + characters,
            byteStrings: [])
    }

    @Test func `nothing is compressed where compression is off, whatever it would save`() throws {
        let item = text([UInt8](repeating: 0x61, count: 200))
        let (flags, count) = payload(item, .off)
        #expect(flags == 0 && count == 6 + item.bytes.count)
        #expect(payload(item, .standard).count < 30)
    }

    @Test func `a session that has nothing of a dictionary is compressed without it`() throws {
        let own = try CompressionDictionary(Array("abcdefghijklmnopqrstuvwxyz".utf8))
        let item = text(Array(String(repeating: "QZ4X~", count: 20).utf8))
        #expect(payload(item, .dictionaries([own])).flags == 1)
        #expect(payload(item, .standard).flags == 1)
        #expect(payload(text(Array("abcdefghijklmnopqrstuvwxyz".utf8)), .dictionaries([own])).flags == 9)
    }

    @Test
    func `a dictionary is used if it saves more than its name, and a body if it is shorter than the item`()
        throws
    {
        let words = Array("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789".utf8)
        let own = try CompressionDictionary(words)
        var (differences, savings): (Set<Int>, Set<Int>) = ([], [])
        for shared in 3...20 {
            for other in 0...30 {
                let item = text(words.prefix(shared) + (0..<other).map { UInt8(0x21 + $0 % 15) })
                let (flags, count) = payload(item, .dictionaries([own]))
                var deflater = Deflater()
                let saved = deflater.findMatches(in: item.bytes.span, after: own.contents.text)
                // The name of four bytes counts: with it a body may be no shorter than the item.
                let uses = saved > 32
                let stream = deflated(item.bytes, after: uses ? own.contents.text : .empty)
                let difference = (uses ? 4 : 0) + stream.count - item.bytes.count
                #expect(flags == (difference >= 0 ? 0 : uses ? 9 : 1), "\(shared) and \(other)")
                #expect(count == 6 + item.bytes.count + min(difference, 0), "\(shared) and \(other)")
                if uses { differences.insert(difference) }
                savings.insert(saved)
            }
        }
        #expect(differences.isSuperset(of: [-1, 0, 1]))
        #expect(savings.contains { (29...32).contains($0) } && savings.contains { (33...40).contains($0) })
    }

    @Test func `of an application's dictionaries the last one seals, and all open`() throws {
        let own = try ["first words, first words", "second words, second", "third words, third words"].map {
            try CompressionDictionary(Array($0.utf8))
        }
        for count in 1...3 {
            let compression = SessionCompression.dictionaries(Array(own.prefix(count)))
            #expect(compression.sealingIndex.map { compression.dictionaries[$0] } == own[count - 1])
            let all = try CookieSealer<String>(
                "s", keys: sampleRing(1), lifetime: .init(absolute: .days(1)), compression: .dictionaries(own)
            )
            let sealer = try CookieSealer<String>(
                "s", keys: sampleRing(1), lifetime: .init(absolute: .days(1)), compression: compression)
            let session = "first words, second words, third words"
            let token = try sealer.seal(session, at: noon).token
            let opened = try all.open(value: token, at: noon)
            #expect(opened.session == session)
            #expect(!opened.needsResealing)
        }
    }

    @Test func `a trained dictionary has its most frequent words last, and is no larger than one may be`()
        throws
    {
        func sessions(_ word: String, _ count: Int) throws -> [CBORItem] {
            try (0..<count).map { try CBOREncoder.encode([word: $0]) }
        }
        let items =
            try sessions("seldomxyz1one", 2) + sessions("frequentabc2", 9)
            + sessions("otherklmno3", 4)
        let all = try #require(try CompressionDictionary.trained(on: items, size: 2048))
        let words = String(decoding: all.bytes, as: UTF8.self)
        let places = ["seldomxyz1one", "otherklmno3", "frequentabc2"].map {
            words.range(of: $0.dropLast(3))?.lowerBound
        }
        let found = places.compactMap { $0 }
        #expect(found.count == 3 && found == found.sorted())
        // Where there is room for one alone, it is the most frequent.
        let small = try #require(try CompressionDictionary.trained(on: items, size: 18))
        #expect(String(decoding: small.bytes, as: UTF8.self).contains("frequenta"))
        // Many long ones have more in common than a dictionary may hold.
        let long = (0..<8_000).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 3 ^ $0) & 0x3F | 0x40 }
        let large = try CBOREncoder.encode(String(decoding: long, as: UTF8.self))
        let most = try #require(try CompressionDictionary.trained(on: [large, large], size: 100_000))
        #expect(most.bytes.count <= CompressionDictionary.maximumByteCount)
    }
}
