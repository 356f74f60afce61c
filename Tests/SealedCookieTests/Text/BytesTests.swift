// Code that reads many bytes at a time treats every byte as a slow reader would.
import Foundation
import SealedCookieOpenSSL
import Testing

@testable import SealedCookie

@Suite struct BytesTests {
    private static let alphabet = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    /// Whether text is base64url by FORMAT §2, checked character by character.
    private func isBase64URL(_ text: [UInt8]) -> Bool {
        let values = text.map { Self.alphabet.firstIndex(of: $0) }
        guard values.allSatisfy({ $0 != nil }), text.count % 4 != 1 else { return false }
        let last = (values.last ?? 0) ?? 0
        switch text.count % 4 {
        case 2: return last & 15 == 0
        case 3: return last & 3 == 0
        default: return true
        }
    }

    // Spans do not go through #expect.
    private func isText(_ text: [UInt8]) -> Bool { Base64URL.isText(text.span) }
    private func decoded(_ text: [UInt8]) -> [UInt8]? { Base64URL.decode(text.span) }
    private func encoded(_ bytes: [UInt8]) -> String { Base64URL.encode(bytes.span) }
    private func isASCII(_ text: [UInt8]) -> Bool { text.span.isASCII }
    private func secret(_ text: [UInt8]) throws -> [UInt8]? {
        guard let secret = try Base64URL.decodeSecret(text.span) else { return nil }
        return secret.copied
    }

    @Test func `a wrong character is found at any place of a text of any length`() throws {
        let wrong = Array("+/=.,:@[`{^".utf8) + [0, 9, 0x0A, 0x20, 0x7F, 0x80, 0xC3, 0xFF]
        for count in [
            0, 1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 13, 14, 15, 16, 63, 64, 65, 66, 67, 68, 127, 128, 130, 131,
            200,
        ] {
            // For A, all bits that belong to no byte are 0.
            let text = [UInt8](repeating: UInt8(ascii: "A"), count: count)
            #expect(isText(text) == isBase64URL(text), "\(count) characters")
            for place in text.indices {
                for character in wrong {
                    var other = text
                    other[place] = character
                    #expect(!isText(other), "\(character) at \(place) of \(count)")
                    #expect(decoded(other) == nil, "\(character) at \(place) of \(count)")
                    #expect(
                        try secret(other) == nil, "\(character) at \(place) of \(count)")
                }
            }
        }
    }

    @Test func `every character is of the alphabet or not, the same for each reader`() throws {
        for count in [2, 3, 4, 6, 7, 8, 62, 63, 64, 66, 67, 68] {
            for place in Set([0, count / 2, count - 1]) {
                for character in UInt8.min...UInt8.max {
                    var text = [UInt8](repeating: UInt8(ascii: "A"), count: count)
                    text[place] = character
                    let expected = isBase64URL(text)
                    #expect(isText(text) == expected, "\(character) at \(place) of \(count)")
                    let bytes = decoded(text)
                    #expect((bytes != nil) == expected, "\(character) at \(place) of \(count)")
                    let secret = try secret(text)
                    #expect(secret == bytes, "\(character) at \(place) of \(count)")
                }
            }
        }
    }

    @Test func `bytes of any count become text and come back`() throws {
        for count in 0...100 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: 37 &* $0 &+ 255 &- count) }
            let text = encoded(bytes)
            let reference = Data(bytes).base64EncodedString().replacing("+", with: "-").replacing(
                "/", with: "_"
            )
            .replacing("=", with: "")
            #expect(text == reference)
            #expect(text.utf8.count == Base64URL.encodedCount(count))
            #expect(Base64URL.decode(text) == bytes)
            var secret = try SecretBytes(capacity: 1)
            try Base64URL.append(secret: bytes.span, to: &secret)
            #expect(String(decoding: secret.copied, as: UTF8.self) == reference)
        }
    }

    @Test func `a byte beyond ASCII is found at any place`() {
        for count in 0...40 {
            let text = [UInt8](repeating: 0x7F, count: count)
            #expect(isASCII(text))
            for place in text.indices {
                var other = text
                other[place] = 0x80
                #expect(!isASCII(other), "at \(place) of \(count)")
            }
        }
    }

    /// A thread's next libssl call would take what is left there for its own.
    @Test func `a failure of a library leaves nothing in OpenSSL's error queue`() {
        #expect(unsafe EVP_MAC_fetch(nil, "none", nil) == nil)
        #expect(ERR_peek_error() != 0)
        #expect(NativeFailure(operation: "EVP_MAC_fetch").operation == "EVP_MAC_fetch")
        #expect(ERR_peek_error() == 0)
    }
}
