// Sessions on bare SwiftNIO. Begin with README.md.
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import SealedCookie

/// One line on standard error, at once also where that is a file.
func log(_ text: String) { FileHandle.standardError.write(Data("\(text)\n".utf8)) }

func number(_ name: String, _ usual: Int) throws -> Int {
    guard let text = ProcessInfo.processInfo.environment[name] else { return usual }
    guard let number = Int(text), number > 0 else {
        throw Misconfiguration(description: "\(name) must be a number")
    }
    return number
}

struct Misconfiguration: Error, CustomStringConvertible { let description: String }

func serve() async throws {
    let ring = "session.keys"
    if !FileManager.default.fileExists(atPath: ring) {
        try KeyRing([.generate()]).create(at: ring)
        log("There was no key ring: made \(ring), for development only.")
    }
    let keys = try KeyRingFile(ring, pollInterval: .seconds(number("POLL_SECONDS", 30))) { log("\($0)") }
    // For plain http where the client drops what is Secure: Safari does even for localhost, and so do most that are no browsers.
    let isPlainHTTP = ProcessInfo.processInfo.environment["PLAIN_HTTP"] == "1"
    let application = Application(
        sessions: try CookieSealer(
            isPlainHTTP ? "session" : "__Host-session", keys: keys,
            lifetime: .init(absolute: .days(14), idle: .seconds(try number("IDLE_SECONDS", 12 * 3600))),
            attributes: isPlainHTTP ? .plainHTTP : .init()),
        tokens: try TokenSealer(purpose: "app", keys: keys, lifetime: .init(absolute: .hours(1))))
    let port = try number("PORT", 8080)
    let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
        .childChannelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                let handler = HTTPHandler(application)
                let bound = NIOLoopBound(handler, eventLoop: channel.eventLoop)
                // A client that asks and never reads would otherwise fill the memory with answers.
                try channel.pipeline.syncOperations.addHandler(BackPressureHandler())
                try channel.pipeline.syncOperations.configureHTTPServerPipeline(
                    withServerUpgrade: (
                        upgraders: [application.socketUpgrader],
                        completionHandler: {
                            $0.pipeline.syncOperations.removeHandler(bound.value, promise: nil)
                        }
                    ),
                    withErrorHandling: true)
                try channel.pipeline.syncOperations.addHandler(handler)
            }
        }
        .bind(host: "127.0.0.1", port: port).get()
    log("Counting visits: http://localhost:\(port)")
    try await server.closeFuture.get()
}

do {
    try await serve()
} catch {
    log("error: \(error)")
    exit(1)
}
