// What the library says to a line of differential.mjs. Fields are divided by tabs; texts and bytes are hexadecimal, "-" is none.
import Foundation

@testable import SealedCookie

struct Unreadable: Error {}

func bytes(_ field: Substring) throws -> [UInt8] {
    guard field.utf8.count.isMultiple(of: 2) else { throw Unreadable() }
    var bytes: [UInt8] = []
    var digits = field.utf8.makeIterator()
    while let high = digits.next(), let low = digits.next() {
        guard let high = Character(Unicode.Scalar(high)).hexDigitValue,
            let low = Character(Unicode.Scalar(low)).hexDigitValue
        else { throw Unreadable() }
        bytes.append(UInt8(high * 16 + low))
    }
    return bytes
}

func text(_ field: Substring) throws -> String { String(decoding: try bytes(field), as: UTF8.self) }

func hex(_ bytes: some Sequence<UInt8>) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
}

func number(_ field: Substring) throws -> Int {
    guard let number = Int(field) else { throw Unreadable() }
    return number
}

func date(_ field: Substring) throws -> Date { Date(timeIntervalSince1970: Double(try number(field))) }
func seconds(_ date: Date) -> Int { Int(date.timeIntervalSince1970) }

func span(_ field: Substring) throws -> SessionLifetime.Span? {
    field == "-" ? nil : .seconds(try number(field))
}

func ring(_ field: Substring) throws -> KeyRing {
    let text = try bytes(field)
    let secret = try SecretBytes.copy(of: text.span)
    return try KeyRing(parsing: secret, source: "ring")
}

/// ring, name, purpose, absolute, idle, ceiling, dictionaries and cookies, or the limit of a token.
struct Configuration {
    let ring: KeyRing
    let name, purpose: String
    let lifetime: SessionLifetime
    let compression: SessionCompression
    let most: Int

    init(_ fields: ArraySlice<Substring>) throws {
        let fields = Array(fields)
        guard fields.count >= 8 else { throw Unreadable() }
        ring = try differential.ring(fields[0])
        name = try text(fields[1])
        purpose = try text(fields[2])
        guard let absolute = try span(fields[3]), let ceiling = try span(fields[5]) else {
            throw Unreadable()
        }
        lifetime = SessionLifetime(absolute: absolute, idle: try span(fields[4]), ceiling: ceiling)
        let own = try fields[6].split(separator: ",").filter { $0 != "-" }.map {
            try CompressionDictionary(bytes($0))
        }
        compression = own.isEmpty ? .standard : .dictionaries(own)
        most = try number(fields[7])
    }

    func cookieSealer() throws -> CookieSealer<CBORValue> {
        try CookieSealer(
            name, keys: ring, lifetime: lifetime, purpose: purpose, splitting: .upTo(most),
            compression: compression, itemLimit: 65_536)
    }

    func tokenSealer() throws -> TokenSealer<CBORValue> {
        try TokenSealer(
            purpose: purpose, keys: ring, lifetime: lifetime, tokenLimit: most, compression: compression,
            itemLimit: 65_536)
    }
}

func item(_ value: CBORValue) throws -> String { hex(try CBOREncoder.encode(value).bytes) }

func own(_ lifetime: SessionLifetime?) -> String {
    guard let lifetime else { return "-" }
    return "\(lifetime.absolute.seconds)/\(lifetime.idle.map { "\($0.seconds)" } ?? "-")"
}

func described(_ opened: OpenedSession<CBORValue>) throws -> String {
    let times = [opened.createdAt, opened.sealedAt, opened.expiresAt].map { "\(seconds($0))" }
    let end = opened.endsWithBrowser ? "1" : "0"
    return "ok \(times.joined(separator: " ")) \(own(opened.lifetime)) \(end) \(try item(opened.session))"
}

func sealed(_ sealed: SealedSession) -> String {
    let cookies = sealed.cookies.map { "\($0.name)=\($0.value)" }.sorted()
    let maxAge = sealed.cookies.first { !$0.value.isEmpty }?.maxAge.map { "\($0)" } ?? "-"
    return "sealed \(maxAge) \(hex(cookies.joined(separator: "; ").utf8))"
}

struct Answers {
    /// Sealers that were asked for lately: a ring is read once.
    private var sealers: [String: CookieSealer<CBORValue>] = [:]

    private mutating func cookieSealer(_ fields: ArraySlice<Substring>) throws -> CookieSealer<CBORValue> {
        let key = fields.prefix(8).joined(separator: "\t")
        if let sealer = sealers[key] { return sealer }
        if sealers.count > 64 { sealers = [:] }
        let sealer = try Configuration(fields).cookieSealer()
        sealers[key] = sealer
        return sealer
    }

    mutating func answer(_ fields: [Substring]) throws -> String {
        switch fields[0] {
        case "open":
            let sealer = try cookieSealer(fields[1...])
            guard let opened = try sealer.open(cookieHeader: text(fields[10]), at: date(fields[9])) else {
                return "none"
            }
            return try described(opened)
        case "token":
            let opened = try Configuration(fields[1...]).tokenSealer().open(
                text(fields[10]), at: date(fields[9]))
            return "ok \(seconds(opened.createdAt)) \(seconds(opened.expiresAt)) \(try item(opened.value))"
        case "again":
            let sealer = try cookieSealer(fields[1...])
            guard let opened = try sealer.open(cookieHeader: text(fields[10]), at: date(fields[9])) else {
                return "none"
            }
            let other = try cookieSealer([fields[12]] + fields[2...])
            return sealed(try other.reseal(opened, at: date(fields[11])))
        case "seal":
            let sealer = try cookieSealer(fields[1...])
            let value = try CBORValue(CheckedItem(parsing: bytes(fields[10])))
            let own = fields[11].split(separator: "/")
            var lifetime: SessionLifetime?
            if own.count == 2, let absolute = try span(own[0]) {
                lifetime = SessionLifetime(absolute: absolute, idle: try span(own[1]))
            }
            return sealed(
                try sealer.seal(
                    value, lifetime: lifetime, endsWithBrowser: fields[12] == "1", at: date(fields[9])))
        case "removed":
            let sealer = try cookieSealer(fields[1...])
            return sealer.removalCookies(cookieHeader: try text(fields[10])).map(\.name).sorted().joined(
                separator: " ")
        case "item":
            let value = try CBORValue(CheckedItem(parsing: bytes(fields[1])))
            return "view \(hex(CBORJSON(value).text(pretty: false)))"
        case "json":
            return "item \(try item(CBORJSON(parsing: Data(bytes(fields[1]))).value))"
        case "ring":
            let ring = try ring(fields[1])
            let now = try date(fields[2])
            func time(_ date: Date?) -> String { date.map { "\(seconds($0))" } ?? "-" }
            let keys = ring.keys.map { "\($0.id):\(time($0.activeFrom)):\(time($0.sealedUntil))" }.sorted()
            let revoked = ring.revoked.map { "\($0)" }.sorted()
            return
                (keys + ["/"] + revoked + ["/", time(ring.notBefore)]
                + [ring.activeKey(at: now), ring.sealingKey(at: now)].map { $0.map { "\($0.id)" } ?? "-" })
                .joined(separator: " ")
        default:
            throw Unreadable()
        }
    }

    /// An answer, or the word of a refusal.
    mutating func said(of line: String) -> String {
        do {
            return try answer(line.split(separator: "\t", omittingEmptySubsequences: false))
        } catch let error as OpenError {
            return "refused \(error.code)"
        } catch let error as SealError {
            return "refused \(error.code)"
        } catch is Unreadable {
            return "unreadable"
        } catch {
            return "refused"
        }
    }
}
