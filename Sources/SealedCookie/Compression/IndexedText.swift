// An index of every three bytes of a text, to find what it repeats. RFC 1951 §4.

/// A text's positions by a hash of the three bytes there, in lists with the latest position first.
struct TripleIndex: Sendable {
    /// First the latest position of each list, then for each position the previous one in its list. Positions count
    /// from 1; 0 means none.
    private var places: [UInt16] = []
    private var bits: UInt32 = 6

    /// Runs `body` with a text whose lists are still empty.
    @inline(__always)
    mutating func with<Result>(_ text: Span<UInt8>, _ body: (TextInMemory) -> Result) -> Result {
        // More lists than bytes, so that most have at most one position. A small text has little to clear.
        bits = UInt32(min(max(6, Int.bitWidth + 1 - text.count.leadingZeroBitCount), 13))
        let (lists, bits) = (1 << Int(bits), bits)
        if places.count < lists + text.count {
            places = [UInt16](repeating: 0, count: lists + text.count)
        }
        return unsafe text.withUnsafeBufferPointer { text in
            unsafe places.withUnsafeMutableBufferPointer { places in
                for list in 0..<lists { unsafe places[list] = 0 }
                return body(unsafe TextInMemory(text, places, bits: bits))
            }
        }
    }

    /// Runs `body` with a text whose positions are in the lists.
    @inline(__always)
    func with<Result>(indexed text: [UInt8], _ body: (TextInMemory) -> Result) -> Result {
        unsafe text.withUnsafeBufferPointer { text in
            unsafe places.withUnsafeBufferPointer { places in
                body(unsafe TextInMemory(text, UnsafeMutableBufferPointer(mutating: places), bits: bits))
            }
        }
    }
}

/// A dictionary, whose index is created once.
struct IndexedText: Sendable {
    let bytes: [UInt8]
    private var index = TripleIndex()

    static let empty = IndexedText([])

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        index.with(bytes.span) { text in
            var place = 0
            while place < text.triples {
                text.insert(place, text.hash(at: place))
                place += 1
            }
        }
    }

    @inline(__always)
    func with<Result>(_ body: (TextInMemory) -> Result) -> Result { index.with(indexed: bytes, body) }
}

/// A text and its lists. Bounds are only checked in a debug build: these loops take most of the time for compression.
@safe struct TextInMemory {
    // Sound: a position is below `triples` or was inserted, and lengths end with the shorter text.
    private let bytes: UnsafeBufferPointer<UInt8>
    private let places: UnsafeMutableBufferPointer<UInt16>
    private let bits: UInt32
    var count: Int { unsafe bytes.count }
    /// The number of positions, from the first, that have three bytes.
    var triples: Int { count &- 2 }

    @unsafe init(
        _ bytes: UnsafeBufferPointer<UInt8>, _ places: UnsafeMutableBufferPointer<UInt16>, bits: UInt32
    ) {
        unsafe (self.bytes, self.places, self.bits) = (bytes, places, bits)
    }

    @inline(__always)
    func hash(at place: Int) -> UInt32 {
        unsafe (UInt32(bytes[place]) | UInt32(bytes[place &+ 1]) &<< 8 | UInt32(bytes[place &+ 2]) &<< 16)
            &* 0x9E37_79B1
    }

    @inline(__always)
    private func list(_ hash: UInt32) -> Int { Int(truncatingIfNeeded: hash &>> (32 &- bits)) }

    /// The latest position with this hash, counted from 1; 0 if there is none.
    @inline(__always)
    func latest(_ hash: UInt32) -> Int { unsafe Int(places[list(hash)]) }

    private var earlier: Int { 1 &<< Int(truncatingIfNeeded: bits) &- 1 }

    @inline(__always)
    func insert(_ place: Int, _ hash: UInt32) {
        let list = list(hash)
        unsafe places[earlier &+ place &+ 1] = places[list]
        unsafe places[list] = UInt16(truncatingIfNeeded: place &+ 1)
    }

    /// The positions that are tried for one match. zlib's level 9 tries 4,096, which saves a byte in a thousand. With
    /// this limit, text that begins alike everywhere takes only linear time.
    private static let effort = 32

    /// Replaces `match` by the match in this text that saves most, if it saves more.
    ///
    /// - Parameters:
    ///   - first: The latest position with the hash of the three bytes at which the match begins.
    ///   - input: The text that needs the match: this one, or one that begins `lead` bytes after it.
    @inline(__always)
    func improve(_ match: inout Match, _ first: Int, for input: TextInMemory, lead: Int) {
        var next = first
        let start = Int(match.start)
        let longest = min(258, input.count &- start)
        var length = Int(match.length)
        guard length < longest else { return }
        // A better match agrees with the text up to here, at least.
        var last = unsafe input.bytes[start &+ length]
        var effort = Self.effort
        repeat {
            let place = next &- 1
            next = unsafe Int(places[earlier &+ next])
            effort &-= 1
            guard place &+ length < count, unsafe bytes[place &+ length] == last else { continue }
            let distance = start &+ lead &- place
            guard distance <= 32_768 else { return }
            let common = countInCommon(place, with: input, start, atMost: min(longest, count &- place))
            guard common > length else { continue }
            // Farther away, a match must be longer to save more.
            let saving = 8 &* common &- 12 &- DeflateSymbol.distance(distance).extraCount
            guard saving > match.saving else { continue }
            match.length = Int32(truncatingIfNeeded: common)
            match.distance = Int32(truncatingIfNeeded: distance)
            match.saving = Int32(truncatingIfNeeded: saving)
            length = common
            guard length < longest else { return }
            last = unsafe input.bytes[start &+ length]
        } while next > 0 && effort > 0
    }

    /// How many bytes from `place` on equal those of `other` from `start` on.
    @inline(__always)
    private func countInCommon(_ place: Int, with other: TextInMemory, _ start: Int, atMost most: Int) -> Int
    {
        let (these, those) = unsafe (UnsafeRawBufferPointer(bytes), UnsafeRawBufferPointer(other.bytes))
        var count = 0
        while count &+ 8 <= most {
            let difference =
                unsafe these.loadUnaligned(fromByteOffset: place &+ count, as: UInt64.self)
                ^ those.loadUnaligned(fromByteOffset: start &+ count, as: UInt64.self)
            guard difference == 0 else {
                return count &+ difference.littleEndian.trailingZeroBitCount / 8
            }
            count &+= 8
        }
        while unsafe count < most && bytes[place &+ count] == other.bytes[start &+ count] { count &+= 1 }
        return count
    }
}
