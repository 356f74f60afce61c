#!/usr/bin/env python3
"""Writes the test vectors for implementers, from sealed_cookie.py alone: Tests/SealedCookieTests/Vectors/valid.json, invalid.json.

    make_vectors.py            write them
    make_vectors.py --check    fail if they are not what this writes

Keys and R are fixed, so the same files come out each time. Never use these keys.
"""
import hashlib
import json
import sys
from pathlib import Path

import interop
import sealed_cookie as sc

FOLDER = Path(__file__).resolve().parents[1] / "SealedCookieTests" / "Vectors"
NOW = sc.parse_time("2026-08-03T00:00:00Z")
DAY, HOUR = 86_400, 3_600
KEY, OTHER = bytes(range(32)), bytes(range(1, 33))
RING = sc.key_line(KEY)
count = 0


def token(payload: bytes, name: str = "s", purpose: str = "", key: bytes = KEY) -> str:
    """With an R of its own for each, made of a counter."""
    global count
    count += 1
    return sc._seal_payload(key, payload, name, purpose, hashlib.sha256(b"vector %d" % count).digest()[:20])


def payload(item: bytes, created: int = NOW, age: int = 0, lifetime=None, pad=None, dictionary: bytes = sc.STANDARD) -> bytes:
    return sc.encode_payload(sc.Payload(created, age, item, lifetime), pad, dictionary)


def vector(what: str, text: str, **options) -> dict:
    """Defaults are left out: name s, no purpose, the time of sealing, 14 days, no idle time."""
    return {"what": what, "ring": options.pop("ring", RING), "token": text, **options}


def valid() -> list[dict]:
    vectors = []

    def add(what: str, text: str, session: bytes, **options) -> None:
        ring = sc.Ring.parse(options.get("ring", RING).encode())
        opened = sc.open_token(ring, text, name=options.get("name", "s"), purpose=options.get("purpose", ""), now=options.get("at", NOW),
                               absolute=options.get("absolute", 14 * DAY), idle=options.get("idle"))
        assert opened.item == session, what
        vectors.append({**vector(what, text, **options), "item": session.hex(), "session": sc.view(sc.decode_item(session))})

    for label, session, options in interop.SESSIONS:
        if label.startswith(("compressible", "incompressible", "bignums, UUIDs", "item of")) or "lifetime" in options or "at" in options:
            continue
        item = sc.encode_item(sc.from_json(session))
        names = {k: options[k] for k in ("name", "purpose") if k in options}
        add(label, token(payload(item), names.get("name", "s"), names.get("purpose", "")), item, **names)
    item = sc.encode_item(sc.from_json('{"user": 7, "k": {"$bytes": "AQID"}, "words": "the same words, the same words"}'))
    for dictionary, what in ((sc.STANDARD, "the standard dictionary"), (b"", "no dictionary")):
        add(f"compressed with {what}", token(payload(item, dictionary=dictionary)), item)
    start = NOW.to_bytes(4, "big") + b"\x00"
    add("not compressed, though it would be shorter", token(b"\x00" + start + item), item)
    stored = b"\x01\x05\x00\xfa\xff\x64four"
    add("a stored block", token(b"\x01" + start + stored), b"\x64four")
    for pad in (16, 64, 255):
        add(f"padded to {pad}", token(payload(item, pad=pad)), item)
    add("the longest a cookie takes", token(b"\x04" + start + item + b"\x80" + bytes(3031 - 7 - len(item))), item)
    add("age of five bytes", token(payload(item, created=0, age=2**32 - 1)), item, at=2**32 - 2, absolute=2**32 - 1)
    add("own lifetime, longer than the policy's", token(payload(item, lifetime=30 * DAY)), item, at=NOW + 30 * DAY - 1)
    add("last second", token(payload(item)), item, at=NOW + 14 * DAY - 1)
    add("last idle second", token(payload(item, created=NOW - DAY, age=DAY)), item, at=NOW + HOUR - 1, idle=HOUR)
    add("60 s ahead", token(payload(item, created=NOW + 60)), item)
    add("a pending key opens", token(payload(item)), item, ring=sc.key_line(KEY, NOW + DAY))
    add("the second of two keys", token(payload(item)), item, ring=sc.key_line(OTHER) + RING)
    add("begun in the very second of not-before", token(payload(item)), item, ring=RING + f"not-before {sc.format_time(NOW)}\n")
    add("blanks, CRs and comments in the ring", token(payload(item)), item, ring="# c\r\n\t" + RING.replace(" ", " \t").replace("\n", " \r\n"))
    return vectors


