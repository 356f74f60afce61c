// Why a sealer cannot be created.

/// Settings that no sealer can have, such as a cookie that browsers would refuse. They are found when the sealer is
/// created.
#if hasAttribute(nonexhaustive)
    @nonexhaustive
#endif
public enum SealerConfigurationError: Error, Equatable, Sendable {
    /// The name is empty, or contains a character that a cookie's name cannot have.
    case invalidName(String)
    /// The name is so long, in bytes, that no token fits within the limit.
    case nameTooLong(byteCount: Int, limit: Int)
    /// The path does not begin with `/`, or contains `;` or a control character.
    case invalidPath(String)
    /// The domain is not a name that browsers accept.
    ///
    /// It is a single label or an IP address, has empty labels or a dot at the end, has labels over 63 bytes or more
    /// than 253 bytes in all, or contains characters other than ASCII letters, digits, `-` and `_`.
    case invalidDomain(String)
    /// The path or the domain has more bytes than the limit on an attribute's value.
    case attributeTooLong(byteCount: Int, limit: Int)
    /// A name that begins with `__Host-` needs `Secure`.
    case hostPrefixNeedsSecure
    /// A name that begins with `__Host-` cannot have a `Domain`.
    case hostPrefixForbidsDomain
    /// A name that begins with `__Host-` needs `Path=/`.
    case hostPrefixNeedsRootPath
    /// A name that begins with `__Secure-` needs `Secure`.
    case securePrefixNeedsSecure
    /// A name that begins with `__Http-` or `__Host-Http-` needs `Secure`.
    case httpPrefixNeedsSecure
    /// A name that begins with `__Http-` or `__Host-Http-` needs `HttpOnly`: scripts cannot read the cookie.
    case httpPrefixNeedsHTTPOnly
    /// `SameSite=None` needs `Secure`.
    case sameSiteNoneNeedsSecure
    /// `Partitioned` needs `Secure`.
    case partitionedNeedsSecure
    /// The padding is neither 0 (none) nor 2 to 4096 bytes.
    case invalidPadding(Int)
    /// The limits for name and value, a line or a response are below 128 bytes, or leave no room for an attribute.
    case invalidLimits
    /// Two dictionaries have the same name in a token: change a byte of one.
    case ambiguousDictionaries
    /// The item limit is not 1 to 65,536 bytes.
    case invalidItemLimit(Int)
    /// A `TokenSealer`'s purpose is empty: its tokens would open for every other such sealer.
    case emptyPurpose
    /// The token limit is not 63 to 1,048,576 characters.
    case invalidTokenLimit(Int)
    /// There are more than 4 former forms of the cookie.
    case tooManyFormerCookies(Int)
    /// The splitting is not 1 to 9 cookies.
    case invalidSplitting(Int)
    /// Full cookies, including their `Set-Cookie` headers, have this many bytes and exceed the limit of a response:
    /// split sessions would not pass.
    case splittingOverResponse(byteCount: Int, limit: Int)
}

extension SealerConfigurationError {
    /// A short, stable word for metrics, such as `invalid-name`.
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
    /// What is wrong with the settings, in words.
    public var description: String {
        switch self {
        case .invalidName(let name): "\"\(name.printable)\" cannot be a cookie's name"
        case .nameTooLong(let count, let limit):
            "a cookie name of \(count) bytes leaves no room within the limit of \(limit)"
        case .invalidPath(let path): "\"\(path.printable)\" cannot be a cookie's Path"
        case .invalidDomain(let domain):
            "\"\(domain.printable)\" cannot be a cookie's Domain: it must be a name of at least two labels, in ASCII "
                + "(bücher.example is xn--bcher-kva.example), and not an IP address; without it, the cookie is for its host alone"
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
        case .invalidPadding(let block): "padding to \(block) bytes is not allowed: use 0, or 2 to 4096"
        case .emptyPurpose: "a token sealer needs a purpose"
        case .invalidTokenLimit(let count):
            "a token limit of \(count) characters is not allowed: use \(CookieForm.smallestToken) to \(CookieForm.mostRoom)"
        case .invalidItemLimit(let count):
            "an item limit of \(count) bytes is not allowed: use 1 to \(CBORLimits.itemBytes)"
        case .ambiguousDictionaries: "two dictionaries have the same name"
        case .tooManyFormerCookies(let count): "\(count) former forms of a cookie, but at most 4 are allowed"
        case .invalidSplitting(let count): "a session in \(count) cookies is not allowed: use 1 to 9"
        case .splittingOverResponse(let count, let limit):
            "a session split over full cookies takes \(count) bytes of a response, but at most \(limit) are allowed"
        case .invalidLimits:
            "limits must be at least \(CookieLimits.minimumNameAndValue) bytes, and leave room for attributes"
        }
    }
}
