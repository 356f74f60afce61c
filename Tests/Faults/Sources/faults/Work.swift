// What is done while something fails: rings, keys, dictionaries, every kind of seal and open.
import Foundation
import SealedCookie

struct Account: Codable, Equatable, Sendable {
    var user: Int
    var name: String
    var roles: [String]
    var csrf: Data
    var device: UUID
    var since: Date
    var note: Secret<String>

    static let sample = Account(
        user: 184_467, name: "Zoë", roles: ["member", "billing_admin", "member_admin"], csrf: Data(0..<12),
        device: UUID(uuid: (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16)),
        since: Date(timeIntervalSince1970: 1_785_715_200), note: Secret("not to be seen"))
}

/// What must never be.
struct Wrong: Error {
    let what: String
}

/// A step that failed, and how.
struct StepFailure: Error {
    let step: String
    let error: any Error
}

/// Something to do, and its name.
typealias Step = (name: String, body: (Work) throws -> Void)

/// The objects of an application that go on being used after a failure.
final class Work {
    static let now = Date(timeIntervalSince1970: 1_785_715_200)
    static let name = "__Host-session"

    private let text: String
    private let folder: String
    private var ring: KeyRing?
    private var dictionary: CompressionDictionary?
    private var sealers: [String: CookieSealer<Account>] = [:]
    private var encodedSealer: CookieSealer<EncodedSession>?
    private var account = Account.sample
    /// Every token that came out, with its purpose.
    private(set) var tokens: [(purpose: String, text: String)] = []
    private var step = ""

    init(ring text: String, folder: String) {
        self.text = text
        self.folder = folder
    }

    /// - Throws: StepFailure, at the first step that fails.
    func run(_ steps: [Step] = Work.steps) throws(StepFailure) {
        for (name, body) in steps {
            do {
                try body(self)
            } catch {
                throw StepFailure(step: name, error: error)
            }
        }
    }

    /// The shapes of tokens, by their purposes.
    private static let shapes = ["standard", "own", "plain", "off", "padded", "large"]

    static var steps: [Step] {
        [
            ("parse a ring", { try $0.parseRing() }),
            ("generate a key", { _ in _ = try SealingKey.generate() }),
            ("write and change a ring file", { try $0.changeRingFile() }),
            ("make a dictionary", { try $0.makeDictionary() }),
        ]
            + shapes.map { shape in ("seal and open, \(shape)", { try $0.sealAndOpen(shape) }) }
            + [
                ("seal and open an encoded session", { try $0.sealAndOpenEncoded() }),
                ("open what was changed", { try $0.openChanged() }),
                ("report a size", { work in _ = try work.sealer("standard").sizeReport(for: work.account) }),
            ]
    }

    /// Leaves some of the 204 nonces of a page, beside those of `steps`.
    static var almostAPage: [Step] {
        [
            (
                "seal many times",
                { work in
                    let sealer = try work.sealer("off")
                    for _ in 0..<183 { try work.keep(sealer.seal(work.account, at: now), "off") }
                }
            )
        ]
    }

    private func parseRing() throws {
        // Once by its text, as a server does that starts; the sealers keep the first.
        let parsed = try KeyRing(parsing: text)
        if ring == nil { ring = parsed }
    }

    private func theRing() throws -> KeyRing {
        if ring == nil { try parseRing() }
        guard let ring else { throw Wrong(what: "no ring") }
        return ring
    }

    private func changeRingFile() throws {
        let path = "\(folder)/ring.keys"
        try? FileManager.default.removeItem(atPath: path)
        let ring = try theRing()
        try ring.create(at: path)
        let changed = try KeyRing.update(at: path) { (ring) throws(KeyRingError) in
            try ring.rotated(activeFrom: Work.now.addingTimeInterval(3600)).ring
        }
        let read = try KeyRing(contentsOf: path)
        guard read.keys.map(\.id) == changed.keys.map(\.id), read.keys.count == ring.keys.count + 1 else {
            throw Wrong(what: "another ring in the file")
        }
    }

    private func makeDictionary() throws {
        let made = try CompressionDictionary(Array("dnamedrolesfmemberbilling_adminmember_admin".utf8))
        if dictionary == nil { dictionary = made }
    }

    private func sealer(_ shape: String) throws -> CookieSealer<Account> {
        if let sealer = sealers[shape] { return sealer }
        if dictionary == nil { try makeDictionary() }
        let compression: SessionCompression =
            switch shape {
            case "own": .dictionaries([dictionary].compactMap { $0 })
            case "plain", "large": .withoutDictionary
            case "off": .off
            default: .standard
            }
        let sealer = try CookieSealer<Account>(
            Work.name, keys: theRing(), lifetime: .init(absolute: .days(14), idle: .hours(12)),
            purpose: shape, compression: compression, paddingBlock: shape == "padded" ? 64 : 0)
        sealers[shape] = sealer
        return sealer
    }

    private func sealAndOpen(_ shape: String) throws {
        let sealer = try sealer(shape)
        if shape == "large" {
            // Inflates in more than one step, for which zlib needs a window.
            account.roles = Array(repeating: "member of some group or other", count: 200)
        }
        defer { account = .sample }
        let sealed = try keep(sealer.seal(account, lifetime: .init(absolute: .days(30)), at: Work.now), shape)
        guard
            let opened = try sealer.open(
                cookieHeader: "theme=dark; \(Work.name)=\(sealed)", at: Work.now)
        else { throw Wrong(what: "the cookie is not found") }
        guard opened.session == account else { throw Wrong(what: "another session opens") }
        let again = try keep(sealer.reseal(opened, at: Work.now), shape)
        guard try sealer.open(value: again, at: Work.now).session == account else {
            throw Wrong(what: "another session opens")
        }
        guard again != sealed else { throw Wrong(what: "two tokens are the same") }
    }

    private func sealAndOpenEncoded() throws {
        let sealer =
            try encodedSealer
            ?? CookieSealer<EncodedSession>(
                Work.name, keys: theRing(), lifetime: .init(absolute: .days(14)), purpose: "encoded")
        encodedSealer = sealer
        // {"name": "Zoë", "roles": ["member", "member"], "id": h'00..'}
        let item =
            [0xA3, 0x62] + Array("id".utf8) + [0x44, 0, 1, 2, 3] + [0x64] + Array("name".utf8) + [0x64]
            + Array("Zoë".utf8) + [0x65] + Array("roles".utf8) + [0x82, 0x66] + Array("member".utf8) + [0x66]
            + Array("member".utf8)
        let session = try EncodedSession(item)
        let sealed = try keep(sealer.seal(session, at: Work.now), "encoded")
        guard try sealer.open(value: sealed, at: Work.now).session == session else {
            throw Wrong(what: "another session opens")
        }
    }

    private func openChanged() throws {
        let sealer = try sealer("standard")
        var text = Array(try keep(sealer.seal(account, at: Work.now), "standard").utf8)
        // In the tag.
        text[text.count - 5] =
            text[text.count - 5] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
        do throws(OpenError) {
            _ = try sealer.open(value: String(decoding: text, as: UTF8.self), at: Work.now)
        } catch {
            guard error == .notAuthentic else { throw error }
            return
        }
        throw Wrong(what: "a changed token opens")
    }

    @discardableResult private func keep(_ sealed: SealedSession, _ purpose: String) throws -> String {
        guard let token = sealed.cookies.first?.value else { throw Wrong(what: "no cookie") }
        tokens.append((purpose, token))
        return token
    }
}
