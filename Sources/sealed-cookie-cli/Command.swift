// What a command is made of: its options for the parser, its words for the help, its work.

struct Command: Sendable {
    struct Option: Sendable {
        /// Without the dashes.
        let name: String
        var short: Character?
        /// What stands for the value in the help; nil for a switch.
        var value: String?
        let help: String
    }

    let name: String
    let summary: String
    /// What stands behind the options, such as `[INPUT]`.
    let operands: String
    /// How many operands there may be.
    let operandCount: ClosedRange<Int>
    let options: [Option]
    /// Further words for the help.
    var details = ""
    /// Whether RING is only read, and may be - for the standard input.
    var readsRing = false
    let run: @Sendable (Arguments) throws(Failure) -> Void

    var help: String {
        let rows = options.map { option in
            let short = option.short.map { "-\($0), " } ?? "    "
            return (
                left: "\(short)--\(option.name)\(option.value.map { " \($0)" } ?? "")", right: option.help
            )
        }
        let width = rows.map(\.left.count).max() ?? 0
        var text = "\(summary)\n\nusage: \(Tool.name) \(name)\(options.isEmpty ? "" : " [OPTION …]")"
        if !operands.isEmpty { text += " \(operands)" }
        if !rows.isEmpty {
            text += "\n\n" + rows.map { "  \(pad($0.left, width))  \($0.right)" }.joined(separator: "\n")
        }
        if !details.isEmpty { text += "\n\n\(details)" }
        return text
    }
}

extension Command.Option {
    static let ring = Self(name: "key-ring", short: "k", value: "RING", help: "the key ring's file")
    static let cookieName = Self(
        name: "name", short: "n", value: "NAME", help: "the cookie's name [__Host-session]")
    static let purpose = Self(name: "purpose", value: "PURPOSE", help: "the purpose it is sealed for [none]")
    static let at = Self(
        name: "at", value: "TIME", help: "as if it were 2026-08-03T00:00:00Z or @1785715200 [now]")
    static let json = Self(name: "json", help: "as JSON")
    static let pretty = Self(name: "pretty", help: "JSON on several lines")
}

/// The operands of commands that read one thing.
let inputHelp = "INPUT is a file, or - for the standard input, which is the default."
