// How long sessions live. FORMAT §10.

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
