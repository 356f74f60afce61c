// The order of the library's folders, held as a table, and who may touch C.
import Foundation
import Testing

@Suite struct ArchitectureTests {
    /// Lowest first: a file names what its own folder and the folders before it declare. The files
    /// beside the folders, which a user meets, come last.
    static let order = ["Native", "Text", "CBOR", "Payload", "Keys", "Token", "Cookies", ""]

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
            let text = try String(contentsOf: root.appending(path: path), encoding: .utf8)
            let code = text.split(separator: "\n", omittingEmptySubsequences: false)
                .map { line in line.firstRange(of: "//").map { line[..<$0.lowerBound] } ?? line }
                .joined(separator: "\n")
            return Source(folder: parts.dropLast().joined(separator: "/"), name: path, code: code)
        }
    }

    @Test func `every folder has its place in the order`() throws {
        let folders = Set(try sources(below: Self.library).map(\.folder))
        #expect(folders == Set(Self.order))
    }

    @Test func `no file names a type of a higher folder`() throws {
        let files = try sources(below: Self.library)
        let declaration = /\b(?:struct|enum|final class|class|protocol|typealias)\s+([A-Z]\w*)/
        var home: [String: Int] = [:]
        for file in files {
            let rank = try #require(Self.order.firstIndex(of: file.folder))
            // Only a file's own outer types: nested ones go by their outer name.
            for line in file.code.split(separator: "\n")
            where !line.hasPrefix(" ") && !line.contains("private ") {
                if let match = line.firstMatch(of: declaration) { home[String(match.1)] = rank }
            }
        }
        #expect(home.count > 40)
        var checked = 0
        for file in files {
            let rank = try #require(Self.order.firstIndex(of: file.folder))
            for word in file.code.matches(of: /\b[A-Z]\w*\b/) {
                guard let declared = home[String(word.output)] else { continue }
                #expect(declared <= rank, "\(file.name) names \(word.output) of \(Self.order[declared])")
                checked += 1
            }
        }
        #expect(checked > 500)
    }

    @Test func `only Native imports C, and only Native is unsafe`() throws {
        let files =
            try sources(below: Self.library)
            + sources(below: packageFolder.appending(path: "Sources/sealed-cookie-cli"))
        var native = 0
        for file in files {
            let importsC = file.code.contains(/import\s+(COpenSSL|CZlib|CXattr)\b/)
            let isUnsafe = file.code.contains(
                /\bunsafe\b|\bUnsafe\w*Pointer\b|@unchecked\s+Sendable|nonisolated\(unsafe\)/)
            if file.folder == "Native" {
                native += importsC ? 1 : 0
            } else {
                #expect(!importsC, "\(file.name) imports a C library")
                #expect(!isUnsafe, "\(file.name) is unsafe")
            }
        }
        #expect(native >= 5)
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
}
