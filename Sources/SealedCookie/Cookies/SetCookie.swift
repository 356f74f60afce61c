// The Set-Cookie header (RFC 6265bis §4.1).
#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// One `Set-Cookie` header's value.
public struct SetCookie: Hashable, Sendable, CustomStringConvertible {
    /// The requests from other sites with which browsers send a cookie.
    public enum SameSite: String, Hashable, Sendable, CaseIterable {
        case strict = "Strict"
        case lax = "Lax"
        /// Sent with every request, from whatever site; needs `Secure`.
        case none = "None"
        /// The attribute is left out. Chromium then takes `Lax`, but sends a cookie of up to 2 minutes with
        /// cross-site POSTs, as SAML and OpenID Connect make them; Firefox and Safari send it always.
        case unspecified = ""
    }

    /// Which cookies Chromium gives up first where a site has too many; other browsers ignore it.
    public enum Priority: String, Hashable, Sendable, CaseIterable {
        case low = "Low"
        case medium = "Medium"
        case high = "High"
    }

    /// Where and how a browser may send the cookie back. The defaults are the strictest that a
    /// session works with.
    public struct Attributes: Hashable, Sendable {
        /// The path below which browsers send it; begins with `/`.
        public var path: String
        /// Nil: the host alone, without its subdomains. Else a name in ASCII of two labels at least. For a single label
        /// (`localhost`) or an IP address browsers drop the cookie or take it for that host alone: without `Domain` it is
        /// the same, and plain. So it is with a public suffix such as `co.uk`, which nothing here can tell from others.
        public var domain: String?
        /// Whether browsers send it over https alone.
        public var isSecure: Bool
        /// Whether it is out of reach of the page's scripts.
        public var isHTTPOnly: Bool
        /// With which requests from other sites browsers send it.
        public var sameSite: SameSite
        /// Nil: the attribute is left out, and Chromium takes medium.
        public var priority: Priority?
        /// Kept apart for each site that embeds this one (CHIPS).
        public var isPartitioned: Bool
        /// Whether the browser drops the cookie when it closes, whatever the session's lifetime: for sessions that are
        /// sealed without saying so themselves. One that is sealed again keeps what it began with.
        public var endsWithBrowser: Bool
        /// Whether `Expires` is written beside `Max-Age`, for clients that do not know the latter. It takes
        /// 40 bytes of each response. Lines that remove a cookie always have both.
        public var writesExpires: Bool

        /// Attributes, by default the strictest that a session works with. Each is told at the property of its name.
        public init(
            path: String = "/", domain: String? = nil, isSecure: Bool = true, isHTTPOnly: Bool = true,
            sameSite: SameSite = .lax, isPartitioned: Bool = false, endsWithBrowser: Bool = false,
            writesExpires: Bool = false, priority: Priority? = nil
        ) {
            self.path = path
            self.domain = domain
            self.isSecure = isSecure
            self.isHTTPOnly = isHTTPOnly
            self.sameSite = sameSite
            self.priority = priority
            self.isPartitioned = isPartitioned
            self.endsWithBrowser = endsWithBrowser
            self.writesExpires = writesExpires
        }

        /// For development over plain http: without `Secure`, all else as by default. The cookie needs a name without
        /// `__Host-`, `__Secure-` and `__Http-`, which browsers take over https alone. Never for others' sessions: whoever is on the way
        /// reads the cookie.
        public static let plainHTTP = Attributes(isSecure: false)

        /// Refuses what a browser would drop in silence.
        func check(name: String, limits: CookieLimits) throws(SealerConfigurationError) {
            // RFC 6265bis §5.7: browsers compare the prefixes without regard to case.
            let lowerName = name.lowercased()
            if lowerName.hasPrefix("__host-") {
                guard isSecure else { throw .hostPrefixNeedsSecure }
                guard domain == nil else { throw .hostPrefixForbidsDomain }
                guard path == "/" else { throw .hostPrefixNeedsRootPath }
            }
            if lowerName.hasPrefix("__secure-"), !isSecure { throw .securePrefixNeedsSecure }
            if lowerName.hasPrefix("__http-") || lowerName.hasPrefix("__host-http-") {
                guard isSecure else { throw .httpPrefixNeedsSecure }
                guard isHTTPOnly else { throw .httpPrefixNeedsHTTPOnly }
            }
            if sameSite == .none, !isSecure { throw .sameSiteNoneNeedsSecure }
            if isPartitioned, !isSecure { throw .partitionedNeedsSecure }
            for value in [path, domain ?? ""] where value.utf8.count > limits.attributeValue {
                throw .attributeTooLong(byteCount: value.utf8.count, limit: limits.attributeValue)
            }
            guard path.hasPrefix("/"), Self.isAttributeValue(path) else { throw .invalidPath(path) }
            if let domain {
                guard Self.isDomain(domain) else { throw .invalidDomain(domain) }
            }
        }

        /// Any printable character of ASCII but `;`, and no blank at an end, which would not survive.
        private static func isAttributeValue(_ text: String) -> Bool {
            text.utf8.allSatisfy { (0x20...0x7E).contains($0) && $0 != UInt8(ascii: ";") }
                && !text.hasSuffix(" ")
        }

