// The Set-Cookie header (RFC 6265bis §4.1).
#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The value of one `Set-Cookie` header.
public struct SetCookie: Hashable, Sendable, CustomStringConvertible {
    /// Which requests from other sites carry the cookie.
    public enum SameSite: String, Hashable, Sendable, CaseIterable {
        /// Sent only with requests from the site itself. A link from another site arrives without it.
        case strict = "Strict"
        /// Also sent when a link or a GET form leads from another site to this one. The default.
        case lax = "Lax"
        /// Sent with every request, whatever site it comes from; needs `Secure`.
        case none = "None"
        /// The attribute is left out. Chromium then assumes `Lax`, but sends a cookie that is up to 2 minutes old
        /// with cross-site POSTs, as SAML and OpenID Connect make them. Firefox and Safari always send it.
        case unspecified = ""
    }

    /// Which cookies Chromium drops first if a site has too many. Other browsers ignore it.
    public enum Priority: String, Hashable, Sendable, CaseIterable {
        /// Dropped first.
        case low = "Low"
        /// What Chromium assumes without the attribute.
        case medium = "Medium"
        /// Dropped last.
        case high = "High"
    }

    /// Where and how a browser may send the cookie back. The defaults are the strictest that a session works with.
    public struct Attributes: Hashable, Sendable {
        /// The path below which browsers send it. It begins with `/`.
        public var path: String
        /// The domain whose hosts get the cookie: an ASCII name of at least two labels. Nil means the host alone,
        /// without its subdomains.
        ///
        /// For a single label (`localhost`) or an IP address, browsers drop the cookie or restrict it to that host.
        /// Use nil instead: it plainly means that host. The same applies to a public suffix such as `co.uk`, which
        /// the library cannot tell from other names.
        public var domain: String?
        /// Whether browsers send it only over HTTPS.
        public var isSecure: Bool
        /// Whether the page's scripts cannot read it.
        public var isHTTPOnly: Bool
        /// Which requests from other sites carry it.
        public var sameSite: SameSite
        /// The priority. Nil: the attribute is left out, and Chromium assumes medium.
        public var priority: Priority?
        /// Whether browsers keep it separately for each site that embeds this one (CHIPS).
        public var isPartitioned: Bool
        /// Whether the browser drops the cookie on closing, whatever the session's lifetime. It applies to sessions
        /// that are sealed without a setting of their own. A session that is sealed again keeps what it began with.
        public var endsWithBrowser: Bool
        /// Whether `Expires` is written in addition to `Max-Age`, for clients that do not know the latter. It adds 40
        /// bytes to each response. Lines that remove a cookie always have both.
        public var writesExpires: Bool

        /// Creates attributes, by default the strictest that a session works with. Each parameter is described at the
        /// property of the same name.
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

        /// For development over plain HTTP: without `Secure`, otherwise the defaults. The cookie needs a name without
        /// `__Host-`, `__Secure-` and `__Http-`, which browsers accept only over HTTPS. Never use it for real users:
        /// anyone on the network path can read the cookie.
        public static let plainHTTP = Attributes(isSecure: false)

        /// Refuses what a browser would silently drop.
        func check(name: String, limits: CookieLimits) throws(SealerConfigurationError) {
            // RFC 6265bis §5.7: browsers compare the prefixes case-insensitively.
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

        /// Any printable ASCII character except `;`, and no blank at either end, which would not survive.
        private static func isAttributeValue(_ text: String) -> Bool {
            text.utf8.allSatisfy { (0x20...0x7E).contains($0) && $0 != UInt8(ascii: ";") }
                && !text.hasSuffix(" ")
        }

        /// A host name that browsers accept as `Domain`: at least two labels of letters, digits, `_` and inner
        /// hyphens, separated by dots. A leading dot is allowed; browsers drop it (RFC 6265bis §5.6.3). A trailing
        /// dot is not: such a cookie matches no host.
        private static func isDomain(_ text: String) -> Bool {
            let name = text.utf8.first == UInt8(ascii: ".") ? text.utf8.dropFirst() : text.utf8[...]
            let labels = name.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
            // RFC 1035 §2.3.4: 255 bytes including the labels' lengths, which makes 253 characters.
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

        /// Whether browsers take a host that ends in this label for an IPv4 address, in any form (`127.1`,
        /// `0x7f.0.0.1`), or refuse it: "ends in a number" in the WHATWG URL standard.
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
    /// The token or a part of it; empty if the cookie is removed.
    public let value: String
    /// What the line contains apart from name, value and `Max-Age`.
    public let attributes: Attributes
    /// The seconds until the browser drops it. 0 means at once, and nil when it closes.
    public let maxAge: Int?
    /// Agrees with `maxAge`: a client that knows both may drop a cookie if they differ. A removal always has it: for
    /// libwww-perl, `Max-Age=0` alone is no reason to forget a cookie.
    private let expires: String?

    /// What identifies a cookie to browsers: two with the same slot are one cookie, of which the later is kept.
    struct Slot: Hashable, Sendable {
        let name: String
        /// In lower case and without the leading dot, which browsers drop. Nil: the host alone.
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

    /// RFC 6265bis §5.5: browsers accept at most 400 days.
    static let maxAgeLimit = 34_560_000

    /// - Parameter now: The time from which `maxAge` counts.
    init(name: String, value: String, attributes: Attributes, maxAge: Int?, now: Date) {
        self.name = name
        self.value = value
        self.attributes = attributes
        let maxAge = maxAge.map { min(max($0, 0), Self.maxAgeLimit) }
        self.maxAge = maxAge
        expires =
            switch maxAge {
            case 0?: Self.longAgo
            case let seconds? where attributes.writesExpires: Self.httpDate(now + Double(seconds))
            default: nil
            }
    }

    /// Makes a browser forget the cookie of this name.
    init(removing name: String, attributes: Attributes) {
        self.init(name: name, value: "", attributes: attributes, maxAge: 0, now: .distantPast)
    }

    private static let longAgo = httpDate(Date(timeIntervalSince1970: 0))

    /// The date as RFC 9110 §5.6.7 has it, such as `Sun, 06 Nov 1994 08:49:37 GMT`.
    private static func httpDate(_ date: Date) -> String {
        let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
        let months = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ]
        // 2026-08-03T00:00:00Z. A cookie lives from 1970 on, and 400 days longer than 32 bits of seconds.
        let last = Double(UInt32.max) + Double(maxAgeLimit)
        let seconds = Int64(min(max(date.timeIntervalSince1970, 0), last))
        let text = Timestamp.text(secondsSince1970: seconds) ?? "1970-01-01T00:00:00Z"
        let fields = text.split { "-T".contains($0) }
        let month = Int(fields[1]).map { months[$0 - 1] } ?? ""
        return
            "\(days[Int(seconds / 86_400 % 7)]), \(fields[2]) \(month) \(fields[0]) \(fields[3].dropLast()) GMT"
    }

    /// The header's value. Attributes are always in this order.
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

    /// A token of RFC 9110, as RFC 6265bis §4.1.1 requires.
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
