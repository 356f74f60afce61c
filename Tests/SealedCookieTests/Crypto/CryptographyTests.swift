// XAES-256-GCM, AES-256-CMAC and the encodings around them against other projects' vectors.
import Foundation
import SealedCookieOpenSSL
import Testing

@testable import SealedCookie

@Suite struct CryptographyTests {
    struct XAESFile: Decodable {
        struct Vector: Decodable {
            let comment: String
            let key, nonce, subkeyK1, messageKey, gcmNonce, plaintext, aad, ciphertext: Hex
        }
        struct Accumulated: Decodable {
            let iterations: Int
            let hash: Hex
        }
        let vectors: [Vector]
        let accumulated: Accumulated
    }

    @Test func `C2SP's XAES-256-GCM vectors, with every intermediate`() throws {
        let file = try vectors("xaes-256-gcm.json", as: XAESFile.self)
        #expect(file.vectors.count == 2)
        for vector in file.vectors {
            var ciphers = try XAESCiphers(XAESKey(SecretBytes.copy(of: vector.key.bytes.span)))
            let nonce = XAESNonce(vector.nonce.bytes.span)
            let derived = try ciphers.derivation(nonce: nonce)
            #expect(derived.subkey == vector.subkeyK1.bytes, "\(vector.comment)")
            #expect(derived.messageKey == vector.messageKey.bytes, "\(vector.comment)")
            #expect(derived.gcmNonce == vector.gcmNonce.bytes, "\(vector.comment)")

            let count = vector.plaintext.bytes.count
            var bytes = vector.plaintext.bytes + Array(repeating: 0, count: XAESKey.tagLength)
            try ciphers.seal(&bytes, plaintext: 0..<count, nonce: nonce, associatedData: vector.aad.bytes)
            #expect(bytes == vector.ciphertext.bytes, "\(vector.comment)")
            let isAuthentic = try ciphers.open(
                &bytes, ciphertext: 0..<count, nonce: nonce, associatedData: vector.aad.bytes)
            #expect(isAuthentic && Array(bytes[..<count]) == vector.plaintext.bytes, "\(vector.comment)")
        }
    }

