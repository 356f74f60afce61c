#!/usr/bin/env python3
"""Finds what clients other than browsers do with our cookies, over https, and holds LimitsOfBrowsersAndServers.md against it.

usage: clients.py PATH-OF-sealed-cookie [CLIENT …]

A client is given our Set-Cookie lines; what counts is the raw Cookie header of its next request. The clients: jars.py.
"""
import base64
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from email.utils import formatdate

HERE = os.path.dirname(os.path.abspath(__file__))
PAGE = os.path.join(HERE, "..", "..", "Sources", "SealedCookie", "Documentation.docc",
                    "LimitsOfBrowsersAndServers.md")
sys.path.insert(0, os.path.join(HERE, "..", "Browsers"))

import jars
from server import Site

TOOL = os.path.abspath(sys.argv[1])
NAME = "__Host-session"
# Nothing above these is tried: no limit was found.
MOST, LONGEST = 8000, 30_000

# What each client does. All keep and send everything, except as noted below.
EVERYTHING = {
    "a small session": "opens", "it is sent as": "name=…", "attributes": "any", "a cookie of 4096 bytes": "opens",
    "three full cookies": "open", "largest cookie": f"no limit up to {MOST:,} bytes", "largest Cookie header": f"no limit up to {LONGEST:,} bytes",
    "sealed again smaller": "no part left", "sign-out": "nothing left", "sign-out, split": "nothing left", "sign-out by Max-Age=0 alone": "nothing left",
}
CURL = {
    "three full cookies": "2 of 3 sent", "largest cookie": "4,096 bytes of name and value; over it the old cookie stays",
    "largest Cookie header": "8,191 bytes, all from the request line on counted",
}
JAVA = {"it is sent as": '$Version="1"; name="…";$Path="/";$Domain="localhost.local"'}
EXPECTED = {
    # The command reads its file again before writing it, and so restores all but the last of the cookies that one
    # answer removed.
    "curl": {**EVERYTHING, **CURL, "sealed again smaller": "a part left", "sign-out, split": "a part left"},
    "PHP's curl": {**EVERYTHING, **CURL},
    "ruby-http-cookie": {
        **EVERYTHING, "a cookie of 4096 bytes": "not kept", "three full cookies": "1 of 3 sent",
        "largest cookie": "4,096 bytes of the whole line; over it the old cookie stays"},
    "Java HttpURLConnection": {**EVERYTHING, **JAVA},
    "Java HttpClient": {**EVERYTHING, **JAVA},
    "wget": EVERYTHING,
    "Python requests": EVERYTHING,
    "Go cookiejar": EVERYTHING,
    "HTTP::Cookies": {**EVERYTHING, "sign-out by Max-Age=0 alone": "an empty cookie left"},
    "HTTP::CookieJar": EVERYTHING,
}
COLUMNS = ["a cookie of 4096 bytes", "three full cookies", "largest cookie", "largest Cookie header", "sign-out", "sign-out, split"]
failed = 0


def check(condition, what, detail=""):
    global failed
    if not condition:
        failed += 1
        print(f"FAILED {what}: {str(detail)[:300]}")


def tool(*words, text=""):
    result = subprocess.run([TOOL, *words], input=text, capture_output=True, text=True, timeout=60)
    return result.returncode, result.stdout.strip(), result.stderr.strip()


def bisect(low, high, holds):
    """The largest number for which it holds, high at most; it does for low."""
    if holds(high):
        return high
    assert holds(low)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low


