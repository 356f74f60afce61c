// Prefix codes, fixed or made for a text, and their description for the opener. RFC 1951 §3.2.2, §3.2.6 and §3.2.7.

/// A code for each symbol that has one.
struct HuffmanCodes: ~Copyable {
    struct Code {
        /// The bits as they are written: the first one lowest.
        var bits: UInt16 = 0
        /// 0: the symbol does not occur.
        var length: UInt16 = 0
    }

    private(set) var codes = InlineArray<320, Code>(repeating: Code())
    /// The symbols that have a code.
    private(set) var symbols = SymbolSet()

    /// The fixed codes of RFC 1951 §3.2.6. All streams share them, so they need no description.
    static let fixed: Self = {
        var fixed = Self()
        for kind in [0..<288, 288..<320] {
            var symbols = SymbolSet()
            var lengths = InlineArray<16, Int>(repeating: 0)
            for symbol in kind {
                symbols.insert(symbol)
                lengths[fixedLength(of: symbol)] += 1
                fixed.codes[symbol].length = UInt16(fixedLength(of: symbol))
            }
            fixed.setBits(of: symbols, lengths)
        }
        return fixed
    }()

    /// The length of a symbol's fixed code, without the table.
    @inline(__always)
    static func fixedLength(of symbol: Int) -> Int {
        symbol < 256 ? (symbol < 144 ? 8 : 9) : symbol < 288 ? (symbol < 280 ? 7 : 8) : 5
    }

    /// No symbol has a code.
    init() {}

    /// The shortest codes for a text in which these symbols have these frequencies.
    init(_ symbols: SymbolSet, _ counts: Span<UInt32>) {
        add(symbols.letters, from: 0, counts, longest: 15)
        add(symbols.distances, from: DeflateSymbol.distances.lowerBound, counts, longest: 15)
    }

    /// The shortest codes for the lengths of other codes.
    init(ofLengths counts: Span<UInt32>) {
        var lengths = SymbolSet()
        for length in 0..<19 where counts[length] > 0 { lengths.insert(length) }
        add(lengths, from: 0, counts, longest: 7)
    }

    /// Adds the codes of one kind of symbols by Huffman's algorithm, in place as Moffat and Katajainen describe it
    /// (In-Place Calculation of Minimum-Redundancy Codes, 1995).
    ///
    /// - Parameter first: The first symbol of that kind. There are always two codes: a single one would not be
    ///   complete.
    private mutating func add(_ symbols: SymbolSet, from first: Int, _ counts: Span<UInt32>, longest: Int) {
        var symbols = symbols
        var leaves = InlineArray<286, UInt32>(repeating: 0)
        var count = Self.sort(symbols, by: counts, into: &leaves)
        for symbol in first..<first + 2 where count < 2 {
            symbols.insert(symbol)
            count = Self.sort(symbols, by: counts, into: &leaves)
        }
        // First the weights of the leaves. A node takes the place of a leaf that has its parent by then. When a node
        // gets its own parent, its weight is replaced by the parent's place.
        var tree = InlineArray<286, UInt32>(repeating: 0)
        for leaf in 0..<count { tree[leaf] = leaves[leaf] &>> 9 }
        var (leaf, inner) = (0, 0)
        for node in 0..<count &- 1 {
            var weight: UInt32 = 0
            for _ in 0..<2 {
                if leaf < count, inner == node || tree[leaf] <= tree[inner] {
                    weight &+= tree[leaf]
                    leaf &+= 1
                } else {
                    weight &+= tree[inner]
                    tree[inner] = UInt32(truncatingIfNeeded: node)
                    inner &+= 1
                }
            }
            tree[node] = weight
        }
        // From the root down, parents become depths.
        var nodes = InlineArray<64, Int>(repeating: 0)
        tree[count &- 2] = 0
        nodes[0] = 1
        for node in (0..<count &- 2).reversed() {
            tree[node] = tree[Int(tree[node])] &+ 1
            nodes[Int(tree[node])] &+= 1
        }
        // What is at a depth and is no node is a leaf. Its depth is its code's length.
        var lengths = InlineArray<16, Int>(repeating: 0)
        var depth = 1
        while nodes[depth &- 1] > 0 {
            lengths[min(depth, longest)] &+= 2 &* nodes[depth &- 1] &- nodes[depth]
            depth &+= 1
        }
        if depth &- 1 > longest { Self.complete(&lengths, longest) }
        // The rarest symbols get the longest codes.
        leaf = 0
        for length in (1...longest).reversed() {
            for _ in 0..<lengths[length] {
                codes[Int(leaves[leaf] & 511)].length = UInt16(truncatingIfNeeded: length)
                leaf &+= 1
            }
        }
        setBits(of: symbols, lengths)
    }

