// Points in time as items: tag 1, and tag 1001 for what tag 1 cannot represent exactly. FORMAT §7.
#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A point in time in the form in which it is encoded.
///
/// Foundation counts a Date's seconds from 2001, and tag 1 counts from 1970. The latter count is larger, so half of
/// all present-day Dates would lose their last bit as a Double since 1970 and come back unequal. Those become tag
/// 1001 (RFC 9581) with nanoseconds, which are fine enough to restore them. Near 2001, where a Date is finer, they
/// have attoseconds. (Within two seconds of it, the precision is 10^-15 s.)
package enum CBORTime: Equatable, Sendable {
    /// Tag 1 with an integer: whole seconds since 1970.
    case seconds(Int64)
    /// Tag 1 with a float.
    case float(UInt64)
    /// Tag 1001: seconds since 1970 and a fraction in units of 10^-9 or 10^-18 s.
    case extended(seconds: Int64, scale: Scale, fraction: UInt64)

    package enum Scale: Int64, Sendable {
        case nano = -9
        case atto = -18

        var perSecond: UInt64 { self == .nano ? 1_000_000_000 : 1_000_000_000_000_000_000 }
        var digitCount: Int { Int(-rawValue) }
    }

    private static let secondsFrom1970To2001: Int64 = 978_307_200
    /// Beyond this, whole numbers are not always exact in a Double.
    private static let exactLimit = 9_007_199_254_740_992.0

    init(_ date: Date) {
        let since2001 = date.timeIntervalSinceReferenceDate
        let since1970 = date.timeIntervalSince1970
        if Date(timeIntervalSince1970: since1970) == date || !since2001.isFinite
            || abs(since2001) >= 9e18
        {
            if since1970.isFinite, abs(since1970) < Self.exactLimit, since1970 == since1970.rounded(),
                since1970.sign == .plus || since1970 != 0
            {
                self = .seconds(Int64(since1970))
            } else {
                self = .float(since1970.bitPattern)
            }
            return
        }
        var whole = since2001.rounded(.down)
        var fraction = since2001 - whole
        if fraction == 1 {
            // Just before 2001, a Date is finer than the fraction of its second, which rounds up to a whole second.
            (whole, fraction) = (whole + 1, 0)
        }
        let seconds = Int64(whole) + Self.secondsFrom1970To2001
        let nano = Self.extended(
            seconds: seconds, scale: .nano, fraction: UInt64((fraction * 1e9).rounded(.down)))
        for candidate in [nano, nano.successor] where candidate.date == date {
            self = candidate
            return
        }
        self = .extended(seconds: seconds, scale: .atto, fraction: UInt64((fraction * 1e18).rounded(.down)))
    }

    /// One unit later, within the second.
    private var successor: CBORTime {
        guard case .extended(let seconds, let scale, let fraction) = self, fraction + 1 < scale.perSecond
        else { return self }
        return .extended(seconds: seconds, scale: scale, fraction: fraction + 1)
    }

    var date: Date {
        switch self {
        case .seconds(let seconds):
            return Date(timeIntervalSince1970: Double(seconds))
        case .float(let bits):
            return Date(timeIntervalSince1970: Double(bitPattern: bits))
        case .extended(let seconds, let scale, let fraction):
            let (since2001, overflow) = seconds.subtractingReportingOverflow(Self.secondsFrom1970To2001)
            return Date(
                timeIntervalSinceReferenceDate: Double(overflow ? seconds : since2001)
                    + Double(fraction) / Double(scale.perSecond))
        }
    }

    /// The time in a checked tag 1 or 1001.
    ///
    /// - Parameter node: Returns the tag for 0, and the nodes that follow it.
    @inline(__always)
    init?(checked node: (Int) -> CheckedItem.Node) {
        guard node(0).kind == .tag else { return nil }
        switch node(0).argument {
        case CBORTag.epochTime:
            if let seconds = node(1).int64 {
                self = .seconds(seconds)
            } else {
                self = .float(node(1).argument)
            }
        case CBORTag.extendedTime:
            self.init(extendedTime: { node(1 + $0) })
        default:
            return nil
        }
    }

    /// Reads the content of tag 1001: exactly {1: seconds, -9 or -18: fraction}.
    ///
    /// - Parameter node: Returns the map for 0, and the nodes that follow it.
    @inline(__always)
    init?(extendedTime node: (Int) -> CheckedItem.Node) {
        // A map with two entries has at least four more nodes.
        guard node(0).kind == .map, node(0).argument == 2, let key = node(1).int64, key == 1,
            let seconds = node(2).int64, let key = node(3).int64, let scale = Scale(rawValue: key),
            node(4).kind == .unsigned, node(4).argument < scale.perSecond
        else { return nil }
        self = .extended(seconds: seconds, scale: scale, fraction: node(4).argument)
    }

    /// The most bytes that a time takes: a tag, a map's head and four integers.
    static let mostBytes = 3 + 1 + 4 * 9

    /// How deep tags and maps are nested.
    var levels: Int {
        if case .extended = self { 2 } else { 1 }
    }

    /// There must be room for it.
    func append(to bytes: inout OutputSpan<UInt8>) {
        switch self {
        case .seconds(let seconds):
            bytes.append(.tag, CBORTag.epochTime)
            bytes.append(cborInteger: seconds)
        case .float(let bits):
            bytes.append(.tag, CBORTag.epochTime)
            bytes.append(cborFloat: bits)
        case .extended(let seconds, let scale, let fraction):
            bytes.append(.tag, CBORTag.extendedTime)
            bytes.append(.map, 2)
            bytes.append(cborInteger: 1)
            bytes.append(cborInteger: seconds)
            bytes.append(cborInteger: scale.rawValue)
            bytes.append(.unsigned, fraction)
        }
    }
}

