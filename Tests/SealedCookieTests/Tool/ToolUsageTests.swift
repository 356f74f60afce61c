// The tool as people and scripts use it: help, usage, output, exit codes, demo.
import Foundation
import Testing

@testable import SealedCookie

@Suite struct ToolUsageTests: ToolSuite {
    let folder: ToolFolder

    init() throws {
        folder = try ToolFolder()
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
        // A command that changes the ring has changed it by then.
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
        #expect(try pruned.exitCode == 1 && KeyRing(contentsOf: folder.ring).key(withID: first) == nil)
        #expect(pruned.errors.contains("removed 2 of 3 keys (\(first), "), "\(pruned.errors)")
        let merged = try ToolRun(["merge", folder.ring, other], shell: full)
        #expect(try merged.exitCode == 1 && KeyRing(contentsOf: folder.ring).keys.count == 2)
        #expect(merged.errors.contains("merged into key ring \"\(folder.ring)\", but \(words)"))
        // A command that writes nothing loses nothing.
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

    @Test func `arguments that are not UTF-8 are refused, and name no other file`() throws {
        let run = try ToolRun([folder.file("k")], shell: #""$0" keygen "$1$(printf '\377')""#)
        #expect(run.exitCode == 64 && run.errors.contains("an argument is not UTF-8"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["session.keys"])
        // An intended replacement character is a name like any other.
        #expect(try ToolRun(["keygen", folder.file("k\u{FFFD}")]).exitCode == 0)
    }

    @Test func `a dictionary is replaced whole, or stays, and a device stays a device`() throws {
        let samples = try folder.write(
            "samples", #"{"name": "zookeeper"}"# + "\n" + #"{"name": "zookeeper"}"# + "\n")
        let dictionary = try folder.write("d", "the one before")
        // A process that has the previous file open has it complete: it was not overwritten.
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
                && isFolder.errors.contains("RING is a file; name"))
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
        // Nor if nothing reads on.
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
            (["seal", "--own-lifetme", "3d"], "did you mean --own-lifetime?"),
            (["seal", "-k"], "--key-ring needs a value"),
            (["seal", "-k", "a", "-k", "b"], "is given twice"), (["keys"], "keys needs RING"),
            (["keys", "a", "b"], "does not take \"b\""),
            (["keys", "--json=1", "a"], "--json takes no value"),
            (["seal", "-k", folder.ring, "--own-lifetime", "14"], "not a span of time"),
            (["seal", "-k", folder.ring, "--own-lifetime", "-1d"], "not a span of time"),
            (["seal", "-k", folder.ring, "--own-idle", "1d"], "--own-idle without --own-lifetime"),
            (["open", "-k", folder.ring, "--at", "noon"], "not a time"),
            (["seal", "-k", folder.ring, "-n", "a b"], "cannot be a cookie's name"),
            (["rotate", folder.ring, "--from", "@253402300800"], "not a time"),
            (["--help", "sael"], "no command"), (["help", "seal", "x"], "help does not take \"x\""),
            (["--version", "x"], "--version does not take \"x\""),
        ]
        for (arguments, words) in cases {
            let run = try ToolRun(arguments)
            #expect(
                run.exitCode == 64 && run.output.isEmpty && run.errors.contains(words),
                "\(arguments): \(run.errors)")
        }
    }

    /// The commands that the help lists.
    static func commands() throws -> [String] {
        let overview = try ToolRun(["--help"]).output
        let commands = overview.matches(of: #/(?m)^  ([a-z][a-z-]*)  /#).map { String($0.1) }
        #expect(commands.count == 20 && Set(commands).count == 20, "\(commands)")
        return commands
    }

    @Test func `every command has its help, with examples at its end`() throws {
        let commands = try Self.commands()
        for command in [
            "keygen", "import", "keys", "export", "rotate", "revoke", "prune", "end-sessions", "merge",
            "check", "remove", "limits", "train", "seal", "open", "inspect", "size", "demo", "completions",
            "man-page",
        ] {
            #expect(commands.contains(command))
        }
        for command in commands {
            let help = try ToolRun([command, "--help"])
            #expect(help.exitCode == 0 && help.errors.isEmpty)
            #expect(try ToolRun(["help", command]).output == help.output)
            #expect(help.output.contains("\nusage: sealed-cookie \(command)"), "\(help.output)")
            let parts = help.output.split(separator: "\n\n")
            let examples = try #require(parts.last?.split(separator: "\n"))
            #expect(examples.first == "Examples:" && examples.count >= 3, "\(command): \(examples)")
            #expect(examples.dropFirst().allSatisfy { $0.hasPrefix("  ") })
            #expect(examples.contains { !$0.hasPrefix("  #") && $0.contains("sealed-cookie \(command)") })
        }
        #expect(try ToolRun(["--version"]).output.hasPrefix("sealed-cookie "))
    }

    @Test func `no line of help is longer than 80 columns`() throws {
        var lines = 0
        for words in try [["--help"]] + Self.commands().map({ [$0, "--help"] }) {
            for line in try ToolRun(words).output.split(separator: "\n") {
                #expect(line.count <= 80, "\(words[0]): \(line)")
                #expect(line.last != " ", "\(words[0]): \(line)")
                lines += 1
            }
        }
        #expect(lines > 300)
    }

    /// An option that an example uses must be one of its command's, and a command one of the tool's.
    @Test func `the words of every example are words that the command takes`() throws {
        let commands = try Self.commands()
        var options = 0
        for command in commands {
            let help = try ToolRun([command, "--help"]).output
            let known = Set(
                help.matches(of: #/(?m)^  (?:(-[a-zA-Z]), |    )(--[a-z-]+)/#).flatMap { [$0.1, $0.2] })
            for line in help.split(separator: "\n") where line.hasPrefix("  ") && !line.hasPrefix("  #") {
                for use in line.matches(of: /sealed-cookie ([a-z-]+)([^|>)&]*)/)
                where commands.contains("\(use.1)") {
                    guard use.1 == command else { continue }
                    for word in use.2.split(separator: " ") where word.hasPrefix("-") && word != "-" {
                        #expect(known.contains(word), "\(command): \(word)")
                        options += 1
                    }
                }
            }
        }
        #expect(options > 20)
    }

    @Test func `no colour where nobody sees it`() throws {
        for environment in [[:], ["NO_COLOR": "1"], ["TERM": "dumb"]] {
            let runs = [
                try ToolRun(["demo"], environment: environment), try ToolRun(["x"], environment: environment),
            ]
            #expect(runs.allSatisfy { !($0.output + $0.errors).contains("\u{1B}") })
        }
    }
}
