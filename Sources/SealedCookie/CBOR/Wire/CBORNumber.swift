// Integers of up to 128 bits and decimal fractions as items: plain heads, tags 2, 3 and 4. FORMAT §7.
#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// An integer as sign and size: `magnitude`, or -1 - `magnitude` if it is negative.
package struct CBORInteger: Equatable, Sendable {
    var isNegative: Bool
    var magnitude: UInt128

    init(isNegative: Bool, magnitude: UInt128) {
        self.isNegative = isNegative
        self.magnitude = magnitude
    }

    init(_ value: some FixedWidthInteger) {
        isNegative = value < 0
        magnitude = isNegative ? UInt128(truncatingIfNeeded: ~value) : UInt128(truncatingIfNeeded: value)
    }

    /// The integer at `position`, a plain head or a bignum.
    init?(_ index: CheckedItem, at position: Int) {
        let node = index.node(position)
        switch (node.kind, node.argument) {
        case (.unsigned, _): self.init(isNegative: false, magnitude: UInt128(node.argument))
        case (.negative, _): self.init(isNegative: true, magnitude: UInt128(node.argument))
        case (.tag, CBORTag.positiveBignum), (.tag, CBORTag.negativeBignum):
            self.init(
                isNegative: node.argument == CBORTag.negativeBignum,
                magnitude: index.bytes[index.content(position + 1)].reduce(0) { $0 << 8 | UInt128($1) })
        default: return nil
        }
    }

    func exactly<Integer: FixedWidthInteger>(as type: Integer.Type) -> Integer? {
        guard let magnitude = Integer(exactly: magnitude) else { return nil }
        guard isNegative else { return magnitude }
        return Integer.isSigned ? ~magnitude : nil
    }

    var encoded: CBORLeaf {
        var leaf = CBORLeaf()
        if let small = UInt64(exactly: magnitude) {
            leaf.bytes.append(isNegative ? .negative : .unsigned, small)
            return leaf
        }
        leaf.contentCount = 16 - magnitude.leadingZeroBitCount / 8
        leaf.levels = 1
        leaf.bytes.append(.tag, isNegative ? CBORTag.negativeBignum : CBORTag.positiveBignum)
        leaf.bytes.append(.bytes, UInt64(leaf.contentCount))
        for shift in stride(from: (leaf.contentCount - 1) * 8, through: 0, by: -8) {
            leaf.bytes.append(UInt8(truncatingIfNeeded: magnitude >> UInt128(shift)))
        }
        return leaf
    }

    /// Decimal digits, with a sign if it is negative.
    var description: String {
        guard isNegative else { return String(magnitude) }
        let (value, overflow) = magnitude.addingReportingOverflow(1)
        // 2^128 itself is one more than UInt128 can hold.
        return overflow ? "-340282366920938463463374607431768211456" : "-" + String(value)
    }

    /// Reads what `description` writes, and nothing else.
    init?(_ text: String) {
        if text.hasPrefix("-") {
            if text == "-340282366920938463463374607431768211456" {
                self.init(isNegative: true, magnitude: .max)
                return
            }
            guard let value = UInt128(text.dropFirst()), value > 0 else { return nil }
            self.init(isNegative: true, magnitude: value - 1)
        } else {
            guard let value = UInt128(text) else { return nil }
            self.init(isNegative: false, magnitude: value)
        }
        guard description == text else { return nil }
    }
}

