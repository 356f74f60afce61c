// userInfo in both directions, and coders that are kept.
import Foundation
import Testing

@testable import SealedCookie

@Suite struct UserInfoTests {
    // MARK: userInfo

    private struct Versioned: Codable, Sendable, Equatable {
        static var key: CodingUserInfoKey { unsafe CodingUserInfoKey(rawValue: "version").unsafelyUnwrapped }
        var version = 0
        var depth = 1
        init() {}
        private enum Keys: CodingKey { case version, inner }
        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: Keys.self)
            let version = encoder.userInfo[Self.key] as? Int ?? -1
            let inner = container.superEncoder(forKey: .inner).userInfo[Self.key] as? Int ?? -1
            try container.encode([version, inner], forKey: .version)
        }
        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Keys.self)
            let written = try container.decode([Int].self, forKey: .version)
            let inner = try container.superDecoder(forKey: .inner).userInfo[Self.key] as? Int ?? -1
            version =
                written[0] * 1000 + written[1] * 100 + inner * 10 + (decoder.userInfo[Self.key] as? Int ?? -1)
        }
    }

    @Test func `userInfo reaches a type that reads bytes, or an absent key, by a decoder of its own`() throws
    {
        struct Bytes: Codable, Sendable {
            var seen: [Int] = []
            init() {}
            func encode(to encoder: any Encoder) throws { try Data([1, 2]).encode(to: encoder) }
            init(from decoder: any Decoder) throws {
                var list = try decoder.unkeyedContainer()
                while !list.isAtEnd {
                    let inner = try list.superDecoder()
                    seen.append(inner.userInfo[Versioned.key] as? Int ?? -1)
                }
            }
        }
        struct Absent: Codable, Sendable {
            var seen = 0
            private enum Keys: CodingKey { case other }
            init() {}
            func encode(to encoder: any Encoder) { _ = encoder.container(keyedBy: Keys.self) }
            init(from decoder: any Decoder) throws {
                let container = try decoder.container(keyedBy: Keys.self)
                let inner = try container.superDecoder(forKey: .other)
                seen = inner.userInfo[Versioned.key] as? Int ?? -1
            }
        }
        let bytes = try CBOREncoder.encode(Bytes()).bytes
        let absent = try CBOREncoder.encode(Absent()).bytes
        func reader(_ bytes: [UInt8]) throws -> CBORReader {
            var reading = CBORReading(try CheckedItem(parsing: bytes))
            reading.userInfo = [Versioned.key: 7]
            return CBORReader(reading)
        }
        #expect(try reader(bytes).decode(Bytes.self).seen == [7, 7])
        #expect(try reader(absent).decode(Absent.self).seen == 7)
    }

    @Test func `userInfo reaches the session's types in both directions, and no other sealer's`() throws {
        let ring = try sampleRing(1)
        func sealer(_ version: Int?) throws -> CookieSealer<Versioned> {
            try CookieSealer(
                keys: ring, lifetime: .init(absolute: .days(1)),
                userInfo: version.map { [Versioned.key: $0] } ?? [:])
        }
        for (sealing, opening, expected) in [
            (3, 3, 3333), (3, 4, 3344), (nil, 5, -1100 + 55), (6, nil, 6600 - 11), (nil, nil, -1111),
        ] as [(Int?, Int?, Int)] {
            let token = try sealer(sealing).seal(Versioned(), at: noon).token
            #expect(try sealer(opening).open(value: token, at: noon).session.version == expected)
            #expect(
                try sealer(opening).open(cookieHeader: "__Host-session=\(token)", at: noon)?.session.version
                    == expected)
        }
    }

    // MARK: Coders that are kept

    private final class Keeper: Codable, @unchecked Sendable {  // It has no state but the two below.
        nonisolated(unsafe) static var encoder: (any Encoder)?  // Set and read on the test's own thread.
        nonisolated(unsafe) static var decoder: (any Decoder)?  // Set and read on the test's own thread.
        init() {}
        func encode(to encoder: any Encoder) throws {
            unsafe Self.encoder = encoder
            var container = encoder.container(keyedBy: CBORKey.self)
            for number in 0..<100 { try container.encode(number, forKey: CBORKey(stringValue: "k\(number)")) }
            try container.encode(Data([7, 8]), forKey: CBORKey(stringValue: "bytes"))
        }
        init(from decoder: any Decoder) throws { unsafe Self.decoder = decoder }
    }

    private struct Sent<Coder>: @unchecked Sendable { let coder: Coder }  // What is tested.

    /// Any number of threads read it: it no longer notes anything for speed.
    @Test func `a kept decoder may be read by several threads, a kept encoder throws`() async throws {
        let sealer = try CookieSealer<Keeper>(keys: sampleRing(1), lifetime: .init(absolute: .days(1)))
        let token = try sealer.seal(Keeper(), at: noon).token
        _ = try sealer.open(value: token, at: noon)
        let (encoder, decoder) = try (
            Sent(coder: #require(unsafe Keeper.encoder)), Sent(coder: #require(unsafe Keeper.decoder))
        )
        unsafe (Keeper.encoder, Keeper.decoder) = (nil, nil)
        // A session that is opened meanwhile has other memory.
        for _ in 0..<10 { _ = try loginSealer(sampleRing(1)).seal(login, at: noon) }
        await withTaskGroup(of: Int.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    var sum = 0
                    guard let container = try? decoder.coder.container(keyedBy: CBORKey.self) else {
                        return -1
                    }
                    for number in 0..<100 {
                        let key = CBORKey(stringValue: "k\(number)")
                        sum += (try? container.decode(Int.self, forKey: key)) ?? 1_000_000
                        if (try? container.decode(String.self, forKey: key)) != nil { return -1 }
                        if (try? container.superDecoder(forKey: key))?.codingPath.first?.stringValue
                            != key.stringValue
                        {
                            return -1
                        }
                    }
                    let bytes = try? container.decode(
                        ContiguousArray<UInt8>.self, forKey: CBORKey(stringValue: "bytes"))
                    if bytes != [7, 8] { return -1 }
                    var list = encoder.coder.container(keyedBy: CBORKey.self)
                    for number in 0..<100 {
                        let key = CBORKey(stringValue: "k\(number)")
                        if (try? list.encode("garbage", forKey: key)) != nil { return -2 }
                        var inner = list.nestedUnkeyedContainer(forKey: key)
                        if (try? inner.encode(UInt8(1))) != nil { return -2 }
                        if (try? list.encode([1], forKey: key)) != nil { return -2 }
                    }
                    return sum
                }
            }
            for await sum in group { #expect(sum == 4950) }
        }
        #expect(try sealer.seal(Keeper(), at: noon).token.count == token.count)
        unsafe (Keeper.encoder, Keeper.decoder) = (nil, nil)
    }
}
