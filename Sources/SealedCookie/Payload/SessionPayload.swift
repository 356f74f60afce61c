// The first stage: a session's item and its times. FORMAT §6.

/// A session's item as it came out of a token: authentic, and not yet checked against FORMAT §7.
@usableFromInline
struct PayloadBody: Sendable {
    private(set) var bytes: [UInt8]
    /// Where the item stands in `bytes`, or its skeleton.
    let item: Range<Int>
    /// Where the contents of the skeleton's byte strings stand; nil: the item is whole.
    let contents: Range<Int>?

    init(bytes: consuming [UInt8], item: Range<Int>, contents: Range<Int>?) {
        self.bytes = bytes
        self.item = item
        self.contents = contents
    }

    /// Nothing.
    init() { self.init(bytes: [], item: 0..<0, contents: nil) }

    /// Gives the bytes away.
    mutating func takeBytes() -> [UInt8] { exchange(&bytes, with: []) }

    /// The bytes of an item that is not divided: a copy, of their size.
    func wholeItem() -> [UInt8] { [UInt8](copying: bytes.span.extracting(item)) }
}

extension CBORIndex {
    /// Checks a payload's item.
    init(parsing body: PayloadBody) throws(CBORFailure) {
        self.init()
        try check(body.bytes, item: body.item, contents: body.contents)
    }
}

/// A session as it goes into a token.
struct SessionPayload: Sendable {
    let times: SessionTimes
    let item: CBORItem
}

/// Why an authenticated plaintext is not a payload of version 1. Another server with our key made
/// it, so this is a fault or a later version, not an attack.
enum PayloadFailure: Error, Equatable {
    case endsEarly
    case unknownFlags(UInt8)
    case number
    case padding
    case deflate
    /// Compressed with a dictionary that this sealer does not have.
    case unknownDictionary(String)
    case item(CBORFailure)
}

extension PayloadFailure {
    var words: String {
        switch self {
        case .endsEarly: "the payload ends early"
        case .unknownFlags(let flags): "unknown flags 0x\(String(flags, radix: 16))"
        case .number: "a time that is not a shortest LEB128 number below 2^32"
        case .padding: "padding that does not begin with 0x80"
        case .unknownDictionary(let id): "unknown dictionary \(id)"
        case .deflate: "a broken DEFLATE stream"
        case .item(let failure):
            "\(failure.reason)" + (failure.path.isEmpty ? "" : ", at \(failure.path.pathDescription)")
        }
    }
}
