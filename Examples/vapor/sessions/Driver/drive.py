#!/usr/bin/env python3
"""Talks to a Vapor server over TLS on loopback, as browsers do: curl with a cookie jar, HTTP/1.1 and HTTP/2.

usage: drive.py DRIVER SEALED-COOKIE

DRIVER is this package's server, SEALED-COOKIE the command-line tool. Wants curl with HTTP/2, openssl and cc.
"""
import base64
import os
import re
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

DRIVER, TOOL = (os.path.abspath(path) for path in sys.argv[1:3])
NAME = "__Host-session"
passed = failed = 0

# Makes OpenSSL fail for as long as a file is there.
SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>
#define FAILS(name) int name(void *a, void *b, void *c, void *d, void *e) { \
    int (*real)(void *, void *, void *, void *, void *) = dlsym(RTLD_NEXT, #name); \
    return access(getenv("OUTAGE"), F_OK) ? real(a, b, c, d, e) : 0; }
FAILS(EVP_DecryptInit_ex)
FAILS(EVP_EncryptInit_ex)
"""


def check(condition, what, seen=""):
    global passed, failed
    passed, failed = passed + bool(condition), failed + (not condition)
    if not condition:
        print("FAILED", what, seen, flush=True)


class Answer:
    def __init__(self, text):
        head, _, self.body = text.partition("\r\n\r\n")
        first, *lines = head.split("\r\n")
        self.status = int(first.split()[1])
        self.headers = [(name.lower(), value.strip()) for name, value in (line.split(":", 1) for line in lines)]

    def all(self, name):
        return [value for header, value in self.headers if header == name]

    @property
    def cookies(self):
        return self.all("set-cookie")

    @property
    def pairs(self):
        """The cookies as a browser sends them back."""
        return [line.split(";")[0] for line in self.cookies if "Max-Age=0" not in line]


class Server:
    def __init__(self, mode, folder):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.folder, self.log_path = folder, os.path.join(folder, f"{mode}.log")
        self.log_file = open(self.log_path, "wb")
        environment = dict(os.environ, LD_PRELOAD=os.path.join(folder, "shim.so"), OUTAGE=os.path.join(folder, "outage"))
        self.process = subprocess.Popen(
            [DRIVER, mode, str(self.port), folder], stdout=self.log_file, stderr=self.log_file, env=environment)
        end = time.monotonic() + 20
        while True:
            try:
                return socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                if time.monotonic() > end:
                    raise SystemExit(self.log())
                time.sleep(0.05)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def log(self):
        self.log_file.flush()
        with open(self.log_path) as file:
            return file.read()

    def errors(self):
        return [line for line in self.log().splitlines() if re.match(r"\S+ error ", line)]

    def logs(self, words):
        end = time.monotonic() + 3
        while time.monotonic() < end:
            if words in self.log():
                return True
            time.sleep(0.05)
        return False

    def get(self, path, *cookies, jar=None, http="--http1.1", arguments=()):
        """One request; each of `cookies` is a header of its own."""
        command = ["curl", "-sk", "--max-time", "20", http, "-D", "-", *arguments]
        for cookie in cookies:
            command += ["-H", f"Cookie: {cookie}"]
        if jar:
            command += ["-b", jar, "-c", jar]
        result = subprocess.run([*command, f"https://localhost:{self.port}/{path}"], capture_output=True)
        if result.returncode:
            raise SystemExit(f"curl: {result.returncode} for {path}\n{self.log()[-2000:]}")
        return Answer(result.stdout.decode())

    def handshake(self, cookie):
        """A WebSocket's, and the text of its first frame."""
        context = ssl._create_unverified_context()
        with socket.create_connection(("127.0.0.1", self.port), 10) as plain, context.wrap_socket(plain) as connection:
            key = base64.b64encode(os.urandom(16)).decode()
            connection.sendall((
                f"GET /socket HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\nCookie: {cookie}\r\n\r\n").encode())
            data = b""
            while b"\r\n\r\n" not in data:
                more = connection.recv(65536)
                if not more:
                    return None, b""
                data += more
            head, _, frames = data.partition(b"\r\n\r\n")
            while len(frames) < 2 or len(frames) < 2 + frames[1]:
                more = connection.recv(65536)
                if not more:
                    break
                frames += more
            return Answer(head.decode() + "\r\n\r\n"), frames[2:2 + frames[1]] if len(frames) > 1 else b""


