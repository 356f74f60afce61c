#!/usr/bin/env python3
"""Starts the example servers as a newcomer does, with no configuration, and talks to them.

usage: start_test.py PATH-OF-hummingbird-login PATH-OF-nio-minimal

Only the standard library.
"""
import os
import re
import subprocess
import sys
import tempfile

from running import Running
from shop import free_ports

SHOP, VISITS = (os.path.abspath(path) for path in sys.argv[1:3])
failures = []


def check(condition, what):
    if not condition:
        failures.append(what)
        print(f"FAILED {what}", flush=True)


def refused(binary, folder, words, **environment):
    result = subprocess.run([binary], cwd=folder, env=environment, capture_output=True, text=True, timeout=60)
    check(result.returncode == 1 and words in result.stderr and "Fatal" not in result.stderr,
          f"{os.path.basename(binary)} with {environment} says '{words}': {result.returncode}, {result.stderr[:200]}")


def starts(binary, folder):
    """The first start makes a ring and says so, the second uses it."""
    ring, port = os.path.join(folder, "session.keys"), free_ports(1)[0]
    name = os.path.basename(binary)
    with Running(binary, folder, port) as first:
        check("There was no key ring: made session.keys" in first.log(), f"{name} says that it made a ring: {first.log()}")
        check(os.stat(ring).st_mode & 0o777 == 0o600, f"{name}'s ring is for its owner alone")
        refused(binary, folder, "in use", PORT=str(port))
    with open(ring) as file:
        made = file.read()
    with Running(binary, folder, port) as second:
        check("There was no key ring" not in second.log(), f"{name} finds its ring")
    with open(ring) as file:
        check(file.read() == made, f"{name} leaves its ring as it was")
    with open(ring, "w") as file:
        file.write("no ring\n")
    refused(binary, folder, "session.keys", PORT=str(port))
    with open(ring, "w") as file:
        file.write(made)
    return port


def counts_visits(folder, port):
    with Running(VISITS, folder, port) as server:
        cookie, seen = None, []
        for _ in range(3):
            response = server.ask(**({"Cookie": cookie} if cookie else {}))
            seen.append(response.text)
            line, = response.cookies
            cookie = line.split(";")[0]
            check(re.fullmatch(r"__Host-session=S[\w-]+; Path=/; Max-Age=43200; Secure; HttpOnly; SameSite=Lax", line), f"the cookie: {line}")
            check(response.headers["Vary"] == "Cookie" and response.headers["Cache-Control"] == "private", "it is not for caches")
        check(seen == ["Visit 1.\n", "Visit 2.\n", "Visit 3.\n"], f"visits are counted: {seen}")
        check(server.ask(Cookie=cookie[:-9] + ("B" if cookie[-9] == "A" else "A") + cookie[-8:]).text == "Visit 1.\n", "a changed cookie is no session")
        check("no session: not authentic" in server.log(), "the log says why")
        check(server.ask(Cookie=cookie).text == "Visit 4.\n", "the good one still is")
        response = server.ask(method="HEAD", Cookie=cookie)
        check(response.status == 200 and response.text == "" and response.headers["Content-Length"] == "9", "HEAD has no body")
        response = server.ask("/other", Cookie=cookie)
        check(response.status == 404 and not response.cookies, "no other page")


def main():
    with tempfile.TemporaryDirectory() as folder:
        starts(SHOP, folder)
        refused(SHOP, folder, "SESSION_KEYS must name its file", ENVIRONMENT="production")
        refused(SHOP, folder, "cannot be read", ENVIRONMENT="production", SESSION_KEYS="not-there.keys")
        check(not os.path.exists(os.path.join(folder, "not-there.keys")), "production makes no ring")
        refused(SHOP, folder, "PORT must be a number", PORT="many")
    with tempfile.TemporaryDirectory() as folder:
        counts_visits(folder, starts(VISITS, folder))
    print("the examples start: " + ("passed" if not failures else f"{len(failures)} failed"))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
