// The head of every CBOR item: major type and argument (RFC 8949 §3), in the shortest form.

/// The eight major types of RFC 8949 §3.1.
enum CBORMajor: UInt8 {
    case unsigned, negative, bytes, text, array, map, tag, simple

    /// The major type in an item's first byte.
    @inline(__always)
    init(head: UInt8) {
        switch head >> 5 {
        case 0: self = .unsigned
        case 1: self = .negative
        case 2: self = .bytes
        case 3: self = .text
        case 4: self = .array
        case 5: self = .map
        case 6: self = .tag
        default: self = .simple
        }
    }
}

/// The tags that a session may contain. FORMAT §7 lists them; every other tag is refused.
enum CBORTag {
    static let epochTime: UInt64 = 1
    static let positiveBignum: UInt64 = 2
    static let negativeBignum: UInt64 = 3
    static let decimalFraction: UInt64 = 4
    static let embeddedItem: UInt64 = 24
    static let url: UInt64 = 32
    static let uuid: UInt64 = 37
    static let extendedTime: UInt64 = 1001
}

enum CBORLimits {
    /// The most values that a sealer accepts if its largest item has this many bytes.
    static func mostValues(ofItem bytes: Int) -> Int { max(4096, bytes / 4) }
    /// The most containers, tags and embedded items inside one another.
    static let depth = 64
    /// The bytes of the format's largest item. A sealer accepts fewer (`itemLimit`).
    static let itemBytes = 65_536
}

extension ByteSink where Self: ~Copyable & ~Escapable {
    /// Appends a head with the shortest argument (RFC 8949 §4.2.1).
    @inline(__always)
    mutating func append(_ major: CBORMajor, _ argument: UInt64) {
        let type = major.rawValue << 5
        if argument < 24 {
            append(type | UInt8(truncatingIfNeeded: argument))
        } else {
            appendLong(type, argument)
        }
    }

    /// Separate, so that the short heads, which are the most frequent, can be inlined.
    @inline(never)
    private mutating func appendLong(_ type: UInt8, _ argument: UInt64) {
        switch argument {
        case ...0xFF:
            append(type | 24)
            append(UInt8(truncatingIfNeeded: argument))
        case ...0xFFFF:
            append(type | 25)
            append(bigEndian: argument, byteCount: 2)
        case ...0xFFFF_FFFF:
            append(type | 26)
            append(bigEndian: argument, byteCount: 4)
        default:
            append(type | 27)
            append(bigEndian: argument, byteCount: 8)
        }
    }
}

extension [UInt8] {
    mutating func append(cborText text: String) {
        // A head has at most 9 bytes.
        append(addingCapacity: 9 + text.utf8.count) { $0.append(cborText: text) }
    }
}

extension OutputSpan<UInt8> {
    /// There must be room for it.
    @inline(__always)
    mutating func append(cborText text: String) {
        let bytes = text.utf8.span
        append(.text, UInt64(bytes.count))
        append(copying: bytes)
    }
}

extension ByteSink where Self: ~Copyable & ~Escapable {
    @inline(__always)
    mutating func append(cborInteger value: Int64) {
        if value >= 0 {
            append(.unsigned, UInt64(value))
        } else {
            // -1 - n, without overflow at the lower end.
            append(.negative, ~UInt64(bitPattern: value))
        }
    }

    /// Appends the shortest of the half, single and double forms that keeps every bit, including a NaN's payload.
    mutating func append(cborFloat bits: UInt64) {
        switch CBORFloat.shortest(bits) {
        case .half(let half):
            append(0xF9)
            append(bigEndian: UInt64(half), byteCount: 2)
        case .single(let single):
            append(0xFA)
            append(bigEndian: UInt64(single), byteCount: 4)
        case .double(let double):
            append(0xFB)
            append(bigEndian: double, byteCount: 8)
        }
    }
}

/// Widens and narrows IEEE 754 numbers by their bits, so that NaN payloads survive.
enum CBORFloat {
    enum Shortest {
        case half(UInt16)
        case single(UInt32)
        case double(UInt64)
    }

    static func shortest(_ bits: UInt64) -> Shortest {
        let double = Double(bitPattern: bits)
        if double.isNaN {
            // The conversions below would set the quiet bit, so the payload is cut by hand.
            let sign = bits >> 63
            let payload = bits & 0x000F_FFFF_FFFF_FFFF
            if payload & 0x0000_03FF_FFFF_FFFF == 0 {
                return .half(UInt16(sign << 15 | 0x7C00 | payload >> 42))
            }
            if payload & 0x1FFF_FFFF == 0 {
                return .single(UInt32(sign << 31 | 0x7F80_0000 | payload >> 29))
            }
            return .double(bits)
        }
        let single = Float(double)
        guard Double(single) == double else { return .double(bits) }
        let half = Float16(single)
        guard Float(half) == single else { return .single(single.bitPattern) }
        return .half(half.bitPattern)
    }

    /// Reads the number as JSON writes it, or `inf`, `-inf`, `nan`, or another NaN's bits as `0x` and 16 digits.
    static func bits(_ text: some StringProtocol) -> UInt64? {
        switch text {
        case "inf": return Double.infinity.bitPattern
        case "-inf": return (-Double.infinity).bitPattern
        case "nan": return Double.nan.bitPattern
        default:
            if text.hasPrefix("0x") {
                guard let bits = UInt64(text.dropFirst(2), radix: 16), text.utf8.count == 18 else {
                    return nil
                }
                return Double(bitPattern: bits).isNaN ? bits : nil
            }
            // Swift's own parser accepts more: hexadecimal floats, words, and numbers beyond a double.
            let text = String(text)
            guard case .number(text)? = try? JSONTree(parsing: Array(text.utf8)), let number = Double(text),
                number.isFinite
            else { return nil }
            return number.bitPattern
        }
    }

    /// Writes the text that `bits(_:)` reads.
    static func text(_ bits: UInt64) -> String {
        let number = Double(bitPattern: bits)
        return number.isNaN && bits != Double.nan.bitPattern ? "0x" + String(bits, radix: 16) : "\(number)"
    }

    static func widen(half: UInt16) -> UInt64 {
        let value = Float16(bitPattern: half)
        guard value.isNaN else { return Double(value).bitPattern }
        return UInt64(half >> 15) << 63 | 0x7FF0_0000_0000_0000 | UInt64(half & 0x3FF) << 42
    }

    static func widen(single: UInt32) -> UInt64 {
        let value = Float(bitPattern: single)
        guard value.isNaN else { return Double(value).bitPattern }
        return UInt64(single >> 31) << 63 | 0x7FF0_0000_0000_0000 | UInt64(single & 0x7F_FFFF) << 29
    }

    /// The single-precision number with exactly this value, if there is one.
    static func narrowToSingle(_ bits: UInt64) -> Float? {
        switch shortest(bits) {
        case .half, .single:
            let double = Double(bitPattern: bits)
            guard double.isNaN else { return Float(double) }
            return Float(
                bitPattern: UInt32(bits >> 63) << 31 | 0x7F80_0000
                    | UInt32((bits & 0x000F_FFFF_FFFF_FFFF) >> 29))
        case .double:
            return nil
        }
    }
}
