// Standard output for data, standard error for everything else, and failures.
import SealedCookie

/// Why a command did not succeed.
struct Failure: Error {
    enum Code: Int32 {
        /// Input, output or the key ring.
        case work = 1
        /// `check` found faults.
        case faults = 2
        case refused = 3
        case usage = 64
    }

    let code: Code
    let message: String
    var hint: String?

    static func work(_ message: String, hint: String? = nil) -> Failure {
        Failure(code: .work, message: message, hint: hint)
    }
    fileprivate static func lostOutput(_ failure: StandardStreams.StreamFailure, done: String?) -> Failure {
        .work("\(done.map { "\($0), but " } ?? "")the standard output cannot be written: \(failure.reason)")
    }
    static func found(_ message: String) -> Failure {
        Failure(code: .faults, message: message)
    }
    static func refused(_ message: String, hint: String? = nil) -> Failure {
        Failure(code: .refused, message: message, hint: hint)
    }
    static func usage(_ message: String, hint: String?) -> Failure {
        Failure(code: .usage, message: message, hint: hint)
    }
}

enum Output {
    enum Style: String {
        case bold = "1"
        case dim = "2"
        case red = "31"
        case green = "32"
        case yellow = "33"
        case cyan = "36"
    }

    /// A line of data.
    ///
    /// If the reader is gone, as in `… | head -1`, SIGPIPE ends the tool without a message, like other tools. If that
    /// signal is ignored, it is an error like a full disk.
    ///
    /// - Parameter done: what the command has already changed, for the message if the output is lost.
    static func data(_ text: String, done: String? = nil) throws(Failure) {
        do throws(StandardStreams.StreamFailure) {
            try StandardStreams.write(text + "\n", to: .output)
        } catch {
            throw .lostOutput(error, done: done)
        }
    }

    /// A line of secret data. It is not copied into a String.
    static func secret(_ bytes: Span<UInt8>) throws(Failure) {
        do throws(StandardStreams.StreamFailure) {
            try StandardStreams.write(bytes, to: .output)
            try StandardStreams.write("\n", to: .output)
        } catch {
            throw .lostOutput(error, done: nil)
        }
    }

    /// Ends the output.
    static func close() throws(Failure) {
        do throws(StandardStreams.StreamFailure) {
            try StandardStreams.closeOutput()
        } catch {
            throw .lostOutput(error, done: "the command has done its work")
        }
    }

    /// A line for the user. If it cannot be written, there is nowhere to report that.
    static func note(_ text: String) { line(text.shown) }

    static func warn(_ text: String, hint: String?) {
        line("\(Tool.name): \(styled("warning:", .yellow, on: .error)) \(text.shown)")
        if let hint { note("hint: \(hint)") }
    }

    static func complain(_ failure: Failure) {
        line("\(Tool.name): \(styled(failure.message.shown, .red, on: .error))")
        if let hint = failure.hint { note("hint: \(hint)") }
    }

    /// - Parameter text: already safe to show.
    private static func line(_ text: String) {
        try? StandardStreams.write(text + "\n", to: .error)
    }

    /// Color only on a terminal, and not if NO_COLOR is set.
    static func styled(_ text: String, _ style: Style, on stream: StandardStreams.Stream) -> String {
        let plain =
            !StandardStreams.isTerminal(stream) || StandardStreams.environment("TERM") == "dumb"
            || StandardStreams.environment("NO_COLOR").map { !$0.isEmpty } ?? false
        return plain ? text : "\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m"
    }

    /// Whether the locale can show block characters.
    static var isUnicode: Bool {
        for name in ["LC_ALL", "LC_CTYPE", "LANG"] {
            guard let value = StandardStreams.environment(name), !value.isEmpty else { continue }
            let locale = value.lowercased()
            return locale.contains("utf-8") || locale.contains("utf8")
        }
        return false
    }

    /// The width of the output: COLUMNS, or the terminal's; 80 without either.
    static var columns: Int {
        let said = StandardStreams.environment("COLUMNS").flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil }
        return said ?? StandardStreams.terminalColumns(.output) ?? 80
    }

    /// A bar of up to `width` characters for `value` of `largest`.
    static func bar(_ value: Int, of largest: Int, width: Int) -> String {
        guard largest > 0, value > 0, width > 0 else { return "" }
        guard isUnicode else { return String(repeating: "#", count: max(1, value * width / largest)) }
        let eighths = max(1, value * width * 8 / largest)
        let rest = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8]
        return String(repeating: "█", count: eighths / 8) + rest
    }
}
