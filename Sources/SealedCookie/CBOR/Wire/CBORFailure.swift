// Why bytes are not an item of our profile, or why a value cannot become one. FORMAT §7.

/// One step of the path from an item's root to a position inside it.
enum CBORPathElement: Equatable, Sendable {
    case key(String)
    case integerKey(Int64)
    case index(Int)
}

struct CBORFailure: Error, Equatable {
    enum Reason: Equatable, Sendable {
        case endsEarly
        case trailingBytes
        case indefiniteLength
        case reservedHead
        case notShortest
        case keysOutOfOrder
        case duplicateKey
        case unusableKey
        case notUTF8
        case combiningMarks
        case tooDeep
        case tooLong
        case unknownTag(UInt64)
        case tagContent(UInt64)
        case unknownSimpleValue
        case byteStringContents
        // While encoding:
        case tooManyValues(Int)
        case containerMixed
        case encodedTwice
        case keysOfOneInteger
        case encoderKept
        case secretLost
        case sessionLost
    }

    let reason: Reason
    let path: [CBORPathElement]

    init(_ reason: Reason, path: [CBORPathElement] = []) {
        self.reason = reason
        self.path = path
    }

    /// The same failure, with a path that begins one level further out.
    func inside(_ element: CBORPathElement) -> CBORFailure {
        CBORFailure(reason, path: [element] + path)
    }
}

extension CBORFailure.Reason: CustomStringConvertible {
    var description: String {
        switch self {
        case .endsEarly: "the item ends early"
        case .trailingBytes: "bytes follow the item"
        case .indefiniteLength: "an indefinite length"
        case .reservedHead: "a reserved head"
        case .notShortest: "a number or length not in its shortest form"
        case .keysOutOfOrder: "map keys out of order"
        case .duplicateKey: "a map key occurs twice"
        case .unusableKey: "a map key that is neither text nor a signed 64-bit integer"
        case .notUTF8: "text that is not UTF-8"
        case .combiningMarks: "text with more than \(CombiningMarks.longestRun) combining marks in a row"
        case .tooDeep: "more than \(CBORLimits.depth) levels"
        case .tooLong: "more than \(CBORLimits.itemBytes) bytes"
        case .unknownTag(let tag): "tag \(tag) is not one of the format's"
        case .tagContent(let tag): "content that tag \(tag) cannot have"
        case .unknownSimpleValue: "a simple value other than false, true and null"
        case .byteStringContents: "byte string contents that do not match the item"
        case .tooManyValues(let most): "too many values: more than \(most)"
        case .containerMixed: "one value asked for two kinds of container"
        case .encodedTwice: "one value was encoded twice"
        case .keysOfOneInteger: "two keys with the same integer"
        case .encoderKept: "an encoder was used after its value was encoded"
        case .secretLost: "a secret was given to an encoder that does not pass it on unchanged"
        case .sessionLost: "an encoded session was given to an encoder that does not pass it on unchanged"
        }
    }
}

extension CBORPathElement {
    /// The key or index alone, for a log line.
    var text: String {
        switch self {
        case .key(let key): key.printable
        case .integerKey(let key): String(key)
        case .index(let index): String(index)
        }
    }
}

extension [CBORPathElement] {
    /// The path in readable form: `.items[2].name`, or `.` for the root.
    var pathDescription: String {
        guard !isEmpty else { return "." }
        return reduce(into: "") { text, element in
            switch element {
            case .key(let key): text += ".\(key.printable)"
            case .integerKey(let key): text += ".\(key)"
            case .index(let index): text += "[\(index)]"
            }
        }
    }
}

extension CodingUserInfoKey {
    /// The key under which a type finds its coder on other threads, or through a coder that passes `userInfo` on.
    private static let coder = CodingUserInfoKey(rawValue: "SealedCookie.coder")

    static func own<Coder: AnyObject>(in userInfo: [CodingUserInfoKey: Any], as type: Coder.Type) -> Coder? {
        coder.flatMap { userInfo[$0] as? Coder }
    }

    static func adding(
        _ coder: AnyObject, to userInfo: [CodingUserInfoKey: any Sendable]
    ) -> [CodingUserInfoKey: Any] {
        var all: [CodingUserInfoKey: Any] = userInfo
        if let key = Self.coder { all[key] = coder }
        return all
    }
}

/// A coding key for any position in an item. It is small enough for an existential without allocated memory.
struct CBORKey: CodingKey {
    private let element: CBORPathElement

    init(stringValue: String) { element = .key(stringValue) }
    init(intValue: Int) { element = .integerKey(Int64(intValue)) }
    init(_ element: CBORPathElement) { self.element = element }

    var stringValue: String {
        switch element {
        case .key(let key): key
        case .integerKey(let key): String(key)
        case .index(let index): String(index)
        }
    }

    var intValue: Int? {
        switch element {
        case .key: nil
        case .integerKey(let key): Int(key)
        case .index(let index): index
        }
    }

    static let `super` = CBORKey(stringValue: "super")
}
