// Keys of a container: text, or integers. FORMAT §7.

/// How the keys of a container are written: as text, or as the integers that they have.
enum KeyForm {
    /// Keys of a dictionary with text keys, or of an unknown type: text can be read back as either.
    case text
    /// Keys of a dictionary with integer keys.
    case integer
    /// Keys of any other type: an integer if that alone restores the key. So `case name = 9` is 9. A dynamic key is
    /// an integer only if it is spelled as one: "+49" is text, though its `intValue` may be 49.
    case own

    /// The standard library gives all dictionaries one private key type, in which "42" has an integer value even if
    /// it was a String. For that key type, the dictionary's own type decides.
    init(of keyType: Any.Type, in type: Any.Type) {
        self =
            if keyType != Self.dictionaryKeyType {
                .own
            } else if type is any IntegerKeyedDictionary.Type {
                .integer
            } else {
                .text
            }
    }

    /// The integer that is written for `key`; nil: its text is written.
    @inline(__always)
    func integer<Key: CodingKey>(
        of key: Key, in shared: Shared<some KeyMemory>
    ) -> (integer: Int, kind: IntegerKey)? {
        guard self != .text, let integer = key.intValue else { return nil }
        if self == .integer { return (integer, .spelled) }
        return shared.value.knows(key) ? (integer, .declared) : Self.own(key, integer, shared)
    }

    /// A key that spells a number is not created from that number as a test: JSON's coders never do that, and many
    /// key types do not support it.
    @inline(never)
    private static func own<Key: CodingKey>(
        _ key: Key, _ integer: Int, _ shared: Shared<some KeyMemory>
    ) -> (integer: Int, kind: IntegerKey)? {
        let text = key.stringValue
        // Digits and signs come before all letters.
        if let first = text.utf8.first, first < 0x3A, let spelled = Int(text) {
            return spelled == integer && spelled.description == text ? (integer, .spelled) : nil
        }
        guard let same = Key(intValue: integer), same.stringValue == text else { return nil }
        if let byte = onlyByte(of: key), byte == onlyByte(of: same) { shared.value.remember(key) }
        return (integer, .declared)
    }

    /// The key type with which a dictionary asks for its container.
    private static let dictionaryKeyType = KeyTypeProbe.keyType(of: [Int: Int]())
}

/// A key that is written as an integer: its text is that number, or a name.
enum IntegerKey: UInt8, Sendable { case spelled, declared }

/// Remembers keys that their integers restore.
protocol KeyMemory {
    /// Mutating only to avoid a retain of what it reads.
    mutating func knows<Key: CodingKey>(_ key: Key) -> Bool
    mutating func remember<Key: CodingKey>(_ key: Key)
}

/// Keys that their integers restore, so that not every session has to find out: with ten keys, that would take a
/// fifth of an open. Only keys of one byte, such as those of an enum, which are identified by that byte.
struct KnownKeys: Sendable {
    /// A type's address, with a key's byte in front. Empty before the first: most types have no integers for keys.
    private var words: [UInt64] = []
    private static let count = 64

    @inline(__always)
    mutating func contains<Key>(_ key: Key) -> Bool {
        guard let word = Self.word(key) else { return false }
        let index = Self.index(word)
        return index < words.count && words[index] == word
    }

    mutating func insert<Key>(_ key: Key) {
        guard let word = Self.word(key) else { return }
        if words.isEmpty { words = Array(repeating: 0, count: Self.count) }
        words[Self.index(word)] = word
    }

    @inline(__always)
    private static func word<Key>(_ key: Key) -> UInt64? {
        onlyByte(of: key).map { UInt64(UInt(bitPattern: ObjectIdentifier(Key.self))) ^ UInt64($0) << 56 }
    }

    /// The keys of one type, one after the other.
    @inline(__always)
    private static func index(_ word: UInt64) -> Int {
        Int(truncatingIfNeeded: word >> 3 &+ word >> 56) & (count - 1)
    }
}

/// Finds the private key type of a type from another module.
final class KeyTypeProbe: Encoder {
    private var keyType: Any.Type = Never.self
    private let scratch = CBORItemEncoder(
        tree: Shared(ItemBuilder()), node: ItemBuilder.root, type: Never.self)
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    static func keyType(of value: some Encodable) -> Any.Type {
        let probe = KeyTypeProbe()
        // The type asks for its container before anything can fail.
        try? value.encode(to: probe)
        return probe.keyType
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        keyType = type
        return KeyedEncodingContainer(
            CBORKeyedEncodingContainer(tree: scratch.tree, node: scratch.node, form: .text))
    }
    func unkeyedContainer() -> any UnkeyedEncodingContainer { scratch.unkeyedContainer() }
    func singleValueContainer() -> any SingleValueEncodingContainer { scratch.singleValueContainer() }
}

private protocol IntegerKeyedDictionary {}
extension Dictionary: IntegerKeyedDictionary where Key == Int {}
