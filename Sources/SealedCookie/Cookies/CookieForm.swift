// How one or several cookies carry a token. FORMAT §11.
#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Whether a session that is too large for one cookie may span several.
///
/// Every cookie travels with every request, and servers limit the sum: two full cookies are more than most accept
/// (``ServerLimit/common``).
///
/// The names `name.1` to `name.8` belong to the session's cookie, whether it is split or not: give no other cookie
/// one of them. If a request has such cookies that are not part of its session, they are removed when the session is
/// written, so you can later allow fewer cookies. Only another sealer's cookies, with a key of the same ring, are
/// left alone.
public struct CookieSplitting: Hashable, Sendable {
    /// The most cookies that a session may span.
    public let cookieCount: Int

    /// One cookie. A larger session is an error.
    public static let never = CookieSplitting(cookieCount: 1)
    /// Several cookies if one cannot hold the session. Every server that opens sessions must allow as many as those
    /// that seal them.
    ///
    /// - Parameter cookieCount: The most cookies, 2 to 9.
    /// - Returns: The splitting.
    public static func upTo(_ cookieCount: Int) -> CookieSplitting {
        CookieSplitting(cookieCount: cookieCount)
    }

    static let validCounts = 1...9

    /// The number of cookies that the first one's value declares: `3.S…`. Nil: the value is a whole token.
    package static func count(_ value: Span<UInt8>) -> Int? {
        guard value.count >= 2, value[1] == UInt8(ascii: "."), (0x32...0x39).contains(value[0]) else {
            return nil
        }
        return Int(value[0] - 0x30)
    }

    /// The characters that a part adds: `3.` before the value of the first, `.2` after the name of another.
    static let overhead = 2
}

/// One site's session cookie: its name, its attributes and its capacity. A class, because each sealed session has a
/// reference to it.
@usableFromInline
final class CookieForm: Sendable {
    let name: String
    let nameBytes: [UInt8]
    let attributes: SetCookie.Attributes
    let limits: CookieLimits
    let splitting: CookieSplitting
    /// The characters of a token that fit into one cookie.
    let room: Int
    /// The characters of a token that fit into each of several cookies.
    private let partRoom: Int
    /// The length of the largest token that is written, in as many cookies as are allowed.
    let tokenLimit: Int
    /// The length of the largest token that is read from one cookie, even if a sealer with other limits wrote it
    /// (FORMAT §11).
    let openRoom: Int
    /// The length of the largest token that is read from several cookies.
    let openLimit: Int
    /// Forms that browsers may still have, and that every write removes.
    let formers: [CookieForm]

    /// The length of the smallest token: 47 bytes (FORMAT §5.2).
    static let smallestToken = 63
    /// More than the largest token takes, whatever limits are set.
    static let mostRoom = 1 << 20

    init(
        name: String, attributes: SetCookie.Attributes, limits: CookieLimits, splitting: CookieSplitting,
        formers: [CookieForm] = []
    ) throws(SealerConfigurationError) {
        guard SetCookie.isName(name) else { throw .invalidName(name) }
        let least = CookieLimits.minimumNameAndValue
        guard limits.nameAndValue >= least, limits.attributeValue >= 1, limits.line ?? least >= least,
            limits.response ?? least >= least
        else { throw .invalidLimits }
        guard CookieSplitting.validCounts.contains(splitting.cookieCount) else {
            throw .invalidSplitting(splitting.cookieCount)
        }
        try attributes.check(name: name, limits: limits)
        let nameBytes = Array(name.utf8)
        // The longest line that these attributes can produce.
        let empty = SetCookie(
            name: name, value: "", attributes: attributes, maxAge: SetCookie.maxAgeLimit, now: .distantFuture)
        let emptyCount = empty.description.utf8.count
        let underLine = limits.line.map { $0 - emptyCount } ?? .max
        // Without this room, a response could leave a former cookie in the browser, and its session with it.
        let reserved = Self.headerBytes(formers.flatMap(\.allRemovals))
        let underResponse =
            limits.response.map { $0 - reserved - emptyCount - CookieLimits.headerOverhead } ?? .max
        let room = min(limits.nameAndValue - nameBytes.count, underLine, underResponse, Self.mostRoom)
        guard room >= Self.smallestToken else {
            throw .nameTooLong(byteCount: nameBytes.count, limit: nameBytes.count + room)
        }
        // A part's line is as long as a whole cookie's: its count or number is subtracted from its room.
        let fullCount = reserved + splitting.cookieCount * (emptyCount + room + CookieLimits.headerOverhead)
        if let response = limits.response, splitting.cookieCount > 1, fullCount > response {
            throw .splittingOverResponse(byteCount: fullCount, limit: response)
        }
        self.name = name
        self.nameBytes = nameBytes
        self.attributes = attributes
        self.limits = limits
        self.splitting = splitting
        self.room = room
        partRoom = room - CookieSplitting.overhead
        func limit(_ room: Int) -> Int {
            splitting.cookieCount == 1
                ? room : max(room, splitting.cookieCount * (room - CookieSplitting.overhead))
        }
        tokenLimit = limit(room)
        openRoom = max(room, CookieLimits.rfc6265bis.nameAndValue - nameBytes.count)
        openLimit = limit(openRoom)
        self.formers = formers
    }

