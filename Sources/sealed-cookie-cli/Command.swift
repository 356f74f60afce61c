// The table of commands: what the parser takes, and what the help, the manual page and the completions say.

/// A command of the tool.
struct Command: Sendable {
    /// An option of a command.
    struct Option: Sendable {
        /// Without the dashes.
        let name: String
        var short: Character?
        /// The name of its value in the help; nil for a switch.
        var value: String?
        var completes = Completion.nothing
        let help: String
        /// What holds without the option; nil where that needs no words.
        var otherwise: String?

        /// As the help and the manual page print it.
        var words: String { help + (otherwise.map { " [\($0)]" } ?? "") }
    }

    /// What a shell offers for a value or an operand.
    enum Completion: Sendable, Equatable {
        case nothing
        case files
        case words([String])
    }

    /// A line to type, and what it does.
    struct Example: Sendable {
        let does: String
        let line: String

        init(_ does: String, _ line: String) {
            self.does = does
            self.line = line
        }
    }

    let name: String
    let summary: String
    /// What follows the options, such as `[INPUT]`.
    let operands: String
    /// How many operands there may be.
    let operandCount: ClosedRange<Int>
    let options: [Option]
    /// What the help says below the options.
    var details: [Paragraph] = []
    /// At the end of the help.
    let examples: [Example]
    /// Whether RING is only read, and may be - for the standard input.
    var readsRing = false
    /// What the operands are, if not files.
    var operandWords: [String]?
    let run: @Sendable (Arguments) throws(Failure) -> Void

    var usage: String {
        ["\(Tool.name) \(name)", options.isEmpty ? "" : "[OPTION …]", operands].filter { !$0.isEmpty }
            .joined(separator: " ")
    }

    /// What a shell offers for an operand.
    var operandCompletion: Completion {
        operandWords.map(Completion.words) ?? (operandCount.upperBound > 0 ? .files : .nothing)
    }
}

/// A piece of the help's text, as one long line: each form of the help breaks it to its own width.
enum Paragraph: Sendable, ExpressibleByStringInterpolation {
    case text(String)
    /// Terms, each with what it means.
    case list([Row])

    struct Row: Sendable {
        let term: String
        let text: String
    }

    init(stringLiteral text: String) { self = .text(text) }

    /// Terms and meanings by turns.
    static func terms(_ rows: KeyValuePairs<String, String>) -> Self {
        .list(rows.map { Row(term: $0.key, text: $0.value) })
    }
}

extension Command.Option {
    static let ring = Self(
        name: "key-ring", short: "k", value: "RING", completes: .files, help: "the key ring's file")
    static let cookieName = Self(
        name: "name", short: "n", value: "NAME", help: "the cookie's name", otherwise: "__Host-session")
    static let purpose = Self(
        name: "purpose", value: "PURPOSE", help: "the purpose of the session or token", otherwise: "none")
    static let at = Self(
        name: "at", value: "TIME",
        help: "act as if it were this time, such as 2026-08-03T00:00:00Z or @1785715200", otherwise: "now")
    static let json = Self(name: "json", help: "print JSON")
    static let pretty = Self(name: "pretty", help: "print JSON on several lines")
}

/// The operand of commands that read one thing.
let inputHelp: Paragraph = "INPUT is a file. Without it, or for -, the tool reads standard input."
