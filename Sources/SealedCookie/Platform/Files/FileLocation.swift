// A name in an open folder: where a ring is changed, even if others change the path to it meanwhile.
import SealedCookieLibc

/// A file's name, with its folder as a descriptor.
///
/// The path is followed once, component by component. Everything after that uses the descriptor, so no one who owns a
/// folder of the path can redirect a change by swapping that folder meanwhile. Before that, a symbolic link could
/// redirect it. So a link is followed only if root made it, this process's user, the owner of the folder to which it
/// leads, or the file's owner. All of these may change the file anyway.
struct FileLocation: ~Copyable {
    /// Never 0 to 2.
    let folder: Int32
    let name: String
    /// The folder's owner.
    let folderOwner: uid_t
    let folderMode: mode_t
    /// The folder's path.
    let folderPath: String
    /// Folders on the path in which others could replace a link.
    let openFolders: [String]
    /// Whether a link on the path is not trusted. If the file is only inspected, the link is followed anyway.
    let hasForeignLink: Bool

    /// Linux's limit.
    private static let linkLimit = 40

    /// Follows `path`.
    ///
    /// - Parameters:
    ///   - followsLast: Whether to follow a symbolic link under the last name too.
    ///   - changes: Whether the file will be changed. If not, its folder need not be readable, and links need not be
    ///     trusted.
    /// - Throws: If a folder is missing or cannot be read, or a link is not trusted. The file itself may be missing.
    static func find(
        _ path: String, followsLast: Bool = true, changes: Bool = true
    ) throws(SystemFailure) -> FileLocation {
        var walk = try Walk(path)
        defer { close(walk.folder) }
        var links = 0
        while let component = walk.rest.popLast() {
            let isLast = walk.rest.isEmpty
            if component == "." { continue }
            if component == ".." {
                try walk.enter(component)
                continue
            }
            var status = stat()
            guard unsafe fstatat(walk.folder, component, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
                let code = errno
                guard isLast, code == ENOENT, !walk.endsWithSlash else {
                    throw SystemFailure(operation: "open", code: code)
                }
                return try walk.location(component, owner: nil, changes)
            }
            if status.st_mode & S_IFMT == S_IFLNK, followsLast || !isLast {
                links += 1
                guard links <= linkLimit else { throw SystemFailure(operation: "open", code: ELOOP) }
                try walk.follow(component, owner: status.st_uid)
            } else if isLast, !walk.endsWithSlash {
                return try walk.location(component, owner: status.st_uid, changes)
            } else {
                try walk.enter(component)
            }
        }
        // It leads to a folder.
        throw SystemFailure(operation: "open", code: EISDIR)
    }

    /// The state of following a path.
    private struct Walk {
        var folder: Int32
        var path: String
        /// The remaining components; the last is the next one.
        var rest: [String]
        let endsWithSlash: Bool
        var openFolders: [String] = []
        /// The owners of the links that were followed.
        var owners: Set<uid_t> = []

        init(_ path: String) throws(SystemFailure) {
            guard !path.isEmpty else { throw SystemFailure(operation: "open", code: ENOENT) }
            self.path = path.hasPrefix("/") ? "/" : "."
            rest = Self.components(path)
            endsWithSlash = path.hasSuffix("/")
            folder = unsafe SealedCookieLibc.open(self.path, Libc.pathOnly | O_DIRECTORY | O_CLOEXEC)
            guard folder >= 0 else { throw SystemFailure(operation: "open", code: errno) }
        }

        private static func components(_ path: String) -> [String] {
            path.split(separator: "/").reversed().map(String.init)
        }

