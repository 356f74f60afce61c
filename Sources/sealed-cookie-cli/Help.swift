// The help, in at most 80 columns.

extension Command {
    var help: String {
        var parts = [Help.wrapped(summary), "usage: \(usage)"]
        if !options.isEmpty {
            parts.append(
                "Options:\n" + Help.table(options.map { Paragraph.Row(term: $0.left, text: $0.words) }))
        }
        parts += details.map(Help.paragraph)
        if !examples.isEmpty {
            let lines = examples.map { "\(Help.wrapped("# \($0.does)", indent: 2))\n  \($0.line)" }
            parts.append("Examples:\n" + lines.joined(separator: "\n"))
        }
        return parts.joined(separator: "\n\n")
    }
}

extension Command.Option {
    /// Both of its names and its value, with those that have no short name set under those that have one.
    fileprivate var left: String {
        "\(short.map { "-\($0), " } ?? "    ")--\(name)\(value.map { " \($0)" } ?? "")"
    }
}

enum Help {
    static let columns = 80

    /// The help of the tool as a whole.
    static var overview: String {
        let groups = Tool.groups.map { group in
            "\(group.title):\n"
                + table(group.commands.map { Paragraph.Row(term: $0.name, text: $0.summary) }, width: 12)
        }
        let exits = "Exit codes:\n" + table(Tool.exitCodes, width: 12)
        return
            ([wrapped(Tool.summary), "usage: \(Tool.name) COMMAND [OPTION …] [OPERAND …]"] + groups
            + [exits] + Tool.notes.map(paragraph)).joined(separator: "\n\n")
    }

    static func paragraph(_ paragraph: Paragraph) -> String {
        switch paragraph {
        case .text(let text): wrapped(text)
        case .list(let rows): table(rows)
        }
    }

    /// Terms and texts in two columns.
    ///
    /// - Parameter width: the first column's; nil: that of the longest term.
    static func table(_ rows: [Paragraph.Row], width: Int? = nil) -> String {
        let width = width ?? rows.map(\.term.count).max() ?? 0
        return rows.map { row in
            wrapped(row.text, first: "  \(pad(row.term, width))  ", indent: width + 4)
        }.joined(separator: "\n")
    }

    /// `text` on lines of at most 80 characters.
    ///
    /// - Parameters:
    ///   - first: what the first line begins with; nil: the indent.
    ///   - indent: blanks at the beginning of each line.
    static func wrapped(_ text: String, first: String? = nil, indent: Int = 0) -> String {
        let margin = String(repeating: " ", count: indent)
        var lines: [String] = []
        var line = first ?? margin
        var isEmpty = true
        for word in text.split(separator: " ") {
            if !isEmpty, line.count + 1 + word.count > columns {
                lines.append(line)
                (line, isEmpty) = (margin, true)
            }
            line += isEmpty ? String(word) : " \(word)"
            isEmpty = false
        }
        return (lines + [line]).joined(separator: "\n")
    }
}
