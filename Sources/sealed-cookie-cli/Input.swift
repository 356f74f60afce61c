import SealedCookie

// What the commands read: sessions, tokens, key rings, times and spans.
#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

enum Input {
    private static let limit = 1_048_576

    /// The text of the command's INPUT.
    static func read(_ arguments: Arguments, awaiting what: String) throws(Failure) -> [UInt8] {
        let operand = arguments.operands.first ?? "-"
        let path = operand == "-" ? nil : operand
        if path == nil, StandardStreams.inputIsTerminal {
            Output.note("\(Tool.name): reading \(what) from the terminal; end it with Control-D")
        }
        do throws(StandardStreams.StreamFailure) {
            return try StandardStreams.read(path, limit: limit)
        } catch {
            guard let path else { throw .work("standard input: \(error.reason)") }
            // The operand may be the text itself instead of a file's name. A token must not be repeated in a message.
            if path.utf8.count > 60 || path.contains(where: { "{=;\"".contains($0) }) {
                throw .work(
                    "INPUT, of \(path.count) characters: \(error.reason)",
                    hint: "INPUT is a file's name; pass the text itself on standard input")
            }
            throw .work("\"\(path)\": \(error.reason)")
        }
    }

    /// A session as JSON.
    static func session(_ arguments: Arguments) throws(Failure) -> CBORValue {
        let bytes = try read(arguments, awaiting: "a session as JSON")
        do throws(CBORJSONFailure) {
            return try CBORJSON(parsing: Data(bytes)).value
        } catch {
            let place = error.path.isEmpty ? "" : " at .\(error.path.joined(separator: "."))"
            throw .work("input: \(error.problem)\(place)", hint: error.detail)
        }
    }

    /// The key ring of `-k` or RING, for commands that only read it.
    ///
    /// - Parameter forAnother: see `KeyRing.load`.
    static func ring(_ path: String, forAnother: Bool = false) throws(Failure) -> KeyRing {
        let loaded = try load(path, forAnother: forAnother)
        if loaded.isOpenToOthers {
            Output.warn(
                "users other than its owner can access key ring \"\(path)\"", hint: "chmod 600 \(path)")
        }
        return loaded.ring
    }

    /// A ring that can seal and open. Like a server this refuses a ring without keys.
    static func usableRing(_ arguments: Arguments) throws(Failure) -> KeyRing {
        let path = try arguments.required(.ring)
        guard openNumber(path) != 0 || (arguments.operands.first ?? "-") != "-" else {
            throw .usage(
                "the key ring and INPUT are both standard input", hint: "one of them must be a file")
        }
        let ring = try ring(path)
        guard !ring.keys.isEmpty else { throw Failure.noKeys(path) }
        return ring
    }

    /// A ring, with what else was found in its file.
    static func load(_ path: String, forAnother: Bool = false) throws(Failure) -> KeyRing.Loaded {
        try Failure.unless {
            guard let number = openNumber(path) else { return try KeyRing.load(path, forAnother: forAnother) }
            return try KeyRing.load(descriptor: number, source: path == "-" ? "standard input" : path)
        }
    }

    /// The descriptor that a path names: standard input, or a shell's `<(…)`.
    static func openNumber(_ path: String) -> Int32? {
        if ["-", "/dev/stdin"].contains(path) { return 0 }
        for folder in ["/dev/fd/", "/proc/self/fd/"] where path.hasPrefix(folder) {
            return Int32(path.dropFirst(folder.count)).flatMap { $0 >= 0 ? $0 : nil }
        }
        return nil
    }

    static func time(_ arguments: Arguments) throws(Failure) -> Date {
        try arguments.value(.at).map(time) ?? .now
    }

    /// A time such as 2026-08-03T00:00:00Z or @1785715200.
    static func time(_ text: String) throws(Failure) -> Date {
        let seconds = text.hasPrefix("@") ? Int64(text.dropFirst()) : Timestamp.seconds(text)
        guard let seconds, Timestamp.text(secondsSince1970: seconds) != nil else {
            throw .usage(
                "\"\(text)\" is not a time",
                hint: "such as 2026-08-03T00:00:00Z, or @1785715200 for Unix seconds")
        }
        return Date(timeIntervalSince1970: Double(seconds))
    }

