// The standard streams and input files of the command line tool.
import SealedCookie
import SealedCookieLibc

enum StandardStreams {
    enum Stream: Int32 {
        case output = 1
        case error = 2
    }

    /// Writes all of `text`.
    ///
    /// - Throws: the system's reason as text. If the reader is gone, SIGPIPE ends the process first, unless that signal
    ///   is ignored.
    static func write(_ text: String, to stream: Stream) throws(StreamFailure) {
        try write(text.utf8Span.span, to: stream)
    }

    /// Writes all of `bytes`. They may be secret: they are not copied.
    static func write(_ bytes: Span<UInt8>, to stream: Stream) throws(StreamFailure) {
        let code: Int32 = unsafe bytes.withUnsafeBufferPointer { buffer in
            var written = 0
            while written < buffer.count {
                guard let base = buffer.baseAddress else { break }
                // Sound: the count stays inside the buffer.
                let count = unsafe SealedCookieLibc.write(
                    stream.rawValue, base + written, buffer.count - written)
                if count < 0, errno == EINTR { continue }
                if count <= 0 { return count < 0 ? errno : EIO }
                written += count
            }
            return 0
        }
        if code != 0 { throw StreamFailure("write", code) }
    }

    /// Closes the standard output: some file systems report a full disk only then.
    static func closeOutput() throws(StreamFailure) {
        // EBADF: it was closed from the start, and nothing was written.
        if close(Stream.output.rawValue) != 0, errno != EBADF { throw StreamFailure("close", errno) }
    }

    /// The process's arguments without its name; nil for one that is not UTF-8, in which Swift would replace bytes.
    static var arguments: [String?] {
        let count = Int(CommandLine.argc)
        // Sound: there are `argc` strings, each of which ends with a zero.
        return (1..<max(count, 1)).map { index in
            unsafe CommandLine.unsafeArgv[index].flatMap { unsafe String(validatingCString: $0) }
        }
    }

    /// The system's message for an errno.
    static func reason(_ code: Int32) -> String { SystemFailure(operation: "", code: code).reason }

    static func isTerminal(_ stream: Stream) -> Bool { isatty(stream.rawValue) == 1 }
    /// The width of the terminal; nil if the stream is not a terminal.
    static func terminalColumns(_ stream: Stream) -> Int? {
        var size = winsize()
        guard unsafe ioctl(stream.rawValue, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return Int(size.ws_col)
    }

    static var inputIsTerminal: Bool { isatty(0) == 1 }

    /// An environment variable's value.
    static func environment(_ name: String) -> String? {
        guard let value = unsafe getenv(name) else { return nil }
        // Sound: the environment's strings end with a zero, and no thread of this tool changes them.
        return unsafe String(cString: value)
    }

    /// The whole of a file, or of the standard input for nil.
    ///
    /// - Throws: the system's reason as text, also for more than `limit` bytes.
    static func read(_ path: String?, limit: Int) throws(StreamFailure) -> [UInt8] {
        do throws(SystemFailure) {
            return try InputFile.read(path, limit: limit)
        } catch {
            throw StreamFailure(reason: error.reason)
        }
    }

    struct StreamFailure: Error {
        let reason: String

        init(reason: String) { self.reason = reason }

        init(_ operation: String, _ code: Int32) {
            reason = SystemFailure(operation: operation, code: code).reason
        }
    }
}
