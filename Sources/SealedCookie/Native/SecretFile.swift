// Files that hold keys, read straight into memory that is wiped.
import Glibc

/// Why the operating system refused: the call and its errno.
struct SystemFailure: Error, Equatable {
    let operation: String
    let code: Int32

    /// A device, a pipe or a folder, where a file must stand. The system has no number for it.
    static let notAFile = SystemFailure(operation: "open", code: 0)

    var isExisting: Bool { code == EEXIST }
    /// The file is there and has no lock to give.
    var isOfLocking: Bool { operation.hasPrefix("flock") }
    /// Somebody else held the lock for too long.
    var isLocked: Bool { operation == "flock" && code == EWOULDBLOCK }

    /// The system's words for `code`.
    var reason: String {
        guard self != .notAFile else { return "not a regular file" }
        var text: [CChar] = Array(repeating: 0, count: 128)
        // Sound: POSIX strerror_r writes at most the count, and ends its text with a zero.
        guard unsafe strerror_r(code, &text, text.count) == 0 else { return "error \(code)" }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// A file's contents and its permission bits.
struct SecretFile: ~Copyable {
    let bytes: SecretBytes
    let permissions: UInt32

    /// Reads the whole file at `path`.
    ///
    /// - Parameter limit: files of more bytes are refused with EFBIG.
    static func read(
        _ path: String, limit: Int
    ) throws(SystemFailure) -> SecretFile {
        let file = unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw SystemFailure(operation: "open", code: errno) }
        defer { close(file) }
        return try read(file, limit: limit)
    }

    /// Reads an open file from its beginning.
    static func read(_ file: Int32, limit: Int) throws(SystemFailure) -> SecretFile {
        var status = stat()
        guard unsafe fstat(file, &status) == 0 else { throw SystemFailure(operation: "fstat", code: errno) }
        guard status.st_mode & S_IFMT != S_IFDIR else { throw SystemFailure(operation: "read", code: EISDIR) }
        var failure: Int32 = 0
        do throws(NativeFailure) {
            var bytes = try SecretBytes(capacity: 4096)
            var atEnd = false
            while !atEnd, failure == 0 {
                try unsafe bytes.fill(room: 4096) { target in
                    // Sound: `fill` gives room for 4096 bytes.
                    let count = unsafe Glibc.read(file, target, 4096)
                    if count < 0, errno != EINTR { failure = errno }
                    if count == 0 { atEnd = true }
                    return max(count, 0)
                }
                if bytes.count > limit { failure = EFBIG }
            }
            if failure == 0 { return SecretFile(bytes: bytes, permissions: status.st_mode & 0o7777) }
        } catch {
            failure = ENOMEM
        }
        throw SystemFailure(operation: "read", code: failure)
    }

    /// Makes a new file of mode 0600 that holds `bytes`; an existing one is left as it is (EEXIST).
    ///
    /// It has its name when it is whole: nobody finds an empty one, and takes that for the file to change.
    static func create(_ path: String, _ bytes: borrowing SecretBytes) throws(SystemFailure) {
        // Nobody has a lock on what is not there yet: a name of its own for each that tries.
        let new = temporary(for: path, number: .random(in: 0x1000_0000 ... .max))
        try write(bytes, toNew: new) { _ in nil }
        // Unlike rename, link replaces nothing.
        let code = unsafe link(new, path) == 0 ? 0 : errno
        unsafe unlink(new)
        switch code {
        case 0: break
        // A file system without links. Half a file is left there by a crash, but by no error.
        case EPERM, EOPNOTSUPP, ENOSYS: try write(bytes, toNew: path) { _ in nil }
        default: throw SystemFailure(operation: "link", code: code)
        }
        try synchronizeFolder(of: path)
    }

    /// The name under which a file is written before it takes `path`'s place; with eight digits, before it is `path`.
    static func temporary(for path: String, number: UInt32? = nil) -> String {
        let digits = number.map { ".\(String($0, radix: 16))" } ?? ""
        return "\(path.folder)/.\(path.lastComponent)\(digits).new"
    }

    /// Whether `name`, in `path`'s folder, is one of those.
    static func isTemporary(_ name: String, for path: String) -> Bool {
        let (start, end) = (".\(path.lastComponent)", ".new")
        guard name.hasPrefix(start), name.dropFirst(start.count).hasSuffix(end) else { return false }
        let digits = name.dropFirst(start.count).dropLast(end.count)
        return digits.isEmpty
            || digits.count == 9 && digits.first == "." && digits.dropFirst().allSatisfy(\.isHexDigit)
    }

    /// Where `path` leads, symbolic links followed.
    static func resolved(_ path: String) throws(SystemFailure) -> String {
        guard let resolved = unsafe realpath(path, nil) else {
            throw SystemFailure(operation: "realpath", code: errno)
        }
        defer { unsafe free(resolved) }
        // Sound: realpath's text ends with a zero; it is ours to free.
        return unsafe String(cString: resolved)
    }

    /// Writes a new file, and leaves none where that fails: half a ring is worse than none.
    ///
    /// - Parameter prepare: done to the open file before its first byte is written.
    static func write(
        _ bytes: borrowing SecretBytes, toNew path: String, prepare: (Int32) -> SystemFailure?
    ) throws(SystemFailure) {
        let file = descriptor(of: path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW)
        guard file >= 0 else { throw SystemFailure(operation: "open", code: errno) }
        var failure = prepare(file) ?? write(bytes, to: file)
        if failure == nil, fsync(file) != 0 { failure = SystemFailure(operation: "fsync", code: errno) }
        if close(file) != 0, failure == nil { failure = SystemFailure(operation: "close", code: errno) }
        guard let failure else { return }
        unsafe unlink(path)
        throw failure
    }

    /// Opens a file that may be written to, under a number that is no standard stream's: in a process that has those
    /// closed, what somebody prints would go into a ring.
    ///
    /// - Returns: less than 0 where it cannot be opened; `errno` says why.
    static func descriptor(of path: String, _ flags: Int32) -> Int32 {
        let file = unsafe Glibc.open(path, flags | O_CLOEXEC, 0o600)
        guard (0...STDERR_FILENO).contains(file) else { return file }
        let higher = fcntl(file, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)
        let code = errno
        close(file)
        errno = code
        return higher
    }

    /// Makes sure that a new name in `path`'s folder outlasts a power cut.
    static func synchronizeFolder(of path: String) throws(SystemFailure) {
        let folder = unsafe Glibc.open(path.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw SystemFailure(operation: "open", code: errno) }
        defer { close(folder) }
        guard fsync(folder) == 0 else { throw SystemFailure(operation: "fsync", code: errno) }
    }

    private static func write(_ bytes: borrowing SecretBytes, to file: Int32) -> SystemFailure? {
        bytes.withSpan { span in
            unsafe span.withUnsafeBytes { buffer in
                var written = 0
                while written < buffer.count {
                    guard let base = buffer.baseAddress else { break }
                    // Sound: the count stays inside the buffer.
                    let count = unsafe Glibc.write(file, base + written, buffer.count - written)
                    if count > 0 {
                        written += count
                    } else if count < 0, errno != EINTR {
                        return SystemFailure(operation: "write", code: errno)
                    }
                }
                return nil
            }
        }
    }
}

extension String {
    /// Up to the last slash; `.` where there is none.
    var folder: String {
        guard let slash = lastIndex(of: "/") else { return "." }
        return slash == startIndex ? "/" : String(self[..<slash])
    }
    /// Behind the last slash.
    var lastComponent: String {
        lastIndex(of: "/").map { String(self[index(after: $0)...]) } ?? self
    }
}
