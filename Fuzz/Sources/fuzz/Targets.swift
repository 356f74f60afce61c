// The targets. Each states what must be true for any input. A trap, a sanitizer's report or a leak ends the run as
// well.
import Foundation

@testable import SealedCookie

let key: SealingKey = {
    let bytes = (0..<32).map { UInt8($0) }
    guard let secret = try? SecretBytes.copy(of: bytes.span),
        let key = try? SealingKey(material: XAESKey(secret), activeFrom: nil)
    else { fail("no key") }
    return key
}()

let now = Date(timeIntervalSince1970: 1_785_715_200)
let policy = SessionLifetime(absolute: .days(14))
/// The application's own dictionary, which judge.py and seeds.py also have.
let ownDictionary: CompressionDictionary = {
    guard
        let own = try? CompressionDictionary(
            Array("\u{65}owner\u{67}members\u{69}own wordspown words, again".utf8))
    else { fail("no dictionary") }
    return own
}()
let ownCompression = SessionCompression.dictionaries([ownDictionary])

func sealer<Session: Codable & Sendable>(
    _ type: Session.Type, _ splitting: CookieSplitting = .never,
    _ compression: SessionCompression = ownCompression,
    limits: CookieLimits = CookieLimits(nameAndValue: 65_536, attributeValue: 1024)
) -> CookieSealer<Session> {
    guard let ring = try? KeyRing([key]),
        let sealer = try? CookieSealer<Session>(
            "s", keys: ring, lifetime: policy, limits: limits, splitting: splitting, compression: compression)
    else { fail("no sealer") }
    return sealer
}

let trees = sealer(CBORValue.self)
let encoded = sealer(EncodedSession.self)
let typed = sealer(Everything.self)

/// A token with any plaintext.
func token(_ payload: [UInt8], name: String = "s", purpose: String = "") throws -> String {
    let bytes = [UInt8](repeating: 0, count: SealedBox.headerCount) + payload
    var ciphers = try XAESCiphers(key.material.key)
    let box = try SealedBox(
        sealing: CompressedPayload(bytes: bytes, range: SealedBox.headerCount..<bytes.count),
        using: &ciphers, of: key.id, authenticating: TokenContext(name: name, purpose: purpose))
    return Base64URL.encode(box.bytes.span)
}

