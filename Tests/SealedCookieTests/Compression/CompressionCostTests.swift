// What compression costs where text is hard to compress, and what it saves. Figures: make bounds.
import Foundation
import Testing

@testable import SealedCookie

@Suite struct CompressionCostTests {
    /// Texts that make zlib look at as many places for a match as it may.
    static let slow: [(name: String, text: @Sendable (Int) -> [UInt8])] = [
        ("two letters", { count in random(count) { $0 % 2 == 0 ? 0x61 : 0x62 } }),
        ("one letter in four another", { count in random(count) { $0 % 4 == 0 ? 0x62 : 0x61 } }),
        ("one letter in eight another", { count in random(count) { $0 % 8 == 0 ? 0x62 : 0x61 } }),
        (
            "three letters and two of any kind",
            { count in
                var place = -1
                return random(count) { number in
                    place += 1
                    return place % 5 < 3 ? UInt8(0x61 + place % 5) : UInt8(0x21 + number % 90)
                }
            }
        ),
    ]

    private static func random(_ count: Int, _ byte: (UInt64) -> UInt8) -> [UInt8] {
        var state: UInt64 = 88_172_645_463_325_252
        return (0..<count).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return byte(state >> 33)
        }
    }

    @Test(arguments: slow.indices)
    func `text that is hard to compress does not take a time that grows faster than itself`(kind: Int) throws
    {
        let deflater = try Deflater()
        func time(_ count: Int) throws -> Double {
            let text = Self.slow[kind].text(count)
            return try (0..<5).map { _ in
                var stream: [UInt8] = []
                let start = threadTime()
                _ = try deflater.compress(text.span, appendingTo: &stream, limit: text.count)
                return threadTime() - start
            }.min() ?? 0
        }
        // Four and sixteen times as long: no longer than 4,096 bytes but for what the length itself takes.
        let small = try time(4096)
        #expect(try time(16_384) < 4 * small)
        #expect(try time(65_536) < 8 * small)
    }

    @Test func `sessions compress to what level 9 makes of them`() throws {
        // What is beyond 4,096 bytes too: real sessions have no thousands of places that begin alike.
        let corpus = try #require(Bundle.module.resourceURL).appending(path: "Vectors/corpus")
        let sessions = try FileManager.default.contentsOfDirectory(atPath: corpus.path).sorted().map {
            try EncodedSession(CBORJSON(parsing: Data(contentsOf: corpus.appending(path: $0))).value)
        }
        #expect(sessions.count == 8)
        var lengths: [Int] = []
        for count in 1...4 {
            let bytes = sessions.flatMap { Array(repeating: $0.bytes, count: count).flatMap(\.self) }
            for piece in [bytes, Array(bytes.prefix(4000)), Array(bytes.prefix(10_000))] {
                var (ours, best): ([UInt8], [UInt8]) = ([], [])
                #expect(try Deflater().compress(piece.span, appendingTo: &ours, limit: piece.count))
                #expect(
                    try Deflater().compress(
                        piece.span, appendingTo: &best, limit: piece.count, effort: 4096))
                lengths.append(best.count)
                #expect(ours.count <= best.count + best.count / 200, "\(piece.count)")
                if piece.count <= 4096 { #expect(ours == best) }
            }
        }
        #expect(lengths.count == 12)
    }
}
