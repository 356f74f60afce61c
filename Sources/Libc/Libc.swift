// The C library, under one name on every system. Nothing else names Glibc, Musl or Darwin.
//
// This is a separate module, because a file that uses a struct's fields must import the module that declares the
// struct. If the library itself re-exported the C library, its names would get in the way of every user's. From here,
// they reach no further than an internal import. A wrapper instead would need about a hundred functions and
// constants.
//
// The tests run on Linux with glibc. The other two branches are compiled against stand-ins (make platforms), but have
// not been run.
@_exported public import SealedCookieXattr

#if canImport(Darwin)
    @_exported public import Darwin
#elseif canImport(Musl)
    @_exported public import Musl
#elseif canImport(Glibc)
    @_exported public import Glibc
#else
    #error("no C library that this package knows")
#endif

/// The differences between the systems. Everything else has the same name and the same or nearly the same type:
///
/// - `errno`, and `open`, `openat` and `fcntl`, which C declares with "…", come from Swift's part of each module.
/// - `getentropy` accepts up to 256 bytes on each. macOS declares it in sys/random.h, which this package includes
///   itself.
/// - `mode_t` has 16 bits on macOS, and `dev_t` may be negative there: both are converted where they are stored.
/// - macOS has no /proc. Whether a file is mounted by itself, and which user owns a container's root, is unknown
///   there.
public enum Libc {
    /// The clock as of its last tick, which is cheaper to read than the exact time.
    // Public, because only then is it compiled into its callers. The module is not a product.
    @inlinable public static var coarseClock: clockid_t {
        #if canImport(Darwin)
            CLOCK_MONOTONIC_RAW_APPROX
        #else
            CLOCK_MONOTONIC_COARSE
        #endif
    }

    /// Opens a folder as a starting point, even if it cannot be read.
    package static var pathOnly: Int32 {
        #if canImport(Darwin)
            O_SEARCH
        #else
            0o10000000  // O_PATH, which Swift does not import
        #endif
    }

    /// Makes the child of a fork find zeros instead of pages.
    ///
    /// - Returns: False if the system cannot do that, or only claims to. macOS cannot: its minherit shares, copies or
    ///   omits pages.
    package static func wipeOnFork(_ page: UnsafeMutableRawPointer, count: Int) -> Bool {
        #if canImport(Darwin)
            false
        #else
            // Some emulators accept any advice and do nothing. They are detected by advice that does not exist.
            unsafe madvise(page, count, -1) != 0 && madvise(page, count, MADV_WIPEONFORK) == 0
        #endif
    }

    /// Writes a file or a folder to its medium.
    ///
    /// - Returns: 0, or -1 and `errno`.
    package static func flush(_ file: Int32) -> Int32 {
        #if canImport(Darwin)
            // There, fsync leaves the data in the drive's memory. Not every file system can do more.
            if fcntl(file, F_FULLFSYNC) == 0 { return 0 }
        #endif
        return fsync(file)
    }

    /// Copies the access list of `old` to the file `new`, or removes it if `old` has none: a folder may set one on
    /// every new file.
    ///
    /// - Returns: The call that failed and its errno; nil if it succeeded.
    package static func copyAccessList(from old: Int32, to new: Int32) -> (call: String, code: Int32)? {
        #if canImport(Darwin)
            // There, an access list is not an extended attribute.
            let isCopied = fcopyfile(old, new, nil, copyfile_flags_t(COPYFILE_ACL)) == 0
            return isCopied || errno == ENOTSUP ? nil : ("fcopyfile", errno)
        #else
            let name = "system.posix_acl_access"
            // The most that Linux accepts for an attribute.
            var list: [UInt8] = Array(repeating: 0, count: 65_536)
            // Sound: fgetxattr writes at most the count.
            let count = unsafe fgetxattr(old, name, &list, list.count)
            if count >= 0 {
                let isSet = unsafe fsetxattr(new, name, list, count, 0) == 0
                return isSet ? nil : ("fsetxattr", errno)
            }
            // No list, or a file system without lists.
            let none = [ENODATA, EOPNOTSUPP, ENOSYS]
            guard none.contains(errno) else { return ("fgetxattr", errno) }
            let isRemoved = unsafe fremovexattr(new, name) == 0 || none.contains(errno)
            return isRemoved ? nil : ("fremovexattr", errno)
        #endif
    }
}

extension stat {
    /// The time at which its contents changed.
    package var modificationTime: timespec {
        #if canImport(Darwin)
            st_mtimespec
        #else
            st_mtim
        #endif
    }

    /// The time at which anything about it changed.
    package var changeTime: timespec {
        #if canImport(Darwin)
            st_ctimespec
        #else
            st_ctim
        #endif
    }
}