let targets: [Target] = [
    // Anything as a token: never opens, because no one has the key.
    Target(name: "token") { input in
        func refused(_ text: String) {
            do {
                _ = try trees.open(value: text, at: now)
                fail("opened: \(text)")
            } catch {
                checkWords("\(error)")
            }
            guard let outside = try? TokenInspection(text) else { return }
            require(
                outside.characterCount == text.utf8.count
                    && outside.payloadByteCount == outside.byteCount - 40)
        }
        let text = String(decoding: input, as: UTF8.self)
        refused(text)
        if let bytes = Base64URL.decode(text) {
            require(Base64URL.encode(bytes.span) == text, "two texts of one token")
        }
        require(Base64URL.decode(Base64URL.encode(input.span)) == input, "base64url does not come back")
        // With a valid header in front.
        let id = key.id.bytes
        let forged = [SealedBox.version, id.0, id.1, id.2] + input
        refused(Base64URL.encode(forged.span))
        // A good token with any change: the position, then the new bytes.
        guard input.count > 1 else { return }
        var changed = goodToken
        let start = Int(input[0]) % changed.count
        for (index, byte) in input.dropFirst().enumerated() where start + index < changed.count {
            changed[start + index] ^= byte
        }
        if changed != goodToken { refused(Base64URL.encode(changed.span)) }
        let cut = Array(goodToken.prefix(start) + input)
        if cut != goodToken { refused(Base64URL.encode(cut.span)) }
    },
    // Tokens without a cookie: the limit, the purpose and the contents come from the input.
    Target(name: "link-token") { input in
        guard input.count > 3, let ring = try? KeyRing([key]) else { return }
        let length = min(Int(input[0]), input.count - 3)
        let purpose = String(decoding: input[3..<3 + length], as: UTF8.self)
        let (limit, mode, rest) = (40 + Int(input[1]) * 16, input[2] % 3, Array(input[(3 + length)...]))
        func sealer(_ purpose: String, _ limit: Int) throws(SealerConfigurationError) -> TokenSealer<
            CBORValue
        > {
            try TokenSealer(
                purpose: purpose, keys: ring, lifetime: policy, tokenLimit: limit, compression: ownCompression
            )
        }
        guard let tokens = try? sealer(purpose, limit) else {
            return require(purpose.isEmpty || limit < 63, "no sealer for a purpose and a limit that may be")
        }
        require(!purpose.isEmpty && limit >= 63, "a sealer without a purpose, or for no token")
        /// A token that opens here does not open for another purpose, as a cookie's, or under a limit that it
        /// exceeds.
        func opensHereAlone(_ text: String) throws {
            let others = [
                purpose + "x", purpose + "\0", purpose.uppercased(), String(purpose.dropLast()), "s",
            ]
            for other in others where !other.utf8.elementsEqual(purpose.utf8) {
                guard let other = try? sealer(other, 5000) else { continue }
                require((try? other.open(text, at: now)) == nil, "opened for another purpose")
            }
            for name in ["s", purpose] {
                for purpose in ["", purpose] {
                    guard
                        let cookies = try? CookieSealer<CBORValue>(
                            name, keys: ring, lifetime: policy, purpose: purpose, compression: ownCompression)
                    else { continue }
                    require((try? cookies.open(value: text, at: now)) == nil, "opened as a cookie's")
                }
            }
            let short = text.utf8.count - 1
            guard short >= 63 else { return }
            do {
                _ = try sealer(purpose, short).open(text, at: now)
                fail("opened beyond the limit")
            } catch let error as OpenError {
                require(error == .tooLong(byteCount: text.utf8.count))
            }
        }
        switch mode {
        case 0:
            // Any text: no one has the key.
            do {
                _ = try tokens.open(String(decoding: rest, as: UTF8.self), at: now)
                fail("opened")
            } catch {
                checkWords("\(error)")
            }
        case 1:
            // An item as a value: what is sealed is within the limit, and opens as the same value.
            guard let value = (try? CheckedItem(parsing: rest)).map({ CBORValue($0) }) else { return }
            let sealed: SealedToken
            do throws(SealError) {
                sealed = try tokens.seal(value, at: now)
            } catch {
                checkWords("\(error)")
                return
            }
            require(sealed.text.utf8.count <= limit, "a token over its limit")
            let opened = try tokens.open(sealed.text, at: now)
            require(try CBOREncoder.encode(opened.value).bytes == rest, "another value")
            require(
                opened.createdAt == now && opened.expiresAt == sealed.expiresAt && opened.purpose == purpose)
            try opensHereAlone(sealed.text)
        default:
            // Any plaintext: judged like a cookie's.
            let text = try token(rest, name: "", purpose: purpose)
            let inCookie = Result { try trees.open(value: token(rest), at: now) }
            do throws(OpenError) {
                let opened = try tokens.open(text, at: now)
                guard let inCookie = try? inCookie.get() else { fail("a link takes what a cookie does not") }
                require(inCookie.session == opened.value && inCookie.createdAt == opened.createdAt)
                require(text.utf8.count <= limit, "opened beyond the limit")
                try? opensHereAlone(text)
            } catch {
                checkWords("\(error)")
                guard text.utf8.count <= limit else { return require(error.code == "too-long") }
                guard case .failure(let other as OpenError) = inCookie else {
                    fail("a cookie takes what a link does not")
                }
                require(other.code == error.code, "\(other), and of a link \(error)")
            }
        }
    },
    // Anything after the tag's check.
    Target(name: "payload") { input in
        let text = try token(input)
        let tree = Result { try trees.open(value: text, at: now) }
        if let session = try? typed.open(value: text, at: now) {
            // It may have known more keys than the type. From here on it does not.
            let again = try typed.reseal(session, at: now)
            let value = try typed.open(value: again.cookies[0].value, at: now)
            require(try CBOREncoder.encode(value.session).bytes == CBOREncoder.encode(session.session).bytes)
        }
        let raw = try? encoded.open(value: text, at: now)
        guard let tree = try? tree.get() else { return }
        // What opens can be sealed again to the same item, with its times, and opens again.
        let again = try trees.open(value: trees.reseal(tree, at: now).cookies[0].value, at: now)
        require(again.session == tree.session)
        require(again.createdAt == tree.createdAt && again.lifetime == tree.lifetime)
        require(again.endsWithBrowser == tree.endsWithBrowser)
        guard let raw else { fail("does not open as it is") }
        let bytes = raw.session.bytes
        require(
            try CBOREncoder.encode(tree.session).bytes == bytes,
            "the item is not the one encoding of its value")
        require(try EncodedSession(bytes) == raw.session)
        require(
            try encoded.open(value: encoded.reseal(raw, at: now).cookies[0].value, at: now).session
                == raw.session)
    },
    Target(name: "cbor-tree") { input in
        guard let index = try? CheckedItem(parsing: input) else { return }
        require(index.wholeItem.bytes == input)
        let value = CBORValue(index)
        require(try CBOREncoder.encode(value).bytes == input, "encodes to other bytes")
        let json = CBORJSON(value).text(pretty: false)
        require(
            try CBOREncoder.encode(CBORJSON(parsing: json).value).bytes == input,
            "its JSON is of another value")
        // There is a path to each node, and a map's entries are as long as the map.
        for position in 0..<index.count { _ = index.path(to: position) }
        if index.node(0).kind == .map {
            let entries = index.entrySizes(in: 0).reduce(0) { $0 + $1.byteCount }
            require((1...9).contains(input.count - entries), "sizes of fields that do not add up")
        }
        // Divided and put together again, at any position.
        let item = index.wholeItem
        let contents = item.byteStrings.flatMap { item.bytes[$0] }
        let skeleton = item.skeleton
        let divided = try Opened(
            times: SessionTimes(created: 0, age: 0, lifetime: nil), item: skeleton, contents: contents
        )
        .checked()
        require(divided.bytes == input && divided.byteStrings == item.byteStrings)
    },
    Target(name: "cbor-typed") { input in
        guard let index = try? CheckedItem(parsing: input) else { return }
        /// - Parameter mayGrow: plain values become secrets, whose tag and byte string take levels and bytes.
        func comesBack<Session: Codable>(_ type: Session.Type, mayGrow: Bool = false) throws {
            let value: Session
            do {
                value = try CBORDecoder.decode(Session.self, from: index)
            } catch {
                if let error = error as? DecodingError { checkWords("\(OpenError(decoding: error))") }
                return
            }
            let item: CBORItem
            do {
                item = try CBOREncoder.encode(value)
            } catch let failure as CBORFailure
                where mayGrow && (failure.reason == .tooDeep || failure.reason == .tooLong)
            {
                return
            }
            let again = try CBORDecoder.decode(Session.self, from: CheckedItem(parsing: item.bytes))
            require(try CBOREncoder.encode(again).bytes == item.bytes, "\(type) does not come back equal")
        }
        try comesBack(Everything.self)
        try comesBack([String: Double].self)
        try comesBack([Int: [String]].self)
        try comesBack([Date].self)
        try comesBack([Decimal?].self)
        try comesBack([ByHand].self)
        try comesBack([[Compact]].self)
        try comesBack([Numbers].self)
        try comesBack(Numbers.Row.self)
        try comesBack([String: String].self)
        try comesBack([String: [String: Bool]].self)
        try comesBack([Secret<EncodedSession>].self, mayGrow: true)
        // A reader that accepts any item must return the very same bytes.
        require(try CBOREncoder.encode(CBORDecoder.decode(EncodedSession.self, from: index)).bytes == input)
    },
    // Cookie headers around a session in three cookies.
    Target(name: "cookie-header") { input in
        let text = String(decoding: input, as: UTF8.self)
        let (values, parts) = plainCookies(Array(text.utf8), "s")
        let bytes = Array(text.utf8)
        let header = CookieHeader(bytes.span, name: Array("s".utf8))
        require(header.values.map { Array(bytes[$0]) } == values, "other values than by the book: \(text)")
        require(
            (1...3).map { header.part($0).map { Array(bytes[$0]) } } == parts,
            "other parts than by the book: \(text)"
        )
        _ = try? small.open(cookieHeader: text, at: now)
        guard input.count > 2 else { return }
        let cut = Int(input[0]) % input.count
        let (front, back) = (
            String(decoding: input[..<cut], as: UTF8.self), String(decoding: input[cut...], as: UTF8.self)
        )
        let around = front + ";" + sample.joined(separator: ";" + back + ";") + ";" + back
        if let found = try? small.open(cookieHeader: around, at: now) {
            require(found.session == sampleSession)
        }
        // Several headers, as in HTTP/2, are one.
        let both = Result {
            try small.open(cookieHeaders: [front, sample.joined(separator: "; "), back], at: now)
        }
        let one = Result {
            try small.open(cookieHeader: front + "; " + sample.joined(separator: "; ") + "; " + back, at: now)
        }
        require((try? both.get())?.session == (try? one.get())?.session)
    },
    Target(name: "ring") { input in
        let text = String(decoding: input, as: UTF8.self)
        if let seconds = Timestamp.seconds(text) {
            require(Timestamp.text(secondsSince1970: seconds) == text)
        }
        if let id = KeyID(text) { require("\(id)" == text) }
        if input.count == 8 {
            let seconds = Int64(truncatingIfNeeded: input.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }) >> 24
            if let text = Timestamp.text(secondsSince1970: seconds) {
                require(Timestamp.seconds(text) == seconds, text)
            }
        }
        let ring: KeyRing
        do {
            ring = try KeyRing(parsing: text, requiringKey: false)
        } catch {
            checkWords("\(error)")
            return
        }
        let again = try KeyRing(parsing: contents(ring), requiringKey: false)
        require(again.entries == ring.entries, "does not come back equal")
        require(again.keys.allSatisfy { ring.key(withID: $0.id)?.holdsSameKey(as: $0) ?? false })
        require(!"\(ring)".contains("sck1_"))
        try changes(ring)
        // Any two halves of a ring are rings, and their union, in either order, is the whole ring.
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard text.utf8.dropLast().contains(UInt8(ascii: "\n")) else { return }
        let (front, back) = (lines.prefix(lines.count / 2), lines.dropFirst(lines.count / 2))
        // With an extra empty line: a single line alone could be the form on one line.
        let halves = try [front, back].map {
            try KeyRing(parsing: $0.joined(separator: "\n") + "\n\n", requiringKey: false)
        }
        require(
            try halves[0].union(halves[1]).entries == ring.entries, "halves that do not make the whole")
        require(try halves[1].union(halves[0]).entries == ring.entries, "an order that matters")
    },
    Target(name: "set-cookie") { input in
        guard let bits = input.first else { return }
        let parts = input.dropFirst().split(separator: 0, omittingEmptySubsequences: false).map {
            String(decoding: $0, as: UTF8.self)
        }
        guard parts.count > 2, let ring = try? KeyRing([key]) else { return }
        var attributes = SetCookie.Attributes(
            path: parts[0], domain: bits & 1 == 0 ? nil : parts[1], isSecure: bits & 2 == 0,
            isHTTPOnly: bits & 4 == 0, sameSite: [.strict, .lax, .none, .unspecified][Int(bits >> 3 & 3)],
            isPartitioned: bits & 32 != 0, endsWithBrowser: bits & 128 != 0, writesExpires: bits & 64 != 0)
        let more = parts.count > 3 ? Choices(Array(parts[3].utf8)) : Choices([])
        var choices = more
        let limits: CookieLimits = [.rfc6265bis, .strictest, .behindStockNginx][choices.below(3)]
        let splitting = CookieSplitting.upTo(choices.below(11))
        attributes.priority = ([nil] + SetCookie.Priority.allCases)[choices.below(4)]
        guard
            let sealer = try? CookieSealer<Int>(
                parts[2], keys: ring, lifetime: policy, attributes: attributes, limits: limits,
                splitting: splitting)
        else { return }
        let lines = try sealer.seal(7, at: now).headerValues + sealer.removalCookies().map(\.description)
        let response = try sealer.seal(7, at: now).headerValues.reduce(0) { $0 + $1.utf8.count + 14 }
        require(response <= limits.response ?? .max, "a response longer than the limit")
        for line in lines {
            // One line, with as many attributes as requested, and none from inside a value.
            require(line.utf8.allSatisfy { (0x20...0x7E).contains($0) }, line)
            require(line.utf8.count <= limits.line ?? .max, "longer than the limit")
            let names = line.split(separator: ";").dropFirst().map {
                $0.drop { $0 == " " }.prefix { $0 != "=" }
            }
            require(
                Set(names).count == names.count
                    && Set(names).isSubset(of: [
                        "Path", "Domain", "Max-Age", "Expires", "Secure", "HttpOnly", "SameSite",
                        "Partitioned", "Priority",
                    ]), line)
            require(
                names.contains("Secure") == attributes.isSecure
                    && names.contains("HttpOnly") == attributes.isHTTPOnly)
            require(names.contains("Domain") == (attributes.domain != nil))
        }
        require(try sealer.open(cookieHeader: String(lines[0].prefix { $0 != ";" }), at: now)?.session == 7)
    },
    // What the CLI does with its input, and what it prints.
    Target(name: "json") { input in
        guard let json = try? CBORJSON(parsing: Data(input)), let item = try? CBOREncoder.encode(json.value)
        else { return }
        require(try CheckedItem(parsing: item.bytes).wholeItem.bytes == item.bytes)
        for pretty in [false, true] {
            let text = json.text(pretty: pretty)
            require(
                try CBOREncoder.encode(CBORJSON(parsing: text).value).bytes == item.bytes, "another value")
        }
        require(try EncodedSession(json.value).bytes == item.bytes)
        let opened = try split.open(cookieHeader: header(split.seal(json.value, at: now)), at: now)
        require(
            try opened.map { try CBOREncoder.encode($0.session).bytes } == item.bytes,
            "sealed another session")
    },
    // DEFLATE in both directions, with and without a dictionary, and training dictionaries.
    Target(name: "compression") { input in
        // Texts and byte strings alternate.
        var items: [CBORItem] = []
        var whole: [UInt8] = []
        let pieces = input.split(separator: 0, omittingEmptySubsequences: false).prefix(64)
        whole.append(.array, UInt64(pieces.count))
        var byteStrings: [Range<Int>] = []
        for (index, piece) in pieces.enumerated() {
            // Text for DEFLATE, which does not require UTF-8.
            items.append(CBORItem(bytes: .head(.text, piece.count) + piece, byteStrings: []))
            whole += .head(index & 1 == 0 ? .text : .bytes, piece.count)
            if index & 1 == 1, !piece.isEmpty { byteStrings.append(whole.count..<whole.count + piece.count) }
            whole += piece
        }
        let item = CBORItem(bytes: whole, byteStrings: byteStrings)
        var ways = [SessionCompression.standard, .withoutDictionary, .off, ownCompression]
        let size = 64 + input.count % 500
        // Training a dictionary takes most of the time.
        let makes = input.first ?? 0 < 64
        if makes, let trained = try CompressionDictionary.trained(on: items, size: size) {
            require((6...size).contains(trained.bytes.count), "a dictionary of another size")
            ways.append(.dictionaries([trained]))
        }
        if makes, let any = try? CompressionDictionary(input) {
            ways.append(.dictionaries([ownDictionary, any]))
        }
        var deflater = Deflater()
        for compression in ways {
            let times = SessionTimes(created: 1, age: 0, lifetime: nil)
            let block = Int(input.first ?? 0) % 3 * 16
            let payload = CompressedPayload(
                compressing: SessionPayload(times: times, item: item), by: compression, block: block,
                headroom: 3,
                tailroom: 0, using: &deflater)
            // Never longer than uncompressed, apart from padding, and of the length that padding requires.
            require(payload.range.count <= 6 + item.bytes.count + max(block, 0), "longer than the item")
            require(block == 0 || payload.range.count.isMultiple(of: block))
            let opened = try Opened(payload, compression)
            require(
                opened.item == (opened.contents == nil ? item.bytes : item.skeleton))
            if let contents = opened.contents { require(contents == byteStrings.flatMap { item.bytes[$0] }) }
        }
    },
    // Only the compressor: two bytes say how much of the rest is the dictionary.
    Target(name: "deflate") { input in
        let count = input.count < 2 ? 0 : (Int(input[0]) << 8 | Int(input[1])) % (input.count - 1)
        let rest = input.dropFirst(2)
        let dictionary = IndexedText(Array(rest.prefix(count)))
        let text = Array(rest.dropFirst(count))
        for dictionary in [dictionary, .empty, CompressionDictionary.standard.contents.text] {
            var deflater = Deflater()
            var stream: [UInt8] = [0xA5]
            let saved = deflater.findMatches(in: text.span, after: dictionary)
            require(saved >= 0 && saved <= 8 * text.count, "saves more than there is")
            // At most nine bits for a letter, and the block's own ten.
            require(deflater.append(text.span, to: &stream, limit: (9 * text.count + 17) / 8), "too long")
            let length = stream.count - 1
            // With a limit of exactly its length it is kept. With one less it is not, and nothing of it is left.
            var again: [UInt8] = []
            deflater.findMatches(in: text.span, after: dictionary)
            require(!deflater.append(text.span, to: &again, limit: length - 1) && again.isEmpty, "a limit")
            deflater.findMatches(in: text.span, after: dictionary)
            require(
                deflater.append(text.span, to: &again, limit: length) && again == Array(stream.dropFirst()),
                "another")
            var inflated: [UInt8] = []
            let outcome = try Inflater().decompress(
                again.span, dictionary: dictionary.bytes, appendingTo: &inflated, limit: text.count)
            require(outcome == .ended(consumed: length) && inflated == text, "zlib reads something else")
            let read = try RFC1951(again, after: dictionary.bytes)
            require(read.bytes == text && read.consumed == length, "RFC 1951 reads something else")
        }
    },
    // A typed session, its cookies and its header, with all kinds of settings.
    Target(name: "round-trip") { input in
        var choices = Choices(input)
        try roundTrip(&choices)
    },
    // Whatever is an item or a payload to this reader but not to Python's, or the reverse, or has another value:
    // judge.py.
    Target(name: "differential") { input in
        guard let kind = input.first else { return }
        let bytes = Array(input.dropFirst())
        if kind & 3 == 0 {
            var index: CheckedItem?
            do throws(CBORFailure) { index = try CheckedItem(parsing: bytes) } catch {
                checkWords(PayloadFailure.item(error).words)
            }
            let json = index.map { Array(CBORJSON(CBORValue($0)).text(pretty: false)) }
            Judge.shared.ask(kind: 0, said: index == nil ? 0 : 1, bytes, json ?? [], input: input)
            return
        }
        if kind & 3 == 2 {
            // JSONDecoder guesses other encodings.
            guard String(validating: bytes, as: UTF8.self) != nil else { return }
            var item: [UInt8]?
            do { item = try CBOREncoder.encode(CBORJSON(parsing: Data(bytes)).value).bytes } catch {
                if let error = error as? CBORJSONFailure {
                    checkWords("\(error.problem) \(error.path) \(error.detail ?? "")")
                }
            }
            Judge.shared.ask(kind: 2, said: item == nil ? 0 : 1, bytes, item ?? [], input: input)
            return
        }
        // No token is shorter.
        guard bytes.count >= CompressedPayload.minimumCount else { return }
        var (said, contents): (UInt8, [UInt8]) = (0, [])
        do {
            let payload = try Opened(bytes, ownCompression)
            let item = try payload.checked()
            let times = payload.times
            for number in [
                times.created, times.age, times.lifetime?.absolute ?? 0, times.lifetime?.idle ?? 0,
            ] {
                contents.append(bigEndian: UInt64(number), byteCount: 4)
            }
            contents.append(times.marks.rawValue)
            contents += item.bytes
            said = 1
        } catch OpenError.unknownDictionary {
            said = 2
        } catch {}
        Judge.shared.ask(kind: 1, said: said, bytes, contents, input: input)
    },
]

