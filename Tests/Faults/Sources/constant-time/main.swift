// Runs what handles secrets under valgrind's memcheck, with the secrets marked as undefined: each branch and each
// address that depends on one is a report. It counts them and says where there are others than there should be.
//
//     valgrind constant-time [tables | ring FILE]
//
// `tables`: OpenSSL is made to use AES by tables, and must be caught at it. `ring`: reads a ring, for callgrind.
import CSecrets
import Foundation

@testable import SealedCookie

var failures = 0
let rounds = 20

/// Runs `body` and holds the number of reports in it against `expected`.
@MainActor func check(_ what: String, _ expected: ClosedRange<Int>, _ body: () throws -> Void) {
    let before = secrets_reports()
    do {
        try body()
    } catch {
        print("failed: \(what): \(error)")
        failures += 1
    }
    let count = secrets_reports() - before
    let isRight = expected.contains(count)
    if !isRight { failures += 1 }
    print("\(isRight ? "ok    " : "FAILED") \(count) reports: \(what)")
}

extension Span<UInt8> {
    func mark() { unsafe withUnsafeBytes { secrets_mark($0.baseAddress, $0.count) } }
    func publish() { unsafe withUnsafeBytes { secrets_publish($0.baseAddress, $0.count) } }
}

func published(_ flag: Bool) -> Bool {
    var flag = flag
    secrets_publish(&flag, 1)
    return flag
}

func secretKey(_ seed: UInt8) throws -> XAESKey {
    let bytes = (0..<32).map { seed &* 37 &+ UInt8($0) &* 11 }
    let secret = try SecretBytes.copy(of: bytes.span)
    secret.withSpan { $0.mark() }
    return XAESKey(secret)
}

func nonce(_ seed: UInt8) -> XAESNonce { XAESNonce((0..<24).map { seed &+ $0 }.span) }

guard secrets_are_checked() == 1 else {
    print("not under valgrind")
    exit(64)
}
if CommandLine.arguments.count == 3, CommandLine.arguments[1] == "ring" {
    let path = CommandLine.arguments[2]
    // Once before, for what is done but once.
    let first = try KeyRing(contentsOf: path)
    secrets_count()
    let second = try KeyRing(contentsOf: path)
    secrets_count()
    exit(first.keys.count == 1 && second.keys.count == 1 ? 0 : 1)
}
print(unsafe String(cString: secrets_processor()))
let data = Array("associated data".utf8)

if CommandLine.arguments.contains("tables") {
    check("control: AES by tables, 1 seal", 1...1_000_000) {
        let key = try secretKey(1)
        var bytes = [UInt8](repeating: 7, count: 316)
        var ciphers = try XAESCiphers(key)
        try ciphers.seal(&bytes, plaintext: 0..<300, nonce: nonce(1), associatedData: data.span)
    }
    exit(failures == 0 ? 0 : 1)
}

// MARK: Controls: what the check must see

let text = Array("BwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyAhIiMkJSY".utf8)
check("control: comparison that returns early", 1...32) {
    let (a, b) = ([UInt8](repeating: 1, count: 32), [UInt8](repeating: 1, count: 32))
    a.span.mark()
    _ = secrets_compare_early(a, b, 32) == 1
}
check("control: decoding by a table", 43...43) {
    let copy = text + []
    copy.span.mark()
    var sextets = [UInt8](repeating: 0, count: 43)
    _ = secrets_decode_by_table(copy, 43, &sextets)
}
check("control: the token's decoder, which is for what is not secret", 11...200) {
    let copy = text + []
    copy.span.mark()
    _ = Base64URL.decode(copy.span)
}

// MARK: Keys as text

check("a key's text decoded, \(rounds) times: whether it is a key", rounds...rounds) {
    for round in 0..<rounds {
        var copy = text
        for index in copy.indices.dropLast() { copy[index] = text[(index * 7 + round) % 42] }
        copy.span.mark()
        guard let secret = try Base64URL.decodeSecret(copy.span), secret.count == 32 else {
            throw NativeFailure(operation: "decodeSecret")
        }
    }
}
check("a text that is no key, \(rounds) times: whether it is a key", rounds...rounds) {
    for round in 0..<rounds {
        var copy = text
        copy[round * 2] = UInt8(ascii: "!")
        copy.span.mark()
        if try Base64URL.decodeSecret(copy.span) != nil { throw NativeFailure(operation: "decodeSecret") }
    }
}
check("a key's text written", 0...0) {
    for seed in 0..<rounds {
        let bytes = (0..<32).map { UInt8($0 * 5 + seed) }
        let secret = try SecretBytes.copy(of: bytes.span)
        secret.withSpan { $0.mark() }
        var line = try SecretBytes(capacity: 8)
        try secret.withSpan { (span) throws(NativeFailure) in try Base64URL.append(secret: span, to: &line) }
        guard line.count == 43 else { throw NativeFailure(operation: "append(secret:)") }
    }
}

