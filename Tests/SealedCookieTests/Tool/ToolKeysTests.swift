// Rings and keys: keygen, keys, import, export, and faulty rings.
import Foundation
import Testing

@testable import SealedCookie

@Suite struct ToolKeysTests: ToolSuite {
    let folder: ToolFolder

    init() throws {
        folder = try ToolFolder()
    }

    @Test func `key ids are taken in either case`() throws {
        let id = "\(try KeyRing(contentsOf: folder.ring).keys[0].id)"
        let rotated = try ToolRun(["rotate", "--from", "now", folder.ring])
        #expect(rotated.exitCode == 0)
        #expect(
            try ToolRun(["revoke", folder.ring, id.uppercased()]).errors.hasPrefix("revoked key \(id)\n"))
        #expect(
            try ToolRun(["revoke", "--absent", folder.ring, "00ABCdef".suffix(6).description]).exitCode == 0)
        #expect(
            try KeyRing(contentsOf: folder.ring).revoked.map { "\($0)" }.sorted() == [id, "abcdef"].sorted())
        // Letters whose lower case is an ASCII letter.
        #expect(try ToolRun(["revoke", folder.ring, "00000\u{212A}"]).exitCode == 64)
    }

    @Test func `keygen overwrites nothing, and its file is for its owner alone`() throws {
        let before = try String(contentsOfFile: folder.ring, encoding: .utf8)
        let again = try ToolRun(["keygen", folder.ring])
        #expect(again.exitCode == 1 && again.errors.contains("already exists"))
        #expect(try String(contentsOfFile: folder.ring, encoding: .utf8) == before)
        let attributes = try FileManager.default.attributesOfItem(atPath: folder.ring)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        let nowhere = try ToolRun(["keygen", folder.file("none/x.keys")])
        #expect(nowhere.exitCode == 1 && nowhere.errors.contains("No such file or directory"))
    }

    @Test func `a new ring's key has an age from the beginning`() throws {
        let ring = folder.file("new.keys")
        #expect(try ToolRun(["keygen", ring]).exitCode == 0)
        let check = try ToolRun(["check", "--older-than", "1d", ring])
        #expect(check.exitCode == 0 && check.output.isEmpty)
        let rotation = try ToolRun(["rotate", "--if-older-than", "1d", ring])
        #expect(rotation.exitCode == 0 && rotation.errors.hasPrefix("nothing to do: key "))
        // A server whose clock is behind seals with it too.
        let behind = try KeyRing(contentsOf: ring).activeKey(at: .now - 50)
        #expect(behind != nil)
    }

    @Test func `a ring whose first key is still to come is made with a warning`() throws {
        let ring = try folder.write("empty.keys", "")
        let rotation = try ToolRun(["rotate", ring])
        #expect(rotation.exitCode == 0 && rotation.errors.contains("warning: no key is active before "))
        #expect(rotation.errors.contains("rotate --from now"))
        #expect(try ToolRun(["rotate", folder.ring]).errors.isEmpty)
    }

    /// A device, a pipe or a folder instead of a ring, as with a wrong argument, must be left unchanged.
    @Test func `what is no file is not changed into a ring`() throws {
        let (pipe, other) = (folder.file("pipe"), folder.file("folder.keys"))
        try unsafe #require(mkfifo(pipe, 0o600) == 0 && mkdir(other, 0o700) == 0)
        for (path, reason) in [(pipe, "not a regular file"), (other, "Is a directory")] {
            let type = try FileManager.default.attributesOfItem(atPath: path)[.type] as? FileAttributeType
            for words in [["rotate", path], ["revoke", "--all", path], ["end-sessions", path]] {
                let run = try ToolRun(words)
                #expect(run.exitCode == 1 && run.errors.contains(reason), "\(words): \(run.errors)")
            }
            let now = try FileManager.default.attributesOfItem(atPath: path)[.type] as? FileAttributeType
            #expect(type == now)
        }
    }

    @Test func `a ring that others can read is used with a warning`() throws {
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: folder.ring)
        let run = try ToolRun(["seal", "-k", folder.ring], input: "{}")
        #expect(run.exitCode == 0 && run.output.hasPrefix("S"))
        #expect(run.errors.contains("warning: ") && run.errors.contains("hint: chmod 600"))
    }

    @Test func `a ring is read from the standard input, whole`() throws {
        let text = try String(contentsOfFile: folder.ring, encoding: .utf8)
        let token = try folder.write("token", try seal("{}"))
        for path in ["-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"] {
            for shell in [nil, #"cat | "$0" "$@""#] {
                for command in [
                    ["keys", path], ["check", path], ["open", "-k", path, token],
                    ["seal", "-k", path, folder.file("s")],
                ] {
                    _ = try folder.write("s", "{}")
                    let run = try ToolRun(command, input: text, shell: shell)
                    #expect(run.exitCode == 0 && run.errors.isEmpty, "\(command): \(run.errors)")
                }
            }
        }
        let secret = try #require(text.firstMatch(of: /sck1_\S{43}/)).output
        let check = try ToolRun(["check", "-"], input: text + "# \(secret)\n")
        #expect(
            check.exitCode == 2 && check.output.contains("line 3 contains a secret in a comment"),
            "\(check.output)")
        let wrong = try ToolRun(["check", "-"], input: "key x\n")
        #expect(
            wrong.exitCode == 1 && wrong.errors.contains("key ring \"standard input\": line 1"),
            "\(wrong.errors)")
        for words in [["open", "-k", "-"], ["seal", "-k", "/dev/stdin"], ["open", "-k", "-", "-"]] {
            #expect(try ToolRun(words, input: text).exitCode == 64, "\(words)")
        }
        for words in [
            ["keygen", "-"], ["rotate", "-"], ["revoke", "-", "abcdef"], ["prune", "--lifetime", "1d", "-"],
            ["merge", "-", folder.ring],
        ] {
            let run = try ToolRun(words)
            #expect(run.exitCode == 64 && run.errors.contains("needs a file"), "\(words): \(run.errors)")
        }
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == [
                "s", "session.keys", "token",
            ])
    }

    @Test func `a ring without a key is told where it is to seal or to open, and can be given one`() throws {
        let token = try folder.write("token", try seal("{}"))
        let id = "\(try KeyRing(contentsOf: folder.ring).keys[0].id)"
        #expect(try ToolRun(["revoke", folder.ring, id]).exitCode == 0)
        for words in [["seal", "-k", folder.ring], ["open", "-k", folder.ring, token]] {
            let run = try ToolRun(words, input: "{}")
            #expect(
                run.exitCode == 1 && run.output.isEmpty && run.errors.contains("contains no key"),
                "\(words): \(run.errors)")
            #expect(
                run.errors.contains("hint: sealed-cookie rotate --from now \(folder.ring)"), "\(run.errors)")
        }
        let check = try ToolRun(["check", folder.ring])
        #expect(check.exitCode == 1 && check.output.contains("unusable: the ring has no key"))
        #expect(check.errors.contains("hint: sealed-cookie rotate --from now"))
        #expect(try ToolRun(["keys", folder.ring]).output == "\(id)  revoked\n")
        #expect(try ToolRun(["rotate", "--dry-run", folder.ring]).exitCode == 0)
        #expect(try ToolRun(["rotate", "--from", "now", folder.ring]).exitCode == 0)
        #expect(try ToolRun(["seal", "-k", folder.ring], input: "{}").exitCode == 0)
        #expect(try ToolRun(["open", "-k", folder.ring, token]).errors.contains("key \(id) is revoked"))
    }

    @Test func `a ring is exported on one line, which every command reads`() throws {
        #expect(try ToolRun(["rotate", folder.ring]).exitCode == 0)
        #expect(try ToolRun(["revoke", "--absent", folder.ring, "abcdef"]).exitCode == 0)
        #expect(
            try ToolRun(["end-sessions", "--created-before", "2026-08-03T00:00:00Z", folder.ring]).exitCode
                == 0)
        let ring = try KeyRing(contentsOf: folder.ring)
        let line = try ToolRun(["export", folder.ring])
        #expect(line.exitCode == 0 && line.errors.isEmpty && line.output.matches(of: /sck1_/).count == 2)
        #expect(line.output.hasPrefix("not-before 2026-08-03T00:00:00Z; revoked abcdef; key "))
        #expect(line.output.hasSuffix("\n") && line.output.dropLast().allSatisfy { !$0.isNewline })
        let path = try folder.write("line.keys", line.output)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        #expect(try KeyRing(contentsOf: path).entries == ring.entries)
        #expect(try ToolRun(["keys", path]).output == ToolRun(["keys", folder.ring]).output)
        #expect(try ToolRun(["check", path]).exitCode == 0)
        #expect(try ToolRun(["export", "-"], input: line.output).output == line.output)
        let token = try folder.write("token", try ToolRun(["seal", "-k", path], input: "{}").output)
        #expect(try ToolRun(["open", "-k", "-", token], input: line.output).output == "{}\n")
        #expect(try ToolRun(["merge", folder.ring, path]).exitCode == 0)
        #expect(try ToolRun(["rotate", path]).exitCode == 0)
        #expect(try KeyRing(contentsOf: path).keys.count == 3)
        let empty = try ToolRun(["export", try folder.write("empty.keys", "")])
        #expect(empty.exitCode == 1 && empty.output.isEmpty && empty.errors.contains("contains no key"))
        let lost = try ToolRun(["export", folder.ring], shell: #"exec "$0" "$@" > /dev/full"#)
        #expect(lost.exitCode == 1 && lost.errors.contains("No space left on device"))
    }

    @Test func `import takes 32 bytes in base64 or hexadecimal`() throws {
        let bytes = Data((0..<32).map { $0 % 7 == 1 ? 255 : UInt8(truncatingIfNeeded: $0 &* 83 &+ 62) })
        let base64 = bytes.base64EncodedString()
        let url = base64.replacing("+", with: "-").replacing("/", with: "_")
        let hex = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        let id = try SealingKey(importing: [UInt8](bytes).span).id
        #expect(base64.contains("/") && base64.hasSuffix("="))
        for (number, text) in [
            base64, base64 + "\n", String(base64.dropLast()), url, String(url.dropLast()) + "\r\n", hex,
            hex.uppercased() + "\n", "  \(hex)\t\n",
            "sck1_\(url.dropLast())",
        ].enumerated() {
            let ring = folder.file("\(number).keys")
            let made = try ToolRun(["import", ring], input: text)
            #expect(
                made.exitCode == 0 && made.output.hasPrefix("\(id) from=") && made.errors.isEmpty,
                "\(text.count): \(made.errors)")
            let read = try KeyRing(contentsOf: ring)
            #expect(read.activeKey()?.id == id && read.keys.count == 1)
            #expect(
                try FileManager.default.attributesOfItem(atPath: ring)[.posixPermissions] as? Int == 0o600)
        }
        // Into an existing ring: like a rotation.
        let added = try ToolRun(["import", folder.ring, "--at", "2026-08-03T00:00:00Z"], input: base64)
        #expect(added.exitCode == 0 && added.output == "\(id) from=2026-08-03T01:00:00Z\n")
        let again = try ToolRun(["import", folder.ring, "--from", "now"], input: hex)
        #expect(
            again.exitCode == 0 && again.output.isEmpty && again.errors.hasPrefix("nothing to do: "),
            "\(again.errors)")
        #expect(try KeyRing(contentsOf: folder.ring).key(withID: id)?.activeFrom == noon + 3600)
        let before = try String(contentsOfFile: folder.ring, encoding: .utf8)
        let zeros = Data(count: 32).base64EncodedString()
        for text in [
            "", "\n", String(base64.dropFirst()), base64 + "A", base64 + "=",
            String(base64.dropLast(2)) + "B=", hex + "0", String(hex.dropFirst()),
            "x" + hex.dropFirst(), "password", zeros, String(repeating: "00", count: 32),
            "\(base64) \(base64)", String(repeating: " ", count: 2000) + base64,
            "sck1_\(base64)", "=" + base64.dropLast(),
        ] {
            let run = try ToolRun(["import", folder.ring], input: text)
            #expect(run.exitCode == 1 && run.output.isEmpty, "\(text)")
            #expect(
                text.count < 10 || !run.errors.contains(text.trimmingCharacters(in: .whitespacesAndNewlines)))
        }
        #expect(
            try ToolRun(["import", folder.ring], input: "x").errors.contains(
                "standard input: not a key\nhint: a key is 32 random bytes"))
        #expect(try ToolRun(["revoke", folder.ring, "\(id)"]).exitCode == 0)
        let revoked = try ToolRun(["import", folder.ring], input: hex)
        #expect(
            revoked.exitCode == 1 && revoked.errors.contains("hint: a revoked key stays revoked"),
            "\(revoked.errors)"
        )
        #expect(before != (try String(contentsOfFile: folder.ring, encoding: .utf8)))
        #expect(try ToolRun(["import", folder.ring, base64]).exitCode == 64)
        #expect(try ToolRun(["import", folder.file("none/x.keys")], input: hex).exitCode == 1)
    }

    @Test func `keys lists states and never a secret`() throws {
        let ring = try KeyRing(
            [sampleKey(1), sampleKey(2, from: noon), sampleKey(3, from: noon + 3600)],
            revoked: [try #require(KeyID("1b22d0"))], notBefore: noon - 60)
        let path = folder.file("three.keys")
        try ring.create(at: path)
        let table = try ToolRun(["keys", path, "--at", "2026-08-03T00:00:10Z"])
        let ids = ring.keys.map { "\($0.id)" }
        #expect(
            table.output == """
                \(ids[0])  opens
                \(ids[1])  active   from 2026-08-03T00:00:00Z
                \(ids[2])  pending  from 2026-08-03T01:00:00Z
                1b22d0  revoked
                sessions before 2026-08-02T23:59:00Z have ended

                """)
        let json = try ToolRun(["keys", path, "--json", "--at", "@1785718000"])
        #expect(
            try sameJSON(
                json.output,
                """
                {"keys": [{"id": "\(ids[0])", "state": "opens"}, \
                {"id": "\(ids[1])", "state": "active", "from": "2026-08-03T00:00:00Z"}, \
                {"id": "\(ids[2])", "state": "pending", "from": "2026-08-03T01:00:00Z"}, \
                {"id": "1b22d0", "state": "revoked"}], "not-before": "2026-08-02T23:59:00Z"}
                """))
        #expect(!(table.output + table.errors + json.output + json.errors).contains("sck1"))
    }

    @Test func `a wrong ring is said with its line`() throws {
        let path = try folder.write("cookie.keys", "# ring\n\nkey 5f3a9c sck1_x\n")
        let run = try ToolRun(["seal", "-k", path], input: "{}")
        #expect(run.exitCode == 1 && run.output.isEmpty)
        #expect(run.errors.contains("key ring \"\(path)\": line 3: not a key\nhint: "))
        let missing = try ToolRun(["open", "-k", folder.file("none")], input: "S")
        #expect(missing.exitCode == 1 && missing.errors.contains("cannot be read: No such file or directory"))
    }
}
