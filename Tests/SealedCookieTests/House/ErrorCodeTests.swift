// The words for metrics, which never change, and the guide's list of them.
import Foundation
import Testing

@testable import SealedCookie

@Suite struct ErrorCodeTests {
    static let key = KeyID(1, 2, 3)

    static let open: [(OpenError, String)] = [
        (.tooLong(byteCount: 1), "too-long"), (.tooManyCookies(3, limit: 2), "too-many-cookies"),
        (.missingPart(1, of: 2), "missing-part"), (.notBase64URL, "not-base64url"),
        (.tooShort(byteCount: 1), "too-short"), (.unknownVersion(1), "unknown-version"),
        (.unknownKey(key), "unknown-key"), (.revokedKey(key), "revoked-key"),
        (.notAuthentic, "not-authentic"),
        (.malformedPayload(""), "malformed-payload"), (.unknownDictionary(""), "unknown-dictionary"),
        (.inFuture(noon), "in-the-future"), (.signedOut(noon), "signed-out"),
        (.formerCookie(noon), "former-cookie"), (.expired(noon), "expired"),
        (.endedBefore(noon), "ended"),
        (.sessionMismatch(codingPath: [], reason: ""), "session-mismatch"),
        (.libraryFailed(operation: ""), "library-failed"),
    ]

    static func seal() throws -> [(SealError, String)] {
        [
            (.noActiveKey, "no-active-key"),
            (.tooLarge(try loginSealer(sampleRing(1)).sizeReport(for: login)), "too-large"),
            (.itemTooLarge(codingPath: [], reason: ""), "item-too-large"),
            (.notEncodable(codingPath: [], reason: ""), "not-encodable"),
            (.timeOutOfRange, "time-out-of-range"), (.expired(noon), "expired"),
            (.revokedKey(key), "revoked-key"),
            (.foreignKey(key), "foreign-key"), (.endedBefore(noon), "ended"),
            (.anotherCookie(name: "", purpose: ""), "another-cookie"),
            (.libraryFailed(operation: ""), "library-failed"),
        ]
    }

    static let ring: [(KeyRingError.Problem, String)] = [
        (.unreadable(""), "unreadable"), (.unwritable(""), "unwritable"), (.detached, "detached"),
        (.alreadyExists, "already-exists"), (.noKeys, "no-keys"), (.noLines, "no-lines"), (.locked, "locked"),
        (.notUTF8, "not-utf8"), (.byteOrderMark, "byte-order-mark"), (.carriageReturn, "carriage-return"),
        (.lostLineBreaks, "lost-line-breaks"), (.emptyLines, "empty-lines"),
        (.commentInOneLine, "comment-in-one-line"), (.unknownLine, "unknown-line"), (.notAKey, "not-a-key"),
        (.notAKeyID, "not-a-key-id"), (.notATime, "not-a-time"), (.mislabelled(key), "mislabelled"),
        (.idCollision(key), "id-collision"), (.revokedKey(key), "revoked-key"),
        (.libraryFailed(operation: ""), "library-failed"),
    ]

    static let sealer: [(SealerConfigurationError, String)] = [
        (.invalidName(""), "invalid-name"), (.nameTooLong(byteCount: 1, limit: 1), "name-too-long"),
        (.invalidPath(""), "invalid-path"), (.invalidDomain(""), "invalid-domain"),
        (.attributeTooLong(byteCount: 1, limit: 1), "attribute-too-long"),
        (.hostPrefixNeedsSecure, "host-prefix-needs-secure"),
        (.hostPrefixForbidsDomain, "host-prefix-forbids-domain"),
        (.hostPrefixNeedsRootPath, "host-prefix-needs-root-path"),
        (.securePrefixNeedsSecure, "secure-prefix-needs-secure"),
        (.httpPrefixNeedsSecure, "http-prefix-needs-secure"),
        (.httpPrefixNeedsHTTPOnly, "http-prefix-needs-http-only"),
        (.sameSiteNoneNeedsSecure, "same-site-none-needs-secure"),
        (.partitionedNeedsSecure, "partitioned-needs-secure"), (.invalidPadding(1), "invalid-padding"),
        (.invalidLimits, "invalid-limits"), (.ambiguousDictionaries, "ambiguous-dictionaries"),
        (.invalidItemLimit(0), "invalid-item-limit"), (.emptyPurpose, "empty-purpose"),
        (.invalidTokenLimit(0), "invalid-token-limit"), (.tooManyFormerCookies(5), "too-many-former-cookies"),
        (.invalidSplitting(0), "invalid-splitting"),
        (.splittingOverResponse(byteCount: 2, limit: 1), "splitting-over-response"),
    ]

