// A file that is replaced whole, by one process at a time.
import Glibc

/// A file under an exclusive lock, which the system takes away from a process that dies.
///
/// The lock is on the file itself, so nothing is left lying beside it. Whoever replaces the file
/// leaves the lock on the old one; whoever waited for that finds another file under the name, and
/// locks that.
///
/// NFS makes the lock one of a range of bytes, for which the file must be open for writing; it is, though it is never
/// written to. Taking a lock makes NFS ask the server for the file anew, but not for its name: so what the locked
/// file itself says comes first.
struct LockedFile: ~Copyable {
    /// Where the file stands, symbolic links followed.
    private let path: String
    private let file: Int32
    private let owner: uid_t
    private let group: gid_t
    private let mode: mode_t

    private static let patience = 30_000
    private static let pause: UInt32 = 5

    /// Waits at most 30 s for the lock.
    ///
    /// - Throws: EWOULDBLOCK where another process holds it for longer.
    static func open(_ path: String) throws(SystemFailure) -> LockedFile {
        var waited = 0
        while true {
            let target = try SecretFile.resolved(path)
            var file = SecretFile.descriptor(of: target, O_RDWR)
            var refusal: SystemFailure?
            if file < 0, errno == EACCES || errno == EPERM || errno == EROFS {
                // A ring of mode 0400 is replaced by whoever may write to its folder.
                refusal = SystemFailure(operation: "flock, which needs a writable file here", code: errno)
                file = SecretFile.descriptor(of: target, O_RDONLY)
            }
            guard file >= 0 else { throw SystemFailure(operation: "open", code: errno) }
            while flock(file, LOCK_EX | LOCK_NB) != 0 {
                let code = errno
                guard code == EWOULDBLOCK || code == EINTR, waited < patience else {
                    close(file)
                    // EBADF: a file system that locks no file that cannot be written.
                    if code == EBADF, let refusal { throw refusal }
                    throw SystemFailure(operation: "flock", code: code)
                }
                usleep(pause * 1000)
                waited += Int(pause)
            }
            var locked = stat()
            var named = stat()
            let code = unsafe fstat(file, &locked) == 0 ? 0 : errno
            // ESTALE: replaced by way of another machine.
            guard code == 0 || code == ESTALE else {
                close(file)
                throw SystemFailure(operation: "fstat", code: code)
            }
            guard code != 0 || locked.st_mode & S_IFMT == S_IFREG else {
                // A device or a pipe must not become a file of keys.
                close(file)
                throw SystemFailure.notAFile
            }
            if code == 0, locked.st_nlink > 0, unsafe stat(target, &named) == 0,
                named.st_ino == locked.st_ino, named.st_dev == locked.st_dev
            {
                return LockedFile(
                    path: target, file: file, owner: locked.st_uid, group: locked.st_gid,
                    mode: locked.st_mode & 0o7777)
            }
            // Replaced while this process waited, or this machine still has an old name of it.
            close(file)
            guard waited < patience else { throw SystemFailure(operation: "flock", code: EWOULDBLOCK) }
            usleep(1000)
            waited += 1
        }
    }

    deinit { close(file) }

    func read(limit: Int) throws(SystemFailure) -> SecretFile {
        try SecretFile.read(file, limit: limit)
    }

    /// Puts `bytes` in the file's place, with its owner and mode. Readers see the old file or the new
    /// one, whole; where this fails before the last step, the old one stays.
    func replace(with bytes: borrowing SecretBytes) throws(SystemFailure) {
        // One name, so that what a process left that died is found: under the lock it is nobody's.
        let new = SecretFile.temporary(for: path)
        unsafe unlink(new)
        try SecretFile.write(bytes, toNew: new) { [owner, group, mode] file in
            var status = stat()
            guard unsafe fstat(file, &status) == 0 else {
                return SystemFailure(operation: "fstat", code: errno)
            }
            if status.st_uid != owner || status.st_gid != group, fchown(file, owner, group) != 0 {
                return SystemFailure(operation: "fchown", code: errno)
            }
            if status.st_mode & 0o7777 != mode, fchmod(file, mode) != 0 {
                return SystemFailure(operation: "fchmod", code: errno)
            }
            return nil
        }
        guard unsafe rename(new, path) == 0 else {
            let code = errno
            unsafe unlink(new)
            throw SystemFailure(operation: "rename", code: code)
        }
        try SecretFile.synchronizeFolder(of: path)
    }
}

/// Which file stands under a name, and in which state.
struct FileIdentity: Equatable {
    private let device: UInt64
    private let inode: UInt64
    private let size: Int64
    private let modified: Int64
    private let changed: Int64
    /// Changed so lately that a further change might leave every figure as it is.
    let isFresh: Bool

    static func == (a: FileIdentity, b: FileIdentity) -> Bool {
        a.device == b.device && a.inode == b.inode && a.size == b.size && a.modified == b.modified
            && a.changed == b.changed
    }

    /// More than any file system's clock takes for a tick.
    static let longestTick: Int64 = 2_000_000_000

    /// Follows symbolic links.
    ///
    /// - Parameter now: on the clock of file systems, in nanoseconds, and before the file is looked at: what
    ///   changes afterwards must not count as older.
    init(_ path: String, at now: Int64 = realTime()) throws(SystemFailure) {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { throw SystemFailure(operation: "stat", code: errno) }
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        size = Int64(status.st_size)
        modified = Self.nanoseconds(status.st_mtim)
        changed = Self.nanoseconds(status.st_ctim)
        // Whole seconds would take two that are all but one for two.
        isFresh = now &- changed < Self.longestTick
    }

    private static func realTime() -> Int64 {
        var now = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &now)
        return nanoseconds(now)
    }

    private static func nanoseconds(_ time: timespec) -> Int64 {
        Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
    }
}

/// Nanoseconds of a clock that never goes back, as of the last tick of some milliseconds.
func coarseMonotonicTime() -> Int64 {
    var now = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC_COARSE, &now)
    return Int64(now.tv_sec) &* 1_000_000_000 &+ Int64(now.tv_nsec)
}
