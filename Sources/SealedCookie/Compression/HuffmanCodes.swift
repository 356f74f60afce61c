// Prefix codes, fixed or made for a text, and their description for the opener. RFC 1951 §3.2.2, §3.2.6 and §3.2.7.

/// A code for each symbol that has one.
struct HuffmanCodes {
    struct Code {
        /// The bits as they are written: the first one lowest.
        var bits: UInt16 = 0
        /// 0: the symbol does not occur.
        var length: UInt8 = 0
    }

    private(set) var codes = InlineArray<320, Code>(repeating: Code())

    /// The fixed codes of RFC 1951 §3.2.6. All streams share them, so they need no description.
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

    /// No symbol has a code.
    init() {}

    /// The shortest codes for a text in which symbols have these frequencies.
    init(_ counts: Span<UInt32>) {
        setLengths(DeflateSymbol.letters, counts, longest: 15)
        setLengths(DeflateSymbol.distances, counts, longest: 15)
    }

    /// The shortest codes for the lengths of other codes.
    init(ofLengths counts: Span<UInt32>) { setLengths(0..<19, counts, longest: 7) }

    /// Huffman's algorithm for the symbols of `range` that occur. There must be at least two: a single code would not
    /// be complete.
    private mutating func setLengths(_ range: Range<Int>, _ counts: Span<UInt32>, longest: UInt32) {
        // The rarest first; each has its symbol in the lowest bits.
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
        // Shell's sort: it needs no memory, and is fast for so few elements.
        for gap in [23, 10, 4, 1] {
            var place = gap
            while place < count {
                let leaf = leaves[place]
                var hole = place
                while hole >= gap, leaves[hole &- gap] > leaf {
                    leaves[hole] = leaves[hole &- gap]
                    hole &-= gap
                }
                leaves[hole] = leaf
                place &+= 1
            }
        }
        // The leaves, followed by the nodes above them, each in order of weight. So the lightest node without a
        // parent is the first such leaf or the first such node.
        var weights = InlineArray<572, UInt32>(repeating: 0)
        var parents = InlineArray<572, UInt16>(repeating: 0)
        let root = 2 * count - 2
        var halvings: UInt32 = 0
        repeat {
            for leaf in 0..<count { weights[leaf] = max(1, leaves[leaf] >> (9 + halvings)) }
            var (leaf, inner, node) = (0, count, count)
            while node <= root {
                weights[node] = 0
                for _ in 0..<2 {
                    var child = inner
                    if leaf < count, inner == node || weights[leaf] <= weights[inner] {
                        child = leaf
                        leaf &+= 1
                    } else {
                        inner &+= 1
                    }
                    weights[node] &+= weights[child]
                    parents[child] = UInt16(truncatingIfNeeded: node)
                }
                node &+= 1
            }
            // From the root down, weights become depths.
            weights[root] = 0
            node = root
            while node > 0 {
                node &-= 1
                weights[node] = weights[Int(parents[node])] &+ 1
            }
            // If a code would be too long, bringing the weights closer together makes it shorter.
            halvings += 1
        } while weights[0] > longest
        for leaf in 0..<count { codes[Int(leaves[leaf] & 511)].length = UInt8(weights[leaf]) }
        setBits(range)
    }

    /// RFC 1951 §3.2.2: the lengths determine the codes. Shorter codes come first, then they are ordered by symbol.
    private mutating func setBits(_ range: Range<Int>) {
        var next = InlineArray<16, UInt16>(repeating: 0)
        for symbol in range { next[Int(codes[symbol].length)] &+= 1 }
        var first: UInt16 = 0
        for length in 1...15 { (next[length], first) = (first, (first &+ next[length]) &<< 1) }
        for symbol in range where codes[symbol].length > 0 {
            let length = Int(codes[symbol].length)
            // From the highest bit to the lowest.
            var code = next[length].byteSwapped
            code = code &>> 4 & 0x0F0F | (code & 0x0F0F) &<< 4
            code = code &>> 2 & 0x3333 | (code & 0x3333) &<< 2
            code = code &>> 1 & 0x5555 | (code & 0x5555) &<< 1
            codes[symbol].bits = code &>> UInt16(truncatingIfNeeded: 16 &- length)
            next[length] &+= 1
        }
    }
}

/// The description of a block's codes for the opener: their lengths, in runs, which have a code in turn. RFC 1951
/// §3.2.7.
struct CodeHeader {
    private var letterCount = DeflateSymbol.letters.upperBound
    private var distanceCount = DeflateSymbol.distances.count
    private var lengthCount = 19
    /// 0 to 15 is a length. 16 repeats the previous length, and 17 and 18 repeat "none". The bits from the sixth on
    /// give the number of times.
    private var runs = InlineArray<320, UInt16>(repeating: 0)
    private var runCount = 0
    private var codes = HuffmanCodes()
    private(set) var bitCount = 14

    /// Those that seldom occur come last.
    private static let order: InlineArray<19, Int> = [
        16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
    ]

    init(of told: borrowing HuffmanCodes) {
        let told = told.codes.span
        while told[letterCount - 1].length == 0 { letterCount -= 1 }
        while told[DeflateSymbol.distances.lowerBound + distanceCount - 1].length == 0 { distanceCount -= 1 }
        var counts = InlineArray<19, UInt32>(repeating: 0)
        func append(_ run: Int, _ extra: Int = 0) {
            counts[run] &+= 1
            runs[runCount] = UInt16(truncatingIfNeeded: run | extra &<< 5)
            runCount &+= 1
        }
        // The distances' lengths follow the letters' directly.
        let gap = DeflateSymbol.distances.lowerBound - letterCount
        var place = 0
        while place < letterCount + distanceCount {
            let length = told[place < letterCount ? place : place &+ gap].length
            let start = place
            repeat {
                place &+= 1
            } while place < letterCount &+ distanceCount
                && told[place < letterCount ? place : place &+ gap].length == length
            var left = place &- start
            if length > 0 {
                append(Int(length))
                left &-= 1
            }
            while left >= 3 {
                let run = min(left, length > 0 ? 6 : 138)
                if length > 0 {
                    append(16, run - 3)
                } else if run < 11 {
                    append(17, run - 3)
                } else {
                    append(18, run - 11)
                }
                left &-= run
            }
            for _ in 0..<left { append(Int(length)) }
        }
        codes = HuffmanCodes(ofLengths: counts.span)
        let lengths = codes.codes.span
        while lengths[Self.order[lengthCount - 1]].length == 0 { lengthCount -= 1 }
        bitCount += 3 * lengthCount
        for run in counts.indices {
            bitCount += Int(counts[run]) * (Int(lengths[run].length) + Self.extraCount(run))
        }
    }

    private static func extraCount(_ run: Int) -> Int { run < 16 ? 0 : run == 18 ? 7 : run - 14 }

    func write(with writer: inout BitWriter, to bytes: inout MutableRawSpan) {
        writer.write(letterCount - 257, 5, to: &bytes)
        writer.write(distanceCount - 1, 5, to: &bytes)
        writer.write(lengthCount - 4, 4, to: &bytes)
        let (codes, runs) = (codes.codes.span, runs.span)
        for place in 0..<lengthCount { writer.write(Int(codes[Self.order[place]].length), 3, to: &bytes) }
        for place in 0..<runCount {
            let run = Int(runs[place] & 31)
            writer.write(codes[run], to: &bytes)
            writer.write(Int(runs[place] >> 5), Self.extraCount(run), to: &bytes)
        }
    }
}
