// A C call that failed. It names the operation and never its operands.
import SealedCookieOpenSSL

/// A call into OpenSSL or zlib that failed for a reason other than its data: lack of memory or randomness, or a
/// missing algorithm.
struct NativeFailure: Error, Equatable {
    /// The C function that failed, such as `EVP_EncryptInit_ex`.
    let operation: String

    /// Drops what OpenSSL has queued about it: otherwise the thread's next libssl call would take that for its own
    /// error.
    init(operation: String) {
        ERR_clear_error()
        self.operation = operation
    }
}

/// Prepares OpenSSL for its first use.
enum OpenSSL {
    /// Makes OpenSSL create its library context.
    ///
    /// If memory runs out meanwhile, OpenSSL 3.0 continues with half a context and crashes. Only this call reports
    /// that, each time: OpenSSL does not try again.
    ///
    /// By default, OpenSSL frees everything when the process exits, even what other threads still work with. A server
    /// that exits under load would then crash. Only the first user of OpenSSL in a process can prevent that.
    static func prepare() throws(NativeFailure) {
        guard OPENSSL_init_crypto(UInt64(OPENSSL_INIT_NO_ATEXIT), nil) == 1 else {
            throw NativeFailure(operation: "OPENSSL_init_crypto")
        }
        guard unsafe OSSL_LIB_CTX_get0_global_default() != nil else {
            throw NativeFailure(operation: "OSSL_LIB_CTX_get0_global_default")
        }
    }

    /// Runs calls that take OpenSSL's own locks: those that look up an algorithm or draw random bytes. A fork's child
    /// could find such a lock taken forever, but not while our lock is held.
    static func locked<Result, Failure: Error>(
        _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try ForkLock.holding(body)
    }
}
