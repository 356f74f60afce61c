// The strict reader: checks a whole item once and notes where everything in it stands. FORMAT §7.

/// A checked item. What the decoder and the value tree read needs no further checking.
struct CheckedItem: Sendable {
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

        init(_ kind: Kind, start: Int, argument: UInt64, next: Int) {
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
        var order: UInt32 { nextAndKind & 15 }
        /// The position of the node behind this one and all it holds.
        var next: Int {
            get { Int(nextAndKind >> 4) }
            set { nextAndKind = UInt32(truncatingIfNeeded: newValue) << 4 | nextAndKind & 15 }
        }
    }

    private(set) var bytes: [UInt8]
    var nodes: [Node]
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
        // Room for none would be written to all empty arrays' shared count (Text/CopiedBytes.swift).
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
        fileprivate let index: CheckedItem
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

extension CheckedItem.Node {
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
