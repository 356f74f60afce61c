// XAES-256-GCM (C2SP XAES-256-GCM.md) over OpenSSL's AES-256-ECB and AES-256-GCM. FORMAT §5.
import SealedCookieOpenSSL

/// A 256-bit key for XAES-256-GCM.
final class XAESKey: Sendable {
    static let keyLength = 32
    static let nonceLength = 24
    static let tagLength = 16

    fileprivate let key: SecretBytes

    /// Takes over 32 key bytes.
    init(_ key: consuming SecretBytes) {
        precondition(key.count == Self.keyLength)
        self.key = key
    }

    /// The key's own 32 bytes, for the ring file and the key ID.
    func withBytes<Result, Failure: Error>(
        _ body: (Span<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try key.withSpan(body)
    }

    /// Compares the keys themselves, in constant time.
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
}

/// The 24 bytes of N.
struct XAESNonce {
    /// Its bytes in memory order, as three words.
    fileprivate let words: InlineArray<3, UInt64>

    init(_ bytes: Span<UInt8>) {
        precondition(bytes.count == XAESKey.nonceLength)
        words = unsafe bytes.withUnsafeBytes { bytes in
            // Sound: 24 bytes.
            unsafe [
                bytes.loadUnaligned(as: UInt64.self), bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self),
                bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self),
            ]
        }
    }

    /// R[0..<8] ‖ 00000000 ‖ R[8..<20], of the 20 bytes of R (FORMAT §5).
    init(random: Span<UInt8>) {
        precondition(random.count == 20)
        words = unsafe random.withUnsafeBytes { random in
            // Sound: 20 bytes.
            let middle = unsafe UInt64(
                UInt32(littleEndian: random.loadUnaligned(fromByteOffset: 8, as: UInt32.self)))
            return unsafe [
                random.loadUnaligned(as: UInt64.self), UInt64(littleEndian: middle << 32),
                random.loadUnaligned(fromByteOffset: 12, as: UInt64.self),
            ]
        }
    }
}

/// The AES-256-GCM inside XAES by itself, for other projects' test vectors. A nonce has 12 bytes.
enum AES256GCM {
    static func seal(
        _ bytes: inout [UInt8], plaintext: Range<Int>, key: [UInt8], nonce: [UInt8], associatedData: [UInt8]
    ) throws(NativeFailure) {
        var ciphers = try XAESCiphers(SecretBytes.copy(of: key.span))
        ciphers.prepare(messageKey: key, gcmNonce: nonce)
        try bytes.with(tail: associatedData.span) { (bytes, associatedData) throws(NativeFailure) in
            try ciphers.seal(&bytes, plaintext, associatedData)
        }
    }

    static func open(
        _ bytes: inout [UInt8], ciphertext: Range<Int>, key: [UInt8], nonce: [UInt8], associatedData: [UInt8]
    ) throws(NativeFailure) -> Bool {
        var ciphers = try XAESCiphers(SecretBytes.copy(of: key.span))
        ciphers.prepare(messageKey: key, gcmNonce: nonce)
        return try bytes.with(tail: associatedData.span) { (bytes, associatedData) throws(NativeFailure) in
            try ciphers.open(&bytes, ciphertext, associatedData)
        }
    }
}

/// One OpenSSL cipher context; freeing it wipes the key schedule inside.
@safe struct CipherContext: ~Copyable, @unchecked Sendable {
    // @unchecked: only the code that took a context out of its key's pool uses it.
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

/// K1, and the key and nonce of the current message: on the heap, wiped when freed.
@safe struct MessageSecrets: ~Copyable, @unchecked Sendable {
    // @unchecked: as for CipherContext.
    /// 16 bytes: K1 of the CMAC subkey derivation (NIST SP 800-38B §6.1), which XAES xors into its blocks.
    let subkey: UnsafeMutablePointer<UInt8>
    /// 32 bytes.
    var key: UnsafeMutablePointer<UInt8> { unsafe subkey + 16 }
    /// 12 bytes, and 4 unused ones.
    var nonce: UnsafeMutablePointer<UInt8> { unsafe subkey + 48 }
    private static var count: Int { 64 }

    init() throws(NativeFailure) {
        guard let base = unsafe sealed_cookie_allocate(Self.count) else {
            throw NativeFailure(operation: "OPENSSL_zalloc")
        }
        unsafe subkey = base.assumingMemoryBound(to: UInt8.self)
    }

    deinit {
        unsafe sealed_cookie_wipe_and_free(subkey, Self.count)
    }

