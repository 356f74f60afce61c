// Counters of sessions in swift-metrics. Copy this file beside SealedSessionMiddleware.swift.
import Metrics
import SealedCookie
import Synchronization

/// `SealedSessionMiddleware(sealer: sealer, onEvent: SealedSessionCounters().count)`, after the metrics system is
/// bootstrapped.
///
/// | counter | dimension | counts |
/// |---|---|---|
/// | `sessions_opened` | `key` | sessions that opened, by the key that had sealed them |
/// | `sessions_refused` | `code` | cookies that were no session, by `OpenError.code` |
/// | `sessions_answered` | `written`: `yes`, `no`, or `SealError.code` | responses to requests that used the session |
///
/// `sessions_opened` shows which keys are still needed. Nobody can add labels from outside: the codes are the
/// library's, and a key's id counts only once its session has been authenticated.
final class SealedSessionCounters: Sendable {
    private enum Kind: Hashable {
        case opened(KeyID)
        case refused(String)
        case answered(String)

        func counter(_ factory: any MetricsFactory) -> Counter {
            let (label, dimension) =
                switch self {
                case .opened(let key): ("sessions_opened", ("key", "\(key)"))
                case .refused(let code): ("sessions_refused", ("code", code))
                case .answered(let word): ("sessions_answered", ("written", word))
                }
            return Counter(label: label, dimensions: [dimension], factory: factory)
        }
    }
    private let factory: any MetricsFactory
    /// Kept: making a counter is a lookup by its label and dimensions in the metrics system.
    private let counters = Mutex<[Kind: Counter]>([:])

    init(factory: any MetricsFactory = MetricsSystem.factory) { self.factory = factory }

    func count(_ event: SealedSessionEvent) {
        let kind: Kind =
            switch event {
            case .opened(let key): .opened(key)
            case .refused(let error): .refused(error.code)
            case .written: .answered("yes")
            case .unchanged: .answered("no")
            case .notWritten(let error): .answered(error.code)
            }
        let counter = counters.withLock { counters in
            if let counter = counters[kind] { return counter }
            let new = kind.counter(factory)
            counters[kind] = new
            return new
        }
        counter.increment()
    }
}