    @Test func `C2SP's accumulated hash over 10,000 random messages`() throws {
        let file = try vectors("xaes-256-gcm.json", as: XAESFile.self)
        let iterations = file.accumulated.iterations
        #expect(iterations == 10_000)
        // 32 + 24 + 1 + 1 bytes and two texts of at most 255.
        let random = shake128([], count: iterations * 568)
        #expect(random.prefix(16).map { $0 } == [UInt8](hex: "7f9c2ba4e88f827d616045507605853e"))
        var position = 0
        func next(_ count: Int) -> [UInt8] {
            defer { position += count }
            return Array(random[position..<position + count])
        }
        var sealed: [UInt8] = []
        for _ in 0..<iterations {
            var ciphers = try XAESCiphers(XAESKey(SecretBytes.copy(of: next(32).span)))
            let nonceBytes = next(24)
            let nonce = XAESNonce(nonceBytes.span)
            let plaintext = next(Int(next(1)[0]))
            let associatedData = next(Int(next(1)[0]))
            var bytes = plaintext + Array(repeating: 0, count: XAESKey.tagLength)
            try ciphers.seal(
                &bytes, plaintext: 0..<plaintext.count, nonce: nonce, associatedData: associatedData)
            sealed += bytes
            #expect(
                try ciphers.open(
                    &bytes, ciphertext: 0..<plaintext.count, nonce: nonce, associatedData: associatedData))
            #expect(Array(bytes[..<plaintext.count]) == plaintext)
        }
        #expect(shake128(sealed, count: 32) == file.accumulated.hash.bytes)
    }

    @Test func `a failed open wipes what was decrypted`() throws {
        var ciphers = try XAESCiphers(XAESKey(SecretBytes.random(count: 32)))
        let nonce = XAESNonce([UInt8](repeating: 7, count: 24).span)
        let plaintext = Array("a session that nobody may see".utf8)
        var bytes = plaintext + Array(repeating: 0, count: XAESKey.tagLength)
        try ciphers.seal(&bytes, plaintext: 0..<plaintext.count, nonce: nonce, associatedData: [1])
        let sealed = bytes
        for wrong in [[UInt8](), [2]] {
            bytes = sealed
            #expect(
                try !ciphers.open(
                    &bytes, ciphertext: 0..<plaintext.count, nonce: nonce, associatedData: wrong))
            #expect(bytes[..<plaintext.count].allSatisfy { $0 == 0 })
        }
        bytes = sealed
        bytes[bytes.count - 1] ^= 1
        #expect(try !ciphers.open(&bytes, ciphertext: 0..<plaintext.count, nonce: nonce, associatedData: [1]))
        #expect(bytes[..<plaintext.count].allSatisfy { $0 == 0 })
    }

    struct CMACFile: Decodable {
        struct Vector: Decodable { let key, message, mac: Hex }
        let vectors: [Vector]
    }

    @Test func `NIST's AES-256-CMAC examples`() throws {
        let file = try vectors("aes-256-cmac.json", as: CMACFile.self)
        #expect(file.vectors.count == 4)
        for vector in file.vectors {
            let code = try CMAC.authenticationCode(for: vector.message.bytes, key: vector.key.bytes.span)
            #expect(code.indices.map { code[$0] } == vector.mac.bytes)
        }
    }

    struct Base64File: Decodable {
        struct Vector: Decodable {
            let bytes: Hex
            let text: String
        }
        let vectors: [Vector]
    }

    @Test func `base64url as RFC 4648 has it, both ways`() throws {
        let file = try vectors("base64url.json", as: Base64File.self)
        #expect(file.vectors.count == 10)
        for vector in file.vectors {
            #expect(Base64URL.encode(vector.bytes.bytes.span) == vector.text)
            #expect(Base64URL.decode(vector.text) == vector.bytes.bytes)
        }
        // Against Foundation, over every length and every byte.
        for count in 0..<300 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 167 &+ count) }
            let text = Base64URL.encode(bytes.span)
            #expect(
                text
                    == Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
                    .replacing("=", with: ""))
            #expect(Base64URL.decode(text) == bytes)
            var secret = try SecretBytes(capacity: 0)
            try Base64URL.append(secret: bytes.span, to: &secret)
            #expect(secret.copied == Array(text.utf8))
            #expect(try Base64URL.decodeSecret(Array(text.utf8).span)?.copied == bytes)
        }
    }

    @Test func `base64url in any other spelling is refused`() throws {
        for text in [
            "A", "AAAAA", "Zg==", "Zm8=", "Zm9v\n", " Zm9v", "Zm 9", "Zm9+", "Zm/v", "Zm9é", "Zh", "Zm9vYh",
            "Zm9vYmF",
        ] {
            #expect(Base64URL.decode(text) == nil, "\(text)")
            #expect(try Base64URL.decodeSecret(Array(text.utf8).span)?.count == nil, "\(text)")
        }
        // Every byte outside the alphabet, at each position of a group.
        let alphabet = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
        for byte in UInt8.min...UInt8.max where !alphabet.contains(byte) {
            for position in 0..<7 {
                var text = Array("AAAAAAA".utf8)
                text[position] = byte
                #expect(Base64URL.decode(text.span) == nil)
                #expect(try Base64URL.decodeSecret(text.span)?.count == nil)
            }
        }
    }

    struct PAEFile: Decodable {
        struct Vector: Decodable {
            let pieces: [String]
            let hex: Hex
        }
        let vectors: [Vector]
    }

    @Test func `PASETO's pre-authentication encoding`() throws {
        let file = try vectors("pae.json", as: PAEFile.self)
        #expect(file.vectors.count == 3)
        for vector in file.vectors {
            let encoded = TokenContext.preAuthenticationEncoding(vector.pieces.map { Array($0.utf8) })
            #expect(encoded == vector.hex.bytes)
        }
        let context = TokenContext(name: "n", purpose: "p")
        var bytes: [UInt8] = [7]
        let range = context.append(header: [1, 2, 3, 4], to: &bytes)
        #expect(range == 1..<bytes.count && range.count == context.count)
        #expect(
            Array(bytes[range])
                == TokenContext.preAuthenticationEncoding([
                    Array("SealedCookie".utf8), [1, 2, 3, 4], [110], [112],
                ]))
    }

    @Test func `keys are the same if every bit of them is`() throws {
        func key(_ bytes: [UInt8]) throws -> XAESKey { XAESKey(try SecretBytes.copy(of: bytes.span)) }
        let bytes = [UInt8](0..<32)
        let one = try key(bytes)
        #expect(try one.holdsSameKey(as: key(bytes)))
        for bit in 0..<256 {
            var other = bytes
            other[bit / 8] ^= 1 << (bit % 8)
            #expect(try !one.holdsSameKey(as: key(other)), "bit \(bit)")
        }
    }

    /// A byte that is not drawn has the same value in every key.
    @Test func `every byte of a new key is drawn`() throws {
        var seen = [Set<UInt8>](repeating: [], count: XAESKey.keyLength)
        for _ in 0..<16 {
            let key = try SealingKey.generate()
            key.material.key.withBytes { bytes in
                for index in bytes.indices { seen[index].insert(bytes[index]) }
            }
        }
        // By chance, 2 of 16 bytes are often equal, 12 of them once in 10^22.
        #expect(seen.allSatisfy { $0.count > 4 })
    }

    /// A server that calls libssl on the same thread would take what is queued there for its own error.
    @Test func `a refused token leaves nothing in OpenSSL's error queue`() throws {
        let sealer = try loginSealer(sampleRing(1))
        let sealed = try sealer.seal(login, at: noon).token
        let forged = String(sealed.dropLast(4)) + (sealed.hasSuffix("AAAA") ? "BBBA" : "AAAA")
        ERR_clear_error()
        #expect(throws: OpenError.notAuthentic) { try sealer.open(value: forged, at: noon) }
        #expect(ERR_peek_error() == 0)
    }
}

/// SHAKE-128, for the vectors' random numbers.
func shake128(_ input: [UInt8], count: Int) -> [UInt8] {
    var output = [UInt8](repeating: 0, count: count)
    let context = unsafe EVP_MD_CTX_new()
    defer { unsafe EVP_MD_CTX_free(context) }
    let status =
        unsafe EVP_DigestInit_ex(context, EVP_shake128(), nil)
        & EVP_DigestUpdate(context, input, input.count) & EVP_DigestFinalXOF(context, &output, count)
    #expect(status == 1)
    return output
}

extension XAESCiphers {
    fileprivate mutating func seal(
        _ bytes: inout [UInt8], plaintext: Range<Int>, nonce: XAESNonce, associatedData: [UInt8]
    ) throws {
        try seal(&bytes, plaintext: plaintext, nonce: nonce, associatedData: associatedData.span)
    }

    fileprivate mutating func open(
        _ bytes: inout [UInt8], ciphertext: Range<Int>, nonce: XAESNonce, associatedData: [UInt8]
    ) throws -> Bool {
        try open(&bytes, ciphertext: ciphertext, nonce: nonce, associatedData: associatedData.span)
    }
}
