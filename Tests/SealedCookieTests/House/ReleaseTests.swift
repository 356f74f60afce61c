// The version, in each place that states it.
import Foundation
import Testing

@Suite struct ReleaseTests {
    private func text(_ path: String) throws -> String {
        try String(contentsOf: packageFolder.appending(path: path), encoding: .utf8)
    }

    @Test
    func `the tool's version is the newest in CHANGELOG, and README's and the guide's dependency takes it`()
        throws
    {
        let said = try ToolRun(["--version"]).output
        let version = try #require(said.wholeMatch(of: /sealed-cookie (\d+\.\d+\.\d+)\n/)).1
        let newest = try #require(try text("CHANGELOG.md").firstMatch(of: /(?m)^## (\S+)/)).1
        #expect(newest == version)
        let line = /\.package\(url: "…\/sealed-cookie", from: "(\d+)\.(\d+)\.(\d+)"\)/
        let parts = version.split(separator: ".")
        for page in ["README.md", "Sources/SealedCookie/Documentation.docc/GettingStarted.md"] {
            let from = try #require(try text(page).firstMatch(of: line), "\(page)")
            #expect(from.1 == parts[0] && from.output.0.contains("\"\(parts[0]).\(parts[1]).0\""), "\(page)")
        }
    }

    @Test func `warnings are errors where the Makefile builds, and nowhere else`() throws {
        #expect(try text("Makefile").contains("\nexport SEALED_COOKIE_STRICT := 1\n"))
        let manifest = try text("Package.swift")
        let line = try #require(manifest.split(separator: "\n").first { $0.contains("treatAllWarnings") })
        #expect(line.contains("isStrict ?") && manifest.ranges(of: "treatAllWarnings").count == 1)
        #expect(manifest.contains(#"let isStrict = Context.environment["SEALED_COOKIE_STRICT"] == "1""#))
    }
}
