// The shop's pages: HTML and SVG, written on the server. No JavaScript.
import Foundation
import Hummingbird
import SealedCookie

enum Page {
    struct Product {
        let name: String
        let price: Int
        let wax: String
        let words: String
        /// A path in a square of 100, pressed into the wax.
        let motif: String
    }

    static let products = [
        Product(
            name: "Moon", price: 24, wax: "ink", words: "For letters written late.",
            motif: "M58 27a24 24 0 1 0 15 37a20 20 0 0 1-15-37z"),
        Product(
            name: "Star", price: 22, wax: "gold", words: "For good news, sent early.",
            motif: "M50 26L56 42 73 43 60 53 64 69 50 60 36 69 40 53 27 43 44 42z"),
        Product(
            name: "Leaf", price: 24, wax: "moss", words: "For the garden’s correspondence.",
            motif: "M32 68C28 44 46 31 70 31C70 56 57 70 36 66M28 74L56 46"),
        Product(
            name: "Key", price: 26, wax: "vermilion", words: "For what two people know.",
            motif: "M50 28a10 10 0 1 1-.1 0zM50 48V76M50 64h9M50 73h11"),
        Product(
            name: "Wave", price: 22, wax: "teal", words: "For postcards from the coast.",
            motif: "M26 40q8-9 16 0t16 0t16 0M26 52q8-9 16 0t16 0t16 0M26 64q8-9 16 0t16 0t16 0"),
        Product(
            name: "Sun", price: 28, wax: "plum", words: "For invitations.",
            motif:
                "M50 39a11 11 0 1 1-.1 0zM67 50h9M62 62l6 6M50 67v9M38 62l-6 6M33 50h-9M38 38l-6-6M50 33v-9M62 38l6-6"
        ),
    ]

    // MARK: Pages

    static func shop(_ session: ShopSession) -> Response {
        page("Brass seals, and wax to match", session) {
            """
            <p class="lead">Each seal is cut by hand. What you have engraved on its handle travels in your cart,
            and your cart travels in your cookie.</p>
            <ul class="shelf">
            """
            for (number, product) in products.enumerated() {
                """
                <li>\(seal(product))
                <h2>\(product.name)</h2><p>\(product.words)</p>
                <form method="post" action="/cart/add">\(csrf(session))<input type="hidden" name="product" value="\(number)">
                <label>Engraving <input name="engraving" maxlength="300" placeholder="a name, a line" autocomplete="off"></label>
                <button>Add for €\(product.price)</button></form></li>
                """
            }
            "</ul>"
        }
    }

    static func cart(_ session: ShopSession) -> Response {
        page("Your cart", session) {
            if session.cart.isEmpty {
                "<p class=\"lead\">Nothing in it yet. <a href=\"/\">See the seals</a></p>"
            } else {
                "<ol class=\"lines\">"
                // A cookie outlives a deployment: its product may be gone.
                for line in session.cart where products.indices.contains(line.product) {
                    let product = products[line.product]
                    let engraving = escape(line.engraving)
                    """
                    <li>\(seal(product))<div><strong>\(product.name)</strong><span>\(engraving)</span></div>
                    <span class="price">€\(product.price)</span>
                    <form method="post" action="/cart/remove">\(csrf(session))<input type="hidden" name="product" value="\(line.product)">
                    <input type="hidden" name="engraving" value="\(engraving)">
                    <button class="quiet" aria-label="Remove \(product.name) \(engraving)">Remove</button></form></li>
                    """
                }
                """
                </ol><p class="total">Total <strong>€\(total(session.cart))</strong></p>
                <p class="note">All of it is in your cookie, and nowhere else. <a href="/">More seals</a></p>
                """
            }
        }
    }

    static func signIn(_ session: ShopSession) -> Response {
        page("Sign in", session) {
            """
            <form method="post" action="/sign-in" class="panel narrow">\(csrf(session))
            <label>Your name <input name="name" maxlength="40" required autofocus autocomplete="username"></label>
            <label><input type="checkbox" name="remember" value="yes"> Remember me on this device</label>
            <button>Sign in</button>
            <p class="note">There is no password: this example is about what happens after one was right.</p></form>
            """
        }
    }

