// The key ring as text, one line per key. FORMAT §9.
#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension KeyRing {
    /// The size in bytes of the largest ring file: about 10,000 keys.
    static let fileLimit = 1_048_576
    static let secretPrefix = "sck1_"
    private static let header = "# sealed-cookie key ring\n"

    /// Reads a ring file.
    ///
    /// - Parameters:
    ///   - path: The file's path. Symbolic links are followed.
    ///   - requiringKey: Whether to refuse a ring without a key, with which a server could neither open nor seal.
    ///     False accepts any valid ring (FORMAT §9), such as one to be changed or merged.
    /// - Throws: ``KeyRingError``, with the line, for a file that cannot be read, a line that is not of a ring, or a
    ///   secret under another key's ID. Nothing is skipped.
    public init(contentsOf path: String, requiringKey: Bool = true) throws(KeyRingError) {
        try self.init(parsing: Self.read(path).bytes, source: path, requiringKey: requiringKey)
    }

    /// Reads a ring from an environment variable that contains the text of a ring file, or its form on one line.
    ///
    /// The variable stays readable for the process and anyone who can inspect it, so prefer a file.
    ///
    /// - Parameters:
    ///   - name: The variable's name.
    ///   - requiringKey: Whether to refuse a ring without a key, as in ``init(contentsOf:requiringKey:)``.
    /// - Throws: ``KeyRingError``, also if there is no such variable; `.lostLineBreaks` if it seems to be a ring
    ///   without its line breaks.
    public init(environment name: String, requiringKey: Bool = true) throws(KeyRingError) {
        let source = "$\(name)"
        let found = try KeyRingError.unlessItFails(source) { () throws(NativeFailure) in
            try SecretBytes.environment(name)
        }
        guard let text = found else {
            throw KeyRingError(
                source: source, line: nil, problem: .unreadable("no such environment variable"))
        }
        try self.init(parsing: text, source: source, requiringKey: requiringKey)
    }

    static func read(_ path: String, orPipe: Bool = false) throws(KeyRingError) -> SecretFile {
        try KeyRingError.reading(path) { () throws(SystemFailure) in
            try SecretFile.read(path, limit: fileLimit, orPipe: orPipe)
        }
    }

    /// Changes a ring file, under a lock that keeps out all other changes.
    ///
    /// The new file replaces the old one in one step, with its owner and mode. A reader sees one or the other, whole,
    /// and so does a machine that loses power. Comments are kept, at the top. A symbolic link is followed.
    ///
    /// The lock is `.NAME.lock` in the same folder (FORMAT §9), for its owner and root alone: users who may only read
    /// the ring cannot block a change. On a network file system, it is as good as that system's locks: server and
    /// mount must keep `flock` between machines (NFSv4; not `nolock`). If you are not sure, change the ring on one
    /// machine only. A symbolic link is refused if another user made it who does not own its target.
    ///
    /// - Parameters:
    ///   - path: The file's path.
    ///   - change: Makes the new ring from the one in the file. It is called at most once.
    /// - Returns: The ring that is now in the file.
    /// - Throws: ``KeyRingError``. The old ring is still in place, unless the error says that the folder could not be
    ///   synchronized.
    @discardableResult
    public static func update(
        at path: String, _ change: (KeyRing) throws(KeyRingError) -> KeyRing
    ) throws(KeyRingError) -> KeyRing {
        try updateFile(path, change).ring
    }

    /// Like `update`, and also returns how many other names the file had, which keep its old contents.
    package static func updateFile(
        _ path: String, _ change: (KeyRing) throws(KeyRingError) -> KeyRing
    ) throws(KeyRingError) -> (ring: KeyRing, otherNames: Int) {
        let file = try KeyRingError.reading(path) { () throws(SystemFailure) in try LockedFile.open(path) }
        let old = try KeyRingError.reading(path) { () throws(SystemFailure) in try file.read(limit: fileLimit)
        }
        let parser = try KeyRingParser.parse(old.bytes, source: path)
        let ring = try parser.ring()
        let changed: KeyRing
        do throws(KeyRingError) {
            changed = try change(ring)
        } catch {
            // A change does not know the file, so the error's source is replaced.
            throw error.source == "keys"
                ? KeyRingError(source: path, line: error.line, problem: error.problem) : error
        }
        guard changed.entries != ring.entries || parser.hasSurplus else { return (ring, 0) }
        let contents = try KeyRingError.unlessItFails(path) { () throws(NativeFailure) in
            try changed.fileContents(comments: parser.comments)
        }
        try KeyRing.checkSize(contents, path)
        try KeyRingError.writing(path) { () throws(SystemFailure) in try file.replace(with: contents) }
        return (changed, file.nameCount - 1)
    }

    /// No one could read a longer file again.
    private static func checkSize(_ contents: borrowing SecretBytes, _ path: String) throws(KeyRingError) {
        guard contents.count <= fileLimit else {
            throw KeyRingError(source: path, line: nil, problem: .unwritable("more than \(fileLimit) bytes"))
        }
    }

    /// Identifies a ring's contents without its secrets, which the IDs represent.
    var entries: [String] {
        keys.map { "\($0)" } + revoked.sorted().map { "\($0)" } + [notBefore.map { "\($0)" } ?? ""]
    }

    /// Reads a ring from its text, for a ring that is not in a file.
    ///
    /// The text stays in memory as long as the caller's string does, so prefer a file.
    ///
    /// - Parameters:
    ///   - text: The text of a ring file, or its form on one line (FORMAT §9).
    ///   - source: The name that errors use for it.
    ///   - requiringKey: Whether to refuse a ring without a key, as in ``init(contentsOf:requiringKey:)``.
    /// - Throws: ``KeyRingError``, with the line.
    public init(
        parsing text: String, source: String = "text", requiringKey: Bool = true
    ) throws(KeyRingError) {
        let bytes = try KeyRingError.unlessItFails(source) { () throws(NativeFailure) in
            // Not through an array, which would not be wiped.
            var bytes = try SecretBytes(capacity: text.utf8.count)
            try bytes.append(text)
            return bytes
        }
        try self.init(parsing: bytes, source: source, requiringKey: requiringKey)
    }

    init(
        parsing bytes: borrowing SecretBytes, source: String, requiringKey: Bool = false
    ) throws(KeyRingError) {
        let parser = try KeyRingParser.parse(bytes, source: source)
        self = try parser.ring()
        guard requiringKey, keys.isEmpty else { return }
        // A single comment is what a ring becomes that lost its line breaks, or was cut at the first.
        let problem: KeyRingError.Problem = parser.isOneComment ? .lostLineBreaks : .noKeys
        throw KeyRingError(source: source, line: nil, problem: problem)
    }

    /// Passes the ring's text, secrets included, to `body`, which stores it. The memory is wiped afterwards.
    ///
    /// - Parameters:
    ///   - onOneLine: Whether to use the form on one line (FORMAT §9), for an environment variable. In both forms,
    ///     `not-before` and revocations come first, so that a text that is cut off has lost only keys.
    ///   - body: Called once with the text's bytes, which it must not keep.
    /// - Returns: What `body` returns.
    /// - Throws: What `body` throws, and an error if memory is lacking.
    public func withText<Result>(
        onOneLine: Bool = false, _ body: (Span<UInt8>) throws -> Result
    ) throws -> Result {
        let text = try KeyRingError.unlessItFails("keys") { () throws(NativeFailure) in
            onOneLine ? try oneLineContents() : try fileContents()
        }
        return try text.withSpan(body)
    }

    /// The form on one line, without a line end. For an empty ring it is empty.
    private func oneLineContents() throws(NativeFailure) -> SecretBytes {
        var text = try SecretBytes(capacity: 4096)
        func divide(_ text: inout SecretBytes) throws(NativeFailure) {
            if text.count > 0 { try text.append("; ") }
        }
        if let notBefore { try text.append("not-before \(Timestamp.text(notBefore))") }
        for id in revoked.sorted() {
            try divide(&text)
            try text.append("revoked \(id)")
        }
        for key in keys {
            try divide(&text)
            try key.append(to: &text)
        }
        return text
    }

    /// The ring's text, secrets included, in memory that is wiped.
    func fileContents() throws(NativeFailure) -> SecretBytes {
        var comments = try SecretBytes(capacity: Self.header.utf8.count)
        try comments.append(Self.header)
        return try fileContents(comments: comments)
    }

    private func fileContents(comments: borrowing SecretBytes) throws(NativeFailure) -> SecretBytes {
        var text = try SecretBytes(capacity: 4096)
        try comments.withSpan { span throws(NativeFailure) in try text.append(span) }
        // A comment alone could be taken for a ring that lost its line breaks.
        if isEmpty { try text.append("\n") }
        // First what ends sessions and revokes keys: a file that is cut off has then lost only keys.
        if let notBefore { try text.append("not-before \(Timestamp.text(notBefore))\n") }
        for id in revoked.sorted() { try text.append("revoked \(id)\n") }
        for key in keys {
            try key.append(to: &text)
            try text.append("\n")
        }
        return text
    }

    /// Writes the ring to a new file of mode 0600, which gets its name when it is complete.
    ///
    /// - Parameter path: The new file's path.
    /// - Throws: ``KeyRingError``: `.alreadyExists` if a file has this name; it is left unchanged.
    public func create(at path: String) throws(KeyRingError) {
        let contents = try KeyRingError.unlessItFails(path) { () throws(NativeFailure) in try fileContents() }
        try Self.checkSize(contents, path)
        try KeyRingError.writing(path) { () throws(SystemFailure) in try SecretFile.create(path, contents) }
    }
}

