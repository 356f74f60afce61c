// Times pieces of work side by side, so that a noisy machine slows all of them alike.

import Foundation

/// One thing to time. `run(n)` does it n times.
struct Work {
    let name: String
    let run: (Int) throws -> Void
}

/// Nanoseconds per run, over several rounds.
struct Timing {
    let name: String
    let samples: [Double]

    var median: Double { Self.median(samples) }
    /// Half the distance between the quartiles, as a percentage of the median.
    var spread: Double {
        let sorted = samples.sorted()
        return (sorted[sorted.count * 3 / 4] - sorted[sorted.count / 4]) / 2 / median * 100
    }

    static func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        return sorted[sorted.count / 2]
    }

    /// The median of the ratios of each round: drift in between cancels out.
    func ratio(to other: Timing) -> Double {
        Self.median(zip(samples, other.samples).map { $0 / $1 })
    }
}

/// Times all of `works` in turn, in `rounds` rounds of about `milliseconds` each.
func measure(_ works: [Work], rounds: Int = 21, milliseconds: Double = 4) throws -> [Timing] {
    /// This thread's own time: other processes do not count.
    func clock() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) * 1e9 + Double(time.tv_nsec)
    }
    func nanoseconds(_ work: Work, _ count: Int) throws -> Double {
        let start = clock()
        try work.run(count)
        return (clock() - start) / Double(count)
    }
    let counts = try works.map { work in
        _ = try nanoseconds(work, 50)
        let one = try nanoseconds(work, 200)
        return max(10, Int(milliseconds * 1e6 / one))
    }
    var samples = works.map { _ in [Double]() }
    for _ in 0..<rounds {
        for (index, work) in works.enumerated() {
            samples[index].append(try nanoseconds(work, counts[index]))
        }
    }
    return zip(works, samples).map { Timing(name: $0.name, samples: $1) }
}
