// What a sealer's cookie was before. FORMAT §11.3.
#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// A form that a sealer's cookie had before, which browsers may still send: another name, purpose, `Domain`, `Path` or
/// `Partitioned`. With it nobody is signed out by the change, and no former cookie stays behind.
///
/// A sealer opens a former form's session only where the request has none of the present form that is authentic. Such a
/// session has `needsResealing`, and seals again as one of the present form. Each response that writes the cookie, or
/// removes it, removes all former ones.
///
/// Roll a change out in three steps, each on all servers before the next: list the form to come among the former ones, so that
/// every server opens it; switch, and list the old one; set its `sealedUntil` to when the last server had switched. Take it out
/// of the list when its last session has ended.
public struct FormerCookie: Sendable {
    /// The cookie's name then.
    public var name: String
    /// Its sealer's purpose then; empty: none.
    public var purpose: String
    /// Its attributes then. `path`, `domain` and `isPartitioned` say which cookie the browser is to forget.
    public var attributes: SetCookie.Attributes
    /// Into how many cookies a session might go.
    public var splitting: CookieSplitting
    /// Its policy then. A session ends at the earlier of this policy's end and the present one's.
    public var lifetime: SessionLifetime
    /// When the last server stopped sealing this form; nil: some still do. A session that was sealed more than 60 s later is
    /// refused (`OpenError.formerCookie`).
    public var sealedUntil: Date?

    /// A former form. Each parameter is told at the property of its name.
    public init(
        _ name: String, purpose: String = "", attributes: SetCookie.Attributes = .init(),
        splitting: CookieSplitting = .never, lifetime: SessionLifetime, sealedUntil: Date? = nil
    ) {
        self.name = name
        self.purpose = purpose
        self.attributes = attributes
        self.splitting = splitting
        self.lifetime = lifetime
        self.sealedUntil = sealedUntil
    }

    /// Forms that a sealer can have: each costs every response that writes the cookie a line, and a request without a session some tags.
    static let mostForms = 4

    /// - Parameter limits: of the present form.
    static func forms(
        _ formers: [FormerCookie], limits: CookieLimits
    ) throws(SealerConfigurationError) -> [CookieForm] {
        guard formers.count <= mostForms else { throw .tooManyFormerCookies(formers.count) }
        var limits = limits
        // They are removed, and never written.
        (limits.line, limits.response) = (nil, nil)
        return try formers.map { (former) throws(SealerConfigurationError) in
            try CookieForm(
                name: former.name, attributes: former.attributes, limits: limits, splitting: former.splitting)
        }
    }

    /// What opens its tokens.
    ///
    /// - Parameter tokens: the present form's.
    func core(beside tokens: TokenCore) throws(SealerConfigurationError) -> TokenCore {
        try TokenCore(
            context: TokenContext(name: name, purpose: purpose), keys: tokens.keys, lifetime: lifetime,
            compression: tokens.compression, paddingBlock: 0, itemLimit: tokens.itemLimit,
            userInfo: tokens.userInfo, carrier: tokens.carrier,
            successor: .init(lifetime: tokens.lifetime, sealedUntil: sealedUntil))
    }
}