    /// Sorts symbols by their frequency, and by their number where it is equal.
    ///
    /// - Parameter leaves: Gets the frequencies, with the symbol in the lowest nine bits.
    /// - Returns: The number of symbols.
    private static func sort(
        _ symbols: SymbolSet, by counts: Span<UInt32>, into leaves: inout InlineArray<286, UInt32>
    ) -> Int {
        // Most symbols occur a few times: there is a place for each such frequency. The last one is for all others.
        var places = InlineArray<32, Int>(repeating: 0)
        symbols.visit { places[Int(min(counts[$0], 31))] &+= 1 }
        var count = 0
        for place in places.indices { (places[place], count) = (count, count &+ places[place]) }
        symbols.visit { symbol in
            let place = Int(min(counts[symbol], 31))
            leaves[places[place]] = counts[symbol] &<< 9 | UInt32(truncatingIfNeeded: symbol)
            places[place] &+= 1
        }
        for place in places[30]..<count {
            let leaf = leaves[place]
            var hole = place
            while hole > places[30], leaves[hole &- 1] > leaf {
                leaves[hole] = leaves[hole &- 1]
                hole &-= 1
            }
            leaves[hole] = leaf
        }
        return count
    }

    /// Makes some codes longer, because others were shortened to the longest length that there may be.
    private static func complete(_ lengths: inout InlineArray<16, Int>, _ longest: Int) {
        var excess = -(1 << longest)
        for length in 1...longest { excess += lengths[length] << (longest - length) }
        while excess > 0 {
            // One of the longest gets a place beside a shorter one, which becomes longer by that.
            var shorter = longest - 1
            while lengths[shorter] == 0 { shorter -= 1 }
            lengths[shorter] -= 1
            lengths[shorter + 1] += 2
            lengths[longest] -= 1
            excess -= 1
        }
    }

    /// RFC 1951 §3.2.2: the lengths determine the codes. Shorter codes come first, then they are ordered by symbol.
    ///
    /// - Parameter counts: How many of `symbols` have each length.
    private mutating func setBits(of symbols: SymbolSet, _ counts: InlineArray<16, Int>) {
        self.symbols.formUnion(symbols)
        var next = InlineArray<16, Int>(repeating: 0)
        var first = 0
        for length in 1..<16 {
            next[length] = first
            first = (first &+ counts[length]) &<< 1
        }
        symbols.visit { symbol in
            let length = codes[symbol].length
            // From the highest bit to the lowest.
            var code = UInt32(truncatingIfNeeded: next[Int(length)])
            code = code &>> 8 | (code & 0xFF) &<< 8
            code = code &>> 4 & 0x0F0F | (code & 0x0F0F) &<< 4
            code = code &>> 2 & 0x3333 | (code & 0x3333) &<< 2
            code = code &>> 1 & 0x5555 | (code & 0x5555) &<< 1
            codes[symbol].bits = UInt16(truncatingIfNeeded: code &>> UInt32(16 &- length))
            next[Int(length)] &+= 1
        }
    }
}

/// The description of a block's codes for the opener: their lengths, in runs, which have a code in turn. RFC 1951
/// §3.2.7.
struct CodeHeader: ~Copyable {
    private let letterCount: Int
    private let distanceCount: Int
    private var lengthCount = 19
    private let runs: LengthRuns
    private let codes: HuffmanCodes
    private(set) var bitCount = 14

