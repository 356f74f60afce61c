// AES-256-CMAC (NIST SP 800-38B), for key IDs. FORMAT §4.
import SealedCookieOpenSSL

enum CMAC {
    /// The 16-byte AES-256-CMAC of `message` under a 32-byte key.
    static func authenticationCode(
        for message: [UInt8], key: Span<UInt8>
    ) throws(NativeFailure) -> InlineArray<16, UInt8> {
        try OpenSSL.prepare()
        return try OpenSSL.locked { () throws(NativeFailure) in try code(of: message, key) }
    }

    private static func code(
        of message: [UInt8], _ key: Span<UInt8>
    ) throws(NativeFailure) -> InlineArray<16, UInt8> {
        guard let algorithm = unsafe EVP_MAC_fetch(nil, "CMAC", nil) else {
            throw NativeFailure(operation: "EVP_MAC_fetch")
        }
        defer { unsafe EVP_MAC_free(algorithm) }
        guard let context = unsafe EVP_MAC_CTX_new(algorithm) else {
            throw NativeFailure(operation: "EVP_MAC_CTX_new")
        }
        defer { unsafe EVP_MAC_CTX_free(context) }
        // Sound: OSSL_PARAM borrows the name and the text, both alive until EVP_MAC_init returns.
        var cipher: [CChar] = "AES-256-CBC".utf8.map { CChar(bitPattern: $0) } + [0]
        let started = unsafe cipher.withUnsafeMutableBufferPointer { cipher in
            unsafe key.withUnsafeBufferPointer { key in
                unsafe OSSL_MAC_PARAM_CIPHER.withCString { name in
                    let parameters = unsafe [
                        OSSL_PARAM_construct_utf8_string(name, cipher.baseAddress, 0),
                        OSSL_PARAM_construct_end(),
                    ]
                    return unsafe EVP_MAC_init(context, key.baseAddress, key.count, parameters)
                }
            }
        }
        guard started == 1 else { throw NativeFailure(operation: "EVP_MAC_init") }
        guard unsafe EVP_MAC_update(context, message, message.count) == 1 else {
            throw NativeFailure(operation: "EVP_MAC_update")
        }
        var code: [UInt8] = Array(repeating: 0, count: 16)
        var written = 0
        guard unsafe EVP_MAC_final(context, &code, &written, code.count) == 1, written == code.count else {
            throw NativeFailure(operation: "EVP_MAC_final")
        }
        return InlineArray { code[$0] }
    }
}
