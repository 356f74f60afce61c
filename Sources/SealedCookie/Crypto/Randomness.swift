// Random bytes from OpenSSL's generator, drawn ahead, in memory that a fork cannot duplicate.
import SealedCookieLibc
import SealedCookieOpenSSL

/// A page of random bytes for nonces.
///
/// One call of RAND_bytes costs more than encrypting a small session, whatever its size, so bytes for about two
/// hundred nonces are drawn at a time. The number of bytes left is in the page too. In a forked child, the kernel
/// replaces the page with zeros, which means that none are left.
@safe struct RandomBuffer: ~Copyable, @unchecked Sendable {
    // @unchecked: the page belongs to this value alone.
    static var pageCount: Int { 4096 }
    static var headerCount: Int { MemoryLayout<Int>.size + MemoryLayout<Int64>.size }
    /// In nanoseconds. If a machine is copied while it runs, the page is copied with it, so bytes must not stay there
    /// for long.
    static var longestKept: Int64 { 1_000_000_000 }

    /// A header with the number of bytes left and the time when they were drawn, followed by the bytes. Nil if the
    /// system cannot wipe a page on fork: then every draw is a separate call.
    let page: UnsafeMutableRawPointer?
    /// The bytes that are drawn but not handed out, for tests.
    var left: Int { unsafe page?.load(as: Int.self) ?? 0 }

    init() {
        let page = unsafe mmap(
            nil, Self.pageCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let page = unsafe page, unsafe page != MAP_FAILED else {
            unsafe self.page = nil
            return
        }
        guard unsafe Libc.wipeOnFork(page, count: Self.pageCount) else {
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

    /// What a copy of this machine does not share, although it has a copy of the page.
    struct Moment {
        /// Nanoseconds of the monotonic clock; if there are `bits`, as of its last tick. Two copies that resume at
        /// the same time may see the same value.
        var time: Int64
        /// From the processor's own generator; 0 if it has none. Two copies get different bits.
        var bits: UInt64

        @inline(__always)
        static var now: Moment {
            // Only one of the two, at 22 ns each: both would be 6 % of sealing a login without compression.
            hasGenerator
                ? Moment(time: coarseMonotonicTime(), bits: sealed_cookie_processor_random())
                : Moment(time: fineMonotonicTime(), bits: 0)
        }

        // Asked once: on a virtual machine, the question costs more than sealing a session.
        private static let hasGenerator = sealed_cookie_has_processor_random()
    }

    /// Fills `range` of `bytes` with random bytes that no one else gets.
    ///
    /// Two machines cloned from one snapshot have the same page for up to `longestKept`. So each draw's moment is
    /// xored onto its first 16 bytes. The moment is independent of these bytes, so they stay as random as they were,
    /// and two clones' bytes differ if their moments do. That costs 3 % of sealing a login without compression (22 of
    /// 700 ns). The kernel's generator would cost a third.
    mutating func fill(
        _ bytes: inout [UInt8], in range: Range<Int>, at moment: Moment = .now
    ) throws(NativeFailure) {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count)
        try unsafe bytes.withUnsafeMutableBufferPointer { (target) throws(NativeFailure) in
            // Sound: the precondition keeps the range inside the array.
            let part = unsafe UnsafeMutableRawBufferPointer(
                UnsafeMutableBufferPointer(rebasing: target[range]))
            try unsafe copy(into: part, at: moment.time)
            guard part.count >= 16 else { return }
            // Sound: 16 bytes.
            let bits = unsafe part.loadUnaligned(as: UInt64.self) ^ moment.bits
            let time = unsafe part.loadUnaligned(fromByteOffset: 8, as: Int64.self) ^ moment.time
            unsafe part.storeBytes(of: bits, as: UInt64.self)
            unsafe part.storeBytes(of: time, toByteOffset: 8, as: Int64.self)
        }
    }

    /// Moves random bytes out of the page; they are overwritten there.
    private func copy(into target: UnsafeMutableRawBufferPointer, at now: Int64) throws(NativeFailure) {
        guard let base = target.baseAddress else {
            throw NativeFailure(operation: "random bytes for no place")
        }
        let capacity = Self.pageCount - Self.headerCount
        guard let page = unsafe page, target.count <= capacity else {
            return try unsafe Self.draw(base, target.count)
        }
        // Sound: the page is aligned and has a header and `capacity` bytes; `left` never exceeds those.
        let left = unsafe page.assumingMemoryBound(to: Int.self)
        let filled = unsafe (page + MemoryLayout<Int>.size).assumingMemoryBound(to: Int64.self)
        let bytes = unsafe page + Self.headerCount
        if unsafe left.pointee < target.count || now - filled.pointee > Self.longestKept {
            // Counted only when drawn: after a failure there are none to hand out.
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

    /// - Parameter kernel: `getentropy`, or for tests a function that fails.
    static func draw(
        _ target: UnsafeMutableRawPointer, _ count: Int,
        kernel: (UnsafeMutableRawPointer?, Int) -> Int32 = { unsafe getentropy($0, $1) }
    ) throws(NativeFailure) {
        let bytes = unsafe target.assumingMemoryBound(to: UInt8.self)
        let isDrawn = OpenSSL.locked { unsafe RAND_bytes(bytes, Int32(count)) == 1 }
        guard isDrawn else { throw NativeFailure(operation: "RAND_bytes") }
        // A cloned machine has a copy of OpenSSL's generator, and so does a child whose process number equals the
        // parent's. Both copies then return the same bytes. The kernel's generator does not.
        var more = InlineArray<256, UInt8>(repeating: 0)
        let failed = unsafe withUnsafeMutableBytes(of: &more) { more in
            let failed = unsafe kernel(more.baseAddress, more.count)
            if failed == 0 {
                // Sound: `count` bytes, for which the caller has room.
                var bytes = unsafe MutableSpan(_unsafeStart: bytes, count: count)
                unsafe mix(more.bindMemory(to: UInt8.self).span, into: &bytes)
            }
            return failed
        }
        guard failed == 0 else { throw NativeFailure(operation: "getentropy") }
    }

    /// Xors 256 bytes repeatedly onto a page of others, differently each time. Either source by itself is then enough
    /// to make all nonces of a page differ.
    static func mix(_ more: Span<UInt8>, into bytes: inout MutableSpan<UInt8>) {
        precondition(more.count == 256)
        for index in bytes.indices {
            bytes[index] ^= more[index & 255] &+ UInt8(truncatingIfNeeded: index >> 8)
        }
    }
}

/// Nanoseconds of a clock that never goes back.
private func fineMonotonicTime() -> Int64 {
    var now = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &now)
    return Int64(now.tv_sec) &* 1_000_000_000 &+ Int64(now.tv_nsec)
}
