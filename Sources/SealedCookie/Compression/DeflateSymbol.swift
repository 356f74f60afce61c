// Turns a text into the symbols of a DEFLATE block. RFC 1951 §3.2.5.

/// A letter, a length or a distance as it is written: a symbol, for which there is a code, and raw bits after it.
struct DeflateSymbol {
    /// 0 to 255: that letter. 256: the end. 257 to 285: a length. 288 to 317: a distance; the RFC counts these from
    /// 0.
    let number: Int
    let extra: Int
    let extraCount: Int

    static let letters = 0..<286
    static let distances = 288..<318

    @inline(__always)
    private init(_ number: Int) { (self.number, extra, extraCount) = (number, 0, 0) }

    /// RFC 1951's tables work like floating-point numbers. The position of the highest bit and the `kept` bits after
    /// it make up the symbol, and the remaining bits follow unchanged. Numbers with no remaining bits are their own
    /// symbols.
    @inline(__always)
    private init(_ value: Int, kept: Int, from first: Int) {
        extraCount = max(0, Int.bitWidth &- 1 &- kept &- (value | 1).leadingZeroBitCount)
        number = first &+ extraCount &<< kept &+ value &>> extraCount
        extra = value & (1 &<< extraCount &- 1)
    }

    @inline(__always)
    static func letter(_ byte: UInt8) -> Self { Self(Int(byte)) }

    static let end = Self(256)

    @inline(__always)
    static func length(_ length: Int) -> Self {
        // The greatest length has its own symbol.
        length == 258 ? Self(285) : Self(length &- 3, kept: 2, from: 257)
    }

    @inline(__always)
    static func distance(_ distance: Int) -> Self { Self(distance &- 1, kept: 1, from: distances.lowerBound) }

    /// The symbols that make up `input`, in order.
    ///
    /// - Parameter all: Whether to include dear matches.
    @inline(__always)
    static func forEach(of input: Span<UInt8>, _ matches: Span<Match>, all: Bool, _ body: (Self) -> Void) {
        var place = 0
        for index in matches.indices {
            let match = matches[index]
            if match.isDear, !all { continue }
            while place < match.start {
                body(.letter(input[place]))
                place &+= 1
            }
            body(.length(Int(match.length)))
            body(.distance(Int(match.distance)))
            place = match.end
        }
        while place < input.count {
            body(.letter(input[place]))
            place &+= 1
        }
        body(Self(256))
    }
}

/// The frequency of each symbol in a text, and the bits that it takes.
struct SymbolCounts {
    private(set) var counts = InlineArray<320, UInt32>(repeating: 0)
    /// For letters and lengths, and for distances.
    private var totals = InlineArray<2, Int>(repeating: 0)
    private var extraBits = 0
    /// The bits of a block with the fixed codes.
    private(set) var fixedBits = 3
    /// The approximate bits of a block with codes made for it: the entropy of its symbols, plus the description of
    /// the codes, which in sessions is about 5 bits a symbol.
    private(set) var estimatedBits = 3 + 30

    init(_ input: Span<UInt8>, _ matches: Span<Match>) {
        DeflateSymbol.forEach(of: input, matches, all: true) { symbol in
            counts[symbol.number] &+= 1
            extraBits &+= symbol.extraCount
        }
        fixedBits += extraBits
        estimatedBits += extraBits
        let fixed = HuffmanCodes.fixed.codes.span
        for (kind, symbols) in [DeflateSymbol.letters, DeflateSymbol.distances].enumerated() {
            var (all, bits) = (0, 0)
            for symbol in symbols where counts[symbol] > 0 {
                let count = Int(counts[symbol])
                all &+= count
                fixedBits &+= count &* Int(fixed[symbol].length)
                bits &-= count &* Self.logarithm(count)
                estimatedBits &+= 5
            }
            totals[kind] = all
            estimatedBits &+= (bits &+ all &* Self.logarithm(all)) / 256
        }
    }

    /// The binary logarithm in 256ths, rounded down to a line between powers of two. For 0 it is that of 1.
    @inline(__always)
    private static func logarithm(_ number: Int) -> Int {
        let whole = Int.bitWidth &- 1 &- (number | 1).leadingZeroBitCount
        return (whole &- 1) &<< 8 &+ ((number | 1) &<< 8) &>> whole
    }

    /// The bits of a block with these codes, without their description.
    func bits(by codes: borrowing HuffmanCodes) -> Int {
        let (counts, codes) = (counts.span, codes.codes.span)
        return counts.indices.reduce(3 + extraBits) { $0 + Int(counts[$1]) * Int(codes[$1].length) }
    }

    /// Marks the matches that take at least as many bits as their letters, going by each symbol's frequency, and
    /// counts their letters instead.
    ///
    /// - Returns: Whether there were any.
    mutating func replaceDear(_ matches: inout [Match], in input: Span<UInt8>) -> Bool {
        var isChanged = false
        // Longer ones are rarely dear, and checking them would take as long as finding them.
        for index in matches.indices where matches[index].length <= 4 && !matches[index].isDear {
            let match = matches[index]
            let length = DeflateSymbol.length(Int(match.length))
            let distance = DeflateSymbol.distance(Int(match.distance))
            let most = (letters: Self.logarithm(totals[0]), distances: Self.logarithm(totals[1]))
            var left = price(length, most.letters) &+ price(distance, most.distances)
            var place = Int(match.start)
            while left >= 0, place < match.end {
                left &-= price(.letter(input[place]), most.letters)
                place &+= 1
            }
            guard left >= 0 else { continue }
            (matches[index].isDear, isChanged) = (true, true)
            counts[length.number] -= 1
            counts[distance.number] -= 1
            totals[0] += Int(match.length) - 1
            totals[1] -= 1
            extraBits -= length.extraCount + distance.extraCount
            for place in Int(match.start)..<match.end { counts[Int(input[place])] += 1 }
        }
        return isChanged
    }

    /// The bits that a symbol takes, in 256ths: `most` if it occurs once.
    @inline(__always)
    private mutating func price(_ symbol: DeflateSymbol, _ most: Int) -> Int {
        most &- Self.logarithm(Int(counts[symbol.number])) &+ 256 &* symbol.extraCount
    }
}
