// What the suites on the command line tool share.
import Foundation
import Testing

@testable import SealedCookie

/// Equal as JSON values.
func sameJSON(_ a: String, _ b: String) throws -> Bool {
    func value(_ text: String) throws -> NSObject? {
        try JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed) as? NSObject
    }
    return try value(a) == value(b)
}

/// A suite with its own folder.
protocol ToolSuite {
    var folder: ToolFolder { get }
}

extension ToolSuite {
    func seal(_ json: String, _ arguments: String...) throws -> String {
        let run = try ToolRun(["seal", "-k", folder.ring] + arguments, input: json)
        try #require(run.exitCode == 0, "\(run.errors)")
        return run.output.trimmingCharacters(in: .newlines)
    }
}
