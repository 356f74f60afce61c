// SHA-256 (FIPS 180-4), to name dictionaries.
import SealedCookieOpenSSL

enum SHA256 {
    /// The 32-byte digest of `message`.
    static func digest(of message: [UInt8]) throws(NativeFailure) -> [UInt8] {
        try OpenSSL.prepare()
        var digest: [UInt8] = Array(repeating: 0, count: 32)
        var written = 0
        let isDone = OpenSSL.locked {
            unsafe EVP_Q_digest(nil, "SHA256", nil, message, message.count, &digest, &written) == 1
        }
        guard isDone, written == digest.count else { throw NativeFailure(operation: "EVP_Q_digest") }
        return digest
    }
}
