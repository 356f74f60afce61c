// The store of the key ring: anything that returns a text on request.
import Foundation

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// A secret manager, a database, a configuration service.
protocol RingSource: Sendable {
    /// The name that the ring's errors use for it.
    var name: String { get }
    /// The ring's current text. It must finish by itself: nothing else is requested until then.
    func text() async throws -> String
}

/// A field of a secret in HashiCorp Vault or OpenBao (key-value store, version 2).
struct VaultSource: RingSource {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private struct Answer: Decodable {
        struct Secret: Decodable { let data: [String: String] }
        let data: Secret
    }

    let secret: URL
    let field: String
    private let token: String

    var name: String { "\(secret.absoluteString)#\(field)" }

    /// - Parameters:
    ///   - secret: The secret's URL, such as `https://vault:8200/v1/secret/data/shop`.
    ///   - field: The secret's field with the ring as its text.
    init(secret: URL, field: String, token: String) {
        self.secret = secret
        self.field = field
        self.token = token
    }

    func text() async throws -> String {
        var request = URLRequest(
            url: secret, cachePolicy: .reloadIgnoringLocalAndRemoteCacheData, timeoutInterval: 10)
        request.setValue(token, forHTTPHeaderField: "X-Vault-Token")
        let (body, response) = try await URLSession.shared.data(for: request)
        guard let status = (response as? HTTPURLResponse)?.statusCode, status == 200 else {
            throw Failure(description: "status \((response as? HTTPURLResponse)?.statusCode ?? 0)")
        }
        // Not the decoder's own error, which could quote the answer.
        guard let answer = try? JSONDecoder().decode(Answer.self, from: body),
            let text = answer.data.data[field]
        else {
            throw Failure(description: "the answer has no field \"\(field)\"")
        }
        return text
    }
}
