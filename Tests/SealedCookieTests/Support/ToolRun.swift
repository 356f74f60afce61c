// The built tool, run as people and scripts run it.
import Foundation

@testable import SealedCookie

/// A run of the built tool.
struct ToolRun {
    let exitCode: Int32
    let output: String
    let errors: String

    /// The tool is next to the test bundle.
    private static var tool: URL {
        Bundle.module.bundleURL.deletingLastPathComponent().appending(path: "sealed-cookie")
    }

    /// - Parameters:
    ///   - shell: A script that runs the tool, as "$0" with the arguments.
    ///   - destination: Where the output goes, if not into `output`.
    init(
        _ arguments: [String], input: String = "", environment: [String: String] = [:], shell: String? = nil,
        destination: FileHandle? = nil
    ) throws {
        let process = Process()
        process.executableURL = shell == nil ? Self.tool : URL(filePath: "/bin/sh")
        process.arguments = shell.map { ["-c", $0, Self.tool.path] + arguments } ?? arguments
        process.environment = ["LANG": "C.UTF-8"].merging(environment) { $1 }
        // A file: writing to a tool that has already ended would end the tests with a signal.
        let file = FileManager.default.temporaryDirectory.appending(
            path: "sealed-cookie-input-\(UUID().uuidString)")
        try Data(input.utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        process.standardInput = try FileHandle(forReadingFrom: file)
        let pipes = (output: Pipe(), errors: Pipe())
        process.standardOutput = destination ?? pipes.output
        process.standardError = pipes.errors
        try process.run()
        if destination != nil { try pipes.output.fileHandleForWriting.close() }
        let output = pipes.output.fileHandleForReading.readDataToEndOfFile()
        let errors = pipes.errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        exitCode = process.terminationStatus
        self.output = String(decoding: output, as: UTF8.self)
        self.errors = String(decoding: errors, as: UTF8.self)
    }
}

/// A folder with a ring in it.
final class ToolFolder {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "sealed-cookie-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path
        // Without a time, so that it is active at any `--at`.
        try KeyRing([SealingKey.generate()]).create(at: ring)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    var ring: String { file("session.keys") }
    func file(_ name: String) -> String { path + "/" + name }

    func write(_ name: String, _ text: String) throws -> String {
        try text.write(toFile: file(name), atomically: false, encoding: .utf8)
        return file(name)
    }
}
