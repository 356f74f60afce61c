#!/usr/bin/env python3
"""Measures SealedCookie and its peers in one run: size, sealing and opening of each file of the corpus.

Installs what is missing, from Debian's packages and PyPI (the latter into Benchmarks/.venv). The drivers take turns,
round after round, so that a noisy machine slows all of them alike; ratios are the medians of the rounds' ratios.
Prints Markdown, and writes the figures as JSON. Progress goes to stderr.
"""
import argparse
import atexit
import datetime
import json
import os
import platform
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

HERE = Path(__file__).resolve().parent
BUILD = HERE / ".build"
VENV = HERE.parent / ".venv"
CORPUS = HERE.parent / "Corpus"
OURS = "SealedCookie"
COOKIE_LIMIT = 4096  # bytes of name and value, RFC 6265bis
NAME = "__Host-session"


class LeftOut(Exception):
    """A peer that is not to be had here, and why."""


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def run(*command, **options) -> str:
    """What a command prints; what it complains of is the reason why its peer is left out."""
    try:
        return subprocess.run(
            [str(part) for part in command], check=True, capture_output=True, text=True, cwd=HERE, **options).stdout
    except FileNotFoundError as failure:
        raise LeftOut(f"{command[0]} is not installed") from failure
    except subprocess.CalledProcessError as failure:
        last = (failure.stderr.strip() or failure.stdout.strip() or "no output").splitlines()[-1]
        raise LeftOut(f"{Path(command[0]).name} failed ({failure.returncode}): {last}") from failure


# The requirements of the drivers. Each function installs and builds, and returns the command that takes CORPUS
# SECONDS.


def debian(*packages: str) -> None:
    def missing() -> list[str]:
        shown = subprocess.run(
            ["dpkg-query", "-W", "-f", "${Package} ${db:Status-Abbrev}\n", *packages], capture_output=True, text=True)
        installed = {line.split()[0] for line in shown.stdout.splitlines() if line.split()[1:] == ["ii"]}
        return [package for package in packages if package not in installed]

    if not shutil.which("dpkg-query"):
        raise LeftOut("needs Debian's packages " + ", ".join(packages))
    if wanted := missing():
        say("installing " + " ".join(wanted))
        sudo = [] if os.geteuid() == 0 else ["sudo"]
        run(*sudo, "apt-get", "update", "-q")
        run(*sudo, "env", "DEBIAN_FRONTEND=noninteractive",
            "apt-get", "install", "-y", "-q", "--no-install-recommends", *wanted)


def rails() -> list:
    debian("ruby", "ruby-activesupport")
    return ["/usr/bin/ruby", "rails.rb"]


def gorilla() -> list:
    debian("golang-go", "golang-github-gorilla-securecookie-dev")
    environment = os.environ | {"GO111MODULE": "off", "GOPATH": "/usr/share/gocode"}
    run("/usr/bin/go", "build", "-o", BUILD / "gorilla", "./gorilla", env=environment)
    return [BUILD / "gorilla"]


def laravel() -> list:
    debian("php-cli", "php-mbstring", "php-illuminate-encryption")
    return ["/usr/bin/php", "-d", "opcache.enable_cli=1",  # servers have opcache on
            "-d", "display_errors=stderr", "laravel.php"]


def python() -> list:
    interpreter = VENV / "bin/python"
    if not interpreter.exists():
        try:
            run(sys.executable, "-c", "import ensurepip")
        except LeftOut:
            debian("python3-venv")
        run(sys.executable, "-m", "venv", "--clear", VENV)
        (VENV / ".gitignore").write_text("*\n")
    run(interpreter, "-m", "pip", "install", "-q", "itsdangerous", "cryptography", "joserfc")
    return [interpreter, "python_peers.py"]


def redis() -> list:
    """Sessions on a server: one of our own on a free port of loopback, which keeps nothing on disk and ends with this program."""
    debian("redis-server", "libhiredis-dev", "gcc", "libc6-dev")
    run("gcc", "-O2", "-o", BUILD / "redis", "redis.c", "-lhiredis")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=tempfile.gettempdir())
    atexit.register(server.kill)
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            break
        except OSError:
            time.sleep(0.05)
    return [BUILD / "redis", port]


def swift(without_crypto: bool = False) -> list:
    """Ours, and with swift-crypto what Swift applications write without it."""
    environment = os.environ | ({"PEERS_WITHOUT_SWIFT_CRYPTO": "1"} if without_crypto else {})
    build = ["swift", "build", "-c", "release", "--package-path", "swift",
             "--scratch-path", BUILD / ("swift-alone" if without_crypto else "swift")]
    if without_crypto:
        (HERE / "swift/Package.resolved").unlink(missing_ok=True)  # or what it pins is fetched all the same
    run(*build, env=environment)
    return [Path(run(*build, "--show-bin-path", env=environment).strip()) / "swift-peers"]


def swift_crypto_version() -> str:
    try:
        pins = json.loads((HERE / "swift/Package.resolved").read_text())["pins"]
    except FileNotFoundError:
        return ""
    return next((pin["state"].get("version", "") for pin in pins if pin["identity"] == "swift-crypto"), "")


