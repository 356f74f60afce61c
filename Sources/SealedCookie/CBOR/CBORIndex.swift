// The strict reader: checks a whole item once and notes where everything in it stands. FORMAT §7.

/// A checked item. What the decoder and the value tree read needs no further checking.
struct CBORIndex: Sendable {
    /// One item, or the head of one that holds others: those follow it, up to `next`.
    struct Node: Sendable {
        enum Kind: UInt8, Sendable {
            case unsigned, negative, bytes, text, array, map, tag, bool, null, float
        }

        let kind: Kind
        /// Where the content of a byte or text string begins in `bytes`.
        let start: UInt32
        /// The position of the node behind this one and all it holds.
        fileprivate(set) var next: UInt32
        /// The argument: a number, a length, a count, a tag, 0 or 1 for a Bool, a float's 64 bits.
        let argument: UInt64
    }

    let bytes: [UInt8]
    private var nodes: [Node] = []
    /// Where the item stands in `bytes`; nil for a divided one, whose byte strings' contents are apart.
    let whole: Range<Int>?
    /// Checking only: what has been checked is forgotten, but for its count.
    private var isForgetting = false
    private var forgotten = 0
    /// Bytes of an item beyond which it is checked once before anything of it is noted: a node takes 24
    /// bytes, an element of an array one.
    private static let largeItem = 16_384

    /// Checks that `bytes[range]` is exactly one item of the profile.
    init(parsing bytes: [UInt8], in range: Range<Int>) throws(CBORFailure) {
        try self.init(bytes, item: range, contents: nil)
    }

    init(parsing bytes: [UInt8]) throws(CBORFailure) {
        try self.init(parsing: bytes, in: 0..<bytes.count)
    }

    /// Checks a divided item: `skeleton` without the contents of its byte strings, which stand
    /// behind one another in `contents`, in order and without a byte left over (FORMAT §6).
    init(parsing bytes: [UInt8], skeleton: Range<Int>, contents: Range<Int>) throws(CBORFailure) {
        try self.init(bytes, item: skeleton, contents: contents)
    }

    private init(_ bytes: [UInt8], item: Range<Int>, contents: Range<Int>?) throws(CBORFailure) {
        guard item.count + (contents?.count ?? 0) <= CBORLimits.itemBytes else { throw CBORFailure(.tooLong) }
        self.bytes = bytes
        whole = contents.map { $0.isEmpty } ?? true ? item : nil
        if item.count + (contents?.count ?? 0) > Self.largeItem {
            isForgetting = true
            try parseWhole(item, contents)
            isForgetting = false
            let count = nodes.count + forgotten
            nodes.removeAll(keepingCapacity: false)
            nodes.reserveCapacity(count)
        } else {
            nodes.reserveCapacity(min(item.count, 64))
        }
        try parseWhole(item, contents)
    }

    private mutating func parseWhole(_ item: Range<Int>, _ contents: Range<Int>?) throws(CBORFailure) {
        var reader = ByteReader(bytes, in: item)
        var contentReader = contents.map { ByteReader(bytes, in: $0) }
        try parse(&reader, &contentReader, depth: 0)
        guard reader.remaining == 0 else { throw CBORFailure(.trailingBytes) }
        if let contentReader, contentReader.remaining != 0 { throw CBORFailure(.byteStringContents) }
    }

    // MARK: Reading what was checked

    var count: Int { nodes.count }

    func node(_ position: Int) -> Node { nodes[position] }

    /// The content of a byte or text string.
    func content(_ position: Int) -> Range<Int> {
        let node = nodes[position]
        return Int(node.start)..<Int(node.start) + Int(node.argument)
    }

    func text(_ position: Int) -> String {
        String(decoding: bytes[content(position)], as: UTF8.self)
    }

    /// The positions of the items directly inside an array, map or tag; a map's keys and values
    /// in turn.
    func children(of position: Int) -> Children {
        Children(index: self, position: position + 1, end: Int(nodes[position].next))
    }

    struct Children: Sequence, IteratorProtocol {
        fileprivate let index: CBORIndex
        fileprivate var position: Int
        fileprivate let end: Int

        mutating func next() -> Int? {
            guard position < end else { return nil }
            defer { position = Int(index.nodes[position].next) }
            return position
        }
    }

