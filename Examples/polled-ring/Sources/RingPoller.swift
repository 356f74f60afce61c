// Copy this: it keeps a key ring up to date that is not in a file.
import SealedCookie
import ServiceLifecycle

/// Asks a source for the ring at regular intervals, and at once if a session names a key that the ring does not have.
///
/// If the source fails, or has no ring, the current ring stays in use. `onEvent` is called once for that, and for
/// each change.
struct RingPoller: Service {
    /// The current ring, for the sealers.
    let keys: SharedKeyRing
    private let source: any RingSource
    private let interval: Duration
    private let pause: Duration
    private let wishes: AsyncStream<Void>
    private let wish: AsyncStream<Void>.Continuation

    /// Asks the source for the ring with which the server starts.
    ///
    /// - Parameters:
    ///   - interval: How long a changed ring may go unnoticed. A new key must not seal before every server has it, so
    ///     `sealed-cookie rotate --from` must be much longer.
    ///   - pause: The least time between two questions, whatever cookies visitors send.
    /// - Throws: The source's error, or what is wrong with the ring: there is none to start with.
    init(
        _ source: any RingSource, every interval: Duration = .seconds(30),
        pausing pause: Duration = .seconds(5),
        onEvent: @escaping @Sendable (KeyRingEvent) -> Void
    ) async throws {
        // One pending request is enough while the source is being asked.
        let (wishes, wish) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let ring = try KeyRing(parsing: await source.text(), source: source.name)
        keys = try SharedKeyRing(ring) { event in
            if case .unknownKey = event { wish.yield() }
            onEvent(event)
        }
        self.source = source
        self.interval = interval
        self.pause = pause
        self.wishes = wishes
        self.wish = wish
    }

    func run() async throws {
        // A shutdown need not wait for the source.
        await cancelWhenGracefulShutdown {
            await withTaskGroup { group in
                group.addTask {
                    while (try? await Task.sleep(for: interval)) != nil { wish.yield() }
                }
                for await _ in wishes {
                    await poll()
                    guard (try? await Task.sleep(for: pause)) != nil else { break }
                }
                group.cancelAll()
            }
        }
    }

    /// One question at a time: an older answer cannot come after a newer one.
    private func poll() async {
        do {
            let text = try await source.text()
            // A ring whose keys are all revoked has no keys, and must take effect as well.
            try keys.replace(with: KeyRing(parsing: text, source: source.name, requiringKey: false))
        } catch let error as KeyRingError {
            keys.reportFailure(error)
        } catch {
            guard !Task.isCancelled else { return }
            keys.reportFailure(KeyRingError(source: source.name, problem: .unreadable("\(error)")))
        }
    }
}
