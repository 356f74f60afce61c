// Children of a fork.
import Foundation

/// Whether a child ends well in time; it is killed if not. Alarms do not work: the threads of Swift's executor block
/// signals.
func hasSucceeded(_ child: pid_t, within seconds: Int = 4) -> Bool {
    var status: Int32 = 0
    for _ in 0..<seconds * 1000 {
        if unsafe waitpid(child, &status, WNOHANG) == child { return status == 0 }
        usleep(1000)
    }
    kill(child, SIGKILL)
    _ = unsafe waitpid(child, &status, 0)
    return false
}
