// What the tool must not reveal, and secrets that it finds where none should be.
import Foundation
import Testing

@testable import SealedCookie

@Suite struct ToolSecrecyTests: ToolSuite {
    let folder: ToolFolder

    init() throws {
        folder = try ToolFolder()
    }

    @Test func `no message repeats a token or a key that was given as an argument`() throws {
        let token = try seal(#"{"a": "\#((0..<60).map { "\($0)é" }.joined())"}"#)
        let text = try String(contentsOfFile: folder.ring, encoding: .utf8)
        let secret = String(try #require(text.firstMatch(of: /sck1_\S{43}/)).output)
        let base64 = Data((0..<32).map { $0 % 7 == 1 ? 255 : UInt8(truncatingIfNeeded: $0 &* 83) })
            .base64EncodedString()
        let hex = (0..<32).map { String($0 * 7 + 16, radix: 16) }.joined()
        #expect(base64.contains("/") && hex.count == 64)
        let words = [
            token, "\"\(token)\"", "__Host-session=\(token)", "a=b; __Host-session=\(token); c=d",
            "Cookie: s=\(token)",
            "2.\(token)", String(token.dropFirst(20)), "-\(token)", "--\(token)", "--x=\(token)", secret,
            String(secret.dropFirst(5)), text, base64, hex, hex.uppercased(), "/tmp/\(token)", "\(token).txt",
            "\(secret).keys",
        ]
        func pieces(_ word: String) -> [String] {
            // Long enough to be of use; surrounding names are not part of it.
            let run = word.split { !$0.isASCII || !($0.isLetter || $0.isNumber || "-_+/=".contains($0)) }.map(
                String.init)
            return run.filter { $0.count >= 40 }.flatMap {
                [String($0.dropFirst(8).prefix(12)), String($0.suffix(12))]
            }
        }
        for word in words {
            let uses = [
                ["open", "-k", folder.ring, word], ["open", "-k", word], ["inspect", word],
                ["seal", "-k", folder.ring, word],
                ["size", word], [word], ["help", word], ["keys", word], ["keys", folder.ring, word],
                ["keygen", "\(folder.path)/none/\(word)"],
                ["rotate", word], ["rotate", "--from", word, folder.ring], ["revoke", folder.ring, word],
                ["revoke", word, "abcdef"],
                ["revoke", word, word], ["prune", "--lifetime", word, folder.ring],
                ["prune", "--lifetime", "1d", word],
                ["end-sessions", "--created-before", word, folder.ring], ["merge", folder.ring, word],
                ["check", word],
                ["check", "--mode", word, folder.ring], ["open", "-k", folder.ring, "--at", word],
                ["remove", "-n", word],
                ["remove", "-n", "s", "--path", word], ["remove", "-n", "s", "--domain", word],
                ["remove", "--split", word], ["remove", "--same-site", word], ["remove", word],
                ["train", "-o", "\(folder.path)/none/x", word],
                ["open", "-k", folder.ring, "--dictionary", word], ["seal", "-k", folder.ring, "-n", word],
                ["limits", word], ["demo", word], ["train", word],
            ]
            for use in uses {
                let run = try ToolRun(use, input: "{}")
                for piece in pieces(word) where !folder.path.contains(piece) {
                    // The requested output, such as a cookie's removal, contains it.
                    #expect(
                        !run.errors.contains(piece) && (run.exitCode == 0 || !run.output.contains(piece)),
                        "\(use[0]): \(run.errors)")
                }
            }
        }
        // File names stay: not everything long is a secret.
        let path = folder.file("a-long-and-harmless-name-for-a-key-ring-2026-08-03.keys")
        #expect(
            try ToolRun(["keys", path]).errors.contains("key ring \"\(path)\": cannot be read: No such file"))
    }

