// Text that cannot affect the terminal or the log that shows it.

package enum TerminalJSON {
    /// The same JSON (FORMAT §8), with escapes for everything that would affect a terminal or a line
    /// instead of being shown. That is controls beyond ASCII's, DEL, line and paragraph separators, and marks that change
    /// the direction of writing. Visitors may choose a session's texts.
    ///
    /// - Parameter json: JSON text, which already has ASCII's controls escaped, as JSON requires.
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
    /// For a log line: control characters are escaped, and characters after the 64th are left out.
    package var printable: String {
        let start = unicodeScalars.prefix(64)
        let text = String(start).escaped
        return start.endIndex == unicodeScalars.endIndex ? text : text + "…"
    }

    /// For a log line, in full: control characters are escaped. File names must not lose their ends.
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
