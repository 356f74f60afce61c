// What was found with tokens made to be as costly as possible: a test for each fault. Figures: make bounds.
import Foundation
import Testing

@testable import SealedCookie

@Suite struct HostileTests {
    // MARK: Items of more than 16 KiB, which are checked once before their nodes are kept

    /// `item` after a text of this many bytes.
    private func behindText(_ count: Int, _ item: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = [0x82]
        bytes.append(.text, UInt64(count))
        return bytes + Array(repeating: 0x41, count: count) + item
    }

    @Test(arguments: CBORRefusalTests.refusals)
    func `large items are refused for the same reasons as small ones`(
        hex: String, reason: CBORFailure.Reason, path: [CBORPathElement]
    ) throws {
        let item = try #require([UInt8](hex: hex))
        let small = #expect(throws: CBORFailure.self) { try CheckedItem(parsing: behindText(1, item)) }
        let large = #expect(throws: CBORFailure.self) { try CheckedItem(parsing: behindText(17_000, item)) }
        #expect(small == large)
    }

    /// Items of every kind that forgetting nodes during the check might break.
    static let kinds = [
        "00", "3903e7", "f93c00", "f6", "6141", "4141", "80", "a0", "8100", "82008100", "a10000",
        "a2000001820000", "c100", "c4820000", "c48200c249010000000000000000", "c24a01000000000000000000",
        "d8184100", "d81843820001", "d81848d903e9a201002800", "d903e9a201002800", "d8206161",
    ]

    @Test func `large items of every kind are taken, and give the same value as a small one`() throws {
        for kind in Self.kinds {
            let element = try #require([UInt8](hex: kind))
            for count in [3, 17_000 / element.count + 1] {
                var bytes: [UInt8] = []
                bytes.append(.array, UInt64(count))
                for _ in 0..<count { bytes += element }
                let index = try CheckedItem(parsing: bytes)
                let value = CBORValue(try CheckedItem(parsing: element))
                #expect(CBORValue(index) == .array(Array(repeating: value, count: count)), "\(kind)")
                #expect(index.wholeItem.bytes == bytes)
                // One element more than declared, and one fewer.
                #expect(throws: CBORFailure(.trailingBytes)) { try CheckedItem(parsing: bytes + element) }
                #expect(throws: CBORFailure.self) { try CheckedItem(parsing: bytes.dropLast(element.count)) }
            }
        }
    }