    /// - Parameter sent: the cookies as they came with this request, and their bytes of name and value.
    static func profile(
        _ session: ShopSession, _ opened: OpenedSession<ShopSession>?, _ report: SizeReport,
        sent: [(name: String, bytes: Int)]
    ) -> Response {
        page("What your session costs", session) {
            """
            <p class="lead">All that this shop knows of you is in your browser, sealed. It comes back with every request,
            and this is what it weighs.</p>
            <div class="panels"><section class="panel wide"><h2>Stage by stage</h2>
            \(stages([
                ("CBOR", "the session in binary", report.itemByteCount),
                ("DEFLATE", "compressed, with its times", report.payloadByteCount),
                ("XAES-256-GCM", "encrypted, with key id, nonce and tag", report.sealedByteCount),
                ("base64url", "as text", report.tokenLength),
                ("Cookie", "with \(report.cookieCount == 1 ? "its name" : "\(report.cookieCount) names")", report.cookieByteCount),
            ]))
            <p class="note"><span class="key more"></span>what a stage adds <span class="key less"></span>what it saves</p></section>
            <section class="panel wide"><h2>In your browser</h2>
            \(gauges(sent, limit: report.nameAndValueLimit))
            <p class="note">\(report.headerByteCount.formatted()) bytes of every request. The shop allows itself
            \(report.tokenLimit.formatted()) characters of text: \(report.room.formatted()) are free.</p>
            """
            if let server = report.refusingServers.first {
                "<p class=\"warning\">More than some servers and clients take as they come: the limit of \(server.server) is \(server.cookieHeader.formatted()) bytes.</p>"
            }
            """
            </section><section class="panel"><h2>Field by field</h2>
            \(fields(report))
            <p class="note">In CBOR, before compression. The CSRF token is a secret: the compressor never sees it.</p></section>
            <div>
            """
            if let opened {
                """
                <section class="panel"><h2>This cookie</h2><dl>
                <dt>Session began</dt><dd>\(time(opened.createdAt))</dd><dt>Sealed</dt><dd>\(time(opened.sealedAt))</dd>
                <dt>Ends, unless used</dt><dd>\(time(opened.expiresAt))</dd><dt>Key</dt><dd><code>\(opened.keyID)</code></dd></dl></section>
                """
            }
            """
            <section class="panel"><h2>Leave</h2>
            <form method="post" action="/sign-out" class="row">\(csrf(session))<button>Sign out</button>
            <span>This browser forgets its cookie.</span></form>
            <form method="post" action="/sign-out-everywhere" class="row">\(csrf(session))<button class="quiet">Sign out everywhere</button>
            <span>Ends <em>every</em> session begun until now, every visitor’s: the ring’s <code>not-before</code>.</span></form></section>
            </div></div>
            """
        }
    }

    static func error(_ status: HTTPResponse.Status) -> Response {
        let words =
            switch status {
            case .notFound: "There is no such page."
            case .forbidden: "This form was made for another session. Open its page again and repeat."
            case .unprocessableContent, .badRequest, .contentTooLarge:
                "Something in this form is missing or too long."
            default: "That did not work. Try again in a moment."
            }
        return error(status, status.reasonPhrase, "<p>\(words)</p><p><a href=\"/\">To the shop</a></p>")
    }

    /// Where the session would no longer fit its cookies.
    static var cartFull: Response {
        error(
            .contentTooLarge, "Your cart is full",
            """
            <p>Its cookies hold no more, and this seal was not added. Remove something, or engrave less.</p>
            <p><a href="/cart">To your cart</a></p>
            """)
    }

    private static func error(_ status: HTTPResponse.Status, _ title: String, _ words: String) -> Response {
        var response = page(title, nil) {
            "<div class=\"error\">\(words)<p class=\"note\">Error \(status.code)</p></div>"
        }
        response.status = status
        response.headers[.cacheControl] = "no-store"
        return response
    }

    /// The star in gold wax.
    static let icon = """
        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100"><path fill="#b58a2d" d="\(wax)"/>\
        <path fill="none" stroke="#fff" stroke-width="4" stroke-linejoin="round" d="\(products[1].motif)"/></svg>
        """

    // MARK: Parts

    private static func total(_ cart: [ShopSession.Line]) -> Int {
        cart.reduce(0) { $0 + (products.indices.contains($1.product) ? products[$1.product].price : 0) }
    }

    private static func csrf(_ session: ShopSession) -> String {
        "<input type=\"hidden\" name=\"csrf\" value=\"\(session.csrfText)\">"
    }

    private static func seal(_ product: Product) -> String {
        """
        <svg class="seal \(product.wax)" viewBox="0 0 100 100" aria-hidden="true"><use href="#wax"/><circle cx="50" cy="50" r="34"/>\
        <path d="\(product.motif)"/></svg>
        """
    }

    /// One stage's bytes over the other's: what it takes over, what it adds, what it saves.
    private static func stages(_ rows: [(name: String, words: String, bytes: Int)]) -> String {
        let most = rows.map(\.bytes).max() ?? 1
        var before = rows[0].bytes
        return table(
            "", "",
            rows.map { name, words, bytes in
                defer { before = bytes }
                let parts = [("", 0, min(before, bytes)), ("more", before, bytes), ("less", bytes, before)]
                let difference =
                    bytes == before ? "" : (bytes < before ? "−" : "+") + abs(bytes - before).formatted()
                return row(name, words, parts, of: most, bytes, difference)
            })
    }

