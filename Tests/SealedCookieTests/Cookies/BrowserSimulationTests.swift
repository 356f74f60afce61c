// Browsers, servers with differing clocks, cookies that change their form, and a neighbour that plants cookies:
// FORMAT §11.2, §11.3.
import Foundation
import Testing

@testable import SealedCookie

/// Whose session it is.
private struct Person: Codable, Equatable, Sendable {
    /// Each sign-in is a different user.
    var number: Int
    var visits = 0
    /// The neighbour's own account.
    static let neighbour = -1
}

/// What a browser keeps, and sends to the host and below `/app`, as RFC 6265bis §5.8.3 says: longer paths first, then the older.
private struct Browser {
    private var cookies: [(slot: SetCookie.Slot, value: String, maxAge: Double, time: Double)] = []
    /// The user who is signed in; nil if no one is.
    var person: Int?

    mutating func take(_ lines: [SetCookie], at time: Double) {
        for line in lines {
            let index = cookies.firstIndex { $0.slot == line.slot }
            if line.maxAge == 0 {
                if let index { cookies.remove(at: index) }
                continue
            }
            let kept = line.maxAge.map(Double.init) ?? .infinity
            // A cookie that is overwritten keeps its position.
            let cookie = (line.slot, line.value, time + kept, index.map { cookies[$0].time } ?? time)
            if let index { cookies[index] = cookie } else { cookies.append(cookie) }
        }
    }

    /// Whether it has exactly one cookie, which these lines neither write nor remove.
    func hasOne(elsewhereThan lines: [SetCookie]) -> Bool {
        cookies.count == 1 && !lines.contains { $0.slot == cookies[0].slot }
    }

    mutating func header(at time: Double) -> String {
        cookies.removeAll { $0.maxAge <= time }
        return cookies.enumerated().sorted { one, other in
            let (length, others) = (one.element.slot.path.count, other.element.slot.path.count)
            if length != others { return length > others }
            return (one.element.time, one.offset) < (other.element.time, other.offset)
        }.map { "\($0.element.slot.name)=\($0.element.value)" }.joined(separator: "; ")
    }
}

@Suite struct BrowserSimulationTests {
    private static let lifetime = SessionLifetime(absolute: .hours(8), idle: .hours(1))

    /// A form of the cookie.
    private struct Form {
        let name: String
        let attributes: SetCookie.Attributes

        func former(until: Date? = nil) -> FormerCookie {
            FormerCookie(name, attributes: attributes, lifetime: lifetime, sealedUntil: until)
        }
        func sealer(_ keys: KeyRing, after formers: [FormerCookie]) throws -> CookieSealer<Person> {
            try CookieSealer(
                name, keys: keys, lifetime: lifetime, attributes: attributes, formerly: formers)
        }
    }

    private static let before = Form(name: "sid", attributes: .init())
    private static let changes: [(String, Form)] = [
        ("a Domain", Form(name: "sid", attributes: .init(domain: "example.com"))),
        ("a path", Form(name: "sid", attributes: .init(path: "/app"))),
        ("Partitioned", Form(name: "sid", attributes: .init(isPartitioned: true))),
        ("a name", Form(name: "session", attributes: .init())),
        ("a name and a Domain", Form(name: "session", attributes: .init(domain: "example.com"))),
    ]

    /// The outcome of a run.
    private struct Outcome {
        var visits = 0
        var signOuts = 0
        var tombstones = 0
        var former = 0
        var planted = 0
        /// Visits of a signed-in user who was taken for no one.
        var lost = 0
    }

    @Test func `nobody gets another's session, and no sign-out is undone, while a cookie changes its form`()
        throws
    {
        var all = Outcome()
        for (what, after) in Self.changes {
            for seed in 0..<15 {
                for plants in [false, true] {
                    try run(
                        "\(what), \(seed)\(plants ? ", planted" : "")", from: Self.before, to: after,
                        UInt64(seed), plants: plants, &all)
                }
            }
        }
        #expect(all.visits > 2000 && all.signOuts > 500 && all.former > 100 && all.planted > 500)
    }

    @Test
    func `nobody gets another's session where an application changed its cookie and listed no former form`()
        throws
    {
        var all = Outcome()
        for (what, after) in Self.changes where after.name == Self.before.name {
            for seed in 0..<40 {
                try run(
                    "\(what), \(seed)", from: Self.before, to: after, UInt64(seed), plants: false,
                    isListed: false,
                    &all)
            }
        }
        #expect(all.visits > 1500 && all.signOuts > 500 && all.tombstones > 150)
        #expect(all.lost * 100 < all.visits)
    }

