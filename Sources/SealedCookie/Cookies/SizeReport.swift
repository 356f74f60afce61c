// Where a cookie's bytes go, stage by stage and field by field.

/// What a session's cookie costs, and what of it costs most.
public struct SizeReport: Equatable, Sendable {
    /// One top-level field of the session and the bytes of its item, key and value, uncompressed.
    public struct Field: Equatable, Sendable {
        public let name: String
        public let byteCount: Int
    }

    /// The CBOR item.
    public let itemBytes: Int
    /// The payload: flags, times and the item, compressed where that helps, with padding if any.
    public let payloadBytes: Int
    /// The payload with header and tag.
    public let sealedBytes: Int
    /// The token's text.
    public let tokenBytes: Int
    public let nameBytes: Int
    /// For name and value together.
    public let limit: Int
    /// The largest first. Empty where the session is not a map.
    public let fields: [Field]

    /// What counts against the limit.
    public var cookieBytes: Int { nameBytes + tokenBytes }
    /// Bytes that are free; negative where the cookie is too large.
    public var room: Int { limit - cookieBytes }
    /// Characters that must go; 0 where it fits.
    public var excess: Int { max(0, -room) }

    init(item: CBORItem, payloadBytes: Int, nameBytes: Int, limit: Int) {
        itemBytes = item.bytes.count
        self.payloadBytes = payloadBytes
        sealedBytes = SealedBox.headerCount + payloadBytes + XAESKey.tagLength
        tokenBytes = Token.textCount(payloadByteCount: payloadBytes)
        self.nameBytes = nameBytes
        self.limit = limit
        fields = Self.fields(of: item)
    }

    private static func fields(of item: CBORItem) -> [Field] {
        // An item that was just encoded can be read back.
        guard let index = try? CBORIndex(parsing: item.bytes), index.node(0).kind == .map else { return [] }
        return index.entrySizes(in: 0)
            .map { Field(name: [$0.key].pathDescription.dropFirst().description, byteCount: $0.byteCount) }
            .sorted { $0.byteCount == $1.byteCount ? $0.name < $1.name : $0.byteCount > $1.byteCount }
    }
}

extension SizeReport: CustomStringConvertible {
    public var description: String {
        let largest = fields.prefix(3).map { "\($0.name) \($0.byteCount)" }.joined(separator: ", ")
        let fit = room < 0 ? "\(excess) over" : "\(room) under"
        return "\(cookieBytes) bytes of name and value, \(fit) the limit of \(limit)"
            + (largest.isEmpty ? "" : "; largest fields: \(largest)")
    }
}
