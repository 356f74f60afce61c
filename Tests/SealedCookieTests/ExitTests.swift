// A process that exits while its threads seal and open.
import Foundation
import SealedCookie
import Testing

@Suite struct ExitTests {
    /// OpenSSL's own handler, if it had one, would be registered later than this one and so run before it.
    @Test func `sessions are sealed and opened until the process is gone`() async {
        await #expect(processExitsWith: .exitCode(7)) {
            atexit { _exit(sealsAndOpens() ? 7 : 1) }
            exit(sealsAndOpens() ? 0 : 2)
        }
    }
}

/// With a ring of its own: a key that was used before would have all that it needs.
private func sealsAndOpens() -> Bool {
    guard let ring = try? KeyRing.forTesting(),
        let sealer = try? CookieSealer<String>(keys: ring, lifetime: .init(absolute: .days(1))),
        let sealed = try? sealer.seal("in use")
    else { return false }
    return (try? sealer.open(cookieHeader: sealed.cookieHeader))?.session == "in use"
}
