// The vectors for implementers, which an independent implementation made. FORMAT §12.
import Foundation
import Testing

@testable import SealedCookie

@Suite struct VectorTests {
    struct File: Decodable {
        struct Vector: Decodable, CustomTestStringConvertible {
            let what, ring, token: String
            let name, purpose, refused, item: String?
            let at, absolute, idle: Int?
            let session: CBORJSON?
            var testDescription: String { what }
        }
        let vectors: [Vector]
    }

    private func open(_ vector: File.Vector) throws -> OpenedSession<CBORValue> {
        // "at" and spans are Unix seconds; what a vector leaves out is the file's default.
        let lifetime = SessionLifetime(
            absolute: .seconds(vector.absolute ?? 14 * 86_400), idle: vector.idle.map { .seconds($0) })
        let sealer = try CookieSealer<CBORValue>(
            vector.name ?? "s", keys: KeyRing(parsing: vector.ring), lifetime: lifetime,
            purpose: vector.purpose ?? "")
        return try sealer.open(
            value: vector.token, at: vector.at.map { Date(timeIntervalSince1970: Double($0)) } ?? noon)
    }

    @Test func `every valid token opens to its session`() throws {
        let file = try vectors("valid.json", as: File.self)
        #expect(file.vectors.count >= 40)
        for vector in file.vectors {
            do {
                let opened = try open(vector)
                #expect(try CBOREncoder.encode(opened.session).bytes.hex == vector.item, "\(vector.what)")
                #expect(opened.session == vector.session?.value ?? .null, "\(vector.what)")
            } catch {
                Issue.record("\(vector.what): \(error)")
            }
        }
    }

    @Test func `every invalid token is refused for the reason stated`() throws {
        let file = try vectors("invalid.json", as: File.self)
        #expect(file.vectors.count >= 120)
        var reasons: Set<String> = []
        for vector in file.vectors {
            do {
                _ = try open(vector)
                Issue.record("\(vector.what): opened")
            } catch let error as OpenError {
                #expect(words(error) == vector.refused, "\(vector.what): \(error)")
                reasons.insert(words(error))
            }
        }
        // Every refusal of FORMAT §5.2.
        #expect(reasons.count == 12)
    }

    private func words(_ error: OpenError) -> String {
        switch error {
        case .tooLong: "too long"
        case .notBase64URL: "not base64url"
        case .tooShort: "too short"
        case .unknownVersion: "unknown version"
        case .unknownKey: "unknown key"
        case .revokedKey: "revoked key"
        case .notAuthentic: "not authentic"
        case .malformedPayload: "malformed payload"
        case .unknownDictionary: "unknown dictionary"
        case .inFuture: "in the future"
        case .expired: "expired"
        case .endedBefore: "ended"
        case .tooManyParts, .missingPart, .sessionMismatch, .libraryFailed: "\(error)"
        }
    }
}
