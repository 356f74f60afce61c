import Foundation
import Logging
import SealedCookie
import ServiceLifecycle
import Synchronization
import Testing

@testable import polled_ring

/// A source that a test changes, and that fails or hangs on request.
final class Store: RingSource {
    enum Content {
        case ring(KeyRing)
        case text(String)
        case failure, hanging
    }
    struct Unreachable: Error {}

    let name = "store"
    private let content: Mutex<Content>
    private let count = Mutex(0)

    init(_ ring: KeyRing) { content = Mutex(.ring(ring)) }

    func set(_ new: Content) { content.withLock { $0 = new } }
    var questions: Int { count.withLock { $0 } }

    func text() async throws -> String {
        count.withLock { $0 += 1 }
        switch content.withLock({ $0 }) {
        case .ring(let ring): return try ring.text
        case .text(let text): return text
        case .failure: throw Unreachable()
        case .hanging:
            try await Task.sleep(for: .seconds(3600))
            return ""
        }
    }
}

extension KeyRing {
    var text: String {
        get throws { try withText { $0.withUnsafeBytes { String(decoding: $0, as: UTF8.self) } } }
    }
}

final class Events: Sendable {
    private let texts = Mutex<[String]>([])
    func add(_ event: KeyRingEvent) { texts.withLock { $0.append("\(event)") } }
    var all: [String] { texts.withLock { $0 } }
}

/// Asks repeatedly, for at most ten seconds.
func soon(_ condition: () -> Bool) async -> Bool {
    for _ in 0..<1000 {
        if condition() { return true }
        try? await Task.sleep(for: .milliseconds(10))
    }
    return condition()
}

