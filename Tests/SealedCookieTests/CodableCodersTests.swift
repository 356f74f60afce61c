// Coders of an application's between its types and ours: secrets stay secrets, or are refused; userInfo; coders that are kept.
import Foundation
import Testing

@testable import SealedCookie

// MARK: Coders that forward

/// How an encoder of the user's hands values on.
private enum Way: CaseIterable {
    /// To the next container, with their types.
    case typed
    /// Each encodes itself into another of the same kind.
    case deep
    /// The same, and keys get a prefix.
    case renaming
    /// Twice as many in between.
    case twice
}

private struct Renamed: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }
    init(_ key: some CodingKey, _ way: Way) { stringValue = (way == .renaming ? "x-" : "") + key.stringValue }
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}

private struct Forward: Encoder {
    let base: any Encoder
    let way: Way
    var codingPath: [any CodingKey] { base.codingPath }
    /// As many forget.
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    static func around(_ encoder: any Encoder, _ way: Way) -> any Encoder {
        way == .twice
            ? Forward(base: Forward(base: encoder, way: .deep), way: .typed)
            : Forward(base: encoder, way: way)
    }
    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        KeyedEncodingContainer(Keyed<Key>(base: base.container(keyedBy: Renamed.self), way: way))
    }
    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        Unkeyed(base: base.unkeyedContainer(), way: way)
    }
    func singleValueContainer() -> any SingleValueEncodingContainer { SingleValue(encoder: base, way: way) }

    struct Keyed<Key: CodingKey>: KeyedEncodingContainerProtocol {
        var base: KeyedEncodingContainer<Renamed>
        let way: Way
        var codingPath: [any CodingKey] { base.codingPath }
        private func key(_ key: Key) -> Renamed { Renamed(key, way) }
        mutating func encodeNil(forKey key: Key) throws { try base.encodeNil(forKey: self.key(key)) }
        mutating func encode<T: Encodable>(_ value: T, forKey key: Key) throws {
            if way == .typed { return try base.encode(value, forKey: self.key(key)) }
            try value.encode(to: Forward(base: base.superEncoder(forKey: self.key(key)), way: way))
        }
        mutating func nestedContainer<N: CodingKey>(
            keyedBy type: N.Type, forKey key: Key
        ) -> KeyedEncodingContainer<N> {
            KeyedEncodingContainer<N>(
                Keyed<N>(base: base.nestedContainer(keyedBy: Renamed.self, forKey: self.key(key)), way: way))
        }
        mutating func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
            Unkeyed(base: base.nestedUnkeyedContainer(forKey: self.key(key)), way: way)
        }
        mutating func superEncoder() -> any Encoder { Forward(base: base.superEncoder(), way: way) }
        mutating func superEncoder(forKey key: Key) -> any Encoder {
            Forward(base: base.superEncoder(forKey: self.key(key)), way: way)
        }
    }

    struct Unkeyed: UnkeyedEncodingContainer {
        var base: any UnkeyedEncodingContainer
        let way: Way
        var codingPath: [any CodingKey] { base.codingPath }
        var count: Int { base.count }
        mutating func encodeNil() throws { try base.encodeNil() }
        mutating func encode<T: Encodable>(_ value: T) throws {
            if way == .typed { return try base.encode(value) }
            try value.encode(to: Forward(base: base.superEncoder(), way: way))
        }
        mutating func nestedContainer<N: CodingKey>(keyedBy type: N.Type) -> KeyedEncodingContainer<N> {
            KeyedEncodingContainer(Keyed<N>(base: base.nestedContainer(keyedBy: Renamed.self), way: way))
        }
        mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
            Unkeyed(base: base.nestedUnkeyedContainer(), way: way)
        }
        mutating func superEncoder() -> any Encoder { Forward(base: base.superEncoder(), way: way) }
    }

    struct SingleValue: SingleValueEncodingContainer {
        let encoder: any Encoder
        let way: Way
        var codingPath: [any CodingKey] { encoder.codingPath }
        private func base(_ body: (inout any SingleValueEncodingContainer) throws -> Void) rethrows {
            var container = encoder.singleValueContainer()
            try body(&container)
        }
        func encodeNil() throws { try base { try $0.encodeNil() } }
        func encode(_ value: Bool) throws { try base { try $0.encode(value) } }
        func encode(_ value: String) throws { try base { try $0.encode(value) } }
        func encode(_ value: Double) throws { try base { try $0.encode(value) } }
        func encode(_ value: Float) throws { try base { try $0.encode(value) } }
        func encode(_ value: Int) throws { try base { try $0.encode(value) } }
        func encode(_ value: Int8) throws { try base { try $0.encode(value) } }
        func encode(_ value: Int16) throws { try base { try $0.encode(value) } }
        func encode(_ value: Int32) throws { try base { try $0.encode(value) } }
        func encode(_ value: Int64) throws { try base { try $0.encode(value) } }
        func encode(_ value: UInt) throws { try base { try $0.encode(value) } }
        func encode(_ value: UInt8) throws { try base { try $0.encode(value) } }
        func encode(_ value: UInt16) throws { try base { try $0.encode(value) } }
        func encode(_ value: UInt32) throws { try base { try $0.encode(value) } }
        func encode(_ value: UInt64) throws { try base { try $0.encode(value) } }
        func encode<T: Encodable>(_ value: T) throws {
            if way == .typed { return try base { try $0.encode(value) } }
            try value.encode(to: Forward(base: encoder, way: way))
        }
    }
}

