// Which sealers may seal a session again, and moving it to another name or purpose.
import Foundation
import Testing

@testable import SealedCookie

@Suite struct AdoptingTests: ResealingSuite {
    @Test func `a session is not sealed again for another cookie or purpose`() throws {
        let login = try sealer(String.self, name: "login")
        let reset = try sealer(
            String.self, name: "login", purpose: "reset", lifetime: .init(absolute: .minutes(10)))
        let token = try reset.seal("ada", at: noon).token
        let opened = try reset.open(value: token, at: noon)
        #expect(opened.cookieName == "login" && opened.purpose == "reset" && reset.purpose == "reset")
        let error = #expect(throws: SealError.self) { try login.reseal(opened, at: noon) }
        #expect(error == .anotherCookie(name: "login", purpose: "reset") && error?.isSessionOver == false)
        #expect(
            "\(try #require(error))"
                == "the session was opened from cookie login, with the purpose \"reset\"")
        // This is checked first: even if the session is over, and even from a header.
        #expect(throws: SealError.anotherCookie(name: "login", purpose: "reset")) {
            try login.reseal(opened, at: noon + 86_400)
        }
        let seen = try #require(try reset.open(cookieHeader: "login=\(token)", at: noon))
        #expect(throws: SealError.anotherCookie(name: "login", purpose: "reset")) {
            try login.reseal(seen, at: noon)
        }
        // The other way round, another name, a name in another case.
        let session = try login.open(value: login.seal("ada", at: noon).token, at: noon)
        let other = SealError.anotherCookie(name: "login", purpose: "")
        #expect("\(other)" == "the session was opened from cookie login, without a purpose")
        for name in ["login2", "Login"] {
            #expect(throws: other) { try sealer(String.self, name: name).reseal(session, at: noon) }
        }
        #expect(throws: other) { try reset.reseal(session, at: noon) }
        // Purposes are bytes: two spellings of é are two purposes, as when opening.
        let one = try sealer(String.self, purpose: "caf\u{E9}")
        let two = try sealer(String.self, purpose: "cafe\u{301}")
        let accent = try one.open(value: one.seal("ada", at: noon).token, at: noon)
        #expect(throws: SealError.self) { try two.reseal(accent, at: noon) }
        #expect(throws: SealError.self) {
            try sealer(String.self, purpose: "caf\u{E9}\u{0}").reseal(accent, at: noon)
        }
        // Without the type, too.
        let raw = try sealer(EncodedSession.self, name: "login", purpose: "reset").open(
            value: token, at: noon)
        #expect(raw.purpose == "reset")
        #expect(throws: SealError.anotherCookie(name: "login", purpose: "reset")) {
            try sealer(EncodedSession.self, name: "login").reseal(raw, at: noon)
        }
    }

    @Test func `sealers of one name and purpose seal each other's sessions again, whatever else differs`()
        throws
    {
        let one = try sealer(String.self, purpose: "p")
        let opened = try one.open(value: one.seal("ada", at: noon).token, at: noon)
        for other in [
            try sealer(String.self, purpose: "p", splitting: 3),
            try sealer(String.self, purpose: "p", lifetime: .init(absolute: .days(1), idle: .hours(1))),
            try sealer(String.self, purpose: "p", attributes: .init(domain: "example.org")),
            try sealer(String.self, purpose: "p", keys: sampleRing(1, 2)),
        ] {
            let again = try other.open(value: other.reseal(opened, at: noon + 5).token, at: noon + 5)
            #expect(again.session == "ada" && again.createdAt == noon && again.sealedAt == noon + 5)
        }
        let raw = try sealer(EncodedSession.self, purpose: "p")
        let bytes = try raw.open(value: one.seal("ada", at: noon).token, at: noon)
        #expect(try one.open(value: raw.reseal(bytes, at: noon).token, at: noon).session == "ada")
    }

    @Test func `adopting moves a session to another name or purpose, with its age and its own lifetime`()
        throws
    {
        let former = try sealer(String.self, name: "old", purpose: "a", splitting: 3)
        let current = try sealer(
            String.self, name: "new", purpose: "b", lifetime: .init(absolute: .days(30), idle: .days(3)),
            splitting: 2)
        for own in [nil, SessionLifetime(absolute: .days(5), idle: .days(3))] {
            let sealed = try former.seal("ada", lifetime: own, endsWithBrowser: own != nil, at: noon)
            let header = "old=\(sealed.token); old.2=x; new.7=y"
            let opened = try #require(try former.open(cookieHeader: header, at: noon + 3600))
            let adopted = try current.adopt(opened, at: noon + 7200.5)
            #expect(adopted.cookies.map(\.name) == ["new", "new.1"] && removed(adopted.cookies) == ["new.1"])
            let again = try current.open(value: adopted.token, at: noon + 7201)
            #expect(again.session == "ada" && again.cookieName == "new" && again.purpose == "b")
            #expect(again.createdAt == noon && again.sealedAt == noon + 7200 && again.lifetime == own)
            #expect(again.endsWithBrowser == (own != nil))
            #expect(again.expiresAt == noon + 7200 + 86_400 * 3 && adopted.expiresAt == again.expiresAt)
            #expect(try current.reseal(again, at: noon + 7202).expiresAt == noon + 7202 + 86_400 * 3)
            #expect(throws: SealError.anotherCookie(name: "new", purpose: "b")) {
                try former.reseal(again, at: noon + 7202)
            }
            // The type may change with it.
            let numbers = try sealer(Int.self, name: "numbers")
            let number = try numbers.open(
                value: numbers.adopt(opened, as: 7, at: noon + 7200).token, at: noon + 7200)
            #expect(number.session == 7 && number.createdAt == noon && number.lifetime == own)
            #expect(number.endsWithBrowser == (own != nil))
        }
        // A session that is over, or would be, is not adopted.
        let opened = try former.open(value: former.seal("ada", at: noon).token, at: noon)
        #expect(throws: SealError.expired(noon + 86_400 * 14)) {
            try current.adopt(opened, at: noon + 86_400 * 14)
        }
        let short = try sealer(String.self, name: "short", lifetime: .init(absolute: .hours(1)))
        #expect(throws: SealError.expired(noon + 3600)) { try short.adopt(opened, at: noon + 3600) }
        // A key that this ring never had is a configuration fault, and ends no session.
        let foreign = #expect(throws: SealError.foreignKey(opened.keyID)) {
            try sealer(String.self, keys: sampleRing(2)).adopt(opened, at: noon)
        }
        #expect(foreign?.isSessionOver == false)
        #expect("\(try #require(foreign))".contains("\(opened.keyID) is not in the ring"))
        #expect(throws: SealError.foreignKey(opened.keyID)) {
            try sealer(Int.self, keys: sampleRing(2)).adopt(opened, as: 1, at: noon)
        }
        let revoking = try KeyRing([sampleKey(2)], revoked: [opened.keyID])
        let revoked = #expect(throws: SealError.revokedKey(opened.keyID)) {
            try sealer(String.self, keys: revoking).adopt(opened, at: noon)
        }
        #expect(revoked?.isSessionOver == true)
        #expect(throws: SealError.revokedKey(opened.keyID)) {
            try sealer(String.self, name: "old", purpose: "a", keys: sampleRing(2)).reseal(opened, at: noon)
        }
        let ended = try KeyRing([sampleKey(1)], notBefore: noon + 1)
        #expect(throws: SealError.endedBefore(noon + 1)) {
            try sealer(String.self, keys: ended).adopt(opened, at: noon + 9)
        }
        // A sealer's own session is sealed again; for another purpose of the same name, its parts are known.
        #expect(try former.adopt(opened, at: noon).cookies.count == 3)
        let renamed = try sealer(String.self, name: "old", purpose: "c", splitting: 3)
        let seen = try #require(
            try former.open(
                cookieHeader: "old=\(former.seal("ada", at: noon).token); old.2=x", at: noon))
        #expect(try removed(renamed.adopt(seen, at: noon).cookies) == ["old.2"])
    }
}
