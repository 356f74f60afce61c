// What browsers store.

/// The largest cookie to write. Over a browser's limit the browser keeps the old cookie in silence.
public struct CookieLimits: Hashable, Sendable {
    /// Bytes of name and value together; `=`, attributes and the rest of the line do not count.
    public var nameAndValue: Int
    /// Bytes of one attribute's value.
    public var attributeValue: Int

    public init(nameAndValue: Int, attributeValue: Int) {
        self.nameAndValue = nameAndValue
        self.attributeValue = attributeValue
    }

    /// RFC 6265bis §5.6: 4096 and 1024 bytes, which Chromium and Firefox keep to the byte.
    public static let rfc6265bis = CookieLimits(nameAndValue: 4096, attributeValue: 1024)

    /// The least to ask for: a token needs some 70 bytes, a name more.
    static let minimumNameAndValue = 128
}
