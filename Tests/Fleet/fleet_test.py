#!/usr/bin/env python3
"""Servers in Swift, Node and Python behind nginx, with one key ring that is rotated while all run (Examples/fleet).

usage: fleet_test.py PATH-OF-sealed-cookie PATH-OF-the-Swift-server [--seconds 30] [--rotations 5]

The standard library, nginx, node, and for the Python server `cryptography`. Everything is on the loopback interface and in a temporary folder.
"""
from __future__ import annotations

import argparse, http.client, itertools, json, os, random, re, shutil, socket, subprocess, sys, tempfile, threading, time
from collections import Counter
from pathlib import Path
from urllib.parse import quote, urlencode

FLEET = Path(__file__).resolve().parents[2] / "Examples" / "fleet"
NAMES = ("swift", "node", "python")
NAME = "__Host-session"
failures: list[str] = []


def check(condition: object, what: str) -> None:
    if not condition:
        failures.append(what)
        print(f"FAILED {what}", flush=True)


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def wait_for(port: int) -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise SystemExit(f"nothing listens on port {port}")


class Process:
    """A child that is stopped by its own id."""

    def __init__(self, command: list[str], folder: Path, log: str, port: int) -> None:
        with open(folder / log, "ab") as file:
            self.process = subprocess.Popen(command, cwd=folder, stdout=file, stderr=file)
        wait_for(port)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()


class Server:
    def __init__(self, name: str, program: list[str], folder: Path, port: int, ring: Path) -> None:
        self.name, self.program, self.folder, self.port = name, program, folder, port
        self.start(ring)

    def start(self, ring: Path) -> None:
        self.running = Process([*self.program, str(ring), str(self.port)], self.folder, f"{self.name}.log", self.port)


class Nginx(Process):
    """Examples/fleet/nginx.conf with our ports in place of its own."""

    def __init__(self, folder: Path, port: int, servers: list[Server]) -> None:
        text = (FLEET / "nginx.conf").read_text()
        for given, ours in zip((8080, 8081, 8082, 8083), (port, *(server.port for server in servers))):
            assert f"127.0.0.1:{given};" in text
            text = text.replace(f"127.0.0.1:{given};", f"127.0.0.1:{ours};")
        (folder / "nginx.conf").write_text(text)
        # In the foreground, so that it is our child and ends with us.
        super().__init__(["nginx", "-p", str(folder), "-c", "nginx.conf", "-e", "nginx.log", "-g", "daemon off;"], folder, "nginx.out", port)


class Lost(Exception):
    """A session that should be there is not, or holds something else."""


class Visitor:
    """A browser's cookies, and what the session behind them must hold."""

    def __init__(self, port: int, user: str) -> None:
        self.port, self.user = port, user
        self.jar: dict[str, str] = {}
        self.cart: list[str] = []
        self.sealer = self.server = ""              # who sealed the cookie, and who answered last
        self.pairs: Counter[tuple[str, str]] = Counter()    # requests by who had sealed the cookie and who opened it
        self.remembered, self.max_age = False, 0
        self.connection: http.client.HTTPConnection | None = None

    def at(self, port: int) -> Visitor:
        if port != self.port:
            self.port, self.connection = port, None
        return self

    def copy(self, port: int) -> Visitor:
        """Somebody with the same cookies."""
        other = Visitor(port, self.user)
        other.jar, other.cart, other.sealer, other.remembered = dict(self.jar), list(self.cart), self.sealer, self.remembered
        return other

    @property
    def header(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.jar.items())

    def send(self, method: str, path: str, header: str | None = None, **query: str) -> tuple[int, dict]:
        header = self.header if header is None else header
        connection = self.connection = self.connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, f"{path}?{urlencode(query, quote_via=quote)}", headers={"Cookie": header} if header else {})
            response = connection.getresponse()
            body = json.loads(response.read() or b"{}") if response.getheader("Content-Type") == "application/json" else {}
        except (OSError, http.client.HTTPException):
            self.connection = None
            raise
        self.server = body.get("server", "nginx")
        if header:
            self.pairs[self.sealer, self.server] += 1
        for line in response.headers.get_all("Set-Cookie") or []:
            name, value = line.split(";")[0].split("=", 1)
            self.jar.pop(name, None)
            if not line.startswith(f"{name}=;"):
                self.jar[name], self.sealer = value, self.server
                self.max_age = int(re.search(r"; Max-Age=(\d+)", line)[1])
        return response.status, body

    def expect(self, sent: tuple[int, dict]) -> None:
        status, body = sent
        session = body.get("session") or {}
        if status != 200 or session.get("user") != self.user:
            raise Lost(f"{self.user}: {status} of {self.server}, sealed by {self.sealer}")
        if session.get("cart") != self.cart:
            raise Lost(f"{self.user}: another cart of {self.server}, sealed by {self.sealer}")

    def sign_in(self, remembered: bool = False) -> None:
        self.cart, self.remembered = [], remembered
        self.expect(self.send("POST", "/sign-in", user=self.user, remember="yes" if remembered else "no"))

    def add(self, what: str) -> None:
        self.cart.append(what)
        self.expect(self.send("POST", "/cart", add=what))
        # "Remember me" is kept by whoever seals the session again: 30 days, and 12 hours for the others.
        expected = 30 * 86_400 if self.remembered else 12 * 3_600
        if not 0 <= self.max_age - expected <= 61:
            raise Lost(f"{self.user}: a Max-Age of {self.max_age} of {self.server}, remembered: {self.remembered}")

    def look(self) -> None:
        self.expect(self.send("GET", "/cart"))

    def sign_out(self) -> None:
        status, _ = self.send("POST", "/sign-out")
        if status != 200 or self.jar:
            raise Lost(f"{self.user}: not signed out by {self.server}")

    def is_alive(self, header: str | None = None) -> bool:
        status, _ = self.send("GET", "/cart", header)
        if status not in (200, 401):
            raise Lost(f"{status} of {self.server}")
        return status == 200


