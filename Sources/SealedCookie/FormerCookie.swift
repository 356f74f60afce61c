// An earlier form of a sealer's cookie. FORMAT §11.3.
#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// A form that a sealer's cookie had before, and that browsers may still send: another name, purpose, `Domain`,
/// `Path` or `Partitioned`. With it, the change signs nobody out and leaves no former cookie in a browser.
///
/// A sealer opens a former form's session only if the request has no authentic one of the present form. Such a
/// session has ``OpenedSession/needsResealing`` set and is sealed again in the present form. Each response that
/// writes or removes the cookie removes all former ones.
///
/// Roll out a change in three steps, each on all servers before the next:
///
/// 1. List the coming form among the former ones, so that every server opens it.
/// 2. Switch to the new form, and list the old one.
/// 3. Set the old form's ``sealedUntil`` to the time at which the last server had switched.
///
/// Remove it from the list when its last session has ended.
public struct FormerCookie: Sendable {
    /// The name that the cookie had.
    public var name: String
    /// The purpose that its sealer had; empty if none.
    public var purpose: String
    /// The attributes that it had. `path`, `domain` and `isPartitioned` determine which cookie the browser is told to
    /// forget.
    public var attributes: SetCookie.Attributes
    /// How many cookies a session could span.
    public var splitting: CookieSplitting
    /// The policy that it had. A session ends at the earlier of this policy's end and the present one's.
    public var lifetime: SessionLifetime
    /// The time at which the last server stopped sealing this form; nil if some still do. A session that was sealed
    /// more than 60 s later is refused (``OpenError/formerCookie(_:)``).
    public var sealedUntil: Date?

    /// Creates a former form. Each parameter is described at the property of the same name.
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

    /// The most forms that a sealer can have. Each adds a line to every response that writes the cookie, and some
    /// tags to check to a request without a session.
    static let mostForms = 4

    /// - Parameter limits: Those of the present form.
    static func forms(
        _ formers: [FormerCookie], limits: CookieLimits
    ) throws(SealerConfigurationError) -> [CookieForm] {
        guard formers.count <= mostForms else { throw .tooManyFormerCookies(formers.count) }
        var limits = limits
        // These cookies are removed, and never written.
        (limits.line, limits.response) = (nil, nil)
        return try formers.map { (former) throws(SealerConfigurationError) in
            try CookieForm(
                name: former.name, attributes: former.attributes, limits: limits, splitting: former.splitting)
        }
    }

    /// The core that opens its tokens.
    ///
    /// - Parameter tokens: The present form's core.
    func core(beside tokens: TokenCore) throws(SealerConfigurationError) -> TokenCore {
        try TokenCore(
            context: TokenContext(name: name, purpose: purpose), keys: tokens.keys, lifetime: lifetime,
            compression: tokens.compression, paddingBlock: 0, itemLimit: tokens.itemLimit,
            userInfo: tokens.userInfo, carrier: tokens.carrier,
            successor: .init(lifetime: tokens.lifetime, sealedUntil: sealedUntil))
    }
}
