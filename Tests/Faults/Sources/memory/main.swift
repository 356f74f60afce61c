// Loads a ring, seals and opens, lets go of everything, and looks for what is left. memory.py says what must not be.
//
//     memory SOURCE RING TOKEN NEEDLES [OTHER-RING]
//
// SOURCE is from where the ring comes. Says for each needle how often it stands in memory: at the start, while
// the ring is in use, and at the end.
import CMemory
import Foundation
import Glibc
import SealedCookie

struct Note: Codable, Sendable {
    /// Bytes, which are not compressed: as they are in the payload they can be found.
    var note: Data
}

/// Pieces of what is looked for, each bit turned over, by name.
struct Needle {
    let name: String
    let pieces: [UInt64]

    /// `name hexadecimal-digits`, turned over already.
    init?(_ line: String) {
        let fields = line.split(separator: " ")
        guard fields.count == 2 else { return nil }
        name = String(fields[0])
        let digits = Array(fields[1])
        let bytes = stride(from: 0, to: digits.count, by: 2).compactMap {
            UInt8(String(digits[$0..<$0 + 2]), radix: 16)
        }
        // Eight bytes each: what is freed loses its first bytes to the allocator, and the rest stays.
        pieces = stride(from: 0, through: bytes.count - 8, by: 8).map { start in
            UInt64(littleEndian: bytes[start..<start + 8].reversed().reduce(0) { $0 << 8 | UInt64($1) })
        }
    }
}

/// Looks for needles, in places set up before: what a call leaves on the stack or in freed memory would
/// not outlast an allocation.
final class Scan {
    private let needles: [Needle]
    private let pieces: [UInt64]
    private var found: [Int]
    private var kinds: [Int32]

    init(_ needles: [Needle]) {
        self.needles = needles
        pieces = needles.flatMap(\.pieces)
        found = Array(repeating: 0, count: pieces.count)
        kinds = Array(repeating: 0, count: pieces.count)
    }

    @inline(__always) func run() {
        guard memory_scan(pieces, pieces.count, &found, &kinds) == 0 else { exit(1) }
    }

    func tell(_ stage: String) {
        var start = 0
        for needle in needles {
            let range = start..<start + needle.pieces.count
            start = range.upperBound
            let kind = kinds[range].reduce(0, |)
            let places = ["heap", "stack", "anonymous", "file"].enumerated().filter {
                kind & 1 << $0.offset != 0
            }
            print(
                stage, needle.name, found[range].reduce(0, +),
                places.map(\.element).joined(separator: ","), separator: "\t")
        }
    }
}

func scan(_ stage: String, _ needles: [Needle]) {
    let scan = Scan(needles)
    scan.run()
    scan.tell(stage)
}

let arguments = CommandLine.arguments
guard arguments.count >= 5 else { exit(64) }
let (source, ringPath, tokenPath) = (arguments[1], arguments[2], arguments[3])
let now = Date(timeIntervalSince1970: 1_785_715_200)

/// A ring from its text, in a string that is wiped after.
func ring(ofTextIn path: String, _ needles: [Needle]) throws -> KeyRing {
    var count = 0
    guard let bytes = memory_read(path, &count) else { throw CocoaError(.fileReadUnknown) }
    let buffer = UnsafeRawBufferPointer(start: bytes, count: count)
    var text = String(decoding: buffer, as: UTF8.self)
    memory_wipe(bytes, count)
    defer {
        // The caller's part: the library cannot reach this string.
        text.withUTF8 { memory_wipe(UnsafeMutableRawPointer(mutating: $0.baseAddress), $0.count) }
    }
    scan("given", needles)
    return try KeyRing(parsing: text)
}

/// A ring from an environment variable, which is wiped after.
func ring(ofEnvironmentWith path: String, _ needles: [Needle]) throws -> KeyRing {
    var count = 0
    guard let bytes = memory_read(path, &count) else { throw CocoaError(.fileReadUnknown) }
    setenv("RING", bytes, 1)
    memory_wipe(bytes, count)
    defer { if let value = getenv("RING") { memory_wipe(value, strlen(value)) } }
    scan("given", needles)
    return try KeyRing(environment: "RING")
}

@inline(never) func use(_ sealer: CookieSealer<Note>, _ token: String, _ needles: [Needle]) throws {
    let scan = Scan(needles)
    var refusal: OpenError?
    do throws(OpenError) {
        _ = try sealer.open(value: token, at: now)
    } catch {
        refusal = error
    }
    scan.run()
    scan.tell("opened")
    print("outcome", refusal.map { "\($0)" } ?? "opened", separator: "\t")
    let sealed = try sealer.seal(Note(note: Data()), at: now)
    print("sealed", sealed.cookies[0].value, separator: "\t")
}

@inline(never) func work(_ needles: inout [Needle]) throws {
    var followed: KeyRingFile?
    let lifetime = SessionLifetime(absolute: .days(14))
    let sealer: CookieSealer<Note>
    var token = try String(contentsOfFile: tokenPath, encoding: .utf8)
    token = token.trimmingCharacters(in: .whitespacesAndNewlines)
    switch source {
    case "followed":
        let file = try KeyRingFile(ringPath)
        followed = file
        sealer = try CookieSealer(keys: file, lifetime: lifetime, compression: .off)
    case "text":
        sealer = try CookieSealer(
            keys: ring(ofTextIn: ringPath, needles), lifetime: lifetime, compression: .off)
    case "environment":
        sealer = try CookieSealer(
            keys: ring(ofEnvironmentWith: ringPath, needles), lifetime: lifetime, compression: .off)
    default:
        sealer = try CookieSealer(keys: KeyRing(contentsOf: ringPath), lifetime: lifetime, compression: .off)
    }
    try use(sealer, token, needles)
    if source == "changed" {
        // Written twice: new, and changed under the lock; and merged, which compares keys.
        let path = ringPath + ".new"
        try sealer.keys.create(at: path)
        try KeyRing.update(at: path) { (ring) throws(KeyRingError) in
            try ring.merged(with: KeyRing(contentsOf: ringPath)).rotated(
                activeFrom: now.addingTimeInterval(3600)
            )
            .ring
        }
    }
    fflush(nil)
    // For the token just sealed its key, by whoever started this.
    while let line = readLine(), let needle = Needle(line) { needles.append(needle) }
    scan("alive", needles)
    if let followed, arguments.count > 5 {
        // The ring that takes its place has another key.
        guard rename(arguments[5], ringPath) == 0 else { exit(1) }
        try followed.reload()
        try use(sealer, token, needles)
        scan("replaced", needles)
    }
}

var needles = try String(contentsOfFile: arguments[4], encoding: .utf8).split(separator: "\n").compactMap {
    Needle(String($0))
}
scan("start", needles)
do {
    try work(&needles)
} catch {
    print("failed", error, separator: "\t")
    exit(1)
}
scan("end", needles)
