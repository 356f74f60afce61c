// The command line tool, run as people and scripts run it.
import Foundation
import Testing

@testable import SealedCookie

/// A run of the built tool.
struct ToolRun {
    let exitCode: Int32
    let output: String
    let errors: String

    /// The tool stands beside the test bundle.
    private static var tool: URL {
        Bundle.module.bundleURL.deletingLastPathComponent().appending(path: "sealed-cookie")
    }

    /// - Parameters:
    ///   - shell: a script that runs the tool, as "$0" with the arguments.
    ///   - destination: where the output goes, if not into `output`.
    init(
        _ arguments: [String], input: String = "", environment: [String: String] = [:], shell: String? = nil,
        destination: FileHandle? = nil
    ) throws {
        let process = Process()
        process.executableURL = shell == nil ? Self.tool : URL(filePath: "/bin/sh")
        process.arguments = shell.map { ["-c", $0, Self.tool.path] + arguments } ?? arguments
        process.environment = ["LANG": "C.UTF-8"].merging(environment) { $1 }
        // A file: writing to a tool that has ended already would end the tests by a signal.
        let file = FileManager.default.temporaryDirectory.appending(
            path: "sealed-cookie-input-\(UUID().uuidString)")
        try Data(input.utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        process.standardInput = try FileHandle(forReadingFrom: file)
        let pipes = (output: Pipe(), errors: Pipe())
        process.standardOutput = destination ?? pipes.output
        process.standardError = pipes.errors
        try process.run()
        if destination != nil { try pipes.output.fileHandleForWriting.close() }
        let output = pipes.output.fileHandleForReading.readDataToEndOfFile()
        let errors = pipes.errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        exitCode = process.terminationStatus
        self.output = String(decoding: output, as: UTF8.self)
        self.errors = String(decoding: errors, as: UTF8.self)
    }
}

/// A folder of its own with a ring in it.
final class ToolFolder {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "sealed-cookie-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path
        // Of no time, so that it is active at any `--at`.
        try KeyRing([SealingKey.generate()]).create(at: ring)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    var ring: String { file("session.keys") }
    func file(_ name: String) -> String { path + "/" + name }

    func write(_ name: String, _ text: String) throws -> String {
        try text.write(toFile: file(name), atomically: false, encoding: .utf8)
        return file(name)
    }
}

/// Equal as JSON values.
private func sameJSON(_ a: String, _ b: String) throws -> Bool {
    func value(_ text: String) throws -> NSObject? {
        try JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed) as? NSObject
    }
    return try value(a) == value(b)
}

@Suite struct CLITests {
    let folder: ToolFolder

    init() throws {
        folder = try ToolFolder()
    }

    private func seal(_ json: String, _ arguments: String...) throws -> String {
        let run = try ToolRun(["seal", "-k", folder.ring] + arguments, input: json)
        try #require(run.exitCode == 0, "\(run.errors)")
        return run.output.trimmingCharacters(in: .newlines)
    }

    static let corpus = [
        ("a_tiny", 80), ("b_login", 334), ("c_oauth", 2524), ("d_cart", 864), ("e_i18n", 724),
        ("f_wizard", 2679),
        ("g_flags", 563), ("h_random", 3012),
    ]

    @Test(arguments: corpus) func `a sample session comes back equal, in no more characters than planned`(
        name: String, limit: Int
    ) throws {
        let file = try #require(Bundle.module.resourceURL).appending(path: "Vectors/corpus/\(name).json")
        let json = try String(contentsOf: file, encoding: .utf8)
        let sealed = try ToolRun(["seal", "-k", folder.ring, file.path])
        #expect(sealed.exitCode == 0 && sealed.errors.isEmpty)
        let token = sealed.output.trimmingCharacters(in: .newlines)
        #expect(token.count <= limit)
        let opened = try ToolRun(["open", "--key-ring", folder.ring, "-"], input: token)
        #expect(opened.exitCode == 0 && opened.errors.isEmpty)
        #expect(try sameJSON(opened.output, json))
    }

    @Test func `a typed session and the tool open each other's tokens`() throws {
        struct Session: Codable, Equatable, Sendable {
            var id: Int
            var roles: [String]
            var csrf: Data
            var cart: UUID
            var began: Date
            var score: Double
            var token: Secret<String>
            enum CodingKeys: Int, CodingKey {
                case id = 1
                case roles, csrf, cart, began, score, token
            }
        }
        let session = Session(
            id: 42, roles: ["admin"], csrf: Data(0..<16),
            cart: try #require(UUID(uuidString: "FE049F18-1B8F-4A6F-8C38-00C3448DE041")), began: noon,
            score: 2,
            token: Secret("sesame"))
        let json = """
            {"$1": 42, "$2": ["admin"], "$3": {"$bytes": "AAECAwQFBgcICQoLDA0ODw"}, "$4": {"$uuid": \
            "fe049f18-1b8f-4a6f-8c38-00c3448de041"}, "$5": {"$date": "2026-08-03T00:00:00Z"}, "$6": \
            {"$float": "2.0"}, "$7": {"$secret": "sesame"}}
            """
        let sealer = try CookieSealer<Session>(
            keys: KeyRing(contentsOf: folder.ring), lifetime: .init(absolute: .days(14)))
        let opened = try ToolRun(["open", "-k", folder.ring], input: try sealer.seal(session).token)
        #expect(try sameJSON(opened.output, json))
        #expect(try sealer.open(value: seal(json)).session == session)
        // By names, as somebody would write it by hand, and a whole number for a Double.
        let byHand = json.replacing("\"$1\"", with: "\"id\"").replacing("\"$2\"", with: "\"roles\"")
            .replacing("{\"$float\": \"2.0\"}", with: "2")
        #expect(try sealer.open(value: seal(byHand)).session == session)
    }