    /// A span such as `14d`, `12h`, `15m` or `90s`.
    static func span(_ text: String) throws(Failure) -> SessionLifetime.Span {
        let units: [Character: Int] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
        guard let unit = text.last.flatMap({ units[$0] }), let count = Int(text.dropLast()), count > 0 else {
            throw .usage("\"\(text)\" is not a span of time", hint: "a number and s, m, h or d, such as 14d")
        }
        guard count <= Int(UInt32.max) / unit else {
            throw .usage(
                "\"\(text)\" is too long a span of time", hint: "at most \(Int(UInt32.max) / 86_400)d")
        }
        return .seconds(count * unit)
    }

    /// The splitting that --split asks for; up to `limit` cookies without it.
    static func splitting(_ arguments: Arguments, orElse limit: Int = 1) throws(Failure) -> CookieSplitting {
        guard let text = arguments.value(.split) else { return .upTo(limit) }
        guard let count = Int(text), (1...9).contains(count) else {
            throw .usage("\"\(text)\" is not a number of cookies", hint: "2 to 9, or 1 for no splitting")
        }
        return .upTo(count)
    }

    /// Permission bits in octal, such as `640` or `0440`.
    static func mode(_ text: String) throws(Failure) -> UInt32 {
        guard (3...4).contains(text.utf8.count), let mode = UInt32(text, radix: 8), text.first != "+",
            mode <= 0o7777
        else {
            throw .usage("\"\(text)\" is not a mode", hint: "three or four octal digits, such as 640 or 0440")
        }
        return mode
    }

    /// A key id. Upper case is accepted.
    static func keyID(_ text: String) throws(Failure) -> KeyID {
        guard let id = KeyID(text.lowercased()) else {
            throw .usage("\"\(text)\" is not a key id", hint: "six digits of 0-9 and a-f, such as 5f3a9c")
        }
        return id
    }

    /// A token in any form that people copy.
    static func token(_ arguments: Arguments) throws(Failure) -> TokenText {
        TokenText(try read(arguments, awaiting: "a token or a cookie"))
    }
}

/// A bare token, or a header that contains it among other cookies.
///
/// Blanks and tabs around names and values are ignored. Other white space is not, as on a server (FORMAT §11). A line
/// end at the end of the input is the file's.
enum TokenText {
    case bare(String)
    case header(String)

    init(_ input: [UInt8]) {
        var text = input[...]
        if text.last == .lineFeed {
            text.removeLast()
            if text.last == .carriageReturn { text.removeLast() }
        }
        let lines = text.split(separator: .lineFeed, omittingEmptySubsequences: false).map { line in
            line.last == .carriageReturn ? line.dropLast() : line
        }
        // The cookie headers among those of a request or response.
        let fields = lines.compactMap(Self.cookieField)
        if !fields.isEmpty {
            self = .header(Self.text(fields.joined(separator: Array("; ".utf8))))
        } else if lines.count > 1, lines.allSatisfy(Self.isPair) {
            // A split session's cookies, as `seal` prints them.
            self = .header(Self.text(lines.joined(separator: Array("; ".utf8))))
        } else {
            let trimmed = Self.trimmed(text)
            // A token has no "=", so text with one is a cookie, unless it is padding at the end.
            let isHeader =
                trimmed.contains(UInt8(ascii: ";"))
                || trimmed.reversed().drop { $0 == UInt8(ascii: "=") }.contains(UInt8(ascii: "="))
            self = isHeader ? .header(Self.text(trimmed)) : .bare(Self.text(Self.unquoted(trimmed)))
        }
    }

    private static func text(_ bytes: some Sequence<UInt8>) -> String {
        String(decoding: Array(bytes), as: UTF8.self)
    }

    /// The value of a `Cookie` or `Set-Cookie` line; nil for other lines.
    private static func cookieField(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        let line = line.drop { $0.isBlank }
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")),
            ["cookie", "set-cookie"].contains(text(line[..<colon]).lowercased())
        else { return nil }
        return line[(colon + 1)...]
    }

    /// Whether a line is one whole cookie, not part of a wrapped header.
    private static func isPair(_ line: ArraySlice<UInt8>) -> Bool {
        guard let equals = line.firstIndex(of: UInt8(ascii: "=")) else { return false }
        return equals > line.startIndex && !line.contains(UInt8(ascii: ";"))
            && line[..<equals].allSatisfy { (0x21...0x7E).contains($0) }
    }

    private static func trimmed(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var text = text.drop { $0.isBlank }
        while text.last?.isBlank == true { text.removeLast() }
        return text
    }

    private static func unquoted(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let quote = UInt8(ascii: "\"")
        return text.count >= 2 && text.first == quote && text.last == quote
            ? text.dropFirst().dropLast() : text
    }

