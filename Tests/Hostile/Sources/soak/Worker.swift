// A thread of a server: seals sessions and opens its own and other threads'.
import Foundation
import SealedCookie
import Synchronization

struct SoakSession: Codable, Sendable, Equatable {
    var id: UInt64
    var name: String
    var secret: Data
    var counts: [String: Int]
    var roles: [String]
}

struct Tally: Sendable {
    var sealed = 0
    var attempts = 0
    var opened = 0
    var revoked = 0
    var unknown = 0
    var ended = 0
    var changedTried = 0
    var changed = 0

    mutating func add(_ other: Tally) {
        sealed += other.sealed
        attempts += other.attempts
        opened += other.opened
        revoked += other.revoked
        unknown += other.unknown
        ended += other.ended
        changedTried += other.changedTried
        changed += other.changed
    }
}

/// A token and its expected contents.
struct Sealed: Sendable {
    let token: String
    let session: SoakSession
    /// The wall-clock seconds before it was sealed.
    let from: Double
}

/// The place where threads find each other's tokens.
let exchange: [Mutex<Sealed?>.Box] = (0..<64).map { _ in .init() }

extension Mutex where Value == Sealed? {
    final class Box: Sendable {
        let slot = Mutex<Sealed?>(nil)
    }
}

final class Worker: @unchecked Sendable {  // One thread runs it; it is read after that has ended.
    private let number: Int
    private let sessions: CookieSealer<SoakSession>
    private let history: History
    private(set) var tally = Tally()
    private(set) var randoms: [UInt64] = []
    private(set) var faults: [String] = []
    private var recent: [Sealed] = []
    /// Tokens that are kept for long, so that keys are revoked, pruned and ended meanwhile.
    private var old: [Sealed] = []
    private var state: UInt64
    private var known = History.State()
    private var knownVersion = -1

    init(_ number: Int, _ sessions: CookieSealer<SoakSession>, _ history: History) {
        self.number = number
        self.sessions = sessions
        self.history = history
        state = UInt64(number) &* 0x9E37_79B9_7F4A_7C15 &+ UInt64(getpid()) &+ 1
    }

    private func random() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }

    func run(until stop: Stop) {
        while !stop.isSet, faults.isEmpty {
            seal()
            let choice = random() % 8
            if choice < 5, !recent.isEmpty {
                open(recent[Int(random() % UInt64(recent.count))])
            } else if choice == 5, !old.isEmpty {
                open(old[Int(random() % UInt64(old.count))])
            } else if let other = exchange[Int(random() % 64)].slot.withLock({ $0 }) {
                open(other)
            }
            if random() % 64 == 0 { openChanged() }
        }
        if !faults.isEmpty { stop.set() }
    }

    private func seal() {
        let id = UInt64(number) << 48 | UInt64(tally.sealed)
        let length = Int(random() % 120)
        let session = SoakSession(
            id: id, name: "user \(id) " + String(repeating: "name ", count: length % 16),
            secret: Data((0..<length % 40).map { UInt8(truncatingIfNeeded: state >> UInt64($0 & 31)) }),
            counts: ["visits": tally.sealed, "basket": length],
            roles: length % 3 == 0 ? ["member", "admin"] : [])
        let from = wallTime()
        do {
            let token = try sessions.seal(session).cookies[0].value
            tally.sealed += 1
            guard let box = Data(base64URL: token.prefix(32)) else {
                return faults.append("a token that is no base64url")
            }
            // R's first 8 bytes.
            randoms.append(box[4..<12].reduce(0) { $0 << 8 | UInt64($1) })
            let sealed = Sealed(token: token, session: session, from: from)
            if recent.count < 512 { recent.append(sealed) } else { recent[tally.sealed % 512] = sealed }
            if tally.sealed % 16 == 0 { exchange[Int(random() % 64)].slot.withLock { $0 = sealed } }
            if tally.sealed % 256 == 0 {
                if old.count < 1024 { old.append(sealed) } else { old[Int(random() % 1024)] = sealed }
            }
        } catch {
            faults.append("not sealed: \(error); \(from), \(wallTime()), \(sessions.keys)")
        }
    }

    private func open(_ sealed: Sealed) {
        let before = wallTime()
        tally.attempts += 1
        do {
            let opened = try sessions.open(value: sealed.token)
            tally.opened += 1
            guard opened.session == sealed.session else {
                return faults.append("another session came out: \(sealed.session.id)")
            }
            check(accepted: opened.keyID, opened.createdAt.timeIntervalSince1970, before)
        } catch {
            check(refused: error, sealed)
        }
    }

    /// A change counts as seen if it has been in place for long enough.
    private func check(accepted key: KeyID, _ created: Double, _ before: Double) {
        if history.currentVersion != knownVersion {
            knownVersion = history.currentVersion
            known = history.current
        }
        func isSeen(_ change: Change) -> Bool { before - change.done > History.grace }
        if let change = known.revoked[key], isSeen(change) {
            faults.append("key \(key) opened \(before - change.done) s after it was revoked")
        }
        if let change = known.removed[key], isSeen(change) {
            faults.append("key \(key) opened \(before - change.done) s after it was pruned")
        }
        for (end, change) in known.ends where created < end && isSeen(change) {
            faults.append(
                "a session of \(created) opened \(before - change.done) s after all before \(end) were ended")
        }
    }

    private func check(refused error: OpenError, _ sealed: Sealed) {
        // After the refusal: its cause had begun by now.
        let known = history.current
        switch error {
        case .revokedKey(let key) where known.revoked[key] != nil: tally.revoked += 1
        case .unknownKey(let key) where known.removed[key] != nil: tally.unknown += 1
        // A session begins in the second in which it is sealed, or later.
        case .endedBefore(let end)
        where known.ends[end.timeIntervalSince1970] != nil
            && sealed.from.rounded(.down) < end.timeIntervalSince1970:
            tally.ended += 1
        default: faults.append("refused without a reason: \(error)")
        }
    }

    private func openChanged() {
        guard let sealed = recent.last else { return }
        var characters = Array(sealed.token.utf8)
        // After the key ID; not the last character, of which not every bit counts.
        let place = 6 + Int(random() % UInt64(characters.count - 7))
        characters[place] = characters[place] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
        tally.changedTried += 1
        tally.attempts += 1
        do {
            _ = try sessions.open(value: String(decoding: characters, as: UTF8.self))
            faults.append("a changed token opened")
        } catch {
            tally.changed += 1
        }
    }
}

extension Data {
    init?(base64URL text: some StringProtocol) {
        self.init(
            base64Encoded: text.replacingOccurrences(of: "-", with: "+").replacingOccurrences(
                of: "_", with: "/"))
    }
}
