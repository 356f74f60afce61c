// Reading the Cookie header (RFC 6265bis §4.2, and what servers meet in practice).

/// One cookie's values in a `Cookie` header, and those of its parts. One pass, whatever is in between.
struct CookieHeader {
    /// A name may occur twice, for instance if a sibling domain set it. This many different values are tried.
    static let candidateLimit = 4

    /// The values of the cookie, in order and each once, at most `candidateLimit`.
    private(set) var values: [Range<Int>] = []
    /// The values of `name.1` to `name.8`, likewise; empty if there are none.
    private(set) var parts: [[Range<Int>]] = []

    /// Finds the cookie `name` in headers of any shape.
    ///
    /// Pairs are separated by `;`. Blanks around a name or value do not count, and double quotes around a value are
    /// removed. A pair without `=` has no name and is skipped. Names are compared byte by byte.
    init(_ header: Span<UInt8>, name: [UInt8]) {
        var start = 0
        while start < header.count {
            var end = start
            while end < header.count, header[end] != UInt8(ascii: ";"), header[end] != UInt8(ascii: "=") {
                end += 1
            }
            let equals = end
            while end < header.count, header[end] != UInt8(ascii: ";") { end += 1 }
            if equals < end, let part = Self.part(name, header, Self.trimmed(header, start..<equals)) {
                add(Self.unquoted(header, Self.trimmed(header, equals + 1..<end)), to: part, of: header)
            }
            start = end + 1
        }
    }

    private mutating func add(_ value: Range<Int>, to part: Int, of header: Span<UInt8>) {
        func add(to values: inout [Range<Int>]) {
            guard values.count < Self.candidateLimit,
                !values.contains(where: { Self.isEqual(header, $0, value) })
            else { return }
            values.append(value)
        }
        guard part > 0 else { return add(to: &values) }
        if parts.isEmpty { parts = Array(repeating: [], count: PartSet.numbers.upperBound) }
        add(to: &parts[part - 1])
    }

    private static func isEqual(_ text: Span<UInt8>, _ one: Range<Int>, _ other: Range<Int>) -> Bool {
        one.count == other.count
            && one.indices.allSatisfy { text[$0] == text[$0 - one.lowerBound + other.lowerBound] }
    }

    /// The values of a part.
    func part(_ number: Int) -> [Range<Int>] { parts.isEmpty ? [] : parts[number - 1] }

    /// 0 for the name itself, 1 to 8 for the name, a dot and that digit; nil for another.
    private static func part(_ name: [UInt8], _ header: Span<UInt8>, _ key: Range<Int>) -> Int? {
        guard key.count == name.count || key.count == name.count + 2 else { return nil }
        for index in name.indices where header[key.lowerBound + index] != name[index] { return nil }
        if key.count == name.count { return 0 }
        let digit = header[key.upperBound - 1]
        guard header[key.upperBound - 2] == UInt8(ascii: "."), (0x31...0x38).contains(digit) else {
            return nil
        }
        return Int(digit - 0x30)
    }

    private static func trimmed(_ text: Span<UInt8>, _ range: Range<Int>) -> Range<Int> {
        var (start, end) = (range.lowerBound, range.upperBound)
        while start < end, text[start] == 0x20 || text[start] == 0x09 { start += 1 }
        while end > start, text[end - 1] == 0x20 || text[end - 1] == 0x09 { end -= 1 }
        return start..<end
    }

    private static func unquoted(_ text: Span<UInt8>, _ range: Range<Int>) -> Range<Int> {
        let quote = UInt8(ascii: "\"")
        guard range.count >= 2, text[range.lowerBound] == quote, text[range.upperBound - 1] == quote else {
            return range
        }
        return range.lowerBound + 1..<range.upperBound - 1
    }
}
