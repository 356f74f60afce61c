// The check of an item, done once and in full. FORMAT §7.

/// The check itself: one pass over an item's bytes, which are passed to each call.
struct CBORChecker {
    /// Reads the item, or its skeleton.
    private var reader: ByteReader
    /// Reads the contents of a skeleton's byte strings.
    private var contents: ByteReader?
    /// Whether it only counts: checked nodes are forgotten, except for their number.
    private var isForgetting = false
    private var forgotten = 0

    init(item: Range<Int>, contents: Range<Int>?) {
        reader = ByteReader(in: item)
        self.contents = contents.map { ByteReader(in: $0) }
    }

    /// The most nodes at a time while nodes are forgotten. For each level, that is the node that contains the others,
    /// four entries that are examined again, and one more.
    private static let mostWhileForgetting = 6 * (CBORLimits.depth + 1)

    /// Checks the item without recording it, and returns the number of its nodes.
    mutating func count(_ bytes: Span<UInt8>) throws(CBORFailure) -> Int {
        let start = (reader, contents)
        isForgetting = true
        var nodes: [CheckedItem.Node] = []
        try nodes.append(addingCapacity: Self.mostWhileForgetting) { nodes throws(CBORFailure) in
            try check(bytes, &nodes)
        }
        isForgetting = false
        (reader, contents) = start
        return nodes.count + forgotten
    }

    mutating func check(_ bytes: Span<UInt8>, _ nodes: inout Nodes) throws(CBORFailure) {
        try checkItem(bytes, depth: 0, &nodes)
        guard reader.remaining == 0 else { throw CBORFailure(.trailingBytes) }
        if let contents, contents.remaining != 0 { throw CBORFailure(.byteStringContents) }
    }

    typealias Nodes = OutputSpan<CheckedItem.Node>

    /// Removes the nodes from `position` on if they need not be kept after their check.
    @inline(__always)
    private mutating func forget(_ nodes: inout Nodes, from position: Int) {
        guard isForgetting else { return }
        forgotten += nodes.count - position
        nodes.removeLast(nodes.count - position)
    }

    /// - Parameter tag: The tag that has this item as its content.
    private mutating func checkItem(
        _ bytes: Span<UInt8>, depth: Int, tag: UInt64? = nil, _ nodes: inout Nodes
    ) throws(CBORFailure) {
        guard let head = reader.byte(bytes) else { throw CBORFailure(.endsEarly) }
        let information = head & 0x1F
        let argument =
            information < 24
            ? UInt64(information) : try checkArgument(bytes, information, isSimple: head >= 0xE0)
        switch CBORMajor(head: head) {
        case .unsigned:
            nodes.append(.unsigned, argument: argument)
        case .negative:
            nodes.append(.negative, argument: argument)
        case .bytes:
            let content = contents == nil ? reader.skip(argument) : contents?.skip(argument)
            guard let content else { throw CBORFailure(contents == nil ? .endsEarly : .byteStringContents) }
            nodes.append(.bytes, start: content.lowerBound, argument: argument)
        case .text:
            guard let content = reader.skip(argument) else { throw CBORFailure(.endsEarly) }
            try checkText(bytes.extracting(content))
            nodes.append(.text, start: content.lowerBound, argument: argument)
        case .array:
            // Every element takes at least one byte: a greater length is refused before any work.
            guard argument <= UInt64(reader.remaining) else { throw CBORFailure(.endsEarly) }
            let position = try open(.array, argument, depth, &nodes)
            // The two elements of a decimal fraction are examined again.
            let isKept = tag == CBORTag.decimalFraction && argument == 2
            try checkElements(bytes, Int(argument), depth: depth + 1, isKept: isKept, &nodes)
            nodes.close(position)
        case .map:
            guard argument <= UInt64(reader.remaining / 2) else { throw CBORFailure(.endsEarly) }
            let position = try open(.map, argument, depth, &nodes)
            let isKept = tag == CBORTag.extendedTime && argument == 2
            try checkEntries(bytes, Int(argument), depth: depth + 1, isKept: isKept, &nodes)
            nodes.close(position)
        case .tag:
            let position = try open(.tag, argument, depth, &nodes)
            try checkItem(bytes, depth: depth + 1, tag: argument, &nodes)
            try checkTag(bytes, argument, at: position, depth: depth + 1, &nodes)
            nodes.close(position)
        case .simple:
            try checkSimple(information, argument, &nodes)
        }
    }

