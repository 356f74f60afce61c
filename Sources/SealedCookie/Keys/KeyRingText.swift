// The key ring as text, one line a key. FORMAT §9.
#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension KeyRing {
    /// Bytes of a ring file at the most: some 10,000 keys.
    static let fileLimit = 1_048_576
    static let secretPrefix = "sck1_"
    private static let header = "# sealed-cookie key ring\n"

    /// Reads the ring file at `path`.
    ///
    /// - Throws: `KeyRingError` with the line, for a file that cannot be read, a line that is not of a
    ///   ring, a secret under another key's id. Nothing is skipped.
    public init(contentsOf path: String) throws(KeyRingError) {
        self = try Self.load(path).ring
    }

    /// The ring file at `path`, and whether others than its owner may read it.
    package static func load(_ path: String) throws(KeyRingError) -> (ring: KeyRing, isReadableByOthers: Bool)
    {
        let file: SecretFile
        do throws(SystemFailure) {
            file = try SecretFile.read(path, limit: fileLimit)
        } catch {
            throw KeyRingError(source: path, line: nil, problem: .unreadable(error.reason))
        }
        return (try KeyRing(parsing: file.bytes, source: path), file.permissions & 0o077 != 0)
    }

    /// Reads a ring from its text, for a ring that is not in a file.
    ///
    /// The text itself stays in memory as long as the caller's string does; prefer a file.
    public init(parsing text: String, source: String = "text") throws(KeyRingError) {
        let bytes = try KeyRingError.unlessItFails(source) { () throws(NativeFailure) in
            try SecretBytes.copy(of: Array(text.utf8).span)
        }
        try self.init(parsing: bytes, source: source)
    }

    init(parsing bytes: borrowing SecretBytes, source: String) throws(KeyRingError) {
        var parser = KeyRingParser(source: source)
        try bytes.withSpan { text throws(KeyRingError) in
            try parser.parse(text)
        }
        try self.init(parser.keys, revoked: parser.revoked, notBefore: parser.notBefore, source: source)
    }

    /// The ring's text, secrets included, in memory that is wiped.
    func fileContents() throws(NativeFailure) -> SecretBytes {
        var text = try SecretBytes(capacity: 4096)
        try text.append(Self.header)
        for key in keys { try key.appendLine(to: &text) }
        for id in revoked.sorted() { try text.append("revoked \(id)\n") }
        if let notBefore { try text.append("not-before \(Timestamp.text(notBefore))\n") }
        return text
    }

    /// Writes the ring to a new file of mode 0600.
    ///
    /// - Throws: `.exists` where there is a file of this name; it is left as it is.
    package func create(at path: String) throws(KeyRingError) {
        let contents = try KeyRingError.unlessItFails(path) { () throws(NativeFailure) in try fileContents() }
        do throws(SystemFailure) {
            try SecretFile.create(path, contents)
        } catch {
            let problem = error.isExisting ? KeyRingError.Problem.exists : .unwritable(error.reason)
            throw KeyRingError(source: path, line: nil, problem: problem)
        }
    }
}

extension SealingKey {
    /// Appends `key <id> [from=<time>] sck1_<secret>`.
    fileprivate func appendLine(to text: inout SecretBytes) throws(NativeFailure) {
        try text.append("key \(id) ")
        if let activeFrom { try text.append("from=\(Timestamp.text(activeFrom)) ") }
        try text.append(KeyRing.secretPrefix)
        // Encoded straight into memory that is wiped: no String of the secret.
        try material.withBytes { bytes throws(NativeFailure) in
            try Base64URL.append(secret: bytes, to: &text)
        }
        try text.append("\n")
    }
}

/// Reads a ring line by line. Secrets are decoded in place and never become a String.
private struct KeyRingParser {
    let source: String
    var keys: [SealingKey] = []
    var revoked: Set<KeyID> = []
    var notBefore: Date?
    private var line = 0

    init(source: String) {
        self.source = source
    }

