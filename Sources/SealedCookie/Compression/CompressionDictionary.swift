// What a compressor has seen before a session begins. FORMAT §6.4.

/// Likely names and values, which a session then costs only a reference to.
///
/// The standard dictionary is part of the format. An application's own, made of its sessions by
/// `sealed-cookie train`, makes tokens shorter still. Whoever opens a token needs the dictionary that
/// sealed it: keep an older one in the list for as long as a session lives.
public struct CompressionDictionary: Sendable, Hashable {
    /// How a payload names a dictionary: 1 for the standard one; for an application's own a byte from
    /// 16 up and three more, out of the SHA-256 of its content.
    struct ID: Sendable, Hashable, CustomStringConvertible {
        static let standard = ID(number: 1, byteCount: 1)
        /// Its bytes, big-endian.
        let number: UInt32
        let byteCount: Int

        /// As it stands at the reader, if there is one before `end`.
        init?(_ reader: inout ByteReader, _ bytes: Span<UInt8>, end: Int) {
            guard reader.position < end else { return nil }
            let byteCount = bytes[reader.position] < 16 ? 1 : 4
            guard reader.position + byteCount <= end,
                let number = reader.integer(bytes, byteCount: byteCount)
            else { return nil }
            self.init(number: UInt32(truncatingIfNeeded: number), byteCount: byteCount)
        }

        /// The name of a content with this SHA-256.
        init(digest: [UInt8]) {
            let first = UInt32(16 + digest[0] % 240)
            let rest = digest[1...3].reduce(0) { $0 << 8 | UInt32($1) }
            self.init(number: first << 24 | rest, byteCount: 4)
        }

        private init(number: UInt32, byteCount: Int) {
            self.number = number
            self.byteCount = byteCount
        }

        /// Lower-case hexadecimal digits.
        var description: String {
            let digits = String(number, radix: 16)
            return String(repeating: "0", count: byteCount * 2 - digits.count) + digits
        }
    }

    /// Bytes of the longest; beyond them a compressor could not look back from a session's first byte.
    public static let maximumByteCount = 7936

    /// One reference, of which no count is taken.
    final class Contents: Sendable {
        let id: ID
        let text: IndexedText

        init(id: ID, bytes: [UInt8]) {
            self.id = id
            text = IndexedText(bytes)
        }
    }

    let contents: Contents
    var id: ID { contents.id }
    /// What to write into a file, and to make the dictionary of again.
    public var bytes: [UInt8] { contents.text.bytes }
    /// The dictionary of FORMAT §6.4.
    public static let standard = CompressionDictionary(id: .standard, bytes: standardBytes)

    /// A dictionary of an application's own.
    ///
    /// - Parameter bytes: likely names and values as CBOR writes them, the likeliest last; 1 to `maximumByteCount` bytes.
    /// - Throws: `DictionaryError` for none or too many.
    public init(_ bytes: [UInt8]) throws(DictionaryError) {
        guard !bytes.isEmpty, bytes.count <= Self.maximumByteCount else {
            throw .invalidByteCount(bytes.count)
        }
        do throws(NativeFailure) {
            // A name, not a number that somebody has to give out: another content has another name.
            self.init(id: ID(digest: try SHA256.digest(of: bytes)), bytes: bytes)
        } catch {
            throw .libraryFailed(operation: error.operation)
        }
    }

    private init(id: ID, bytes: [UInt8]) {
        contents = Contents(id: id, bytes: bytes)
    }

    public static func == (a: CompressionDictionary, b: CompressionDictionary) -> Bool { a.bytes == b.bytes }
    public func hash(into hasher: inout Hasher) { hasher.combine(bytes) }

