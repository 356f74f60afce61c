import SealedCookie

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

// Words of others in messages: paths, arguments, names of cookies.

extension String {
    /// Fit for a message: nothing acts on the terminal, and what may be a token or a key is not repeated, which would
    /// then stand in a log or a shell's scrollback.
    var shown: String { escaped.withoutSecrets }

    /// With its length in place of what may be a token, a part of one, or a key in any of its spellings.
    private var withoutSecrets: String {
        // 32 bytes in base64, of which the slash divides names in a path; a path ends with no "=".
        let text = replacing(/[A-Za-z0-9+\/]{43}=/) { Self.hidden($0.output) }
            .replacing(/[A-Za-z0-9+\/]{43,}/) { match in
                let isKey =
                    match.output.count == 43 && !match.output.hasPrefix("/") && match.output.contains("/")
                return isKey && !Self.isInFileName(match.output)
                    ? Self.hidden(match.output) : String(match.output)
            }
        // Base64url, hexadecimal, and base64 without a slash.
        return text.replacing(/[A-Za-z0-9_+=\-]{32,}/) { match in
            Self.maySecret(match.output) ? Self.hidden(match.output) : String(match.output)
            // "sck1_" alone, or with an ellipsis, is how the tool itself explains a key.
        }.replacing(/sck1_[A-Za-z0-9_+=\-]+/) { Self.hidden($0.output) }
    }

    /// Files and folders that are there, of those that the arguments name.
    private static let files: [String] = CommandLine.arguments.dropFirst().compactMap { argument in
        let folder = argument.lastIndex(of: "/").map { String(argument[..<$0]) }
        return [argument, folder ?? ""].first { FileManager.default.fileExists(atPath: $0) }
    }

    /// What a file is called by is no secret: whoever is told sees the folder too.
    private static func isInFileName(_ text: Substring) -> Bool { files.contains { $0.contains(text) } }

    private static func hidden(_ text: Substring) -> String { "…(\(text.count) characters)" }

    /// Names that people give files are in one case, or short; a UUID is no secret.
    private static func maySecret(_ run: Substring) -> Bool {
        let rest = run.replacing(/[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}/, with: "")
        guard rest.count >= 32, !isInFileName(run) else { return false }
        let isMixed = rest.contains(where: \.isUppercase) && rest.contains(where: \.isLowercase)
        return isMixed || rest.allSatisfy(\.isHexDigit)
    }
}