/// A decimal number as mantissa × 10^exponent (RFC 8949 §3.4.4), without trailing zeros.
package struct CBORDecimal: Equatable, Sendable {
    let exponent: Int64
    let mantissa: CBORInteger

    init(exponent: Int64, mantissa: CBORInteger) {
        self.exponent = exponent
        self.mantissa = mantissa
    }

    /// Nil for NaN.
    init?(_ value: Decimal) {
        // Not from its description, of up to 166 digits, each of which costs Foundation a division.
        guard !value.isNaN, let form = DecimalForm(of: value) else { return nil }
        guard form.mantissa != 0 else {
            self.init(exponent: 0, mantissa: CBORInteger(0))
            return
        }
        self = Self(exponent: Int64(form.exponent), isNegative: form.isNegative, size: form.mantissa).shortest
    }

    /// The same number without zeros at the end of its mantissa.
    private var shortest: CBORDecimal {
        guard var size, size & 1 == 0, size != 0 else { return self }
        var exponent = exponent
        // 10^38 is the last power of ten that fits.
        for count in [16, 16, 8, 4, 2, 1] {
            let (sum, overflow) = exponent.addingReportingOverflow(Int64(count))
            guard !overflow, let shorter = Self.scaled(size, by: Int64(-count)) else { continue }
            (size, exponent) = (shorter, sum)
        }
        return Self(exponent: exponent, isNegative: mantissa.isNegative, size: size)
    }

    /// - Parameter size: The mantissa without its sign, not 0.
    private init(exponent: Int64, isNegative: Bool, size: UInt128) {
        self.init(
            exponent: exponent,
            mantissa: CBORInteger(isNegative: isNegative, magnitude: isNegative ? size - 1 : size))
    }

    /// The fraction in a checked tag 4 at `position`.
    init?(_ index: CheckedItem, at position: Int) {
        let node = index.node(position)
        guard node.kind == .tag, node.argument == CBORTag.decimalFraction,
            let exponent = CBORInteger(index, at: position + 2)?.exactly(as: Int64.self),
            let mantissa = CBORInteger(index, at: index.node(position + 2).next)
        else { return nil }
        self.exponent = exponent
        self.mantissa = mantissa
    }

    /// Nil if Foundation's Decimal cannot represent it exactly.
    var decimal: Decimal? {
        // -2^128 has one digit too many, and no zeros to drop.
        guard var size else { return nil }
        guard size != 0 else { return Decimal() }
        var exponent = exponent
        // A Decimal's exponent is one byte. A larger one becomes zeros in the digits, but only if Decimal parses it.
        let shortest = exponent > 89 ? shortest : self
        if shortest.exponent > 127 {
            guard shortest.exponent <= 165, let digits = shortest.size,
                let padded = Self.scaled(digits, by: shortest.exponent - 127),
                let value = Decimal(string: (mantissa.isNegative ? "-" : "") + "\(padded)e127"),
                CBORDecimal(value) == shortest
            else { return nil }
            return value
        }
        if exponent < -128 {
            let (places, overflow) = exponent.addingReportingOverflow(128)
            guard !overflow, let shorter = Self.scaled(size, by: places) else { return nil }
            (size, exponent) = (shorter, -128)
        }
        var significand = Decimal(UInt64(truncatingIfNeeded: size))
        if size > UInt128(UInt64.max) { significand += Decimal(UInt64(size >> 64)) * Self.twoTo64 }
        let value = Decimal(
            sign: mantissa.isNegative ? .minus : .plus, exponent: Int(exponent), significand: significand)
        return value.isNaN ? nil : value
    }

    private static let twoTo64 = Decimal(UInt64.max) + 1
    /// All powers within 128 bits: 1 to 10^38.
    private static let powersOfTen: [UInt128] = (1...38).reduce(into: [1]) { powers, last in
        powers.append(10 * powers[last - 1])
    }

    /// The mantissa without its sign; nil for 2^128.
    private var size: UInt128? {
        guard mantissa.isNegative else { return mantissa.magnitude }
        return mantissa.magnitude < .max ? mantissa.magnitude + 1 : nil
    }

    /// `size`, not 0, times ten to the power of `exponent`, if that is a whole number of at most 128 bits.
    private static func scaled(_ size: UInt128, by exponent: Int64) -> UInt128? {
        guard (-38...38).contains(exponent) else { return nil }
        let power = powersOfTen[Int(abs(exponent))]
        if exponent < 0 {
            let (quotient, remainder) = size.quotientAndRemainder(dividingBy: power)
            return remainder == 0 ? quotient : nil
        }
        let (product, overflow) = size.multipliedReportingOverflow(by: power)
        return overflow ? nil : product
    }

    /// The number with an exponent, such as `-125e-2`.
    var text: String {
        "\(mantissa.description)e\(exponent)"
    }

    /// The number, if it is whole and has at most 128 bits.
    var integer: CBORInteger? {
        guard exponent != 0 else { return mantissa }
        guard let size else { return nil }
        guard size != 0 else { return CBORInteger(0) }
        guard let whole = Self.scaled(size, by: exponent) else { return nil }
        return CBORDecimal(exponent: 0, isNegative: mantissa.isNegative, size: whole).mantissa
    }

    var encoded: CBORLeaf {
        let digits = mantissa.encoded
        var leaf = CBORLeaf(contentCount: digits.contentCount, levels: digits.levels + 2)
        leaf.bytes.append(.tag, CBORTag.decimalFraction)
        leaf.bytes.append(.array, 2)
        leaf.bytes.append(cborInteger: exponent)
        leaf.bytes += digits.bytes
        return leaf
    }
}

extension CBORDecimal {
    /// Reads what `text` writes, and also numbers such as `-1.25`, `0.5` and `12`.
    init?(text: String) {
        let parts = text.split(separator: "e", maxSplits: 1, omittingEmptySubsequences: false)
        let exponent = parts.count == 2 ? Int64(plain: parts[1]) : 0
        guard let number = parts.first, let exponent else { return nil }
        let isNegative = number.utf8.first == UInt8(ascii: "-")
        let point = number.dropFirst(isNegative ? 1 : 0)
            .split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        let whole = point[0].utf8
        // No leading zeros, and at least one digit after a point. Integers are not used here: with its sign, a
        // mantissa goes as far as -2^128.
        guard point.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }),
            whole.count == 1 || whole.first != 0x30
        else { return nil }
        let digits = point.joined().drop { $0 == "0" }
        let (shifted, overflow) = exponent.subtractingReportingOverflow(
            point.count == 2 ? Int64(point[1].utf8.count) : 0)
        // `CBORInteger` has no minus zero.
        guard !overflow,
            let mantissa = CBORInteger((isNegative ? "-" : "") + (digits.isEmpty ? "0" : digits))
        else { return nil }
        self.init(exponent: shifted, mantissa: mantissa)
    }
}

extension Int64 {
    /// Reads what `description` writes, without `+` and leading zeros.
    init?(plain text: some StringProtocol) {
        guard let value = Int64(text), value.description == text else { return nil }
        self = value
    }
}
