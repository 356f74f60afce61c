// Changes of a ring: rotate, revoke, prune, end-sessions, merge.
import Foundation
import Testing

@testable import SealedCookie

@Suite struct ToolRotationTests: ToolSuite {
    let folder: ToolFolder

    init() throws {
        folder = try ToolFolder()
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
        // Revoking it again removes the secret.
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
            "warning: \"\(folder.file("third.keys"))\" still contains the secret of a revoked key: remove it, or revoke the key there too if it is in use"
        #expect(revoked.errors.contains(copy))
        try FileManager.default.removeItem(atPath: folder.file("third.keys"))
        try FileManager.default.removeItem(atPath: other)
        #expect(try run("revoke", ring, "\(third)").errors == "key \(third) is already revoked\n")
        #expect(try run("rotate", ring, "--from", "now", "--json").output.contains("\"state\" : \"active\""))
        // Ending sessions.
        let ended = try run("end-sessions", ring, "--at", "2026-08-20T12:00:00Z")
        #expect(ended.errors == "sessions that began before 2026-08-20T12:00:00Z have ended\n")
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
            keys: KeyRingFile(ring, pollInterval: .zero), lifetime: .init(absolute: .days(14)))
        let forged = try loginSealer(stolen).seal(login, lifetime: .init(absolute: .days(36_500))).token
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
        // The output is lost: the ring is changed, and the message contains the key.
        let lost = try ToolRun(["revoke", "--all", ring], shell: #"exec "$0" "$@" > /dev/full"#)
        let last = try KeyRing(contentsOf: ring)
        #expect(lost.exitCode == 1 && last.keys.count == 1 && last.revoked.count == 3)
        #expect(
            lost.errors.hasSuffix(
                "sealed-cookie: key ring \"\(ring)\" now has only the new \(last.keys[0]), but the standard output cannot be written: No space left on device\n"
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
        // Neither a secret nor one of our files.
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
        // What was written just now belongs to a change in progress.
        #expect(try !ToolRun(["check", folder.ring]).output.contains(".new"))
        sleep(3)
        let inComments = { (lines: ClosedRange<Int>) in
            lines.map { "line \($0) contains a secret in a comment: remove the line" }
        }
        let inFiles = left.map { name in
            "an interrupted change left secrets in \"\(folder.file(name))\": remove the file"
        }
        for path in [folder.ring, link] {
            let run = try ToolRun(["check", path])
            #expect(run.exitCode == 2)
            #expect(run.output == (inComments(5...8) + inFiles).map { "fault: \($0)\n" }.joined())
            #expect(!(run.output + run.errors).contains("sck1_"))
        }
        // A change keeps comments, at the top, and replaces an interrupted one.
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
        #expect(
            pruned.exitCode == 0 && pruned.errors.contains("warning: line 3 contains a secret in a comment"))
    }

    @Test func `keys and a dry prune say until when a session may need each key`() throws {
        let ring = try KeyRing([
            sampleKey(1), sampleKey(2, from: noon), sampleKey(3, from: noon + 3600),
            sampleKey(4, from: noon + 86_400),
        ])
        let path = folder.file("four.keys")
        try ring.create(at: path)
        let ids = ring.keys.map { "\($0.id)" }
        // The first key ceased to seal at noon, the second an hour later; each is needed for another day and an hour.
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
        #expect(pending.output.contains("pending  from 2026-08-04T00:00:00Z  needed: it will seal"))
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
