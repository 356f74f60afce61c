// The C library, under one name on every system. Nothing else names Glibc, Musl or Darwin.
//
// A module of its own, because a file that uses a struct's fields must import what declares the struct. Passed on from
// within the library, the C library would be in the way of every user's names; from here it goes no further than an
// internal import. Wrapping it instead would take some hundred functions and constants.
//
// The tests run on Linux with glibc. The other two branches are compiled against stand-ins (make platforms), and were
// not run.
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

/// What differs between the systems. The rest is the same by name and by type, or nearly so:
///
/// - `errno`, and `open`, `openat` and `fcntl`, which C declares with "…", come from Swift's part of each module.
/// - `getentropy` takes up to 256 bytes on each. macOS declares it in sys/random.h, which this package includes itself.
/// - `mode_t` is of 16 bits on macOS, and `dev_t` may be negative there: both are converted where they are kept.
/// - macOS has no /proc. Whether a file is mounted by itself, and which user owns a container's root, stays unknown.
public enum Libc {
    /// The clock of the last tick, which costs less to read than the time does.
    // Public, because only then is it compiled into its callers. The module is no product.
    @inlinable public static var coarseClock: clockid_t {
        #if canImport(Darwin)
            CLOCK_MONOTONIC_RAW_APPROX
        #else
            CLOCK_MONOTONIC_COARSE
        #endif
    }

    /// Opens a folder to go on from, though it cannot be read.
    package static var pathOnly: Int32 {
        #if canImport(Darwin)
            O_SEARCH
        #else
            0o10000000  // O_PATH, which Swift does not import
        #endif
    }

    /// Has a child of a fork find zeros in place of pages.
    ///
    /// - Returns: false where the system cannot, or only says that it did. macOS cannot: its minherit shares, copies or
    ///   leaves out.
    package static func wipeOnFork(_ page: UnsafeMutableRawPointer, count: Int) -> Bool {
        #if canImport(Darwin)
            false
        #else
            // Some emulators say yes to any advice, and do nothing: they are told by advice that there is none of.
            unsafe madvise(page, count, -1) != 0 && madvise(page, count, MADV_WIPEONFORK) == 0
        #endif
    }

    /// Writes a file or a folder through to its medium.
    ///
    /// - Returns: 0, or -1 and `errno`.
    package static func flush(_ file: Int32) -> Int32 {
        #if canImport(Darwin)
            // There fsync leaves it in the drive's memory. Not every file system can do more.
            if fcntl(file, F_FULLFSYNC) == 0 { return 0 }
        #endif
        return fsync(file)
    }

    /// Gives the file `new` the access list of `old`, or none where that has none: a folder may give every new file one.
    ///
    /// - Returns: the call that failed and its errno; nil: done.
    package static func copyAccessList(from old: Int32, to new: Int32) -> (call: String, code: Int32)? {
        #if canImport(Darwin)
            // An access list there is no attribute.
            let isCopied = fcopyfile(old, new, nil, copyfile_flags_t(COPYFILE_ACL)) == 0
            return isCopied || errno == ENOTSUP ? nil : ("fcopyfile", errno)
        #else
            let name = "system.posix_acl_access"
            // As much as Linux takes for an attribute.
            var list: [UInt8] = Array(repeating: 0, count: 65_536)
            // Sound: fgetxattr writes at most the count.
            let count = unsafe fgetxattr(old, name, &list, list.count)
            if count >= 0 {
                let isSet = unsafe fsetxattr(new, name, list, count, 0) == 0
                return isSet ? nil : ("fsetxattr", errno)
            }
            // No list, or a file system without any.
            let none = [ENODATA, EOPNOTSUPP, ENOSYS]
            guard none.contains(errno) else { return ("fgetxattr", errno) }
            let isRemoved = unsafe fremovexattr(new, name) == 0 || none.contains(errno)
            return isRemoved ? nil : ("fremovexattr", errno)
        #endif
    }
}

extension stat {
    /// When its contents changed.
    package var modificationTime: timespec {
        #if canImport(Darwin)
            st_mtimespec
        #else
            st_mtim
        #endif
    }

    /// When anything of it changed.
    package var changeTime: timespec {
        #if canImport(Darwin)
            st_ctimespec
        #else
            st_ctim
        #endif
    }
}
