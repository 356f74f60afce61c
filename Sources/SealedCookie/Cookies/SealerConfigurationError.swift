// Why a sealer cannot be made.

/// Settings that no sealer can have, such as a cookie that browsers would refuse: found when it is made.
#if hasAttribute(nonexhaustive)
    @nonexhaustive
#endif
public enum SealerConfigurationError: Error, Equatable, Sendable {
    /// Empty, or with a character that a cookie's name cannot have.
    case invalidName(String)
    case nameTooLong(byteCount: Int, limit: Int)
    /// Begins with other than `/`, or holds `;` or a control character.
    case invalidPath(String)
    /// No name of a domain that browsers take: a single label, an IP address, empty labels or labels over 63
    /// bytes, over 253 bytes in all, a dot at the end, other characters than ASCII's letters, digits, `-` and `_`.
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
    /// Limits below 128 bytes of name and value, of a line or of a response, or without room for an attribute.
    case invalidLimits
    /// Two dictionaries whose names in a token are the same: change one by a byte.
    case ambiguousDictionaries
    /// Not 1 to 65,536 bytes.
    case invalidItemLimit(Int)
    /// A `TokenSealer`'s purpose is empty: its tokens would open for every other's.
    case emptyPurpose
    /// Not 63 to 1,048,576 characters of a token.
    case invalidTokenLimit(Int)
    /// More than 4 former forms of the cookie.
    case tooManyFormerCookies(Int)
    /// Not 1 to 9 cookies.
    case invalidSplitting(Int)
    /// Full cookies of so many bytes, `Set-Cookie` headers and all, are over the limit of a response: split
    /// sessions would not pass.
    case splittingOverResponse(byteCount: Int, limit: Int)
}

extension SealerConfigurationError {
    /// A short word for metrics, which stays the same, such as `invalid-name`.
    public var code: String {
        switch self {
        case .invalidName: "invalid-name"
        case .nameTooLong: "name-too-long"
        case .invalidPath: "invalid-path"
        case .invalidDomain: "invalid-domain"
        case .attributeTooLong: "attribute-too-long"
        case .hostPrefixNeedsSecure: "host-prefix-needs-secure"
        case .hostPrefixForbidsDomain: "host-prefix-forbids-domain"
        case .hostPrefixNeedsRootPath: "host-prefix-needs-root-path"
        case .securePrefixNeedsSecure: "secure-prefix-needs-secure"
        case .httpPrefixNeedsSecure: "http-prefix-needs-secure"
        case .httpPrefixNeedsHTTPOnly: "http-prefix-needs-http-only"
        case .sameSiteNoneNeedsSecure: "same-site-none-needs-secure"
        case .partitionedNeedsSecure: "partitioned-needs-secure"
        case .invalidPadding: "invalid-padding"
        case .invalidLimits: "invalid-limits"
        case .ambiguousDictionaries: "ambiguous-dictionaries"
        case .invalidItemLimit: "invalid-item-limit"
        case .emptyPurpose: "empty-purpose"
        case .invalidTokenLimit: "invalid-token-limit"
        case .tooManyFormerCookies: "too-many-former-cookies"
        case .invalidSplitting: "invalid-splitting"
        case .splittingOverResponse: "splitting-over-response"
        }
    }
}

extension SealerConfigurationError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .invalidName(let name): "\"\(name.printable)\" cannot be a cookie's name"
        case .nameTooLong(let count, let limit):
            "a cookie's name of \(count) bytes leaves no room under \(limit)"
        case .invalidPath(let path): "\"\(path.printable)\" cannot be a cookie's Path"
        case .invalidDomain(let domain):
            "\"\(domain.printable)\" cannot be a cookie's Domain: that is a name of two labels at least, in ASCII "
                + "(bücher.example is xn--bcher-kva.example), and no IP address; without one the cookie is for its host alone"
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
        case .emptyPurpose: "a sealer of tokens without a purpose"
        case .invalidTokenLimit(let count):
            "tokens of up to \(count) characters: \(CookieForm.smallestToken) to \(CookieForm.mostRoom)"
        case .invalidItemLimit(let count):
            "a largest session of \(count) bytes: 1 to \(CBORLimits.itemBytes)"
        case .ambiguousDictionaries: "two dictionaries have the same name"
        case .tooManyFormerCookies(let count): "\(count) former forms of a cookie: 4 at most"
        case .invalidSplitting(let count): "a session in \(count) cookies: 1 to 9"
        case .splittingOverResponse(let count, let limit):
            "split over full cookies a session takes \(count) bytes of a response, where \(limit) are allowed"
        case .invalidLimits: "limits below \(CookieLimits.minimumNameAndValue) bytes, or none for attributes"
        }
    }
}
