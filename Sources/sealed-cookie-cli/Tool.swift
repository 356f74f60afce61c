// The commands, and how arguments become an exit code.
import SealedCookie
import SealedCookieLibc

enum Tool {
    static let name = "sealed-cookie"
    static let version = "1.0.0"
    /// The version's day, for the manual page.
    static let date = "2026-11-30"

    static let summary = "Seals web sessions into cookies and opens them again."
    /// The manual page's one line.
    static let purpose = "seal web sessions into cookies, open them, and manage key rings"

    struct Group {
        let title: String
        let commands: [Command]
    }

    /// In the order of the help. A new command is one more word here.
    static let groups: [Group] = [
        Group(
            title: "Key rings",
            commands: [
                .keygen, .import, .keys, .export, .rotate, .revoke, .prune, .endSessions, .merge, .check,
            ]),
        Group(title: "Sessions and tokens", commands: [.seal, .open, .inspect, .remove]),
        Group(title: "Sizes and limits", commands: [.size, .limits, .train]),
        Group(title: "This tool", commands: [.demo, .completions, .manPage]),
    ]
    static let commands = groups.flatMap(\.commands)

    /// What the help says at its end.
    static let notes: [Paragraph] = [
        "Data goes to standard output, everything else to standard error.",
        "A SPAN is a number and a unit, s, m, h or d, such as 14d.",
        "`sealed-cookie COMMAND --help` lists a command's options and shows examples.",
    ]
    static let exitCodes: [Paragraph.Row] = [
        .init(term: "0", text: "done"),
        .init(term: "1", text: "the input, the output or the key ring failed"),
        .init(term: "2", text: "`check` found faults"),
        .init(term: "3", text: "the token was refused"),
        .init(term: "64", text: "wrong usage"),
    ]
    static let environment: [Paragraph.Row] = [
        .init(term: "COLUMNS", text: "the width of what `size` draws, where it is set"),
        .init(term: "LC_ALL, LC_CTYPE, LANG", text: "bars are drawn with block characters in a UTF-8 locale"),
        .init(term: "NO_COLOR", text: "no color, where it is set and not empty"),
        .init(term: "TERM", text: "no color, where it is dumb"),
        .init(term: "TMPDIR", text: "where `demo` makes its folder"),
    ]
    /// The manual page's example of the whole.
    static let examples = [
        "sealed-cookie keygen session.keys",
        #"echo '{"user": 42}' | sealed-cookie seal -k session.keys > token"#,
        "sealed-cookie open -k session.keys token",
    ]

    /// - Parameter arguments: nil for one that is not UTF-8.
    static func run(_ arguments: [String?]) -> Never {
        do throws(Failure) {
            let words = arguments.compactMap(\.self)
            guard words.count == arguments.count else {
                // With the invalid bytes replaced it would name another file.
                throw .usage("an argument is not UTF-8", hint: nil)
            }
            try dispatch(words)
            try Output.close()
            exit(0)
        } catch {
            Output.complain(error)
            exit(error.code.rawValue)
        }
    }

    private static func dispatch(_ arguments: [String]) throws(Failure) {
        guard let first = arguments.first else {
            throw .usage("no command", hint: "\(name) --help lists the commands")
        }
        switch first {
        case "--help", "-h", "help":
            try checkCount(arguments, atMost: 2)
            guard arguments.count > 1 else { return try Output.data(Help.overview) }
            return try Output.data(command(arguments[1]).help)
        case "--version", "-V", "version":
            try checkCount(arguments, atMost: 1)
            return try Output.data("\(name) \(version)")
        default:
            let command = try command(first)
            let rest = Array(arguments.dropFirst())
            if rest.prefix(while: { $0 != "--" }).contains(where: { ["--help", "-h"].contains($0) }) {
                return try Output.data(command.help)
            }
            try command.run(Arguments(rest, for: command))
        }
    }

    private static func checkCount(_ arguments: [String], atMost most: Int) throws(Failure) {
        guard arguments.count <= most else {
            throw .usage(
                "\(arguments[0]) does not take \"\(arguments[most])\"", hint: "\(name) --help shows the usage"
            )
        }
    }

    private static func command(_ word: String) throws(Failure) -> Command {
        if let command = commands.first(where: { $0.name == word }) { return command }
        let nearest = Spelling.nearest(word, among: commands.map(\.name))
        throw .usage(
            "no command \"\(word)\"",
            hint: nearest.map { "did you mean \($0)?" } ?? "\(name) --help lists the commands")
    }
}

/// `text` and blanks up to `width` characters.
func pad(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
}

/// Blanks and `text` up to `width` characters.
func padLeft(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
}