class Trial:
    def __init__(self, site, kind, ring, folder, strictest):
        self.site, self.kind, self.ring, self.folder, self.strictest = site, kind, ring, folder, strictest

    def run(self):
        found = {}
        for step in (self.small, self.full, self.attributes, self.split):
            found.update(step())
        found.update(self.sign_out(found["a cookie of 4096 bytes"] == "opens"))
        return {**found, "largest cookie": self.largest_cookie(), "largest Cookie header": self.largest_header()}

    def fresh(self):
        """A client without cookies."""
        return self.kind(tempfile.mkdtemp(dir=self.folder), f"{self.folder}/certificate.pem")

    def visit(self, lines=()):
        header = self.site.visit(self.client, lines, scheme="https")
        assert not self.client.problem, f"{self.kind.name}: {self.client.problem}"
        return header

    def sent(self, lines=()):
        """The names and values of the next request after these lines."""
        if lines:
            self.visit(lines)
        pairs = [pair.strip().split("=", 1) for pair in self.visit().split(";") if "=" in pair]
        return {name: value.removeprefix('"').removesuffix('"') for name, value in pairs if name[0] != "$"}

    def session(self, count):
        """A session of so many bytes that cannot be compressed."""
        return json.dumps({"$bytes": base64.urlsafe_b64encode(os.urandom(count)).decode().rstrip("=")}, separators=(",", ":"))

    def seal(self, session, *words):
        code, out, error = tool("seal", "-k", self.ring, "--set-cookie", *words, text=session)
        return [line.removeprefix("Set-Cookie: ") for line in out.splitlines()] if code == 0 else None

    def opens(self, header, session, *words):
        return tool("open", "-k", self.ring, *words, text="Cookie: " + header)[:2] == (0, session)

    def small(self):
        session = self.session(100)
        with self.fresh() as self.client:
            lines = self.seal(session)
            self.visit(lines)
            header = self.visit()
        token = lines[0].split(";")[0].split("=", 1)[1]
        return {"a small session": "opens" if self.opens(header, session) else "does not open",
                "it is sent as": header.replace(token, "…").replace(NAME, "name")}

    def full(self):
        session = self.session(bisect(0, 4000, lambda count: self.seal(self.session(count)) is not None))
        lines = self.seal(session)
        check(len(lines[0].split(";")[0]) - 1 == 4096, "the largest session makes a cookie of 4096 bytes")
        with self.fresh() as self.client:
            self.visit(lines)
            header = self.visit()
        return {"a cookie of 4096 bytes": "opens" if self.opens(header, session) else "changed" if header else "not kept"}

    def attributes(self):
        """What can stand in our lines beside the usual attributes, each way in a cookie of its own."""
        dropped = []
        usual = "; Path=/; Max-Age=600; Secure; HttpOnly"
        for number, attributes in enumerate((
                usual, "; Path=/; Secure; HttpOnly", "; Path=/; Secure", usual + "; SameSite=Strict", usual + "; SameSite=None; Partitioned",
                usual + "; SameSite=Lax; Priority=High", usual + "; SameSite=None; Partitioned; Priority=Low",
                "; Path=/; Max-Age=34560000; Secure; HttpOnly; SameSite=Lax; Priority=Medium",
                f"; Path=/; Max-Age=600; Expires={formatdate(time.time() + 600, usegmt=True)}; Secure; HttpOnly; SameSite=Lax")):
            name = f"__Host-a{number}"
            value = self.seal(self.session(100), "-n", name)[0].split(";")[0].split("=", 1)[1]
            with self.fresh() as self.client:
                if self.sent([f"{name}={value}{attributes}"]) != {name: value}:
                    dropped.append(attributes)
        return {"attributes": "any" if not dropped else f"not {dropped}"}

    def split(self):
        """Three full cookies, then in the same client a session that needs one."""
        session, small = self.session(9000), self.session(100)
        lines = self.seal(session, "--split", "3")
        with self.fresh() as self.client:
            self.visit(lines)
            header = self.visit()
            self.visit(self.seal(small, "--split", "3"))
            after = self.visit()
        opens = self.opens(header, session, "--split", "3")
        count = sum(line.split(";")[0].split("=", 1)[1] in header for line in lines)
        check(opens == (count == 3), f"{self.kind.name}: a split session opens if all of it is sent", (opens, count))
        check(self.opens(after, small, "--split", "3"), f"{self.kind.name}: the smaller session opens", after)
        parts = after.count(NAME + ".")
        return {"three full cookies": "open" if opens else f"{count} of 3 sent",
                "sealed again smaller": ("no part", "a part", "2 parts")[parts] + " left"}

    def sign_out(self, takes_parts):
        def left(count, change, *words):
            session = self.session(count)
            with self.fresh() as self.client:
                self.visit(self.seal(session, *words))
                check(self.opens(self.visit(), session, *words), f"{self.kind.name}: signed in")
                self.visit([change(line.removeprefix("Set-Cookie: ")) for line in tool("remove", *words)[1].splitlines()])
                header = self.visit()
            if not header:
                return "nothing left"
            if self.opens(header, session, *words):
                return "still signed in"
            # A part alone does not open.
            names = [pair.split("=", 1)[0] for pair in header.split("; ")]
            if all(name.startswith(NAME + ".") for name in names):
                return "a part left" if len(names) == 1 else f"{len(names)} parts left"
            return "an empty cookie left" if header == f"{NAME}=" else header
        return {"sign-out": left(100, str), "sign-out, split": left(4000 if takes_parts else 100, str, "--split", "3"),
                "sign-out by Max-Age=0 alone": left(100, lambda line: re.sub("; Expires=[^;]*", "", line))}

    def largest_cookie(self):
        """Of name, value and our usual attributes; and whether the attributes count."""
        name = "__Host-n"
        usual = self.seal(self.session(0))[0].split(";", 1)[1]

        def largest(attributes):
            def holds(size):
                self.visit([f"{name}=; Path=/; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Secure"])
                value = "v" * (size - len(name))
                return self.sent([f"{name}={value};{attributes}"]).get(name) == value
            return bisect(100, MOST, holds)
        with self.fresh() as self.client:
            size = largest(usual)
            line = size + len("=;" + usual)
            check(line >= self.strictest, f"{self.kind.name}: the line of the preset strictest is kept", line)
            if size == MOST:
                return EVERYTHING["largest cookie"]
            whole = largest(usual + "; Comment=" + "c" * 200) != size
            self.visit([f"{name}=old;{usual}"])
            old = self.sent([f"{name}={'v' * (size + 1 - len(name))};{usual}"]).get(name) == "old"
        return f"{line if whole else size:,} bytes of {'the whole line' if whole else 'name and value'}; over it the old cookie {'stays' if old else 'goes'}"

    def largest_header(self):
        """In cookies of 2000 bytes and what is left: each client keeps such."""
        counted = 0

        def holds(size):
            nonlocal counted
            count = (size - 10) // 2002
            lengths = [2000] * count + [size - count * 2002]
            lines = [f"h{number:02}={'v' * (length - 4)}; Path=/; Secure" for number, length in enumerate(lengths)]
            with self.fresh() as self.client:
                self.visit(lines)
                if len(self.sent()) != len(lines):
                    return False
            before = [line for line in self.site.head if not line.startswith("Cookie: ")]
            position = next(number for number, line in enumerate(self.site.head) if line.startswith("Cookie: "))
            counted = max(counted, len("\r\n".join(before[:position]) + "\r\nCookie: ") + size)
            return True
        if bisect(5000, LONGEST, holds) == LONGEST:
            return EVERYTHING["largest Cookie header"]
        return f"{counted:,} bytes, all from the request line on counted"


