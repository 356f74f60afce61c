// removed.json: what signing out expires, also of former forms (FORMAT §11.1, §11.3).
import Foundation
import Testing

@testable import SealedCookie

extension VectorTests {
    private struct Removal: Decodable {
        let what, ring, name, header: String
        let cookies: Int
        let removed: [String]
        let ended: Bool
        let path, domain: String?
        let partitioned: Bool?
        let formers: [Form]?
        let formerly: [Slot]?
    }

    private struct Form: Decodable {
        let name, purpose, path: String
        let cookies: Int
        let domain: String?
        let partitioned: Bool

        var cookie: FormerCookie {
            FormerCookie(
                name, purpose: purpose,
                attributes: .init(path: path, domain: domain, isPartitioned: partitioned),
                splitting: .upTo(cookies), lifetime: .init(absolute: .days(1)))
        }
    }

    /// A cookie's name, and where a browser keeps it.
    private struct Slot: Decodable, Hashable {
        let name, path: String
        let domain: String?
        let partitioned: Bool

        init(_ cookie: SetCookie) {
            name = cookie.name
            path = cookie.attributes.path
            domain = cookie.attributes.domain
            partitioned = cookie.attributes.isPartitioned
        }

        init(_ name: String, of vector: Removal) {
            self.name = name
            path = vector.path ?? "/"
            domain = vector.domain
            partitioned = vector.partitioned ?? false
        }
    }

    @Test func `signing out removes what is stated`() throws {
        for vector in try all("removed.json", 58, as: Removal.self) {
            let sealer = try CookieSealer<EncodedSession>(
                vector.name, keys: KeyRing(parsing: vector.ring, requiringKey: false),
                lifetime: .init(absolute: .days(1)),
                attributes: .init(
                    path: vector.path ?? "/", domain: vector.domain,
                    isPartitioned: vector.partitioned ?? false),
                splitting: .upTo(vector.cookies), formerly: (vector.formers ?? []).map(\.cookie))
            let former = vector.formerly ?? []
            let own = vector.removed.map { Slot($0, of: vector) }
            let cookies = sealer.removalCookies(cookieHeader: vector.header)
            #expect(Set(cookies.map { Slot($0) }) == Set(former + own), "\(vector.what)")
            #expect(cookies.count == former.count + own.count, "\(vector.what)")
            #expect(vector.formers != nil || cookies.map(\.name) == vector.removed, "\(vector.what)")
            #expect(cookies.allSatisfy { $0.maxAge == 0 })
            let signedOut = try sealer.signOutCookies(cookieHeader: vector.header)
            #expect(signedOut.contains { !$0.value.isEmpty } == vector.ended, "\(vector.what)")
            #expect(vector.ended || signedOut == cookies, "\(vector.what)")
            // Former ones are expired before what is written.
            let slots = signedOut.map { Slot($0) }
            let written = try #require(slots.firstIndex(of: Slot(vector.name, of: vector)))
            #expect(former.allSatisfy { slots.prefix(written).contains($0) }, "\(vector.what)")
        }
    }
}
