// A file that is replaced as a whole, by one process at a time.
import SealedCookieLibc

/// The right to change a file, which the system takes from a process that dies. FORMAT §9.
///
/// It is an exclusive `flock` on a separate file in the same folder, `.NAME.lock`. A lock on the file itself would
/// not do: anyone who may read the file could lock it as long as they like, and so block a revocation. The lock's
/// file has mode 0600 and the file's owner, and only the owner and root can replace the file. It is removed together
/// with the lock. If one already exists, a process that died left it, and it is taken over.
///
/// NFS turns the lock into one on a byte range, for which the file must be open for writing, as it is. Taking a lock
/// makes NFS ask the server for the file again, but not for its name. So the locked file's own status is checked
/// first.
private struct ChangeLock: ~Copyable {
    private let file: Int32

    /// In milliseconds.
    private static let patience = 30_000
    private static let pause = 5
    /// The milliseconds in which another process gives the lock that it has just made to the file's owner.
    private static let ownerPatience = 1000

    /// Waits at most 30 s.
    ///
    /// - Throws: EWOULDBLOCK if another process holds it longer.
    init(for location: borrowing FileLocation, owner: uid_t, group: gid_t) throws(SystemFailure) {
        let name = location.lock
        var waited = 0
        while true {
            let file = try Self.open(name, in: location, owner: owner, group: group, waited: waited)
            guard let file else {
                // Wait, but not forever: a file server may be inconsistent about the name.
                guard waited < Self.patience else {
                    throw SystemFailure(operation: "flock", code: EWOULDBLOCK)
                }
                Self.pause(&waited)
                continue
            }
            while flock(file, LOCK_EX | LOCK_NB) != 0 {
                let code = errno
                guard code == EWOULDBLOCK || code == EINTR, waited < Self.patience else {
                    close(file)
                    throw SystemFailure(operation: "flock", code: code)
                }
                Self.pause(&waited)
            }
            var locked = stat()
            let code = unsafe fstat(file, &locked) == 0 ? 0 : errno
            // ESTALE: removed through another machine.
            guard code == 0 || code == ESTALE else {
                close(file)
                throw SystemFailure(operation: "fstat", code: code)
            }
            if code == 0, locked.st_nlink > 0,
                (try? location.status(of: name))?.isSameFile(as: locked) == true
            {
                self.file = file
                return
            }
            // It was removed while this process waited, or this machine still has an old name of it.
            close(file)
            guard waited < Self.patience else { throw SystemFailure(operation: "flock", code: EWOULDBLOCK) }
            Self.pause(&waited)
        }
    }

    /// Nil: it is gone, or belongs to someone else for a moment; try again.
    private static func open(
        _ name: String, in location: borrowing FileLocation, owner: uid_t, group: gid_t, waited: Int
    ) throws(SystemFailure) -> Int32? {
        let new = location.open(name, O_RDWR | O_CREAT | O_EXCL)
        if new >= 0 {
            if geteuid() != owner, fchown(new, owner, group) != 0 {
                let code = errno
                location.remove(name)
                close(new)
                throw SystemFailure(operation: "fchown", code: code)
            }
            return new
        }
        guard errno == EEXIST else { throw SystemFailure(operation: "open", code: errno) }
        let file = location.open(name, O_RDWR)
        guard file >= 0 else {
            let code = errno
            switch code {
            case ENOENT, ESTALE: return nil
            case EACCES where waited < ownerPatience: return nil
            case EACCES, ELOOP, EISDIR, ENXIO, ENODEV: throw SystemFailure.foreignLock(name)
            default: throw SystemFailure(operation: "open", code: code)
            }
        }
        var status = stat()
        guard unsafe fstat(file, &status) == 0 else {
            let code = errno
            close(file)
            if code == ESTALE { return nil }
            throw SystemFailure(operation: "fstat", code: code)
        }
        // A lock of root's becomes the file owner's a moment later, unless root's process died in between.
        guard status.st_mode & S_IFMT == S_IFREG, status.st_nlink <= 1, [0, owner].contains(status.st_uid)
        else {
            close(file)
            throw SystemFailure.foreignLock(name)
        }
        return file
    }

    private static func pause(_ waited: inout Int) {
        usleep(UInt32(pause) * 1000)
        waited += pause
    }

    /// Removes the lock's file. A process that waits for it notices that, and makes another.
    func release(_ location: borrowing FileLocation) {
        location.remove(location.lock)
    }

    deinit {
        // A child that was forked meanwhile has the open file too, and with it the lock.
        flock(file, LOCK_UN)
        close(file)
    }
}

/// A file that no one else changes meanwhile.
struct LockedFile: ~Copyable {
    private let location: FileLocation
    private let lock: ChangeLock
    private let file: Int32
    private let status: stat

    /// How many milliseconds a name may refer to a replaced file on a network file system.
    private static let patience = 2000

    /// Waits at most 30 s for the right to change it.
    ///
    /// - Throws: EWOULDBLOCK if another process holds it longer.
    static func open(_ path: String) throws(SystemFailure) -> LockedFile {
        let location = try FileLocation.find(path)
        let found = try location.status(of: location.name)
        // A device or a pipe must not become a key file.
        guard found.isRegular else {
            throw found.isFolder ? SystemFailure(operation: "open", code: EISDIR) : SystemFailure.notAFile
        }
        let lock = try SystemFailure.ofChanging { () throws(SystemFailure) in
            try ChangeLock(for: location, owner: found.st_uid, group: found.st_gid)
        }
        do throws(SystemFailure) {
            let (file, status) = try open(location)
            return LockedFile(location: location, lock: lock, file: file, status: status)
        } catch {
            lock.release(location)
            throw error
        }
    }