    /// SHA-256 36c8569d3e04e5c8d8934a138d697ceb4d244910f3f7d1e14f6b1aa239975ced, made by
    /// Benchmarks/Dictionary.
    private static let standardBytes =
        Base64URL.decode(
            """
            bEFzaWEvS29sa2F0YWpBc2lhL1Rva3lvbEV1cm9wZS9QYXJpc0FtZXJpY2EvTG9zX0FuZ2VsZXNwQW1lcmljYS9OZXdfWW9y\
            a21FdXJvcGUvTG9uZG9ubUV1cm9wZS9CZXJsaW5mc3RyZWV0ZGNpdHlqcG9zdGFsQ29kZWtwb3N0YWxfY29kZWdhZGRyZXNz\
            Z2JpbGxpbmdjb3VudHJ5YkRFaHNoaXBwaW5nY291bnRyeWJVU2RzdGVwaG9uZWZlcnJvcnNnbWVzc2FnZXRvdGFsY3NrdWlw\
            cm9kdWN0SWRjYXJ0anByb2R1Y3RfaWRocXVhbnRpdHkBZXByaWNlaXRlbXNoY3VycmVuY3ljVVNEaGN1cnJlbmN5Y0VVUmhm\
            ZWF0dXJlc2dlbmFibGVk9WZhY3RpdmVmbGFnc2ZzdGF0dXNlY291bnRmY29va2llbm9yaWdpbmFsTWF4QWdlZHBhdGhhL2Zz\
            ZWN1cmX1Z2V4cGlyZXNoaHR0cE9ubHn1aHNhbWVTaXRlY2xheGZnaXRodWJpbWljcm9zb2Z0aHByb3ZpZGVyZmdvb2dsZWNt\
            ZmFqdHdvX2ZhY3Rvcml0d29GYWN0b3JmbWV0aG9kdG90cGhwYXNzd29yZGtyZW1lbWJlcl9tZfVqcmVtZW1iZXJNZfVtcmVz\
            cG9uc2VfdHlwZWRjb2Rlc2NvcGV0b3BlbmlkIHByb2ZpbGUgZW1haWxjb2RlVmVyaWZpZXJ1Y29kZV9jaGFsbGVuZ2VfbWV0\
            aG9kZFMyNTZtY29kZV92ZXJpZmllcmxyZWRpcmVjdF91cmljbGllbnRfaWRqdG9rZW5fdHlwZWZCZWFyZXJqZXhwaXJlc19p\
            bmhpZF90b2tlbmxhY2Nlc3NfdG9rZW5rYWNjZXNzVG9rZW5tcmVmcmVzaF90b2tlbmxyZWZyZXNoVG9rZW4gb2ZmbGluZV9h\
            Y2Nlc3NjYW1ygWNwd2Rjc2lkY2p0aWF1dGhfdGltZRpjYXVkY2lzc2NpYXQaY3N1YmZncm91cHNncGljdHVyZXN0YXRlbm9u\
            Y2V4cBpncHJvZmlsZXJwcmVmZXJyZWRfdXNlcm5hbWVtYWlsVmVyaWZpZWT1amdpdmVuX25hbWVrZmFtaWx5X25hbWVuZW1h\
            aWxfdmVyaWZpZWT1QGdtYWlsLmNvbS9hdXRoL2NhbGxiYWNrLm9yZ2kvc2V0dGluZ3NqL2Rhc2hib2FyZGh0dHBzOi8vaXBy\
            aW5jaXBhbGthdXRob3JpdGllc21hdXRoZW50aWNhdGVk9WpST0xFX0FETUlOaVJPTEVfVVNFUnR3YXJkZW4udXNlci51c2Vy\
            LmtleYKBaHBhc3Nwb3J0oWR1c2VyWW91IGhhdmUgYmVlbiBsb2dnZWQgb3V0SW52YWxpZCBlbWFpbCBvciBwYXNzd29yZFdl\
            bGNvbWUgYmFja1NpZ25lZCBpbiB3YXMgc3VjY2Vzc2Z1bGx5IGhhcyBiZWVuIGxvZyBpbiB0byBhY2Nlc3MgdGhpcyBwYWdl\
            LnNhdmVkIHN1Y2Nlc3NmdWxseS5nd2FybmluZ3N1Y2Nlc3NkaW5mb2Zub3RpY2VhbGVydGVlcnJvcmZfZmxhc2htZXNzYWdl\
            c2hfZmxhc2hlc2VmbGFzaKFkbmV4dGN1cmxqcmVkaXJlY3RUb251c2VyX3JldHVybl90b2hyZXR1cm5Ub2lyZXR1cm5fdG9o\
            c2V0dGluZ3NodGltZXpvbmVsaWdodGltZVpvbmV0aGVtZWRkYXJrcHJlZmVyZW5jZXNkbGFuZ2hsYW5ndWFnZWZyLUZSZWRl\
            LURFZWVuLUdCZmxvY2FsZWJlbmZsb2NhbGVlZW4tVVNsb3JnYW5pemF0aW9uZm9yZ19pZHBsYW5jcHJvamFjY291bnRfaWRp\
            YWNjb3VudElkaXRlbmFudF9pZGh0ZW5hbnRJZGp1cGRhdGVkX2F0aXVwZGF0ZWRBdGpsYXN0X2xvZ2luaWxhc3RMb2dpbmls\
            YXN0X3NlZW5obGFzdFNlZW5sbGFzdEFjdGl2aXR5amNyZWF0ZWRfYXQaaWNyZWF0ZWRBdBpqZXhwaXJlc19hdBppZXhwaXJl\
            c0F0GmdjcmVhdGVkwRpnZXhwaXJlc8EaZmF2YXRhcmxkaXNwbGF5X25hbWVrZGlzcGxheU5hbWVqZmlyc3RfbmFtZWlmaXJz\
            dE5hbWVpbGFzdF9uYW1laGxhc3ROYW1laHVzZXJOYW1laHZlcmlmaWVk9W9pc0F1dGhlbnRpY2F0ZWT1aWxvZ2dlZF9pbvVq\
            aXNMb2dnZWRJbvVoaXNfYWRtaW70Z2lzQWRtaW70a3Blcm1pc3Npb25zgWJpcGp1c2VyX2FnZW50aXVzZXJBZ2VudGVzdGFm\
            ZmVkaXRvcmdtYW5hZ2VyZW93bmVyZm1lbWJlcmRyb2xlZHVzZXJkcm9sZWVhZG1pbmljc3JmVG9rZW5qY3NyZl90b2tlbngo\
            a19jc3JmX3Rva2VuZV9jc3JmZGNzcmZYIGRjc3JmUGV0b2tlbmdzZXNzaW9uanNlc3Npb25faWR4IGlzZXNzaW9uSWRhdXRo\
            X3VzZXJfaWRkYXRhY3VpZG5hbWV2YWx1ZXJvbGVzgWR1c2Vyb2xlc4FlYWRtaW5ndXNlcl9pZNglUGZ1c2VySWTYJVBodXNl\
            cm5hbWVlbWFpbGJpZA
            """) ?? []
}

