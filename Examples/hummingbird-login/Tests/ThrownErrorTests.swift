// What a handler throws after it has used the session.
import Foundation
import Hummingbird
import HummingbirdTesting
import SealedCookie
import Synchronization
import Testing

@testable import hummingbird_login

/// An error that makes its own response.
struct Teapot: HTTPResponseError, Equatable {
    var status: HTTPResponse.Status { .init(code: 418) }
    func response(from request: Request, context: some RequestContext) throws -> Response {
        Response(
            status: status, headers: [.cacheControl: "public, max-age=60"],
            body: .init(byteBuffer: .init(string: "tea")))
    }
}

struct Odd: Error, Equatable {}

enum Thrown: CaseIterable {
    case httpError, ownResponse, plain

    var error: any Error {
        switch self {
        case .httpError: HTTPError(.forbidden, headers: [.cacheControl: "public, max-age=60"], message: "tea")
        case .ownResponse: Teapot()
        case .plain: Odd()
        }
    }
    var status: Int { [.httpError: 403, .ownResponse: 418, .plain: 500][self] ?? 0 }
}

@Suite struct ThrownErrorTests {
    @Test(arguments: Thrown.allCases)
    func `Sign-out and each change hold, whatever the handler throws`(thrown: Thrown) async throws {
        try await withSessions { router in
            router.get("sign-out") { _, context -> String in
                context.session.value = nil
                throw thrown.error
            }
            router.get("change") { _, context -> String in
                context.session.value?.count += 1
                throw thrown.error
            }
            router.get("begin") { _, context -> String in
                context.session.begin(Visits(count: 100))
                throw thrown.error
            }
        } body: { client, sealer, _ in
            let cookie = try sealer.seal(Visits(count: 1)).cookieHeader
            let signedOut = try await client.execute(
                uri: "/sign-out", method: .get, headers: [.cookie: cookie])
            #expect(signedOut.status.code == thrown.status)
            #expect(signedOut.headers[values: .setCookie].map { $0.contains("Max-Age=0;") } == [true])
            for (path, count) in [("/change", 2), ("/begin", 100)] {
                let response = try await client.execute(uri: path, method: .get, headers: [.cookie: cookie])
                #expect(response.status.code == thrown.status)
                #expect(response.text.contains("tea") == (thrown != .plain))
                #expect(try sealer.written(response)?.session.count == count)
            }
        }
    }

    @Test(arguments: Thrown.allCases)
    func `An error's response stays out of shared caches if the session was used`(thrown: Thrown) async throws
    {
        try await withSessions { router in
            router.get("used") { _, context -> String in
                _ = context.session.value
                throw thrown.error
            }
            router.get("unused") { _, context -> String in throw thrown.error }
        } body: { client, _, _ in
            let used = try await client.execute(uri: "/used", method: .get)
            #expect(used.status.code == thrown.status && used.headers[.setCookie] == nil)
            #expect(used.headers[.vary] == "Cookie")
            #expect(used.headers[.cacheControl] == (thrown == .plain ? "private" : "private, max-age=60"))
            let unused = try await client.execute(uri: "/unused", method: .get)
            #expect(unused.status.code == thrown.status && unused.headers[.vary] == nil)
            #expect(unused.headers[.cacheControl] == (thrown == .plain ? nil : "public, max-age=60"))
        }
    }

    @Test func `Middleware outside sees an HTTPError as it was, and others with what they were`() async throws
    {
        let seen = Mutex<[any Error]>([])
        let note: @Sendable (any Error) -> Void = { error in seen.withLock { $0.append(error) } }
        try await withSessions(onError: note) { router in
            for thrown in Thrown.allCases {
                router.get("used/\(thrown)") { _, context -> String in
                    context.session.value = Visits(count: 1)
                    throw thrown.error
                }
                router.get("unused/\(thrown)") { _, _ -> String in throw thrown.error }
            }
        } body: { client, _, _ in
            for path in ["/used", "/unused"] {
                for thrown in Thrown.allCases {
                    _ = try await client.execute(uri: "\(path)/\(thrown)", method: .get)
                }
            }
        }
        let errors = seen.withLock { $0 }
        try #require(errors.count == 6)
        let forbidden = try #require(errors[0] as? HTTPError)
        #expect(forbidden.status == .forbidden && forbidden.body == "tea")
        #expect(forbidden.headers[values: .setCookie].count == 1)
        let teapot = try #require(errors[1] as? ErrorWithSession)
        #expect(teapot.underlying is Teapot && teapot.status.code == 418)
        let odd = try #require(errors[2] as? ErrorWithSession)
        #expect(odd.underlying is Odd && odd.status == .internalServerError && "\(odd)" == "Odd()")
        #expect(
            (errors[3] as? HTTPError)?.headers[.setCookie] == nil && errors[4] is Teapot && errors[5] is Odd)
    }

    @Test func `A change that cannot be sealed leaves the error its answer, and the log says so`()
        async throws
    {
        try await withSessions { router in
            router.get("large") { request, context -> String in
                context.session.value = Visits(count: 1, note: Self.random)
                if request.uri.query == "throw" { throw HTTPError(.forbidden) }
                return ""
            }
        } body: { client, sealer, log in
            for (query, status) in [("throw", 403), ("", 500)] {
                let before = log.text.count
                let response = try await client.execute(uri: "/large?\(query)", method: .get)
                #expect(response.status.code == status && response.headers[.setCookie] == nil)
                let news = log.text.dropFirst(before)
                #expect(
                    news.contains { $0.contains("session not sealed") && $0.contains("large") }, "\(news)")
            }
        }
    }

    @Test func `An error without a response of its own is in the log at debug, as without sessions`()
        async throws
    {
        try await withSessions { router in
            router.get("odd") { _, context -> String in
                _ = context.session.value
                throw Odd()
            }
        } body: { client, _, log in
            _ = try await client.execute(uri: "/odd", method: .get)
            #expect(log.text.contains("Unrecognised Error error.type: Odd()"))
        }
    }

    private static var random: String {
        String((0..<9000).compactMap { _ in "abcdefghijklmnopqrstuvwxyz0123456789".randomElement() })
    }
}
