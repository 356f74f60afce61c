// How long sessions live. FORMAT §10.

/// How long sessions live.
///
/// A sealer's lifetime is the server's policy, which no token carries. So a shorter one takes effect at once, for all
/// existing sessions. A session may have a lifetime of its own, which its token carries
/// (``CookieSealer/seal(_:lifetime:endsWithBrowser:cutOff:cookieHeader:at:)``). It replaces both `absolute` and
/// `idle` of the policy.
///
/// A session ends at the earlier of `created + absolute` and `sealed + idle`. It ends at `created + ceiling` at the
/// latest, where the ceiling is always the policy's.
public struct SessionLifetime: Hashable, Sendable {
    /// A span of whole seconds, from 1 s to about 136 years (2^32 - 1 s).
    public struct Span: Hashable, Comparable, Sendable {
        /// The number of seconds, 1 to 4,294,967,295.
        public let seconds: Int

        /// A span of seconds.
        ///
        /// - Parameter seconds: 1 to 4,294,967,295. A value out of range is clamped to the nearest bound, here and
        ///   for the other units.
        /// - Returns: The span.
        public static func seconds(_ seconds: Int) -> Span {
            Span(seconds: min(max(seconds, 1), Int(UInt32.max)))
        }
        /// A span of minutes.
        ///
        /// - Parameter minutes: The number of minutes.
        /// - Returns: The span.
        public static func minutes(_ minutes: Int) -> Span { .seconds(minutes.clampedProduct(60)) }
        /// A span of hours.
        ///
        /// - Parameter hours: The number of hours.
        /// - Returns: The span.
        public static func hours(_ hours: Int) -> Span { .seconds(hours.clampedProduct(3600)) }
        /// A span of days of 24 hours.
        ///
        /// - Parameter days: The number of days.
        /// - Returns: The span.
        public static func days(_ days: Int) -> Span { .seconds(days.clampedProduct(86_400)) }

        /// Orders spans by their length.
        public static func < (a: Span, b: Span) -> Bool { a.seconds < b.seconds }
    }

    /// The time from the first sealing after which a session ends, however often it is sealed again.
    public var absolute: Span
    /// The time from the last sealing after which a session ends. Nil: it does not end through disuse.
    public var idle: Span?
    /// The longest that any session lives from its first sealing, whatever `absolute` or its own lifetime says. The
    /// default is 400 days, the longest that browsers keep a cookie. Only a sealer's ceiling counts, not one in a
    /// session's own lifetime.
    public var ceiling: Span

    /// The ceiling of a policy that sets none.
    public static let usualCeiling = Span.days(400)

    /// Creates a policy, or a session's own lifetime.
    ///
    /// - Parameters:
    ///   - absolute: The time from the first sealing after which a session ends, however often it is sealed again.
    ///   - idle: The time from the last sealing after which a session ends. Nil: it does not end through disuse.
    ///   - ceiling: The longest time from the first sealing that any session lives. It counts only in a policy.
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
