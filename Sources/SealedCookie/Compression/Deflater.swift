// Writes raw DEFLATE streams (RFC 1951) of small texts. FORMAT §6.

/// Makes streams of one block, with the fixed codes or, if that takes fewer bits, with codes made for the text.
///
/// It is meant for texts of up to 64 KiB, most of a few hundred bytes. Equal texts make equal streams, whatever came
/// before: only memory is kept.
struct Deflater: ~Copyable {
    private var index = TripleIndex()
    private var matches: [Match] = []

    /// Finds what in `input` repeats earlier parts of it, or of `dictionary`.
    ///
    /// - Returns: The bits that references to the dictionary save.
    @discardableResult
    mutating func findMatches(in input: Span<UInt8>, after dictionary: IndexedText = .empty) -> Int {
        var matches = exchange(&matches, with: [])
        matches.removeAll(keepingCapacity: true)
        index.with(input) { input in
            dictionary.with { dictionary in Self.find(&matches, in: input, after: dictionary) }
        }
        self.matches = matches
        return matches.reduce(0) { $1.distance > $1.start ? $0 + Int($1.saving) : $0 }
    }

    @inline(__always)
    private static func find(
        _ matches: inout [Match], in input: TextInMemory, after dictionary: TextInMemory
    ) {
        // The match at the previous position, not taken yet.
        var held = Match()
        var place = 0
        while place < input.triples {
            var hash = input.hash(at: place)
            var found = Match(start: Int32(truncatingIfNeeded: place))
            // Shorter matches cannot be better than that.
            found.length = max(2, (held.saving &+ 14) / 8)
            input.improve(&found, hash, for: input, lead: 0)
            dictionary.improve(&found, hash, for: input, lead: dictionary.count)
            input.insert(place, hash)
            place &+= 1
            // Lazy matching: the match at the next position is better, even counting the letter in between.
            if held.saving > 0, found.saving <= held.saving &+ 2 {
                matches.append(held)
                let end = Int(held.start &+ held.length)
                while place < end {
                    if place < input.triples {
                        hash = input.hash(at: place)
                        input.insert(place, hash)
                    }
                    place &+= 1
                }
                held = Match()
            } else {
                held = found
            }
        }
        if held.saving > 0 { matches.append(held) }
    }

    /// Appends the stream of `input`, whose matches have been found.
    ///
    /// - Returns: False if it would take more than `limit` bytes; `output` is then unchanged.
    mutating func append(_ input: Span<UInt8>, to output: inout [UInt8], limit: Int) -> Bool {
        var counts = SymbolCounts(input, matches.span)
        let fixedBits = counts.fixedBits
        if counts.estimatedBits < fixedBits {
            // Letters then take less than eight bits, so a match may take more than its letters. Without that match,
            // they take less again.
            for _ in 0..<2 { guard counts.replaceDear(&matches, in: input) else { break } }
            let codes = HuffmanCodes(counts.counts.span)
            let header = CodeHeader(of: codes)
            let bits = header.bitCount + counts.bits(by: codes)
            if bits < fixedBits {
                return append(input, by: codes, header, bits: bits, to: &output, limit: limit)
            }
        }
        return append(input, by: .fixed, nil, bits: fixedBits, to: &output, limit: limit)
    }

    private func append(
        _ input: Span<UInt8>, by codes: borrowing HuffmanCodes, _ header: CodeHeader?, bits: Int,
        to output: inout [UInt8], limit: Int
    ) -> Bool {
        let count = (bits + 7) / 8
        guard count <= limit else { return false }
        var writer = BitWriter(at: output.count)
        output.append(addingCapacity: count) { $0.append(repeating: 0, count: count) }
        var span = output.mutableSpan
        // Sound: any bits are bytes, and each store checks that there is room.
        var bytes = unsafe span.mutableBytes
        writer.write(1, 1, to: &bytes)
        if let header {
            writer.write(2, 2, to: &bytes)
            header.write(with: &writer, to: &bytes)
        } else {
            writer.write(1, 2, to: &bytes)
        }
        let codes = codes.codes.span
        DeflateSymbol.forEach(of: input, matches.span, all: header == nil) { symbol in
            writer.write(codes[symbol.number], to: &bytes)
            if symbol.extraCount > 0 { writer.write(symbol.extra, symbol.extraCount, to: &bytes) }
        }
        writer.finish(&bytes)
        return true
    }
}

/// A repetition: `length` bytes from `start` on equal those `distance` before.
struct Match {
    var start: Int32 = 0
    /// 3 to 258.
    var length: Int32 = 2
    /// Up to 32,768.
    var distance: Int32 = 0
    /// The bits that it saves compared with letters of eight bits, by the fixed codes.
    var saving: Int32 = 0
    /// Whether it takes more bits than its letters with codes made for the text.
    var isDear = false

    var end: Int { Int(start + length) }
}
