// Reads a whole file that is not secret.
import SealedCookieLibc

package enum InputFile {
    /// The contents of a file, or of standard input for nil.
    ///
    /// - Throws: What the system refused, or `.tooLong` for more than `limit` bytes.
    package static func read(_ path: String?, limit: Int) throws(SystemFailure) -> [UInt8] {
        var file: Int32 = 0
        if let path {
            file = unsafe SealedCookieLibc.open(path, O_RDONLY | O_CLOEXEC)
            guard file >= 0 else { throw SystemFailure(operation: "open", code: errno) }
        }
        defer { if path != nil { close(file) } }
        var bytes: [UInt8] = []
        while true {
            var code: Int32 = 0
            let chunk = unsafe [UInt8](unsafeUninitializedCapacity: 65_536) { buffer, count in
                let got = unsafe SealedCookieLibc.read(file, buffer.baseAddress, buffer.count)
                code = got < 0 ? errno : 0
                count = max(got, 0)
            }
            if code == EINTR { continue }
            if code != 0 { throw SystemFailure(operation: "read", code: code) }
            if chunk.isEmpty { return bytes }
            bytes += chunk
            guard bytes.count <= limit else { throw .tooLong(limit) }
        }
    }
}
