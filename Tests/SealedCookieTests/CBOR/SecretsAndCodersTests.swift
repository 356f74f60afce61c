// A secret that an application's coder does not pass on unchanged: kept, or refused.
import Foundation
import Testing

@testable import SealedCookie

/// An encoder with its own tree, like those that create dictionaries.
private final class Collecting: Encoder {
    var value: AnyValue = .object([:])
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    static func collect(_ value: some Encodable) throws -> AnyValue {
        let encoder = Collecting()
        try value.encode(to: encoder)
        return encoder.value
    }
    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        KeyedEncodingContainer(Keyed(encoder: self))
    }
    func unkeyedContainer() -> any UnkeyedEncodingContainer { Unkeyed(encoder: self) }
    func singleValueContainer() -> any SingleValueEncodingContainer { One(encoder: self) }

    struct Keyed<Key: CodingKey>: KeyedEncodingContainerProtocol {
        let encoder: Collecting
        var codingPath: [any CodingKey] { [] }
        private func set(_ value: AnyValue, _ key: Key) {
            guard case .object(var object) = encoder.value else { return }
            object[key.stringValue] = value
            encoder.value = .object(object)
        }
        func encodeNil(forKey key: Key) { set(.null, key) }
        func encode<T: Encodable>(_ value: T, forKey key: Key) throws {
            set(try Collecting.collect(value), key)
        }
        func nestedContainer<N: CodingKey>(keyedBy type: N.Type, forKey key: Key) -> KeyedEncodingContainer<N>
        {
            Collecting().container(keyedBy: type)
        }
        func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
            Collecting().unkeyedContainer()
        }
        func superEncoder() -> any Encoder { Collecting() }
        func superEncoder(forKey key: Key) -> any Encoder { Collecting() }
    }
    struct Unkeyed: UnkeyedEncodingContainer {
        let encoder: Collecting
        var codingPath: [any CodingKey] { [] }
        var count = 0
        init(encoder: Collecting) {
            self.encoder = encoder
            encoder.value = .array([])
        }
        func encodeNil() {}
        mutating func encode<T: Encodable>(_ value: T) throws {
            guard case .array(let elements) = encoder.value else { return }
            encoder.value = .array(elements + [try Collecting.collect(value)])
            count += 1
        }
        func nestedContainer<N: CodingKey>(keyedBy type: N.Type) -> KeyedEncodingContainer<N> {
            Collecting().container(keyedBy: type)
        }
        func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { Collecting().unkeyedContainer() }
        func superEncoder() -> any Encoder { Collecting() }
    }
    struct One: SingleValueEncodingContainer {
        let encoder: Collecting
        var codingPath: [any CodingKey] { [] }
        func encodeNil() { encoder.value = .null }
        func encode(_ value: String) { encoder.value = .text(value) }
        func encode(_ value: Bool) { encoder.value = .bool(value) }
        func encode(_ value: Int) { encoder.value = .int(value) }
        func encode(_ value: UInt8) { encoder.value = .int(Int(value)) }
        func encode(_ value: Double) { encoder.value = .double(value) }
        func encode<T: Encodable>(_ value: T) throws { encoder.value = try Collecting.collect(value) }
        func encode(_ value: Float) { encoder.value = .double(Double(value)) }
        func encode(_ value: Int8) { encoder.value = .int(Int(value)) }
        func encode(_ value: Int16) { encoder.value = .int(Int(value)) }
        func encode(_ value: Int32) { encoder.value = .int(Int(value)) }
        func encode(_ value: Int64) { encoder.value = .int(Int(value)) }
        func encode(_ value: UInt) { encoder.value = .double(Double(value)) }
        func encode(_ value: UInt16) { encoder.value = .int(Int(value)) }
        func encode(_ value: UInt32) { encoder.value = .int(Int(value)) }
        func encode(_ value: UInt64) { encoder.value = .double(Double(value)) }
    }
}

@Suite struct SecretsAndCodersTests {
    /// Collects a secret, and writes it later.
    private struct Later: Codable, Sendable {
        var session = ForwardingCodersTests.Session()
        init() {}
        func encode(to encoder: any Encoder) throws { try Collecting.collect(session).encode(to: encoder) }
        init(from decoder: any Decoder) throws { session = try ForwardingCodersTests.Session(from: decoder) }
    }

