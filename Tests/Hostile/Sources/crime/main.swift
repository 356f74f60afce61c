// CRIME: an attacker who chooses a part of a session and sees how long its cookie is learns the rest, if both are
// compressed together.
//
//     crime [--quick] [--only TEXT]
//
// The same attacks on a naive codec, which they break, and on this one. Exits with 1 if the naive one resists, or if
// anything is learned from ours.
import CHostile
import Foundation
import SealedCookie

let isQuick = CommandLine.arguments.contains("--quick")
let only = CommandLine.arguments.firstIndex(of: "--only").flatMap {
    CommandLine.arguments.indices.contains($0 + 1) ? CommandLine.arguments[$0 + 1] : nil
}
func isWanted(_ codec: Codec) -> Bool { only.map((codec.name + codec.sees).contains) ?? true }
var random = SplitMix(state: 20_260_803)
let secrets = (0..<(isQuick ? 1 : 2)).map { _ in hexSecret(&random) }
/// How much of a secret is attacked.
let digitCount = isQuick ? 12 : 32
let keys = try KeyRing([SealingKey.generate()])
var faults = 0

/// Written at once, even into a pipe: a run takes a while.
func line(_ text: String) { FileHandle.standardOutput.write(Data((text + "\n").utf8)) }

nonisolated func pad(_ text: String, _ width: Int) -> String {
    text.padding(toLength: width, withPad: " ", startingAt: 0)
}

line(
    """
    A 128-bit token in 32 hexadecimal digits beside a search term that the attacker chooses. He sees what is named.
    \(digitCount) digits are attacked; by chance the first is right in one run of 16, and the mean rank among 16 is 7.5.

    \(pad("codec", 48)) \(pad("what is seen", 22)) recovered   digits   rank  queries
    """)

/// Runs an attack on every secret and reports what it learned.
@MainActor func attack(_ codec: Codec, expectedToBreak: Bool) throws {
    var (recovered, digits, queries) = (0, 0, 0)
    var ranks: [Double] = []
    for secret in secrets {
        let oracle = Oracle { try codec.seen(secret, $0) }
        let attacker = Attacker(
            oracle: oracle, prefix: codec.prefix, known: Ours.dictionary, alignments: 8, digits: digitCount,
            seed: 7)
        let limit = codec.isThreshold ? codec.fillerLimit : nil
        let guess = try attacker.search(limit)
        queries += oracle.queries
        if secret.hasPrefix(guess) { recovered += 1 }
        digits += zip(guess, secret).prefix { $0 == $1 }.count
        ranks += try attacker.ranks(secret, limit)
    }
    let rank = ranks.reduce(0, +) / Double(ranks.count)
    // By chance the mean rank of n has a deviation of 4.61 / √n.
    let isBroken = recovered == secrets.count
    let isSilent =
        recovered == 0 && digits <= 2 * secrets.count
        && abs(rank - 7.5) < 4.61 * 4 / Double(ranks.count).squareRoot()
    let holds = expectedToBreak ? isBroken : isSilent
    if !holds { faults += 1 }
    let figures = String(
        format: "%4.1f   %5.2f  %7d", Double(digits) / Double(secrets.count), rank, queries / secrets.count)
    line(
        "\(pad(codec.name, 48)) \(pad(codec.sees, 22)) \(pad("\(recovered) of \(secrets.count)", 10)) \(figures)"
            + (holds ? "" : "  <-- NOT AS EXPECTED"))
}

let naive = [
    Naive.json(block: 1), Naive.json(block: 64), Naive.json(block: 256), Naive.jsonLimit(4096),
]
for codec in naive where isWanted(codec) { try attack(codec, expectedToBreak: true) }
line("")
// The same field as a plain String is compressed with the rest: this is what Secret is for.
for codec in try Ours.all(PlainSession.self, "String") where isWanted(codec) {
    try attack(codec, expectedToBreak: true)
}
line("")
let ours =
    try Ours.all(SecretSession.self, "Secret<String>") + Ours.all(DataSession.self, "Data")
for codec in isQuick ? Array(ours.prefix(6)) : ours where isWanted(codec) {
    try attack(codec, expectedToBreak: false)
}

// Stronger than any attack: whatever is chosen, the result is the same for every secret.
line("\nWhat is seen, for many chosen texts and for each of many secrets:\n")
let texts = try chosenTexts(secrets[0], isQuick ? 100 : 1000)
let many = (0..<(isQuick ? 8 : 32)).map { _ in hexSecret(&random) } + [String(repeating: "0", count: 32)]
for codec in naive.prefix(1) + (try Ours.all(PlainSession.self, "String")).prefix(1) + ours
    + (try Ours.all(UUIDSession.self, "UUID")) where isWanted(codec)
{
    var differing = 0
    for text in texts {
        let text = codec.isThreshold ? text + String(repeating: "~", count: codec.fillerLimit / 2) : text
        // Even if the text itself contains a guess at the first secret.
        let seen = Set(try ([secrets[0]] + many).map { try codec.seen($0, text) })
        if seen.count > 1 { differing += 1 }
    }
    let isOurs =
        codec.name.hasPrefix("ours") && !codec.name.contains("String,") || codec.name.contains("Secret")
    if isOurs != (differing == 0) { faults += 1 }
    line(
        "\(pad(codec.name, 48)) \(pad(codec.sees, 22)) \(differing) of \(texts.count) texts tell secrets apart"
            + (isOurs == (differing == 0) ? "" : "  <-- NOT AS EXPECTED"))
}
exit(faults == 0 ? 0 : 1)