    private mutating func open(
        _ kind: CheckedItem.Node.Kind, _ argument: UInt64, _ depth: Int, _ nodes: inout Nodes
    ) throws(CBORFailure) -> Int {
        guard depth < CBORLimits.depth else { throw CBORFailure(.tooDeep) }
        nodes.append(kind, argument: argument)
        return nodes.count - 1
    }

    private mutating func checkElements(
        _ bytes: Span<UInt8>, _ count: Int, depth: Int, isKept: Bool, _ nodes: inout Nodes
    ) throws(CBORFailure) {
        for element in 0..<count {
            // An item can have more of these than of any other element, and there is nothing to check in them.
            if isForgetting, !isKept, depth < CBORLimits.depth,
                reader.skipByte(bytes, where: Self.isWholeItem)
            {
                forgotten += 1
                continue
            }
            let position = nodes.count
            do throws(CBORFailure) {
                try checkItem(bytes, depth: depth, &nodes)
                forget(&nodes, from: isKept ? position + 1 : position)
            } catch {
                throw error.inside(.index(element))
            }
        }
    }

    /// Whether a head is a whole item: a small integer, something empty, false, true or null.
    private static func isWholeItem(_ head: UInt8) -> Bool {
        switch head {
        case 0x00...0x17, 0x20...0x37, 0x40, 0x60, 0x80, 0xA0, 0xF4...0xF6: true
        default: false
        }
    }

    private mutating func checkEntries(
        _ bytes: Span<UInt8>, _ count: Int, depth: Int, isKept: Bool, _ nodes: inout Nodes
    ) throws(CBORFailure) {
        var previous: CheckedItem.Node?
        for _ in 0..<count {
            let keyPosition = nodes.count
            // A head that is a whole key, such as a declared integer: there is nothing to check in it.
            if let integer = reader.byte(bytes, below: 24) {
                nodes.append(.unsigned, argument: UInt64(integer))
            } else {
                try checkItem(bytes, depth: depth, &nodes)
                guard nodes[keyPosition].isKey else { throw CBORFailure(.unusableKey) }
            }
            let key = nodes[keyPosition]
            do throws(CBORFailure) {
                if let previous { try checkOrder(bytes, previous, key) }
                previous = key
                try checkItem(bytes, depth: depth, &nodes)
                forget(&nodes, from: isKept ? keyPosition + 2 : keyPosition)
            } catch {
                throw error.inside(keyElement(bytes, key))
            }
        }
    }

    /// A checked key as a path shows it. Only a failure needs it in this form.
    func keyElement(_ bytes: Span<UInt8>, _ key: CheckedItem.Node) -> CBORPathElement {
        if let integer = key.int64 { return .integerKey(integer) }
        return .key(String(validated: bytes.extracting(key.content)))
    }

    /// Checks that the second key's bytes sort after the first's. Heads in their shortest form sort by type and
    /// argument.
    @inline(__always)
    private func checkOrder(
        _ bytes: Span<UInt8>, _ a: CheckedItem.Node, _ b: CheckedItem.Node
    ) throws(CBORFailure) {
        if a.order != b.order {
            guard a.order < b.order else { throw CBORFailure(.keysOutOfOrder) }
        } else if a.argument != b.argument {
            guard a.argument < b.argument else { throw CBORFailure(.keysOutOfOrder) }
        } else {
            let order =
                a.kind == .text
                ? bytes.extracting(a.content).compare(with: bytes.extracting(b.content)) : 0
            guard order != 0 else { throw CBORFailure(.duplicateKey) }
            guard order < 0 else { throw CBORFailure(.keysOutOfOrder) }
        }
    }

    @inline(__always)
    private func checkText(_ text: Span<UInt8>) throws(CBORFailure) {
        // Most texts are ASCII.
        if !text.isASCII { try checkBeyondASCII(text) }
    }

    private func checkBeyondASCII(_ text: Span<UInt8>) throws(CBORFailure) {
        guard (try? UTF8Span(validating: text)) != nil else { throw CBORFailure(.notUTF8) }
        guard !CombiningMarks.areTooMany(in: text) else { throw CBORFailure(.combiningMarks) }
    }

