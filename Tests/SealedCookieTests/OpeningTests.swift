// Openings one after the other, and the memory that they share: nothing of one session is in the next.
import Foundation
import Testing

@testable import SealedCookie

@Suite struct OpeningTests {
    private func sealer<Session>(_ type: Session.Type = Session.self) throws -> CookieSealer<Session> {
        try CookieSealer(keys: sampleRing(1), lifetime: .init(absolute: .days(14)))
    }

    /// A map with as many entries as it says, decoded from the last to the first.
    private struct Backwards: Codable, Equatable, Sendable {
        struct Key: CodingKey {
            let stringValue: String
            var intValue: Int? { nil }
            init(_ number: Int) { stringValue = "k\(number)" }
            init?(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { nil }
        }
        let values: [Int]

        init(_ count: Int) { values = (0..<count).map { $0 * 3 } }
        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: Key.self)
            for (number, value) in values.enumerated() { try container.encode(value, forKey: Key(number)) }
            try container.encode(values.count, forKey: Key(9999))
        }
        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Key.self)
            let count = try container.decode(Int.self, forKey: Key(9999))
            values = try (0..<count).reversed().map { try container.decode(Int.self, forKey: Key($0)) }
                .reversed()
        }
    }

    @Test func `where one session's entries stood says nothing of the next one's`() throws {
        let sealer = try sealer(Backwards.self)
        for _ in 0..<3 {
            for count in [200, 40, 120, 33, 300, 5, 0] {
                let token = try sealer.seal(Backwards(count), at: noon).token
                #expect(try sealer.open(value: token, at: noon).session == Backwards(count))
            }
        }
    }

    /// Keeps its decoder, against Codable's rules.
    private final class Keeper: Codable, Sendable {
        nonisolated(unsafe) static var kept: (any Decoder)?  // One test sets it, on one thread.
        let text: String

        init(_ text: String) { self.text = text }
        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            try container.encode(text)
        }
        init(from decoder: any Decoder) throws {
            unsafe Self.kept = decoder
            text = try decoder.singleValueContainer().decode(String.self)
            if text == "throws" {
                throw DecodingError.dataCorrupted(.init(codingPath: [], debugDescription: ""))
            }
        }
    }

    @Test func `a decoder that was kept reads its own session, whatever is opened after it`() throws {
        let keepers = try sealer(Keeper.self)
        let others = try loginSealer(sampleRing(1))
        let other = try others.seal(login, at: noon).token
        for text in ["mine", "throws"] {
            let token = try keepers.seal(Keeper(text), at: noon).token
            for _ in 0..<20 {
                _ = try? keepers.open(value: token, at: noon)
                let kept = try #require(unsafe Keeper.kept)
                #expect(try others.open(value: other, at: noon).session == login)
                #expect(try kept.singleValueContainer().decode(String.self) == text)
            }
        }
    }

    /// Opens another session while it is being decoded.
    private struct Nest: Codable, Sendable {
        let token: String
        let last: Int
        var inner: Login?

        enum CodingKeys: CodingKey { case token, last }
        init(_ token: String) { (self.token, last) = (token, 7) }
        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            token = try container.decode(String.self, forKey: .token)
            inner = try loginSealer(sampleRing(1)).open(value: token, at: noon).session
            last = try container.decode(Int.self, forKey: .last)
            #expect(try container.decode(String.self, forKey: .token) == token)
        }
    }

    @Test func `openings inside openings, of types and as they are, on threads of their own`() async throws {
        let nests = try sealer(Nest.self)
        let maps = try sealer([String: String].self)
        let encoded = try sealer(EncodedSession.self)
        let logins = try loginSealer(sampleRing(1))
        let nest = try nests.seal(Nest(logins.seal(login, at: noon).token), at: noon).token
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<4 {
                group.addTask {
                    for round in 0..<100 {
                        do {
                            let opened = try nests.open(value: nest, at: noon).session
                            #expect(opened.inner == login && opened.last == 7)
                            let map = ["k\(task)": "v\(round)", "c": "b", "a": "b"]
                            let token = try maps.seal(map, at: noon).token
                            #expect(try maps.open(value: token, at: noon).session == map)
                            #expect(
                                try encoded.open(value: token, at: noon).session.bytes
                                    == CBOREncoder.encode(map).bytes)
                            #expect(throws: OpenError.self) { try logins.open(value: token, at: noon) }
                        } catch {
                            Issue.record(error)
                        }
                    }
                }
            }
        }
    }

    private struct Empty: Codable, Equatable, Sendable {
        var text = ""
        var texts: [String] = []
        var bytes = Data()
        var map: [String: Int] = ["": 0]
        var none: [String: [Int]] = [:]
    }

    /// For ThreadSanitizer: all empty arrays share their count, and nothing may write to it.
    @Test func `what is empty is sealed, opened and refused on many threads`() async throws {
        let empties = try sealer(Empty.self)
        let maps = try sealer([String: Int].self)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    for _ in 0..<500 {
                        do {
                            #expect(Base64URL.decode("") == [])
                            #expect(throws: CBORFailure.self) { try CheckedItem(parsing: []) }
                            #expect(throws: (any Error).self) { try EncodedSession([]) }
                            #expect(throws: OpenError.self) { try maps.open(value: "", at: noon) }
                            let token = try empties.seal(Empty(), at: noon).token
                            #expect(try empties.open(value: token, at: noon).session == Empty())
                            let map = try maps.seal([:], at: noon).token
                            #expect(try maps.open(value: map, at: noon).session == [:])
                            #expect(try maps.open(cookieHeader: "", at: noon) == nil)
                        } catch {
                            Issue.record(error)
                        }
                    }
                }
            }
        }
    }

    private struct Before: Codable, Sendable { var user: String }

    @Test func `a session of another type does not keep the one behind it from being opened`() throws {
        let before = try sealer(Before.self).seal(Before(user: "x"), at: noon).token
        let sealer = try loginSealer(sampleRing(1))
        let now = try sealer.seal(login, at: noon).token
        let header = "__Host-session=\(before); __Host-session=\(now)"
        #expect(try sealer.open(cookieHeader: header, at: noon)?.session == login)
        #expect {
            try sealer.open(cookieHeader: "__Host-session=\(before)", at: noon)
        } throws: { error in
            if case OpenError.sessionMismatch = error { true } else { false }
        }
    }

    @Test func `a payload without a body is refused by every sealer`() throws {
        let bytes: [UInt8] =
            Array(repeating: 0, count: SealedBox.headerCount) + [4, 0x6A, 0x6F, 0xDB, 0x80, 0, 0x80]
        let token = try tokenText(
            CompressedPayload(bytes: bytes, range: SealedBox.headerCount..<bytes.count), sampleKey(1))
        #expect(throws: OpenError.malformedPayload("the payload ends early")) {
            try sealer(EncodedSession.self).open(value: token, at: noon + 3600)
        }
        #expect(throws: OpenError.malformedPayload("the payload ends early")) {
            try sealer(CBORValue.self).open(value: token, at: noon + 3600)
        }
    }
}
