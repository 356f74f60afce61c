// base64url by table, two characters or four at a time. For what is not secret: table look-ups by a
// secret's bits could be timed. Text/Base64URL.swift says what the encoding is.

enum Base64Words {
    /// Text of `bytes`, without padding.
    static func encode(_ bytes: Span<UInt8>) -> String {
        let count = (bytes.count * 4 + 2) / 3
        return unsafe String(unsafeUninitializedCapacity: count) { text in
            guard let text = text.baseAddress else { return 0 }
            unsafe bytes.withUnsafeBufferPointer { bytes in
                unsafe pairs.withUnsafeBufferPointer { pairs in
                    // Sound: three bytes are read while three are left and make four characters, the
                    // rest makes its two or three: `count` in all. A pair's index has 12 bits.
                    var next = UnsafeMutableRawPointer(text)
                    var index = 0
                    while index + 3 <= bytes.count {
                        let group =
                            unsafe Int(bytes[index]) << 16 | Int(bytes[index + 1]) << 8
                            | Int(bytes[index + 2])
                        unsafe next.storeBytes(of: pairs[group >> 12], as: UInt16.self)
                        unsafe next.storeBytes(of: pairs[group & 0xFFF], toByteOffset: 2, as: UInt16.self)
                        unsafe next += 4
                        index += 3
                    }
                    switch bytes.count - index {
                    case 1:
                        let group = unsafe Int(bytes[index]) << 4
                        unsafe next.storeBytes(of: pairs[group], as: UInt16.self)
                    case 2:
                        let group = unsafe Int(bytes[index]) << 16 | Int(bytes[index + 1]) << 8
                        unsafe next.storeBytes(of: pairs[group >> 12], as: UInt16.self)
                        let last = unsafe UInt16(littleEndian: pairs[group & 0xFFF])
                        unsafe next.storeBytes(of: UInt8(last & 0xFF), toByteOffset: 2, as: UInt8.self)
                    default:
                        break
                    }
                }
            }
            return count
        }
    }

    /// The bytes of `text`; nil where it is not the one spelling of any bytes.
    static func decode(_ text: Span<UInt8>) -> [UInt8]? {
        let rest = text.count & 3
        guard rest != 1 else { return nil }
        // A bit above the 24 of a group for characters outside the alphabet; one behind for bits of
        // the last group that no byte takes.
        var seen: UInt32 = 0
        var unused: UInt32 = 0
        let count = text.count * 3 / 4
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { bytes, initialized in
            initialized = count
            guard let bytes = bytes.baseAddress else { return }
            unsafe text.withUnsafeBufferPointer { text in
                unsafe sextets.withUnsafeBufferPointer { sextets in
                    // Sound: four characters are read while four are left and make three bytes, the
                    // rest makes its one or two: `count` in all. A table's index has 8 bits.
                    var next = unsafe bytes
                    var index = 0
                    while index + 4 <= text.count {
                        let group =
                            unsafe sextets[Int(text[index])] | sextets[256 + Int(text[index + 1])]
                            | sextets[512 + Int(text[index + 2])] | sextets[768 + Int(text[index + 3])]
                        seen |= group
                        unsafe next[0] = UInt8(truncatingIfNeeded: group >> 16)
                        unsafe next[1] = UInt8(truncatingIfNeeded: group >> 8)
                        unsafe next[2] = UInt8(truncatingIfNeeded: group)
                        unsafe next += 3
                        index += 4
                    }
                    guard rest >= 2 else { return }
                    var group = unsafe sextets[Int(text[index])] | sextets[256 + Int(text[index + 1])]
                    if rest == 3 { group |= unsafe sextets[512 + Int(text[index + 2])] }
                    seen |= group
                    unused = rest == 3 ? group & 0xFF : group & 0xFFFF
                    unsafe next[0] = UInt8(truncatingIfNeeded: group >> 16)
                    if rest == 3 { unsafe next[1] = UInt8(truncatingIfNeeded: group >> 8) }
                }
            }
        }
        return seen < 1 << 24 && unused == 0 ? bytes : nil
    }

    /// The first four bytes of `text` as a number, without looking at the rest; nil where its first six
    /// characters are not of the alphabet.
    static func firstFourBytes(_ text: Span<UInt8>) -> UInt32? {
        guard text.count >= 6 else { return nil }
        let group =
            sextets[Int(text[0])] | sextets[256 + Int(text[1])] | sextets[512 + Int(text[2])]
            | sextets[768 + Int(text[3])]
        let next = sextets[Int(text[4])] | sextets[256 + Int(text[5])]
        return (group | next) < 1 << 24 ? group << 8 | next >> 16 : nil
    }

    /// Whether `decode` takes `text`, in a third of its time and up to the first character that is wrong.
    static func isText(_ text: Span<UInt8>) -> Bool {
        let rest = text.count & 3
        guard rest != 1 else { return false }
        return unsafe text.withUnsafeBufferPointer { text in
            var index = 0
            // Sound: 64 characters are read while 64 are left. Without a branch and with signed comparisons,
            // so that the compiler takes 16 at a time.
            while index + 64 <= text.count {
                var wrong: UInt8 = 0
                for place in index..<index &+ 64 {
                    let character = unsafe text[place]
                    // A to Z and a to z moved to -128 and up, 0 to 9 likewise.
                    let isLetter: UInt8 = Int8(bitPattern: (character | 0x20) &+ 0x1F) < -102 ? 1 : 0
                    let isDigit: UInt8 = Int8(bitPattern: character &+ 0x50) < -118 ? 1 : 0
                    let isOther: UInt8 = (character == 0x2D ? 1 : 0) | (character == 0x5F ? 1 : 0)
                    wrong |= (isLetter | isDigit | isOther) ^ 1
                }
                guard wrong == 0 else { return false }
                index += 64
            }
            var seen: UInt32 = 0
            while index < text.count {
                unsafe seen |= sextets[Int(text[index])]
                index += 1
            }
            guard seen < 1 << 24 else { return false }
            // Bits of the last character that no byte takes.
            guard rest >= 2 else { return true }
            let last = unsafe sextets[768 + Int(text[text.count - 1])]
            return last & (rest == 2 ? 0xF : 3) == 0
        }
    }

    private static let alphabet = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    /// For 12 bits their two characters, in the order of memory.
    private static let pairs: [UInt16] = (0..<4096).map { bits in
        UInt16(littleEndian: UInt16(alphabet[bits >> 6]) | UInt16(alphabet[bits & 63]) << 8)
    }

    /// For each of a group's four characters its bits where they belong, bit 31 for no character.
    private static let sextets: [UInt32] = (0..<4).flatMap { place in
        var table = [UInt32](repeating: 1 << 31, count: 256)
        for (bits, character) in alphabet.enumerated() {
            table[Int(character)] = UInt32(bits) << UInt32(18 - 6 * place)
        }
        return table
    }
}