def floor() -> str:
    """What sealed-cookie-bench prints: ours against the C calls alone. It goes below the tables as it is."""
    say("sealed-cookie-bench")
    return run("swift", "run", "-c", "release", "--package-path", "..", "sealed-cookie-bench", CORPUS).strip("\n")


def prepare(left_out: list[str]) -> dict[str, list]:
    drivers = {}
    say("building swift")
    try:
        drivers["swift"] = swift()
    except LeftOut as reason:
        left_out.append(f"JSONEncoder + swift-crypto: {reason}")
        drivers["swift"] = swift(without_crypto=True)  # without ours there is nothing to compare with
    for peer, make in {"Rails": rails, "gorilla": gorilla, "Laravel": laravel,
                       "itsdangerous, Fernet, joserfc": python, "Redis": redis}.items():
        say(f"preparing {peer}")
        try:
            command = make()
            run(*command, CORPUS, 0.001)  # does it run at all?
            drivers[peer] = command
        except LeftOut as reason:
            left_out.append(f"{peer}: {reason}")
    return drivers


# Measuring


def measure(drivers: dict[str, list], rounds: int, seconds: float) -> dict:
    """Of each peer and file the lines of all rounds, in order. The drivers take turns on one file at a time."""
    lines = defaultdict(list)
    environment = os.environ | {"SWIFT_CRYPTO_VERSION": swift_crypto_version()}
    for number in range(rounds):
        say(f"round {number + 1} of {rounds}")
        order = list(drivers.values())
        order = order[number % len(order):] + order[:number % len(order)]
        for file in sorted(CORPUS.glob("*.json")):
            with tempfile.TemporaryDirectory() as folder:
                shutil.copy(file, folder)
                for command in order:
                    for line in map(json.loads, run(*command, folder, seconds, env=environment).splitlines()):
                        lines[line["peer"], line["file"]].append(line)
    return lines


def summary(lines: dict) -> list[dict]:
    """One entry a peer and file: medians over the rounds, and the medians of the rounds' ratios to ours."""

    def spread(values: list[float]) -> float:
        if len(values) < 2:
            return 0
        low, median, high = statistics.quantiles(values, n=4, method="inclusive")
        return (high - low) / 2 / median * 100

    results = []
    for (peer, file), rounds in lines.items():
        first, ours = rounds[0], lines[OURS, file]
        sizes = [line["size"] for line in rounds]
        result = {key: first.get(key) for key in ("peer", "version", "file", "protects")}
        # Escaped base64 differs by a few bytes from token to token.
        result["size"] = round(statistics.median(sizes))
        result["size_ratio"] = result["size"] / statistics.median(line["size"] for line in ours)
        for what in ("seal", "open"):
            times = [line[f"{what}_ns"] for line in rounds]
            result[f"{what}_ns"] = statistics.median(times)
            result[f"{what}_spread"] = spread(times)
            result[f"{what}_batch_spread"] = statistics.median(line[f"{what}_spread"] for line in rounds)
            if f"{what}_p99_ns" in first:
                result[f"{what}_p99_ns"] = statistics.median(line[f"{what}_p99_ns"] for line in rounds)
            result[f"{what}_ratio"] = statistics.median(
                mine / our[f"{what}_ns"] for mine, our in zip(times, ours))
        results.append(result)
    return results


# Writing


def protection(protects: dict) -> str:
    if not protects["signed"]:
        return "an id; the session stays on the server"
    kind = "encrypted" if protects["encrypted"] else "signed only"
    return ", ".join([kind] + [word for key, word in (("compressed", "compressed"), ("expires", "expiring"))
                               if protects[key]])


def tables(results: list[dict]) -> str:
    peers = list(dict.fromkeys(result["peer"] for result in results))
    peers.sort(key=lambda peer: peer != OURS)
    files = sorted({result["file"] for result in results})
    found = {(result["peer"], result["file"]): result for result in results}

    def cell(result: dict, key: str) -> str:
        if key == "size":
            over = "!" if result["size"] + len(NAME) > COOKIE_LIMIT else ""
            return f"{result['size']}{over} ({result['size_ratio']:.2f})"
        return f"{result[key + '_ns'] / 1000:.1f} ({result[key + '_ratio']:.2f})"

    text = []
    for title, key in ((f"Size: bytes of the cookie's value (! with the name {NAME} over {COOKIE_LIMIT}: "
                        "browsers drop it)", "size"),
                       ("Sealing: µs", "seal"), ("Opening: µs", "open")):
        text += [f"### {title}; in brackets, times ours", "",
                 "| peer | protects | " + " | ".join(files) + " |", "|---|---|" + "--:|" * len(files)]
        for peer in peers:
            known = found[peer, files[0]]
            label = f"**{peer}**" if peer == OURS else " ".join(filter(None, (peer, known["version"])))
            cells = " | ".join(cell(found[peer, file], key) for file in files)
            text.append(f"| {label} | {protection(known['protects'])} | {cells} |")
        text.append("")
    text += ["### One at a time, b_login: µs by the wall clock", "", "| peer | seal, median | seal, p99 | open, median | open, p99 |",
             "|---|--:|--:|--:|--:|"]
    for peer in peers:
        result = found.get((peer, "b_login"), {})
        if "open_p99_ns" in result:
            text.append(f"| {peer} | " + " | ".join(
                f"{result[key] / 1000:.1f}" for key in ("seal_ns", "seal_p99_ns", "open_ns", "open_p99_ns")) + " |")
    text.append("")
    return "\n".join(text)