def each_with_each(servers: list[Server]) -> None:
    """Signs in on one, adds to the cart on another, reads it on a third: all 27 ways, remembered and not."""
    alive_after = 0
    count = 0
    for first, second, third in itertools.product(servers, repeat=3):
        for remembered in (False, True):
            count += 1
            visitor = Visitor(first.port, "zoë")
            try:
                visitor.sign_in(remembered)
                visitor.at(second.port).add("bread & 🍪")
                visitor.at(third.port).look()
                older = visitor.header
                visitor.at(first.port).add("milk")
                both = f"{older}; {visitor.header}"             # as a browser sends them after an attribute has changed
                visitor.at(second.port).expect(visitor.send("GET", "/cart", both))
                # Signing out with two values: no one of them is a session from then on.
                visitor.at(third.port).send("POST", "/sign-out", both)
                left = f"{older}; {visitor.header}"
                alive_after += sum(Visitor(server.port, "zoë").is_alive(left) for server in servers)
                # With one: the cookie is gone.
                single = Visitor(second.port, "zoë")
                single.sign_in(remembered)
                single.at(third.port).sign_out()
                alive_after += sum(single.at(server.port).is_alive() for server in servers)
            except Lost as lost:
                check(False, f"{first.name}, {second.name}, {third.name}: {lost}")
    print(f"signed in, added to and read on each with each: {count} ways, {alive_after} sessions alive after signing out")
    check(alive_after == 0, "who signed out stays so on every server")


class Load:
    """Visitors who change their carts and read them back, in threads, until told to stop."""

    def __init__(self, port: int, threads: int = 6, visitors: int = 6) -> None:
        self.stopping = threading.Event()
        self.lost: list[str] = []
        self.visitors = [Visitor(port, f"visitor {n}") for n in range(threads * visitors)]
        self.threads = [threading.Thread(target=self.run, args=(self.visitors[n::threads], n)) for n in range(threads)]
        for thread in self.threads:
            thread.start()

    def run(self, visitors: list[Visitor], seed: int) -> None:
        choice = random.Random(seed)
        while not self.stopping.is_set():
            for visitor in visitors:
                try:
                    self.step(visitor, choice)
                except Exception as loss:       # whatever it is: this visitor does not have what they should
                    self.lost.append(f"{loss!r}")
                    visitor.jar = {}
                    time.sleep(0.1)

    def step(self, visitor: Visitor, choice: random.Random) -> None:
        if not visitor.jar:
            visitor.sign_in(choice.random() < 0.5)
        elif choice.random() < 0.02 or len(visitor.cart) > 20:
            visitor.sign_out()
            visitor.sign_in(choice.random() < 0.5)
        elif choice.random() < 0.5:
            visitor.add("".join(choice.choices("abcdefghij klmnop é🍪", k=choice.choice((5, 20, 60)))))
        visitor.look()

    def stop(self) -> None:
        self.stopping.set()
        for thread in self.threads:
            thread.join()

    @property
    def pairs(self) -> Counter[tuple[str, str]]:
        return sum((visitor.pairs for visitor in self.visitors), Counter())