/// Messages about bad input go into logs: one line, and not all of the input.
func checkWords(_ text: String) {
    require(text.utf8.count < 20_000, "too many words")
    require(
        text.unicodeScalars.allSatisfy {
            ![.control, .format, .lineSeparator, .paragraphSeparator].contains($0.properties.generalCategory)
        }, "words that are no line: \(text)")
    require(!text.contains("sck1_A"), "a secret: \(text)")
}

extension [UInt8] {
    static func head(_ major: CBORMajor, _ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(major, UInt64(count))
        return bytes
    }
}

// MARK: token

let goodToken: [UInt8] = {
    guard let sealed = try? trees.seal(.text("good"), at: now),
        let bytes = Base64URL.decode(sealed.cookies[0].value)
    else { fail("no token") }
    return bytes
}()

// MARK: cookie-header and json

let split = sealer(CBORValue.self, .upTo(4), .standard, limits: .rfc6265bis)
/// For three small cookies.
let small = sealer(
    CBORValue.self, .upTo(4), .standard, limits: CookieLimits(nameAndValue: 256, attributeValue: 1024))
let sampleSession = CBORValue.bytes((0..<480).map { UInt8(truncatingIfNeeded: $0 &* 31) })
let sample: [String] = {
    guard let sealed = try? small.seal(sampleSession, at: now) else { fail("no sample") }
    let cookies = sealed.cookies.filter { $0.maxAge != 0 }.map { "\($0.name)=\($0.value)" }
    precondition(cookies.count == 3)
    return cookies
}()

