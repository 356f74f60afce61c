// An item under construction: what the encoder's containers write into, and its sorted bytes at the end.
#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// An item without containers of the user's: its bytes, written at once.
struct CBORLeaf: Equatable {
    var bytes: [UInt8] = []
    /// How many bytes at the end are a byte string's content.
    var contentCount = 0
    /// Tags and arrays inside one another, which count against the depth.
    var levels = 0
}

/// Every value that was encoded, in the order in which it came, as nodes over one run of bytes.
///
/// Codable lets an encoder write to an outer container while an inner one is still open, and in any
/// order of keys. So leaves are written once, behind one another, and `item()` copies them in
/// deterministic order.
struct ItemBuilder: Sendable {
    typealias NodeID = Int32

    struct Node: Sendable {
        enum Kind: UInt8, Sendable {
            /// Nothing encoded yet.
            case empty
            case leaf, map, array
            /// Tag 24: the one child is an item inside a byte string.
            case embedded
            /// Taken back: its value threw while it was encoded.
            case dropped
        }

        var kind: Kind
        var depth: UInt8
        /// A leaf that was encoded as a UInt8, or as an Int8 from 0 up. An array of nothing else is a byte string.
        var isByte = false
        /// An entry of a container's whose key is an integer.
        var integerKey: IntegerKey?
        var isDeclared: Bool { integerKey == .declared }
        /// Of the encoded key the first eight bytes, big-endian, as if zeros followed it: it orders most keys. What has
        /// no key has its number among its siblings here.
        var keyPrefix: UInt64 = 0
        /// In `bytes`: the encoded key is keyStart..<valueStart, a leaf's value valueStart..<end.
        var keyStart: Int32
        var valueStart: Int32
        var end: Int32
        /// A leaf's last bytes that are a byte string's content.
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
    /// Nodes that are not leaves, and not empty.
    var containerCount = 0
    private var failure: CBORFailure?
    /// Where the entries of large maps are, by their encoded keys.
    private var tables: [NodeID: KeyTable] = [:]
    /// Bytes that the item may have; -1: what is written comes to nothing.
    var limit = CBORLimits.itemBytes {
        didSet { (allowed, recounts) = (limit, 0) }
    }
    /// Bytes and nodes that may be here: the limit, and what is no part of the item any more.
    var allowed = CBORLimits.itemBytes
    private var recounts = 0
    /// Whatever is overwritten: keeps all numbers here far below 2^31.
    private static let mostBytes = 256 * CBORLimits.itemBytes
    private static let mostRecounts = 64
    /// What the application gave its types to encode with.
    var userInfo: [CodingUserInfoKey: any Sendable] = [:]
    private var mark = Mark.none
    private var knownKeys = KnownKeys()
    /// Values that the item may have (`CheckedItem.valueCount`): each is made, and tried as one type after the other, whenever
    /// the session is opened, however few bytes it takes.
    var mostValues = Int.max
    /// Nodes that are no values in the item, or may be none: the bytes of byte strings, and what was taken back.
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
        containerCount = 0
        failure = nil
        limit = CBORLimits.itemBytes
        (mostValues, spared) = (.max, 0)
        if !tables.isEmpty { tables = [:] }
        if !replaced.isEmpty { replaced = [] }
        if !userInfo.isEmpty { userInfo = [:] }
    }

    var isClosed: Bool { limit < 0 }

    /// Refuses all that is still written: the item is finished, and an encoder was kept.
    mutating func close() {
        note(.encoderKept, at: Self.root)
        limit = -1
    }

    /// Remembers the first misuse where a protocol's method cannot throw; `item()` throws it.
    mutating func note(_ reason: CBORFailure.Reason, at node: NodeID) {
        if failure == nil { failure = CBORFailure(reason, path: path(to: node)) }
    }

    // MARK: Nodes

    func kind(of node: NodeID) -> Node.Kind { nodes[Int(node)].kind }
    func childCount(of node: NodeID) -> Int { Int(nodes[Int(node)].childCount) }

    /// Makes `node` a container of `kind`; a second request for the same kind shares it.
    mutating func open(_ node: NodeID, as kind: Node.Kind) {
        let current = nodes[Int(node)].kind
        if current == .empty {
            // Nothing is written to a tree that is closed, so that threads may share what they kept of it.
            guard limit >= 0 else { return }
            if Int(nodes[Int(node)].depth) >= CBORLimits.depth { note(.tooDeep, at: node) }
            nodes[Int(node)].kind = kind
            containerCount += 1
        } else if current != kind {
            note(.containerMixed, at: node)
        }
    }

