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
            bytes.append(.bytes, UInt64(byteString.count))
            bytes.append(copying: byteString)
        }
    }

    mutating func write(_ uuid: UUID, _ node: NodeID) {
        leaf(node, contentCount: 16, levels: 1) { bytes in
            bytes.append(.tag, CBORTag.uuid)
            bytes.append(.bytes, 16)
            bytes.append(copying: uuid.bytes.span)
        }
    }

    mutating func write(_ time: CBORTime, _ node: NodeID) {
        leaf(node, levels: time.levels) { bytes in time.append(to: &bytes) }
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
