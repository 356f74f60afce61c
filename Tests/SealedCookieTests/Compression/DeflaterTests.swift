// Streams against two inflaters: zlib, and one written from RFC 1951 alone.
import Foundation
import Testing

@testable import SealedCookie

@Suite struct DeflaterTests {
    private let dictionary = CompressionDictionary.standard.contents.text

    /// The stream of `input`, as RFC 1951 reads it. Both inflaters restore `input` from it, and consume all of it.
    @discardableResult
    private func check(_ input: [UInt8], after dictionary: IndexedText = .empty) throws -> RFC1951 {
        let stream = deflated(input, after: dictionary)
        let read = try RFC1951(stream, after: dictionary.bytes)
        var inflated: [UInt8] = []
        let outcome = try Inflater().decompress(
            stream.span, dictionary: dictionary.bytes, appendingTo: &inflated, limit: input.count)
        if read.bytes != input || read.consumed != stream.count || inflated != input
            || outcome != .ended(consumed: stream.count)
        {
            Issue.record("\(input.hex) after \(dictionary.bytes.count) bytes: \(stream.hex)")
        }
        return read
    }

    @Test func `every text of up to two bytes comes back`() throws {
        try check([])
        for first in UInt8.min...UInt8.max {
            try check([first])
            try check([first], after: dictionary)
            for second in UInt8.min...UInt8.max { try check([first, second]) }
        }
    }

    @Test func `texts of three and four bytes of every kind come back`() throws {
        // Both ends of each length of a fixed code, and letters of the dictionary.
        let letters: [UInt8] = [0, 0x61, 0x65, 143, 144, 255]
        for first in letters {
            for second in letters {
                for third in letters {
                    try check([first, second, third])
                    try check([first, second, third], after: dictionary)
                    for fourth in letters {
                        try check([first, second, third, fourth])
                        try check([first, second, third, fourth], after: dictionary)
                    }
                }
            }
        }
    }

    /// Bytes of which practically no three occur twice.
    private func noise(_ count: Int, seed: UInt64) -> [UInt8] {
        var numbers = SplitMix(state: seed)
        return (0..<count).map { _ in UInt8.random(in: 0...255, using: &numbers) }
    }

    @Test func `every length of a match is written`() throws {
        var lengths: Set<Int> = []
        for length in 3...258 {
            let text = noise(length, seed: UInt64(length))
            // Ended by another byte on both sides, and by the end.
            let repeated = text + [text[0] ^ 1] + text
            lengths.formUnion(try check(repeated + [text[0] ^ 2]).lengths)
            lengths.formUnion(try check(repeated).lengths)
            // In the dictionary, to its very end.
            lengths.formUnion(
                try check(text + [text[0] ^ 1], after: IndexedText(noise(9, seed: 1) + text)).lengths)
        }
        #expect(lengths == Set(3...258))
    }

    @Test func `every distance of a match is written, up to 32,768`() throws {
        var symbols: Set<Int> = []
        for power in 0...15 {
            let (first, middle) = (1 << power, (3 << power) / 2)
            for distance in [first, first + 1, middle, middle + 1, 2 * first - 1] where distance <= 32_768 {
                let text = noise(distance, seed: UInt64(distance))
                let again = (0..<20).map { text[$0 % distance] }
                symbols.formUnion(try check(text + again).distanceSymbols)
            }
        }
        #expect(symbols == Set(0...29))
        // One farther is too far.
        let text = noise(32_769, seed: 5)
        #expect(try !check(text + text.prefix(20)).lengths.contains(20))
        let near = Array(text.dropFirst())
        #expect(try check(near + near.prefix(20)).lengths.contains(20))
    }

    @Test
    func
        `a dictionary is referred to from its first byte, together with the text, and no farther than 32,768 bytes`()
        throws
    {
        let bytes = noise(CompressionDictionary.maximumByteCount, seed: 2)
        let dictionary = IndexedText(bytes)
        for count in [0, 1, 2, 3, 1000, 32_768 - bytes.count, 32_768 - bytes.count + 1, 60_000] {
            let text = noise(count, seed: 3) + bytes.prefix(40)
            let read = try check(text, after: dictionary)
            #expect(read.lengths.contains(40) == (count + bytes.count <= 32_768), "\(count)")
        }
        // The dictionary's end and the text's beginning are two matches.
        try check(bytes.suffix(5) + bytes.suffix(5) + bytes.suffix(5), after: dictionary)
        for short in 0...3 { try check(bytes.suffix(9), after: IndexedText(bytes.suffix(short))) }
    }

