// The ID of the key that sealed a token: three bytes derived from the key itself. FORMAT §4.

/// The public name of a key: the first 3 bytes of its AES-256-CMAC of `SealedCookie/1 key id`.
///
/// It is derived, never assigned, so that no key can use another's name. It is readable in every token and reveals
/// nothing about the key.
public struct KeyID: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The three bytes as a big-endian number, below 2^24.
    let number: UInt32

    init(_ a: UInt8, _ b: UInt8, _ c: UInt8) {
        number = UInt32(a) << 16 | UInt32(b) << 8 | UInt32(c)
    }

    /// - Parameter number: below 2^24.
    init(number: UInt32) {
        self.number = number
    }

    /// Reads an ID as tokens' and rings' reports show it; nil for anything else.
    ///
    /// - Parameter text: Six lower-case hexadecimal digits, such as `5f3a9c`.
    public init?(_ text: some StringProtocol) {
        guard text.utf8.count == 6,
            text.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }),
            let number = UInt32(text, radix: 16)
        else { return nil }
        self.number = number
    }

    static func derived(from key: XAESKey) throws(NativeFailure) -> KeyID {
        let code = try key.withBytes { bytes throws(NativeFailure) in
            try CMAC.authenticationCode(for: Array("SealedCookie/1 key id".utf8), key: bytes)
        }
        return KeyID(code[0], code[1], code[2])
    }

    var bytes: (UInt8, UInt8, UInt8) {
        (
            UInt8(truncatingIfNeeded: number >> 16), UInt8(truncatingIfNeeded: number >> 8),
            UInt8(truncatingIfNeeded: number)
        )
    }

    /// Six lower-case hexadecimal digits.
    public var description: String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 6 - digits.count) + digits
    }

    /// Orders IDs by their bytes.
    public static func < (a: KeyID, b: KeyID) -> Bool { a.number < b.number }
}
