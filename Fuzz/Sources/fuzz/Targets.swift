// What libFuzzer calls: one program, whose target is the environment's FUZZ_TARGET.
//
// The library is built with its internals open (-enable-testing), so that a target can begin behind the tag.
import Foundation

@testable import SealedCookie

struct Target: Sendable {
    let name: String
    let run: @Sendable ([UInt8]) throws -> Void
}

/// Ends the run: libFuzzer keeps the input.
func require(_ condition: Bool, _ what: @autoclosure () -> String = "") {
    if !condition { fatalError("does not hold: \(what())") }
}

let key: SealingKey = {
    let bytes = (0..<32).map { UInt8($0) }
    guard let secret = try? SecretBytes.copy(of: bytes.span), let material = try? XAESKey(secret),
        let key = try? SealingKey(material: material, activeFrom: nil)
    else { fatalError("no key") }
    return key
}()

let now = Date(timeIntervalSince1970: 1_785_715_200)
let policy = SessionLifetime(absolute: .days(14))

func sealer<Session: Codable & Sendable>(_ type: Session.Type, _ splitting: CookieSplitting = .never)
    -> CookieSealer<Session>
{
    guard let ring = try? KeyRing([key]),
        let sealer = try? CookieSealer<Session>(
            "s", keys: ring, lifetime: policy,
            limits: CookieLimits(nameAndValue: 65_536, attributeValue: 1024), splitting: splitting)
    else { fatalError("no sealer") }
    return sealer
}

let trees = sealer(CBORValue.self)
let encoded = sealer(EncodedSession.self)
let typed = sealer(Everything.self)
let split = sealer(CBORValue.self, .upTo(4))

/// A type that reaches every way of decoding.
struct Everything: Codable, Equatable, Sendable {
    indirect enum Choice: Codable, Equatable, Sendable {
        case none
        case some(Int, label: String)
        case more(Choice)
    }
    var a: Int?
    var b: [String: Int]?
    var c: [Everything]?
    var d: Date?
    var e: Data?
    var f: Double?
    var g: Choice?
    var h: UUID?
    var i: URL?
    var j: Decimal?
    var k: [Int: String]?
    var l: Secret<[String]>?
    var m: Int128?
    var n: [Bool]?
    var o: Float?
    var p: UInt8?
}

/// A token with any plaintext.
func token(_ payload: [UInt8]) throws -> String {
    let bytes = [UInt8](repeating: 0, count: SealedBox.headerCount) + payload
    let box = try SealedBox(
        sealing: CompressedPayload(bytes: bytes, range: SealedBox.headerCount..<bytes.count), using: key,
        authenticating: TokenContext(name: "s", purpose: ""))
    return Token(box).text
}

