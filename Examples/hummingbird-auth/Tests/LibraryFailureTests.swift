// OpenSSL fails: the cookie may be good, so the answer is 503 and no cookie is written.
import Foundation
import SealedCookie
import Synchronization
import Testing

/// Set only in a process of its own (exit test).
let isFailing = Mutex(false)

/// Takes the place of libcrypto's function, in this program: opening calls it, with a nonce.
@_cdecl("EVP_DecryptInit_ex")
public func decryptInit(
    _ context: OpaquePointer?, _ type: OpaquePointer?, _ engine: OpaquePointer?, _ key: OpaquePointer?,
    _ nonce: OpaquePointer?
) -> CInt {
    typealias Call =
        @convention(c) (
            OpaquePointer?, OpaquePointer?, OpaquePointer?, OpaquePointer?, OpaquePointer?
        ) -> CInt
    let next = UnsafeMutableRawPointer(bitPattern: -1)  // RTLD_NEXT
    guard nonce == nil || !isFailing.withLock({ $0 }), let call = dlsym(next, "EVP_DecryptInit_ex") else {
        return 0
    }
    return unsafeBitCast(call, to: Call.self)(context, type, engine, key, nonce)
}

@Suite struct LibraryFailureTests {
    @Test func `A cookie that OpenSSL fails to open is left alone, and the answer is 503`() async {
        await #expect(processExitsWith: .success) {
            try await SealedSessionsTests.test { get, sealer, log in
                let cookie = try sealer.seal(Visits(count: 7)).cookieHeader
                isFailing.withLock { $0 = true }
                for path in ["/read", "/begin", "/end", "/asset"] {
                    let response = try await get(path, cookie)
                    #expect(response.status == .serviceUnavailable && response.removals == [], "\(path)")
                    #expect(response.headers[.cacheControl] == "no-store")
                }
                #expect(log.text.filter { $0.contains("session not opened") }.count == 4)
                isFailing.withLock { $0 = false }
                #expect(try await get("/read", cookie).text == "7")
            }
        }
    }
}