extension SealingKey {
    /// Appends `key <id> [from=<time>] [until=<time>] sck1_<secret>`.
    fileprivate func append(to text: inout SecretBytes) throws(NativeFailure) {
        try text.append("key \(id) ")
        if let activeFrom { try text.append("from=\(Timestamp.text(activeFrom)) ") }
        if let sealedUntil { try text.append("until=\(Timestamp.text(sealedUntil)) ") }
        try text.append(KeyRing.secretPrefix)
        // Encoded directly into memory that is wiped, so that no String contains the secret.
        try material.key.withBytes { bytes throws(NativeFailure) in
            try Base64URL.append(secret: bytes, to: &text)
        }
    }
}

/// Reads a ring line by line. Secrets are decoded in place and never become a String.
struct KeyRingParser: ~Copyable {
    let source: String
    var keys: [SealingKey] = []
    var revoked: Set<KeyID> = []
    var notBefore: Date?
    /// The comments, each with its line end. Kept as a secret: one may be a key that someone commented out.
    var comments: SecretBytes
    /// The line number of each comment.
    private var commentLines: [Int] = []
    private var line = 0
    /// Whether the text is a single line, which is a comment.
    private(set) var isOneComment = false

    private init(source: String, comments: consuming SecretBytes) {
        self.source = source
        self.comments = comments
    }