def invalid() -> list[dict]:
    vectors = []

    def add(what: str, reason: str, text: str, **options) -> None:
        ring = sc.Ring.parse(options.get("ring", RING).encode())
        try:
            sc.open_token(ring, text, name=options.get("name", "s"), purpose=options.get("purpose", ""), now=options.get("at", NOW),
                          absolute=options.get("absolute", 14 * DAY), idle=options.get("idle"))
        except sc.Refused as refusal:
            assert refusal.words == reason, (what, refusal)
        else:
            raise AssertionError(what)
        vectors.append({**vector(what, text, **options), "refused": reason})

    item = sc.encode_item(sc.from_json('{"user": 7, "k": {"$bytes": "AQID"}}'))
    good = token(payload(item))
    data = sc.b64u_strict(good)

    def flipped(place: int, bit: int = 0) -> str:
        changed = bytearray(data)
        changed[place] ^= 1 << bit
        return sc.b64u(bytes(changed))
    for place in (4, 11, 12, 23, 24, 30, -17, -16, -1):
        add(f"a bit flipped in byte {place}", "not authentic", flipped(place))
    add("the version flipped", "unknown version", flipped(0))
    add("the key id flipped", "unknown key", flipped(2))
    add("cut off by a byte", "not authentic", sc.b64u(data[:-1]))
    add("a byte more", "not authentic", sc.b64u(data + b"\x00"))
    add("another name", "not authentic", good, name="t")
    add("the name in capitals", "not authentic", good, name="S")
    add("a purpose where there is none", "not authentic", good, purpose="p")
    add("no purpose where there is one", "not authentic", token(payload(item), purpose="p"))
    add("name and purpose divided elsewhere", "not authentic", token(payload(item), "sp", "q"), name="s", purpose="pq")
    add("another key's ciphertext", "not authentic", sc.b64u(data[:4] + sc.b64u_strict(token(payload(item), key=OTHER))[4:]))
    add("a key that is not there", "unknown key", good, ring=sc.key_line(OTHER))
    add("an empty ring", "unknown key", good, ring="")
    add("a revoked key", "revoked key", good, ring=RING + f"revoked {sc.key_id(KEY)}\n")
    add("a revoked key whose line is gone", "revoked key", good, ring=f"revoked {sc.key_id(KEY)}\n")
    add("revoked goes before not authentic", "revoked key", flipped(-1), ring=RING + f"revoked {sc.key_id(KEY)}\n")
    for what, text in (("padding", good + "="), ("a blank", good[:30] + " " + good[30:]), ("a line's end", good + "\n"), ("a plus", good[:30] + "+" + good[31:]),
                       ("a slash", good[:30] + "/" + good[31:]), ("beyond ASCII", good[:30] + "\u00e9" + good[31:]), ("a length of 1 modulo 4", "S" * 65)):
        add(f"text with {what}", "not base64url", text)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for extra in range(1, 4):
        text = token(payload(sc.encode_item("x" * extra)))
        if len(text) % 4:
            add(f"bits after the last byte, length {len(text)}", "not base64url", text[:-1] + alphabet[alphabet.index(text[-1]) + 1])
    add("46 bytes", "too short", sc.b64u(data[:46]))
    add("nothing", "too short", "")
    start = NOW.to_bytes(4, "big") + b"\x00"
    add("a character too long", "too long", token(b"\x04" + start + item + b"\x80" + bytes(3032 - 7 - len(item))))
    add("the absolute end", "expired", good, at=NOW + 14 * DAY)
    add("the idle end", "expired", good, at=NOW + HOUR, idle=HOUR)
    add("the absolute end, though sealed again since", "expired", token(payload(item, created=NOW - 5 * DAY, age=5 * DAY)), absolute=5 * DAY)
    add("the end of its own lifetime", "expired", token(payload(item, lifetime=HOUR)), at=NOW + HOUR)
    add("idle ends a session with its own lifetime", "expired", token(payload(item, lifetime=30 * DAY)), at=NOW + HOUR, idle=HOUR)
    add("61 s ahead", "in the future", token(payload(item, created=NOW + 61)))
    add("an age that goes beyond 2^32", "in the future", token(b"\x00" + b"\xff" * 4 + b"\xff\xff\xff\xff\x0f" + item))
    add("not-before", "ended", good, ring=RING + f"not-before {sc.format_time(NOW + 1)}\n")
    add("the latest not-before", "ended", good, ring=RING + f"not-before {sc.format_time(NOW + 1)}\nnot-before 2020-01-01T00:00:00Z\n")
    add("expired goes before ended", "expired", good, ring=RING + f"not-before {sc.format_time(NOW + 1)}\n", at=NOW + 20 * DAY)
    add("malformed goes before expired", "malformed payload", token(b"\x10" + start + item), at=NOW + 20 * DAY)
    for name in (0, 2, 15):
        add(f"dictionary {name}", "unknown dictionary", token(bytes([9]) + start + bytes([name]) + sc.deflate(item)))
    add("an application's dictionary", "unknown dictionary", token(payload(sc.encode_item("own words, own words"), dictionary=b"own words, own words")))
    for what, plaintext in interop.malformed(item):
        if len(plaintext) < 7:      # no token has so few bytes
            plaintext += bytes(0)
        text = token(plaintext)
        if len(sc.b64u_strict(text)) >= 47:
            add(what, "malformed payload", text)
    return vectors


def main() -> int:
    # Some of interop's sessions are random: the same ones each time here.
    stream = iter(range(1 << 30))
    interop.os.urandom = lambda n: b"".join(hashlib.sha256(b"bytes %d" % next(stream)).digest() for _ in range(n // 32 + 1))[:n]
    same = True
    for name, vectors in (("valid", valid()), ("invalid", invalid())):
        head = {"about": f"{len(vectors)} tokens that {'open' if name == 'valid' else 'are refused'}. Made by Tests/Python/make_vectors.py. See FORMAT.md §12.",
                "defaults": {"name": "s", "purpose": "", "at": NOW, "absolute": 14 * DAY, "idle": None}}
        text = json.dumps(head, ensure_ascii=False)[:-1] + ', "vectors": [\n' + ",\n".join(json.dumps(v, ensure_ascii=False) for v in vectors) + "\n]}\n"
        path = FOLDER / f"{name}.json"
        if sys.argv[1:] == ["--check"]:
            same = same and path.read_text() == text
        else:
            path.write_text(text)
        print(f"{name}: {len(vectors)}")
    if not same:
        print("the files are not what this script writes")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
