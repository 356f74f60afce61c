// The cost of compression for text that is hard to compress. Figures: make bounds.
import Foundation
import Testing

@testable import SealedCookie

@Suite struct CompressionCostTests {
    /// Texts that make a compressor try as many positions for a match as it may.
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
    func `text that is hard to compress does not take a time that grows faster than itself`(kind: Int) {
        var deflater = Deflater()
        func time(_ count: Int) -> Double {
            let text = Self.slow[kind].text(count)
            return (0..<5).map { _ in
                var stream: [UInt8] = []
                let start = threadTime()
                _ = deflater.compress(text, appendingTo: &stream, limit: text.count)
                return threadTime() - start
            }.min() ?? 0
        }
        // Four times as long should take four times the time, plus the effect of caches: up to 6. Without a bound on
        // the positions it takes 8 to 16.
        let times = [4096, 16_384, 65_536].map(time)
        #expect(times[1] < 7.5 * times[0])
        #expect(times[2] < 7.5 * times[1])
    }

    /// The length of a token for each of the repository's sessions, as zlib's level 9 made them before this library
    /// compressed by itself.
    static let zlibLengths = [
        "Corpus/a_tiny": 76, "Corpus/b_login": 242, "Corpus/c_oauth": 2443, "Corpus/d_cart": 828,
        "Corpus/e_i18n": 650, "Corpus/f_wizard": 2612, "Corpus/g_flags": 554, "Corpus/h_random": 3012,
        "sessions/01-rails-devise": 314, "sessions/02-django-allauth": 392, "sessions/03-laravel": 420,
        "sessions/04-express-passport": 286, "sessions/05-oauth-code-pkce": 318, "sessions/06-nextauth": 338,
        "sessions/07-spring-security": 327, "sessions/08-phoenix": 291, "sessions/09-flask-login": 346,
        "sessions/10-aspnet-camelcase": 362, "shapes/01-hexadecimal": 1014, "shapes/02-jwt": 1094,
        "shapes/03-letter": 434, "shapes/04-uuids": 276, "shapes/05-numbers": 440, "shapes/06-japanese": 386,
        "shapes/07-table": 451, "shapes/08-query": 276, "shapes/09-two-fields": 95, "shapes/10-mixed": 383,
    ]

    @Test func `no session takes 3 characters more than with zlib's level 9, and all take fewer`() throws {
        let sealer = try CookieSealer<EncodedSession>(
            keys: sampleRing(1), lifetime: .init(absolute: .days(14)))
        let folder = packageFolder.appending(path: "Benchmarks")
        var (sum, before) = (0, 0)
        for (name, length) in Self.zlibLengths {
            let json = try Data(contentsOf: folder.appending(path: "\(name).json"))
            let session = try EncodedSession(CBORJSON(parsing: json).value)
            let own = try sealer.seal(session, at: noon).tokenLength
            #expect(own <= length + 2, "\(name)")
            sum += own
            before += length
        }
        #expect(sum <= before - 70)
        let files = try ["Corpus", "sessions", "shapes"].flatMap {
            try FileManager.default.contentsOfDirectory(atPath: folder.appending(path: $0).path)
        }
        #expect(files.count { $0.hasSuffix(".json") } == Self.zlibLengths.count)
    }
}