    private static func open(_ location: borrowing FileLocation) throws(SystemFailure) -> (Int32, stat) {
        var waited = 0
        while true {
            let file = location.open(location.name, O_RDONLY)
            guard file >= 0 else { throw SystemFailure(operation: "open", code: errno) }
            var status = stat()
            let code = unsafe fstat(file, &status) == 0 ? 0 : errno
            if code == 0, status.st_nlink > 0 {
                guard status.isRegular else {
                    close(file)
                    throw SystemFailure.notAFile
                }
                return (file, status)
            }
            close(file)
            guard code == 0 || code == ESTALE else { throw SystemFailure(operation: "fstat", code: code) }
            // Replaced through another machine, or for good if it was mounted from elsewhere.
            guard waited < patience else { throw SystemFailure(operation: "open", code: ESTALE) }
            usleep(1000)
            waited += 1
        }
    }

    deinit {
        close(file)
        lock.release(location)
    }

    var nameCount: Int { status.nameCount }

    func read(limit: Int) throws(SystemFailure) -> SecretFile {
        try SecretFile.read(file, limit: limit)
    }

    /// Replaces the file by `bytes`, and keeps its owner, mode and access list. Readers see the old file or the new
    /// one, whole. If this fails before the last step, the old file stays.
    func replace(with bytes: borrowing SecretBytes) throws(SystemFailure) {
        // One fixed name, so that the remains of a process that died are found: under the lock, they belong to no
        // one. But a file of another user, which cannot be removed, is not waited for.
        var new = location.temporary()
        if ![0, ENOENT].contains(location.remove(new)) {
            new = location.temporary(number: FileLocation.randomNumber())
        }
        var written = stat()
        try SecretFile.write(bytes, toNew: new, in: location) { [status, old = self.file] file in
            guard unsafe fstat(file, &written) == 0 else {
                return SystemFailure(operation: "fstat", code: errno)
            }
            if written.st_uid != status.st_uid || written.st_gid != status.st_gid,
                fchown(file, status.st_uid, status.st_gid) != 0
            {
                return SystemFailure(operation: "fchown", code: errno)
            }
            // Before the mode: if a file has an access list, its group bits limit everyone in the list.
            if let (call, code) = Libc.copyAccessList(from: old, to: file) {
                return SystemFailure(operation: call, code: code)
            }
            let mode = status.st_mode & 0o7777
            if written.st_mode & 0o7777 != mode, fchmod(file, mode) != 0 {
                return SystemFailure(operation: "fchmod", code: errno)
            }
            return nil
        }
        let code = location.rename(new)
        guard code == 0 else {
            location.remove(new)
            throw SystemFailure(operation: "rename", code: code)
        }
        // Anyone who may write to the folder can put another file under the name that is renamed.
        if let named = try? location.status(of: location.name), !named.isSameFile(as: written) {
            throw SystemFailure.swapped
        }
        try location.synchronize()
    }
}

extension stat {
    var isRegular: Bool { st_mode & S_IFMT == S_IFREG }
    var owner: UInt32 { st_uid }
    /// The number of hard links.
    var nameCount: Int { Int(st_nlink) }
    var isFolder: Bool { st_mode & S_IFMT == S_IFDIR }
    /// Within some seconds of now, by a clock that may differ by as much.
    var hasJustChanged: Bool { abs(time(nil) - changeTime.tv_sec) <= 2 }

    func isSameFile(as other: stat) -> Bool { st_ino == other.st_ino && st_dev == other.st_dev }
}

/// The identity and state of the file under a name.
struct FileIdentity: Equatable {
    var device: UInt64
    var inode: UInt64
    var size: Int64
    var modified: Int64
    var changed: Int64
    /// Whether it changed within the last two seconds, by a clock that may be another machine's: a guess.
    let isFresh: Bool
    /// Whether it no longer has a name: another file has replaced it where it was mounted from.
    var isDetached: Bool

    static func == (a: FileIdentity, b: FileIdentity) -> Bool {
        a.device == b.device && a.inode == b.inode && a.size == b.size && a.modified == b.modified
            && a.changed == b.changed
    }

    /// Longer than a tick of any file system's clock.
    static let longestTick: Int64 = 2_000_000_000

    /// Follows symbolic links.
    ///
    /// - Parameter now: The time on the file systems' clock, in nanoseconds, before the file's status is read: later
    ///   changes must not count as older.
    init(_ path: String, at now: Int64 = realTime()) throws(SystemFailure) {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { throw SystemFailure(operation: "stat", code: errno) }
        device = UInt64(truncatingIfNeeded: status.st_dev)
        inode = UInt64(status.st_ino)
        size = Int64(status.st_size)
        modified = Self.nanoseconds(status.modificationTime)
        changed = Self.nanoseconds(status.changeTime)
        // In whole seconds, almost two seconds would count as two.
        isFresh = (-Self.longestTick..<Self.longestTick).contains(now &- changed)
        isDetached = status.st_nlink == 0
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
