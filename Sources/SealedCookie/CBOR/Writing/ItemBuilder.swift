// An item under construction: the encoder's containers write into it, and it yields sorted bytes at the end.
#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// An item without containers of the user's, written at once as bytes.
struct CBORLeaf: Equatable {
    var bytes: [UInt8] = []
    /// How many bytes at the end are the content of a byte string.
    var contentCount = 0
    /// How deep tags and arrays are nested, which counts against the depth limit.
    var levels = 0
}

/// All encoded values, in the order in which they came, as nodes over one run of bytes.
///
/// Codable lets an encoder write to an outer container while an inner one is still open, and keys come in any order.
/// So leaves are written once, one after the other, and `item()` copies them in deterministic order.
struct ItemBuilder: Sendable {
    typealias NodeID = Int32

    struct Node: Sendable {
        enum Kind: UInt8, Sendable {
            /// Nothing encoded yet.
            case empty
            case leaf, map, array
            /// Tag 24: the one child is an item inside a byte string.
            case embedded
            /// Taken back, because encoding its value threw.
            case dropped
        }

        var kind: Kind
        var depth: UInt8
        /// Whether it is a leaf that was encoded as a UInt8, or as an Int8 from 0 up. An array of only these is a
        /// byte string.
        var isByte = false
        /// Set for an entry of a container whose key is an integer.
        var integerKey: IntegerKey?
        var isDeclared: Bool { integerKey == .declared }
        /// The first eight bytes of the encoded key, big-endian and padded with zeros, which are enough to order most
        /// keys. A node without a key has its index among its siblings here.
        var keyPrefix: UInt64 = 0
        /// Positions in `bytes`: the encoded key is keyStart..<valueStart, a leaf's value valueStart..<end.
        var keyStart: Int32
        var valueStart: Int32
        var end: Int32
        /// How many of a leaf's last bytes are the content of a byte string.
        var contentCount: Int32
        var parent: NodeID
        var firstChild: NodeID = -1
        var lastChild: NodeID = -1
        var next: NodeID = -1
        var childCount: Int32 = 0
    }

    static let root: NodeID = 0

    var bytes: [UInt8] = []
    var nodes: [Node] = []
    var order: [NodeID] = []
    /// The nodes that are neither leaves nor empty.
    var containerCount = 0
    /// The leaves that contain a byte string, with those that are no longer in the item.
    var byteStringCount = 0
    private var failure: CBORFailure?
    /// The entries of large maps, by their encoded keys.
    private var tables: [NodeID: KeyTable] = [:]
    /// The bytes that the item may have. -1: whatever is written is discarded.
    var limit = CBORLimits.itemBytes {
        didSet { (allowed, recounts) = (limit, 0) }
    }
    /// The bytes and nodes that may exist: the limit, and what is no longer part of the item.
    var allowed = CBORLimits.itemBytes
    private var recounts = 0
    /// A bound even for what is overwritten: it keeps all numbers here far below 2^31.
    private static let mostBytes = 256 * CBORLimits.itemBytes
    private static let mostRecounts = 64
    /// The application's entries for its types to encode with.
    var userInfo: [CodingUserInfoKey: any Sendable] = [:]
    private var mark = Mark.none
    private var knownKeys = KnownKeys()
    /// The values that the item may have (`CheckedItem.valueCount`). Each is created, and tried as one type after the
    /// other, whenever the session is opened, however few bytes it takes.
    var mostValues = Int.max
    /// Nodes that are not values in the item, or may not be: the bytes of byte strings, and what was taken back.
    private var spared = 0
    var replaced: [Replaced] = []

    init() {
        reset()
    }

    mutating func reset() {
        bytes.removeAll(keepingCapacity: bytes.capacity <= CBORLimits.itemBytes)
        nodes.removeAll(keepingCapacity: nodes.capacity <= 4096)
        nodes.append(
            Node(kind: .empty, depth: 0, keyStart: 0, valueStart: 0, end: 0, contentCount: 0, parent: -1))
        (containerCount, byteStringCount) = (0, 0)
        failure = nil
        limit = CBORLimits.itemBytes
        (mostValues, spared) = (.max, 0)
        if !tables.isEmpty { tables = [:] }
        if !replaced.isEmpty { replaced = [] }
        if !userInfo.isEmpty { userInfo = [:] }
    }

