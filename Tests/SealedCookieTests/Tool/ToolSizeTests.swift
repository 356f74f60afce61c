// size: how large a session is, and its large fields.
import Foundation
import Testing

@testable import SealedCookie

@Suite struct ToolSizeTests: ToolSuite {
    let folder: ToolFolder

    init() throws {
        folder = try ToolFolder()
    }

    @Test func `a session over the largest that servers seal is measured, and its large fields are named`()
        throws
    {
        let session =
            #"{"few": 1, "orders": "\#(String(repeating: "order ", count: 4000))", "some": "words"}"#
        let sealed = try ToolRun(["seal", "-k", folder.ring], input: session)
        #expect(sealed.exitCode == 1 && sealed.errors.contains("more than 16384 bytes"))
        #expect(sealed.errors.contains("largest fields: orders 24010, some 11, few 5; --item-limit"))
        let larger = try ToolRun(["seal", "-k", folder.ring, "--item-limit", "65536"], input: session)
        #expect(larger.exitCode == 0 && larger.output.hasPrefix("S"))
        let size = try ToolRun(["size"], input: session)
        #expect(size.exitCode == 0 && size.output.contains("over the largest session that is sealed: 16384"))
        #expect(size.output.contains("orders"))
        let json = try ToolRun(["size", "--json", "--item-limit", "24000"], input: session)
        #expect(json.output.contains("\"itemLimit\" : 24000"))
        let most = #"{"a": "\#(String(repeating: "a", count: 65_528))"}"#
        let large = try ToolRun(["size", "--item-limit", "65536"], input: most)
        #expect(large.exitCode == 0 && !large.output.contains("largest session"))
        for count in ["0", "65537", "many"] {
            for words in [["size"], ["seal", "-k", folder.ring]] {
                #expect(try ToolRun(words + ["--item-limit", count], input: "{}").exitCode == 64)
            }
        }
    }

    @Test func `size fits a narrow terminal`() throws {
        let session =
            #"{"a_name_of_a_field_that_takes_room": "\#(String(repeating: "x", count: 300))", "b": 1}"#
        for (columns, least) in [("40", 1), ("60", 1), ("30", 0), ("200", 40)] {
            let run = try ToolRun(["size"], input: session, environment: ["COLUMNS": columns])
            let rows = run.output.split(separator: "\n").filter { $0.hasPrefix("  ") }
            #expect(
                rows.count == 7 && rows.allSatisfy { $0.count <= Int(columns) ?? 0 },
                "\(columns): \(run.output)")
            #expect(rows.contains { $0.count(where: { $0 == "█" }) >= least }, "\(columns): \(run.output)")
        }
    }

    @Test func `size draws stages and fields, and does not mind a session that is too large`() throws {
        let text = String(
            (0..<5000).map { _ in "abcdefghijklmnopqrstuvwxyz0123456789".randomElement() ?? "a" })
        let run = try ToolRun(["size"], input: #"{"small": 1, "large": "\#(text)"}"#)
        #expect(run.exitCode == 0 && run.errors.isEmpty)
        #expect(run.output.contains("large ") && run.output.contains("█"))
        #expect(run.output.contains("bytes over the limit of 4096"))
        let ascii = try ToolRun(["size"], input: #"{"a": 1}"#, environment: ["LANG": "C"])
        #expect(ascii.output.contains("####") && ascii.output.contains("left under the limit of 4096"))
        #expect(!ascii.output.contains("█"))
        let json = try ToolRun(["size", "--json", "-n", "s"], input: #"{"a": 1, "bcd": 2}"#)
        let view = try #require(
            try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
        #expect(
            view["item"] as? Int == 9 && view["name"] as? Int == 1 && view["room"] as? Int == 4096 - 1 - 74)
        #expect((view["fields"] as? [[String: Any]])?.compactMap { $0["name"] as? String } == ["bcd", "a"])
        // What seal then says about it.
        let sealed = try ToolRun(["seal", "-k", folder.ring], input: #"{"small": 1, "large": "\#(text)"}"#)
        #expect(sealed.exitCode == 1 && sealed.output.isEmpty)
        #expect(sealed.errors.contains("too large for a cookie") && sealed.errors.contains("large 5009"))
    }
}