    @Test func `open takes a token in any form that people copy`() throws {
        let token = try seal(#"{"a":1}"#)
        for text in [
            token, " \t\(token)\t \r\n", "\"\(token)\"\n", "__Host-session=\"\(token)\"",
            "__Host-session=\(token)", "a=b; __Host-session=\(token); c=d",
            "Cookie: a=b; __Host-session=\(token)", "cookie:__Host-session=\(token)",
            "Set-Cookie: __Host-session=\(token); Path=/; Secure", try seal(#"{"a":1}"#, "--set-cookie"),
        ] {
            let run = try ToolRun(["open", "-k", folder.ring], input: text)
            #expect(run.exitCode == 0 && run.output == "{\"a\":1}\n" && run.errors.isEmpty, "\(run.errors)")
        }
        // Headers of one response, line by line, and one cookie a line.
        for text in [
            "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nSet-Cookie: __Host-session=\(token); Path=/\r\n\r\n",
            "Cookie: a=b\nCookie: __Host-session=\(token)\n", "a=b\n__Host-session=\(token)\n",
            #"Cookie: $Version="1"; __Host-session="\#(token)";$Path="/""#,
        ] {
            let run = try ToolRun(["open", "-k", folder.ring], input: text)
            #expect(run.exitCode == 0 && run.output == "{\"a\":1}\n", "\(text): \(run.errors)")
        }
        let other = try ToolRun(["open", "-k", folder.ring], input: "theme=dark; lang=en")
        #expect(other.exitCode == 3 && other.output.isEmpty)
        #expect(other.errors.contains("no cookie __Host-session") && other.errors.contains("theme, lang"))
    }

    @Test func `around names, values and tokens blanks and tabs do not count, and nothing else`() throws {
        let token = try seal("{}")
        for white in ["\u{0C}", "\u{0B}", "\r", "\n", "\r\n", "\u{A0}", "\u{2028}", "\u{0}"] {
            for text in [
                "\(white)__Host-session=\(token)", "__Host-session\(white)=\(token)",
                "__Host-session=\(white)\(token)",
                "__Host-session=\(token)\(white); a=b", "a=b;\(white)__Host-session=\(token)",
                "a=b; \(white) __Host-session=\(token)", "__Host-session=\"\(token)\(white)\"",
                "\(white)\(token)", "\(token)\(white) \n", "\"\(white)\(token)\"",
                "Cookie:\(white)__Host-session=\(token)",
                "a=b; __Host-session=\(white)\(token)",
            ] {
                for command in [["open", "-k", folder.ring], ["inspect"]] {
                    let run = try ToolRun(command, input: text)
                    #expect(run.exitCode == 3 && run.output.isEmpty, "\(command[0]) \(text.debugDescription)")
                }
            }
        }
        for text in [
            "\t__Host-session \t= \(token)\t ; a=b", "a=b;\t__Host-session=\t\"\(token)\" \n",
            " \(token)\t\r\n",
        ] {
            for command in [["open", "-k", folder.ring], ["inspect"]] {
                #expect(
                    try ToolRun(command, input: text).exitCode == 0, "\(command[0]) \(text.debugDescription)")
            }
        }
    }

    @Test func `without --split nine cookies are opened, as the help says`() throws {
        let session = #"{"$bytes": "\#(String(repeating: "A", count: 34_800))"}"#
        let sealed = try ToolRun(["seal", "-k", folder.ring, "--split", "9"], input: session)
        #expect(
            sealed.output.split(separator: "\n").count == 9 && sealed.output.hasPrefix("__Host-session=9."))
        #expect(try ToolRun(["open", "-k", folder.ring], input: sealed.output).exitCode == 0)
        let fewer = try ToolRun(["open", "-k", folder.ring, "--split", "8"], input: sealed.output)
        #expect(fewer.exitCode == 3 && fewer.errors.contains("in 9 cookies, where 8"))
        let help = try ToolRun(["open", "--help"]).output
        #expect(
            help.contains("out of up to N cookies, 2 to 9, or 1 [9]") && help.contains("up to nine cookies"))
        #expect(!help.contains("any number") && !help.contains("[1]"))
        // Two cookies' worth: what is beyond every cookie is refused before it is measured.
        let two = #"{"$bytes": "\#(String(repeating: "A", count: 8000))"}"#
        let other = try ToolRun(["seal", "-k", folder.ring], input: two)
        #expect(other.exitCode == 1 && other.errors.contains("too large"))
    }

    @Test func `a session over the largest that servers seal is measured, and its large fields are named`()
        throws
    {
        let session =
            #"{"few": 1, "orders": "\#(String(repeating: "order ", count: 4000))", "some": "words"}"#
        let sealed = try ToolRun(["seal", "-k", folder.ring], input: session)
        #expect(sealed.exitCode == 1 && sealed.errors.contains("more than 16384 bytes"))
        #expect(sealed.errors.contains("largest fields: orders 24010, some 11, few 5; --largest-item"))
        let larger = try ToolRun(["seal", "-k", folder.ring, "--largest-item", "65536"], input: session)
        #expect(larger.exitCode == 0 && larger.output.hasPrefix("S"))
        let size = try ToolRun(["size"], input: session)
        #expect(size.exitCode == 0 && size.output.contains("over the largest session that is sealed, 16384"))
        #expect(size.output.contains("orders"))
        let json = try ToolRun(["size", "--json", "--largest-item", "24000"], input: session)
        #expect(json.output.contains("\"largestItem\" : 24000"))
        let most = #"{"a": "\#(String(repeating: "a", count: 65_528))"}"#
        let large = try ToolRun(["size", "--largest-item", "65536"], input: most)
        #expect(large.exitCode == 0 && !large.output.contains("largest session"))
        for count in ["0", "65537", "many"] {
            for words in [["size"], ["seal", "-k", folder.ring]] {
                #expect(try ToolRun(words + ["--largest-item", count], input: "{}").exitCode == 64)
            }
        }
    }

    @Test func `removal and Set-Cookie lines have the attributes that are asked for`() throws {
        let attributes = [
            "-n", "s", "--domain", "example.com", "--path", "/shop", "--partitioned", "--same-site", "None",
        ]
        let removal = try ToolRun(["remove", "--split", "2"] + attributes)
        #expect(removal.exitCode == 0)
        let lines = removal.output.split(separator: "\n").map(String.init)
        // curl up to 7.88 forgets only the last of those that a response removes.
        for (line, name) in zip(lines, ["s.1", "s"]) {
            #expect(
                line.hasPrefix("Set-Cookie: \(name)=; Path=/shop; Domain=example.com; Max-Age=0"), "\(line)")
            #expect(line.contains("; Secure; HttpOnly; SameSite=None; Partitioned"), "\(line)")
        }
        #expect(lines.count == 2)
        let sealed = try ToolRun(["seal", "-k", folder.ring, "--set-cookie"] + attributes, input: "{}")
        #expect(sealed.exitCode == 0 && sealed.output.hasPrefix("Set-Cookie: s=S"))
        #expect(
            sealed.output.contains("; Path=/shop; Domain=example.com; Max-Age=1209600; Secure"),
            "\(sealed.output)")
        #expect(sealed.output.contains("; HttpOnly; SameSite=None; Partitioned"))
        for (word, value) in [("low", "Low"), ("Medium", "Medium"), ("HIGH", "High")] {
            for words in [["seal", "-k", folder.ring, "--set-cookie"], ["remove"]] {
                let line = try ToolRun(words + ["--priority", word], input: "{}").output
                #expect(line.contains("; SameSite=Lax; Priority=\(value)\n"), "\(line)")
            }
        }
        #expect(
            try ToolRun(["limits"]).output.contains(
                "behindStockNginx         3482       1024   3482      3496\n"))
        #expect(try ToolRun(["limits", "--json"]).output.contains("\"response\" : 3496"))
        let plain = try ToolRun(["remove", "-n", "s", "--insecure", "--same-site", "strict"])
        #expect(
            !plain.output.contains("Secure") && plain.output.contains("SameSite=Strict"), "\(plain.output)")
        #expect(try !ToolRun(["remove", "--same-site", "unset"]).output.contains("SameSite"))
        for (words, reason) in [
            (["remove", "-n", "s", "--domain", "localhost"], "cannot be a cookie's Domain"),
            (["remove", "--domain", "example.com"], "a __Host- cookie cannot have a Domain"),
            (["remove", "-n", "s", "--domain", "a b"], "cannot be a cookie's Domain"),
            (["remove", "-n", "s", "--path", "shop"], "cannot be a cookie's Path"),
            (["remove", "-n", "s", "--partitioned", "--insecure"], "Partitioned must be Secure"),
            (["remove", "-n", "s", "--same-site", "some"], "is no value of SameSite"),
            (["seal", "-k", folder.ring, "-n", "s", "--path", "/shop"], "a token has no attributes"),
            (["seal", "-k", folder.ring, "--priority", "low"], "a token has no attributes"),
            (["remove", "--priority", "urgent"], "is no value of Priority"),
            (["remove", "-n", "s", "--domain", "bücher.example"], "in ASCII"),
        ] {
            let run = try ToolRun(words, input: "{}")
            #expect(
                run.exitCode == 64 && run.output.isEmpty && run.errors.contains(reason),
                "\(words): \(run.errors)")
        }
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
        // Letters whose lower case is one of ASCII's.
        #expect(try ToolRun(["revoke", folder.ring, "00000\u{212A}"]).exitCode == 64)
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
            // What is long enough to be of use; names that stand around it are none of it.
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
                    // What is asked for, such as a cookie's removal, has it.
                    #expect(
                        !run.errors.contains(piece) && (run.exitCode == 0 || !run.output.contains(piece)),
                        "\(use[0]): \(run.errors)")
                }
            }
        }
        // Names of files stay: what is long is not a secret for that.
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
            runs[3].output.contains("ended midway left secrets in \"")
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
            // What is to be read stays as it is.
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

    @Test func `what was sealed for another is refused with exit code 3, its reason and a hint`() throws {
        let token = try seal("{}", "-n", "s", "--purpose", "p", "--at", "2026-08-03T00:00:00Z")
        let good = ["-k", folder.ring, "-n", "s", "--purpose", "p"]
        func open(_ arguments: [String], at time: String = "@1785715200", _ text: String? = nil) throws
            -> ToolRun
        {
            try ToolRun(["open", "--at", time] + arguments, input: text ?? token)
        }
        #expect(try open(good).output == "{}\n")
        let middle = token.index(token.startIndex, offsetBy: 50)
        var changed = token
        changed.replaceSubrange(middle...middle, with: token[middle] == "A" ? "B" : "A")
        let cases: [(ToolRun, String)] = [
            (try open(["-k", folder.ring, "--purpose", "p"]), "not authentic"),
            (try open(["-k", folder.ring, "-n", "s"]), "not authentic"),
            (try open(good, changed), "not authentic"),
            (try open(good, token + "="), "not base64url"),
            (try open(good, "S"), "not base64url"),
            (try open(good, ""), "too short"),
            (try open(good, "T" + token.dropFirst()), "unknown version 0x4c"),
            (try open(good, "SAAAA" + token.dropFirst(5)), "no key 0"),
            (try open(good, at: "2026-08-17T00:00:00Z"), "expired at 2026-08-17T00:00:00Z"),
            (
                try open(good + ["--idle", "30m"], at: "2026-08-03T00:30:00Z"),
                "expired at 2026-08-03T00:30:00Z"
            ),
            (try open(good + ["--absolute", "1h"], at: "2026-08-03T01:00:00Z"), "expired"),
            (try open(good, at: "2026-08-02T23:58:59Z"), "in the future"),
        ]
        for (run, words) in cases {
            #expect(run.exitCode == 3 && run.output.isEmpty, "\(words)")
            #expect(run.errors.contains("refused: ") && run.errors.contains(words), "\(run.errors)")
            #expect(run.errors.contains("\nhint: "), "\(run.errors)")
        }
    }

    @Test func `a session's own lifetime, and everything around a session`() throws {
        let token = try seal(#"{"a":1}"#, "--lifetime", "90d", "--at", "2026-08-03T00:00:00Z")
        let run = try ToolRun(
            ["open", "-k", folder.ring, "--json-meta", "--at", "@1785800000"], input: token)
        let meta = try #require(
            try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
        #expect(meta["created"] as? String == "2026-08-03T00:00:00Z")
        #expect(meta["sealed"] as? String == "2026-08-03T00:00:00Z")
        #expect(meta["expires"] as? String == "2026-11-01T00:00:00Z")
        #expect(meta["lifetime"] as? Int == 7_776_000)
        #expect(meta["session"] as? [String: Int] == ["a": 1])
        #expect(meta["key"] as? String == "\(try KeyRing(contentsOf: folder.ring).keys[0].id)")
        let sizes = try #require(meta["sizes"] as? [String: Int])
        #expect(sizes["token"] == token.count && sizes["item"] == 4)
    }

    @Test func `output that is lost is exit code 1, and what was done is said`() throws {
        let token = try folder.write("token", try seal(#"{"a": 1}"#))
        let other = folder.file("other.keys")
        _ = try ToolRun(["keygen", other])
        let full = #"exec "$0" "$@" > /dev/full"#
        let commands = [
            ["seal", "-k", folder.ring], ["seal", "-k", folder.ring, "--set-cookie"],
            ["open", "-k", folder.ring, token], ["open", "-k", folder.ring, "--json-meta", token],
            ["inspect", token], ["inspect", "--json", token], ["size"], ["size", "--json"],
            ["keys", folder.ring], ["keys", "--json", folder.ring], ["check", "--json", folder.ring],
            ["remove"], ["limits"], ["limits", "--json"], ["demo"], ["--help"], ["help", "seal"],
            ["seal", "--help"], ["--version"],
        ]
        let words = "the standard output cannot be written: "
        for (shell, reason) in [
            (full, "No space left on device"), (#"exec "$0" "$@" >&-"#, "Bad file descriptor"),
        ] {
            for command in commands {
                let run = try ToolRun(command, input: "{}", shell: shell)
                #expect(
                    run.exitCode == 1 && run.errors.hasSuffix("sealed-cookie: \(words)\(reason)\n"),
                    "\(command): \(run.exitCode), \(run.errors)")
            }
        }
        // What changes the ring has changed it by then.
        for command in [["rotate"], ["rotate", "--json"]] {
            let before = try KeyRing(contentsOf: folder.ring).keys.map(\.id)
            let run = try ToolRun(command + [folder.ring], shell: full)
            let added = try KeyRing(contentsOf: folder.ring).keys.filter { !before.contains($0.id) }
            #expect(run.exitCode == 1 && added.count == 1)
            #expect(
                run.errors
                    == "sealed-cookie: added \(added[0]) to key ring \"\(folder.ring)\", but \(words)No space left on device\n"
            )
        }
        let first = try KeyRing(contentsOf: folder.ring).keys[0].id
        let late = ["--lifetime", "1d", "--at", "2100-01-01T00:00:00Z"]
        let pruned = try ToolRun(["prune", folder.ring] + late, shell: full)
        #expect(try pruned.exitCode == 1 && KeyRing(contentsOf: folder.ring).key(first) == nil)
        #expect(pruned.errors.contains("removed 2 of 3 keys (\(first), "), "\(pruned.errors)")
        let merged = try ToolRun(["merge", folder.ring, other], shell: full)
        #expect(try merged.exitCode == 1 && KeyRing(contentsOf: folder.ring).keys.count == 2)
        #expect(merged.errors.contains("merged into key ring \"\(folder.ring)\", but \(words)"))
        // Whoever writes nothing loses nothing.
        for command in [
            ["revoke", folder.ring, "\(first)", "--absent"], ["keygen", folder.file("new.keys")],
        ] {
            for shell in [full, #"exec "$0" "$@" >&-"#] where command[0] == "revoke" || shell == full {
                #expect(try ToolRun(command, shell: shell).exitCode == 0)
            }
        }
    }

    @Test func `a reader that has gone ends the tool as it ends others, by SIGPIPE or by an error`() throws {
        for (shell, code, words) in [
            (#"exec "$0" "$@""#, SIGPIPE, ""),
            (
                #"trap "" PIPE; exec "$0" "$@""#, 1,
                "sealed-cookie: the standard output cannot be written: Broken pipe\n"
            ),
        ] {
            let pipe = Pipe()
            try pipe.fileHandleForReading.close()
            let run = try ToolRun(
                ["keys", folder.ring], shell: shell, destination: pipe.fileHandleForWriting)
            #expect(run.exitCode == code && run.errors == words)
        }
    }

    @Test func `keygen overwrites nothing, and its file is for its owner alone`() throws {
        let before = try String(contentsOfFile: folder.ring, encoding: .utf8)
        let again = try ToolRun(["keygen", folder.ring])
        #expect(again.exitCode == 1 && again.errors.contains("exists already"))
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

    /// A device, a pipe or a folder in a ring's place, as by a wrong argument, must be left what it is.
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

    @Test func `arguments that are not UTF-8 are refused, and name no other file`() throws {
        let run = try ToolRun([folder.file("k")], shell: #""$0" keygen "$1$(printf '\377')""#)
        #expect(run.exitCode == 64 && run.errors.contains("an argument is not UTF-8"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["session.keys"])
        // A replacement character that is meant is a name like any other.
        #expect(try ToolRun(["keygen", folder.file("k\u{FFFD}")]).exitCode == 0)
    }

    @Test func `a dictionary is replaced whole, or stays, and a device stays a device`() throws {
        let samples = try folder.write(
            "samples", #"{"name": "zookeeper"}"# + "\n" + #"{"name": "zookeeper"}"# + "\n")
        let dictionary = try folder.write("d", "the one before")
        // Whoever has the one before has it whole: it was not written into.
        let before = folder.file("before")
        try FileManager.default.setAttributes([.posixPermissions: 0o646], ofItemAtPath: dictionary)
        try FileManager.default.linkItem(atPath: dictionary, toPath: before)
        #expect(try ToolRun(["train", "-o", dictionary, samples]).exitCode == 0)
        #expect(try String(contentsOfFile: before, encoding: .utf8) == "the one before")
        let mode = try FileManager.default.attributesOfItem(atPath: dictionary)[.posixPermissions] as? Int
        #expect(mode == 0o646)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == [
                "before", "d", "samples", "session.keys",
            ])
        let nowhere = try ToolRun(["train", "-o", folder.file("none/d"), samples])
        #expect(
            nowhere.exitCode == 1 && nowhere.errors.contains("cannot be written: No such file"),
            "\(nowhere.errors)")
        let link = folder.file("link")
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "d")
        let text = try String(contentsOfFile: samples, encoding: .utf8)
        #expect(try ToolRun(["train", "-o", link, "-"], input: text).exitCode == 0)
        #expect(try Data(contentsOf: URL(filePath: dictionary)).contains("zookeeper".utf8))
        let output = try ToolRun(["train", "-o", "/dev/stdout", samples], shell: #""$0" "$@" | cat"#)
        #expect(output.output.contains("zookeeper"))
    }

    @Test func `a split token is inspected whole, and its first cookie alone is told`() throws {
        let session = #"{"$bytes": "\#(String(repeating: "A", count: 8000))"}"#
        let sealed = try ToolRun(["seal", "-k", folder.ring, "--split", "3"], input: session)
        let lines = sealed.output.split(separator: "\n").map(String.init)
        #expect(sealed.exitCode == 0 && lines.count == 2)
        let whole = try ToolRun(["inspect"], input: sealed.output)
        let count = lines.reduce(-2) { $0 + $1.split(separator: "=")[1].utf8.count }
        #expect(whole.exitCode == 0 && whole.output.contains("token    \(count) characters"))
        let part = try ToolRun(["inspect"], input: lines[0])
        #expect(part.exitCode == 3 && part.errors.contains("pass the whole Cookie header"))
        let bare = String(lines[0].split(separator: "=")[1])
        for words in [["inspect"], ["open", "-k", folder.ring]] {
            let run = try ToolRun(words, input: bare)
            #expect(run.exitCode == 3 && run.errors.contains("the first of 2 cookies"), "\(run.errors)")
        }
        let fewer = try ToolRun(["open", "-k", folder.ring, "--split", "1"], input: sealed.output)
        #expect(fewer.exitCode == 3 && fewer.errors.contains("in 2 cookies, where 1"))
        let text = try ToolRun(["open", "-k", folder.ring, bare])
        #expect(text.exitCode == 1 && text.errors.contains("by the standard input"))
    }

    @Test func `a ring that others can read is used with a warning`() throws {
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: folder.ring)
        let run = try ToolRun(["seal", "-k", folder.ring], input: "{}")
        #expect(run.exitCode == 0 && run.output.hasPrefix("S"))
        #expect(run.errors.contains("warning: ") && run.errors.contains("hint: chmod 600"))
    }

    @Test func `a ring's life: rotate, revoke, prune, end-sessions, merge and check`() throws {
        let ring = folder.ring
        func run(_ words: String...) throws -> ToolRun {
            let run = try ToolRun(words)
            #expect(!(run.output + run.errors).contains("sck1_"))
            return run
        }
        let first = try KeyRing(contentsOf: ring).keys[0].id
        let rotated = try run("rotate", ring, "--at", "2026-08-03T00:00:00Z")
        let second = try #require(KeyID(rotated.output.prefix(6)))
        #expect(rotated.output == "\(second) from=2026-08-03T01:00:00Z\n" && rotated.errors.isEmpty)
        for (at, age, adds) in [
            ("2026-09-02T01:00:00Z", "30d", false), ("2026-08-02T00:00:00Z", "1s", false),
            ("2026-09-02T01:00:01Z", "30d", true),
        ] {
            let dry = try run("rotate", ring, "--dry-run", "--if-older-than", age, "--at", at)
            #expect(dry.exitCode == 0 && dry.output.isEmpty)
            let json = try run("rotate", ring, "--dry-run", "--json", "--if-older-than", age, "--at", at)
            #expect(json.output.contains(#""would-add-from" : "2026-09-02T02:00:01Z""#) == adds)
            #expect(dry.errors.hasPrefix(adds ? "would add a key from" : "nothing to do: key \(second)"))
        }
        #expect(try KeyRing(contentsOf: ring).keys.map(\.id) == [first, second])
        // Pruning: the first key is needed for 14 days and an hour after the second began.
        let early = try run("prune", ring, "--lifetime", "14d", "--at", "2026-08-17T01:59:59Z")
        #expect(early.output.isEmpty && early.errors == "nothing to do: every key is needed\n")
        let pruned = try run("prune", ring, "--lifetime", "14d", "--at", "2026-08-17T02:00:00Z")
        #expect(pruned.output == "\(first)\n" && pruned.errors == "removed 1 of 2 keys\n")
        // Checking.
        let fine = try run("check", ring, "--older-than", "30d", "--at", "2026-09-02T01:00:00Z")
        #expect(fine.exitCode == 0 && fine.output.isEmpty && fine.errors.isEmpty)
        let old = try run("check", ring, "--older-than", "30d", "--at", "2026-09-02T01:00:01Z")
        #expect(old.exitCode == 2 && old.output.hasPrefix("fault: the active key \(second) is too old"))
        let pending = try run("check", ring, "--json", "--at", "2026-08-03T00:00:00Z")
        #expect(pending.exitCode == 2 && pending.output.contains("the earliest, seals before its time"))
        // Merging another ring, revoked keys and doubles.
        let other = try folder.write(
            "other.keys", "revoked \(second)\n" + (try String(contentsOfFile: ring, encoding: .utf8)))
        #expect(try run("check", other).output.contains("its secret is still in the file"))
        // Revoking it once more takes the secret out.
        let union = try folder.write("union.keys", try String(contentsOfFile: other, encoding: .utf8))
        #expect(try run("revoke", union, "\(second)").exitCode == 0)
        #expect(try !String(contentsOfFile: union, encoding: .utf8).contains("sck1_"))
        _ = try run("keygen", folder.file("third.keys"))
        let merged = try run("merge", ring, other, folder.file("third.keys"))
        let third = try KeyRing(contentsOf: folder.file("third.keys")).keys[0].id
        #expect(
            merged.output.hasPrefix("\(third)  active   from 20")
                && merged.output.hasSuffix("Z\n\(second)  revoked\n"))
        // Revoking.
        let unknown = try run("revoke", ring, "000000")
        #expect(unknown.exitCode == 1 && unknown.errors.contains("has no key 000000"))
        #expect(try run("revoke", ring, "000000", "--absent").exitCode == 0)
        let revoked = try run("revoke", ring, "\(third)")
        #expect(revoked.exitCode == 0 && revoked.errors.contains("there is no other: nothing can be sealed"))
        let copy =
            "warning: \"\(folder.file("third.keys"))\" still has the secret of a revoked key: remove the file"
        #expect(revoked.errors.contains(copy))
        try FileManager.default.removeItem(atPath: folder.file("third.keys"))
        try FileManager.default.removeItem(atPath: other)
        #expect(try run("revoke", ring, "\(third)").errors == "key \(third) is revoked already\n")
        #expect(try run("rotate", ring, "--from", "now", "--json").output.contains("\"state\" : \"active\""))
        // Ending sessions.
        let ended = try run("end-sessions", ring, "--at", "2026-08-20T12:00:00Z")
        #expect(ended.errors == "sessions begun before 2026-08-20T12:00:00Z have ended\n")
        #expect(try KeyRing(contentsOf: ring).notBefore == noon + 17.5 * 86_400)
        for (words, code) in [
            (["rotate", ring, "--from", "2020-01-01T00:00:00Z"], 64), (["revoke", ring, "xyz"], 64),
            (["prune", ring], 64), (["end-sessions", ring, "--created-before", "2100-01-01T00:00:00Z"], 64),
            (["merge", ring], 64), (["merge", ring, folder.file("none")], 1),
            (["rotate", folder.file("none")], 1),
            (["check", folder.file("none")], 1),
        ] as [([String], Int32)] {
            #expect(try ToolRun(words).exitCode == code, "\(words)")
        }
    }

    @Test func `a stolen ring's keys are replaced in one change, and what a thief made opens nowhere`() throws
    {
        let ring = folder.ring
        _ = try ToolRun(["rotate", ring, "--from", "2h"])
        let backups = try ToolFolder()
        let backup = try backups.write("backup.keys", try String(contentsOfFile: ring, encoding: .utf8))
        let stolen = try KeyRing(contentsOf: ring)
        let server = try CookieSealer<Login>(
            keys: KeyRingFile(ring, lookingEvery: .zero), lifetime: .init(absolute: .days(14)))
        let forged = try loginSealer(stolen).seal(login, lifetime: .days(36_500)).token
        let opened = try server.open(value: forged)
        let run = try ToolRun(["revoke", "--all", ring])
        let after = try KeyRing(contentsOf: ring)
        #expect(run.exitCode == 0 && after.keys.count == 1 && after.revoked == Set(stolen.keys.map(\.id)))
        let from = try #require(after.keys[0].activeFrom)
        #expect(run.output == "\(after.keys[0].id) from=\(Timestamp.text(from))\n")
        #expect(run.errors == "revoked 2 keys: \(stolen.keys[0].id), \(stolen.keys[1].id)\n")
        #expect(try !String(contentsOfFile: ring, encoding: .utf8).contains("key \(stolen.keys[0].id)"))
        #expect(throws: OpenError.revokedKey(opened.keyID)) { try server.open(value: forged) }
        #expect(try server.open(value: server.seal(login).token).keyID == after.keys[0].id)
        #expect(try ToolRun(["check", ring, "--older-than", "1d"]).exitCode == 0)
        let sealed = try ToolRun(["seal", "-k", ring], input: "{}")
        #expect(try ToolRun(["open", "-k", ring], input: sealed.output).output == "{}\n")
        #expect(
            try ToolRun(["open", "-k", ring], input: forged).errors.contains("key \(opened.keyID) is revoked")
        )
        #expect(try ToolRun(["merge", ring, backup]).exitCode == 0)
        #expect(try KeyRing(contentsOf: ring).keys.map(\.id) == after.keys.map(\.id))
        // Lost output: the ring is changed, and the message has the key.
        let lost = try ToolRun(["revoke", "--all", ring], shell: #"exec "$0" "$@" > /dev/full"#)
        let last = try KeyRing(contentsOf: ring)
        #expect(lost.exitCode == 1 && last.keys.count == 1 && last.revoked.count == 3)
        #expect(
            lost.errors.hasSuffix(
                "sealed-cookie: key ring \"\(ring)\" has the new \(last.keys[0]) alone, but the standard output cannot be written: No space left on device\n"
            ), "\(lost.errors)")
        let text = try String(contentsOfFile: ring, encoding: .utf8)
        for words in [
            ["--all", ring, "\(last.keys[0].id)"], [ring, "\(last.keys[0].id)", "--all"],
            ["--all", "--absent", ring],
            [ring], ["--all"], ["--all", ring, "000000", "000001"],
        ] {
            let run = try ToolRun(["revoke"] + words)
            #expect(run.exitCode == 64 && run.output.isEmpty, "\(words)")
        }
        #expect(try String(contentsOfFile: ring, encoding: .utf8) == text)
    }

    @Test func `secrets that are left in comments and beside a ring are found, and told after a revocation`()
        throws
    {
        let link = folder.file("link.keys")
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "session.keys")
        let text = try String(contentsOfFile: folder.ring, encoding: .utf8)
        let id = try KeyRing(contentsOf: folder.ring).keys[0].id
        let secret = try #require(text.firstMatch(of: /sck1_\S{43}/)).output
        // Neither a secret nor a file of ours.
        let harmless = "# sck1_ and 43 characters, such as \(secret.dropLast())\n"
        _ = try folder.write("session.keys", harmless + text)
        for name in ["session.keys.new", ".session.keys", ".session.keys.old.new", ".other.keys.new"] {
            _ = try folder.write(name, text)
        }
        for path in [folder.ring, link] {
            let run = try ToolRun(["check", path])
            #expect(run.exitCode == 0 && run.output.isEmpty && run.errors.isEmpty, "\(run.output)")
        }
        let comments = [
            "#\(secret)", "  # key \(id) \(secret)  ", "#old=\(secret).", "# \u{00e9} \(secret)x",
        ]
        _ = try folder.write("session.keys", "\n" + harmless + text + comments.joined(separator: "\n"))
        let left = [".session.keys.1a2b3c4d.new", ".session.keys.new"]
        for name in left { _ = try folder.write(name, text) }
        // What has been written only now is a change that goes on.
        #expect(try !ToolRun(["check", folder.ring]).output.contains(".new"))
        sleep(3)
        let inComments = { (lines: ClosedRange<Int>) in
            lines.map { "line \($0) has a secret in a comment: remove the line" }
        }
        let inFiles = left.map { name in
            "a change that was ended midway left secrets in \"\(folder.file(name))\": remove the file"
        }
        for path in [folder.ring, link] {
            let run = try ToolRun(["check", path])
            #expect(run.exitCode == 2)
            #expect(run.output == (inComments(5...8) + inFiles).map { "fault: \($0)\n" }.joined())
            #expect(!(run.output + run.errors).contains("sck1_"))
        }
        // A change keeps comments, at the top, and takes the place of one that was ended midway.
        let revoked = try ToolRun(["revoke", folder.ring, "\(id)"])
        #expect(revoked.exitCode == 0)
        #expect(
            revoked.errors.hasPrefix(
                "revoked key \(id)\n"
                    + (inComments(3...6) + inFiles.prefix(1)).map { "sealed-cookie: warning: \($0)\n" }
                    .joined()), "\(revoked.errors)")
        #expect(
            !revoked.errors.contains("sck1_") && !FileManager.default.fileExists(atPath: folder.file(left[1]))
        )
        let pruned = try ToolRun(["prune", folder.ring, "--lifetime", "1d"])
        #expect(pruned.exitCode == 0 && pruned.errors.contains("warning: line 3 has a secret in a comment"))
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
            (0o777, "everybody", "777"), (0o1777, "everybody", "1777"), (0o775, "its group", "0775"),
        ] {
            try chmod(folder.path, mode)
            let open = try check()
            #expect(
                open.exitCode == 2 && open.output.contains("fault: \(who) may write to the folder"),
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
                    && open.output.contains("open to others than its owner (mode \(String(mode, radix: 8)))"))
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
        // Where anybody can put another link in that one's place.
        try chmod(mount, 0o777)
        let links = try ToolRun(["check", "--mode", "444", mount + "/session.keys"])
        #expect(
            links.exitCode == 2 && links.output.contains("put another link in the place"), "\(links.output)")
        try FileManager.default.removeItem(atPath: mount)
        // Another name of the file: of now, and of the one before.
        let other = folder.file("other")
        try FileManager.default.linkItem(atPath: folder.ring, toPath: other)
        #expect(try check().output.contains("fault: the file has 2 names (hard links)"))
        let revoked = try ToolRun(["revoke", "--all", folder.ring])
        #expect(
            revoked.exitCode == 0
                && revoked.errors.contains("warning: the file had 1 other name, under which"),
            "\(revoked.errors)")
        let left = try check()
        #expect(
            left.exitCode == 2
                && left.output
                    == "fault: \"\(other)\" still has the secret of a revoked key: remove the file\n"
        )
        #expect(try check("--json").output.contains("still has the secret"))
        try FileManager.default.removeItem(atPath: other)
        #expect(try check().exitCode == 0)
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
            check.exitCode == 2 && check.output.contains("line 3 has a secret in a comment"),
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

    @Test func `what was meant is done, or words say what to do`() throws {
        let id = "\(try KeyRing(contentsOf: folder.ring).keys[0].id)"
        let swapped = try ToolRun(["revoke", id, folder.ring])
        #expect(
            swapped.exitCode == 64
                && swapped.errors.contains("hint: sealed-cookie revoke \(folder.ring) \(id)"),
            "\(swapped.errors)")
        for words in [
            ["keys", "-k", folder.ring], ["check", "--key-ring", folder.ring],
            ["keys", "--key-ring=\(folder.ring)"],
        ] {
            #expect(try ToolRun(words).exitCode == 0, "\(words)")
        }
        #expect(try ToolRun(["keys", "-k", folder.ring, folder.ring]).exitCode == 64)
        for words in [["-V"], ["version"], ["--version"]] {
            #expect(try ToolRun(words).output.hasPrefix("sealed-cookie 1."), "\(words)")
        }
        let long = try ToolRun(["open", "-k", folder.ring, "--absolute", "60000d"], input: "S")
        #expect(
            long.exitCode == 64 && long.errors.contains("too long a span of time")
                && long.errors.contains("at most 49710d"))
        let none = try ToolRun(["keys", folder.file("none")])
        #expect(none.errors.contains("hint: sealed-cookie keygen RING makes a key ring"))
        let isFolder = try ToolRun(["keys", folder.path])
        #expect(
            isFolder.exitCode == 1 && !isFolder.errors.contains("keygen")
                && isFolder.errors.contains("RING is a file in it"))
    }

    @Test func `size fits a narrow terminal`() throws {
        let session =
            #"{"a_name_of_a_field_that_takes_room": "\#(String(repeating: "x", count: 300))", "b": 1}"#
        for (columns, least) in [("40", 1), ("60", 1), ("30", 0), ("200", 40)] {
            let run = try ToolRun(["size"], input: session, environment: ["COLUMNS": columns])
            let rows = run.output.split(separator: "\n").filter { $0.hasPrefix("  ") }
            #expect(
                rows.count == 7 && rows.allSatisfy { $0.count <= Int(columns) ?? 0 },
                "\(columns): \(run.output)")
            #expect(rows.contains { $0.count(where: { $0 == "█" }) >= least }, "\(columns): \(run.output)")
        }
    }

    @Test func `a ring without a key is told where it is to seal or to open, and can be given one`() throws {
        let token = try folder.write("token", try seal("{}"))
        let id = "\(try KeyRing(contentsOf: folder.ring).keys[0].id)"
        #expect(try ToolRun(["revoke", folder.ring, id]).exitCode == 0)
        for words in [["seal", "-k", folder.ring], ["open", "-k", folder.ring, token]] {
            let run = try ToolRun(words, input: "{}")
            #expect(
                run.exitCode == 1 && run.output.isEmpty && run.errors.contains("holds no key"),
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

    @Test func `keys and a dry prune say until when a session may need each key`() throws {
        let ring = try KeyRing([
            sampleKey(1), sampleKey(2, from: noon), sampleKey(3, from: noon + 3600),
            sampleKey(4, from: noon + 86_400),
        ])
        let path = folder.file("four.keys")
        try ring.create(at: path)
        let ids = ring.keys.map { "\($0.id)" }
        // The first key ceased at noon, the second an hour later; each is needed for a day and an hour more.
        let table = try ToolRun(["keys", path, "--lifetime", "1d", "--at", "2026-08-04T00:30:00Z"])
        #expect(
            table.output == """
                \(ids[0])  opens                               needed until 2026-08-04T01:00:00Z
                \(ids[1])  opens    from 2026-08-03T00:00:00Z  needed until 2026-08-04T02:00:00Z
                \(ids[2])  opens    from 2026-08-03T01:00:00Z  needed until 2026-08-05T01:00:00Z
                \(ids[3])  active   from 2026-08-04T00:00:00Z  needed: it seals

                """, "\(table.output)")
        for (at, until) in [
            ("2026-08-04T00:59:59Z", "needed until"), ("2026-08-04T01:00:00Z", "not needed since"),
        ] {
            let dry = try ToolRun(["prune", path, "--dry-run", "--lifetime", "1d", "--at", at])
            #expect(dry.errors.contains("key \(ids[0]) is \(until) 2026-08-04T01:00:00Z\n"), "\(dry.errors)")
            #expect(dry.errors.contains("key \(ids[3]) is needed: it seals\n"))
            #expect(dry.output == (until == "needed until" ? "" : "\(ids[0])\n"))
            let json = try ToolRun(["prune", path, "--dry-run", "--json", "--lifetime", "1d", "--at", at])
            #expect(
                json.output.contains(#""needed-until" : "2026-08-04T01:00:00Z""#)
                    && json.output.contains("\"removed\""))
        }
        let early = try ToolRun(["keys", path, "--json", "--lifetime", "1d", "--at", "2026-08-03T00:30:00Z"])
        #expect(early.output.contains(#""needed-until" : "2026-08-04T01:00:00Z""#), "\(early.output)")
        #expect(early.output.matches(of: /needed-until/).count == 1)
        let pending = try ToolRun(["keys", path, "--lifetime", "1d", "--at", "2026-08-03T00:30:00Z"])
        #expect(pending.output.contains("pending  from 2026-08-04T00:00:00Z  needed: it is to seal"))
        // A key that a merge retired is needed from then on.
        let merged = folder.file("merged.keys")
        try KeyRing([sampleKey(1, from: noon)]).create(at: merged)
        let other = folder.file("other.keys")
        try KeyRing([sampleKey(2, from: noon + 10)]).create(at: other)
        #expect(try ToolRun(["merge", merged, other, "--at", "2026-08-13T00:00:00Z"]).exitCode == 0)
        let needed = try ToolRun(["keys", merged, "--lifetime", "14d", "--at", "2026-08-20T00:00:00Z"])
        #expect(needed.output.contains("needed until 2026-08-27T01:00:00Z"), "\(needed.output)")
        #expect(
            try ToolRun(["prune", merged, "--lifetime", "14d", "--at", "2026-08-27T00:59:59Z"]).output.isEmpty
        )
        #expect(
            try ToolRun(["prune", merged, "--lifetime", "14d", "--at", "2026-08-27T01:00:00Z"]).output
                == "\(try sampleKey(1).id)\n")
        let revoked = try ToolRun(["keys", folder.ring, "--lifetime", "1d"])
        #expect(revoked.output.contains("active") && revoked.output.contains("needed: it seals"))
    }

    @Test func `a merge without an active key is told`() throws {
        let pending = folder.file("pending.keys")
        let revoked = folder.file("revoked.keys")
        try KeyRing([sampleKey(2, from: noon)]).create(at: pending)
        try KeyRing([], revoked: Set(KeyRing(contentsOf: folder.ring).keys.map(\.id))).create(at: revoked)
        let late = try ToolRun(["merge", folder.ring, revoked])
        #expect(
            late.exitCode == 0
                && late.errors.contains("warning: the merged ring has no active key: nothing can be sealed"),
            "\(late.errors)")
        #expect(late.errors.contains("hint: sealed-cookie rotate --from now"))
        let early = try ToolRun(["merge", folder.ring, pending, "--at", "2026-08-01T00:00:00Z"])
        #expect(
            early.exitCode == 0 && early.errors.contains("the earliest, seals before its time"),
            "\(early.errors)")
        let fine = try ToolRun(["merge", folder.ring, pending])
        #expect(fine.exitCode == 0 && fine.errors.isEmpty, "\(fine.errors)")
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
        #expect(empty.exitCode == 1 && empty.output.isEmpty && empty.errors.contains("holds no key"))
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
        // To a ring that is there: as a rotation.
        let added = try ToolRun(["import", folder.ring, "--at", "2026-08-03T00:00:00Z"], input: base64)
        #expect(added.exitCode == 0 && added.output == "\(id) from=2026-08-03T01:00:00Z\n")
        let again = try ToolRun(["import", folder.ring, "--from", "now"], input: hex)
        #expect(
            again.exitCode == 0 && again.output.isEmpty && again.errors.hasPrefix("nothing to do: "),
            "\(again.errors)")
        #expect(try KeyRing(contentsOf: folder.ring).key(id)?.activeFrom == noon + 3600)
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
            revoked.exitCode == 1 && revoked.errors.contains("hint: revoked is for good"), "\(revoked.errors)"
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
            // What is not there may be a secret that was given in a file's place.
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
                        == "fault: \"\(path)\" still has the secret of a revoked key: remove the file\n",
                "\(copy.prefix(10)): \(run.output)")
        }
        let large = try folder.write("copy", String(repeating: "x", count: 1_048_577))
        let note = "note: not looked through for secrets of revoked keys: "
        let run = try ToolRun(["check", folder.ring])
        #expect(run.exitCode == 0 && run.output == "\(note)\"\(large)\"\n", "\(run.output)")
        try FileManager.default.removeItem(atPath: large)
        for number in 0..<1000 { _ = try folder.write("n\(number)", "") }
        let many = try ToolRun(["check", folder.ring])
        #expect(many.exitCode == 0 && many.output == "\(note)1 of 1001 files beside it\n", "\(many.output)")
    }

    @Test func `inspect needs no key and says that nothing is authenticated`() throws {
        let token = try seal(#"{"a":1}"#)
        let id = try KeyRing(contentsOf: folder.ring).keys[0].id
        let run = try ToolRun(["inspect"], input: token)
        #expect(run.exitCode == 0)
        #expect(run.output.contains("key      \(id)\n") && run.output.contains("\(token.count) characters"))
        #expect(run.errors.contains("unauthenticated"))
        let json = try ToolRun(["inspect", "--json"], input: "__Host-session=\(token)")
        let view = try #require(
            try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
        #expect(view["key"] as? String == "\(id)" && view["characters"] as? Int == token.count)
        #expect(try ToolRun(["inspect"], input: "no token").exitCode == 3)
    }

    @Test func `size draws stages and fields, and does not mind a session that is too large`() throws {
        let text = String(
            (0..<5000).map { _ in "abcdefghijklmnopqrstuvwxyz0123456789".randomElement() ?? "a" })
        let run = try ToolRun(["size"], input: #"{"small": 1, "large": "\#(text)"}"#)
        #expect(run.exitCode == 0 && run.errors.isEmpty)
        #expect(run.output.contains("large ") && run.output.contains("█"))
        #expect(run.output.contains("bytes over the limit of 4096"))
        let ascii = try ToolRun(["size"], input: #"{"a": 1}"#, environment: ["LANG": "C"])
        #expect(ascii.output.contains("####") && ascii.output.contains("left under the limit of 4096"))
        #expect(!ascii.output.contains("█"))
        let json = try ToolRun(["size", "--json", "-n", "s"], input: #"{"a": 1, "bcd": 2}"#)
        let view = try #require(
            try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
        #expect(
            view["item"] as? Int == 9 && view["name"] as? Int == 1 && view["room"] as? Int == 4096 - 1 - 74)
        #expect((view["fields"] as? [[String: Any]])?.compactMap { $0["name"] as? String } == ["bcd", "a"])
        // What seal then says of it.
        let sealed = try ToolRun(["seal", "-k", folder.ring], input: #"{"small": 1, "large": "\#(text)"}"#)
        #expect(sealed.exitCode == 1 && sealed.output.isEmpty)
        #expect(sealed.errors.contains("too large for a cookie") && sealed.errors.contains("large 5009"))
    }

    @Test func `demo shows every step and leaves nothing behind`() throws {
        let temporary = folder.file("tmp")
        try FileManager.default.createDirectory(atPath: temporary, withIntermediateDirectories: true)
        let run = try ToolRun(["demo"], environment: ["TMPDIR": temporary])
        #expect(run.exitCode == 0 && run.errors.isEmpty)
        for step in [
            "A key ring", "Set-Cookie: __Host-session=S", "\"$uuid\"", "not authentic", "bytes left under",
        ] {
            #expect(run.output.contains(step), "\(step)")
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: temporary).isEmpty)
        // Nor where nobody reads on.
        let first = try ToolRun(
            ["demo"], environment: ["TMPDIR": temporary], shell: #""$0" "$@" | read line"#)
        #expect(first.exitCode == 0)
        #expect(try FileManager.default.contentsOfDirectory(atPath: temporary).isEmpty)
        let nowhere = try ToolRun(["demo"], environment: ["TMPDIR": folder.file("none")])
        #expect(nowhere.exitCode == 1 && nowhere.errors.contains("no folder can be made there"))
    }

    @Test func `sessions that are not are said with their place`() throws {
        let cases = [
            ("", "not JSON"), ("{", "not JSON"),
            (#"{"a": 123456789012345678901}"#, "a whole number beyond 64 bits at .a"),
            (#"{"a": {"$x": 1}}"#, "not a key of the JSON view at .a.$x"),
            (#"{"a": [1, {"$date": "today"}]}"#, "not a value for $date at .a.[1].$date"),
            (String(repeating: "[", count: 70) + String(repeating: "]", count: 70), "more than 64 levels"),
        ]
        for (json, words) in cases {
            let run = try ToolRun(["seal", "-k", folder.ring], input: json)
            #expect(run.exitCode == 1 && run.output.isEmpty && run.errors.contains(words), "\(run.errors)")
        }
    }

    @Test func `usage is said with exit code 64`() throws {
        let cases: [([String], String)] = [
            ([], "no command"), (["sael"], "did you mean seal?"), (["seal"], "-k or --key-ring is missing"),
            (["seal", "--lifetme", "3d"], "did you mean --lifetime?"),
            (["seal", "-k"], "--key-ring needs a value"),
            (["seal", "-k", "a", "-k", "b"], "stands twice"), (["keys"], "keys needs RING"),
            (["keys", "a", "b"], "no use for \"b\""), (["keys", "--json=1", "a"], "--json takes no value"),
            (["seal", "-k", folder.ring, "--lifetime", "14"], "not a span of time"),
            (["seal", "-k", folder.ring, "--lifetime", "-1d"], "not a span of time"),
            (["open", "-k", folder.ring, "--at", "noon"], "not a time"),
            (["seal", "-k", folder.ring, "-n", "a b"], "cannot be a cookie's name"),
            (["rotate", folder.ring, "--from", "@253402300800"], "not a time"),
            (["--help", "sael"], "no command"),
        ]
        for (arguments, words) in cases {
            let run = try ToolRun(arguments)
            #expect(
                run.exitCode == 64 && run.output.isEmpty && run.errors.contains(words),
                "\(arguments): \(run.errors)")
        }
    }

    @Test func `every command has its help`() throws {
        let help = try ToolRun(["--help"])
        #expect(help.exitCode == 0 && help.errors.isEmpty)
        for command in [
            "keygen", "import", "keys", "export", "rotate", "revoke", "prune", "end-sessions", "merge",
            "check", "remove",
            "limits", "train", "seal", "open",
            "inspect", "size", "demo",
        ] {
            #expect(help.output.contains("\n  \(command) "))
            for run in [try ToolRun([command, "--help"]), try ToolRun(["help", command])] {
                #expect(run.exitCode == 0 && run.output.contains("usage: sealed-cookie \(command)"))
            }
        }
        #expect(try ToolRun(["--version"]).output.hasPrefix("sealed-cookie "))
    }

    @Test func `no colour where nobody sees it`() throws {
        for environment in [[:], ["NO_COLOR": "1"], ["TERM": "dumb"]] {
            let runs = [
                try ToolRun(["demo"], environment: environment), try ToolRun(["x"], environment: environment),
            ]
            #expect(runs.allSatisfy { !($0.output + $0.errors).contains("\u{1B}") })
        }
    }

    @Test func `a ring with which nobody can sign in is told, and a merge and an end of sessions warn`()
        throws
    {
        let folder = try ToolFolder()
        let now = "2026-08-03T00:00:00Z"
        func with(_ time: String) throws -> String {
            try folder.write(
                "future.keys", String(contentsOfFile: folder.ring, encoding: .utf8) + "not-before \(time)\n")
        }
        let near = try ToolRun(["check", "--mode", "644", "--at", now, with("2026-08-03T00:01:00Z")])
        #expect(near.exitCode != 1 && !near.output.contains("sign in"))
        let path = try with("2026-08-03T00:01:01Z")
        let check = try ToolRun(["check", "--at", now, path])
        #expect(
            check.exitCode == 1
                && check.output.contains("unusable: nobody can sign in before 2026-08-03T00:01:01Z"))
        #expect(check.errors.contains("not-before") && !check.errors.contains("rotate"))
        let end = try ToolRun(["end-sessions", "--at", now, path])
        #expect(end.exitCode == 0 && end.errors.contains("warning: nobody can sign in before"))
        let merge = try ToolRun(["merge", "--at", now, folder.ring, path])
        #expect(merge.exitCode == 0 && merge.errors.contains("warning: nobody can sign in before"))
    }
}
