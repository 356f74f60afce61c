// Ours, and what a Swift application writes without it: JSONEncoder, swift-crypto's AES.GCM, base64. Usage:
// swift-peers CORPUS SECONDS; the seconds are for each file and direction. Prints one JSON line per peer and file.
import Foundation
import SealedCookie

#if canImport(Crypto)
    import Crypto
#endif

struct Protects: Encodable {
    var encrypted = true
    var signed = true
    var compressed = false
    var expires = false
}

struct Line: Encodable {
    var peer: String
    var version: String?
    var file: String
    var size: Int
    // swift-format-ignore: AlwaysUseLowerCamelCase
    var seal_ns, open_ns, seal_spread, open_spread, seal_p99_ns, open_p99_ns: Double
    var protects: Protects
}

struct Failure: Error {
    var what: String
}

let arguments = CommandLine.arguments
guard arguments.count == 3, let seconds = Double(arguments[2]) else { throw Failure(what: "CORPUS SECONDS") }
let corpus = URL(filePath: arguments[1])

/// The median of nanoseconds per call, and half the distance between the quartiles as a percentage of it.
func measure(_ work: () throws -> Void) throws -> (median: Double, spread: Double) {
    let batches = 7
    let clock = ContinuousClock()
    func batch(_ count: Int) throws -> Double {
        let start = clock.now
        for _ in 0..<count { try work() }
        let (seconds, attoseconds) = (clock.now - start).components
        return (Double(seconds) * 1e9 + Double(attoseconds) / 1e9) / Double(count)
    }
    _ = try batch(50)
    let count = try max(1, Int(seconds * 1e9 / Double(batches) / batch(50)))
    var samples: [Double] = []
    for _ in 0..<batches { samples.append(try batch(count)) }
    samples.sort()
    let median = samples[batches / 2]
    return (median, (samples[batches * 3 / 4] - samples[batches / 4]) / 2 / median * 100)
}

/// The time that 99 of 100 single calls stay below, by the wall clock.
func slowest(_ work: () throws -> Void) throws -> Double {
    let clock = ContinuousClock()
    let end = clock.now + .seconds(seconds)
    var samples: [Duration] = []
    repeat {
        let start = clock.now
        try work()
        samples.append(clock.now - start)
    } while clock.now < end
    samples.sort()
    let (seconds, attoseconds) = samples[samples.count * 99 / 100].components
    return Double(seconds) * 1e9 + Double(attoseconds) / 1e9
}

func report<Session: Codable & Hashable>(
    _ peer: String, _ file: String, _ session: Session, version: String?, protects: Protects,
    seal: (Session) throws -> String, open: (String) throws -> Session
) throws {
    let token = try seal(session)
    guard try open(token) == session else { throw Failure(what: "\(file): another session came back") }
    var changed = Array(token.utf8)
    changed[changed.count / 2] =
        changed[changed.count / 2] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
    guard (try? open(String(decoding: changed, as: UTF8.self))) == nil else {
        throw Failure(what: "\(file): a changed token was opened")
    }
    let sealing = try measure { _ = try seal(session) }
    let opening = try measure { _ = try open(token) }
    let line = Line(
        peer: peer, version: version, file: file, size: token.utf8.count, seal_ns: sealing.median,
        open_ns: opening.median, seal_spread: sealing.spread, open_spread: opening.spread,
        seal_p99_ns: try slowest { _ = try seal(session) }, open_p99_ns: try slowest { _ = try open(token) },
        protects: protects)
    try FileHandle.standardOutput.write(contentsOf: JSONEncoder().encode(line) + Data("\n".utf8))
}

let keys = try KeyRing([SealingKey.generate()])
let lifetime = SessionLifetime(absolute: .days(14), idle: .hours(12))
let version = ProcessInfo.processInfo.environment["SWIFT_CRYPTO_VERSION"]

func peers<Session: Codable & Hashable & Sendable>(_ file: String, _: Session.Type) throws {
    let json = try Data(contentsOf: corpus.appending(path: file + ".json"))
    let session = try JSONDecoder().decode(Session.self, from: json)
    guard
        let typed = try JSONSerialization.jsonObject(with: JSONEncoder().encode(session)) as? NSDictionary,
        typed == (try JSONSerialization.jsonObject(with: json) as? NSDictionary)
    else { throw Failure(what: "\(file): the type leaves something out") }

    let sealer = try CookieSealer<Session>(keys: keys, lifetime: lifetime)
    try report(
        "SealedCookie", file, session, version: nil, protects: Protects(compressed: true, expires: true),
        seal: { try sealer.seal($0).cookies[0].value },
        open: { try sealer.open(value: $0).session })

    #if canImport(Crypto)
        let key = SymmetricKey(size: .bits256)
        func seal(_ session: Session, _ encoder: JSONEncoder) throws -> String {
            guard let box = try AES.GCM.seal(encoder.encode(session), using: key).combined else {
                throw Failure(what: "a nonce of another length")
            }
            return box.base64EncodedString()
        }
        func open(_ token: String, _ decoder: JSONDecoder) throws -> Session {
            guard let box = Data(base64Encoded: token) else { throw Failure(what: "not base64") }
            return try decoder.decode(
                Session.self, from: AES.GCM.open(AES.GCM.SealedBox(combined: box), using: key))
        }
        try report(
            "JSONEncoder made per call + swift-crypto", file, session, version: version, protects: Protects(),
            seal: { try seal($0, JSONEncoder()) }, open: { try open($0, JSONDecoder()) })
        let (encoder, decoder) = (JSONEncoder(), JSONDecoder())
        try report(
            "JSONEncoder reused + swift-crypto", file, session, version: version, protects: Protects(),
            seal: { try seal($0, encoder) }, open: { try open($0, decoder) })
    #endif
}

for name in try FileManager.default.contentsOfDirectory(atPath: corpus.path).sorted() {
    let file = String(name.dropLast(".json".count))
    switch file {
    case "a_tiny": try peers(file, Tiny.self)
    case "b_login": try peers(file, Login.self)
    case "c_oauth": try peers(file, OAuth.self)
    case "d_cart": try peers(file, Cart.self)
    case "e_i18n": try peers(file, Profile.self)
    case "f_wizard": try peers(file, Wizard.self)
    case "g_flags": try peers(file, Flags.self)
    case "h_random": try peers(file, Blob.self)
    default: throw Failure(what: "\(name): no type in Sessions.swift")
    }
}