    /// Days of some browsers, while four servers change from one form to another.
    private func run(
        _ what: String, from before: Form, to after: Form, _ seed: UInt64, plants: Bool,
        isListed: Bool = true,
        _ outcome: inout Outcome
    ) throws {
        var random = SplitMix(state: seed)
        let keys = try sampleRing(1)
        let offsets = [
            0.0, 59, Double.random(in: 0...59, using: &random), Double.random(in: 0...59, using: &random),
        ]
        var browsers = [Browser(), Browser()]
        var (time, people) = (noon.timeIntervalSince1970, 0)
        var switched: Date?
        let steps = 60
        for step in 0..<steps {
            time += Double([0, 0, 1, 5, 30, 300].randomElement(using: &random) ?? 0)
            let server = Int.random(in: 0..<offsets.count, using: &random)
            // Three steps, each on one server after the other: list the new form, seal it, set the time of the old.
            let progress = (step - 6) * 3 * (offsets.count + 1) / (steps - 12) - server
            let stage =
                progress < 1
                ? 0 : progress < offsets.count + 1 ? 1 : progress < 2 * (offsets.count + 1) ? 2 : 3
            if stage == 3, switched == nil { switched = Date(timeIntervalSince1970: time) }
            let sealer =
                switch stage {
                case 2... where !isListed: try after.sealer(keys, after: [])
                case _ where !isListed: try before.sealer(keys, after: [])
                case 0: try before.sealer(keys, after: [])
                case 1: try before.sealer(keys, after: [after.former()])
                case 2: try after.sealer(keys, after: [before.former()])
                default: try after.sealer(keys, after: [before.former(until: switched)])
                }
            let now = Date(timeIntervalSince1970: time + offsets[server])
            let index = Int.random(in: 0..<browsers.count, using: &random)
            if plants, Int.random(in: 0..<3, using: &random) == 0 {
                let token = try sealer.seal(Person(number: Person.neighbour), at: now).token
                let value =
                    [token, "garbage", String(token.dropLast(2)), ""].randomElement(using: &random) ?? ""
                let form = [before, after].randomElement(using: &random) ?? after
                let places = [
                    SetCookie.Attributes(domain: "example.com"), .init(path: "/app", domain: "example.com"),
                ]
                let place = places.randomElement(using: &random) ?? form.attributes
                browsers[index].take(
                    [
                        SetCookie(
                            name: form.name, value: value, attributes: place, maxAge: 1_000_000, now: now)
                    ],
                    at: time)
                outcome.planted += 1
            }
            let header = browsers[index].header(at: time)
            let opened = sealer.open(cookieHeader: header, at: now) { _ in }
            let number = opened?.session.number
            if plants {
                #expect(
                    number == nil || number == browsers[index].person || number == Person.neighbour,
                    "\(what), step \(step): \(number ?? 0)")
            } else if isListed || number != nil {
                #expect(number == browsers[index].person, "\(what), step \(step)")
            } else {
                outcome.lost += browsers[index].person == nil ? 0 : 1
            }
            if opened?.cookieName != nil, opened?.needsResealing == true { outcome.former += 1 }
            var answer: [SetCookie] = []
            switch Int.random(in: 0..<6, using: &random) {
            case 0:
                people += 1
                answer = try sealer.seal(Person(number: people), cookieHeader: header, at: now).cookies
                browsers[index].person = people
            case 1:
                answer = try sealer.signOutCookies(cookieHeader: header, at: now)
                // If the form is not listed, a single cookie is not removed: nothing tells the server where it is.
                if isListed || !browsers[index].hasOne(elsewhereThan: answer) { browsers[index].person = nil }
                outcome.signOuts += 1
                outcome.tombstones += answer.contains { !$0.value.isEmpty } ? 1 : 0
            default:
                guard var session = opened else { break }
                session.session.visits += 1
                if let sealed = try? sealer.reseal(session, at: now) { answer = sealed.cookies }
                outcome.visits += 1
            }
            browsers[index].take(answer, at: time)
            // A day's rest: whatever was not used for an hour has ended.
            if Int.random(in: 0..<40, using: &random) == 0 {
                time += 4000
                for index in browsers.indices { browsers[index].person = nil }
            }
        }
    }
}
