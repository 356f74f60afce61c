"""itsdangerous, Fernet and joserfc. Usage: python_peers.py CORPUS SECONDS, the seconds for each file and direction.

Prints one JSON line a peer and file.
"""
import importlib.metadata
import json
import secrets
import statistics
import sys
import time
from pathlib import Path

import itsdangerous
from cryptography.fernet import Fernet, InvalidToken
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

BATCHES = 7
LIFETIME = 14 * 86400


def dumps(session) -> bytes:
    """The shortest JSON: where users write json.dumps themselves, size is not to hang on its defaults."""
    return json.dumps(session, separators=(",", ":"), ensure_ascii=False).encode()


def measure(seconds: float, work) -> tuple[float, float]:
    """The median of nanoseconds a call, and half the distance between the quartiles in percent of it."""

    def batch(count: int) -> float:
        start = time.perf_counter_ns()
        for _ in range(count):
            work()
        return (time.perf_counter_ns() - start) / count

    batch(50)
    count = max(1, int(seconds * 1e9 / BATCHES / batch(50)))
    low, median, high = statistics.quantiles((batch(count) for _ in range(BATCHES)), n=4)
    return median, (high - low) / 2 / median * 100


def peers():
    """Name, distribution, what it protects, seal, open, and what it throws at a changed token."""
    signer = itsdangerous.URLSafeTimedSerializer(secrets.token_bytes(32))
    yield ("itsdangerous URLSafeTimedSerializer", "itsdangerous", (False, True, True, True), signer.dumps,
           lambda token: signer.loads(token, max_age=LIFETIME), itsdangerous.BadData)
    fernet = Fernet(Fernet.generate_key())
    yield ("Fernet", "cryptography", (True, True, False, True), lambda session: fernet.encrypt(dumps(session)).decode(),
           lambda token: json.loads(fernet.decrypt(token, ttl=LIFETIME)), InvalidToken)
    key = OctKey.import_key(secrets.token_bytes(32))
    header = {"alg": "dir", "enc": "A256GCM", "zip": "DEF"}
    yield ("joserfc JWE dir+A256GCM, zip=DEF", "joserfc", (True, True, True, False),
           lambda session: jwe.encrypt_compact(header, dumps(session), key),
           lambda token: json.loads(jwe.decrypt_compact(token, key).plaintext), JoseError)


def main(corpus: str, seconds: str) -> None:
    for name, distribution, protects, seal, open_, refusal in peers():
        for path in sorted(Path(corpus).glob("*.json")):
            session = json.loads(path.read_text("utf-8"))
            token = seal(session)
            if open_(token) != session:
                sys.exit(f"{name}: {path.stem}: another session came back")
            middle = len(token) // 2
            try:
                open_(token[:middle] + ("B" if token[middle] == "A" else "A") + token[middle + 1:])
            except refusal:
                pass
            else:
                sys.exit(f"{name}: {path.stem}: a changed token was opened")
            seal_ns, seal_spread = measure(float(seconds), lambda: seal(session))
            open_ns, open_spread = measure(float(seconds), lambda: open_(token))
            print(json.dumps({
                "peer": name, "version": importlib.metadata.version(distribution), "file": path.stem,
                "size": len(token), "seal_ns": seal_ns, "open_ns": open_ns,
                "seal_spread": seal_spread, "open_spread": open_spread,
                "protects": dict(zip(("encrypted", "signed", "compressed", "expires"), protects))}), flush=True)


main(*sys.argv[1:])
