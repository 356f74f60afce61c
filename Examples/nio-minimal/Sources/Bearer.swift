// Tokens for clients that keep them themselves, such as a mobile app: no cookie, and so nothing that a forged request could use.
// Copy this file; it needs no other of the example.
import SealedCookie

/// Opens the token of `Authorization: Bearer`.
///
/// - Parameter authorization: the request's `Authorization` headers.
/// - Returns: nil where there is no token, or none that is good: answer 401 with `WWW-Authenticate: Bearer`.
/// - Throws: `OpenError` where a library failed: the token may be good, so answer 503.
func bearer<Value>(
    _ authorization: [String], _ tokens: TokenSealer<Value>, log: (String) -> Void
) throws -> OpenedToken<Value>? {
    guard authorization.count == 1, let line = authorization.first, line.lowercased().hasPrefix("bearer ")
    else { return nil }
    do {
        return try tokens.open(line.dropFirst("bearer ".count))
    } catch {
        guard !error.isLibraryFailure else { throw error }
        log("no token: \(error)")
        return nil
    }
}
