// The times at which a session began, was last sealed, and must end. FORMAT §6, §10.
#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The times inside a token, authenticated and encrypted with the session.
@usableFromInline
struct SessionTimes: Equatable, Sendable {
    /// Unix seconds.
    let created: UInt32
    /// Seconds from `created` to this sealing.
    let age: UInt32
    /// This session's own lifetime in seconds, which replaces the policy's. 0: it has none.
    private let ownAbsolute: UInt32
    /// 0: none.
    private let ownIdle: UInt32
    let marks: SessionMarks

    init(created: UInt32, age: UInt32, lifetime: OwnLifetime?, marks: SessionMarks = []) {
        self.created = created
        self.age = age
        ownAbsolute = lifetime?.absolute ?? 0
        ownIdle = lifetime?.idle ?? 0
        self.marks = marks
    }

    /// This session's own lifetime, which replaces the policy's.
    var lifetime: OwnLifetime? {
        ownAbsolute > 0 ? OwnLifetime(absolute: ownAbsolute, idle: ownIdle) : nil
    }

    /// A session that begins now; nil outside the years 1970 to 2106.
    ///
    /// - Parameter earliest: The session is sealed no earlier than this; nil if there is no such time. Even so, the
    ///   session begins now: if it began ahead of the clock, it would outlive a cut-off that ends everything that
    ///   began before now.
    init?(
        beginningAt now: Date, sealedNoEarlierThan earliest: Date? = nil, lifetime: SessionLifetime?,
        marks: SessionMarks = []
    ) {
        guard let now = UInt32(exactly: now.timeIntervalSince1970.rounded(.down)) else { return nil }
        let ahead = earliest.map { $0.timeIntervalSince1970.rounded(.down) - Double(now) } ?? 0
        self.init(
            created: now, age: UInt32(max(0, min(ahead, Double(KeyRing.clockSkew)))),
            lifetime: lifetime.map { OwnLifetime($0) }, marks: marks)
    }

    /// The same session, sealed again now; nil after 2106.
    func sealedAgain(at now: Date) -> SessionTimes? {
        guard let now = UInt32(exactly: now.timeIntervalSince1970.rounded(.down)) else { return nil }
        // If this clock is behind the one that sealed it last, keep that time: otherwise the older of two cookies
        // would decide.
        return SessionTimes(
            created: created, age: max(now > created ? now - created : 0, age), lifetime: lifetime,
            marks: marks)
    }

    var createdAt: Date { Date(timeIntervalSince1970: Double(created)) }
    var sealedAt: Date { Date(timeIntervalSince1970: Double(sealed)) }
    private var sealed: Int64 { Int64(created) + Int64(age) }

    /// The seconds that the session lives from its beginning.
    func absolute(under policy: SessionLifetime) -> Int {
        min(ownAbsolute > 0 ? Int(ownAbsolute) : policy.absolute.seconds, policy.ceiling.seconds)
    }

    /// The seconds that it lives from its last sealing. Nil: it does not end through disuse.
    func idle(under policy: SessionLifetime) -> Int? {
        guard ownAbsolute > 0 else { return policy.idle?.seconds }
        return ownIdle > 0 ? Int(ownIdle) : nil
    }

    /// The first second at which the session is over. Inlined: otherwise an open takes 27 more instructions, of
    /// 9,100.
    @inline(__always)
    func end(under policy: SessionLifetime) -> Date {
        let absolute = Int64(created) + Int64(absolute(under: policy))
        let idle = idle(under: policy).map { sealed + Int64($0) } ?? absolute
        return Date(timeIntervalSince1970: Double(min(absolute, idle)))
    }

    /// The first second at which no session can be left that began at the same time as this one.
    func latestEnd(under policy: SessionLifetime) -> Date { createdAt + Double(policy.ceiling.seconds) }

    /// Whether the session began before a cut-off, whose seconds count rounded up. Since `created` is a whole second,
    /// the result is the same with and without rounding.
    ///
    /// A cut-off that is not a number ends everything. `Date` compares such a value as equal or later, so the numbers
    /// are compared.
    func began(before cutOff: Date) -> Bool {
        !(createdAt.timeIntervalSinceReferenceDate >= cutOff.timeIntervalSinceReferenceDate)
    }

    /// Whether the session was begun or sealed by a clock more than `KeyRing.clockSkew` ahead.
    func isInFuture(at now: Date) -> Bool {
        Double(sealed) > now.timeIntervalSince1970 + Double(KeyRing.clockSkew)
    }
}

/// A session's own lifetime in the form that a token has, in seconds.
struct OwnLifetime: Equatable, Sendable {
    /// At least 1.
    let absolute: UInt32
    /// 0: the session does not end through disuse.
    let idle: UInt32

    init(absolute: UInt32, idle: UInt32) {
        self.absolute = absolute
        self.idle = idle
    }

    init(_ lifetime: SessionLifetime) {
        absolute = UInt32(clamping: lifetime.absolute.seconds)
        idle = UInt32(clamping: lifetime.idle?.seconds ?? 0)
    }

    var lifetime: SessionLifetime {
        SessionLifetime(
            absolute: .seconds(Int(absolute)), idle: idle > 0 ? .seconds(Int(idle)) : nil)
    }
}

/// What single flags of a token say about its session; the bits are those of the flags (FORMAT §6).
struct SessionMarks: OptionSet, Sendable {
    let rawValue: UInt8

    /// The browser must drop the cookie on closing.
    static let endsWithBrowser = SessionMarks(rawValue: 0x10)
    /// No session: it was signed out.
    static let ended = SessionMarks(rawValue: 0x20)
    static let all: SessionMarks = [.endsWithBrowser, .ended]
}
