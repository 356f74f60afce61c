// Nonces: never the same twice, not even on both sides of a fork.
import Foundation
import SealedCookieLibc
import SealedCookieOpenSSL
import Testing

@testable import SealedCookie

@Suite struct RandomnessTests {
    @Test func `draws of any size differ and fill their range alone`() throws {
        var buffer = RandomBuffer()
        for count in [1, 20, 32, 4088, 4089, 10_000] {
            var bytes = [UInt8](repeating: 0, count: count + 2)
            try buffer.fill(&bytes, in: 1..<count + 1)
            #expect(bytes.first == 0 && bytes.last == 0)
            var again = bytes
            try buffer.fill(&again, in: 1..<count + 1)
            #expect(count == 1 || again != bytes)
        }
    }

    @Test func `a thousand draws across page ends are all different`() throws {
        var buffer = RandomBuffer()
        var seen: Set<[UInt8]> = []
        for _ in 0..<1000 {
            var bytes = [UInt8](repeating: 0, count: 20)
            try buffer.fill(&bytes, in: 0..<20)
            seen.insert(bytes)
        }
        #expect(seen.count == 1000)
    }

    @Test func `nonces of a page differ if only one of the two sources is random`() throws {
        let (random, constant) = (
            (0..<4080).map { _ in UInt8.random(in: 0...255) }, [UInt8](repeating: 0x5A, count: 4080)
        )
        for (page, more) in [(random, constant), (constant, random)] {
            var mixed = page
            var span = mixed.mutableSpan
            RandomBuffer.mix(more.span.extracting(first: 256), into: &span)
            let nonces = Set((0..<204).map { Array(mixed[$0 * 20..<$0 * 20 + 20]) })
            #expect(nonces.count == 204)
        }
    }

    // MARK: The page

    /// A moment that changes nothing: the result is what was in the page.
    private static let nothing = RandomBuffer.Moment(time: 0, bits: 0)

    private static func content(_ buffer: borrowing RandomBuffer) throws -> [UInt8] {
        let page = unsafe try #require(buffer.page)
        let bytes = unsafe UnsafeRawBufferPointer(start: page, count: RandomBuffer.pageCount)
        return unsafe Array(bytes.dropFirst(RandomBuffer.headerCount))
    }

