// base64url without padding (RFC 4648 §5), the outermost form of a token. FORMAT §2.

enum Base64URL {
    static func encodedCount(_ byteCount: Int) -> Int {
        (byteCount * 4 + 2) / 3
    }

    /// The base64url text of `bytes`, without padding.
    static func encode(_ bytes: Span<UInt8>) -> String {
        String(utf8Count: encodedCount(bytes.count)) { output in
            encode(bytes) { output.append($0) }
        }
    }

    /// The characters one at a time, for text that must not be left in a `String`.
    static func encode<Failure: Error>(
        _ bytes: Span<UInt8>, to write: (UInt8) throws(Failure) -> Void
    ) throws(Failure) {
        var index = 0
        while index + 3 <= bytes.count {
            let group = UInt32(bytes[index]) << 16 | UInt32(bytes[index + 1]) << 8 | UInt32(bytes[index + 2])
            try write(character(group >> 18))
            try write(character(group >> 12))
            try write(character(group >> 6))
            try write(character(group))
            index += 3
        }
        switch bytes.count - index {
        case 1:
            let group = UInt32(bytes[index]) << 16
            try write(character(group >> 18))
            try write(character(group >> 12))
        case 2:
            let group = UInt32(bytes[index]) << 16 | UInt32(bytes[index + 1]) << 8
            try write(character(group >> 18))
            try write(character(group >> 12))
            try write(character(group >> 6))
        default:
            break
        }
    }

    /// The bytes of `text`, or nil where it is not the one base64url form of any bytes: a character
    /// outside the alphabet, padding, white space, an impossible length, or trailing bits that are
    /// not zero.
    static func decode(_ text: Span<UInt8>) -> [UInt8]? {
        guard text.count & 3 != 1 else { return nil }
        var valid = false
        let bytes = [UInt8](capacity: text.count * 3 / 4) { output in
            valid = decode(text) { output.append($0) }
        }
        return valid ? bytes : nil
    }

    /// As `decode`, into memory that is wiped.
    static func decodeSecret(_ text: Span<UInt8>) throws(NativeFailure) -> SecretBytes? {
        guard text.count & 3 != 1 else { return nil }
        var bytes = try SecretBytes(capacity: text.count * 3 / 4)
        let valid = try decode(text) { byte throws(NativeFailure) in try bytes.append(byte) }
        return valid ? consume bytes : nil
    }

    /// Writes the bytes one at a time.
    ///
    /// - Returns: whether they were valid: what was written otherwise means nothing.
    @inline(__always)
    private static func decode<Failure: Error>(
        _ text: Span<UInt8>, to write: (UInt8) throws(Failure) -> Void
    ) throws(Failure) -> Bool {
        // Every sextet is or-ed in here: a value above 63 is not of the alphabet. No branch depends
        // on a character, which may be a secret's.
        var seen: UInt32 = 0
        var index = 0
        while index + 4 <= text.count {
            let (a, b, c, d) = (
                value(text[index]), value(text[index + 1]), value(text[index + 2]), value(text[index + 3])
            )
            seen |= a | b | c | d
            let group = a << 18 | b << 12 | c << 6 | d
            try write(UInt8(truncatingIfNeeded: group >> 16))
            try write(UInt8(truncatingIfNeeded: group >> 8))
            try write(UInt8(truncatingIfNeeded: group))
            index += 4
        }
        let rest = text.count - index
        guard rest >= 2 else { return seen < 64 }
        let (a, b) = (value(text[index]), value(text[index + 1]))
        let c = rest == 3 ? value(text[index + 2]) : 0
        seen |= a | b | c
        let group = a << 18 | b << 12 | c << 6
        try write(UInt8(truncatingIfNeeded: group >> 16))
        if rest == 3 { try write(UInt8(truncatingIfNeeded: group >> 8)) }
        // The bits that no byte takes: a second spelling of the same bytes if not zero.
        let unused: UInt32 = rest == 3 ? 0xFF : 0xFFFF
        return seen < 64 && group & unused == 0
    }

    static func decode(_ text: some StringProtocol) -> [UInt8]? {
        decode(Array(text.utf8).span)
    }

    @inline(__always) private static func character(_ sextet: UInt32) -> UInt8 {
        alphabet[Int(sextet & 63)]
    }

    @inline(__always) private static func value(_ character: UInt8) -> UInt32 {
        UInt32(values[Int(character)])
    }

    private static let alphabet: InlineArray<64, UInt8> = {
        let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
        return InlineArray { letters[$0] }
    }()

    /// 64, which no sextet reaches, for what is not of the alphabet.
    private static let values: InlineArray<256, UInt8> = {
        var values = InlineArray<256, UInt8>(repeating: 64)
        for index in 0..<64 { values[Int(alphabet[index])] = UInt8(index) }
        return values
    }()
}
