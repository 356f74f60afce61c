// Limits to the byte, and the report of a session's size.
import Foundation
import Testing

@testable import SealedCookie

@Suite struct SizeReportTests {
    @Test func `a cookie fits to the byte, and one byte more is refused with a report`() throws {
        for name in ["s", "__Host-session", String(repeating: "n", count: 200)] {
            let sealer = try CookieSealer<Data>(
                name, keys: sampleRing(1), lifetime: .init(absolute: .days(1)),
                attributes: .init())
            var largest = 0
            for count in 2000..<3200 {
                do throws(SealError) {
                    let sealed = try sealer.seal(Data(count: count), at: noon)
                    let cookieByteCount = name.utf8.count + sealed.token.utf8.count
                    #expect(sealed.tokenLength == sealed.token.utf8.count)
                    #expect(cookieByteCount <= 4096 && sealed.room == 4096 - cookieByteCount)
                    largest = max(largest, cookieByteCount)
                } catch {
                    guard case .tooLarge(let report) = error else {
                        Issue.record("\(error)")
                        return
                    }
                    let cookieByteCount = name.utf8.count + report.tokenLength
                    #expect(cookieByteCount > 4096 && report.excess == cookieByteCount - 4096)
                    #expect(report.cookieCount == 2)
                    // No base64url text has a length of 1 modulo 4.
                    #expect(largest >= 4095)
                    break
                }
            }
            #expect(largest >= 4095)
        }
    }

    @Test func `the report names the largest fields first`() throws {
        struct Cart: Codable, Sendable {
            var id = 7
            var note = String(repeating: "n", count: 100)
            var image = Data((0..<4000).map { _ in UInt8.random(in: 0...255) })
        }
        let sealer = try CookieSealer<Cart>(keys: sampleRing(1), lifetime: .init(absolute: .days(1)))
        let error = #expect(throws: SealError.self) { try sealer.seal(Cart(), at: noon) }
        guard case .tooLarge(let report) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        // Keys of 6, 5 and 3 bytes; heads of 3 and 2; the number itself.
        #expect(report.fields.map(\.name) == ["image", "note", "id"])
        #expect(report.fields.map(\.byteCount) == [6 + 3 + 4000, 5 + 2 + 100, 3 + 1])
        #expect(report.itemByteCount == 1 + report.fields.reduce(0) { $0 + $1.byteCount })
        #expect(
            report == (try sealer.sizeReport(for: Cart(image: Data(count: 4000)), at: noon))
                || report.excess > 0)
        #expect("\(report)".contains("image 4009"))
    }

    @Test func `an opened session's size report is that of the cookie it came in`() throws {
        let sealer = try CookieSealer<[String]>(keys: sampleRing(1), lifetime: .init(absolute: .days(90)))
        for (age, lifetime) in [
            (0.0, nil), (3600 * 24 * 30, nil),
            (3600, SessionLifetime(absolute: .days(400), idle: .days(200))),
        ] {
            let first = try sealer.seal(["a", "b"], lifetime: lifetime, at: noon)
            let later = noon + age
            let opened = try sealer.open(value: first.cookies[0].value, at: later)
            let again = try sealer.reseal(opened, at: later)
            let report = try sealer.sizeReport(for: sealer.open(value: again.cookies[0].value, at: later))
            #expect(report.tokenLength == again.tokenLength)
        }
    }
}