        /// A host's name that browsers take as `Domain`: labels of letters, digits, `_` and inner hyphens, divided
        /// by dots, two at least. One dot in front may be there; browsers drop it (RFC 6265bis §5.6.3). One at the
        /// end may not: such a cookie is for no host.
        private static func isDomain(_ text: String) -> Bool {
            let name = text.utf8.first == UInt8(ascii: ".") ? text.utf8.dropFirst() : text.utf8[...]
            let labels = name.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
            // RFC 1035 §2.3.4: 255 bytes with the lengths of the labels, which are 253 characters.
            guard name.count <= 253, labels.count >= 2, let last = labels.last, !isNumber(last) else {
                return false
            }
            return labels.allSatisfy { label in
                let hyphen = UInt8(ascii: "-")
                return (1...63).contains(label.count) && label.first != hyphen && label.last != hyphen
                    && label.allSatisfy { byte in
                        switch byte {
                        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, hyphen, UInt8(ascii: "_"): true
                        default: false
                        }
                    }
            }
        }

        /// Whether a host that ends in this label is an IPv4 address to browsers, in whatever form (`127.1`,
        /// `0x7f.0.0.1`), or none at all: "ends in a number" of the WHATWG's URL standard.
        private static func isNumber(_ label: Substring.UTF8View) -> Bool {
            func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
            func isLetterOfHex(_ byte: UInt8) -> Bool { (0x61...0x66).contains(byte | 0x20) }
            guard label.first == UInt8(ascii: "0"), let second = label.dropFirst().first,
                second | 0x20 == 0x78
            else {
                return label.allSatisfy(isDigit)
            }
            return label.dropFirst(2).allSatisfy { isDigit($0) || isLetterOfHex($0) }
        }
    }

    /// The cookie's name.
    public let name: String
    /// The token or a part of it; empty where the cookie is removed.
    public let value: String
    /// What the line says beside name, value and `Max-Age`.
    public let attributes: Attributes
    /// Seconds until the browser drops it; 0: at once; nil: when it closes.
    public let maxAge: Int?
    /// Agrees with `maxAge`: clients that know both may drop a cookie where they do not. Where the cookie is
    /// removed it is always there: to libwww-perl `Max-Age=0` alone is no reason to forget a cookie.
    private let expires: String?

    /// What browsers tell cookies apart by: two of one slot are one cookie, of which the later is kept.
    struct Slot: Hashable, Sendable {
        let name: String
        /// In lower case and without the dot in front, which browsers drop; nil: the host alone.
        let domain: String?
        let path: String
        let isPartitioned: Bool
    }

    var slot: Slot {
        let domain = attributes.domain?.lowercased()
        return Slot(
            name: name, domain: domain.map { $0.hasPrefix(".") ? String($0.dropFirst()) : $0 },
            path: attributes.path, isPartitioned: attributes.isPartitioned)
    }

    /// RFC 6265bis §5.5: browsers take no more than 400 days.
    static let maxAgeLimit = 34_560_000

    /// - Parameter now: what `maxAge` is counted from.
    init(name: String, value: String, attributes: Attributes, maxAge: Int?, now: Date) {
        self.name = name
        self.value = value
        self.attributes = attributes
        let maxAge = maxAge.map { min(max($0, 0), Self.maxAgeLimit) }
        self.maxAge = maxAge
        expires =
            switch maxAge {
            case 0?: Self.httpDate(Date(timeIntervalSince1970: 0))
            case let seconds? where attributes.writesExpires: Self.httpDate(now + Double(seconds))
            default: nil
            }
    }

    /// Makes a browser forget the cookie of this name.
    init(removing name: String, attributes: Attributes) {
        self.init(name: name, value: "", attributes: attributes, maxAge: 0, now: .distantPast)
    }

    /// RFC 9110 §5.6.7, such as `Sun, 06 Nov 1994 08:49:37 GMT`.
    private static func httpDate(_ date: Date) -> String {
        let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
        let months = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ]
        // 2026-08-03T00:00:00Z; a cookie lives from 1970 on, and 400 days longer than 32 bits of seconds.
        let last = Double(UInt32.max) + Double(maxAgeLimit)
        let seconds = Int64(min(max(date.timeIntervalSince1970, 0), last))
        let text = Timestamp.text(secondsSince1970: seconds) ?? "1970-01-01T00:00:00Z"
        let fields = text.split { "-T".contains($0) }
        let month = Int(fields[1]).map { months[$0 - 1] } ?? ""
        return
            "\(days[Int(seconds / 86_400 % 7)]), \(fields[2]) \(month) \(fields[0]) \(fields[3].dropLast()) GMT"
    }

    /// The header's value; attributes always in this order.
    public var description: String {
        var line = "\(name)=\(value); Path=\(attributes.path)"
        if let domain = attributes.domain { line += "; Domain=\(domain)" }
        if let maxAge { line += "; Max-Age=\(maxAge)" }
        if let expires { line += "; Expires=\(expires)" }
        if attributes.isSecure { line += "; Secure" }
        if attributes.isHTTPOnly { line += "; HttpOnly" }
        if attributes.sameSite != .unspecified { line += "; SameSite=\(attributes.sameSite.rawValue)" }
        if attributes.isPartitioned { line += "; Partitioned" }
        if let priority = attributes.priority { line += "; Priority=\(priority.rawValue)" }
        return line
    }

    /// RFC 6265bis §4.1.1: a token of RFC 9110.
    static func isName(_ name: String) -> Bool {
        !name.isEmpty
            && name.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
                default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
                }
            }
    }
}
