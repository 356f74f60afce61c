// Writes single values, one after the other. FORMAT §7.
#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension ItemBuilder {
    /// Writes `node`'s value, which `write` appends. The last `contentCount` bytes of it are the content of a byte
    /// string.
    @inline(__always)
    private mutating func leaf(
        _ node: NodeID, size: Int = 0, contentCount: Int = 0, levels: Int = 0,
        _ write: (inout [UInt8]) -> Void
    ) {
        let index = Int(node)
        if Int(nodes[index].depth) + levels > CBORLimits.depth { note(.tooDeep, at: node) }
        // Before the copy, so that nothing far too long is copied.
        guard hasRoom(for: size) || makeRoom(for: size) else {
            note(.tooLong, at: node)
            return
        }
        guard nodes[index].kind == .empty else {
            note(.encodedTwice, at: node)
            return
        }
        // Not right after its key if another container was written in between.
        if nodes[index].valueStart != Int32(bytes.count) { moveKey(of: index) }
        write(&bytes)
        let end = bytes.count
        if contentCount > 0 { byteStringCount += 1 }
        finish(index, end: end, contentCount: contentCount)
        if end > allowed, !makeRoom(for: 0) { note(.tooLong, at: node) }
    }

    @inline(__always)
    private mutating func finish(_ index: Int, end: Int, contentCount: Int) {
        var nodes = nodes.mutableSpan
        nodes[index].kind = .leaf
        nodes[index].end = Int32(end)
        nodes[index].contentCount = Int32(contentCount)
    }

    /// The most bytes of a text or key that `addLeaf` takes: too few for too many combining marks.
    static let shortText = 255

    /// Adds an entry and its value at once: 2 % fewer instructions to seal the typed session.
    ///
    /// - Parameter size: The bytes that `write` appends, at most.
    /// - Returns: False, without adding anything, if it is not certain to fit the item. `addEntry` then finds out.
    @inline(__always)
    mutating func addLeaf(
        to parent: NodeID, key: Int, _ kind: IntegerKey, size: Int, _ write: (inout OutputSpan<UInt8>) -> Void
    ) -> Bool {
        guard hasPlainRoom(for: 9 + size) else { return false }
        addLeaf(to: parent, kind, size: 9 + size, key: { $0.append(cborInteger: Int64(key)) }, write)
        return true
    }

    @inline(__always)
    mutating func addLeaf(
        to parent: NodeID, key: String, size: Int, _ write: (inout OutputSpan<UInt8>) -> Void
    ) -> Bool {
        let size = 9 + key.utf8.count + size
        guard key.utf8.count <= Self.shortText, hasPlainRoom(for: size) else { return false }
        addLeaf(to: parent, nil, size: size, key: { $0.append(cborText: key) }, write)
        return true
    }

    /// Adds a text to an array.
    @inline(__always)
    mutating func addText(_ text: String, to array: NodeID) {
        let count = text.utf8.count
        guard count <= Self.shortText, hasPlainRoom(for: 9 + count) else {
            write(text, addElement(to: array))
            return
        }
        let start = bytes.count
        bytes.append(cborText: text)
        let place = Int32(truncatingIfNeeded: start)
        _ = addChild(
            .leaf, to: array, keyStart: place, valueStart: place, keyPrefix: UInt64(childCount(of: array)))
    }

    @inline(__always)
    private mutating func addLeaf(
        to parent: NodeID, _ kind: IntegerKey?, size: Int, key: (inout OutputSpan<UInt8>) -> Void,
        _ write: (inout OutputSpan<UInt8>) -> Void
    ) {
        let start = bytes.count
        var keyCount = 0
        bytes.append(addingCapacity: size) { bytes in
            key(&bytes)
            keyCount = bytes.count
            write(&bytes)
        }
        let valueStart = start + keyCount
        _ = addChild(
            .leaf, to: parent, keyStart: Int32(truncatingIfNeeded: start),
            valueStart: Int32(truncatingIfNeeded: valueStart),
            keyPrefix: bytes.span.extracting(start..<valueStart).prefix, integerKey: kind)
    }

    /// Copies a node's key to the end, so that key and value are adjacent.
    private mutating func moveKey(of index: Int) {
        let key = Int(nodes[index].keyStart)..<Int(nodes[index].valueStart)
        nodes[index].keyStart = Int32(bytes.count)
        bytes.append(contentsOf: bytes[key])
        nodes[index].valueStart = Int32(bytes.count)
        nodes[index].end = Int32(bytes.count)
    }

    mutating func writeNull(_ node: NodeID) { leaf(node) { $0.append(0xF6) } }
    mutating func write(_ value: Bool, _ node: NodeID) { leaf(node) { $0.append(value ? 0xF5 : 0xF4) } }
    mutating func write(_ value: Int64, _ node: NodeID) { leaf(node) { $0.append(cborInteger: value) } }
    mutating func write(_ value: UInt64, _ node: NodeID) { leaf(node) { $0.append(.unsigned, value) } }
    mutating func write(floatBits: UInt64, _ node: NodeID) { leaf(node) { $0.append(cborFloat: floatBits) } }

    mutating func write(_ value: String, _ node: NodeID) {
        checkMarks(value, at: node)
        leaf(node, size: value.utf8.count) { $0.append(cborText: value) }
    }

    mutating func write(byteString: Span<UInt8>, _ node: NodeID) {
        leaf(node, size: byteString.count, contentCount: byteString.count) { bytes in
            bytes.append(addingCapacity: 9 + byteString.count) { bytes in
                bytes.append(.bytes, UInt64(byteString.count))
                bytes.append(copying: byteString)
            }
        }
    }

    mutating func write(_ uuid: UUID, _ node: NodeID) {
        leaf(node, contentCount: 16, levels: 1) { bytes in
            bytes.append(addingCapacity: 19) { bytes in
                bytes.append(.tag, CBORTag.uuid)
                bytes.append(.bytes, 16)
                bytes.append(copying: uuid.bytes.span)
            }
        }
    }

    mutating func write(_ time: CBORTime, _ node: NodeID) {
        leaf(node, levels: time.levels) { bytes in
            bytes.append(addingCapacity: CBORTime.mostBytes) { time.append(to: &$0) }
        }
    }

    mutating func write(url: String, _ node: NodeID) {
        checkMarks(url, at: node)
        leaf(node, size: url.utf8.count, levels: 1) { bytes in
            bytes.append(.tag, CBORTag.url)
            bytes.append(cborText: url)
        }
    }

    mutating func write(_ encoded: CBORLeaf, _ node: NodeID) {
        leaf(node, size: encoded.bytes.count, contentCount: encoded.contentCount, levels: encoded.levels) {
            $0.append(copying: encoded.bytes.span)
        }
    }
}