    var isClosed: Bool { limit < 0 }

    /// Refuses everything that is still written: the item is finished, and an encoder was kept.
    mutating func close() {
        note(.encoderKept, at: Self.root)
        limit = -1
    }

    /// Remembers the first misuse if a protocol's method cannot throw; `item()` throws it.
    mutating func note(_ reason: CBORFailure.Reason, at node: NodeID) {
        if failure == nil { failure = CBORFailure(reason, path: path(to: node)) }
    }

    // MARK: Nodes

    func kind(of node: NodeID) -> Node.Kind { nodes[Int(node)].kind }
    func childCount(of node: NodeID) -> Int { Int(nodes[Int(node)].childCount) }

    /// Makes `node` a container of `kind`. A second request for the same kind shares it.
    mutating func open(_ node: NodeID, as kind: Node.Kind) {
        let current = nodes[Int(node)].kind
        if current == .empty {
            // Nothing is written to a closed tree, so that threads may share what they kept of it.
            guard limit >= 0 else { return }
            if Int(nodes[Int(node)].depth) >= CBORLimits.depth { note(.tooDeep, at: node) }
            nodes[Int(node)].kind = kind
            containerCount += 1
        } else if current != kind {
            note(.containerMixed, at: node)
        }
    }

    /// If there is no room for a child, these three return the parent, and later writes do nothing: the noted failure
    /// is thrown at the end. So a caller that cannot throw does not enlarge the tree either.
    mutating func addElement(to parent: NodeID) -> NodeID {
        guard hasRoomForChild(of: parent) else { return parent }
        let start = Int32(bytes.count)
        return addChild(
            to: parent, keyStart: start, valueStart: start, keyPrefix: UInt64(childCount(of: parent)))
    }

    @inline(__always)
    mutating func addEntry(to parent: NodeID, key: String) -> NodeID {
        guard hasRoomForChild(of: parent, key: key) else { return parent }
        checkMarks(key, at: parent)
        let start = bytes.count
        bytes.append(cborText: key)
        return addEntry(to: parent, keyStart: start)
    }

    /// - Parameter kind: Nil for an entry that is not a container's.
    @inline(__always)
    mutating func addEntry(to parent: NodeID, key: Int, _ kind: IntegerKey?) -> NodeID {
        guard hasRoomForChild(of: parent) else { return parent }
        let start = bytes.count
        bytes.append(cborInteger: Int64(key))
        return addEntry(to: parent, keyStart: start, kind)
    }

    /// The node for a container under a key: the existing one, as in JSON's encoder, or a new one.
    ///
    /// - Parameter replaces: Whether it replaces a value that is not a map, as for an encoder for super: JSON's keeps
    ///   the later value. (Of two maps JSON's keeps the later too; here they become one, and nothing is lost.)
    mutating func container(in parent: NodeID, key: String, replaces: Bool) -> NodeID {
        guard hasRoomForChild(of: parent, key: key) else { return parent }
        checkMarks(key, at: parent)
        let start = bytes.count
        bytes.append(cborText: key)
        return container(in: parent, keyStart: start, replaces: replaces)
    }

    mutating func container(in parent: NodeID, key: Int, _ kind: IntegerKey, replaces: Bool) -> NodeID {
        guard hasRoomForChild(of: parent) else { return parent }
        let start = bytes.count
        bytes.append(cborInteger: Int64(key))
        return container(in: parent, keyStart: start, kind, replaces: replaces)
    }