private struct Backward: Decoder {
    let base: any Decoder
    let way: Way
    var codingPath: [any CodingKey] { base.codingPath }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    static func around(_ decoder: any Decoder, _ way: Way) -> any Decoder {
        way == .twice
            ? Backward(base: Backward(base: decoder, way: .deep), way: .typed)
            : Backward(base: decoder, way: way)
    }
    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        KeyedDecodingContainer(Keyed<Key>(base: try base.container(keyedBy: Renamed.self), way: way))
    }
    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        Unkeyed(base: try base.unkeyedContainer(), way: way)
    }
    func singleValueContainer() throws -> any SingleValueDecodingContainer {
        SingleValue(base: try base.singleValueContainer(), decoder: base, way: way)
    }

    struct Keyed<Key: CodingKey>: KeyedDecodingContainerProtocol {
        let base: KeyedDecodingContainer<Renamed>
        let way: Way
        var codingPath: [any CodingKey] { base.codingPath }
        var allKeys: [Key] {
            base.allKeys.compactMap {
                Key(stringValue: way == .renaming ? String($0.stringValue.dropFirst(2)) : $0.stringValue)
            }
        }
        private func key(_ key: Key) -> Renamed { Renamed(key, way) }
        func contains(_ key: Key) -> Bool { base.contains(self.key(key)) }
        func decodeNil(forKey key: Key) throws -> Bool { try base.decodeNil(forKey: self.key(key)) }
        func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
            if way == .typed { return try base.decode(type, forKey: self.key(key)) }
            return try T(from: Backward(base: base.superDecoder(forKey: self.key(key)), way: way))
        }
        func nestedContainer<N: CodingKey>(
            keyedBy type: N.Type, forKey key: Key
        ) throws -> KeyedDecodingContainer<N> {
            try Backward(base: base.superDecoder(forKey: self.key(key)), way: way).container(keyedBy: type)
        }
        func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
            Unkeyed(base: try base.nestedUnkeyedContainer(forKey: self.key(key)), way: way)
        }
        func superDecoder() throws -> any Decoder { Backward(base: try base.superDecoder(), way: way) }
        func superDecoder(forKey key: Key) throws -> any Decoder {
            Backward(base: try base.superDecoder(forKey: self.key(key)), way: way)
        }
    }

    struct Unkeyed: UnkeyedDecodingContainer {
        var base: any UnkeyedDecodingContainer
        let way: Way
        var codingPath: [any CodingKey] { base.codingPath }
        var count: Int? { base.count }
        var isAtEnd: Bool { base.isAtEnd }
        var currentIndex: Int { base.currentIndex }
        mutating func decodeNil() throws -> Bool { try base.decodeNil() }
        mutating func decode<T: Decodable>(_ type: T.Type) throws -> T {
            if way == .typed { return try base.decode(type) }
            return try T(from: Backward(base: base.superDecoder(), way: way))
        }
        mutating func nestedContainer<N: CodingKey>(keyedBy type: N.Type) throws -> KeyedDecodingContainer<N>
        {
            try Backward(base: base.superDecoder(), way: way).container(keyedBy: type)
        }
        mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
            Unkeyed(base: try base.nestedUnkeyedContainer(), way: way)
        }
        mutating func superDecoder() throws -> any Decoder {
            Backward(base: try base.superDecoder(), way: way)
        }
    }

    struct SingleValue: SingleValueDecodingContainer {
        let base: any SingleValueDecodingContainer
        let decoder: any Decoder
        let way: Way
        var codingPath: [any CodingKey] { base.codingPath }
        func decodeNil() -> Bool { base.decodeNil() }
        func decode(_ type: Bool.Type) throws -> Bool { try base.decode(type) }
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
        func decode<T: Decodable>(_ type: T.Type) throws -> T {
            if way == .typed { return try base.decode(type) }
            return try T(from: Backward(base: decoder, way: way))
        }
    }
}

