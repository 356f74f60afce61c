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

/// A set of symbols. A text has some sixty of the 316: it saves looking at the others.
struct SymbolSet {
    private var words = InlineArray<5, UInt64>(repeating: 0)

    /// Without the distances.
    var letters: Self {
        var letters = self
        letters.words[4] &= 0xFFFF_FFFF
        return letters
    }

    /// Without the letters.
    var distances: Self {
        var distances = Self()
        distances.words[4] = words[4] & ~0xFFFF_FFFF
        return distances
    }

    /// One more than the last symbol; 0 for an empty set.
    var end: Int {
        for word in words.indices.reversed() where words[word] > 0 {
            return word * 64 + 64 - words[word].leadingZeroBitCount
        }
        return 0
    }

    @inline(__always)
    mutating func insert(_ symbol: Int) {
        words[symbol &>> 6] |= 1 &<< UInt64(truncatingIfNeeded: symbol & 63)
    }

    mutating func remove(_ symbol: Int) {
        words[symbol &>> 6] &= ~(1 &<< UInt64(truncatingIfNeeded: symbol & 63))
    }

    mutating func formUnion(_ other: Self) {
        for word in words.indices { words[word] |= other.words[word] }
    }

    /// Calls `body` with each symbol, in ascending order.
    ///
    /// Not an iterator: with one, compressing with codes of a text's own takes 5 % more instructions.
    @inline(__always)
    func visit(_ body: (Int) -> Void) {
        for word in words.indices {
            var left = words[word]
            while left != 0 {
                body(word &<< 6 | left.trailingZeroBitCount)
                left &= left &- 1
            }
        }
    }
}

/// The frequency of each symbol in a text, and the bits that it takes.
struct SymbolCounts {
    private(set) var counts = InlineArray<320, UInt32>(repeating: 0)
    /// The symbols that occur.
    private(set) var symbols = SymbolSet()
    private var extraBits = 0
    /// The bits of a block with the fixed codes.
    private(set) var fixedBits = 3
    /// The approximate bits of a block with codes made for it: the entropy of its symbols, plus the description of
    /// the codes, which in sessions is about 5 bits a symbol.
    private(set) var estimatedBits = 3 + 30

    init(_ input: Span<UInt8>, _ matches: Span<Match>) {
        DeflateSymbol.forEach(of: input, matches, all: true) { symbol in
            counts[symbol.number] &+= 1
            symbols.insert(symbol.number)
            extraBits &+= symbol.extraCount
        }
        fixedBits += extraBits
        estimatedBits += extraBits
        addBits(of: symbols.letters)
        addBits(of: symbols.distances)
    }

    private mutating func addBits(of kind: SymbolSet) {
        var (all, bits) = (0, 0)
        kind.visit { symbol in
            let count = Int(counts[symbol])
            all &+= count
            fixedBits &+= count &* HuffmanCodes.fixedLength(of: symbol)
            bits &-= count &* Int(Self.logarithm(count))
            estimatedBits &+= 5
        }
        estimatedBits &+= (bits &+ all &* Int(Self.logarithm(all))) / 256
    }

    /// The bits of a block with the fixed codes, without counting.
    static func fixedBits(_ input: Span<UInt8>, _ matches: Span<Match>) -> Int {
        var bits = 3
        DeflateSymbol.forEach(of: input, matches, all: true) { symbol in
            bits &+= HuffmanCodes.fixedLength(of: symbol.number) &+ symbol.extraCount
        }
        return bits
    }

    /// The binary logarithm in 256ths, rounded down to a line between powers of two. For 0 it is that of 1.
    @inline(__always)
    private static func logarithm(_ number: Int) -> Int32 {
        let whole = Int.bitWidth &- 1 &- (number | 1).leadingZeroBitCount
        return Int32(truncatingIfNeeded: (whole &- 1) &<< 8 &+ ((number | 1) &<< 8) &>> whole)
    }

    /// The bits of a block with these codes, without their description.
    func bits(by codes: borrowing HuffmanCodes) -> Int {
        let (counts, codes) = (counts.span, codes.codes.span)
        var bits = 3 + extraBits
        symbols.visit { bits &+= Int(counts[$0]) &* Int(codes[$0].length) }
        return bits
    }

    /// Marks the matches that take at least as many bits as their letters, going by each symbol's frequency, and
    /// counts their letters instead.
    ///
    /// - Returns: Whether there were any.
    mutating func replaceDear(_ matches: inout [Match], in input: Span<UInt8>) -> Bool {
        let table = Self.prices(symbols, counts.span)
        let prices = table.span
        var isChanged = false
        // Longer ones are rarely dear, and checking them would take as long as finding them.
        for index in matches.indices where matches[index].length <= 4 && !matches[index].isDear {
            let match = matches[index]
            // Such a length has a symbol to itself.
            let length = 254 &+ Int(match.length)
            let distance = DeflateSymbol.distance(Int(match.distance))
            var left =
                prices[length] &+ prices[distance.number]
                &+ 256 &* Int32(truncatingIfNeeded: distance.extraCount)
            let letters = Int(match.start)..<match.end
            for place in letters { left &-= prices[Int(input[place])] }
            guard left >= 0 else { continue }
            (matches[index].isDear, isChanged) = (true, true)
            counts[length] -= 1
            counts[distance.number] -= 1
            if counts[length] == 0 { symbols.remove(length) }
            if counts[distance.number] == 0 { symbols.remove(distance.number) }
            extraBits -= distance.extraCount
            for place in letters {
                counts[Int(input[place])] += 1
                symbols.insert(Int(input[place]))
            }
        }
        return isChanged
    }

    /// The bits that each symbol takes, in 256ths. One that does not occur takes as many as one that occurs once.
    private static func prices(_ symbols: SymbolSet, _ counts: Span<UInt32>) -> InlineArray<320, Int32> {
        let (letters, distances) = (symbols.letters, symbols.distances)
        var all = (letters: 0, distances: 0)
        letters.visit { all.letters &+= Int(counts[$0]) }
        distances.visit { all.distances &+= Int(counts[$0]) }
        var prices = InlineArray<320, Int32>(repeating: logarithm(all.letters))
        letters.visit { prices[$0] &-= logarithm(Int(counts[$0])) }
        distances.visit { prices[$0] = logarithm(all.distances) &- logarithm(Int(counts[$0])) }
        return prices
    }
}
