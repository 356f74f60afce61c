// The order of the library's folders, as a table, and which files may use C.
import Foundation
import Testing

@Suite struct ArchitectureTests {
    /// Lowest first: a file uses only what its own room and the rooms before it declare. The files outside the rooms,
    /// which are the public entry points, come last. CBOR and its JSON view are one room.
    static let order: [Set] = [
        ["Platform"], ["Concurrency"], ["Crypto"], ["Platform/Files"], ["Text"], ["CBOR", "JSON"],
        ["Compression"], ["Keys"], ["Cookies"], ["Pipeline"], [""],
    ]
    /// A room may have subfolders.
    static let shelves = ["Wire", "Writing", "Reading", "Values"].map { "CBOR/" + $0 }

    /// What the core may use of cookies: only what it reports to the caller.
    static let coreNamesOfCookies: Set = ["SizeReport", "SealerConfigurationError"]

    /// Folders of tests that do not correspond to a room of the library.
    static let roomsOfTests: Set = ["Tool", "House", "Support", "Guides"]

    /// The folders and single files in which unsafe code is allowed.
    static let unsafeRooms: Set = ["Platform", "Platform/Files", "Concurrency", "Crypto", "Compression"]
    static let unsafeFiles: Set = [
        "Text/Base64Words.swift", "Text/CopiedBytes.swift", "CBOR/Shared.swift", "CBOR/SameType.swift",
    ]
    static let unsafeFileOfTheTool = "StandardStreams.swift"

    /// The files that import each C library.
    static let importers: [String: Set] = [
        "SealedCookieOpenSSL": ["Crypto"], "SealedCookieZlib": ["Compression"],
        "SealedCookieLibc": ["Platform", "Platform/Files", "Concurrency", "Crypto", "Text"],
    ]

    static let toolsImporters: Set = ["StandardStreams.swift", "Tool.swift"]

    struct Source {
        let folder: String
        let name: String
        let code: String
    }

    private static let library = packageFolder.appending(path: "Sources/SealedCookie")