    func wipeMessage() { unsafe OPENSSL_cleanse(key, Self.count - 16) }
}

extension [UInt8] {
    /// Runs `body` with other bytes after these, which are wiped afterwards.
    fileprivate mutating func with<Result>(
        tail: Span<UInt8>, _ body: (inout [UInt8], Range<Int>) throws(NativeFailure) -> Result
    ) throws(NativeFailure) -> Result {
        let end = count
        append(copying: tail)
        defer { removeLast(count - end) }
        return try body(&self, end..<count)
    }
}

/// XAES-256-GCM's ciphers under one key, for one message at a time. They own OpenSSL's copies of the key, which are
/// freed, and so wiped, with them.
struct XAESCiphers: ~Copyable, Sendable {
    /// AES-256-ECB under the long-term key.
    private let block: CipherContext
    /// AES-256-GCM, with a new key for each message.
    private let encrypt: CipherContext
    private let decrypt: CipherContext
    private let secrets: MessageSecrets
    /// For nonces.
    private(set) var random = RandomBuffer()

    init(_ key: XAESKey) throws(NativeFailure) {
        try OpenSSL.prepare()
        try self.init(key.key)
    }

    fileprivate init(_ key: borrowing SecretBytes) throws(NativeFailure) {
        let block = try CipherContext()
        let encrypt = try CipherContext()
        let decrypt = try CipherContext()
        let secrets = try MessageSecrets()
        let isReady = key.withSpan { span in
            unsafe span.withUnsafeBufferPointer { bytes in
                OpenSSL.locked {
                    unsafe EVP_EncryptInit_ex(block.pointer, EVP_aes_256_ecb(), nil, bytes.baseAddress, nil)
                        == 1 && EVP_CIPHER_CTX_set_padding(block.pointer, 0) == 1
                        && EVP_EncryptInit_ex(encrypt.pointer, EVP_aes_256_gcm(), nil, nil, nil) == 1
                        && EVP_DecryptInit_ex(decrypt.pointer, EVP_aes_256_gcm(), nil, nil, nil) == 1
                }
            }
        }
        guard isReady else { throw NativeFailure(operation: "EVP_EncryptInit_ex") }
        try Self.makeSubkey(block, secrets)
        self.block = block
        self.encrypt = encrypt
        self.decrypt = decrypt
        self.secrets = secrets
    }

    /// K1: AES(K, 0) shifted left by one bit, reduced by x^128 + x^7 + x^2 + x + 1.
    private static func makeSubkey(
        _ block: borrowing CipherContext, _ secrets: borrowing MessageSecrets
    ) throws(NativeFailure) {
        let bytes = unsafe secrets.subkey
        var written: Int32 = 0
        // Sound: 16 bytes, which are zero; ECB writes one block in place.
        guard unsafe EVP_EncryptUpdate(block.pointer, bytes, &written, bytes, 16) == 1, written == 16 else {
            throw NativeFailure(operation: "EVP_EncryptUpdate")
        }
        let reduction = unsafe (0 &- (bytes[0] >> 7)) & 0x87
        for index in 0..<15 {
            unsafe bytes[index] = bytes[index] << 1 | bytes[index + 1] >> 7
        }
        unsafe bytes[15] = bytes[15] << 1 ^ reduction
    }

    /// Draws a fresh R into `bytes[random]` and encrypts `bytes[plaintext]` in place, under the nonce that FORMAT §5
    /// derives from R. The 16-byte tag follows it.
    ///
    /// - Parameters:
    ///   - random: The range of R, 20 bytes.
    ///   - associatedData: Its range in `bytes`.
    mutating func seal(
        _ bytes: inout [UInt8], random: Range<Int>, plaintext: Range<Int>, associatedData: Range<Int>
    ) throws(NativeFailure) {
        try self.random.fill(&bytes, in: random)
        try prepare(XAESNonce(random: bytes.span.extracting(random)))
        try seal(&bytes, plaintext, associatedData)
    }

    /// Decrypts `bytes[ciphertext]` in place, if the 16-byte tag after it verifies.
    ///
    /// - Parameters:
    ///   - random: The range of R, 20 bytes.
    ///   - associatedData: Its range in `bytes`.
    /// - Returns: Whether the tag verified. If not, the ciphertext is replaced by zeros: nothing of an
    ///   unauthenticated plaintext is left.
    mutating func open(
        _ bytes: inout [UInt8], random: Range<Int>, ciphertext: Range<Int>, associatedData: Range<Int>
    ) throws(NativeFailure) -> Bool {
        try open(
            &bytes, XAESNonce(random: bytes.span.extracting(random)), ciphertext, associatedData)
    }