    /// The names in a header, for a message. Long ones are left out: they may be tokens.
    static func names(in header: String) -> [String] {
        header.utf8.split(separator: UInt8(ascii: ";")).compactMap { pair in
            pair.firstIndex(of: UInt8(ascii: "=")).map { text(trimmed(ArraySlice(pair[..<$0]))) }
        }.filter { $0.utf8.count < 60 }.map(\.printable)
    }

    /// The token in the cookie `name`, joined if it is split, or the bare token.
    func value(_ name: String) throws(Failure) -> String {
        switch self {
        case .bare(let token): return try Self.whole(token)
        case .header(let header):
            guard let first = Self.value(name, in: header) else { throw .noCookie(name, in: header) }
            guard let count = CookieSplitting.count(first.utf8.span) else { return first }
            var token = String(first.dropFirst(2))
            for part in 1..<count {
                guard let next = Self.value("\(name).\(part)", in: header) else {
                    throw Failure(OpenError.missingPart(part, of: count))
                }
                token += next
            }
            return token
        }
    }

    /// The bare token. The first of several cookies is refused.
    static func whole(_ token: String) throws(Failure) -> String {
        guard let count = CookieSplitting.count(token.utf8.span) else { return token }
        throw .refused("the first of \(count) cookies of one token", hint: "pass the whole Cookie header")
    }

    /// The first value of the cookie `name`, by FORMAT §11.
    private static func value(_ name: String, in header: String) -> String? {
        for pair in header.utf8.split(separator: UInt8(ascii: ";")) {
            guard let equals = pair.firstIndex(of: UInt8(ascii: "=")),
                trimmed(ArraySlice(pair[..<equals])).elementsEqual(name.utf8)
            else { continue }
            return text(unquoted(trimmed(ArraySlice(pair[equals...].dropFirst()))))
        }
        return nil
    }
}

extension UInt8 {
    fileprivate static let lineFeed = UInt8(ascii: "\n")
    fileprivate static let carriageReturn = UInt8(ascii: "\r")
    fileprivate var isBlank: Bool { self == 0x20 || self == 0x09 }
}

extension Failure {
    /// For a ring without keys, for example after its only key was revoked.
    static func noKeys(_ path: String) -> Failure {
        .work(
            "key ring \"\(path)\": contains no key: nothing can be sealed or opened",
            hint: "\(Tool.name) rotate --from now \(path) adds one")
    }

    private static func hint(unreadable reason: String) -> String? {
        switch reason {
        case "No such file or directory": "\(Tool.name) keygen RING makes a key ring"
        case "Permission denied": "run this as the ring's owner, or give yourself access to its folder"
        case "Is a directory": "RING is a file; name the one in this folder"
        case "not a regular file":
            "RING is a regular file; commands that only read it accept - for standard input"
        case "Stale file handle":
            "the file was replaced where it was mounted from: mount its folder, not the file"
        case let reason where reason.hasPrefix("a symbolic link"):
            "name the file itself, if you trust its folder"
        default: nil
        }
    }

    private static func hint(unwritable reason: String) -> String? {
        switch reason {
        case let reason where reason.hasSuffix("another user"):
            "name the file itself, if you trust its folder"
        case let reason where reason.hasSuffix("does not belong to its owner"):
            "remove it, or move the ring to a folder that only its owner can write to"
        case let reason where reason.hasSuffix("Permission denied"):
            "a change creates a file next to the ring: its folder must be writable"
        case let reason where reason.hasSuffix("Operation not permitted"):
            "run this as the ring's owner, who must be in the ring's group, or as root"
        case let reason where reason.hasSuffix("busy"):
            "the file is mounted by itself: mount its folder, or change the ring where it is mounted from"
        case let reason where reason.hasSuffix("meanwhile"):
            "check who can write to its folder, then run this again"
        default: nil
        }
    }

    static func noCookie(_ name: String, in header: String) -> Failure {
        let names = TokenText.names(in: header)
        return .refused(
            "no cookie \(name) in the input",
            hint: names.isEmpty
                ? "pass its name with -n" : "found \(names.joined(separator: ", ")); pass its name with -n")
    }