    static func parse(_ bytes: borrowing SecretBytes, source: String) throws(KeyRingError) -> KeyRingParser {
        let comments = try KeyRingError.unlessItFails(source) { () throws(NativeFailure) in
            try SecretBytes(capacity: 64)
        }
        var parser = KeyRingParser(source: source, comments: comments)
        try bytes.withSpan { text throws(KeyRingError) in
            try parser.parse(text)
        }
        return parser
    }

    /// Whether there are secrets of revoked keys, or a key is on several lines: a change removes them.
    var hasSurplus: Bool {
        let ids = Set(keys.map(\.id))
        return ids.count < keys.count || !ids.isDisjoint(with: revoked)
    }

    /// The numbers of lines with a comment that contains a whole secret. It scans the text, unlike the rest, so it is
    /// too slow for every poll.
    var secretCommentLines: [Int] {
        comments.withSpan { text in
            var lines: [Int] = []
            var start = 0
            for line in commentLines {
                var end = start
                while text[end] != UInt8(ascii: "\n") { end += 1 }
                if Self.holdsSecret(text.extracting(start..<end)) { lines.append(line) }
                start = end + 1
            }
            return lines
        }
    }

    private static func holdsSecret(_ text: Span<UInt8>) -> Bool {
        let prefix = Array(KeyRing.secretPrefix.utf8)
        let count = Base64URL.encodedCount(XAESKey.keyLength)
        guard text.count >= prefix.count + count else { return false }
        return (0...text.count - prefix.count - count).contains { start in
            prefix.indices.allSatisfy { text[start + $0] == prefix[$0] }
                && Base64URL.isText(text.extracting(start + prefix.count..<start + prefix.count + count))
        }
    }

