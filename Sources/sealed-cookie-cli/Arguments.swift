// The arguments of a command, parsed.

struct Arguments {
    private var values: [String: String] = [:]
    private var switches: Set<String> = []
    private(set) var operands: [String] = []

    /// Options are `--name value`, `--name=value` and `-n value`; `--` ends them.
    init(_ words: [String], for command: Command) throws(Failure) {
        let helpHint = "\(Tool.name) \(command.name) --help lists the options"
        var rest = words[...]
        var optionsOver = false
        while let word = rest.popFirst() {
            if optionsOver || word == "-" || !word.hasPrefix("-") {
                operands.append(word)
                continue
            }
            if word == "--" {
                optionsOver = true
                continue
            }
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(
                String.init)
            guard let option = command.known.first(where: { $0.isMeant(by: parts[0]) }) else {
                let known = command.options.map { "--\($0.name)" }
                let nearest = Spelling.nearest(parts[0], among: known)
                throw .usage(
                    "\(command.name) has no option \(parts[0])",
                    hint: nearest.map { "did you mean \($0)?" } ?? helpHint)
            }
            guard option.value != nil else {
                guard parts.count == 1 else {
                    throw .usage("--\(option.name) takes no value", hint: helpHint)
                }
                switches.insert(option.name)
                continue
            }
            guard let value = parts.count == 2 ? parts[1] : rest.popFirst() else {
                throw .usage("--\(option.name) needs a value", hint: helpHint)
            }
            guard values.updateValue(value, forKey: option.name) == nil else {
                throw .usage("--\(option.name) is given twice", hint: nil)
            }
        }
        if command.takesRing {
            // Other commands take the ring as an option, so people type it here too.
            if let ring = values[Command.Option.ring.name] { operands.insert(ring, at: 0) }
            guard operands.first != "-" || command.readsRing else {
                throw .usage(
                    "\(command.name) needs a file; \"-\" is standard input",
                    hint: "for a file of that name write ./-")
            }
        }
        guard command.operandCount.contains(operands.count) else {
            throw .usage(
                operands.count < command.operandCount.lowerBound
                    ? "\(command.name) needs \(command.operands)"
                    : "\(command.name) does not take \"\(operands.last ?? "")\"", hint: helpHint)
        }
    }

    func value(_ option: Command.Option) -> String? { values[option.name] }
    func has(_ option: Command.Option) -> Bool { switches.contains(option.name) }

    func required(_ option: Command.Option) throws(Failure) -> String {
        guard let value = value(option) else {
            let short = option.short.map { "-\($0) or " } ?? ""
            throw .usage("\(short)--\(option.name) is missing", hint: option.help)
        }
        return value
    }
}

extension Command {
    /// Whether its first operand is a key ring.
    fileprivate var takesRing: Bool { operands.hasPrefix("RING") }
    fileprivate var known: [Option] { takesRing ? options + [.ring] : options }
}

extension Command.Option {
    fileprivate func isMeant(by word: String) -> Bool {
        word == "--\(name)" || short.map { word == "-\($0)" } ?? false
    }
}

/// Suggestions for misspelled words.
enum Spelling {
    /// The candidate at the smallest distance, which is 2 at most.
    static func nearest(_ word: String, among candidates: [String]) -> String? {
        candidates.map { (candidate: $0, distance: distance(Array(word), Array($0))) }
            .filter { $0.distance <= 2 }
            .min { $0.distance < $1.distance }?.candidate
    }

    /// Levenshtein distance.
    private static func distance(_ a: [Character], _ b: [Character]) -> Int {
        var row = Array(0...b.count)
        for i in 0..<a.count {
            var diagonal = row[0]
            row[0] = i + 1
            for j in 0..<b.count {
                let change = diagonal + (a[i] == b[j] ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(change, diagonal + 1, row[j] + 1)
            }
        }
        return row[b.count]
    }
}