        mutating func enter(_ component: String) throws(SystemFailure) {
            let next = unsafe openat(folder, component, Libc.pathOnly | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
            // ENOTDIR: a file, or a folder that has just become a link.
            guard next >= 0 else { throw SystemFailure(operation: "open", code: errno) }
            close(folder)
            folder = next
            path = path == "/" ? "/\(component)" : path == "." ? component : "\(path)/\(component)"
        }

        mutating func follow(_ component: String, owner: uid_t) throws(SystemFailure) {
            owners.insert(owner)
            var target: [CChar] = Array(repeating: 0, count: Int(PATH_MAX))
            // Sound: readlinkat writes at most the count, and no zero at the end.
            let count = unsafe readlinkat(folder, component, &target, target.count)
            guard count >= 0 else { throw SystemFailure(operation: "open", code: errno) }
            let bytes = target.prefix(count).map { UInt8(bitPattern: $0) }
            guard let text = String(validating: bytes, as: UTF8.self), count < target.count else {
                throw SystemFailure(operation: "open", code: EILSEQ)
            }
            var status = stat()
            if unsafe fstat(folder, &status) == 0, status.st_mode & S_ISVTX == 0, status.st_mode & 0o022 != 0
            {
                openFolders.append(path)
            }
            if text.hasPrefix("/") {
                let root = unsafe SealedCookieLibc.open("/", Libc.pathOnly | O_DIRECTORY | O_CLOEXEC)
                guard root >= 0 else { throw SystemFailure(operation: "open", code: errno) }
                close(folder)
                folder = root
                path = "/"
            }
            rest += Self.components(text)
        }

        /// - Parameter owner: The file's owner; nil if there is no file yet.
        func location(_ name: String, owner: uid_t?, _ changes: Bool) throws(SystemFailure) -> FileLocation {
            // It must be readable to be synchronized.
            let mode = changes ? O_RDONLY : Libc.pathOnly
            let held = SecretFile.beyondStreams(unsafe openat(folder, ".", mode | O_DIRECTORY | O_CLOEXEC))
            guard held >= 0 else { throw SystemFailure(operation: "open", code: errno) }
            var status = stat()
            guard unsafe fstat(held, &status) == 0 else {
                let code = errno
                close(held)
                throw SystemFailure(operation: "fstat", code: code)
            }
            let isTrusted = owners.isSubset(of: [0, geteuid(), status.st_uid, owner ?? status.st_uid])
            guard isTrusted || !changes else {
                close(held)
                throw SystemFailure.foreignLink
            }
            return FileLocation(
                folder: held, name: name, folderOwner: status.st_uid, folderMode: status.st_mode & 0o7777,
                folderPath: path, openFolders: openFolders, hasForeignLink: !isTrusted)
        }
    }

    deinit { close(folder) }

    /// Opens a file in the folder, never through a link, and without waiting for anything that is not a file.
    ///
    /// - Returns: A negative number if it cannot be opened; `errno` says why.
    func open(_ name: String, _ flags: Int32, mode: mode_t = 0o600) -> Int32 {
        let all = flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC
        return SecretFile.beyondStreams(unsafe openat(folder, name, all, mode))
    }

    /// The status of a name in the folder.
    func status(of name: String) throws(SystemFailure) -> stat {
        var status = stat()
        guard unsafe fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
            throw SystemFailure(operation: "stat", code: errno)
        }
        return status
    }

    /// - Returns: 0, or an errno.
    @discardableResult func remove(_ name: String) -> Int32 {
        unsafe unlinkat(folder, name, 0) == 0 ? 0 : errno
    }

    /// A folder above the file's.
    struct Parent {
        let path: String
        let owner: uid_t
        let mode: mode_t

        /// Whether everyone may rename what is in it.
        var isOpen: Bool { mode & 0o002 != 0 && mode & S_ISVTX == 0 }
    }

    /// This process's user.
    static var user: uid_t { geteuid() }

    /// Whether it is the stand-in for users that this container does not know, such as the owner of its root.
    static func isUnknown(_ user: uid_t) -> Bool {
        guard user == 65_534, let map = try? InputFile.read("/proc/self/uid_map", limit: 65_536) else {
            return false
        }
        let fields = String(decoding: map, as: UTF8.self).split { $0 == " " || $0 == "\n" }
        return fields != ["0", "0", "4294967295"]
    }

    /// The folders above the file's, up to the root, as far as this process may read them.
    func parents() throws(SystemFailure) -> [Parent] {
        var found: [Parent] = []
        var below = stat()
        guard unsafe fstat(folder, &below) == 0 else { throw SystemFailure(operation: "fstat", code: errno) }
        var way = ".."
        while found.count < Self.depthLimit {
            let parent = unsafe openat(folder, way, Libc.pathOnly | O_DIRECTORY | O_CLOEXEC)
            guard parent >= 0 else {
                guard errno == EACCES else { throw SystemFailure(operation: "open", code: errno) }
                break
            }
            defer { close(parent) }
            var status = stat()
            // The root is its own parent.
            guard unsafe fstat(parent, &status) == 0 else {
                throw SystemFailure(operation: "fstat", code: errno)
            }
            guard !status.isSameFile(as: below) else { break }
            found.append(
                Parent(
                    path: Self.path(of: parent) ?? "\(folderPath)/\(way)", owner: status.st_uid,
                    mode: status.st_mode & 0o7777))
            below = status
            way += "/.."
        }
        return found
    }