let targets: [Target] = [
    // Anything as a token: never opens, for nobody has the key.
    Target(name: "token") { input in
        if (try? trees.open(value: String(decoding: input, as: UTF8.self), at: now)) != nil {
            fatalError("opened")
        }
        // With a valid header in front.
        let id = key.id.bytes
        let forged = [SealedBox.version, id.0, id.1, id.2] + input
        if (try? trees.open(value: Base64URL.encode(forged.span), at: now)) != nil { fatalError("opened") }
    },
    // Anything behind the tag.
    Target(name: "payload") { input in
        let text = try token(input)
        let tree = Result { try trees.open(value: text, at: now) }
        _ = try? typed.open(value: text, at: now)
        guard let tree = try? tree.get() else { return }
        // What opens seals again to the same item, and opens again.
        let again = try trees.reseal(tree, at: now)
        require(try trees.open(value: again.cookies[0].value, at: now).session == tree.session)
        let raw = try encoded.open(value: text, at: now).session
        require(
            try CBOREncoder.encode(tree.session).bytes == raw.bytes,
            "the item is not the one encoding of its value")
    },
    Target(name: "cbor-tree") { input in
        guard let index = try? CBORIndex(parsing: input) else { return }
        require(index.wholeItem.bytes == input)
        let value = CBORValue(index)
        require(try CBOREncoder.encode(value).bytes == input, "encodes to other bytes")
        let json = CBORJSON(value).text(pretty: false)
        require(
            try CBOREncoder.encode(CBORJSON(parsing: json).value).bytes == input,
            "its JSON is of another value")
    },
    Target(name: "cbor-typed") { input in
        guard let index = try? CBORIndex(parsing: input) else { return }
        if let value = try? CBORDecoder.decode(Everything.self, from: index) {
            let item = try CBOREncoder.encode(value)
            let again = try CBORDecoder.decode(Everything.self, from: CBORIndex(parsing: item.bytes))
            require(try CBOREncoder.encode(again).bytes == item.bytes, "does not come back equal")
        }
        _ = try? CBORDecoder.decode([String: Double].self, from: index)
        _ = try? CBORDecoder.decode([Int: [String]].self, from: index)
        _ = try? CBORDecoder.decode([Date].self, from: index)
    },
    // Cookie headers around a session in three cookies.
    Target(name: "cookie-header") { input in
        _ = try? split.open(cookieHeader: String(decoding: input, as: UTF8.self), at: now)
        guard input.count > 2 else { return }
        let cut = Int(input[0]) % input.count
        let (front, back) = (
            String(decoding: input[..<cut], as: UTF8.self), String(decoding: input[cut...], as: UTF8.self)
        )
        let header = front + ";" + sample.joined(separator: ";" + back + ";") + ";" + back
        if let found = try? split.open(cookieHeader: header, at: now) {
            require(found.session == sampleSession)
        }
    },
    Target(name: "ring") { input in
        guard let ring = try? KeyRing(parsing: String(decoding: input, as: UTF8.self)) else { return }
        let bytes = try ring.fileContents().withSpan { span in span.indices.map { span[$0] } }
        let again = try KeyRing(parsing: String(decoding: bytes, as: UTF8.self))
        require(again.entries == ring.entries, "does not come back equal")
        require(try ring.merged(with: ring).entries == ring.entries)
        require(!"\(ring)".contains("sck1_"))
        _ = try ring.pruned(lifetime: .seconds(1), at: now)
    },
    Target(name: "set-cookie") { input in
        let parts = input.split(separator: 0, omittingEmptySubsequences: false).map {
            String(decoding: $0, as: UTF8.self)
        }
        guard parts.count > 2, let ring = try? KeyRing([key]) else { return }
        let bits = input[0]
        let attributes = SetCookie.Attributes(
            path: parts[0], domain: bits & 1 == 0 ? nil : parts[1], isSecure: bits & 2 == 0,
            isHTTPOnly: bits & 4 == 0,
            sameSite: [.strict, .lax, .none, .lax][Int(bits >> 3 & 3)], isPartitioned: bits & 32 != 0,
            writesExpires: bits & 64 != 0)
        guard
            let sealer = try? CookieSealer<Int>(
                parts[2], keys: ring, lifetime: policy, attributes: attributes)
        else { return }
        let line = try sealer.seal(7, at: now).headerValues[0]
        // One line, as many attributes as were asked for, none that came out of a value.
        require(line.utf8.allSatisfy { (0x20...0x7E).contains($0) }, line)
        let names = line.split(separator: ";").dropFirst().map { $0.drop { $0 == " " }.prefix { $0 != "=" } }
        require(
            Set(names).count == names.count
                && Set(names).isSubset(of: [
                    "Path", "Domain", "Max-Age", "Expires", "Secure", "HttpOnly", "SameSite", "Partitioned",
                ]), line)
        require(try sealer.open(cookieHeader: String(line.prefix { $0 != ";" }), at: now)?.session == 7)
    },
    Target(name: "json") { input in
        guard let json = try? CBORJSON(parsing: Data(input)), let item = try? CBOREncoder.encode(json.value)
        else { return }
        require(try CBORIndex(parsing: item.bytes).wholeItem.bytes == item.bytes)
        let text = json.text(pretty: false)
        require(try CBOREncoder.encode(CBORJSON(parsing: text).value).bytes == item.bytes, "another value")
    },
    // DEFLATE both ways, with a dictionary and without.
    Target(name: "compression") { input in
        let item = CBORItem(bytes: [UInt8].head(input.count) + input, byteStrings: [])
        for compression in [SessionCompression.standard, .withoutDictionary, .off] {
            let times = SessionTimes(created: 1, age: 0, lifetime: nil)
            let payload = try CompressedPayload(
                compressing: SessionPayload(times: times, item: item), by: compression, headroom: 0,
                tailroom: 0)
            let body = try payload.decompressed(compression).item
            require(Array(body.bytes[body.item]) == item.bytes)
        }
    },
    // What is an item to this reader and not to Python's, or the other way: told by Tests/Python/fuzz_reader.py.
    Target(name: "differential") { input in
        require(
            ((try? CBORIndex(parsing: input)) != nil) == OtherReader.shared.takes(input),
            "the two readers disagree")
    },
]

extension [UInt8] {
    /// A text string's head, for bytes that need not be text.
    static func head(_ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(.text, UInt64(count))
        return bytes
    }
}

let sampleSession = CBORValue.bytes((0..<9000).map { UInt8(truncatingIfNeeded: $0 &* 31) })
let sample: [String] = {
    guard let ring = try? KeyRing([key]),
        let sealer = try? CookieSealer<CBORValue>("s", keys: ring, lifetime: policy, splitting: .upTo(4)),
        let sealed = try? sealer.seal(sampleSession, at: now)
    else { fatalError("no sample") }
    return sealed.cookies.filter { $0.maxAge != 0 }.map { "\($0.name)=\($0.value)" }
}()

/// The strict reader in Python, in a process that lives as long as this one.
final class OtherReader: @unchecked Sendable {
    static let shared = OtherReader()
    private let process = Process()
    private let (toIt, fromIt) = (Pipe(), Pipe())

    init() {
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [
            "python3", ProcessInfo.processInfo.environment["FUZZ_READER"] ?? "Tests/Python/fuzz_reader.py",
        ]
        process.standardInput = toIt
        process.standardOutput = fromIt
        do { try process.run() } catch { fatalError("no python3: \(error)") }
    }

    func takes(_ bytes: [UInt8]) -> Bool {
        let count = UInt32(bytes.count)
        let head = [
            UInt8(truncatingIfNeeded: count >> 24), UInt8(truncatingIfNeeded: count >> 16),
            UInt8(truncatingIfNeeded: count >> 8), UInt8(truncatingIfNeeded: count),
        ]
        toIt.fileHandleForWriting.write(Data(head + bytes))
        guard let answer = try? fromIt.fileHandleForReading.read(upToCount: 1)?.first else {
            fatalError("the reader has gone")
        }
        return answer == 1
    }
}

let chosen: Target = {
    let name = ProcessInfo.processInfo.environment["FUZZ_TARGET"] ?? ""
    guard let target = targets.first(where: { $0.name == name }) else {
        fatalError("FUZZ_TARGET is one of \(targets.map(\.name).joined(separator: " "))")
    }
    return target
}()

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    do {
        try chosen.run(Array(UnsafeBufferPointer(start: start, count: count)))
    } catch {
        fatalError("\(error)")
    }
    return 0
}
