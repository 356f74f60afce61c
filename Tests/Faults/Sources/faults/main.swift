// Makes each call fail in turn, each in a process of its own, and says what came of it. faults.py judges.
//
//     faults SCENARIO GROUP WAY FOLDER [FIRST LAST] < RING
//
// Writes a line for each fault: position, what failed, what came of it, in which step, and what came of
// doing it again; and one for each token: its purpose and its text.
import CFaults
import Foundation
import Glibc
import SealedCookie

enum Scenario: String {
    /// Nothing has been called before.
    case first
    /// Everything has been done once, and the page of random bytes is all but used up.
    case steady
    /// As `steady`, where no page is to be had: each seal draws its own nonce.
    case pageless
    /// As `steady`, but loses memory.
    case leaking
}

let groups = [
    "calls": FAULT_CALLS, "openssl-memory": FAULT_OPENSSL_MEMORY, "zlib-memory": FAULT_ZLIB_MEMORY,
]
let ways = ["refuses": FAULT_REFUSES, "late": FAULT_LATE, "otherwise": FAULT_OTHERWISE, "short": FAULT_SHORT]

let arguments = CommandLine.arguments
guard arguments.count >= 5, let scenario = Scenario(rawValue: arguments[1]), let group = groups[arguments[2]],
    let way = ways[arguments[3]], fault_ready() == 1
else {
    print("usage: faults first|steady|pageless|leaking GROUP WAY FOLDER [FIRST LAST] < RING")
    exit(64)
}
let folder = arguments[4]
let ringText = sequence(state: (), next: { _ in readLine(strippingNewline: false) }).joined()
/// Leaks are looked for at the exit of each child, where LeakSanitizer is linked in.
let endsQuietly = getenv("FAULTS_LEAKS") == nil

func say(_ fields: String...) {
    let line = fields.joined(separator: "\t") + "\n"
    _ = line.withCString { write(1, $0, strlen($0)) }
}

func words(_ failure: StepFailure) -> String {
    switch failure.error {
    case SealError.libraryFailed(let operation): "SealError.libraryFailed \(operation)"
    case OpenError.libraryFailed(let operation): "OpenError.libraryFailed \(operation)"
    case DictionaryError.libraryFailed(let operation): "DictionaryError.libraryFailed \(operation)"
    case let error as KeyRingError:
        switch error.problem {
        case .libraryFailed(let operation): "KeyRingError.libraryFailed \(operation)"
        default: "KeyRingError.\(error.problem)"
        }
    case let wrong as Wrong: "WRONG: \(wrong.what)"
    default: "\(type(of: failure.error)).\(failure.error)"
    }
}

/// Does the work with the `at`-th call failing, then all of it again with none.
///
/// - Returns: false where it could not begin.
func work(_ at: Int) -> Bool {
    let work = Work(ring: ringText, folder: folder)
    var (outcome, step, then) = ("absorbed", "", "")
    do throws(StepFailure) {
        if scenario == .pageless { fault_forbid_pages() }
        if scenario == .leaking { fault_leak() }
        if scenario != .first {
            try work.run()
            if scenario == .steady { try work.run(Work.almostAPage) }
        }
    } catch {
        say("\(at)", "-", "WRONG: before the fault: \(error.step): \(words(error))")
        return false
    }
    let before = work.tokens.count
    fault_arm(Int32(group.rawValue), at, Int32(way.rawValue))
    do throws(StepFailure) {
        try work.run()
    } catch {
        outcome = words(error)
        step = error.step
        if fault_is_queued() != 0 { outcome = "WRONG: an error is left in OpenSSL's queue after \(outcome)" }
    }
    fault_disarm()
    let hit = unsafe String(cString: fault_hit())
    if at == 0 || !hit.isEmpty {
        do throws(StepFailure) {
            try work.run()
        } catch {
            then = words(error)
        }
        say("\(at)", hit.isEmpty ? "\(fault_total())" : hit, outcome, step, then)
        for token in work.tokens.dropFirst(before) { say("token", token.purpose, token.text) }
    }
    return true
}

/// Runs a child; 0 where it ended well.
func run(_ at: Int) -> Int32 {
    fault_forget()
    let process = fork()
    if process == 0 {
        alarm(60)
        let code: Int32 = work(at) ? 0 : 1
        endsQuietly ? _exit(code) : exit(code)
    }
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0, errno == EINTR {}
    return status
}

/// What a child's end was, where it was not a good one.
func ending(_ status: Int32) -> String {
    // As faults.py tells the sanitizers to end.
    if status == 23 << 8 { return "SANITIZER" }
    return status & 0x7F == 0 ? "CRASH: exit code \(status >> 8)" : "CRASH: signal \(status & 0x7F)"
}

let first = run(0)
guard first == 0 else {
    say("0", "-", ending(first))
    exit(1)
}
// All of them, or those from FIRST to LAST, to look at one.
let last = arguments.count > 6 ? Int(arguments[6]) ?? 1 : max(fault_total(), 1)
for at in (arguments.count > 6 ? Int(arguments[5]) ?? 1 : 1)...last {
    let status = run(at)
    guard status != 0 else { continue }
    let hit = unsafe String(cString: fault_hit())
    say("\(at)", hit.isEmpty ? "-" : hit, ending(status))
}