def row(name):
    return " | ".join([f"| {name}", *(EXPECTED[name][column] for column in COLUMNS)]) + " |"


def main():
    chosen = [kind for kind in jars.ALL if kind.name in sys.argv[2:]] if sys.argv[2:] else jars.ALL
    assert chosen and {kind.name for kind in jars.ALL} == set(EXPECTED), [kind.name for kind in jars.ALL]
    strictest = next(preset for preset in json.loads(tool("limits", "--json")[1]) if preset["name"] == "strictest")
    with open(PAGE) as file:
        page = file.read().splitlines()
    with tempfile.TemporaryDirectory() as folder:
        ring = folder + "/session.keys"
        assert tool("keygen", ring)[0] == 0
        site = Site(folder)
        for kind in chosen:
            if kind.prepare:
                kind.prepare(folder)
            found = Trial(site, kind, ring, folder, strictest["line"]).run()
            check(set(found) == set(EVERYTHING), f"{kind.name}: everything was tried", set(found) ^ set(EVERYTHING))
            for what, expected in EXPECTED[kind.name].items():
                check(found[what] == expected, f"{kind.name}: {what}: {expected}", found[what])
            check(row(kind.name) in page, f"LimitsOfBrowsersAndServers.md has the line {row(kind.name)}")
            print(f"{kind.name} {kind.version()}", *(f"{what}: {found[what]}" for what in found if found[what] != EVERYTHING[what]), sep="\n    ", flush=True)
    print("all as the page says" if not failed else f"{failed} checks failed")
    sys.exit(1 if failed else 0)


main()
