// An encoded session: one CBOR item.

/// A finished item, with the ranges of its byte strings' contents, which stay out of DEFLATE.
@usableFromInline
struct CBORItem: Equatable, Sendable {
    var bytes: [UInt8]
    /// Ascending, without overlaps, and none of them empty.
    var byteStrings: [Range<Int>]

    static let null = CBORItem(bytes: [0xF6], byteStrings: [])

    /// The item without the contents of its byte strings, but with their heads (FORMAT §6.2).
    var skeleton: [UInt8] {
        guard !byteStrings.isEmpty else { return bytes }
        var skeleton: [UInt8] = []
        skeleton.reserveCapacity(bytes.count)
        var position = 0
        for content in byteStrings {
            skeleton.append(copying: bytes.span.extracting(position..<content.lowerBound))
            position = content.upperBound
        }
        skeleton.append(copying: bytes.span.extracting(position..<bytes.count))
        return skeleton
    }
}
