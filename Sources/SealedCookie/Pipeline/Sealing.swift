// Turns a session into a token, step by step in the order of FORMAT §5.1.
#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

extension TokenCore {
    /// Seals a session that begins now.
    ///
    /// - Parameters:
    ///   - cutOff: The time before which its user's sessions have ended (FORMAT §10); nil if none.
    ///   - earliest: The session is sealed no earlier than this, even if that only takes a greater age; nil if there
    ///     is no such time.
    func seal(
        _ item: consuming CBORItem, lifetime ownLifetime: SessionLifetime?, marks: SessionMarks,
        cutOff: Date? = nil, noEarlierThan earliest: Date? = nil, at now: Date
    ) throws(SealError) -> SealedToken {
        let ring = keys.ring
        let beginning = ring.beginning(
            at: now,
            cutOff: cutOff.map {
                Date(timeIntervalSinceReferenceDate: $0.timeIntervalSinceReferenceDate.rounded(.up))
            })
        guard
            let times = SessionTimes(
                beginningAt: beginning, sealedNoEarlierThan: earliest, lifetime: ownLifetime, marks: marks)
        else { throw .timeOutOfRange }
        let index = try sealingKey(in: ring, for: times, at: now)
        if let cutOff, times.began(before: cutOff) { throw .endedBefore(cutOff) }
        return try seal(
            SessionPayload(times: times, item: item), until: times.end(under: lifetime), with: ring, index,
            at: now)
    }

    /// Seals a value for a carrier that has no sessions.
    @usableFromInline
    func seal(
        _ item: consuming CBORItem, lifetime ownLifetime: SessionLifetime?, cutOff: Date?, at now: Date
    ) throws(SealError) -> SealedToken {
        try seal(item, lifetime: ownLifetime, marks: [], cutOff: cutOff, at: now)
    }

    /// Seals that a session was signed out. The token opens as no session, and must be kept for as long as any other
    /// session that the browser may have could live (FORMAT §6.5).
    func sealEnded(noEarlierThan earliest: Date? = nil, at now: Date) throws(SealError) -> SealedToken {
        let ring = keys.ring
        guard
            let times = SessionTimes(
                beginningAt: ring.beginning(at: now), sealedNoEarlierThan: earliest, lifetime: nil,
                marks: .ended)
        else { throw .timeOutOfRange }
        let index = try sealingKey(in: ring, for: times, at: now)
        return try seal(
            SessionPayload(times: times, item: .null), until: times.latestEnd(under: lifetime), with: ring,
            index, at: now)
    }

    /// Seals a session again and keeps its age (FORMAT §10).
    ///
    /// - Parameters:
    ///   - adopts: Whether the session may have any other name or purpose.
    ///   - formers: Names and purposes that it may have in addition to this core's own.
    ///   - item: Encodes it. It is not called for a session that must not be sealed again.
    func reseal(
        _ session: SessionMetadata, adopts: Bool, formers: [TokenIdentity] = [], at now: Date,
        _ item: () throws(SealError) -> CBORItem
    ) throws(SealError) -> SealedToken {
        // Otherwise a session for ten minutes and one purpose could become one for two weeks and any other purpose.
        guard
            adopts || context.identity.isSame(as: session.identity)
                || formers.contains(where: session.identity.isSame)
        else {
            throw .anotherCookie(name: session.identity.name, purpose: session.identity.purpose)
        }
        guard let times = session.times.sealedAgain(at: now) else { throw .timeOutOfRange }
        // Also check the end with which it was opened: its idle time does not start over once it has ended.
        let newEnd = times.end(under: lifetime)
        let end = min(session.end, newEnd)
        guard now < end else { throw .expired(end) }
        // Otherwise a session sealed with a stolen key could move to a key that the thief never had.
        let ring = keys.ring
        guard ring.index(of: session.keyID) != nil else {
            // A key that this ring may never have had is a configuration fault. It must not appear as a session's
            // end.
            throw adopts && !ring.revoked.contains(session.keyID)
                ? .foreignKey(session.keyID) : .revokedKey(session.keyID)
        }
        let index = try sealingKey(in: ring, for: times, at: now)
        return try seal(
            SessionPayload(times: times, item: item()), until: newEnd, with: ring, index, at: now)
    }