    mutating func parse(_ text: Span<UInt8>) throws(KeyRingError) {
        guard (try? UTF8Span(validating: text)) != nil else {
            throw KeyRingError(source: source, line: nil, problem: .notUTF8)
        }
        var start = 0
        while start < text.count {
            var end = start
            while end < text.count, text[end] != UInt8(ascii: "\n") { end += 1 }
            line += 1
            try parseLine(text, start..<end)
            start = end + 1
        }
    }

    private mutating func parseLine(_ text: Span<UInt8>, _ line: Range<Int>) throws(KeyRingError) {
        let fields = Self.fields(text, line)
        guard let first = fields.first, text[first.lowerBound] != UInt8(ascii: "#") else { return }
        switch (word(text, first), fields.count) {
        case ("key", 3): try parseKey(text, id: fields[1], from: nil, secret: fields[2])
        case ("key", 4): try parseKey(text, id: fields[1], from: fields[2], secret: fields[3])
        case ("revoked", 2): revoked.insert(try keyID(text, fields[1]))
        case ("not-before", 2):
            let time = try time(word(text, fields[1]))
            // Of two, the stricter: the later.
            notBefore = max(notBefore ?? time, time)
        default: throw failure(.unknownLine)
        }
    }

    private mutating func parseKey(
        _ text: Span<UInt8>, id: Range<Int>, from: Range<Int>?, secret: Range<Int>
    ) throws(KeyRingError) {
        let label = try keyID(text, id)
        var activeFrom: Date?
        if let from {
            let field = word(text, from)
            guard field.hasPrefix("from=") else { throw failure(.unknownLine) }
            activeFrom = try time(field.dropFirst(5))
        }
        let prefix = Array(KeyRing.secretPrefix.utf8)
        guard secret.count == prefix.count + Base64URL.encodedCount(XAESKey.keyLength),
            prefix.indices.allSatisfy({ text[secret.lowerBound + $0] == prefix[$0] })
        else { throw failure(.notAKey) }
        let characters = text.extracting(secret.dropFirst(prefix.count))
        let key = try KeyRingError.unlessItFails(source, line: line) {
            () throws(NativeFailure) -> SealingKey? in
            guard let bytes = try Base64URL.decodeSecret(characters) else { return nil }
            return try SealingKey(material: XAESKey(bytes), activeFrom: activeFrom)
        }
        guard let key else { throw failure(.notAKey) }
        guard key.id == label else { throw failure(.mislabelled(label)) }
        keys.append(key)
    }

    private func keyID(_ text: Span<UInt8>, _ field: Range<Int>) throws(KeyRingError) -> KeyID {
        guard let id = KeyID(word(text, field)) else { throw failure(.notAKeyID) }
        return id
    }

    private func time(_ text: some StringProtocol) throws(KeyRingError) -> Date {
        guard let seconds = Timestamp.seconds(text) else { throw failure(.notATime) }
        return Date(timeIntervalSince1970: Double(seconds))
    }

    private func failure(_ problem: KeyRingError.Problem) -> KeyRingError {
        KeyRingError(source: source, line: line, problem: problem)
    }

    /// A field that holds no secret. Longer than any such field may be: empty, which none is.
    private func word(_ text: Span<UInt8>, _ field: Range<Int>) -> String {
        guard field.count <= 32 else { return "" }
        return String(decoding: field.map { text[$0] }, as: UTF8.self)
    }

    /// The runs of other than blanks; a carriage return at the end is a blank too.
    private static func fields(_ text: Span<UInt8>, _ line: Range<Int>) -> [Range<Int>] {
        var fields: [Range<Int>] = []
        var start: Int?
        for position in line {
            let isBlank = [0x20, 0x09, 0x0D].contains(text[position])
            if isBlank, let fieldStart = start {
                fields.append(fieldStart..<position)
                start = nil
            } else if !isBlank, start == nil {
                start = position
            }
        }
        if let start { fields.append(start..<line.upperBound) }
        return fields
    }
}