    init(_ error: KeyRingError) {
        let hint: String? =
            switch error.problem {
            case .unreadable(let reason): Self.hint(unreadable: reason)
            case .unwritable(let reason): Self.hint(unwritable: reason)
            case .noKeys: "\(Tool.name) rotate --from now RING adds a key"
            case .noLines, .libraryFailed: nil
            case .detached: "in a container mount the ring's folder, not the file"
            case .byteOrderMark: "save it as UTF-8 without a byte order mark"
            case .carriageReturn: "save it with LF or CRLF line ends"
            case .lostLineBreaks, .commentInOneLine, .emptyLines:
                "on one line a ring is written \"not-before TIME; revoked ID; key ID sck1_…\""
            case .revokedKey: "a revoked key stays revoked: import another key"
            case .locked: "is another change stuck? find it with: fuser -v .RING.lock, in the ring's folder"
            case .alreadyExists: "\(Tool.name) keygen never overwrites a key ring; choose another name"
            case .notUTF8, .unknownLine:
                "a line is \"key ID from=TIME until=TIME sck1_…\", \"revoked ID\", \"not-before TIME\" or a comment"
            case .notAKey: "a key is sck1_ and 43 characters; was the line cut or wrapped?"
            case .notAKeyID: "six digits of 0-9 and a-f"
            case .notATime: "such as 2026-08-03T00:00:00Z"
            case .mislabelled: "the line was changed: restore it from another copy of the ring"
            case .idCollision: "remove the newer of the two and generate another"
            }
        // An imported key is not in a line of a file.
        let isImport = error.problem == .notAKey && error.line == nil
        self = .work(
            isImport ? "\(error.source): not a key" : "\(error)",
            hint: isImport
                ? "a key is 32 random bytes: 43 or 44 characters of base64, or 64 hexadecimal digits" : hint)
    }

    init(_ error: SealError) {
        let hint: String? =
            switch error {
            case .noActiveKey: "\(Tool.name) keys RING shows when each key begins to seal"
            case .tooLarge:
                "keep less in the session: \(Tool.name) size shows what each field costs; --split allows more cookies"
            case .timeOutOfRange: "choose another --at"
            case .endedBefore: "the ring's not-before is in the future, or this clock is wrong"
            case .itemTooLarge, .notEncodable, .expired, .revokedKey, .anotherCookie, .foreignKey,
                .libraryFailed:
                nil
            }
        self = .work("\(error)", hint: hint)
    }

    init(_ error: OpenError) {
        let hint: String? =
            switch error {
            case .tooLong: "is there something else with it? --token-limit is for longer tokens"
            case .notBase64URL, .tooShort: "was it copied completely, and nothing else with it?"
            case .tooManyCookies: "pass --split with as many cookies as the server allows"
            case .missingPart: "pass the whole Cookie header"
            case .unknownVersion: "tokens of this version begin with S"
            case .unknownKey:
                "\(Tool.name) keys RING lists the ring's keys; was the token sealed with another ring?"
            case .revokedKey: "the session was sealed with a key that was revoked later"
            case .notAuthentic:
                "check -n and --purpose; a token that is no cookie needs --token; else it was changed"
            case .malformedPayload: "it was sealed by another version of the format"
            case .unknownDictionary: "pass the application's dictionary with --dictionary"
            case .inFuture: "compare the servers' clocks; --at opens it as of another time"
            case .signedOut: "it replaced the cookie of a session that was signed out"
            case .expired:
                "pass the server's policy with --absolute, --idle and --ceiling; without them it is 14d absolute"
            case .endedBefore: "it began before the ring's not-before: all such sessions have ended"
            case .formerCookie, .sessionMismatch, .libraryFailed: nil
            }
        // A library's failure says nothing about the token.
        self = error.isLibraryFailure ? .work("\(error)") : .refused("refused: \(error)", hint: hint)
    }

    init(_ error: SealerConfigurationError) {
        let hint: String? =
            switch error {
            case .invalidName, .nameTooLong, .hostPrefixNeedsSecure, .hostPrefixForbidsDomain,
                .hostPrefixNeedsRootPath,
                .securePrefixNeedsSecure, .httpPrefixNeedsSecure, .httpPrefixNeedsHTTPOnly:
                "--name is the cookie's name"
            default: nil
            }
        self = .usage("\(error)", hint: hint)
    }

    /// Runs `work` and turns the library's errors into the tool's.
    static func unless<Result>(_ work: () throws -> Result) throws(Failure) -> Result {
        do {
            return try work()
        } catch let failure as Failure {
            throw failure
        } catch let error as KeyRingError {
            throw Failure(error)
        } catch let error as SealError {
            throw Failure(error)
        } catch let error as OpenError {
            throw Failure(error)
        } catch let error as SealerConfigurationError {
            throw Failure(error)
        } catch {
            throw .work("\(error)")
        }
    }
}
