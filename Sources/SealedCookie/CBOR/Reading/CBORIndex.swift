// The strict reader: checks a whole item once and notes where everything in it stands. FORMAT §7.

/// A checked item. What the decoder and the value tree read needs no further checking.
struct CBORIndex: Sendable {
    /// One item, or the head of one that holds others: those follow it, up to `next`. 16 bytes.
    struct Node: Sendable {
        enum Kind: UInt8, Sendable {
            case unsigned, negative, bytes, text, array, map, tag, bool, null, float
        }

        /// A number, a length, a count, a tag, 0 or 1 for a Bool, a float's 64 bits.
        let argument: UInt64
        /// Where the content of a byte or text string begins in `bytes`.
        let start: UInt32
        /// `next`, which is below 2^28, and behind it four bits of `kind`.
        private var nextAndKind: UInt32

        fileprivate init(_ kind: Kind, start: Int, argument: UInt64, next: Int) {
            self.argument = argument
            self.start = UInt32(truncatingIfNeeded: start)
            nextAndKind = UInt32(truncatingIfNeeded: next) << 4 | UInt32(kind.rawValue)
        }

        @inline(__always) var kind: Kind {
            switch nextAndKind & 15 {
            case 0: .unsigned
            case 1: .negative
            case 2: .bytes
            case 3: .text
            case 4: .array
            case 5: .map
            case 6: .tag
            case 7: .bool
            case 8: .null
            default: .float
            }
        }
        /// Rises with the kind, and the kind of a key with its major type.
        fileprivate var order: UInt32 { nextAndKind & 15 }
        /// The position of the node behind this one and all it holds.
        fileprivate(set) var next: Int {
            get { Int(nextAndKind >> 4) }
            set { nextAndKind = UInt32(truncatingIfNeeded: newValue) << 4 | nextAndKind & 15 }
        }
    }

    private(set) var bytes: [UInt8]
    private var nodes: [Node]
    /// Where the item stands in `bytes`; nil for a divided one, whose byte strings' contents are apart.
    private(set) var whole: Range<Int>?

    /// Bytes of an item beyond which it is checked once before anything of it is noted: a node takes 16
    /// bytes, an element of an array one.
    private static let largeItem = 16_384

    /// Of no item yet.
    init() {
        bytes = []
        nodes = []
    }

    /// Checks that `bytes[range]` is exactly one item of the profile.
    init(parsing bytes: [UInt8], in range: Range<Int>) throws(CBORFailure) {
        self.init()
        try check(bytes, item: range, contents: nil)
    }

    init(parsing bytes: [UInt8]) throws(CBORFailure) {
        try self.init(parsing: bytes, in: 0..<bytes.count)
    }

    /// Of an array whose elements are these bytes.
    init(elements: Span<UInt8>) {
        bytes = []
        nodes = [Node(.array, start: 0, argument: UInt64(elements.count), next: elements.count + 1)]
        nodes.reserveCapacity(elements.count + 1)
        for index in elements.indices {
            nodes.append(Node(.unsigned, start: 0, argument: UInt64(elements[index]), next: nodes.count + 1))
        }
    }

    /// Checks another item, in the memory of the one before.
    ///
    /// - Parameter contents: nil where `bytes[item]` is the whole item. Else it is the skeleton without the
    ///   contents of its byte strings, and those stand here behind one another, in order and without a byte
    ///   left over (FORMAT §6.2).
    mutating func check(
        _ bytes: consuming [UInt8], item: Range<Int>, contents: Range<Int>?
    ) throws(CBORFailure) {
        // An item has no more nodes than bytes.
        var room = item.count + (contents?.count ?? 0)
        guard room <= CBORLimits.itemBytes else { throw CBORFailure(.tooLong) }
        // Room for none would be written to all empty arrays' shared count (Native/CopiedBytes.swift).
        guard room > 0 else { throw CBORFailure(.endsEarly) }
        var nodes = exchange(&nodes, with: [])
        nodes.removeAll(keepingCapacity: true)
        var checker = CBORChecker(item: item, contents: contents)
        if room > Self.largeItem {
            room = try checker.count(bytes.span)
            if nodes.capacity > 2 * room { nodes = [] }
        }
        try nodes.append(addingCapacity: room) { nodes throws(CBORFailure) in
            try checker.check(bytes.span, &nodes)
        }
        self.nodes = nodes
        whole = contents.map { $0.isEmpty } ?? true ? item : nil
        self.bytes = bytes
    }

