// Any session as a value, for tools that do not know its type.
#if canImport(FoundationEssentials)
    package import FoundationEssentials
#else
    package import Foundation
#endif

/// Anything that a session can contain (FORMAT §7). Decoding and encoding again yields the same bytes.
package indirect enum CBORValue: Equatable, Sendable {
    case null
    case bool(Bool)
    case integer(CBORInteger)
    /// The 64 bits of a Double, whatever the item's width.
    case float(UInt64)
    case text(String)
    case bytes([UInt8])
    case array([CBORValue])
    /// The entries, in the order of the item's keys.
    case map([CBORMapEntry])
    case time(CBORTime)
    case uuid(UUID)
    case url(String)
    case decimal(CBORDecimal)
    /// The contents of a `Secret`.
    case secret(CBORValue)
}

package enum CBORMapKey: Hashable, Sendable, Comparable {
    case text(String)
    case integer(Int64)

    /// The order of the encoded keys: 0, 1, 2 …, -1, -2 …, then text by length, then by bytes.
    package static func < (a: CBORMapKey, b: CBORMapKey) -> Bool {
        switch (a, b) {
        case (.integer(let a), .integer(let b)):
            (a < 0) == (b < 0) ? (a < 0 ? a > b : a < b) : b < 0
        case (.integer, .text): true
        case (.text, .integer): false
        case (.text(let a), .text(let b)):
            a.utf8.count == b.utf8.count
                ? a.utf8.lexicographicallyPrecedes(b.utf8) : a.utf8.count < b.utf8.count
        }
    }
}

extension CBORMapKey {
    /// The value that represents this key wherever keys are treated as values.
    var value: CBORValue {
        switch self {
        case .text(let text): .text(text)
        case .integer(let integer): .integer(CBORInteger(integer))
        }
    }

    init?(_ value: CBORValue) {
        switch value {
        case .text(let text): self = .text(text)
        case .integer(let integer):
            guard let integer = integer.exactly(as: Int64.self) else { return nil }
            self = .integer(integer)
        default: return nil
        }
    }
}

package struct CBORMapEntry: Equatable, Sendable {
    package let key: CBORMapKey
    package let value: CBORValue
}

extension CBORValue {
    init(_ index: CheckedItem, at position: Int = 0) {
        let node = index.node(position)
        switch node.kind {
        case .null: self = .null
        case .bool: self = .bool(node.argument == 1)
        case .unsigned: self = .integer(CBORInteger(node.argument))
        case .negative: self = .integer(CBORInteger(isNegative: true, magnitude: UInt128(node.argument)))
        case .float: self = .float(node.argument)
        case .text: self = .text(index.text(position))
        case .bytes: self = .bytes(Array(index.bytes[index.content(position)]))
        case .array: self = .array(index.children(of: position).map { CBORValue(index, at: $0) })
        case .map:
            var entries: [CBORMapEntry] = []
            var key: CBORMapKey?
            for child in index.children(of: position) {
                if let entryKey = key {
                    entries.append(CBORMapEntry(key: entryKey, value: CBORValue(index, at: child)))
                    key = nil
                } else if case .integerKey(let integer) = index.keyElement(child) {
                    key = .integer(integer)
                } else {
                    key = .text(index.text(child))
                }
            }
            self = .map(entries)
        case .tag:
            self = Self.tagged(index, at: position)
        }
    }

    private static func tagged(_ index: CheckedItem, at position: Int) -> CBORValue {
        if let integer = CBORInteger(index, at: position) { return .integer(integer) }
        if let time = CBORTime(checked: { index.node(position + $0) }) { return .time(time) }
        if let decimal = CBORDecimal(index, at: position) { return .decimal(decimal) }
        switch index.node(position).argument {
        case CBORTag.embeddedItem: return .secret(CBORValue(index, at: position + 2))
        case CBORTag.uuid: return .uuid(UUID(bytes: index.bytes.span.extracting(index.content(position + 1))))
        // The item is checked, so the only tag left is a URL.
        default: return .url(index.text(position + 1))
        }
    }

    fileprivate func write(to tree: SharedTree, at node: ItemBuilder.NodeID) throws {
        try tree.value.check()
        switch self {
        case .null: try tree.encodeNil(at: node)
        case .bool(let bool): try tree.encode(bool, at: node)
        case .integer(let integer): try tree.encode(integer, at: node)
        case .float(let bits): tree.value.write(floatBits: bits, node)
        case .text(let text): try tree.encode(text, at: node)
        case .bytes(let bytes): try tree.encode(bytes, at: node)
        case .array(let elements):
            tree.value.open(node, as: .array)
            for element in elements { try element.write(to: tree, at: tree.value.addElement(to: node)) }
        case .map(let entries):
            tree.value.open(node, as: .map)
            for entry in entries {
                let child =
                    switch entry.key {
                    case .text(let text): tree.value.addEntry(to: node, key: text)
                    case .integer(let integer): tree.value.addEntry(to: node, key: Int(integer), nil)
                    }
                try entry.value.write(to: tree, at: child)
            }
        case .time(let time): tree.value.write(time, node)
        case .uuid(let uuid): try tree.encode(uuid, at: node)
        case .url(let url): tree.value.write(url: url, node)
        case .decimal(let decimal): tree.value.write(decimal.encoded, node)
        case .secret(let value):
            tree.value.open(node, as: .embedded)
            try value.write(to: tree, at: tree.value.addElement(to: node))
        }
    }
}

extension CBORValue: Codable {
    /// Only this library's encoder can write every case. Other encoders get the JSON view.
    package func encode(to encoder: any Encoder) throws {
        if let encoder = try CBORItemEncoder.behind(encoder, orRefuse: .sessionLost) {
            try write(to: encoder.tree, at: encoder.node)
        } else {
            try CBORJSON(self).encode(to: encoder)
        }
    }

    package init(from decoder: any Decoder) throws {
        if let decoder = try CBORItemDecoder.behind(decoder) {
            self.init(decoder.reader.index, at: Int(decoder.position))
        } else {
            self = try CBORJSON(from: decoder).value
        }
    }
}
