// The time before which one user's sessions have ended. FORMAT §10.
import Foundation
import Testing

@testable import SealedCookie

@Suite struct CutOffTests {
    private func tokens(_ ring: KeyRing) throws -> TokenSealer<Int> {
        try TokenSealer(purpose: "p", keys: ring, lifetime: .init(absolute: .days(1)))
    }

    @Test func `a sign-in within the second of a cut-off holds, and what began before it does not`() throws {
        let sealer = try loginSealer(sampleRing(1))
        let cutOff = noon + 0.4
        let before = try sealer.open(value: sealer.seal(login, at: noon + 0.3).token, at: noon + 1)
        #expect(before.createdAt == noon && before.began(before: cutOff))
        // Without the parameter, a session of the same second would seem to be from before.
        let unsaid = try sealer.open(value: sealer.seal(login, at: noon + 0.5).token, at: noon + 1)
        #expect(unsaid.began(before: cutOff))
        let sealed = try sealer.seal(login, cutOff: cutOff, at: noon + 0.5)
        let opened = try sealer.open(value: sealed.token, at: noon + 0.5)
        #expect(opened.createdAt == noon + 1 && !opened.began(before: cutOff))
        #expect(!opened.began(before: noon + 1) && opened.began(before: noon + 1.000001))
        // It keeps its beginning when it is sealed again.
        let again = try sealer.open(value: sealer.reseal(opened, at: noon + 5).token, at: noon + 5)
        #expect(again.createdAt == noon + 1)
    }

    @Test func `a cut-off moves a beginning by 60 s at most, whichever way the session is sealed`() throws {
        let ring = try sampleRing(1)
        let (cookies, tokens) = (try loginSealer(ring), try tokens(ring))
        func begins(cutOff: Date?, at now: Date) throws -> [Date] {
            try [
                cookies.open(
                    value: cookies.seal(login, cutOff: cutOff, at: now).token, at: now
                ).createdAt,
                cookies.open(
                    value: cookies.seal(login, cutOff: cutOff, cookieHeaders: ["a=b"], at: now).token,
                    at: now
                ).createdAt,
                tokens.open(tokens.seal(7, cutOff: cutOff, at: now).text, at: now).createdAt,
            ]
        }
        let all = { (date: Date) in [date, date, date] }
        #expect(try begins(cutOff: nil, at: noon) == all(noon))
        #expect(try begins(cutOff: noon - 1, at: noon) == all(noon))
        #expect(try begins(cutOff: noon + 60, at: noon) == all(noon + 60))
        #expect(try begins(cutOff: noon + 59.1, at: noon) == all(noon + 60))
        for cutOff in [noon + 60.1, noon + 61, .distantFuture] {
            #expect(throws: SealError.endedBefore(cutOff)) { try begins(cutOff: cutOff, at: noon) }
            #expect(throws: SealError.endedBefore(cutOff)) { try tokens.seal(7, cutOff: cutOff, at: noon) }
        }
    }

    @Test func `the later of a cut-off and the ring's not-before is the beginning`() throws {
        for (notBefore, cutOff, begins) in [(10.0, 20.0, 20.0), (20, 10, 20), (20, -5, 20)] {
            let ring = try KeyRing([sampleKey(1)], notBefore: noon + notBefore)
            let sealer = try loginSealer(ring)
            let token = try sealer.seal(login, cutOff: noon + cutOff, at: noon).token
            #expect(try sealer.open(value: token, at: noon).createdAt == noon + begins)
        }
    }

    @Test func `a cut-off that is no time ends everything, and nothing begins after it`() throws {
        let never = Date(timeIntervalSince1970: .nan)
        let (cookies, tokens) = (try loginSealer(sampleRing(1)), try tokens(sampleRing(1)))
        let opened = try cookies.open(value: cookies.seal(login, at: noon).token, at: noon)
        // In words: Foundation's own description of such a date ends the process.
        let ends = opened.began(before: never)
        #expect(ends)
        func refusal(_ body: () throws -> Void) -> String? {
            do { try body() } catch { return "\(error)" }
            return nil
        }
        let words = "sessions that begin before @nan have ended"
        #expect(refusal { _ = try cookies.seal(login, cutOff: never, at: noon) } == words)
        #expect(refusal { _ = try tokens.seal(7, cutOff: never, at: noon) } == words)
    }
}