/// The Cookie header of a browser that had none.
func header(_ sealed: SealedSession) -> String {
    sealed.cookies.filter { $0.maxAge != 0 }.map { "\($0.name)=\($0.value)" }.joined(separator: "; ")
}

/// FORMAT §11 in brief: the values of a cookie, and those of its parts 1 to 3, the first 4 different ones of each.
func plainCookies(_ header: [UInt8], _ name: String) -> (values: [[UInt8]], parts: [[[UInt8]]]) {
    func trimmed(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var text = text.drop { $0 == 32 || $0 == 9 }
        while text.last == 32 || text.last == 9 { text.removeLast() }
        return text
    }
    var found: [[[UInt8]]] = [[], [], [], []]
    let names = [name, "\(name).1", "\(name).2", "\(name).3"].map { Array($0.utf8) }
    for pair in header.split(separator: UInt8(ascii: ";")) {
        guard let equals = pair.firstIndex(of: UInt8(ascii: "=")),
            let number = names.firstIndex(of: Array(trimmed(pair[..<equals]))), found[number].count < 4
        else { continue }
        var value = trimmed(pair[(equals + 1)...])
        if value.count > 1, value.first == UInt8(ascii: "\""), value.last == UInt8(ascii: "\"") {
            value = value.dropFirst().dropLast()
        }
        if !found[number].contains(Array(value)) { found[number].append(Array(value)) }
    }
    return (found[0], Array(found.dropFirst()))
}

