#!/usr/bin/env python3
"""Uses the example shop in Chromium and in Firefox as visitors do, and as those do who mean it no good.

usage: example.py PATH-OF-sealed-cookie PATH-OF-hummingbird-login [FOLDER-FOR-SCREENSHOTS]

Only the standard library, openssl, and the browsers: see drivers.py.
"""
import base64
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
import urllib.parse

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../Web"))

from drivers import Chromium, Firefox
from gate import Gate
from server import Site
from shop import Server, free_ports

TOOL, SHOP = (os.path.abspath(path) for path in sys.argv[1:3])
PICTURES = sys.argv[3] if len(sys.argv) > 3 else None
SESSION = "__Host-session"
ADA = "Ada Augusta King, Countess of Lovelace"
checks, failed = 0, 0


def tool(*words, text=""):
    return subprocess.run([TOOL, *words], input=text, check=True, capture_output=True, text=True, timeout=60).stdout.strip()


def stamp(ago):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - ago))


def in_order(cookies):
    """A session's cookies out of the jar, or out of a header, by the numbers of its parts."""
    return [(name, cookies[name]) for name in sorted(cookies) if name == SESSION or name.startswith(SESSION + ".")]


class Trial:
    def __init__(self, kind, browser, site, gate, server, ring):
        self.kind, self.browser, self.site, self.gate, self.server, self.ring = kind, browser, site, gate, server, ring
        self.random = random.Random(1)

    def check(self, condition, what, detail=""):
        global checks, failed
        checks += 1
        if not condition:
            failed += 1
            print(f"FAILED {self.kind.name}, {self.step}: {what}: {str(detail)[:300]}", flush=True)

    def run(self):
        for step in (self.sign_in, self.profile, self.splits, self.full, self.shrinks, self.two_tabs, self.at_once, self.expired,
                     self.tampered, self.planted, self.forged, self.sign_out, self.looks):
            self.step = step.__name__
            try:
                step()
            except Exception as error:
                self.check(False, "it went to its end", repr(error))

    # What a visitor does and sees.

    def go(self, path):
        self.browser.load(f"http://localhost:{self.gate.port}{path}")

    @property
    def path(self):
        return urllib.parse.urlsplit(self.browser.do("GetCurrentURL")).path

    @property
    def text(self):
        return self.browser.script("return document.body.innerText")

    @property
    def title(self):
        return self.browser.script("return document.title")

    @property
    def status(self):
        return self.browser.script("return performance.getEntriesByType('navigation')[0].responseStatus")

    @property
    def visitor(self):
        return self.browser.script("return document.querySelector('nav a[href=\"/profile\"]')?.textContent ?? null")

    @property
    def shown(self):
        """The engravings on the cart's page."""
        return self.browser.script("return [...document.querySelectorAll('.lines div span')].map(each => each.textContent)")

    def cart(self):
        self.go("/cart")
        return self.shown

    def enter(self, name, remember=False):
        self.go("/sign-in")
        self.browser.script("document.querySelector('input[name=remember]').checked = arguments[0]", remember)
        self.browser.leaving(lambda: self.browser.type("input[name=name]", name + "\ue007"))

    def add(self, engraving, product=0):
        self.go("/")
        self.browser.script("document.querySelectorAll('input[name=engraving]')[arguments[0]].value = arguments[1]", product, engraving)
        self.browser.click(".shelf button", product)

    def noise(self, length=300):
        """What hardly compresses."""
        return "".join(self.random.choices("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789<&\"'é ", k=length)).strip()

    # The browser's jar.

    @property
    def jar(self):
        return in_order(self.browser.cookies())

    @property
    def token(self):
        return re.sub(r"^\d\.", "", "".join(cookie["value"] for _, cookie in self.jar))

    def put(self, name, value, like):
        """Puts a cookie into the jar in place of the one of its name, with that one's attributes."""
        self.browser.do("DeleteCookie", name=name)
        self.browser.do("AddCookie", cookie={key: like[key] for key in ("path", "secure", "httpOnly", "sameSite", "expiry") if key in like} | {
            "name": name, "value": value})
        self.check(self.browser.cookies().get(name, {}).get("value") == value, "the jar takes the changed cookie")

    def log(self):
        """What the server has logged since the last call."""
        with open(self.server.log.name, errors="replace") as file:
            file.seek(getattr(self, "read", 0))
            text = file.read()
            self.read = file.tell()
        return text

    def is_signed_out(self, reason):
        """The profile is not to be seen, the page is whole, and the log says why."""
        self.log()
        self.go("/profile")
        self.check(self.path == "/sign-in" and self.status == 200 and self.visitor is None, "signed out", self.path)
        log = self.log()
        self.check(reason in log, f"the log says '{reason}'", log)
        self.check(self.token[10:50] not in log or not self.token, "the log does not hold the token")

    # The steps.

    def sign_in(self):
        self.go("/")
        self.check(self.status == 200 and "Signet" in self.title and self.visitor is None, "the shop is open", self.title)
        before = self.token
        (name, cookie), = self.jar
        self.check(name == SESSION and cookie["secure"] and cookie["httpOnly"] and cookie["sameSite"] == "Lax" and cookie["path"] == "/",
                   "the cookie's attributes", cookie)
        self.check(abs(cookie["expiry"] - time.time() - 12 * 3600) < 120, "it ends with the idle time", cookie["expiry"])
        self.go("/profile")
        self.check(self.path == "/sign-in", "no profile before signing in", self.path)
        # By keyboard alone: the field has the focus.
        focus = self.browser.script("return document.activeElement.name")
        self.check(focus == "name", "the field for the name has the focus", focus)
        self.browser.leaving(lambda: self.browser.press(*ADA, "\ue007"))
        self.check(self.path == "/profile" and self.visitor == ADA, "signed in", (self.path, self.visitor))
        self.check(self.token != before, "another session than before")
        self.check("expiry" not in self.browser.cookies()[SESSION], "not remembered, it ends with the browser")
        self.enter(ADA, remember=True)
        expiry = self.browser.cookies()[SESSION].get("expiry", 0)
        self.check(abs(expiry - time.time() - 30 * 86_400) < 120, "remembered, it ends after 30 days unused", expiry)
        self.enter(ADA)
        self.check("expiry" not in self.browser.cookies()[SESSION], "not remembered again", self.path)
        self.check(self.browser.script("return document.cookie") == "", "no script sees the cookie")

    def bars(self, section):
        """A chart's rows: its names, its bytes, and the length of its bars in thousandths, as drawn."""
        return self.browser.script("""
            const panel = [...document.querySelectorAll(".panel")].find(each => each.querySelector("h2").textContent === arguments[0])
            return [...panel.querySelectorAll("tr:has(th)")].map(row => {
                const track = row.querySelector(".track").getBoundingClientRect()
                const ends = [...row.querySelectorAll("rect:not(.track):not(.less)")].map(each => each.getBoundingClientRect().right)
                return [row.querySelector("th").firstChild.textContent, Number(row.querySelector(".bytes").textContent.replace(",", "")),
                        (Math.max(...ends) - track.left) / track.width * 1000]
            })""", section)

    def profile(self):
        """The bars tell the truth about the cookies in the jar."""
        self.go("/profile")
        self.check(self.status == 200, "the profile", self.status)
        jar = [(name, len(name) + len(cookie["value"])) for name, cookie in self.jar]
        stages = self.bars("Stage by stage")
        opened = tool("open", "-k", self.ring, "--split", "4", text=self.jar_header())
        report = json.loads(tool("size", "--json", text=opened))
        expected = {
            "XAES-256-GCM": len(base64.urlsafe_b64decode(self.token + "==")), "base64url": len(self.token),
            "Cookie": sum(size for _, size in jar), "CBOR": report["item"]}
        found = {name: size for name, size, _ in stages}
        for name, size in expected.items():
            self.check(found[name] == size, f"bytes of {name}", (found[name], size))
        self.check(found["DEFLATE"] == found["XAES-256-GCM"] - 40, "bytes of DEFLATE", found)
        gauges = self.bars("In your browser")
        self.check([(name, size) for name, size, _ in gauges] == jar, "each cookie of the jar", (gauges, jar))
        for rows, most in ((stages, max(found.values())), (gauges, 4096)):
            for name, size, length in rows:
                self.check(abs(length - size / most * 1000) <= 4, f"the bar of {name} is as long as its bytes", (length, size, most))

    def jar_header(self):
        return "Cookie: " + "; ".join(f"{name}={cookie['value']}" for name, cookie in self.jar)

    def splits(self):
        self.lines = self.cart()
        while len(self.jar) < 3:
            self.lines.append(self.noise())
            self.add(self.lines[-1], len(self.lines) % 6)
            self.check(self.path == "/cart", "added", self.path)
        self.check(self.cart() == self.lines, "the cart reads back whole", len(self.lines))
        names = [name for name, _ in self.jar]
        self.check(names == [SESSION, SESSION + ".1", SESSION + ".2"], "in three cookies", names)
        self.check(all(len(name) + len(cookie["value"]) <= 4096 for name, cookie in self.jar), "none over the limit")
        header = dict(pair.split("=", 1) for pair in self.gate.last("GET", "/cart").cookie.split("; "))
        self.check(in_order(header) == [(name, cookie["value"]) for name, cookie in self.jar], "all of them are sent", list(header))
        self.profile()

    def full(self):
        while self.status == 200 and len(self.lines) < 200:
            self.lines.append(self.noise())
            self.add(self.lines[-1])
        refused = self.lines.pop()
        self.check(self.status == 413 and "cart is full" in self.title, "the cart is full at last", (self.status, self.title))
        self.check(len(self.jar) == 4, "in four cookies", len(self.jar))
        self.check("Set-Cookie" not in self.gate.last("POST", "/cart/add").headers, "the refused seal changed nothing")
        self.browser.click("main a")
        self.check(self.path == "/cart" and self.shown == self.lines and refused not in self.text, "the cart is as it was")
        self.check("session not sealed" in self.log(), "the log says so")

    def shrinks(self):
        self.go("/cart")
        sizes = []
        while len(self.lines) > 1:
            number = self.random.randrange(len(self.lines))
            self.browser.click(".lines button", number)
            del self.lines[number]
            sizes.append(len(self.jar))
        self.check(sorted(sizes, reverse=True) == sizes and set(sizes) == {4, 3, 2, 1}, "fewer and fewer cookies", sizes)
        self.check([name for name, _ in self.jar] == [SESSION], "no stale part is left", [name for name, _ in self.jar])
        self.check(self.shown == self.lines and self.cart() == self.lines, "the rest reads back whole")
        self.profile()

    def two_tabs(self):
        first = self.browser.do("GetWindowHandle")
        first = first if isinstance(first, str) else first["value"]
        self.go("/cart")
        second = self.browser.new_tab()
        self.browser.tab(second)
        self.check(self.cart() == self.lines and self.visitor == ADA, "the second tab has the session")
        self.add("from the second tab 蠟印")
        self.browser.tab(first)
        self.check("from the second tab 蠟印" not in self.shown, "the first does not know yet")
        self.browser.leaving(lambda: self.browser.do("Refresh"))
        self.check(self.shown == self.lines + ["from the second tab 蠟印"], "after a reload it does", self.shown)
        # The first removes what it shows, though the second has removed another line above it.
        self.browser.tab(second)
        self.go("/cart")
        self.browser.click(".lines button", 0)
        self.browser.tab(first)
        self.browser.click(".lines button", 1)
        self.check(self.shown == [], "each removed the line that it showed", self.shown)
        self.lines = []
        self.tabs = first, second

    def at_once(self):
        """Both tabs change the session from the same one. The later answer wins, and nobody is signed out."""
        first, second = self.tabs
        for tab in self.tabs:
            self.browser.tab(tab)
            self.go("/")
        self.gate.hold(2)
        self.browser.tab(first)
        self.browser.script("""
            const form = document.querySelector(".shelf form")
            form.elements.engraving.value = "one"
            setTimeout(() => form.requestSubmit(), 1000)""")
        self.browser.tab(second)
        self.browser.script("document.querySelector('.shelf form').elements.engraving.value = 'two'")
        self.browser.click(".shelf button")
        posts = [seen for seen in self.gate.seen if seen.method == "POST"][-2:]
        self.check(posts[0].cookie == posts[1].cookie and posts[0].body != posts[1].body, "both began with the same session")
        winner = urllib.parse.parse_qs(posts[1].body)["engraving"]
        self.browser.wait(lambda: posts[1].status)
        self.browser.tab(first)
        self.browser.wait(lambda: self.path == "/cart" and self.browser.script("return document.readyState === 'complete'"))
        for tab in self.tabs:
            self.browser.tab(tab)
            shown = self.cart()
            self.check(shown == winner, "the last answer wins, in both tabs", (shown, winner))
            self.check(self.visitor == ADA and self.status == 200, "nobody is signed out")
        self.lines = winner

    def expired(self):
        session = tool("open", "-k", self.ring, "--split", "4", text=self.jar_header())
        self.check(json.loads(session)["name"] == ADA, "the tool opens the browser's cookie", session)
        cookie = self.browser.cookies()[SESSION]
        for hours, is_over in ((11, False), (13, True)):
            old = tool("seal", "-k", self.ring, "--split", "4", "--at", stamp(hours * 3600), text=session)
            self.put(SESSION, old, cookie)
            if is_over:
                self.is_signed_out("expired at " + stamp(3600)[:13])
            else:
                self.go("/profile")
                self.check(self.visitor == ADA and self.path == "/profile", f"{hours} hours unused are not too long", self.path)
                self.check(self.token != old, "it is sealed again")
        self.enter(ADA)
        self.check(self.path == "/profile" and self.visitor == ADA, "signed in again", self.path)
        self.lines = []

    def tampered(self):
        good = self.browser.cookies()[SESSION]
        value = good["value"]
        for place, reason in ((0, "unknown version"), (3, "no key"), (len(value) // 2, "not authentic"), (len(value) - 9, "not authentic")):
            changed = value[:place] + ("A" if value[place] != "A" else "B") + value[place + 1:]
            self.put(SESSION, changed, good)
            self.is_signed_out(reason)
        self.put(SESSION, "", good)
        self.is_signed_out("too short")
        self.put(SESSION, value, good)
        self.go("/profile")
        self.check(self.visitor == ADA, "as it was, it opens")
        self.put(SESSION, changed, good)
        self.enter("Grace")
        self.check(self.path == "/profile" and self.visitor == "Grace", "signing in over a broken cookie", self.path)
        # A session in several cookies that has lost one.
        while len(self.jar) < 2:
            self.add(self.noise())
        self.browser.do("DeleteCookie", name=SESSION + ".1")
        self.check([name for name, _ in self.jar] == [SESSION], "a part is lost", self.jar)
        self.is_signed_out("cookie 2 of 2 is missing")
        self.enter(ADA)
        self.check(self.visitor == ADA, "and signs in again")

    def planted(self):
        """Cookies of the session's names that another server of this host tries to set."""
        while self.cart():
            self.browser.click(".lines button")
        self.add("mine")
        for line in (f"{SESSION}=evil; Path=/cart; Secure", f"{SESSION}=evil; Path=/", f"__host-session=evil; Path=/; Secure", f"{SESSION}.1=evil; Path=/; Secure", f"{SESSION}.3=evil; Path=/; Secure",
                     f"=__Host-session=evil; Path=/; Secure"):
            self.site.visit(self.browser, [line])
            shown = self.cart()
            self.check(shown == ["mine"] and self.visitor == ADA, f"'{line}' does not sign out", shown)
        left = [name for name, _ in self.jar]
        self.check(left == [SESSION, f"{SESSION}.1", f"{SESSION}.3"], "planted parts alone make no response write", left)
        while self.cart():
            self.browser.click(".lines button")
        self.add("mine")
        left = [name for name, _ in self.jar]
        self.check(left == [SESSION], "the next write removes planted parts", left)
        # By the browser's automation, which may not hold to what a name's prefix says.
        try:
            self.browser.do("AddCookie", cookie={"name": SESSION, "value": "evil", "path": "/cart", "secure": True})
        except RuntimeError:
            pass
        self.check(self.cart() == ["mine"], "a cookie for another path does not sign out")
        self.found = self.gate.last("GET", "/cart").cookie.count(SESSION + "=")
        if self.found > 1:
            own = next(cookie for cookie in self.browser.do("GetCookies") if (cookie["name"], cookie["path"]) == (SESSION, "/"))
            self.put(SESSION, own["value"], own)
        # And as a client sends them that has both.
        import http.client
        for header in (f"{SESSION}=evil; {SESSION}={self.token}", f"{SESSION}={self.token}; {SESSION}=evil; {SESSION}.1=evil"):
            shop = http.client.HTTPConnection("127.0.0.1", self.server.port)
            shop.request("GET", "/cart", headers={"Cookie": header})
            text = shop.getresponse().read().decode()
            self.check(ADA in text and "mine" in text, "two cookies of one name, one of them ours")

    def forged(self):
        """Forms that are not this session's."""
        for host, sends in (("localhost", True), ("127.0.0.1", False)):
            self.site.visit(self.browser, host=host)
            self.browser.leaving(lambda: self.browser.script("""
                const form = document.createElement("form")
                form.method = "post"
                form.action = arguments[0]
                for (const [name, value] of Object.entries({csrf: "0".repeat(32), product: 0, engraving: "forged"})) {
                    const input = document.createElement("input")
                    ;[input.name, input.value] = [name, value]
                    form.append(input)
                }
                document.body.append(form)
                form.submit()""", f"http://localhost:{self.gate.port}/cart/add"))
            self.check(self.status == 403 and "Forbidden" in self.title, f"a form from {host} is refused", (self.status, self.title))
            seen = self.gate.last("POST", "/cart/add")
            self.check("Set-Cookie" not in seen.headers, "and changes nothing")
            self.check((SESSION in seen.cookie) == sends, f"a form from {host} comes {'with' if sends else 'without'} the cookie (SameSite)")
        self.check(self.cart() == ["mine"] and self.visitor == ADA, "the cart is as it was")

    def sign_out(self):
        first, second = self.tabs
        self.browser.tab(second)
        self.go("/cart")
        self.browser.tab(first)
        while len(self.jar) < 2:
            self.add(self.noise())
        self.go("/profile")
        self.browser.click("form[action='/sign-out'] button")
        self.check(self.path == "/" and self.visitor is None, "signed out", (self.path, self.visitor))
        names = [name for name, _ in self.jar]
        self.check(names == [SESSION], "parts are gone; the shop has begun a new session", names)
        self.browser.do("Back")
        self.browser.wait(lambda: self.browser.script("return document.readyState === 'complete'"))
        self.check(ADA not in self.text, "the back button shows nothing of it", self.text)
        self.browser.leaving(lambda: self.browser.do("Refresh"))
        self.check(ADA not in self.text and self.path == "/sign-in", "nor does a reload", self.path)
        # The other tab still shows the cart, with a form of the session that is over.
        self.browser.tab(second)
        self.check(self.shown[:1] == ["mine"], "the second tab still shows its page", self.shown)
        self.browser.click(".lines button")
        self.check(self.status == 403 and "another session" in self.text, "its form is refused", (self.status, self.text))
        self.browser.click("main a")
        self.check(self.status == 200 and self.visitor is None, "and leads back to the shop", self.path)
        self.check(self.cart() == [], "whose cart is empty")
        # Everywhere: another visitor's session ends too, here one that the tool made.
        token = tool("seal", "-k", self.ring, "--split", "4", text='{"name": "Eve", "cart": [], "csrf": {"$secret": {"$bytes": "AAAA"}}}')
        self.enter(ADA)
        time.sleep(1.1)     # not-before is in whole seconds
        self.browser.click("form[action='/sign-out-everywhere'] button")
        self.check(self.path == "/" and self.visitor is None, "signed out everywhere", self.path)
        self.put(SESSION, token, self.browser.cookies()[SESSION])
        self.is_signed_out("when all sessions were ended")
        self.browser.do("CloseWindow")
        self.browser.tab(first)

    # How it looks.

    def looks(self):
        self.enter(ADA)
        engravings = ["Ada to Charles, 1843", "The Analytical Engine weaves algebraical patterns just as the Jacquard loom weaves flowers and leaves.",
                      "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft" * 3, "<b>&amp;</b> \"quoted\"", "", "Łódź · сургуч · σφραγίς"]
        for number, engraving in enumerate(engravings):
            self.add(engraving, number)
        self.check(self.cart() == engravings, "texts of all kinds read back")
        self.check(self.browser.script("return document.querySelector('.lines b')") is None, "none of them is taken for HTML")
        sizes = [(width, is_dark) for width in (1280, 390) for is_dark in (False, True)]
        try:
            self.look("cart", "/cart", sizes)
            self.look("shop", "/", sizes)
            while len(self.jar) < 3:
                self.add(self.noise())
            self.look("profile", "/profile", sizes)
            self.look("error", "/nowhere", sizes)
            self.browser.do("DeleteAllCookies")
            self.look("cart-empty", "/cart", sizes)
            self.look("sign-in", "/sign-in", sizes)
        finally:
            self.browser.resize(1280, 800)
        misses = {seen.path for seen in self.gate.seen if seen.status == 404}
        self.check(misses == {"/nowhere"}, "the pages ask for nothing that there is not, such as a favicon", misses)

    def look(self, name, path, sizes):
        for width, is_dark in sizes:
            self.browser.resize(width, 844, is_dark)
            self.go(path)
            where = f"{name} at {width} pixels{', dark' if is_dark else ''}"
            found = self.browser.script(LOOK)
            self.check(found["background"] < 128 if is_dark else found["background"] > 128, f"{where}: its colours", found["background"])
            self.check(found["wide"] == [], f"{where}: nothing is wider than the page", found["wide"])
            self.check(found["faint"] == [], f"{where}: contrast of WCAG AA", found["faint"])
            self.check(found["nameless"] == [], f"{where}: every control has a name", found["nameless"])
            self.check(found["texts"] > 5 and found["language"] == "en" and found["headings"] == 1, f"{where}: has its parts", found)
            self.check(re.fullmatch(r".+ · Signet", self.title), f"{where}: has a title", self.title)
            # Each control shows that it has the focus.
            rings = set()
            for _ in range(3):
                self.browser.press("\ue004")
                rings.add(self.browser.script("""
                    const focus = document.activeElement, style = getComputedStyle(focus)
                    return document.hasFocus() && focus.matches("a, button, input") ? style.outlineStyle + " " + style.outlineWidth : ''"""))
            # After the last control comes the browser's own bar.
            self.check("solid 2px" in rings and rings <= {"solid 2px", ""}, f"{where}: the focus is seen", rings)
            if PICTURES and ((not is_dark and name != "cart-empty" and (self.kind is Chromium or name == "profile"))
                             or (is_dark and name == "profile" and width == 1280 and self.kind is Chromium)):
                self.browser.script("document.activeElement.blur(); scrollTo(0, 0)")
                file = f"{name}-{width}{'-dark' if is_dark else ''}-{self.kind.name.lower()}.png"
                with open(os.path.join(PICTURES, file), "wb") as picture:
                    picture.write(self.browser.screenshot())


# What of a page can be measured. Contrast is that of WCAG 2.2: 4.5 for text, 3 for large text and for a field's border.
LOOK = """
    const channels = text => text.match(/[\\d.]+/g).map(Number)
    const linear = value => (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
    const luminance = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
    const contrast = (a, b) => {
        const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y)
        return (high + 0.05) / (low + 0.05)
    }
    const behind = element => {
        for (; element; element = element.parentElement) {
            const color = channels(getComputedStyle(element).backgroundColor)
            if (color.length < 4 || color[3] > 0.99) return color
        }
        return [255, 255, 255]
    }
    const faint = [], wide = [], nameless = []
    let texts = 0
    const measure = (element, text, color, limit, back) => {
        const ratio = contrast(channels(color), back)
        if (ratio < limit) faint.push(`${text.trim().slice(0, 20)}: ${ratio.toFixed(2)}`)
    }
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
    while (walker.nextNode()) {
        const element = walker.currentNode.parentElement, style = getComputedStyle(element)
        if (!walker.currentNode.data.trim() || !element.getClientRects().length) continue
        texts++
        const size = parseFloat(style.fontSize), isLarge = size >= 24 || (size >= 18.66 && style.fontWeight >= 700)
        measure(element, walker.currentNode.data, style.color, isLarge ? 3 : 4.5, behind(element))
    }
    for (const field of document.querySelectorAll("input:not([type=hidden])")) {
        measure(field, "border", getComputedStyle(field).borderTopColor, 3, behind(field.parentElement))
        if (field.placeholder) measure(field, "placeholder", getComputedStyle(field, "::placeholder").color, 4.5, behind(field))
        if (!field.labels.length) nameless.push(field.name)
    }
    for (const control of document.querySelectorAll("button, a"))
        if (!control.textContent.trim() && !control.ariaLabel) nameless.push(control.outerHTML)
    const width = document.documentElement.clientWidth
    for (const element of document.querySelectorAll("body *"))
        if (element.getBoundingClientRect().right > width + 1 || element.getBoundingClientRect().left < -1) wide.push(element.tagName + "." + element.className)
    if (document.documentElement.scrollWidth > width) wide.push("the page")
    return {faint, wide, nameless, texts, language: document.documentElement.lang, headings: document.querySelectorAll("h1").length,
            background: channels(getComputedStyle(document.body).backgroundColor)[0]}
"""


def main():
    if PICTURES:
        os.makedirs(PICTURES, exist_ok=True)
    began = time.monotonic()
    for kind in (Chromium, Firefox):
        before, start = checks, time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            ring = os.path.join(folder, "session.keys")
            tool("keygen", ring)
            # A key without a time, so that it seals the expired cookies of the past too.
            with open(ring, "r+") as file:
                text = re.sub(r" from=\S+", "", file.read())
                file.seek(0)
                file.write(text)
                file.truncate()
            server = Server("shop", SHOP, folder, free_ports(1)[0], ring)
            try:
                gate, site = Gate(server.port), Site(folder)
                with kind() as browser:
                    trial = Trial(kind, browser, site, gate, server, ring)
                    trial.run()
                    version = browser.version
            finally:
                server.kill()
        print(f"{kind.name} {version}: {checks - before} checks, {len(gate.seen)} requests, {time.monotonic() - start:.0f} s; "
              f"the automation's cookie for another path: {'sent before ours' if trial.found > 1 else 'refused'}", flush=True)
    print("passed" if not failed else f"{failed} of {checks} checks failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