    @Test func `texts of all sizes and many kinds come back, by both kinds of codes`() throws {
        var numbers = SplitMix(state: 11)
        var blocks = [0, 0, 0]
        for round in 0..<400 {
            let letters = Int.random(in: 1...256, using: &numbers)
            let count = round < 390 ? round * 5 : Int.random(in: 2000...65_536, using: &numbers)
            var text: [UInt8] = []
            while text.count < count {
                if round % 2 == 0, Bool.random(using: &numbers), !text.isEmpty {
                    let start = Int.random(in: 0..<text.count, using: &numbers)
                    text += text[start..<min(text.count, start + .random(in: 1...300, using: &numbers))]
                } else {
                    // Some letters much more often than others.
                    let most = Int.random(in: 0..<letters, using: &numbers)
                    text.append(UInt8(Int.random(in: 0...most, using: &numbers)))
                }
            }
            let read = try check(Array(text.prefix(count)), after: round % 3 == 0 ? dictionary : .empty)
            for kind in 0..<3 { blocks[kind] += read.blocks[kind] }
        }
        #expect(blocks[0] == 0 && blocks[1] > 20 && blocks[2] > 20)
    }

    @Test func `equal texts make equal streams, whatever came before`() {
        var deflater = Deflater()
        let texts = [
            noise(900, seed: 1), Array("aaaaaaaaaaaaa".utf8), [], noise(60_000, seed: 2), [1, 2, 3],
        ]
        for text in texts + texts.reversed() {
            var stream: [UInt8] = []
            #expect(deflater.compress(text, after: dictionary, appendingTo: &stream))
            #expect(stream == deflated(text, after: dictionary))
        }
    }

    @Test func `a second stream of the same text is complete, though its matches were used up`() throws {
        // Of four letters, so that some matches take more bits than their letters.
        var state: UInt32 = 1
        let text = (0..<400).map { _ -> UInt8 in
            state = state &* 1_664_525 &+ 1_013_904_223
            return UInt8(97 + state >> 30)
        }
        var deflater = Deflater()
        deflater.findMatches(in: text.span)
        for _ in 0..<2 {
            var stream: [UInt8] = []
            #expect(deflater.append(text.span, to: &stream, limit: 1000))
            var inflated: [UInt8] = []
            let outcome = try Inflater().decompress(stream.span, appendingTo: &inflated, limit: 1000)
            #expect(outcome == .ended(consumed: stream.count) && inflated == text)
        }
    }

    @Test func `letters, lengths and distances have the symbols of RFC 1951's tables`() {
        #expect(
            [3, 10, 11, 12, 13, 114, 115, 130, 131, 257, 258].map { DeflateSymbol.length($0).number } == [
                257, 264, 265, 265, 266, 279, 280, 280, 281, 284, 285,
            ])
        #expect(
            [1, 4, 5, 6, 7, 32_768, 24_577, 24_576].map { DeflateSymbol.distance($0).number - 288 } == [
                0, 3, 4, 4, 5, 29, 29, 28,
            ])
    }

    @Test func `codes are complete, none longer than it may be, and shorter for what is more frequent`() {
        // Fibonacci numbers make the deepest trees.
        for kinds in 2...24 {
            var counts = [UInt32](repeating: 0, count: 320)
            var (a, b) = (1, 1)
            for kind in 0..<kinds {
                counts[kind * 7] = UInt32(a)
                counts[288 + kind] = UInt32(a)
                (a, b) = (b, a + b)
            }
            var symbols = SymbolSet()
            for symbol in counts.indices where counts[symbol] > 0 { symbols.insert(symbol) }
            let codes = HuffmanCodes(symbols, counts.span).codes
            for range in [0..<286, 288..<318] {
                let used = range.filter { codes[$0].length > 0 }
                #expect(used == range.filter { counts[$0] > 0 })
                #expect(used.reduce(0) { $0 + 1 << (15 - Int(codes[$1].length)) } == 1 << 15)
                for (one, next) in zip(used, used.dropFirst()) {
                    #expect(codes[one].length >= codes[next].length)
                }
            }
            // Without a limit the longest has kinds - 1 bits.
            #expect(kinds > 16 ? codes[0].length <= 15 : Int(codes[0].length) == kinds - 1)
            let lengths = HuffmanCodes(ofLengths: Array(counts[288...]).span).codes
            #expect((0..<19).allSatisfy { lengths[$0].length <= 7 })
        }
    }
}
