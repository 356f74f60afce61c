// The key ring: its text, which key seals when, and that no secret shows.
import Foundation
import Testing

@testable import SealedCookie

@Suite struct KeyRingTests {
    /// `sck1_` and the base64url text of 32 bytes from `seed` up.
    private func secret(_ seed: UInt8) -> String {
        let bytes = (0..<32).map { seed &+ UInt8($0) }
        return "sck1_" + Base64URL.encode(bytes.span)
    }

    private func line(_ seed: UInt8, from: String? = nil) throws -> String {
        "key \(try sampleKey(seed).id) \(from.map { "from=\($0) " } ?? "")\(secret(seed))\n"
    }

    private func text(_ ring: KeyRing) throws -> String {
        String(decoding: try ring.fileContents().copied, as: UTF8.self)
    }

    @Test func `the key id is the start of the CMAC of its label`() throws {
        // From Python's cryptography 48: CMAC(AES(bytes(range(1, 33)))) of b"SealedCookie/1 key id".
        #expect(try sampleKey(1).id.description == "758d3a")
    }

    @Test func `a ring's text is read and written`() throws {
        let text = """
            # sealed-cookie key ring
            \(try line(1, from: "2026-08-03T00:00:00Z"))\(try line(50, from: "2026-11-01T00:00:00Z"))revoked 1b22d0
            not-before 2026-08-20T12:00:00Z

            """
        let ring = try KeyRing(parsing: text)
        #expect(ring.keys.map(\.id) == [try sampleKey(1).id, try sampleKey(50).id])
        #expect(ring.keys.map(\.activeFrom) == [noon, noon + 90 * 86_400])
        #expect(ring.revoked == [try #require(KeyID("1b22d0"))])
        #expect(ring.notBefore == noon + 17.5 * 86_400)
        #expect(try self.text(ring) == text)
    }

    @Test func `blanks, comments, CRLF and a missing last newline do not matter`() throws {
        let ring = try KeyRing(
            parsing: "\r\n# a\r\n   \t\n  key\t\(try sampleKey(1).id)   \(secret(1))  \r\n#\nrevoked 000000")
        #expect(ring.keys.count == 1 && ring.revoked.count == 1)
        #expect(try KeyRing(parsing: "").keys.isEmpty)
    }

