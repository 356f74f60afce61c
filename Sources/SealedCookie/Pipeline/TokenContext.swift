// What a token is bound to besides its contents: the cookie's name and the purpose. FORMAT §5.

/// A cookie's name and the purpose of its sessions. A class: each opened session has a reference to it.
final class TokenIdentity: Sendable {
    let name: String
    let purpose: String

    init(name: String, purpose: String) {
        self.name = name
        self.purpose = purpose
    }

    /// Whether tokens of the other open here. Compares bytes, because bytes are authenticated: Swift considers é as
    /// one scalar and é as two to be equal.
    func isSame(as other: TokenIdentity) -> Bool {
        self === other
            || name.utf8.elementsEqual(other.name.utf8) && purpose.utf8.elementsEqual(other.purpose.utf8)
    }
}

/// The associated data of every token of one cookie. A token copied under another name or purpose
/// does not authenticate.
struct TokenContext: ~Copyable, Sendable {
    let identity: TokenIdentity
    /// PAE(["SealedCookie", header, name, purpose]) with zeros for the header's four bytes.
    private let template: [UInt8]
    private static let label = Array("SealedCookie".utf8)
    /// The header follows the count, the label with its length, and its own length.
    private let headerOffset = 8 + 8 + label.count + 8

    /// The bytes of the associated data.
    var count: Int { template.count }

    init(name: String, purpose: String) {
        identity = TokenIdentity(name: name, purpose: purpose)
        let pieces = [Self.label, [0, 0, 0, 0], Array(name.utf8), Array(purpose.utf8)]
        template = Self.preAuthenticationEncoding(pieces)
    }

    /// Appends the associated data for a token with these first four bytes.
    ///
    /// - Returns: Its range in `bytes`.
    func append(header: InlineArray<4, UInt8>, to bytes: inout [UInt8]) -> Range<Int> {
        let start = bytes.count
        bytes.append(copying: template.span)
        for index in 0..<4 { bytes[start + headerOffset + index] = header[index] }
        return start..<bytes.count
    }

    /// PAE as in PASETO: a count, and each piece after its length, with all numbers 64-bit little-endian. So no two
    /// lists of pieces have the same encoding.
    static func preAuthenticationEncoding(_ pieces: [[UInt8]]) -> [UInt8] {
        var bytes: [UInt8] = []
        func append(_ number: Int) {
            for shift in stride(from: 0, to: 64, by: 8) {
                bytes.append(UInt8(truncatingIfNeeded: UInt64(number) >> UInt64(shift)))
            }
        }
        append(pieces.count)
        for piece in pieces {
            append(piece.count)
            bytes += piece
        }
        return bytes
    }
}
