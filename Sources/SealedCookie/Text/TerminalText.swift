// Text that does nothing to the terminal or the log that shows it.

package enum TerminalJSON {
    /// The same JSON (FORMAT §8), with escapes for what acts on a terminal or a line rather than standing in
    /// it: controls beyond ASCII's, DEL, line and paragraph separators, and marks that turn the direction of
    /// writing. A session's texts are a visitor's.
    ///
    /// - Parameter json: with ASCII's controls escaped already, as JSON demands.
    package static func escaping(_ json: String) -> String {
        guard json.unicodeScalars.contains(where: acts) else { return json }
        var text = String.UnicodeScalarView()
        for scalar in json.unicodeScalars {
            if acts(scalar) {
                // All of them are below U+10000.
                let digits = String(scalar.value, radix: 16)
                text.append(
                    contentsOf: "\\u\(String(repeating: "0", count: 4 - digits.count))\(digits)"
                        .unicodeScalars)
            } else {
                text.append(scalar)
            }
        }
        return String(text)
    }

    private static func acts(_ scalar: Unicode.Scalar) -> Bool {
        guard scalar.value >= 0x7F else { return false }
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: return true
        default: return scalar.properties.isBidiControl
        }
    }
}

extension String {
    /// For a line of a log: control characters escaped, what is beyond 64 characters left out.
    package var printable: String {
        let start = unicodeScalars.prefix(64)
        let text = String(start).escaped
        return start.endIndex == unicodeScalars.endIndex ? text : text + "…"
    }

    /// For a line of a log, whole: control characters escaped. Names of files must not lose their ends.
    package var escaped: String {
        guard unicodeScalars.contains(where: Self.acts) else { return self }
        return unicodeScalars.map { scalar in
            Self.acts(scalar) ? "\\u{\(String(scalar.value, radix: 16))}" : String(scalar)
        }.joined()
    }

    private static func acts(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned: true
        default: false
        }
    }
}