    /// Where there is no room for a child, these three return the parent: what comes next is written nowhere, since what
    /// was noted is thrown in the end. So a caller that cannot throw makes the tree no larger either.
    mutating func addElement(to parent: NodeID) -> NodeID {
        guard hasRoomForChild(of: parent) else { return parent }
        return addChild(
            to: parent, keyStart: Int32(bytes.count), keyPrefix: UInt64(childCount(of: parent)))
    }

    @inline(__always)
    mutating func addEntry(to parent: NodeID, key: String) -> NodeID {
        guard hasRoomForChild(of: parent, key: key) else { return parent }
        checkMarks(key, at: parent)
        let start = bytes.count
        bytes.append(cborText: key)
        return addEntry(to: parent, keyStart: start)
    }

    /// - Parameter kind: nil for an entry of no container's.
    @inline(__always)
    mutating func addEntry(to parent: NodeID, key: Int, _ kind: IntegerKey?) -> NodeID {
        guard hasRoomForChild(of: parent) else { return parent }
        let start = bytes.count
        bytes.append(cborInteger: Int64(key))
        return addEntry(to: parent, keyStart: start, kind)
    }

    /// The node for a container under a key: the one that is there, as JSON's encoder has it, else a new one.
    ///
    /// - Parameter replaces: whether a value that is no map makes way, as for an encoder for super: JSON's keeps the later. (Of
    ///   two maps JSON's keeps the later too; here they are one, and nothing is lost.)
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

    /// A node whose key has another value now; how it was then.
    struct Replaced: Sendable {
        let node: NodeID
        let wasEmpty: Bool
        /// Of all nodes.
        let count: Int
    }

    private mutating func noteReplaced(_ node: NodeID) {
        replaced.append(
            Replaced(node: node, wasEmpty: nodes[Int(node)].kind == .empty, count: nodes.count))
    }

    /// A new entry in the place of a map that its key has, for another value that an encoder for super writes: JSON's keeps
    /// the later.
    mutating func replace(_ node: NodeID) -> NodeID {
        let parent = nodes[Int(node)].parent
        guard hasRoomForChild(of: parent) else { return parent }
        if replaced.contains(where: { $0.node == node }) { note(.encodedTwice, at: node) }
        noteReplaced(node)
        let start = bytes.count
        bytes.append(contentsOf: bytes[Int(nodes[Int(node)].keyStart)..<Int(nodes[Int(node)].valueStart)])
        return addEntry(to: parent, keyStart: start, nodes[Int(node)].integerKey)
    }

    /// Has the map hold again whose last replacement could not be encoded.
    mutating func restore(_ node: NodeID) {
        if let last = replaced.lastIndex(where: { $0.node == node }) { replaced.remove(at: last) }
    }

    /// Where each key of a map was last encoded.
    private struct KeyTable: Sendable {
        /// The last child that is in it.
        var last: NodeID = -1
        var entries: [[UInt8]: NodeID] = [:]
    }

    /// Children that are gone through in less time than a table takes.
    private static let fewChildren: Int32 = 16

    /// The last entry of `parent` whose key is that at `keyStart`, to the end of `bytes`.
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
        // Taken out, so that it is not copied.
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

    /// Takes back a child whose value threw: who goes on without it finds no half of it in the item.
    mutating func drop(_ node: NodeID) {
        // A failure that was noted ends everything.
        guard failure == nil, node != Self.root, nodes[Int(node)].kind != .dropped else { return }
        nodes[Int(node)].kind = .dropped
        nodes[Int(nodes[Int(node)].parent)].childCount -= 1
        spared += 2 * (nodes.count - Int(node))
    }

