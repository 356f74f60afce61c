// What types write to an encoder that has refused, or to a container of a type that threw.
import Foundation
import Testing

@testable import SealedCookie

@Suite struct EncodersKeptTests {
    enum Key: String, CodingKey { case a, b, x, big }
    struct Failure: Error {}

    final class Kept {
        var keyed: KeyedEncodingContainer<Key>?
        var single: (any SingleValueEncodingContainer)?
    }

    /// Opens a container, keeps it, and throws.
    struct Opening: Encodable {
        let kept: Kept?

        func encode(to encoder: any Encoder) throws {
            if let kept { kept.keyed = encoder.container(keyedBy: Key.self) }
            throw Failure()
        }
    }

    /// Clears what is above it, and throws.
    struct Clearing: Encodable {
        let kept: Kept

        func encode(to encoder: any Encoder) throws {
            try? kept.single?.encode(Opening(kept: nil))
            throw Failure()
        }
    }

    /// Has these values in the end, after others were tried at the same place.
    struct Tried: Encodable {
        let values: Int
        let isArray: Bool

        func encode(to encoder: any Encoder) throws {
            let kept = Kept()
            var single = encoder.singleValueContainer()
            kept.single = single
            try? single.encode(Opening(kept: kept))
            try? kept.keyed?.encode(Clearing(kept: kept), forKey: .x)
            if isArray {
                var array = encoder.unkeyedContainer()
                for value in 0..<values { try array.encode("\(value)") }
            } else {
                var map = encoder.container(keyedBy: Key.self)
                for key in [Key.a, .b].prefix(values) { try map.encode(1, forKey: key) }
            }
        }
    }

    /// JSON's encoder keeps the one value or the other, and drops the other.
    @Test func `what is written where another value has taken the key is refused`() throws {
        typealias Map = KeyedEncodingContainer<Key>
        let writers: [(String, (inout Map) -> (Int) throws -> Void)] = [
            (
                "an encoder for super",
                { outer in
                    let encoder = outer.superEncoder(forKey: .a)
                    return { try $0.encode(to: encoder) }
                }
            ),
            (
                "an encoder for super, array",
                { outer in
                    let encoder = outer.superEncoder(forKey: .a)
                    return { try [$0].encode(to: encoder) }
                }
            ),
            (
                "a nested container",
                { outer in
                    var inner = outer.nestedContainer(keyedBy: Key.self, forKey: .a)
                    return { try inner.encode($0, forKey: .b) }
                }
            ),
            (
                "an array",
                { outer in
                    var inner = outer.nestedUnkeyedContainer(forKey: .a)
                    return { try inner.encode($0) }
                }
            ),
            (
                "an encoder for super, further inside",
                { outer in
                    var inner = outer.nestedUnkeyedContainer(forKey: .a)
                    let encoder = inner.superEncoder()
                    return { try $0.encode(to: encoder) }
                }
            ),
        ]
        let values: [(String, (inout Map) throws -> Void)] = [
            ("an integer", { try $0.encode(5, forKey: .a) }),
            ("a map", { try $0.encode(["b": 5], forKey: .a) }),
            ("null", { try $0.encodeNil(forKey: .a) }),
        ]
        // Few entries and many are sorted in different ways.
        for entries in [0, 40] {
            func session(_ body: @escaping (inout Map) throws -> Void) -> Doing {
                Doing { encoder in
                    var outer = encoder.container(keyedBy: Key.self)
                    try body(&outer)
                    var others = encoder.container(keyedBy: DynamicKey.self)
                    for number in 0..<entries { try others.encode(true, forKey: DynamicKey("k\(number)")) }
                }
            }
            for (what, open) in writers {
                for (value, write) in values {
                    let failure = #expect(throws: CBORFailure.self, "\(what), then \(value)") {
                        try item(
                            session { outer in
                                let late = open(&outer)
                                try write(&outer)
                                try late(1)
                            })
                    }
                    #expect(failure?.reason == .encodedTwice)
                    // What was written before is overwritten, and what fails or is nothing is not lost.
                    let once = try item(session { try write(&$0) })
                    let before = session { outer in
                        try open(&outer)(1)
                        try write(&outer)
                    }
                    #expect(try item(before) == once, "\(what), then \(value)")
                    let never = session { outer in
                        _ = open(&outer)
                        try write(&outer)
                    }
                    #expect(try item(never) == once, "\(what), then \(value)")
                    let failed = session { outer in
                        var inner = outer.nestedUnkeyedContainer(forKey: .a)
                        try write(&outer)
                        try? inner.encode(Opening(kept: nil))
                    }
                    #expect(try item(failed) == once, "\(value)")
                }
            }
        }
    }

    @Test(arguments: [(0, "a0", "80"), (1, "a1616101", "816130"), (2, "a2616101616201", "8261306131")])
    func `a map or an array after failed tries has all that it counts`(
        values: Int, map: String, array: String
    ) throws {
        #expect(try hex(Tried(values: values, isArray: false)) == map)
        #expect(try hex(Tried(values: values, isArray: true)) == array)
    }

    class Base: Encodable {
        let isArray: Bool

        init(isArray: Bool) { self.isArray = isArray }

        func encode(to encoder: any Encoder) throws {
            if isArray {
                var array = encoder.unkeyedContainer()
                try array.encode(1)
            } else {
                var single = encoder.singleValueContainer()
                try single.encode("base")
            }
        }
    }

    final class Long: Base {
        let count: Int

        init(_ count: Int, isArray: Bool) {
            self.count = count
            super.init(isArray: isArray)
        }

        override func encode(to encoder: any Encoder) throws {
            var map = encoder.container(keyedBy: Key.self)
            try map.encode(String(repeating: "z", count: count), forKey: .big)
            try super.encode(to: map.superEncoder())
        }
    }

    @Test(arguments: [true, false])
    func `a base class for which no room is left is refused`(isArray: Bool) throws {
        var kept = 0
        for limit in [30, 300, 16_384, 65_536] {
            for count in limit - 30...limit {
                let session = Long(count, isArray: isArray)
                do {
                    let item = try CBOREncoder.encode(session, limit: limit, mostValues: .max)
                    #expect(item.bytes.count <= limit)
                    kept += 1
                } catch let error as CBORFailure {
                    #expect(error.reason == .tooLong)
                }
            }
        }
        #expect(kept > 4)
        let fitting = (0...8).filter { most in
            (try? CBOREncoder.encode(Long(3, isArray: isArray), limit: 1000, mostValues: most)) != nil
        }
        #expect(fitting.last == 8 && fitting.count < 6)
    }
}
