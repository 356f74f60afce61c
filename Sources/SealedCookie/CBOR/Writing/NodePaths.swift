// Where a node of the tree stands in the session: the path that errors and encoders tell.

extension ItemBuilder {
    func path(to node: NodeID) -> [CBORPathElement] {
        var elements: [CBORPathElement] = []
        var current = node
        while current > 0 {
            let node = nodes[Int(current)]
            let parent = nodes[Int(node.parent)].kind
            if parent == .embedded {
                // The contents of an embedded item are a secret, including keys.
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
        // Keys were written by `addEntry`, so reading them back cannot fail.
        guard let index = try? CheckedItem(parsing: bytes, in: range) else { return .key("?") }
        return index.keyElement(0) ?? .key("?")
    }
}
