// What there is to report about a ring's file and its surroundings, for the command line tool.
#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension KeyRing {
    /// A ring, and what its file contains beyond it.
    package struct Loaded: Sendable {
        package let ring: KeyRing
        /// The file's permissions; 0 if it is not a file.
        package let permissions: UInt32
        /// Keys that are on more than one line.
        package let repeated: [KeyID]
        /// Revoked keys whose secrets are still there.
        package let unremoved: [KeyID]
        /// The numbers, counted from 1, of lines with a comment that contains a secret.
        package let commentLines: [Int]

        package var isOpenToOthers: Bool { permissions & 0o077 != 0 }

        fileprivate init(_ bytes: borrowing SecretBytes, permissions: UInt32, source: String)
            throws(KeyRingError)
        {
            let parser = try KeyRingParser.parse(bytes, source: source)
            let ids = parser.keys.map(\.id)
            ring = try parser.ring()
            self.permissions = permissions
            repeated = Set(ids).filter { id in ids.count { $0 == id } > 1 }.sorted()
            unremoved = Set(ids).intersection(parser.revoked).sorted()
            commentLines = parser.secretCommentLines
        }
    }

    /// The ring file at `path`, which may have no keys.
    ///
    /// - Parameter forAnother: Whether its secrets go into another ring, whose owner may have no right to them. Then
    ///   no other user's link is followed.
    package static func load(_ path: String, forAnother: Bool = false) throws(KeyRingError) -> Loaded {
        let file = try KeyRingError.reading(path) { () throws(SystemFailure) in
            forAnother
                ? try SecretFile.readTrusted(path, limit: fileLimit)
                : try SecretFile.read(path, limit: fileLimit)
        }
        return try Loaded(file.bytes, permissions: file.permissions, source: path)
    }

    /// Reads a ring from an open file, such as standard input.
    ///
    /// - Parameter source: The name that errors use for it.
    package static func load(descriptor: Int32, source: String) throws(KeyRingError) -> Loaded {
        let file = try KeyRingError.reading(source) { () throws(SystemFailure) in
            try SecretFile.read(descriptor, limit: fileLimit, orPipe: true)
        }
        return try Loaded(file.bytes, permissions: 0, source: source)
    }

    /// Threats to a ring's file, and secrets that no ring needs, in the file and next to it.
    package struct Surroundings: Sendable {
        /// The numbers, counted from 1, of lines with a comment that contains a secret.
        package fileprivate(set) var commentLines: [Int] = []
        /// Files left by changes that were interrupted.
        package fileprivate(set) var remains: [String] = []
        /// Files with the name of such a file or of the lock that belong to another user.
        package fileprivate(set) var planted: [String] = []
        /// Files next to it with a secret that the ring revokes: copies and other names of an earlier file.
        package fileprivate(set) var copies: [String] = []
        /// The reasons, in words, why some copies were not searched for.
        package fileprivate(set) var unsearched: [String] = []
        /// The number of names that the file has; 0 if it was replaced where it was mounted from.
        package fileprivate(set) var nameCount = 1
        package fileprivate(set) var isMountedByItself = false
        package fileprivate(set) var hasForeignLink = false
        package fileprivate(set) var folder = ""
        package fileprivate(set) var folderPermissions: UInt32 = 0
        /// Folders above the file's that everyone may write to, and where everyone may remove the files of others.
        package fileprivate(set) var openParents: [String] = []
        /// The file's folder and those above it that belong to someone other than root, the file's owner and this
        /// user.
        package fileprivate(set) var foreignFolders: [String] = []
        /// Whether the file belongs to neither root nor this user.
        package fileprivate(set) var isForeign = false
        /// Other folders on the path in which anyone could replace a link.
        package fileprivate(set) var openFolders: [String] = []
    }

    /// The number of files that are searched for revoked secrets.
    private static let copyLimit = 1000

    package static func surroundings(of path: String) throws(KeyRingError) -> Surroundings {
        let location = try KeyRingError.reading(path) { () throws(SystemFailure) in
            try FileLocation.find(path, changes: false)
        }
        let file = try KeyRingError.reading(path) { () throws(SystemFailure) in
            try OpenFile(location.name, in: location)
        }
        let contents = try KeyRingError.reading(path) { () throws(SystemFailure) in
            try SecretFile.read(file.descriptor, limit: fileLimit)
        }
        let parser = try KeyRingParser.parse(contents.bytes, source: path)
        var found = Surroundings()
        found.commentLines = parser.secretCommentLines
        found.nameCount = file.status.nameCount
        found.isMountedByItself = file.isMounted(apartFrom: location)
        found.hasForeignLink = location.hasForeignLink
        found.folder = location.folderPath
        found.folderPermissions = location.folderMode
        found.openFolders = location.openFolders
        try KeyRingError.reading(path) { () throws(SystemFailure) in
            try found.look(at: location, ownedBy: file.status.owner)
        }
        // If the folder cannot be listed, only files whose names are known are checked.
        let listed = (try? FileManager.default.contentsOfDirectory(atPath: location.folderPath))?.sorted()
        let names = listed ?? [location.temporary(), location.lock]
        for name in names where name != location.name {
            let path = location.path(of: name)
            guard let status = try? location.status(of: name) else { continue }
            if location.isTemporary(name) || name == location.lock {
                // A lock that root makes becomes the owner's a moment later, unless root's process dies in between.
                let isRoots = status.owner == 0 && (name != location.lock || status.hasJustChanged)
                if !isRoots, status.owner != file.status.owner {
                    found.planted.append(path)
                } else if location.isTemporary(name), !status.hasJustChanged {
                    // A file that was written just now belongs to a change in progress.
                    found.remains.append(path)
                }
            }
        }
        guard !parser.revoked.isEmpty else { return found }
        if listed == nil { found.unsearched.append("its folder cannot be listed") }
        if names.count > copyLimit {
            found.unsearched.append("\(names.count - copyLimit) of \(names.count) files beside it")
        }
        for name in names.prefix(copyLimit) where name != location.name && !location.isTemporary(name) {
            let ids = try KeyRingError.reading(path) { () throws(SystemFailure) in
                try keyIDs(name, in: location)
            }
            guard let ids else {
                found.unsearched.append("\"\(location.path(of: name))\"")
                continue
            }
            if !parser.revoked.isDisjoint(with: ids) { found.copies.append(location.path(of: name)) }
        }
        return found
    }

    /// The keys whose secrets are in a file next to a ring, whatever else the file is; nil if it is too large, or
    /// this process may not read it.
    private static func keyIDs(_ name: String, in location: borrowing FileLocation) throws(SystemFailure)
        -> [KeyID]?
    {
        let isFile = (try? location.status(of: name))?.isRegular == true
        guard isFile else { return [] }
        do throws(SystemFailure) {
            let file = try OpenFile(name, in: location)
            let contents = try SecretFile.read(file.descriptor, limit: fileLimit)
            return contents.bytes.withSpan(keyIDs)
        } catch {
            guard error.isOfReading else { return error.isMissing ? [] : nil }
            throw error
        }
    }

    /// The keys of all secrets in a text.
    private static func keyIDs(in text: Span<UInt8>) -> [KeyID] {
        let prefix = Array(secretPrefix.utf8)
        let count = Base64URL.encodedCount(XAESKey.keyLength)
        var ids: [KeyID] = []
        var start = 0
        while start + prefix.count + count <= text.count {
            let found = start
            start += 1
            guard text[found] == prefix[0], prefix.indices.allSatisfy({ text[found + $0] == prefix[$0] })
            else {
                continue
            }
            let characters = text.extracting(found + prefix.count..<found + prefix.count + count)
            guard let bytes = try? Base64URL.decodeSecret(characters),
                let key = try? bytes.withSpan({ span throws(KeyRingError) in try SealingKey(importing: span) }
                )
            else { continue }
            ids.append(key.id)
        }
        return ids
    }
}

extension KeyRing.Surroundings {
    /// Finds out who could replace the ring's file by means of a folder.
    fileprivate mutating func look(at location: borrowing FileLocation, ownedBy owner: UInt32)
        throws(SystemFailure)
    {
        let user = FileLocation.user
        isForeign = user != 0 && ![0, user].contains(owner)
        let trusted = [0, user, owner]
        if !trusted.contains(location.folderOwner), !FileLocation.isUnknown(location.folderOwner) {
            foreignFolders.append(location.folderPath)
        }
        for parent in try location.parents() {
            if !trusted.contains(parent.owner), !FileLocation.isUnknown(parent.owner) {
                foreignFolders.append(parent.path)
            }
            if parent.isOpen { openParents.append(parent.path) }
        }
    }
}
