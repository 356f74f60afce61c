// The counters, in the metrics system's own test kit.
import Foundation
import Hummingbird
import HummingbirdTesting
import MetricsTestKit
import SealedCookie
import Testing

@testable import hummingbird_login

@Suite struct CountersTests {
    @Test func `Sessions are counted by key, refusals by code, answers by whether they write`() async throws {
        let metrics = TestMetrics()
        let ring = try KeyRing.forTesting()
        try await withSessions(keys: ring, onEvent: SealedSessionCounters(factory: metrics).count) { router in
            router.get("read") { _, context in "\(context.session.value?.count ?? 0)" }
            router.get("write") { _, context in
                context.session.value = Visits(count: (context.session.value?.count ?? 0) + 1)
                return ""
            }
            router.get("large") { _, context in
                context.session.value = Visits(count: 0, note: String(repeating: "é!", count: 40_000))
                return ""
            }
            router.get("unused") { _, _ in "" }
        } body: { client, sealer, _ in
            let cookie = try sealer.seal(Visits(count: 1)).cookieHeader
            for (path, cookie, times) in [
                ("/read", cookie, 3), ("/write", cookie, 2), ("/read", "", 1), ("/unused", cookie, 4),
                ("/read", cookie + "A", 5), ("/read", "__Host-session=x", 1), ("/large", cookie, 1),
            ] {
                for _ in 0..<times {
                    _ = try await client.execute(uri: path, method: .get, headers: [.cookie: cookie])
                }
            }
        }
        func total(_ label: String, _ name: String, _ value: String) -> Int64 {
            metrics.counterTotal(label: label, dimensions: [(name, value)])
        }
        #expect(total("sessions_opened", "key", "\(ring.keys[0].id)") == 6)
        #expect(metrics.counterTotal(label: "sessions_opened") == 6)
        let codes = metrics.counters(label: "sessions_refused").map { "\($0.dimensions[0]) \($0.totalValue)" }
        #expect(codes.sorted() == ["(\"code\", \"not-authentic\") 5", "(\"code\", \"not-base64url\") 1"])
        #expect(total("sessions_answered", "written", "yes") == 2)
        #expect(total("sessions_answered", "written", "no") == 10)
        #expect(total("sessions_answered", "written", "item-too-large") == 1)
        #expect(metrics.counterTotal(label: "sessions_answered") == 13)
    }
}
