// Long runs of combining marks, which a session's text must not contain. FORMAT §7.

/// To hash or compare text, Swift puts it into a canonical form and sorts each run of combining marks, in time
/// quadratic in the run's length: 30,000 in a row take 0.4 s.
enum CombiningMarks {
    /// The number of code points of general category M that a text may have in a row. Written languages need fewer
    /// than ten.
    static let longestRun = 256

    /// The bytes of the shortest run that is too long. A mark takes two or more.
    private static let fewestBytes = 2 * (longestRun + 1)

    /// Whether UTF-8 text has too many marks in a row. Short text needs no check.
    @inline(__always)
    static func areTooMany(in text: Span<UInt8>) -> Bool {
        text.count >= fewestBytes && hasLongRun(text)
    }

    @inline(__always)
    static func areTooMany(in text: String) -> Bool {
        text.utf8.count >= fewestBytes && hasLongRun(text.utf8.span)
    }

    private static func hasLongRun(_ text: Span<UInt8>) -> Bool {
        // Any such run contains one of every `fewestBytes` bytes, so most of a text is skipped.
        var position = fewestBytes - 1
        while position < text.count {
            var end = position
            if text[position] >= 0x80 {
                var start = startOfScalar(text, at: position)
                end = start
                var count = 0
                while end < text.count, let length = markLength(text, at: end), count <= longestRun {
                    end += length
                    count += 1
                }
                while count > 0, count <= longestRun, start > 0 {
                    start = startOfScalar(text, at: start - 1)
                    guard markLength(text, at: start) != nil else { break }
                    count += 1
                }
                if count > longestRun { return true }
            }
            position = max(position, end) + fewestBytes
        }
        return false
    }

    private static func startOfScalar(_ text: Span<UInt8>, at position: Int) -> Int {
        var start = position
        while start > 0, text[start] & 0xC0 == 0x80 { start -= 1 }
        return start
    }

    /// The bytes of the code point at `start`, if it is a mark.
    private static func markLength(_ text: Span<UInt8>, at start: Int) -> Int? {
        let lead = text[start]
        // U+0300 is the first mark: 0xCC 0x80.
        guard lead >= 0xCC else { return nil }
        let length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4
        // Valid UTF-8 has all of them.
        guard start + length <= text.count else { return nil }
        var value = UInt32(lead) & (0x7F >> UInt32(length))
        for offset in 1..<length { value = value << 6 | UInt32(text[start + offset] & 0x3F) }
        guard let scalar = Unicode.Scalar(value) else { return nil }
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark: return length
        default: return nil
        }
    }
}
