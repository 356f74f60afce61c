import SealedCookie

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

// Paths, arguments and names of cookies in messages.

extension String {
    /// Safe in a message: no escape sequences for the terminal, and no tokens or keys, which would end up in a log or a
    /// shell's scrollback.
    var shown: String { escaped.withoutSecrets }

    /// With the length in place of anything that may be a token, a part of one, or a key in any spelling.
    private var withoutSecrets: String {
        // 32 bytes in base64. Its "/" also separates names in a path, but a path does not end with "=".
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
            // "sck1_" alone, or with an ellipsis, is in the tool's own messages.
        }.replacing(/sck1_[A-Za-z0-9_+=\-]+/) { Self.hidden($0.output) }
    }

    /// The existing files and folders that the arguments name.
    private static let files: [String] = CommandLine.arguments.dropFirst().compactMap { argument in
        let folder = argument.lastIndex(of: "/").map { String(argument[..<$0]) }
        return [argument, folder ?? ""].first { FileManager.default.fileExists(atPath: $0) }
    }

    /// The name of an existing file is not a secret: whoever can read the message can list the folder.
    private static func isInFileName(_ text: Substring) -> Bool { files.contains { $0.contains(text) } }

    private static func hidden(_ text: Substring) -> String { "…(\(text.count) characters)" }

    /// People's file names are short or in one case. UUIDs are not secrets.
    private static func maySecret(_ run: Substring) -> Bool {
        let rest = run.replacing(/[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}/, with: "")
        guard rest.count >= 32, !isInFileName(run) else { return false }
        let isMixed = rest.contains(where: \.isUppercase) && rest.contains(where: \.isLowercase)
        return isMixed || rest.allSatisfy(\.isHexDigit)
    }
}
