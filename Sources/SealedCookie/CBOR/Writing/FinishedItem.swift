// Writes everything that was encoded as one item in deterministic order. FORMAT §7.

extension ItemBuilder {
    /// The item in deterministic form.
    mutating func item(reservingCapacity extra: Int = 0) throws(CBORFailure) -> CBORItem {
        checkReplaced()
        try check()
        var item = CBORItem(bytes: [], byteStrings: [])
        // One allocation for a few, and not much more memory than needed: most may have been overwritten.
        if byteStringCount > 0 { item.byteStrings.reserveCapacity(min(byteStringCount, 16)) }
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
            var run = Run(start: current.valueStart)
            run.end = current.end
            append(run, to: &output)
            noteByteString(of: current, endingAt: output.count, &byteStrings)
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
            emitChildren(of: current, into: &output, &byteStrings)
        case .map where isSorted(current):
            output.append(.map, UInt64(current.childCount))
            emitChildren(of: current, into: &output, &byteStrings)
        case .map:
            let start = order.count
            sortChildren(of: current)
            output.append(.map, UInt64(order.count - start))
            var run = Run(start: 0)
            for position in start..<order.count {
                emit(order[position], after: &run, into: &output, &byteStrings)
            }
            append(run, to: &output)
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

    /// Adjacent bytes of the tree that are copied in one piece.
    private struct Run {
        let start: Int32
        var end: Int32

        init(start: Int32) { (self.start, end) = (start, start) }
    }

    /// All children with their keys, in the order in which they were encoded.
    private mutating func emitChildren(
        of node: Node, into output: inout OutputSpan<UInt8>, _ byteStrings: inout [Range<Int>]
    ) {
        var run = Run(start: 0)
        var child = node.firstChild
        while child >= 0 {
            let next = nodes[Int(child)].next
            emit(child, after: &run, into: &output, &byteStrings)
            child = next
        }
        append(run, to: &output)
    }

    /// Emits a child with its key, or adds it to the run if that ends before the child.
    ///
    /// Runs and `isSorted` save 3 % of the instructions to seal the typed session.
    @inline(__always)
    private mutating func emit(
        _ child: NodeID, after run: inout Run, into output: inout OutputSpan<UInt8>,
        _ byteStrings: inout [Range<Int>]
    ) {
        let node = nodes[Int(child)]
        if node.kind == .dropped { return }
        if node.keyStart != run.end {
            append(run, to: &output)
            run = Run(start: node.keyStart)
        }
        if node.kind == .leaf {
            run.end = node.end
            noteByteString(of: node, endingAt: output.count + Int(run.end - run.start), &byteStrings)
        } else {
            run.end = node.valueStart
            append(run, to: &output)
            run = Run(start: node.valueStart)
            emit(child, into: &output, &byteStrings)
        }
    }

    @inline(__always)
    private func append(_ run: Run, to output: inout OutputSpan<UInt8>) {
        if run.start == run.end { return }
        output.append(copying: bytes.span.extracting(Int(run.start)..<Int(run.end)))
    }

    @inline(__always)
    private func noteByteString(of leaf: Node, endingAt end: Int, _ byteStrings: inout [Range<Int>]) {
        if leaf.contentCount > 0 { byteStrings.append(end - Int(leaf.contentCount)..<end) }
    }

    /// Whether the entries of a map were encoded in the order of their keys, and none twice: there is nothing to sort.
    private mutating func isSorted(_ map: Node) -> Bool {
        var hasIntegers = false
        var child = map.firstChild
        while child >= 0 {
            let node = nodes[Int(child)]
            if node.kind == .dropped { return false }
            if node.integerKey != nil { hasIntegers = true }
            // Text after integers has to be compared with them (`checkIntegers`).
            guard node.next >= 0 else { return !hasIntegers || !Self.isText(node) }
            guard precedes(child, node.next) else { return false }
            child = node.next
        }
        return true
    }

    /// Whether a node's key is text: its major type is 3, in the first three bits.
    private static func isText(_ node: Node) -> Bool { node.keyPrefix >> 61 == 3 }

    /// Appends a map's children to `order`, sorted by the bytes of their keys. Of equal keys, the last stays.
    private mutating func sortChildren(of map: Node) {
        // Moved out, so that it can be written while nodes are read.
        var order = exchange(&order, with: [])
        defer { self.order = order }
        let start = order.count
        var child = map.firstChild
        var hasIntegers = false
        while child >= 0 {
            let node = nodes[Int(child)]
            if node.kind != .dropped {
                if node.integerKey != nil { hasIntegers = true }
                order.append(child)
            }
            child = node.next
        }
        defer { if hasIntegers { checkIntegers(order[start...]) } }
        // All of its entries were taken back.
        if order.count == start { return }
        // IDs increase with time, so equal keys keep the order in which they came.
        if order.count - start <= 24 {
            var order = order.mutableSpan
            var mayRepeat = false
            for position in start + 1..<order.count {
                let moving = order[position]
                let prefix = nodes[Int(moving)].keyPrefix
                var hole = position
                while hole > start {
                    let before = order[hole - 1]
                    let beforePrefix = nodes[Int(before)].keyPrefix
                    if beforePrefix == prefix { mayRepeat = true }
                    guard beforePrefix == prefix ? keyPrecedes(moving, before) : prefix < beforePrefix
                    else { break }
                    order[hole] = before
                    hole -= 1
                }
                order[hole] = moving
            }
            if !mayRepeat { return }
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
            } else if isWritten(order[kept], after: order[position]) {
                note(.encodedTwice, at: order[kept])
            }
            if kept != position { order[kept] = order[position] }
        }
        order.removeLast(order.count - kept - 1)
    }

    /// Whether anything was written at `node`, by a container or encoder that was kept, after `later` had taken its key.
    /// It would be lost.
    private func isWritten(_ node: NodeID, after later: NodeID) -> Bool {
        if nodes[Int(node)].kind == .dropped { return false }
        // What is written late is moved to the end.
        if node > later || nodes[Int(node)].keyStart > nodes[Int(later)].keyStart { return true }
        var child = nodes[Int(node)].firstChild
        while child >= 0 {
            if isWritten(child, after: later) { return true }
            child = nodes[Int(child)].next
        }
        return false
    }

    /// Refuses text that spells an integer key of the same map: only one of the two would be read.
    private mutating func checkIntegers(_ entries: ArraySlice<NodeID>) {
        // Text comes after integers.
        guard let last = entries.last, Self.isText(nodes[Int(last)]) else { return }
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
