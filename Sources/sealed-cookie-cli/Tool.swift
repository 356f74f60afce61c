// The commands, and the way from the arguments to an exit code.
import SealedCookie
import SealedCookieLibc

enum Tool {
    static let name = "sealed-cookie"
    static let version = "1.0.0"

    /// In the order of the help. A new command is one more line here.
    static let commands: [Command] = [
        .keygen, .import, .keys, .export, .rotate, .revoke, .prune, .endSessions, .merge, .check, .seal,
        .open, .inspect, .size,
        .remove, .limits, .train, .demo,
    ]

    /// - Parameter arguments: nil for one that is not UTF-8.
    static func run(_ arguments: [String?]) -> Never {
        do throws(Failure) {
            let words = arguments.compactMap(\.self)
            guard words.count == arguments.count else {
                // Mended it would be the name of another file.
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
            guard arguments.count > 1 else { return try Output.data(help) }
            return try Output.data(command(arguments[1]).help)
        case "--version", "-V", "version":
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

    private static func command(_ word: String) throws(Failure) -> Command {
        if let command = commands.first(where: { $0.name == word }) { return command }
        let nearest = Spelling.nearest(word, among: commands.map(\.name))
        throw .usage(
            "no command \"\(word)\"",
            hint: nearest.map { "did you mean \($0)?" } ?? "\(name) --help lists the commands")
    }

    private static var help: String {
        let width = commands.map(\.name.count).max() ?? 0
        let list = commands.map { "  \(pad($0.name, width))  \($0.summary)" }.joined(separator: "\n")
        return """
            Seals web sessions into cookies and opens them again.

            usage: \(name) COMMAND [OPTION …]

            \(list)

            \(name) COMMAND --help says more. Data goes to standard output, all else to standard error.
            Exit codes: 0 done, 1 input, output or key ring, 2 `check` found faults, 3 token refused, 64 usage.
            """
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