    private func sources(below root: URL) throws -> [Source] {
        let files = try #require(FileManager.default.enumerator(atPath: root.path)).compactMap {
            $0 as? String
        }
        return try files.filter { $0.hasSuffix(".swift") }.map { path in
            let parts = path.split(separator: "/")
            let folder = parts.dropLast().joined(separator: "/")
            let text = try String(contentsOf: root.appending(path: path), encoding: .utf8)
            let code = text.split(separator: "\n", omittingEmptySubsequences: false)
                .map { line in line.firstRange(of: "//").map { line[..<$0.lowerBound] } ?? line }
                .joined(separator: "\n")
            return Source(folder: Self.shelves.contains(folder) ? "CBOR" : folder, name: path, code: code)
        }
    }

    private func rank(_ file: Source) throws -> Int {
        try #require(Self.order.firstIndex { $0.contains(file.folder) }, "\(file.name) is in no room")
    }

    /// The rooms of the library's outer types.
    private func homes(_ files: [Source]) -> [String: Source] {
        let declaration = /\b(?:struct|enum|final class|class|protocol|typealias)\s+([A-Z]\w*)/
        var homes: [String: Source] = [:]
        for file in files {
            // Only a file's own outer types: nested ones are used through their outer type.
            for line in file.code.split(separator: "\n")
            where !line.hasPrefix(" ") && !line.contains("private ") {
                if let match = line.firstMatch(of: declaration) { homes[String(match.1)] = file }
            }
        }
        return homes
    }

    @Test func `every file is in a room, and every room is used`() throws {
        let files = try sources(below: Self.library)
        for file in files { _ = try rank(file) }
        #expect(Set(files.map(\.folder)) == Self.order.reduce([]) { $0.union($1) })
    }

    @Test func `no file names a type of a higher room`() throws {
        let files = try sources(below: Self.library)
        let homes = homes(files)
        #expect(homes.count > 40)
        var checked = 0
        for file in files {
            let rank = try rank(file)
            for word in file.code.matches(of: /\b[A-Z]\w*\b/) {
                guard let home = homes[String(word.output)] else { continue }
                #expect(try self.rank(home) <= rank, "\(file.name) names \(word.output) of \(home.name)")
                if file.folder == "Pipeline", home.folder == "Cookies" {
                    #expect(
                        Self.coreNamesOfCookies.contains(String(word.output)),
                        "\(file.name), which cookies stand on, names \(word.output)")
                }
                checked += 1
            }
        }
        #expect(checked > 500)
    }

    /// Except a protocol's: code that needs a new form of writing adds it to `ByteSink`.
    @Test func `a type's extensions are in its room`() throws {
        let files = try sources(below: Self.library)
        let homes = homes(files)
        var extensions = 0
        for file in files {
            for match in file.code.matches(of: /(?m)^(?:\w+ )?extension\s+([A-Z]\w*)/) {
                guard let home = homes[String(match.1)], !home.code.contains("protocol \(match.1)") else {
                    continue
                }
                #expect(home.folder == file.folder, "\(file.name) extends \(match.1) of \(home.name)")
                extensions += 1
            }
        }
        #expect(extensions > 20)
    }

    @Test func `C is imported, and code is unsafe, only where the table says so`() throws {
        let library = try sources(below: Self.library)
        let tool = try sources(below: packageFolder.appending(path: "Sources/sealed-cookie-cli"))
        var imports = 0
        for (file, isTool) in library.map({ ($0, false) }) + tool.map({ ($0, true) }) {
            for match in file.code.matches(of: /import\s+(SealedCookie(?:OpenSSL|Zlib|Libc))\b/) {
                let rooms = Self.importers[String(match.1)] ?? []
                let mayTool = match.1 == "SealedCookieLibc" && Self.toolsImporters.contains(file.name)
                #expect(
                    isTool ? mayTool : rooms.contains(file.folder), "\(file.name) imports \(match.1)")
                imports += 1
            }
            let isUnsafe = file.code.contains(
                /\bunsafe\b|\bUnsafe\w*Pointer\b|@unchecked\s+Sendable|nonisolated\(unsafe\)|exclusivity\(unchecked\)/
            )
            let mayBe =
                isTool
                ? file.name == Self.unsafeFileOfTheTool
                : Self.unsafeRooms.contains(file.folder) || Self.unsafeFiles.contains(file.name)
            #expect(mayBe || !isUnsafe, "\(file.name) is unsafe")
        }
        #expect(imports >= 5)
    }

    @Test func `only Libc names a system's C library, or asks which system it is`() throws {
        let files = try sources(below: packageFolder.appending(path: "Sources"))
        let names =
            /\b(?:Glibc|Musl|Darwin|SealedCookieXattr)\b|#(?:else)?if\s+!?(?:os|arch|targetEnvironment)\(/
        let naming = files.filter { $0.code.contains(names) }
        #expect(naming.map(\.name) == ["Libc/Libc.swift"])
    }

    @Test
    func `no file is longer than 500 lines, and no function takes more than four values without labels`()
        throws
    {
        for file in try sources(below: packageFolder.appending(path: "Sources")) {
            let lines = file.code.split(separator: "\n", omittingEmptySubsequences: false).count - 1
            #expect(lines <= 500, "\(file.name) has \(lines) lines")
            for match in file.code.matches(
                of: /\b(?:func\s+[^\s(<]+|init[?!]?)(?:<[^>]*>)?\(((?:[^()]|\((?:[^()]|\([^()]*\))*\))*)\)/)
            {
                let unlabelled = match.1.matches(of: /(?:^|,)\s*_\s+\w+\s*:/).count
                #expect(unlabelled <= 4, "\(file.name): \(match.0.prefix(60))")
            }
        }
    }

    /// A suite is in the room of what it tests. In addition to the library's rooms there are rooms for the tool, for
    /// the house's own rules, and for what tests share.
    @Test func `tests are in the rooms of what they test, in files of at most 500 lines`() throws {
        let rooms = Self.order.reduce(into: Set<String>()) { $0.formUnion($1) }
        let files = try sources(below: packageFolder.appending(path: "Tests/SealedCookieTests"))
        for file in files {
            #expect(
                rooms.contains(file.folder) || Self.roomsOfTests.contains(file.folder),
                "\(file.name) is in no room")
            let lines = file.code.split(separator: "\n", omittingEmptySubsequences: false).count - 1
            #expect(lines <= 500, "\(file.name) has \(lines) lines")
        }
        #expect(files.count > 50 && Self.roomsOfTests.isSubset(of: files.map(\.folder)))
    }

    @Test func `no trap waits for bad input`() throws {
        let files = try sources(below: packageFolder.appending(path: "Sources"))
        for file in files {
            #expect(!file.code.contains(/\btry!|\bas!|\bfatalError\b|[\w\)\]]!(?!=)/), "\(file.name)")
        }
    }

    @Test func `the root package depends on no Swift package`() throws {
        let manifest = try String(contentsOf: packageFolder.appending(path: "Package.swift"), encoding: .utf8)
        #expect(!manifest.contains(".package("))
    }

    @Test
    func `a seal and an open go the way that CONTRIBUTING lists, in at most 18 calls from file to file`()
        throws
    {
        let page = try String(
            contentsOf: packageFolder.appending(path: "CONTRIBUTING.md"), encoding: .utf8)
        let rows = try page.split(separator: "\n").compactMap { row in
            try /\| (\d+) \| (\S+\.swift) `(\w+)` \| (\S+\.swift) `(\w+)` \|/.wholeMatch(in: row)?.output
        }
        #expect(rows.map { Int($0.1) } == Array(1...18))
        for (file, function) in rows.flatMap({ [($0.2, $0.3), ($0.4, $0.5)] }) {
            let code = try String(
                contentsOf: Self.library.appending(path: String(file)), encoding: .utf8)
            let declaration = function == "init" ? " init" : "(func|var|struct) \(function)"
            #expect(
                code.contains(try Regex("\(declaration)\\b")),
                "\(file) has no \(function)")
        }
    }
}