// MARK: ring

func contents(_ ring: KeyRing) throws -> String {
    String(
        decoding: try ring.fileContents().withSpan { span in span.indices.map { span[$0] } }, as: UTF8.self)
}

/// The changes in a ring's life; each changed ring can be restored from its text.
func changes(_ ring: KeyRing) throws {
    func holds(_ changed: KeyRing, _ what: String) throws {
        require(changed.stricter(with: ring).entries == changed.entries, "\(what): a step back")
        require(
            try KeyRing(parsing: contents(changed), requiringKey: false).entries == changed.entries,
            "\(what): does not come back equal")
        // A server that still has the old ring merges it: nothing is undone.
        require(try changed.union(ring).entries == changed.entries, "\(what): undone by a merge")
    }
    require(try ring.merged(with: ring).entries == ring.entries)
    if let id = ring.keys.first?.id {
        let revoking = try ring.revoking(id)
        require(revoking.key(withID: id) == nil && revoking.activeKey(at: now)?.id != id)
        try holds(revoking, "revoking")
    }
    if let ended = try? ring.endingSessions(createdBefore: now) {
        require(ended.notBefore ?? .distantPast >= now)
        try holds(ended, "ending")
    }
    let rotated = try ring.rotated(activeFrom: now, at: now)
    require(rotated.ring.keys.count == ring.keys.count + 1 && ring.key(withID: rotated.added.id) == nil)
    require(
        ring.keys.contains { $0.activeFrom ?? .distantPast >= now }
            || rotated.ring.activeKey(at: now)?.id == rotated.added.id)
    try holds(rotated.ring, "rotating")
    let pruned = try rotated.ring.pruned(lifetime: .seconds(1), at: now + 86_400)
    require(
        pruned.activeKey(at: now + 86_400)?.id == rotated.ring.activeKey(at: now + 86_400)?.id,
        "the active key is gone")
    require(pruned.revoked == rotated.ring.revoked && pruned.notBefore == rotated.ring.notBefore)
}

