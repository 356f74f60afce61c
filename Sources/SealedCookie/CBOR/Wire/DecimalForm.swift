// A Decimal's mantissa and exponent, which Foundation shows only to an Encoder.
#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The parts of a Decimal, as it encodes them itself.
final class DecimalForm {
    fileprivate(set) var mantissa: UInt128 = 0
    fileprivate(set) var exponent: Int32 = 0
    fileprivate(set) var isNegative = false
    fileprivate var hasExponent = false
    fileprivate var wordCount = 0

    /// Nil if the Decimal does not encode itself as expected.
    init?(of decimal: Decimal) {
        do { try decimal.encode(to: DecimalFormEncoder(form: self)) } catch { return nil }
        guard hasExponent, wordCount == 8 else { return nil }
    }
}

/// A Decimal's encoder, and the container for its mantissa.
private struct DecimalFormEncoder: Encoder, UnkeyedEncodingContainer, SingleValueEncodingContainer {
    /// Something other than a Decimal's words was encoded.
    struct Unexpected: Error {}

    let form: DecimalForm
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }
    var count: Int { form.wordCount }

    /// The mantissa's words, the lowest first.
    func encode(_ word: UInt16) throws {
        guard form.wordCount < 8 else { throw Unexpected() }
        form.mantissa |= UInt128(word) << UInt128(16 * form.wordCount)
        form.wordCount += 1
    }
    func encodeNil() throws { throw Unexpected() }
    func encode<Value: Encodable>(_ value: Value) throws { throw Unexpected() }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        KeyedEncodingContainer(DecimalFormContainer<Key>(form: form))
    }
    func unkeyedContainer() -> any UnkeyedEncodingContainer { self }
    func singleValueContainer() -> any SingleValueEncodingContainer { self }
    func nestedContainer<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        container(keyedBy: type)
    }
    func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { self }
    func superEncoder() -> any Encoder { self }
}

private struct DecimalFormContainer<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let form: DecimalForm
    var codingPath: [any CodingKey] { [] }

    func encode(_ value: Int32, forKey key: Key) throws {
        guard key.stringValue == "exponent" else { return }
        (form.exponent, form.hasExponent) = (value, true)
    }
    func encode(_ value: Bool, forKey key: Key) throws {
        if key.stringValue == "isNegative" { form.isNegative = value }
    }
    /// The mantissa's length, which is known from the mantissa itself.
    func encode<Value: Encodable>(_ value: Value, forKey key: Key) throws {}
    func encodeNil(forKey key: Key) throws {}
    func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type, forKey key: Key
    ) -> KeyedEncodingContainer<NestedKey> { DecimalFormEncoder(form: form).container(keyedBy: type) }
    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        DecimalFormEncoder(form: form)
    }
    func superEncoder() -> any Encoder { DecimalFormEncoder(form: form) }
    func superEncoder(forKey key: Key) -> any Encoder { superEncoder() }
}
