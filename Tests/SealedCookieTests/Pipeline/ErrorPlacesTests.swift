// Errors say where a value is, and reveal nothing of a secret.
import Foundation
import Testing

@testable import SealedCookie

@Suite struct ErrorPlacesTests {
    @Test func `what cannot be encoded is said with its place`() throws {
        struct Deep: Codable, Sendable {
            var next: [Deep]
        }
        var deep = Deep(next: [])
        for _ in 0..<40 { deep = Deep(next: [deep]) }
        let sealer = try CookieSealer<Deep>(keys: sampleRing(1), lifetime: .init(absolute: .days(1)))
        let error = #expect(throws: SealError.self) { try sealer.seal(deep, at: noon) }
        guard case .notEncodable(let path, let reason) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(path.starts(with: ["next", "0", "next"]) && reason == "more than 64 levels")
    }

    struct Inner<Value: Codable & Sendable>: Codable, Sendable { var tokens: Secret<[String: Value]> }

    struct Open<Value: Codable & Sendable>: Codable, Sendable { var tokens: [String: Value] }

    @Test func `no error names what a Secret holds, nor writes lines of its own into a log`() throws {
        let key = "hunter2\n2026 INFO forged"
        let ring = try sampleRing(1)
        func opened<A: Codable & Sendable, B: Codable & Sendable>(_ session: A, as: B.Type) throws
            -> OpenError?
        {
            let policy = SessionLifetime(absolute: .days(1))
            let token = try CookieSealer<A>(keys: ring, lifetime: policy).seal(session, at: noon).token
            return #expect(throws: OpenError.self) {
                try CookieSealer<B>(keys: ring, lifetime: policy).open(value: token, at: noon)
            }
        }
        let secret = try opened(Inner(tokens: Secret([key: 1])), as: Inner<String>.self)
        #expect(
            secret == .sessionMismatch(codingPath: ["tokens"], reason: "a secret that contains no String"))
        let open = try opened(Open(tokens: [key: 1]), as: Open<String>.self)
        #expect(
            open
                == .sessionMismatch(
                    codingPath: ["tokens", "hunter2\\u{a}2026 INFO forged"],
                    reason: "an integer where String was expected"))
    }

    struct Holder<Value: Codable & Sendable>: Codable, Sendable { var s: Secret<Value> }

    /// The paths of errors used to continue into it.
    @Test func `sealing names nothing inside a Secret`() throws {
        /// Appends its own key to the path, as Codable's own helpers do.
        struct Refusing: Codable, Sendable {
            init() {}
            init(from decoder: any Decoder) throws {}
            func encode(to encoder: any Encoder) throws {
                let path = encoder.codingPath + [CBORKey(stringValue: "hunter2")]
                throw EncodingError.invalidValue(0, .init(codingPath: path, debugDescription: "hunter2"))
            }
        }
        func refusal<Value: Codable & Sendable>(_ value: Value) throws -> SealError? {
            let sealer = try CookieSealer<Holder<Value>>(
                keys: sampleRing(1), lifetime: .init(absolute: .days(1)), itemLimit: 65_536)
            return #expect(throws: SealError.self) { try sealer.seal(Holder(s: Secret(value)), at: noon) }
        }
        let long = SealError.itemTooLarge(codingPath: ["s"], reason: "more than 65536 bytes")
        let deep = SealError.notEncodable(codingPath: ["s"], reason: "more than 64 levels")
        let invalid = SealError.notEncodable(codingPath: ["s"], reason: "an invalid value")
        #expect(try refusal(["hunter2": String(repeating: "x", count: 70_000)]) == long)
        #expect(
            try refusal(["hunter2": Array(repeating: String(repeating: "x", count: 1000), count: 70)]) == long
        )
        #expect(try refusal(["hunter2": Refusing()]) == invalid)
        #expect(try refusal([[Refusing()]]) == invalid)
        #expect(try refusal(["a": Secret(["hunter2": Refusing()])]) == invalid)
        // Nor does an error that a type around it could catch and print.
        let caught = #expect(throws: EncodingError.self) {
            try CBOREncoder.encode(Holder(s: Secret(["hunter2": Refusing()])))
        }
        #expect(!String(describing: caught).contains("hunter2"))
        var value = CBORValue.null
        for _ in 0..<70 { value = .map([CBORMapEntry(key: .text("hunter2"), value: value)]) }
        #expect(try refusal(value) == deep)
        // {"hunter2": undefined}, directly and as a session that was opened unchecked; inside a Secret and outside.
        let inner = try #require([UInt8](hex: "a16768756e74657232f7"))
        let embedded: [UInt8] = [0xA1, 0x61, 0x73, 0xD8, 0x18, 0x40 | UInt8(inner.count)] + inner
        let undefined = SealError.notEncodable(
            codingPath: ["s"], reason: "a simple value other than false, true and null")
        #expect(throws: undefined) { try EncodedSession(embedded) }
        let unchecked = EncodedSession(CBORItem(bytes: inner, byteStrings: []))
        #expect(try refusal(unchecked) == invalid)
        #expect(try refusal(["a": unchecked]) == invalid)
        let plain = #expect(throws: SealError.self) {
            try CookieSealer<[String: EncodedSession]>(
                keys: sampleRing(1), lifetime: .init(absolute: .days(1))
            ).seal(["a": unchecked], at: noon)
        }
        #expect(plain == .notEncodable(codingPath: ["a"], reason: "an invalid value"))
        // A report of sizes names the session's own fields.
        let random = (0..<2000).map { _ in "\(UInt64.random(in: 0...(.max)))" }
        guard case .tooLarge(let report) = try refusal(["hunter2": random]) else {
            Issue.record("not too large")
            return
        }
        #expect(report.fields.map(\.name) == ["s"])
        let sealer = try CookieSealer<Secret<[String: [String]]>>(
            keys: sampleRing(1), lifetime: .init(absolute: .days(1)), itemLimit: 65_536)
        #expect(try sealer.sizeReport(for: Secret(["hunter2": random]), at: noon).fields.isEmpty)
    }

    struct Pin: Codable, Sendable { var hunter2: Int }

    struct Text: Codable, Sendable { var hunter2: String }

    struct Bad: Codable, Sendable {
        init() {}
        func encode(to encoder: any Encoder) throws { try [String: String]().encode(to: encoder) }
        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CBORKey.self)
            throw DecodingError.dataCorruptedError(
                forKey: CBORKey(stringValue: "hunter2"), in: container, debugDescription: "")
        }
    }

    struct Three: Codable, Sendable {
        init() {}
        func encode(to encoder: any Encoder) throws { try [1, 2].encode(to: encoder) }
        init(from decoder: any Decoder) throws {
            var container = try decoder.unkeyedContainer()
            for _ in 0..<3 { _ = try container.decode(Int.self) }
        }
    }

    @Test func `opening names nothing inside a Secret`() throws {
        let ring = try sampleRing(1)
        func opened<A: Codable & Sendable, B: Codable & Sendable>(_ value: A, as: B.Type) throws -> OpenError?
        {
            let policy = SessionLifetime(absolute: .days(1))
            let holder = Holder(s: Secret(value))
            let token = try CookieSealer<Holder<A>>(keys: ring, lifetime: policy).seal(holder, at: noon).token
            return #expect(throws: OpenError.self) {
                try CookieSealer<Holder<B>>(keys: ring, lifetime: policy).open(value: token, at: noon)
            }
        }
        func expected(_ what: String) -> OpenError {
            .sessionMismatch(codingPath: ["s"], reason: "a secret that contains \(what)")
        }
        #expect(try opened(["other": 1], as: Pin.self) == expected("no Pin"))
        #expect(
            try opened(["hunter2": ["other": 1]], as: [String: Pin].self)
                == expected("no Dictionary<String, Pin>"))
        #expect(try opened(["hunter2": 1], as: Text.self) == expected("no String"))
        #expect(
            try opened(["hunter2": Int?.none], as: Text.self) == expected("no String"))
        #expect(try opened(["hunter2": 1], as: [Int: Int].self) == expected("no Int"))
        #expect(try opened(Bad(), as: Bad.self) == expected("a value that its type refuses"))
        #expect(try opened(Three(), as: Three.self) == expected("no Int"))
        #expect(try opened([1000], as: [UInt8].self) == expected("a value that its type refuses"))

        // {"s": 24(h'{"hunter2": undefined}')}
        let item = try #require([UInt8](hex: "a16173d8184a" + "a16768756e74657232f7"))
        let bytes = Array(repeating: 0, count: SealedBox.headerCount) + [0, 0x6A, 0x6F, 0xDA, 0, 0] + item
        let end = bytes.count
        var payload = CompressedPayload(bytes: bytes, range: SealedBox.headerCount..<end)
        payload.bytes.reserveCapacity(end + 200)
        let token = try tokenText(payload, sampleKey(1))
        let sealer = try CookieSealer<Holder<Pin>>(keys: ring, lifetime: .init(absolute: .days(1)))
        #expect(
            throws: OpenError.malformedPayload("a simple value other than false, true and null, at .s")
        ) { try sealer.open(value: token, at: noon) }
    }

    @Test func `a session of another shape is refused with its place, without its values`() throws {
        struct Other: Codable, Sendable {
            var user: [String: Int]
        }
        let ring = try sampleRing(1)
        let token = try loginSealer(ring).seal(login, at: noon).token
        let sealer = try CookieSealer<Other>(keys: ring, lifetime: .init(absolute: .days(1)))
        let error = #expect(throws: OpenError.self) { try sealer.open(value: token, at: noon) }
        guard case .sessionMismatch(let path, _) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(path == ["user"])
        #expect(!"\(String(describing: error))".contains("184467"))
    }
}
