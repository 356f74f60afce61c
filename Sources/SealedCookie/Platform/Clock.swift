// A clock for intervals.
import SealedCookieLibc

/// Nanoseconds of a clock that never goes back, as of the last tick of some milliseconds.
func coarseMonotonicTime() -> Int64 {
    var now = timespec()
    unsafe clock_gettime(Libc.coarseClock, &now)
    return Int64(now.tv_sec) &* 1_000_000_000 &+ Int64(now.tv_nsec)
}
