// What the environment says, and the key ring that every server of the site shares.
import Hummingbird
import Logging
import SealedCookie

struct Settings {
    let port: Int
    /// The ring's file.
    let ring: String
    let isProduction: Bool
    /// Anything but sealed is only for measuring.
    let sessions: Sessions
    let lookSeconds: Int

    enum Sessions: Equatable {
        /// In sealed cookies.
        case sealed
        /// The same for every visitor.
        case fixed
        /// In a Redis server at this port of 127.0.0.1.
        case redis(port: Int)
    }

    struct Refusal: Error, CustomStringConvertible {
        let description: String
    }

    init(_ environment: Environment) throws(Refusal) {
        // Whatever is not called development is production: a misspelt word must not make keys.
        isProduction = (environment.get("ENVIRONMENT") ?? "development") != "development"
        guard let ring = environment.get("SESSION_KEYS") ?? (isProduction ? nil : "session.keys") else {
            throw Refusal(
                description: """
                    no key ring: SESSION_KEYS must name its file in production
                    hint: sealed-cookie keygen /etc/shop/session.keys
                    """)
        }
        self.ring = ring
        port = try Self.number("PORT", 8080, in: 0...65535, environment)
        lookSeconds = try Self.number("LOOK_SECONDS", 30, in: 1...3600, environment)
        switch environment.get("SESSIONS") ?? "on" {
        case "on": sessions = .sealed
        case "off": sessions = .fixed
        case "redis": sessions = .redis(port: try Self.number("REDIS_PORT", 6379, in: 1...65535, environment))
        default: throw Refusal(description: "SESSIONS must be on, off or redis")
        }
    }

    private static func number(
        _ name: String, _ preset: Int, in range: ClosedRange<Int>, _ environment: Environment
    ) throws(Refusal) -> Int {
        guard let text = environment.get(name) else { return preset }
        guard let number = Int(text), range.contains(number) else {
            throw Refusal(
                description: "\(name) must be a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// The ring, followed from now on. In development it is made where there is none.
    func keys(_ logger: Logger) throws(KeyRingError) -> KeyRingFile {
        if !isProduction {
            do {
                try KeyRing([.generate()]).create(at: ring)
                logger.notice("There was no key ring: made \(ring), for development only.")
            } catch  where error.problem == .alreadyExists {}
        }
        return try KeyRingFile(ring, pollInterval: .seconds(lookSeconds)) { event in
            if case .failed = event { logger.error("\(event)") } else { logger.notice("\(event)") }
        }
    }
}
