// Ours against the floor: only the C calls, on the same bytes, in the same run.
//
//     sealed-cookie-bench CORPUS [--json FILE] [--quick]
//     sealed-cookie-bench CORPUS --loop seal|open|floor-seal|floor-open|response|request SESSION MODE COUNT
//                                                                                          for profilers
//     sealed-cookie-bench CORPUS --loop codable typed - COUNT
import CFloor
import Foundation
import SealedCookie

let arguments = CommandLine.arguments
guard arguments.count > 1, !arguments[1].hasPrefix("-") else {
    FileHandle.standardError.write(Data("usage: sealed-cookie-bench CORPUS [--json FILE] [--quick]\n".utf8))
    exit(64)
}
let isQuick = arguments.contains("--quick")
let jsonPath = arguments.firstIndex(of: "--json").flatMap {
    arguments.indices.contains($0 + 1) ? arguments[$0 + 1] : nil
}

let keys = try KeyRing([SealingKey.generate()])
let policy = SessionLifetime(absolute: .days(14), idle: .hours(12))
let now = Date(timeIntervalSince1970: 1_790_000_100)
let limits = CookieLimits(nameAndValue: 16_384, attributeValue: 1024)
/// As long as the real one: "SealedCookie", header, `__Host-session` and no purpose.
let aad = [UInt8](repeating: 1, count: 8 + 8 + 12 + 8 + 4 + 8 + 14 + 8)
let dictionary = CompressionDictionary.standard.bytes

/// OpenSSL or zlib does not return what the floor needs.
struct NoFloor: Error {}

struct Row: Codable {
    struct Side: Codable {
        /// Nanoseconds: ours, its spread in percent, the floor's.
        let ns, spread, floor: Double
        let ratio: Double
        /// Heap allocations of ours.
        let allocations, allocatedBytes: Double
    }
    let name, mode: String
    let item, token, cookie: Int
    let seal, open: Side
}

struct Stage: Codable {
    let name: String
    let ns: Double
}

struct Report: Codable {
    var rows: [Row] = []
    /// The floor's parts for b_login.
    var stages: [Stage] = []
    /// Throughput with two threads divided by that with one.
    var twoThreads: [String: Double] = [:]
    let mode: String
}

/// Allocations of one run of `work`, averaged over many after a first one.
func allocations(_ work: () throws -> Void) rethrows -> (Double, Double) {
    let times = 200
    try work()
    var before: (UInt64, UInt64) = (0, 0)
    var after: (UInt64, UInt64) = (0, 0)
    floor_allocations(&before.0, &before.1)
    for _ in 0..<times { try work() }
    floor_allocations(&after.0, &after.1)
    return (Double(after.0 - before.0) / Double(times), Double(after.1 - before.1) / Double(times))
}

/// What the floor seals in the same way as `token` was sealed.
struct FloorWork {
    let floor: OpaquePointer
    let skeleton, contents: [UInt8]
    let isCompressed: Bool
    /// A stream that did not become smaller was tried anyway.
    let isTried: Bool
    var text = [CChar](repeating: 0, count: 32_768)
    var item = [UInt8](repeating: 0, count: 65_536)
    var token: [CChar] = []

    init(_ session: EncodedSession, mode: String) throws {
        guard let floor = floor_new([UInt8](repeating: 7, count: 32)) else { throw NoFloor() }
        self.floor = floor
        var (skeleton, contents) = divided(session.bytes)
        let usesDictionary = mode == "standard"
        if usesDictionary {
            precondition(
                dictionary.withUnsafeBufferPointer { floor_set_dictionary(floor, $0.baseAddress, $0.count) }
                    == 1)
        }
        isTried = mode != "off"
        isCompressed =
            isTried && floor_deflate(floor, skeleton, skeleton.count, &item, skeleton.count - 1) > 0
        if !isCompressed { (skeleton, contents) = (session.bytes, []) }
        self.skeleton = skeleton
        self.contents = contents
        let count = seal()
        token = Array(text[..<count])
    }

    @discardableResult mutating func seal() -> Int {
        if isTried, !isCompressed {
            floor_deflate(floor, skeleton, skeleton.count, &item, skeleton.count - 1)
        }
        return floor_seal(
            floor, skeleton, skeleton.count, contents, contents.count, isCompressed ? 1 : 0, aad, aad.count,
            &text)
    }

    mutating func open() {
        floor_open(floor, token, token.count, isCompressed ? 1 : 0, aad, aad.count, &item, 65_536)
    }
}

