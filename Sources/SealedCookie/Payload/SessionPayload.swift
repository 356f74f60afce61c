// The first stage: a session's item and its times. FORMAT §6.

/// A session as it goes into a token: a `CBORItem` on the way in, a checked `CBORIndex` on the way out.
struct SessionPayload<Item: Sendable>: Sendable {
    let times: SessionTimes
    let item: Item
    /// The dictionary that it was compressed with.
    let dictionary: CompressionDictionary.ID?

    init(times: SessionTimes, item: Item, dictionary: CompressionDictionary.ID? = nil) {
        self.times = times
        self.item = item
        self.dictionary = dictionary
    }
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