    /// Makes `node` as it was before anything was encoded there, for another try.
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
        // Nearly always one of a byte string, whose array is none either; `item()` counts anew.
        let parent = nodes[Int(node)].parent
        spared += parent >= 0 && nodes[Int(parent)].firstChild == node ? 2 : 1
    }

    private mutating func addEntry(to parent: NodeID, keyStart: Int, _ kind: IntegerKey? = nil) -> NodeID {
        addChild(
            to: parent, keyStart: Int32(truncatingIfNeeded: keyStart),
            keyPrefix: bytes.span.extracting(keyStart...).prefix, integerKey: kind)
    }

    /// Before the copy: what is far too long must not be copied first. A node takes at least a byte of the item: this bounds
    /// the tree's memory as well, and keeps all its numbers far below 2^31.
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

    /// Counts the values that are in the item at present, without what was overwritten.
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

    /// Whether so many bytes more, without their heads, may still be an item.
    @inline(__always)
    func hasRoom(for count: Int) -> Bool { count <= allowed - bytes.count }

    /// Counts what is here and no part of the item (keys that moved, entries that were overwritten or taken back) before
    /// anything is refused: the item's own size decides.
    ///
    /// - Parameter replacing: whether what comes takes the place of what is here.
    mutating func makeRoom(for count: Int, replacing: (ItemBuilder) -> Bool = { _ in false }) -> Bool {
        guard failure == nil, limit >= 0, recounts < Self.mostRecounts else { return false }
        recounts += 1
        var copy = self
        (copy.limit, copy.mostValues) = (Self.mostBytes, .max)
        guard let live = try? copy.item().bytes.count, live <= limit, count <= limit else { return false }
        guard live + count <= limit || replacing(self) else { return false }
        // As much again: what is overwritten thousands of times is counted a few times only.
        allowed = min(bytes.count + max(limit - live, count + 1024, bytes.count), Self.mostBytes)
        return hasRoom(for: count) && nodes.count <= allowed
    }

    /// Text that is refused, so that nobody who opens it hashes or compares it.
    @inline(__always)
    mutating func checkMarks(_ text: String, at node: NodeID) {
        if CombiningMarks.areTooMany(in: text) { note(.combiningMarks, at: node) }
    }

    /// `hasRoomForChild` has kept all numbers far below 2^31.
    @inline(__always)
    private mutating func addChild(
        to parent: NodeID, keyStart: Int32, keyPrefix: UInt64, integerKey: IntegerKey? = nil
    ) -> NodeID {
        let id = NodeID(truncatingIfNeeded: nodes.count)
        let depth = nodes[Int(parent)].depth
        let start = Int32(truncatingIfNeeded: bytes.count)
        nodes.append(
            Node(
                kind: .empty, depth: min(depth, 254) + 1, integerKey: integerKey, keyPrefix: keyPrefix,
                keyStart: keyStart, valueStart: start, end: start, contentCount: 0, parent: parent))
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

    /// A text in place of a value: an encoder that hands it on shows where the value is to be written.
    private enum Mark: Sendable {
        case none
        /// And what to say where it comes twice.
        case awaited(CBORFailure.Reason)
        case found(NodeID, CBORFailure.Reason)
    }

    static let markText = "a value for SealedCookie"
    @inline(__always) var isAwaitingMark: Bool { if case .none = mark { false } else { true } }

    /// Lets the text that is the mark be a place, while `found` has not been asked. A value cannot be in two: who hands it on
    /// twice is refused.
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

    /// Where the mark was written, if it was.
    mutating func found() -> NodeID? {
        defer { mark = .none }
        if case .found(let node, _) = mark { return node }
        return nil
    }

    /// Throws what was noted, so that a session that is far too large or deep stops early.
    func check() throws(CBORFailure) {
        if let failure { throw failure }
    }

    // MARK: Paths

    func path(to node: NodeID) -> [CBORPathElement] {
        var elements: [CBORPathElement] = []
        var current = node
        while current > 0 {
            let node = nodes[Int(current)]
            let parent = nodes[Int(node.parent)].kind
            if parent == .embedded {
                // What is inside an embedded item is a secret, its keys included.
                elements.removeAll()
            } else if node.valueStart > node.keyStart {
                elements.append(keyElement(node))
            } else if parent == .array {
                elements.append(.index(Int(node.keyPrefix)))
            }
            current = node.parent
        }
        return elements.reversed()
    }

    func keyElement(_ node: Node) -> CBORPathElement {
        let range = Int(node.keyStart)..<Int(node.valueStart)
        // Keys were written by `addEntry`: reading them back cannot fail.
        guard let index = try? CheckedItem(parsing: bytes, in: range) else { return .key("?") }
        return index.keyElement(0) ?? .key("?")
    }
}

extension ItemBuilder: KeyMemory {
    @inline(__always)
    mutating func knows<Key: CodingKey>(_ key: Key) -> Bool { knownKeys.contains(key) }
    mutating func remember<Key: CodingKey>(_ key: Key) { if limit >= 0 { knownKeys.insert(key) } }
}
