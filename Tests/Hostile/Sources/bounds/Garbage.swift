// Garbage that never reaches the tag: the cost of refusing it compared with opening a good token.
import CHostile
import Foundation

@testable import SealedCookie

/// Nanoseconds per run: the median of rounds in which all of `works` take turns.
func sideBySide(_ works: [() -> Void], rounds: Int = 41, times: Int = 2000) -> [Double] {
    var samples = works.map { _ in [Double]() }
    for _ in 0..<rounds {
        for (index, work) in works.enumerated() {
            let start = hostile_thread_time()
            for _ in 0..<times { work() }
            samples[index].append(Double(hostile_thread_time() - start) / Double(times))
        }
    }
    return samples.map { $0.sorted()[$0.count / 2] }
}

/// `b_login` as an application declares it.
private struct Login: Codable, Sendable {
    struct Flash: Codable, Sendable { var notice: String }
    var userID, token, locale: String
    var issuedAt, expiresAt: Int
    var roles: [String]
    var rememberMe: Bool
    var flash: Flash

    enum CodingKeys: String, CodingKey {
        case userID = "user_id"
        case token = "csrf_token"
        case locale, roles, flash
        case issuedAt = "issued_at"
        case expiresAt = "expires_at"
        case rememberMe = "remember_me"
    }
}

/// The text with one character replaced.
func changed(_ text: String, at position: Int, to character: Character) -> String {
    var characters = Array(text)
    characters[position] = character
    return String(characters)
}

