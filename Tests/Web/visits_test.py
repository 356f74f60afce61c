#!/usr/bin/env python3
"""Talks to the two small examples: cookies, an app's token, forged requests, a WebSocket, and a library that fails.

usage: visits_test.py PATH-OF-nio-minimal PATH-OF-polled-ring

Only the standard library.
"""
import http.client
import http.cookiejar
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request

from running import Running

HERE = os.path.dirname(os.path.abspath(__file__))
VISITS, POLLED = (os.path.abspath(path) for path in sys.argv[1:3])
failures = []


def check(condition, what):
    if not condition:
        failures.append(what)
        print(f"FAILED {what}", flush=True)


class Server(Running):
    def __init__(self, folder, **environment):
        super().__init__(VISITS, folder, **environment)

    def cookie(self):
        """A new session's."""
        line, = self.ask().cookies
        return line.split(";")[0]


class Socket:
    """A WebSocket, by hand (RFC 6455)."""

    def __init__(self, server, **headers):
        self.socket = socket.create_connection(("127.0.0.1", server.port), 20)
        lines = ["GET /socket HTTP/1.1", f"Host: {server.host}", "Upgrade: websocket", "Connection: Upgrade",
                 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.socket.sendall("\r\n".join(lines + ["", ""]).encode())
        self.stream = self.socket.makefile("rb")
        self.status = int(self.stream.readline().split()[1])
        self.headers = http.client.parse_headers(self.stream)

    def send(self, opcode, data=b""):
        mask = os.urandom(4)
        self.socket.sendall(bytes([0x80 | opcode, 0x80 | len(data)]) + mask
                            + bytes(byte ^ mask[i % 4] for i, byte in enumerate(data)))

    def receive(self):
        """An opcode and its data; None: the end."""
        head = self.stream.read(2)
        if len(head) < 2:
            return None
        return head[0] & 15, self.stream.read(head[1])

    def ask(self):
        self.send(1, b"how many?")
        return self.receive()


TEXT, CLOSE, PING, PONG = 1, 8, 9, 10


def closed(code):
    return CLOSE, struct.pack(">H", code)


def caches(server):
    about = server.ask("/about", Cookie=server.cookie())
    check(about.headers["Cache-Control"] == "public, max-age=600" and not about.headers["Vary"] and not about.cookies,
          "a page that does not look at the session is for caches, and sets no cookie")
    cookie = server.cookie()
    read = server.ask("/api/visits", Cookie=cookie)
    check(json.loads(read.text) == {"visits": 1} and not read.cookies, "reading writes no cookie")
    check(read.headers["Vary"] == "Cookie" and read.headers["Cache-Control"] == "private, no-store", "what was read is private")


def forged(server):
    """A single-page application on the same site: the cookie comes along with every request, a forged one's too."""
    cookie = server.cookie()
    for headers in ({"Sec_Fetch_Site": "cross-site"}, {"Sec_Fetch_Site": "same-site"}, {"Origin": "https://evil.example"},
                    {"Origin": "null"}, {"Origin": f"http://{server.host}", "Sec_Fetch_Site": "cross-site"}):
        response = server.ask("/api/visits", "DELETE", Cookie=cookie, **headers)
        check(response.status == 403 and not response.cookies, f"a forged request is refused: {headers}")
    for headers in ({"Sec_Fetch_Site": "same-origin"}, {"Origin": f"http://{server.host}"}, {}):
        response = server.ask("/api/visits", "DELETE", Cookie=cookie, **headers)
        check(response.status == 200 and response.cookies[0].startswith("__Host-session=; Path=/; Max-Age=0;"),
              f"one's own page signs out: {headers}")


def app(server):
    made = server.ask("/api/token", "POST")
    token = json.loads(made.text)["token"]
    check(made.headers["Cache-Control"] == "no-store" and not made.cookies, "a token is for no cache, and comes without a cookie")
    first, second = (server.ask("/api/guest", Authorization=f"Bearer {token}") for _ in range(2))
    check(first.status == 200 and first.text == second.text and not first.cookies, "an app is known by its token")
    for headers in ({}, {"Authorization": f"Bearer {token}x"}, {"Authorization": token}, {"Cookie": server.cookie()},
                    {"Authorization": "Bearer " + server.cookie().split("=")[1]}):
        response = server.ask("/api/guest", **headers)
        check(response.status == 401 and response.headers["WWW-Authenticate"] == "Bearer", f"no token, no guest: {list(headers)}")


def sockets(server, folder):
    cookie = server.cookie()
    own = Socket(server, Cookie=cookie, Origin=f"http://{server.host}")
    check(own.status == 101 and own.headers["Sec-WebSocket-Accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", f"a socket is made: {own.status}")
    check(own.ask() == (TEXT, b"Visit 1."), "a socket reads its session")
    own.send(PING, b"there?")
    check(own.receive() == (PONG, b"there?"), "a ping is answered")
    server.ask(Cookie=cookie)
    check(own.ask() == (TEXT, b"Visit 1."), "a socket has the session of its first request")
    own.send(CLOSE, struct.pack(">H", 1000))
    check(own.receive() == closed(1000) and own.receive() is None, "a socket is closed")
    for status, headers in ((401, {}), (401, {"Cookie": cookie + "x"}), (403, {"Cookie": cookie, "Origin": "https://evil.example"}),
                            (403, {"Cookie": cookie, "Sec_Fetch_Site": "cross-site"})):
        check(Socket(server, **headers).status == status, f"no socket: {status}")
    check(server.ask("/socket", Cookie=cookie).status == 426, "without an upgrade there is no socket")

    # A ring that ends every session, read by the server within a second.
    own = Socket(server, Cookie=cookie)
    check(own.ask() == (TEXT, b"Visit 1."), "a second socket")
    path = os.path.join(folder, "session.keys")
    with open(path) as file:
        ring = file.read()
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 2))
    with open(path + ".new", "w") as file:
        file.write(f"not-before {now}\n{ring}")
    os.chmod(path + ".new", 0o600)
    os.rename(path + ".new", path)
    end = time.monotonic() + 20
    while (answer := own.ask()) == (TEXT, b"Visit 1.") and time.monotonic() < end:
        time.sleep(0.1)
    check(answer == closed(1008) and own.receive() is None, f"a socket ends with its session: {answer}")
    os.rename(path, path + ".old")
    with open(path, "w") as file:
        file.write(ring)
    os.chmod(path, 0o600)