    private mutating func container(
        in parent: NodeID, keyStart: Int, _ kind: IntegerKey? = nil, replaces: Bool
    ) -> NodeID {
        guard nodes[Int(parent)].childCount > 0, let entry = lastEntry(in: parent, keyStart: keyStart)
        else { return addEntry(to: parent, keyStart: keyStart, kind) }
        if replaces, nodes[Int(entry)].kind != .map {
            noteReplaced(entry)
            return addEntry(to: parent, keyStart: keyStart, kind)
        }
        bytes.removeLast(bytes.count - keyStart)
        if nodes[Int(entry)].isDeclared != (kind == .declared) { note(.keysOfOneInteger, at: parent) }
        return entry
    }

    /// A node whose key now has another value; its former state.
    struct Replaced: Sendable {
        let node: NodeID
        let wasEmpty: Bool
        /// The number of all nodes.
        let count: Int
    }

    private mutating func noteReplaced(_ node: NodeID) {
        replaced.append(
            Replaced(node: node, wasEmpty: nodes[Int(node)].kind == .empty, count: nodes.count))
    }

    /// A new entry that replaces the map under its key, for another value that an encoder for super writes: JSON's
    /// encoder keeps the later one.
    mutating func replace(_ node: NodeID) -> NodeID {
        // After a failure, this may be the parent that a map without room was to go into.
        guard failure == nil, node != Self.root else { return node }
        let parent = nodes[Int(node)].parent
        guard hasRoomForChild(of: parent) else { return parent }
        if replaced.contains(where: { $0.node == node }) { note(.encodedTwice, at: node) }
        noteReplaced(node)
        let start = bytes.count
        bytes.append(contentsOf: bytes[Int(nodes[Int(node)].keyStart)..<Int(nodes[Int(node)].valueStart)])
        return addEntry(to: parent, keyStart: start, nodes[Int(node)].integerKey)
    }

    /// Restores the map whose last replacement could not be encoded.
    mutating func restore(_ node: NodeID) {
        if let last = replaced.lastIndex(where: { $0.node == node }) { replaced.remove(at: last) }
    }

    /// The last entry that was encoded for each key of a map.
    private struct KeyTable: Sendable {
        /// The last child in the table.
        var last: NodeID = -1
        var entries: [[UInt8]: NodeID] = [:]
    }

    /// The number of children for which a scan takes less time than a table.
    private static let fewChildren: Int32 = 16

    /// The last entry of `parent` with the key at `keyStart`, to the end of `bytes`.
    private mutating func lastEntry(in parent: NodeID, keyStart: Int) -> NodeID? {
        if nodes[Int(parent)].childCount > Self.fewChildren {
            guard let entry = tableEntry(in: parent, keyStart: keyStart) else { return nil }
            if nodes[Int(entry)].kind != .dropped { return entry }
        }
        let key = bytes.span.extracting(keyStart...)
        let prefix = key.prefix
        var child = nodes[Int(parent)].firstChild
        var entry: NodeID?
        while child >= 0 {
            let node = nodes[Int(child)]
            if node.keyPrefix == prefix, node.kind != .dropped {
                let other = bytes.span.extracting(Int(node.keyStart)..<Int(node.valueStart))
                if other.count == key.count, other.compare(with: key) == 0 { entry = child }
            }
            child = node.next
        }
        return entry
    }

    private mutating func tableEntry(in parent: NodeID, keyStart: Int) -> NodeID? {
        // Moved out, so that it is not copied.
        var table = tables.removeValue(forKey: parent) ?? KeyTable()
        var child = table.last < 0 ? nodes[Int(parent)].firstChild : nodes[Int(table.last)].next
        while child >= 0 {
            let node = nodes[Int(child)]
            table.entries[Array(bytes[Int(node.keyStart)..<Int(node.valueStart)])] = child
            table.last = child
            child = node.next
        }
        let entry = table.entries[Array(bytes[keyStart...])]
        tables[parent] = table
        return entry
    }

    /// Takes back a child whose value threw: code that continues without it leaves no half of it in the item.
    mutating func drop(_ node: NodeID) {
        // A noted failure ends everything.
        guard failure == nil, node != Self.root, nodes[Int(node)].kind != .dropped else { return }
        nodes[Int(node)].kind = .dropped
        let parent = Int(nodes[Int(node)].parent)
        // A child from before its parent was cleared does not count any more.
        let first = nodes[parent].firstChild
        if first >= 0, node >= first { nodes[parent].childCount -= 1 }
        spared += 2 * (nodes.count - Int(node))
    }