    /// Gives its bytes away, for their memory; it is of no item afterwards.
    mutating func takeBytes() -> [UInt8] {
        nodes.removeAll(keepingCapacity: nodes.capacity <= 4096)
        whole = nil
        return exchange(&bytes, with: [])
    }

    // MARK: Reading what was checked

    var count: Int { nodes.count }

    func node(_ position: Int) -> Node { nodes[position] }

    /// The content of a byte or text string.
    func content(_ position: Int) -> Range<Int> {
        nodes[position].content
    }

    /// The order of a text's bytes and of as many others: below 0, 0 or above.
    func compare(_ text: Node, with bytes: Span<UInt8>) -> Int {
        self.bytes.span.extracting(Int(text.start)..<Int(text.start) + bytes.count).compare(with: bytes)
    }

    func text(_ position: Int) -> String {
        String(validated: bytes.span.extracting(content(position)))
    }

    /// The positions of the items directly inside an array, map or tag; a map's keys and values
    /// in turn.
    func children(of position: Int) -> Children {
        Children(index: self, position: position + 1, end: nodes[position].next)
    }

    struct Children: Sequence, IteratorProtocol {
        fileprivate let index: CBORIndex
        fileprivate var position: Int
        fileprivate let end: Int

        mutating func next() -> Int? {
            guard position < end else { return nil }
            defer { position = index.nodes[position].next }
            return position
        }
    }

    /// The path element of a map key; nil for what cannot be one: neither text nor an Int64.
    func keyElement(_ position: Int) -> CBORPathElement? {
        let node = nodes[position]
        return node.kind == .text ? .key(text(position)) : node.int64.map { .integerKey($0) }
    }

    /// The entries of a map and the bytes that each takes in the item, key and value together.
    func entrySizes(in map: Int) -> [(key: CBORPathElement, byteCount: Int)] {
        let positions = Array(children(of: map))
        return stride(from: 0, to: positions.count, by: 2).compactMap { entry in
            keyElement(positions[entry]).map {
                ($0, byteCount(of: positions[entry]) + byteCount(of: positions[entry + 1]))
            }
        }
    }

    /// The bytes of an item in its one form.
    private func byteCount(of position: Int) -> Int {
        let node = nodes[position]
        let head =
            switch node.argument {
            case 0..<24: 1
            case ...0xFF: 2
            case ...0xFFFF: 3
            case ...0xFFFF_FFFF: 5
            default: 9
            }
        switch node.kind {
        case .unsigned, .negative: return head
        case .bytes, .text: return head + Int(node.argument)
        case .array, .map, .tag: return children(of: position).reduce(head) { $0 + byteCount(of: $1) }
        case .bool, .null: return 1
        case .float:
            switch CBORFloat.shortest(node.argument) {
            case .half: return 3
            case .single: return 5
            case .double: return 9
            }
        }
    }

    /// The way from the root to the item at `target`.
    func path(to target: Int) -> [CBORPathElement] {
        var path: [CBORPathElement] = []
        var position = 0
        while position != target {
            let kind = nodes[position].kind
            // What is inside an embedded item is a secret, its keys included.
            if kind == .tag, nodes[position].argument == CBORTag.embeddedItem { return path }
            var key: Int?
            var number = 0
            var inner: Int?
            for child in children(of: position) {
                let isKey = kind == .map && key == nil
                if target >= child, target < nodes[child].next {
                    switch kind {
                    case .array: path.append(.index(number))
                    case .map: if let element = keyElement(key ?? child) { path.append(element) }
                    default: break
                    }
                    inner = child
                    break
                }
                key = isKey ? child : nil
                number += 1
            }
            guard let inner else { return path }
            position = inner
        }
        return path
    }

    /// What each node is inside of, and as which of how many: paths from the inside out.
    struct Parents: Sendable {
        fileprivate var parents: [UInt32]
        fileprivate var numbers: [UInt32]
    }

