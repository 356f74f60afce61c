// Random bytes from OpenSSL's generator, drawn ahead, in memory that a fork cannot duplicate.
import COpenSSL
import Glibc

/// A page of random bytes for nonces.
///
/// One call of RAND_bytes costs more than encrypting a small session, whatever it asks for; so they
/// are drawn some two hundred nonces at a time. How many are left stands in the page too: in a forked
/// child the kernel hands out zeros in place of the page, which says that none are left.
@safe struct RandomBuffer: ~Copyable, @unchecked Sendable {
    // @unchecked: the page is this value's alone.
    private static var pageCount: Int { 4096 }
    private static var headerCount: Int { MemoryLayout<Int>.size + MemoryLayout<Int64>.size }
    /// Nanoseconds. A machine that is copied while it runs copies the page with it: so there is never
    /// much in it that has waited.
    private static var longestKept: Int64 { 1_000_000_000 }

    /// Nil where the system cannot wipe a page on fork: then every draw is a call of its own.
    private let page: UnsafeMutableRawPointer?

    init() {
        let page = unsafe mmap(
            nil, Self.pageCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let page = unsafe page, unsafe page != MAP_FAILED else {
            unsafe self.page = nil
            return
        }
        // Some emulators say yes to any advice, and do nothing: they are told by advice that there is none of.
        guard unsafe madvise(page, Self.pageCount, -1) != 0,
            unsafe madvise(page, Self.pageCount, MADV_WIPEONFORK) == 0
        else {
            unsafe munmap(page, Self.pageCount)
            unsafe self.page = nil
            return
        }
        unsafe self.page = page
    }

    deinit {
        guard let page = unsafe page else { return }
        unsafe OPENSSL_cleanse(page, Self.pageCount)
        unsafe munmap(page, Self.pageCount)
    }

    /// Fills `range` of `bytes` with random bytes that nobody else gets.
    mutating func fill(_ bytes: inout [UInt8], in range: Range<Int>) throws(NativeFailure) {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count)
        try unsafe bytes.withUnsafeMutableBufferPointer { (target) throws(NativeFailure) in
            // Sound: the precondition keeps the range inside the array.
            try unsafe copy(
                into: UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(rebasing: target[range])))
        }
    }

    /// Moves random bytes out of the page; they are overwritten there.
    private func copy(into target: UnsafeMutableRawBufferPointer) throws(NativeFailure) {
        guard let base = target.baseAddress else {
            throw NativeFailure(operation: "random bytes for no place")
        }
        let capacity = Self.pageCount - Self.headerCount
        guard let page = unsafe page, target.count <= capacity else {
            return try unsafe Self.draw(base, target.count)
        }
        // Sound: the page is aligned and holds a header and `capacity` bytes; `left` never exceeds those.
        let left = unsafe page.assumingMemoryBound(to: Int.self)
        let filled = unsafe (page + MemoryLayout<Int>.size).assumingMemoryBound(to: Int64.self)
        let bytes = unsafe page + Self.headerCount
        let now = coarseMonotonicTime()
        if unsafe left.pointee < target.count || now - filled.pointee > Self.longestKept {
            // Counted only when drawn: a failure leaves none to hand out.
            unsafe left.pointee = 0
            try unsafe Self.draw(bytes, capacity)
            unsafe filled.pointee = now
            unsafe left.pointee = capacity
        }
        let next = unsafe bytes + (left.pointee - target.count)
        unsafe left.pointee -= target.count
        unsafe base.copyMemory(from: next, byteCount: target.count)
        unsafe OPENSSL_cleanse(next, target.count)
    }

    private static func draw(_ target: UnsafeMutableRawPointer, _ count: Int) throws(NativeFailure) {
        let bytes = unsafe target.assumingMemoryBound(to: UInt8.self)
        guard unsafe RAND_bytes(bytes, Int32(count)) == 1 else {
            throw NativeFailure(operation: "RAND_bytes")
        }
        // OpenSSL's generator is copied with a machine that is cloned, and in a child whose process number
        // is the parent's, and then gives both the same. The kernel's does not.
        var more = InlineArray<256, UInt8>(repeating: 0)
        let failed = unsafe withUnsafeMutableBytes(of: &more) { more in
            let failed = unsafe getentropy(more.baseAddress, more.count)
            if failed == 0 {
                // Sound: `count` bytes, which the caller has room for.
                var bytes = unsafe MutableSpan(_unsafeStart: bytes, count: count)
                unsafe mix(more.bindMemory(to: UInt8.self).span, into: &bytes)
            }
            return failed
        }
        guard failed == 0 else { throw NativeFailure(operation: "getentropy") }
    }

    /// Adds 256 bytes to a page of others, over and over, and each time otherwise: one source by itself is
    /// enough to have all nonces of a page differ.
    static func mix(_ more: Span<UInt8>, into bytes: inout MutableSpan<UInt8>) {
        precondition(more.count == 256)
        for index in bytes.indices {
            bytes[index] ^= more[index & 255] &+ UInt8(truncatingIfNeeded: index >> 8)
        }
    }
}
