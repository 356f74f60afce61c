// An item that has not been checked.

/// A session's item as it came out of a token: authentic, but not yet checked against FORMAT §7.
@usableFromInline
struct UncheckedItem: Sendable {
    private(set) var bytes: [UInt8]
    /// The range in `bytes` of the item, or of its skeleton (FORMAT §6.2).
    let range: Range<Int>
    /// The range of the contents of the skeleton's byte strings; nil if the item is whole.
    let contents: Range<Int>?

    init(bytes: consuming [UInt8], range: Range<Int>, contents: Range<Int>?) {
        self.bytes = bytes
        self.range = range
        self.contents = contents
    }

    /// Creates an empty one.
    init() { self.init(bytes: [], range: 0..<0, contents: nil) }

    /// Returns the bytes and leaves it empty.
    mutating func takeBytes() -> [UInt8] { exchange(&bytes, with: []) }

    /// The bytes of an item that is not divided: a copy, without spare capacity.
    func wholeItem() -> [UInt8] { [UInt8](copying: bytes.span.extracting(range)) }
}

extension CheckedItem {
    /// Checks an item against FORMAT §7.
    init(checking item: UncheckedItem) throws(CBORFailure) {
        self.init()
        try check(item.bytes, item: item.range, contents: item.contents)
    }
}
