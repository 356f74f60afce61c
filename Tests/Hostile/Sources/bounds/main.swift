// The cost of refusals: time and memory of each bomb, garbage against a good token, growth of valid input.
//
//     bounds CORPUS [--slack N] [--only TEXT] [--loop N]
//
// Exits with 1 if a bound is exceeded. --slack: allow N times the time, on a slower machine.
import CHostile
import Foundation
import SealedCookie

func argument(_ name: String) -> String? {
    CommandLine.arguments.firstIndex(of: name).flatMap {
        CommandLine.arguments.indices.contains($0 + 1) ? CommandLine.arguments[$0 + 1] : nil
    }
}
guard CommandLine.arguments.count > 1, !CommandLine.arguments[1].hasPrefix("-") else {
    FileHandle.standardError.write(Data("usage: bounds CORPUS [--slack N] [--only TEXT]\n".utf8))
    exit(64)
}
let corpus = CommandLine.arguments[1]
let slack = argument("--slack").flatMap(Double.init) ?? 1
let only = argument("--only")

// MARK: Bombs

print("Refused within 1 ms and 1 MiB:\n")
print("\(cell("", 58)) \("µs".padding(toLength: 9, withPad: " ", startingAt: 0))    KiB  refusal")
for bomb in try bombs() where only.map(bomb.name.contains) ?? true {
    var words = "OPENS"
    do { try bomb.run() } catch { words = "\(error)" }
    if let loop = argument("--loop").flatMap({ Int($0) }) { for _ in 0..<loop { try? bomb.run() } }
    let (microseconds, peak) = cost { try? bomb.run() }
    let isRefused = words.contains(bomb.refusal)
    let holds = isRefused && microseconds <= 1000 * slack && peak <= 1_048_576
    print(
        cell(bomb.name, 56), number(microseconds), number(Double(peak) / 1024), "", words.prefix(72),
        verdict(holds))
}

// MARK: What is valid

print(
    """

    Valid sessions as costly as can be, ring files and the command line's JSON: no more than their size demands.
    Four times as much may take twelve times as long (twice through for what is large, and caches), not sixteen:

    """)
print("\(cell("", 64)) µs: a quarter       all    growth       KiB")
for shape in try shapes() where only.map(shape.name.contains) ?? true {
    let small = try cost(5, shape.run(shape.count / 4))
    let large = try cost(5, shape.run(shape.count))
    let growth = large.microseconds / small.microseconds
    print(
        cell("\(shape.count) \(shape.name)", 68), number(small.microseconds), number(large.microseconds),
        number(growth, 1), number(Double(large.peak) / 1024), "",
        verdict(growth <= 12))
}

// MARK: What a visitor can make it cost

try costs(only, slack: slack)

// MARK: Garbage

if only == nil {
    try garbage(corpus)
}
if faults > 0 { print("\n\(faults) bounds do not hold") }
exit(faults == 0 ? 0 : 1)
