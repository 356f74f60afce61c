// Files that contain keys, read directly into memory that is wiped.
import SealedCookieLibc

/// A file's contents and its permission bits.
struct SecretFile: ~Copyable {
    let bytes: SecretBytes
    let permissions: UInt32

    /// Reads the whole file at `path`.
    ///
    /// - Parameters:
    ///   - limit: Files with more bytes are refused with EFBIG.
    ///   - orPipe: Whether to wait for input from a pipe or a terminal. If not, only a regular file is read, and
    ///     opening never waits: a server must not hang at a FIFO.
    static func read(
        _ path: String, limit: Int, orPipe: Bool = false
    ) throws(SystemFailure) -> SecretFile {
        let file = unsafe SealedCookieLibc.open(
            path, O_RDONLY | O_CLOEXEC | O_NOCTTY | (orPipe ? 0 : O_NONBLOCK))
        guard file >= 0 else { throw SystemFailure(operation: "open", code: errno) }
        defer { close(file) }
        return try read(file, limit: limit, orPipe: orPipe)
    }

    /// Reads an open file from its beginning.
    static func read(_ file: Int32, limit: Int, orPipe: Bool = false) throws(SystemFailure) -> SecretFile {
        var status = stat()
        guard unsafe fstat(file, &status) == 0 else { throw SystemFailure(operation: "fstat", code: errno) }
        guard status.st_mode & S_IFMT != S_IFDIR else { throw SystemFailure(operation: "read", code: EISDIR) }
        guard orPipe || status.st_mode & S_IFMT == S_IFREG else { throw .notAFile }
        var failure: Int32 = 0
        do throws(NativeFailure) {
            var bytes = try SecretBytes(capacity: 4096)
            var atEnd = false
            while !atEnd, failure == 0 {
                try unsafe bytes.fill(room: 4096) { target in
                    // Sound: `fill` provides room for 4096 bytes.
                    let count = unsafe SealedCookieLibc.read(file, target, 4096)
                    if count < 0, errno != EINTR { failure = errno }
                    if count == 0 { atEnd = true }
                    return max(count, 0)
                }
                if bytes.count > limit { failure = EFBIG }
            }
            if failure == 0 {
                return SecretFile(bytes: bytes, permissions: UInt32(status.st_mode & 0o7777))
            }
        } catch {
            failure = ENOMEM
        }
        throw SystemFailure(operation: "read", code: failure)
    }

    /// Creates a file of mode 0600 with `bytes`. An existing file is left unchanged (EEXIST).
    ///
    /// The file gets its name when it is complete, so no one finds an empty one and takes it for the file to change.
    static func create(_ path: String, _ bytes: borrowing SecretBytes) throws(SystemFailure) {
        let location = try FileLocation.find(path, followsLast: false)
        // A file that does not exist yet cannot be locked, so each process uses a temporary name of its own.
        let new = location.temporary(number: FileLocation.randomNumber())
        try write(bytes, toNew: new, in: location) { _ in nil }
        // Unlike rename, link replaces nothing.
        let code = location.link(new)
        location.remove(new)
        switch code {
        case 0: break
        // A file system without links. A crash may leave half a file there, but an error does not.
        case EPERM, EOPNOTSUPP, ENOSYS: try write(bytes, toNew: location.name, in: location) { _ in nil }
        default: throw SystemFailure(operation: "link", code: code)
        }
        try location.synchronize()
    }

    /// Reads a file whose contents go into another. No other user's link on the path may lead to a file that this
    /// user may not read.
    static func readTrusted(_ path: String, limit: Int) throws(SystemFailure) -> SecretFile {
        let location = try FileLocation.find(path, changes: false)
        guard !location.hasForeignLink else { throw .foreignLink }
        let file = try OpenFile(location.name, in: location)
        return try read(file.descriptor, limit: limit)
    }

    /// Writes a new file, and removes it if that fails: half a ring is worse than none.
    ///
    /// - Parameter prepare: Called with the open file before its first byte is written.
    static func write(
        _ bytes: borrowing SecretBytes, toNew name: String, in location: borrowing FileLocation,
        mode: mode_t = 0o600, prepare: (Int32) -> SystemFailure?
    ) throws(SystemFailure) {
        let file = location.open(name, O_WRONLY | O_CREAT | O_EXCL, mode: mode)
        guard file >= 0 else { throw SystemFailure(operation: "open", code: errno) }
        var failure = prepare(file) ?? write(bytes, to: file)
        if failure == nil, Libc.flush(file) != 0 { failure = SystemFailure(operation: "fsync", code: errno) }
        if close(file) != 0, failure == nil { failure = SystemFailure(operation: "close", code: errno) }
        guard let failure else { return }
        location.remove(name)
        throw failure
    }

    /// The same file under a number other than a standard stream's. If a process has those closed, its output would
    /// otherwise go into a ring.
    ///
    /// - Parameter file: Negative if it could not be opened. It is then returned, and `errno` still says why.
    static func beyondStreams(_ file: Int32) -> Int32 {
        guard (0...STDERR_FILENO).contains(file) else { return file }
        let higher = fcntl(file, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)
        let code = errno
        close(file)
        errno = code
        return higher
    }

    static func write(_ bytes: borrowing SecretBytes, to file: Int32) -> SystemFailure? {
        bytes.withSpan { span in
            unsafe span.withUnsafeBytes { buffer in
                var written = 0
                while written < buffer.count {
                    guard let base = buffer.baseAddress else { break }
                    // Sound: the count stays inside the buffer.
                    let count = unsafe SealedCookieLibc.write(file, base + written, buffer.count - written)
                    if count < 0, errno == EINTR { continue }
                    // Nothing was written, and no reason was given: it would loop forever.
                    guard count > 0 else {
                        return SystemFailure(operation: "write", code: count < 0 ? errno : EIO)
                    }
                    written += count
                }
                return nil
            }
        }
    }
}
