// When a session began, was last sealed, and must end. FORMAT §6, §10.
#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// How long sessions live: the server's policy, which a token does not carry.
///
/// A session ends at the earlier of `created + absolute` and `sealed + idle`. A shorter lifetime takes
/// effect at once, for every session there is.
public struct SessionLifetime: Hashable, Sendable {
    /// A span of whole seconds, from 1 s to about 136 years (2^32 - 1 s).
    public struct Span: Hashable, Comparable, Sendable {
        /// 1 to 4,294,967,295.
        public let seconds: Int

        /// Takes spans out of range to the nearest bound.
        public static func seconds(_ seconds: Int) -> Span {
            Span(seconds: min(max(seconds, 1), Int(UInt32.max)))
        }
        public static func minutes(_ minutes: Int) -> Span { .seconds(minutes.clampedProduct(60)) }
        public static func hours(_ hours: Int) -> Span { .seconds(hours.clampedProduct(3600)) }
        public static func days(_ days: Int) -> Span { .seconds(days.clampedProduct(86_400)) }

        public static func < (a: Span, b: Span) -> Bool { a.seconds < b.seconds }
    }

    /// From the first sealing, however often the session is sealed again.
    public var absolute: Span
    /// From the last sealing. Nil: a session does not end for want of use.
    public var idle: Span?

    public init(absolute: Span, idle: Span? = nil) {
        self.absolute = absolute
        self.idle = idle
    }
}

extension Int {
    fileprivate func clampedProduct(_ factor: Int) -> Int {
        let (product, overflow) = multipliedReportingOverflow(by: factor)
        return overflow ? (self < 0 ? .min : .max) : product
    }
}

/// The times inside a token, authenticated and encrypted with the session.
@usableFromInline
struct SessionTimes: Equatable, Sendable {
    /// How far another server's clock may run ahead of ours.
    static let clockSkew: Int64 = 60

    /// Unix seconds.
    let created: UInt32
    /// Seconds from `created` to this sealing.
    let age: UInt32
    /// This session's own absolute lifetime in seconds, in place of the policy's.
    let lifetime: UInt32?

    init(created: UInt32, age: UInt32, lifetime: UInt32?) {
        self.created = created
        self.age = age
        self.lifetime = lifetime
    }

    /// A session that begins now; nil outside the years 1970 to 2106.
    init?(beginningAt now: Date, lifetime: SessionLifetime.Span?) {
        guard let now = UInt32(exactly: now.timeIntervalSince1970.rounded(.down)) else { return nil }
        self.init(created: now, age: 0, lifetime: lifetime.map { UInt32(clamping: $0.seconds) })
    }

    /// The same session sealed again now; nil after 2106.
    func sealedAgain(at now: Date) -> SessionTimes? {
        guard let now = UInt32(exactly: now.timeIntervalSince1970.rounded(.down)) else { return nil }
        // A clock behind the one that began the session: its age does not go below zero.
        return SessionTimes(created: created, age: now > created ? now - created : 0, lifetime: lifetime)
    }

    var createdAt: Date { Date(timeIntervalSince1970: Double(created)) }
    var sealedAt: Date { Date(timeIntervalSince1970: Double(sealed)) }
    private var sealed: Int64 { Int64(created) + Int64(age) }

    /// Seconds that the session lives from its beginning on.
    func absolute(under policy: SessionLifetime) -> Int { lifetime.map(Int.init) ?? policy.absolute.seconds }

    /// The first second at which the session is over.
    func end(under policy: SessionLifetime) -> Date {
        let absolute = Int64(created) + Int64(absolute(under: policy))
        let idle = policy.idle.map { sealed + Int64($0.seconds) } ?? absolute
        return Date(timeIntervalSince1970: Double(min(absolute, idle)))
    }

    /// Whether the session was begun or sealed by a clock further ahead than `clockSkew`.
    func isInFuture(at now: Date) -> Bool {
        Double(sealed) > now.timeIntervalSince1970 + Double(Self.clockSkew)
    }
}