@Suite(.timeLimit(.minutes(1))) struct PolledRingTests {
    private let events = Events()

    private func ring() throws -> KeyRing { try KeyRing([.generate()]) }

    /// A server with its poller while `body` runs; then a graceful shutdown, which must finish.
    private func serving(
        _ source: any RingSource, every interval: Duration = .milliseconds(20),
        pausing pause: Duration = .milliseconds(5),
        _ body: (Visits) async throws -> Void
    ) async throws {
        let events = events
        let poller = try await RingPoller(source, every: interval, pausing: pause) { events.add($0) }
        let group = ServiceGroup(
            configuration: .init(services: [.init(service: poller)], logger: Logger(label: "test")))
        let running = Task { try await group.run() }
        do {
            try await body(
                Visits(keys: poller.keys, log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }))
        } catch {
            await group.triggerGracefulShutdown()
            throw error
        }
        await group.triggerGracefulShutdown()
        try await running.value
    }

    private func cookie(_ headers: [String]) -> String {
        headers.first.map { String($0.prefix { $0 != ";" }) } ?? ""
    }

    @Test func `a rotated ring holds without a restart, and sessions go on`() async throws {
        let first = try ring()
        let store = Store(first)
        try await serving(store) { visits in
            let cookie = cookie(visits.answer("").headers)
            let rotated = try first.adding(.generate())
            store.set(.ring(rotated))
            #expect(await soon { visits.sessions.keys.keys.count == 2 })
            #expect(visits.answer(cookie).text == "Visit 2.")
            let again = self.cookie(visits.answer(cookie).headers)
            #expect(try visits.sessions.open(cookieHeader: again)?.keyID == rotated.sealingKey()?.id)
        }
    }

    @Test func `what a revoked key sealed opens no longer, and a stale copy of the ring brings it not back`()
        async throws
    {
        let first = try ring()
        let store = Store(first)
        try await serving(store) { visits in
            let cookie = cookie(visits.answer("").headers)
            #expect(visits.answer(cookie).text == "Visit 2.")
            let revoked = try first.replacingAllKeys()
            store.set(.ring(revoked.0))
            #expect(await soon { visits.answer(cookie).text == "Visit 1." })
            store.set(.ring(first))
            #expect(await soon { events.all.contains { $0.contains("lacks entries that stay in force") } })
            #expect(throws: OpenError.revokedKey(first.keys[0].id)) {
                try visits.sessions.open(cookieHeader: cookie)
            }
            store.set(.ring(revoked.0))
            #expect(await soon { visits.answer(cookie).text == "Visit 1." })
        }
    }

    @Test func `the only key revoked: nothing is sealed, until there is a new one`() async throws {
        let first = try ring()
        let store = Store(first)
        try await serving(store) { visits in
            let revoked = try first.revoking(first.keys[0].id)
            store.set(.ring(revoked))
            #expect(await soon { visits.answer("").text == "Try again in a moment." })
            store.set(.ring(try revoked.adding(.generate())))
            #expect(await soon { visits.answer("").text == "Visit 1." })
        }
    }

    @Test(arguments: [
        Store.Content.failure, .text(""), .text("broken"), .text("# one comment"), .text("key 123456 sck1_"),
    ])
    func `a source that fails changes nothing, and is told once`(content: Store.Content) async throws {
        let first = try ring()
        let store = Store(first)
        try await serving(store) { visits in
            let cookie = cookie(visits.answer("").headers)
            store.set(content)
            #expect(await soon { !events.all.isEmpty })
            let asked = store.questions
            #expect(await soon { store.questions > asked + 5 })
            #expect(visits.answer(cookie).text == "Visit 2.")
            #expect(
                events.all.count == 1 && events.all.allSatisfy { $0.hasPrefix("key ring \"") },
                "\(events.all)")
            store.set(.ring(try first.adding(.generate())))
            #expect(await soon { visits.sessions.keys.keys.count == 2 })
        }
    }

    @Test func `a key that another server has already is asked for at once, but not for each forged cookie`()
        async throws
    {
        let first = try ring()
        let store = Store(first)
        let rotated = try first.adding(.generate(activeFrom: .now - 60))
        let other = try CookieSealer<Session>(keys: rotated, lifetime: .init(absolute: .days(14)))
        let cookie = cookie(try other.seal(Session(visits: 7)).headerValues)
        try await serving(store, every: .seconds(3600), pausing: .seconds(2)) { visits in
            for _ in 0..<100 { #expect(visits.answer(cookie).text == "Visit 1.") }
            #expect(await soon { store.questions == 2 })
            store.set(.ring(rotated))
            try await Task.sleep(for: .seconds(1))
            for _ in 0..<100 { _ = visits.answer(cookie) }
            #expect(store.questions == 2, "within the pause")
            #expect(await soon { visits.answer(cookie).text == "Visit 8." })
            #expect(store.questions == 3)
        }
    }

    @Test func `shutting down waits for no source that hangs`() async throws {
        let store = Store(try ring())
        let clock = ContinuousClock()
        var begun = clock.now
        try await serving(store) { _ in
            store.set(.hanging)
            let asked = store.questions
            #expect(await soon { store.questions > asked })
            begun = clock.now
        }
        #expect(clock.now - begun < .seconds(20))
    }

    @Test func `no ring at the start is an error`() async throws {
        for content in [Store.Content.failure, .text(""), .text("# one comment")] {
            let store = Store(try ring())
            store.set(content)
            await #expect(throws: (any Error).self) { _ = try await RingPoller(store) { _ in } }
        }
    }

    @Test func `Vault is asked with its token`() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(
            path: "polled-ring-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "ring").path
        let first = try ring()
        try Data(first.text.utf8).write(to: URL(filePath: file))
        let (vault, input, output) = (Process(), Pipe(), Pipe())
        vault.executableURL = URL(filePath: "/usr/bin/env")
        vault.arguments = [
            "python3", URL(filePath: #filePath).deletingLastPathComponent().appending(path: "vault.py").path,
            file, "a token",
        ]
        (vault.standardInput, vault.standardOutput) = (input, output)
        try vault.run()
        func stop() throws {
            try input.fileHandleForWriting.close()
            vault.waitUntilExit()
        }
        defer { try? stop() }
        var line = Data()
        while line.last != UInt8(ascii: "\n"), let more = try output.fileHandleForReading.read(upToCount: 1) {
            line += more
        }
        let port = try #require(Int(String(decoding: line.dropLast(), as: UTF8.self)))
        func source(
            _ path: String = "secret/data/shop", _ field: String = "session.keys", token: String = "a token"
        ) throws -> VaultSource {
            VaultSource(
                secret: try #require(URL(string: "http://127.0.0.1:\(port)/v1/\(path)")), field: field,
                token: token)
        }
        try await serving(source()) { visits in
            let cookie = cookie(visits.answer("").headers)
            try Data(first.adding(.generate()).text.utf8).write(to: URL(filePath: file))
            #expect(await soon { visits.sessions.keys.keys.count == 2 })
            #expect(visits.answer(cookie).text == "Visit 2.")
        }
        for (source, words) in [
            (try source(token: "another"), "status 403"), (try source("secret/data/other"), "status 404"),
            (try source("secret/data/shop", "other"), "the answer has no field \"other\""),
        ] {
            let failure = await #expect(throws: VaultSource.Failure.self) { try await source.text() }
            #expect(failure?.description == words)
        }
        try stop()
        await #expect(throws: (any Error).self) { try await source().text() }
    }
}
