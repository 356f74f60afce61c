// The vectors for implementers, made by an independent implementation. FORMAT §12.1.
import Foundation
import Testing

@testable import SealedCookie

@Suite struct VectorTests {
    struct File<Vector: Decodable>: Decodable {
        let about: String
        let count: Int
        let vectors: [Vector]
    }

    /// The vectors of a file, which states how many it has.
    func all<Vector: Decodable>(_ name: String, _ expected: Int, as type: Vector.Type) throws
        -> [Vector]
    {
        let file = try vectors(name, as: File<Vector>.self)
        #expect(
            file.vectors.count == expected && file.count == expected && file.about.hasPrefix("\(expected) "))
        return file.vectors
    }

    /// The inputs of opening, and the expected result.
    struct Opening: Decodable {
        let what, ring, name, purpose: String
        let key: Hex
        let time, absolute: Int
        let idle, ceiling: Int?
        let dictionaries: [Hex]
        let token, header: String?
        let cookies: Int?
        let created, sealed, ends: Int?
        let item, refused: String?
        let session: CBORJSON?
        let none: Bool?
        let again: Again?
        let by: String?
        let own: Own?
        let endsWithBrowser: Bool?
        let maxAge: Int?
        let limit, next: Int?
        let formers: [Former]?

        /// A session's own lifetime.
        struct Own: Decodable, Equatable {
            let absolute: Int
            let idle: Int?

            init?(_ lifetime: SessionLifetime?) {
                guard let lifetime else { return nil }
                absolute = lifetime.absolute.seconds
                idle = lifetime.idle?.seconds
            }
        }

        /// When, and with which ring, the session is sealed again.
        struct Again: Decodable {
            let time: Int
            let ring: String
        }

        var at: Date { Date(timeIntervalSince1970: Double(time)) }

        var lifetime: SessionLifetime {
            SessionLifetime(
                absolute: .seconds(absolute), idle: idle.map { .seconds($0) },
                ceiling: ceiling.map { .seconds($0) } ?? SessionLifetime.usualCeiling)
        }

        func sealer(_ ring: String? = nil) throws -> CookieSealer<CBORValue> {
            let own = try dictionaries.map { try CompressionDictionary($0.bytes) }
            return try CookieSealer(
                name, keys: KeyRing(parsing: ring ?? self.ring, requiringKey: false),
                lifetime: lifetime,
                purpose: purpose, splitting: .upTo(cookies ?? 1), formerly: (formers ?? []).map(\.cookie),
                compression: own.isEmpty ? .standard : .dictionaries(own))
        }

        func check(_ opened: OpenedSession<CBORValue>) throws {
            #expect(try CBOREncoder.encode(opened.session).bytes.hex == item, "\(what)")
            #expect(opened.session == session?.value ?? .null, "\(what)")
            let times = [opened.createdAt, opened.sealedAt, opened.expiresAt].map {
                Int($0.timeIntervalSince1970)
            }
            #expect(times == [created, sealed, ends], "\(what)")
            #expect(Own(opened.lifetime) == own, "\(what)")
            #expect(opened.endsWithBrowser == endsWithBrowser, "\(what)")
            // The one key that it says opened it.
            let secret = try SecretBytes.copy(of: key.bytes.span)
            #expect(try SealingKey(material: XAESKey(secret), activeFrom: nil).id == opened.keyID, "\(what)")
        }
    }

    @Test func `every valid token opens to its session`() throws {
        for vector in try all("valid.json", 178, as: Opening.self) {
            do {
                try vector.check(vector.sealer().open(value: #require(vector.token), at: vector.at))
            } catch {
                Issue.record("\(vector.what): \(error)")
            }
        }
    }

    @Test func `every invalid token is refused for the reason stated`() throws {
        var reasons: Set<String> = []
        for vector in try all("invalid.json", 649, as: Opening.self) {
            do {
                _ = try vector.sealer().open(value: #require(vector.token), at: vector.at)
                Issue.record("\(vector.what): opened")
            } catch let error as OpenError {
                #expect(words(error) == vector.refused, "\(vector.what): \(error)")
                reasons.insert(words(error))
            }
        }
        // Every refusal of FORMAT §5.2.
        #expect(reasons.count == 13)
    }

    @Test func `every token without a cookie opens to its value, or is refused for the reason stated`() throws
    {
        var reasons: Set<String> = []
        for vector in try all("tokens.json", 35, as: Opening.self) {
            do {
                let sealer = try TokenSealer<CBORValue>(
                    purpose: vector.purpose, keys: KeyRing(parsing: vector.ring, requiringKey: false),
                    lifetime: vector.lifetime, tokenLimit: #require(vector.limit))
                let opened = try sealer.open(#require(vector.token), at: vector.at)
                #expect(try CBOREncoder.encode(opened.value).bytes.hex == vector.item, "\(vector.what)")
                #expect(opened.value == vector.session?.value, "\(vector.what)")
                let times = [opened.createdAt, opened.expiresAt].map { Int($0.timeIntervalSince1970) }
                #expect(times == [vector.created, vector.ends], "\(vector.what)")
            } catch let error as OpenError {
                #expect(words(error) == vector.refused, "\(vector.what): \(error)")
                reasons.insert(words(error))
            } catch SealerConfigurationError.emptyPurpose {
                #expect(vector.refused == "no purpose", "\(vector.what)")
            }
        }
        #expect(reasons.count == 11)
    }

    /// Only for tokens that an opener finds without another check first.
    @Test func `an inspection refuses what is no token, and shows the key of everything else`() throws {
        var refused: Set<String> = []
        let invalid = try vectors("invalid.json", as: File<Opening>.self).vectors
        let valid = try vectors("valid.json", as: File<Opening>.self).vectors
        for vector in invalid + valid {
            let text = try #require(vector.token)
            do {
                let inspection = try TokenInspection(text)
                #expect(
                    !["not base64url", "too short", "unknown version"].contains(vector.refused),
                    "\(vector.what)")
                let bytes = try #require(Base64URL.decode(text))
                #expect(inspection.keyID == KeyID(bytes[1], bytes[2], bytes[3]), "\(vector.what)")
                #expect(inspection.payloadByteCount == bytes.count - 40, "\(vector.what)")
            } catch let error as OpenError {
                // What is too long for a cookie may not even be a token.
                #expect(["too long", words(error)].contains(vector.refused), "\(vector.what): \(error)")
                refused.insert(words(error))
            }
        }
        #expect(refused == ["not base64url", "too short", "unknown version"])
    }

    @Test func `every session is sealed as stated, or is too large`() throws {
        struct Sealing: Decodable {
            let what, name, purpose, item: String
            let key: Hex
            let limit, created, age: Int
            let own: Opening.Own?
            let endsWithBrowser, ended: Bool
            let padding: Int?
            let payload, endsWith, refused: String?
            let shorterThan: Int?
        }
        for vector in try all("sealed.json", 66, as: Sealing.self) {
            let key = try SealingKey(
                material: XAESKey(SecretBytes.copy(of: vector.key.bytes.span)), activeFrom: nil)
            let begun = Date(timeIntervalSince1970: Double(vector.created))
            let now = begun + Double(vector.age)
            let forever = SessionLifetime(
                absolute: .seconds(.max), ceiling: .seconds(.max))
            let own = vector.own.map {
                SessionLifetime(absolute: .seconds($0.absolute), idle: $0.idle.map { .seconds($0) })
            }
            let session = try EncodedSession(#require([UInt8](hex: vector.item)))
            let token: String
            do throws(SealError) {
                if vector.name.isEmpty {
                    let sealer = try? TokenSealer<EncodedSession>(
                        purpose: vector.purpose, keys: KeyRing([key]), lifetime: forever,
                        tokenLimit: vector.limit, paddingBlock: vector.padding ?? 0, itemLimit: 65_536)
                    token = try sealer?.seal(session, lifetime: own, at: now).text ?? ""
                } else {
                    let sealer = try? CookieSealer<EncodedSession>(
                        vector.name, keys: KeyRing([key]), lifetime: forever, purpose: vector.purpose,
                        paddingBlock: vector.padding ?? 0, itemLimit: 65_536)
                    var sealed =
                        vector.ended
                        ? try sealer?.core.sealEnded(replacing: nil, at: now)
                        : try sealer?.seal(
                            session, lifetime: own, endsWithBrowser: vector.endsWithBrowser, at: begun)
                    if vector.age > 0, let first = sealed?.token,
                        let opened = try? sealer?.open(value: first, at: begun)
                    {
                        sealed = try sealer?.reseal(opened, at: now)
                    }
                    token = sealed?.token ?? ""
                }
            } catch {
                #expect(error.code == vector.refused?.replacing(" ", with: "-"), "\(vector.what): \(error)")
                continue
            }
            #expect(vector.refused == nil, "\(vector.what): sealed")
            var ciphers = try XAESCiphers(key.material.key)
            let context = TokenContext(name: vector.name, purpose: vector.purpose)
            let payload = try Token.box(
                in: token.utf8.span, limit: vector.limit, reusing: [], tailroom: context.count
            ).opened(using: &ciphers, authenticating: context)
            let bytes = Array(payload.bytes[payload.range])
            if let expected = vector.payload {
                #expect(bytes.hex == expected, "\(vector.what)")
            } else {
                #expect(try bytes.count < #require(vector.shorterThan), "\(vector.what)")
                #expect(try bytes.hex.hasSuffix(#require(vector.endsWith)), "\(vector.what)")
            }
        }
    }

    @Test func `every session is sealed again as stated, or not for the reason stated`() throws {
        var reasons: Set<String> = []
        for vector in try all("again.json", 84, as: Opening.self) {
            let again = try #require(vector.again)
            let time = Date(timeIntervalSince1970: Double(again.time))
            let opened = try vector.sealer().open(value: #require(vector.token), at: vector.at)
            let sealer = try vector.sealer(again.ring)
            do {
                let sealed = try sealer.reseal(opened, at: time)
                #expect(vector.refused == nil, "\(vector.what): sealed")
                let new = try sealer.open(value: sealed.token, at: time)
                #expect(new.session == opened.session && "\(new.keyID)" == vector.by, "\(vector.what)")
                #expect(Opening.Own(new.lifetime) == vector.own, "\(vector.what)")
                #expect(new.endsWithBrowser == vector.endsWithBrowser, "\(vector.what)")
                // Whole times: the seconds count from the sealing.
                #expect(sealed.cookies[0].maxAge == vector.maxAge, "\(vector.what)")
                let times = [new.createdAt, new.sealedAt, new.expiresAt, sealed.expiresAt].map {
                    Int($0.timeIntervalSince1970)
                }
                #expect(
                    times == [vector.created, vector.sealed, vector.ends, vector.ends], "\(vector.what)")
            } catch let error as SealError {
                // The library reports a missing key as a revoked one.
                let stated = vector.refused == "unknown key" ? "revoked key" : vector.refused
                #expect(words(error) == stated, "\(vector.what): \(error)")
                reasons.insert(words(error))
            }
        }
        #expect(reasons.count == 4)
    }

    @Test func `every Cookie header is read as stated`() throws {
        var outcomes: Set<String> = []
        for vector in try all("cookies.json", 336, as: Opening.self) {
            let sealer = try vector.sealer()
            if sealer.keys.sealingKey(at: vector.at) != nil {
                let new = try sealer.seal(.null, cookieHeader: vector.header, at: vector.at)
                let times = try sealer.open(value: new.token, at: vector.at)
                let created = try sealer.open(value: sealer.seal(.null, at: vector.at).token, at: vector.at)
                #expect(times.createdAt == created.createdAt, "\(vector.what)")
                #expect(Int(times.sealedAt.timeIntervalSince1970) == vector.next, "\(vector.what)")
            }
            do {
                let opened = try sealer.open(cookieHeader: vector.header, at: vector.at)
                if let opened {
                    try vector.check(opened)
                } else {
                    #expect(vector.none == true, "\(vector.what): no session")
                }
                outcomes.insert(opened == nil ? "none" : "opened")
            } catch let error as OpenError {
                #expect(words(error) == vector.refused, "\(vector.what): \(error)")
                outcomes.insert(words(error))
            }
        }
        #expect(
            outcomes.isSuperset(of: [
                "none", "opened", "missing part", "too many cookies", "too long", "expired", "former cookie",
            ]))
    }

    @Test func `every token is divided as stated, or is too large`() throws {
        struct Division: Decodable {
            let what, name, token: String
            let cookies: Int
            let seen: [Int]?
            let new: Bool?
            let set: [String: String]?
            let refused: String?
        }
        for vector in try all("divided.json", 29, as: Division.self) {
            let form = try CookieForm(
                name: vector.name, attributes: .init(), limits: .rfc6265bis, splitting: .upTo(vector.cookies))
            let isTooLarge = vector.token.utf8.count > form.tokenLimit
            #expect(isTooLarge == (vector.refused == "too large"), "\(vector.what)")
            guard !isTooLarge else { continue }
            var stale = vector.seen.map { PartSet($0) } ?? form.ownParts
            if vector.new == true { stale = stale.union(form.ownParts) }
            let cookies = form.cookies(for: vector.token, maxAge: 5, stale: stale, now: noon)
            #expect(
                Dictionary(uniqueKeysWithValues: cookies.map { ($0.name, $0.value) }) == vector.set,
                "\(vector.what)")
            #expect(cookies.allSatisfy { ($0.maxAge == 0) == $0.value.isEmpty }, "\(vector.what)")
        }
    }

    @Test func `every ring says what is stated, or is refused`() throws {
        struct Ring: Decodable {
            struct Key: Decodable {
                let key: Hex
                let from, until: Int?
            }
            let what: String
            let ring, active, seals: String?
            let bytes: Hex?
            let time, notBefore, begins: Int?
            let keys: [String: Key]?
            let revoked: [String]?
            let refused: Bool?
        }
        var refusals = 0
        for vector in try all("rings.json", 218, as: Ring.self) {
            let bytes = vector.ring.map { Array($0.utf8) } ?? vector.bytes?.bytes ?? []
            let ring: KeyRing
            do {
                ring = try KeyRing(parsing: SecretBytes.copy(of: bytes.span), source: "ring")
            } catch let error as KeyRingError {
                #expect(vector.refused == true, "\(vector.what): \(error)")
                #expect(!"\(error)".contains("AAECAwQF"), "\(vector.what) prints the secret")
                refusals += 1
                continue
            }
            #expect(vector.refused == nil, "\(vector.what): taken")
            let keys = vector.keys ?? [:]
            #expect(ring.keys.map { "\($0.id)" }.sorted() == keys.keys.sorted(), "\(vector.what)")
            for key in ring.keys {
                let stated = keys["\(key.id)"]
                let times = [key.activeFrom, key.sealedUntil].map { $0.map { Int($0.timeIntervalSince1970) } }
                #expect(times == [stated?.from, stated?.until], "\(vector.what)")
                let bytes = stated?.key.bytes ?? []
                let secret = try SecretBytes.copy(of: bytes.span)
                #expect(XAESKey(secret).holdsSameKey(as: key.material.key), "\(vector.what)")
            }
            #expect(ring.revoked.map { "\($0)" }.sorted() == vector.revoked, "\(vector.what)")
            #expect(
                ring.notBefore.map { Int($0.timeIntervalSince1970) } == vector.notBefore, "\(vector.what)")
            let now = Date(timeIntervalSince1970: Double(try #require(vector.time)))
            #expect(ring.activeKey(at: now).map { "\($0.id)" } == vector.active, "\(vector.what)")
            #expect(ring.sealingKey(at: now).map { "\($0.id)" } == vector.seals, "\(vector.what)")
            try checkTexts(ring, vector.what)
            let sealer = try CookieSealer<Int>("s", keys: ring, lifetime: .init(absolute: .days(14)))
            let sealed = try? sealer.seal(7, at: now).cookies[0].value
            let begins = try sealed.map {
                let opened = try sealer.open(value: $0, at: now)
                #expect("\(opened.keyID)" == vector.seals, "\(vector.what)")
                return Int(opened.createdAt.timeIntervalSince1970)
            }
            #expect(begins == vector.begins, "\(vector.what)")
        }
        #expect(refusals == 144)
    }

    @Test func `every cut-off ends and begins what is stated`() throws {
        struct CutOff: Decodable {
            let what: String
            let cutOff: Double
            let time, holds: Int
            let begins: Int?
        }
        let sealer = try CookieSealer<Int>("s", keys: sampleRing(1), lifetime: .init(absolute: .days(14)))
        for vector in try all("cutoffs.json", 22, as: CutOff.self) {
            let cutOff = Date(timeIntervalSince1970: vector.cutOff)
            let now = Date(timeIntervalSince1970: Double(vector.time))
            let begins = (try? sealer.seal(7, cutOff: cutOff, at: now)).flatMap {
                (try? sealer.open(value: $0.token, at: now))?.createdAt
            }
            #expect(begins == vector.begins.map { Date(timeIntervalSince1970: Double($0)) }, "\(vector.what)")
            // What can be sealed at all.
            for created in [vector.holds - 1, vector.holds] where UInt32(exactly: created) != nil {
                let begun = Date(timeIntervalSince1970: Double(created))
                let opened = try sealer.open(value: sealer.seal(7, at: begun).token, at: begun)
                #expect(opened.began(before: cutOff) == (created < vector.holds), "\(vector.what)")
            }
        }
    }

    /// The ring is restored from each of the forms in which it is written.
    private func checkTexts(_ ring: KeyRing, _ what: String) throws {
        for onOneLine in [false, true] {
            let again = try ring.withText(onOneLine: onOneLine) { text in
                #expect(!onOneLine || !text.indices.contains { text[$0] == UInt8(ascii: "\n") }, "\(what)")
                return try KeyRing(parsing: SecretBytes.copy(of: text), source: "again")
            }
            #expect(again.entries == ring.entries, "\(what)")
        }
    }

    @Test func `every JSON text is the session stated, or none`() throws {
        struct View: Decodable {
            let json, what: String?
            let bytes: Hex?
            let item, view: String?
            let refused: Bool?
        }
        var refusals = 0
        for vector in try all("json.json", 790, as: View.self) {
            let text = Data(try vector.json.map { Array($0.utf8) } ?? #require(vector.bytes?.bytes))
            let what = try #require(vector.json ?? vector.what)
            guard vector.refused == nil else {
                #expect(throws: (any Error).self, "\(what)") { try item(text) }
                refusals += 1
                continue
            }
            do {
                let stated = Data(try #require(vector.view).utf8)
                #expect(try [text, stated].map(item) == [vector.item, vector.item], "\(what)")
                let view = try CBORJSON(parsing: text).text(pretty: false)
                #expect(try same(view, stated), "\(what): \(String(decoding: view, as: UTF8.self))")
            } catch {
                Issue.record("\(what): \(error)")
            }
        }
        #expect(refusals == 524)
    }

    /// Whether two JSON texts have the same members, texts and numbers, in whatever order and spelling.
    private func same(_ one: Data, _ other: Data) throws -> Bool {
        let parsed = try [one, other].map {
            try #require(JSONSerialization.jsonObject(with: $0, options: .fragmentsAllowed) as? NSObject)
        }
        return parsed[0] == parsed[1]
    }

    private func item(_ json: Data) throws -> String {
        try CBOREncoder.encode(CBORJSON(parsing: json).value).bytes.hex
    }

    /// What FORMAT §12.1 calls a refusal to seal again.
    private func words(_ error: SealError) -> String {
        switch error {
        case .expired: "expired"
        case .endedBefore: "ended"
        case .revokedKey: "revoked key"
        case .noActiveKey: "no active key"
        case .timeOutOfRange: "a time that 32 bits do not hold"
        default: "\(error)"
        }
    }

    private func words(_ error: OpenError) -> String { error.code.replacing("-", with: " ") }
}
