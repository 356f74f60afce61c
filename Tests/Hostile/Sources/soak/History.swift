// The changes of the ring, and what they allow to be refused or opened.
import Foundation
import SealedCookie
import Synchronization

final class Stop: Sendable {
    private let flag = Atomic(false)
    var isSet: Bool { flag.load(ordering: .relaxed) }
    func set() { flag.store(true, ordering: .relaxed) }
}

/// Wall-clock seconds.
func wallTime() -> Double { Date.now.timeIntervalSince1970 }

/// When a change began, and when the file was in place.
struct Change: Sendable {
    let begun: Double
    var done = Double.infinity
}

final class History: Sendable {
    /// The seconds after which every reader must have seen a change: 20 ms between polls, and two seconds for which a
    /// file must not have changed before a ring that lacks keys takes effect. The rest is for a busy machine.
    static let grace = 5.0

    struct State: Sendable {
        var revoked: [KeyID: Change] = [:]
        var removed: [KeyID: Change] = [:]
        /// The time before which sessions are ended.
        var ends: [Double: Change] = [:]
        var changes: [String: Int] = [:]
    }

    private let state = Mutex(State())
    private let version = Atomic(0)

    var current: State { state.withLock { $0 } }
    var currentVersion: Int { version.load(ordering: .acquiring) }
    var changes: [String: Int] { state.withLock { $0.changes } }

    func note(_ kind: String, _ change: (inout State) -> Void = { _ in }) {
        state.withLock {
            change(&$0)
            $0.changes[kind, default: 0] += 1
        }
        version.add(1, ordering: .releasing)
    }

    func noteDone(_ change: (inout State) -> Void) {
        state.withLock { change(&$0) }
        version.add(1, ordering: .releasing)
    }
}