    /// Resets `node` to its state before anything was encoded there, for another try.
    mutating func clear(_ node: NodeID) {
        guard failure == nil else { return }
        nodes[Int(node)].kind = .empty
        nodes[Int(node)].isByte = false
        spared += 2 * (nodes.count - Int(node))
        (nodes[Int(node)].firstChild, nodes[Int(node)].lastChild) = (-1, -1)
        nodes[Int(node)].childCount = 0
        tables.removeValue(forKey: node)
    }

    mutating func markByte(_ node: NodeID) {
        guard limit >= 0 else { return }
        nodes[Int(node)].isByte = true
        // Nearly always a byte of a byte string, whose array does not count either; `item()` counts again.
        let parent = nodes[Int(node)].parent
        spared += parent >= 0 && nodes[Int(parent)].firstChild == node ? 2 : 1
    }

    private mutating func addEntry(to parent: NodeID, keyStart: Int, _ kind: IntegerKey? = nil) -> NodeID {
        addChild(
            to: parent, keyStart: Int32(truncatingIfNeeded: keyStart),
            valueStart: Int32(truncatingIfNeeded: bytes.count),
            keyPrefix: bytes.span.extracting(keyStart...).prefix, integerKey: kind)
    }

    /// Before the copy, so that nothing far too long is copied. A node takes at least a byte of the item, so this
    /// also bounds the tree's memory and keeps all its numbers far below 2^31.
    @inline(__always)
    private mutating func hasRoomForChild(of parent: NodeID) -> Bool {
        guard hasRoom(for: 0) && nodes.count <= allowed || makeRoom(for: 0) else {
            note(.tooLong, at: parent)
            return false
        }
        return hasRoomForValue()
    }

    @inline(__always)
    private mutating func hasRoomForValue() -> Bool {
        if nodes.count + containerCount - spared < mostValues || makeRoomForValue() { return true }
        note(.tooManyValues(mostValues), at: Self.root)
        return false
    }

    /// Counts the values that are now in the item, without what was overwritten.
    @inline(never)
    private mutating func makeRoomForValue() -> Bool {
        guard failure == nil, limit >= 0, recounts < Self.mostRecounts else { return false }
        recounts += 1
        var copy = self
        (copy.limit, copy.mostValues) = (Self.mostBytes, .max)
        guard let live = try? CheckedItem(parsing: copy.item().bytes).valueCount, live < mostValues else {
            return false
        }
        spared = nodes.count + containerCount - live
        return true
    }

    @inline(__always)
    private mutating func hasRoomForChild(of parent: NodeID, key: String) -> Bool {
        let count = key.utf8.count
        guard
            hasRoom(for: count) && nodes.count <= allowed
                || makeRoom(for: count, replacing: { tree in tree.hasEntry(key, in: parent) })
        else {
            note(.tooLong, at: parent)
            return false
        }
        return hasRoomForValue()
    }

    private func hasEntry(_ key: String, in parent: NodeID) -> Bool {
        var encoded: [UInt8] = []
        encoded.append(cborText: key)
        var child = nodes[Int(parent)].firstChild
        while child >= 0 {
            let node = nodes[Int(child)]
            if bytes[Int(node.keyStart)..<Int(node.valueStart)].elementsEqual(encoded) { return true }
            child = node.next
        }
        return false
    }

    /// Whether this many more bytes, without their heads, may still fit the item.
    @inline(__always)
    func hasRoom(for count: Int) -> Bool { count <= allowed - bytes.count }

