// What the suites on a session's bounds share.
import Foundation

@testable import SealedCookie

/// A suite on what a visitor can make a session cost: bounds that are checked before the work is done.
protocol CostSuite {}

extension CostSuite {
    func sealer<Session: Codable & Sendable>(
        _ type: Session.Type = Session.self, splitting: CookieSplitting = .never,
        limits: CookieLimits = .rfc6265bis, itemLimit: Int? = nil
    ) throws -> CookieSealer<Session> {
        try CookieSealer(
            keys: sampleRing(1), lifetime: .init(absolute: .days(1)), limits: limits, splitting: splitting,
            itemLimit: itemLimit)
    }

    static var created: [UInt8] { [0x6A, 0x6F, 0xDA, 0x00] }

    /// A token with any payload.
    func token(_ payload: [UInt8]) throws -> String {
        let bytes = [UInt8](repeating: 0, count: SealedBox.headerCount) + payload
        return try tokenText(
            CompressedPayload(bytes: bytes, range: SealedBox.headerCount..<bytes.count), sampleKey(1))
    }
}