def rotated_meanwhile(tool, ring: Path, site: int, seconds: int, rotations: int) -> None:
    load = Load(site)
    keys = set()
    for _ in range(rotations):
        keys.add(tool("rotate", "--from", "4s", str(ring)).split()[0])
        time.sleep(seconds / rotations)
    load.stop()
    pairs = load.pairs
    print(f"during {rotations} rotations: {sum(pairs.values()):,} requests of {len(load.visitors)} visitors at once, {len(load.lost)} sessions lost")
    print("  sealed by \\ opened by " + "".join(f"{name:>9}" for name in NAMES))
    for sealer in NAMES:
        print(f"  {sealer:>21} " + "".join(f"{pairs[sealer, opener]:>9,}" for opener in NAMES))
    check(not load.lost, f"no session was lost: {load.lost[:3]}")
    check(len(keys) == rotations, "each rotation made a key")
    check(min(pairs[pair] for pair in itertools.product(NAMES, repeat=2)) > 20, "each opened what each sealed")


def key_of(visitor: Visitor) -> str:
    import base64
    return base64.urlsafe_b64decode(visitor.jar[NAME][:8])[1:4].hex()


def ended(tool, ring: Path, servers: list[Server]) -> None:
    """A key is revoked; then all sessions are ended. Each server follows, and what begins afterwards lives."""
    def alive(visitors: list[Visitor]) -> int:
        return sum(visitor.copy(server.port).is_alive() for visitor in visitors for server in servers)

    def signed_in() -> list[Visitor]:
        visitors = [Visitor(server.port, "old") for server in servers]
        for visitor in visitors:
            visitor.sign_in()
        return visitors

    old = signed_in()
    tool("rotate", "--from", "3s", str(ring))
    time.sleep(4.5)
    new = signed_in()
    check(key_of(old[0]) != key_of(new[0]), "the new key seals")
    before = alive(old + new)
    tool("revoke", str(ring), key_of(old[0]))
    time.sleep(2.5)
    after = alive(old), alive(new)
    print(f"a key revoked: {before} of 18 alive before, {after[0]} of 9 of that key and {after[1]} of 9 of another after")
    check((before, *after) == (18, 0, 9), "the revoked key's sessions end on every server, and no others")
    tool("end-sessions", str(ring))
    time.sleep(2.5)
    after = alive(new), alive(signed_in())
    print(f"all sessions ended: {after[0]} of 9 alive, {after[1]} of 9 begun afterwards")
    check(after == (0, 9), "sessions end on every server, and new ones begin")


def broken(tool, ring: Path, site: int, servers: list[Server], folder: Path) -> None:
    """That a lost session would be seen: one server after another with a ring from before the rotation."""
    stale = folder / "stale.keys"
    for server in servers:
        shutil.copy(ring, stale)
        tool("rotate", "--from", "2s", str(ring))
        server.running.stop()
        server.start(stale)
        time.sleep(3.5)
        others = [each for each in servers if each is not server]
        visitor = Visitor(others[0].port, "kim")
        visitor.sign_in()
        lost = sum(not visitor.copy(site).is_alive() for _ in range(30))
        server.running.stop()
        server.start(ring)
        back = sum(visitor.copy(site).is_alive() for _ in range(30))
        print(f"on purpose, {server.name} with an old ring: {lost} of 30 requests lost their session; with the ring {30 - back}")
        check(5 <= lost < 30 and back == 30, f"an old ring of {server.name} is seen")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tool")
    parser.add_argument("swift")
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--rotations", type=int, default=5)
    arguments = parser.parse_args()
    path = os.path.abspath(arguments.tool)

    def tool(*words: str) -> str:
        return subprocess.run([path, *words], check=True, capture_output=True, text=True, timeout=60).stdout

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o711)             # nginx's worker may be another user
        ring = folder / "session.keys"
        tool("keygen", str(ring))
        site, *ports = free_ports(4)
        programs = ([os.path.abspath(arguments.swift)], ["node", str(FLEET / "gateway.mjs")], [sys.executable, str(FLEET / "worker.py")])
        servers: list[Server] = []
        nginx = None
        try:
            for server, program, port in zip(NAMES, programs, ports):
                servers.append(Server(server, program, folder, port, ring))
            nginx = Nginx(folder, site, servers)
            each_with_each(servers)
            rotated_meanwhile(tool, ring, site, arguments.seconds, arguments.rotations)
            ended(tool, ring, servers)
            broken(tool, ring, site, servers, folder)
        finally:
            for process in [*(server.running for server in servers), nginx]:
                if process is not None:
                    process.stop()
            for server in NAMES if failures else ():
                print(f"--- {server}.log", (folder / f"{server}.log").read_text()[-1500:], sep="\n")
    print(f"failed: {len(failures)}" if failures else "passed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
