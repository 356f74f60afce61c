// Writes everything that was encoded as one item in deterministic order. FORMAT §7.

extension ItemBuilder {
    /// The item in deterministic form.
    mutating func item(reservingCapacity extra: Int = 0) throws(CBORFailure) -> CBORItem {
        checkReplaced()
        try check()
        var item = CBORItem(bytes: [], byteStrings: [])
        item.bytes.append(addingCapacity: most + extra) { output in
            emit(Self.root, into: &output, &item.byteStrings)
        }
        try check()
        guard item.bytes.count <= limit else { throw CBORFailure(.tooLong) }
        if nodes.count > mostValues / 2, try CheckedItem(parsing: item.bytes).valueCount > mostValues {
            throw CBORFailure(.tooManyValues(mostValues))
        }
        return item
    }

    /// The most bytes that the item can take: the existing bytes, one for each empty node, 5 for each container's
    /// head, and a tag and a head for an embedded item.
    private var most: Int { bytes.count + nodes.count + 7 * containerCount }

    private mutating func emit(
        _ node: NodeID, into output: inout OutputSpan<UInt8>, _ byteStrings: inout [Range<Int>]
    ) {
        let current = nodes[Int(node)]
        switch current.kind {
        case .empty:
            // A type that encodes nothing becomes an empty map, like an empty struct.
            if Int(current.depth) >= CBORLimits.depth { note(.tooDeep, at: node) }
            output.append(.map, 0)
        case .leaf:
            appendLeaf(current, from: current.valueStart, to: &output, &byteStrings)
        case .dropped: break
        case .array where isByteString(current):
            output.append(.bytes, UInt64(current.childCount))
            let start = output.count
            var child = current.firstChild
            while child >= 0 {
                let node = nodes[Int(child)]
                if node.kind == .leaf { output.append(byte(of: node)) }
                child = node.next
            }
            byteStrings.append(start..<output.count)
        case .array:
            output.append(.array, UInt64(current.childCount))
            var child = current.firstChild
            while child >= 0 {
                emit(child, into: &output, &byteStrings)
                child = nodes[Int(child)].next
            }
        case .map:
            let start = order.count
            sortChildren(of: current)
            output.append(.map, UInt64(order.count - start))
            for position in start..<order.count {
                let child = nodes[Int(order[position])]
                if child.kind == .leaf {
                    // Key and value are adjacent: one copy.
                    appendLeaf(child, from: child.keyStart, to: &output, &byteStrings)
                } else {
                    output.append(
                        copying: bytes.span.extracting(Int(child.keyStart)..<Int(child.valueStart)))
                    emit(order[position], into: &output, &byteStrings)
                }
            }
            order.removeLast(order.count - start)
        case .embedded:
            var inner: [UInt8] = []
            var unused: [Range<Int>] = []
            inner.append(addingCapacity: most) { inner in
                if current.firstChild >= 0 {
                    emit(current.firstChild, into: &inner, &unused)
                } else {
                    inner.append(.map, 0)
                }
            }
            output.append(.tag, CBORTag.embeddedItem)
            output.append(.bytes, UInt64(inner.count))
            byteStrings.append(output.count..<output.count + inner.count)
            output.append(copying: inner.span)
        }
    }

    /// Whether an array has elements, and all of them are bytes. Such an array must not be compressed, whatever Swift
    /// type it had.
    private func isByteString(_ array: Node) -> Bool {
        guard array.childCount > 0 else { return false }
        var child = array.firstChild
        while child >= 0 {
            let node = nodes[Int(child)]
            if !node.isByte, node.kind != .dropped { return false }
            child = node.next
        }
        return true
    }

    /// The byte of a leaf, an integer from 0 to 255: the head itself if it is below 24, otherwise the byte after the
    /// head.
    private func byte(of leaf: Node) -> UInt8 { bytes[Int(leaf.end) - 1] }

    @inline(__always)
    private func appendLeaf(
        _ node: Node, from start: Int32, to output: inout OutputSpan<UInt8>, _ byteStrings: inout [Range<Int>]
    ) {
        output.append(copying: bytes.span.extracting(Int(start)..<Int(node.end)))
        if node.contentCount > 0 {
            byteStrings.append(output.count - Int(node.contentCount)..<output.count)
        }
    }

