// Opening without throwing: a session or none, and the reason to a closure.
import Foundation
import Testing

@testable import SealedCookie

@Suite struct RefusalTests {
    private let sealer: CookieSealer<Login>
    private let sealed: SealedSession

    init() throws {
        sealer = try loginSealer(sampleRing(1))
        sealed = try sealer.seal(login, at: noon)
    }

    @Test func `a session opens, and no refusal is told`() throws {
        var told: [OpenError] = []
        let opened = [
            sealer.open(cookieHeader: sealed.cookieHeader, at: noon) { told.append($0) },
            sealer.open(cookieHeaders: ["a=b", sealed.cookieHeader], at: noon) { told.append($0) },
            sealer.open(value: sealed.token, at: noon) { told.append($0) },
            sealer.open(value: sealed.token.dropFirst(0), at: noon) { told.append($0) },
        ]
        #expect(opened.allSatisfy { $0?.session == login })
        #expect(told.isEmpty)
    }

    @Test func `a request without the cookie has no session, and no refusal is told`() throws {
        var told: [OpenError] = []
        #expect(sealer.open(cookieHeader: nil, at: noon) { told.append($0) } == nil)
        #expect(sealer.open(cookieHeader: "a=b", at: noon) { told.append($0) } == nil)
        #expect(sealer.open(cookieHeaders: [], at: noon) { told.append($0) } == nil)
        #expect(told.isEmpty)
    }

    @Test func `of a cookie that is refused the reason is told once`() throws {
        var told: [OpenError] = []
        let end = noon + 14 * 86_400
        let bad = "__Host-session=x; \(sealed.cookieHeader)"
        #expect(sealer.open(cookieHeader: bad, at: end) { told.append($0) } == nil)
        #expect(sealer.open(cookieHeaders: ["__Host-session=x"], at: noon) { told.append($0) } == nil)
        #expect(sealer.open(value: "RU\(sealed.token.dropFirst(2))", at: noon) { told.append($0) } == nil)
        #expect(told == [.expired(end), .notBase64URL, .unknownVersion(0x45)])
    }

    /// The forms that a caller may write, and which of the two each calls. A form that does not throw needs no `try`,
    /// and no form that throws takes a closure.
    @Test func `whether opening throws is told by the closure alone`() async throws {
        let header: String? = "__Host-session=x"
        #expect((try? sealer.open(cookieHeader: header)) == nil)
        #expect(throws: OpenError.self) { try sealer.open(cookieHeader: header) }
        let opening = { sealer.open(cookieHeader: header) { _ in } }
        #expect(opening() == nil)
        let throwing = { try sealer.open(cookieHeader: header) }
        #expect(throws: OpenError.self) { try throwing() }
        let reference: (String?, Date) throws(OpenError) -> OpenedSession<Login>? = sealer.open(
            cookieHeader:at:)
        #expect(throws: OpenError.self) { try reference(header, noon) }
        if let opened = sealer.open(cookieHeader: sealed.cookieHeader, at: noon, onRefusal: { _ in }) {
            #expect(opened.session == login)
        } else {
            Issue.record("not opened")
        }
        guard let opened = try sealer.open(cookieHeader: sealed.cookieHeader, at: noon) else {
            Issue.record("not opened")
            return
        }
        #expect(opened.keyID == sealer.keys.keys[0].id)
        let value = sealer.open(value: "x") { #expect($0.code == "not-base64url") }
        #expect(value == nil)
        let later = await Task { sealer.open(cookieHeaders: ["__Host-session=x"]) { _ in } }.value
        #expect(later == nil)
    }

    @Test func `the Cookie header of a sealed session is what a browser sends back`() throws {
        #expect(sealed.cookieHeader == "__Host-session=\(sealed.token)")
        let splitting = try CookieSealer<Data>(
            keys: sampleRing(1), lifetime: .init(absolute: .days(14)), splitting: .upTo(3))
        var random = SplitMix(state: 5)
        let session = Data((0..<5000).map { _ in UInt8(truncatingIfNeeded: random.next()) })
        let split = try splitting.seal(session, at: noon)
        // Two that carry it, and one that removes what a longer session may have left.
        #expect(split.cookies.map(\.value.isEmpty) == [false, false, true])
        let pairs = split.cookieHeader.components(separatedBy: "; ")
        #expect(pairs.map { $0.prefix { $0 != "=" } } == ["__Host-session", "__Host-session.1"])
        #expect(try splitting.open(cookieHeader: split.cookieHeader, at: noon)?.session == session)
        let untilClosed = try CookieSealer<Login>(
            keys: sampleRing(1), lifetime: .init(absolute: .days(14)),
            attributes: .init(endsWithBrowser: true))
        #expect(try untilClosed.open(cookieHeader: untilClosed.seal(login).cookieHeader)?.session == login)
    }
}