def short_sessions(folder):
    with Server(folder, IDLE_SECONDS="10") as server:
        cookie = server.cookie()
        begun = time.monotonic()
        check(not Socket(server, Cookie=cookie).headers["Set-Cookie"], "a socket's first answer writes nothing without need")
        time.sleep(2)
        due = Socket(server, Cookie=cookie)
        check(due.status == 101 and (due.headers["Set-Cookie"] or "").startswith("__Host-session=S"), "a socket's first answer renews a cookie that is due")
        check(due.receive() == closed(1008) and due.receive() is None, "an idle socket ends")
        check(8 < time.monotonic() - begun < 13, f"when its session does: {time.monotonic() - begun}")


def plain_http(folder):
    """Python's cookies are as strict as Safari's: none that is Secure goes over http, to no host."""
    for environment, expected in (({}, ["Visit 1.\n"] * 3), ({"PLAIN_HTTP": "1"}, [f"Visit {n}.\n" for n in (1, 2, 3)])):
        with Server(folder, **environment) as server:
            client = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
            seen = [client.open(f"http://{server.host}/", timeout=20).read().decode() for _ in range(3)]
            check(seen == expected, f"over plain http with {environment}: {seen}")


def preloaded(folder):
    """The environment in which OpenSSL can be made to fail; None without a compiler."""
    compiler = shutil.which("clang") or shutil.which("cc")
    if not compiler:
        return None
    library = os.path.join(folder, "failing.so")
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, os.path.join(HERE, "failing.c"), "-ldl"], check=True)
    return {"LD_PRELOAD": library, "LIBRARY_FAILS": os.path.join(folder, "fails")}


