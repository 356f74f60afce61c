// Changes the ring file as operators, cron jobs, Kubernetes and accidents do.
import Foundation
import Synchronization

@testable import SealedCookie

final class RingOperator: @unchecked Sendable {  // `run` is one thread's; `faults` is read after its end.
    let path: String
    let history = History()
    private(set) var faults: [String] = []
    private let folder: String
    private var ring: KeyRing
    /// A copy of the ring that an old machine might restore; made after the last pruning.
    private var stale: KeyRing
    /// No one reloads while a file is broken on purpose: `reload` trusts what it reads.
    private let breaking = Mutex<Void>(())
    private var number = 0
    /// The next actions: everything once, then in another order.
    private var deck: [Int] = []
    private var deckCount = 0

    init(folder: String) throws {
        self.folder = folder
        path = folder + "/session.keys"
        var ring = try KeyRing([])
        for age in [300.0, 200, 100] {
            ring = try ring.rotated(activeFrom: Date(timeIntervalSinceNow: -age)).ring
        }
        self.ring = ring
        stale = ring
        try ring.create(at: path)
    }

    func reload(_ file: KeyRingFile) {
        breaking.withLock { _ in
            if (try? file.reload()) == nil { faults.append("a whole ring was not read") }
        }
        usleep(7_000)
    }

    func run(until stop: Stop) {
        do {
            while !stop.isSet {
                // Four busy seconds, then quiet for as long as a ring with fewer keys needs to take effect.
                let busy = wallTime() + 4
                while wallTime() < busy, !stop.isSet {
                    if deck.isEmpty {
                        deck = (0..<12).shuffled()
                        deckCount += 1
                    }
                    try step(deck.removeLast())
                    usleep(UInt32.random(in: 1_000...120_000))
                }
                if stop.isSet { break }
                try prune()
                let quiet = wallTime() + 3.5
                while wallTime() < quiet, !stop.isSet { usleep(20_000) }
            }
        } catch {
            faults.append("the ring could not be changed: \(error)")
            stop.set()
        }
    }

    private func step(_ choice: Int) throws {
        switch choice {
        case 0, 1, 2:
            history.note("rotated")
            try write(ring.rotated(activeFrom: .now).ring)
        case 3:
            history.note("rotated, pending")
            try write(ring.rotated(activeFrom: Date(timeIntervalSinceNow: 2)).ring)
        case 4, 5: try revoke()
        case 6: if deckCount % 4 == 1 { try endSessions() }
        case 7:
            history.note("merged with a stale copy")
            try write(ring.merged(with: stale))
        default: try breakFile(choice - 8)
        }
    }

    /// Replaces the file in one of several ways.
    private func write(_ changed: KeyRing) throws {
        ring = changed
        number += 1
        switch number % 3 {
        case 0:
            // The library's own way: under a lock, by a rename.
            try KeyRing.update(at: path) { (_) throws(KeyRingError) in changed }
        case 1:
            let fresh = folder + "/fresh"
            try changed.create(at: fresh)
            rename(fresh, path)
        default:
            // As Kubernetes swaps a mounted secret.
            let target = folder + "/ring-\(number)"
            try changed.create(at: target)
            let link = folder + "/link"
            try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: target)
            rename(link, path)
        }
    }

    private func isActive(_ key: SealingKey, for seconds: Double) -> Bool {
        key.isActive(at: Date(timeIntervalSinceNow: -seconds))
    }

    /// Keys that are active for a thread that read the clock and then slept for some seconds.
    private var veterans: [KeyID] { ring.keys.filter { isActive($0, for: 5) }.map(\.id) }

    private func revoke() throws {
        let active = ring.keys.filter { isActive($0, for: 0) }
        guard let key = (Bool.random() ? active.last : active.randomElement()), let sealing = active.last,
            active.count > 2, !veterans.contains(key.id) || veterans.count > 2
        else { return }
        history.note(key.id == sealing.id ? "revoked the active key" : "revoked") {
            $0.revoked[key.id] = Change(begun: wallTime())
        }
        try write(ring.revoking(key.id))
        history.noteDone { $0.revoked[key.id]?.done = wallTime() }
    }

    private func endSessions() throws {
        // Rounded up to a whole second by the ring.
        let end = Date.now.timeIntervalSince1970.rounded(.up)
        guard history.current.ends[end] == nil else { return }
        history.note("ended all sessions") { $0.ends[end] = Change(begun: wallTime()) }
        try write(ring.endingSessions(createdBefore: Date(timeIntervalSince1970: end)))
        history.noteDone { $0.ends[end]?.done = wallTime() }
    }

    /// Drops all keys but the last few, without a trace.
    private func prune() throws {
        let kept = Set(veterans.suffix(2))
        let gone = ring.keys.filter { isActive($0, for: 0) }.dropLast(3).map(\.id).filter {
            !kept.contains($0)
        }
        guard !gone.isEmpty else { return }
        history.note("pruned") { state in for id in gone { state.removed[id] = Change(begun: wallTime()) } }
        try write(
            KeyRing(
                ring.keys.filter { !gone.contains($0.id) }, revoked: ring.revoked, notBefore: ring.notBefore))
        history.noteDone { state in for id in gone { state.removed[id]?.done = wallTime() } }
        stale = ring
    }

    /// For a moment the file is half a ring, missing, nonsense or empty; then it is restored.
    private func breakFile(_ way: Int) throws {
        try breaking.withLock { _ in
            let whole = try Data(contentsOf: URL(filePath: path))
            let pause = UInt32.random(in: 1_000...80_000)
            switch way {
            case 0:
                history.note("written in place, with a pause in the middle")
                // Not with Data.write, which would replace the file.
                guard let handle = FileHandle(forWritingAtPath: path) else {
                    throw CocoaError(.fileNoSuchFile)
                }
                // Anywhere, or after a line: then what is there so far is a ring.
                let ends = whole.indices.filter { whole[$0] == UInt8(ascii: "\n") }
                let middle =
                    Bool.random() ? Int.random(in: 0...whole.count) : (ends.randomElement() ?? 0) + 1
                try handle.truncate(atOffset: 0)
                try handle.write(contentsOf: whole.prefix(middle))
                usleep(pause)
                try handle.write(contentsOf: whole.dropFirst(middle))
                try handle.close()
                return
            case 1:
                history.note("removed")
                unlink(path)
            case 2:
                history.note("replaced by nonsense")
                try replace(with: whole + Data("key nonsense\n".utf8))
            default:
                history.note("replaced by nothing")
                try replace(with: Data())
            }
            usleep(pause)
            try replace(with: whole)
        }
    }

    private func replace(with contents: Data) throws {
        let fresh = folder + "/fresh"
        try contents.write(to: URL(filePath: fresh))
        chmod(fresh, 0o600)
        rename(fresh, path)
    }
}
