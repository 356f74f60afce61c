// Prefix codes, fixed or made for a text, and how an opener is told which. RFC 1951 §3.2.2, §3.2.6 and §3.2.7.

/// A code for each symbol that has one.
struct HuffmanCodes {
    struct Code {
        /// As they are written: the first one lowest.
        var bits: UInt16 = 0
        /// 0: the symbol does not occur.
        var length: UInt8 = 0
    }

    private(set) var codes = InlineArray<320, Code>(repeating: Code())

    /// RFC 1951 §3.2.6. Of all streams the same: nothing has to be told.
    static let fixed: Self = {
        var fixed = Self()
        for (range, length) in [(0..<144, 8), (144..<256, 9), (256..<280, 7), (280..<288, 8), (288..<320, 5)]
            as [(Range<Int>, UInt8)]
        {
            for symbol in range { fixed.codes[symbol].length = length }
        }
        fixed.setBits(0..<288)
        fixed.setBits(288..<320)
        return fixed
    }()

    /// No symbol has one.
    init() {}

    /// The shortest for a text in which symbols occur so often.
    init(_ counts: Span<UInt32>) {
        setLengths(DeflateSymbol.letters, counts, longest: 15)
        setLengths(DeflateSymbol.distances, counts, longest: 15)
    }

    /// The shortest for the lengths of other codes.
    init(ofLengths counts: Span<UInt32>) { setLengths(0..<19, counts, longest: 7) }

    /// Huffman's algorithm for the symbols of `range` that occur, two at least: a code of one would not be complete.
    private mutating func setLengths(_ range: Range<Int>, _ counts: Span<UInt32>, longest: UInt32) {
        // The rarest first; each with its symbol in the lowest bits.
        var leaves = InlineArray<286, UInt32>(repeating: 0)
        var count = 0
        for symbol in range where counts[symbol] > 0 {
            leaves[count] = counts[symbol] << 9 | UInt32(symbol)
            count += 1
        }
        for symbol in range.prefix(2) where count < 2 && counts[symbol] == 0 {
            leaves[count] = 1 << 9 | UInt32(symbol)
            count += 1
        }
        // Shell's sort: no memory, and fast for so few.
        for gap in [57, 23, 10, 4, 1] where gap < count {
            for place in gap..<count {
                let leaf = leaves[place]
                var hole = place
                while hole >= gap, leaves[hole - gap] > leaf {
                    leaves[hole] = leaves[hole - gap]
                    hole -= gap
                }
                leaves[hole] = leaf
            }
        }
        // The leaves and then the nodes above them, each in the order of their weights: the lightest node without a
        // parent is the first such leaf or the first such node.
        var weights = InlineArray<572, UInt32>(repeating: 0)
        var parents = InlineArray<572, UInt16>(repeating: 0)
        let root = 2 * count - 2
        var halvings: UInt32 = 0
        repeat {
            for leaf in 0..<count { weights[leaf] = max(1, leaves[leaf] >> (9 + halvings)) }
            var (leaf, inner) = (0, count)
            for node in count...root {
                weights[node] = 0
                for _ in 0..<2 {
                    let takesLeaf = leaf < count && (inner == node || weights[leaf] <= weights[inner])
                    let child = takesLeaf ? leaf : inner
                    if takesLeaf { leaf += 1 } else { inner += 1 }
                    weights[node] += weights[child]
                    parents[child] = UInt16(node)
                }
            }
            // From the root down, weights become depths.
            weights[root] = 0
            for node in (0..<root).reversed() { weights[node] = weights[Int(parents[node])] + 1 }
            // Where a code would be too long, nearer weights make it shorter.
            halvings += 1
        } while weights[0] > longest
        for leaf in 0..<count { codes[Int(leaves[leaf] & 511)].length = UInt8(weights[leaf]) }
        setBits(range)
    }

