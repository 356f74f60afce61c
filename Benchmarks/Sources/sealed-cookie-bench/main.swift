// Ours against the floor: the C calls alone, on the same bytes, in the same run.
import CFloor
import Foundation
import SealedCookie

struct User: Codable, Sendable, Equatable {
    var id = 184_467
    var name = "Zoë Müller"
    var email = "zoe.mueller@example.org"
    var roles = ["member", "billing_admin"]
    var csrf = Data((0..<16).map { UInt8($0) &* 37 })
    var locale = "en-US"
    var rememberMe = true
    var visits = 17
    var signedInAt = Date(timeIntervalSince1970: 1_790_000_000)
    var cart = UUID(uuidString: "ee4d1e8f-3ce5-4824-8532-9a34bfa25f5c")

    enum CodingKeys: Int, CodingKey {
        case id = 1
        case name, email, roles, csrf, locale, rememberMe, visits, signedInAt, cart
    }
}

/// Any JSON, to make items of the corpus.
enum JSON: Codable, Sendable {
    case null
    case bool(Bool)
    case integer(Int)
    case number(Double)
    case text(String)
    case array([JSON])
    case object([String: JSON])

    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if value.decodeNil() {
            self = .null
        } else if let bool = try? value.decode(Bool.self) {
            self = .bool(bool)
        } else if let integer = try? value.decode(Int.self) {
            self = .integer(integer)
        } else if let number = try? value.decode(Double.self) {
            self = .number(number)
        } else if let text = try? value.decode(String.self) {
            self = .text(text)
        } else if let array = try? value.decode([JSON].self) {
            self = .array(array)
        } else {
            self = .object(try value.decode([String: JSON].self))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var value = encoder.singleValueContainer()
        switch self {
        case .null: try value.encodeNil()
        case .bool(let bool): try value.encode(bool)
        case .integer(let integer): try value.encode(integer)
        case .number(let number): try value.encode(number)
        case .text(let text): try value.encode(text)
        case .array(let array): try value.encode(array)
        case .object(let object): try value.encode(object)
        }
    }
}

let ringPath = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
let keyBytes = [UInt8](repeating: 7, count: 32)
let keys = try KeyRing([SealingKey.generate()])
let policy = SessionLifetime(absolute: .days(14), idle: .hours(12))
let now = Date(timeIntervalSince1970: 1_790_000_100)
let anything = try CookieSealer<JSON>(keys: keys, lifetime: policy)
let encoded = try CookieSealer<EncodedSession>(keys: keys, lifetime: policy)
let typed = try CookieSealer<User>(keys: keys, lifetime: policy)

guard let floor = floor_new(keyBytes) else { fatalError("no floor") }
let aad = [UInt8](repeating: 1, count: 8 + 8 + 12 + 8 + 4 + 8 + 14 + 8)

func pad(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
}

func row(_ name: String, _ session: EncodedSession, skeleton: [UInt8], contents: [UInt8]) throws {
    let token = try encoded.seal(session, at: now).cookies[0].value
    var text = [CChar](repeating: 0, count: 8192)
    var item = [UInt8](repeating: 0, count: 65536)
    let compressed = floor_deflate(floor, skeleton, skeleton.count, &item, skeleton.count - 1) > 0
    let plain = compressed ? skeleton : session.bytes
    let tail = compressed ? contents : []
    let floorCount = floor_seal(
        floor, plain, plain.count, tail, tail.count, compressed ? 1 : 0, aad, aad.count, &text)
    let floorToken = Array(text[..<floorCount])
    let timings = try measure([
        Work(name: "seal") { for _ in 0..<$0 { _ = try encoded.seal(session, at: now) } },
        Work(name: "floor") { n in
            for _ in 0..<n {
                // A stream that does not come out smaller was tried all the same.
                if !compressed {
                    _ = floor_deflate(floor, skeleton, skeleton.count, &item, skeleton.count - 1)
                }
                _ = floor_seal(
                    floor, plain, plain.count, tail, tail.count, compressed ? 1 : 0, aad, aad.count, &text)
            }
        },
        Work(name: "open") { for _ in 0..<$0 { _ = try encoded.open(value: token, at: now) } },
        Work(name: "floor open") { n in
            for _ in 0..<n {
                _ = floor_open(
                    floor, floorToken, floorCount, compressed ? 1 : 0, aad, aad.count, &item, 65536)
            }
        },
    ])
    print(
        pad(name, 10), pad("\(token.count)", 6), pad("\(floorCount)", 6),
        timings.map { pad(String(format: "%.0f", $0.median), 8) }.joined(),
        String(
            format: "  seal %.2f  open %.2f", timings[0].ratio(to: timings[1]),
            timings[2].ratio(to: timings[3])))
}

let corpus = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Corpus")
print("file       token  floor    seal   floor    open   floor")
for file in try FileManager.default.contentsOfDirectory(atPath: corpus.path).sorted() {
    let json = try JSONDecoder().decode(JSON.self, from: Data(contentsOf: corpus.appending(path: file)))
    let wide = try CookieSealer<JSON>(
        keys: keys, lifetime: policy, limits: CookieLimits(nameAndValue: 8192, attributeValue: 1024))
    let token = try wide.seal(json, at: now).cookies[0].value
    let item = try CookieSealer<EncodedSession>(
        keys: keys, lifetime: policy, limits: CookieLimits(nameAndValue: 8192, attributeValue: 1024)
    ).open(value: token, at: now).session
    try row(String(file.dropLast(5)), item, skeleton: item.bytes, contents: [])
}
let user = User()
let userToken = try typed.seal(user, at: now).cookies[0].value
print("typed", userToken.count)
let t = try measure([
    Work(name: "seal typed") { for _ in 0..<$0 { _ = try typed.seal(user, at: now) } },
    Work(name: "open typed") { for _ in 0..<$0 { _ = try typed.open(value: userToken, at: now) } },
])
for timing in t { print(timing.name, timing.median) }
