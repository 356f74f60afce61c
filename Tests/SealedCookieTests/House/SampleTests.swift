// What readers copy must not lead to a crash of the compiler.
import Foundation
import Testing

@Suite struct SampleTests {
    /// Lines with a `catch` whose `where` has an operator. Swift 6.3.1 crashes on it where the `do` throws one typed error and no
    /// `catch` takes all: a `guard` inside the `catch`, or one condition, compiles.
    static func crashes(in text: String) -> [Substring] {
        // A `where` on the next line belongs to the `catch`.
        let text = text.replacing(/\n\s*where\b/, with: " where")
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        return lines.indices.filter { index in
            lines[index].contains(/\bcatch\b.*\bwhere\b.*(\|\||&&)/)
                && !lines[index...].dropFirst().prefix(6).contains { $0.contains(/\bcatch \{/) }
        }.map { lines[$0] }
    }

    @Test func `no sample has a catch that the compiler crashes on`() throws {
        var count = 0
        for root in ["README.md", "docs", "Examples", "Sources/SealedCookie"] {
            let root = packageFolder.appending(path: root)
            let below = FileManager.default.enumerator(
                at: root, includingPropertiesForKeys: nil, options: .skipsHiddenFiles)
            for case let file as URL in [root] + Array(try #require(below))
            where ["md", "swift"].contains(file.pathExtension) {
                count += 1
                #expect(
                    Self.crashes(in: try String(contentsOf: file, encoding: .utf8)).isEmpty,
                    "\(file.lastPathComponent)")
            }
        }
        #expect(count > 100)
    }

    @Test func `a catch that the compiler crashes on is found`() {
        #expect(Self.crashes(in: "do {\n} catch where error.isSessionOver || isSame {\n}").count == 1)
        #expect(Self.crashes(in: "} catch let error as SealError where a && b {\n}").count == 1)
        #expect(Self.crashes(in: "} catch let error as SealError\n    where a || b {\n}").count == 1)
        #expect(Self.crashes(in: "} catch where a || b {\n} catch {\n}").isEmpty)
        #expect(
            Self.crashes(in: "} catch where error.isSessionOver {\n    guard a || b else { throw error }\n}")
                .isEmpty)
    }
}
