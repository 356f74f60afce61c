// The sealer as an application uses it: headers in, headers out, lifetimes, limits, refusals.
import Foundation
import Testing

@testable import SealedCookie

@Suite struct CookieSealerTests {
    @Test func `the default cookie has the strictest attributes`() throws {
        let sealed = try loginSealer(sampleRing(1)).seal(login, at: noon)
        let header = try #require(sealed.headerValues.first)
        #expect(sealed.headerValues.count == 1)
        #expect(header.hasPrefix("__Host-session=S"))
        #expect(header.hasSuffix("; Path=/; Max-Age=1209600; Secure; HttpOnly; SameSite=Lax"))
    }

    @Test func `a session ends at the earlier of its two lifetimes`() throws {
        let ring = try sampleRing(1)
        let sealer = try loginSealer(ring, lifetime: .init(absolute: .days(14), idle: .hours(12)))
        var opened = try sealer.open(value: sealer.seal(login, at: noon).token, at: noon)
        #expect(opened.expiresAt == noon + 12 * 3600)
        // Used every eleven hours, it lives on until its absolute end, to the second.
        var now = noon
        while now < noon + 14 * 86_400 - 11 * 3600 {
            now += 11 * 3600
            let token = try sealer.reseal(opened, at: now).token
            opened = try sealer.open(value: token, at: now)
            #expect(opened.createdAt == noon && opened.sealedAt == now)
        }
        let end = noon + 14 * 86_400
        #expect(opened.expiresAt == end)
        let token = try sealer.reseal(opened, at: now).token
        #expect(try sealer.open(value: token, at: end - 1).session == login)
        #expect(throws: OpenError.expired(end)) { try sealer.open(value: token, at: end) }
        #expect(throws: SealError.expired(end)) { try sealer.reseal(opened, at: end) }
    }