    /// Counts what no longer belongs to the item (moved keys, entries that were overwritten or taken back) before
    /// anything is refused: the item's own size decides.
    ///
    /// - Parameter replacing: Whether the new bytes replace existing ones.
    mutating func makeRoom(for count: Int, replacing: (ItemBuilder) -> Bool = { _ in false }) -> Bool {
        guard failure == nil, limit >= 0, recounts < Self.mostRecounts else { return false }
        recounts += 1
        var copy = self
        (copy.limit, copy.mostValues) = (Self.mostBytes, .max)
        guard let live = try? copy.item().bytes.count, live <= limit, count <= limit else { return false }
        guard live + count <= limit || replacing(self) else { return false }
        // As much again, so that what is overwritten thousands of times is counted only a few times.
        allowed = min(bytes.count + max(limit - live, count + 1024, bytes.count), Self.mostBytes)
        return hasRoom(for: count) && nodes.count <= allowed
    }

    /// Refuses text with too many combining marks, so that no server that opens it hashes or compares it.
    @inline(__always)
    mutating func checkMarks(_ text: String, at node: NodeID) {
        if CombiningMarks.areTooMany(in: text) { note(.combiningMarks, at: node) }
    }

    /// Whether this many more bytes in one more node fit, if nothing has been noted: nothing has to be counted.
    @inline(__always)
    func hasPlainRoom(for count: Int) -> Bool {
        failure == nil && hasRoom(for: count) && nodes.count <= allowed
            && nodes.count + containerCount - spared < mostValues
    }

    /// The callers have kept all numbers far below 2^31.
    @inline(__always)
    mutating func addChild(
        _ kind: Node.Kind = .empty, to parent: NodeID, keyStart: Int32, valueStart: Int32, keyPrefix: UInt64,
        integerKey: IntegerKey? = nil
    ) -> NodeID {
        let id = NodeID(truncatingIfNeeded: nodes.count)
        let depth = nodes[Int(parent)].depth
        nodes.append(
            Node(
                kind: kind, depth: min(depth, 254) + 1, integerKey: integerKey, keyPrefix: keyPrefix,
                keyStart: keyStart, valueStart: valueStart, end: Int32(truncatingIfNeeded: bytes.count),
                contentCount: 0, parent: parent))
        var nodes = nodes.mutableSpan
        let last = nodes[Int(parent)].lastChild
        if last < 0 {
            nodes[Int(parent)].firstChild = id
        } else {
            nodes[Int(last)].next = id
        }
        nodes[Int(parent)].lastChild = id
        nodes[Int(parent)].childCount += 1
        return id
    }

    // MARK: Encoders of the user's in between

    /// A text instead of a value: an encoder that hands it on shows where the value is to be written.
    private enum Mark: Sendable {
        case none
        /// With the reason to give if it comes twice.
        case awaited(CBORFailure.Reason)
        case found(NodeID, CBORFailure.Reason)
    }

    static let markText = "a value for SealedCookie"
    @inline(__always) var isAwaitingMark: Bool { if case .none = mark { false } else { true } }

    /// Lets the text that is the mark take the value's position until `found` is called. A value cannot be in two
    /// positions: an encoder that hands it on twice is refused.
    mutating func awaitMark(orRefuse reason: CBORFailure.Reason) { mark = .awaited(reason) }

    mutating func takeMark(_ text: String, at node: NodeID) -> Bool {
        guard text == Self.markText else { return false }
        switch mark {
        case .none: return false
        case .awaited(let reason): mark = .found(node, reason)
        case .found(_, let reason): note(reason, at: Self.root)
        }
        return true
    }

    /// The position at which the mark was written, if it was.
    mutating func found() -> NodeID? {
        defer { mark = .none }
        if case .found(let node, _) = mark { return node }
        return nil
    }

    /// Throws what was noted, so that a session that is far too large or deep stops early.
    func check() throws(CBORFailure) {
        if let failure { throw failure }
    }
}

extension ItemBuilder: KeyMemory {
    @inline(__always)
    mutating func knows<Key: CodingKey>(_ key: Key) -> Bool { knownKeys.contains(key) }
    mutating func remember<Key: CodingKey>(_ key: Key) { if limit >= 0 { knownKeys.insert(key) } }
}
