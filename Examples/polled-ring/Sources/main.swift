// Sessions whose key ring is in a secret manager. Start with README.md.
import Foundation
import Logging
import ServiceLifecycle

// Standard output is for the answers.
LoggingSystem.bootstrap { StreamLogHandler.standardError(label: $0) }
let log = Logger(label: "polled-ring")

func setting(_ name: String) -> String {
    guard let value = ProcessInfo.processInfo.environment[name], !value.isEmpty else {
        log.critical("\(name) is not set: see README.md")
        exit(1)
    }
    return value
}

guard let secret = URL(string: "\(setting("VAULT_ADDR"))/v1/\(setting("RING_SECRET"))") else {
    log.critical("VAULT_ADDR and RING_SECRET are no URL together")
    exit(1)
}
let source = VaultSource(secret: secret, field: setting("RING_FIELD"), token: setting("VAULT_TOKEN"))
do {
    let poller = try await RingPoller(source) { log.warning("\($0)") }
    let visits = try Visits(keys: poller.keys, log: log)
    // The poller ends last: services stop in the reverse of this order.
    let services: [ServiceGroupConfiguration.ServiceConfiguration] = [
        .init(service: poller),
        .init(service: visits, successTerminationBehavior: .gracefullyShutdownGroup),
    ]
    try await ServiceGroup(
        configuration: .init(services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: log)
    ).run()
} catch {
    log.critical("\(error)")
    exit(1)
}
