import SealedCookie

// What commands read: sessions, tokens, key rings, times and spans.
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
            let isText = path.map { $0.utf8.count > 60 || $0.hasPrefix("{") } ?? false
            throw .work(
                "\(path.map { "\"\($0)\"" } ?? "standard input"): \(error.reason)",
                hint: isText ? "INPUT is a file's name; pass the text itself by the standard input" : nil)
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

    /// The key ring of `-k`.
    static func ring(_ path: String) throws(Failure) -> KeyRing {
        let loaded = try Failure.unless { try KeyRing.load(path) }
        if loaded.isOpenToOthers {
            Output.warn(
                "key ring \"\(path)\" is open to others than its owner", hint: "chmod 600 \(path)")
        }
        return loaded.ring
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
        guard let unit = text.last.flatMap({ units[$0] }), let count = Int(text.dropLast()), count > 0,
            count <= Int(UInt32.max) / unit
        else {
            throw .usage("\"\(text)\" is not a span of time", hint: "a number and s, m, h or d, such as 14d")
        }
        return .seconds(count * unit)
    }

    /// What --split says; `limit` cookies where it says nothing.
    static func splitting(_ arguments: Arguments, orElse limit: Int = 1) throws(Failure) -> CookieSplitting {
        guard let text = arguments.value(.split) else { return .upTo(limit) }
        guard let count = Int(text), (1...9).contains(count) else {
            throw .usage("\"\(text)\" is not a number of cookies", hint: "2 to 9, or 1 for no splitting")
        }
        return .upTo(count)
    }

    /// A token out of whatever form somebody copied it in.
    static func token(_ arguments: Arguments) throws(Failure) -> TokenText {
        let bytes = try read(arguments, awaiting: "a token or a cookie")
        return TokenText(String(decoding: bytes, as: UTF8.self))
    }
}

/// A bare token, or a header that has it among other cookies.
enum TokenText {
    case bare(String)
    case header(String)

    init(_ input: String) {
        // Several lines: the headers of one response or request, or a split session's cookies.
        var isField = false
        let lines = input.split(whereSeparator: \.isNewline).map { line in
            var text = line.drop(while: \.isWhitespace)
            while text.last?.isWhitespace == true { text.removeLast() }
            for field in ["set-cookie:", "cookie:"] where text.lowercased().hasPrefix(field) {
                isField = true
                return text.dropFirst(field.count)
            }
            return text
        }.filter { !$0.isEmpty }
        let text = lines.joined(separator: "; ")
        guard !isField else {
            self = .header(text)
            return
        }
        // A token has no "=": what has one is a cookie. At its end it is base64's padding.
        let isHeader = text.contains(";") || text.reversed().drop { $0 == "=" }.contains("=")
        self = isHeader ? .header(text) : .bare(text)
    }

    /// The names in a header, for a message. What is too long for a name may be a token.
    static func names(in header: String) -> [String] {
        header.split(separator: ";").compactMap { pair in
            pair.firstIndex(of: "=").map { pair[..<$0].filter { !$0.isWhitespace } }
        }.filter { $0.utf8.count < 60 }.map(\.printable)
    }

    /// The token in the cookie `name`, put together where it is split, or the bare token.
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

    /// A bare token, which the first of several cookies is not.
    static func whole(_ token: String) throws(Failure) -> String {
        guard let count = CookieSplitting.count(token.utf8.span) else { return token }
        throw .refused("the first of \(count) cookies of one token", hint: "pass the whole Cookie header")
    }

    private static func value(_ name: String, in header: String) -> String? {
        for pair in header.split(separator: ";") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, parts[0].filter({ !$0.isWhitespace }) == name else { continue }
            return parts[1].filter { !$0.isWhitespace && $0 != "\"" }
        }
        return nil
    }
}

extension Failure {
    static func noCookie(_ name: String, in header: String) -> Failure {
        let names = TokenText.names(in: header)
        return .refused(
            "no cookie \(name) in the input",
            hint: names.isEmpty
                ? "pass its name with -n" : "found \(names.joined(separator: ", ")); pass a name with -n")
    }

    init(_ error: KeyRingError) {
        let hint: String? =
            switch error.problem {
            case .unreadable: "\(Tool.name) keygen RING makes a key ring"
            case .unwritable, .noKeys, .noLines, .cryptographyFailed: nil
            case .byteOrderMark: "save it as UTF-8 without a byte order mark"
            case .carriageReturn: "save it with LF or CRLF as line ends"
            case .lostLineBreaks, .commentInOneLine: "such as \"not-before TIME; revoked ID; key ID sck1_…\""
            case .revoked: "revoked is for good: import another key"
            case .locked: "a rotation that hangs? find it with: fuser RING"
            case .exists: "\(Tool.name) keygen never overwrites a key ring; choose another name"
            case .notUTF8, .unknownLine:
                "a line is \"key ID from=TIME until=TIME sck1_…\", \"revoked ID\", \"not-before TIME\" or a comment"
            case .notAKey: "a key is sck1_ and 43 characters; was the line cut or wrapped?"
            case .notAKeyID: "six digits of 0-9 and a-f"
            case .notATime: "such as 2026-08-03T00:00:00Z"
            case .mislabelled: "the line was changed: restore it from another copy of the ring"
            case .idCollision: "remove the newer of the two and generate another"
            }
        self = .work("\(error)", hint: hint)
    }

    init(_ error: SealError) {
        let hint: String? =
            switch error {
            case .noActiveKey: "\(Tool.name) keys RING shows when each key begins to seal"
            case .tooLarge:
                "keep less in the session: \(Tool.name) size shows what each field costs; or pass --split"
            case .timeOutOfRange: "choose another --at"
            case .endedBefore: "the ring's not-before is in the future, or this clock is wrong"
            case .notEncodable, .expired, .revokedKey, .anotherCookie, .libraryFailed: nil
            }
        self = .work("\(error)", hint: hint)
    }

    init(_ error: OpenError) {
        let hint: String? =
            switch error {
            case .tooLong, .notBase64URL, .tooShort: "was it copied whole, and nothing else with it?"
            case .tooManyParts: "pass --split with as many cookies as the server allows"
            case .missingPart: "pass the whole Cookie header"
            case .unknownVersion: "a token of this version begins with S"
            case .unknownKey:
                "\(Tool.name) keys RING lists the ring's keys; was the token sealed with another ring?"
            case .revokedKey: "the session was sealed with a key that has been withdrawn"
            case .notAuthentic: "check the cookie's name (-n) and --purpose; else it was changed"
            case .malformedPayload: "it was sealed by another version of the format"
            case .unknownDictionary: "pass the application's dictionary with --dictionary"
            case .inFuture: "compare the servers' clocks; --at opens it as of another time"
            case .expired: "--absolute, --idle and --at say by which policy; 14d absolute unless you do"
            case .endedBefore: "the ring's not-before ended it"
            case .sessionMismatch, .libraryFailed: nil
            }
        self = .refused("refused: \(error)", hint: hint)
    }

    init(_ error: CookieConfigurationError) {
        self = .usage("\(error)", hint: "--name is the cookie's name")
    }

    /// Runs the library's work and puts what it throws into the tool's words.
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
        } catch let error as CookieConfigurationError {
            throw Failure(error)
        } catch {
            throw .work("\(error)")
        }
    }
}
