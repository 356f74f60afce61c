// OpenSSL fails: the cookie may be good, so the answer is 503 and no cookie is written.
import Foundation
import Hummingbird
import HummingbirdTesting
import SealedCookie
import Synchronization
import Testing

@testable import hummingbird_login

/// The OpenSSL functions that fail now. Set only in processes of their own (exit tests).
let failingCalls = Mutex<Set<String>>([])

/// Takes the place of libcrypto's function, in this program: opening calls it.
@_cdecl("EVP_DecryptInit_ex")
public func decryptInit(
    _ context: OpaquePointer?, _ type: OpaquePointer?, _ engine: OpaquePointer?, _ key: OpaquePointer?,
    _ iv: OpaquePointer?
) -> CInt {
    passOn("EVP_DecryptInit_ex", context, type, engine, key, iv)
}

/// Sealing calls it.
@_cdecl("EVP_EncryptInit_ex")
public func encryptInit(
    _ context: OpaquePointer?, _ type: OpaquePointer?, _ engine: OpaquePointer?, _ key: OpaquePointer?,
    _ iv: OpaquePointer?
) -> CInt {
    passOn("EVP_EncryptInit_ex", context, type, engine, key, iv)
}

private func passOn(_ name: String, _ words: OpaquePointer?...) -> CInt {
    typealias Call =
        @convention(c) (OpaquePointer?, OpaquePointer?, OpaquePointer?, OpaquePointer?, OpaquePointer?) ->
        CInt
    let next = UnsafeMutableRawPointer(bitPattern: -1)  // RTLD_NEXT
    // With a nonce only: the calls that set a context up go on.
    let isFailing = words[4] != nil && failingCalls.withLock { $0.contains(name) }
    guard !isFailing, let call = dlsym(next, name) else { return 0 }
    return unsafeBitCast(call, to: Call.self)(words[0], words[1], words[2], words[3], words[4])
}

@Suite struct LibraryFailureTests {
    static func routes(_ router: Router<VisitsContext>) {
        router.get("read") { _, context in
            guard let session = context.session.value else { throw HTTPError(.unauthorized) }
            return "\(session.count)"
        }
        router.get("write") { _, context in
            context.session.value = Visits(count: (context.session.value?.count ?? 0) + 1)
            return ""
        }
        router.get("write-and-throw") { _, context -> String in
            context.session.value = Visits(count: 5)
            throw HTTPError(.forbidden)
        }
        router.get("sign-out") { _, context in
            context.session.value = nil
            return ""
        }
        router.get("unused") { _, _ in "" }
    }

    @Test func `A cookie that OpenSSL fails to open is left alone, and the answer is 503`() async {
        await #expect(processExitsWith: .success) {
            let events = Mutex<[String]>([])
            let onEvent: @Sendable (SealedSessionEvent) -> Void = { event in
                events.withLock { $0.append("\(event)") }
            }
            try await withSessions(onEvent: onEvent, Self.routes) { client, sealer, log in
                let cookie = try sealer.seal(Visits(count: 7)).cookieHeader
                failingCalls.withLock { $0 = ["EVP_DecryptInit_ex"] }
                for path in ["/read", "/write", "/write-and-throw", "/sign-out"] {
                    let response = try await client.execute(
                        uri: path, method: .get, headers: [.cookie: cookie])
                    #expect(
                        response.status == .serviceUnavailable && response.headers[.setCookie] == nil,
                        "\(path)")
                    #expect(response.headers[.cacheControl] == "no-store")
                }
                #expect(
                    log.text.filter { $0.contains("session not opened reason: EVP_DecryptInit_ex failed") }
                        .count == 4, "\(log.text)")
                #expect(
                    try await client.execute(uri: "/unused", method: .get, headers: [.cookie: cookie]).status
                        == .ok)
                failingCalls.withLock { $0 = [] }
                let response = try await client.execute(
                    uri: "/read", method: .get, headers: [.cookie: cookie])
                #expect(response.text == "7", "\(response.status)")
            }
            #expect(events.withLock { $0.filter { $0.hasPrefix("refused") }.count } == 4)
        }
    }

    @Test
    func
        `A change that OpenSSL fails to seal is answered by 503, and no change at all by what was asked for`()
        async
    {
        await #expect(processExitsWith: .success) {
            try await withSessions(Self.routes) { client, sealer, log in
                let cookie = try sealer.seal(Visits(count: 7), at: Date.now.addingTimeInterval(-10_000))
                    .cookieHeader
                let other = try sealer.seal(Visits(count: 8)).cookieHeader
                let first = try await client.execute(uri: "/read", method: .get, headers: [.cookie: cookie])
                #expect(try sealer.written(first)?.session.count == 7)
                failingCalls.withLock { $0 = ["EVP_EncryptInit_ex"] }
                for (path, cookie) in [
                    ("/write", cookie), ("/write-and-throw", cookie),
                    // Two cookies of the name: signing out writes one too.
                    ("/sign-out", cookie + "; " + other),
                ] {
                    let response = try await client.execute(
                        uri: path, method: .get, headers: [.cookie: cookie])
                    #expect(
                        response.status == .serviceUnavailable && response.headers[.setCookie] == nil,
                        "\(path) \(response.status) \(log.text)")
                }
                let before = log.text.count
                let read = try await client.execute(uri: "/read", method: .get, headers: [.cookie: cookie])
                #expect(read.text == "7" && read.headers[.setCookie] == nil, "\(read.status) \(log.text)")
                #expect(
                    log.text.dropFirst(before).filter { $0.contains("session not sealed") }.count == 1,
                    "\(log.text)")
            }
        }
    }
}
