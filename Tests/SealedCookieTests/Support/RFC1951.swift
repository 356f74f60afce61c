// An inflater written from RFC 1951 alone, to judge streams by. It also reports what a stream was made of.

/// The contents of a stream.
struct RFC1951 {
    private(set) var bytes: [UInt8] = []
    /// The numbers of blocks that are stored, have the fixed codes, and have their own codes.
    private(set) var blocks = [0, 0, 0]
    private(set) var lengths: Set<Int> = []
    private(set) var distanceSymbols: Set<Int> = []
    /// Bytes of the stream.
    private(set) var consumed = 0

    struct Broken: Error {
        let what: String
    }

    private var bit = 0

    /// - Throws: `Broken` for what the RFC does not allow. That includes an incomplete code, unless it is of one
    ///   distance.
    init(_ stream: [UInt8], after dictionary: [UInt8] = []) throws {
        var isLast = false
        while !isLast {
            isLast = try take(1, of: stream) == 1
            let kind = try take(2, of: stream)
            guard kind < 3 else { throw Broken(what: "block type 3") }
            blocks[kind] += 1
            switch kind {
            case 0: try store(stream)
            case 1: try decode(stream, Self.fixedLetters, Self.fixedDistances, dictionary)
            default:
                let (letters, distances) = try codes(stream)
                try decode(stream, letters, distances, dictionary)
            }
        }
        consumed = (bit + 7) / 8
    }

    /// §3.1.1: numbers begin with their lowest bit.
    private mutating func take(_ count: Int, of stream: [UInt8]) throws -> Int {
        var value = 0
        for place in 0..<count {
            guard bit >> 3 < stream.count else { throw Broken(what: "ends early") }
            value |= Int(stream[bit >> 3] >> UInt8(bit & 7) & 1) << place
            bit += 1
        }
        return value
    }

    /// §3.2.4.
    private mutating func store(_ stream: [UInt8]) throws {
        bit = (bit + 7) & ~7
        let count = try take(16, of: stream)
        guard try take(16, of: stream) == ~count & 0xFFFF else { throw Broken(what: "a stored length") }
        for _ in 0..<count { bytes.append(UInt8(try take(8, of: stream))) }
    }

    /// §3.2.2: a code by its lengths.
    private struct Code {
        /// How many codes there are of each length, and their symbols, shortest first.
        var counts = [Int](repeating: 0, count: 16)
        var symbols: [Int] = []
        /// The codes of length 15 that are left over; below 0: too many.
        var left = 1 << 15

        init(_ lengths: [Int]) {
            for length in lengths where length > 0 {
                counts[length] += 1
                left -= 1 << (15 - length)
            }
            for length in 1...15 { symbols += lengths.indices.filter { lengths[$0] == length } }
        }
    }

    /// §3.2.6.
    private static let fixedLetters = Code((0..<288).map { $0 < 144 ? 8 : $0 < 256 ? 9 : $0 < 280 ? 7 : 8 })
    private static let fixedDistances = Code([Int](repeating: 5, count: 30))

    private mutating func symbol(_ stream: [UInt8], _ code: Code) throws -> Int {
        var (value, first, index) = (0, 0, 0)
        for length in 1...15 {
            // Codes begin with their highest bit.
            value |= try take(1, of: stream)
            let count = code.counts[length]
            if value - first < count { return code.symbols[index + value - first] }
            index += count
            first = (first + count) << 1
            value <<= 1
        }
        throw Broken(what: "a code that is none")
    }

    /// §3.2.7.
    private mutating func codes(_ stream: [UInt8]) throws -> (Code, Code) {
        let letterCount = try take(5, of: stream) + 257
        let distanceCount = try take(5, of: stream) + 1
        let count = try take(4, of: stream) + 4
        guard letterCount <= 286, distanceCount <= 30 else { throw Broken(what: "too many codes") }
        var order = [Int](repeating: 0, count: 19)
        for place in [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15].prefix(count) {
            order[place] = try take(3, of: stream)
        }
        let code = Code(order)
        guard code.left == 0 else { throw Broken(what: "the code of lengths is not complete") }
        var lengths: [Int] = []
        while lengths.count < letterCount + distanceCount {
            let run = try symbol(stream, code)
            switch run {
            case 16:
                guard let last = lengths.last else { throw Broken(what: "nothing to repeat") }
                lengths += [Int](repeating: last, count: 3 + (try take(2, of: stream)))
            case 17: lengths += [Int](repeating: 0, count: 3 + (try take(3, of: stream)))
            case 18: lengths += [Int](repeating: 0, count: 11 + (try take(7, of: stream)))
            default: lengths.append(run)
            }
        }
        guard lengths.count == letterCount + distanceCount, lengths[256] > 0 else {
            throw Broken(what: "lengths")
        }
        let letters = Code(Array(lengths[..<letterCount]))
        let distances = Code(Array(lengths[letterCount...]))
        guard letters.left == 0, distances.left == 0 || distances.symbols.count == 1 && distances.left > 0
        else {
            throw Broken(what: "a code is not complete")
        }
        return (letters, distances)
    }

    /// §3.2.5, with its tables as printed there.
    private static let lengthBases = [
        3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163,
        195, 227,
        258,
    ]
    private static let lengthBits = [
        0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
    ]
    private static let distanceBases = [
        1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073,
        4097,
        6145, 8193, 12289, 16385, 24577,
    ]
    private static let distanceBits = [
        0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13,
    ]

    private mutating func decode(
        _ stream: [UInt8], _ letters: Code, _ distances: Code, _ dictionary: [UInt8]
    ) throws {
        while true {
            let letter = try symbol(stream, letters)
            if letter < 256 {
                bytes.append(UInt8(letter))
                continue
            }
            guard letter > 256 else { return }
            guard letter < 286 else { throw Broken(what: "a length symbol") }
            let length =
                Self.lengthBases[letter - 257] + (try take(Self.lengthBits[letter - 257], of: stream))
            let symbol = try symbol(stream, distances)
            let distance = Self.distanceBases[symbol] + (try take(Self.distanceBits[symbol], of: stream))
            guard distance <= bytes.count + dictionary.count else { throw Broken(what: "too far back") }
            lengths.insert(length)
            distanceSymbols.insert(symbol)
            for _ in 0..<length {
                let place = bytes.count - distance
                bytes.append(place < 0 ? dictionary[dictionary.count + place] : bytes[place])
            }
        }
    }
}