    /// The path element of a map key; nil for what cannot be one: neither text nor an Int64.
    func keyElement(_ position: Int) -> CBORPathElement? {
        let node = nodes[position]
        guard isKey(position) else { return nil }
        switch node.kind {
        case .text: return .key(text(position))
        case .unsigned: return .integerKey(Int64(bitPattern: node.argument))
        default: return .integerKey(Int64(bitPattern: ~node.argument))
        }
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
                if target >= child, target < Int(nodes[child].next) {
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
            while let last = open.last, Int(nodes[last.position].next) <= position { open.removeLast() }
            if let last = open.last {
                table.parents[position] = UInt32(last.position)
                table.numbers[position] = last.count
                open[open.count - 1].count += 1
            }
            if Int(nodes[position].next) > position + 1 { open.append((position, 0)) }
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

    // MARK: Checking

    private mutating func append(_ kind: Node.Kind, start: Int = 0, argument: UInt64) {
        nodes.append(
            Node(kind: kind, start: UInt32(start), next: UInt32(nodes.count + 1), argument: argument))
    }

    private mutating func close(_ position: Int) {
        nodes[position].next = UInt32(nodes.count)
    }

    /// Where what is checked need not be kept, takes back the nodes from `position` on, many at a time.
    @inline(__always)
    private mutating func forget(from position: Int) {
        guard isForgetting, nodes.count - position > 64 else { return }
        forgotten += nodes.count - position
        nodes.removeLast(nodes.count - position)
    }

    /// - Parameter tag: the tag that this item is the content of.
    private mutating func parse(
        _ reader: inout ByteReader, _ contents: inout ByteReader?, depth: Int, tag: UInt64? = nil
    ) throws(CBORFailure) {
        guard let head = reader.byte() else { throw CBORFailure(.endsEarly) }
        guard let major = CBORMajor(rawValue: head >> 5) else { throw CBORFailure(.reservedHead) }
        let information = head & 0x1F
        if major == .simple { return try parseSimple(information, &reader) }
        let argument = try Self.argument(information, &reader)
        let position = nodes.count
        switch major {
        case .unsigned:
            append(.unsigned, argument: argument)
        case .negative:
            append(.negative, argument: argument)
        case .bytes:
            let place = contents == nil ? reader.skip(argument) : contents?.skip(argument)
            guard let place else { throw CBORFailure(contents == nil ? .endsEarly : .byteStringContents) }
            append(.bytes, start: place.lowerBound, argument: argument)
        case .text:
            guard let place = reader.skip(argument) else { throw CBORFailure(.endsEarly) }
            guard Self.isUTF8(bytes.span.extracting(place)) else { throw CBORFailure(.notUTF8) }
            append(.text, start: place.lowerBound, argument: argument)
        case .array:
            // Every element takes a byte at least: a length beyond that is refused before any work.
            guard argument <= UInt64(reader.remaining) else { throw CBORFailure(.endsEarly) }
            guard depth < CBORLimits.depth else { throw CBORFailure(.tooDeep) }
            append(.array, argument: argument)
            // The two of a decimal fraction are looked at once more.
            let isKept = tag == CBORTag.decimalFraction && argument == 2
            try parseElements(Int(argument), &reader, &contents, depth: depth + 1, isKept: isKept)
            close(position)
        case .map:
            guard argument <= UInt64(reader.remaining / 2) else { throw CBORFailure(.endsEarly) }
            guard depth < CBORLimits.depth else { throw CBORFailure(.tooDeep) }
            append(.map, argument: argument)
            let isKept = tag == CBORTag.extendedTime && argument == 2
            try parseEntries(Int(argument), &reader, &contents, depth: depth + 1, isKept: isKept)
            close(position)
        case .tag:
            guard depth < CBORLimits.depth else { throw CBORFailure(.tooDeep) }
            append(.tag, argument: argument)
            try parse(&reader, &contents, depth: depth + 1, tag: argument)
            try checkTag(argument, at: position, depth: depth + 1)
            close(position)
        case .simple:
            break
        }
    }

    private mutating func parseElements(
        _ count: Int, _ reader: inout ByteReader, _ contents: inout ByteReader?, depth: Int, isKept: Bool
    ) throws(CBORFailure) {
        let position = nodes.count
        var element = 0
        while element < count {
            // The most that there can be of, and nothing to check in them.
            if isForgetting, !isKept, depth < CBORLimits.depth, reader.skipByte(where: Self.isWholeItem) {
                element += 1
                forgotten += 1
                continue
            }
            do throws(CBORFailure) {
                try parse(&reader, &contents, depth: depth)
                if !isKept { forget(from: position) }
                element += 1
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

    private mutating func parseEntries(
        _ count: Int, _ reader: inout ByteReader, _ contents: inout ByteReader?, depth: Int, isKept: Bool
    ) throws(CBORFailure) {
        var previous: Range<Int>?
        let position = nodes.count
        for _ in 0..<count {
            let keyStart = reader.position
            let keyPosition = nodes.count
            try parse(&reader, &contents, depth: depth)
            guard isKey(keyPosition) else { throw CBORFailure(.unusableKey) }
            let key = keyStart..<reader.position
            do throws(CBORFailure) {
                if let previous {
                    switch order(previous, key) {
                    case .ascending: break
                    case .equal: throw CBORFailure(.duplicateKey)
                    case .descending: throw CBORFailure(.keysOutOfOrder)
                    }
                }
                previous = key
                try parse(&reader, &contents, depth: depth)
                if !isKept { forget(from: position) }
            } catch {
                // Only a failure needs the key as a String.
                throw keyElement(keyPosition).map { error.inside($0) } ?? error
            }
        }
    }

    private func isKey(_ position: Int) -> Bool {
        let node = nodes[position]
        return node.kind == .text || isInt64(position)
    }

    private enum Order { case ascending, equal, descending }

    private func order(_ a: Range<Int>, _ b: Range<Int>) -> Order {
        var (i, j) = (a.lowerBound, b.lowerBound)
        while i < a.upperBound, j < b.upperBound {
            if bytes[i] != bytes[j] { return bytes[i] < bytes[j] ? .ascending : .descending }
            i += 1
            j += 1
        }
        if a.count == b.count { return .equal }
        return a.count < b.count ? .ascending : .descending
    }

    private static func isUTF8(_ text: Span<UInt8>) -> Bool {
        (try? UTF8Span(validating: text)) != nil
    }

    private static func argument(_ information: UInt8, _ reader: inout ByteReader) throws(CBORFailure)
        -> UInt64
    {
        switch information {
        case 0..<24: return UInt64(information)
        case 24...27:
            let byteCount = 1 << Int(information - 24)
            guard let value = reader.integer(byteCount: byteCount) else { throw CBORFailure(.endsEarly) }
            let least: UInt64 = byteCount == 1 ? 24 : 1 << UInt64(byteCount * 4)
            guard value >= least else { throw CBORFailure(.notShortest) }
            return value
        case 31: throw CBORFailure(.indefiniteLength)
        default: throw CBORFailure(.reservedHead)
        }
    }

    private mutating func parseSimple(
        _ information: UInt8, _ reader: inout ByteReader
    ) throws(CBORFailure) {
        switch information {
        case 20, 21: append(.bool, argument: UInt64(information - 20))
        case 22: append(.null, argument: 0)
        case 25:
            guard let bits = reader.integer(byteCount: 2) else { throw CBORFailure(.endsEarly) }
            append(.float, argument: CBORFloat.widen(half: UInt16(truncatingIfNeeded: bits)))
        case 26:
            guard let bits = reader.integer(byteCount: 4) else { throw CBORFailure(.endsEarly) }
            let wide = CBORFloat.widen(single: UInt32(truncatingIfNeeded: bits))
            guard case .single = CBORFloat.shortest(wide) else { throw CBORFailure(.notShortest) }
            append(.float, argument: wide)
        case 27:
            guard let bits = reader.integer(byteCount: 8) else { throw CBORFailure(.endsEarly) }
            guard case .double = CBORFloat.shortest(bits) else { throw CBORFailure(.notShortest) }
            append(.float, argument: bits)
        case 28...30: throw CBORFailure(.reservedHead)
        case 31: throw CBORFailure(.indefiniteLength)
        default: throw CBORFailure(.unknownSimpleValue)
        }
    }

    /// Each known tag with the content that FORMAT §7 gives it; the content is the node behind.
    private mutating func checkTag(_ tag: UInt64, at position: Int, depth: Int) throws(CBORFailure) {
        let content = nodes[position + 1]
        let fits: Bool
        switch tag {
        case CBORTag.epochTime:
            // Whole seconds within Int64.
            fits = content.kind == .float || isInt64(position + 1)
        case CBORTag.positiveBignum, CBORTag.negativeBignum:
            // Beyond 64 bits, or the plain integer is the shortest form; no leading zero.
            fits =
                content.kind == .bytes && (9...16).contains(content.argument)
                && bytes[Int(content.start)] != 0
        case CBORTag.decimalFraction:
            fits =
                content.kind == .array && content.argument == 2 && isInt64(position + 2)
                && isIntegerOrBignum(Int(nodes[position + 2].next))
        case CBORTag.embeddedItem:
            guard content.kind == .bytes else { throw CBORFailure(.tagContent(tag)) }
            let range = self.content(position + 1)
            var inner = ByteReader(bytes, in: range)
            var none: ByteReader?
            try parse(&inner, &none, depth: depth)
            guard inner.remaining == 0 else { throw CBORFailure(.trailingBytes) }
            close(position + 1)
            fits = true
        case CBORTag.url:
            fits = content.kind == .text
        case CBORTag.uuid:
            fits = content.kind == .bytes && content.argument == 16
        case CBORTag.extendedTime:
            fits = CBORTime(extendedTimeIn: self, map: position + 1) != nil
        default:
            throw CBORFailure(.unknownTag(tag))
        }
        guard fits else { throw CBORFailure(.tagContent(tag)) }
    }

    private func isInt64(_ position: Int) -> Bool {
        isInteger(position) && nodes[position].argument <= UInt64(Int64.max)
    }

    private func isInteger(_ position: Int) -> Bool {
        nodes[position].kind == .unsigned || nodes[position].kind == .negative
    }

    private func isIntegerOrBignum(_ position: Int) -> Bool {
        isInteger(position)
            || nodes[position].kind == .tag
                && (nodes[position].argument == CBORTag.positiveBignum
                    || nodes[position].argument == CBORTag.negativeBignum)
    }
}