func garbage(_ corpus: String) throws {
    let json = try Data(contentsOf: URL(filePath: corpus).appending(path: "b_login.json"))
    let login = try EncodedSession(CBORJSON(parsing: json).value)
    let other = try SealingKey.generate()
    let revoked = try SealingKey.generate()
    let ring = try KeyRing([key], revoked: [revoked.id])
    let sessions = try CookieSealer<EncodedSession>(keys: ring, lifetime: policy)
    let good = try sessions.seal(login, at: now).cookies[0].value

    // The same ring in a file, which an unknown key ID causes to be polled, at most once a second.
    let folder = NSTemporaryDirectory() + "bounds-\(getpid())"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try ring.create(at: folder + "/ring")
    let followed = try CookieSealer<EncodedSession>(
        keys: try KeyRingFile(folder + "/ring"), lifetime: policy)

    func sealed(_ bytes: [UInt8], _ id: KeyID, _ count: Int) -> String {
        let id = id.bytes
        let front = [bytes[0], id.0, id.1, id.2]
        return String(
            Base64URL.encode((front + (0..<3072).map { UInt8(truncatingIfNeeded: $0 &* 37) }).span).prefix(
                count))
    }
    let typed = sealer(Login.self)
    let long = try longest(sessions, json)
    let cheapest = try cheapest(sessions, login)
    /// As long as the good token, and as long as the longest.
    for (count, isLong) in [(good.utf8.count, false), (long.utf8.count, true)] {
        let count = count % 4 == 1 ? count - 1 : count
        // Whole groups, so that no bits are left over.
        let whole = count / 4 * 4
        let known = sealed([0x48], key.id, whole)
        /// The allowed cost, for long garbage, compared with a good token of bytes: if its front decides, if its text
        /// is checked, and if it is decoded because it names a key.
        let (front, looked, decoded) = (0.1, 0.2, 0.35)
        let kinds:
            [(
                name: String, text: String, refusal: String, sessions: CookieSealer<EncodedSession>,
                most: Double
            )] = [
                ("too long", String(repeating: "A", count: 4096), "too long", sessions, front),
                (
                    "not base64url, first character", changed(known, at: 0, to: "!"), "not base64url",
                    sessions, front
                ),
                (
                    "not base64url, last character", changed(known, at: whole - 1, to: "="), "not base64url",
                    sessions, decoded
                ),
                (
                    "bits left over", String(known.dropLast(2)) + "B", "not base64url", sessions, decoded
                ),
                ("unknown version", sealed([0x49], key.id, whole), "unknown version", sessions, looked),
                ("unknown key", sealed([0x48], other.id, whole), "no key", sessions, looked),
                ("unknown key, ring in a file", sealed([0x48], other.id, whole), "no key", followed, looked),
                ("revoked key", sealed([0x48], revoked.id, whole), "is revoked", sessions, looked),
                ("too short", "SAAA", "too short", sessions, front),
            ]
        for kind in kinds {
            do {
                _ = try kind.sessions.open(value: kind.text, at: now)
                print(kind.name, "opens", verdict(false))
            } catch {
                if !"\(error)".contains(kind.refusal) { print(kind.name, error, verdict(false)) }
            }
        }
        for text in [good, long] { _ = try typed.open(value: text, at: now) }
        let works: [() -> Void] =
            [
                { _ = try? typed.open(value: good, at: now) },
                { _ = try? sessions.open(value: good, at: now) },
                { _ = try? typed.open(value: long, at: now) },
                { _ = try? sessions.open(value: long, at: now) },
                { _ = try? sessions.open(value: cheapest, at: now) },
            ] + kinds.map { kind in { _ = try? kind.sessions.open(value: kind.text, at: now) } }
        let times = sideBySide(works)
        let goods = times.prefix(5)
        print(
            """

            Garbage of \(whole) characters. Good tokens, as a Codable type and as they are: b_login, \(good.utf8.count) characters, \
            \(Int(times[0])) and \(Int(times[1])) ns; b_login with a longer csrf_token, \(long.utf8.count) characters, \(Int(times[2])) and \(Int(times[3])) ns. \
            As it is, with bytes that are not compressed, \(cheapest.utf8.count) characters: \(Int(times[4])) ns.
            At most a tenth of \(isLong ? "the long one both ways; of that with bytes a tenth where the front decides, a fifth where nothing is decoded, else a third" : "b_login as a type"):

            """)
        print("\(cell("", 34))        ns   of b_login   as it is    of long   as it is   with bytes")
        var beyond: [String] = []
        for (kind, time) in zip(kinds, times.dropFirst(goods.count)) {
            let shares = goods.map { time / $0 }
            let holds =
                isLong
                ? max(shares[2], shares[3]) <= 0.1 && shares[4] <= kind.most
                : shares[0] <= 0.1
            if shares[isLong ? 4 : 1] > 0.1 { beyond.append(kind.name) }
            print(
                cell(kind.name, 34), number(time), "  ", shares.map { number($0, 3) }.joined(separator: "  "),
                verdict(holds))
        }
        if !beyond.isEmpty {
            print(
                "More than a tenth of \(isLong ? "the one with bytes" : "b_login as it is"), which is not asserted:",
                beyond.joined(separator: "; "))
        }
    }
}

/// A good token with as many characters as fit: beyond a cookie's size, it is text that compresses well.
private func longest(_ sessions: CookieSealer<EncodedSession>, _ json: Data) throws -> String {
    var login = try JSONDecoder().decode(Login.self, from: json)
    let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    var state: UInt64 = 1
    let noise = String(
        (0..<4000).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return digits[Int(state >> 58)]
        })
    return try longest(sessions, upTo: noise.count) { count in
        login.token = String(noise.prefix(count))
        return EncodedSession(try CBOREncoder.encode(login))
    }
}

/// The same with bytes, which are not compressed: no token of that length is cheaper.
private func cheapest(_ sessions: CookieSealer<EncodedSession>, _ login: EncodedSession) throws -> String {
    try longest(sessions, upTo: 3000) { count in
        try EncodedSession(
            head(.array, 2) + login.bytes + head(.bytes, UInt64(count)) + bytes(count, of: 0x5A))
    }
}

private func longest(
    _ sessions: CookieSealer<EncodedSession>, upTo count: Int, _ session: (Int) throws -> EncodedSession
) throws -> String {
    for count in stride(from: count, to: 0, by: -1) {
        let session = try session(count)
        if let sealed = try? sessions.seal(session, at: now) { return sealed.cookies[0].value }
    }
    fail("nothing fits")
}