    /// RFC 1951 §3.2.2: the lengths say which codes these are. Shorter ones come first, then by the symbol.
    private mutating func setBits(_ range: Range<Int>) {
        var next = InlineArray<16, UInt16>(repeating: 0)
        for symbol in range { next[Int(codes[symbol].length)] += 1 }
        var first: UInt16 = 0
        for length in 1...15 { (next[length], first) = (first, (first + next[length]) << 1) }
        for symbol in range where codes[symbol].length > 0 {
            let length = Int(codes[symbol].length)
            // From the highest bit to the lowest.
            var code = next[length].byteSwapped
            for shift in [4, 2, 1] as [UInt16] {
                let low = UInt16.max / (1 << shift + 1)
                code = code >> shift & low | (code & low) << shift
            }
            codes[symbol].bits = code >> UInt16(16 - length)
            next[length] += 1
        }
    }
}

/// How an opener is told a block's codes: by their lengths, in runs, for which there is a code in turn.
struct CodeHeader {
    private var letterCount = DeflateSymbol.letters.upperBound
    private var distanceCount = DeflateSymbol.distances.count
    private var lengthCount = 19
    private var lengthCodes = HuffmanCodes()
    private(set) var bitCount = 14

    /// RFC 1951 §3.2.7: those that seldom occur come last.
    private static let order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]

    init(of codes: borrowing HuffmanCodes) {
        let codes = codes.codes.span
        while codes[letterCount - 1].length == 0 { letterCount -= 1 }
        while codes[DeflateSymbol.distances.lowerBound + distanceCount - 1].length == 0 { distanceCount -= 1 }
        var counts = InlineArray<19, UInt32>(repeating: 0)
        forEachRun(codes) { run, _, _ in counts[run] += 1 }
        lengthCodes = HuffmanCodes(ofLengths: counts.span)
        let lengths = lengthCodes.codes.span
        while lengths[Self.order[lengthCount - 1]].length == 0 { lengthCount -= 1 }
        bitCount += 3 * lengthCount
        forEachRun(codes) { run, _, extraCount in
            bitCount += Int(lengths[run].length) + extraCount
        }
    }

    func write(_ codes: borrowing HuffmanCodes, with writer: inout BitWriter, to bytes: inout MutableRawSpan) {
        writer.write(letterCount - 257, 5, to: &bytes)
        writer.write(distanceCount - 1, 5, to: &bytes)
        writer.write(lengthCount - 4, 4, to: &bytes)
        let lengths = lengthCodes.codes.span
        for length in Self.order.prefix(lengthCount) {
            writer.write(Int(lengths[length].length), 3, to: &bytes)
        }
        forEachRun(codes.codes.span) { run, extra, extraCount in
            writer.write(lengths[run], to: &bytes)
            writer.write(extra, extraCount, to: &bytes)
        }
    }

    /// The lengths in their order: 0 to 15 is one; 16 the one before, 17 and 18 none, as often as the extra bits say.
    @inline(__always)
    private func forEachRun(
        _ codes: Span<HuffmanCodes.Code>, _ body: (_ run: Int, _ extra: Int, _ extraCount: Int) -> Void
    ) {
        let count = letterCount + distanceCount
        func lengthAt(_ place: Int) -> Int {
            let symbol = place < letterCount ? place : DeflateSymbol.distances.lowerBound + place - letterCount
            return Int(codes[symbol].length)
        }
        var place = 0
        while place < count {
            let length = lengthAt(place)
            var left = 1
            while place + left < count, lengthAt(place + left) == length { left += 1 }
            place += left
            if length > 0 {
                body(length, 0, 0)
                left -= 1
            }
            while left >= 3 {
                let run = min(left, length > 0 ? 6 : 138)
                if length > 0 { body(16, run - 3, 2) } else if run < 11 { body(17, run - 3, 3) } else { body(18, run - 11, 7) }
                left -= run
            }
            for _ in 0..<left { body(length, 0, 0) }
        }
    }
}
