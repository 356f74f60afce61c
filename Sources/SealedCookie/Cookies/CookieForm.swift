// How a token stands in a cookie, or in several. FORMAT §11.
#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Whether a session that is too large for one cookie may take more.
///
/// Every cookie travels with every request, and servers limit the sum: two full cookies are more than
/// most take (`ServerLimit.common`). The names `name.1` to `name.8` belong to it then: give no other
/// cookie one of them.
public struct CookieSplitting: Hashable, Sendable {
    /// Cookies at the most.
    public let cookieCount: Int

    /// One cookie; a larger session is an error.
    public static let never = CookieSplitting(cookieCount: 1)
    /// Up to this many cookies, 2 to 9. Readers must allow as many as writers do.
    public static func upTo(_ cookieCount: Int) -> CookieSplitting {
        CookieSplitting(cookieCount: cookieCount)
    }

    static let validCounts = 1...9

    /// How many cookies the value of the first one says there are: `3.S…`. Nil: it is a token itself.
    package static func count(_ value: Span<UInt8>) -> Int? {
        guard value.count >= 2, value[1] == UInt8(ascii: "."), (0x32...0x39).contains(value[0]) else {
            return nil
        }
        return Int(value[0] - 0x30)
    }

    /// Characters that a part needs beyond a cookie of its own: `3.` before the value, `.2` behind the name.
    static let overhead = 2
}

/// One site's session cookie: its name, its attributes and how much it may hold. A class: each sealed
/// session has a reference to it.
final class CookieForm: Sendable {
    let name: String
    let nameBytes: [UInt8]
    let attributes: SetCookie.Attributes
    let limits: CookieLimits
    let splitting: CookieSplitting
    /// Characters of a token in one cookie.
    let room: Int
    /// Characters of a token in one of several.
    private let partRoom: Int
    /// Characters of the largest token, in as many cookies as are allowed.
    let tokenLimit: Int

    /// More than the largest token takes, whatever limits are set.
    private static let mostRoom = 1 << 20

    init(
        name: String, attributes: SetCookie.Attributes, limits: CookieLimits, splitting: CookieSplitting
    ) throws(CookieConfigurationError) {
        guard SetCookie.isName(name) else { throw .invalidName(name) }
        let least = CookieLimits.minimumNameAndValue
        guard limits.nameAndValue >= least, limits.attributeValue >= 1, limits.line ?? least >= least else {
            throw .invalidLimits
        }
        guard CookieSplitting.validCounts.contains(splitting.cookieCount) else {
            throw .invalidSplitting(splitting.cookieCount)
        }
        try attributes.check(name: name, limits: limits)
        let nameBytes = Array(name.utf8)
        // The longest line that these attributes make.
        let empty = SetCookie(
            name: name, value: "", attributes: attributes, maxAge: SetCookie.maxAgeLimit, now: .distantFuture)
        let underLine = limits.line.map { $0 - empty.description.utf8.count } ?? .max
        let room = min(limits.nameAndValue - nameBytes.count, underLine, Self.mostRoom)
        guard room >= Token.textCount(payloadByteCount: CompressedPayload.minimumCount) else {
            throw .nameTooLong(byteCount: nameBytes.count, limit: limits.nameAndValue)
        }
        self.name = name
        self.nameBytes = nameBytes
        self.attributes = attributes
        self.limits = limits
        self.splitting = splitting
        self.room = room
        partRoom = room - CookieSplitting.overhead
        tokenLimit = max(room, splitting.cookieCount == 1 ? 0 : splitting.cookieCount * partRoom)
    }

    /// How many cookies a token of this many characters takes, whether or not it may.
    func cookieCount(tokenCount: Int) -> Int {
        tokenCount <= room ? 1 : (tokenCount + partRoom - 1) / partRoom
    }

    /// The name of part `index`: the first keeps the cookie's.
    func name(ofPart index: Int) -> String { index == 0 ? name : "\(name).\(index)" }

    /// The cookies that carry `token`, and those that remove what a longer one may have left.
    ///
    /// - Parameter stale: parts that the browser may have.
    func cookies(for token: String, maxAge: Int?, stale: PartSet, now: Date) -> [SetCookie] {
        let count = cookieCount(tokenCount: token.utf8.count)
        var cookies: [SetCookie] = []
        if count == 1 {
            cookies.append(cookie(0, token, maxAge, now))
        } else {
            var rest = Substring(token)
            for index in 0..<count {
                let part = rest.prefix(partRoom)
                rest = rest.dropFirst(partRoom)
                cookies.append(cookie(index, index == 0 ? "\(count).\(part)" : String(part), maxAge, now))
            }
        }
        for index in max(count, 1)..<max(splitting.cookieCount, count) where stale.contains(index) {
            cookies.append(cookie(index, "", 0, now))
        }
        return cookies
    }

    /// Removes the session's cookie and every part that there may be.
    func removal(now: Date) -> [SetCookie] {
        (0..<splitting.cookieCount).map { cookie($0, "", 0, now) }
    }

    private func cookie(_ index: Int, _ value: String, _ maxAge: Int?, _ now: Date) -> SetCookie {
        SetCookie(name: name(ofPart: index), value: value, attributes: attributes, maxAge: maxAge, now: now)
    }
}

/// A set of part numbers, 1 to 8.
@usableFromInline
struct PartSet: Hashable, Sendable {
    private var bits: UInt16 = 0

    static let none = PartSet()
    static let all = PartSet(bits: 0x1FE)

    func contains(_ part: Int) -> Bool { bits & (1 << UInt16(part)) != 0 }
    mutating func insert(_ part: Int) { bits |= 1 << UInt16(part) }
    /// Whether there is a part of this number or a higher one.
    func hasAny(from part: Int) -> Bool { bits >> UInt16(part) != 0 }
}
