// Clients other than browsers, as Tests/Clients finds them: what they send opens, and what they do not send is
// reported.
import Foundation
import Testing

@testable import SealedCookie

@Suite struct ClientTests {
    private func sealer(_ count: Int) throws -> CookieSealer<Data> {
        try CookieSealer(
            keys: sampleRing(1), lifetime: .init(absolute: .days(14)),
            splitting: count == 1 ? .never : .upTo(count))
    }

    /// A session of this many bytes that DEFLATE cannot shorten.
    private func session(_ count: Int) -> Data {
        var random = SplitMix(state: 15)
        return Data((0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) })
    }

    /// `$Version` comes before the cookie that was set first, wherever that is.
    @Test(arguments: ["", #";$Domain="shop.example""#], [0, 1, 2])
    func `what Java's CookieManager sends opens`(domain: String, first: Int) throws {
        for (count, size) in [(1, 60), (3, 9000)] {
            let sealer = try sealer(count)
            let cookies = try sealer.seal(session(size), at: noon).cookies
            let pairs = cookies.enumerated().map { index, cookie in
                #"\#(index == first ? #"$Version="1"; "# : "")\#(cookie.name)="\#(cookie.value)";$Path="/"\#(domain)"#
            }
            for header in [
                pairs.joined(separator: "; "), "theme=dark; " + pairs.reversed().joined(separator: "; "),
            ] {
                let opened = try #require(try sealer.open(cookieHeader: header, at: noon))
                #expect(opened.session == session(size) && !opened.needsResealing)
            }
        }
    }

    /// curl silently sends what fits: two full cookies are too many, one is not.
    @Test func `the report knows how much curl sends`() throws {
        let curl = try #require(ServerLimit.common.first { $0.server.contains("curl") })
        #expect(curl.cookieHeader == 8097)
        let sealer = try sealer(3)
        func report(_ size: Int) throws -> SizeReport { try sealer.sizeReport(for: session(size), at: noon) }
        let full = try report(3000)
        #expect(full.cookieCount == 1 && !full.refusingServers.contains(curl))
        // Names of all lengths, since base64url has none of some.
        let headers = try ["__Host-a", "__Host-ab", "__Host-abc", "__Host-abcd"].flatMap { name in
            let sealer = try CookieSealer<Data>(
                name, keys: sampleRing(1), lifetime: .init(absolute: .days(14)), splitting: .upTo(3))
            return try (5980...6030).map { size in
                let report = try sealer.sizeReport(for: session(size), at: noon)
                let told = "\(report)".contains("more than curl 7.88 and PHP's curl takes (8097)")
                #expect(report.refusingServers.contains(curl) == (report.headerByteCount > 8097))
                #expect(told == (report.headerByteCount > 8097))
                return report.headerByteCount
            }
        }
        #expect(headers.contains(8097) && headers.contains(8098))
    }
}
