// Which of a request's cookies is its session. FORMAT §11.2: if there are several, the latest authentic one decides.
//
// - too many cookies, missing part: `CookieSearch.parts`
// - all other refusals: Pipeline/Opening.swift
#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

extension CookieCore {
    /// Opens the session in a `Cookie` header.
    ///
    /// - Returns: The session, and which of its parts, or of an older session's, the header has. Nil if there is no
    ///   value.
    @usableFromInline
    func open(
        header text: Span<UInt8>, checksItem: Bool, at now: Date, _ take: TokenCore.Taking
    ) throws(OpenError) -> (SessionMetadata, parts: PartSet)? {
        let cookie = CookieHeader(text, name: form.nameBytes)
        var search = CookieSearch()
        var session = try search.open(
            cookie, in: text, form: form, tokens, checksItem: checksItem, at: now, take)
        // A former name or purpose counts only if no value is authentic under the present ones.
        for (former, tokens) in zip(form.formers, formers) where session == nil {
            session = try search.open(
                CookieHeader(text, name: former.nameBytes), in: text, form: former, tokens,
                checksItem: checksItem, at: now, take)
        }
        guard let session else {
            if let refusal = search.refusal { throw refusal }
            return nil
        }
        return (session, cookie.parts.isEmpty ? .none : parts(of: cookie, text).seen)
    }

    /// The time before which nothing may be sealed that replaces a request's session. Nil: the request has none.
    func earliestSealing(on header: String?, at now: Date) throws(SealError) -> Date? {
        guard let header else { return nil }
        let text = header.utf8.span
        var search = CookieSearch()
        do throws(OpenError) {
            let decider = try search.decider(
                of: CookieHeader(text, name: form.nameBytes), in: text, form: form, tokens, at: now)
            guard let decider, decider.isUsable, let times = decider.times else { return nil }
            // With equal times, the position in the header would decide. But the time must not make a server suspect
            // a wrong clock.
            return min(times.sealedAt + 1, now + Double(KeyRing.clockSkew))
        } catch {
            guard case .libraryFailed(let operation) = error else { return nil }
            throw .libraryFailed(operation: operation)
        }
    }

    /// Whether the request has more than one value for the cookie, under its name and former ones.
    func hasSeveralValues(_ text: Span<UInt8>) -> Bool {
        let names = Set([form.nameBytes] + form.formers.map(\.nameBytes))
        return names.reduce(0) { $0 + CookieHeader(text, name: $1).values.count } > 1
    }
}

/// A search through the cookies of one request.
private struct CookieSearch {
    /// How many more tokens are tried, whether whole or joined from parts: a bound on what a request can cost.
    private var attempts = Self.mostAttempts
    private static let mostAttempts = 16
    /// The first refusal, in case nothing is authentic.
    private(set) var refusal: OpenError?

    /// One of several authentic tokens.
    struct Candidate {
        let token: [UInt8]
        let limit: Int
        /// Nil: they cannot be read.
        let times: SessionTimes?
        /// Whether it may decide: its times can be read, and come from a clock that is not too far ahead.
        let isUsable: Bool

        /// Whether it decides over the other, which comes later in the header.
        func precedes(_ other: Candidate) -> Bool {
            guard isUsable, other.isUsable, let times, let others = other.times else {
                // If neither may decide, the first says why.
                return isUsable || !other.isUsable
            }
            if times.sealedAt != others.sealedAt { return times.sealedAt > others.sealedAt }
            if times.marks != others.marks { return times.marks.contains(.ended) }
            return times.createdAt > others.createdAt
        }
    }

    /// Opens the session that a cookie has in one form; nil if none of its values is authentic.
    ///
    /// - Throws: The reason why the value that decides is refused. No other value replaces it.
    mutating func open(
        _ cookie: CookieHeader, in text: Span<UInt8>, form: CookieForm, _ tokens: TokenCore, checksItem: Bool,
        at now: Date, _ take: TokenCore.Taking
    ) throws(OpenError) -> SessionMetadata? {
        if let value = cookie.values.first, cookie.values.count == 1 {
            let open = { (token: Span<UInt8>, limit: Int) throws(OpenError) in
                // A single value decides, whenever it was sealed.
                try tokens.open(token, limit: limit, checksItem: checksItem, at: now, take)
            }
            let first = text.extracting(value)
            return CookieSplitting.count(first) == nil
                ? try attempt(first, limit: form.openRoom, open)
                : try authentic(cookie, in: text, form: form, open).first
        }
        guard let decider = try decider(of: cookie, in: text, form: form, tokens, at: now) else {
            return nil
        }
        return try tokens.open(
            decider.token.span, limit: decider.limit, checksItem: checksItem, at: now, take)
    }

