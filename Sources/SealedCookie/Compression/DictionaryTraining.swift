// Makes a dictionary from sample sessions. FORMAT §6.4.

extension CompressionDictionary {
    /// A dictionary of what many of `items` have in common, at most `size` bytes.
    ///
    /// Repeatedly takes the stretch whose pieces of six bytes occur in most sessions, and no longer counts what it
    /// has taken. The likeliest come last, where references to them are shortest. The contents of byte strings are
    /// skipped, because they are never compressed.
    ///
    /// - Returns: Nil if no two sessions have anything in common.
    static func trained(
        on items: [CBORItem], size: Int
    ) throws(DictionaryError) -> CompressionDictionary? {
        let skeletons = items.map(\.skeleton)
        // The number of sessions in which each piece occurs.
        var counts: [Piece: Int] = [:]
        for skeleton in skeletons {
            for piece in Set(skeleton.indices.dropLast(Piece.length - 1).map({ Piece(skeleton, $0) })) {
                counts[piece, default: 0] += 1
            }
        }
        counts = counts.filter { $0.value > 1 }
        let pieces = skeletons.map { skeleton in
            skeleton.indices.dropLast(Piece.length - 1).map { Piece(skeleton, $0) }
        }
        var stretches: [ArraySlice<UInt8>] = []
        var left = min(size, maximumByteCount)
        while let best = best(pieces, counts, longest: min(stretchLength, left)) {
            stretches.append(skeletons[best.session][best.range])
            left -= best.range.count
            for position in best.range.dropLast(Piece.length - 1) {
                counts[pieces[best.session][position]] = nil
            }
        }
        guard !stretches.isEmpty else { return nil }
        return try CompressionDictionary(Array(stretches.reversed().joined()))
    }

    private static let stretchLength = 48

    /// Six bytes of a session.
    private struct Piece: Hashable {
        static let length = 6
        private let value: UInt64

        init(_ bytes: [UInt8], _ start: Int) {
            value = bytes[start..<start + Self.length].reduce(0) { $0 << 8 | UInt64($1) }
        }
    }

    private struct Stretch {
        let session: Int
        let range: Range<Int>
        let worth: Int
    }

    /// The stretch whose pieces are worth most for its length.
    private static func best(_ pieces: [[Piece]], _ counts: [Piece: Int], longest: Int) -> Stretch? {
        var best: Stretch?
        guard longest >= Piece.length, !counts.isEmpty else { return nil }
        for (session, pieces) in pieces.enumerated() {
            var position = 0
            while position < pieces.count {
                // From a wanted piece to the last wanted one in a row.
                guard counts[pieces[position]] != nil else {
                    position += 1
                    continue
                }
                var (end, worth) = (position, 0)
                while end < pieces.count, end - position + Piece.length <= longest,
                    let count = counts[pieces[end]]
                {
                    worth += count
                    end += 1
                }
                if worth > best?.worth ?? 0 {
                    best = Stretch(session: session, range: position..<end + Piece.length - 1, worth: worth)
                }
                position = end + 1
            }
        }
        return best
    }
}