    /// Steps 3 to 8. The callers do step 1, `sealingKey`, and before it step 2, `item`.
    ///
    /// - Parameters:
    ///   - end: The time at which the session ends unless it is sealed again before.
    ///   - index: The key's index.
    private func seal(
        _ session: SessionPayload, until end: Date, with ring: KeyRing, _ index: Int, at now: Date
    ) throws(SealError) -> SealedToken {
        let id = ring.keys[index].id
        let token = try ring.keys.withUncounted(\.material, at: index) { (key) throws(SealError) in
            try key.withWorkspace { (workspace) throws(SealError) in
                let payload = payload(
                    session, using: &workspace.deflater, reusing: workspace.memory.takeBytes())
                try checkSize(of: payload, session.item)
                let box = try encrypt(payload, under: id, using: &workspace.ciphers)
                let token = text(of: box)
                workspace.memory.give(box.takeBytes())
                return token
            }
        }
        return SealedToken(
            text: token, expiresAt: end, sealedAt: now,
            endsWithBrowser: session.times.marks.contains(.endsWithBrowser))
    }

    /// Step 1. The key that now seals a session with these times.
    private func sealingKey(
        in ring: KeyRing, for times: SessionTimes, at now: Date
    ) throws(SealError) -> Int {
        guard let index = ring.sealingIndex(at: now) else { throw .noActiveKey }
        if let notBefore = ring.notBefore, times.createdAt < notBefore { throw .endedBefore(notBefore) }
        return index
    }

    /// Step 2. Encodes the session as one CBOR item (FORMAT §7) of at most `limit` bytes.
    @usableFromInline
    func item(_ session: some Encodable, limit: Int) throws(SealError) -> CBORItem {
        do {
            return try CBOREncoder.encode(
                session, userInfo: userInfo, limit: limit, mostValues: CBORLimits.mostValues(ofItem: limit))
        } catch {
            throw SealError(encoding: error, limit: limit)
        }
    }

    /// Step 3. Builds the payload P (FORMAT §6), with room for the token's header and tag.
    private func payload(
        _ session: SessionPayload, using deflater: inout Deflater, reusing bytes: consuming [UInt8] = []
    ) -> CompressedPayload {
        CompressedPayload(
            compressing: session, by: compression, block: paddingBlock, headroom: SealedBox.headerCount,
            tailroom: SealedBox.tailCount(authenticating: context), using: &deflater, reusing: bytes)
    }

    /// Step 4. Comes before the cryptography: there is no point in sealing what is too large.
    private func checkSize(of payload: borrowing CompressedPayload, _ item: CBORItem) throws(SealError) {
        let size = TokenSize(payloadByteCount: payload.range.count)
        guard size.characters <= carrier.tokenLimit else {
            throw .tooLarge(carrier.report(item, size, itemLimit))
        }
    }

    /// Steps 5 to 7. Produces a fresh R, the header, the ciphertext and the tag.
    private func encrypt(
        _ payload: consuming CompressedPayload, under id: KeyID, using ciphers: inout XAESCiphers
    ) throws(SealError) -> SealedBox {
        do throws(NativeFailure) {
            return try SealedBox(sealing: payload, using: &ciphers, of: id, authenticating: context)
        } catch {
            throw .libraryFailed(operation: error.operation)
        }
    }

    /// Step 8. Encodes the box as text.
    private func text(of box: borrowing SealedBox) -> String { Base64URL.encode(box.bytes.span) }

    /// Measures what a session costs, whether or not it fits.
    func sizeReport(_ session: SessionPayload) throws(SealError) -> SizeReport {
        var deflater = Deflater()
        let payload = payload(session, using: &deflater)
        return carrier.report(session.item, TokenSize(payloadByteCount: payload.range.count), itemLimit)
    }
}