    @Test func `tags of large items are held to their contents`() throws {
        for (tag, content) in [
            ("c4", "83000000"), ("c4", "8200f6"), ("c4", "820080"), ("d903e9", "a3010028003100"),
            ("d903e9", "a201002800".replacing("28", with: "29")), ("c1", "80"), ("d818", "420000"),
        ] {
            let item = try #require([UInt8](hex: tag + content))
            let failure = #expect(throws: CBORFailure.self) {
                try CheckedItem(parsing: behindText(17_000, item))
            }
            #expect(failure?.path == [.index(1)])
        }
    }

    /// Room for what is kept of each level while a large item is counted is reserved from the start.
    @Test func `large items are counted down to the last level`() throws {
        func failure(_ item: [UInt8]) -> CBORFailure? {
            do throws(CBORFailure) {
                _ = try CheckedItem(parsing: item)
                return nil
            } catch {
                return error
            }
        }
        for prefix in ["81", "820081", "a100", "a200000100", "c48200", "d903e9a2010028"] {
            let level = try #require([UInt8](hex: prefix))
            for count in 1...64 {
                let item = Array(repeating: level, count: count).flatMap(\.self) + [0]
                #expect(
                    failure(behindText(1, item)) == failure(behindText(17_000, item)), "\(count) × \(prefix)")
            }
        }
        let arrays = (63...64).map { failure(behindText(17_000, Array(repeating: 0x81, count: $0) + [0])) }
        #expect(arrays[0] == nil)
        #expect(arrays[1]?.reason == .tooDeep)
    }

    // MARK: What took time that grew with the square of a session's size

    /// Tries one form after the other, and so causes errors for every element.
    enum AnyForm: Codable, Equatable, Sendable {
        case bool(Bool)
        case number(Double)
        case text(String)
        case array([AnyForm])

        init(from decoder: any Decoder) throws {
            let value = try decoder.singleValueContainer()
            if let bool = try? value.decode(Bool.self) {
                self = .bool(bool)
            } else if let number = try? value.decode(Double.self) {
                self = .number(number)
            } else if let text = try? value.decode(String.self) {
                self = .text(text)
            } else {
                self = .array(try value.decode([AnyForm].self))
            }
        }

        func encode(to encoder: any Encoder) throws {
            var value = encoder.singleValueContainer()
            switch self {
            case .bool(let bool): try value.encode(bool)
            case .number(let number): try value.encode(number)
            case .text(let text): try value.encode(text)
            case .array(let array): try value.encode(array)
            }
        }
    }

    /// Seconds of this thread: the shortest of three runs.
    private func time(_ work: () throws -> Void) rethrows -> Double {
        func now() -> Double {
            var time = timespec()
            unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
            return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
        }
        return try (0..<3).map { _ in
            let start = now()
            try work()
            return now() - start
        }.min() ?? 0
    }

    @Test func `errors for every element of a long array do not cost the square of its length`() throws {
        func decoding(_ count: Int) throws -> Double {
            let index = try CheckedItem(
                parsing: CBOREncoder.encode(Array(repeating: AnyForm.text("A"), count: count)).bytes)
            return try time { _ = try CBORDecoder.decode(AnyForm.self, from: index) }
        }
        // Eight times as many: 8 times the time, not 64.
        let growth = try decoding(24_000) / decoding(3_000)
        #expect(growth < 24)
    }

    @Test func `paths of every element while encoding do not cost the square of its length`() throws {
        struct PathReader: Encodable {
            func encode(to encoder: any Encoder) throws {
                var container = encoder.singleValueContainer()
                try container.encode(encoder.codingPath.count)
            }
        }
        func encoding(_ count: Int) throws -> Double {
            let readers = Array(repeating: PathReader(), count: count)
            return try time { _ = try CBOREncoder.encode(readers) }
        }
        // Eight times as many: 8 times the time, not 64.
        let growth = try encoding(24_000) / encoding(3_000)
        #expect(growth < 24)
    }

    @Test func `entries of a large map that are asked for backwards are not searched from the front`() throws
    {
        func looking(_ count: Int) throws -> Double {
            let keys = (10_000..<10_000 + count).map { "k\($0)" }
            let map = Dictionary(uniqueKeysWithValues: keys.map { ($0, 1) })
            let index = try CheckedItem(parsing: CBOREncoder.encode(map).bytes)
            return time {
                let reader = CBORReader(CBORReading(index))
                let found = keys.reversed().count { reader.value(in: 0, text: $0) != nil }
                #expect(found == count)
            }
        }
        let growth = try looking(4_000) / looking(500)
        #expect(growth < 24)
    }

    @Test func `fields that are absent from a large map are looked for by halves`() throws {
        let keys = ["k", "kk", "é", "zz", String(repeating: "x", count: 30)]
        let integers: [Int64] = [0, 1, 23, 24, 300, 70_000, -1, -2, -25, -300, .max, .min]
        let entries =
            integers.map { CBORMapEntry(key: .integer($0), value: .integer(CBORInteger($0))) }
            + (keys + (0..<100).map { "key\($0)" }).map { CBORMapEntry(key: .text($0), value: .text($0)) }
        let value = CBORValue.map(entries.sorted { $0.key < $1.key })
        let reader = CBORReader(CBORReading(try CheckedItem(parsing: CBOREncoder.encode(value).bytes)))
        // In an order for which no guess helps.
        for round in [entries, entries.reversed(), entries.shuffled()] {
            for entry in round {
                switch entry.key {
                case .text(let key):
                    let position = try #require(reader.value(in: 0, text: key))
                    #expect(reader.index.text(Int(position)) == key)
                    #expect(reader.value(in: 0, text: key + "x") == nil || keys.contains(key + "x"))
                case .integer(let key):
                    let position = try #require(reader.value(in: 0, integer: Int(key)))
                    #expect(CBORInteger(reader.index, at: Int(position)) == CBORInteger(key))
                }
            }
            for key in [2, 25, 301, -3, -26] { #expect(reader.value(in: 0, integer: key) == nil) }
            for key in ["", "a", "key100", "zzzz"] { #expect(reader.value(in: 0, text: key) == nil) }
        }
    }

    @Test func `paths are the same from the inside out`() throws {
        let secret = CBORValue.secret(.array([.null, .map([CBORMapEntry(key: .text("in"), value: .null)])]))
        let value = CBORValue.array([
            .map([
                CBORMapEntry(key: .integer(1), value: .array([.null, .array([.null, .bool(true)])])),
                CBORMapEntry(key: .text("s"), value: secret),
                CBORMapEntry(
                    key: .text("tt"), value: .decimal(CBORDecimal(exponent: -1, mantissa: CBORInteger(5)))),
            ]),
            .time(.extended(seconds: 5, scale: .nano, fraction: 6)), .text("end"),
        ])
        let index = try CheckedItem(parsing: CBOREncoder.encode(value).bytes)
        let parents = index.parents()
        for position in 0..<index.count {
            #expect(index.path(to: position, parents) == index.path(to: position), "\(position)")
        }
        #expect(index.count > 20)
    }

    // MARK: Garbage

    @Test func `text that is only looked at is judged as if it were decoded`() throws {
        var random = SystemRandomNumberGenerator()
        for count in Array(0...140) + [4080, 4081, 4082, 4083] {
            let bytes = (0..<count * 3 / 4 + 1).map { _ in UInt8.random(in: 0...255, using: &random) }
            let text = Array(Base64URL.encode(bytes.span).utf8.prefix(count))
            #expect(Base64URL.isText(text.span) == (Base64URL.decode(text.span) != nil))
            if let decoded = Base64URL.decode(text.span), decoded.count >= 4 {
                let first = decoded[..<4].reduce(0) { $0 << 8 | UInt32($1) }
                #expect(text.count < 6 || Base64URL.firstFourBytes(text.span) == first)
            }
        }
        // Every byte at every position: of less than a block, and of a block and the rest after it.
        for count in [45, 60] {
            let text = Array(Base64URL.encode([UInt8](repeating: 0, count: count).span).utf8)
            for place in text.indices {
                for byte in UInt8.min...UInt8.max {
                    var changed = text
                    changed[place] = byte
                    let isValid = Base64URL.decode(changed.span) != nil
                    #expect(Base64URL.isText(changed.span) == isValid)
                    if place < 6 { #expect((Base64URL.firstFourBytes(changed.span) != nil) == isValid) }
                }
            }
        }
    }

    @Test func `the first of two faults is told, though the key is looked up first`() throws {
        let sessions = try loginSealer(sampleRing(1))
        let token = try loginSealer(sampleRing(2)).seal(login, at: noon).token
        func refusal(_ text: String) -> OpenError? {
            #expect(throws: OpenError.self) { try sessions.open(value: text, at: noon) }
        }
        #expect(refusal(token) == .unknownKey(try sampleKey(2).id))
        #expect(refusal(token + "=") == .notBase64URL)
        #expect(refusal("T" + token.dropFirst() + "!") == .notBase64URL)
        #expect(refusal("T" + token.dropFirst()) == .unknownVersion(0x4C))
        #expect(refusal("T" + token.dropFirst().prefix(55)) == .tooShort(byteCount: 42))
        #expect(refusal(String(token.prefix(60))) == .tooShort(byteCount: 45))
        #expect(refusal(String(token.prefix(61))) == .notBase64URL)
        #expect(refusal(String(repeating: "!", count: 5000)) == .tooLong(byteCount: 5000))
    }

    @Test func `a ring's line of half a million fields is refused like one of five`() {
        for count in [5, 500_000] {
            let failure = #expect(throws: KeyRingError.self) {
                try KeyRing(parsing: "revoked " + String(repeating: "0a ", count: count))
            }
            #expect(failure?.problem == .unknownLine && failure?.line == 1)
        }
    }
}
