// Turns a checked item back into its bytes.

extension CheckedItem {
    /// The number of values as a sealer counts them. A map entry, a byte string and a tagged item count as one each;
    /// a map, an array and a secret count as two.
    var valueCount: Int {
        var (values, position) = (0, 0)
        while position < count {
            let node = node(position)
            values += 1
            switch node.kind {
            case .array: values += 1
            case .map: values += 1 - Int(node.argument)
            case .tag where node.argument == CBORTag.embeddedItem:
                // The byte string belongs to the tag; the item in it has its own values.
                values += 1
                position += 1
            case .tag: position = Int(node.next) - 1
            default: break
            }
            position += 1
        }
        return values
    }

    /// The contents of the byte strings that are not inside another, without empty ones.
    private var outerByteStrings: [Range<Int>] {
        var ranges: [Range<Int>] = []
        var position = 0
        while position < count {
            let node = node(position)
            if node.kind == .bytes {
                if node.argument > 0 { ranges.append(content(position)) }
                position = Int(node.next)
            } else {
                position += 1
            }
        }
        return ranges
    }

    /// The item, with the contents of its byte strings where they belong.
    ///
    /// An item has only one encoding, so its nodes, which are in the item's order, determine it.
    var wholeItem: CBORItem {
        if let whole {
            let bytes = whole.count == bytes.count ? bytes : Array(bytes[whole])
            return CBORItem(
                bytes: bytes,
                byteStrings: outerByteStrings.map {
                    $0.lowerBound - whole.lowerBound..<$0.upperBound - whole.lowerBound
                })
        }
        var item = CBORItem(bytes: [], byteStrings: [])
        item.bytes.reserveCapacity(bytes.count)
        var position = 0
        while position < count {
            let node = node(position)
            position += 1
            switch node.kind {
            case .unsigned: item.bytes.append(.unsigned, node.argument)
            case .negative: item.bytes.append(.negative, node.argument)
            case .array: item.bytes.append(.array, node.argument)
            case .map: item.bytes.append(.map, node.argument)
            case .tag: item.bytes.append(.tag, node.argument)
            case .bool: item.bytes.append(node.argument == 0 ? 0xF4 : 0xF5)
            case .null: item.bytes.append(0xF6)
            case .float: item.bytes.append(cborFloat: node.argument)
            case .text:
                item.bytes.append(.text, node.argument)
                item.bytes.append(contentsOf: bytes[content(position - 1)])
            case .bytes:
                item.bytes.append(.bytes, node.argument)
                let start = item.bytes.count
                item.bytes.append(contentsOf: bytes[content(position - 1)])
                if item.bytes.count > start { item.byteStrings.append(start..<item.bytes.count) }
                // The embedded item is part of the content.
                position = Int(node.next)
            }
        }
        return item
    }
}
