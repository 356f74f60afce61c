// The events of a followed ring file, and their times.
import Foundation
import Synchronization
import Testing

@testable import SealedCookie

@Suite struct KeyRingFileEventTests: KeyRingFileSuite {
    let folder: ToolFolder

    init() throws {
        folder = try ToolFolder()
    }

    let clock = TestClock()

    @Test func `events are told in their order, one at a time`() throws {
        final class Told: Sendable {
            let counts = Mutex<[Int]>([])
            let inside = Atomic<Int>(0)
        }
        let told = Told()
        let file = try KeyRingFile(folder.ring, pollInterval: .zero, clock: clock.now) { event in
            guard case .changed(let ring) = event else { return }
            #expect(told.inside.add(1, ordering: .relaxed).newValue == 1)
            // Time for another thread to overtake.
            usleep(2000)
            told.counts.withLock { $0.append(ring.revoked.count) }
            told.inside.subtract(1, ordering: .relaxed)
        }
        let done = DispatchGroup()
        let isOver = Atomic<Bool>(false)
        for _ in 0..<3 {
            done.enter()
            Thread.detachNewThread {
                while !isOver.load(ordering: .relaxed) {
                    try? file.reload()
                    _ = file.ring
                }
                done.leave()
            }
        }
        for number in 0..<60 {
            try KeyRing.update(at: folder.ring) { (ring) throws(KeyRingError) in
                try ring.revoking(KeyID(0, 1, UInt8(number)))
            }
        }
        let deadline = ContinuousClock.now + .seconds(20)
        while told.counts.withLock({ $0.last }) != 60, ContinuousClock.now < deadline { usleep(1000) }
        isOver.store(true, ordering: .relaxed)
        done.wait()
        let counts = told.counts.withLock { $0 }
        #expect(counts.last == 60 && counts == counts.sorted())
    }

    @Test func `what is told may itself read the file again`() throws {
        final class Box: Sendable { let file = Mutex<KeyRingFile?>(nil) }
        let (box, log) = (Box(), EventLog())
        let file = try KeyRingFile(folder.ring, pollInterval: .milliseconds(1), clock: clock.now) { event in
            log.add(event)
            try? box.file.withLock { $0 }?.reload()
        }
        box.file.withLock { $0 = file }
        defer { box.file.withLock { $0 = nil } }
        _ = try rotate(folder.ring)
        tick()
        #expect(file.ring.keys.count == 2 && log.events.count == 1)
    }

    @Test func `a ring whose keys are all pending is told, in the beginning and when it comes`() throws {
        let early = Date(timeIntervalSinceNow: 10_000)
        let text = { (ring: KeyRing) in String(decoding: try ring.fileContents().copied, as: UTF8.self) }
        let pending = try KeyRing([sampleKey(1, from: early + 50), sampleKey(2, from: early)])
        let path = try folder.write("pending.keys", text(pending))
        let log = EventLog()
        let file = try follow(path, log)
        let id = try sampleKey(2).id
        #expect(log.events.count == 1 && "\(log.events[0])".contains("\(id) seals before its time"))
        #expect(try loginSealer(file.ring).open(value: loginSealer(file.ring).seal(login).token).keyID == id)
        _ = try folder.write("pending.keys", text(sampleRing(1)))
        for _ in 0..<2 {
            clock.advance(by: .seconds(3))
            #expect(file.ring.keys.count < 3)
        }
        #expect(file.ring.activeKey()?.id == (try sampleKey(1).id))
        _ = try folder.write("pending.keys", text(pending))
        try file.reload()
        #expect(log.events.count { if case .sealsEarly(id) = $0 { true } else { false } } == 2)
    }
}