// MARK: round-trip

func roundTrip(_ choices: inout Choices) throws {
    var compression = [SessionCompression.standard, .withoutDictionary, .off, ownCompression][
        choices.below(4)]
    if choices.below(8) == 7, let own = try? CompressionDictionary(choices.bytes()) {
        compression = .dictionaries([ownDictionary, own])
    }
    let names = ["s", "__Host-session", "a.1", "!#$%&'*+-.^_`|~"]
    let splitting = CookieSplitting.upTo(1 + choices.below(9))
    let lifetime = SessionLifetime(
        absolute: .seconds(choices.int()), idle: choices.below(2) == 0 ? nil : .seconds(choices.int()),
        ceiling: choices.below(2) == 0 ? SessionLifetime.usualCeiling : .seconds(choices.int()))
    let own =
        choices.below(3) == 0
        ? SessionLifetime(
            absolute: .seconds(choices.int()), idle: choices.below(2) == 0 ? nil : .seconds(choices.int()))
        : nil
    let endsWithBrowser = choices.below(3) == 0
    let idle = own == nil ? lifetime.idle : own?.idle
    let (name, purpose, ring) = (names[choices.below(4)], choices.text(), try KeyRing([key]))
    let block = [0, 0, 2, 64, 4096][choices.below(5)]
    // Small enough for an input to be divided.
    let limit = [4096, 256, 160][choices.below(3)]
    func sealer<Session: Codable & Sendable>(_: Session.Type) throws -> CookieSealer<Session> {
        try CookieSealer(
            name, keys: ring, lifetime: lifetime, purpose: purpose,
            limits: CookieLimits(nameAndValue: limit, attributeValue: 1024), splitting: splitting,
            compression: compression, paddingBlock: block)
    }
    let typed = try sealer(Everything.self)
    let began =
        choices.below(4) == 0
        ? Date(timeIntervalSince1970: Double(UInt32(truncatingIfNeeded: choices.integer()))) : now
    let fraction = Double(choices.byte()) / 256
    let session = choices.session()
    let result = Result {
        try typed.seal(session, lifetime: own, endsWithBrowser: endsWithBrowser, at: began + fraction)
    }
    if case .failure(let error) = result, case .tooLarge(let report)? = error as? SealError {
        require(report.tokenLength > splitting.cookieCount * (limit - name.utf8.count - 2), "\(report)")
        require(try typed.sizeReport(for: session, lifetime: own, at: began) == report)
        checkWords("\(report)")
        return
    }
    let sealed = try result.get()
    let size = try typed.sizeReport(for: session, lifetime: own, at: began)
    require(size.tokenLength == sealed.tokenLength && size.room == sealed.room, "\(size)")
    require(
        sealed.tokenLength <= sealed.tokenLimit
            && sealed.cookies.allSatisfy { $0.name.utf8.count + $0.value.utf8.count <= limit })
    // Other cookies around it, and its parts in another order.
    var pairs = sealed.cookies.filter { $0.maxAge != 0 }.map { "\($0.name)=\($0.value)" }
    if choices.below(2) == 1 { pairs.reverse() }
    let header =
        "theme=dark;" + pairs.joined(separator: choices.below(2) == 0 ? "; " : ";\t") + "; \(name)x=1"
    func checked(_ opened: OpenedSession<Everything>?) -> OpenedSession<Everything> {
        guard let opened else { fail("no cookie") }
        require(opened.session == session, "another session: \(opened.session) for \(session)")
        require(opened.createdAt == began, "\(opened.createdAt)")
        require(opened.lifetime == own && opened.endsWithBrowser == endsWithBrowser)
        return opened
    }
    let opened = checked(try typed.open(cookieHeader: header, at: began))
    require(opened.expiresAt == sealed.expiresAt && opened.keyID == key.id)
    require(!opened.needsResealing || idle != nil, "sealed this moment")
    // Until the last moment and no longer.
    _ = checked(try typed.open(cookieHeader: header, at: sealed.expiresAt - 0.001))
    require((try? typed.open(cookieHeader: header, at: sealed.expiresAt)) == nil, "ended, and opens")
    // Under other names, for other purposes, and for tools without the type.
    if let other = try? CookieSealer<Everything>(
        name, keys: ring, lifetime: lifetime, purpose: purpose + "\u{0}", splitting: splitting,
        compression: compression)
    {
        require((try? other.open(cookieHeader: header, at: began)) == nil, "opens for another purpose")
    }
    let item = try CBOREncoder.encode(session).bytes
    require(try sealer(EncodedSession.self).open(cookieHeader: header, at: began)?.session.bytes == item)
    let tree = try sealer(CBORValue.self).open(cookieHeader: header, at: began)
    require(try tree.map { try CBOREncoder.encode($0.session).bytes } == item)
    // Sealed again, later, with the same end if only the beginning counts.
    let later = min(began + Double(choices.byte()), sealed.expiresAt - 1)
    guard later.timeIntervalSince1970 <= Double(UInt32.max) else { return }
    let resealed = Result { try typed.reseal(opened, at: later) }
    // A greater age takes up to three more bytes and, with padding, a block, which may be too many.
    if case .failure(let error) = resealed, case .tooLarge(let report)? = error as? SealError {
        require(
            report.tokenLength > sealed.tokenLimit
                && report.tokenLength <= sealed.tokenLength + 4 + block * 4 / 3 + 1, "\(report)")
        return
    }
    let again = try resealed.get()
    let last = checked(
        try typed.open(
            cookieHeader: again.cookies.filter { $0.maxAge != 0 }.map { "\($0.name)=\($0.value)" }.joined(
                separator: ";"), at: later))
    require(last.sealedAt == later && (idle != nil || last.expiresAt == opened.expiresAt))
}
