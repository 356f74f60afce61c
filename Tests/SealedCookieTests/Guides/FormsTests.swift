// Recipes.md: messages that are shown once, and CSRF tokens that are masked anew in each page.
import Foundation
import SealedCookie
import Synchronization
import Testing

@Suite struct FormsTests {
    struct Session: Codable, Equatable, Sendable {
        var csrf = CSRFToken()
        /// A message for the next page.
        var flash: String?
    }

    /// A secret of a session's forms. No two pages show it alike, so that the length of compressed pages does not tell it (BREACH).
    struct CSRFToken: Codable, Equatable, Sendable {
        private let secret: [UInt8]

        init() { secret = Self.random() }

        /// For a form's hidden field: a mask, then the secret under it.
        var masked: String {
            let mask = Self.random()
            return Data(mask + zip(mask, secret).map { $0 ^ $1 }).base64EncodedString()
        }

        func matches(_ field: String?) -> Bool {
            guard let field, let bytes = Data(base64Encoded: field), bytes.count == 64 else { return false }
            return Self.areEqual(zip(bytes.prefix(32), bytes.suffix(32)).map { $0 ^ $1 }, secret)
        }

        /// Takes as long wherever the two differ.
        static func areEqual(_ a: some Collection<UInt8>, _ b: some Collection<UInt8>) -> Bool {
            a.count == b.count && zip(a, b).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
        }

        private static func random() -> [UInt8] {
            var generator = SystemRandomNumberGenerator()  // the system's, for keys and secrets
            return (0..<32).map { _ in generator.next() }
        }
    }

    let sessions: CookieSealer<Session>

    init() throws {
        sessions = try CookieSealer(keys: .forTesting(), lifetime: .init(absolute: .days(14)))
    }

    /// One request: the session is opened, `handle` answers, and the session is written where it has changed.
    private func request(_ browser: inout TestBrowser, _ handle: (inout Session) -> String) throws -> String {
        guard var opened = try sessions.open(cookieHeaders: browser.cookies) else { return "no session" }
        let before = opened.session
        let text = handle(&opened.session)
        if opened.session != before { browser.take(try sessions.reseal(opened).headerValues) }
        return text
    }

    @Test func `a message is shown once, on the page after the form`() throws {
        var browser = TestBrowser()
        browser.take(try sessions.seal(Session()).headerValues)

        func save(_ session: inout Session) -> String {
            session.flash = "Saved."
            return "303 See Other"
        }
        func page(_ session: inout Session) -> String {
            let message = session.flash.take()  // shown now, and gone from the session
            return message.map { "<p role=status>\($0)</p>" } ?? ""
        }

        #expect(try request(&browser, page) == "")
        #expect(try request(&browser, save) == "303 See Other")
        let before = browser.cookies
        #expect(try request(&browser, page) == "<p role=status>Saved.</p>")
        #expect(try request(&browser, page) == "")
        // Whoever puts the cookie of before back sees it again: no message may matter.
        browser.take(before)
        #expect(try request(&browser, page) == "<p role=status>Saved.</p>")
    }

    /// A form's answer.
    func change(_ session: inout Session, csrf field: String?) -> String {
        guard session.csrf.matches(field) else { return "403 Forbidden" }
        session.flash = "Changed."
        return "303 See Other"
    }

    @Test func `each page's token is another, and all of the session's are good`() throws {
        var browser = TestBrowser()
        browser.take(try sessions.seal(Session()).headerValues)
        var fields: Set<String> = []
        for _ in 0..<100 {
            let page = try request(&browser) { session in
                #"<input type="hidden" name="csrf" value="\#(session.csrf.masked)">"#
            }
            let field = page.components(separatedBy: "\"")[5]
            #expect(field.utf8.count == 88)
            fields.insert(field)
        }
        #expect(fields.count == 100)
        // No place of it is the same in all, as one under no mask would be.
        for place in 0..<85 {
            #expect(Set(fields.map { Array($0.utf8)[place] }).count > 10)
        }
        for field in fields {
            #expect(try request(&browser) { change(&$0, csrf: field) } == "303 See Other")
        }
    }

    @Test func `a form without the session's token is refused`() throws {
        var (browser, other) = (TestBrowser(), TestBrowser())
        browser.take(try sessions.seal(Session()).headerValues)
        other.take(try sessions.seal(Session()).headerValues)
        let foreign = try request(&other) { $0.csrf.masked }
        let good = try request(&browser) { $0.csrf.masked }
        let bytes = try #require(Data(base64Encoded: good))
        var changed = bytes
        changed[63] ^= 1
        let others = [changed, Data(count: 64), bytes.prefix(32), bytes + bytes, Data()]
        let fields = [nil, "x", foreign] + others.map { $0.base64EncodedString() }
        for field in fields {
            #expect(
                try request(&browser) { change(&$0, csrf: field) } == "403 Forbidden", "\(field ?? "none")")
        }
        #expect(try request(&browser) { change(&$0, csrf: good) } == "303 See Other")
        // A new session has a new secret.
        browser.take(try sessions.seal(Session(), cookieHeaders: browser.cookies).headerValues)
        #expect(try request(&browser) { change(&$0, csrf: good) } == "403 Forbidden")
    }

    /// Bytes that count how many of them are read.
    private struct Counted: Collection {
        let bytes: [UInt8]
        let reads: Count
        final class Count: Sendable {
            let value = Mutex(0)
        }
        var startIndex: Int { 0 }
        var endIndex: Int { bytes.count }
        func index(after index: Int) -> Int { index + 1 }
        subscript(index: Int) -> UInt8 {
            reads.value.withLock { $0 += 1 }
            return bytes[index]
        }
    }

    @Test(arguments: 0..<32) func `comparing reads all bytes, wherever the first difference is`(place: Int) {
        let reads = Counted.Count()
        let secret = [UInt8](repeating: 7, count: 32)
        var other = secret
        other[place] = 8
        #expect(!CSRFToken.areEqual(Counted(bytes: other, reads: reads), secret))
        #expect(reads.value.withLock { $0 } == 32)
        #expect(CSRFToken.areEqual(secret, secret) && !CSRFToken.areEqual(secret, secret.dropLast()))
    }
}
