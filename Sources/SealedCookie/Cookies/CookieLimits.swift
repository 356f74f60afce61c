// What browsers and servers take. The figures and how they were obtained: docs/cookie-limits.md.

/// The largest cookie to write. Over a browser's limit the browser keeps the old cookie in silence.
///
/// Reading has its own: up to 4096 bytes less the name, whatever is written here (FORMAT §11). So limits can be lowered while
/// sessions live: one that is over them still opens, and is not sealed again.
public struct CookieLimits: Hashable, Sendable {
    /// Bytes of name and value together; `=`, attributes and the rest of the line do not count.
    public var nameAndValue: Int
    /// Bytes of one attribute's value.
    public var attributeValue: Int
    /// Bytes of the `Set-Cookie` header's whole value, attributes included; nil: it does not matter.
    public var line: Int?
    /// Bytes of all `Set-Cookie` headers of one response, each with its name and line end (14 bytes); nil: it
    /// does not matter. A sealer whose splitting could take more is not made, and parts of older cookies are
    /// removed only as far as there is room, the highest numbers first. It is for one sealer's headers: another's that go
    /// with the same response are its caller's to count, but for `removalCookies(cookieHeader:beside:)`.
    public var response: Int?

    /// Limits of an application's own, in bytes.
    ///
    /// - Parameters:
    ///   - nameAndValue: bytes of name and value together, 128 at least.
    ///   - attributeValue: bytes of one attribute's value.
    ///   - line: bytes of a `Set-Cookie` header's whole value, 128 at least; nil: it does not matter.
    ///   - response: bytes of all `Set-Cookie` headers of a response, 128 at least; nil: it does not matter.
    public init(nameAndValue: Int, attributeValue: Int, line: Int? = nil, response: Int? = nil) {
        self.nameAndValue = nameAndValue
        self.attributeValue = attributeValue
        self.line = line
        self.response = response
    }

    /// RFC 6265bis §5.6: 4096 and 1024 bytes, which Chromium and Firefox keep to the byte.
    public static let rfc6265bis = CookieLimits(nameAndValue: 4096, attributeValue: 1024)

    /// For clients that count the whole line, as RFC 6265 §6.1 allowed: 4096 bytes, attributes included,
    /// less three that some used to count for `; ` and `=`.
    public static let strictest = CookieLimits(nameAndValue: 4093, attributeValue: 1024, line: 4093)

    /// Behind an nginx of stock settings, which answers 502 where the whole head of a response is
    /// over 4096 bytes: this leaves 600 for status, dates and other headers, whatever this sealer writes.
    /// Splitting is refused with it: two full cookies never pass. Raising `proxy_buffer_size` is better.
    public static let behindStockNginx = CookieLimits(
        nameAndValue: 3482, attributeValue: 1024, line: 3482, response: 3496)

    /// `Set-Cookie: ` before a line and CRLF behind it.
    static let headerOverhead = 14

    /// Cookies that browsers keep for a site and its subdomains together: over it, the ones used
    /// longest ago go. Chromium and Firefox purge 180 down to 150.
    public static let cookiesPerSite = 150

    /// The least to ask for: a token needs some 70 bytes, a name more.
    static let minimumNameAndValue = 128
}

/// The longest `Cookie` header that a server takes in its stock settings, or that a client sends.
///
/// Over it the request fails; a client leaves cookies out and says nothing, so that a split session is lost.
public struct ServerLimit: Hashable, Sendable {
    /// The server or client and its version.
    public let server: String
    /// Bytes of the header's value.
    public let cookieHeader: Int

    /// Common servers, and curl: the strictest first.
    public static let common = [
        // 8190 bytes of request line, Host, User-Agent, Accept and Cookie together: this is what a short URL leaves.
        ServerLimit(server: "curl 7.88 and PHP's curl", cookieHeader: 8097),
        ServerLimit(server: "lighttpd 1.4.69", cookieHeader: 8128),
        ServerLimit(server: "Tomcat 10.1", cookieHeader: 8128),
        ServerLimit(server: "gunicorn 27", cookieHeader: 8180),
        ServerLimit(server: "nginx 1.22", cookieHeader: 8182),
        ServerLimit(server: "Apache 2.4", cookieHeader: 8183),
        ServerLimit(server: "Varnish 7.1", cookieHeader: 8184),
        ServerLimit(server: "Heroku (documented)", cookieHeader: 8192),
        ServerLimit(server: "HAProxy 2.6", cookieHeader: 15_228),
        ServerLimit(server: "Node 20", cookieHeader: 16_348),
        ServerLimit(server: "AWS ALB (documented)", cookieHeader: 16_384),
        ServerLimit(server: "CloudFront (documented)", cookieHeader: 20_480),
        ServerLimit(server: "Envoy (documented, all headers)", cookieHeader: 61_440),
        ServerLimit(server: "Hummingbird 2 on NIO", cookieHeader: 81_885),
        ServerLimit(server: "Caddy 2.6, Go", cookieHeader: 1_052_608),
    ]
}
