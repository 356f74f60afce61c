// The Set-Cookie header (RFC 6265bis §4.1).
#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// One `Set-Cookie` header's value.
public struct SetCookie: Hashable, Sendable, CustomStringConvertible {
    public enum SameSite: String, Hashable, Sendable, CaseIterable {
        case strict = "Strict"
        case lax = "Lax"
        case none = "None"
    }

    /// Where and how a browser may send the cookie back. The defaults are the strictest that a
    /// session works with.
    public struct Attributes: Hashable, Sendable {
        /// Begins with `/`.
        public var path: String
        /// Nil: the host alone, without its subdomains.
        public var domain: String?
        public var isSecure: Bool
        public var isHTTPOnly: Bool
        public var sameSite: SameSite
        /// Kept apart for each site that embeds this one (CHIPS).
        public var isPartitioned: Bool
        /// Whether the browser drops the cookie when it closes, whatever the session's lifetime.
        public var endsWithBrowser: Bool
        /// Whether `Expires` stands beside `Max-Age`, for clients that do not know the latter. It takes
        /// 40 bytes of each response.
        public var writesExpires: Bool

        public init(
            path: String = "/", domain: String? = nil, isSecure: Bool = true, isHTTPOnly: Bool = true,
            sameSite: SameSite = .lax, isPartitioned: Bool = false, endsWithBrowser: Bool = false,
            writesExpires: Bool = false
        ) {
            self.path = path
            self.domain = domain
            self.isSecure = isSecure
            self.isHTTPOnly = isHTTPOnly
            self.sameSite = sameSite
            self.isPartitioned = isPartitioned
            self.endsWithBrowser = endsWithBrowser
            self.writesExpires = writesExpires
        }

        /// Refuses what a browser would drop in silence.
        func check(name: String, limits: CookieLimits) throws(CookieConfigurationError) {
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
            guard path.hasPrefix("/"), Self.isAttributeValue(path) else { throw .invalidPath(path) }
            if let domain {
                guard Self.isDomain(domain) else { throw .invalidDomain(domain) }
            }
            for value in [path, domain ?? ""] where value.utf8.count > limits.attributeValue {
                throw .attributeTooLong(byteCount: value.utf8.count, limit: limits.attributeValue)
            }
        }

        /// Any printable character of ASCII but `;`, and no blank at an end, which would not survive.
        private static func isAttributeValue(_ text: String) -> Bool {
            text.utf8.allSatisfy { (0x20...0x7E).contains($0) && $0 != UInt8(ascii: ";") }
                && !text.hasSuffix(" ")
        }

        /// Labels of letters, digits and inner hyphens, divided by dots; browsers drop a dot in front.
        private static func isDomain(_ text: String) -> Bool {
            let labels = (text.hasPrefix(".") ? text.dropFirst() : text[...]).utf8.split(
                separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
            return labels.allSatisfy { label in
                let hyphen = UInt8(ascii: "-")
                return !label.isEmpty && label.first != hyphen && label.last != hyphen
                    && label.allSatisfy { byte in
                        switch byte {
                        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, hyphen: true
                        default: false
                        }
                    }
            }
        }
    }

    public let name: String
    public let value: String
    public let attributes: Attributes
    /// Seconds until the browser drops it; 0: at once; nil: when it closes.
    public let maxAge: Int?
    /// Agrees with `maxAge`: browsers that know both may drop a cookie where they do not.
    private let expires: String?

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
            attributes.writesExpires
            ? maxAge.map { Self.httpDate($0 == 0 ? Date(timeIntervalSince1970: 0) : now + Double($0)) } : nil
    }

    /// RFC 9110 §5.6.7, such as `Sun, 06 Nov 1994 08:49:37 GMT`.
    private static func httpDate(_ date: Date) -> String {
        let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
        let months = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ]
        // 2026-08-03T00:00:00Z; a cookie lives from 1970 to 2107.
        let seconds = Int64(min(max(date.timeIntervalSince1970, 0), 4_329_000_000))
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
        line += "; SameSite=\(attributes.sameSite.rawValue)"
        if attributes.isPartitioned { line += "; Partitioned" }
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

/// A cookie that browsers would refuse or misunderstand: found when the sealer is made.
public enum CookieConfigurationError: Error, Equatable, Sendable {
    /// Empty, or with a character that a cookie's name cannot have.
    case invalidName(String)
    case nameTooLong(byteCount: Int, limit: Int)
    /// Begins with other than `/`, or holds `;` or a control character.
    case invalidPath(String)
    case invalidDomain(String)
    case attributeTooLong(byteCount: Int, limit: Int)
    case hostPrefixNeedsSecure
    case hostPrefixForbidsDomain
    case hostPrefixNeedsRootPath
    case securePrefixNeedsSecure
    /// A name that begins with `__Http-` or `__Host-Http-`.
    case httpPrefixNeedsSecure
    /// A name that begins with `__Http-` or `__Host-Http-`: out of reach of scripts.
    case httpPrefixNeedsHTTPOnly
    case sameSiteNoneNeedsSecure
    case partitionedNeedsSecure
    /// Not 0 (none) or 2 to 4096 bytes.
    case invalidPadding(Int)
    /// Limits below 128 bytes of name and value or of a line, or without room for an attribute.
    case invalidLimits
    /// Two dictionaries whose names in a token are the same: change one by a byte.
    case ambiguousDictionaries
    /// Not 1 to 9 cookies.
    case invalidSplitting(Int)
}

extension CookieConfigurationError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .invalidName(let name): "\"\(name.printable)\" cannot be a cookie's name"
        case .nameTooLong(let count, let limit):
            "a cookie's name of \(count) bytes leaves no room under \(limit)"
        case .invalidPath(let path): "\"\(path.printable)\" cannot be a cookie's Path"
        case .invalidDomain(let domain): "\"\(domain.printable)\" cannot be a cookie's Domain"
        case .attributeTooLong(let count, let limit):
            "an attribute of \(count) bytes is over the limit of \(limit)"
        case .hostPrefixNeedsSecure: "a __Host- cookie must be Secure"
        case .hostPrefixForbidsDomain: "a __Host- cookie cannot have a Domain"
        case .hostPrefixNeedsRootPath: "a __Host- cookie must have Path=/"
        case .securePrefixNeedsSecure: "a __Secure- cookie must be Secure"
        case .httpPrefixNeedsSecure: "an __Http- cookie must be Secure"
        case .httpPrefixNeedsHTTPOnly: "an __Http- cookie must be HttpOnly"
        case .sameSiteNoneNeedsSecure: "SameSite=None must be Secure"
        case .partitionedNeedsSecure: "Partitioned must be Secure"
        case .invalidPadding(let block): "padding to \(block) bytes: 0, or 2 to 4096"
        case .ambiguousDictionaries: "two dictionaries have the same name"
        case .invalidSplitting(let count): "a session in \(count) cookies: 1 to 9"
        case .invalidLimits: "limits below \(CookieLimits.minimumNameAndValue) bytes, or none for attributes"
        }
    }
}
