// CBOR as hexadecimal text, encoded and decoded.
import Foundation
import Testing

@testable import SealedCookie

/// The encoding of `value`, in hexadecimal digits.
func hex(_ value: some Encodable) throws -> String {
    try CBOREncoder.encode(value).bytes.hex
}

func decode<Value: Decodable>(_ type: Value.Type, _ hex: String) throws -> Value {
    let bytes = try #require([UInt8](hex: hex))
    return try CBORDecoder.decode(type, from: CheckedItem(parsing: bytes))
}

/// Encodes and decodes; the encoding is one item of the profile, and decodes to a value that encodes
/// to the same bytes.
func roundTrip<Value: Codable>(_ value: Value) throws -> Value {
    let item = try CBOREncoder.encode(value)
    let index = try CheckedItem(parsing: item.bytes)
    #expect(index.wholeItem == item)
    #expect(try CBOREncoder.encode(CBORValue(index)) == item)
    let decoded = try CBORDecoder.decode(Value.self, from: index)
    #expect(try CBOREncoder.encode(decoded) == item)
    return decoded
}