/// A value whose coders are wrapped on the way.
private struct Wrapped<Value: Codable>: Codable {
    var value: Value
    init(_ value: Value) { self.value = value }
    init(from decoder: any Decoder) throws { value = try Value(from: Backward.around(decoder, Current.way)) }
    func encode(to encoder: any Encoder) throws { try value.encode(to: Forward.around(encoder, Current.way)) }
}

/// Codable leaves a type no other way to be told.
private enum Current { @TaskLocal static var way = Way.typed }

// MARK: Encoders that collect

/// An encoder with a tree of its own, as those have that make dictionaries.
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

@Suite struct CodableCodersTests {
    private struct Session: Codable, Equatable {
        struct Inner: Codable, Equatable {
            var token = Secret("hunter2-hunter2-hunter2")
            var codes: [Secret<Int>] = [Secret(111_111), Secret(222_222)]
            var maybe: Secret<[String: String]>? = Secret(["pin": "hunter2-hunter2"])
            var nothing: Secret<String>?
            var name = "Zoë"
        }
        var inner = Inner()
        var named = ["k": Secret(["hunter2-hunter2"])]
        var plain = ["a": 1]
        var root = 5.5
    }

    /// What of an item goes through DEFLATE.
    private func compressed(_ item: CBORItem) -> [UInt8] {
        var bytes = item.bytes
        for range in item.byteStrings.reversed() { bytes.removeSubrange(range) }
        return bytes
    }