    @Test func `the newest key whose time has come seals`() throws {
        let old = try sampleKey(1)
        let next = try sampleKey(2, from: noon)
        let later = try sampleKey(3, from: noon + 3600)
        let ring = try KeyRing([later, old, next])
        #expect(ring.keys.map(\.id) == [old.id, next.id, later.id])
        #expect(ring.activeKey(at: noon - 1)?.id == old.id)
        #expect(ring.activeKey(at: noon)?.id == next.id)
        #expect(ring.activeKey(at: noon + 3599)?.id == next.id)
        #expect(ring.activeKey(at: noon + 3600)?.id == later.id)
        #expect(try KeyRing([later]).activeKey(at: noon) == nil)
        #expect(throws: SealError.noActiveKey) {
            try loginSealer(KeyRing([later])).seal(login, at: noon)
        }
    }

    @Test func `a pending key opens already`() throws {
        let pending = try sampleKey(3, from: noon)
        let token = try loginSealer(KeyRing([pending])).seal(login, at: noon + 10).token
        let early = try loginSealer(KeyRing([sampleKey(1), pending]))
        #expect(try early.open(value: token, at: noon - 10).session == login)
    }

    @Test func `a key twice counts once, from the later time`() throws {
        let text = try line(1) + line(1, from: "2026-08-03T00:00:00Z") + line(1, from: "2026-08-02T00:00:00Z")
        let ring = try KeyRing(parsing: text)
        #expect(ring.keys.count == 1 && ring.keys.first?.activeFrom == noon)
        let ends = try KeyRing(parsing: "not-before 2026-08-03T00:00:00Z\nnot-before 2026-08-02T00:00:00Z")
        #expect(ends.notBefore == noon)
    }

    @Test func `revoked wins over a key, before or after it`() throws {
        let id = try sampleKey(1).id
        for text in [try line(1) + "revoked \(id)", "revoked \(id)\n" + (try line(1))] {
            let ring = try KeyRing(parsing: text)
            #expect(ring.keys.isEmpty && ring.revoked == [id])
        }
    }

    static let wrongLines: [(String, KeyRingError.Problem)] = [
        ("kez 5f3a9c sck1_x", .unknownLine),
        ("key 5f3a9c", .unknownLine),
        ("key 5f3a9c sck1_x y z", .unknownLine),
        ("revoked", .unknownLine),
        ("revoked 5f3a9c 5f3a9c", .unknownLine),
        ("not-before", .unknownLine),
        ("key 5f3a9c until=2026-08-03T00:00:00Z sck1_x", .unknownLine),
        ("key 5F3A9C sck1_x", .notAKeyID),
        ("revoked 5f3a9", .notAKeyID),
        ("revoked 5f3a9cc", .notAKeyID),
        ("revoked +f3a9c", .notAKeyID),
        ("key 5f3a9c sck1_x", .notAKey),
        ("key 5f3a9c sck2_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", .notAKey),
        ("key 5f3a9c sck1_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9", .notAKey),
        ("key 5f3a9c sck1_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", .notAKey),
        (
            "key 5f3a9c sck1_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
            .mislabelled(KeyID(0x5F, 0x3A, 0x9C))
        ),
        ("not-before 2026-08-03", .notATime),
        ("not-before 2026-08-03T00:00:00", .notATime),
        ("not-before 2026-08-03T00:00:00+00:00", .notATime),
        ("not-before 2026-02-30T00:00:00Z", .notATime),
        ("not-before 2026-08-03t00:00:00z", .notATime),
        ("key 5f3a9c from=soon sck1_x", .notATime),
    ]

    @Test(arguments: wrongLines) func `a wrong line is refused with its number`(
        line: String, problem: KeyRingError.Problem
    ) throws {
        let text = "# ring\n\n\(line)\n"
        let expected = KeyRingError(source: "cookie.keys", line: 3, problem: problem)
        #expect(throws: expected) { try KeyRing(parsing: text, source: "cookie.keys") }
        #expect(expected.description.hasPrefix("key ring \"cookie.keys\": line 3: "))
        #expect(!expected.description.contains("AAECAw"))
    }

    @Test func `any changed character of a secret or an id is refused`() throws {
        let valid = Array(try line(1).utf8)
        var refused = 0
        for position in 4..<valid.count - 1 where valid[position] != 0x20 {
            for replacement in "Az0_-f\u{7F}".utf8 where replacement != valid[position] {
                var changed = valid
                changed[position] = replacement
                let text = String(decoding: changed, as: UTF8.self)
                let error = #expect(throws: KeyRingError.self) { try KeyRing(parsing: text, source: "r") }
                #expect(error?.line == 1)
                #expect(error.map { !"\($0)".contains("sck1") } ?? false)
                refused += 1
            }
        }
        #expect(refused > 300)
    }

    @Test func `two different keys with one id are refused`() throws {
        // The first pair among keys of two counting bytes and zeros, found by search.
        let (a, b) = (try countingKey(99), try countingKey(2062))
        #expect(a.id == b.id && a.id.description == "5d0b03")
        #expect(throws: KeyRingError(source: "keys", line: nil, problem: .idCollision(a.id))) {
            try KeyRing([a, b])
        }
        // Neither is left where the id is revoked.
        #expect(try KeyRing([a, b], revoked: [a.id]).keys.isEmpty)
    }

    private func countingKey(_ number: UInt16) throws -> SealingKey {
        let bytes = [UInt8(number >> 8), UInt8(number & 0xFF)] + Array(repeating: 0, count: 30)
        return try SealingKey(material: XAESKey(SecretBytes.copy(of: bytes.span)), activeFrom: nil)
    }

    @Test func `no description or dump shows a secret`() throws {
        let ring = try sampleRing(1)
        let sealer = try loginSealer(ring)
        var dumped = ""
        dump(ring, to: &dumped)
        dump(sealer, to: &dumped)
        dump(ring.keys, to: &dumped)
        dumped +=
            "\(ring) \(ring.keys) \(sealer) \(String(reflecting: ring)) \(String(reflecting: ring.keys))"
        let bytes = (0..<32).map { UInt8(1 + $0) }
        #expect(dumped.contains(try sampleKey(1).id.description))
        #expect(!dumped.contains("sck1_"))
        #expect(!dumped.contains(Base64URL.encode(bytes.span)))
        #expect(!dumped.contains(bytes.hex))
        #expect(!dumped.contains("\(bytes.map(Int.init))".dropFirst().dropLast()))
    }

    @Test func `a new ring file is for its owner alone and overwrites nothing`() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appending(path: "session.keys").path
        let ring = try KeyRing([SealingKey.generate()])
        try ring.create(at: path)
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        #expect(try KeyRing(contentsOf: path).keys.map(\.id) == ring.keys.map(\.id))
        let before = try String(contentsOfFile: path, encoding: .utf8)
        #expect(throws: KeyRingError(source: path, line: nil, problem: .exists)) { try ring.create(at: path) }
        #expect(try String(contentsOfFile: path, encoding: .utf8) == before)
        let missing = folder.appending(path: "none").path
        #expect(
            throws: KeyRingError(
                source: missing, line: nil, problem: .unreadable("No such file or directory"))
        ) { try KeyRing(contentsOf: missing) }
        #expect(throws: KeyRingError(source: folder.path, line: nil, problem: .unreadable("Is a directory")))
        {
            try KeyRing(contentsOf: folder.path)
        }
    }
}