def tool(*arguments):
    return subprocess.run([TOOL, *arguments], check=True, capture_output=True, text=True).stdout


def jar_names(jar):
    with open(jar) as file:
        return sorted(
            line.split("\t")[5] for line in file.read().splitlines() if line.count("\t") == 6 and (line[0] != "#" or line.startswith("#HttpOnly_")))


def own(folder):
    """Sessions of the application's own type."""
    ring, jar = os.path.join(folder, "session.keys"), os.path.join(folder, "jar")
    with Server("own", folder) as server:
        get = server.get

        # Who never looks at the session leaves the response to caches, also where the session is due.
        first = get("count")
        check(first.body == "1" and len(first.pairs) == 1, "a session begins", first.cookies)
        visitor = first.pairs[0]
        asset = get("asset", visitor)
        check(not asset.cookies and not asset.all("vary"), "an asset has no cookie")
        check(asset.all("cache-control") == ["public, max-age=600"], "an asset is public")
        page = get("page", visitor)
        check(page.body == "1" and not page.cookies, "a page that reads writes nothing")
        check(page.all("cache-control") == ["private, max-age=600"] and page.all("vary") == ["Cookie"], "a page that reads is private")

        # Every kind of response takes the cookie with it.
        for http in ("--http1.1", "--http2"):
            for path, status in [("count", 200), ("redirect", 303), ("not-modified", 304), ("file", 200), ("break", 500)]:
                answer = get(path, visitor, http=http)
                check(answer.status == status, f"{path} {http} has its status", answer.status)
                check(len(answer.cookies) == 1, f"{path} {http} has the cookie", answer.cookies)
                check(get("page", *answer.pairs, http=http).body == "2", f"{path} {http} counted")
                check("private" in answer.all("cache-control")[0], f"{path} {http} is private")
            check(get("file", visitor, http=http).body == "a file\n" * 50_000, f"the file is whole {http}")
            head = get("count", visitor, http=http, arguments=["--head", "-o", os.devnull])
            check(head.body == "" and get("page", *head.pairs, http=http).body == "2", f"HEAD counts {http}")
            abort = get("abort", visitor, http=http)
            check(abort.status == 403 and "Max-Age=0" in abort.cookies[0], f"an Abort signs out {http}", abort.cookies)

            # Of two cookies of a name the one sealed last decides, in one header or in several, as HTTP/2 may have them.
            time.sleep(1.1)
            newer = get("count", get("count", visitor).pairs[0]).pairs[0]
            check(get("page", f"{visitor}; {newer}", http=http).body == "3", f"a name twice {http}")
            check(get("page", newer, "a=b", visitor, http=http).body == "3", f"a name twice in crumbs {http}")
            out = get("leave", visitor, newer, http=http)
            check(get("page", visitor, *out.pairs, http=http).body == "-1", f"a name twice signs out {http}", out.cookies)

        # Attributes that Vapor does not know survive a cookie that a handler sets.
        theme = get("theme", visitor)
        check(len(theme.cookies) == 2 and "Partitioned" in theme.cookies[-1], "Partitioned survives", theme.cookies)
        check(any(line.startswith("theme=dark") for line in theme.cookies), "a handler's cookie survives")

        # Tasks of a request, and requests at once.
        check(get("tasks", visitor).body == "201", "200 tasks of a request are counted")
        with ThreadPoolExecutor(32) as pool:
            visitors = [get("count").pairs[0] for _ in range(8)]
            answers = list(pool.map(lambda number: get("count", visitors[number % 8]), range(200)))
            check(all(answer.body == "2" for answer in answers), "200 requests at once")
            check(all(get("page", answer.pairs[0]).body == "2" for answer in answers[:8]), "200 requests at once have sessions of their own")

        # A WebSocket's handshake carries the cookie; what comes after it is logged.
        handshake, message = server.handshake(visitor)
        check(handshake and handshake.status == 101 and handshake.all("x-greeting") == ["hello"], "a WebSocket is opened")
        check(handshake and len(handshake.cookies) == 1 and get("page", *handshake.pairs).body == "2", "a WebSocket's handshake has the cookie")
        check(message == b"3", "a WebSocket reads its session", message)
        check(server.logs("session used after the response's headers"), "a WebSocket's change is logged")
        before = len(server.errors())
        late = get("late", visitor)
        check(late.body == "2" and not late.cookies, "a stream's change has no cookie")
        check(len(server.errors()) == before + 1, "a stream's change is logged", server.errors())

        # Splitting grows and shrinks, in a browser's jar.
        get("count", jar=jar)
        # (curl sends 8190 bytes of cookies at most.)
        for length, names in [(9_000, [NAME, f"{NAME}.1"]), (4_000, [NAME]), (8_000, [NAME, f"{NAME}.1"]), (10, [NAME])]:
            get(f"grow/{length}", jar=jar)
            check(jar_names(jar) == names, f"{length} characters", jar_names(jar))
            check(get("length", jar=jar).body == str(length), f"{length} characters are read")
        large = get("grow/40000", jar=jar)
        check(large.status == 500 and not large.cookies, "what is too large is an error", (large.status, large.cookies))
        check(get("length", jar=jar).body == "10", "what is too large leaves the session as it was")
        long = get("grow/13000", visitor).pairs
        check(len(long) == 3 and get("length", "; ".join(long)).body == "13000", "three cookies", len(long))
        check(get("length", *long, http="--http2").body == "13000", "three cookies in crumbs")
        get("leave", jar=jar)
        check(jar_names(jar) == [] and get("page", jar=jar).body == "-1", "signing out empties the jar", jar_names(jar))

        # The guide's own routes.
        answer = get("sign-in", arguments=["-d", '{"userID": 42, "isRemembered": true}', "-H", "Content-Type: application/json"])
        check(answer.status == 303 and "Max-Age=2592000" in answer.cookies[0], "remember me", answer.cookies)
        answer = get("sign-in", arguments=["-d", '{"userID": 42, "isRemembered": false}', "-H", "Content-Type: application/json"])
        check("Max-Age" not in answer.cookies[0], "a session that ends with the browser", answer.cookies)
        again = get("visits", *answer.pairs)
        check(again.body == "Visit 1" and "Max-Age" not in again.cookies[0], "it stays so", again.cookies)
        check("Max-Age=0" in get("sign-out", *answer.pairs, arguments=["-X", "POST"]).cookies[0], "sign-out")

        # A library that fails: the cookie may be good.
        outage = os.path.join(folder, "outage")
        open(outage, "w").close()
        for path in ("page", "count", "leave"):
            answer = get(path, visitor)
            check(answer.status == 503 and not answer.cookies, f"503 for {path} in an outage", (answer.status, answer.cookies))
        answer = get("count")
        check(answer.status == 503 and not answer.cookies, "503 for a new session in an outage", answer.status)
        check(get("asset", visitor).status == 200, "an asset in an outage")
        lost, _ = server.handshake(visitor)
        check(lost is None or (lost.status != 101 and not lost.cookies), "no WebSocket in an outage")
        os.remove(outage)
        check(get("page", visitor).body == "1", "after the outage")

        # Rotation, revocation, and the end of all sessions, each seen within a poll of the ring.
        old = re.search(r"^\S+", tool("keys", ring), re.M)[0]
        tool("rotate", "--from", "now", ring)
        time.sleep(2.2)
        page = get("page", visitor)
        check(page.body == "1" and len(page.cookies) == 1, "a newer key seals again on a read", page.cookies)
        renewed = page.pairs[0]
        check(not get("page", renewed).cookies, "and once")
        tool("revoke", ring, old)
        time.sleep(2.2)
        refused = get("page", visitor)
        check(refused.body == "-1" and not refused.cookies, "a revoked key's session is none, and stays in the browser", refused.cookies)
        check(get("page", renewed).body == "1", "the newer key's session stays")
        time.sleep(1)
        tool("end-sessions", ring)
        time.sleep(2.2)
        check(get("page", renewed).body == "-1", "sessions have ended")
        check(get("count", renewed).body == "1", "and begin anew")
        check(server.logs("no session"), "refusals are logged")
        fatal = [line for line in server.log().splitlines() if "Fatal error" in line]
        check(not fatal and server.process.poll() is None, "the server is well", fatal)