    /// Those that seldom occur come last.
    private static let order: InlineArray<19, Int> = [
        16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
    ]

    init(of told: borrowing HuffmanCodes) {
        let lengths = told.codes.span
        let letterCount = told.symbols.letters.end
        self.letterCount = letterCount
        distanceCount = told.symbols.distances.end - DeflateSymbol.distances.lowerBound
        var runs = LengthRuns()
        // The current run's length, where it begins, and where it ends so far.
        var (length, start, end) = (0, 0, 0)
        told.symbols.visit { symbol in
            // The distances' lengths follow the letters' directly.
            let place =
                symbol < DeflateSymbol.distances.lowerBound
                ? symbol : symbol &- DeflateSymbol.distances.lowerBound &+ letterCount
            let next = Int(lengths[symbol].length)
            if next != length || place != end {
                runs.append(length, times: end &- start)
                runs.appendNone(times: place &- end)
                (length, start) = (next, place)
            }
            end = place &+ 1
        }
        runs.append(length, times: end &- start)
        codes = HuffmanCodes(ofLengths: runs.counts.span)
        let ofLengths = codes.codes.span
        while ofLengths[Self.order[lengthCount - 1]].length == 0 { lengthCount -= 1 }
        bitCount += 3 * lengthCount + runs.bits(by: ofLengths)
        self.runs = runs
    }

    func write(with writer: inout BitWriter, to bytes: inout MutableRawSpan) {
        writer.write(letterCount - 257, 5, to: &bytes)
        writer.write(distanceCount - 1, 5, to: &bytes)
        writer.write(lengthCount - 4, 4, to: &bytes)
        let (codes, runs) = (codes.codes.span, runs.runs.span)
        for place in 0..<lengthCount { writer.write(Int(codes[Self.order[place]].length), 3, to: &bytes) }
        for place in 0..<self.runs.count {
            let run = Int(runs[place] & 31)
            writer.write(codes[run], Int(runs[place] &>> 5), LengthRuns.extraCount(run), to: &bytes)
        }
    }
}

/// The lengths of codes in runs.
private struct LengthRuns {
    /// 0 to 15 is a length. 16 repeats the previous length, and 17 and 18 repeat "none". The bits from the sixth on
    /// give the number of times.
    private(set) var runs = InlineArray<320, UInt16>(repeating: 0)
    private(set) var count = 0
    /// How often each of the nineteen occurs.
    private(set) var counts = InlineArray<19, UInt32>(repeating: 0)

    /// The bits for the number of times.
    @inline(__always)
    static func extraCount(_ run: Int) -> Int { run < 16 ? 0 : run == 18 ? 7 : run &- 14 }

    /// The bits of all runs.
    func bits(by codes: Span<HuffmanCodes.Code>) -> Int {
        let counts = counts.span
        var bits = 0
        for run in counts.indices {
            bits &+= Int(counts[run]) &* (Int(codes[run].length) &+ Self.extraCount(run))
        }
        return bits
    }

    @inline(__always)
    private mutating func append(_ run: Int, _ extra: Int = 0) {
        counts[run] &+= 1
        runs[count] = UInt16(truncatingIfNeeded: run | extra &<< 5)
        count &+= 1
    }

    @inline(__always)
    mutating func append(_ length: Int, times: Int) {
        guard times > 0 else { return }
        append(length)
        var left = times &- 1
        while left >= 3 {
            let run = min(left, 6)
            append(16, run &- 3)
            left &-= run
        }
        while left > 0 {
            append(length)
            left &-= 1
        }
    }

    @inline(__always)
    mutating func appendNone(times: Int) {
        var left = times
        while left >= 11 {
            let run = min(left, 138)
            append(18, run &- 11)
            left &-= run
        }
        if left >= 3 {
            append(17, left &- 3)
            left = 0
        }
        while left > 0 {
            append(0)
            left &-= 1
        }
    }
}
