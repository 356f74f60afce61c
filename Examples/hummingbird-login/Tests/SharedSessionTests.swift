// Tasks of one request that share its session, and changes in one step.
import Foundation
import Hummingbird
import HummingbirdTesting
import SealedCookie
import Synchronization
import Testing

@testable import hummingbird_login

@Suite struct SharedSessionTests {
    @Test func `200 tasks of a request that each add 1 count 200`() async throws {
        try await withSessions { router in
            router.get("tasks") { _, context in
                let session = context.session
                session.value = Visits(count: 0)
                await withTaskGroup { group in
                    for _ in 1...200 {
                        group.addTask {
                            session.update {
                                let count = $0?.count ?? 0
                                usleep(100)  // so that tasks meet
                                $0?.count = count + 1
                            }
                        }
                    }
                }
                return ""
            }
        } body: { client, sealer, _ in
            let response = try await client.execute(uri: "/tasks", method: .get)
            #expect(try sealer.written(response)?.session.count == 200)
        }
    }

    @Test func `What is told of a session may ask for it`() async throws {
        let asked = Mutex<CurrentSession<Visits>?>(nil)
        let ask = { @Sendable (_: SealedSessionEvent) in _ = asked.withLock { $0 }?.value }
        try await withSessions(onEvent: ask) { router in
            router.get("count") { _, context in
                asked.withLock { $0 = context.session }
                return "\(context.session.value?.count ?? -1)"
            }
        } body: { client, sealer, _ in
            for (cookie, count) in [
                (try sealer.seal(Visits(count: 7)).cookieHeader, "7"), ("__Host-session=x", "-1"),
            ] {
                let response = try await client.execute(
                    uri: "/count", method: .get, headers: [.cookie: cookie])
                #expect(response.text == count)
            }
        }
    }

    @Test func `An update that throws changes nothing`() async throws {
        struct Odd: Error {}
        try await withSessions { router in
            router.get("update") { _, context in
                #expect(throws: Odd.self) {
                    try context.session.update {
                        $0?.count = 100
                        throw Odd()
                    }
                }
                return "\(context.session.value?.count ?? 0)"
            }
        } body: { client, sealer, _ in
            let cookie = try sealer.seal(Visits(count: 7)).cookieHeader
            let response = try await client.execute(uri: "/update", method: .get, headers: [.cookie: cookie])
            #expect(response.text == "7" && response.headers[.setCookie] == nil)
        }
    }

    @Test func `An update to nil signs out, and one of no session writes nothing`() async throws {
        try await withSessions { router in
            router.get("end") { _, context in
                context.session.update { $0 = nil }
                return ""
            }
            router.get("count") { _, context in
                context.session.update { $0?.count += 1 }
                return ""
            }
            router.get("again") { _, context in
                context.session.update { $0 = nil }
                context.session.update { $0 = Visits(count: 2) }
                return ""
            }
        } body: { client, sealer, _ in
            let old = try sealer.seal(Visits(count: 1), at: Date.now.addingTimeInterval(-4000)).cookieHeader
            for (path, cookie, isRemoved) in [
                ("/end", old, true), ("/end", "", false), ("/count", "", false),
            ] {
                let response = try await client.execute(uri: path, method: .get, headers: [.cookie: cookie])
                let lines = response.headers[values: .setCookie]
                #expect(lines.map { $0.contains("Max-Age=0;") } == (isRemoved ? [true] : []), "\(path)")
            }
            let response = try await client.execute(uri: "/again", method: .get, headers: [.cookie: old])
            let opened = try #require(try sealer.written(response))
            #expect(opened.session.count == 2 && opened.createdAt.timeIntervalSinceNow > -60)
        }
    }

    @Test func `Tasks of one request may share its session: the cookie is opened once`() async throws {
        try await withSessions { router in
            router.get("tasks") { _, context in
                let session = context.session
                await withTaskGroup { group in
                    for count in 1...50 { group.addTask { session.value = Visits(count: count) } }
                }
                return "\(session.value?.count ?? 0)"
            }
        } body: { client, sealer, log in
            let response = try await client.execute(
                uri: "/tasks", method: .get, headers: [.cookie: "__Host-session=broken"])
            #expect(log.text.filter { $0.contains("no session") }.count == 1)
            let header = try #require(response.headers[.setCookie]).prefix { $0 != ";" }
            #expect(response.text == "\(try sealer.open(cookieHeader: String(header))?.session.count ?? 0)")
        }
    }
}
