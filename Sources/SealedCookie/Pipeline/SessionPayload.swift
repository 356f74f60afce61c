// The first stage: a session's item and its times, and the ways in which they can be invalid. FORMAT §6.

/// A session as it goes into a token.
struct SessionPayload: Sendable {
    let times: SessionTimes
    let item: CBORItem
}

/// Why an authenticated plaintext is not a payload of version 1. Another server with our key sealed it, so this is a
/// bug or a later version, not an attack.
enum PayloadFailure: Error, Equatable {
    case endsEarly
    case unknownFlags(UInt8)
    case number
    case padding
    case deflate
    case endedSession
    case item(CBORFailure)
}

extension PayloadFailure {
    var words: String {
        switch self {
        case .endsEarly: "the payload ends early"
        case .unknownFlags(let flags): "unknown flags 0x\(String(flags, radix: 16))"
        case .number: "a time that is not a LEB128 number below 2^32 in its shortest form, or a lifetime of 0"
        case .padding: "padding that does not begin with 0x80"
        case .deflate: "a broken DEFLATE stream"
        case .endedSession: "a signed-out session with contents other than null"
        case .item(let failure):
            "\(failure.reason)" + (failure.path.isEmpty ? "" : ", at \(failure.path.pathDescription)")
        }
    }
}
