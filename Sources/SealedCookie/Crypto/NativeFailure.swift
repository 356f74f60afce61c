// What a C library said no to. It names the operation and never its operands.
import SealedCookieOpenSSL

/// A call into OpenSSL or zlib that failed for a reason other than the data it was given:
/// memory, randomness or a missing algorithm.
struct NativeFailure: Error, Equatable {
    /// The C function that failed, such as `EVP_EncryptInit_ex`.
    let operation: String

    /// Drops what OpenSSL has queued about it: the thread's next call of libssl would take that for its own.
    init(operation: String) {
        ERR_clear_error()
        self.operation = operation
    }
}

/// OpenSSL before its first use.
enum OpenSSL {
    /// Has OpenSSL make its library context.
    ///
    /// Where memory fails while that is made, OpenSSL 3.0 goes on with half of it, and crashes. This call
    /// alone says so, each time: OpenSSL does not try again.
    static func prepare() throws(NativeFailure) {
        guard unsafe OSSL_LIB_CTX_get0_global_default() != nil else {
            throw NativeFailure(operation: "OSSL_LIB_CTX_get0_global_default")
        }
    }
}
