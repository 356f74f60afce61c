// Garbage that never reaches the tag: what refusing it costs beside opening a good token.
import CHostile
import Foundation

@testable import SealedCookie

/// Nanoseconds a time, the median of rounds in which all of `works` take turns.
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

/// `b_login` as an application has it.
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

    // The same ring in a file, which an unknown key id makes it look at, once a second at the most.
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
    /// Of the size of the good token, and of the largest.
    for count in [good.utf8.count, 4096 - "__Host-session".utf8.count] {
        let count = count % 4 == 1 ? count - 1 : count
        // Whole groups, so that no bits are left over.
        let whole = count / 4 * 4
        let known = sealed([0x48], key.id, whole)
        let kinds:
            [(
                name: String, text: String, refusal: String, sessions: CookieSealer<EncodedSession>,
                atFront: Bool
            )] = [
                ("too long", String(repeating: "A", count: 4096), "too long", sessions, true),
                (
                    "not base64url, first character", changed(known, at: 0, to: "!"), "not base64url",
                    sessions, true
                ),
                (
                    "not base64url, last character", changed(known, at: whole - 1, to: "="), "not base64url",
                    sessions, false
                ),
                ("bits left over", String(known.dropLast(2)) + "B", "not base64url", sessions, false),
                ("unknown version", sealed([0x49], key.id, whole), "unknown version", sessions, false),
                ("unknown key", sealed([0x48], other.id, whole), "no key", sessions, false),
                ("unknown key, ring in a file", sealed([0x48], other.id, whole), "no key", followed, false),
                ("revoked key", sealed([0x48], revoked.id, whole), "is revoked", sessions, false),
                ("too short", "SAAA", "too short", sessions, true),
            ]
        for kind in kinds {
            do {
                _ = try kind.sessions.open(value: kind.text, at: now)
                print(kind.name, "opens", verdict(false))
            } catch {
                if !"\(error)".contains(kind.refusal) { print(kind.name, error, verdict(false)) }
            }
        }
        let full = try largest(sessions, login)
        let typed = sealer(Login.self)
        _ = try typed.open(value: good, at: now)
        let works: [() -> Void] =
            [
                { _ = try? typed.open(value: good, at: now) },
                { _ = try? sessions.open(value: good, at: now) },
                { _ = try? sessions.open(value: full, at: now) },
            ] + kinds.map { kind in { _ = try? kind.sessions.open(value: kind.text, at: now) } }
        let times = sideBySide(works)
        let isLarge = whole > 1000
        print(
            """

            Garbage of \(whole) characters. A good token, b_login of \(good.utf8.count) characters: \(Int(times[0])) ns as a Codable type, \
            \(Int(times[1])) as it is; the largest, \(full.utf8.count) characters: \(Int(times[2])) ns.
            At most a tenth of \(isLarge ? "the largest where its front decides, else a third" : "b_login as a type"):

            """)
        print("\(cell("", 34))        ns   of b_login   as it is   of the largest")
        for (kind, time) in zip(kinds, times.dropFirst(3)) {
            let bound = isLarge ? (kind.atFront ? 0.1 : 0.35) * times[2] : 0.1 * times[0]
            print(
                cell(kind.name, 34), number(time), "  ", number(time / times[0], 3), " ",
                number(time / times[1], 3),
                "      ", number(time / times[2], 3), verdict(time <= bound))
        }
    }
}

/// A good token of as many characters as fit: the login with a longer secret.
private func largest(_ sessions: CookieSealer<EncodedSession>, _ login: EncodedSession) throws -> String {
    for count in stride(from: 3000, to: 0, by: -1) {
        let item = head(.array, 2) + login.bytes + head(.bytes, UInt64(count)) + bytes(count, of: 0x5A)
        if let sealed = try? sessions.seal(EncodedSession(item), at: now) { return sealed.cookies[0].value }
    }
    fatalError("nothing fits")
}