    /// JSON text in a session.
    private struct Text: Codable, Sendable {
        var secret = Secret("hunter2")
        init() {}
        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            try container.encode(String(decoding: JSONEncoder().encode(["s": secret]), as: UTF8.self))
        }
        init(from decoder: any Decoder) throws {
            let text = try decoder.singleValueContainer().decode(String.self)
            secret =
                try JSONDecoder().decode([String: Secret<String>].self, from: Data(text.utf8))["s"] ?? secret
        }
    }

    /// Hides that its secret was refused.
    private struct Quiet: Codable, Sendable {
        init() {}
        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            try container.encode((try? Collecting.collect(Secret("hunter2"))) ?? .null)
        }
        init(from decoder: any Decoder) throws {}
    }

    @Test func `a secret that an encoder does not pass on as it is is refused when it is sealed`() throws {
        func refused<Value: Codable & Sendable>(_ value: Value) throws {
            let sealer = try CookieSealer<Value>(keys: sampleRing(1), lifetime: .init(absolute: .days(1)))
            let error = #expect(throws: SealError.self) { try sealer.seal(value, at: noon) }
            #expect(
                error?.description
                    == "cannot be encoded: a secret was given to an encoder that does not pass it on unchanged at its root"
            )
        }
        try refused(Later())
        try refused(Text())
        try refused(Quiet())
    }

    /// Writes a text in more than one position.
    private struct Doubling: Encoder {
        enum How: CaseIterable { case keys, elements, list }
        let base: any Encoder
        let how: How
        var codingPath: [any CodingKey] { [] }
        var userInfo: [CodingUserInfoKey: Any] { [:] }
        func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
            base.container(keyedBy: type)
        }
        func unkeyedContainer() -> any UnkeyedEncodingContainer { base.unkeyedContainer() }
        func singleValueContainer() -> any SingleValueEncodingContainer { One(base: base, how: how) }

        struct One: SingleValueEncodingContainer {
            let base: any Encoder
            let how: How
            var codingPath: [any CodingKey] { [] }
            func encode<T: Encodable>(_ value: T) throws {
                switch how {
                case .keys:
                    var container = base.container(keyedBy: CBORKey.self)
                    try container.encode(value, forKey: CBORKey(stringValue: "old"))
                    try container.encode(value, forKey: CBORKey(stringValue: "new"))
                case .elements:
                    var container = base.unkeyedContainer()
                    try container.encode(value)
                    try container.encode(value)
                case .list:
                    var container = base.singleValueContainer()
                    try container.encode([value, value])
                }
            }
            func encodeNil() throws {}
            func encode(_ value: String) throws { try encode(AnyText(text: value)) }
            func encode(_ value: Bool) throws {}
            func encode(_ value: Double) throws {}
            func encode(_ value: Float) throws {}
            func encode(_ value: Int) throws {}
            func encode(_ value: Int8) throws {}
            func encode(_ value: Int16) throws {}
            func encode(_ value: Int32) throws {}
            func encode(_ value: Int64) throws {}
            func encode(_ value: UInt) throws {}
            func encode(_ value: UInt8) throws {}
            func encode(_ value: UInt16) throws {}
            func encode(_ value: UInt32) throws {}
            func encode(_ value: UInt64) throws {}
        }
        struct AnyText: Encodable {
            let text: String
            func encode(to encoder: any Encoder) throws {
                var container = encoder.singleValueContainer()
                try container.encode(text)
            }
        }
    }

    private struct Doubled<Value: Encodable>: Encodable {
        let value: Value
        let how: Doubling.How
        var isQuiet = false
        func encode(to encoder: any Encoder) throws {
            do {
                try value.encode(to: Doubling(base: encoder, how: how))
            } catch {
                if !isQuiet { throw error }
            }
        }
    }

    @Test func `a secret that is handed on twice is refused when it is sealed`() throws {
        for how in Doubling.How.allCases {
            for isQuiet in [false, true] {
                let secret = #expect(throws: CBORFailure.self) {
                    try CBOREncoder.encode(
                        ["k": Doubled(value: Secret("hunter2"), how: how, isQuiet: isQuiet)])
                }
                #expect(secret?.reason == .secretLost, "\(how)")
                let session = try EncodedSession(CBORValue.array([.text("hi")]))
                let failure = #expect(throws: CBORFailure.self) {
                    try CBOREncoder.encode(["k": Doubled(value: session, how: how, isQuiet: isQuiet)])
                }
                #expect(failure?.reason == .sessionLost, "\(how)")
            }
        }
        // A value that is not a secret may be written any number of times.
        let item = try CBOREncoder.encode(Doubled(value: "x", how: .elements))
        #expect(item.bytes.hex == "82" + "6178" + "6178")
    }

    /// Forwards, with or without userInfo, on another thread.
    private struct Threaded: Codable, Equatable {
        var secret = Secret("hunter2-hunter2")
        init() {}
        func encode(to encoder: any Encoder) throws {
            try Self.elsewhere { try secret.encode(to: Passing(base: encoder)) }
        }
        init(from decoder: any Decoder) throws {
            secret = try Self.elsewhere { try Secret(from: PassingBack(base: decoder)) }
        }
        static func elsewhere<Result>(_ body: @escaping () throws -> Result) throws -> Result {
            nonisolated(unsafe) let body = body  // This thread waits while the other has it.
            nonisolated(unsafe) var result: Swift.Result<Result, any Error>?  // As above.
            let done = DispatchSemaphore(value: 0)
            // Sound: this thread waits until the other has finished.
            Thread.detachNewThread {
                unsafe result = Swift.Result { try unsafe body() }
                done.signal()
            }
            done.wait()
            return try #require(unsafe result).get()
        }
    }

    private struct Passing: Encoder {
        let base: any Encoder
        var codingPath: [any CodingKey] { base.codingPath }
        var userInfo: [CodingUserInfoKey: Any] { base.userInfo }
        func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
            base.container(keyedBy: type)
        }
        func unkeyedContainer() -> any UnkeyedEncodingContainer { base.unkeyedContainer() }
        func singleValueContainer() -> any SingleValueEncodingContainer { base.singleValueContainer() }
    }

    private struct PassingBack: Decoder {
        let base: any Decoder
        var codingPath: [any CodingKey] { base.codingPath }
        var userInfo: [CodingUserInfoKey: Any] { base.userInfo }
        func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
            try base.container(keyedBy: type)
        }
        func unkeyedContainer() throws -> any UnkeyedDecodingContainer { try base.unkeyedContainer() }
        func singleValueContainer() throws -> any SingleValueDecodingContainer {
            try base.singleValueContainer()
        }
    }

    @Test func `a secret stays one on another thread behind an encoder that passes userInfo on`() throws {
        let item = try CBOREncoder.encode(["k": Threaded()])
        #expect(!String(decoding: compressed(item), as: UTF8.self).contains("hunter2"))
        let index = try CheckedItem(parsing: item.bytes)
        #expect(try CBORDecoder.decode([String: Threaded].self, from: index) == ["k": Threaded()])
        // A session that is sealed later is not affected, nor is another coder that got this userInfo.
        let kept = UserInfoKeeper()
        _ = try CBOREncoder.encode(kept)
        let outside = Passing(base: Outside(userInfo: unsafe kept.userInfo))
        #expect(throws: Never.self) { try Secret("x").encode(to: outside) }
    }

    private final class UserInfoKeeper: Encodable {
        nonisolated(unsafe) var userInfo: [CodingUserInfoKey: Any] = [:]  // One thread.
        func encode(to encoder: any Encoder) throws { unsafe userInfo = encoder.userInfo }
    }

    private struct Outside: Encoder {
        let userInfo: [CodingUserInfoKey: Any]
        private let inner = Collecting()
        init(userInfo: [CodingUserInfoKey: Any]) { self.userInfo = userInfo }
        var codingPath: [any CodingKey] { [] }
        func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
            inner.container(keyedBy: type)
        }
        func unkeyedContainer() -> any UnkeyedEncodingContainer { inner.unkeyedContainer() }
        func singleValueContainer() -> any SingleValueEncodingContainer { inner.singleValueContainer() }
    }

    @Test func `a secret of nil reads as no secret`() throws {
        struct Before: Encodable { var a = Secret(Int?.none), list = [Secret(Int?.none), Secret(5)] }
        struct After: Decodable, Equatable { var a: Secret<Int>?, list: [Secret<Int>?] }
        struct Same: Decodable, Equatable { var a: Secret<Int?>?, list: [Secret<Int?>?] }
        let index = try CheckedItem(parsing: CBOREncoder.encode(Before()).bytes)
        #expect(try CBORDecoder.decode(After.self, from: index) == After(a: nil, list: [nil, Secret(5)]))
        #expect(
            try CBORDecoder.decode(Same.self, from: index)
                == Same(a: Secret(nil), list: [Secret(nil), Secret(5)]))
    }

    /// Reads text when asked for a Bool.
    private struct Reading: Decoder {
        let base: any Decoder
        var codingPath: [any CodingKey] { base.codingPath }
        var userInfo: [CodingUserInfoKey: Any] { [:] }
        func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
            try base.container(keyedBy: type)
        }
        func unkeyedContainer() throws -> any UnkeyedDecodingContainer { try base.unkeyedContainer() }
        func singleValueContainer() throws -> any SingleValueDecodingContainer {
            One(base: try base.singleValueContainer())
        }
        struct One: SingleValueDecodingContainer {
            let base: any SingleValueDecodingContainer
            var codingPath: [any CodingKey] { [] }
            func decodeNil() -> Bool { base.decodeNil() }
            func decode(_ type: Bool.Type) throws -> Bool { try base.decode(String.self) == "true" }
            func decode(_ type: String.Type) throws -> String { try base.decode(type) }
            func decode(_ type: Double.Type) throws -> Double { try base.decode(type) }
            func decode(_ type: Float.Type) throws -> Float { try base.decode(type) }
            func decode(_ type: Int.Type) throws -> Int { try base.decode(type) }
            func decode(_ type: Int8.Type) throws -> Int8 { try base.decode(type) }
            func decode(_ type: Int16.Type) throws -> Int16 { try base.decode(type) }
            func decode(_ type: Int32.Type) throws -> Int32 { try base.decode(type) }
            func decode(_ type: Int64.Type) throws -> Int64 { try base.decode(type) }
            func decode(_ type: UInt.Type) throws -> UInt { try base.decode(type) }
            func decode(_ type: UInt8.Type) throws -> UInt8 { try base.decode(type) }
            func decode(_ type: UInt16.Type) throws -> UInt16 { try base.decode(type) }
            func decode(_ type: UInt32.Type) throws -> UInt32 { try base.decode(type) }
            func decode(_ type: UInt64.Type) throws -> UInt64 { try base.decode(type) }
            func decode<T: Decodable>(_ type: T.Type) throws -> T { try base.decode(type) }
        }
    }

    private struct Read: Decodable, Equatable {
        var secret: Secret<String>
        init(_ secret: Secret<String>) { self.secret = secret }
        init(from decoder: any Decoder) throws { secret = try Secret(from: Reading(base: decoder)) }
    }

    @Test func `a secret opens through a decoder that reads a Bool from text`() throws {
        let value = ["k": [Secret("hunter2"), Secret("true")]]
        let index = try CheckedItem(parsing: CBOREncoder.encode(value).bytes)
        #expect(
            try CBORDecoder.decode([String: [Read]].self, from: index)
                == ["k": [Read(Secret("hunter2")), Read(Secret("true"))]])
        let plain = try CheckedItem(parsing: CBOREncoder.encode(["k": ["hunter2"]]).bytes)
        #expect(
            try CBORDecoder.decode([String: [Read]].self, from: plain) == ["k": [Read(Secret("hunter2"))]])
    }

    @Test func `a superclass whose part is not there finds null, as with JSON`() throws {
        struct Asking: Decodable, Equatable {
            var words: [String] = []
            private enum Keys: String, CodingKey { case x, y }
            init(from decoder: any Decoder) throws {
                let container = try decoder.container(keyedBy: Keys.self)
                for part in [try container.superDecoder(forKey: .x), try container.superDecoder()] {
                    words.append(part.codingPath.map(\.stringValue).joined(separator: "."))
                    words.append("\(try part.singleValueContainer().decodeNil())")
                    words.append("\(try Int?(from: part) as Any)")
                    do { words.append("\(try Int(from: part))") } catch DecodingError.valueNotFound {
                        words.append("none")
                    }
                    do { words.append("\(try part.container(keyedBy: Keys.self))") } catch DecodingError
                        .valueNotFound
                    {
                        words.append("none")
                    }
                }
            }
        }
        func asked(_ value: some Encodable) throws {
            let json = try JSONDecoder().decode(Asking.self, from: JSONEncoder().encode(value))
            let index = try CheckedItem(parsing: CBOREncoder.encode(value).bytes)
            #expect(try CBORDecoder.decode(Asking.self, from: index) == json)
            #expect(json.words.count == 10)
        }
        try asked(["y": 1])
        try asked([String: Int]())
    }

    @Test func `a place in an error of the application's names what the library named`() throws {
        struct Loud: Codable, Sendable {
            init() {}
            func encode(to encoder: any Encoder) throws {
                throw EncodingError.invalidValue(
                    0,
                    .init(
                        codingPath: encoder.codingPath + [Renamed(CBORKey(stringValue: "hunter2"), .deep)],
                        debugDescription: "hunter2"))
            }
            init(from decoder: any Decoder) throws {
                throw DecodingError.keyNotFound(
                    Renamed(CBORKey(stringValue: "hunter2"), .deep),
                    .init(codingPath: decoder.codingPath, debugDescription: "hunter2"))
            }
        }
        let life = SessionLifetime(absolute: .days(1))
        let sealing = #expect(throws: SealError.self) {
            try CookieSealer<[String: Loud]>(keys: sampleRing(1), lifetime: life).seal(
                ["k": Loud()], at: noon)
        }
        #expect(sealing == .notEncodable(codingPath: ["k"], reason: "an invalid value"))
        let token = try CookieSealer<[String: Int]>(keys: sampleRing(1), lifetime: life).seal(
            ["k": 1], at: noon
        )
        .token
        let opening = #expect(throws: OpenError.self) {
            try CookieSealer<[String: Loud]>(keys: sampleRing(1), lifetime: life).open(value: token, at: noon)
        }
        #expect(opening == .sessionMismatch(codingPath: ["k"], reason: "the key is missing"))
    }

    @Test func `outside of sealing a secret is encoded like its value`() throws {
        let json = try JSONEncoder().encode(["s": Secret("hunter2")])
        #expect(String(decoding: json, as: UTF8.self) == #"{"s":"hunter2"}"#)
        #expect(
            try JSONDecoder().decode([String: Secret<String>].self, from: json) == ["s": Secret("hunter2")])
        #expect(try Collecting.collect(Secret(5)) == .int(5))
        // After a sealing, and while another thread seals.
        _ = try CBOREncoder.encode(Secret("a"))
        #expect(throws: CBORFailure.self) { try CBOREncoder.encode(Text()) }
        #expect(String(decoding: try JSONEncoder().encode([Secret(1)]), as: UTF8.self) == "[1]")
    }

    /// A type that seals another session while it is encoded, and opens one while it is decoded.
    private struct Nested: Codable, Sendable, Equatable {
        var secret = Secret("outer")
        init() {}
        private enum Keys: CodingKey { case inner, secret }
        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: Keys.self)
            let inner = try CBOREncoder.encode(Current.$way.withValue(.deep) { Wrapped(Secret("inner")) })
            try container.encode(Data(inner.bytes), forKey: .inner)
            try secret.encode(to: Forward(base: container.superEncoder(forKey: .secret), way: .deep))
        }
        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Keys.self)
            let inner = try CheckedItem(parsing: [UInt8](container.decode(Data.self, forKey: .inner)))
            guard try CBORDecoder.decode(Wrapped<Secret<String>>.self, from: inner).value == Secret("inner")
            else {
                throw DecodingError.dataCorruptedError(forKey: .inner, in: container, debugDescription: "")
            }
            secret = try Secret(from: Backward(base: container.superDecoder(forKey: .secret), way: .deep))
        }
    }

    @Test func `a session that is sealed inside another takes nothing from it`() throws {
        let item = try CBOREncoder.encode(Nested())
        #expect(item.byteStrings.count == 2)
        #expect(try CBORDecoder.decode(Nested.self, from: CheckedItem(parsing: item.bytes)) == Nested())
    }

    /// Forwards a value, and fails afterwards.
    private struct Failing: Encoder, SingleValueEncodingContainer {
        let base: any Encoder
        var codingPath: [any CodingKey] { [] }
        var userInfo: [CodingUserInfoKey: Any] { [:] }
        func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
            base.container(keyedBy: type)
        }
        func unkeyedContainer() -> any UnkeyedEncodingContainer { base.unkeyedContainer() }
        func singleValueContainer() -> any SingleValueEncodingContainer { self }
        func encodeNil() throws { throw CancellationError() }
        func encode<T: Encodable>(_ value: T) throws {
            var container = base.singleValueContainer()
            try container.encode(value)
            throw CancellationError()
        }
    }

    @Test func `an encoder that hands a secret on and fails has failed`() throws {
        struct Holder: Encodable {
            func encode(to encoder: any Encoder) throws {
                try Secret("x").encode(to: Failing(base: encoder))
            }
        }
        #expect(throws: CancellationError.self) { try CBOREncoder.encode(Holder()) }
    }
}
