// The attacker: writes a text into the session, sees one number, and guesses digit by digit.
import Foundation

struct SplitMix: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }
}

let digits = Array("0123456789abcdef")

func hexSecret(_ random: inout SplitMix) -> String {
    String((0..<32).map { _ in digits[Int(random.next() % 16)] })
}

/// Counts the requests to a codec.
final class Oracle {
    private let ask: (String) throws -> Int
    private(set) var queries = 0

    init(_ ask: @escaping (String) throws -> Int) {
        self.ask = ask
    }

    func callAsFunction(_ text: String) throws -> Int {
        queries += 1
        return try ask(text)
    }
}

struct Attacker {
    let oracle: Oracle
    let prefix: String
    /// The contents of a dictionary: as close as the secret, but not secret.
    private let known: String
    /// Texts next to the guess: a right guess saves less than a byte, which must show in one of them.
    private let fillers: [String]
    private let count: Int
    /// How many guesses are followed up at a time.
    private static let width = 4
    /// The least length of a filler: the size of DEFLATE's trees then hardly depends on the guess.
    private static let shortest = 60

    init(oracle: Oracle, prefix: String, known: String, alignments: Int, digits count: Int, seed: UInt64) {
        self.oracle = oracle
        self.prefix = prefix
        self.known = known
        self.count = count
        var random = SplitMix(state: seed)
        // Made of characters that a guess does not have, and that do not compress.
        let alphabet = Array("GHIJKLMNOPQRSTUVWXYZghijklmnopqrstuvwyz!$%&()*+-./;<=>?@[]^_{|}")
        fillers = (0..<alignments).map { _ in
            String((0..<5000).map { _ in alphabet[Int(random.next() % UInt64(alphabet.count))] })
        }
    }

    /// The text of a guess. Every other time only its end: if a match gets a longer code, a digit's saving may just
    /// not show.
    private func text(_ guess: String, _ number: Int) -> String {
        // Followed by something that follows no digit of the secret.
        (number % 2 == 1 && guess.count > 8 ? String(guess.suffix(9)) : prefix + guess) + "~"
    }

    // MARK: Where lengths are seen

    /// The sum of the lengths with a guess, after one filler after the other.
    private func score(_ guess: String) throws -> Int {
        try fillers.enumerated().reduce(0) { sum, filler in
            sum
                + (try oracle(
                    filler.element.prefix(Self.shortest + 7 * filler.offset) + text(guess, filler.offset)))
        }
    }

    // MARK: Where only a threshold is seen

    /// For each filler, the length that just passes a threshold with some guess.
    private func marks(like known: String, _ limit: Int) throws -> [Int?] {
        try fillers.enumerated().map { number, filler in
            let wrong = text(known + "0", number)
            let base = try oracle(filler.prefix(Self.shortest) + wrong)
            var (low, high) = (Self.shortest, Self.shortest + limit)
            guard try oracle(filler.prefix(high) + wrong) > base else { return nil }
            while high - low > 1 {
                let middle = (low + high) / 2
                if try oracle(filler.prefix(middle) + wrong) > base { high = middle } else { low = middle }
            }
            return high
        }
    }

    /// The approximate mark at which a guess passes the threshold: the shorter its cookie, the later.
    private func score(_ guess: String, at marks: [Int?]) throws -> Int {
        try zip(fillers, marks).enumerated().reduce(0) { sum, element in
            let (number, pair) = element
            guard let mark = pair.1 else { return sum }
            return try (-2...1).reduce(sum) { sum, step in
                sum + (try oracle(pair.0.prefix(mark + step) + text(guess, number)))
            }
        }
    }

    // MARK: The search

    private func score(_ guess: String, _ marks: [Int?]?) throws -> Int {
        guard let marks else { return try score(guess) }
        return try score(guess, at: marks)
    }

    /// The best guess at the first digits of the secret.
    ///
    /// - Parameter limit: The length of a filler that certainly passes the threshold; nil: lengths are seen.
    func search(_ limit: Int?) throws -> String {
        var beam = [""]
        for _ in 0..<count {
            // The same measure for all that are compared.
            let marks: [Int?]? = try limit.map { limit in try self.marks(like: beam[0], limit) }
            var next: [(guess: String, score: Int)] = []
            for known in beam {
                for digit in digits {
                    let guess = known + String(digit)
                    next.append((guess, try score(guess, marks)))
                }
            }
            beam = next.sorted { $0.score < $1.score }.prefix(Self.width).map(\.guess)
        }
        return beam.first { !known.contains($0) } ?? beam[0]
    }

    /// With all earlier digits known, how many wrong digits seem better than the right one; equal ones count half.
    func ranks(_ secret: String, _ limit: Int?) throws -> [Double] {
        try (0..<count).map { position in
            let known = String(secret.prefix(position))
            let marks: [Int?]? = try limit.map { limit in try self.marks(like: known, limit) }
            let scores = try digits.map { try score(known + String($0), marks) }
            let right = scores[digits.firstIndex(of: Array(secret)[position]) ?? 0]
            let (better, equal) = (scores.count { $0 < right }, scores.count { $0 == right } - 1)
            return Double(better) + Double(equal) / 2
        }
    }
}

/// Texts that an attacker might choose: guesses right and wrong, repeated, cut, and noise.
func chosenTexts(_ secret: String, _ count: Int) throws -> [String] {
    var random = SplitMix(state: 99)
    return (0..<count).map { number in
        let length = Int(random.next() % 33)
        let guess = number % 2 == 0 ? secret : hexSecret(&random)
        let front = ["csrfx ", "csrf", #""csrf":""#, "", "dcsrf", "search"][Int(random.next() % 6)]
        let one = front + guess.prefix(length)
        return String(repeating: one, count: 1 + Int(random.next() % 3))
            + String(repeating: "-", count: Int(random.next() % 9))
    }
}
