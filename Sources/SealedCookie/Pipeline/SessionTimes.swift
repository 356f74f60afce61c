// When a session began, was last sealed, and must end. FORMAT §6, §10.
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

    /// Whether the session was begun or sealed by a clock further ahead than `KeyRing.clockSkew`.
    func isInFuture(at now: Date) -> Bool {
        Double(sealed) > now.timeIntervalSince1970 + Double(KeyRing.clockSkew)
    }
}
