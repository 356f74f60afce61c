// A value that the compressor must not see. FORMAT §6.3, §7.

/// A value that is kept out of compression, so that the cookie's length reveals nothing about it.
///
/// If a secret is compressed next to text that an attacker chooses, it leaks through the length (CRIME). Wrap
/// whatever must not leak that way: CSRF tokens, one-time codes, API tokens that are text. `Data`, `[UInt8]` and
/// `UUID` are never compressed. Their length still shows, as a secret's does.
///
/// A value that was sealed without the wrapper opens as a secret too, so a property may become one while sessions
/// live. A server whose type lacks the wrapper refuses a secret as a mismatch.
///
/// **Your own coders.** A value is also kept secret if an encoder of yours, such as a property wrapper's, forwards to
/// the sealer's. Inside the secret, the value is then encoded and decoded without your encoder. If a value cannot be
/// forwarded, sealing is refused (``SealError/notEncodable(codingPath:reason:)``). Examples are an encoder that
/// collects values and writes them later, one that writes a value twice, and a `JSONEncoder` whose text goes into the
/// session. An encoder of yours that works on another thread than `encode(to:)` must pass `userInfo` on: otherwise
/// what it encodes there is not kept secret.
///
/// **Descriptions and errors.** The value is not shown in descriptions and dumps. Errors name nothing inside it:
/// their coding paths end here. Outside sealing and opening, other coders encode it like its value.
public struct Secret<Value> {
    /// The value itself.
    public var value: Value

    /// Wraps a value.
    ///
    /// - Parameter value: The value.
    public init(_ value: Value) {
        self.value = value
    }
}

extension Secret: Sendable where Value: Sendable {}
extension Secret: Equatable where Value: Equatable {}
extension Secret: Hashable where Value: Hashable {}

extension Secret: Encodable where Value: Encodable {
    /// Encodes the value as a secret, or like the value itself if no session is being sealed.
    ///
    /// - Parameter encoder: The sealer's encoder, one that forwards to it, or another library's.
    /// - Throws: An error if an encoder in between does not pass the value on unchanged, and whatever the value throws.
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
    /// Decodes a secret, or a value that was sealed without the wrapper.
    ///
    /// - Parameter decoder: The sealer's decoder, one that forwards to it, or another library's.
    /// - Throws: `DecodingError`, which names nothing inside the secret, and whatever the value throws.
    public init(from decoder: any Decoder) throws {
        if let own = try CBORItemDecoder.behind(decoder), own.isEmbedded || decoder is CBORItemDecoder {
            value = try own.decodeEmbedded(Value.self)
        } else {
            // From another coder, or sealed without protection by the user's own encoder.
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
    /// A placeholder instead of the value.
    public var description: String { "Secret" }
    /// A placeholder instead of the value.
    public var debugDescription: String { description }
    /// An empty mirror, so that `dump` does not show the value.
    public var customMirror: Mirror { Mirror(self, children: [], displayStyle: .struct) }
}
