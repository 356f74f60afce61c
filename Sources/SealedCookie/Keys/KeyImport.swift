// Reads a key that a secret manager made, as text, for the command line tool.
#if canImport(FoundationEssentials)
    package import FoundationEssentials
#else
    package import Foundation
#endif

extension SealingKey {
    /// Reads the text of a key's 32 bytes from an open file, such as standard input: 64 hexadecimal digits, base64 or
    /// base64url with or without padding, or `sck1_` and base64url. Surrounding white space is ignored.
    ///
    /// The text is in memory that is wiped, and never in a String.
    ///
    /// - Throws: `KeyRingError`: `.notAKey` for any other text.
    package static func importing(
        textFrom descriptor: Int32, source: String, activeFrom: Date?
    ) throws(KeyRingError) -> SealingKey {
        // The longest spelling has 64 characters. The rest is room for white space.
        let file = try KeyRingError.reading(source) { () throws(SystemFailure) in
            try SecretFile.read(descriptor, limit: 1024, orPipe: true)
        }
        let decoded = try KeyRingError.unlessItFails(source) { () throws(NativeFailure) in
            try file.bytes.withSpan { text throws(NativeFailure) in try Self.bytes(of: text) }
        }
        guard let decoded else { throw KeyRingError(source: source, line: nil, problem: .notAKey) }
        return try decoded.withSpan { bytes throws(KeyRingError) in
            try SealingKey(importing: bytes, activeFrom: activeFrom)
        }
    }

    private static func bytes(of text: Span<UInt8>) throws(NativeFailure) -> SecretBytes? {
        func isBlank(_ index: Int) -> Bool { [0x20, 0x09, 0x0A, 0x0D].contains(text[index]) }
        var (start, end) = (0, text.count)
        while start < end, isBlank(start) { start += 1 }
        while end > start, isBlank(end - 1) { end -= 1 }
        if end - start == 2 * XAESKey.keyLength { return try hexadecimal(text.extracting(start..<end)) }
        let prefix = Array(KeyRing.secretPrefix.utf8)
        if end - start > prefix.count, prefix.indices.allSatisfy({ text[start + $0] == prefix[$0] }) {
            start += prefix.count
        } else if end - start == Base64URL.encodedCount(XAESKey.keyLength) + 1,
            text[end - 1] == UInt8(ascii: "=")
        {
            end -= 1
        }
        guard end - start == Base64URL.encodedCount(XAESKey.keyLength) else { return nil }
        var characters = try SecretBytes(capacity: end - start)
        for index in start..<end {
            // The two characters of base64 that base64url spells differently.
            switch text[index] {
            case UInt8(ascii: "+"): try characters.append(UInt8(ascii: "-"))
            case UInt8(ascii: "/"): try characters.append(UInt8(ascii: "_"))
            case let character: try characters.append(character)
            }
        }
        return try characters.withSpan { span throws(NativeFailure) in try Base64URL.decodeSecret(span) }
    }

    private static func hexadecimal(_ text: Span<UInt8>) throws(NativeFailure) -> SecretBytes? {
        var bytes = try SecretBytes(capacity: text.count / 2)
        for index in stride(from: 0, to: text.count, by: 2) {
            guard let high = digit(text[index]), let low = digit(text[index + 1]) else { return nil }
            try bytes.append(high << 4 | low)
        }
        return consume bytes
    }

    private static func digit(_ character: UInt8) -> UInt8? {
        switch character {
        case 0x30...0x39: character - 0x30
        case 0x41...0x46: character - 0x41 + 10
        case 0x61...0x66: character - 0x61 + 10
        default: nil
        }
    }
}