    func parents() -> Parents {
        var table = Parents(
            parents: Array(repeating: 0, count: nodes.count), numbers: Array(repeating: 0, count: nodes.count)
        )
        // Those that are open, and how many nodes directly inside each there were.
        var open: [(position: Int, count: UInt32)] = []
        for position in nodes.indices {
            while let last = open.last, nodes[last.position].next <= position { open.removeLast() }
            if let last = open.last {
                table.parents[position] = UInt32(last.position)
                table.numbers[position] = last.count
                open[open.count - 1].count += 1
            }
            if nodes[position].next > position + 1 { open.append((position, 0)) }
        }
        return table
    }

    /// The same as `path(to:)`, in as many steps as there are levels.
    func path(to target: Int, _ table: Parents) -> [CBORPathElement] {
        var path: [CBORPathElement] = []
        var position = target
        while position != 0 {
            let parent = Int(table.parents[position])
            switch nodes[parent].kind {
            case .array: path.append(.index(Int(table.numbers[position])))
            case .map:
                // A value stands behind its key, which is one node.
                let key = table.numbers[position].isMultiple(of: 2) ? position : position - 1
                if let element = keyElement(key) { path.append(element) }
            case .tag where nodes[parent].argument == CBORTag.embeddedItem:
                // What is inside an embedded item is a secret, its keys included.
                path.removeAll()
            default: break
            }
            position = parent
        }
        return path.reversed()
    }
}

extension CBORIndex.Node {
    /// Where the content of a byte or text string stands.
    var content: Range<Int> { Int(start)..<Int(start) + Int(argument) }
    var isInteger: Bool { kind == .unsigned || kind == .negative }
    var isInt64: Bool { isInteger && argument <= UInt64(Int64.max) }
    var int64: Int64? {
        guard isInt64 else { return nil }
        return kind == .unsigned ? Int64(bitPattern: argument) : Int64(bitPattern: ~argument)
    }
    /// What a map's key may be.
    var isKey: Bool { kind == .text || isInt64 }
    var isIntegerOrBignum: Bool {
        isInteger
            || kind == .tag
                && (argument == CBORTag.positiveBignum || argument == CBORTag.negativeBignum)
    }
}

/// The check itself: one pass over an item's bytes, which it is given with each call.
private struct CBORChecker {
    /// At the item, or its skeleton.
    private var reader: ByteReader
    /// At the contents of a skeleton's byte strings.
    private var contents: ByteReader?
    /// Counting only: what has been checked is forgotten, but for its count.
    private var isForgetting = false
    private var forgotten = 0

    init(item: Range<Int>, contents: Range<Int>?) {
        reader = ByteReader(in: item)
        self.contents = contents.map { ByteReader(in: $0) }
    }

    /// Nodes at once while they are forgotten: of each level what holds the others, four entries of what is
    /// looked at once more, and one.
    private static let mostWhileForgetting = 6 * (CBORLimits.depth + 1)

    /// Checks the item without noting it: how many nodes it has.
    mutating func count(_ bytes: Span<UInt8>) throws(CBORFailure) -> Int {
        let start = (reader, contents)
        isForgetting = true
        var nodes: [CBORIndex.Node] = []
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

    typealias Nodes = OutputSpan<CBORIndex.Node>

    /// Where what is checked need not be kept, takes back the nodes from `position` on.
    @inline(__always)
    private mutating func forget(_ nodes: inout Nodes, from position: Int) {
        guard isForgetting else { return }
        forgotten += nodes.count - position
        nodes.removeLast(nodes.count - position)
    }

    /// - Parameter tag: the tag that this item is the content of.
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
            let place = contents == nil ? reader.skip(argument) : contents?.skip(argument)
            guard let place else { throw CBORFailure(contents == nil ? .endsEarly : .byteStringContents) }
            nodes.append(.bytes, start: place.lowerBound, argument: argument)
        case .text:
            guard let place = reader.skip(argument) else { throw CBORFailure(.endsEarly) }
            try checkText(bytes.extracting(place))
            nodes.append(.text, start: place.lowerBound, argument: argument)
        case .array:
            // Every element takes a byte at least: a length beyond that is refused before any work.
            guard argument <= UInt64(reader.remaining) else { throw CBORFailure(.endsEarly) }
            let position = try open(.array, argument, depth, &nodes)
            // The two of a decimal fraction are looked at once more.
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
        _ kind: CBORIndex.Node.Kind, _ argument: UInt64, _ depth: Int, _ nodes: inout Nodes
    ) throws(CBORFailure) -> Int {
        guard depth < CBORLimits.depth else { throw CBORFailure(.tooDeep) }
        nodes.append(kind, argument: argument)
        return nodes.count - 1
    }

