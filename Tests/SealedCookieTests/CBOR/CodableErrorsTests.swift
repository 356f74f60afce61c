// Decoding errors in plain words, and nothing of one session in the next.
import Foundation
import Testing

@testable import SealedCookie

@Suite struct CodableErrorsTests {
    // MARK: Errors

    private struct NotRefused: Error {}

    private func refusal<A: Codable & Sendable, B: Codable & Sendable>(_ a: A, _ type: B.Type) throws
        -> String
    {
        let policy = SessionLifetime(absolute: .days(1))
        let ring = try sampleRing(1)
        let token = try CookieSealer<A>(keys: ring, lifetime: policy).seal(a, at: noon).token
        let sealer = try CookieSealer<B>(keys: ring, lifetime: policy)
        do {
            _ = try sealer.open(value: token, at: noon)
        } catch {
            return "\(error)"
        }
        throw NotRefused()
    }

    @Test func `errors say in plain words what was wrong, and no value`() throws {
        struct Theme: Codable, Sendable { var theme: String }
        struct Cart: Codable, Sendable { var items: [Theme] }
        let prefix = "not the expected session: at "
        #expect(try refusal(["a": 1], Theme.self) == prefix + "theme, the key is missing")
        #expect(
            try refusal(["items": [["a": "hunter2"]]], Cart.self) == prefix
                + "items.0.theme, the key is missing")
        #expect(
            try refusal(["theme": 7], Theme.self) == prefix + "theme, an integer where String was expected")
        #expect(
            try refusal(["theme": Int?.none], Theme.self) == prefix + "theme, null where String was expected")
        #expect(
            try refusal(["theme": UUID()], [String: Int].self) == prefix
                + "theme, a UUID where Int was expected")
        #expect(
            try refusal(["a": 700], [String: Int8].self) == prefix + "a, an integer that Int8 cannot hold")
        #expect(
            try refusal(["a": 1e300], [String: Float].self) == prefix + "a, a float that Float cannot hold")
        #expect(try refusal(["a"], Theme.self) == prefix + "its root, an array where a map was expected")
        #expect(try refusal(["a": 1], [Int].self) == prefix + "its root, a map where an array was expected")
        #expect(
            try refusal(["a": "hunter2"], [String: UUID].self) == prefix + "a, text that is not a valid UUID")
        #expect(
            try refusal(["a": Secret("hunter2")], [String: String].self)
                == prefix + "a, a secret where String was expected")
        enum Role: String, Codable { case admin }
        #expect(
            try refusal(["a": "hunter2"], [String: Role].self) == prefix + "a, a value that its type refuses")
        #expect(
            try refusal([1], CodableTypesTests.Triple.self) == prefix
                + "its root, an array that ends too early, where UInt8 was expected")
    }

    /// Tries several types, and throws what the last try threw.
    private struct Trying<Value: Codable & Sendable>: Codable, Sendable {
        init() {}
        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            for _ in 0..<100 { _ = try? container.decode(UUID.self) }
            _ = try container.decode(Value.self)
        }
        func encode(to encoder: any Encoder) throws {}
    }

    private func error<Value: Decodable>(_ hex: String, _ type: Value.Type) throws -> DecodingError.Context {
        let bytes = try #require([UInt8](hex: hex))
        do {
            _ = try CBORDecoder.decode(type, from: CheckedItem(parsing: bytes))
        } catch let error as DecodingError {
            return try #require(error.context)
        }
        throw NotRefused()
    }

    @Test func `after any number of failed tries the error that comes out has its place and words`() throws {
        let mismatch = try error("a16161" + "8107", [String: [Trying<String>]].self)
        #expect(mismatch.codingPath.map(\.stringValue) == ["a", "0"])
        #expect(mismatch.debugDescription == "an integer where String was expected")
        struct Both: Codable, Sendable { var name: String }
        let missing = try error("a16161" + "81a0", [String: [Trying<Both>]].self)
        #expect(missing.codingPath.map(\.stringValue) == ["a", "0"])
        #expect(missing.debugDescription == "the key is missing")
        let range = try error("a16161" + "811903e8", [String: [Trying<Int8>]].self)
        #expect(range.debugDescription == "an integer that Int8 cannot hold")
        let secret = try error("a16161" + "81d8184101", [String: [Trying<Secret<String>>]].self)
        #expect(secret.codingPath.map(\.stringValue) == ["a", "0"])
        #expect(secret.debugDescription == "a secret that contains no String")
        let byte = try error("a16161" + "81420102", [String: [Trying<[String]>]].self)
        #expect(byte.codingPath.map(\.stringValue) == ["a", "0"])
    }

    @Test func `the first errors of a session have their paths for a type that looks at them`() throws {
        struct Looking: Decodable {
            var paths: [String] = []
            init(from decoder: any Decoder) throws {
                var container = try decoder.container(keyedBy: LetterKey.self).nestedUnkeyedContainer(
                    forKey: .list)
                while !container.isAtEnd {
                    do {
                        _ = try container.decode(String.self)
                    } catch DecodingError.typeMismatch(_, let context) {
                        paths.append(context.codingPath.map(\.stringValue).joined(separator: "."))
                        _ = try container.decode(Int.self)
                    }
                }
            }
        }
        #expect(try decode(Looking.self, item(["list": [1, 2, 3]])).paths == ["list.0", "list.1", "list.2"])
    }

    /// Counts how many of its errors had a path.
    private struct Counting: Decodable {
        var (paths, tries) = (0, 0)
        init(from decoder: any Decoder) throws {
            var container = try decoder.unkeyedContainer()
            while !container.isAtEnd {
                for type: any Decodable.Type in [
                    Bool.self, String.self, UUID.self, Login.self, [Int].self, Secret<String>.self, URL.self,
                    Int8.self,
                ] {
                    do {
                        _ = try container.decode(type)
                        Issue.record("\(type) was decoded")
                    } catch let error as DecodingError {
                        tries += 1
                        if error.context?.codingPath.isEmpty == false { paths += 1 }
                    }
                }
                _ = try container.decode(Int.self)
            }
        }
    }

    /// Each of a million failed tries used to search for its position among everything before it, and to make a path.
    @Test func `a type that tries one form after the other has paths made for its first errors only`() throws
    {
        for count in [1, 3, 1000] {
            let counting = try decode(Counting.self, item(Array(repeating: 1000, count: count)))
            #expect(counting.tries == count * 8)
            #expect(counting.paths == min(count * 8, 16))
        }
    }

    // MARK: One session after the other

    /// Opens sessions in the same memory, as a sealer does.
    private struct Opening: ~Copyable {
        private var memory = WorkingMemory()

        mutating func open<Value: Decodable>(_ type: Value.Type, _ value: some Encodable) throws -> Value {
            let bytes = try item(value).bytes
            memory.item = UncheckedItem(bytes: bytes, range: 0..<bytes.count, contents: nil)
            try memory.checkItem()
            return try memory.decode(type)
        }
    }

    /// A number of entries, found from the last to the first; in a large map, by a table.
    private struct Found: Decodable {
        var sum = 0
        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: DynamicKey.self)
            for number in stride(from: 999, through: 0, by: -1) {
                sum += try container.decodeIfPresent(Int.self, forKey: DynamicKey("k\(number)")) ?? 0
            }
        }
    }

    /// The paths of an array's elements; those far from its start are found by a table.
    private struct Paths: Decodable {
        var paths: [String] = []
        init(from decoder: any Decoder) throws {
            var list = try decoder.container(keyedBy: LetterKey.self).nestedUnkeyedContainer(forKey: .list)
            while !list.isAtEnd {
                paths.append(try list.superDecoder().codingPath.map(\.stringValue).joined(separator: "."))
            }
        }
    }

    @Test func `a session finds its entries whatever map was opened before it`() throws {
        var opening = Opening()
        for count in [40, 900, 300, 40, 1, 0, 500] {
            let map = Dictionary(uniqueKeysWithValues: (0..<count).map { ("k\($0)", $0) })
            #expect(try opening.open(Found.self, map).sum == count * max(0, count - 1) / 2)
            #expect(try opening.open([String: Int].self, map).count == count)
        }
    }

    @Test func `a session has its own paths whatever was opened before it`() throws {
        var opening = Opening()
        for count in [40, 900, 300, 1, 0, 500] {
            let paths = try opening.open(Paths.self, ["list": Array(repeating: 1, count: count)]).paths
            #expect(paths == (0..<count).map { "list.\($0)" })
            let nested = try opening.open(Paths.self, ["list": [[1, 2], [3]]]).paths
            #expect(nested == ["list.0", "list.1"])
        }
    }

    /// At the position guessed for the next key in one session, the next session has a value that reads like that
    /// key.
    @Test func `a session guesses nothing from the one before it`() throws {
        struct First: Codable { var a = ["x"] }
        struct Second: Decodable { var c: String }
        var opening = Opening()
        _ = try opening.open(First.self, First())
        #expect(try opening.open(Second.self, ["a": "1", "b": "c", "c": "right"]).c == "right")
    }

    @Test func `the refusals of a session are its own`() throws {
        var opening = Opening()
        for _ in 0..<3 {
            for _ in 0..<40 {
                #expect(throws: DecodingError.self) {
                    try opening.open([String: Trying<UUID>].self, ["a": 1])
                }
            }
            let error = #expect(throws: DecodingError.self) { try opening.open([String].self, [["x"], []]) }
            #expect(error?.context?.codingPath.map(\.stringValue) == ["0"])
            #expect(try opening.open(Paths.self, ["list": [1]]).paths == ["list.0"])
        }
    }
}
