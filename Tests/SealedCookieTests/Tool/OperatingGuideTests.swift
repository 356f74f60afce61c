// The guide for operators: its commands are run, and they print what it shows.
import Foundation
import Testing

@testable import SealedCookie

@Suite struct OperatingGuideTests {
    /// A command of the guide, and the lines below it.
    struct Step {
        let command: String
        var output: String
    }

    /// What is there before a section's commands, made by the tool itself.
    static let scenes: [String: String] = [
        "May I delete key X?": """
        begin 40d; turn 30d; turn 10d
        """,
        "A laptop with the ring was stolen": """
        begin 40d; turn 10d; cp session.keys session.keys.orig
        echo '{"user": 42}' | sealed-cookie seal -k session.keys > token
        """,
        "One account must be signed out now": """
        begin 10d
        echo '{"user": 42}' | sealed-cookie seal -k session.keys --at "$(ago 2d)" > token
        echo "Cookie: theme=dark; __Host-session=$(cat token)" > header
        """,
        "A user's cookie has to be examined": """
        begin 10d
        echo '{"user": 42, "roles": ["admin"]}' | sealed-cookie seal -k session.keys --at "$(ago 3h)" > token
        echo "Cookie: theme=dark; __Host-session=$(cat token)" > header
        echo "Cookie: theme=dark; shop=$(cat token)" > other-header
        echo '{"user": 42}' | sealed-cookie seal -k session.keys --token --purpose reset > link
        """,
        "A deploy was rolled back": """
        begin 40d; turn 10d; cp session.keys old.keys
        turn 2d; mv session.keys newer.keys; mv old.keys session.keys
        echo '{"user": 42}' | sealed-cookie seal -k newer.keys > token
        """,
        // A page for the ring and one for what fills the disk.
        "The disk with the ring is full": """
        mkdir disk && mount -t tmpfs -o size=8k,mode=700 none disk && cd disk
        begin 10d
        (echo; cat /dev/zero) > core 2>/dev/null
        true
        """,
        "Sessions are lost on one server only": """
        mkdir web1 web2
        begin 10d; cp session.keys web2; turn 2d; mv session.keys web1
        echo '{"user": 42}' | sealed-cookie seal -k web1/session.keys > token
        echo '{"user": 42}' | sealed-cookie seal -k web1/session.keys --at "$(ago -5m)" > ahead
        """,
    ]

    /// Spans such as 3h before now, and rings whose keys began that long ago.
    static let functions = """
        ago() {
            case $1 in
            *d) echo "@$(($(date +%s) - ${1%d} * 86400))" ;;
            *h) echo "@$(($(date +%s) - ${1%h} * 3600))" ;;
            *m) echo "@$(($(date +%s) - ${1%m} * 60))" ;;
            esac
        }
        turn() { sealed-cookie rotate --from now --at "$(ago "$1")" session.keys; }
        begin() { (umask 077; : > session.keys); turn "$1"; }
        """

    static func sections() throws -> [(heading: String, steps: [Step])] {
        let guide = "Sources/SealedCookie/Documentation.docc/Operating.md"
        let text = try String(contentsOf: packageFolder.appending(path: guide), encoding: .utf8)
        var sections: [(heading: String, steps: [Step])] = []
        var isConsole = false
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("## ") { sections.append((String(line.dropFirst(3)), [])) }
            if line.hasPrefix("```") {
                isConsole = line == "```console"
            } else if isConsole, line.hasPrefix("$ ") {
                sections[sections.count - 1].steps.append(
                    Step(command: String(line.dropFirst(2)), output: ""))
            } else if isConsole {
                let section = sections.count - 1
                let step = sections[section].steps.count - 1
                sections[section].steps[step].output += line + "\n"
            }
        }
        return sections.filter { !$0.steps.isEmpty }
    }

    /// Key ids by the order of their appearance, for every run has others, and no times.
    static func steady(_ outputs: [String]) -> [String] {
        var ids: [Substring: Int] = [:]
        return outputs.map { output in
            output.replacing(/\b[0-9a-f]{6}\b/) { match in
                ids[match.output] = ids[match.output] ?? ids.count + 1
                return "key\(ids[match.output] ?? 0)"
            }.replacing(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/, with: "TIME")
        }
    }

    /// Whether this process may mount a file system in a namespace of its own, for a disk that is full.
    static let mayMount: Bool = {
        let probe = try? ToolRun([], shell: "unshare -rm mount -t tmpfs none /mnt 2>&1")
        return probe?.exitCode == 0
    }()

    /// What each command of a section prints.
    private func run(_ heading: String, _ commands: [String]) throws -> [String] {
        let scene = try #require(Self.scenes[heading], "no scene for \"\(heading)\"")
        let folder = try ToolFolder()
        try FileManager.default.removeItem(atPath: folder.ring)
        // A mark before each command; `$?` is the command's before it all the same.
        let marked = commands.map { "code=$?; printf '\\036'; (exit $code)\n\($0)\n" }.joined()
        let script = """
            \(Self.functions)
            { \(scene)
            } > scene.log 2>&1 || exit 99
            true
            \(marked)
            """
        try script.write(toFile: folder.file("script"), atomically: false, encoding: .utf8)
        let isolation = scene.contains("mount ") ? "unshare -rm" : ""
        let shell = #"PATH=$(dirname "$0"):$PATH; cd "$1" && exec \#(isolation) sh ./script 2>&1"#
        let result = try ToolRun(
            [folder.path], environment: ["PATH": "/usr/bin:/bin:/usr/sbin:/sbin"], shell: shell)
        let log = try? String(contentsOfFile: folder.file("scene.log"), encoding: .utf8)
        #expect(result.exitCode != 99, "\(heading): \(log ?? "")")
        return result.output.split(separator: "\u{1E}", omittingEmptySubsequences: false).dropFirst().map(
            String.init)
    }

    @Test func `every command of the guide prints what the guide shows`() throws {
        let sections = try Self.sections()
        #expect(sections.map(\.heading).sorted() == Self.scenes.keys.sorted())
        var steps = 0
        for section in sections {
            let needsDisk = Self.scenes[section.heading]?.contains("mount ") == true
            guard !needsDisk || Self.mayMount else {
                print("not run: \"\(section.heading)\", for want of unshare or the right to mount")
                continue
            }
            let outputs = try run(section.heading, section.steps.map(\.command))
            try #require(outputs.count == section.steps.count, "\(section.heading): \(outputs)")
            let (shown, real) = (Self.steady(section.steps.map(\.output)), Self.steady(outputs))
            for (index, step) in section.steps.enumerated() {
                #expect(
                    real[index] == shown[index],
                    "\(section.heading): $ \(step.command)\n\(outputs[index])")
                steps += 1
            }
        }
        #expect(steps >= 15)
    }

    @Test func `masking keeps which key is which`() {
        #expect(
            Self.steady(["5f3a9c 000000", "000000 from=2026-08-03T00:00:00Z"]) == [
                "key1 key2", "key2 from=TIME",
            ])
    }
}
