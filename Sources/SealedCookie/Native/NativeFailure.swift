// What a C library said no to. It names the operation and never its operands.

/// A call into OpenSSL or zlib that failed for a reason other than the data it was given:
/// memory, randomness or a missing algorithm.
struct NativeFailure: Error, Equatable {
    /// The C function that failed, such as `EVP_EncryptInit_ex`.
    let operation: String
}