    func ring() throws(KeyRingError) -> KeyRing {
        try KeyRing(keys, revoked: revoked, notBefore: notBefore, source: source)
    }

    private mutating func parse(_ text: Span<UInt8>) throws(KeyRingError) {
        guard (try? UTF8Span(validating: text)) != nil else {
            throw KeyRingError(source: source, line: nil, problem: .notUTF8)
        }
        guard !text.hasPrefix("\u{FEFF}", at: 0) else {
            throw KeyRingError(source: source, line: nil, problem: .byteOrderMark)
        }
        let lineFeed = UInt8(ascii: "\n")
        // The last line may lack its line end, and a single line may have one.
        let isOneLine = !text.indices.dropLast().contains { text[$0] == lineFeed }
        guard isOneLine else {
            do throws(KeyRingError) {
                return try parseLines(text, dividedBy: lineFeed)
            } catch {
                guard error.problem != .carriageReturn, Self.isOneLineAmongEmptyOnes(text) else {
                    throw error
                }
                throw KeyRingError(source: source, line: error.line, problem: .emptyLines)
            }
        }
        do throws(KeyRingError) {
            let semicolon = UInt8(ascii: ";")
            let isDivided = text.indices.contains { text[$0] == semicolon }
            try parseLines(text, dividedBy: isDivided ? semicolon : lineFeed)
            isOneComment = !commentLines.isEmpty
            if isDivided, let comment = commentLines.first {
                throw KeyRingError(source: source, line: comment, problem: .commentInOneLine)
            }
            // Otherwise a key would silently become a comment.
            if isOneComment, text.contains(KeyRing.secretPrefix) {
                throw KeyRingError(source: source, line: nil, problem: .lostLineBreaks)
            }
        } catch {
            guard error.problem != .carriageReturn, Self.hasLostLineBreaks(text) else { throw error }
            throw KeyRingError(source: source, line: nil, problem: .lostLineBreaks)
        }
    }

    /// Whether it seems to be the form on one line, except for empty lines before or after it.
    private static func isOneLineAmongEmptyOnes(_ text: Span<UInt8>) -> Bool {
        func isBlank(_ index: Int) -> Bool { [0x20, 0x09, 0x0A, 0x0D].contains(text[index]) }
        guard let first = text.indices.first(where: { !isBlank($0) }),
            let last = text.indices.last(where: { !isBlank($0) })
        else { return false }
        let line = text.extracting(first...last)
        return line.indices.contains { line[$0] == UInt8(ascii: ";") }
            && !line.indices.contains { line[$0] == UInt8(ascii: "\n") }
    }

    /// Whether a single line that is not a ring seems to have been several.
    private static func hasLostLineBreaks(_ text: Span<UInt8>) -> Bool {
        let isEscaped = ["\\n", "\\r"].contains { text.contains($0) }
        let lines = [KeyRing.secretPrefix, "revoked ", "not-before "].reduce(0) { $0 + text.count(of: $1) }
        return isEscaped || lines > 1 + text.indices.count { text[$0] == UInt8(ascii: ";") }
    }