// MARK: Text, for the JSON view

extension CBORTime {
    /// RFC 3339 in UTC: without a fraction for whole seconds, with 9 or 18 digits for tag 1001, and with another
    /// number of digits for a float. If RFC 3339 has no form for it: `@` and the seconds since 1970.
    var text: String {
        switch self {
        case .seconds(let seconds):
            return Timestamp.text(secondsSince1970: seconds) ?? "@\(seconds)"
        case .extended(let seconds, let scale, let fraction):
            let digits = String(fraction)
            let padded = String(repeating: "0", count: scale.digitCount - digits.count) + digits
            return Self.text(seconds, padded) ?? "@\(seconds)+\(padded)"
        case .float(let bits):
            let number = CBORFloat.text(bits)
            let parts = number.split(separator: ".")
            guard parts.count == 2, let seconds = Int64(parts[0]), bits >> 63 == 0,
                parts[1].utf8.allSatisfy(Self.isDigit)
            else { return "@\(number)" }
            let isTaken = parts[1].count == Scale.nano.digitCount || parts[1].count == Scale.atto.digitCount
            return Self.text(seconds, isTaken ? parts[1] + "0" : parts[1]) ?? "@\(number)"
        }
    }

    private static func text(_ seconds: Int64, _ fraction: some StringProtocol) -> String? {
        Timestamp.text(secondsSince1970: seconds).map { "\($0.dropLast()).\(fraction)Z" }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    /// Nil for text that `text` never writes. A float is also read from any number of digits that its own text would
    /// not have.
    init?(text: String) {
        if text.hasPrefix("@") {
            self.init(count: text.dropFirst())
            return
        }
        guard text.utf8.count > 20 else {
            guard let seconds = Timestamp.seconds(text) else { return nil }
            self = .seconds(seconds)
            return
        }
        let fraction = text.dropFirst(20).dropLast()
        guard text.hasSuffix("Z"), text.dropFirst(19).first == ".", !fraction.isEmpty,
            let seconds = Timestamp.seconds(text.prefix(19) + "Z")
        else { return nil }
        self.init(seconds: seconds, fraction: fraction)
    }

    /// Reads the text after `@`.
    private init?(count text: Substring) {
        let parts = text.split(separator: "+", maxSplits: 1, omittingEmptySubsequences: false)
        if parts.count == 2, let seconds = Int64(plain: parts[0]) {
            self.init(seconds: seconds, fraction: parts[1])
            guard case .extended = self else { return nil }
        } else if text.utf8.allSatisfy({ Self.isDigit($0) || $0 == UInt8(ascii: "-") }) {
            // Never a float, which would silently drop digits of a longer number.
            guard let seconds = Int64(plain: text) else { return nil }
            self = .seconds(seconds)
        } else if let bits = CBORFloat.bits(text) {
            self = .float(bits)
        } else {
            return nil
        }
    }

    private init?(seconds: Int64, fraction: Substring) {
        guard fraction.utf8.allSatisfy(Self.isDigit) else { return nil }
        if let scale = [Scale.nano, .atto].first(where: { $0.digitCount == fraction.count }) {
            guard let units = UInt64(fraction) else { return nil }
            self = .extended(seconds: seconds, scale: scale, fraction: units)
        } else {
            guard seconds >= 0, let number = Double("\(seconds).\(fraction)") else { return nil }
            self = .float(number.bitPattern)
        }
    }
}
