// XAES-256-GCM (C2SP XAES-256-GCM.md) over OpenSSL's AES-256-ECB and AES-256-GCM. FORMAT §5.
import COpenSSL

/// A 256-bit key for XAES-256-GCM. It owns every copy of itself: the cipher contexts that were
/// keyed with it are freed, and so wiped, with it.
final class XAESKey: Sendable {
    static let keyLength = 32
    static let nonceLength = 24
    static let tagLength = 16

    private let key: SecretBytes
    /// K1 of the CMAC subkey derivation (NIST SP 800-38B §6.1), which XAES xors into its blocks.
    private let subkey: SecretBytes
    private let contexts = Pool<XAESContexts>()

    /// Takes over 32 key bytes.
    init(_ key: consuming SecretBytes) throws(NativeFailure) {
        precondition(key.count == Self.keyLength)
        try OpenSSL.prepare()
        let contexts = try XAESContexts(key: key)
        self.subkey = try contexts.cmacSubkey()
        self.key = key
        self.contexts.give(contexts)
    }

    /// The key's own 32 bytes, for the ring file and the key id.
    func withBytes<Result, Failure: Error>(
        _ body: (Span<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try key.withSpan(body)
    }

    /// Compares the keys themselves, in time that does not depend on them.
    func holdsSameKey(as other: XAESKey) -> Bool {
        withBytes { mine in
            other.withBytes { others in
                unsafe mine.withUnsafeBufferPointer { a in
                    unsafe others.withUnsafeBufferPointer { b in
                        // Sound: both have keyLength bytes.
                        unsafe CRYPTO_memcmp(a.baseAddress, b.baseAddress, Self.keyLength) == 0
                    }
                }
            }
        }
    }

    /// Encrypts `bytes[plaintext]` where it stands and writes the 16-byte tag behind it.
    ///
    /// - Parameter bytes: must reach at least 16 bytes beyond the plaintext.
    /// - Parameter nonce: 24 bytes, never used before with this key.
    func seal(
        _ bytes: inout [UInt8], plaintext: Range<Int>, nonce: InlineArray<24, UInt8>,
        associatedData: Span<UInt8>
    ) throws(NativeFailure) {
        precondition(plaintext.lowerBound >= 0 && plaintext.upperBound + Self.tagLength <= bytes.count)
        let contexts = if let spare = contexts.take() { spare } else { try XAESContexts(key: key) }
        try unsafe contexts.withMessageKey(subkey: subkey, nonce: nonce) {
            (messageKey, gcmNonce) throws(NativeFailure) in
            try unsafe contexts.seal(
                &bytes, plaintext: plaintext, messageKey, gcmNonce, associatedData: associatedData)
        }
        self.contexts.give(contexts)
    }

    /// Decrypts `bytes[ciphertext]` where it stands if the 16-byte tag behind it verifies.
    ///
    /// - Returns: whether the tag verified. Where it did not, the ciphertext's place holds zeros:
    ///   nothing of an unauthenticated plaintext is left.
    func open(
        _ bytes: inout [UInt8], ciphertext: Range<Int>, nonce: InlineArray<24, UInt8>,
        associatedData: Span<UInt8>
    ) throws(NativeFailure) -> Bool {
        precondition(ciphertext.lowerBound >= 0 && ciphertext.upperBound + Self.tagLength <= bytes.count)
        let contexts = if let spare = contexts.take() { spare } else { try XAESContexts(key: key) }
        var authentic = false
        // Also on a failure in mid-way: what was written by then is not authenticated.
        defer { if !authentic { wipe(&bytes, in: ciphertext) } }
        try unsafe contexts.withMessageKey(subkey: subkey, nonce: nonce) {
            (messageKey, gcmNonce) throws(NativeFailure) in
            authentic = try unsafe contexts.open(
                &bytes, ciphertext: ciphertext, messageKey, gcmNonce, associatedData: associatedData)
        }
        self.contexts.give(contexts)
        return authentic
    }

    /// The intermediates of the derivation, for the specification's test vectors.
    func derivation(nonce: InlineArray<24, UInt8>) throws(NativeFailure) -> (
        subkey: [UInt8], messageKey: [UInt8], gcmNonce: [UInt8]
    ) {
        let contexts = try XAESContexts(key: key)
        var messageKeyBytes: [UInt8] = []
        var gcmNonceBytes: [UInt8] = []
        try unsafe contexts.withMessageKey(subkey: subkey, nonce: nonce) {
            (messageKey, gcmNonce) throws(NativeFailure) in
            unsafe messageKeyBytes = Array(UnsafeBufferPointer(start: messageKey, count: 32))
            unsafe gcmNonceBytes = Array(UnsafeBufferPointer(start: gcmNonce, count: 12))
        }
        let subkeyBytes = subkey.withSpan { span in span.indices.map { span[$0] } }
        return (subkeyBytes, messageKeyBytes, gcmNonceBytes)
    }
}

/// The AES-256-GCM inside XAES by itself, for the test vectors of others. A nonce has 12 bytes.
enum AES256GCM {
    static func seal(
        _ bytes: inout [UInt8], plaintext: Range<Int>, key: [UInt8], nonce: [UInt8], associatedData: [UInt8]
    ) throws(NativeFailure) {
        precondition(key.count == 32 && nonce.count == 12 && plaintext.upperBound + 16 <= bytes.count)
        let contexts = try XAESContexts(key: SecretBytes.copy(of: key.span))
        // Sound: arrays of the lengths that OpenSSL reads.
        try unsafe contexts.seal(
            &bytes, plaintext: plaintext, key, nonce, associatedData: associatedData.span)
    }

