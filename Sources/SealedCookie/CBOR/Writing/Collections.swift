// Writes common arrays and dictionaries without a container for each element. FORMAT §7.

extension SharedTree {
    /// Encodes an array or dictionary of a common type. 24 integers in an array and 42 entries in two dictionaries
    /// take a third of the instructions.
    ///
    /// - Returns: False, without writing anything, for any other type.
    func encodeCollection<Session: Encodable>(
        _ collection: Session, at node: ItemBuilder.NodeID
    ) throws -> Bool {
        if Session.self == [Int].self {
            value.open(node, as: .array)
            for integer in sameType(collection, as: [Int].self) {
                try encode(Int64(integer), at: value.addElement(to: node))
            }
        } else if Session.self == [String: String].self {
            try encode(entries: sameType(collection, as: [String: String].self), at: node) {
                try encode($0, at: $1)
            }
        } else if Session.self == [String: Bool].self {
            try encode(entries: sameType(collection, as: [String: Bool].self), at: node) {
                try encode($0, at: $1)
            }
        } else if Session.self == [String: Int].self {
            try encode(entries: sameType(collection, as: [String: Int].self), at: node) {
                try encode(Int64($0), at: $1)
            }
        } else if Session.self == [String: Double].self {
            try encode(entries: sameType(collection, as: [String: Double].self), at: node) {
                try encode($0, at: $1)
            }
        } else {
            return false
        }
        try value.check()
        return true
    }

    /// The keys are text, also those that spell an integer.
    @inline(__always)
    private func encode<Element>(
        entries: [String: Element], at node: ItemBuilder.NodeID,
        _ write: (Element, ItemBuilder.NodeID) throws -> Void
    ) throws {
        value.open(node, as: .map)
        for (key, element) in entries { try write(element, value.addEntry(to: node, key: key)) }
    }
}
