// Everything that is created lazily, created before the first session.
#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Tables, pools and libraries that are created at their first use.
///
/// If a process forks while one of its threads is creating such a thing, the child waits for that thread forever. So
/// all of them are created before there is a sealer. A server that creates its sealers before it forks or starts
/// threads never has that problem.
enum FirstUse {
    /// - Returns: Whether it succeeded. If not, the sealer fails at its first session and says why.
    static let isOver: Bool = (try? sealAndOpen()) != nil

    /// A bit of everything that a session can contain.
    private struct Sample: Codable, Sendable {
        var text = "Zoë"
        var number = 184_467
        var float = 0.1
        var date = Date(timeIntervalSince1970: 1_785_715_200.25)
        var bytes = Data(0..<16)
        var id = UUID()
        var url = URL(string: "https://example.com/a")
        var decimal = Decimal(1) / 8
        var list = ["member", "billing_admin"]
        var map = ["a": 1, "b": 2]
        var numbered = [1: true]
        var secret = Secret("secret")
        var nothing: Int?
    }

    private static func sealAndOpen() throws {
        ForkLock.prepare()
        let form = try CookieForm(
            name: "s", attributes: .init(writesExpires: true), limits: .rfc6265bis, splitting: .upTo(9))
        let core = try CookieCore(
            form, purpose: "", keys: KeySource(KeyRing([SealingKey.generate()])),
            lifetime: SessionLifetime(absolute: .days(1), idle: .hours(1)), compression: .standard,
            paddingBlock: 0, itemLimit: nil, userInfo: [:])
        let sealer = CookieSealer<Sample>(core: core)
        let sealed = try sealer.seal(Sample())
        if let opened = try sealer.open(cookieHeader: sealed.cookieHeader) {
            _ = try sealer.reseal(opened).cookies.map { "\($0)" } + sealer.removalCookies().map { "\($0)" }
        }
        // Longer sessions get their own Huffman codes.
        let texts = CookieSealer<[String]>(core: core)
        _ = try texts.open(value: texts.seal((0..<300).map { "\($0) \($0 * 7919)" }).cookies[0].value)
        _ = KeyRing.empty
    }
}
