import SealedCookie

// train, and the option that takes the dictionary it makes.
#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension Command.Option {
    static let dictionary = Self(
        name: "dictionary", value: "FILE", completes: .files,
        help: "the application's own dictionary, made by train", otherwise: "the standard one")
    fileprivate static let output = Self(
        name: "output", short: "o", value: "FILE", completes: .files,
        help: "the dictionary's file; an existing one is replaced")
    fileprivate static let size = Self(
        name: "size", value: "BYTES", help: "bytes of the dictionary, at most", otherwise: "2048")
}

extension Command {
    static let train = Command(
        name: "train", summary: "Makes a compression dictionary from sample sessions.",
        operands: "INPUT …", operandCount: 1...Int.max, options: [.output, .size],
        details: [
            """
            An INPUT is a session as JSON, or one session a line; - is standard input. Pass a few hundred \
            sessions of every kind that you have.
            """,
            """
            The dictionary is not secret. Whatever two samples share may go into it, so leave out names and \
            addresses that several samples share. The contents of {"$bytes"} and {"$secret"} never go into it.
            """,
        ],
        examples: [
            Example("From one session a line", "sealed-cookie train -o shop.dictionary samples.jsonl"),
            Example(
                "What it saves for one session",
                "sealed-cookie size --dictionary shop.dictionary session.json"),
        ]
    ) { (arguments) throws(Failure) in
        let path = try arguments.required(.output)
        guard let size = Int(arguments.value(.size) ?? "2048"),
            (64...CompressionDictionary.maximumByteCount).contains(size)
        else {
            throw .usage("--size is 64 to \(CompressionDictionary.maximumByteCount)", hint: nil)
        }
        var sessions: [EncodedSession] = []
        for path in arguments.operands { sessions += try samples(path) }
        let dictionary = try Failure.unless { try EncodedSession.trainedDictionary(on: sessions, size: size) }
        guard let dictionary else {
            throw .work(
                "no two sessions have anything in common", hint: "pass more samples, or one sample a line")
        }
        try write(dictionary, path)
        try Failure.unless {
            let own = try total(sessions, .dictionaries([dictionary]))
            let standard = try total(sessions, .standard)
            Output.note(
                "\(dictionary.bytes.count) bytes from \(sessions.count) sessions; their tokens have \(own) characters on "
                    + "average, and \(standard) with the standard dictionary")
        }
    }

    /// Replaces the file in one step: a half-written dictionary would open nothing that the old one sealed.
    private static func write(_ dictionary: CompressionDictionary, _ path: String) throws(Failure) {
        do throws(OutputFile.WritingFailure) {
            try OutputFile.write(Array(dictionary.bytes), to: path)
        } catch {
            throw .work("\"\(path)\": cannot be written: \(error.reason)")
        }
    }

    /// The sessions in a file: a single one, or one a line.
    private static func samples(_ path: String) throws(Failure) -> [EncodedSession] {
        let bytes: [UInt8]
        do throws(StandardStreams.StreamFailure) {
            bytes = try StandardStreams.read(path == "-" ? nil : path, limit: 64 * 1_048_576)
        } catch {
            throw .work("\"\(path)\": \(error.reason)")
        }
        if let one = try? CBORJSON(parsing: Data(bytes)) {
            return [try Failure.unless { try EncodedSession(one.value) }]
        }
        let lines = bytes.split(separator: UInt8(ascii: "\n"))
        var sessions: [EncodedSession] = []
        for (number, line) in lines.enumerated() {
            let value: CBORValue
            do throws(CBORJSONFailure) {
                value = try CBORJSON(parsing: Data(line)).value
            } catch {
                throw .work("\"\(path)\", line \(number + 1): \(error.problem)", hint: error.detail)
            }
            sessions.append(try Failure.unless { try EncodedSession(value) })
        }
        return sessions
    }

    /// The average length of a token, in characters.
    private static func total(_ sessions: [EncodedSession], _ compression: SessionCompression) throws -> Int {
        let sealer = try CookieSealer<EncodedSession>(
            keys: KeyRing([]), lifetime: .init(absolute: .days(14)), compression: compression)
        return try sessions.reduce(0) { $0 + (try sealer.sizeReport(for: $1).tokenLength) }
            / max(sessions.count, 1)
    }
}

extension Input {
    /// The compression that --dictionary asks for.
    static func compression(_ arguments: Arguments) throws(Failure) -> SessionCompression {
        guard let path = arguments.value(.dictionary) else { return .standard }
        let bytes: [UInt8]
        do throws(StandardStreams.StreamFailure) {
            bytes = try StandardStreams.read(path, limit: CompressionDictionary.maximumByteCount + 1)
        } catch {
            throw .work("\"\(path)\": \(error.reason)")
        }
        return .dictionaries([try Failure.unless { try CompressionDictionary(bytes) }])
    }
}