    /// Each cookie against what a browser keeps in one.
    private static func gauges(_ cookies: [(name: String, bytes: Int)], limit: Int) -> String {
        table(
            "gauges", "a browser keeps \(limit.formatted())",
            cookies.map {
                row(
                    "<code>\(escape($0.name))</code>", "", [("", 0, $0.bytes)], of: limit, $0.bytes,
                    "\($0.bytes * 100 / limit) %")
            })
    }

    private static func fields(_ report: SizeReport) -> String {
        let most = report.fields.first?.byteCount ?? 1
        return table(
            "fields", "",
            report.fields.map {
                row(escape($0.name), "", [("", 0, $0.byteCount)], of: most, $0.byteCount, "")
            })
    }

    private static func table(_ style: String, _ scale: String, _ rows: [String]) -> String {
        """
        <table class="bars \(style)"><tr class="scale"><td></td><td>\(scale)</td><td class="bytes">bytes</td><td class="remark"></td></tr>
        \(rows.joined(separator: "\n"))</table>
        """
    }

    /// A row with a bar, of parts from one number of bytes to another.
    private static func row(
        _ name: String, _ words: String, _ parts: [(style: String, from: Int, to: Int)], of most: Int,
        _ bytes: Int,
        _ remark: String
    ) -> String {
        let scale = 1000 / Double(max(most, 1))
        let rectangles = parts.filter { $0.from < $0.to }.map {
            """
            <rect class="\($0.style)" x="\(Int(Double($0.from) * scale))" width="\(Int(Double($0.to - $0.from) * scale))" height="10"/>
            """
        }
        return """
            <tr><th scope="row">\(name)<small>\(words)</small></th><td><svg viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true">\
            <rect class="track" width="1000" height="10"/>\(rectangles.joined())</svg></td>\
            <td class="bytes">\(bytes.formatted())</td><td class="remark">\(remark)</td></tr>
            """
    }

    private static func time(_ date: Date) -> String {
        date.formatted(.iso8601.dateTimeSeparator(.space)).replacing("Z", with: " UTC")
    }

    static func escape(_ text: String) -> String {
        guard text.utf8.contains(where: { "&<>\"'".utf8.contains($0) }) else { return text }
        return text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
            .replacing("\"", with: "&quot;").replacing("'", with: "&#39;")
    }

    @resultBuilder enum Body {
        static func buildExpression(_ text: String) -> String { text }
        static func buildBlock(_ parts: String...) -> String { parts.joined(separator: "\n") }
        static func buildArray(_ parts: [String]) -> String { parts.joined(separator: "\n") }
        static func buildOptional(_ part: String?) -> String { part ?? "" }
        static func buildEither(first part: String) -> String { part }
        static func buildEither(second part: String) -> String { part }
    }

    private static func page(_ title: String, _ session: ShopSession?, @Body body: () -> String) -> Response {
        var links = ""
        if let session {
            links = "<a href=\"/cart\">Cart<b>\(session.cart.count)</b></a>"
            links +=
                session.name.map { "<a href=\"/profile\">\(escape($0))</a>" }
                ?? "<a href=\"/sign-in\">Sign in</a>"
        }
        let text = """
            <!doctype html><html lang="en"><head><meta charset="utf-8"><title>\(title) · Signet</title>
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <link rel="icon" href="/icon.svg" type="image/svg+xml"><link rel="stylesheet" href="/style.css"></head><body>
            <svg width="0" height="0" aria-hidden="true"><symbol id="wax" viewBox="0 0 100 100"><path d="\(wax)"/></symbol></svg>
            <header><a class="brand" href="/">Signet</a><nav>\(links)</nav></header><main><h1>\(title)</h1>
            \(body())
            </main><footer>An example of SealedCookie: this shop keeps nothing about you on its servers.</footer></body></html>
            """
        var headers: HTTPFields = [
            .contentType: "text/html; charset=utf-8", .xContentTypeOptions: "nosniff",
            .contentSecurityPolicy:
                "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        ]
        // After signing out, the back button must not show it.
        if session?.name != nil { headers[.cacheControl] = "no-store" }
        return Response(status: .ok, headers: headers, body: .init(byteBuffer: .init(string: text)))
    }

    private static let wax = """
        M97 50C98 55 96 61 94 66C92 71 89 76 85 79C81 83 77 86 72 89C68 91 63 94 58 95C53 96 47 97 42 95C37 94 33 89 29 87\
        C24 85 17 84 14 81C10 77 8 71 6 66C5 61 3 55 4 50C5 45 8 40 10 36C12 31 12 25 15 20C17 16 22 12 27 10C31 7 37 7 42 6\
        C48 6 53 3 58 4C63 5 69 7 73 10C78 13 83 16 85 21C88 25 87 31 89 36C91 41 97 45 97 50z
        """
}
