// Keys and sealers for tests.
import Foundation

@testable import SealedCookie

/// A key of known bytes; never one to use.
func sampleKey(_ seed: UInt8, from: Date? = nil) throws -> SealingKey {
    let bytes = (0..<32).map { seed &+ UInt8($0) }
    return try SealingKey(material: XAESKey(SecretBytes.copy(of: bytes.span)), activeFrom: from)
}

/// A token of `__Host-session` with any plaintext: only a holder of the key can make one.
func tokenText(_ payload: consuming CompressedPayload, _ key: SealingKey) throws -> String {
    var ciphers = try XAESCiphers(key.material.key)
    let box = try SealedBox(
        sealing: payload, using: &ciphers, of: key.id,
        authenticating: TokenContext(name: "__Host-session", purpose: ""))
    return Base64URL.encode(box.bytes.span)
}

func sampleRing(_ seeds: UInt8...) throws -> KeyRing {
    try KeyRing(seeds.map { try sampleKey($0) })
}

/// 2026-08-03T00:00:00Z.
let noon = Date(timeIntervalSince1970: 1_785_715_200)

struct Login: Codable, Equatable, Sendable {
    var user: Int
    var name: String
    var roles: [String]
    var csrf: Data
}

let login = Login(
    user: 184_467, name: "Zoë", roles: ["member", "billing_admin", "member_admin"], csrf: Data(0..<16))

func loginSealer(
    _ ring: KeyRing, name: String = "__Host-session", purpose: String = "",
    lifetime: SessionLifetime = .init(absolute: .days(14))
) throws -> CookieSealer<Login> {
    try CookieSealer(name, keys: ring, lifetime: lifetime, purpose: purpose)
}
