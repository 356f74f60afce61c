// Where a cookie's bytes go, stage by stage and field by field.

/// What a session's cookie costs, and what of it costs most.
public struct SizeReport: Equatable, Sendable {
    /// One top-level field of the session and the bytes of its item, key and value, uncompressed.
    public struct Field: Equatable, Sendable {
        /// The field's key.
        public let name: String
        /// Bytes of key and value.
        public let byteCount: Int
    }

    /// Bytes of the CBOR item.
    public let itemByteCount: Int
    /// Bytes of the payload: flags, times and the item, compressed where that helps, with padding if any.
    public let payloadByteCount: Int
    /// Bytes of the payload with header and tag.
    public let sealedByteCount: Int
    /// Characters of the token's text.
    public let tokenLength: Int
    /// Cookies that it takes: more than one only where the sealer allows it, or would have to.
    public let cookieCount: Int
    /// Bytes of names and values of those cookies.
    public let cookieByteCount: Int
    /// Bytes that those cookies add to each request's `Cookie` header.
    public let headerByteCount: Int
    /// Bytes of the cookie's name.
    public let nameByteCount: Int
    /// The limit on bytes of name and value of one cookie.
    public let nameAndValueLimit: Int
    /// Characters of the largest token that the sealer's limits and splitting allow.
    public let tokenLimit: Int
    /// Bytes of the largest item that the sealer seals.
    public let itemLimit: Int
    /// The largest first. Empty where the session is not a map.
    public let fields: [Field]

    /// Characters that are free; negative where the token is too large.
    public var room: Int { tokenLimit - tokenLength }
    /// Characters that must go; 0 where it fits.
    public var excess: Int { max(0, -room) }
    /// Bytes of the item that must go, before compression; 0 where it is not over `itemLimit`.
    public var itemExcess: Int { max(0, itemByteCount - itemLimit) }
    /// Servers whose stock settings refuse requests with these cookies alone, and clients that do not send
    /// all of them, the strictest first.
    public var refusingServers: [ServerLimit] {
        ServerLimit.common.filter { $0.cookieHeader < headerByteCount }
    }

    /// - Parameter form: the cookie's; nil: no cookie carries the token, and all that is said of cookies is 0.
    init(
        item: CBORItem, payloadByteCount: Int, sealedByteCount: Int, tokenLength: Int, tokenLimit: Int,
        itemLimit: Int, form: CookieForm? = nil
    ) {
        self.itemLimit = itemLimit
        self.tokenLimit = tokenLimit
        self.tokenLength = tokenLength
        self.payloadByteCount = payloadByteCount
        self.sealedByteCount = sealedByteCount
        itemByteCount = item.bytes.count
        fields = Self.fields(of: item)
        nameByteCount = form?.nameBytes.count ?? 0
        nameAndValueLimit = form?.limits.nameAndValue ?? 0
        let cookieCount = form?.cookieCount(tokenCount: tokenLength) ?? 0
        self.cookieCount = cookieCount
        guard cookieCount > 0 else {
            (cookieByteCount, headerByteCount) = (0, 0)
            return
        }
        // A part has two bytes more: a count before the value, or a number behind the name.
        cookieByteCount =
            tokenLength + cookieCount * nameByteCount
            + (cookieCount > 1 ? cookieCount * CookieSplitting.overhead : 0)
        // name=value, divided by "; ".
        headerByteCount = cookieByteCount + cookieCount + (cookieCount - 1) * 2
    }

    private static func fields(of item: CBORItem) -> [Field] {
        // An item that was just encoded can be read back.
        guard let index = try? CheckedItem(parsing: item.bytes), index.node(0).kind == .map else { return [] }
        return index.entrySizes(in: 0)
            .map { Field(name: [$0.key].pathDescription.dropFirst().description, byteCount: $0.byteCount) }
            .sorted { $0.byteCount == $1.byteCount ? $0.name < $1.name : $0.byteCount > $1.byteCount }
    }
}

extension SizeReport: CustomStringConvertible {
    public var description: String {
        let fit = room < 0 ? "\(excess) over" : "\(room) under"
        let item = itemExcess > 0 ? "an item of \(itemByteCount) bytes, \(itemExcess) over the largest, " : ""
        var text = "\(item)a token of \(tokenLength) characters, \(fit) the \(tokenLimit) that fit"
        let largest = fields.prefix(3).map { "\($0.name) \($0.byteCount)" }.joined(separator: ", ")
        if !largest.isEmpty { text += "; largest fields: \(largest)" }
        if cookieCount > 1 {
            text += "; split it takes \(cookieCount) cookies, \(headerByteCount) bytes of each request"
        }
        if let server = refusingServers.first {
            text += ", more than \(server.server) takes (\(server.cookieHeader))"
        }
        return text
    }
}