    /// The system accepts a path of this many parents.
    private static let depthLimit = 1000

    private static func path(of descriptor: Int32) -> String? {
        var target: [CChar] = Array(repeating: 0, count: Int(PATH_MAX))
        // Sound: readlink writes at most the count, and no zero at the end.
        let count = unsafe readlink("/proc/self/fd/\(descriptor)", &target, target.count)
        guard count > 0 else { return nil }
        return String(validating: target.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Renames `name` in the folder to the file's own name, and replaces the existing file.
    func rename(_ name: String) -> Int32 {
        unsafe renameat(folder, name, folder, self.name) == 0 ? 0 : errno
    }

    /// Gives the file under `name` the file's own name too; EEXIST if that is taken.
    func link(_ name: String) -> Int32 {
        unsafe linkat(folder, name, folder, self.name, 0) == 0 ? 0 : errno
    }

    /// Makes sure that a new name in the folder survives a power failure, if the file system can.
    func synchronize() throws(SystemFailure) {
        guard Libc.flush(folder) != 0 else { return }
        let code = errno
        // CIFS, VirtualBox's shared folders and others synchronize files alone.
        guard [EINVAL, EOPNOTSUPP, ENOSYS].contains(code) else {
            throw SystemFailure(operation: "fsync", code: code)
        }
    }

    func path(of name: String) -> String {
        switch folderPath {
        case ".": name
        case "/": "/\(name)"
        default: "\(folderPath)/\(name)"
        }
    }

    /// The name under which a file is written before it replaces the file; with eight digits, before it becomes the
    /// file.
    func temporary(number: UInt32? = nil) -> String {
        let digits = number.map { ".\(String($0, radix: 16))" } ?? ""
        return ".\(name)\(digits).new"
    }

    /// The name of the file that a change locks.
    var lock: String { ".\(name).lock" }

    static func randomNumber() -> UInt32 { .random(in: 0x1000_0000 ... .max) }

    /// Whether `name` is such a temporary name.
    func isTemporary(_ name: String) -> Bool {
        let (start, end) = (".\(self.name)", ".new")
        guard name.hasPrefix(start), name.dropFirst(start.count).hasSuffix(end) else { return false }
        let digits = name.dropFirst(start.count).dropLast(end.count)
        return digits.isEmpty
            || digits.count == 9 && digits.first == "." && digits.dropFirst().allSatisfy(\.isHexDigit)
    }
}

/// An open file in an open folder, for reading.
struct OpenFile: ~Copyable {
    let descriptor: Int32
    let status: stat

    init(_ name: String, in location: borrowing FileLocation) throws(SystemFailure) {
        let file = location.open(name, O_RDONLY)
        guard file >= 0 else { throw SystemFailure(operation: "open", code: errno) }
        var status = stat()
        guard unsafe fstat(file, &status) == 0 else {
            let code = errno
            close(file)
            throw SystemFailure(operation: "fstat", code: code)
        }
        descriptor = file
        self.status = status
    }

    deinit { close(descriptor) }

    /// The same for a path; false if it is unknown.
    static func isMountedByItself(_ path: String) -> Bool {
        guard let location = try? FileLocation.find(path, changes: false),
            let file = try? OpenFile(location.name, in: location)
        else { return false }
        return file.isMounted(apartFrom: location)
    }

    /// Whether the file is a mount of its own: if it is replaced where it was mounted from, that is not seen here.
    func isMounted(apartFrom location: borrowing FileLocation) -> Bool {
        guard let own = Self.mount(of: descriptor), let folder = Self.mount(of: location.folder) else {
            return false
        }
        return own != folder
    }

    /// The mount of an open file as Linux reports it; nil if it does not.
    private static func mount(of descriptor: Int32) -> String? {
        guard let bytes = try? InputFile.read("/proc/self/fdinfo/\(descriptor)", limit: 65_536) else {
            return nil
        }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").first { $0.hasPrefix("mnt_id:") }
            .map(String.init)
    }
}
