// Writes a file that is not secret, where another user may change the path to it.
import SealedCookieLibc

/// A command's output file, such as a dictionary.
package enum OutputFile {
    package struct WritingFailure: Error {
        package let reason: String
    }

    /// Writes `bytes` to the file at `path`, in one step: a reader sees the old file or the new one, whole.
    ///
    /// This works as for a ring: through an open folder, never through another user's link, under a lock, and with
    /// the file's owner, mode and access list. A new file has the mode 0666 minus the umask. A device, a pipe or an
    /// open file (`/dev/stdout`, `/dev/fd/N`) is written to, not replaced.
    package static func write(_ bytes: [UInt8], to path: String) throws(WritingFailure) {
        do throws(SystemFailure) {
            try writeFile(bytes, path)
        } catch {
            throw WritingFailure(reason: error.reason)
        }
    }

    private static func writeFile(_ bytes: [UInt8], _ path: String) throws(SystemFailure) {
        let contents = try copy(bytes)
        if let number = openNumber(path) { return try write(contents, toOpen: number) }
        let location = try FileLocation.find(path)
        let status: stat
        do throws(SystemFailure) {
            status = try location.status(of: location.name)
        } catch {
            guard error.code == ENOENT else { throw error }
            return try create(contents, in: location)
        }
        if status.isRegular { return try LockedFile.open(path).replace(with: contents) }
        // It waits if a pipe has no reader yet.
        let flags = O_WRONLY | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC
        let file = SecretFile.beyondStreams(unsafe openat(location.folder, location.name, flags))
        guard file >= 0 else { throw SystemFailure(operation: "open", code: errno) }
        defer { close(file) }
        var opened = stat()
        // Otherwise a file has replaced it.
        guard unsafe fstat(file, &opened) == 0, !opened.isRegular else { throw .swapped }
        try write(contents, toOpen: file)
    }

    private static func create(
        _ contents: borrowing SecretBytes, in location: borrowing FileLocation
    ) throws(SystemFailure) {
        let new = location.temporary(number: FileLocation.randomNumber())
        try SecretFile.write(contents, toNew: new, in: location, mode: 0o666) { _ in nil }
        let code = location.rename(new)
        guard code == 0 else {
            location.remove(new)
            throw SystemFailure(operation: "rename", code: code)
        }
        try location.synchronize()
    }

    private static func write(_ contents: borrowing SecretBytes, toOpen file: Int32) throws(SystemFailure) {
        if let failure = SecretFile.write(contents, to: file) { throw failure }
    }

    private static func copy(_ bytes: [UInt8]) throws(SystemFailure) -> SecretBytes {
        do throws(NativeFailure) {
            var contents = try SecretBytes(capacity: bytes.count)
            for byte in bytes { try contents.append(byte) }
            return contents
        } catch {
            throw SystemFailure(operation: "write", code: ENOMEM)
        }
    }

    /// The number of the open file that a path means.
    private static func openNumber(_ path: String) -> Int32? {
        if path == "/dev/stdout" { return STDOUT_FILENO }
        if path == "/dev/stderr" { return STDERR_FILENO }
        for folder in ["/dev/fd/", "/proc/self/fd/"] where path.hasPrefix(folder) {
            return Int32(path.dropFirst(folder.count)).flatMap { $0 >= 0 ? $0 : nil }
        }
        return nil
    }
}
