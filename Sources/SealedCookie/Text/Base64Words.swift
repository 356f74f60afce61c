// base64url by table, eight characters at a time. Not for secrets: lookups that depend on a secret's bits could be
// timed. Text/Base64URL.swift describes the encoding.

// One character at a time, a seal and an open of a login take 77 to 133 % more instructions.
enum Base64Words {
    /// The text of `bytes`, without padding.
    static func encode(_ bytes: Span<UInt8>) -> String {
        let count = (bytes.count * 4 + 2) / 3
        return unsafe String(unsafeUninitializedCapacity: count) { text in
            guard let text = text.baseAddress else { return 0 }
            unsafe bytes.withUnsafeBytes { bytes in
                unsafe pairs.withUnsafeBufferPointer { pairs in
                    unsafe encode(bytes, pairs, into: UnsafeMutableRawPointer(text))
                }
            }
            return count
        }
    }

    /// - Parameter text: Has room for the text of all `bytes`.
    @inline(__always)
    private static func encode(
        _ bytes: UnsafeRawBufferPointer, _ pairs: UnsafeBufferPointer<UInt16>,
        into text: UnsafeMutableRawPointer
    ) {
        var next = unsafe text
        var index = 0
        // Sound: eight bytes are read while eight are left, and six of them make eight characters. Then three make
        // four while three are left, and the rest make their two or three: the whole text. A pair's index has 12
        // bits.
        while index &+ 8 <= bytes.count {
            let word = unsafe UInt64(
                bigEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self))
            for pair in 0..<4 {
                let bits = Int(truncatingIfNeeded: word >> UInt64(52 - 12 * pair)) & 0xFFF
                unsafe next.storeBytes(
                    of: UInt16(littleEndian: pairs[bits]), toByteOffset: 2 * pair, as: UInt16.self)
            }
            unsafe next += 8
            index &+= 6
        }
        while index + 3 <= bytes.count {
            let group = unsafe Int(bytes[index]) << 16 | Int(bytes[index + 1]) << 8 | Int(bytes[index + 2])
            let both = unsafe UInt32(pairs[group >> 12]) | UInt32(pairs[group & 0xFFF]) << 16
            unsafe next.storeBytes(of: UInt32(littleEndian: both), as: UInt32.self)
            unsafe next += 4
            index += 3
        }
        switch bytes.count - index {
        case 1:
            let pair = unsafe pairs[Int(bytes[index]) << 4]
            unsafe next.storeBytes(of: UInt16(littleEndian: pair), as: UInt16.self)
        case 2:
            let group = unsafe Int(bytes[index]) << 16 | Int(bytes[index + 1]) << 8
            unsafe next.storeBytes(of: UInt16(littleEndian: pairs[group >> 12]), as: UInt16.self)
            let last = unsafe UInt8(truncatingIfNeeded: pairs[group & 0xFFF])
            unsafe next.storeBytes(of: last, toByteOffset: 2, as: UInt8.self)
        default:
            break
        }
    }

    /// Appends the bytes of `text`; false if it is not the only spelling of any bytes.
    static func decode(_ text: Span<UInt8>, appendingTo bytes: inout [UInt8]) -> Bool {
        guard text.count & 3 != 1 else { return false }
        guard !text.isEmpty else { return true }
        let count = text.count * 3 / 4
        var isValid = false
        bytes.append(addingCapacity: count) { free in
            unsafe free.withUnsafeMutableBufferPointer { bytes, initialized in
                initialized = count
                guard let bytes = bytes.baseAddress else { return }
                unsafe text.withUnsafeBytes { text in
                    unsafe sextets.withUnsafeBufferPointer { sextets in
                        isValid = unsafe decode(text, sextets, into: UnsafeMutableRawPointer(bytes))
                    }
                }
            }
        }
        return isValid
    }

    /// - Parameter bytes: Has room for the bytes of all of `text`, whose length is possible.
    /// - Returns: Whether it is valid.
    @inline(__always)
    private static func decode(
        _ text: UnsafeRawBufferPointer, _ sextets: UnsafeBufferPointer<UInt32>,
        into bytes: UnsafeMutableRawPointer
    ) -> Bool {
        // A bit above the 24 of a group for each character outside the alphabet, and bits of the last group that
        // belong to no byte.
        var seen: UInt32 = 0
        var unused: UInt32 = 0
        @inline(__always) func group(_ index: Int) -> UInt32 {
            unsafe sextets[Int(text[index])] | sextets[256 + Int(text[index + 1])]
                | sextets[512 + Int(text[index + 2])] | sextets[768 + Int(text[index + 3])]
        }
        var next = unsafe bytes
        var index = 0
        // Sound: eight characters make six bytes, and a store of eight stays inside while four more characters
        // follow, which make three. Then four make three while four are left, and the rest make their one or two. A
        // table's index has 8 bits.
        while index + 12 <= text.count {
            let (first, second) = (group(index), group(index + 4))
            seen |= first | second
            let six = UInt64(first) << 40 | UInt64(second) << 16
            unsafe next.storeBytes(of: six.bigEndian, as: UInt64.self)
            unsafe next += 6
            index += 8
        }
        while index + 4 <= text.count {
            let three = group(index)
            seen |= three
            unsafe next.storeBytes(of: UInt8(truncatingIfNeeded: three >> 16), as: UInt8.self)
            unsafe next.storeBytes(
                of: UInt16(truncatingIfNeeded: three).bigEndian, toByteOffset: 1, as: UInt16.self)
            unsafe next += 3
            index += 4
        }
        let rest = text.count - index
        if rest >= 2 {
            var last = unsafe sextets[Int(text[index])] | sextets[256 + Int(text[index + 1])]
            if rest == 3 { last |= unsafe sextets[512 + Int(text[index + 2])] }
            seen |= last
            unused = rest == 3 ? last & 0xFF : last & 0xFFFF
            unsafe next.storeBytes(of: UInt8(truncatingIfNeeded: last >> 16), as: UInt8.self)
            if rest == 3 {
                unsafe next.storeBytes(
                    of: UInt8(truncatingIfNeeded: last >> 8), toByteOffset: 1, as: UInt8.self)
            }
        }
        return seen < 1 << 24 && unused == 0
    }

    /// The first four bytes of `text` as a number, without validating the rest; nil if its first six characters are
    /// not in the alphabet.
    static func firstFourBytes(_ text: Span<UInt8>) -> UInt32? {
        guard text.count >= 6 else { return nil }
        let group =
            sextets[Int(text[0])] | sextets[256 + Int(text[1])] | sextets[512 + Int(text[2])]
            | sextets[768 + Int(text[3])]
        let next = sextets[Int(text[4])] | sextets[256 + Int(text[5])]
        return (group | next) < 1 << 24 ? group << 8 | next >> 16 : nil
    }

    /// Whether `decode` accepts `text`. It takes a third of the time, and stops at the first wrong character.
    static func isText(_ text: Span<UInt8>) -> Bool {
        let rest = text.count & 3
        guard rest != 1 else { return false }
        return unsafe text.withUnsafeBufferPointer { text in
            // Sound: 64 characters are read if there are as many. The last 64 may overlap those before.
            if text.count >= 64 {
                var index = 0
                while index < text.count {
                    guard unsafe isText(text, from: min(index, text.count - 64)) else { return false }
                    index += 64
                }
            } else {
                var seen: UInt32 = 0
                for index in text.indices { unsafe seen |= sextets[Int(text[index])] }
                guard seen < 1 << 24 else { return false }
            }
            // The bits of the last character that belong to no byte.
            guard rest >= 2 else { return true }
            let last = unsafe sextets[768 + Int(text[text.count - 1])]
            return last & (rest == 2 ? 0xF : 3) == 0
        }
    }

    /// Whether 64 characters are in the alphabet.
    @inline(__always)
    private static func isText(_ text: UnsafeBufferPointer<UInt8>, from start: Int) -> Bool {
        // The distance of a character from the alphabet: 25 or less means inside. Minimum and maximum replace
        // branches and comparisons, so the compiler makes one instruction for 16 characters.
        var farthest: UInt8 = 0
        for index in start..<start &+ 64 {
            let character = unsafe text[index]
            let other = plus(min(character ^ UInt8(ascii: "-"), character ^ UInt8(ascii: "_")), 25)
            let digit = plus(character &- UInt8(ascii: "0"), 25 - 9)
            let letter = (character | 0x20) &- UInt8(ascii: "a")
            farthest = max(farthest, min(min(other, digit), letter))
        }
        return farthest <= 25
    }

    /// The sum, at most 255.
    @inline(__always)
    private static func plus(_ a: UInt8, _ b: UInt8) -> UInt8 { min(a, 255 &- b) &+ b }

    private static let alphabet = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    /// For each 12 bits, their two characters, with the first in the lower byte.
    private static let pairs: [UInt16] = (0..<4096).map { bits in
        UInt16(alphabet[bits >> 6]) | UInt16(alphabet[bits & 63]) << 8
    }

    /// For each of a group's four positions: a character's bits, shifted to where they belong, and bit 31 for an
    /// invalid character.
    private static let sextets: [UInt32] = (0..<4).flatMap { index in
        var table = [UInt32](repeating: 1 << 31, count: 256)
        for (bits, character) in alphabet.enumerated() {
            table[Int(character)] = UInt32(bits) << UInt32(18 - 6 * index)
        }
        return table
    }
}