/// An item's skeleton and the contents of its byte strings (FORMAT §6.2).
func divided(_ item: [UInt8]) -> ([UInt8], [UInt8]) {
    var (skeleton, contents) = ([UInt8](), [UInt8]())
    var (position, left) = (0, 1)
    while left > 0 {
        let (start, head) = (position, item[position])
        position += 1
        var argument = Int(head & 31)
        if argument >= 24, argument <= 27 {
            let count = 1 << (argument - 24)
            argument = item[position..<position + count].reduce(0) { $0 << 8 | Int(truncatingIfNeeded: $1) }
            position += count
        }
        left -= 1
        switch head >> 5 {
        case 2:
            skeleton += item[start..<position]
            contents += item[position..<position + argument]
            position += argument
            continue
        case 3: position += argument
        case 4: left += argument
        case 5: left += 2 * argument
        case 6: left += 1
        default: break
        }
        skeleton += item[start..<position]
    }
    return (skeleton, contents)
}

func compression(_ mode: String) -> SessionCompression {
    switch mode {
    case "off": .off
    case "plain": .withoutDictionary
    default: .standard
    }
}

@MainActor func row<Session: Codable & Sendable>(
    _ name: String, _ mode: String, _ session: Session, _ encoded: EncodedSession
) throws -> Row {
    let sealer = try CookieSealer<Session>(
        keys: keys, lifetime: policy, limits: limits, compression: compression(mode))
    let token = try sealer.seal(session, at: now).cookies[0].value
    var floor = try FloorWork(encoded, mode: mode)
    let timings = try measure(
        [
            Work(name: "seal") { for _ in 0..<$0 { _ = try sealer.seal(session, at: now) } },
            Work(name: "floor seal") { for _ in 0..<$0 { floor.seal() } },
            Work(name: "open") { for _ in 0..<$0 { _ = try sealer.open(value: token, at: now) } },
            Work(name: "floor open") { for _ in 0..<$0 { floor.open() } },
        ], rounds: isQuick ? 15 : 61, milliseconds: isQuick ? 1 : 3)
    func side(_ ours: Int, _ work: () throws -> Void) rethrows -> Row.Side {
        let (count, bytes) = try allocations(work)
        return Row.Side(
            ns: timings[ours].median, spread: timings[ours].spread, floor: timings[ours + 1].median,
            ratio: timings[ours].ratio(to: timings[ours + 1]), allocations: count, allocatedBytes: bytes)
    }
    return Row(
        name: name, mode: mode, item: encoded.bytes.count, token: token.utf8.count, cookie: floor.token.count,
        seal: try side(0) { _ = try sealer.seal(session, at: now) },
        open: try side(2) { _ = try sealer.open(value: token, at: now) })
}

/// A session's item.
func item<Session: Codable & Sendable>(_ session: Session) throws -> EncodedSession {
    let token = try CookieSealer<Session>(keys: keys, lifetime: policy, limits: limits).seal(session, at: now)
        .cookies[0].value
    return try EncodedSession(
        CookieSealer<EncodedSession>(keys: keys, lifetime: policy, limits: limits).open(value: token, at: now)
            .session.bytes)
}

func fixed(_ value: Double, _ digits: Int, _ width: Int) -> String {
    let text = String(format: "%.\(digits)f", value)
    return String(repeating: " ", count: max(0, width - text.count)) + text
}

@MainActor func show(_ row: Row) {
    print(
        "| \(row.name) | \(row.mode) | \(row.token) |\(fixed(row.seal.ns, 0, 7)) |\(fixed(row.seal.spread, 0, 3)) |\(fixed(row.seal.ratio, 2, 5)) |"
            + "\(fixed(row.open.ns, 0, 7)) |\(fixed(row.open.spread, 0, 3)) |\(fixed(row.open.ratio, 2, 5)) |"
            + " \(fixed(row.seal.allocations, 1, 4)) / \(fixed(row.open.allocations, 1, 4)) |"
            + " \(fixed(row.seal.allocatedBytes, 0, 5)) / \(fixed(row.open.allocatedBytes, 0, 5)) |")
}

/// Does one thing many times, for a profiler to watch.
@MainActor func loop(_ work: String, _ name: String, _ mode: String, _ count: Int) throws {
    func run<Session: Codable & Sendable>(_ session: Session) throws {
        let sealer = try CookieSealer<Session>(
            keys: keys, lifetime: policy, limits: limits, compression: compression(mode))
        let token = try sealer.seal(session, at: now).cookies[0].value
        var floor = try FloorWork(item(session), mode: mode)
        let header = "theme=dark; __Host-session=\(token); consent=yes; lang=en-US"
        for _ in 0..<count {
            floor_mark()
            switch work {
            case "seal": _ = try sealer.seal(session, at: now)
            case "open": _ = try sealer.open(value: token, at: now)
            case "floor-seal": floor.seal()
            // With the lines of a response, and from the header of a request.
            case "response": _ = try sealer.seal(session, at: now).headerValues
            case "request": _ = try sealer.open(cookieHeader: header, at: now)
            default: floor.open()
            }
        }
        floor_mark()
    }
    if work == "codable" {
        let ready = ReadyDecoder(session: User.sample)
        for _ in 0..<count { _ = try User(from: ready) }
    } else if name == "typed" {
        try run(User.sample)
    } else if name == "struct" {
        let file = URL(filePath: arguments[1]).appending(path: "b_login.json")
        try run(JSONDecoder().decode(Login.self, from: Data(contentsOf: file)))
    } else {
        let file = URL(filePath: arguments[1]).appending(path: name + ".json")
        try run(item(JSONDecoder().decode(JSON.self, from: Data(contentsOf: file))))
    }
}
if let position = arguments.firstIndex(of: "--loop"), arguments.count > position + 4,
    let count = Int(arguments[position + 4])
{
    try loop(arguments[position + 1], arguments[position + 2], arguments[position + 3], count)
    exit(0)
}

