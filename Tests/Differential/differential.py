"""Answers differential.mjs: a line for each line, by the implementation in Python. Fields as Answers.swift has them."""
from __future__ import annotations

import sys
from functools import lru_cache
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "Implementations" / "python"))
import sealed_cookie as sc  # noqa: E402

SEALING = {"no active key": "no-active-key", "a time that 32 bits do not hold": "time-out-of-range"}


@lru_cache(64)
def ring_of(field: str) -> sc.Ring:
    return sc.Ring.parse(bytes.fromhex(field))


def text(field: str) -> str:
    return bytes.fromhex(field).decode()


def optional(field: str) -> int | None:
    return None if field == "-" else int(field)


def described(opened: sc.Payload, end: int) -> str:
    own = "-" if opened.own is None else f"{opened.own[0]}/{opened.own[1] or '-'}"
    return f"ok {opened.created} {opened.sealed} {end} {own} {int(opened.ends_with_browser)} {opened.item.hex()}"


def sealed(token: str, age: int | None, name: str, most: int, seen: set[int] | None, others: set[int], new: bool) -> str:
    cookies = sc.split_token(token, name, most, seen, new)
    written = [f"{name}={value}" for name, value in cookies.items() if value or int(name.rsplit(".", 1)[1]) not in others]
    return f"sealed {'-' if age is None else age} {'; '.join(sorted(written)).encode().hex()}"


def answer(kind: str, *fields: str) -> str:
    if kind == "item":
        item = sc.decode_item(bytes.fromhex(fields[0]))
        return f"view {sc.to_json(item).encode().hex()}"
    if kind == "json":
        return f"item {sc.encode_item(sc.from_json(bytes.fromhex(fields[0]).decode())).hex()}"
    if kind == "ring":
        ring, now = sc.Ring.parse(bytes.fromhex(fields[0])), int(fields[1])
        return ring_state(ring, now)
    ring, name, purpose = ring_of(fields[0]), text(fields[1]), text(fields[2])
    policy = {"absolute": int(fields[3]), "idle": optional(fields[4]), "ceiling": int(fields[5])}
    dictionaries = [] if fields[6] == "-" else [bytes.fromhex(own) for own in fields[6].split(",")]
    most, now = int(fields[7]), int(fields[8])
    if kind == "token":
        opened = sc.open_token(ring, text(fields[9]), name="", purpose=purpose, now=now, limit=most, dictionaries=dictionaries, **policy)
        return f"ok {opened.created} {sc.end_of(opened, **policy)} {opened.item.hex()}"
    if kind == "removed":
        return " ".join(sorted(sc.removal(text(fields[9]), name, most, ring)))
    if kind == "seal":
        own = None if fields[10] == "-" else tuple(optional(span) or 0 for span in fields[10].split("/"))
        marks = sc.ENDS_WITH_BROWSER if fields[11] == "1" else 0
        dictionary = dictionaries[0] if dictionaries else sc.STANDARD
        created = now if ring.not_before is None or ring.not_before <= now else ring.not_before
        ring.sealing(now)
        if created > now + 60:
            raise sc.Ended("the clock is behind not-before")
        token = sc.seal(ring, bytes.fromhex(fields[9]), name=name, purpose=purpose, now=now, created=created, own=own, marks=marks, most=most, dictionary=dictionary)
        age = sc.max_age(sc.Payload(created, 0, b"", own, marks), now, **policy)
        return sealed(token, age, name, most, None, set(), True)
    options = {"name": name, "purpose": purpose, "dictionaries": dictionaries, "most": most, **policy}
    header = text(fields[9])
    opened = sc.open_header(ring, header, now=now, **options)
    if opened is None:
        return "none"
    if kind == "open":
        return described(opened, sc.end_of(opened, **policy))
    # The header of an "again" is one cookie with one token.
    sealed_by = sc.b64u_strict(header.partition("=")[2][:8])[1:4].hex()
    later, other = int(fields[10]), ring_of(fields[11])
    dictionary = dictionaries[0] if dictionaries else sc.STANDARD
    token = sc.seal_again(other, opened, sealed_by, name=name, purpose=purpose, now=later, most=most, dictionary=dictionary, **policy)
    again = sc.open_token(other, token, name=name, purpose=purpose, now=later, dictionaries=dictionaries, most=most, **policy)
    return sealed(token, sc.max_age(again, later, **policy), name, most, *sc.parts_of(header, name, other), False)


def ring_state(ring: sc.Ring, now: int) -> str:
    def time(seconds: int | None) -> str:
        return "-" if seconds is None else str(seconds)
    keys = {id: entry for id, entry in ring.keys.items() if id not in ring.revoked}
    rows = sorted(f"{id}:{time(entry[0])}:{time(ring.until.get(id))}" for id, entry in keys.items())
    active = ring.active(now)
    try:
        sealing = ring.sealing(now)[0]
    except sc.CannotSeal:
        sealing = "-"
    return " ".join([*rows, "/", *sorted(ring.revoked), "/", time(ring.not_before), active[0] if active else "-", sealing])


def main() -> None:
    for line in sys.stdin:
        try:
            said = answer(*line.rstrip("\n").split("\t"))
        except sc.Refused as error:
            said = f"refused {error.words.replace(' ', '-')}"
        except sc.CannotSeal as error:
            said = f"refused {SEALING.get(str(error), 'too-large')}"
        except (sc.Invalid, sc.InvalidRing, ValueError) as error:
            said = "refused"
        print(said, flush=True)


if __name__ == "__main__":
    main()