class Failing:
    def __init__(self, environment, suffix=""):
        self.file = environment["LIBRARY_FAILS"] + suffix

    def __enter__(self):
        open(self.file, "w").close()

    def __exit__(self, *_):
        os.remove(self.file)


def failing_library(folder, environment):
    """A cookie may be good although it did not open: 503, and nothing is written over it."""
    with Server(folder, **environment) as server:
        cookie = server.cookie()
        token = json.loads(server.ask("/api/token", "POST").text)["token"]
        own = Socket(server, Cookie=cookie)
        with Failing(environment):
            for what, response in (
                ("a visit", server.ask(Cookie=cookie)), ("a first visit", server.ask()),
                ("reading", server.ask("/api/visits", Cookie=cookie)), ("a new token", server.ask("/api/token", "POST")),
                ("an app's request", server.ask("/api/guest", Authorization=f"Bearer {token}")),
                ("a socket", Socket(server, Cookie=cookie)),
            ):
                check(response.status == 503 and not response.headers["Set-Cookie"], f"{what} while the library fails: {response.status}")
                check(response.headers["Cache-Control"] == "no-store" and response.headers["Retry-After"] == "1", f"{what}: for no cache")
            check(own.ask() == closed(1011), "a socket is closed while the library fails")
        check("failed: EVP_EncryptUpdate failed" in server.log(), f"the log says so: {server.log()[-300:]}")
        with Failing(environment, ".opening"):
            response = server.ask(Cookie=cookie)
            check(response.status == 503 and not response.cookies, f"no new session over one that did not open: {response.status}")
            check(server.ask().status == 200, "sealing works meanwhile")
        check(server.ask(Cookie=cookie).text == "Visit 2.\n", "after that the session is as it was")
        check(server.ask("/api/guest", Authorization=f"Bearer {token}").status == 200, "and so is the token")


def failing_library_of_the_polled_ring(folder, environment):
    ring = os.path.join(folder, "session.keys")
    vault = subprocess.Popen(
        [sys.executable, os.path.join(HERE, "../../Examples/polled-ring/Tests/vault.py"), ring, "a-token"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    port = vault.stdout.readline().strip()
    server = subprocess.Popen(
        [POLLED], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        env={"VAULT_ADDR": f"http://127.0.0.1:{port}", "VAULT_TOKEN": "a-token", "RING_SECRET": "secret/data/shop",
             "RING_FIELD": "session.keys", **environment})

    def ask(cookie, sets):
        server.stdin.write(cookie + "\n")
        server.stdin.flush()
        lines = [server.stdout.readline().strip() for _ in range(1 + sets)]
        return lines[0], lines[1].removeprefix("Set-Cookie: ").split(";")[0] if sets else None

    try:
        text, cookie = ask("", 1)
        check(text == "200 Visit 1.", f"the polled ring: {text}")
        with Failing(environment):
            check(ask(cookie, 0)[0] == "503 Try again in a moment.", "the polled ring: no answer while the library fails, and no cookie")
        with Failing(environment, ".opening"):
            check(ask(cookie, 0)[0] == "503 Try again in a moment.", "the polled ring: no new session over one that did not open")
        with Failing(environment):
            check(ask("", 0)[0] == "503 Try again in a moment.", "the polled ring: no new session either")
        text, _ = ask(cookie, 1)
        check(text == "200 Visit 2.", f"the polled ring: after that the session is as it was: {text}")
    finally:
        server.stdin.close()
        server.kill()
        server.wait()
        vault.stdin.close()
        vault.kill()
        vault.wait()


def main():
    with tempfile.TemporaryDirectory() as folder:
        with Server(folder, POLL_SECONDS="1") as server:
            caches(server)
            forged(server)
            app(server)
            sockets(server, folder)
        short_sessions(folder)
        plain_http(folder)
        if environment := preloaded(folder):
            failing_library(folder, environment)
            failing_library_of_the_polled_ring(folder, environment)
        else:
            print("not run: the library that fails, for want of clang or cc")
    print("the small examples: " + ("passed" if not failures else f"{len(failures)} failed"))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