    @Test func `an idle session ends`() throws {
        let sealer = try loginSealer(sampleRing(1), lifetime: .init(absolute: .days(14), idle: .hours(12)))
        let token = try sealer.seal(login, at: noon).token
        #expect(try sealer.open(value: token, at: noon + 12 * 3600 - 1).session == login)
        #expect(throws: OpenError.expired(noon + 12 * 3600)) {
            try sealer.open(value: token, at: noon + 12 * 3600)
        }
    }

    @Test func `a session's own lifetime takes the place of the policy's, longer or shorter`() throws {
        let sealer = try loginSealer(sampleRing(1))
        for (span, seconds) in [(SessionLifetime.Span.days(90), 7_776_000.0), (.minutes(5), 300)] {
            let sealed = try sealer.seal(login, lifetime: span, at: noon)
            #expect(sealed.expiresAt == noon + seconds)
            let opened = try sealer.open(value: sealed.token, at: noon + seconds - 1)
            #expect(opened.lifetime == span)
            // Sealing again keeps it.
            let again = try sealer.open(value: sealer.reseal(opened, at: noon + 10).token, at: noon + 11)
            #expect(again.lifetime == span && again.expiresAt == noon + seconds)
            #expect(throws: OpenError.expired(noon + seconds)) {
                try sealer.open(value: sealed.token, at: noon + seconds)
            }
        }
    }

    @Test func `a shorter policy takes effect at once`() throws {
        let ring = try sampleRing(1)
        let token = try loginSealer(ring, lifetime: .init(absolute: .days(14))).seal(login, at: noon).token
        #expect(throws: OpenError.expired(noon + 3600)) {
            try loginSealer(ring, lifetime: .init(absolute: .hours(1))).open(value: token, at: noon + 7200)
        }
    }

    @Test func `another server's clock may be ahead by 60 seconds`() throws {
        let sealer = try loginSealer(sampleRing(1))
        let token = try sealer.seal(login, at: noon).token
        #expect(try sealer.open(value: token, at: noon - 60).session == login)
        #expect(throws: OpenError.inFuture(noon)) { try sealer.open(value: token, at: noon - 61) }
    }

    @Test func `sealing again on a server whose clock is behind keeps the age at zero`() throws {
        let sealer = try loginSealer(sampleRing(1))
        let opened = try sealer.open(value: sealer.seal(login, at: noon).token, at: noon - 30)
        let again = try sealer.open(value: sealer.reseal(opened, at: noon - 30).token, at: noon - 30)
        #expect(again.createdAt == noon && again.sealedAt == noon)
    }

    @Test func `not-before ends the sessions that began before it`() throws {
        let key = try sampleKey(1)
        let token = try loginSealer(KeyRing([key])).seal(login, at: noon).token
        let ended = try loginSealer(KeyRing([key], notBefore: noon + 1))
        #expect(throws: OpenError.endedBefore(noon + 1)) { try ended.open(value: token, at: noon + 10) }
        let spared = try loginSealer(KeyRing([key], notBefore: noon))
        let opened = try spared.open(value: token, at: noon + 10)
        // Sealed again it is still the session of then.
        let again = try spared.reseal(opened, at: noon + 20).token
        #expect(throws: OpenError.endedBefore(noon + 1)) { try ended.open(value: again, at: noon + 30) }
    }

    @Test func `times that a token cannot hold are refused`() throws {
        let sealer = try loginSealer(sampleRing(1))
        for seconds in [-1.0, 4_294_967_296, .infinity, -.infinity, .nan] {
            #expect(throws: SealError.timeOutOfRange) {
                try sealer.seal(login, at: Date(timeIntervalSince1970: seconds))
            }
        }
        let last = Date(timeIntervalSince1970: 4_294_967_295)
        #expect(try sealer.open(value: sealer.seal(login, at: last).token, at: last).createdAt == last)
        #expect(SessionLifetime.Span.days(.max).seconds == 4_294_967_295)
        #expect(SessionLifetime.Span.days(.min).seconds == 1)
    }

    @Test func `a rotated key and a tenth of the idle time are reasons to seal again`() throws {
        let old = try sampleKey(1)
        let next = try sampleKey(2, from: noon + 600)
        let sealer = try loginSealer(
            KeyRing([old, next]), lifetime: .init(absolute: .days(14), idle: .hours(12)))
        let token = try sealer.seal(login, at: noon).token
        #expect(try !sealer.open(value: token, at: noon + 599).needsResealing)
        let opened = try sealer.open(value: token, at: noon + 600)
        #expect(opened.needsResealing && opened.keyID == old.id)
        let again = try sealer.reseal(opened, at: noon + 600).token
        #expect(try !sealer.open(value: again, at: noon + 600).needsResealing)
        #expect(try !sealer.open(value: again, at: noon + 600 + 4319).needsResealing)
        #expect(try sealer.open(value: again, at: noon + 600 + 4320).needsResealing)
    }

    @Test func `a session that is over is not sealed again, however it was opened before`() throws {
        let sealer = try loginSealer(sampleRing(1), lifetime: .init(absolute: .days(365), idle: .hours(1)))
        let opened = try sealer.open(value: sealer.seal(login, at: noon).token, at: noon)
        let end = noon + 3600
        #expect(try sealer.reseal(opened, at: end - 1).expiresAt == end - 1 + 3600)
        #expect(throws: SealError.expired(end)) { try sealer.reseal(opened, at: end) }
        // Nor where another sealer's policy is a shorter one.
        let shorter = try loginSealer(sampleRing(1), lifetime: .init(absolute: .minutes(10)))
        #expect(throws: SealError.expired(noon + 600)) { try shorter.reseal(opened, at: noon + 600) }
    }

    /// What was sealed with a stolen key must not move to one that the thief never had.
    @Test func `a session whose key was revoked since it was opened is not sealed again`() throws {
        let folder = try ToolFolder()
        let file = try KeyRingFile(folder.ring, lookingEvery: .zero)
        let sealer = try CookieSealer<Login>(keys: file, lifetime: .init(absolute: .days(14)))
        let opened = try sealer.open(value: sealer.seal(login).token)
        try KeyRing.update(folder.ring) { (ring) throws(KeyRingError) in
            try ring.rotated(from: noon, at: noon).ring.revoking(opened.keyID)
        }
        let error = #expect(throws: SealError.self) { try sealer.reseal(opened) }
        #expect(error == .revokedKey(opened.keyID) && error?.isSessionOver == true)
        #expect(!SealError.noActiveKey.isSessionOver && SealError.endedBefore(noon).isSessionOver)
        // Nor where the key was removed: what it sealed would not open either.
        let other = try CookieSealer<Login>(keys: sampleRing(2), lifetime: .init(absolute: .days(14)))
        #expect(throws: SealError.revokedKey(opened.keyID)) { try other.reseal(opened) }
    }

    @Test func `neither a token nor a session is shown by accident`() throws {
        let sealer = try CookieSealer<EncodedSession>(
            keys: sampleRing(1), lifetime: .init(absolute: .days(1)))
        let session = EncodedSession(try CBOREncoder.encode(["name": "Zebra"]))
        let sealed = try sealer.seal(session, at: noon)
        let opened = try sealer.open(value: sealed.token, at: noon)
        for value in [sealed, session, opened] as [any Sendable] {
            var dumped = ""
            dump(value, to: &dumped)
            for text in ["\(value)", String(reflecting: value), dumped] {
                #expect(!text.contains(sealed.token.dropFirst(20)) && !text.contains("Zebra"))
                // Z and e, as a dump of bytes has them.
                #expect(!text.contains("90") || !text.contains("101"), "\(text)")
            }
        }
        #expect(
            "\(sealed)"
                == "SealedSession(\(sealed.tokenBytes) characters, expires \(Timestamp.text(noon + 86_400)))")
        #expect("\(session)" == "EncodedSession(12 bytes)")
    }

    @Test func `limits without an end are those of the largest token`() throws {
        let endless = CookieLimits(nameAndValue: .max, attributeValue: .max, line: .max)
        for splitting in [CookieSplitting.never, .upTo(9)] {
            let sealer = try CookieSealer<[UInt8]>(
                keys: sampleRing(1), lifetime: .init(absolute: .days(1)), limits: endless,
                splitting: splitting, paddingBlock: 4096)
            let bytes = [UInt8](repeating: 0xA5, count: 65_000)
            let sealed = try sealer.seal(bytes, at: noon)
            #expect(sealed.cookies.filter { !$0.value.isEmpty }.count == 1 && sealed.room > 0)
            #expect(try sealer.open(value: sealed.token, at: noon).session == bytes)
        }
    }

    // MARK: Cookie headers

    @Test func `no header and no cookie are no session, and no error`() throws {
        let sealer = try loginSealer(sampleRing(1))
        #expect(try sealer.open(cookieHeader: nil, at: noon) == nil)
        for header in [
            "", "a=b", "__Host-sessionx=S", "x__Host-session=S", "__host-session=S", ";;;", "=", "S",
        ] {
            #expect(try sealer.open(cookieHeader: header, at: noon) == nil, "\(header)")
        }
    }

    @Test func `the cookie is found whatever stands around it`() throws {
        let sealer = try loginSealer(sampleRing(1))
        let token = try sealer.seal(login, at: noon).token
        for header in [
            "__Host-session=\(token)", "a=b; __Host-session=\(token); c=d", "a=b;__Host-session=\(token)",
            "x={\"k\":\"v\"}; bare;  __Host-session = \(token) ;", "__Host-session=\"\(token)\"",
            "\t__Host-session=\(token)\t", ";;=;__Host-session=\(token)", "é=ü; __Host-session=\(token)",
        ] {
            #expect(try sealer.open(cookieHeader: header, at: noon)?.session == login, "\(header)")
        }
        #expect(
            try sealer.open(cookieHeaders: ["a=b", "__Host-session=\(token)"], at: noon)?.session == login)
    }

    @Test func `a cookie that another planted does not sign anybody out`() throws {
        let sealer = try loginSealer(sampleRing(1))
        let token = try sealer.seal(login, at: noon).token
        let old = try sealer.seal(login, at: noon - 20 * 86_400).token
        let name = "__Host-session="
        #expect(
            try sealer.open(
                cookieHeader: "\(name)planted; \(name)\(old); \(name); \(name)\(token)", at: noon)?
                .session == login)
        // Five of one name: the bound on what one request can cost.
        #expect(throws: OpenError.notBase64URL) {
            try sealer.open(
                cookieHeaders: ["\(name)no!", "\(name)no!; \(name)no!; \(name)no!; \(name)\(token)"], at: noon
            )
        }
        // Of several refusals, the one that says most.
        #expect(throws: OpenError.expired(noon - 6 * 86_400)) {
            try sealer.open(cookieHeader: "\(name)planted; \(name)\(old)", at: noon)
        }
    }

    @Test func `Expires agrees with Max-Age`() throws {
        let sealer = try CookieSealer<Int>(
            "s", keys: sampleRing(1), lifetime: .init(absolute: .days(1000)),
            attributes: .init(writesExpires: true))
        let line = try sealer.seal(1, at: noon).headerValues[0]
        // 400 days, the most that browsers take, after 2026-08-03.
        #expect(line.contains("; Max-Age=34560000; Expires=Tue, 07 Sep 2027 00:00:00 GMT; Secure"))
        let removal = sealer.removal()[0].description
        #expect(
            removal
                == "s=; Path=/; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Secure; HttpOnly; SameSite=Lax"
        )
        let leap = try sealer.seal(1, lifetime: .days(1), at: Date(timeIntervalSince1970: 1_835_395_199))
            .headerValues[0]
        #expect(leap.contains("Expires=Tue, 29 Feb 2028 23:59:59 GMT"))
    }

    // MARK: Limits

    @Test func `a cookie fits to the byte, and one byte more is refused with a report`() throws {
        for name in ["s", "__Host-session", String(repeating: "n", count: 200)] {
            let sealer = try CookieSealer<Data>(
                name, keys: sampleRing(1), lifetime: .init(absolute: .days(1)),
                attributes: .init())
            var largest = 0
            for count in 2000..<3200 {
                do throws(SealError) {
                    let sealed = try sealer.seal(Data(count: count), at: noon)
                    let cookieBytes = name.utf8.count + sealed.token.utf8.count
                    #expect(sealed.tokenBytes == sealed.token.utf8.count)
                    #expect(cookieBytes <= 4096 && sealed.room == 4096 - cookieBytes)
                    largest = max(largest, cookieBytes)
                } catch {
                    guard case .tooLarge(let report) = error else {
                        Issue.record("\(error)")
                        return
                    }
                    let cookieBytes = name.utf8.count + report.tokenBytes
                    #expect(cookieBytes > 4096 && report.excess == cookieBytes - 4096)
                    #expect(report.cookieCount == 2)
                    // base64url has no text of 1 modulo 4.
                    #expect(largest >= 4095)
                    break
                }
            }
            #expect(largest >= 4095)
        }
    }

    @Test func `the report names the largest fields first`() throws {
        struct Cart: Codable, Sendable {
            var id = 7
            var note = String(repeating: "n", count: 100)
            var image = Data((0..<4000).map { _ in UInt8.random(in: 0...255) })
        }
        let sealer = try CookieSealer<Cart>(keys: sampleRing(1), lifetime: .init(absolute: .days(1)))
        let error = #expect(throws: SealError.self) { try sealer.seal(Cart(), at: noon) }
        guard case .tooLarge(let report) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        // Keys of 6, 5 and 3 bytes; heads of 3 and 2; the number itself.
        #expect(report.fields.map(\.name) == ["image", "note", "id"])
        #expect(report.fields.map(\.byteCount) == [6 + 3 + 4000, 5 + 2 + 100, 3 + 1])
        #expect(report.itemBytes == 1 + report.fields.reduce(0) { $0 + $1.byteCount })
        #expect(
            report == (try sealer.sizeReport(for: Cart(image: Data(count: 4000)), at: noon))
                || report.excess > 0)
        #expect("\(report)".contains("image 4009"))
    }

    @Test func `an opened session's size report is that of the cookie it came in`() throws {
        let sealer = try CookieSealer<[String]>(keys: sampleRing(1), lifetime: .init(absolute: .days(90)))
        for (age, lifetime) in [(0.0, nil), (3600 * 24 * 30, nil), (3600, SessionLifetime.Span.days(400))] {
            let first = try sealer.seal(["a", "b"], lifetime: lifetime, at: noon)
            let later = noon + age
            let opened = try sealer.open(value: first.cookies[0].value, at: later)
            let again = try sealer.reseal(opened, at: later)
            let report = try sealer.sizeReport(for: sealer.open(value: again.cookies[0].value, at: later))
            #expect(report.tokenBytes == again.tokenBytes)
        }
    }

    @Test func `what cannot be encoded is said with its place`() throws {
        struct Deep: Codable, Sendable {
            var next: [Deep]
        }
        var deep = Deep(next: [])
        for _ in 0..<40 { deep = Deep(next: [deep]) }
        let sealer = try CookieSealer<Deep>(keys: sampleRing(1), lifetime: .init(absolute: .days(1)))
        let error = #expect(throws: SealError.self) { try sealer.seal(deep, at: noon) }
        guard case .notEncodable(let path, let reason) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(path.starts(with: ["next", "0", "next"]) && reason == "more than 64 levels")
    }

    struct Inner<Value: Codable & Sendable>: Codable, Sendable { var tokens: Secret<[String: Value]> }
    struct Open<Value: Codable & Sendable>: Codable, Sendable { var tokens: [String: Value] }

    @Test func `no error names what a Secret holds, nor writes lines of its own into a log`() throws {
        let key = "hunter2\n2026 INFO forged"
        let ring = try sampleRing(1)
        func opened<A: Codable & Sendable, B: Codable & Sendable>(_ session: A, as: B.Type) throws
            -> OpenError?
        {
            let policy = SessionLifetime(absolute: .days(1))
            let token = try CookieSealer<A>(keys: ring, lifetime: policy).seal(session, at: noon).token
            return #expect(throws: OpenError.self) {
                try CookieSealer<B>(keys: ring, lifetime: policy).open(value: token, at: noon)
            }
        }
        let secret = try opened(Inner(tokens: Secret([key: 1])), as: Inner<String>.self)
        #expect(secret == .sessionMismatch(codingPath: ["tokens"], reason: "a secret that holds no String"))
        let open = try opened(Open(tokens: [key: 1]), as: Open<String>.self)
        #expect(
            open
                == .sessionMismatch(
                    codingPath: ["tokens", "hunter2\\u{a}2026 INFO forged"],
                    reason: "an integer where String was expected"))
    }

    struct Holder<Value: Codable & Sendable>: Codable, Sendable { var s: Secret<Value> }

    /// The paths of errors went on into it.
    @Test func `sealing names nothing inside a Secret`() throws {
        /// Appends a key of its own to the path that it has, as Codable's own helpers do.
        struct Refusing: Codable, Sendable {
            init() {}
            init(from decoder: any Decoder) throws {}
            func encode(to encoder: any Encoder) throws {
                let path = encoder.codingPath + [CBORKey(stringValue: "hunter2")]
                throw EncodingError.invalidValue(0, .init(codingPath: path, debugDescription: "hunter2"))
            }
        }
        func refusal<Value: Codable & Sendable>(_ value: Value) throws -> SealError? {
            let sealer = try CookieSealer<Holder<Value>>(
                keys: sampleRing(1), lifetime: .init(absolute: .days(1)), largestItem: 65_536)
            return #expect(throws: SealError.self) { try sealer.seal(Holder(s: Secret(value)), at: noon) }
        }
        let long = SealError.itemTooLarge(codingPath: ["s"], reason: "more than 65536 bytes")
        let deep = SealError.notEncodable(codingPath: ["s"], reason: "more than 64 levels")
        let invalid = SealError.notEncodable(codingPath: ["s"], reason: "an invalid value")
        #expect(try refusal(["hunter2": String(repeating: "x", count: 70_000)]) == long)
        #expect(
            try refusal(["hunter2": Array(repeating: String(repeating: "x", count: 1000), count: 70)]) == long
        )
        #expect(try refusal(["hunter2": Refusing()]) == invalid)
        #expect(try refusal([[Refusing()]]) == invalid)
        #expect(try refusal(["a": Secret(["hunter2": Refusing()])]) == invalid)
        // Nor does what a type around it could catch and print.
        let caught = #expect(throws: EncodingError.self) {
            try CBOREncoder.encode(Holder(s: Secret(["hunter2": Refusing()])))
        }
        #expect(!String(describing: caught).contains("hunter2"))
        var value = CBORValue.null
        for _ in 0..<70 { value = .map([CBORMapEntry(key: .text("hunter2"), value: value)]) }
        #expect(try refusal(value) == deep)
        // {"hunter2": undefined}, as it is and as a session that was opened unchecked; in a Secret and beside.
        let inner = try #require([UInt8](hex: "a16768756e74657232f7"))
        let embedded: [UInt8] = [0xA1, 0x61, 0x73, 0xD8, 0x18, 0x40 | UInt8(inner.count)] + inner
        let undefined = SealError.notEncodable(
            codingPath: ["s"], reason: "a simple value other than false, true and null")
        #expect(throws: undefined) { try EncodedSession(embedded) }
        let unchecked = EncodedSession(CBORItem(bytes: inner, byteStrings: []))
        #expect(try refusal(unchecked) == invalid)
        #expect(try refusal(["a": unchecked]) == invalid)
        let plain = #expect(throws: SealError.self) {
            try CookieSealer<[String: EncodedSession]>(
                keys: sampleRing(1), lifetime: .init(absolute: .days(1))
            ).seal(["a": unchecked], at: noon)
        }
        #expect(plain == .notEncodable(codingPath: ["a"], reason: "an invalid value"))
        // A report of sizes names the session's own fields.
        let random = (0..<2000).map { _ in "\(UInt64.random(in: 0...(.max)))" }
        guard case .tooLarge(let report) = try refusal(["hunter2": random]) else {
            Issue.record("not too large")
            return
        }
        #expect(report.fields.map(\.name) == ["s"])
        let sealer = try CookieSealer<Secret<[String: [String]]>>(
            keys: sampleRing(1), lifetime: .init(absolute: .days(1)), largestItem: 65_536)
        #expect(try sealer.sizeReport(for: Secret(["hunter2": random]), at: noon).fields.isEmpty)
    }

    struct Pin: Codable, Sendable { var hunter2: Int }
    struct Text: Codable, Sendable { var hunter2: String }
    struct Bad: Codable, Sendable {
        init() {}
        func encode(to encoder: any Encoder) throws { try [String: String]().encode(to: encoder) }
        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CBORKey.self)
            throw DecodingError.dataCorruptedError(
                forKey: CBORKey(stringValue: "hunter2"), in: container, debugDescription: "")
        }
    }
    struct Three: Codable, Sendable {
        init() {}
        func encode(to encoder: any Encoder) throws { try [1, 2].encode(to: encoder) }
        init(from decoder: any Decoder) throws {
            var container = try decoder.unkeyedContainer()
            for _ in 0..<3 { _ = try container.decode(Int.self) }
        }
    }

    @Test func `opening names nothing inside a Secret`() throws {
        let ring = try sampleRing(1)
        func opened<A: Codable & Sendable, B: Codable & Sendable>(_ value: A, as: B.Type) throws -> OpenError?
        {
            let policy = SessionLifetime(absolute: .days(1))
            let holder = Holder(s: Secret(value))
            let token = try CookieSealer<Holder<A>>(keys: ring, lifetime: policy).seal(holder, at: noon).token
            return #expect(throws: OpenError.self) {
                try CookieSealer<Holder<B>>(keys: ring, lifetime: policy).open(value: token, at: noon)
            }
        }
        func expected(_ what: String) -> OpenError {
            .sessionMismatch(codingPath: ["s"], reason: "a secret that holds \(what)")
        }
        #expect(try opened(["other": 1], as: Pin.self) == expected("no Pin"))
        #expect(
            try opened(["hunter2": ["other": 1]], as: [String: Pin].self)
                == expected("no Dictionary<String, Pin>"))
        #expect(try opened(["hunter2": 1], as: Text.self) == expected("no String"))
        #expect(
            try opened(["hunter2": Int?.none], as: Text.self) == expected("no String"))
        #expect(try opened(["hunter2": 1], as: [Int: Int].self) == expected("no Int"))
        #expect(try opened(Bad(), as: Bad.self) == expected("what its type refuses"))
        #expect(try opened(Three(), as: Three.self) == expected("no Int"))
        #expect(try opened([1000], as: [UInt8].self) == expected("what its type refuses"))

        // {"s": 24(h'{"hunter2": undefined}')}
        let item = try #require([UInt8](hex: "a16173d8184a" + "a16768756e74657232f7"))
        let bytes = Array(repeating: 0, count: SealedBox.headerCount) + [0, 0x6A, 0x6F, 0xDA, 0, 0] + item
        let end = bytes.count
        var payload = CompressedPayload(bytes: bytes, range: SealedBox.headerCount..<end)
        payload.bytes.reserveCapacity(end + 200)
        let token = try tokenText(payload, sampleKey(1))
        let sealer = try CookieSealer<Holder<Pin>>(keys: ring, lifetime: .init(absolute: .days(1)))
        #expect(
            throws: OpenError.malformedPayload("a simple value other than false, true and null, at .s")
        ) { try sealer.open(value: token, at: noon) }
    }

    @Test func `a session of another shape is refused with its place, without its values`() throws {
        struct Other: Codable, Sendable {
            var user: [String: Int]
        }
        let ring = try sampleRing(1)
        let token = try loginSealer(ring).seal(login, at: noon).token
        let sealer = try CookieSealer<Other>(keys: ring, lifetime: .init(absolute: .days(1)))
        let error = #expect(throws: OpenError.self) { try sealer.open(value: token, at: noon) }
        guard case .sessionMismatch(let path, _) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(path == ["user"])
        #expect(!"\(String(describing: error))".contains("184467"))
    }

    // MARK: Configuration

    @Test func `cookies that browsers would drop are refused when the sealer is made`() throws {
        let ring = try sampleRing(1)
        func make(
            _ name: String, _ attributes: SetCookie.Attributes = .init(), padding: Int = 0,
            limits: CookieLimits = .rfc6265bis
        ) throws(SealerConfigurationError) {
            _ = try CookieSealer<Login>(
                name, keys: ring, lifetime: .init(absolute: .days(1)), attributes: attributes, limits: limits,
                paddingBlock: padding)
        }
        #expect(throws: SealerConfigurationError.hostPrefixForbidsDomain) {
            try make("__Host-s", .init(domain: "example.org"))
        }
        #expect(throws: SealerConfigurationError.hostPrefixNeedsSecure) {
            try make("__Host-s", .init(isSecure: false))
        }
        #expect(throws: SealerConfigurationError.hostPrefixNeedsSecure) {
            try make("__hOST-s", .init(isSecure: false))
        }
        #expect(throws: SealerConfigurationError.hostPrefixNeedsRootPath) {
            try make("__Host-s", .init(path: "/a"))
        }
        #expect(throws: SealerConfigurationError.securePrefixNeedsSecure) {
            try make("__Secure-s", .init(isSecure: false))
        }
        #expect(throws: SealerConfigurationError.sameSiteNoneNeedsSecure) {
            try make("s", .init(isSecure: false, sameSite: .none))
        }
        #expect(throws: SealerConfigurationError.partitionedNeedsSecure) {
            try make("s", .init(isSecure: false, isPartitioned: true))
        }
        for name in ["", "a b", "a=b", "a;b", "é", "a\"", "(a)", "a,b", "a\n"] {
            #expect(throws: SealerConfigurationError.invalidName(name)) { try make(name) }
        }
        for path in ["", "a", "/;", "/\n", "/é", "/a "] {
            #expect(throws: SealerConfigurationError.invalidPath(path)) { try make("s", .init(path: path)) }
        }
        for name in ["__Http-s", "__http-s", "__Host-Http-s"] {
            #expect(throws: SealerConfigurationError.httpPrefixNeedsHTTPOnly) {
                try make(name, .init(isHTTPOnly: false))
            }
            try make(name)
        }
        #expect(throws: SealerConfigurationError.httpPrefixNeedsSecure) {
            try make("__Http-s", .init(isSecure: false))
        }
        let long = "/" + String(repeating: "p", count: 1024)
        #expect(throws: SealerConfigurationError.attributeTooLong(byteCount: 1025, limit: 1024)) {
            try make("s", .init(path: long))
        }
        #expect(throws: SealerConfigurationError.nameTooLong(byteCount: 4034, limit: 4096)) {
            try make(String(repeating: "n", count: 4034))
        }
        try make(String(repeating: "n", count: 4033))
        #expect(throws: SealerConfigurationError.invalidPadding(1)) { try make("s", padding: 1) }
        #expect(throws: SealerConfigurationError.invalidLimits) {
            try make("s", limits: CookieLimits(nameAndValue: 127, attributeValue: 1024))
        }
        try make("__Secure-s", .init(domain: "example.org", sameSite: .none, isPartitioned: true))
        try make("s", .init(isSecure: false, sameSite: .strict))
    }

    // MARK: Concurrency

    @Test func `one sealer serves many threads`() async throws {
        let sealer = try loginSealer(sampleRing(1))
        try await withThrowingTaskGroup(of: Int.self) { group in
            for task in 0..<8 {
                group.addTask {
                    for round in 0..<200 {
                        var session = login
                        session.user = task * 1000 + round
                        session.name = String(repeating: "x", count: round)
                        let token = try sealer.seal(session, at: noon).token
                        let opened = try sealer.open(value: token, at: noon)
                        #expect(opened.session == session)
                    }
                    return 200
                }
            }
            var rounds = 0
            for try await count in group { rounds += count }
            #expect(rounds == 1600)
        }
    }
}