    private mutating func open(
        _ bytes: inout [UInt8], _ nonce: XAESNonce, _ ciphertext: Range<Int>, _ associatedData: Range<Int>
    ) throws(NativeFailure) -> Bool {
        var authentic = false
        // Also after a failure midway: what was written by then is not authenticated.
        defer { if !authentic { wipe(&bytes, in: ciphertext) } }
        try prepare(nonce)
        authentic = try open(&bytes, ciphertext, associatedData)
        return authentic
    }

    // MARK: With any nonce, as test vectors need it

    /// - Parameter nonce: Must never have been used with this key.
    mutating func seal(
        _ bytes: inout [UInt8], plaintext: Range<Int>, nonce: XAESNonce, associatedData: Span<UInt8>
    ) throws(NativeFailure) {
        try prepare(nonce)
        try bytes.with(tail: associatedData) { (bytes, associatedData) throws(NativeFailure) in
            try seal(&bytes, plaintext, associatedData)
        }
    }

    mutating func open(
        _ bytes: inout [UInt8], ciphertext: Range<Int>, nonce: XAESNonce, associatedData: Span<UInt8>
    ) throws(NativeFailure) -> Bool {
        try bytes.with(tail: associatedData) { (bytes, associatedData) throws(NativeFailure) in
            try open(&bytes, nonce, ciphertext, associatedData)
        }
    }

    /// The intermediates of the derivation.
    mutating func derivation(nonce: XAESNonce) throws(NativeFailure) -> (
        subkey: [UInt8], messageKey: [UInt8], gcmNonce: [UInt8]
    ) {
        try prepare(nonce)
        defer { secrets.wipeMessage() }
        return intermediates
    }

    // MARK: Stages

    /// Derives the key and the nonce of the next message.
    private mutating func prepare(_ nonce: XAESNonce) throws(NativeFailure) {
        // M1 ‖ M2, each 00 counter 'X' 00 nonce[0..<12], xored with K1. Words are in memory order.
        let start = UInt64(littleEndian: UInt64(littleEndian: nonce.words[0]) << 32 | 0x0058_0100)
        let counter = UInt64(littleEndian: 0x0300)  // 1 xor 2
        let rest = UInt64(
            littleEndian: UInt64(littleEndian: nonce.words[0]) >> 32 | UInt64(littleEndian: nonce.words[1])
                << 32)
        let tail = UInt32(
            truncatingIfNeeded: UInt64(littleEndian: nonce.words[1]) >> 32)
        let subkey = unsafe UnsafeRawPointer(secrets.subkey)
        let key = unsafe UnsafeMutableRawPointer(secrets.key)
        let gcmNonce = unsafe UnsafeMutableRawPointer(secrets.nonce)
        // Sound: 16 bytes of K1, 32 of key and 16 of nonce, all aligned to 8.
        let front = unsafe start ^ subkey.load(as: UInt64.self)
        let back = unsafe rest ^ subkey.load(fromByteOffset: 8, as: UInt64.self)
        unsafe key.storeBytes(of: front, as: UInt64.self)
        unsafe key.storeBytes(of: back, toByteOffset: 8, as: UInt64.self)
        unsafe key.storeBytes(of: front ^ counter, toByteOffset: 16, as: UInt64.self)
        unsafe key.storeBytes(of: back, toByteOffset: 24, as: UInt64.self)
        unsafe gcmNonce.storeBytes(of: UInt32(littleEndian: tail), as: UInt32.self)
        unsafe gcmNonce.storeBytes(of: nonce.words[2], toByteOffset: 4, as: UInt64.self)
        var written: Int32 = 0
        // Sound: two whole blocks in place.
        guard unsafe EVP_EncryptUpdate(block.pointer, secrets.key, &written, secrets.key, 32) == 1,
            written == 32
        else {
            secrets.wipeMessage()
            throw NativeFailure(operation: "EVP_EncryptUpdate")
        }
    }

    /// Uses the given key and nonce for the next message.
    fileprivate mutating func prepare(messageKey: [UInt8], gcmNonce: [UInt8]) {
        precondition(messageKey.count == 32 && gcmNonce.count == 12)
        // Sound: room for 32 and 12 bytes.
        unsafe secrets.key.update(from: messageKey, count: 32)
        unsafe secrets.nonce.update(from: gcmNonce, count: 12)
    }

