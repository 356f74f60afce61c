// The strict reader: checks a whole item once and records the position of everything in it. FORMAT §7.

/// A checked item. The decoder and the value tree read it without further checks.
struct CheckedItem: Sendable {
    /// An item, or the head of one that contains others: those follow it, up to `next`. 16 bytes.
    struct Node: Sendable {
        enum Kind: UInt8, Sendable {
            case unsigned, negative, bytes, text, array, map, tag, bool, null, float
        }

        /// A number, a length, a count, a tag, 0 or 1 for a Bool, or a float's 64 bits.
        let argument: UInt64
        /// The start of a byte or text string's content in `bytes`.
        let start: UInt32
        /// `next`, which is below 2^28, followed by four bits of `kind`.
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
        /// Increases with the kind, and for keys the kind increases with the major type.
        var order: UInt32 { nextAndKind & 15 }
        /// The position of the node after this one and everything inside it.
        var next: Int {
            get { Int(nextAndKind >> 4) }
            set { nextAndKind = UInt32(truncatingIfNeeded: newValue) << 4 | nextAndKind & 15 }
        }
    }

    private(set) var bytes: [UInt8]
    var nodes: [Node]
    /// The item's range in `bytes`; nil for a divided item, whose byte strings' contents are separate.
    private(set) var whole: Range<Int>?

    /// An item with more bytes than this is checked once before anything is recorded: a node takes 16 bytes, and an
    /// element of an array takes one.
    private static let largeItem = 16_384

    /// Without an item so far.
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

    /// Represents an array whose elements are these bytes.
    init(elements: Span<UInt8>) {
        bytes = []
        nodes = [Node(.array, start: 0, argument: UInt64(elements.count), next: elements.count + 1)]
        nodes.reserveCapacity(elements.count + 1)
        for index in elements.indices {
            nodes.append(Node(.unsigned, start: 0, argument: UInt64(elements[index]), next: nodes.count + 1))
        }
    }

    /// Checks another item, in the memory of the previous one.
    ///
    /// - Parameter contents: Nil if `bytes[item]` is the whole item. Otherwise it is the skeleton, without the
    ///   contents of its byte strings. Those are here one after the other, in order and without a byte left over
    ///   (FORMAT §6.2).
    mutating func check(
        _ bytes: consuming [UInt8], item: Range<Int>, contents: Range<Int>?
    ) throws(CBORFailure) {
        // An item has at most as many nodes as bytes.
        var room = item.count + (contents?.count ?? 0)
        guard room <= CBORLimits.itemBytes else { throw CBORFailure(.tooLong) }
        // With room for none, the code would write to the count that all empty arrays share (Text/CopiedBytes.swift).
        guard room > 0 else { throw CBORFailure(.endsEarly) }
        var nodes = exchange(&nodes, with: [])
        if !nodes.isEmpty { nodes.removeAll(keepingCapacity: true) }
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

    /// Returns its bytes, so that their memory can be reused. It is then without an item.
    mutating func takeBytes() -> [UInt8] {
        nodes.removeAll(keepingCapacity: nodes.capacity <= 4096)
        whole = nil
        return exchange(&bytes, with: [])
    }

    // MARK: Reading what was checked

    var count: Int { nodes.count }

    func node(_ position: Int) -> Node { nodes[position] }

    /// The range of a byte or text string's content.
    func content(_ position: Int) -> Range<Int> {
        nodes[position].content
    }

    /// Compares a text's bytes with as many others: below 0, 0 or above.
    func compare(_ text: Node, with bytes: Span<UInt8>) -> Int {
        self.bytes.span.extracting(Int(text.start)..<Int(text.start) + bytes.count).compare(with: bytes)
    }

    func text(_ position: Int) -> String {
        String(validated: bytes.span.extracting(content(position)))
    }

    /// The positions of the items directly inside an array, map or tag; for a map, keys and values alternate.
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

    /// The path element of a map key; nil for what cannot be a key: neither text nor an Int64.
    func keyElement(_ position: Int) -> CBORPathElement? {
        let node = nodes[position]
        return node.kind == .text ? .key(text(position)) : node.int64.map { .integerKey($0) }
    }

    /// The entries of a map, and the bytes that each takes in the item, key and value together.
    func entrySizes(in map: Int) -> [(key: CBORPathElement, byteCount: Int)] {
        let positions = Array(children(of: map))
        return stride(from: 0, to: positions.count, by: 2).compactMap { entry in
            keyElement(positions[entry]).map {
                ($0, byteCount(of: positions[entry]) + byteCount(of: positions[entry + 1]))
            }
        }
    }

    /// The bytes of an item in its only form.
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

    /// The path from the root to the item at `target`.
    func path(to target: Int) -> [CBORPathElement] {
        var path: [CBORPathElement] = []
        var position = 0
        while position != target {
            let kind = nodes[position].kind
            // The contents of an embedded item are a secret, including keys.
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

    /// For each node, the node that contains it and its index there: for paths from the inside out.
    struct Parents: Sendable {
        fileprivate var parents: [UInt32]
        fileprivate var numbers: [UInt32]
    }

    func parents() -> Parents {
        var table = Parents(
            parents: Array(repeating: 0, count: nodes.count), numbers: Array(repeating: 0, count: nodes.count)
        )
        // The nodes that are still open, and the number of nodes directly inside each so far.
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

    /// Like `path(to:)`, in as many steps as there are levels.
    func path(to target: Int, _ table: Parents) -> [CBORPathElement] {
        var path: [CBORPathElement] = []
        var position = target
        while position != 0 {
            let parent = Int(table.parents[position])
            switch nodes[parent].kind {
            case .array: path.append(.index(Int(table.numbers[position])))
            case .map:
                // A value follows its key, which is one node.
                let key = table.numbers[position].isMultiple(of: 2) ? position : position - 1
                if let element = keyElement(key) { path.append(element) }
            case .tag where nodes[parent].argument == CBORTag.embeddedItem:
                // The contents of an embedded item are a secret, including keys.
                path.removeAll()
            default: break
            }
            position = parent
        }
        return path.reversed()
    }
}

extension CheckedItem.Node {
    /// The range of a byte or text string's content.
    var content: Range<Int> { Int(start)..<Int(start) + Int(argument) }
    var isInteger: Bool { kind == .unsigned || kind == .negative }
    var isInt64: Bool { isInteger && argument <= UInt64(Int64.max) }
    var int64: Int64? {
        guard isInt64 else { return nil }
        return kind == .unsigned ? Int64(bitPattern: argument) : Int64(bitPattern: ~argument)
    }
    /// Whether it can be a map's key.
    var isKey: Bool { kind == .text || isInt64 }
    var isIntegerOrBignum: Bool {
        isInteger
            || kind == .tag
                && (argument == CBORTag.positiveBignum || argument == CBORTag.negativeBignum)
    }
}
