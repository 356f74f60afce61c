// What is to be said about a ring's file and what stands beside it, for the command line tool.
#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension KeyRing {
    /// A ring, and what its file says beyond it.
    package struct Loaded: Sendable {
        package let ring: KeyRing
        /// Of the file; 0 where it is none.
        package let permissions: UInt32
        /// Keys that stand on more than one line.
        package let repeated: [KeyID]
        /// Revoked keys whose secrets are still there.
        package let unremoved: [KeyID]
        /// Lines, counted from 1, with a comment that holds a secret.
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

    /// The ring file at `path`, which may be without keys.
    ///
    /// - Parameter forAnother: whether its secrets go into another ring, whose owner may not be one to have them: then
    ///   no other user's link is followed.
    package static func load(_ path: String, forAnother: Bool = false) throws(KeyRingError) -> Loaded {
        let file = try KeyRingError.reading(path) { () throws(SystemFailure) in
            forAnother
                ? try SecretFile.readTrusted(path, limit: fileLimit)
                : try SecretFile.read(path, limit: fileLimit)
        }
        return try Loaded(file.bytes, permissions: file.permissions, source: path)
    }

    /// A ring out of an open file, such as the standard input.
    ///
    /// - Parameter source: what errors call it.
    package static func load(descriptor: Int32, source: String) throws(KeyRingError) -> Loaded {
        let file = try KeyRingError.reading(source) { () throws(SystemFailure) in
            try SecretFile.read(descriptor, limit: fileLimit, orPipe: true)
        }
        return try Loaded(file.bytes, permissions: 0, source: source)
    }

    /// What endangers a ring's file, and secrets that no ring needs, in it and beside it.
    package struct Surroundings: Sendable {
        /// Lines, counted from 1, with a comment that holds a secret.
        package fileprivate(set) var commentLines: [Int] = []
        /// Files of changes that were ended midway.
        package fileprivate(set) var remains: [String] = []
        /// What has the name of such a file or of the lock, and is another user's.
        package fileprivate(set) var planted: [String] = []
        /// Files beside it with a secret that the ring revokes, copies and other names of a file that it was.
        package fileprivate(set) var copies: [String] = []
        /// Where no copies were looked for, in words.
        package fileprivate(set) var unsearched: [String] = []
        /// How many names the file has; 0: it was replaced where it was mounted from.
        package fileprivate(set) var nameCount = 1
        package fileprivate(set) var isMountedByItself = false
        package fileprivate(set) var hasForeignLink = false
        package fileprivate(set) var folder = ""
        package fileprivate(set) var folderPermissions: UInt32 = 0
        /// Folders above the file's that everybody may write to, and take away what is others' there.
        package fileprivate(set) var openParents: [String] = []
        /// The file's folder and those above it, where another than root, the file's owner and this user owns them.
        package fileprivate(set) var foreignFolders: [String] = []
        /// Whether the file is neither root's nor this user's.
        package fileprivate(set) var isForeign = false
        /// Other folders on the way in which anybody could put a link in another's place.
        package fileprivate(set) var openFolders: [String] = []
    }

    /// Files that are looked through for revoked secrets.
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
        // In a folder that cannot be listed, what would have the one name.
        let listed = (try? FileManager.default.contentsOfDirectory(atPath: location.folderPath))?.sorted()
        let names = listed ?? [location.temporary(), location.lock]
        for name in names where name != location.name {
            let path = location.path(of: name)
            guard let status = try? location.status(of: name) else { continue }
            if location.isTemporary(name) || name == location.lock {
                // A lock that root makes is the owner's in a moment, unless root's process dies in that moment.
                let isRoots = status.owner == 0 && (name != location.lock || status.hasJustChanged)
                if !isRoots, status.owner != file.status.owner {
                    found.planted.append(path)
                } else if location.isTemporary(name), !status.hasJustChanged {
                    // What was written only now belongs to a change that goes on.
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

    /// The keys whose secrets stand in a file beside a ring, whatever else it is; nil where it is too large, or not for
    /// this process to read.
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
    /// Who could put another file in the ring's place by way of a folder.
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