/// Bytes that can be no dictionary.
#if hasAttribute(nonexhaustive)
    @nonexhaustive
#endif
public enum DictionaryError: Error, Equatable, Sendable, CustomStringConvertible {
    /// No bytes, or more than `CompressionDictionary.maximumByteCount`.
    case invalidByteCount(Int)
    /// A C library failed, such as for want of memory.
    case libraryFailed(operation: String)

    /// A short word for metrics, which stays the same.
    public var code: String {
        switch self {
        case .invalidByteCount: "invalid-byte-count"
        case .libraryFailed: "library-failed"
        }
    }

    public var description: String {
        switch self {
        case .invalidByteCount(let count):
            "a dictionary of \(count) bytes: 1 to \(CompressionDictionary.maximumByteCount)"
        case .libraryFailed(let operation): "\(operation) failed"
        }
    }
}

/// Whether and how a sealer compresses. It opens what any other way has sealed, as long as it has the
/// dictionary.
public struct SessionCompression: Sendable, Hashable {
    /// Those that open: the standard one, and the application's.
    let dictionaries: [CompressionDictionary]
    /// Where the one that seals stands among them; nil: none does.
    let sealingIndex: Int?
    let isOn: Bool

    /// DEFLATE with the standard dictionary.
    public static let standard = SessionCompression(dictionaries: [.standard], sealingIndex: 0, isOn: true)
    /// DEFLATE without a dictionary.
    public static let withoutDictionary = SessionCompression(
        dictionaries: [.standard], sealingIndex: nil, isOn: true)
    /// None: sealing takes less than half of the time, and tokens are up to twice as long.
    public static let off = SessionCompression(dictionaries: [.standard], sealingIndex: nil, isOn: false)

    /// DEFLATE with an application's own dictionaries.
    ///
    /// To bring one in, let it first stand before another that seals, `.standard` for example, until every
    /// server can open what it seals.
    ///
    /// - Parameter dictionaries: the application's dictionaries, of which the last seals and all open, as the standard one
    ///   always does. Drop one when no session is left that it sealed.
    public static func dictionaries(_ dictionaries: [CompressionDictionary]) -> SessionCompression {
        SessionCompression(
            dictionaries: [.standard] + dictionaries, sealingIndex: dictionaries.count, isOn: true)
    }

    /// Where the dictionary of this name stands.
    func index(of id: CompressionDictionary.ID) -> Int? {
        let dictionaries = dictionaries.span
        return dictionaries.indices.first { dictionaries[$0].id == id }
    }

    /// Whether a session is to be sealed again because of the dictionary that sealed it.
    func isOutdated(_ id: CompressionDictionary.ID?) -> Bool {
        guard let id else { return false }
        return sealingIndex.map { dictionaries[$0].id != id } ?? true
    }

    /// Two dictionaries of one name could not be told apart: one pair in 4 thousand million.
    var hasAmbiguousNames: Bool {
        // The standard one's name is no application's, though its content may be.
        let own = dictionaries.dropFirst()
        return Set(own).count != Set(own.map(\.id)).count
    }
}