    @Test func `nothing of others' words acts on the terminal`() throws {
        let acting = "\u{1B}]0;x\u{7}\u{9B}31m\u{202E}\u{2028}\n"
        _ = try folder.write(
            "comment.keys", "# \(acting)\n" + (try String(contentsOfFile: folder.ring, encoding: .utf8)))
        let name = try folder.write(
            "a\(acting).keys", try String(contentsOfFile: folder.ring, encoding: .utf8))
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: name)
        _ = try folder.write(".a\(acting).keys.new", "")
        try FileManager.default.setAttributes(
            [.modificationDate: noon], ofItemAtPath: folder.file(".a\(acting).keys.new"))
        sleep(3)
        var runs: [ToolRun] = []
        for command in [
            [acting], ["keys", acting], ["keys", name], ["check", name], ["check", "--json", name],
            ["rotate", name], ["merge", name, name],
            ["revoke", "--all", name], ["keygen", name], ["prune", "--lifetime", "1d", name],
            ["revoke", name, acting],
            ["end-sessions", name], ["open", "-k", name, acting], ["seal", "-k", name, "--at", acting],
            ["keys", "--\(acting)", name],
            ["seal", "-k", name, "-n", acting], ["size", acting], ["keys", "--at", acting, name],
            ["remove", "-n", "s", "--path", acting],
            ["train", "-o", acting + "/x", acting], ["open", "-k", name, "--dictionary", acting],
            ["keys", folder.file("comment.keys")],
        ] {
            runs.append(try ToolRun(command, input: "\(acting)=b; c=d"))
        }
        let scalars = Set(acting.unicodeScalars).subtracting(["]", "0", ";", "x", "3", "1", "m", "\n"])
        for run in runs {
            #expect(
                !(run.output + run.errors).unicodeScalars.contains { scalars.contains($0) },
                "\(run.errors.debugDescription)")
        }
        #expect(
            runs[3].output.contains("interrupted change left secrets in \"")
                && runs[3].output.contains("\\u{1b}]0;x\\u{7}"), "\(runs[3].output)")
    }

    @Test func `no text of a session acts on the terminal`() throws {
        let acting: [ClosedRange<UInt32>] = [
            0...0x1F, 0x7F...0x9F, 0x61C...0x61C, 0x200E...0x200F, 0x2028...0x202E, 0x2066...0x2069,
        ]
        let scalars = acting.joined().compactMap(Unicode.Scalar.init)
        var all = String.UnicodeScalarView(scalars)
        all.append(contentsOf: "Zoë 日本 👩‍👩‍👧 نمی‌خواهم\u{A0}\u{2027}\u{2065}".unicodeScalars)
        let text = String(all)
        let value = CBORValue.map([.init(key: .text(text), value: .array([.text(text), .url(text)]))])
        let sealer = try CookieSealer<CBORValue>(
            keys: KeyRing(contentsOf: folder.ring), lifetime: .init(absolute: .days(14)))
        let token = try sealer.seal(value).token
        for options in [[], ["--pretty"], ["--json-meta"], ["--json-meta", "--pretty"]] {
            let run = try ToolRun(["open", "-k", folder.ring] + options, input: token)
            #expect(run.exitCode == 0)
            let raw = run.output.unicodeScalars.filter { $0 != "\n" && scalars.contains($0) }
            #expect(raw.isEmpty, "\(options)")
            // Readable output stays unchanged.
            #expect(run.output.contains("\\u2069Zoë 日本 👩‍👩‍👧 نمی‌خواهم\u{A0}\u{2027}\u{2065}\""))
            guard !options.contains("--json-meta") else { continue }
            #expect(try CBORJSON(parsing: Data(run.output.utf8)).value == value)
        }
        let size = try ToolRun(
            ["size", "--json"], input: #"{"a\u009b\u202e": "\#(String(repeating: "x", count: 40))"}"#)
        let none = try ToolRun(["open", "-k", folder.ring], input: "a\u{1B}[31m\u{9B}31m\u{202E}=b; c=d")
        #expect(
            none.exitCode == 3 && none.errors.contains("a\\u{1b}[31m\\u{9b}31m\\u{202e}, c;"),
            "\(none.errors)")
        for run in [size, none] {
            #expect(!(run.output + run.errors).unicodeScalars.contains { $0 != "\n" && scalars.contains($0) })
        }
    }

    @Test
    func
        `check finds a folder that others may write to, other names, copies and modes, unless they are allowed`()
        throws
    {
        func check(_ words: String...) throws -> ToolRun { try ToolRun(["check", folder.ring] + words) }
        func chmod(_ path: String, _ mode: Int) throws {
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        }
        for (mode, who, allowed) in [
            (0o777, "everyone", "777"), (0o1777, "everyone", "1777"), (0o775, "its group", "0775"),
        ] {
            try chmod(folder.path, mode)
            let open = try check()
            #expect(
                open.exitCode == 2 && open.output.contains("fault: \(who) can write to the folder"),
                "\(open.output)")
            #expect(try check("--folder-mode", allowed).exitCode == 0)
            #expect(try check("--folder-mode", "751").exitCode == 2)
        }
        try chmod(folder.path, 0o755)
        for (mode, allowed, others) in [
            (0o644, "644", "640"), (0o440, "0440", "600"), (0o440, "644", "604"), (0o660, "660", "640"),
        ] {
            try chmod(folder.ring, mode)
            let open = try check()
            #expect(
                open.exitCode == 2
                    && open.output.contains("can access the file (mode \(String(mode, radix: 8)))"))
            #expect(
                try check("--mode", allowed).exitCode == (mode == 0o440 && allowed == "644" ? 0 : 0),
                "\(mode) \(allowed)")
            #expect(try check("--mode", others).exitCode == 2, "\(mode) \(others)")
        }
        for text in ["rw", "8", "888", "+600", "60000", "-600"] {
            #expect(try check("--mode=\(text)").exitCode == 64, "\(text)")
        }
        try chmod(folder.ring, 0o600)
        #expect(try check().exitCode == 0)
        // As Kubernetes mounts a Secret.
        let mount = folder.file("mount")
        try FileManager.default.createDirectory(atPath: mount + "/..1", withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: folder.ring, toPath: mount + "/..1/session.keys")
        try FileManager.default.createSymbolicLink(atPath: mount + "/..data", withDestinationPath: "..1")
        try FileManager.default.createSymbolicLink(
            atPath: mount + "/session.keys", withDestinationPath: "..data/session.keys")
        try chmod(mount, 0o1777)
        try chmod(mount + "/..1/session.keys", 0o444)
        #expect(try ToolRun(["check", "--mode", "444", mount + "/session.keys"]).exitCode == 0)
        // Where anyone can replace that link.
        try chmod(mount, 0o777)
        let links = try ToolRun(["check", "--mode", "444", mount + "/session.keys"])
        #expect(
            links.exitCode == 2 && links.output.contains("replace the link to the ring"), "\(links.output)")
        try FileManager.default.removeItem(atPath: mount)
        // Other names of the file: of the current one, and of the previous one.
        let other = folder.file("other")
        try FileManager.default.linkItem(atPath: folder.ring, toPath: other)
        #expect(try check().output.contains("fault: the file has 2 names (hard links)"))
        let revoked = try ToolRun(["revoke", "--all", folder.ring])
        #expect(
            revoked.exitCode == 0
                && revoked.errors.contains("warning: the file had 1 other name: the old ring"),
            "\(revoked.errors)")
        let left = try check()
        #expect(
            left.exitCode == 2
                && left.output
                    == "fault: \"\(other)\" still contains the secret of a revoked key: remove it, or revoke the key there too if it is in use\n"
        )
        #expect(try check("--json").output.contains("still contains the secret"))
        try FileManager.default.removeItem(atPath: other)
        #expect(try check().exitCode == 0)
    }

    @Test func `the tool's own words about the form of a ring are not taken for a secret`() throws {
        for (text, hint) in [
            (
                "x\n",
                "a line is \"key ID from=TIME until=TIME sck1_…\", \"revoked ID\", \"not-before TIME\" or a comment"
            ),
            ("key 5f3a9c sck1_x\n", "a key is sck1_ and 43 characters; was the line cut or wrapped?"),
        ] {
            let run = try ToolRun(["keys", "-"], input: text)
            #expect(run.exitCode == 1 && run.errors.hasSuffix("\nhint: \(hint)\n"), "\(run.errors)")
        }
        // One character of a secret is hidden.
        #expect(try ToolRun(["keys", "sck1_x"]).errors.contains("\"…(6 characters)\""))
    }

    @Test func `names of files that are there are shown, whatever they look like`() throws {
        for name in ["ProductionKeyRingOfTheShopInFrankfurtAndBerlin", String(repeating: "0a1b", count: 10)] {
            let path = try folder.write(name, "x\n")
            #expect(try ToolRun(["keys", path]).errors.contains("key ring \"\(path)\": line 1"))
            // A path that does not exist may be a secret that was passed instead of a file.
            try FileManager.default.removeItem(atPath: path)
            #expect(try !ToolRun(["keys", path]).errors.contains(name))
        }
    }

    @Test func `check finds a revoked secret in whatever file it stands, and says where it did not look`()
        throws
    {
        let text = try String(contentsOfFile: folder.ring, encoding: .utf8)
        let secret = String(try #require(text.firstMatch(of: /sck1_\S{43}/)).output)
        #expect(try ToolRun(["revoke", "--all", folder.ring]).exitCode == 0)
        #expect(try ToolRun(["check", folder.ring]).output.isEmpty)
        for copy in [
            "garbage\n" + text, "\u{FEFF}" + text, "KEYS=\(text)", "    " + text, "{\"a\": \"\(secret)\"}",
            "xsck1_\(secret)y",
        ] {
            let path = try folder.write("copy", copy)
            let run = try ToolRun(["check", folder.ring])
            #expect(
                run.exitCode == 2
                    && run.output
                        == "fault: \"\(path)\" still contains the secret of a revoked key: remove it, or revoke the key there too if it is in use\n",
                "\(copy.prefix(10)): \(run.output)")
        }
        let large = try folder.write("copy", String(repeating: "x", count: 1_048_577))
        let note = "note: not searched for secrets of revoked keys: "
        let run = try ToolRun(["check", folder.ring])
        #expect(run.exitCode == 0 && run.output == "\(note)\"\(large)\"\n", "\(run.output)")
        try FileManager.default.removeItem(atPath: large)
        for number in 0..<1000 { _ = try folder.write("n\(number)", "") }
        let many = try ToolRun(["check", folder.ring])
        #expect(many.exitCode == 0 && many.output == "\(note)1 of 1001 files beside it\n", "\(many.output)")
    }
}
