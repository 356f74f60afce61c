// The other readers, in a process that lives as long as this one: judge.py describes the questions.
import Foundation

/// Inputs are sent in batches, and one batch is judged while the next is made: separate answers would take ten times
/// as long.
final class Judge: @unchecked Sendable {  // libFuzzer calls a target on one thread.
    static let shared = Judge()
    private static let batchSize = 64
    private static let batchBytes = 32_768

    private let process = Process()
    private let (toIt, fromIt) = (Pipe(), Pipe())
    private var batch = Data()
    private var inputs: [[UInt8]] = []
    /// Those that were sent and have no answer yet.
    private var asked: [[UInt8]] = []

    private init() {
        process.executableURL = URL(filePath: "/usr/bin/env")
        let environment = ProcessInfo.processInfo.environment
        process.arguments = [
            environment["FUZZ_PYTHON"] ?? "python3", environment["FUZZ_JUDGE"] ?? "judge.py",
        ]
        process.standardInput = toIt
        process.standardOutput = fromIt
        do { try process.run() } catch { fail("no python3: \(error)") }
        atexit { Judge.shared.finish() }
    }

    /// - Parameters:
    ///   - said: 0 refused, 1 accepted, 2 unknown dictionary.
    ///   - input: libFuzzer's input, to be kept if they disagree.
    func ask(kind: UInt8, said: UInt8, _ bytes: [UInt8], _ contents: [UInt8], input: [UInt8]) {
        batch.append(contentsOf: [kind, said])
        for string in [bytes, contents] {
            append(UInt32(string.count))
            batch.append(contentsOf: string)
        }
        inputs.append(input)
        if inputs.count >= Self.batchSize || batch.count >= Self.batchBytes { send() }
    }

    private func append(_ number: UInt32) {
        withUnsafeBytes(of: number.bigEndian) { batch.append(contentsOf: $0) }
    }

    private func send() {
        answer()
        let body = batch
        batch = Data()
        append(UInt32(inputs.count))
        append(UInt32(body.count))
        let all = [UInt8](batch + body)
        exchange(all.count) { write(toIt.fileHandleForWriting.fileDescriptor, Array(all[$0...]), $1) }
        (batch, asked, inputs) = (Data(), inputs, [])
    }

    /// Repeats a call that moves some bytes until all are moved; libFuzzer's timer sometimes interrupts it.
    private func exchange(_ count: Int, _ call: (_ done: Int, _ left: Int) -> Int) {
        var done = 0
        while done < count {
            let moved = call(done, count - done)
            if moved > 0 {
                done += moved
            } else if moved == 0 || errno != EINTR {
                fail("the judge has gone")
            }
        }
    }

    private func answer() {
        guard !asked.isEmpty else { return }
        var answers = [UInt8](repeating: 0, count: asked.count)
        answers.withUnsafeMutableBytes { answers in
            exchange(asked.count) { done, left in
                read(fromIt.fileHandleForReading.fileDescriptor, answers.baseAddress! + done, left)
            }
        }
        for (input, answer) in zip(asked, answers) where answer != 1 {
            // Not libFuzzer's current input.
            let folder = ProcessInfo.processInfo.environment["FUZZ_FINDINGS"] ?? "."
            let path = "\(folder)/differential-of-\(input.hashValue.magnitude)"
            try? Data(input).write(to: URL(filePath: path))
            fail("the readers disagree: \(path) has the input")
        }
        asked = []
    }

    private func finish() {
        if !inputs.isEmpty { send() }
        answer()
    }
}