    static func open(
        _ bytes: inout [UInt8], ciphertext: Range<Int>, key: [UInt8], nonce: [UInt8], associatedData: [UInt8]
    ) throws(NativeFailure) -> Bool {
        precondition(key.count == 32 && nonce.count == 12 && ciphertext.upperBound + 16 <= bytes.count)
        let contexts = try XAESContexts(key: SecretBytes.copy(of: key.span))
        return try unsafe contexts.open(
            &bytes, ciphertext: ciphertext, key, nonce, associatedData: associatedData.span)
    }
}

/// One OpenSSL cipher context; freeing it wipes the key schedule inside.
@safe private struct CipherContext: ~Copyable, @unchecked Sendable {
    // @unchecked: a context is used by whoever took it out of its key's pool, alone.
    let pointer: OpaquePointer

    init() throws(NativeFailure) {
        guard let pointer = unsafe EVP_CIPHER_CTX_new() else {
            throw NativeFailure(operation: "EVP_CIPHER_CTX_new")
        }
        unsafe self.pointer = pointer
    }

    deinit {
        unsafe EVP_CIPHER_CTX_free(pointer)
    }
}

/// The OpenSSL contexts for one message at a time under one key.
private struct XAESContexts: ~Copyable, Sendable {
    /// AES-256-ECB under the long-term key.
    let block: CipherContext
    /// AES-256-GCM, keyed anew for each message.
    let encrypt: CipherContext
    let decrypt: CipherContext

    init(key: borrowing SecretBytes) throws(NativeFailure) {
        let block = try CipherContext()
        let encrypt = try CipherContext()
        let decrypt = try CipherContext()
        let keyed = key.withSpan { span in
            unsafe span.withUnsafeBufferPointer { bytes in
                unsafe EVP_EncryptInit_ex(block.pointer, EVP_aes_256_ecb(), nil, bytes.baseAddress, nil)
            }
        }
        guard keyed == 1, unsafe EVP_CIPHER_CTX_set_padding(block.pointer, 0) == 1,
            unsafe EVP_EncryptInit_ex(encrypt.pointer, EVP_aes_256_gcm(), nil, nil, nil) == 1,
            unsafe EVP_DecryptInit_ex(decrypt.pointer, EVP_aes_256_gcm(), nil, nil, nil) == 1
        else {
            throw NativeFailure(operation: "EVP_EncryptInit_ex")
        }
        self.block = block
        self.encrypt = encrypt
        self.decrypt = decrypt
    }

