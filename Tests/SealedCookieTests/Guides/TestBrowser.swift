// A browser, as far as the guides' tests need one.

/// Keeps the cookies of one site by name.
struct TestBrowser {
    /// On plain http a cookie with `Secure` is dropped. Chromium and Firefox spare `localhost`; Safari and most other clients do not.
    var isOnPlainHTTP = false
    private(set) var jar: [String: String] = [:]

    /// The `Cookie` headers of its next request.
    var cookies: [String] {
        jar.isEmpty ? [] : [jar.map { "\($0.key)=\($0.value)" }.sorted().joined(separator: "; ")]
    }

    /// Takes a response's `Set-Cookie` headers.
    mutating func take(_ lines: [String]) {
        for line in lines {
            let attributes = line.split(separator: "; ").dropFirst()
            let pair = line.prefix { $0 != ";" }.split(
                separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2, !isOnPlainHTTP || !attributes.contains("Secure") else { continue }
            jar[String(pair[0])] = attributes.contains("Max-Age=0") ? nil : String(pair[1])
        }
    }
}

/// The value of a request's cookie.
func cookie(_ name: String, in headers: [String]) -> String? {
    headers.lazy.flatMap { $0.split(separator: "; ") }.first { $0.hasPrefix("\(name)=") }
        .map { String($0.dropFirst(name.count + 1)) }
}
