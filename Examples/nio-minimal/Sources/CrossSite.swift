// Against forged requests (CSRF), in plain Swift. Copy this file; it needs no other of the example.

/// Whether another site's page had the browser send a request. Refuse such a request with 403 where a session's cookie lets it
/// change something, or open a WebSocket.
///
/// Browsers say where a request comes from, and pages cannot change that. Clients that are no browsers say nothing: no page makes
/// them send a cookie.
///
/// - Parameters:
///   - fetchSite: the request's `Sec-Fetch-Site`, which browsers send over https, and to localhost.
///   - origin: its `Origin`, which browsers send with a POST and with a WebSocket's first request. Its scheme is not compared:
///     let your proxy redirect http to https, and send `Strict-Transport-Security`.
///   - host: its `Host`; `:authority` in HTTP/2.
func isFromAnotherSite(fetchSite: String?, origin: String?, host: String?) -> Bool {
    if let fetchSite { return fetchSite != "same-origin" && fetchSite != "none" }
    guard let origin else { return false }
    guard let host, let scheme = origin.firstRange(of: "://") else { return true }  // "null", for example
    return origin[scheme.upperBound...].lowercased() != host.lowercased()
}
