// Combining marks in a row: kept up to 256, refused above.
import Foundation
import Testing

@testable import SealedCookie

@Suite struct CombiningMarksTests: CostSuite {
    /// Marks of two alternating classes, which Swift has to sort.
    private func marks(_ count: Int, _ pair: [Unicode.Scalar] = ["\u{300}", "\u{316}"]) -> String {
        String(String.UnicodeScalarView((0..<count).map { pair[$0 % 2] }))
    }

    private func areTooMany(_ text: String) -> Bool { CombiningMarks.areTooMany(in: text.utf8.span) }

    @Test func `256 combining marks in a row are kept, wherever they stand`() throws {
        struct Texts: Codable, Equatable, Sendable {
            var text: String
            var keys: [String: String]
            var secret: Secret<String>
        }
        let sealer = try sealer(Texts.self)
        for pair: [Unicode.Scalar] in [
            ["\u{300}", "\u{316}"], ["\u{903}", "\u{93E}"], ["\u{20DD}", "\u{488}"],
            ["\u{1D167}", "\u{E0100}"],
            ["\u{300}", "\u{1D165}"],
        ] {
            for count in [256, 257] {
                for (front, back) in [
                    ("", ""), ("e", ""), ("", "x"), (String(repeating: "é", count: 300), "€"),
                ] {
                    let text = front + marks(count, pair) + back
                    let long = SealError.self
                    for session in [
                        Texts(text: text, keys: [:], secret: Secret("")),
                        Texts(text: "", keys: [text: ""], secret: Secret("")),
                        Texts(text: "", keys: ["": text], secret: Secret("")),
                        Texts(text: "", keys: [:], secret: Secret(text)),
                    ] {
                        if count == 256 {
                            #expect(
                                try sealer.open(value: sealer.seal(session, at: noon).token, at: noon).session
                                    == session)
                        } else {
                            let error = #expect(throws: long) { try sealer.seal(session, at: noon) }
                            guard case .notEncodable(_, let reason) = error else {
                                Issue.record("\(String(describing: error))")
                                continue
                            }
                            #expect(reason == "text with more than 256 combining marks in a row")
                        }
                    }
                }
            }
        }
    }

    @Test func `a run of combining marks is found at every place, and only where it is one`() throws {
        let pieces: [String] = ["a", "é", "€", "漢", "🍪", "\u{300}", "\u{1D165}", "\u{903}"]
        var generator = SystemRandomNumberGenerator()
        for round in 0..<400 {
            var text = ""
            var longest = 0
            while text.utf8.count < 3000 {
                let run = [0, 1, 100, 255, 256, 257, 300, 600].randomElement(using: &generator) ?? 0
                longest = max(longest, run)
                text += marks(run, round % 2 == 0 ? ["\u{300}", "\u{903}"] : ["\u{1D165}", "\u{300}"])
                for _ in 0..<Int.random(in: 1...300, using: &generator) {
                    text += pieces[Int.random(in: 0..<5, using: &generator)]
                }
            }
            #expect(areTooMany(text) == (longest > 256))
        }
        for offset in 0..<600 {
            let front = String(repeating: "x", count: offset)
            #expect(areTooMany(front + marks(257)))
            #expect(!areTooMany(front + marks(256) + "x" + front + marks(256)))
        }
    }

    @Test func `an opener refuses text that another sealer should have refused`() throws {
        let text = marks(257)
        for major in [CBORMajor.text, .map] {
            var item: [UInt8] = major == .map ? [0xA1] : []
            item.append(.text, UInt64(text.utf8.count))
            item += Array(text.utf8) + (major == .map ? [0] : [])
            #expect(throws: CBORFailure(.combiningMarks)) { try CheckedItem(parsing: item) }
            #expect(throws: SealError.self) { try EncodedSession(item) }
            let token = try token([0] + Self.created + [0] + item)
            #expect(throws: OpenError.malformedPayload("text with more than 256 combining marks in a row")) {
                try sealer(CBORValue.self).open(value: token, at: noon)
            }
        }
    }

    @Test func `JSON with too many combining marks is refused before anything is made of it`() throws {
        let long = String(repeating: "\u{300}\u{316}", count: 200_000)
        for json in [
            "\"\(long)\"", "{\"\(long)\": 1}", "{\"\(long)\": 1, \"\(long)x\": 2}",
            "[{\"$url\": \"\(long)\"}]",
        ] {
            let start = threadTime()
            let failure = #expect(throws: CBORJSONFailure.self) { try CBORJSON(parsing: Data(json.utf8)) }
            #expect(failure?.detail?.hasSuffix("text with more than 256 combining marks in a row") == true)
            // It used to take half a minute.
            #expect(threadTime() - start < 3)
        }
        let escaped = "\"" + String(repeating: "\\u0300\\u0316", count: 129) + "\""
        #expect(throws: CBORJSONFailure.self) { try CBORJSON(parsing: Data(escaped.utf8)) }
        let kept = "\"" + String(repeating: "\\u0300\\u0316", count: 128) + "\""
        #expect(try CBORJSON(parsing: Data(kept.utf8)).value == .text(marks(256)))
    }
}