    /// Appends a map's children to `order`, sorted by the bytes of their keys. Of equal keys, the last stays.
    private mutating func sortChildren(of map: Node) {
        // Moved out, so that it can be written while nodes are read.
        var order = exchange(&order, with: [])
        defer { self.order = order }
        let start = order.count
        var child = map.firstChild
        var last = child
        var (isAscending, hasIntegers) = (true, false)
        while child >= 0 {
            let node = nodes[Int(child)]
            if node.kind != .dropped {
                // Equal keys count as unsorted too: of an entry that was encoded twice, one remains below.
                if order.count > start, !precedes(last, child) { isAscending = false }
                if node.integerKey != nil { hasIntegers = true }
                order.append(child)
                last = child
            }
            child = node.next
        }
        defer { if hasIntegers { checkIntegers(order[start...]) } }
        if isAscending { return }
        // IDs increase with time, so equal keys keep the order in which they came.
        if order.count - start <= 24 {
            var order = order.mutableSpan
            for position in start + 1..<order.count {
                let moving = order[position]
                var hole = position
                while hole > start, precedes(moving, order[hole - 1]) {
                    order[hole] = order[hole - 1]
                    hole -= 1
                }
                order[hole] = moving
            }
        } else {
            let sorted = order[start...].sorted { a, b in
                precedes(a, b) || (!precedes(b, a) && a < b)
            }
            order.replaceSubrange(start..., with: sorted)
        }
        // An entry that was encoded twice: the later one wins, as in any dictionary.
        var kept = start
        for position in start + 1..<order.count {
            if precedes(order[kept], order[position]) {
                kept += 1
            } else if nodes[Int(order[kept])].isDeclared != nodes[Int(order[position])].isDeclared {
                note(.keysOfOneInteger, at: nodes[Int(order[kept])].parent)
            }
            if kept != position { order[kept] = order[position] }
        }
        order.removeLast(order.count - kept - 1)
    }

    /// Refuses text that spells an integer key of the same map: only one of the two would be read.
    private mutating func checkIntegers(_ entries: ArraySlice<NodeID>) {
        // Text comes after integers: its major type is 3, in the first three bits.
        guard let last = entries.last, nodes[Int(last)].keyPrefix >> 61 == 3 else { return }
        var integers: Set<Int64> = []
        for entry in entries {
            switch keyElement(nodes[Int(entry)]) {
            case .integerKey(let integer): integers.insert(integer)
            case .key(let text):
                guard let integer = Int64(plain: text), integers.contains(integer) else { continue }
                note(.keysOfOneInteger, at: nodes[Int(entry)].parent)
            case .index: break
            }
        }
    }

    /// Whether `a`'s encoded key comes before `b`'s, compared bytewise.
    ///
    /// Mutating only so that the tree is not copied.
    @inline(__always)
    private mutating func precedes(_ a: NodeID, _ b: NodeID) -> Bool {
        let (aPrefix, bPrefix) = (nodes[Int(a)].keyPrefix, nodes[Int(b)].keyPrefix)
        return aPrefix == bPrefix ? keyPrecedes(a, b) : aPrefix < bPrefix
    }

    private mutating func keyPrecedes(_ a: NodeID, _ b: NodeID) -> Bool {
        let (a, b) = (nodes[Int(a)], nodes[Int(b)])
        let aKey = bytes.span.extracting(Int(a.keyStart)..<Int(a.valueStart))
        let bKey = bytes.span.extracting(Int(b.keyStart)..<Int(b.valueStart))
        // The head contains the length, so keys with the same head have the same length.
        return aKey.count == bKey.count ? aKey.compare(with: bKey) < 0 : aKey.count < bKey.count
    }

    /// Refuses what was written to a value after another had replaced it: it would be lost.
    mutating func checkReplaced() {
        if replaced.isEmpty { return }
        // Parents come before their children.
        var ends = Array(repeating: Int.max, count: nodes.count)
        for old in replaced {
            ends[Int(old.node)] = min(ends[Int(old.node)], old.count)
            if old.wasEmpty, ![.empty, .dropped].contains(nodes[Int(old.node)].kind) {
                note(.encodedTwice, at: old.node)
            }
        }
        for index in nodes.indices.dropFirst() {
            let end = ends[Int(nodes[index].parent)]
            if index >= end { note(.encodedTwice, at: nodes[index].parent) }
            ends[index] = min(ends[index], end)
        }
    }
}