    private mutating func parseLines(_ text: Span<UInt8>, dividedBy divider: UInt8) throws(KeyRingError) {
        var start = 0
        while start < text.count {
            var end = start
            while end < text.count, text[end] != divider, text[end] != UInt8(ascii: "\n") { end += 1 }
            line += 1
            try checkCarriageReturns(text, start..<end)
            try parseLine(text, start..<end)
            start = end + 1
        }
    }

    /// Carriage returns are only allowed as part of a line end: elsewhere one may have been meant as a line end.
    private func checkCarriageReturns(_ text: Span<UInt8>, _ line: Range<Int>) throws(KeyRingError) {
        let isBeforeEnd = line.upperBound == text.count || text[line.upperBound] == UInt8(ascii: "\n")
        let rest = isBeforeEnd ? line.dropLast() : line
        guard !rest.contains(where: { text[$0] == UInt8(ascii: "\r") }) else {
            throw failure(.carriageReturn)
        }
    }

    private mutating func parseLine(_ text: Span<UInt8>, _ line: Range<Int>) throws(KeyRingError) {
        let fields = Self.fields(text, line)
        guard let first = fields.first else { return }
        guard text[first.lowerBound] != UInt8(ascii: "#") else { return try keep(text.extracting(line)) }
        switch (word(text, first), fields.count) {
        case ("key", 3...5):
            try parseKey(
                text, id: fields[1], times: fields[2..<fields.count - 1], secret: fields[fields.count - 1])
        case ("revoked", 2): revoked.insert(try keyID(text, fields[1]))
        case ("not-before", 2):
            let time = try time(word(text, fields[1]))
            // Of two, the later one wins: it is stricter.
            notBefore = max(notBefore ?? time, time)
        default: throw failure(.unknownLine)
        }
    }

    private mutating func keep(_ comment: Span<UInt8>) throws(KeyRingError) {
        do throws(NativeFailure) {
            try comments.append(comment)
            try comments.append(UInt8(ascii: "\n"))
            commentLines.append(line)
        } catch {
            throw failure(.libraryFailed(operation: error.operation))
        }
    }

    private mutating func parseKey(
        _ text: Span<UInt8>, id: Range<Int>, times: ArraySlice<Range<Int>>, secret: Range<Int>
    ) throws(KeyRingError) {
        let label = try keyID(text, id)
        var times = times
        func time(_ name: String) throws(KeyRingError) -> Date? {
            guard let field = times.first.map({ word(text, $0) }), field.hasPrefix(name) else { return nil }
            times.removeFirst()
            return try self.time(field.dropFirst(name.utf8.count))
        }
        let activeFrom = try time("from=")
        let sealedUntil = try time("until=")
        guard times.isEmpty else { throw failure(.unknownLine) }
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
        guard var key else { throw failure(.notAKey) }
        guard key.id == label else { throw failure(.mislabelled(label)) }
        key.sealedUntil = sealedUntil
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

    /// A field that contains no secret. If it is longer than any such field may be, the result is empty, which
    /// matches none.
    private func word(_ text: Span<UInt8>, _ field: Range<Int>) -> String {
        guard field.count <= 32 else { return "" }
        return String(decoding: field.map { text[$0] }, as: UTF8.self)
    }

    /// The whitespace-separated fields; a carriage return at the end is white space too. At most six are returned: a
    /// ring's line has at most five, and a comment any number.
    private static func fields(_ text: Span<UInt8>, _ line: Range<Int>) -> [Range<Int>] {
        var fields: [Range<Int>] = []
        var start: Int?
        for position in line {
            guard fields.count < 6 else { return fields }
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

extension Span<UInt8> {
    fileprivate func hasPrefix(_ word: String, at start: Int) -> Bool {
        let word = word.utf8
        guard start + word.count <= count else { return false }
        return zip(start..<count, word).allSatisfy { self[$0] == $1 }
    }

    fileprivate func count(of word: String) -> Int { indices.count { hasPrefix(word, at: $0) } }

    fileprivate func contains(_ word: String) -> Bool { indices.contains { hasPrefix(word, at: $0) } }
}
