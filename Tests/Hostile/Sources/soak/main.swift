// One codec on all cores while its ring file is rotated, revoked, pruned, swapped and broken.
//
//     soak [SECONDS [THREADS]]
//
// Every session that opens must be the one that was sealed, under a key that may still open it. Every refusal must be
// caused by a change of the ring. No two tokens may share R. Exits with 1 at the first violation.
import Foundation
import SealedCookie

let arguments = CommandLine.arguments.dropFirst()
let seconds = arguments.first.flatMap(Double.init) ?? 60
let folder = NSTemporaryDirectory() + "soak-\(getpid())"
try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
let operatorOfRing = try RingOperator(folder: folder)
let file = try KeyRingFile(operatorOfRing.path, pollInterval: .milliseconds(20))
let sessions = try CookieSealer<SoakSession>(
    keys: file, lifetime: .init(absolute: .days(1)), purpose: "soak")
let threadCount =
    arguments.dropFirst().first.flatMap { Int($0) } ?? max(2, ProcessInfo.processInfo.activeProcessorCount)
    + 1
let workers = (0..<threadCount).map { Worker($0, sessions, operatorOfRing.history) }
let stop = Stop()
let group = DispatchGroup()
func start(_ work: @escaping @Sendable () -> Void) {
    group.enter()
    Thread.detachNewThread {
        work()
        group.leave()
    }
}
let begin = ContinuousClock.now
for worker in workers { start { worker.run(until: stop) } }
start { operatorOfRing.run(until: stop) }
// As a server does on SIGHUP.
start { while !stop.isSet { operatorOfRing.reload(file) } }
let end = begin + .seconds(seconds)
while ContinuousClock.now < end, !stop.isSet { usleep(50_000) }
stop.set()
group.wait()
let took = ContinuousClock.now - begin
try? FileManager.default.removeItem(atPath: folder)

var total = Tally()
for worker in workers { total.add(worker.tally) }
// 64 of the 160 bits: 10 million tokens meet by chance once in 400,000 runs.
var randoms = workers.flatMap(\.randoms)
randoms.sort()
let repeated = zip(randoms, randoms.dropFirst()).count { $0 == $1 }
let changes = operatorOfRing.history.changes
print(
    """
    \(threadCount) threads, \(Int(took.components.seconds)) s: \(total.sealed) sealed, \(total.opened) opened, \
    \(total.sealed + total.attempts) seals and opens, \(Int(Double(total.sealed + total.attempts) / (took / .seconds(1)))) a second
    refused: \(total.revoked) revoked, \(total.unknown) unknown (pruned), \(total.ended) ended, \
    \(total.changed) of \(total.changedTried) changed tokens
    ring: \(changes.sorted { $0.key < $1.key }.map { "\($0.value) × \($0.key)" }.joined(separator: ", "))
    R: \(randoms.count) tokens, \(repeated) repeated
    """)
var faults = workers.flatMap(\.faults) + operatorOfRing.faults
if repeated > 0 { faults.append("R was used twice") }
if total.changed != total.changedTried { faults.append("a changed token opened") }
// A soak that met nothing proves nothing.
if total.opened == 0 || total.revoked == 0 || total.ended == 0 || total.changed == 0
    || (seconds >= 20 && total.unknown == 0)
{
    faults.append("some kind of refusal did not come up")
}
for fault in faults.prefix(20) { print("WRONG: \(fault)") }
exit(faults.isEmpty ? 0 : 1)