// MARK: Keys

var keys: [XAESKey] = []
check("a key set up: its schedule, K1", 0...0) {
    for seed in 0..<UInt8(rounds) {
        keys.append(try secretKey(seed))
        _ = try XAESCiphers(keys[Int(seed)])
    }
}
check("a key's id", 0...0) {
    for key in keys {
        var id = try KeyID.derived(from: key)
        secrets_publish(&id, MemoryLayout<KeyID>.size)
    }
}
check("two keys compared", 0...0) {
    for seed in 0..<UInt8(rounds) {
        let (other, same) = (try secretKey(seed &+ 1), try secretKey(seed))
        guard published(keys[Int(seed)].holdsSameKey(as: same)),
            !published(keys[Int(seed)].holdsSameKey(as: other))
        else { throw NativeFailure(operation: "holdsSameKey") }
    }
}

// MARK: Tokens

let sizes = [1, 15, 16, 17, 100, 255, 256, 300, 1000, 3000]
var sealed: [[UInt8]] = []
check("sealed, \(sizes.count) sizes, key and plaintext secret", 0...0) {
    for (index, size) in sizes.enumerated() {
        var bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 * 3) }
        bytes.span.mark()
        bytes += [UInt8](repeating: 0, count: 16)
        var ciphers = try XAESCiphers(keys[index])
        try ciphers.seal(
            &bytes, plaintext: 0..<size, nonce: nonce(UInt8(index)), associatedData: data.span)
        // A token is anybody's.
        bytes.span.publish()
        sealed.append(bytes)
    }
}
check("opened, \(sizes.count) sizes: whether the tag verifies", sizes.count...sizes.count) {
    for (index, size) in sizes.enumerated() {
        var bytes = sealed[index]
        var ciphers = try XAESCiphers(keys[index])
        guard
            try ciphers.open(
                &bytes, ciphertext: 0..<size, nonce: nonce(UInt8(index)), associatedData: data.span)
        else { throw NativeFailure(operation: "open") }
        bytes.span.publish()
        guard bytes.prefix(size).enumerated().allSatisfy({ $1 == UInt8(truncatingIfNeeded: $0 * 3) }) else {
            throw NativeFailure(operation: "open")
        }
    }
}
check("refused, each byte of a tag changed: whether it verifies", 16...16) {
    for place in 0..<16 {
        var bytes = sealed[4]
        bytes[sizes[4] + place] ^= 1
        var ciphers = try XAESCiphers(keys[4])
        guard
            try !ciphers.open(&bytes, ciphertext: 0..<sizes[4], nonce: nonce(4), associatedData: data.span)
        else { throw NativeFailure(operation: "open") }
    }
}

// MARK: Contents of byte strings, which the compressor never sees

struct Account: Codable {
    var name = "Zoë, who has a name that can be compressed, compressed, compressed"
    var csrf = Data(0..<32)
    var id = UUID()
    var note = Secret("secret text that is kept from the compressor")
}

check("sealed with secret bytes, UUID and Secret text in a session", 0...0) {
    var account = Account()
    account.csrf.withUnsafeMutableBytes { secrets_mark($0.baseAddress, $0.count) }
    secrets_mark(&account.id, MemoryLayout<UUID>.size)
    account.note.value.withUTF8 { secrets_mark($0.baseAddress, $0.count) }
    let item = try CBOREncoder.encode(account)
    let now = Date(timeIntervalSince1970: 1_785_715_200)
    guard let times = SessionTimes(beginningAt: now, lifetime: nil) else { return }
    for compression in [SessionCompression.standard, .withoutDictionary, .off] {
        var deflater = Deflater()
        let payload = CompressedPayload(
            compressing: SessionPayload(times: times, item: item), by: compression, block: 16,
            headroom: SealedBox.headerCount, tailroom: XAESKey.tagLength, using: &deflater)
        guard compression == .off || payload.bytes[24] & 1 == 1 else {
            throw NativeFailure(operation: "compressed")
        }
        let key = try SealingKey.generate()
        var ciphers = try XAESCiphers(key.material.key)
        _ = try SealedBox(
            sealing: payload, using: &ciphers, of: key.id,
            authenticating: TokenContext(name: "a", purpose: "b"))
    }
}

print(
    failures == 0
        ? "no branch and no address depends on a secret, but for those verdicts" : "\(failures) FAILED")
exit(failures == 0 ? 0 : 1)
