// Test data: the files in Vectors/, and bytes as hexadecimal text.
import Foundation
import Testing

@testable import SealedCookie

/// A file of test vectors, decoded.
func vectors<File: Decodable>(_ name: String, as type: File.Type) throws -> File {
    let folder = try #require(Bundle.module.resourceURL).appending(path: "Vectors")
    return try JSONDecoder().decode(type, from: Data(contentsOf: folder.appending(path: name)))
}

/// The package's own folder, for tests that read README or the sources.
let packageFolder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

/// Bytes that JSON writes as hexadecimal digits.
struct Hex: Decodable, Equatable {
    let bytes: [UInt8]

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let bytes = [UInt8](hex: try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not hexadecimal")
        }
        self.bytes = bytes
    }
}

extension [UInt8] {
    init?(hex: String) {
        guard hex.utf8.count.isMultiple(of: 2) else { return nil }
        let digits = [Character](hex)
        self = []
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let byte = UInt8(String(digits[index...index + 1]), radix: 16) else { return nil }
            append(byte)
        }
    }

    var hex: String { map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }
}

extension SecretBytes {
    /// The secret bytes themselves: only for tests.
    var copied: [UInt8] {
        var bytes: [UInt8] = []
        withSpan { span in
            for index in span.indices { bytes.append(span[index]) }
        }
        return bytes
    }
}

extension VectorTests.Opening {
    /// A former form of the cookie.
    struct Former: Decodable {
        let name, purpose: String
        let cookies, absolute, ceiling: Int
        let idle, until: Int?

        var cookie: FormerCookie {
            FormerCookie(
                name, purpose: purpose, splitting: .upTo(cookies),
                lifetime: .init(
                    absolute: .seconds(absolute), idle: idle.map { .seconds($0) },
                    ceiling: .seconds(ceiling)),
                sealedUntil: until.map { Date(timeIntervalSince1970: Double($0)) })
        }
    }
}
