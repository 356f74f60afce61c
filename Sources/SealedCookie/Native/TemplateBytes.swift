// Bytes of which four are others each time.

/// A template on the heap that is filled in on the stack. Not copyable, and so without a count of references.
@safe struct TemplateBytes: ~Copyable, @unchecked Sendable {
    // @unchecked: never changed.
    private let base: UnsafeMutablePointer<UInt8>
    private let count: Int
    private let place: Int

    /// - Parameter place: where the four bytes stand.
    init(_ bytes: [UInt8], place: Int) {
        precondition(place >= 0 && place + 4 <= bytes.count)
        self.count = bytes.count
        self.place = place
        unsafe base = .allocate(capacity: bytes.count)
        unsafe base.initialize(from: bytes, count: bytes.count)
    }

    deinit {
        unsafe base.deallocate()
    }

    /// The bytes with these four, for the time of `body`.
    @inline(__always)
    func with<Result>(
        _ four: InlineArray<4, UInt8>, _ body: (Span<UInt8>) throws(NativeFailure) -> Result
    ) throws(NativeFailure) -> Result {
        var outcome: Swift.Result<Result, NativeFailure>?
        unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: count) { copy in
            guard let start = copy.baseAddress else { return }
            // Sound: as many bytes as the template has; `init` has seen to it that the four are inside.
            unsafe start.initialize(from: base, count: count)
            for index in 0..<4 { unsafe start[place + index] = four[index] }
            do throws(NativeFailure) {
                outcome = .success(try unsafe body(UnsafeBufferPointer(copy).span))
            } catch {
                outcome = .failure(error)
            }
        }
        guard let outcome else { throw NativeFailure(operation: "memory for associated data") }
        return try outcome.get()
    }
}