    private static func draw(
        _ buffer: inout RandomBuffer, at moment: RandomBuffer.Moment = nothing
    ) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 20)
        try buffer.fill(&bytes, in: 0..<20, at: moment)
        return bytes
    }

    @Test func `every byte of a page is handed out once, and is gone from it then`() throws {
        var buffer = RandomBuffer()
        _ = try Self.draw(&buffer)
        let capacity = RandomBuffer.pageCount - RandomBuffer.headerCount
        #expect(buffer.left == capacity - 20)
        var before = try Self.content(buffer)
        while buffer.left >= 20 {
            let end = buffer.left
            let nonce = try Self.draw(&buffer)
            #expect(buffer.left == end - 20)
            #expect(nonce == Array(before[end - 20..<end]))
            let after = try Self.content(buffer)
            #expect(after[..<(end - 20)] == before[..<(end - 20)])
            #expect(after[(end - 20)...].allSatisfy { $0 == 0 })
            before = after
        }
        _ = try Self.draw(&buffer)
        #expect(buffer.left == capacity - 20)
    }

    @Test func `a page that is older than a second is drawn anew`() throws {
        var buffer = RandomBuffer()
        let full = RandomBuffer.pageCount - RandomBuffer.headerCount - 20
        let drawn: Int64 = 5_000_000_000
        _ = try Self.draw(&buffer, at: .init(time: drawn, bits: 0))
        _ = try Self.draw(&buffer, at: .init(time: drawn + 1_000_000_000, bits: 0))
        #expect(buffer.left == full - 20)
        let old = try Self.content(buffer)[..<64]
        _ = try Self.draw(&buffer, at: .init(time: drawn + 1_000_000_001, bits: 0))
        #expect(buffer.left == full)
        #expect(try Self.content(buffer)[..<64] != old)
        // From the second draw on.
        _ = try Self.draw(&buffer, at: .init(time: drawn + 2_000_000_001, bits: 0))
        #expect(buffer.left == full - 20)
    }

    // MARK: A machine that is cloned

    /// The bytes of two clones of a machine that was copied within a second of drawing its page.
    private static func duplicate(_ buffer: borrowing RandomBuffer) throws -> RandomBuffer {
        let copy = RandomBuffer()
        unsafe try #require(copy.page).copyMemory(
            from: #require(buffer.page), byteCount: RandomBuffer.pageCount)
        return copy
    }

    @Test func `two copies of one page give no nonce twice`() throws {
        var one = RandomBuffer()
        _ = try Self.draw(&one, at: .now)
        var other = try Self.duplicate(one)
        var seen: Set<[UInt8]> = []
        for _ in 0..<200 {
            let nonces = [try Self.draw(&one, at: .now), try Self.draw(&other, at: .now)]
            for nonce in nonces { #expect(seen.insert(nonce).inserted) }
            // Both come from one page, whose last four bytes the moment does not reach.
            #expect(nonces[0][16...] == nonces[1][16...])
        }
        // The control: without the draw's moment they are equal.
        var third = try Self.duplicate(one)
        #expect(try Self.draw(&one) == Self.draw(&third))
    }

    @Test func `either source alone keeps two copies of one page apart`() throws {
        let moment = RandomBuffer.Moment.now
        for other in [
            RandomBuffer.Moment(time: moment.time + 1, bits: moment.bits),
            RandomBuffer.Moment(time: moment.time, bits: moment.bits ^ 1 << 63),
        ] {
            var one = RandomBuffer()
            _ = try Self.draw(&one, at: moment)
            var two = try Self.duplicate(one)
            #expect(try Self.draw(&one, at: moment) != Self.draw(&two, at: other))
        }
    }

    @Test func `two machines with one page seal under different R`() throws {
        var one = try XAESCiphers(sampleKey(1).material.key)
        var other = try XAESCiphers(sampleKey(1).material.key)
        func seal(_ ciphers: inout XAESCiphers) throws -> [UInt8] {
            var bytes = [UInt8](repeating: 0, count: 60)
            try ciphers.seal(&bytes, random: 0..<20, plaintext: 20..<30, associatedData: 46..<50)
            return Array(bytes[..<20])
        }
        _ = try seal(&one)
        unsafe try #require(other.random.page).copyMemory(
            from: #require(one.random.page), byteCount: RandomBuffer.pageCount)
        let seen = try (0..<100).flatMap { _ in [try seal(&one), try seal(&other)] }
        let (left, otherLeft) = (one.random.left, other.random.left)
        #expect(left == otherLeft)
        #expect(Set(seen).count == 200)
        // Bytes that the moment does not reach are the page's.
        #expect(Set(seen.map { $0[16...] }).count == 100)
    }

    @Test func `the moment is xored onto the page's bytes, and takes the place of none`() throws {
        var one = RandomBuffer()
        _ = try Self.draw(&one)
        var two = try Self.duplicate(one)
        // Within the second for which the page is used.
        let moment = RandomBuffer.Moment(time: 0x1A2B_3C4D, bits: 0xFEDC_BA98_7654_3210)
        let (plain, mixed) = (try Self.draw(&one), try Self.draw(&two, at: moment))
        func bytes(_ value: some FixedWidthInteger) -> [UInt8] {
            (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
        }
        #expect(zip(plain, mixed).map { $0 ^ $1 } == bytes(moment.bits) + bytes(moment.time) + [0, 0, 0, 0])
    }

    @Test func `moments differ from draw to draw`() {
        let moments = (0..<100).map { _ in RandomBuffer.Moment.now }
        #expect(zip(moments, moments.dropFirst()).allSatisfy { $0.time <= $1.time })
        #expect(Set(moments.map { [UInt64(bitPattern: $0.time), $0.bits] }).count > 1)
        #if arch(x86_64)
            let bits = Set(moments.map(\.bits))
            #expect(sealed_cookie_has_processor_random() ? bits.count > 98 : bits == [0])
        #endif
    }

    // MARK: R in a token

    @Test func `every byte of R is drawn for each token, and neighbours share no four`() throws {
        let sessions = try loginSealer(sampleRing(1))
        let nonces = try (0..<400).map { _ in
            let token = try #require(Base64URL.decode(sessions.seal(login, at: noon).token))
            return Array(token[4..<24])
        }
        // About 200 of 256 values occur in 400 draws.
        for place in 0..<20 { #expect(Set(nonces.map { $0[place] }).count > 120, "byte \(place)") }
        for (one, next) in zip(nonces, nonces.dropFirst()) {
            func fours(_ nonce: [UInt8]) -> Set<[UInt8]> { Set((0...16).map { Array(nonce[$0..<$0 + 4]) }) }
            #expect(fours(one).isDisjoint(with: fours(next)))
        }
    }

    // MARK: Generators that fail, or are no good

    /// Makes OpenSSL's generator write `byte` and return `status`, for this whole process.
    private static func replaceGenerator() throws {
        typealias Set = @convention(c) (UnsafeRawPointer?) -> Int32
        // Deprecated in OpenSSL 3, so it is not called through its header.
        let set = unsafe try #require(dlsym(UnsafeMutableRawPointer(bitPattern: 0), "RAND_set_rand_method"))
        let fill: @convention(c) (UnsafeMutablePointer<UInt8>?, Int32) -> Int32 = { bytes, count in
            for index in 0..<Int(count) { unsafe bytes?[index] = 0x5A }
            return unsafe GeneratorStatus.value
        }
        // RAND_METHOD: seed, bytes, cleanup, add, pseudorand, status.
        let methods = UnsafeMutablePointer<UnsafeRawPointer?>.allocate(capacity: 6)
        unsafe methods.initialize(repeating: nil, count: 6)
        unsafe methods[1] = unsafeBitCast(fill, to: UnsafeRawPointer.self)
        unsafe methods[4] = unsafe methods[1]
        #expect(unsafe unsafeBitCast(set, to: Set.self)(methods) == 1)
    }

    /// Both generators' bytes are in the page: here, OpenSSL's are a constant.
    @Test func `the kernel's entropy is in every page`() async {
        await #expect(processExitsWith: .success) {
            try RandomnessTests.replaceGenerator()
            var one = RandomBuffer()
            var two = RandomBuffer()
            _ = try RandomnessTests.draw(&one)
            _ = try RandomnessTests.draw(&two)
            let (first, second) = (
                try RandomnessTests.content(one).dropLast(20), try RandomnessTests.content(two).dropLast(20)
            )
            for chunk in stride(from: 0, to: first.count - 16, by: 16) {
                let (a, b) = (first[chunk..<chunk + 16], second[chunk..<chunk + 16])
                #expect(a != b && a != Array(repeating: 0x5A, count: 16)[...])
            }
        }
    }

    @Test func `a generator that fails lets nothing be sealed and no key be made`() async {
        await #expect(processExitsWith: .success) {
            let sessions = try loginSealer(sampleRing(1))
            _ = try sessions.seal(login, at: noon)
            try RandomnessTests.replaceGenerator()
            for status: Int32 in [0, -1] {
                unsafe GeneratorStatus.value = status
                #expect(throws: SealError.libraryFailed(operation: "RAND_bytes")) {
                    // More than is left in the page.
                    for _ in 0..<500 { _ = try sessions.seal(login, at: noon) }
                }
                #expect(throws: SealError.libraryFailed(operation: "RAND_bytes")) {
                    try sessions.seal(login, at: noon)
                }
                let failure = #expect(throws: KeyRingError.self) { try SealingKey.generate() }
                #expect(failure?.problem == .libraryFailed(operation: "RAND_priv_bytes"))
                var buffer = RandomBuffer()
                #expect(throws: NativeFailure.self) { try RandomnessTests.draw(&buffer) }
                // Nothing is left to return: neither zeros nor what the call wrote.
                #expect(buffer.left == 0)
                // More than fits a page, so it is drawn without one.
                var many = [UInt8](repeating: 0, count: 5000)
                #expect(throws: NativeFailure.self) { try buffer.fill(&many, in: 0..<5000) }
            }
            unsafe GeneratorStatus.value = 1
            _ = try sessions.seal(login, at: noon)
        }
    }

    @Test func `a kernel without entropy is a failure`() {
        var bytes = [UInt8](repeating: 0, count: 64)
        let failure = #expect(throws: NativeFailure.self) {
            try unsafe bytes.withUnsafeMutableBytes { bytes in
                try unsafe RandomBuffer.draw(#require(bytes.baseAddress), 64, kernel: { _, _ in -1 })
            }
        }
        #expect(failure?.operation == "getentropy")
    }

    // MARK: What is left behind

    @Test func `a message's key is wiped when it is sealed, opened or refused`() throws {
        var ciphers = try XAESCiphers(sampleKey(1).material.key)
        func expectWiped(_ ciphers: borrowing XAESCiphers) {
            let left = ciphers.intermediates
            #expect((left.messageKey + left.gcmNonce).allSatisfy { $0 == 0 })
            #expect(left.subkey.contains { $0 != 0 })
        }
        /// Random, text, tag, data.
        var bytes = [UInt8](repeating: 7, count: 20 + 30 + 16 + 5)
        try ciphers.seal(&bytes, random: 0..<20, plaintext: 20..<50, associatedData: 66..<71)
        expectWiped(ciphers)
        var changed = bytes
        changed[30] ^= 1
        let forged = try ciphers.open(&changed, random: 0..<20, ciphertext: 20..<50, associatedData: 66..<71)
        #expect(!forged)
        expectWiped(ciphers)
        let authentic = try ciphers.open(
            &bytes, random: 0..<20, ciphertext: 20..<50, associatedData: 66..<71)
        #expect(authentic)
        expectWiped(ciphers)
        _ = try ciphers.derivation(nonce: XAESNonce(random: bytes.span.extracting(first: 20)))
        expectWiped(ciphers)
    }

    @Test func `ciphers with which a library failed are not used again`() throws {
        let key = try sampleKey(1).material
        /// The bytes left in the page of the current workspace: a new one has none.
        func left() throws -> Int {
            try key.withWorkspace { (workspace) throws(NativeFailure) in workspace.ciphers.random.left }
        }
        func draw() throws {
            try key.withWorkspace { (workspace) throws(NativeFailure) in
                var bytes = [UInt8](repeating: 0, count: 60)
                try workspace.ciphers.seal(
                    &bytes, random: 0..<20, plaintext: 20..<30, associatedData: 46..<50)
            }
        }
        try draw()
        let once = try left()
        #expect(once > 0)
        let failure = "EVP_EncryptUpdate"
        #expect(throws: SealError.libraryFailed(operation: failure)) {
            try key.withWorkspace { (_) throws(SealError) in throw .libraryFailed(operation: failure) }
        }
        #expect(try left() == 0)
        try draw()
        #expect(throws: OpenError.libraryFailed(operation: failure)) {
            try key.withWorkspace { (_) throws(OpenError) in throw .libraryFailed(operation: failure) }
        }
        #expect(try left() == 0)
        try draw()
        #expect(throws: NativeFailure.self) {
            try key.withWorkspace { (_) throws(NativeFailure) in throw NativeFailure(operation: failure) }
        }
        #expect(try left() == 0)
        // The control: a refusal of the token or the session discards no workspace.
        try draw()
        #expect(throws: OpenError.notAuthentic) {
            try key.withWorkspace { (_) throws(OpenError) in throw .notAuthentic }
        }
        #expect(throws: SealError.noActiveKey) {
            try key.withWorkspace { (_) throws(SealError) in throw .noActiveKey }
        }
        #expect(try left() == once)
    }

    // MARK: Fork

    /// The child writes its nonces to a pipe; none may be one of the parent's. In a separate process, because a child
    /// would find locks of the runtime taken by other tests' threads.
    @Test func `parent and child never share a nonce`() async {
        await #expect(processExitsWith: .success) {
            let count = 100
            var ends: [Int32] = [0, 0]
            try #require(unsafe pipe(&ends) == 0)
            // A buffer that is drawn and partly used, so that the child has a copy of it.
            var buffer = RandomBuffer()
            var first = [UInt8](repeating: 0, count: 20)
            try buffer.fill(&first, in: 0..<20)
            let child = fork()
            if child == 0 {
                var nonces = [UInt8](repeating: 0, count: count * 20)
                for draw in 0..<count {
                    if (try? buffer.fill(&nonces, in: draw * 20..<draw * 20 + 20)) == nil { _exit(2) }
                }
                let written = unsafe write(ends[1], nonces, nonces.count)
                _exit(written == nonces.count ? 0 : 3)
            }
            try #require(child > 0)
            close(ends[1])
            var parents: Set<[UInt8]> = [first]
            for _ in 0..<count {
                var nonce = [UInt8](repeating: 0, count: 20)
                try buffer.fill(&nonce, in: 0..<20)
                parents.insert(nonce)
            }
            var received: [UInt8] = []
            var chunk = [UInt8](repeating: 0, count: 4096)
            while true {
                let got = unsafe read(ends[0], &chunk, chunk.count)
                guard got > 0 else { break }
                received += chunk[..<got]
            }
            close(ends[0])
            var status: Int32 = 0
            #expect(unsafe waitpid(child, &status, 0) == child && status == 0)
            try #require(received.count == count * 20)
            let children = Set((0..<count).map { Array(received[$0 * 20..<$0 * 20 + 20]) })
            #expect(parents.count == count + 1 && children.count == count)
            // Counts, so that a failure does not print thousands of bytes.
            #expect(parents.intersection(children).count == 0)
            #expect(!children.contains(Array(repeating: 0, count: 20)))
        }
    }
}

/// What the generator installed by `replaceGenerator` returns. For a process with a single test.
private enum GeneratorStatus {
    nonisolated(unsafe) static var value: Int32 = 1
}

extension NativeFailure: WorkspaceError {
    static func libraryFailed(operation: String) -> NativeFailure {
        NativeFailure(operation: operation)
    }
    var isLibraryFailure: Bool { true }
    var leavesContents: Bool { false }
}
