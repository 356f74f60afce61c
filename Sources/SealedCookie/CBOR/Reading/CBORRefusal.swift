// Why a value cannot be decoded, in words. Refusals are cheap, for types that try one form after the other. FORMAT
// §7.

/// What this decoder says about a value, without the value itself: fit for a log.
struct CBORMismatch: Error {
    let words: String
}

/// The refusals of one decoding.
///
/// A type that tries one form after the other causes an error for each that fails. In a session made for it, that is
/// a million errors. So only the first few errors get paths and words, since anyone may read them. Later errors are
/// created once for each type, and the last one is completed when it leaves the decoder.
struct CBORRefusals {
    enum Reason {
        case mismatch, outOfRange, missing, end, malformed, secret, refusedSecret
    }

    struct Refusal {
        let reason: Reason
        let type: Any.Type
        let position: CBORReader.Position
    }

    fileprivate(set) var count = 0
    fileprivate var last: Refusal?
    fileprivate var bare: [Bare] = []

    fileprivate struct Bare {
        let type: Any.Type
        let isNull: Bool
        let error: any Error
    }

    /// The number of errors that are created in full.
    fileprivate static let mostWhole = 16
    fileprivate static let mostBare = 16
    fileprivate static let bareContext = DecodingError.Context(
        codingPath: [], debugDescription: "not what was asked for", underlyingError: CBORMismatch(words: ""))
}

extension CBORReader {
    func mismatch(_ type: Any.Type, at position: Position) -> any Error {
        // A decoder of the user's may read something else when it is asked for a Bool.
        if value.isAwaitingMark { (value.isAwaitingMark, value.mark) = (false, position) }
        return failure(.mismatch, type, at: position)
    }

    func missing(_ key: some CodingKey, in map: Position) -> any Error {
        DecodingError.keyNotFound(key, next(.missing, Never.self, at: map) ?? CBORRefusals.bareContext)
    }

    func failure(_ reason: CBORRefusals.Reason, _ type: Any.Type, at position: Position) -> any Error {
        if let context = next(reason, type, at: position) {
            return error(reason, type, context, at: position)
        }
        guard reason == .mismatch else { return error(reason, type, CBORRefusals.bareContext, at: position) }
        let isNull = isNull(position)
        for bare in value.refusals.bare where bare.type == type && bare.isNull == isNull { return bare.error }
        let bare = CBORRefusals.Bare(
            type: type, isNull: isNull, error: error(reason, type, CBORRefusals.bareContext, at: position))
        if value.refusals.bare.count < CBORRefusals.mostBare { value.refusals.bare.append(bare) }
        return bare.error
    }

    /// Counts a refusal. Returns its context, or nil if the bare error must do.
    func next(
        _ reason: CBORRefusals.Reason, _ type: Any.Type, at position: Position
    ) -> DecodingError.Context? {
        let refusal = CBORRefusals.Refusal(reason: reason, type: type, position: position)
        if let outer = value.outer {
            // The error is later completed from this.
            return outer.reader.next(reason, type, at: outer.position).map { _ in context(refusal) }
        }
        guard !value.isKept else { return context(refusal) }
        value.refusals.last = refusal
        value.refusals.count += 1
        return value.refusals.count <= CBORRefusals.mostWhole ? context(refusal) : nil
    }

    private func error(
        _ reason: CBORRefusals.Reason, _ type: Any.Type, _ context: DecodingError.Context,
        at position: Position
    ) -> DecodingError {
        switch reason {
        case .mismatch: isNull(position) ? .valueNotFound(type, context) : .typeMismatch(type, context)
        case .secret: .typeMismatch(type, context)
        case .end: .valueNotFound(type, context)
        case .outOfRange, .malformed, .missing, .refusedSecret: .dataCorrupted(context)
        }
    }

    private func context(_ refusal: CBORRefusals.Refusal) -> DecodingError.Context {
        let words = words(refusal)
        return .init(
            codingPath: path(to: refusal.position), debugDescription: words,
            underlyingError: CBORMismatch(words: words))
    }

    private func words(_ refusal: CBORRefusals.Refusal) -> String {
        let found = description(refusal.position)
        return switch refusal.reason {
        case .mismatch: "\(found) where \(name(refusal.type)) was expected"
        case .outOfRange: "\(found) that \(name(refusal.type)) cannot hold"
        case .missing: "the key is missing"
        case .end: "an array that ends too early, where \(name(refusal.type)) was expected"
        case .malformed: "\(found) that is not a valid \(name(refusal.type))"
        case .secret: "a secret that contains no \(name(refusal.type))"
        case .refusedSecret: "a secret that contains a value that its type refuses"
        }
    }

    /// The type's name as people say it.
    private func name(_ type: Any.Type) -> String {
        switch type {
        case is [String: Any].Type: "a map"
        case is [Any].Type: "an array"
        default: "\(type)"
        }
    }

    /// What is at `position`, in words and without its value.
    private func description(_ position: Position) -> String {
        let node = index.node(Int(position))
        return switch node.kind {
        case .unsigned, .negative: "an integer"
        case .bytes: "a byte string"
        case .text: "text"
        case .array: "an array"
        case .map: "a map"
        case .bool: "a Bool"
        case .null: "null"
        case .float: "a float"
        case .tag:
            switch node.argument {
            case CBORTag.epochTime, CBORTag.extendedTime: "a Date"
            case CBORTag.positiveBignum, CBORTag.negativeBignum: "an integer"
            case CBORTag.decimalFraction: "a Decimal"
            case CBORTag.embeddedItem: "a secret"
            case CBORTag.url: "a URL"
            default: "a UUID"
            }
        }
    }

    /// Completes an error that leaves the decoder.
    func whole(_ error: DecodingError) -> DecodingError {
        guard let words = (error.context?.underlyingError as? CBORMismatch)?.words, words.isEmpty,
            let last = value.refusals.last
        else { return error }
        switch error {
        case .keyNotFound(let key, _): return .keyNotFound(key, context(last))
        default: return self.error(last.reason, last.type, context(last), at: last.position)
        }
    }

    /// An error inside a secret at `position`, which reveals nothing inside it except types.
    ///
    /// - Parameter type: The type of the secret's value.
    func secret(_ error: DecodingError, _ type: Any.Type, at position: Position) -> DecodingError {
        let (reason, type): (CBORRefusals.Reason, Any.Type) =
            switch error {
            case .typeMismatch(let type, _), .valueNotFound(let type, _): (.secret, type)
            case .keyNotFound: (.secret, type)
            default: (.refusedSecret, type)
            }
        // If the refusal inside is this decoder's own, it has already been counted.
        let refusal = CBORRefusals.Refusal(reason: reason, type: type, position: position)
        if !value.isKept { value.refusals.last = refusal }
        let isWhole = value.isKept || value.refusals.count <= CBORRefusals.mostWhole
        return self.error(reason, type, isWhole ? context(refusal) : CBORRefusals.bareContext, at: position)
    }
}

extension DecodingError {
    var context: Context? {
        switch self {
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .keyNotFound(_, let context),
            .dataCorrupted(let context):
            context
        @unknown default: nil
        }
    }
}
