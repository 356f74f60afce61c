import SealedCookie

// train, and the option that passes what it makes.
#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension Command.Option {
    static let dictionary = Self(
        name: "dictionary", value: "FILE", help: "the application's own, made by train [the standard one]")
    fileprivate static let output = Self(
        name: "output", short: "o", value: "FILE", help: "the dictionary's file; an existing one is replaced")
    fileprivate static let size = Self(name: "size", value: "BYTES", help: "at the most [2048]")
}

extension Command {
    static let train = Command(
        name: "train", summary: "Makes a compression dictionary out of sample sessions.", operands: "INPUT …",
        operandCount: 1...Int.max, options: [.output, .size],
        details: """
            An INPUT is a session as JSON, or one session a line; - is the standard input. Take some hundred, of
            all kinds that you have. What at least two of them share may go into the dictionary, which is not
            secret: take samples without names or addresses that several have. Contents of {"$bytes"} and
            {"$secret"} never do.
            """
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
            throw .work("no two sessions have anything in common", hint: "pass more samples, or one a line")
        }
        try write(dictionary, path)
        try Failure.unless {
            let own = try total(sessions, .dictionaries([dictionary]))
            let standard = try total(sessions, .standard)
            Output.note(
                "\(dictionary.bytes.count) bytes from \(sessions.count) sessions; their tokens take \(own) characters on "
                    + "average, with the standard dictionary \(standard)")
        }
    }

    /// In one step: half a dictionary in the old one's place would open nothing that it sealed.
    private static func write(_ dictionary: CompressionDictionary, _ path: String) throws(Failure) {
        do throws(OutputFile.WritingFailure) {
            try OutputFile.write(Array(dictionary.bytes), to: path)
        } catch {
            throw .work("\"\(path)\": cannot be written: \(error.reason)")
        }
    }

    /// The sessions in a file: one, or one a line.
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

    /// Characters of a token, on average.
    private static func total(_ sessions: [EncodedSession], _ compression: SessionCompression) throws -> Int {
        let sealer = try CookieSealer<EncodedSession>(
            keys: KeyRing([]), lifetime: .init(absolute: .days(14)), compression: compression)
        return try sessions.reduce(0) { $0 + (try sealer.sizeReport(for: $1).tokenLength) }
            / max(sessions.count, 1)
    }
}

extension Input {
    /// What --dictionary says.
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