def vapors_own(folder):
    """Vapor's own sessions, sealed."""
    jar = os.path.join(folder, "jar-of-vapor")
    with Server("vapor", folder) as server:
        get = server.get
        guest = get("asset")
        check(not guest.cookies and guest.all("cache-control") == ["public, max-age=600"] and guest.all("vary") == ["Cookie"], "a guest's asset")
        check(get("profile").status == 401, "a guest has no profile")
        check("vapor-session" not in str(get("write/Ada").cookies), "Vapor's cookie is never sent")
        for http in ("--http1.1", "--http2"):
            signed = get("sign-in", jar=jar, http=http, arguments=["-X", "POST"])
            check(signed.status == 303 and jar_names(jar) == [NAME], "sign in", jar_names(jar))
            answers = [get("profile", jar=jar, http=http) for _ in range(200)]
            check({answer.body for answer in answers} == {"User 42"}, "200 reads", {answer.body for answer in answers})
            check(sum(bool(answer.cookies) for answer in answers) == 0, "200 reads write nothing")
            theirs = get("asset", jar=jar, http=http)
            check(theirs.all("cache-control") == ["private, max-age=600"] and not theirs.cookies, "a visitor's asset is private")
            get("sign-out", jar=jar, http=http, arguments=["-X", "POST"])
            check(jar_names(jar) == [], "sign-out empties the jar", jar_names(jar))
            check(get("profile", jar=jar, http=http).status == 401, "signed out")
        get("write/Ada", jar=jar)
        check(get("page", jar=jar).body == "Ada", "a session's data")
        # A reader does not undo a writer: both start from the same cookie, and the reader answers last.
        reader = get("page", jar=os.devnull)
        get("write/Bob", jar=jar)
        check(not reader.cookies and get("page", jar=jar).body == "Bob", "a reader leaves a writer's session")
        get("abort", jar=jar)
        check(jar_names(jar) == [], "an Abort signs out", jar_names(jar))
        late = get("late")
        check(not late.cookies and server.logs("session changed after the response's headers"), "a stream's change is logged")
        before = len(server.errors())
        with ThreadPoolExecutor(32) as pool:
            bodies = list(pool.map(lambda number: get("page", *get(f"write/{number}").pairs).body, range(200)))
            check(bodies == [str(number) for number in range(200)], "200 requests at once")
        check(len(server.errors()) == before, "no errors", server.errors()[before:][:3])
        outage = os.path.join(folder, "outage")
        kept = get("write/Eve").pairs
        open(outage, "w").close()
        for path in ("page", "write/Eve"):
            answer = get(path, *kept)
            check(answer.status == 503 and not answer.cookies, f"503 for {path} in an outage", (answer.status, answer.cookies))
        os.remove(outage)
        check(get("page", *kept).body == "Eve" and server.process.poll() is None, "after the outage")


with tempfile.TemporaryDirectory() as folder:
    os.chmod(folder, 0o700)
    tool("keygen", os.path.join(folder, "session.keys"))
    with open(os.path.join(folder, "file.txt"), "w") as file:
        file.write("a file\n" * 50_000)
    with open(os.path.join(folder, "shim.c"), "w") as file:
        file.write(SHIM)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", os.path.join(folder, "shim.so"), os.path.join(folder, "shim.c"), "-ldl"], check=True)
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-keyout", os.path.join(folder, "key.pem"), "-out", os.path.join(folder, "cert.pem")], check=True, capture_output=True)
    own(folder)
    vapors_own(folder)
print(f"{passed} checks passed, {failed} failed")
sys.exit(failed > 0)
