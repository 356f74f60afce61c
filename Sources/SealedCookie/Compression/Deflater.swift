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
            let hash = input.hash(at: place)
            let (here, before) = (input.latest(hash), dictionary.latest(hash))
            if here | before == 0, held.saving == 0 {
                input.insert(place, hash)
                place &+= 1
                continue
            }
            var found = Match(start: Int32(truncatingIfNeeded: place))
            // Shorter matches cannot be better than that.
            found.length = max(2, (held.saving &+ 14) / 8)
            if here > 0 { input.improve(&found, here, for: input, lead: 0) }
            if before > 0 { dictionary.improve(&found, before, for: input, lead: dictionary.count) }
            input.insert(place, hash)
            place &+= 1
            // Lazy matching: the match at the next position is better, even counting the letter in between.
            if held.saving > 0, found.saving <= held.saving &+ 2 {
                matches.append(held)
                let end = held.end
                while place < min(end, input.triples) {
                    input.insert(place, input.hash(at: place))
                    place &+= 1
                }
                place = end
                held = Match()
            } else {
                held = found
            }
        }
        if held.saving > 0 { matches.append(held) }
    }

    /// For shorter texts, the description of codes of their own takes as much as these save.
    private static let leastForOwnCodes = 32

    /// Appends the stream of `input`, whose matches have been found, and forgets the matches.
    ///
    /// - Returns: False if it would take more than `limit` bytes; `output` is then unchanged.
    mutating func append(_ input: Span<UInt8>, to output: inout [UInt8], limit: Int) -> Bool {
        defer { matches.removeAll(keepingCapacity: true) }
        guard input.count >= Self.leastForOwnCodes else {
            let bits = SymbolCounts.fixedBits(input, matches.span)
            return appendFixed(input, bits: bits, to: &output, limit: limit)
        }
        var counts = SymbolCounts(input, matches.span)
        let fixedBits = counts.fixedBits
        if counts.estimatedBits + fixedBits / 64 < fixedBits {
            // Letters then take less than eight bits, so a match may take more than its letters. Without that match,
            // they take less again.
            for _ in 0..<2 { guard counts.replaceDear(&matches, in: input) else { break } }
            let codes = HuffmanCodes(counts.symbols, counts.counts.span)
            let header = CodeHeader(of: codes)
            let bits = header.bitCount + counts.bits(by: codes)
            if bits < fixedBits {
                guard var writer = BitWriter(for: bits, in: &output, limit: limit) else { return false }
                var span = output.mutableSpan
                // Sound: any bits are bytes, and each store checks that there is room.
                var bytes = unsafe span.mutableBytes
                writer.write(0b101, 3, to: &bytes)
                header.write(with: &writer, to: &bytes)
                write(input, all: false, by: codes, with: &writer, to: &bytes)
                writer.finish(&bytes)
                return true
            }
        }
        return appendFixed(input, bits: fixedBits, to: &output, limit: limit)
    }

    private func appendFixed(
        _ input: Span<UInt8>, bits: Int, to output: inout [UInt8], limit: Int
    ) -> Bool {
        guard var writer = BitWriter(for: bits, in: &output, limit: limit) else { return false }
        var span = output.mutableSpan
        // Sound: as above.
        var bytes = unsafe span.mutableBytes
        writer.write(0b011, 3, to: &bytes)
        write(input, all: true, by: HuffmanCodes.fixed, with: &writer, to: &bytes)
        writer.finish(&bytes)
        return true
    }

    /// - Parameter all: Whether to use dear matches.
    @inline(__always)
    private func write(
        _ input: Span<UInt8>, all: Bool, by codes: borrowing HuffmanCodes, with writer: inout BitWriter,
        to bytes: inout MutableRawSpan
    ) {
        let codes = codes.codes.span
        DeflateSymbol.forEach(of: input, matches.span, all: all) { symbol in
            writer.write(codes[symbol.number], symbol.extra, symbol.extraCount, to: &bytes)
        }
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
