// Any value and any bytes: whatever is accepted encodes to itself, and nothing traps.
import Foundation
import Testing

@testable import SealedCookie

@Suite struct CBORValueTests {
    private func randomValue(_ random: inout SplitMix, depth: Int) -> CBORValue {
        switch random.next() % (depth > 4 ? 9 : 13) {
        case 0: return .null
        case 1: return .bool(random.next() & 1 == 0)
        case 2:
            let magnitude = UInt128(random.next()) << 64 | UInt128(random.next())
            return .integer(
                CBORInteger(
                    isNegative: random.next() & 1 == 0, magnitude: magnitude >> UInt128(random.next() % 128)))
        case 3: return .float(random.next() & ~0 << (random.next() % 53))
        case 4, 5:
            return .text(
                String(
                    (0..<random.next() % 12).map { _ in "aé田😀$\"\\b0".randomElement(using: &random) ?? "x" }))
        case 6: return .bytes((0..<random.next() % 40).map { UInt8(truncatingIfNeeded: $0 &* 7) })
        case 7:
            return .time(
                CBORTime(
                    Date(
                        timeIntervalSinceReferenceDate: Double(Int64(bitPattern: random.next()) >> 30) / 1024)
                ))
        case 8:
            let bytes = (0..<16).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            return [
                .uuid(UUID(bytes: bytes.span)),
                .url("a:b?c"),
                .decimal(CBORDecimal(exponent: -2, mantissa: CBORInteger(Int(random.next() % 1000)))),
            ].randomElement(using: &random) ?? .null
        case 9, 10: return .array((0..<random.next() % 5).map { _ in randomValue(&random, depth: depth + 1) })
        case 11: return .secret(randomValue(&random, depth: depth + 1))
        default:
            var entries: [CBORMapKey: CBORValue] = [:]
            for _ in 0..<random.next() % 6 {
                let key: CBORMapKey =
                    random.next() & 1 == 0
                    ? .integer(Int64(bitPattern: random.next()) >> Int64(random.next() % 64))
                    : .text(
                        ["", "a", "$a", "$$", "aa", "b", "é", "$5", "long key"].randomElement(using: &random)
                            ?? "")
                entries[key] = randomValue(&random, depth: depth + 1)
            }
            return .map(entries.map { CBORMapEntry(key: $0.key, value: $0.value) }.sorted { $0.key < $1.key })
        }
    }

    @Test func `any value survives encoding, and its JSON view`() throws {
        var random = SplitMix(state: 3)
        for _ in 0..<3000 {
            let value = randomValue(&random, depth: 0)
            let item = try CBOREncoder.encode(value)
            let index = try CheckedItem(parsing: item.bytes)
            #expect(CBORValue(index) == value)
            #expect(index.wholeItem == item)
            // Divided, as in a compressed body.
            var skeleton: [UInt8] = []
            var contents: [UInt8] = []
            var position = 0
            for content in item.byteStrings {
                skeleton += item.bytes[position..<content.lowerBound]
                contents += item.bytes[content]
                position = content.upperBound
            }
            skeleton += item.bytes[position...]
            var divided = CheckedItem()
            try divided.check(
                skeleton + contents, item: 0..<skeleton.count,
                contents: skeleton.count..<skeleton.count + contents.count)
            #expect(CBORValue(divided) == value)
            #expect(divided.wholeItem == item)
            let json = CBORJSON(value).text(pretty: false)
            #expect(
                try CBOREncoder.encode(CBORJSON(parsing: json).value) == item,
                "\(String(decoding: json, as: UTF8.self))")
        }
    }

    @Test func `bytes that were changed anywhere never trap, and what is taken encodes to itself`() throws {
        var random = SplitMix(state: 4)
        let seeds =
            try (0..<60).map { _ in try CBOREncoder.encode(randomValue(&random, depth: 0)).bytes }
            + [try CBOREncoder.encode(CBORTypesTests.Everything()).bytes]
        var (taken, refused) = (0, 0)
        for round in 0..<40_000 {
            var bytes = seeds[round % seeds.count]
            if round % 7 == 0 {
                bytes = (0..<random.next() % 24).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            }
            for _ in 0...random.next() % 3 where !bytes.isEmpty {
                let place = Int(random.next() % UInt64(bytes.count))
                switch random.next() % 4 {
                case 0: bytes[place] = UInt8(truncatingIfNeeded: random.next())
                case 1: bytes[place] ^= 1 << UInt8(random.next() % 8)
                case 2: bytes.remove(at: place)
                default: bytes.insert(UInt8(truncatingIfNeeded: random.next()), at: place)
                }
            }
            do {
                let index = try CheckedItem(parsing: bytes)
                #expect(index.wholeItem.bytes == bytes)
                #expect(try CBOREncoder.encode(CBORValue(index)).bytes == bytes)
                _ = CBORJSON(CBORValue(index)).text(pretty: false)
                _ = try? CBORDecoder.decode(CBORTypesTests.Everything.self, from: index)
                _ = try? CBORDecoder.decode([String: Decimal].self, from: index)
                _ = try? CBORDecoder.decode([Date].self, from: index)
                taken += 1
            } catch is CBORFailure {
                refused += 1
            }
        }
        #expect(taken > 1000 && refused > 1000)
    }
}
