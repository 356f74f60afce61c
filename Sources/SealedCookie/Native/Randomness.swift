// Random bytes from OpenSSL's generator, which reseeds itself after a fork.
import COpenSSL

enum Randomness {
    /// Fills `range` of `bytes` with random bytes.
    static func fill(_ bytes: inout [UInt8], in range: Range<Int>) throws(NativeFailure) {
        let status = unsafe bytes.withUnsafeMutableBufferPointer { buffer in
            let part = unsafe UnsafeMutableBufferPointer(rebasing: buffer[range])
            return unsafe RAND_bytes(part.baseAddress, Int32(part.count))
        }
        guard status == 1 else { throw NativeFailure(operation: "RAND_bytes") }
    }
}