    /// The token that decides; nil if none is authentic.
    mutating func decider(
        of cookie: CookieHeader, in text: Span<UInt8>, form: CookieForm, _ tokens: TokenCore, at now: Date
    ) throws(OpenError) -> Candidate? {
        let candidates = try authentic(cookie, in: text, form: form) { token, limit throws(OpenError) in
            let times = try tokens.times(of: token, limit: limit)
            return Candidate(
                token: token.indices.map { token[$0] }, limit: limit, times: times,
                isUsable: times.map { !$0.isInFuture(at: now) } ?? false)
        }
        return candidates.dropFirst().reduce(candidates.first) { best, later in
            best.map { $0.precedes(later) ? $0 : later }
        }
    }

    /// What `attempt` returns for each value whose token is authentic, in the order of the values.
    ///
    /// Each value is tried whole, or with the parts at the same index as its own. Then, as far as attempts are left,
    /// values that were not authentic are tried with all other parts.
    ///
    /// - Parameter attempt: Throws the refusal of a token. After a refusal by the tag's check or an earlier one the
    ///   next token is tried; any other refusal is thrown.
    private mutating func authentic<Result>(
        _ cookie: CookieHeader, in text: Span<UInt8>, form: CookieForm,
        _ attempt: (_ token: Span<UInt8>, _ limit: Int) throws(OpenError) -> Result
    ) throws(OpenError) -> [Result] {
        var results = [Result?](repeating: nil, count: cookie.values.count)
        for isFirstRound in [true, false] {
            for (index, value) in cookie.values.enumerated() where results[index] == nil {
                let first = text.extracting(value)
                guard let count = CookieSplitting.count(first) else {
                    if isFirstRound {
                        results[index] = try self.attempt(first, limit: form.openRoom, attempt)
                    }
                    continue
                }
                guard let parts = try parts(count, of: cookie, form) else { continue }
                let own = parts.map { $0[min(index, $0.count - 1)] }
                for chosen in isFirstRound ? [own] : Self.combinations(parts, without: own)
                where results[index] == nil {
                    results[index] = try join(first, chosen, in: text, limit: form.openLimit, attempt)
                }
            }
        }
        return results.compactMap(\.self)
    }

    /// The values of each part after the first of a split session; nil if it cannot be put together.
    private mutating func parts(
        _ count: Int, of cookie: CookieHeader, _ form: CookieForm
    ) throws(OpenError) -> [[Range<Int>]]? {
        let limit = form.splitting.cookieCount
        guard count <= limit else {
            try note(.tooManyCookies(count, limit: limit))
            return nil
        }
        let parts = (1..<count).map(cookie.part)
        if let missing = parts.firstIndex(where: \.isEmpty) {
            try note(.missingPart(missing + 1, of: count))
            return nil
        }
        return parts
    }

    /// Every combination of one value of each part, except `own`; the first part varies fastest. No more than are
    /// ever tried.
    private static func combinations(
        _ parts: [[Range<Int>]], without own: [Range<Int>]
    ) -> [[Range<Int>]] {
        let count = parts.reduce(1) { min($0 * $1.count, mostAttempts + 1) }
        return (0..<count).map { number in
            var rest = number
            return parts.map { values in
                defer { rest /= values.count }
                return values[rest % values.count]
            }
        }.filter { $0 != own }
    }

    /// Joins a split token and tries it.
    private mutating func join<Result>(
        _ first: Span<UInt8>, _ parts: [Range<Int>], in text: Span<UInt8>, limit: Int,
        _ body: (_ token: Span<UInt8>, _ limit: Int) throws(OpenError) -> Result
    ) throws(OpenError) -> Result? {
        guard attempts > 0 else { return nil }
        let count = parts.reduce(first.count - CookieSplitting.overhead) { $0 + $1.count }
        guard count <= limit else {
            attempts -= 1
            try note(.tooLong(byteCount: count))
            return nil
        }
        var token = (CookieSplitting.overhead..<first.count).map { first[$0] }
        for part in parts { token += part.map { text[$0] } }
        return try attempt(token.span, limit: limit, body)
    }

    /// Tries a token unless the attempts are used up.
    private mutating func attempt<Result>(
        _ token: Span<UInt8>, limit: Int,
        _ body: (_ token: Span<UInt8>, _ limit: Int) throws(OpenError) -> Result
    ) throws(OpenError) -> Result? {
        guard attempts > 0 else { return nil }
        attempts -= 1
        do throws(OpenError) {
            return try body(token, limit)
        } catch {
            try note(error)
            return nil
        }
    }

    /// Continues after a refusal by the tag's check or an earlier one.
    private mutating func note(_ error: OpenError) throws(OpenError) {
        guard error.isBeforeOpening else { throw error }
        if refusal == nil { refusal = error }
    }
}
