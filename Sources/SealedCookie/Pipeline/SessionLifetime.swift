// How long sessions live. FORMAT §10.

/// How long sessions live. A sealer's is the server's policy, which no token carries: a shorter one takes effect at
/// once, for every session there is. A session may have a lifetime of its own, which its token carries
/// (`CookieSealer.seal`): it takes the place of the policy's `absolute` and `idle`, of both.
///
/// A session ends at the earlier of `created + absolute` and `sealed + idle`, and at `created + ceiling` at the latest,
/// where the ceiling is always the policy's.
public struct SessionLifetime: Hashable, Sendable {
    /// A span of whole seconds, from 1 s to about 136 years (2^32 - 1 s).
    public struct Span: Hashable, Comparable, Sendable {
        /// 1 to 4,294,967,295.
        public let seconds: Int

        /// A span of seconds.
        ///
        /// - Parameter seconds: 1 to 4,294,967,295; what is out of range, here and of the other units, is taken to the
        ///   nearest bound.
        public static func seconds(_ seconds: Int) -> Span {
            Span(seconds: min(max(seconds, 1), Int(UInt32.max)))
        }
        /// A span of minutes.
        public static func minutes(_ minutes: Int) -> Span { .seconds(minutes.clampedProduct(60)) }
        /// A span of hours.
        public static func hours(_ hours: Int) -> Span { .seconds(hours.clampedProduct(3600)) }
        /// A span of days of 24 hours.
        public static func days(_ days: Int) -> Span { .seconds(days.clampedProduct(86_400)) }

        public static func < (a: Span, b: Span) -> Bool { a.seconds < b.seconds }
    }

    /// From the first sealing, however often the session is sealed again.
    public var absolute: Span
    /// From the last sealing. Nil: a session does not end for want of use.
    public var idle: Span?
    /// The longest that any session lives from its first sealing, whatever `absolute` or its own lifetime says: 400 days,
    /// for which browsers keep a cookie at most, unless set. Only a sealer's counts: a session's own lifetime has none.
    public var ceiling: Span

    /// The ceiling of a policy that sets none.
    public static let usualCeiling = Span.days(400)

    /// A policy, or a session's own lifetime.
    ///
    /// - Parameters:
    ///   - absolute: the span from the first sealing after which a session is over, however often it is sealed again.
    ///   - idle: the span from the last sealing after which it is over; nil: it does not end for want of use.
    ///   - ceiling: the longest span from the first sealing that any session lives; it counts in a policy alone.
    public init(absolute: Span, idle: Span? = nil, ceiling: Span = usualCeiling) {
        self.absolute = absolute
        self.idle = idle
        self.ceiling = ceiling
    }
}

extension Int {
    fileprivate func clampedProduct(_ factor: Int) -> Int {
        let (product, overflow) = multipliedReportingOverflow(by: factor)
        return overflow ? (self < 0 ? .min : .max) : product
    }
}
