// What the suites on sealing again share.
import Foundation

@testable import SealedCookie

/// Bytes that do not compress, the same in every run.
private let manyBytes: [UInt8] = {
    var random = SplitMix(state: 22)
    return (0..<30_000).map { _ in UInt8(truncatingIfNeeded: random.next()) }
}()

/// A suite with sealers that differ in one thing, and sessions of any size.
protocol ResealingSuite {}

extension ResealingSuite {
    func session(_ count: Int) -> Data { Data(manyBytes.prefix(count)) }

    func sealer<Session: Codable & Sendable>(
        _ type: Session.Type = Data.self, name: String = "session", purpose: String = "",
        lifetime: SessionLifetime = .init(absolute: .days(14)), attributes: SetCookie.Attributes = .init(),
        splitting: Int = 1, keys: KeyRing? = nil
    ) throws -> CookieSealer<Session> {
        try CookieSealer(
            name, keys: keys ?? sampleRing(1), lifetime: lifetime, purpose: purpose, attributes: attributes,
            splitting: .upTo(splitting))
    }

    func header(_ cookies: [SetCookie]) -> String {
        cookies.filter { $0.maxAge != 0 }.map { "\($0.name)=\($0.value)" }.joined(separator: "; ")
    }

    func removed(_ cookies: [SetCookie]) -> [String] { cookies.filter { $0.maxAge == 0 }.map(\.name) }
}