def goals(results: list[dict]) -> list[str]:
    """What the project set itself, held against this run."""
    measured = [result for result in results if result["peer"] != OURS]

    def verdict(goal: str, bound: float, cases: list[tuple[float, str]]) -> str:
        """A ratio of each case must be over the bound: those that are not are named, else the closest."""
        if not cases:
            return f"- not measured: {goal}"
        missed = sorted(case for case in cases if case[0] <= bound)
        shown = ", ".join(f"{what} {ratio:.2f}" for ratio, what in missed or [min(cases)])
        return f"- **{'missed' if missed else 'met'}**: {goal}. " + ("Not so: " if missed else "Closest: ") + shown

    def timed(chosen: list[dict]) -> list[tuple[float, str]]:
        return [(result[f"{way}_ratio"], f"{result['peer']} {way} {result['file']}")
                for result in chosen for way in ("seal", "open")]

    return [
        verdict("faster both ways than every peer that compresses, on every file", 1,
                timed([result for result in measured if result["protects"]["compressed"]])),
        *(verdict(f"at least 4 times as fast as {peer} on b_login", 4 - 1e-9, timed(
            [result for result in measured if result["file"] == "b_login" and result["peer"].startswith(peer)]))
          for peer in ("Rails", "joserfc", "JSONEncoder made per call")),
        verdict("faster both ways than every encrypting peer, on every session up to 700 bytes of JSON", 1, timed(
            [result for result in measured if result["protects"]["encrypted"]
             and (CORPUS / f"{result['file']}.json").stat().st_size <= 700])),
        verdict("opens b_login in a tenth of a GET from Redis on loopback", 10 - 1e-9,
                [(result["open_ratio"], result["peer"]) for result in measured
                 if result["peer"].startswith("Redis") and result["file"] == "b_login"]),
        verdict("a shorter token than every encrypting peer's, on every file", 1,
                [(result["size_ratio"], f"{result['peer']} {result['file']}")
                 for result in measured if result["protects"]["encrypted"]]),
    ]


def machine() -> str:
    try:
        model = next(line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                     if line.startswith("model name"))
    except (OSError, StopIteration):
        model = platform.processor() or platform.machine()
    return f"{model}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rounds", type=int, default=7, metavar="N", help="how often each driver runs (7)")
    options.add_argument("--seconds", type=float, default=0.07, metavar="S",
                         help="for each peer, file and direction in a round (0.07)")
    options.add_argument("--json", type=Path, default=BUILD / "peers.json", metavar="FILE",
                         help="where the figures go (.build/peers.json beside this program)")
    chosen = options.parse_args()
    if chosen.rounds < 1 or chosen.seconds <= 0:
        options.error("rounds and seconds must be positive")

    BUILD.mkdir(exist_ok=True)
    left_out: list[str] = []
    try:
        drivers = prepare(left_out)
        load = [os.getloadavg()[0]]
        results = summary(measure(drivers, chosen.rounds, chosen.seconds))
        load.append(os.getloadavg()[0])
    except LeftOut as reason:  # ours cannot be built, or a driver's own checks failed
        sys.exit(f"run.py: {reason}")
    try:
        against_floor = floor()
    except LeftOut as reason:
        against_floor = None
        left_out.append(f"sealed-cookie-bench: {reason}")
    verdicts = goals(results)

    day = datetime.date.today().isoformat()
    spreads = statistics.median(result[f"{way}_spread"] for result in results for way in ("seal", "open"))
    print(f"Measured {day}, {machine()}, load average {load[0]:.1f} before and {load[1]:.1f} after: "
          f"{chosen.rounds} rounds in turn, each {chosen.seconds:g} s for each peer, file and direction. Medians; "
          f"typically ±{spreads:.1f} % between the rounds (half the interquartile range).\n")
    print(tables(results))
    for line in left_out:
        print(f"left out: {line}")
    print("\n### The goals\n\n" + "\n".join(verdicts))
    if against_floor is not None:
        print(f"\n### Ours against the C calls alone\n\n{against_floor}")
    chosen.json.write_text(json.dumps(
        {"date": day, "machine": machine(), "load": load, "rounds": chosen.rounds, "seconds": chosen.seconds,
         "results": results, "left_out": left_out, "goals": verdicts, "floor": against_floor}, indent=1, ensure_ascii=False) + "\n")
    say(f"figures: {chosen.json}")


if __name__ == "__main__":
    main()
