// Memory for keys and for text that contains keys: wiped when it grows and when it is freed.
import SealedCookieLibc
import SealedCookieOpenSSL

/// Bytes that are never left in freed memory.
///
/// They are on the heap, because wiping a value in a `deinit` may wipe a copy of it. The type is not copyable, so
/// there is only one copy to wipe.
@safe struct SecretBytes: ~Copyable, @unchecked Sendable {
    // @unchecked: this value alone owns the pointer, and mutation needs `mutating`.
    private var base: UnsafeMutableRawPointer?
    private var capacity: Int
    private(set) var count: Int

    /// An empty buffer with a capacity of `capacity` bytes.
    init(capacity: Int) throws(NativeFailure) {
        let capacity = max(capacity, 1)
        guard let base = unsafe sealed_cookie_allocate(capacity) else {
            throw NativeFailure(operation: "OPENSSL_zalloc")
        }
        unsafe self.base = base
        self.capacity = capacity
        self.count = 0
    }

    static func copy(of bytes: Span<UInt8>) throws(NativeFailure) -> SecretBytes {
        var copy = try SecretBytes(capacity: bytes.count)
        try copy.append(bytes)
        return copy
    }

    /// An environment variable's value; nil if there is no such variable.
    static func environment(_ name: String) throws(NativeFailure) -> SecretBytes? {
        guard let value = unsafe getenv(name) else { return nil }
        let count = unsafe strlen(value)
        var bytes = try SecretBytes(capacity: count)
        try unsafe bytes.fill(room: count) { target in
            // Sound: `fill` provides room for `count` bytes, and the value has that many before its zero.
            unsafe target.copyMemory(from: value, byteCount: count)
            return count
        }
        return bytes
    }

    /// `count` bytes from OpenSSL's generator for private values.
    static func random(count: Int) throws(NativeFailure) -> SecretBytes {
        try OpenSSL.prepare()
        var bytes = try SecretBytes(capacity: count)
        try unsafe bytes.fill(room: count) { (target) throws(NativeFailure) in
            // Sound: `fill` provides room for `count` bytes.
            let bytes = unsafe target.assumingMemoryBound(to: UInt8.self)
            let isDrawn = OpenSSL.locked { unsafe RAND_priv_bytes(bytes, Int32(count)) == 1 }
            guard isDrawn else { throw NativeFailure(operation: "RAND_priv_bytes") }
            return count
        }
        return bytes
    }

    deinit {
        unsafe sealed_cookie_wipe_and_free(base, capacity)
    }

    mutating func append(_ bytes: Span<UInt8>) throws(NativeFailure) {
        try reserve(bytes.count)
        unsafe bytes.withUnsafeBufferPointer { source in
            guard source.count > 0, let from = source.baseAddress, let base = unsafe base else { return }
            // Sound: `reserve` made room for source.count bytes after `count`.
            unsafe (base + count).copyMemory(from: from, byteCount: source.count)
        }
        count += bytes.count
    }

    mutating func append(_ byte: UInt8) throws(NativeFailure) {
        try reserve(1)
        unsafe base?.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
        count += 1
    }

    mutating func append(_ text: String) throws(NativeFailure) {
        for byte in text.utf8 { try append(byte) }
    }

    /// The bytes, for the time of `body`.
    func withSpan<Result: ~Copyable, Failure: Error>(
        _ body: (Span<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let bytes = unsafe UnsafeBufferPointer(start: base?.assumingMemoryBound(to: UInt8.self), count: count)
        return try unsafe body(bytes.span)
    }

    /// Lets a C function write the next bytes, at most `room` of them; it returns how many it wrote.
    mutating func fill(
        room: Int, _ write: (UnsafeMutableRawPointer) throws(NativeFailure) -> Int
    ) throws(NativeFailure) {
        try reserve(room)
        guard let base = unsafe base else { return }
        let written = unsafe try write(base + count)
        precondition(written >= 0 && written <= room)
        count += written
    }

    private mutating func reserve(_ extra: Int) throws(NativeFailure) {
        guard count + extra > capacity else { return }
        let larger = max(capacity * 2, count + extra)
        // OPENSSL_clear_realloc wipes the old block before it frees it.
        guard let moved = unsafe sealed_cookie_grow(base, capacity, larger) else {
            throw NativeFailure(operation: "OPENSSL_clear_realloc")
        }
        unsafe base = moved
        capacity = larger
    }
}

/// Overwrites bytes that must not be seen again, such as a plaintext whose tag did not verify.
func wipe(_ bytes: inout [UInt8], in range: Range<Int>) {
    unsafe bytes.withUnsafeMutableBytes { buffer in
        let part = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[range])
        unsafe OPENSSL_cleanse(part.baseAddress, part.count)
    }
}
