// README and the guides, held against what is compiled, what the Makefile has, and what the tool takes.
import Foundation
import Testing

@Suite struct GuideTests {
    struct Page {
        let name: String
        let text: String

        /// The blocks between fences of that language, each as its lines.
        func blocks(_ language: String) throws -> [[Substring]] {
            let fence = try Regex(
                "(?sm)^( *)```\(language)\\n(.*?)\\n\\1```$", as: (Substring, Substring, Substring).self)
            return text.matches(of: fence).map {
                $0.output.2.split(separator: "\n", omittingEmptySubsequences: false)
            }
        }

        /// What is code: the blocks, fenced or indented, and the spans.
        var code: [Substring] {
            var code = text.matches(of: /(?sm)^ *```\w*\n(.*?)^ *```$/).flatMap {
                $0.1.split(separator: "\n")
            }
            let prose = text.replacing(/(?sm)^ *```.*?^ *```$/, with: "")
            code += prose.matches(of: /(?m)^ {4}(.*)$/).map(\.output.1)
            code += prose.matches(of: /(`+)([^`]+)\1/).map(\.output.2)
            return code
        }

        /// Paragraphs, items and cells, without code blocks and markup.
        var sentences: [String] {
            let prose = text.replacing(/(?sm)^ *```.*?^ *```$/, with: "\n\n").replacing(
                /(?m)^ {4}.*$/, with: "\n"
            )
            .replacing(/(?s)<!--.*?-->|<[a-z\/][^>]*>/, with: "").replacing(/\]\([^)]*\)/, with: "]")
            .replacing(/(?m)^ *(?:[-*>#|]|\d+\.) */) { "\n\n\($0.output)" }.replacing(/\||\*\*/, with: "\n\n")
            return prose.split(separator: /\n\s*\n/).flatMap { paragraph in
                paragraph.replacing("\n", with: " ").split(separator: /[.!?:][)"*]*\s+/).map(String.init)
            }
        }

        static func words(_ sentence: String) -> Int {
            sentence.split(whereSeparator: \.isWhitespace).count {
                $0.contains { $0.isLetter || $0.isNumber }
            }
        }
    }

    static let catalogue = packageFolder.appending(path: "Sources/SealedCookie/Documentation.docc")

    static func guides() throws -> [Page] {
        try FileManager.default.contentsOfDirectory(atPath: catalogue.path).filter { $0.hasSuffix(".md") }
            .sorted()
            .map {
                Page(name: $0, text: try String(contentsOf: catalogue.appending(path: $0), encoding: .utf8))
            }
    }

    static func pages() throws -> [Page] {
        let readme = try String(contentsOf: packageFolder.appending(path: "README.md"), encoding: .utf8)
        let pages = try [Page(name: "README.md", text: readme)] + guides()
        try #require(pages.count > 1)
        return pages
    }

    /// The lines of the Swift files below Tests and Examples, by file, without what was fetched or built.
    static func sources() throws -> [String: [Substring]] {
        var sources: [String: [Substring]] = [:]
        for root in ["Tests", "Examples"] {
            let folder = packageFolder.appending(path: root)
            let files = try #require(
                FileManager.default.enumerator(
                    at: folder, includingPropertiesForKeys: nil, options: .skipsHiddenFiles))
            for case let file as URL in files where file.pathExtension == "swift" {
                let text = try String(contentsOf: file, encoding: .utf8)
                sources[file.path] = text.split(separator: "\n", omittingEmptySubsequences: false)
            }
        }
        try #require(sources.count > 100)
        return sources
    }

    /// Whether `block` is in `lines` in one piece, however far it is indented there.
    static func holds(_ lines: [Substring], _ block: [Substring]) -> Bool {
        func indentation(_ line: Substring) -> Int { line.prefix { $0 == " " }.count }
        guard let first = block.first, !first.allSatisfy({ $0 == " " }), lines.count >= block.count else {
            return false
        }
        return (0...lines.count - block.count).contains { start in
            let shift = indentation(lines[start]) - indentation(first)
            return zip(block, lines[start...]).allSatisfy { shown, line in
                shown.allSatisfy { $0 == " " }
                    ? line.allSatisfy { $0 == " " }
                    : shown.drop { $0 == " " } == line.drop { $0 == " " }
                        && indentation(line) - indentation(shown) == shift
            }
        }
    }

    @Test func `every snippet of Swift is in a file that is compiled`() throws {
        let sources = try Self.sources()
        var count = 0
        for page in try Self.pages() {
            #expect(
                !page.text.contains("~~~") && !page.text.contains(/``` +[Ss]wift|```Swift/), "\(page.name)")
            let blocks = try page.blocks("swift")
            #expect(
                page.text.ranges(of: "```swift").count == blocks.count, "\(page.name): a fence has no end")
            for block in blocks {
                #expect(
                    sources.values.contains { Self.holds($0, block) },
                    "\(page.name): in no file below Tests or Examples:\n\(block.joined(separator: "\n"))")
                count += 1
            }
        }
        #expect(count >= 10)
    }

    @Test func `a snippet with a line changed, left out or indented otherwise is not found`() {
        let lines: [Substring] = [
            "struct A {", "    func b() {", "        c()", "", "        d()", "    }", "}",
        ]
        #expect(Self.holds(lines, ["func b() {", "    c()", "", "    d()", "}"]))
        #expect(Self.holds(lines, ["    c()", "", "    d()"]))
        #expect(!Self.holds(lines, ["func b() {", "    c()", "", "    e()", "}"]))
        #expect(!Self.holds(lines, ["func b() {", "    c()", "    d()", "}"]))
        #expect(!Self.holds(lines, ["func b() {", "c()", "", "d()", "}"]))
        #expect(!Self.holds(lines, ["}", "}", "}"]) && !Self.holds(lines, [""]) && !Self.holds(lines, []))
    }

    @Test func `every target of make that is named is in the Makefile`() throws {
        let makefile = try String(contentsOf: packageFolder.appending(path: "Makefile"), encoding: .utf8)
        let targets = Set(makefile.matches(of: /(?m)^([a-z][a-z-]*):/).map(\.output.1))
        var count = 0
        for page in try Self.pages() {
            for match in page.code.flatMap({ $0.matches(of: /\bmake ([a-z][a-z-]*)/) }) {
                #expect(targets.contains(match.1), "\(page.name): make \(match.1)")
                count += 1
            }
        }
        #expect(count >= 3)
    }

    @Test func `every command of the tool that is named is one of its commands, and takes the options`()
        throws
    {
        var helps: [Substring: String] = [:]
        var count = 0
        for page in try Self.pages() {
            for match in page.code.flatMap({ $0.matches(of: /\bsealed-cookie ([a-z][a-z-]*)([^|#;&`]*)/) }) {
                let help = try helps[match.1] ?? ToolRun(["help", String(match.1)]).output
                helps[match.1] = help
                #expect(help.contains("usage: sealed-cookie \(match.1)"), "\(page.name): \(match.0)")
                // The list of options alone: an example may be of another command.
                let listed = help.matches(of: /(?m)^  (?:(-\w), | {4})(--[a-z-]+)/).flatMap { [$0.1, $0.2] }
                for option in match.2.matches(of: /(?:^|\s)(--?[a-z][a-z-]*)/) {
                    #expect(
                        listed.contains(option.1),
                        "\(page.name): \(match.0)")
                }
                count += 1
            }
        }
        #expect(count >= 10)
    }

    @Test func `every link within the project leads to a file that is there`() throws {
        var pages = try Self.guides().map { (page: $0, folder: Self.catalogue) }
        for path in ["README.md", "docs/benchmarks.md", "docs/rolling-deploys.md"] {
            let url = packageFolder.appending(path: path)
            let page = Page(name: path, text: try String(contentsOf: url, encoding: .utf8))
            pages.append((page, url.deletingLastPathComponent()))
        }
        var count = 0
        for (page, folder) in pages {
            var prose = page.text.replacing(/(?sm)^ *```.*?^ *```$/, with: "")
            // A guide names its pictures without their folder, and docc looks for them.
            if folder == Self.catalogue { prose.replace(/!\[[^\]]*\]\([^)]*\)/, with: "") }
            let links = prose.matches(of: /\]\(([^)\s]+)\)|(?:src|srcset|href)="([^"]+)"/).compactMap {
                $0.1 ?? $0.2
            }
            for link in links where !link.contains(/^(?:https?|mailto|doc):/) {
                let path = link.prefix { $0 != "#" }
                let file = path.isEmpty ? nil : folder.appending(path: String(path)).standardizedFileURL
                #expect(
                    file.map { FileManager.default.fileExists(atPath: $0.path) } ?? true,
                    "\(page.name): \(link)")
                count += 1
            }
        }
        #expect(count >= 10)
    }

    @Test func `no sentence of README or a guide has more than 35 words`() throws {
        for page in try Self.pages() {
            let sentences = page.sentences
            for sentence in sentences {
                #expect(
                    Page.words(sentence) <= 35, "\(page.name): \(Page.words(sentence)) words: \(sentence)")
            }
            #expect(sentences.count >= 10, "\(page.name)")
        }
        let long = Page(
            name: "", text: "A `b`. \(String(repeating: "word ", count: 36))\nend: it is.\n\n| a b | c |\n")
        #expect(long.sentences.map(Page.words) == [2, 37, 2, 2, 1])
    }

    @Test func `README is read in two minutes: fewer than 200 lines`() throws {
        #expect(try Self.pages()[0].text.split(separator: "\n", omittingEmptySubsequences: false).count < 200)
    }

    /// Of a login session, and the same in the light as in the dark.
    @Test func `the picture of the stages shows the sizes that the tool finds`() throws {
        let folder = Self.catalogue.appending(path: "Resources")
        let pictures = try ["pipeline.svg", "pipeline~dark.svg"].map {
            try String(contentsOf: folder.appending(path: $0), encoding: .utf8).replacing(
                /#[0-9a-f]{6}/, with: "#")
        }
        #expect(pictures[0] == pictures[1])
        let session = packageFolder.appending(path: "Benchmarks/Corpus/b_login.json")
        let found = try ToolRun(["size", session.path]).output.split(separator: "\n").prefix(6)
            .compactMap { $0.firstMatch(of: /(?m)^ +[a-zA-Z ]+? +(\d+)\b/).map { String($0.1) } }
        let shown = pictures[0].matches(of: />(\d+) (?:bytes|characters)[^<.]*<\/text>/).map { String($0.1) }
        #expect(try shown == ["\(Data(contentsOf: session).count)"] + found && found.count == 5)
    }
}