    private mutating func checkElements(
        _ bytes: Span<UInt8>, _ count: Int, depth: Int, isKept: Bool, _ nodes: inout Nodes
    ) throws(CBORFailure) {
        for element in 0..<count {
            // The most that there can be of, and nothing to check in them.
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
        var previous: CBORIndex.Node?
        for _ in 0..<count {
            let keyPosition = nodes.count
            // A head that is a whole key, as those of declared integers are: there is nothing to check in it.
            if let integer = reader.byte(bytes, below: 24) {
                nodes.append(.unsigned, argument: UInt64(integer))
            } else {
                try checkItem(bytes, depth: depth, &nodes)
            }
            let key = nodes[keyPosition]
            guard key.isKey else { throw CBORFailure(.unusableKey) }
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

    /// A checked key as a path has it; only a failure needs it so.
    private func keyElement(_ bytes: Span<UInt8>, _ key: CBORIndex.Node) -> CBORPathElement {
        if let integer = key.int64 { return .integerKey(integer) }
        return .key(String(validated: bytes.extracting(key.content)))
    }

    /// That of two keys the second's bytes come behind the first's. Heads in their shortest form are ordered as
    /// their types and arguments are.
    @inline(__always)
    private func checkOrder(
        _ bytes: Span<UInt8>, _ a: CBORIndex.Node, _ b: CBORIndex.Node
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
        // Most texts are.
        if !text.isASCII { try checkBeyondASCII(text) }
    }

    private func checkBeyondASCII(_ text: Span<UInt8>) throws(CBORFailure) {
        guard (try? UTF8Span(validating: text)) != nil else { throw CBORFailure(.notUTF8) }
        guard !CombiningMarks.areTooMany(in: text) else { throw CBORFailure(.combiningMarks) }
    }

    /// An argument behind its head, which must need all of its bytes; a float's may be any.
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

    /// Each known tag with the content that FORMAT §7 gives it; the content is the node behind.
    private mutating func checkTag(
        _ bytes: Span<UInt8>, _ tag: UInt64, at position: Int, depth: Int, _ nodes: inout Nodes
    ) throws(CBORFailure) {
        let content = nodes[position + 1]
        let fits: Bool
        switch tag {
        case CBORTag.epochTime:
            // Whole seconds within Int64.
            fits = content.kind == .float || content.isInt64
        case CBORTag.positiveBignum, CBORTag.negativeBignum:
            // Beyond 64 bits, or the plain integer is the shortest form; no leading zero.
            fits =
                content.kind == .bytes && (9...16).contains(content.argument)
                && bytes[Int(content.start)] != 0
        case CBORTag.decimalFraction:
            fits =
                content.kind == .array && content.argument == 2 && nodes[position + 2].isInt64
                && nodes[nodes[position + 2].next].isIntegerOrBignum
        case CBORTag.embeddedItem:
            guard content.kind == .bytes else { throw CBORFailure(.tagContent(tag)) }
            // An item of its own inside the content.
            let outer = (reader, contents)
            let start = Int(content.start)
            reader = ByteReader(in: start..<start + Int(content.argument))
            contents = nil
            do throws(CBORFailure) {
                try checkItem(bytes, depth: depth, &nodes)
            } catch {
                // What is inside is a secret, its keys included.
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

extension OutputSpan<CBORIndex.Node> {
    @inline(__always)
    fileprivate mutating func append(_ kind: CBORIndex.Node.Kind, start: Int = 0, argument: UInt64) {
        append(CBORIndex.Node(kind, start: start, argument: argument, next: count + 1))
    }

    /// All that came since is inside the node at `position`.
    fileprivate mutating func close(_ position: Int) {
        self[position].next = count
    }
}