    /// Checks that the text, its tag and the associated data are inside the array, in this order.
    private static func check(_ bytes: [UInt8], _ text: Range<Int>, _ associatedData: Range<Int>) {
        precondition(
            text.lowerBound >= 0 && text.upperBound + XAESKey.tagLength <= associatedData.lowerBound
                && associatedData.upperBound <= bytes.count)
    }

    /// AES-256-GCM under the prepared key, in place, followed by the tag. The key is wiped afterwards.
    fileprivate mutating func seal(
        _ bytes: inout [UInt8], _ plaintext: Range<Int>, _ associatedData: Range<Int>
    ) throws(NativeFailure) {
        Self.check(bytes, plaintext, associatedData)
        defer { secrets.wipeMessage() }
        let context = unsafe encrypt.pointer
        guard unsafe EVP_EncryptInit_ex(context, nil, nil, secrets.key, secrets.nonce) == 1 else {
            throw NativeFailure(operation: "EVP_EncryptInit_ex")
        }
        let failed: String? = unsafe bytes.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return "EVP_EncryptUpdate" }
            var written: Int32 = 0
            // Sound: `check` keeps the text, its tag and the data inside the array. GCM writes exactly as many bytes
            // as it reads, and may write in place. Its counts are checked too: bytes that it left out would be in the
            // token unencrypted.
            let data = unsafe base + associatedData.lowerBound
            let text = unsafe base + plaintext.lowerBound
            let end = unsafe base + plaintext.upperBound
            guard
                unsafe associatedData.isEmpty
                    || EVP_EncryptUpdate(context, nil, &written, data, Int32(associatedData.count)) == 1
                        && written == Int32(associatedData.count),
                unsafe plaintext.isEmpty
                    || EVP_EncryptUpdate(context, text, &written, text, Int32(plaintext.count)) == 1
                        && written == Int32(plaintext.count)
            else { return "EVP_EncryptUpdate" }
            guard unsafe EVP_EncryptFinal_ex(context, end, &written) == 1 else {
                return "EVP_EncryptFinal_ex"
            }
            let tagLength = Int32(XAESKey.tagLength)
            guard unsafe EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, tagLength, end) == 1 else {
                return "EVP_CTRL_AEAD_GET_TAG"
            }
            return nil
        }
        if let failed { throw NativeFailure(operation: failed) }
    }

    /// The inverse; false if the tag does not verify. The bytes in place are then not authentic.
    fileprivate mutating func open(
        _ bytes: inout [UInt8], _ ciphertext: Range<Int>, _ associatedData: Range<Int>
    ) throws(NativeFailure) -> Bool {
        Self.check(bytes, ciphertext, associatedData)
        defer { secrets.wipeMessage() }
        let context = unsafe decrypt.pointer
        guard unsafe EVP_DecryptInit_ex(context, nil, nil, secrets.key, secrets.nonce) == 1 else {
            throw NativeFailure(operation: "EVP_DecryptInit_ex")
        }
        var authentic = false
        let failed: String? = unsafe bytes.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return "EVP_DecryptUpdate" }
            var written: Int32 = 0
            // Sound: as in `seal`.
            let data = unsafe base + associatedData.lowerBound
            let text = unsafe base + ciphertext.lowerBound
            let end = unsafe base + ciphertext.upperBound
            guard
                unsafe associatedData.isEmpty
                    || EVP_DecryptUpdate(context, nil, &written, data, Int32(associatedData.count)) == 1
                        && written == Int32(associatedData.count),
                unsafe ciphertext.isEmpty
                    || EVP_DecryptUpdate(context, text, &written, text, Int32(ciphertext.count)) == 1
                        && written == Int32(ciphertext.count)
            else { return "EVP_DecryptUpdate" }
            let tagLength = Int32(XAESKey.tagLength)
            guard unsafe EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, tagLength, end) == 1 else {
                return "EVP_CTRL_AEAD_SET_TAG"
            }
            // Compares the tags in constant time; 0 or less means that the tag does not verify.
            authentic = unsafe EVP_DecryptFinal_ex(context, end, &written) == 1
            return nil
        }
        if let failed { throw NativeFailure(operation: failed) }
        return authentic
    }

    /// What `prepare` has derived, for the specification's vectors; zeros after a message.
    var intermediates: (subkey: [UInt8], messageKey: [UInt8], gcmNonce: [UInt8]) {
        // Sound: these are the lengths of the three.
        unsafe (
            Array(UnsafeBufferPointer(start: secrets.subkey, count: 16)),
            Array(UnsafeBufferPointer(start: secrets.key, count: 32)),
            Array(UnsafeBufferPointer(start: secrets.nonce, count: 12))
        )
    }
}
