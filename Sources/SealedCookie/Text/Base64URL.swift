// base64url without padding (RFC 4648 §5), the outermost form of a token. FORMAT §2.

enum Base64URL {
    static func encodedCount(_ byteCount: Int) -> Int {
        (byteCount * 4 + 2) / 3
    }

    /// The base64url text of `bytes`, without padding.
    static func encode(_ bytes: Span<UInt8>) -> String {
        Base64Words.encode(bytes)
    }

    /// The bytes of `text`, or nil if it is not the one base64url form of any bytes: a character outside the
    /// alphabet, padding, white space, an impossible length, or trailing bits that are not zero.
    static func decode(_ text: Span<UInt8>) -> [UInt8]? {
        var bytes: [UInt8] = []
        return decode(text, appendingTo: &bytes) ? bytes : nil
    }

    /// Appends the bytes of `text`; false if it is not valid, and whatever was appended then means nothing.
    static func decode(_ text: Span<UInt8>, appendingTo bytes: inout [UInt8]) -> Bool {
        Base64Words.decode(text, appendingTo: &bytes)
    }

    /// The first four bytes of `text` as a number, without validating the rest; nil if its first six characters are
    /// not base64url.
    static func firstFourBytes(_ text: Span<UInt8>) -> UInt32? {
        Base64Words.firstFourBytes(text)
    }

    /// Whether `decode` accepts `text`.
    static func isText(_ text: Span<UInt8>) -> Bool {
        Base64Words.isText(text)
    }

    static func decode(_ text: some StringProtocol) -> [UInt8]? {
        decode(Array(text.utf8).span)
    }

    // MARK: Secrets

    /// Appends the text of a secret. No branch and no address depends on the secret's bits, and no String contains
    /// it.
    static func append(secret bytes: Span<UInt8>, to text: inout SecretBytes) throws(NativeFailure) {
        var bits: UInt32 = 0
        var count: UInt32 = 0
        for index in bytes.indices {
            bits = bits << 8 | UInt32(bytes[index])
            count += 8
            while count >= 6 {
                count -= 6
                try text.append(character(bits >> count & 63))
            }
        }
        if count > 0 { try text.append(character(bits << (6 - count) & 63)) }
    }

    /// A secret's bytes, by the rules of `decode`. No branch and no address depends on a character until it is known
    /// whether all are valid.
    static func decodeSecret(_ text: Span<UInt8>) throws(NativeFailure) -> SecretBytes? {
        guard text.count & 3 != 1 else { return nil }
        var bytes = try SecretBytes(capacity: text.count * 3 / 4)
        var bits: UInt32 = 0
        var count: UInt32 = 0
        var invalid: UInt32 = 0
        for index in text.indices {
            let sextet = sextet(UInt32(text[index]))
            invalid |= sextet >> 6
            bits = bits << 6 | sextet & 63
            count += 6
            if count >= 8 {
                count -= 8
                try bytes.append(UInt8(truncatingIfNeeded: bits >> count))
            }
        }
        // The bits that belong to no byte. If they are not zero, this is a second spelling of the same bytes.
        invalid |= bits & ((1 << count) - 1)
        return invalid == 0 ? consume bytes : nil
    }

    /// All ones where a <= c <= b, for numbers below 2^31.
    @inline(__always) private static func mask(_ c: UInt32, _ a: UInt8, _ b: UInt8) -> UInt32 {
        ~(0 &- ((c &- UInt32(a)) >> 31)) & ~(0 &- ((UInt32(b) &- c) >> 31))
    }

    private static func character(_ sextet: UInt32) -> UInt8 {
        var character: UInt32 = 0
        character |= mask(sextet, 0, 25) & (sextet &+ 65)
        character |= mask(sextet, 26, 51) & (sextet &+ 71)
        character |= mask(sextet, 52, 61) & (sextet &- 4)
        character |= mask(sextet, 62, 62) & UInt32(UInt8(ascii: "-"))
        character |= mask(sextet, 63, 63) & UInt32(UInt8(ascii: "_"))
        return UInt8(truncatingIfNeeded: character)
    }

    /// 64 for a character that is not in the alphabet.
    private static func sextet(_ character: UInt32) -> UInt32 {
        let upper = mask(character, UInt8(ascii: "A"), UInt8(ascii: "Z"))
        let lower = mask(character, UInt8(ascii: "a"), UInt8(ascii: "z"))
        let digit = mask(character, UInt8(ascii: "0"), UInt8(ascii: "9"))
        let dash = mask(character, UInt8(ascii: "-"), UInt8(ascii: "-"))
        let line = mask(character, UInt8(ascii: "_"), UInt8(ascii: "_"))
        return upper & (character &- 65) | lower & (character &- 71) | digit & (character &+ 4) | dash & 62
            | line & 63 | ~(upper | lower | digit | dash | line) & 64
    }
}
