// Time and memory of one piece of work, and lines of the report.
import CHostile
import Foundation

/// Bounds that were exceeded.
nonisolated(unsafe) var faults = 0  // This program has one thread.
/// Without this, there is nothing to measure.
func fail(_ what: String) -> Never {
    fatalError(what)  // On purpose: a report of bounds that were not tried would be worse.
}

/// Reports whether a bound was met, and remembers if not.
func verdict(_ holds: Bool) -> String {
    if !holds { faults += 1 }
    return holds ? "" : "  <-- DOES NOT HOLD"
}

func cell(_ text: String, _ width: Int) -> String {
    text.padding(toLength: max(width, text.count), withPad: " ", startingAt: 0)
}
func number(_ value: Double, _ digits: Int = 0) -> String { String(format: "%9.\(digits)f", value) }

/// The least thread time of one run in microseconds, and the peak of memory above the initial amount.
func cost(_ runs: Int = 11, _ work: () -> Void) -> (microseconds: Double, peak: Int64) {
    work()
    work()
    var (least, peak) = (Int64.max, Int64.min)
    for _ in 0..<runs {
        let base = hostile_live()
        hostile_reset_peak()
        let start = hostile_thread_time()
        work()
        least = min(least, hostile_thread_time() - start)
        peak = max(peak, hostile_peak() - base)
    }
    return (Double(least) / 1000, peak)
}