    @Test(arguments: Way.allCases)
    fileprivate func `a secret stays one whatever encoder forwards it, and opens through such a decoder`(
        way: Way
    ) throws {
        try Current.$way.withValue(way) {
            let item = try CBOREncoder.encode(Wrapped(Session()))
            let index = try CheckedItem(parsing: item.bytes)
            #expect(!String(decoding: compressed(item), as: UTF8.self).contains("hunter2"))
            #expect(!String(decoding: compressed(item), as: UTF8.self).contains("pin"))
            // Three texts, two codes and one dictionary.
            #expect(
                String(decoding: CBORJSON(CBORValue(index)).text(pretty: false), as: UTF8.self)
                    .contains(#""$secret":111111"#))
            #expect(item.byteStrings.count == 5)
            #expect(try CBORDecoder.decode(Wrapped<Session>.self, from: index).value == Session())
            #expect(
                try CBORDecoder.decode(
                    Secret<Wrapped<Session>>.self,
                    from: CheckedItem(parsing: CBOREncoder.encode(Secret(Wrapped(Session()))).bytes)
                ).value.value == Session())
            if way != .renaming {
                // One side alone.
                #expect(try CBORDecoder.decode(Session.self, from: index) == Session())
                let plain = try CheckedItem(parsing: CBOREncoder.encode(Session()).bytes)
                #expect(try CBORDecoder.decode(Wrapped<Session>.self, from: plain).value == Session())
            }
            // A whole session that is a secret.
            let whole = try CBOREncoder.encode(Wrapped(Secret("hunter2")))
            #expect(whole.bytes.hex == "d8184867" + "68756e74657232" + "")
            #expect(
                try CBORDecoder.decode(Wrapped<Secret<String>>.self, from: CheckedItem(parsing: whole.bytes))
                    .value
                    == Secret("hunter2"))
        }
    }

    @Test(arguments: Way.allCases)
    fileprivate func `what was sealed in the plain is taken for a secret by a forwarding decoder, too`(
        way: Way
    ) throws {
        struct Plain: Codable { var s = ["hunter2"], t = "x", u = 5, v = ["a": true] }
        struct Now: Codable, Equatable {
            var s = Secret(["hunter2"]), t = Secret("x"), u = Secret(5), v = Secret(["a": true])
        }
        try Current.$way.withValue(way) {
            let index = try CheckedItem(parsing: CBOREncoder.encode(Wrapped(Plain())).bytes)
            #expect(try CBORDecoder.decode(Wrapped<Now>.self, from: index).value == Now())
            // And a secret is none of another type, nor in the plain.
            let secret = try CheckedItem(parsing: CBOREncoder.encode(Wrapped(Now())).bytes)
            #expect(throws: DecodingError.self) { try CBORDecoder.decode(Wrapped<Plain>.self, from: secret) }
            #expect(throws: DecodingError.self) {
                try CBORDecoder.decode(Wrapped<[String: Secret<[Int]>]>.self, from: secret)
            }
        }
    }

    @Test(arguments: Way.allCases)
    fileprivate func `bytes and encoded sessions stay out of compression through a forwarding encoder`(
        way: Way
    ) throws {
        struct Bytes: Codable, Equatable {
            var data = Data("hunter2-hunter2".utf8)
            var array = Array("hunter2-hunter2".utf8)
            var signed = "hunter2-hunter2".utf8.map { Int8(bitPattern: $0) }
            var encoded: EncodedSession
        }
        try Current.$way.withValue(way) {
            let bytes = Bytes(encoded: try EncodedSession(CBORValue.secret(.text("hunter2-hunter2"))))
            let item = try CBOREncoder.encode(Wrapped(bytes))
            #expect(item.byteStrings.count == 4)
            #expect(!String(decoding: compressed(item), as: UTF8.self).contains("hunter2"))
            let index = try CheckedItem(parsing: item.bytes)
            #expect(try CBORDecoder.decode(Wrapped<Bytes>.self, from: index).value == bytes)
            for value: CBORValue in [
                .null, .bool(true), .text("x"), .array([.bool(false)]), .bytes([1]), .url("a:b"),
            ] {
                let item = try CBOREncoder.encode(Wrapped(value))
                let index = try CheckedItem(parsing: item.bytes)
                #expect(CBORValue(index) == value)
                #expect(try CBORDecoder.decode(Wrapped<CBORValue>.self, from: index).value == value)
            }
        }
    }

    /// Collects a secret, and writes what it got later.
    private struct Later: Codable, Sendable {
        var session = Session()
        init() {}
        func encode(to encoder: any Encoder) throws { try Collecting.collect(session).encode(to: encoder) }
        init(from decoder: any Decoder) throws { session = try Session(from: decoder) }
    }
    /// The text of JSON in a session.
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
    /// Does not let anybody see that its secret was refused.
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
                    == "cannot be encoded: a secret was given to an encoder that does not pass it on as it is at its root"
            )
        }
        try refused(Later())
        try refused(Text())
        try refused(Quiet())
    }

    /// Hands a text on to more than one place.
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
        // What is no secret may be written as often as one likes.
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
            nonisolated(unsafe) let body = body
            nonisolated(unsafe) var result: Swift.Result<Result, any Error>?
            let done = DispatchSemaphore(value: 0)
            // Sound: this thread waits for the other's end.
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
        // A session that is sealed later takes nothing from it, nor does another coder that got this userInfo.
        let kept = UserInfoKeeper()
        _ = try CBOREncoder.encode(kept)
        let outside = Passing(base: Outside(userInfo: unsafe kept.userInfo))
        #expect(throws: Never.self) { try Secret("x").encode(to: outside) }
    }
    private final class UserInfoKeeper: Encodable {
        nonisolated(unsafe) var userInfo: [CodingUserInfoKey: Any] = [:]
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

    /// Reads text where it is asked for a Bool.
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

    /// Hands a value on, and fails afterwards.
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

    private final class Keeper: Codable, @unchecked Sendable {
        nonisolated(unsafe) static var encoder: (any Encoder)?  // Set and read on the test's own thread.
        nonisolated(unsafe) static var decoder: (any Decoder)?
        init() {}
        func encode(to encoder: any Encoder) throws {
            unsafe Self.encoder = encoder
            var container = encoder.container(keyedBy: CBORKey.self)
            for number in 0..<100 { try container.encode(number, forKey: CBORKey(stringValue: "k\(number)")) }
            try container.encode(Data([7, 8]), forKey: CBORKey(stringValue: "bytes"))
        }
        init(from decoder: any Decoder) throws { unsafe Self.decoder = decoder }
    }
    private struct Sent<Coder>: @unchecked Sendable { let coder: Coder }

    /// As many threads as like read it: what it notes for speed it notes no longer.
    @Test func `a kept decoder may be read by several threads, a kept encoder throws`() async throws {
        let sealer = try CookieSealer<Keeper>(keys: sampleRing(1), lifetime: .init(absolute: .days(1)))
        let token = try sealer.seal(Keeper(), at: noon).token
        _ = try sealer.open(value: token, at: noon)
        let (encoder, decoder) = try (
            Sent(coder: #require(unsafe Keeper.encoder)), Sent(coder: #require(unsafe Keeper.decoder))
        )
        unsafe (Keeper.encoder, Keeper.decoder) = (nil, nil)
        // What is opened meanwhile has other memory.
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