var report = Report(mode: isQuick ? "quick" : "full")
print(
    "| session | compression | token | seal ns | ± % | × floor | open ns | ± % | × floor | allocations | bytes |"
)
print("|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|")
let corpus = URL(filePath: arguments[1])
var login: EncodedSession?
/// The JSON files of a folder, in the order of their names.
func files(_ folder: URL) throws -> [URL] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".json") }.sorted()
        .map { folder.appending(path: $0) }
}
func name(_ file: URL) -> String { file.deletingPathExtension().lastPathComponent }
for mode in ["standard", "off"] {
    for file in try files(corpus) {
        let encoded = try item(JSONDecoder().decode(JSON.self, from: Data(contentsOf: file)))
        if name(file) == "b_login" { login = encoded }
        report.rows.append(try row(name(file), mode, encoded, encoded))
        show(report.rows[report.rows.count - 1])
    }
}
// Small sessions as other frameworks have them.
let small = try files(corpus.deletingLastPathComponent().appending(path: "sessions"))
for file in small {
    let encoded = try item(JSONDecoder().decode(JSON.self, from: Data(contentsOf: file)))
    report.rows.append(try row(name(file), "standard", encoded, encoded))
    show(report.rows[report.rows.count - 1])
}
let user = User.sample
report.rows.append(try row("typed", "standard", user, try item(user)))
show(report.rows[report.rows.count - 1])
let loginFile = corpus.appending(path: "b_login.json")
let typedLogin = try JSONDecoder().decode(Login.self, from: Data(contentsOf: loginFile))
report.rows.append(try row("b_login, a struct", "standard", typedLogin, try item(typedLogin)))
show(report.rows[report.rows.count - 1])

// The part that is Codable's own.
let ready = ReadyDecoder(session: user)
let codable = try measure([Work(name: "Codable") { for _ in 0..<$0 { _ = try User(from: ready) } }])
print(
    "\nCodable alone, to decode the typed session from values at hand, ns: \(fixed(codable[0].median, 0, 0))")

