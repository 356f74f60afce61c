#!/usr/bin/env python3
"""Finds what Chromium and Firefox do with cookies, and holds the library's presets against it.

usage: browsers.py PATH-OF-sealed-cookie

Only the standard library, openssl, and the browsers: see drivers.py.
"""
import base64
import json
import os
import subprocess
import sys
import tempfile

from drivers import Chromium, Firefox
from server import Site

TOOL = os.path.abspath(sys.argv[1])
failed = 0


def check(condition, what, detail=""):
    global failed
    if not condition:
        failed += 1
        print(f"FAILED {what}: {str(detail)[:300]}")


def tool(*words, text=""):
    result = subprocess.run([TOOL, *words], input=text, capture_output=True, text=True, timeout=60)
    return result.returncode, result.stdout.strip(), result.stderr.strip()


def pairs(header):
    return dict(pair.split("=", 1) for pair in header.split("; ") if "=" in pair)


def bisect(low, high, holds):
    """The largest number for which it holds; it does for low, not for high."""
    assert holds(low) and not holds(high)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low


class Trial:
    def __init__(self, site, kind, ring, folder, preset):
        self.site, self.kind, self.ring, self.folder, self.preset = site, kind, ring, folder, preset
        self.found = {}

    def visit(self, lines=(), **options):
        return self.site.visit(self.browser, lines, **options)

    def stored(self, name, value, attributes="", **options):
        """Whether the browser keeps a cookie and sends it back as it was."""
        self.visit([f"{name}=; Max-Age=0"])
        self.visit([f"{name}={value}{attributes}"], **options)
        return pairs(self.visit(**options)).get(name) == value

    def run(self):
        with self.kind() as self.browser:
            self.found["version"] = self.browser.version
            self.prefixes()
            self.limits()
            self.attributes()
            self.tokens()
            self.splitting()
            self.duplicates()
        with self.kind() as self.browser:
            self.per_host()
        return self.found

    def limits(self):
        sizes = {}
        for length in (1, 14, 100, 1000):
            name = "n" * length
            sizes[length] = bisect(length + 1, 8192, lambda size: self.stored(name, "v" * (size - length)))
        check(len(set(sizes.values())) == 1, "the limit is of name and value together", sizes)
        self.found["largest name and value"] = sizes[1]
        check(sizes[1] == self.preset["nameAndValue"], f"{self.kind.name}: the preset of name and value", sizes)
        # Attributes do not count.
        self.visit(["n=; Max-Age=0"])
        check(self.stored("n", "v" * (sizes[1] - 1), "; Path=/" + "; HttpOnly; SameSite=Lax; Max-Age=1000; Comment=" + "c" * 500),
              f"{self.kind.name}: attributes do not count")
        # One byte over: what happens to the cookie that there was?
        self.visit(["over=old"])
        self.visit(["over=" + "v" * (sizes[1] - 4 + 1)])
        left = pairs(self.visit()).get("over")
        self.found["one byte over"] = {None: "old cookie gone", "old": "dropped, the old cookie stays"}.get(left, "stored")
        check(left == "old", f"{self.kind.name}: one byte over keeps the old cookie", left)
        self.visit(["over=; Max-Age=0", "n=; Max-Age=0"])

    def attributes(self):
        def kept(length):
            """Whether a Path of this length holds: then the cookie does not go to the folder above."""
            self.visit(["path=; Max-Age=0"])
            self.visit(["path=1; Path=/" + "p" * (length - 1)])
            return "path" not in pairs(self.visit())
        self.found["longest attribute"] = bisect(2, 4096, kept)
        check(self.found["longest attribute"] == self.preset["attributeValue"], f"{self.kind.name}: the preset of attributes",
              self.found["longest attribute"])
        self.visit(["path=; Max-Age=0"])

    def prefixes(self):
        line = "; Path=/; Secure; HttpOnly; SameSite=Lax"
        self.found["__Host- over https on localhost"] = self.stored("__Host-a", "1", line, scheme="https")
        check(self.found["__Host- over https on localhost"], f"{self.kind.name}: __Host- over https")
        self.found["__Host- over http on localhost"] = self.stored("__Host-b", "1", line)
        check(not self.stored("__Host-c", "1", "; Path=/; HttpOnly"), f"{self.kind.name}: __Host- without Secure is refused")
        check(not self.stored("__Host-d", "1", "; Path=/deep; Secure", path="/deep/page"), f"{self.kind.name}: __Host- with a Path is refused")
        check(not self.stored("__Secure-e", "1", "; Path=/"), f"{self.kind.name}: __Secure- without Secure is refused")
        check(self.stored("__Http-f", "1", line) and self.stored("__Host-Http-g", "1", line), f"{self.kind.name}: __Http- and __Host-Http-")
        for name in ("__Http-h", "__Host-Http-i"):
            check(not self.stored(name, "1", "; Path=/; Secure"), f"{self.kind.name}: {name} without HttpOnly is refused")

    def session(self, count):
        return json.dumps({"$bytes": base64.urlsafe_b64encode(os.urandom(count)).decode().rstrip("=")}, separators=(",", ":"))

    def seal(self, session, *words):
        code, out, err = tool("seal", "-k", self.ring, "--set-cookie", *words, text=session)
        return [line.removeprefix("Set-Cookie: ") for line in out.splitlines()] if code == 0 else None

    def opened(self, header, *words):
        code, out, err = tool("open", "-k", self.ring, *words, text="Cookie: " + header)
        return out if code == 0 else err

    def tokens(self):
        """Tokens of every length modulo 4, and of exactly the limit, come back byte for byte, over https as in production."""
        for name in ("s", "__Host-session", "n" * 100):
            largest = bisect(0, 4000, lambda count: self.seal(self.session(count), "-n", name) is not None)
            for count in [*range(8), 500, largest]:
                session = self.session(count)
                lines = self.seal(session, "-n", name)
                self.visit(lines, scheme="https")
                header = self.visit(scheme="https")
                sent = lines[0].split(";")[0]
                check(sent in header.split("; "), f"{self.kind.name}: a token of {len(sent)} bytes with its name comes back", header[:80])
                check(self.opened(header, "-n", name) == session, f"{self.kind.name}: … and opens")
            check(len(sent) - 1 == self.preset["nameAndValue"], f"the largest that seal takes is the limit, name of {len(name)}", len(sent) - 1)
            self.visit([f"{name}=; Max-Age=0; Path=/; Secure"], scheme="https")
        self.found["tokens at the limit, byte for byte"] = "names of 1, 14 and 100"

    def splitting(self):
        sizes = [100, 9000, 3000, 6000, 11000, 10]
        name = "__Host-session"
        for size in sizes:
            session = self.session(size)
            self.visit(self.seal(session, "--split", "4"), scheme="https")
            header = self.visit(scheme="https")
            names = sorted(n for n in pairs(header) if n.startswith(name))
            count = -(-(size * 4 // 3) // 4080) if size > 3000 else 1
            check(len(names) == count, f"{self.kind.name}: {size} bytes in {count} cookies, nothing stale", names)
            check(self.opened(header, "--split", "4") == session, f"{self.kind.name}: a session of {size} bytes, split, opens")
        self.visit(self.seal(self.session(9000), "--split", "4"), scheme="https")
        removal = tool("remove", "--split", "4")[1].splitlines()
        self.visit([line.removeprefix("Set-Cookie: ") for line in removal], scheme="https")
        left = [n for n in pairs(self.visit(scheme="https")) if n.startswith(name)]
        check(not left, f"{self.kind.name}: removal leaves nothing", left)
        self.found["splitting, shrinking, removal"] = "no stale part"

    def duplicates(self):
        """A cookie of the same name from a deeper path comes first in the header; the session opens all the same."""
        session = self.session(50)
        self.visit(self.seal(session, "-n", "sid"))
        for evil in ("evil", "2.evil", self.seal(self.session(5), "-n", "sid", "--purpose", "other")[0].split(";")[0].split("=", 1)[1]):
            self.visit([f"sid={evil}; Path=/deep"])
            header = self.visit(path="/deep/page")
            check(header.count("sid=") == 2, f"{self.kind.name}: both cookies are sent", header)
            check(self.opened(header, "-n", "sid") == session, f"{self.kind.name}: a tossed duplicate does not sign out", header[:100])
        self.found["tossed duplicate"] = "session still opens"

    def per_host(self):
        # Ten a page at first, then one by one.
        count = most = 0
        number = 0
        while number < 240:
            step = 10 if number < 140 else 1
            self.visit([f"c{i}=1; Max-Age=1000" for i in range(number, number + step)])
            number += step
            count = len(pairs(self.visit()))
            if count < most:
                break
            most = count
        self.found["cookies per host"] = f"{most}, then purged to {count}"
        check(count >= self.preset["cookiesPerHost"] and most > count, f"{self.kind.name}: the preset of cookies per site", (most, count))


def main():
    presets = json.loads(tool("limits", "--json")[1])
    preset = next(p for p in presets if p["name"] == "rfc6265bis")
    with tempfile.TemporaryDirectory() as folder:
        ring = folder + "/session.keys"
        assert tool("keygen", ring)[0] == 0
        site = Site(folder)
        columns = [(kind.name, Trial(site, kind, ring, folder, preset).run()) for kind in (Chromium, Firefox)]
    width = max(map(len, columns[0][1])) + 2
    print(" " * width + "".join(f"{name:<34}" for name, _ in columns))
    for row in columns[0][1]:
        print(f"{row:<{width}}" + "".join(f"{str(found.get(row, '–')):<34}" for _, found in columns))
    print("all as the presets say" if not failed else f"{failed} checks failed")
    sys.exit(1 if failed else 0)


main()