    /// AES-256-GCM under a message's own key, in place; the tag goes behind.
    func seal(
        _ bytes: inout [UInt8], plaintext: Range<Int>, _ messageKey: UnsafePointer<UInt8>,
        _ gcmNonce: UnsafePointer<UInt8>, associatedData: Span<UInt8>
    ) throws(NativeFailure) {
        let encrypt = unsafe self.encrypt.pointer
        guard unsafe EVP_EncryptInit_ex(encrypt, nil, nil, messageKey, gcmNonce) == 1 else {
            throw NativeFailure(operation: "EVP_EncryptInit_ex")
        }
        var written: Int32 = 0
        let isAdded = unsafe associatedData.withUnsafeBufferPointer { data in
            unsafe data.isEmpty
                || EVP_EncryptUpdate(encrypt, nil, &written, data.baseAddress, Int32(data.count)) == 1
                    && written == Int32(data.count)
        }
        guard isAdded else {
            throw NativeFailure(operation: "EVP_EncryptUpdate")
        }
        let failed: String? = unsafe bytes.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return "EVP_EncryptUpdate" }
            // Sound: the precondition keeps the text and its tag inside the array; GCM
            // writes exactly as many bytes as it reads, and may write in place.
            let text = unsafe base + plaintext.lowerBound
            var written: Int32 = 0
            // The count too: what it left out would stand in the token as it is.
            guard
                unsafe plaintext.isEmpty
                    || EVP_EncryptUpdate(encrypt, text, &written, text, Int32(plaintext.count)) == 1
                        && written == Int32(plaintext.count)
            else { return "EVP_EncryptUpdate" }
            let end = unsafe base + plaintext.upperBound
            guard unsafe EVP_EncryptFinal_ex(encrypt, end, &written) == 1 else {
                return "EVP_EncryptFinal_ex"
            }
            guard
                unsafe EVP_CIPHER_CTX_ctrl(encrypt, EVP_CTRL_AEAD_GET_TAG, Int32(XAESKey.tagLength), end)
                    == 1
            else { return "EVP_CTRL_AEAD_GET_TAG" }
            return nil
        }
        if let failed { throw NativeFailure(operation: failed) }
    }

    /// The way back; false where the tag does not verify. What stands in place then is not authentic.
    func open(
        _ bytes: inout [UInt8], ciphertext: Range<Int>, _ messageKey: UnsafePointer<UInt8>,
        _ gcmNonce: UnsafePointer<UInt8>, associatedData: Span<UInt8>
    ) throws(NativeFailure) -> Bool {
        let decrypt = unsafe self.decrypt.pointer
        guard unsafe EVP_DecryptInit_ex(decrypt, nil, nil, messageKey, gcmNonce) == 1 else {
            throw NativeFailure(operation: "EVP_DecryptInit_ex")
        }
        var authentic = false
        var written: Int32 = 0
        let isAdded = unsafe associatedData.withUnsafeBufferPointer { data in
            unsafe data.isEmpty
                || EVP_DecryptUpdate(decrypt, nil, &written, data.baseAddress, Int32(data.count)) == 1
                    && written == Int32(data.count)
        }
        guard isAdded else {
            throw NativeFailure(operation: "EVP_DecryptUpdate")
        }
        let failed: String? = unsafe bytes.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return "EVP_DecryptUpdate" }
            // Sound: as in `seal`.
            let text = unsafe base + ciphertext.lowerBound
            var written: Int32 = 0
            guard
                unsafe ciphertext.isEmpty
                    || EVP_DecryptUpdate(decrypt, text, &written, text, Int32(ciphertext.count)) == 1
                        && written == Int32(ciphertext.count)
            else { return "EVP_DecryptUpdate" }
            let end = unsafe base + ciphertext.upperBound
            guard
                unsafe EVP_CIPHER_CTX_ctrl(decrypt, EVP_CTRL_AEAD_SET_TAG, Int32(XAESKey.tagLength), end)
                    == 1
            else { return "EVP_CTRL_AEAD_SET_TAG" }
            // Compares the tags in constant time; 0 or less is a tag that does not verify.
            authentic = unsafe EVP_DecryptFinal_ex(decrypt, end, &written) == 1
            return nil
        }
        if let failed { throw NativeFailure(operation: failed) }
        return authentic
    }

    /// K1: AES(K, 0) shifted left by one bit, reduced by x^128 + x^7 + x^2 + x + 1.
    func cmacSubkey() throws(NativeFailure) -> SecretBytes {
        var subkey = try SecretBytes(capacity: 16)
        try unsafe subkey.fill(room: 16) { (output) throws(NativeFailure) in
            let bytes = unsafe output.assumingMemoryBound(to: UInt8.self)
            // Sound: `fill` gives room for 16 bytes, which are zero; ECB writes one block in place.
            unsafe bytes.update(repeating: 0, count: 16)
            var written: Int32 = 0
            guard unsafe EVP_EncryptUpdate(block.pointer, bytes, &written, bytes, 16) == 1, written == 16
            else {
                throw NativeFailure(operation: "EVP_EncryptUpdate")
            }
            let reduction = unsafe (0 &- (bytes[0] >> 7)) & 0x87
            for index in 0..<15 {
                unsafe bytes[index] = bytes[index] << 1 | bytes[index + 1] >> 7
            }
            unsafe bytes[15] = bytes[15] << 1 ^ reduction
            return 16
        }
        return subkey
    }

    /// Derives the key for one message and hands it over with the 96-bit nonce; both are wiped after.
    func withMessageKey(
        subkey: borrowing SecretBytes, nonce: InlineArray<24, UInt8>,
        _ body: (_ messageKey: UnsafePointer<UInt8>, _ gcmNonce: UnsafePointer<UInt8>) throws(NativeFailure)
            -> Void
    ) throws(NativeFailure) {
        // M1 ‖ M2 (each 00 counter 'X' 00 nonce[0..<12], xored with K1), then nonce[12..<24].
        var failure: NativeFailure?
        unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 44) { scratch in
            guard let base = scratch.baseAddress else {
                failure = NativeFailure(operation: "memory for a message key")
                return
            }
            defer { unsafe OPENSSL_cleanse(base, 44) }
            // Sound: 16 and 16 and 12 bytes are the 44; the subkey has 16.
            unsafe withUnsafeBytes(of: nonce) { nonce in
                guard let nonce = nonce.baseAddress else { return }
                unsafe (base + 4).update(from: nonce.assumingMemoryBound(to: UInt8.self), count: 12)
                unsafe (base + 32).update(from: (nonce + 12).assumingMemoryBound(to: UInt8.self), count: 12)
            }
            unsafe base[0] = 0
            unsafe base[1] = 1
            unsafe base[2] = 0x58
            unsafe base[3] = 0
            unsafe (base + 16).update(from: base, count: 16)
            unsafe base[17] = 2
            subkey.withSpan { subkey in
                for index in 0..<16 {
                    unsafe base[index] ^= subkey[index]
                    unsafe base[index + 16] ^= subkey[index]
                }
            }
            var written: Int32 = 0
            // Sound: two whole blocks in place, inside the 44 bytes.
            guard unsafe EVP_EncryptUpdate(block.pointer, base, &written, base, 32) == 1, written == 32 else {
                failure = NativeFailure(operation: "EVP_EncryptUpdate")
                return
            }
            do throws(NativeFailure) {
                unsafe try body(base, base + 32)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }
}

/// A copy of `template` with four bytes replaced, on the stack for the time of `body`.
func withPatchedCopy<Result>(
    of template: [UInt8], at offset: Int, _ patch: InlineArray<4, UInt8>,
    _ body: (Span<UInt8>) throws(NativeFailure) -> Result
) throws(NativeFailure) -> Result {
    precondition(offset >= 0 && offset + 4 <= template.count)
    var outcome: Swift.Result<Result, NativeFailure>?
    unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: template.count) { copy in
        // Sound: as many bytes as the template has; the precondition keeps the patch inside.
        _ = unsafe copy.initialize(fromContentsOf: template)
        for index in 0..<4 { unsafe copy[offset + index] = patch[index] }
        do throws(NativeFailure) {
            outcome = .success(try unsafe body(UnsafeBufferPointer(copy).span))
        } catch {
            outcome = .failure(error)
        }
    }
    guard let outcome else { throw NativeFailure(operation: "memory for associated data") }
    return try outcome.get()
}
