// A value that the compressor must not see. FORMAT §6.3, §7.

/// Keeps a value out of compression, so that the cookie's length tells nothing about it.
///
/// Compressed next to text that an attacker chooses, a secret leaks through the length (CRIME). Wrap
/// what must not leak so: CSRF tokens, one-time codes, API tokens held as text. `Data`, `[UInt8]` and
/// `UUID` are kept out as they are; their length, like a secret's, still shows.
///
/// A value that was sealed in the plain is taken for a secret too, so a property may be made one while
/// sessions live; on servers whose type has it in the plain a secret is a mismatch.
///
/// It is a secret too where an encoder of yours, such as a property wrapper's, forwards to the sealer's; inside, the value is
/// encoded and decoded without it. What cannot be passed on so, for example to an encoder that collects values and
/// writes them later, one that writes a value twice, or to a JSONEncoder whose text goes into the session, is refused when the session
/// is sealed (`SealError.notEncodable`). On another thread than the one that `encode(to:)` was called on, an encoder of yours has to
/// pass `userInfo` on: without it, what it encodes there is in the plain.
///
/// It is not shown in descriptions and dumps, and errors name nothing inside it: their places end here. Where no session is being
/// sealed or opened, it is encoded like its value by other coders.
public struct Secret<Value> {
    /// The value itself.
    public var value: Value

    /// Wraps a value.
    public init(_ value: Value) {
        self.value = value
    }
}

extension Secret: Sendable where Value: Sendable {}
extension Secret: Equatable where Value: Equatable {}
extension Secret: Hashable where Value: Hashable {}

extension Secret: Encodable where Value: Encodable {
    public func encode(to encoder: any Encoder) throws {
        if let encoder = try CBORItemEncoder.behind(encoder) {
            try encoder.encodeEmbedded(value)
        } else {
            var container = encoder.singleValueContainer()
            try container.encode(value)
        }
    }
}

extension Secret: Decodable where Value: Decodable {
    public init(from decoder: any Decoder) throws {
        if let own = try CBORItemDecoder.behind(decoder), own.isEmbedded || decoder is CBORItemDecoder {
            value = try own.decodeEmbedded(Value.self)
        } else {
            // Another coder's, or what was sealed in the plain by way of the user's own encoder.
            value = try decoder.singleValueContainer().decode(Value.self)
        }
    }
}

extension Secret: SecretOfDecodable where Value: Decodable {
    static func holds(_ reader: CBORReader, at position: CBORReader.Position) -> Bool {
        (try? reader.decode(Value.self, at: position)) != nil
    }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "Secret" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: [], displayStyle: .struct) }
}
