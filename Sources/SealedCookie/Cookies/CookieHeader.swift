// Reading the Cookie header (RFC 6265bis §4.2, and what servers meet in practice).

/// Finds one cookie's values in `Cookie` headers. One pass, no copies, whatever stands between.
enum CookieHeader {
    /// A name may stand twice, for instance set by a sibling domain: this many values are tried.
    static let candidateLimit = 4

    /// The values of the cookie `name` in order, at most `candidateLimit`, for headers of any shape.
    ///
    /// Pairs are divided by `;`. Blanks around a name or value do not count; a value in double quotes
    /// is taken without them. A pair without `=` has no name and is passed over. Names are compared
    /// byte by byte.
    static func values(of name: [UInt8], in header: Span<UInt8>) -> [Range<Int>] {
        var values: [Range<Int>] = []
        var start = 0
        while start < header.count, values.count < candidateLimit {
            var end = start
            var equals: Int?
            while end < header.count, header[end] != UInt8(ascii: ";") {
                if equals == nil, header[end] == UInt8(ascii: "=") { equals = end }
                end += 1
            }
            if let equals {
                let key = trimmed(header, start..<equals)
                if key.count == name.count,
                    key.indices.allSatisfy({ header[$0] == name[$0 - key.lowerBound] })
                {
                    values.append(unquoted(header, trimmed(header, equals + 1..<end)))
                }
            }
            start = end + 1
        }
        return values
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