    static let dictionary: [(DictionaryError, String)] = [
        (.invalidByteCount(0), "invalid-byte-count"), (.libraryFailed(operation: ""), "library-failed"),
    ]

    struct Codes {
        let type, file: String
        /// The actual words, and the expected ones.
        let codes: [(found: String, stated: String)]
    }

    static func all() throws -> [Codes] {
        [
            Codes(
                type: "OpenError", file: "Pipeline/OpenError.swift",
                codes: open.map { ($0.code, $1) }),
            Codes(
                type: "SealError", file: "Pipeline/SealError.swift",
                codes: try seal().map { ($0.code, $1) }),
            Codes(
                type: "Problem", file: "Keys/KeyRingError.swift", codes: ring.map { ($0.code, $1) }),
            Codes(
                type: "SealerConfigurationError", file: "Cookies/SealerConfigurationError.swift",
                codes: sealer.map { ($0.code, $1) }),
            Codes(
                type: "DictionaryError", file: "Compression/CompressionDictionary.swift",
                codes: dictionary.map { ($0.code, $1) }),
        ]
    }

    @Test func `every refusal has the word that it had, and no two of a type have one`() throws {
        for type in try Self.all() {
            for (found, stated) in type.codes { #expect(found == stated) }
            #expect(Set(type.codes.map(\.found)).count == type.codes.count, "\(type.type)")
            #expect(type.codes.allSatisfy { $0.found.wholeMatch(of: /[a-z][a-z0-9]*(-[a-z0-9]+)*/) != nil })
            let path = packageFolder.appending(path: "Sources/SealedCookie").appending(path: type.file)
            let source = try String(contentsOf: path, encoding: .utf8)
            let declaration = try #require(
                source.firstMatch(of: try Regex("(?ms)^( *)public enum \(type.type)\\b.*?^\\1\\}")))
            let cases = source[declaration.range].matches(of: /(?m)^ *case \w+/).count
            #expect(cases == type.codes.count, "\(type.type) has cases that are not listed here")
        }
        let error = KeyRingError(source: "ring", problem: .noKeys)
        #expect(error.code == "no-keys")
    }

    /// What a compiler that knows the attribute does with it: a `switch` in another package without `@unknown
    /// default` is an error there, so that a new case breaks none.
    @Test func `errors and events can gain cases`() throws {
        for (type, file) in try Self.all().map({ ($0.type, $0.file) }) + [
            ("KeyRingEvent", "Keys/CurrentRing.swift")
        ] {
            let path = packageFolder.appending(path: "Sources/SealedCookie").appending(path: file)
            let source = try String(contentsOf: path, encoding: .utf8)
            let declaration = try Regex(
                "#if hasAttribute\\(nonexhaustive\\)\\n *@nonexhaustive\\n *#endif\\n *public enum \(type)\\b"
            )
            #expect(source.contains(declaration), "\(type)")
        }
    }

    @Test func `the guide to errors lists the words of all errors`() throws {
        let guide = try #require(try GuideTests.guides().first { $0.name == "Errors.md" }).text
        for type in try Self.all() {
            let name = type.type == "Problem" ? "KeyRingError" : type.type
            let row = try #require(
                guide.split(separator: "\n").first { $0.hasPrefix("| `\(name).code` |") }, "\(name)")
            let words = row.matches(of: /`([a-z0-9-]+)`/).map { String($0.1) }
            #expect(words == type.codes.map(\.stated), "\(name)")
        }
    }

    /// A metric that counts each word tells implementers of other openers the same as FORMAT.
    @Test func `what FORMAT refuses in words has those words with hyphens`() throws {
        let format = try String(contentsOf: packageFolder.appending(path: "FORMAT.md"), encoding: .utf8)
        let section = try #require(format.firstMatch(of: /(?s)### 5\.2 Opening.*?\n## 6/))
        let table = section.0.matches(of: /(?m)^\| \d+ \|.*\| ([^|]+) \|$/).flatMap {
            $0.1.split(separator: ", ").map(String.init)
        }
        let words = Self.open.map { $0.0.code.replacing("-", with: " ") }
        #expect(table.count == 13 && Set(table).isSubset(of: words))
        #expect(format.contains("*too many cookies*") && format.contains("*missing part*"))
    }
}