    /// Reads an argument after its head, which must need all of its bytes. A float's argument may be anything.
    private mutating func checkArgument(
        _ bytes: Span<UInt8>, _ information: UInt8, isSimple: Bool
    ) throws(CBORFailure) -> UInt64 {
        switch information {
        case 24...27:
            let byteCount = 1 << Int(information - 24)
            guard !isSimple || byteCount > 1 else { throw CBORFailure(.unknownSimpleValue) }
            guard let value = reader.integer(bytes, byteCount: byteCount) else {
                throw CBORFailure(.endsEarly)
            }
            let least: UInt64 = byteCount == 1 ? 24 : 1 << UInt64(byteCount * 4)
            guard isSimple || value >= least else { throw CBORFailure(.notShortest) }
            return value
        case 31: throw CBORFailure(.indefiniteLength)
        default: throw CBORFailure(.reservedHead)
        }
    }

    private mutating func checkSimple(
        _ information: UInt8, _ argument: UInt64, _ nodes: inout Nodes
    ) throws(CBORFailure) {
        switch information {
        case 20, 21: nodes.append(.bool, argument: argument - 20)
        case 22: nodes.append(.null, argument: 0)
        case 25: nodes.append(.float, argument: CBORFloat.widen(half: UInt16(truncatingIfNeeded: argument)))
        case 26:
            let wide = CBORFloat.widen(single: UInt32(truncatingIfNeeded: argument))
            guard case .single = CBORFloat.shortest(wide) else { throw CBORFailure(.notShortest) }
            nodes.append(.float, argument: wide)
        case 27:
            guard case .double = CBORFloat.shortest(argument) else { throw CBORFailure(.notShortest) }
            nodes.append(.float, argument: argument)
        default: throw CBORFailure(.unknownSimpleValue)
        }
    }

    /// Checks that a known tag has the content that FORMAT §7 requires. The content is the next node.
    private mutating func checkTag(
        _ bytes: Span<UInt8>, _ tag: UInt64, at position: Int, depth: Int, _ nodes: inout Nodes
    ) throws(CBORFailure) {
        let content = nodes[position + 1]
        let fits: Bool
        switch tag {
        case CBORTag.epochTime:
            // Whole seconds must fit Int64.
            fits = content.kind == .float || content.isInt64
        case CBORTag.positiveBignum, CBORTag.negativeBignum:
            // Beyond 64 bits, otherwise the plain integer is the shortest form; no leading zero.
            fits =
                content.kind == .bytes && (9...16).contains(content.argument)
                && bytes[Int(content.start)] != 0
        case CBORTag.decimalFraction:
            fits =
                content.kind == .array && content.argument == 2 && nodes[position + 2].isInt64
                && nodes[nodes[position + 2].next].isIntegerOrBignum
        case CBORTag.embeddedItem:
            guard content.kind == .bytes else { throw CBORFailure(.tagContent(tag)) }
            // A separate item inside the content.
            let outer = (reader, contents)
            let start = Int(content.start)
            reader = ByteReader(in: start..<start + Int(content.argument))
            contents = nil
            do throws(CBORFailure) {
                try checkItem(bytes, depth: depth, &nodes)
            } catch {
                // The contents are a secret, including keys.
                throw CBORFailure(error.reason)
            }
            guard reader.remaining == 0 else { throw CBORFailure(.trailingBytes) }
            (reader, contents) = outer
            nodes.close(position + 1)
            fits = true
        case CBORTag.url:
            fits = content.kind == .text
        case CBORTag.uuid:
            fits = content.kind == .bytes && content.argument == 16
        case CBORTag.extendedTime:
            fits = CBORTime(extendedTime: { nodes[position + 1 + $0] }) != nil
        default:
            throw CBORFailure(.unknownTag(tag))
        }
        guard fits else { throw CBORFailure(.tagContent(tag)) }
    }
}

extension OutputSpan<CheckedItem.Node> {
    @inline(__always)
    fileprivate mutating func append(_ kind: CheckedItem.Node.Kind, start: Int = 0, argument: UInt64) {
        append(CheckedItem.Node(kind, start: start, argument: argument, next: count + 1))
    }

    /// All nodes that came since are inside the node at `position`.
    fileprivate mutating func close(_ position: Int) {
        self[position].next = count
    }
}