    /// How many cookies a token of this length takes, allowed or not.
    func cookieCount(tokenCount: Int) -> Int {
        tokenCount <= room ? 1 : (tokenCount + partRoom - 1) / partRoom
    }

    /// The name of part `index`. The first part keeps the cookie's name.
    func name(ofPart index: Int) -> String { index == 0 ? name : "\(name).\(index)" }

    /// The parts that a session of this sealer may have left in a browser about which nothing is known.
    var ownParts: PartSet { .below(splitting.cookieCount) }

    /// The cookies that carry `token`, and those that remove what a longer one may have left.
    ///
    /// - Parameter stale: Parts that the browser may have. The token's own parts are written, not removed.
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
        // Removals come first: a browser that does not know `Partitioned` may take both for one cookie.
        cookies.insert(contentsOf: formerRemovals(beside: cookies, limit: limits.response), at: 0)
        cookies += removals(of: stale.subtracting(.below(count)), beside: cookies, limit: limits.response)
        return cookies
    }

    /// Removes the session's cookie, `parts` and the former forms. The cookie comes last: curl up to 7.88 forgets
    /// only the last cookie that a response removes.
    ///
    /// - Parameter others: The other cookies of the response, which are not removed.
    func removalCookies(_ parts: PartSet, beside others: [SetCookie], limit: Int?) -> [SetCookie] {
        let cookies = [SetCookie(removing: name, attributes: attributes)].filter { cookie in
            !others.contains { $0.slot == cookie.slot }
        }
        let limit = [limits.response, limit].compactMap(\.self).min()
        guard limit.map({ Self.headerBytes(others + cookies) <= $0 }) ?? true else { return [] }
        let former = formerRemovals(beside: others + cookies, limit: limit)
        return former + removals(of: parts, beside: others + former + cookies, limit: limit) + cookies
    }

    /// Removes this form's cookie and each part that its sealers may have written.
    private var allRemovals: [SetCookie] {
        (0..<splitting.cookieCount).map { SetCookie(removing: name(ofPart: $0), attributes: attributes) }
    }

    /// Removes what browsers may have of the former forms, but nothing that the response writes.
    private func formerRemovals(beside cookies: [SetCookie], limit: Int?) -> [SetCookie] {
        fitting(formers.flatMap(\.allRemovals), beside: cookies, limit: limit)
    }

    /// The removals of `parts` that fit into a response next to `others`. The highest numbers come first: a session
    /// writes its lowest itself, and anyone on a sibling domain can plant eight.
    private func removals(of parts: PartSet, beside others: [SetCookie], limit: Int?) -> [SetCookie] {
        let removals = PartSet.numbers.reversed().filter(parts.contains).map {
            SetCookie(removing: name(ofPart: $0), attributes: attributes)
        }
        return fitting(removals, beside: others, limit: limit).reversed()
    }

    /// Those of the removals that fit into the response, and that remove none of its other cookies.
    private func fitting(_ removals: [SetCookie], beside others: [SetCookie], limit: Int?) -> [SetCookie] {
        // So it is for most responses, and it would take them a third of the time to seal.
        guard !removals.isEmpty else { return [] }
        var room = limit.map { $0 - Self.headerBytes(others) }
        var slots = others.map(\.slot)
        var fitting: [SetCookie] = []
        for removal in removals {
            let slot = removal.slot
            if slots.contains(slot) { continue }
            slots.append(slot)
            if let left = room {
                let rest = left - Self.headerBytes([removal])
                if rest < 0 { break }
                room = rest
            }
            fitting.append(removal)
        }
        return fitting
    }

    /// The bytes that these take in a response's head.
    private static func headerBytes(_ cookies: [SetCookie]) -> Int {
        cookies.reduce(0) { $0 + $1.description.utf8.count + CookieLimits.headerOverhead }
    }

    private func cookie(_ index: Int, _ value: String, _ maxAge: Int?, _ now: Date) -> SetCookie {
        SetCookie(name: name(ofPart: index), value: value, attributes: attributes, maxAge: maxAge, now: now)
    }
}

/// A set of part numbers, 1 to 8.
@usableFromInline
struct PartSet: Hashable, Sendable {
    private var bits: UInt16 = 0

    static let numbers = 1...8
    static let none = PartSet()
    /// The parts that a session in `count` cookies has.
    static func below(_ count: Int) -> PartSet { PartSet(bits: ((1 << UInt16(count)) - 1) & 0x1FE) }

    init() {}
    private init(bits: UInt16) { self.bits = bits }
    init(_ parts: some Sequence<Int>) { for part in parts { insert(part) } }

    func subtracting(_ other: PartSet) -> PartSet { PartSet(bits: bits & ~other.bits) }
    func union(_ other: PartSet) -> PartSet { PartSet(bits: bits | other.bits) }
    func contains(_ part: Int) -> Bool { bits & (1 << UInt16(part)) != 0 }
    mutating func insert(_ part: Int) { bits |= 1 << UInt16(part) }
}
