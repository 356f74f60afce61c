// What the suites on a followed ring file share.
import Foundation
import Synchronization
import Testing

@testable import SealedCookie

/// The events of a ring file.
final class EventLog: Sendable {
    private let log = Mutex<[KeyRingEvent]>([])
    var events: [KeyRingEvent] { log.withLock { $0 } }
    func add(_ event: KeyRingEvent) { log.withLock { $0.append(event) } }
}

/// A monotonic clock that advances on request.
final class TestClock: Sendable {
    private let nanoseconds = Atomic<Int64>(1_000_000)
    var now: @Sendable () -> Int64 {
        { self.nanoseconds.load(ordering: .relaxed) }
    }
    func advance(by span: Duration) {
        nanoseconds.add(
            span.components.seconds * 1_000_000_000 + span.components.attoseconds / 1_000_000_000,
            ordering: .relaxed)
    }
}

/// A suite with its own folder and clock.
protocol KeyRingFileSuite {
    var folder: ToolFolder { get }
    var clock: TestClock { get }
}

extension KeyRingFileSuite {
    func rotate(_ path: String, from: Date = noon) throws -> KeyID {
        var added: KeyID?
        try KeyRing.update(at: path) { (ring) throws(KeyRingError) in
            let (rotated, key) = try ring.rotated(activeFrom: from, at: from)
            added = key.id
            return rotated
        }
        return try #require(added)
    }

    func text(_ ring: KeyRing) throws -> String {
        try ring.withText { text in String(decoding: text.indices.map { text[$0] }, as: UTF8.self) }
    }

    /// Polls at the first access after each `tick`.
    func follow(_ path: String, _ log: EventLog = EventLog()) throws -> KeyRingFile {
        try KeyRingFile(path, pollInterval: .milliseconds(1), clock: clock.now) { log.add($0) }
    }

    func tick() { clock.advance(by: .milliseconds(1)) }
}
