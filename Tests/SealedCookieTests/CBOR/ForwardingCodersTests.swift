// Encoders and decoders that forward: secrets stay secrets, bytes stay out of compression.
import Foundation
import Testing

@testable import SealedCookie

@Suite struct ForwardingCodersTests {
    struct Session: Codable, Equatable {
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
            // A secret cannot be read as another type or as a plain value.
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
}
