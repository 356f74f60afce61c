// The key ring: its text, which key seals when, and that no secret is shown.
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
            not-before 2026-08-20T12:00:00Z
            revoked 1b22d0
            \(try line(1, from: "2026-08-03T00:00:00Z"))\(try line(50, from: "2026-11-01T00:00:00Z"))
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
        #expect(try KeyRing(parsing: "", requiringKey: false).isEmpty)
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
            try loginSealer(KeyRing([], revoked: [later.id])).seal(login, at: noon)
        }
    }

    @Test func `where all keys are pending the earliest seals, of equal ones the greatest id`() throws {
        let keys = try [
            sampleKey(1, from: noon + 61), sampleKey(2, from: noon + 61), sampleKey(3, from: noon + 62),
        ]
        let ring = try KeyRing(keys)
        let sealing = try #require([keys[0].id, keys[1].id].max())
        #expect(ring.sealingKey(at: noon)?.id == sealing && ring.activeKey(at: noon) == nil)
        let sealed = try loginSealer(ring).seal(login, at: noon)
        let opened = try loginSealer(ring).open(value: sealed.token, at: noon)
        #expect(opened.keyID == sealing && !opened.needsResealing)
        // Nothing changes when its time has come.
        #expect(ring.sealingKey(at: noon + 61)?.id == sealing && ring.activeKey(at: noon + 61)?.id == sealing)
        // And none of them is removed as if it were old.
        #expect(try ring.pruned(lifetime: .seconds(1), at: noon).keys.count == 3)
        #expect(try KeyRing([]).sealingKey(at: noon) == nil)
    }

    @Test func `a session under a key that is pending here does not ask for the older key`() throws {
        let keys = try [sampleKey(1), sampleKey(2, from: noon + 30), sampleKey(3, from: noon + 60)]
        let sealer = try loginSealer(KeyRing(keys))
        for (index, key) in keys.enumerated() {
            // A server whose clock is ahead sealed it.
            let token = try loginSealer(KeyRing([key])).seal(login, at: noon + 30).token
            for (now, active) in [(noon, 0), (noon + 30, 1), (noon + 59, 1), (noon + 60, 2)] {
                #expect(try sealer.open(value: token, at: now).needsResealing == (index < active))
            }
        }
        // The same where all are pending.
        let pending = try loginSealer(KeyRing(Array(keys.dropFirst())))
        let token = try loginSealer(KeyRing([keys[2]])).seal(login, at: noon).token
        #expect(try !pending.open(value: token, at: noon).needsResealing)
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
        let ends = try KeyRing(
            parsing: "not-before 2026-08-03T00:00:00Z\nnot-before 2026-08-02T00:00:00Z", requiringKey: false)
        #expect(ends.notBefore == noon)
    }

    @Test func `revoked wins over a key, before or after it`() throws {
        let id = try sampleKey(1).id
        for text in [try line(1) + "revoked \(id)", "revoked \(id)\n" + (try line(1))] {
            let ring = try KeyRing(parsing: text, requiringKey: false)
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
        ("key 5f3a9c until=2026-08-03T00:00:00Z from=2026-08-03T00:00:00Z sck1_x", .unknownLine),
        ("key 5f3a9c until=2026-08-03T00:00:00Z sck1_x", .notAKey),
        ("key 5f3a9c from=2026-08-03T00:00:00Z until= sck1_x", .notATime),
        ("key 5f3a9c to=2026-08-03T00:00:00Z sck1_x", .unknownLine),
        ("key 5f3a9c\rsck1_x", .carriageReturn),
        ("# a comment\rkey 5f3a9c sck1_x", .carriageReturn),
        ("revoked 5f3a9c; revoked 5f3a9d", .unknownLine),
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
        // Neither is left if the ID is revoked.
        #expect(try KeyRing([a, b], revoked: [a.id]).keys.isEmpty)
    }

    private func countingKey(_ number: UInt16) throws -> SealingKey {
        let bytes = [UInt8(number >> 8), UInt8(number & 0xFF)] + Array(repeating: 0, count: 30)
        return try SealingKey(material: XAESKey(SecretBytes.copy(of: bytes.span)), activeFrom: nil)
    }

    // MARK: Line breaks that are lost

    /// The three ways in which a server starts with a ring.
    private func refusals(of text: String) throws -> [KeyRingError?] {
        let folder = try ToolFolder()
        let path = try folder.write("start.keys", text)
        let name = "SEALED_COOKIE_LOST_\(UInt64.random(in: 0 ... .max))"
        unsafe setenv(name, text, 1)
        defer { unsafe unsetenv(name) }
        return [
            #expect(throws: KeyRingError.self, "\(text)") { try KeyRing(parsing: text) },
            #expect(throws: KeyRingError.self, "\(text)") { try KeyRing(contentsOf: path) },
            #expect(throws: KeyRingError.self, "\(text)") { try KeyRing(environment: name) },
            #expect(throws: KeyRingError.self, "\(text)") { try KeyRingFile(path) },
        ]
    }

    @Test
    func `a ring whose line breaks became something else is refused with a hint, wherever it is loaded`()
        throws
    {
        let rings = try [
            "# sealed-cookie key ring\n" + line(1), "# sealed-cookie key ring\n" + line(1) + line(2),
            line(1) + line(2), line(1) + "revoked 000001\n", "revoked 000001\nrevoked 000002\n" + line(1),
            "# sealed-cookie key ring\nrevoked 000001\n",
        ]
        for ring in rings {
            for replacement in [" ", "", "\\n", "\\r\\n", "  "] {
                // With nothing instead of the last character, or with something else.
                let text = ring.replacing("\n", with: replacement)
                for text in [text, String(text.dropLast(replacement.count))] {
                    for error in try refusals(of: text) {
                        #expect(error?.problem == .lostLineBreaks, "\(text): \(error?.description ?? "")")
                        #expect(error?.description.contains("\";\" between") == true)
                    }
                }
            }
            for error in try refusals(of: String(ring.dropLast()).replacing("\n", with: "\r")) {
                #expect(error?.problem == .carriageReturn)
                #expect(error?.description.contains("carriage return") == true)
            }
            for error in try refusals(of: "\u{FEFF}" + ring) {
                #expect(error?.problem == .byteOrderMark)
                #expect(error?.description.contains("byte order mark") == true)
            }
            #expect(
                try KeyRing(parsing: ring.replacing("\n", with: "\r\n"), requiringKey: false).isEmpty == false
            )
        }
        // Cut at the first line break, as environment files are read.
        for error in try refusals(of: "# sealed-cookie key ring") {
            #expect(error?.problem == .lostLineBreaks)
        }
        for error in try refusals(of: "# sealed-cookie key ring; \(line(1))") {
            #expect(error?.problem == .commentInOneLine)
        }
    }

    @Test func `a server does not begin with a ring that has no key`() throws {
        for text in [
            "", "\n", "# a\n# b\n", "revoked 000001\n", "not-before 2026-08-03T00:00:00Z", ";",
            "revoked 000001; revoked 000002",
            try line(1) + "revoked \(sampleKey(1).id)",
        ] {
            for error in try refusals(of: text) { #expect(error?.problem == .noKeys, "\(text)") }
            #expect(try KeyRing(parsing: text, requiringKey: false).keys.isEmpty)
        }
    }

    // MARK: One line

    @Test func `a ring on one line says first what is revoked, and cut off it has lost keys alone`() throws {
        let keys = try [sampleKey(1), sampleKey(2, from: noon)]
        let ring = try KeyRing(keys, revoked: [KeyID(0, 0, 1), KeyID(0, 0, 2)], notBefore: noon - 86_400)
        let text = try ring.withText(onOneLine: true) { text in
            String(decoding: text.indices.map { text[$0] }, as: UTF8.self)
        }
        #expect(
            try text == "not-before 2026-08-02T00:00:00Z; revoked 000001; revoked 000002; "
                + [line(1), line(2, from: "2026-08-03T00:00:00Z")].map { $0.dropLast() }.joined(
                    separator: "; "))
        let first = try #require(text.range(of: "key ")?.lowerBound)
        for end in text[first...].indices {
            guard let cut = try? KeyRing(parsing: String(text[..<end]), requiringKey: false) else { continue }
            #expect(cut.revoked == ring.revoked && cut.notBefore == ring.notBefore)
        }
        let name = "SEALED_COOKIE_ONE_LINE"
        unsafe setenv(name, text, 1)
        defer { unsafe unsetenv(name) }
        #expect(try KeyRing(environment: name).entries == ring.entries)
        #expect(try KeyRing([]).withText(onOneLine: true) { $0.count } == 0)
        #expect(
            try KeyRing([]).withText { try KeyRing(parsing: SecretBytes.copy(of: $0), source: "r") }.isEmpty)
    }

    @Test func `a ring on one line with empty lines around it is refused in words that say so`() throws {
        let text = try "revoked 000001; " + line(1).dropLast()
        for text in ["\n\(text)", "\(text)\n\n", "\r\n\(text)\r\n", " \n\t\n\(text)\n \n"] {
            for error in try refusals(of: text) {
                #expect(error?.problem == .emptyLines, "\(text)")
                #expect(error?.description.contains("empty lines before or after") == true)
            }
        }
        for text in ["\(text)\n\(text)\n", "\nrevoked x\n\n", "# a\n\(text)\n"] {
            for error in try refusals(of: text) { #expect(error != nil && error?.problem != .emptyLines) }
        }
    }

    @Test func `white space of any kind around an imported key does not count`() throws {
        let folder = try ToolFolder()
        for (before, after) in [("", ""), ("\t", "\t"), (" ", "\r\n"), ("\n\r \t", "\t\r \n")] {
            let path = try folder.write("imported", before + secret(1) + after)
            let file = try FileHandle(forReadingFrom: URL(filePath: path))
            let key = try SealingKey.importing(
                textFrom: file.fileDescriptor, source: "key", activeFrom: nil)
            #expect(try key.id == sampleKey(1).id)
        }
    }

    @Test func `a carriage return within a line is told before anything else`() throws {
        let key = try line(1).dropLast()
        for text in [
            "revoked 000001\r; \(key)", "revoked 000001; \(key)\r; revoked 000002",
            "\nrevoked 000001\r; \(key)\n",
            "\r\n\(key)\r; revoked 000001\r\n", "\(key)\rrevoked 000001", "# a\r\(key)",
        ] {
            for error in try refusals(of: text) { #expect(error?.problem == .carriageReturn, "\(text)") }
        }
    }

    @Test func `a line with a line break that is spelled out is told to have lost it`() throws {
        for text in try ["revoked 000001", String(line(1).dropLast()), "not-before 2026-08-03T00:00:00Z"] {
            for end in ["\\n", "\\r", "\\r\\n"] {
                for error in try refusals(of: text + end) {
                    #expect(error?.problem == .lostLineBreaks, "\(text)\(end)")
                }
            }
        }
    }

    @Test
    func `a change removes a revoked key's secret, and a key's second line, where nothing else changes`()
        throws
    {
        let folder = try ToolFolder()
        let revoked = try sampleKey(1).id
        for (text, left) in try [
            (line(1) + "revoked \(revoked)\n" + line(2), "revoked \(revoked)\n" + line(2)),
            (line(2) + line(2), line(2)),
            (line(2), line(2)),
        ] {
            let path = try folder.write("surplus.keys", text)
            try KeyRing.update(at: path) { (ring) throws(KeyRingError) in ring }
            #expect(try String(contentsOfFile: path, encoding: .utf8) == left)
        }
    }

    @Test func `a ring of 1 MiB is read and written, one byte more is refused, and what was there stays`()
        throws
    {
        let folder = try ToolFolder()
        let most = 1_048_576
        let end = try "\n" + line(1)
        let revoked = "revoked 000001\n".utf8.count
        let id = KeyID(0, 0, 1)
        for (count, isRead, isChanged) in [
            (most - revoked, true, true), (most - revoked + 1, true, false), (most, true, false),
            (most + 1, false, false),
        ] {
            let text = "#" + String(repeating: "x", count: count - 1 - end.utf8.count) + end
            let path = try folder.write("large.keys", text)
            #expect(((try? KeyRing(contentsOf: path)) != nil) == isRead)
            let changed = try? KeyRing.update(at: path) { (ring) throws(KeyRingError) in try ring.revoking(id)
            }
            #expect((changed != nil) == isChanged)
            let now = try Data(contentsOf: URL(filePath: path))
            #expect(now.count == (isChanged ? most : count) && (isChanged || now == Data(text.utf8)))
        }
        // 25 bytes of comment and 15 for each id: one that ends at the limit has six keys with a time.
        let keys = try (1...6).map { try sampleKey($0, from: noon) }
        let ids = (0..<69_869).map { (number: Int) -> KeyID in
            KeyID(
                UInt8(0x80 + number >> 16), UInt8(truncatingIfNeeded: number >> 8),
                UInt8(truncatingIfNeeded: number))
        }
        let full = try KeyRing(keys, revoked: Set(ids))
        let count = try full.withText { $0.count }
        #expect(count <= most && count + revoked > most)
        try full.create(at: folder.file("full.keys"))
        let over = try full.revoking(id)
        let problem = KeyRingError.Problem.unwritable("more than 1048576 bytes")
        let path = folder.file("over.keys")
        #expect(throws: KeyRingError(source: path, line: nil, problem: problem)) { try over.create(at: path) }
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test func `a file of one comment stays one, whatever the comment says`() throws {
        for comment in ["# ours; not yours", "# \(secret(1))", "#"] {
            let folder = try ToolFolder()
            let path = try folder.write("one.keys", "\(comment)\n\n\(line(1))")
            try KeyRing.update(at: path) { (_) throws(KeyRingError) in try KeyRing([]) }
            #expect(try KeyRing(contentsOf: path, requiringKey: false).isEmpty)
            #expect(try String(contentsOfFile: path, encoding: .utf8) == "\(comment)\n\n")
        }
    }

    // MARK: Keys made elsewhere

    @Test func `a key that was made elsewhere is imported by its 32 bytes`() throws {
        let bytes = (0..<32).map { 1 + UInt8($0) }
        let key = try SealingKey(importing: bytes.span, activeFrom: noon + 0.5)
        #expect(try key.id == sampleKey(1).id && key.activeFrom == noon + 1)
        let token = try loginSealer(KeyRing([key])).seal(login, at: noon).token
        #expect(try loginSealer(sampleRing(1)).open(value: token, at: noon).session == login)
        for wrong in [[], Array(bytes.dropLast()), bytes + [0], Array(repeating: 0, count: 32)] {
            #expect(throws: KeyRingError(source: "imported key", line: nil, problem: .notAKey)) {
                try SealingKey(importing: wrong.span)
            }
        }
        #expect(throws: KeyRingError(source: "imported key", line: nil, problem: .notATime)) {
            try SealingKey(importing: bytes.span, activeFrom: .distantPast)
        }
        let ring = try KeyRing([sampleKey(2)]).adding(key, at: noon)
        #expect(try ring.keys.map(\.id) == [sampleKey(2).id, key.id])
        #expect(throws: KeyRingError(source: "keys", line: nil, problem: .revokedKey(key.id))) {
            try ring.revoking(key.id).adding(key, at: noon)
        }
        #expect(
            throws: KeyRingError(source: "keys", line: nil, problem: .idCollision(KeyID(0x5D, 0x0B, 0x03)))
        ) {
            try KeyRing([countingKey(99)]).adding(countingKey(2062), at: noon)
        }
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
        #expect(throws: KeyRingError(source: path, line: nil, problem: .alreadyExists)) {
            try ring.create(at: path)
        }
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