// The floor's stages, for a login session.
if let login {
    let floor = try FloorWork(login, mode: "standard")
    let state = floor.floor
    var (out, text) = ([UInt8](repeating: 0, count: 65_536), [CChar](repeating: 0, count: 65_536))
    let nonce = [UInt8](repeating: 3, count: 24)
    let streamCount = floor_deflate(state, floor.skeleton, floor.skeleton.count, &out, floor.skeleton.count)
    let stream = Array(out[..<streamCount])
    let payload = streamCount + floor.contents.count + 7
    var box = [UInt8](repeating: 0, count: payload + 16)
    let sealed = box
    let timings = try measure(
        [
            Work(name: "DEFLATE") {
                for _ in 0..<$0 {
                    floor_deflate(state, floor.skeleton, floor.skeleton.count, &out, floor.skeleton.count)
                }
            },
            Work(name: "random bytes") { for _ in 0..<$0 { floor_random(state, &out) } },
            Work(name: "XAES, encrypt") {
                for _ in 0..<$0 { floor_encrypt(state, nonce, aad, aad.count, &box, payload) }
            },
            Work(name: "base64url, encode") {
                for _ in 0..<$0 { floor_base64_encode(sealed, payload + 40 - 24, &text) }
            },
            Work(name: "base64url, decode") {
                for _ in 0..<$0 { floor_base64_decode(floor.token, floor.token.count, &out) }
            },
            Work(name: "XAES, decrypt") {
                for _ in 0..<$0 { floor_decrypt(state, nonce, aad, aad.count, &box, payload) }
            },
            Work(name: "INFLATE") {
                for _ in 0..<$0 { floor_inflate(state, stream, stream.count, &out, 65_536) }
            },
        ], rounds: isQuick ? 5 : 21, milliseconds: 3)
    report.stages = timings.map { Stage(name: $0.name, ns: $0.median) }
    print(
        "\nThe floor's stages for b_login, ns: "
            + report.stages.map { "\($0.name) \(fixed($0.ns, 0, 0))" }.joined(separator: ", "))

    // Two threads.
    let sealer = try CookieSealer<EncodedSession>(keys: keys, lifetime: policy, limits: limits)
    let token = try sealer.seal(login, at: now).cookies[0].value
    func throughput(_ threads: Int, _ work: @escaping @Sendable () throws -> Void) -> Double {
        let count = isQuick ? 20_000 : 60_000
        let group = DispatchGroup()
        let time = ContinuousClock().measure {
            for _ in 0..<threads {
                group.enter()
                Thread.detachNewThread {
                    for _ in 0..<count { try? work() }
                    group.leave()
                }
            }
            group.wait()
        }
        return Double(threads * count)
            / (Double(time.components.seconds) + Double(time.components.attoseconds) / 1e18)
    }
    for (name, work) in [
        ("seal", { @Sendable in _ = try sealer.seal(login, at: now) }),
        ("open", { @Sendable in _ = try sealer.open(value: token, at: now) }),
    ] as [(String, @Sendable () throws -> Void)] {
        let ratios = (0..<(isQuick ? 3 : 9)).map { _ in throughput(2, work) / throughput(1, work) }
        report.twoThreads[name] = ratios.sorted()[ratios.count / 2]
    }
    print(
        "Two threads, throughput over one: "
            + report.twoThreads.sorted { $0.key < $1.key }.map { "\($0.key) \(fixed($0.value, 2, 0))" }
            .joined(separator: ", "))
}
// The project's own targets, compared with this run.
@MainActor func goal(_ goal: String, _ bound: Double, _ cases: [(String, Double)]) {
    let missed = cases.filter { $0.1 > bound }
    let shown = (missed.isEmpty ? cases.max { $0.1 < $1.1 }.map { [$0] } ?? [] : missed)
        .map { "\($0.0) \(fixed($0.1, 2, 0))" }.joined(separator: ", ")
    print(
        "- **\(missed.isEmpty ? "met" : "missed")**: \(goal). \(missed.isEmpty ? "Closest" : "Not so"): \(shown)"
    )
}
let rows = report.rows
func chosen(_ names: [String], _ mode: String = "standard") -> [Row] {
    rows.filter { names.contains($0.name) && $0.mode == mode }
}
func ratios(_ rows: [Row], _ side: KeyPath<Row, Row.Side>) -> [(String, Double)] {
    rows.map { ($0.name, ($0[keyPath: side].ratio * 100).rounded() / 100) }
}
/// Nanoseconds beyond the floor.
func beyond(_ rows: [Row], _ sides: KeyPath<Row, Row.Side>...) -> [(String, Double)] {
    rows.flatMap { row in
        sides.map {
            ("\(row.name) \($0 == \Row.seal ? "seal" : "open")", row[keyPath: $0].ns - row[keyPath: $0].floor)
        }
    }
}
print("")
goal("b_login seals in 0.42 × the floor", 0.42, ratios(chosen(["b_login"]), \.seal))
goal("a_tiny seals in 0.45 × the floor", 0.45, ratios(chosen(["a_tiny"]), \.seal))
goal("each of ten small sessions seals in 0.5 × the floor", 0.5, ratios(chosen(small.map(name)), \.seal))
goal(
    "over 2 KB sealing takes no longer than the floor, and so than with zlib's compressor", 1,
    ratios(chosen(["c_oauth", "f_wizard", "h_random"]), \.seal))
goal(
    "b_login as a struct seals in 0.75 × the floor, half of what it took with zlib's compressor", 0.75,
    ratios(chosen(["b_login, a struct"]), \.seal))
goal("the typed session seals in 0.75 × the floor", 0.75, ratios(chosen(["typed"]), \.seal))
goal("the typed session opens in 2.5 × the floor", 2.5, ratios(chosen(["typed"]), \.open))
goal(
    "a_tiny and b_login open in 250 ns more than the floor", 250,
    beyond(chosen(["a_tiny", "b_login"]), \.open))
goal(
    "without compression 250 ns more than the floor, each way", 250,
    beyond(rows.filter { $0.mode == "off" }, \.seal, \.open))
goal(
    "one allocation a seal and one an open of the corpus", 1,
    rows.filter { !["typed", "b_login, a struct"].contains($0.name) }.map {
        ("\($0.name) \($0.mode)", max($0.seal.allocations, $0.open.allocations))
    })
goal(
    "one thread's time is at most 1 / 1.9 of two threads' for the same work", 1 / 1.9,
    report.twoThreads.sorted { $0.key < $1.key }.map { ($0.key, 1 / $0.value) })

if let jsonPath {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    try encoder.encode(report).write(to: URL(filePath: jsonPath))
}
