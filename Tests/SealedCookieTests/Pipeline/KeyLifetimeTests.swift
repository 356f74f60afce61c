// How long keys are in memory.
import Foundation
import Testing

@testable import SealedCookie

@Suite struct KeyLifetimeTests {
    @Test func `an opened and a sealed session keep no key in memory`() throws {
        weak var key: WorkingKey?
        func work() throws -> (OpenedSession<Login>, SealedSession) {
            let ring = try sampleRing(1)
            key = ring.keys[0].material
            let sealer = try loginSealer(ring)
            let sealed = try sealer.seal(login, at: noon)
            return (try sealer.open(value: sealed.token, at: noon), sealed)
        }
        let (opened, sealed) = try work()
        #expect(key == nil)
        #expect(opened.session == login && opened.cookieName == "__Host-session" && !sealed.token.isEmpty)
    }
}
