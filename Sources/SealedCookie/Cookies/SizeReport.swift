// Where a cookie's bytes go, stage by stage and field by field.

/// What a session's cookie costs, and what in it costs most.
public struct SizeReport: Equatable, Sendable {
    /// One top-level field of the session, and the bytes of its key and value in the uncompressed item.
    public struct Field: Equatable, Sendable {
        /// The field's key.
        public let name: String
        /// The bytes of key and value.
        public let byteCount: Int
    }

    /// The bytes of the CBOR item.
    public let itemByteCount: Int
    /// The bytes of the payload: flags, times and the item, compressed if that helps, and any padding.
    public let payloadByteCount: Int
    /// The bytes of the payload with header and tag.
    public let sealedByteCount: Int
    /// The length of the token's text in characters.
    public let tokenLength: Int
    /// The number of cookies that it takes. It is more than one only if the sealer allows that, or would have to.
    public let cookieCount: Int
    /// The bytes of these cookies' names and values.
    public let cookieByteCount: Int
    /// The bytes that these cookies add to each request's `Cookie` header.
    public let headerByteCount: Int
    /// The bytes of the cookie's name.
    public let nameByteCount: Int
    /// The limit in bytes on the name and value of one cookie.
    public let nameAndValueLimit: Int
    /// The length in characters of the largest token that the sealer's limits and splitting allow.
    public let tokenLimit: Int
    /// The bytes of the largest item that the sealer seals.
    public let itemLimit: Int
    /// The fields, the largest first. Empty if the session is not a map.
    public let fields: [Field]

    /// The number of characters left before the limit; negative if the token is too large.
    public var room: Int { tokenLimit - tokenLength }
    /// The number of characters that must go; 0 if the token fits.
    public var excess: Int { max(0, -room) }
    /// The bytes of the item that must go, before compression; 0 if it does not exceed `itemLimit`.
    public var itemExcess: Int { max(0, itemByteCount - itemLimit) }
    /// Servers that refuse requests with these cookies alone under stock settings, and clients that do not send all
    /// of them; the strictest first.
    public var refusingServers: [ServerLimit] {
        ServerLimit.common.filter { $0.cookieHeader < headerByteCount }
    }

    /// - Parameter form: The cookie's form. Nil: no cookie carries the token, and all figures about cookies are 0.
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
        // A part has two more bytes: a count before the value, or a number after the name.
        cookieByteCount =
            tokenLength + cookieCount * nameByteCount
            + (cookieCount > 1 ? cookieCount * CookieSplitting.overhead : 0)
        // name=value, separated by "; ".
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
    /// The sizes and the largest fields, in words.
    public var description: String {
        let fit = room < 0 ? "\(excess) over" : "\(room) under"
        let item = itemExcess > 0 ? "an item of \(itemByteCount) bytes, \(itemExcess) over the largest, " : ""
        var text = "\(item)a token of \(tokenLength) characters, \(fit) the \(tokenLimit) that fit"
        let largest = fields.prefix(3).map { "\($0.name) \($0.byteCount)" }.joined(separator: ", ")
        if !largest.isEmpty { text += "; largest fields: \(largest)" }
        if cookieCount > 1 {
            text += "; split, it takes \(cookieCount) cookies, \(headerByteCount) bytes of each request"
        }
        if let server = refusingServers.first {
            text += ", more than \(server.server) takes (\(server.cookieHeader))"
        }
        return text
    }
}
