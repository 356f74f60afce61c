import Foundation
import Testing

@testable import SealedCookie

struct Smoke: Codable, Equatable, Sendable {
    var id: Int
    var name: String
    var roles: [String]
    var when: Date
    var token: Data
    var u: UUID
    var s: Secret<String>
    var d: [String: Int]
    var i: [Int: String]
}

@Test func roundTrip() throws {
    let ring = try KeyRing([SealingKey.generate()])
    let sealer = try CookieSealer<Smoke>(keys: ring, lifetime: .init(absolute: .days(14), idle: .hours(12)))
    for _ in 0..<100 {
        let s = Smoke(
            id: 42, name: "hé", roles: ["admin", "admin", "adminadmin"], when: .now, token: Data([1, 2, 3]),
            u: UUID(), s: Secret("hello"), d: ["42": 1, "042": 2], i: [42: "a", -1: "b"])
        let sealed = try sealer.seal(s)
        let opened = try #require(
            try sealer.open(cookieHeader: "a=b; __Host-session=\(sealed.cookies[0].value); c"))
        #expect(opened.session == s)
    }
    let sealed = try sealer.seal(
        Smoke(
            id: 42, name: "hé", roles: ["admin"], when: .now, token: Data([1, 2, 3]), u: UUID(),
            s: Secret("hello"), d: ["42": 1, "042": 2], i: [42: "a", -1: "b"]))
    print(sealed.headerValues)
    #expect(throws: OpenError.expired(sealed.expiresAt)) {
        try sealer.open(value: sealed.cookies[0].value, at: sealed.expiresAt)
    }
}
