// What browsers and servers accept. The figures and how they were obtained: LimitsOfBrowsersAndServers.md.

/// The largest cookie to write. If a cookie exceeds a browser's limit, the browser silently keeps the old one.
///
/// Reading has its own limit: 4096 bytes minus the name, whatever is written here (FORMAT §11). So limits can be
/// lowered while sessions live. A session that exceeds them still opens, and is not sealed again.
public struct CookieLimits: Hashable, Sendable {
    /// The size of name and value together in bytes. `=`, attributes and the rest of the line do not count.
    public var nameAndValue: Int
    /// The size of one attribute's value in bytes.
    public var attributeValue: Int
    /// The size of the `Set-Cookie` header's whole value in bytes, attributes included. Nil means no limit.
    public var line: Int?
    /// The size in bytes of all `Set-Cookie` headers of one response, each with its name and line end (14 bytes). Nil
    /// means no limit.
    ///
    /// A sealer whose splitting could exceed it cannot be created. Parts of older cookies are removed only as far as
    /// they fit, the highest numbers first. The limit applies to one sealer's headers. Headers of another sealer in
    /// the same response are the caller's to count, except with
    /// ``CookieSealer/removalCookies(cookieHeader:beside:)``.
    public var response: Int?

    /// Creates limits of your own, in bytes.
    ///
    /// - Parameters:
    ///   - nameAndValue: The size of name and value together, at least 128.
    ///   - attributeValue: The size of one attribute's value.
    ///   - line: The size of a `Set-Cookie` header's whole value, at least 128. Nil means no limit.
    ///   - response: The size of all `Set-Cookie` headers of a response, at least 128. Nil means no limit.
    public init(nameAndValue: Int, attributeValue: Int, line: Int? = nil, response: Int? = nil) {
        self.nameAndValue = nameAndValue
        self.attributeValue = attributeValue
        self.line = line
        self.response = response
    }

    /// The limits of RFC 6265bis §5.6: 4096 and 1024 bytes. Chromium and Firefox follow them to the byte.
    public static let rfc6265bis = CookieLimits(nameAndValue: 4096, attributeValue: 1024)

    /// For clients that count the whole line, as RFC 6265 §6.1 allowed: 4096 bytes, attributes included, minus three
    /// that some counted for `; ` and `=`.
    public static let strictest = CookieLimits(nameAndValue: 4093, attributeValue: 1024, line: 4093)

    /// For servers behind an nginx with stock settings, which answers 502 if the whole head of a response exceeds
    /// 4096 bytes. This leaves 600 bytes for status, dates and other headers, whatever this sealer writes. A sealer
    /// with splitting is refused: two full cookies never pass. Raising `proxy_buffer_size` is better.
    public static let behindStockNginx = CookieLimits(
        nameAndValue: 3482, attributeValue: 1024, line: 3482, response: 3496)

    /// `Set-Cookie: ` before a line and CRLF after it.
    static let headerOverhead = 14

    /// The number of cookies that browsers keep for a site and its subdomains together. Beyond it, they drop the
    /// least recently used. Chromium and Firefox purge 180 down to 150.
    public static let cookiesPerSite = 150

    /// The lowest limit to set: a token needs about 70 bytes, and a name more.
    static let minimumNameAndValue = 128
}

/// The longest `Cookie` header that a server accepts with stock settings, or that a client sends.
///
/// Beyond it, a server fails the request. A client silently leaves cookies out, so that a split session is lost.
public struct ServerLimit: Hashable, Sendable {
    /// The server or client, and its version.
    public let server: String
    /// The size of the header's value in bytes.
    public let cookieHeader: Int

    /// Common servers, and curl: the strictest first.
    public static let common = [
        // The request line, Host, User-Agent, Accept and Cookie together have 8190 bytes: this is what a short URL
        // leaves.
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
