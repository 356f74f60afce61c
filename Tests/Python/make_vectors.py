#!/usr/bin/env python3
"""Writes the test vectors for implementers, from Implementations/python alone, into Tests/SealedCookieTests/Vectors: valid.json and invalid.json
(tokens), tokens.json (without a cookie), sealed.json (payloads that a sealer makes), again.json (sessions sealed again), cookies.json and divided.json (Cookie headers, and how a token is divided), rings.json (key rings), cutoffs.json (when one user's sessions were ended),
json.json (the JSON view).

    make_vectors.py            write them
    make_vectors.py --check    fail if they are not what this writes, or not by their schema
    make_vectors.py --rules    list FORMAT.md's rules with the vectors of each

Every MUST of FORMAT.md's sections 2 to 11 stands in RULES below with vectors that hold it, or with why none can; a MUST that does
not is an error. Keys and R are fixed, so the same files come out each time. Never use these keys.
"""
import hashlib
import json
import math
import re
import sys
from dataclasses import replace
from pathlib import Path

import deflate_streams
import interop
import sealed_cookie as sc

FOLDER = Path(__file__).resolve().parents[1] / "SealedCookieTests" / "Vectors"
NOW = sc.parse_time("2026-08-03T00:00:00Z")
DAY, HOUR = 86_400, 3_600
KEY, OTHER = bytes(range(32)), bytes(range(1, 33))
RING = sc.key_line(KEY)
OWN = b"own words, own words, and members"
LONGEST = "".join(hashlib.sha512(b"%d" % i).hexdigest() for i in range(62)).encode()    # as long as a dictionary may be
file, count = "", 0


def first_pair(make, mark):
    """The first two things of make(0), make(1), ... of one mark."""
    seen: dict = {}
    for i in range(1 << 20):
        thing = make(i)
        other = seen.setdefault(mark(thing), thing)
        if other != thing:
            return other, thing
    raise AssertionError("no pair")


def own_dictionary(i: int) -> bytes:
    return OWN + b" %d" % i


def dictionary_of(first: int) -> bytes:
    """One whose digest begins with this byte."""
    return next(d for d in map(own_dictionary, range(1 << 20)) if hashlib.sha256(d).digest()[0] == first)


# Two keys with the same ID, and dictionaries whose names differ only in their last byte, or only in their first.
TWINS = first_pair(lambda i: hashlib.sha256(b"c%d" % i).digest(), sc.key_id)
LIKE_TO_3 = first_pair(own_dictionary, lambda d: sc.dictionary_name(d)[:3])
LIKE_FROM_1 = first_pair(own_dictionary, lambda d: sc.dictionary_name(d)[1:])


def next_r() -> bytes:
    """An R of its own for each token, made of the file's name and a counter, so that a new vector changes no other file's."""
    global count
    count += 1
    return hashlib.sha256(b"%s %d" % (file.encode(), count)).digest()[:20]


def token(payload: bytes, name: str = "s", purpose: str = "", key: bytes = KEY) -> str:
    return sc._seal_payload(key, payload, name, purpose, next_r())


def payload(item: bytes, created: int = NOW, age: int = 0, own=None, marks: int = 0, pad=None, dictionary: bytes = sc.STANDARD) -> bytes:
    return sc.encode_payload(sc.Payload(created, age, item, own, marks), pad, dictionary)


def padded(item: bytes, characters: int, name: str = "s") -> str:
    """A token of so many characters."""
    start = NOW.to_bytes(4, "big") + b"\x00"
    text = token(b"\x04" + start + item + b"\x80" + bytes(characters * 3 // 4 - 40 - 7 - len(item)), name)
    assert len(text) == characters, (len(text), characters)
    return text


def vector(what: str, text: str, key: bytes = KEY, **options) -> dict:
    """All that opening depends on; times and spans in seconds."""
    return {"what": what, "key": key.hex(), "ring": options.get("ring", RING), "name": options.get("name", "s"), "purpose": options.get("purpose", ""),
            "time": options.get("at", NOW), "absolute": options.get("absolute", 14 * DAY), "idle": options.get("idle"), "ceiling": options.get("ceiling", 400 * DAY),
            "dictionaries": [d.hex() for d in options.get("dictionaries", [])], "token": text}


def opened(text: str, options: dict) -> sc.Payload:
    return sc.open_token(sc.Ring.parse(options.get("ring", RING).encode()), text, **opening(options))


def opening(options: dict) -> dict:
    return {"name": options.get("name", "s"), "purpose": options.get("purpose", ""), "now": options.get("at", NOW),
            "absolute": options.get("absolute", 14 * DAY), "idle": options.get("idle"), "ceiling": options.get("ceiling", 400 * DAY), "dictionaries": options.get("dictionaries", [])}


def own_lifetime(p: sc.Payload) -> dict | None:
    return None if p.own is None else {"absolute": p.own[0], "idle": p.own[1] or None}


def found(p: sc.Payload, options: dict) -> dict:
    """What an opener must find."""
    end = sc.end_of(p, options.get("absolute", 14 * DAY), options.get("idle"), options.get("ceiling", 400 * DAY))
    return {"created": p.created, "sealed": p.sealed, "ends": end, "own": own_lifetime(p), "endsWithBrowser": p.ends_with_browser, "item": p.item.hex(), "session": sc.view(sc.decode_item(p.item))}


def valid() -> list[dict]:
    vectors = []

    def add(what: str, text: str, session: bytes, **options) -> None:
        found_payload = opened(text, options)
        assert found_payload.item == session, what
        vectors.append({**vector(what, text, **options), **found(found_payload, options)})

    for label, session, options in interop.SESSIONS:
        if label.startswith(("compressible", "incompressible", "bignums, UUIDs", "item of")) or "own" in options or "marks" in options or "at" in options:
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
    add("padding of one byte", token(b"\x04" + start + item + b"\x80"), item)
    add("padding behind an item that ends in 80 00", token(b"\x04" + start + bytes.fromhex("428000") + b"\x80\x00"), bytes.fromhex("428000"))
    add("every flag of a session at once", token(b"\x1f" + start + b"\x80\xa3\x05\x90\x1c\x01" + sc.deflate(sc.split_item(item)[0], sc.STANDARD) + b"\x01\x02\x03" + b"\x80\x00"), item)
    own = sc.encode_item("own words, own words")
    add("an application's own dictionary", token(payload(own, dictionary=OWN)), own, dictionaries=[OWN])
    add("the older of two dictionaries of an application", token(payload(own, dictionary=OWN)), own, dictionaries=[OWN, b"a newer one"])
    add("the standard dictionary, where the application has its own", token(payload(item)), item, dictionaries=[OWN])
    two = [sc.encode_item(x) for x in ([b"\x01", "compress me, compress me", b"", [b"\x02\x03"], sc.Tag(24, "secret secret secret")], 2**70)]
    for session in two:
        skeleton, contents = sc.split_item(session)
        add("byte strings behind the stream" + (", one of them a bignum's" if session is two[1] else ""), token(b"\x01" + start + sc.deflate(skeleton) + b"".join(contents)), session)
    skeleton, contents = sc.split_item(item)
    longer = sc.zlib.compressobj(0, sc.zlib.DEFLATED, -15)
    add("a window of 32 KiB, and a stream longer than the item", token(b"\x01" + start + longer.compress(skeleton) + longer.flush() + b"".join(contents)), item)
    far = sc.zlib.compressobj(9, sc.zlib.DEFLATED, -15)
    block = hashlib.sha512(b"block").hexdigest()
    largest = sc.encode_item((block + "x" * 32_200 + block).ljust(65_533, "y"))
    add("an item of 65,536 bytes, with a reference back over more than 31 KiB", token(b"\x01" + start + far.compress(largest) + far.flush()), largest)
    add("sealed again a day later", token(payload(item, created=NOW - DAY, age=DAY)), item)
    add("the purpose in Unicode, not normalized", token(payload(item), purpose="e\u0301 \u2013 \U0001f600"), item, purpose="e\u0301 \u2013 \U0001f600")
    add("its own lifetime, shorter than the policy's", token(payload(item, own=(HOUR, 0))), item, at=NOW + HOUR - 1)
    add("another key is revoked", token(payload(item)), item, ring=RING + f"revoked {sc.key_id(OTHER)}\n")
    add("the key stands twice, and its line ends with the file", token(payload(item)), item, ring=(RING + sc.key_line(KEY, NOW + DAY) + RING)[:-1])
    add("the longest a cookie takes", token(b"\x04" + start + item + b"\x80" + bytes(3031 - 7 - len(item))), item)
    add("age of five bytes", token(payload(item, created=0, age=2**32 - 1)), item, at=2**32 - 2, absolute=2**32 - 1, ceiling=2**32 - 1)
    add("own lifetime, longer than the policy's", token(payload(item, own=(30 * DAY, 0))), item, at=NOW + 30 * DAY - 1)
    add("last second", token(payload(item)), item, at=NOW + 14 * DAY - 1)
    add("last idle second", token(payload(item, created=NOW - DAY, age=DAY)), item, at=NOW + HOUR - 1, idle=HOUR)
    add("60 s ahead", token(payload(item, created=NOW + 60)), item)
    add("a pending key opens", token(payload(item)), item, ring=sc.key_line(KEY, NOW + DAY))
    add("the second of two keys", token(payload(item)), item, ring=sc.key_line(OTHER) + RING)
    add("begun in the very second of not-before", token(payload(item)), item, ring=RING + f"not-before {sc.format_time(NOW)}\n")
    late, wrapped = 2**32 - 16, 2**32 + 16
    for options, what in (({}, "absolute"), ({"idle": HOUR}, "idle"), ({"own": (30 * DAY, 0)}, "own lifetime"), ({"own": (30 * DAY, HOUR)}, "own idle time"), ({"absolute": 2**32 - 1, "ceiling": 2**32 - 1}, "ceiling"), ({"absolute": 2**32 - 1}, "absolute and the ceiling")):
        lasting = options.pop("own", None)
        add(f"an end beyond 2^32, {what}", token(payload(item, created=late, own=lasting)), item, at=late + 5, **options)
    add("sealed beyond 2^32", token(payload(item, created=late, age=32)), item, at=wrapped, idle=HOUR)
    for first in (238, 239, 240, 255):
        dictionary = dictionary_of(first)
        add(f"a dictionary whose digest begins with {first}", token(payload(own, dictionary=dictionary)), own, dictionaries=[dictionary])
    for dictionaries, what in ((LIKE_TO_3, "last"), (LIKE_FROM_1, "first")):
        for which in (0, 1):
            text = token(payload(own, dictionary=dictionaries[which]))
            add(f"two dictionaries whose names differ in their {what} byte alone, the {'second' if which else 'first'}", text, own, dictionaries=list(dictionaries))
    add("bits set behind the last block", token(b"\x01" + start + (b := interop.fixed_block(b"\x64four"))[:-1] + bytes([b[-1] | 0x80])), b"\x64four")
    add("empty blocks", token(b"\x01" + start + b"\x00\x00\x00\xff\xff" * 2 + stored[:1].replace(b"\x01", b"\x00") + stored[1:] + b"\x01\x00\x00\xff\xff"), b"\x64four")
    add("a reference to the very start of the standard dictionary", token(b"\x09" + start + b"\x01" + interop.fixed_block(b"\x64a", (3, 2 + len(sc.STANDARD)))), b"\x64alAs")
    add("64 levels of maps", token(b"\x00" + start + (deep := b"\xa1\x00" * 64 + b"\x05")), deep)
    for n, what, text in interop.TOO_DEEP:
        deep = b"\x81" * (n - 1) + bytes.fromhex(text)
        add(f"64 levels: {n - 1} arrays around {what}", token(b"\x00" + start + deep), deep)
    twin = sc.key_line(TWINS[0]) + sc.key_line(TWINS[1]) + f"revoked {sc.key_id(TWINS[0])}\n"
    add("two keys of one id, revoked, beside the key", token(payload(item)), item, ring=twin + RING)
    longest_name = "n" * 4033
    add("the longest name", token(b"\x00" + start + b"\x07", longest_name), b"\x07", name=longest_name)
    add("blanks, CRs and comments in the ring", token(payload(item)), item, ring="# c\r\n\t" + RING.replace(" ", " \t").replace("\n", " \r\n"))
    aged = lambda own, marks=0: token(payload(item, created=NOW - 1000, age=1000, own=own, marks=marks))
    add("its own lifetime, counted from created and not from sealed", aged((HOUR, 0)), item, at=NOW - 1000 + HOUR - 1)
    add("its own lifetime and no idle time of its own: the policy's does not hold", aged((HOUR, 0)), item, at=NOW - 1000 + HOUR - 1, idle=100)
    add("its own idle time, which ends first", aged((HOUR, 100)), item, at=NOW + 99)
    add("its own idle time, longer than the policy's", aged((HOUR, 200)), item, at=NOW + 199, idle=100)
    add("its own idle time, and the policy's absolute end is over", aged((HOUR, 200)), item, at=NOW + 199, absolute=1)
    add("its own lifetime that ends before its own idle time", aged((1500, HOUR)), item, at=NOW + 499, idle=1)
    add("its own lifetime that ends when its own idle time does", aged((1100, 100)), item, at=NOW + 99)
    add("its own lifetime of a second, and an idle time of a second", token(payload(item, own=(1, 1))), item)
    for edge in (127, 128, 2**14 - 1, 2**14, 2**21 - 1, 2**21, 2**28 - 1, 2**28, 2**32 - 1):
        add(f"its own lifetime of {edge} s, and an idle time as long", token(payload(item, own=(edge, edge))), item)
    add("its own lifetime longer than the ceiling, in the last second", token(payload(item, own=(500 * DAY, 0))), item, at=NOW + 400 * DAY - 1)
    add("its own lifetime and idle time longer than the ceiling", token(payload(item, own=(500 * DAY, 450 * DAY))), item, at=NOW + 400 * DAY - 1)
    add("its own lifetime longer than 400 days, under a higher ceiling", token(payload(item, own=(500 * DAY, 0))), item, at=NOW + 500 * DAY - 1, ceiling=600 * DAY)
    add("its own lifetime under a ceiling that is lower than the policy's absolute", token(payload(item, own=(9 * DAY, 0))), item, at=NOW + 5 * DAY - 1, ceiling=5 * DAY)
    add("the policy's absolute longer than its ceiling, in the last second", token(payload(item)), item, at=NOW + 5 * DAY - 1, ceiling=5 * DAY)
    add("the ceiling counts from created and not from sealed", aged((HOUR, 0)), item, at=NOW + 1999, ceiling=3000)
    add("the ceiling does not shorten an idle time", aged((HOUR, 100)), item, at=NOW + 99, ceiling=2000)
    browser = sc.ENDS_WITH_BROWSER
    add("ends with the browser", token(payload(item, marks=browser)), item)
    add("ends with the browser, in its last second", token(payload(item, marks=browser)), item, at=NOW + 14 * DAY - 1)
    add("ends with the browser, not compressed", token(b"\x10" + start + item), item)
    add("ends with the browser, with a lifetime of its own", aged((HOUR, 100), browser), item, at=NOW + 99)
    add("ends with the browser, null and not signed out", token(b"\x10" + start + b"\xf6"), b"\xf6")
    for own, what in ((b"a", "of one byte"), (LONGEST, "of 7,936 bytes, its first meant"), (LONGEST, "of 7,936 bytes, its last meant")):
        session = b"\x64adad" if own == b"a" else b"\x6a" + (own[-10:] if "last" in what else own[:10])
        back = 1 + (10 if "last" in what else len(own))
        body = sc.dictionary_name(own) + interop.fixed_block(session[:1], (len(session) - 1, back))
        add(f"a dictionary {what}", token(b"\x09" + start + body), session, dictionaries=[own])
    names = sc.encode_item({"__proto__": 1, "constructor": 2, "hasOwnProperty": 3, "toString": {"__proto__": None}, "": 4, "0": 5, 0: 6, "-1": 7, -1: 8})
    add("keys that objects of some languages have already, and texts beside their integers", token(b"\x00" + start + names), names)
    edges = [sc.Float(bits).to_cbor() for bits in FLOATS]
    floats = sc.head(4, len(edges)) + b"".join(edges)
    add("floats at the edges of half, single and double", token(b"\x00" + start + floats), floats)
    pairs = sc.encode_item({"\U00010000": 1, "\uff5ea": 2, "\ue000b": 3})
    add("text keys by their bytes, where UTF-16 has another order", token(b"\x00" + start + pairs), pairs)
    most = sc.encode_item(["x" * 65_520, b"0123456789a"])
    add("an item of 65,536 bytes whose skeleton has fewer", token(payload(most)), most)
    add("byte strings of no bytes, behind a stream that nothing follows", token(b"\x01" + start + sc.deflate(b"\x82\x40\x40")), b"\x82\x40\x40")
    for what, stream, data in deflate_streams.valid():
        add(f"DEFLATE: {what}", token(b"\x01" + start + stream), data)
    return vectors


def invalid() -> list[dict]:
    vectors = []

    def add(what: str, reason: str, text: str, **options) -> None:
        try:
            opened(text, options)
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
    add("a token without a cookie of the same purpose", "not authentic", token(payload(item), "", "p"), purpose="p")
    add("a token without a cookie whose purpose is the name", "not authentic", token(payload(item), "", "s"))
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
    add("the end of its own lifetime", "expired", token(payload(item, own=(HOUR, 0))), at=NOW + HOUR)
    add("its own idle end", "expired", token(payload(item, own=(30 * DAY, HOUR))), at=NOW + HOUR)
    add("its own idle end, before the policy's", "expired", token(payload(item, own=(30 * DAY, HOUR))), at=NOW + HOUR, idle=DAY)
    add("its own idle end, counted from sealed", "expired", token(payload(item, created=NOW - DAY, age=DAY, own=(30 * DAY, HOUR))), at=NOW + HOUR)
    add("the end of a lifetime of a second", "expired", token(payload(item, own=(1, 0))), at=NOW + 1)
    add("the end of an idle time of a second", "expired", token(payload(item, own=(9, 1))), at=NOW + 1)
    add("the ceiling, of a session with its own lifetime", "expired", token(payload(item, own=(500 * DAY, 0))), at=NOW + 400 * DAY)
    add("the ceiling, of a session with its own idle time", "expired", token(payload(item, created=NOW - 399 * DAY, age=399 * DAY, own=(500 * DAY, 450 * DAY))), at=NOW + DAY)
    add("a lower ceiling", "expired", token(payload(item, own=(9 * DAY, 0))), at=NOW + 5 * DAY, ceiling=5 * DAY)
    add("the ceiling, of a session without its own lifetime", "expired", token(payload(item)), at=NOW + 500 * DAY, absolute=600 * DAY)
    add("a ceiling lower than the policy's absolute", "expired", token(payload(item)), at=NOW + 5 * DAY, ceiling=5 * DAY)
    add("the end of a session that ends with the browser", "expired", token(payload(item, marks=sc.ENDS_WITH_BROWSER)), at=NOW + 14 * DAY)
    out = lambda text: token(payload(sc.NULL, marks=sc.ENDED, **text))
    add("signed out", "signed out", out({}))
    add("signed out, padded", "signed out", out({"pad": 16}))
    add("signed out, with an age", "signed out", out({"created": NOW - DAY, "age": DAY}))
    add("signed out, 60 s ahead", "signed out", out({"created": NOW + 60}))
    add("signed out, and a lifetime of its own that is over", "signed out", out({"own": (1, 1)}), at=NOW + 9)
    add("signed out, and ends with the browser", "signed out", token(b"\x30" + start + b"\xf6"))
    add("signed out goes before expired", "signed out", out({}), at=NOW + 14 * DAY)
    add("signed out goes before expired: idle", "signed out", out({}), at=NOW + HOUR, idle=HOUR)
    add("signed out goes before expired: the ceiling", "signed out", out({}), at=NOW + 400 * DAY)
    add("signed out goes before ended", "signed out", out({}), ring=RING + f"not-before {sc.format_time(NOW + 1)}\n")
    add("in the future goes before signed out", "in the future", out({"created": NOW + 61}))
    add("malformed payload goes before signed out", "malformed payload", token(b"\x20" + start + b"\xf5"))
    add("revoked key goes before signed out", "revoked key", out({}), ring=RING + f"revoked {sc.key_id(KEY)}\n")
    add("not authentic goes before signed out", "not authentic", out({}), name="t")
    add("61 s ahead", "in the future", token(payload(item, created=NOW + 61)))
    add("an age that goes beyond 2^32", "in the future", token(b"\x00" + b"\xff" * 4 + b"\xff\xff\xff\xff\x0f" + item))
    add("an age that goes beyond 2^32, on to a time past", "in the future", token(payload(item, created=2**32 - 16, age=32)))
    add("an age that goes beyond 2^32, where the clock is still before it", "in the future", token(payload(item, created=2**32 - 90, age=100)), at=2**32 - 60)
    add("an end beyond 2^32", "expired", token(payload(item, created=2**32 - 16)), at=2**32 - 16 + 14 * DAY)
    add("an idle end beyond 2^32", "expired", token(payload(item, created=2**32 - 16)), at=2**32 - 16 + HOUR, idle=HOUR)
    for key in TWINS:
        add(f"one of two keys of one id, revoked: the {'second' if key == TWINS[1] else 'first'}", "revoked key", token(payload(item), key=key), key=key,
            ring=RING + sc.key_line(TWINS[0]) + sc.key_line(TWINS[1]) + f"revoked {sc.key_id(key)}\n")
    add("not-before", "ended", good, ring=RING + f"not-before {sc.format_time(NOW + 1)}\n")
    add("the latest not-before", "ended", good, ring=RING + f"not-before {sc.format_time(NOW + 1)}\nnot-before 2020-01-01T00:00:00Z\n")
    add("expired goes before ended", "expired", good, ring=RING + f"not-before {sc.format_time(NOW + 1)}\n", at=NOW + 20 * DAY)
    add("malformed goes before expired", "malformed payload", token(b"\x40" + start + item), at=NOW + 20 * DAY)
    add("the name too long for this token", "too long", padded(item, 4090, "longername"), name="longername")
    both = lambda first, second: f"{first} goes before {second}"
    revoked = RING + f"revoked {sc.key_id(KEY)}\n"
    future, ended = NOW + 61, RING + f"not-before {sc.format_time(NOW + 1)}\n"
    for first, second, text, options in (
            ("too long", "not base64url", "=" * 4096, {}), ("not base64url", "too short", "S=", {}), ("too short", "unknown version", sc.b64u(bytes(46)), {}),
            ("unknown version", "unknown key", sc.b64u(b"\x49" + bytes(46)), {}), ("unknown version", "revoked key", flipped(0), {"ring": revoked}),
            ("unknown key", "not authentic", flipped(-1), {"ring": sc.key_line(OTHER)}),
            ("not authentic", "malformed payload", sc.b64u(sc.b64u_strict(token(b"\x40" + start + item))[:-1] + b"\x00"), {}),
            ("not authentic", "expired", flipped(-1), {"at": NOW + 20 * DAY}),
            ("malformed payload", "in the future", token(b"\x40" + future.to_bytes(4, "big") + b"\x00" + item), {}),
            ("unknown dictionary", "in the future", token(bytes([9]) + future.to_bytes(4, "big") + b"\x00\x02" + sc.deflate(item)), {}),
            ("in the future", "expired", token(payload(item, created=0, age=future)), {}), ("in the future", "ended", token(payload(item, created=NOW, age=61)), {"ring": ended})):
        add(both(first, second), first, text, **options)
    add("an age of 61 s from now", "in the future", token(payload(item, created=NOW, age=61)))
    add("ended, though sealed again since", "ended", token(payload(item, created=NOW - DAY, age=DAY)), ring=RING + f"not-before {sc.format_time(NOW)}\n")
    add("ended, though with a lifetime of its own", "ended", token(payload(item, own=(30 * DAY, 0))), ring=ended)
    add("the highest bit of the tag", "not authentic", flipped(-16, 7))
    add("without the last byte of the ciphertext", "not authentic", sc.b64u(data[:-17] + data[-16:]))
    add("the tag cut to 12 bytes, with a longer ciphertext", "not authentic", sc.b64u(data[:24] + bytes(4) + data[24:-4]))
    add("plain AES-256-GCM, without the derived key", "not authentic", sc.b64u(data[:24] + sc.AESGCM(KEY).encrypt(data[4:16], payload(item), sc.associated_data(data[:4], "s", ""))))
    add("N with its zeros at the end", "not authentic", sc.b64u(data[:24] + sc.xaes_seal(KEY, data[4:24] + bytes(4), payload(item), sc.associated_data(data[:4], "s", ""))))
    add("the purpose normalized", "not authentic", token(payload(item), purpose="\u00e9"), purpose="e\u0301")
    add("associated data with big-endian lengths", "not authentic", sc.b64u(data[:24] + sc.xaes_seal(KEY, sc.nonce_of(data[4:24]), payload(item), bytes(7) + b"\x04" + b"".join(
        len(p).to_bytes(8, "big") + p for p in (b"SealedCookie", data[:4], b"s", b"")))))
    add("no associated data", "not authentic", sc.b64u(data[:24] + sc.xaes_seal(KEY, sc.nonce_of(data[4:24]), payload(item), b"")))
    add("a header in standard base64", "not base64url", sc.base64.b64encode(data + bytes(-len(data) % 3 + 1)).decode())
    add("compressed with the opener's own dictionary, under the standard one's name", "malformed payload",
        token(b"\x09" + start + b"\x01" + sc.deflate(sc.encode_item("own words, own words, and members " * 2), OWN)), dictionaries=[OWN])
    add("a dictionary that differs in a byte", "unknown dictionary", token(payload(sc.encode_item("own words, own words"), dictionary=OWN)), dictionaries=[OWN[:-1] + b"!"])
    add("a split token's first part", "not base64url", "2." + good)
    for name in (0, 2, 15):
        add(f"dictionary {name}", "unknown dictionary", token(bytes([9]) + start + bytes([name]) + sc.deflate(item)))
    own = sc.encode_item("own words, own words")
    for dictionaries, what in ((LIKE_TO_3, "last"), (LIKE_FROM_1, "first")):
        add(f"a dictionary whose name differs in its {what} byte alone", "unknown dictionary", token(payload(own, dictionary=dictionaries[0])), dictionaries=[dictionaries[1]])
    for what, field in (("of one byte", b"\x02"), ("of four bytes", b"\x20\x00\x00\x00")):
        add(f"unknown dictionary {what}, and no body", "unknown dictionary", token(b"\x09" + start + field))
        add(f"unknown dictionary {what}, and a broken stream", "unknown dictionary", token(b"\x09" + start + field + b"\xff\xff"))
        for flags, fields, rest, fault in ((0x49, start, b"", "an unknown flag"), (0x0D, start, b"\x03\x00\x00\x01", "wrong padding"), (0x09, NOW.to_bytes(4, "big") + b"\x80\x00", b"", "age in a longer spelling"),
                                           (0x0B, start + b"\x00\x00", b"", "a lifetime of zero"), (0x0B, start + b"\x01\x80\x00", b"", "an own idle time in a longer spelling"), (0x29, start, b"", "signed out, and compressed")):
            add(f"malformed payload goes before unknown dictionary {what}: {fault}", "malformed payload", token(bytes([flags]) + fields + field + rest))
    add("an application's dictionary", "unknown dictionary", token(payload(sc.encode_item("own words, own words"), dictionary=b"own words, own words")))
    for what, plaintext in interop.malformed(item):
        if len(plaintext) < 7:      # no token has so few bytes
            plaintext += bytes(0)
        text = token(plaintext)
        if len(sc.b64u_strict(text)) >= 47:
            add(what, "malformed payload", text)
    for version in sorted({0x48 ^ 1 << bit for bit in range(8)} | {0x00, 0x47, 0x49, 0x4A, 0x4B, 0xFF}):
        add(f"version 0x{version:02x}, sealed as such", "unknown version", versioned(version, payload(b"\xf6")))
    late, over = NOW + 61, {"at": NOW + 20 * DAY}
    broken = {"an item that is none": b"\x00%s\xf7", "contents that end early": b"\x01%s" + sc.deflate(b"\x82\x44\x61\x05") + b"\xaa\xbb\xcc",
              "contents left over": b"\x01%s" + sc.deflate(b"\x41") + b"\xaa\xbb", "a broken stream": b"\x01%s\xff\xff\xff\xff", "an unknown flag": b"\x80%s\xf6",
              "wrong padding": b"\x04%s\xf6\x40\x00", "no body": b"\x04%s\x80", "a level too many": b"\x00%s" + b"\x81" * 65 + b"\x00"}
    for fault, plaintext in broken.items():
        for second, created, options in (("in the future", late, {}), ("expired", NOW, over), ("ended", NOW, {"ring": ended})):
            add(f"malformed payload goes before {second}: {fault}", "malformed payload", token(plaintext.replace(b"%s", created.to_bytes(4, "big") + b"\x00")), **options)
    for second, options in (("expired", over), ("ended", {"ring": ended})):
        add(f"unknown dictionary goes before {second}", "unknown dictionary", token(b"\x09" + start + b"\x02" + sc.deflate(item)), **options)
    for number in (0, *range(3, 16)):
        add(f"dictionary {number}, and nothing behind it", "unknown dictionary", token(bytes([9]) + start + bytes([number])))
    for what, skeleton, contents in (
            ("and the rest would be an item", "82446105", "aabbcc"), ("in the first of two strings", "824242", "aa"), ("in the last of two strings", "824242", "aabbcc"), ("without any", "8241f6", ""),
            ("in a string behind an empty one", "824041", ""), ("in a secret", "d81842", "01"), ("in a UUID", "d82550", "00" * 15), ("in a bignum", "c249", "01" * 8), ("in a map's last value", "a16161586f", "aa" * 110)):
        add(f"contents end early, {what}", "malformed payload", token(b"\x01" + start + sc.deflate(bytes.fromhex(skeleton)) + bytes.fromhex(contents)))
    own = LONGEST
    add("a reference before an own dictionary", "malformed payload", token(b"\x09" + start + sc.dictionary_name(own) + interop.fixed_block(b"\x64a", (3, 2 + len(own) + 1))), dictionaries=[own])
    add("its own idle time ends a session before its own lifetime does, with an age", "expired", token(payload(item, created=NOW - 1000, age=1000, own=(30 * DAY, 100))), at=NOW + 100)
    add("its own lifetime is over, counted from created and not from sealed", "expired", token(payload(item, created=NOW - 1000, age=1000, own=(HOUR, 0))), at=NOW - 1000 + HOUR)
    for what, text, reason in (("of one byte too many", "\u00e9" + "A" * 4094, "too long"), ("of no byte too many", "\u00e9" + "A" * 4093, "not base64url"), ("of four bytes each", "\U0001f600" * 1024, "too long")):
        add(f"characters beyond ASCII, {what}", reason, text)
    stranger = token(payload(item), key=OTHER)
    assert len(stranger) % 4 == 3
    for what, text in (("the last one's bits", stranger[:-1] + alphabet[alphabet.index(stranger[-1]) + 1]), ("the first", "+" + stranger[1:]), ("the sixth", stranger[:5] + "/" + stranger[6:]),
                       ("the seventh", stranger[:6] + "." + stranger[7:]), ("one in the middle", stranger[:40] + "=" + stranger[41:]), ("the last", stranger[:-1] + "@"), ("one of beyond ASCII", stranger[:40] + "\u00e9" + stranger[41:])):
        add(f"not base64url goes before unknown key: {what}", "not base64url", text)
        add(f"not base64url goes before revoked key: {what}", "not base64url", text, ring=RING + f"revoked {sc.key_id(OTHER)}\n")
    add("too short goes before unknown key", "too short", stranger[:60])
    add("too long goes before unknown key", "too long", stranger + "A" * 4096)
    for index in range(24):
        text = bytearray(b"x" * 24)
        text[index] = 0xFF
        add(f"item: text of 24 bytes, of which that at {index} is none of UTF-8", "malformed payload", token(b"\x00" + start + b"\x78\x18" + text))
    for what, rest in (("", b""), (", padding behind it", b"\x80\x00")):
        flags, times = (0x0D, start) if rest else (0x09, NOW.to_bytes(4, "big") + b"\x80\x01")
        add(f"the flag of a dictionary and nothing behind the times{what}", "malformed payload", token(bytes([flags]) + times + rest))
    skeleton = b"\x82\x79\xff\xf0" + b"x" * 65_520 + b"\x4c"
    add("an item of 65,537 bytes whose skeleton has fewer", "malformed payload", token(b"\x01" + start + sc.deflate(skeleton) + b"0123456789ab"))
    for first, size in ((0x1C, 16), (0x3C, 16), (0xDC, 16), (0xFC, 16), (0x1D, 32), (0x3D, 32), (0x1E, 64), (0x3E, 64)):
        add(f"item: reserved head {first:02x}, and a number of {size} bytes behind it", "malformed payload", token(b"\x00" + start + bytes([first]) + b"\x01" + bytes(size - 1) + (b"\x00" if first == 0xDC else b"")))
    for what, data in strange_heads():
        add(f"item: {what}", "malformed payload", token(b"\x00" + start + data))
    for what, data in longer_heads():
        add(f"item: {what}", "malformed payload", token(b"\x00" + start + data))
        if data[0] >> 5 in (2, 3, 4, 5):
            skeleton = data[:-1] if data[0] >> 5 == 2 else data
            add(f"skeleton: {what}", "malformed payload", token(b"\x01" + start + sc.deflate(skeleton) + (data[-1:] if data[0] >> 5 == 2 else b"")))
    for bits in FLOATS:
        for size, data in float_forms(bits):
            if data != sc.Float(bits).to_cbor():
                add(f"item: float not shortest, 0x{bits:016x} in {size} bytes", "malformed payload", token(b"\x00" + start + data))
    for what, stream in deflate_streams.broken():
        add(f"broken stream: {what}", "malformed payload", token(b"\x01" + start + stream))
    add("item: simple value 19", "malformed payload", token(b"\x00" + start + b"\xf3"))
    return vectors


# Bits of doubles at the limits of half and single: zeros, the smallest and largest of each kind, infinities, NaNs by
# their bits.
FLOATS = [int.from_bytes(sc.struct.pack(">d", value), "big") for value in (
    0.0, -0.0, 1.0, -1.5, 2.0**-24, -2.0**-24, 2.0**-25, 3 * 2.0**-25, 2.0**-14, 2.0**-14 - 2.0**-24, 65504.0, 65505.0, 65520.0, 65536.0, 2.0**-126, 2.0**-126 - 2.0**-149, 2.0**-149,
    2.0**-150, 2.0**128 - 2.0**104, 2.0**128 - 2.0**103, 2.0**128, 1 + 2.0**-10, 1 + 2.0**-11, 1 + 2.0**-23, 1 + 2.0**-24, 5e-324, math.inf, -math.inf)] + [
    0x7FF8000000000000, 0xFFF8000000000000, 0x7FF0040000000000, 0x7FF0020000000000, 0xFFF0000020000000, 0x7FF0000010000000, 0x7FF8000000000001, 0x7FFFFFFFFFFFFFFF, 0x7FFFFFFFE0000000, 0x7FFFFC0000000000]


def float_forms(bits: int) -> list[tuple[int, bytes]]:
    """The forms of 2, 4 and 8 bytes that give the double of these bits, NaN's included."""
    forms = [(8, b"\xfb" + bits.to_bytes(8, "big"))]
    for size, mantissa, exponent, first in ((4, 23, 8, b"\xfa"), (2, 10, 5, b"\xf9")):
        if sc.Float(bits).is_nan:
            raw = bits >> 63 << mantissa + exponent | ((1 << exponent) - 1) << mantissa | (bits & (1 << 52) - 1) >> 52 - mantissa
        else:
            try:
                raw = int.from_bytes(sc.struct.pack({4: ">f", 2: ">e"}[size], sc.Float(bits).value), "big")
            except OverflowError:
                continue
        data = raw.to_bytes(size, "big")
        if sc.Float.from_cbor(data).bits == bits:
            forms.append((size, first + data))
    return forms


def strange_heads() -> list[tuple[str, bytes]]:
    """Heads that no item has: the reserved ones, with and without what might be their number, and those of indefinite length."""
    found = []
    for major in range(8):
        for info in (28, 29, 30):
            head = bytes([major << 5 | info])
            found += [(f"reserved head {head.hex()} of major type {major}", head + b"\x00\x00\x00\x01\x00\x00\x00\x00"), (f"reserved head {head.hex()} alone", head)]
        head = bytes([major << 5 | 31])
        inside = {2: b"\x41a", 3: b"\x61a", 4: b"\x01", 5: b"\x01\x02", 6: b"\x01"}.get(major, b"\x00")
        found += [(f"indefinite {head.hex()} alone", head), (f"indefinite {head.hex()} with an item", head + inside), (f"indefinite {head.hex()}, empty", head + b"\xff"),
                  (f"indefinite {head.hex()} with an item, ended", head + inside + b"\xff"), (f"indefinite {head.hex()} within an array", b"\x81" + head + b"\xff")]
    return found + [("fc, and a NaN behind it", bytes.fromhex("fc7ff8000000000001")), ("fd, and a NaN behind it", bytes.fromhex("fd7ff8000000000001"))]


def longer_heads() -> list[tuple[str, bytes]]:
    """Of each major type the forms of 1, 2, 4 and 8 bytes of a number that has a shorter one."""
    found = []
    for major, number, rest in ((0, 23, b""), (1, 0, b""), (2, 1, b"a"), (3, 1, b"a"), (4, 1, b"\x00"), (5, 1, b"\x01\x02"), (6, 1, b"\x00")):
        for info, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
            if (major, size) not in ((3, 1), (4, 1), (1, 1), (6, 1), (0, 1)):       # vectors of before
                found.append((f"major type {major} not shortest, in {size} bytes", bytes([major << 5 | info]) + number.to_bytes(size, "big") + rest))
        for info, size, most in ((25, 2, 255), (26, 4, 65_535), (27, 8, 2**32 - 1)):
            if major in (0, 1) and (major, size) not in ((0, 2), (0, 4), (0, 8), (1, 2)):
                found.append((f"major type {major} not shortest, {most:,} in {size} bytes", bytes([major << 5 | info]) + most.to_bytes(size, "big")))
    return found + [("map key not shortest, in 1 byte", b"\xa1\x18\x17\x00"), ("map key of text not shortest", b"\xa1\x78\x01a\x00"), ("negative map key not shortest", b"\xa1\x38\x17\x00"),
                    ("a bignum's length not shortest", b"\xc2\x58\x09" + b"\x01" * 9), ("a UUID's length not shortest", b"\xd8\x25\x58\x10" + bytes(16)),
                    ("a length not shortest within a secret", b"\xd8\x18\x43\x78\x01a"), ("a tag not shortest within a secret", b"\xd8\x18\x43\xd8\x01\x00")]


def versioned(version: int, plaintext: bytes) -> str:
    """A token of another version that is as good as one of this."""
    head, r = bytes([version]) + bytes.fromhex(sc.key_id(KEY)), next_r()
    return sc.b64u(head + r + sc.xaes_seal(KEY, sc.nonce_of(r), plaintext, sc.associated_data(head, "s", "")))


def tokens() -> list[dict]:
    """Tokens without a cookie: §5.3."""
    vectors = []
    reset = sc.encode_item(sc.from_json('{"user": 7, "mail": "zoe@example.com"}'))

    def add(what: str, text: str, **options) -> None:
        options = {"name": "", "purpose": "password-reset", "limit": 2000, **options}
        start = {**vector(what, text, **options), "limit": options["limit"]}
        try:
            p = sc.open_token(sc.Ring.parse(options.get("ring", RING).encode()), text, limit=options["limit"], **opening(options))
        except sc.Refused as e:
            vectors.append({**start, "refused": e.words})
        except sc.Invalid:
            vectors.append({**start, "refused": "no purpose"})
        else:
            vectors.append({**start, **found(p, options)})

    text = token(payload(reset), "", "password-reset")
    add("a token for a link", text)
    for purpose in ("a", "magic-link", "Zoë's purpose", "p" * 300, "\u0301", " "):
        add(f"purpose {purpose[:20]}", token(payload(reset), "", purpose), purpose=purpose)
    add("its own lifetime and idle time", token(payload(reset, own=(600, 60)), "", "password-reset"), at=NOW + 59)
    add("its own lifetime is over", token(payload(reset, own=(600, 0)), "", "password-reset"), at=NOW + 600)
    add("the last second of an hour", text, absolute=3600, at=NOW + 3599)
    add("an hour is over", text, absolute=3600, at=NOW + 3600)
    add("the idle time counts from the sealing", text, absolute=3600, idle=60, at=NOW + 60)
    add("sealed 61 s ahead", text, at=NOW - 61)
    add("as long as the limit", text, limit=len(text))
    add("a character over the limit", text, limit=len(text) - 1)
    for characters in (2000, 2002):
        body = bytes(characters * 3 // 4 - 40 - 7 - len(reset))
        add(f"{characters} characters", token(b"\x04" + NOW.to_bytes(4, "big") + b"\x00" + reset + b"\x80" + body, "", "password-reset"))
    add("another purpose", text, purpose="magic-link")
    add("the purpose in another case", text, purpose="Password-reset")
    add("a cookie's token of the same purpose", token(payload(reset), "s", "password-reset"))
    add("a cookie's token without a purpose", token(payload(reset), "s", ""))
    add("a cookie's token that has the purpose for its name", token(payload(reset), "password-reset", ""))
    add("sealed with neither a name nor a purpose", token(payload(reset), "", ""))
    add("an opener with neither a name nor a purpose", token(payload(reset), "", ""), purpose="")
    add("a character of two bytes, as long as the limit", "\u00e9" + "A" * 98, limit=100)
    add("a character of two bytes, over the limit by one", "\u00e9" + "A" * 99, limit=100)
    add("signed out", token(payload(sc.NULL, marks=sc.ENDED), "", "password-reset"))
    add("a revoked key", text, ring=f"revoked {sc.key_id(KEY)}\n")
    add("an unknown key", text, ring="")
    add("began before not-before", text, ring=RING + f"not-before {sc.format_time(NOW + 1)}\n", at=NOW + 5)
    add("a flag that is not known", token(b"\x40" + payload(reset)[1:], "", "password-reset"))
    add("padding of base64 at its end", text + "=")
    add("a blank before it", " " + text)
    add("escaped as a URL would", "%" + "%02X" % ord(text[0]) + text[1:])
    add("nothing", "")
    return vectors


def sealed() -> list[dict]:
    """Sessions and the payloads that a sealer makes of them. Where no compressor makes an item shorter there is one, and with R one token."""
    vectors = []

    def add(what: str, item: bytes, created: int = NOW, age: int = 0, own=None, marks: int = 0, pad: int | None = None, name: str = "s", purpose: str = "",
            limit: int | None = None, refused: str | None = None) -> None:
        """refused: the words of why the sealer fails."""
        fields = {"what": what, "key": KEY.hex(), "name": name, "purpose": purpose, "limit": limit if limit is not None else sc.token_limit(name) if name else 2000,
                  "created": created, "age": age, "own": None if own is None else {"absolute": own[0], "idle": own[1] or None}, "endsWithBrowser": bool(marks & sc.ENDS_WITH_BROWSER),
                  "ended": bool(marks & sc.ENDED), "padding": pad, "item": item.hex()}
        payload = sc.encode_payload(sc.Payload(created, age, item, own, marks), pad)
        too_large = (4 * (40 + len(payload)) + 2) // 3 > fields["limit"]
        assert too_large == (refused == "too large"), (what, len(payload))
        if refused:
            vectors.append({**fields, "refused": refused})
        elif payload[0] & sc.COMPRESSED:
            plain = sc.encode_payload(sc.Payload(created, age, b"\x07", own, marks), dictionary=b"")
            vectors.append({**fields, "shorterThan": len(plain) - 1 + len(item), "endsWith": b"".join(sc.split_item(item)[1]).hex()})
        else:
            r = next_r()
            vectors.append({**fields, "r": r.hex(), "payload": payload.hex(), "token": sc._seal_payload(KEY, payload, name, purpose, r)})
    seven = b"\x07"
    for what, item in (("7", seven), ("null", sc.NULL), ("an empty map", b"\xa0"), ("a byte string that would compress", sc.encode_item(b"a" * 200)), ("a secret that would compress", sc.encode_item(sc.Tag(24, "a" * 200))),
                       ("text keys by their bytes, not by UTF-16", sc.encode_item({"\U00010000": 1, "\uff5ea": 2, "\ue000b": 3}))):
        add(what, item)
    for edge in (1, 127, 128, 2**14 - 1, 2**14, 2**21 - 1, 2**21, 2**28 - 1, 2**28):
        add(f"an age of {edge} s", seven, age=edge)
        add(f"its own lifetime of {edge} s", seven, own=(edge, 0))
        add(f"its own idle time of {edge} s", seven, own=(2**32 - 1, edge))
    add("an age of 2^32 - 2 s", seven, created=0, age=2**32 - 2)
    add("created at 0", seven, created=0)
    add("created in the last second of 32 bits", seven, created=2**32 - 1)
    add("ends with the browser", seven, marks=sc.ENDS_WITH_BROWSER)
    add("ends with the browser, with a lifetime of its own and an age", seven, age=300, own=(DAY, HOUR), marks=sc.ENDS_WITH_BROWSER)
    add("signed out", sc.NULL, marks=sc.ENDED)
    add("signed out, padded", sc.NULL, marks=sc.ENDED, pad=16)
    for size in (1, 8, 9, 10, 25, 26):
        item = sc.encode_item(bytes(range(1, size)) if size > 1 else b"")
        for pad in (2, 16):
            add(f"{6 + len(item)} bytes, padded to a multiple of {pad}", item, pad=pad)
    add("a multiple of 255 already, and padded to one", sc.encode_item(bytes(range(1, 248))), pad=255)
    add("every field of one that is not compressed", seven, age=300, own=(DAY, HOUR), marks=sc.ENDS_WITH_BROWSER, pad=32)
    add("a name and a purpose", seven, name="__Host-session", purpose="Zo\u00eb's purpose")
    add("the purpose not normalized", seven, purpose="e\u0301")
    add("without a cookie", seven, name="", purpose="password-reset")
    noise = lambda n: b"".join(hashlib.sha512(b"noise %d" % i).digest() for i in range(n // 64 + 1))[:n]
    for characters, name in ((4095, "s"), (4096, "s"), (4082, "__Host-session"), (4083, "__Host-session"), (2000, ""), (2002, "")):
        if characters % 4 == 1:
            continue
        over = characters > (sc.token_limit(name) if name else 2000)
        add(f"a token of {characters} characters for {name or 'no cookie'}", sc.encode_item(noise(characters * 3 // 4 - 40 - 6 - 3)), name=name, purpose="" if name else "p", refused="too large" if over else None)
    add("padding that makes it too large", sc.encode_item(noise(3000)), pad=512, refused="too large")
    words = "the same words, the same words, "
    for what, item in (("text that compresses", sc.encode_item(words * 20)), ("text that compresses, and byte strings that would", sc.encode_item([words * 4, b"a" * 50, {"k": sc.Tag(24, words * 2)}, 2**70]))):
        add(what, item)
    return vectors


def again() -> list[dict]:
    """Sessions that are opened, and sealed again at a time and with the ring of that time: what the new token holds, or why there must be none."""
    vectors = []
    item = sc.encode_item(sc.from_json('{"user": 7, "k": {"$bytes": "AQID"}}'))

    def add(what: str, text: str, after: int, expected: str | None = None, ring: str | None = None, key: bytes = KEY, **options) -> None:
        """Sealed again so many seconds after it was opened, with this ring in place of the first."""
        p, time = opened(text, options), options.get("at", NOW) + after
        fields = {**vector(what, text, key, **options), "again": {"time": time, "ring": options.get("ring", RING) if ring is None else ring}}
        try:
            text = sc.seal_again(sc.Ring.parse(fields["again"]["ring"].encode()), p, sc.b64u_strict(text)[1:4].hex(), now=time,
                                 **{k: fields[k] for k in ("name", "purpose", "absolute", "idle", "ceiling")})
        except (sc.Refused, sc.CannotSeal) as refusal:
            words = refusal.words if isinstance(refusal, sc.Refused) else str(refusal)
            assert words == expected, (what, words)
            vectors.append({**fields, "refused": words})
            return
        assert expected is None, what
        new = sc.open_token(sc.Ring.parse(fields["again"]["ring"].encode()), text, **{**opening(options), "now": time})
        assert new.item == item
        vectors.append({**fields, "by": sc.b64u_strict(text)[1:4].hex(), "maxAge": sc.max_age(new, time, *(fields[k] for k in ("absolute", "idle", "ceiling"))), **found(new, options)})
    fresh = token(payload(item))
    day_old, own = token(payload(item, created=NOW - DAY, age=HOUR)), token(payload(item, created=NOW - 1000, age=10, own=(HOUR, 0)))
    ahead = token(payload(item, created=NOW + 60))
    add("in the second in which it began", fresh, 0)
    add("a second later", fresh, 1)
    add("a day later", fresh, DAY)
    add("created stays, however old the session is", day_old, 5)
    add("an idle time begins anew, the absolute end stays", day_old, 5, idle=2 * DAY)
    add("the absolute end comes before the idle one", day_old, 13 * DAY - 1, idle=15 * DAY)
    add("its own lifetime stays, and counts from created", own, 50)
    add("its own lifetime stays, longer than the policy's", token(payload(item, created=NOW - 20 * DAY, age=0, own=(30 * DAY, 0))), 5)
    both = token(payload(item, created=NOW - DAY, age=DAY, own=(30 * DAY, 2 * HOUR)))
    add("its own lifetime stays whole, and its own idle time begins anew", both, HOUR)
    add("its own lifetime stays whole, and neither of the policy's holds", both, HOUR, absolute=DAY, idle=1)
    add("its own lifetime stays, and ends before its own idle time", token(payload(item, created=NOW - 1000, age=10, own=(HOUR, HOUR))), 50)
    add("its own lifetime stays, longer than the ceiling", token(payload(item, own=(500 * DAY, 450 * DAY))), 399 * DAY)
    add("its own lifetime stays, longer than a ceiling below the policy's absolute", token(payload(item, own=(9 * DAY, 0))), DAY, ceiling=5 * DAY)
    add("it ends with the browser still", token(payload(item, marks=sc.ENDS_WITH_BROWSER)), 5)
    add("it ends with the browser still, with a lifetime of its own", token(payload(item, own=(DAY, HOUR), marks=sc.ENDS_WITH_BROWSER)), 5)
    add("a lifetime longer than browsers keep a cookie", fresh, 5, absolute=500 * DAY, ceiling=500 * DAY)
    add("a clock a second behind the one that began it", token(payload(item, created=NOW + 1)), 0)
    add("a clock 60 s behind the one that began it", ahead, 0)
    add("a clock 60 s behind the one that began it, 60 s later", ahead, 60)
    add("a clock 60 s behind the one that began it, 61 s later", ahead, 61)
    add("sealed last by a clock a second ahead", token(payload(item, created=NOW - 100, age=101)), 0)
    add("sealed last by a clock 60 s ahead", token(payload(item, created=NOW - 100, age=160)), 0)
    add("sealed last by a clock 60 s ahead, 59 s later", token(payload(item, created=NOW - 100, age=160)), 59)
    add("sealed last by a clock 60 s ahead, 60 s later", token(payload(item, created=NOW - 100, age=160)), 60)
    add("sealed last by a clock 60 s ahead, 61 s later", token(payload(item, created=NOW - 100, age=160)), 61)
    add("begun and sealed last by clocks ahead", token(payload(item, created=NOW + 10, age=20)), 5)
    add("sealed last by a clock 60 s ahead, from when its idle time counts", token(payload(item, created=NOW - 100, age=160)), 0, idle=HOUR)
    for edge in (127, 128, 129, 2**14 - 1, 2**14, 2**21 - 1, 2**21, 2**28 - 1, 2**28, 2**32 - 1):
        # Where an age or a lifetime needs another byte.
        if edge < 2**31:
            add(f"an age of {edge} s", fresh, edge, absolute=2**32 - 1, ceiling=2**32 - 1)
        add(f"its own lifetime of {edge} s", token(payload(item, own=(edge, 0))), 1)
        add(f"its own idle time of {edge} s", token(payload(item, own=(2**32 - 1, edge))), 1)
    add("the last second of its absolute lifetime", fresh, 14 * DAY - 1)
    add("over since: absolute", fresh, 14 * DAY, "expired")
    add("over since: absolute, though sealed again before", day_old, 13 * DAY, "expired")
    add("the last second of its idle time", fresh, HOUR - 1, idle=HOUR)
    add("over since: idle", fresh, HOUR, "expired", idle=HOUR)
    add("over since: its own lifetime, counted from created", own, HOUR - 1000, "expired")
    add("over since: its own idle time", token(payload(item, own=(30 * DAY, HOUR))), HOUR, "expired")
    add("over since: its own idle time, before the policy's", token(payload(item, own=(30 * DAY, HOUR))), HOUR, "expired", idle=DAY)
    add("over since: the ceiling", token(payload(item, own=(500 * DAY, 0))), 400 * DAY, "expired")
    add("over since: a ceiling below the policy's absolute", fresh, 5 * DAY, "expired", ceiling=5 * DAY)
    newer = RING + sc.key_line(OTHER, NOW + 5)
    add("the key that seals is a newer one", fresh, 5, ring=newer)
    add("the newer key is pending still", fresh, 4, ring=newer)
    add("the key is revoked since", fresh, 1, "revoked key", ring=RING + sc.key_line(OTHER) + f"revoked {sc.key_id(KEY)}\n")
    add("the key is revoked since, and its line gone", fresh, 1, "revoked key", ring=sc.key_line(OTHER) + f"revoked {sc.key_id(KEY)}\n")
    add("the key is gone since", fresh, 1, "unknown key", ring=sc.key_line(OTHER))
    add("no key is active any longer, and its own is the earliest", fresh, 1, ring=sc.key_line(OTHER, NOW + 3) + sc.key_line(KEY, NOW + 2))
    add("no key is active any longer, and another is the earliest", fresh, 1, ring=sc.key_line(OTHER, NOW + 2) + sc.key_line(KEY, NOW + 3))
    add("its key is pending, and an older one seals", fresh, 1, ring=sc.key_line(OTHER) + sc.key_line(KEY, NOW + 3))
    ended_too, revoked_too = f"not-before {sc.format_time(NOW + 1)}\n", f"revoked {sc.key_id(KEY)}\n" + sc.key_line(OTHER)
    add("over since: before its key, which is revoked since", fresh, 14 * DAY, "expired", ring=revoked_too)
    add("over since: before not-before", fresh, 14 * DAY, "expired", ring=RING + ended_too)
    add("the key is revoked since, before not-before", fresh, 1, "revoked key", ring=revoked_too + ended_too)
    add("ended since", fresh, 1, "ended", ring=RING + f"not-before {sc.format_time(NOW + 1)}\n")
    add("ended since, though sealed after not-before", day_old, 1, "ended", ring=RING + f"not-before {sc.format_time(NOW - DAY + 1)}\n")
    add("ended since, though with its own lifetime", own, 1, "ended", ring=RING + f"not-before {sc.format_time(NOW)}\n")
    add("begun in the very second of not-before", fresh, 1, ring=RING + f"not-before {sc.format_time(NOW)}\n")
    late = token(payload(item, created=2**32 - 30))
    add("the last second of 32 bits", late, 29, at=2**32 - 30)
    add("a second before 1970", token(payload(item, created=5)), -6, "a time that 32 bits do not hold", at=5)
    add("a second beyond 32 bits", late, 30, "a time that 32 bits do not hold", at=2**32 - 30)
    return vectors


def cookies() -> list[dict]:
    """Cookie headers and what is in them; m is how many cookies the reader allows."""
    vectors = []
    item = sc.encode_item(sc.from_json('{"user": 7, "k": {"$bytes": "AQID"}}'))
    good, again = token(payload(item)), token(payload(sc.encode_item("another")))
    data = sc.b64u_strict(good)
    bad = sc.b64u(data[:-1] + bytes([data[-1] ^ 1]))

    def add(what: str, header: str, expected: str | None, most: int = 1, formers: list[sc.Form] = [], holds: str | None = None, **options) -> None:
        """expected: "" for a session, None for no session and no refusal. holds: the session, if not "user": 7."""
        fields = vector(what, "", **options)
        del fields["token"]
        fields |= {"cookies": most, "header": header}
        ring, context = sc.Ring.parse(options.get("ring", RING).encode()), {k: fields[k] for k in ("name", "purpose")}
        # `sealed` of a session that begins with this request.
        age = sc.least_age(ring, header, most=most, now=fields["time"], **context)
        fields |= {"next": sc.beginning(ring, fields["time"]) + age}
        if formers:
            read = ("name", "purpose", "most", "absolute", "idle", "ceiling", "until")
            fields |= {"formers": [{("cookies" if k == "most" else k): getattr(form, k) for k in read} for form in formers]}
        try:
            p = sc.open_header(ring, header, most=most, formers=formers, **opening(options))
            assert holds is None or p.item == sc.encode_item(holds), what
            assert expected is None if p is None else expected == "", what
            vectors.append(fields | ({"none": True} if p is None else found(p, options)))
            # For a former form's session, the earlier of both ends.
            search, forms = sc._Search(ring, header), [sc.Form(most=most, **context), *formers]
            decides = next((form for form in forms if p is not None and search.decider(form, fields["time"])), None)
            if decides in formers:
                vectors[-1]["ends"] = min(vectors[-1]["ends"], sc.end_of(p, decides.absolute, decides.idle, decides.ceiling))
        except sc.Refused as refusal:
            assert refusal.words == expected, (what, refusal)
            vectors.append({**fields, "refused": refusal.words})
    add("alone", f"s={good}", "")
    add("among others", f"a=b; s={good}; sx=1; xs=2", "")
    add("blanks and tabs", f";;\t s \t=\t {good} \t; ", "")
    add("in double quotes", f's="{good}"', "")
    add("no blank behind the semicolon", f"a=b;s={good}", "")
    add("a pair without =", f"s; s={good}", "")
    add("no cookie of this name", "a=b; S=1; s.1=2; =3; s", None)
    add("an empty header", "", None)
    add("an empty value", "s=", "too short")
    add("one double quote", f's="{good}', "not base64url")
    add("two pairs of double quotes", f's=""{good}""', "not base64url")
    add("a double quote behind", f's={good}"', "not base64url")
    add("a value of one lone double quote", 's="', "not base64url")
    add("double quotes around nothing", 's=""', "too short")
    add("blanks within double quotes", f's=" {good} "', "not base64url")
    add("a tab within double quotes", f's="{good}\t"', "not base64url")
    add("= in the value", f"s=s={good}", "not base64url")
    add("= in another's value", f"x=s={good}", None)
    add("= behind the value", f"s={good}=", "not base64url")
    expired, early = token(payload(item, created=NOW - 20 * DAY)), token(payload(item, created=NOW + 61))
    malformed = token(b"\x40" + NOW.to_bytes(4, "big") + b"\x00" + item)
    unknown = sc.b64u(b"H" + bytes(46))
    add("of several the authentic one decides, though refused", f"s=x; s={bad}; s={expired}", "expired")
    add("one sealed too far ahead drops out", f"s={bad}; s={early}; s={expired}", "expired")
    add("the latest decides, though malformed", f"s={malformed}; s={unknown}; s={expired}; s={early}", "malformed payload")
    add("of several refusals the first, if none is authentic", f"s={unknown}; s={bad}; s=x", "unknown key")
    add("of several refusals the first, if none is authentic, in another order", f"s={bad}; s=x; s={unknown}", "not authentic")
    out = token(payload(sc.NULL, marks=sc.ENDED))
    add("signed out", f"s={out}", "signed out")
    add("signed out, and another's session of before", f"s={bad}; s={out}; s={expired}", "signed out")
    add("a missing part and then an expired session", f"s=2.x; s={expired}", "expired", 3)
    add("too many cookies and then an unknown key", f"s=4.x; s={unknown}", "too many cookies", 3)
    add("an unknown key and then a missing part", f"s={unknown}; s=2.x", "unknown key", 3)
    longest_name = "n" * 4033
    add("the longest name", f"a=b; {longest_name}={token(bytes(1) + NOW.to_bytes(4, 'big') + bytes([0, 7]), longest_name)}", "", name=longest_name)
    add("the name in another case", f"S={good}", None)
    add("the name of the token's cookie is another", f"t={good}", "not authentic", name="t")
    add("a planted one in front", f"s={bad}; s={good}", "")
    add("the fourth is the session", f"s=; s=x; s={bad}; s={good}", "")
    add("the fifth is not tried", f"s={bad}; s=; s=x; s=y; s={good}", "not authentic")
    add("equal values count once", f"s={bad}; s={bad}; s=x; s={bad}; s=x; s={good}", "")
    add("equal values count once, in double quotes too", f's={bad}; s="{bad}"; s=x; s= {bad} ; s=y; s={good}', "")

    # Which of several decides (§11.2).
    def at(holds: object, created: int, age: int = 0, **more) -> str:
        return token(payload(sc.encode_item(holds), created=NOW + created, age=age, **more))
    A, B = at("A", -100), at("B", -50)
    add("the one sealed later", f"s={A}; s={B}", "", holds="B")
    add("the one sealed later, in front", f"s={B}; s={A}", "", holds="B")
    add("the one sealed later, though begun before", f"s={at('A', -90)}; s={at('B', -100, 60)}; s={at('C', -50)}", "", holds="B")
    add("sealed by a clock 60 s ahead", f"s={at('B', 60)}; s={at('A', 0)}", "", holds="B")
    add("sealed 61 s ahead it drops out", f"s={at('B', 61)}; s={at('A', 0)}", "", holds="A")
    add("sealed 61 s ahead, begun before, it drops out", f"s={at('B', -100, 161)}; s={at('A', 0)}", "", holds="A")
    add("all sealed too far ahead: the first says why", f"s={token(b'@' + (NOW + 61).to_bytes(4, 'big') + bytes(1) + item)}; s={at('A', 99)}", "malformed payload")
    add("all sealed too far ahead: the first says why, in another order", f"s={at('A', 99)}; s={token(b'@' + (NOW + 61).to_bytes(4, 'big') + bytes(1) + item)}", "in the future")
    add("of equal times the one begun later", f"s={at('B', -50)}; s={at('A', -60, 10)}", "", holds="B")
    add("of equal times the one begun later, the last in the header", f"s={at('A', -60, 10)}; s={at('B', -50)}", "", holds="B")
    add("of equal times the last", f"s={at('A', -50)}; s={at('B', -50)}", "", holds="B")
    twice = at('A', -50)
    add("of equal times the last, and a value that comes twice has the place of its first", f"s={twice}; s={at('B', -50)}; s={twice}", "", holds="B")
    add("of equal times the last, not by the token's text", f"s={at('B', -50)}; s={at('A', -50)}", "", holds="A")
    gone = lambda created, age=0, **more: token(payload(sc.NULL, created=NOW + created, age=age, marks=sc.ENDED, **more))
    add("a sign-out after it", f"s={A}; s={gone(-50)}", "signed out")
    add("a sign-out before it", f"s={B}; s={gone(-100)}", "", holds="B")
    add("a sign-out in the same second", f"s={gone(-50)}; s={B}", "signed out")
    add("a sign-out in the same second, begun before", f"s={gone(-60, 10)}; s={B}", "signed out")
    add("a sign-out in the same second, the last in the header", f"s={B}; s={gone(-50)}", "signed out")
    add("a sign-out in the same second, begun before, the last in the header", f"s={B}; s={gone(-60, 10)}", "signed out")
    add("a sign-out sealed too far ahead", f"s={gone(61)}; s={B}", "", holds="B")
    add("of sign-outs in the same second the last", f"s={gone(-60, 10)}; s={gone(-50)}", "signed out")
    add("over by its own lifetime, an older one takes no place", f"s={A}; s={at('B', -50, own=(49, 0))}", "expired")
    add("over by the idle time, an older one with a longer life takes no place", f"s={at('A', -100, own=(DAY, 0))}; s={at('B', -70)}", "expired", idle=60)
    add("ended by not-before, an older one takes no place", f"s={at('B', -70, 40)}; s={at('A', -40)}", "ended", ring=RING + f"not-before {sc.format_time(NOW - 50)}\n")
    add("sealed before one that not-before ended", f"s={at('B', -70, 10)}; s={at('A', -40)}", "", holds="A", ring=RING + f"not-before {sc.format_time(NOW - 50)}\n")
    add("of a dictionary that is not there, an older one takes no place", f"s={A}; s={token(bytes([9]) + (NOW - 50).to_bytes(4, 'big') + bytes([0, 2, 3, 0]))}", "unknown dictionary")
    add("with flags that are not known, an older one takes no place", f"s={A}; s={token(bytes([128]) + (NOW - 50).to_bytes(4, 'big') + bytes([0, 246]))}", "malformed payload")
    add("with a broken stream, an older one takes no place", f"s={A}; s={token(bytes([1]) + (NOW - 50).to_bytes(4, 'big') + bytes([0, 7, 7]))}", "malformed payload")
    add("with padding that is none, an older one takes no place", f"s={A}; s={token(bytes([4]) + (NOW - 50).to_bytes(4, 'big') + bytes([0, 246]))}", "malformed payload")
    add("with an own lifetime of 0, an older one takes no place", f"s={A}; s={token(bytes([2]) + (NOW - 50).to_bytes(4, 'big') + bytes([0, 0, 0, 246]))}", "malformed payload")
    add("an age spelt too long drops out", f"s={A}; s={token(bytes(1) + (NOW - 50).to_bytes(4, 'big') + bytes([0x80, 0, 246]))}", "", holds="A")
    add("an age without an end drops out", f"s={A}; s={token(bytes(1) + (NOW - 50).to_bytes(4, 'big') + bytes([0xFF] * 9))}", "", holds="A")
    add("an age of 2^32 drops out", f"s={A}; s={token(bytes(1) + bytes(4) + bytes([0x80, 0x80, 0x80, 0x80, 0x10, 246]))}", "", holds="A")
    add("an age that the padding has eaten is read all the same", f"s={A}; s={token(bytes([4]) + (NOW - 50).to_bytes(4, 'big') + bytes([0, 0x80]))}", "malformed payload")
    add("one sealed too far ahead, and one whose age is malformed: the first says why", f"s={at('A', 61)}; s={token(bytes(1) + (NOW - 50).to_bytes(4, 'big') + bytes([0x80, 0, 246]))}", "in the future")
    add("without padding's 0x80 the age is read all the same", f"s={A}; s={token(bytes([4]) + (NOW - 50).to_bytes(4, 'big') + bytes([0, 0, 0]))}", "malformed payload")
    end = 2**32 - 30
    add("sealed beyond 32 bits, and it decides", f"s={token(payload(sc.encode_item('A'), created=end - 10, age=45))}; s={token(payload(sc.encode_item('B'), created=end - 5))}", "", holds="A", at=end)
    add("all with an age of none: the first says why", f"s={token(bytes([128]) + bytes(4) + bytes([0x80, 0, 246]))}; s={token(bytes(1) + bytes(4) + bytes([0x80, 0, 7]))}", "malformed payload")
    add("sealed in 2106, and a session", f"s={token(bytes(1) + bytes([255] * 9) + bytes([15, 246]))}; s={A}", "", holds="A")
    add("an authentic one of a revoked key takes part in nothing", f"s={A}; s={token(payload(sc.encode_item('B'), created=NOW - 50), key=OTHER)}", "", holds="A", ring=RING + f"revoked {sc.key_id(OTHER)}\n")
    add("a later one of another name", f"s={A}; s={token(payload(sc.encode_item('B')), 't')}", "", holds="A")
    add("a later one of another purpose", f"s={A}; s={token(payload(sc.encode_item('B')), 's', 'p')}", "", holds="A")
    add("the third of four", f"s={A}; s={at('C', -70)}; s={B}; s={at('D', -60)}", "", holds="B")
    add("the latest is the fifth, and not looked at", f"s={A}; s=1; s=2; s=3; s={B}", "", holds="A")

    # Former forms (§11.3).
    form = sc.Form
    def was(holds: object, name: str = "f", purpose: str = "", created: int = -100, age: int = 0, **more) -> str:
        return token(payload(sc.encode_item(holds), created=NOW + created, age=age, **more), name, purpose)
    F = was("F")
    add("a former name", f"f={F}", "", formers=[form("f")], holds="F")
    add("a former name, and the present one", f"f={was('F', created=-1)}; s={A}", "", formers=[form("f")], holds="A")
    add("a former name, and the present one is not authentic", f"f={F}; s={bad}", "", formers=[form("f")], holds="F")
    add("a former name, and the present one is expired", f"f={F}; s={expired}", "expired", formers=[form("f")])
    add("a former name, and the present one is signed out", f"f={F}; s={gone(-200)}", "signed out", formers=[form("f")])
    add("a former name, and the present one is sealed too far ahead", f"f={F}; s={early}", "in the future", formers=[form("f")])
    add("a former name, and the present one is malformed", f"f={F}; s={malformed}", "malformed payload", formers=[form("f")])
    add("a former name that is not in the list", f"f={F}", None, formers=[form("g")])
    add("a former purpose of the same name", f"s={was('F', 's', 'p')}", "", formers=[form("s", "p")], holds="F")
    add("the present purpose first", f"s={was('F', 's', 'p', -1)}; s={A}", "", formers=[form("s", "p")], holds="A")
    add("a former name and purpose", f"f={was('F', 'f', 'p')}", "", formers=[form("f"), form("f", "p")], holds="F")
    add("forms in the order of the list", f"f={was('F', created=-1)}; g={was('G', 'g')}", "", formers=[form("g"), form("f")], holds="G")
    add("forms in the order of the list, the other way round", f"f={was('F')}; g={was('G', 'g', created=-1)}", "", formers=[form("f"), form("g")], holds="F")
    add("the first form that is authentic is refused, and the next takes no place", f"f={was('F', created=-20 * DAY)}; g={was('G', 'g')}", "expired", formers=[form("f"), form("g")])
    add("of several values of a former name the latest", f"f={F}; f={was('L', created=-50)}", "", formers=[form("f")], holds="L")
    add("the earlier end holds: the former one's", f"f={F}", "expired", formers=[form("f", absolute=100)])
    add("the earlier end holds: the former one's, a second before", f"f={F}", "", formers=[form("f", absolute=101)], holds="F")
    add("the earlier end holds: the former one's idle time", f"f={F}", "expired", formers=[form("f", idle=100)])
    add("the earlier end holds: the present one's", f"f={F}", "expired", formers=[form("f", absolute=200)], absolute=100)
    add("the earlier end holds: the present one's idle time", f"f={F}", "expired", formers=[form("f")], idle=100)
    add("the earlier end holds: its own lifetime, under the former ceiling", f"f={was('F', own=(200, 0))}", "expired", formers=[form("f", absolute=1, ceiling=100)])
    add("its own lifetime in place of both policies", f"f={was('F', own=(200, 0))}", "", formers=[form("f", absolute=1, idle=1)], holds="F", absolute=1, idle=1)
    add("sealed 60 s after its time", f"f={was('F', created=-40)}", "", formers=[form("f", until=NOW - 100)], holds="F")
    add("sealed 61 s after its time", f"f={was('F', created=-39)}", "former cookie", formers=[form("f", until=NOW - 100)])
    add("begun before its time, and sealed 61 s after it", f"f={was('F', created=-300, age=261)}", "former cookie", formers=[form("f", until=NOW - 100)])
    add("after its time, and an older one takes no place", f"f={was('F', created=-39)}; f={F}", "former cookie", formers=[form("f", until=NOW - 100)])
    add("after its time, and signed out", f"f={token(payload(sc.NULL, marks=sc.ENDED), 'f')}", "signed out", formers=[form("f", until=NOW - 100)])
    add("after its time, and expired", f"f={was('F', created=-39)}", "former cookie", formers=[form("f", until=NOW - 100, absolute=1)])
    add("after its time, under the present form too", f"s={at('A', 0)}", "", formers=[form("s", until=NOW - 100)], holds="A")
    long = padded(sc.encode_item("long"), 5000)
    add("split as before, under the same name and purpose", f"s=2.{long[:4093]}; s.1={long[4093:]}", "", formers=[form("s", most=2)], holds="long")
    add("split as before, into more than that form has", f"s=2.{long[:4093]}; s.1={long[4093:]}", "too many cookies", formers=[form("s")])
    split_f = was("F", created=-30)
    add("a former name, split", f"f.1={split_f[40:]}; f=2.{split_f[:40]}", "", formers=[form("f", most=2)], holds="F")
    add("a former name, split, that may not be", f"f.1={split_f[40:]}; f=2.{split_f[:40]}", "too many cookies", 9, formers=[form("f")])
    add("the refusal is the present one's, where nothing is authentic", f"f=x; s={bad}", "not authentic", formers=[form("f")])
    add("the refusal is a former one's, where the present name has none", f"f=x", "not base64url", formers=[form("f")])
    add("an unknown key and then a good one", f"s={sc.b64u(b'H' + bytes(46))}; s={good}", "")
    room = 4096 - 1 - 2
    whole, third = padded(item, 4095), padded(item, 2 * room + 102)
    second = padded(sc.encode_item("another"), 2 * room + 102)
    parts = [third[:room], third[room:2 * room], third[2 * room:]]
    first, one, two = f"s=3.{parts[0]}", f"s.1={parts[1]}", f"s.2={parts[2]}"
    add("three parts", f"{first}; {one}; {two}", "", 3)
    add("in another order, others between", f"a=b; {two}; {first}; c=d; {one}", "", 3)
    add("in double quotes each", "; ".join(f'{c[:c.index("=")]}="{c[c.index("=") + 1:]}"' for c in (first, one, two)), "", 3)
    add("a reader that allows more", f"{first}; {one}; {two}", "", 9)
    add("a reader that allows fewer", f"{first}; {one}; {two}", "too many cookies", 2)
    add("a reader that allows no splitting", f"{first}; {one}; {two}", "too many cookies", 1)
    add("the last part is missing", f"{first}; {one}", "missing part", 3)
    add("a part in the middle is missing", f"{first}; {two}", "missing part", 3)
    add("the first is missing", f"{one}; {two}", None, 3)
    add("parts exchanged", f"{first}; s.1={parts[2]}; s.2={parts[1]}", "not authentic", 3)
    add("a part of another session", f"{first}; s.1={second[room:2 * room]}; {two}", "not authentic", 3)
    add("a part cut short", f"{first}; {one}; {two[:-4]}", "not authentic", 3)
    add("a stale part of a longer one", f"{first}; {one}; {two}; s.3=stale", "", 4)
    add("a whole token and stale parts", f"s={good}; s.1={parts[1]}; s.2=x", "", 3)
    add("a part planted in front", f"{first}; s.1=planted; {one}; {two}", "", 3)
    add("a part planted behind, another in front", f"{first}; {one}; s.1=planted; s.2=planted; {two}", "", 3)
    add("all planted once", f"s=3.x; {first}; s.1=x; {one}; s.2=x; {two}", "", 3)
    add("the parts' names do not stand in the associated data", f"t=3.{parts[0]}; t.1={parts[1]}; t.2={parts[2]}", "not authentic", 3, name="t")
    add("a token that one cookie holds, at its longest", f"s={whole}", "", 3)
    add("a token too long for one cookie, in one", f"s={third[:4096]}", "too long", 3)
    add("split in two although it fits", f"s=2.{good[:20]}; s.1={good[20:]}", "", 3)
    add("the count is 1", f"s=1.{good}", "not base64url", 3)
    add("the count is 0", f"s=0.{good}", "not base64url", 3)
    add("expired", f"{first}; {one}; {two}", "expired", 3, at=NOW + 14 * DAY)
    longest = padded(item, 2 * room)
    add("the longest of two cookies", f"s=2.{longest[:room]}; s.1={longest[room:]}", "", 2)
    add("a character more than two cookies hold", f"s=2.{longest[:room]}; s.1={longest[room:]}A", "too long", 2)
    add("more in two cookies than two of a sealer's hold", f"s=2.{third[:room]}; s.1={third[room:]}", "", 3)
    add("no first part", f"s=2.; s.1={good}", "", 3)
    add("no first part, and no other", "s=2.", "missing part", 3)
    add("no first part, of too many cookies", "s=9.", "too many cookies", 4)
    add("no first part, without splitting", "s=2.", "too many cookies", 1)
    add("a digit alone", "s=2", "not base64url", 3)
    add("an empty part", f"s=3.{good[:20]}; s.1=; s.2={good[20:]}", "", 3)
    add("the first part of nothing, and nothing", "s=2.; s.1=", "too short", 3)
    # Of 16 tokens that are tried: each value's own parts first, then all others, of which the values of name.1 go fastest.
    even = token(payload(item, pad=32))
    assert len(even) == 96      # every part of whole groups of 4 characters, so that a wrong one makes another token
    cut = [even[:20], even[20:40], even[40:60], even[60:]]
    wrong = [f"{cut[0][:8]}{'A' * 55}{i}" for i in range(2)]
    x = lambda part, times, first=0: [f"s.{part}={'A' * 63}{i}" for i in range(first, first + times)]
    part = lambda number: f"s.{number}={cut[number]}"

    def candidates(first: list[str], *parts: list[str]) -> str:
        return "; ".join([*first, *(one for values in parts for one in values)])
    three, four = f"s=3.{cut[0]}", f"s=4.{cut[0]}"
    rest = f"s.2={cut[2]}{cut[3]}"
    add("the fourth value of a part", candidates([f"s=2.{cut[0]}"], [*x(1, 3), f"s.1={even[20:]}"]), "", 3)
    add("the fifth value of a part is not tried", candidates([f"s=2.{cut[0]}"], [*x(1, 4), f"s.1={even[20:]}"]), "not authentic", 3)
    add("the fifth value of a later part is not tried", candidates([three], [part(1)], [*x(2, 4), rest]), "not authentic", 3)
    add("the 16th combination", candidates([three], [*x(1, 3), part(1)], [*x(2, 3), rest]), "", 3)
    add("the 15th combination", candidates([three], [*x(1, 2), part(1), *x(1, 1, 9)], [*x(2, 3), rest]), "", 3)
    add("the 9th combination", candidates([three], [part(1), *x(1, 3)], [*x(2, 2), rest, *x(2, 1, 9)]), "", 3)
    add("the 16th combination of 32", candidates([four], [*x(1, 1), part(1)], [*x(2, 3), part(2)], [*x(3, 1), part(3), *x(3, 2, 8)]), "", 4)
    add("the 17th combination of 32", candidates([four], [part(1), *x(1, 1)], [part(2), *x(2, 3)], [*x(3, 2), part(3), *x(3, 1, 9)]), "not authentic", 4)
    add("one of the first 16 combinations only if the last part goes fastest", candidates([four], [part(1), *x(1, 3)], [part(2), *x(2, 3)], [*x(3, 3), part(3)]), "not authentic", 4)
    add("one of the first 16 combinations only if the first part goes fastest", candidates([four], [*x(1, 3), part(1)], [*x(2, 3), part(2)], [part(3), *x(3, 3)]), "", 4)
    add("its own parts come first, whatever another first value has", candidates([f"s=3.{wrong[0]}", three], [*x(1, 1), part(1), *x(1, 2, 1)], [*x(2, 1), rest, *x(2, 2, 1)]), "", 3)
    add("its own parts come first: the last there is", candidates([f"s=3.{wrong[0]}", f"s=3.{wrong[1]}", three], [*x(1, 1), part(1)], [*x(2, 1), rest]), "", 3)
    add("its own parts come first: of a whole value between them the place counts", candidates([f"s=3.{wrong[0]}", "s=x", three], [*x(1, 2), part(1)], [*x(2, 2), rest]), "", 3)
    add("equal parts count once", candidates([f"s=3.{wrong[0]}", three], [*x(1, 1), *x(1, 1), part(1)], [*x(2, 1), *x(2, 1), rest]), "", 3)
    add("16 tokens: the first value's others leave none for the next one's", candidates([f"s=3.{wrong[0]}", three], [part(1), *x(1, 3)], [rest, *x(2, 3)]), "not authentic", 3)
    add("the 8th token, behind 5 others of another first value", candidates([f"s=3.{wrong[0]}", three], [part(1), *x(1, 2)], [rest, *x(2, 1)]), "", 3)
    add("two first values of 12 combinations: the last of the 24 is not tried", candidates([f"s=3.{wrong[0]}", three], [*x(1, 1), *x(1, 2, 1)], [*x(2, 2), rest]) + f"; {part(1)}", "not authentic", 3)
    add("two first values of 6 combinations: the last of the 12", candidates([f"s=3.{wrong[0]}", three], [*x(1, 2), part(1)], [*x(2, 1), rest]), "", 3)
    add("two first values of 8 combinations: the last of the 16", candidates([f"s=3.{wrong[0]}", three], [*x(1, 3), part(1)], [*x(2, 1), rest]), "", 3)
    add("whole values are some of the 16: the last", candidates(["s=x", "s=y", "s=z", three], [*x(1, 3), part(1)], [*x(2, 2), rest, *x(2, 1, 9)]), "", 3)
    add("whole values are some of the 16: the 17th", candidates(["s=x", "s=y", "s=z", three], [part(1), *x(1, 3)], [*x(2, 3), rest]), "not base64url", 3)
    add("a whole value is tried, however many parts there are", candidates([f"s=3.{wrong[0]}", f"s={even}"], x(1, 4), x(2, 4)), "", 3)
    add("a former form has what tokens the present one left", candidates([f"s=3.{wrong[0]}", f"f={F}"], x(1, 4), x(2, 4)), "not authentic", 3, formers=[form("f")])
    add("a former form has what tokens the present one left: one", candidates([f"s=3.{wrong[0]}", f"f={F}"], x(1, 3), x(2, 4)), "", 3, formers=[form("f")], holds="F")
    add("its own parts come first: a third value's are the last there are", candidates([f"s=3.{wrong[0]}", f"s=3.{wrong[1]}", three], [*x(1, 1), part(1)], [*x(2, 2), rest, *x(2, 1, 9)]), "", 3)
    huge = "A" * (2 * 4093 - 20)
    many_a, many_b = [f"{name}={huge[:-1]}{i}" for name in ("s.1",) for i in range(3)], [f"s.2={huge[:-1]}{i}" for i in range(3)]
    add("combinations that are too long are some of the 16", candidates([three, "s=x"], [*many_a, part(1)], [*many_b, rest]), "too long", 3)
    add("of combinations that are too long the refusal", candidates([three], many_a[:2], many_b[:2]), "too long", 3)
    add("a part that is longer than a cookie's room", candidates([f"s=2.{third[:2]}"], [f"s.1={third[2:]}"]), "", 3)
    add("a part that is longer than a cookie's room, and the sum too long", candidates([f"s=2.{third[:2]}"], [f"s.1={third[2:]}"]), "too long", 2)
    strange = token(b"@" + (NOW + 61).to_bytes(4, "big") + bytes(1) + item)
    add("all dropped out: the first of the header says why, though its parts are found last",
        candidates([f"s=2.{strange[:20]}", f"s={at('A', 99)}"], [*x(1, 1), f"s.1={strange[20:]}"]), "malformed payload", 2)
    older = token(payload(sc.encode_item("older"), created=NOW - 100, pad=32))
    late = token(payload(sc.encode_item("later"), created=NOW - 50, pad=32))
    two_of = lambda text, mark: (f"s=2.{text[:mark]}", f"s.1={text[mark:]}")
    (o0, o1), (l0, l1) = two_of(older, 40), two_of(late, 40)
    add("two split sessions: the latest decides", f"{o0}; {o1}; {l0}; {l1}", "", 2, holds="later")
    add("two split sessions, the latest in front", f"{l0}; {l1}; {o0}; {o1}", "", 2, holds="later")
    add("two split sessions, their parts in another order", f"{o0}; {l1}; {l0}; {o1}", "", 2, holds="later")
    add("a split session and a whole one", f"s={older}; {l0}; {l1}", "", 2, holds="later")
    add("a split session and a later whole one", f"{o0}; {o1}; s={late}", "", 2, holds="later")
    add("a split session of too many cookies takes part in nothing", f"{o0.replace('2.', '5.')}; {o1}; s={late}", "", 2, holds="later")
    add("of several combinations the authentic one decides", candidates([f"s=2.{expired[:20]}"], [*x(1, 2), f"s.1={expired[20:]}"]), "expired", 3)
    add("of several combinations' refusals the first, if none is authentic", candidates(["s=2.S"], ["s.1==", "s.1=", f"s.1={even[1:-1]}"]), "not base64url", 3)
    nines = padded(item, 8 * room + 7)
    for what, text in (("form feed", "\f"), ("vertical tab", "\v"), ("no-break space", "\u00a0"), ("line feed", "\n"), ("carriage return", "\r"), ("CR and LF", "\r\n"), ("next line", "\u0085"), ("em space", "\u2003"),
                       ("line separator", "\u2028"), ("byte order mark", "\ufeff"), ("zero-width space", "\u200b"), ("NUL", "\0"), ("unit separator", "\x1f"), ("DEL", "\x7f"), ("combining mark", "\u0301")):
        add(f"a {what} before the name", f"a=b;{text}s={good}", None)
        add(f"a {what} behind the name", f"a=b; s{text}={good}", None)
        add(f"a {what} before the value", f"s={text}{good}", "not base64url")
        add(f"a {what} behind the value", f"s={good}{text}", "not base64url")
        add(f"a {what} behind a blank and the value, another cookie behind", f"s={good} {text}; a=b", "not base64url")
        add(f"a {what} alone between semicolons", f"a=b;{text};s={good}", "")
    for what, header, expected in (
            ("a comma behind the value", f"s={good}, a=b", "not base64url"), ("a comma and a blank before the name", f"a=b, s={good}", None), ("a comma for a semicolon, no blank", f"a=b,s={good}", None),
            ("a comma behind the semicolon", f"a=b;,s={good}", None), ("an ampersand for a semicolon", f"a=b&s={good}", None), ("a colon for =", f"s:{good}", None),
            ("a semicolon in double quotes divides", f'a="b; s={good}"', "not base64url"), ("a semicolon in double quotes divides, and the quote is behind a blank", f'a="b; s={good} "', "not base64url"),
            ("double quotes across two pairs", f'a="; s={good}; b="', ""), ("percent signs mean nothing", f"s=%53{good[1:]}", "not base64url"), ("percent signs in the name", f"%73={good}", None),
            ("a percent-encoded double quote", f"s=%22{good}%22", "not base64url"), ("a percent-encoded =", f"s%3D{good}", None), ("a plus for a blank", f"a=b;+s={good}", None),
            ("$Version is a cookie like others", f"$Version=1; s={good}; $Path=/", ""), ("Java's form", f'$Version="1"; s="{good}";$Path="/";$Domain="example.org"', ""), ("$ before the name", f"$s={good}", None),
            ("attributes as in Set-Cookie are cookies", f"Path=/; s={good}; Secure; HttpOnly; Domain=x", ""), ("a header's name is of the first name", f"Cookie: s={good}", None),
            ("a backslash in quotes stays", f'"s"="x"; s="\\{good}"', "not base64url"), ("an escaped double quote", f's="\\"{good}"', "not base64url"), ("quotes around the name are of the name", f'"s"={good}', None),
            ("single quotes", f"s='{good}'", "not base64url"), ("blanks within and around double quotes", f's= "{good}" ', ""), ("a blank within the value", f"s={good[:30]} {good[30:]}", "not base64url"),
            ("two = before the value", f"s=={good}", "not base64url"), ("a blank within the name", f"s s={good}", None), ("another letter that case folding takes for it", f"\u017f={good}", None),
            ("an empty name before it", f"=; s={good}", ""), ("an = alone before it", f"=s={good}", None), ("semicolons alone around it", f";;;s={good};;;", ""), ("a brace around the pair", f"{{s={good}}}", None)):
        add(what, header, expected)
    for what, number in (("0", "0"), ("10", "10"), ("01", "01"), ("a blank and 1", " 1"), ("+1", "+1"), ("no digit", ""), ("a full-width 1", "\uff11"), ("an Arabic 1", "\u0661"), ("1 and a combining mark", "1\u0301")):
        add(f"a part's number is {what}", f"s=2.{good[:20]}; s.{number}={good[20:]}", "missing part", 9)
    for what, header in (("a full-width dot", f"s=2.{good[:20]}; s\uff0e1={good[20:]}"), ("an underscore for the dot", f"s=2.{good[:20]}; s_1={good[20:]}"), ("a dash for the dot", f"s=2.{good[:20]}; s-1={good[20:]}")):
        add(f"a part's name has {what}", header, "missing part", 9)
    for what, count in (("a full-width 2", "\uff12"), ("an Arabic 2", "\u0662"), ("02", "02"), ("+2", "+2"), ("10", "10"), ("2 and a blank", "2 ")):
        add(f"the count is {what}", f"s={count}.{good[:20]}; s.1={good[20:]}", "not base64url", 9)
    add("the count's dot is a comma", f"s=2,{good[:20]}; s.1={good[20:]}", "not base64url", 9)
    add("blanks and tabs around parts", f"\t s =\t2.{good[:20]} ;\ts.1\t= {good[20:]}\t", "", 9)
    add("a form feed before a part's name", f"s=2.{good[:20]};\fs.1={good[20:]}", "missing part", 9)
    add("a line feed behind a part", f"s=2.{good[:20]}; s.1={good[20:]}\n", "not base64url", 9)
    add("a blank at a part's end, within double quotes", f's="2.{good[:20]} "; s.1={good[20:]}', "not base64url", 9)
    add("nine cookies", "; ".join([f"s=9.{nines[:room]}"] + [f"s.{i}={nines[i * room:(i + 1) * room]}" for i in range(1, 9)]), "", 9)
    later = token(payload(sc.encode_item("B"), age=10, pad=32))
    assert len(later) == 96
    add("of a first value that is authentic no other combination is tried", candidates([three, f"s=3.{later[:20]}"], [part(1), *x(1, 1), f"s.1={later[20:40]}", *x(1, 1, 9)],
        [rest, *x(2, 1), f"s.2={later[40:]}", *x(2, 1, 9)]), "", 3, holds="B")
    return vectors


def divided() -> list[dict]:
    """Tokens and the cookies that carry them; those to expire have an empty value. Refused: more than m cookies hold."""
    vectors = []
    item = sc.encode_item("divide me")
    for name, most, characters in (("s", 1, 4095), ("s", 1, 4096), ("s", 3, 4095), ("s", 3, 4096), ("s", 2, 2 * 4093), ("s", 2, 2 * 4093 + 1), ("s", 3, 2 * 4093 + 1), ("s", 4, 63),
                                   ("__Host-session", 2, 4082), ("__Host-session", 2, 4083), ("__Host-session", 1, 4083), ("s", 9, 2 * 4093 + 5),
                                   ("n" * 4032, 1, 64), ("n" * 4033, 1, 63), ("n" * 4033, 1, 64), ("n" * 4033, 2, 63), ("n" * 4033, 2, 64), ("n" * 4033, 2, 122), ("n" * 4033, 2, 123), ("n" * 4033, 9, 548)):
        if characters % 4 == 1:
            continue
        text = padded(item, characters, name) if characters > 90 else token(bytes(1) + NOW.to_bytes(4, "big") + b"\x00" + (b"\xf6" if characters < 64 else b"\x18\x2a"), name)
        assert len(text) == characters, characters
        what = f"{characters} characters for {name if len(name) < 99 else f'a name of {len(name)}'}, up to {most}"
        try:
            if most == 1 and characters > sc.token_limit(name):
                raise sc.CannotSeal
            vectors.append({"what": what, "name": name, "cookies": most, "token": text, "set": sc.split_token(text, name, most)})
        except sc.CannotSeal:
            vectors.append({"what": what, "name": name, "cookies": most, "token": text, "refused": "too large"})
    for most, characters, seen in ((1, 64, [1, 2, 3]), (1, 64, []), (4, 64, []), (4, 64, [2, 5, 8]), (4, 2 * 4093, [1, 2, 3, 8]), (9, 2 * 4093, [1])):
        text = padded(item, characters, "s") if characters > 90 else token(bytes(1) + NOW.to_bytes(4, "big") + b"\x00\x18\x2a", "s")
        what = f"{characters} characters for s, up to {most}, of a request with the parts {seen}"
        vectors.append({"what": what, "name": "s", "cookies": most, "token": text, "seen": seen, "set": sc.split_token(text, "s", most, seen)})
    for most, seen in ((1, [1, 2, 3]), (4, []), (4, [2, 5, 8])):
        text = token(bytes(1) + NOW.to_bytes(4, "big") + b"\x00\x18\x2a", "s")
        what = f"64 characters for s, up to {most}, a new session, of a request with the parts {seen}"
        vectors.append({"what": what, "name": "s", "cookies": most, "token": text, "seen": seen, "new": True, "set": sc.split_token(text, "s", most, seen, new=True)})
    return vectors


def removed() -> list[dict]:
    """The cookies that are expired, of a request with this header; and whether signing out seals that the session ended, in place of its removal."""
    vectors = []
    ring = sc.key_line(KEY) + sc.key_line(OTHER) + f"revoked {sc.key_id(OTHER)}\n"
    parsed = sc.Ring.parse(ring.encode())
    revoked = token(bytes(1) + NOW.to_bytes(4, "big") + b"\x00\x18\x2a", "s.1", key=OTHER)
    other = versioned(0x49, bytes(1) + NOW.to_bytes(4, "big") + b"\x00\x18\x2a")
    own = token(bytes(1) + NOW.to_bytes(4, "big") + b"\x00\x18\x2a", "s.1")
    stranger = "S" + "A" * 62
    for what, pairs in (
        ("no parts", ["s=x"]), ("parts", ["s.2=x", "s.8=", "s.9=x", "s.0=x", "t.1=x"]), ("another sealer's token", [f"s.1={own}"]),
        ("the first cookie of another sealer's split token", [f"s.1=2.{own}", "s.1.1=x"]), ("a part of a token, behind a dot", [f"s.1=1.{own}"]),
        ("a token of an unknown key", [f"s.1={stranger}"]), ("the first cookie of one", [f"s.1=2.{stranger}"]),
        ("another sealer's token of a revoked key", [f"s.1={revoked}"]), ("what would be a token but for its first byte", [f"s.1={other}"]),
        ("another sealer's token and a part of its name", [f"s.1={own}", "s.1=x"]),
        ("another sealer's token four times, and a part of its name", [f"s.1={own}"] * 4 + ["s.1=x"]),
        ("four of another sealer's tokens, and a part of its name", [f"s.1={own[:-1]}{end}" for end in "ABCD"] + ["s.1=x"]), ("a token in double quotes", [f's.3="{own}"']),
        ("two values", ["s=x", "a=b", "s=y"]), ("a value twice", ["s=x", 's="x"']), ("two values, one of them empty", ["s=", "s=x"]), ("two parts of a number", ["s=2.x", "s.1=y", "s.1=z"])):
        for most in (1, 4):
            header = "; ".join(pairs)
            vectors.append({"what": f"{what}, up to {most}", "ring": ring, "name": "s", "cookies": most, "header": header,
                            "removed": sc.removal(header, "s", most, parsed), "ended": len(sc.distinct(sc.header_values(header, "s"))) > 1})
    here = sc.Form("s")
    domain, partitioned = replace(here, domain="example.com"), replace(here, partitioned=True)
    for what, form, formers, pairs in (
        ("a former name", here, [sc.Form("f")], ["f=x"]),
        ("a former name in several cookies", here, [sc.Form("f", most=3)], ["f=2.x", "f.1=x", "f.7=x", "s.7=x"]),
        ("a former name in several cookies, one of them another sealer's token", here, [sc.Form("f", most=3)], ["f=2.x", f"f.1={own}"]),
        ("a former name and the present one", here, [sc.Form("f")], ["f=x", "s=y"]),
        ("a former name and the present one with one value", here, [sc.Form("f")], ["f=x", "s=x"]),
        ("two values of a former name", here, [sc.Form("f")], ["f=x", "f=y"]),
        ("a former name without a value", here, [sc.Form("f")], ["s=x"]),
        ("two former names", here, [sc.Form("f"), sc.Form("g")], ["f=x", "g=y"]),
        ("a former name in two places", here, [sc.Form("f"), sc.Form("f", path="/a")], ["f=x"]),
        ("a former name twice in one place", here, [sc.Form("f"), sc.Form("f", purpose="p", most=2)], ["f=x"]),
        ("four former forms", here, [sc.Form(name) for name in "fghi"], []),
        ("a former path", here, [sc.Form("s", path="/a")], ["s=x"]),
        ("a former path in several cookies", replace(here, most=2), [sc.Form("s", path="/a", most=3)], ["s=2.x", "s.1=x"]),
        ("a former path in several cookies, one of them another sealer's token", replace(here, most=2), [sc.Form("s", path="/a", most=3)], ["s=2.x", f"s.1={own}"]),
        ("a former domain", here, [domain], ["s=x"]),
        ("no domain formerly", domain, [here], ["s=x"]),
        ("another domain formerly", domain, [replace(here, domain="a.example.com")], ["s=x"]),
        ("the same domain in another case, with a dot in front", domain, [replace(here, domain=".Example.COM", purpose="p")], ["s=x"]),
        ("in no partition formerly", partitioned, [here], ["s=x"]),
        ("in a partition formerly", here, [partitioned], ["s=x"]),
        ("a former purpose", here, [replace(here, purpose="p")], ["s=x"]),
        ("more cookies formerly", here, [replace(here, most=4)], ["s=x"]),
        ("more cookies formerly, of which the request has one", here, [replace(here, most=4)], ["s=x", "s.2=x", "s.5=x"]),
        ("fewer cookies formerly", replace(here, most=4), [replace(here, most=2, purpose="p")], ["s=x"])):
        header = "; ".join(pairs)
        expired = sc.removal(header, "s", form.most, parsed)
        lines = [place_of(line) for line in sc.set_cookies(dict.fromkeys(expired, ""), None, form, formers)]
        vectors.append({"what": what, "ring": ring, "name": "s", "cookies": form.most, **place(form), "header": header,
                        "formers": [{"name": former.name, "purpose": former.purpose, "cookies": former.most, **place(former)} for former in formers], "removed": expired,
                        "formerly": lines[:-len(expired)], "ended": sc.must_say_ended(header, ["s", *(former.name for former in formers)])})
    return vectors


def place(form: sc.Form) -> dict:
    return {"path": form.path, "domain": form.domain, "partitioned": form.partitioned}


def place_of(line: str) -> dict:
    """The name of a Set-Cookie line, and where a browser keeps it."""
    name, _, rest = line.partition("=")
    attributes = dict(each.partition("=")[::2] for each in rest.split("; "))
    return {"name": name, "path": attributes["Path"], "domain": attributes.get("Domain"), "partitioned": "Partitioned" in attributes}


def neighbours() -> tuple[bytes, bytes]:
    """Two keys whose ids differ in the last two digits alone, the lesser id first."""
    by_start: dict[str, bytes] = {}
    for n in range(1 << 16):
        key = hashlib.sha256(b"neighbour %d" % n).digest()
        other = by_start.setdefault(sc.key_id(key)[:4], key)
        if sc.key_id(other) < sc.key_id(key):
            return other, key
    raise AssertionError


def rings() -> list[dict]:
    """Rings that are none; and of others what they say, which key seals at a time, and when a session begins that is sealed then."""
    vectors = []

    def add(what: str, text: str, at: int = NOW) -> None:
        ring = sc.Ring.parse(text.encode())
        active = (ring.active(at) or [None])[0]
        try:
            seals = ring.sealing(at)[0]
        except sc.CannotSeal:
            seals = None
        begins = begins_at(ring, at)
        vectors.append({"what": what, "ring": text, "time": at,
                        "keys": {id: {"key": key.hex(), "from": since, "until": ring.until.get(id)} for id, (since, key) in sorted(ring.keys.items()) if id not in ring.revoked},
                        "revoked": sorted(ring.revoked), "notBefore": ring.not_before, "active": active, "seals": seals, "begins": begins if seals else None})

    def refuse(what: str, text: str | bytes) -> None:
        data = text.encode() if isinstance(text, str) else text
        try:
            sc.Ring.parse(data)
        except sc.InvalidRing:
            vectors.append({"what": what, **({"ring": text} if isinstance(text, str) else {"bytes": data.hex()}), "refused": True})
        else:
            raise AssertionError(what)
    now = sc.format_time(NOW)
    at = lambda since, key=OTHER: sc.key_line(key, NOW + since)
    add("one key", RING)
    add("nothing at all", "")
    add("comments and empty lines alone", "# a\n\n \t\r\n#b")
    add("no LF at the end", RING[:-1])
    add("CRs, tabs, several blanks", "\r\n\t" + RING.replace(" ", " \t ").replace("\n", "\r\n"))
    add("a comment of the key's words", "#" + RING + "  # " + RING)
    add("a key without a time is the earliest", RING + sc.key_line(OTHER, sc.parse_time("1583-01-01T00:00:00Z")))
    add("the later time seals", at(-5) + at(-9, KEY))
    add("a pending key does not seal", RING + at(1))
    add("it seals from that very second", RING + at(0))
    add("only pending keys: the earliest seals", at(1) + at(2, KEY))
    add("only pending keys, the later one first", at(2) + at(1, KEY))
    add("only pending keys of equal times: the greatest id", at(5) + at(5, KEY) + at(5, TWINS[0]))
    add("only pending keys, the earliest revoked", at(1) + at(2, KEY) + f"revoked {sc.key_id(OTHER)}\n")
    add("only pending keys, until the first of them is active", at(0) + at(2, KEY))
    add("the one key is pending for years", at(3000 * DAY))
    for what, lines in (("without", sc.key_line(KEY) + sc.key_line(KEY, -5)), ("with, the other way round", sc.key_line(KEY, -5) + sc.key_line(KEY))):
        add(f"a key twice, from before 1970 and {what}", lines)
        add(f"a key twice, until before 1970 and {what}", lines.replace("from=", "until="))
    near, nearer = neighbours()
    for what, first, second in (("the greater first", nearer, near), ("the lesser first", near, nearer)):
        add(f"of equal times the greatest id, of two that are close, {what}", at(-5, first) + at(-5, second))
        add(f"only pending keys of equal times: the greatest id, of two that are close, {what}", at(5, first) + at(5, second))
    add("of equal times the greatest id", RING + sc.key_line(OTHER))
    add("of equal times the greatest id, written down", at(-5) + at(-5, KEY))
    add("a revoked key does not seal", RING + at(-5) + f"revoked {sc.key_id(OTHER)}\n")
    add("revoked before the key's line", f"revoked {sc.key_id(OTHER)}\n" + at(-5) + RING)
    add("the one key is revoked", RING + f"revoked {sc.key_id(KEY)}\n")
    add("revoked twice, and an unknown id", RING + "revoked 000000\n" * 2 + "revoked ffffff\n")
    add("a key twice: the later time", at(-5) + at(5) + at(1) + RING)
    add("a key with and without a time: the time", RING + sc.key_line(KEY, NOW + DAY))
    until = lambda since, until, key=KEY: sc.key_line(key, since).replace("sck1_", f"until={sc.format_time(until)} sck1_")
    add("until", until(None, NOW - 5) + at(-9))
    add("from and until", until(NOW - 9, NOW - 5) + at(-7))
    add("until before from, and in the future", until(NOW, NOW - 1) + until(NOW, NOW + 5, OTHER))
    add("until does not choose the key", until(NOW - 5, NOW + DAY) + at(-4))
    add("a key twice: the later until", until(None, NOW - 5) + until(None, NOW - 2) + until(None, NOW - 9))
    add("a key twice: the later of both, from different lines", until(NOW - 20, NOW - 5) + until(NOW - 10, NOW - 8) + RING)
    add("a key with and without until: the until", until(None, NOW - 5) + sc.key_line(KEY, NOW - 9))
    add("not-before twice: the later", RING + f"not-before {now}\nnot-before 2026-01-01T00:00:00Z\n")
    add("not-before in this very second", RING + f"not-before {now}\n")
    for ahead in (1, 60, 61):
        add(f"not-before {ahead} s ahead of the sealer's clock", RING + f"not-before {sc.format_time(NOW + ahead)}\n")
    add("the first and the last time there is", sc.key_line(KEY, sc.parse_time("1583-01-01T00:00:00Z")) + sc.key_line(OTHER, sc.parse_time("9999-12-31T23:59:59Z")))
    add("a leap day", RING + "not-before 2024-02-29T00:00:00Z\n")
    for when in (-1, 0, 2**32 - 1, 2**32):
        add(f"the clock at {when}", RING, when)
    for begin in (2**32 - 1, 2**32):
        add(f"the clock at 2^32 - 30, and not-before at {begin}", RING + f"not-before {sc.format_time(begin)}\n", 2**32 - 30)
    add("the clock 30 s before 1970, and not-before at 0", RING + "not-before 1970-01-01T00:00:00Z\n", -30)
    twins, twin = [sc.key_line(key, NOW - 5) for key in TWINS], f"revoked {sc.key_id(TWINS[0])}\n"
    add("two different keys of one id, which is revoked behind them", RING + twins[0] + twins[1] + twin)
    add("two different keys of one id, which is revoked between them", twins[0] + twin + twins[1] + RING)
    add("two different keys of one id, which is revoked before them", twin + twins[0] + RING + twins[1])
    refuse("two different keys of one id", RING + twins[0] + twins[1])
    refuse("two different keys of one id, another is revoked", twins[0] + RING + twins[1] + f"revoked {sc.key_id(KEY)}\n")
    refuse("two different keys of one id, and one of them again", twins[0] + twins[1] + twins[0])
    add("two rings, one behind the other", RING + at(5) + "revoked 000001\n" + f"not-before {now}\n" + sc.key_line(KEY, NOW - 5) + at(-5) + "revoked 000002\nnot-before 2020-01-01T00:00:00Z\n")
    id, secret = sc.key_id(KEY), sc.b64u(KEY)
    refuse("a key under another id", RING.replace(id, "000000"))
    refuse("a good key, and one under another id", sc.key_line(OTHER) + RING.replace(id, "123456"))
    for what, text in (
            ("an unknown word", "kye"), ("the word in capitals", RING.replace("key", "KEY", 1)), ("a word too many", RING[:-1] + " x"), ("no secret", f"key {id}"), ("no id", f"key sck1_{secret}"),
            ("an id in capitals", "revoked ABCDEF"), ("an id of five digits", "revoked 12345"), ("an id of seven digits", "revoked 1234567"), ("an id that is no number", "revoked 12345g"),
            ("no id to revoke", "revoked"), ("two ids", "revoked 000001 000002"), ("a prefix of another kind", RING.replace("sck1_", "sck2_")), ("no prefix", RING.replace("sck1_", "")),
            ("a character too few", RING[:-2]), ("a character too many", RING[:-1] + "A"), ("padding", RING[:-1] + "="), ("a plus in the secret", f"key {id} sck1_" + "+" + secret[1:]),
            ("bits behind the last byte", RING[:-2] + "9"), ("an empty from", RING.replace("sck1", "from= sck1")), ("from without its word", RING.replace("sck1", now + " sck1")),
            ("from in capitals", RING.replace("sck1", f"From={now} sck1")), ("from behind the secret", RING[:-1] + f" from={now}"), ("a date without its time", "not-before 2026-08-03"),
            ("a time without Z", "not-before 2026-08-03T00:00:00"), ("a small z", "not-before 2026-08-03T00:00:00z"), ("a blank for the T", "not-before 2026-08-03 00:00:00Z"),
            ("another zone", "not-before 2026-08-03T00:00:00+00:00"), ("a fraction", "not-before 2026-08-03T00:00:00.0Z"), ("milliseconds", "not-before 2026-08-03T00:00:00.500Z"), ("a day that does not exist", "not-before 2026-02-29T00:00:00Z"),
            ("a 31st of June", "not-before 2026-06-31T00:00:00Z"), ("a month 13", "not-before 2026-13-01T00:00:00Z"), ("a month 0", "not-before 2026-00-01T00:00:00Z"), ("24 o'clock", "not-before 2026-08-03T24:00:00Z"),
            ("a second 60", "not-before 2016-12-31T23:59:60Z"), ("a year before 1583", "not-before 1582-12-31T23:59:59Z"), ("a year of five digits", "not-before 10000-01-01T00:00:00Z"),
            ("a day of one digit", "not-before 2026-08-3T00:00:00Z"), ("nothing behind not-before", "not-before"), ("a no-break space", RING.replace(" ", "\u00a0", 1)),
            ("a byte order mark", "\ufeff" + RING), ("a vertical tab between", RING.replace(" ", "\v", 1)), ("a CR for an LF", RING[:-1] + "\r" + RING)):
        refuse(what, sc.key_line(OTHER) + text)
    other = sc.key_line(OTHER)
    refuse("a key under an id that is not its own, which is revoked before it", "revoked aaaaaa\n" + RING.replace(id, "aaaaaa"))
    refuse("what is no key, under an id that is revoked before it", "revoked aaaaaa\nkey aaaaaa sck1_x\n")
    for what, text in (
            ("a byte order mark before a comment", "\ufeff# x\n"), ("a byte order mark before an empty line", "\ufeff\n"), ("a byte order mark before the second line", "# x\n\ufeff" + RING),
            ("a byte order mark alone", "\ufeff"), ("a comment behind a key", RING[:-1] + " # x"), ("a comment at a key's end, no blank", RING[:-1] + "#x"), ("a comment behind a revoked id", "revoked aaaaaa # stolen"),
            ("a comment at a revoked id's end, no blank", "revoked aaaaaa#stolen"), ("a comment behind not-before", "not-before 2026-01-01T00:00:00Z # stolen"), ("a word behind not-before", "not-before 2026-01-01T00:00:00Z x"),
            ("a comment between id and secret", RING.replace("sck1", "# sck1")), ("a word too many between from and secret", RING.replace("sck1", f"from={now} x sck1")),
            ("a word too many between id and from", RING.replace("sck1", f"x from={now} sck1")), ("from twice", RING.replace("sck1", f"from={now} from={now} sck1")), ("two secrets", RING[:-1] + f" sck1_{secret}"),
            ("a revoked key whose secret is none", "key aaaaaa sck1_x\nrevoked aaaaaa"), ("a revoked key with a from that is none", RING.replace("sck1", "from=x sck1") + f"revoked {id}"),
            ("a revoked key under an id that is not its own", RING.replace(id, "aaaaaa") + "revoked aaaaaa"), ("a revoked key with a word too many", RING[:-1] + f" x\nrevoked {id}"),
            ("a blank behind from=", RING.replace("sck1", f"from= {now} sck1")), ("a blank before from's =", RING.replace("sck1", f"from ={now} sck1")), ("a time in double quotes", RING.replace("sck1", f'from="{now}" sck1')),
            ("another field for from", RING.replace("sck1", f"until-{now} sck1")), ("a NUL alone", "\0"), ("a NUL at a key's end", RING[:-1] + "\0"), ("a NUL before the word", "\0" + RING), ("a NUL between", RING.replace(" ", "\0", 1)),
            ("a form feed alone", "\f"), ("a form feed between", RING.replace(" ", "\f", 1)), ("a form feed for an LF", RING[:-1] + "\f" + RING), ("a next line for an LF", RING[:-1] + "\u0085" + RING),
            ("a line separator for an LF", RING[:-1] + "\u2028" + RING), ("a zero-width space alone", "\u200b"), ("full-width digits in a time", "not-before \uff12\uff10\uff12\uff16-08-03T00:00:00Z"),
            ("full-width digits in an id", "revoked \uff11\uff12\uff13456"), ("a combining mark at an id's end", "revoked 123456\u0301"), ("a combining mark at the word's end", "revoked\u0301 123456"),
            ("a combining mark before the number sign", "\u0301# x"), ("a sign in a time", "not-before +026-08-03T00:00:00Z"), ("0x before an id", "revoked 0x1234"),
            ("a day 0", "not-before 2026-08-00T00:00:00Z"), ("a minute 60", "not-before 2026-08-03T00:60:00Z"), ("a 29th of February in a century", "not-before 2100-02-29T00:00:00Z"), ("a week's date", "not-before 2026-W32-1T00:00:00Z")):
        refuse(what, text + other if text.startswith("\ufeff") else other + text + "\n")
    one = f"not-before {sc.format_time(NOW - DAY)}; revoked 000001;revoked 000002; {at(-5)[:-1]};{RING[:-1]}"
    add("one line", one)
    add("one line, with an LF at its end", one + "\n")
    add("one line, with CRLF at its end", one + "\r\n")
    add("one line, with a CR at its end", one + "\r")
    add("one line, empty parts, blanks and tabs", ";; " + one.replace(";", "\t;  ; ") + " ; ;\t")
    add("one line of one key and a divider", RING[:-1] + ";")
    add("one line of revocations alone", "revoked 000001;revoked 000002")
    add("one line of dividers alone", ";;")
    add("one line, a key twice, and the other revoked", f"{RING[:-1]};{at(-5)[:-1]};{sc.key_line(KEY, NOW - 5)[:-1]};revoked {sc.key_id(OTHER)}")
    add("one line of pending keys, with until", f"{until(NOW + 9, NOW)[:-1]};{at(7)[:-1]}")
    add("one comment", "# sealed-cookie key ring")
    add("one comment with an LF, of a key's words but its secret", "# key 113657 revoked 000001\n")
    add("two comments with dividers", "# a; b\n#; c")
    add("a comment with a divider among lines", f"# ours; {RING}{at(-5)}")
    add("a last CR", RING + RING[:-1] + "\r")
    for what, text in (
            ("one line, and LFs too", one.replace(";", ";\n", 1)), ("a divider among several lines", RING[:-1] + ";\n" + at(-5)), ("a divider behind a key's line of several", RING + at(-5)[:-1] + "; revoked 000001\n"),
            ("one line and an empty one", one + "\n\n"), ("one line behind an empty one", "\n" + one), ("one line with a comment in front", "# sealed-cookie key ring; " + one), ("one line with a comment behind", one + "; # x"),
            ("one line with a comment in between", one.replace(";", ";#;", 1)), ("one comment with a divider", "# a; b"), ("one comment with a divider and an LF", "# a;\n"), ("one line, and a part that is none", one + "; x"),
            ("one line, and a part of two", one.replace(";", " ", 1)), ("one line with a CR between", one.replace(";", ";\r", 1)), ("one line with CRs for the dividers", one.replace(";", "\r")), ("a full-width divider", one.replace(";", "\uff1b")),
            ("a comment whose line breaks are blanks", "# sealed-cookie key ring " + RING[:-1]), ("the same with an LF at its end", "# sealed-cookie key ring " + RING), ("a comment whose line breaks are gone", "# sealed-cookie key ring" + RING),
            ("a comment whose line breaks are \\n", "# sealed-cookie key ring\\n" + RING[:-1] + "\\n"), ("a comment whose line breaks are CRs", "# sealed-cookie key ring\r" + RING[:-1]), ("a comment that is a key", "  #" + RING),
            ("lines whose breaks are \\n", RING[:-1] + "\\n" + at(-5)[:-1]), ("one line that ends in \\n", RING[:-1] + "\\n"), ("lines whose breaks are blanks", RING[:-1] + " " + at(-5)[:-1]), ("revocations whose breaks are blanks", "revoked 000001 revoked 000002"),
            ("a CR within a comment", "# a\rb\n" + RING), ("a CR between fields", RING.replace(" ", "\r", 1) + at(-5)), ("a CR before the line", "\r" + RING + at(-5)), ("two CRs before an LF", RING[:-1] + "\r\r\n"), ("a CR and a blank before an LF", RING[:-1] + "\r \n"),
            ("two CRs at the end", RING[:-1] + "\r\r"), ("a CR alone", "\r\r\n"), ("a byte order mark in front", "\ufeff" + RING),
            ("a byte order mark in front of one line", "\ufeff" + one), ("an empty until", RING.replace("sck1", "until= sck1")), ("until in capitals", RING.replace("sck1", f"Until={now} sck1")), ("until before from", RING.replace("sck1", f"until={now} from={now} sck1")),
            ("until behind the secret", RING[:-1] + f" until={now}\n"), ("until twice", RING.replace("sck1", f"until={now} until={now} sck1")), ("from, until and another", RING.replace("sck1", f"from={now} until={now} to={now} sck1")),
            ("until with a date that does not exist", RING.replace("sck1", "until=2026-02-30T00:00:00Z sck1")), ("until in local time", RING.replace("sck1", f"until={now[:-1]}+00:00 sck1")),
            ("until of a revoked id", f"revoked 000001 until={now}"),
            ("a revoked key whose from is none", RING.replace("sck1", "from=x sck1") + f"revoked {id}\n"), ("a revoked key whose until is none", RING.replace("sck1", "until=x sck1") + f"revoked {id}\n"),):
        refuse(what, text)
    refuse("not UTF-8", RING.encode() + b"# \xff\n")
    refuse("not UTF-8 in a field", other.encode() + b"revoked 12345\xc3\n")
    refuse("a surrogate", b"# \xed\xa0\x80\n" + other.encode())
    refuse("an overlong LF", b"# x\xc0\x8a" + other.encode())
    add("a comment that a NUL, a form feed and a no-break space are in", "#\0\f\u00a0x\n" + RING)
    add("a comment whose number sign has a letter behind it", "#key\n" + RING)
    refuse("UTF-16", RING.encode("utf-16"))
    return vectors


def begins_at(ring: sc.Ring, at: int, cut_off: float | None = None) -> int | None:
    """`created` of a session sealed at this time; None where none can be."""
    try:
        begins = sc.beginning(ring, at, cut_off)
    except sc.CannotSeal:
        return None
    return begins if 0 <= begins < 1 << 32 else None


def cutoffs() -> list[dict]:
    """Times at which a user's sessions were ended, and what begins because of them."""
    vectors = []
    for ahead in (-DAY, -1, -0.5, 0, 0.001, 0.5, 0.999, 1, 1.5, 59, 59.001, 59.5, 60, 60.001, 60.5, 61, DAY):
        cut_off = NOW + ahead
        what = f"a cut-off {abs(ahead):g} s {'ahead of' if ahead > 0 else 'behind'} the sealer's clock" if ahead else "a cut-off at the sealer's time"
        vectors.append({"what": what, "cutOff": cut_off, "time": NOW, "holds": sc.whole_seconds(cut_off), "begins": begins_at(sc.Ring(), NOW, cut_off)})
    for cut_off, at in ((2**32 - 1, 2**32 - 2), (2**32 - 1.5, 2**32 - 2), (2**32 - 0.5, 2**32 - 1), (-0.5, -1), (-1, -1)):
        vectors.append({"what": f"a cut-off at {cut_off}", "cutOff": cut_off, "time": at, "holds": sc.whole_seconds(cut_off), "begins": begins_at(sc.Ring(), at, cut_off)})
    return vectors


# Pairs of combining marks: of two classes, without a class, enclosing, of four bytes.
MARKS = ["\u0300\u0316", "\u0903\u093e", "\u20dd\u0488", "\U0001d165\U0001d167"]
MARK_FRAMES = ['"%s"', '"a%sa"', '{"%s":1}', '{"$url":"%s"}', '{"$map":[["%s",1]]}', '{"$secret":"%s"}']


def views() -> list[dict]:
    """JSON and the item that it is read as; "view": what a tool shows of it. Refused: JSON that is no view."""
    vectors = []
    texts = [session for label, session, _ in interop.SESSIONS if len(session) < 600 and "random" not in label]
    texts += ["1.0", "-0.0", "0e300", "1e2", "100e-2", "18446744073709551615.0", "-92233720368547758080e-1", "18446744073709551616.5", "1e300", "1e-400", "1.5", '"\\ud83d\\ude00"', '"\\u0000\\/"',
              '{"$decimal":"0.5"}', '{"$decimal":"-1.25e3"}', '{"$decimal":"12"}', '{"$decimal":"1e9223372036854775807"}', '{"$$\\u0301":1}', '{"$date":"@-0.0"}', '{"$date":"@0xfffee40000000000"}',
              '{"$map":[["$5",0],["\\u00e9",1],["e\\u0301",2]]}', '{"$map":[["$$",1],["$bytes","AQ"],[5,"$5"]]}', '{"$map":[[{"$int":"5"},1],[5.0e1,2],[-0.0,3]]}', '{"\\ufb01":1,"fi":2}', '{"\\u00b2":1,"2":2}',
              '{"\\ud800\\udc00":1,"\\uff5ea":2,"\\ue000b":3}', '{"$map":[["\\uac00",1],["\\u1100\\u1161",2]]}', '{"$map":[["a\\u0323\\u0307",1],["a\\u0307\\u0323",2]]}', '{"$map":[["\\u212b",1],["\\u00c5",2],["A\\u030a",3]]}',
              '\ufeff{"a":1}', '\ufeff [ "\ufeff" ]', '{"$int":"5"}', '{"$int":"0"}', '{"$int":"-9223372036854775808"}', '{"$int":"18446744073709551615"}', '{"$float":"0xFFF8000000000001"}', '{"$float":"0x7FF8000000000000"}',
              '{"$float":"5"}', '{"$float":"-0"}', '{"$float":"18446744073709551616"}', '{"$float":"0.1000000000000000055511151231257827"}', '{"$float":"1e-400"}', '{"$float":"1E+5"}', "-1e-400", "0.1000000000000000055511151231257827",
              "18446744073709552000.0", "-92233720368547760e7", "6.79e44", '{"$float":"-6.79e44"}', '{"$float":"9223372036854775808.0"}', "1e25", "4503599627370495.5", "0.0001", "1e-5",
              '{"$decimal":"0.1e9223372036854775807"}', '{"$decimal":"0.00e-5"}', '{"$decimal":"1e-9223372036854775808"}',
              '{"$date":"@5"}', '{"$date":"@-5"}', '{"$date":"@0"}', '{"$date":"@5+000000001"}', '{"$date":"@-5+000000000000000001"}', '{"$date":"@5.0"}', '{"$date":"@5e0"}', '{"$date":"@nan"}', '{"$date":"@-inf"}', '{"$date":"@0x7FFC000000000001"}',
              '{"$date":"@0.0"}', '{"$date":"@0.0001"}', '{"$date":"@0.00009"}', '{"$date":"@1e-05"}', '{"$date":"1970-01-01T00:00:00.00001Z"}', '{"$date":"1970-01-01T00:00:00.0001Z"}', '{"$date":"@5e-324"}', '{"$date":"@-1e-05"}', '{"$date":"@1.5e+300"}', '{"$float":"8.98846567431158e+307"}', '{"$date":"@1E1"}',
              '{"$date":"9999-12-31T23:59:59.9Z"}', '{"$date":"9999-12-31T23:59:59.99999Z"}', '{"$date":"@253402300800.5"}', '{"$date":"@9223372036854775808.0"}', '{"$date":"@9.223372036854775809e18"}', '{"$date":"@1.0000000000000000001"}',
              '{"$float":"1E2"}', '{"$uuid":"FE049F18-1B8F-4A6F-8C38-00C3448DE041"}', '{"$map":[]}', '{"$map":[["b",1],["a",2]]}', '{"$secret":{"$map":[[1,2]]}}', '{"":0}', " [ ] "]
    texts += [f'{{"$date":"{text}"}}' for text in (
        "@-12212553600", "@-12212553601", "@-12212553601+999999999", "@-12212553600+000000000", "@-12212553601+999999999999999999", "@-12212553600+000000000000000000", "@-12212553600.5", "@-12212553601.0", "@-12212553600.0",
        "@253402300799", "@253402300799+999999999", "@253402300800+000000000", "@253402300799.5", "@0.000123456789012345", "@0.123456789012345678", "@0.5000000001", "@0.00010000000000000001", "@1785715200.123456",
        "1970-01-01T00:00:00.0Z", "1970-01-01T00:00:00.00Z", "1970-01-01T00:00:01.0Z", "2026-09-21T14:03:27.12345678901234567890Z", "2026-09-21T14:03:27.1234567890Z", "2026-09-21T14:03:27.12345678Z", "2026-09-21T14:03:27.0Z",
        *rounded_twice())]
    texts += [f'{{"$decimal":"{text}"}}' for text in ("0", "0.0", "0.00", "0e0", "0e5", "0.0e5", "1e0", "1.0", "12.50", "-0.5", "-0.05", "0.5e-3", "-1.5e-1", "10e1", "123456789012345678901.5", "1.00e2")]
    texts += [f'{{"$float":"{text}"}}' for text in ("0e0", "0.0e-5", "-0.0e+5", "1.50", "1E5", "1e-05", "1e+05", "-1.5E-3", "0.10", "123456789.000", "4.9406564584124654e-324", "2.4703282292062327e-324", "1.7976931348623157e308",
                                                          "0x7FF0000000000001", "0xffF8000000000000", "0x7fffFFFFffffFFFF", "9007199254740993", "18446744073709551615.5")]
    texts += ['{"$map":[["a",' * 64 + leaf + "]]}" * 64 for leaf in ("5", '{"$bytes":""}', '{"$float":"1.0"}')]
    texts += [frame % (mark * 128) for mark in MARKS for frame in ('"e%s"', '{"%s":1}')] + ['"' + (MARKS[0] * 128 + "a") * 3 + '"']
    texts += ['{"$uuid":"00112233-4455-6677-8899-aAbBcCdDeEfF"}', '{"__proto__":1,"constructor":2}', '{"$5":1,"5":2,"$-1":3,"-1":4}', '{"$map":[["__proto__",{"__proto__":1}],[0,"0"],["0",0]]}']
    texts += ["1e9", "-1.9e-9", "19e19", '{"$date":"2026-09-21T19:09:29Z"}', '{"$decimal":"0.9"}', '{"$decimal":"1.99e-19"}', '{"$decimal":"0.%s5"}' % ("0" * 150), '{"$decimal":"0.%s"}' % ("0" * 60)]
    texts += [frame * (64 - levels) + leaf + end * (64 - levels) for frame, end in LEVELS for levels, leaf in LEAVES]
    for text in dict.fromkeys(texts):
        item = sc.encode_item(sc.from_json(text))
        again = json.dumps(sc.view(sc.decode_item(item)), ensure_ascii=False)
        assert sc.encode_item(sc.from_json(again)) == item
        vectors.append({"json": text, "item": item.hex(), "view": again})
    too_deep = [frame * (65 - levels) + leaf + end * (65 - levels) for frame, end in LEVELS for levels, leaf in LEAVES]
    for text in (*too_deep, "[1:2]", '{"a",1}', '{"a":1:"b":2}', "[1,2}", '{"a":1]', "12345678901234501e9", '{"$decimal":"1.%s"}' % ("0" * 60), "", "{", "[1,]", '{"a":1,}', "[1 2]", "01", "1.", ".5", "+1", "NaN", "Infinity", "'a'", "{a:1}", "[1]]", "nul", '"\t"', '"\\x"', '"\\ud800"', '"\\ude00"', '"a',
                 '{"a":1,"a":2}', '{"\\u00e9":1,"e\\u0301":2}', '{"$map":[["a",1],["a",2]]}', '{"$map":[[1.5,1]]}', '{"$map":[["a"]]}', '{"$map":{}}', '{"$map":[[9223372036854775808,1]]}',
                 "18446744073709551616", "-9223372036854775809", "-9223372036854775808e5", "123456789012345678901e200", "184467440730000000000000000000000000000000000000000000000000000000000000000000709551615", "1e400", "-1e400",
                 '{"$x":1}', '{"$":1}', '{"$05":1}', '{"$+5":1}', '{"$-0":1}', '{"$9223372036854775808":1}', '{"$5\\u0301":1}', '{"$\\u0301":1}', '{"$bytes":"AQ","b":1}', '{"$secret":1,"$5":2}',
                 '{"$bytes":"AQ=="}', '{"$bytes":"AR"}', '{"$bytes":"A"}', '{"$bytes":"+w"}', '{"$bytes":1}', '{"$bytes":null}', '{"$int":"007"}', '{"$int":"+7"}', '{"$int":"-0"}', '{"$int":""}', '{"$int":7}',
                 '{"$int":"340282366920938463463374607431768211456"}', '{"$float":".5"}', '{"$float":"5."}', '{"$float":"+5"}', '{"$float":"05"}', '{"$float":"1e400"}', '{"$float":"infinity"}', '{"$float":"0x1p3"}',
                 '{"$float":"0x3ff0000000000000"}', '{"$float":"NaN"}', '{"$float":1}', '{"$decimal":"00.5"}', '{"$decimal":"-0.0"}', '{"$decimal":"1e05"}', '{"$decimal":"1e+5"}', '{"$decimal":".5"}', '{"$decimal":"1."}',
                 '{"$decimal":"1e9223372036854775808"}', '{"$decimal":1}', '{"$uuid":"fe049f181b8f4a6f8c3800c3448de041"}', '{"$uuid":"fe049f18-1b8f-0x6f-8c38-00c3448de041"}', '{"$uuid":"fe049f18-1b8f-4a6f-8c38-00c3448de0411"}', '{"$url":1}',
                 '{"$date":"2026-02-29T00:00:00Z"}', '{"$date":"1582-12-31T23:59:59Z"}', '{"$date":"2026-02-28T00:00:60Z"}', '{"$date":"2026-02-28T00:00:00+00:00"}', '{"$date":"2026-02-28 00:00:00Z"}', '{"$date":"2026-02-28T00:00:00.Z"}',
                 '\ufeff\ufeff{"a":1}', '{"\\uac00":1,"\\u1100\\u1161":2}', '{"a\\u0323\\u0307":1,"a\\u0307\\u0323":2}', '{"$map":[["$5",1],["$5",2]]}', '{"$map":[[5,1],[{"$int":"5"},2]]}', '{"$map":[[5,1],[5.0,2]]}', '{"$map":[[null,1]]}', '{"$map":[[["a"],1]]}',
                 '{"$map":[["a",1,2]]}', '{"$map":[[true,1]]}', '{"$map":[[{"$float":"5.0"},1]]}', '{"$decimal":"1E5"}', '{"$decimal":"0.1e9223372036854775808"}', '{"$decimal":"1e-9223372036854775809"}', '{"$decimal":"0.1e-9223372036854775808"}',
                 '{"$float":"NAN"}', '{"$float":"-nan"}', '{"$float":"+inf"}', '{"$float":"0X7FF8000000000001"}', '{"$float":"0x7ff800000000001"}', '{"$float":"0x7ff0000000000000"}', '{"$float":"\ufeff5"}',
                 '{"$date":"@9223372036854775808"}', '{"$date":"@9223372036854775809"}', '{"$date":"@-9223372036854775809"}', '{"$date":"@18446744073709551616"}', '{"$date":"@340282366920938463463374607431768211456"}',
                 '{"$date":"@9223372036854775808+000000000"}', '{"$date":"@-0"}', '{"$date":"@-"}', '{"$date":"@5-"}', '{"$date":"@-0+000000001"}', '{"$date":"@5+"}', '{"$date":"@5 "}', '{"$date":"@0x7ff0000000000000"}',
                 '{"$date":"1969-12-31T23:59:59.5Z"}', '{"$date":"@1e3+500000000"}', '{"$date":"@1+5"}', '{"$date":"@+5"}', '{"$date":"@05"}', '{"$date":"@.5"}', '{"$date":"@"}', '{"$date":0}',
                 '{"$5\\u0665":1}', '{"$\\u0661":1}', "1" + "0" * 309 + ".5", "-1" + "0" * 309 + ".5", '"' + "x" * 65_534 + '"',
                 "[" * 65 + "]" * 65, '{"$secret":' * 65 + "0" + "}" * 65, '{"$map":[["a",' * 65 + "5" + "]]}" * 65, '{"$map":[["a",' * 64 + '{"$date":"@5"}' + "]]}" * 64, *wrong_forms(), *(frame % (mark * 128 + mark[0]) for mark in MARKS for frame in MARK_FRAMES)):
        try:
            sc.encode_item(sc.from_json(text))
        except ValueError:
            vectors.append({"json": text, "refused": True})
        else:
            raise AssertionError(text)
    bad = {"a byte that no character has": b"\xff", "a surrogate": b"\xed\xa0\x80", "a pair of surrogates": b"\xed\xa0\xbd\xed\xb8\x80", "an overlong slash": b"\xc0\xaf", "an overlong NUL": b"\xc0\x80", "a character cut off": b"\xe2\x82",
           "a byte that continues nothing": b"\x80", "more than U+10FFFF": b"\xf4\x90\x80\x80", "Latin-1": "\u00e9".encode("latin-1")}
    frames = {"a text": b'"a%sb"', "a member's name": b'{"a%s":1}', "a form's text": b'{"$url":"%s"}', "a form's name": b'{"$%s":"a"}', "a key of $map": b'{"$map":[["%s",1]]}'}
    cases = [(f"not UTF-8: {what} in {where}", frame.replace(b"%s", text)) for what, text in bad.items() for where, frame in frames.items()]
    cases += [(f"not UTF-8: {what} outside texts", b"[1]" + text) for what, text in bad.items()]
    cases += [("not UTF-8: UTF-16", '{"a":1}'.encode("utf-16")), ("not UTF-8: UTF-16 without a mark", '{"a":1}'.encode("utf-16-le")), ("not UTF-8: UTF-32", '{"a":1}'.encode("utf-32-le"))]
    for what, data in cases:
        try:
            sc.encode_item(sc.from_json(data.decode()))
        except ValueError:
            vectors.append({"what": what, "bytes": data.hex(), "refused": True})
        else:
            raise AssertionError(what)
    return vectors


# Around what is in JSON a level each, and leaves with the levels that they have themselves (§7).
LEVELS = [("[", "]"), ('{"a":', "}"), ('{"$5":', "}"), ('{"$secret":', "}")]
LEAVES = [(0, '{"$float":"1.0"}'), (1, "{}"), (1, '{"$int":"18446744073709551616"}'), (1, '{"$uuid":"550e8400-e29b-41d4-a716-446655440000"}'), (1, '{"$url":""}'), (1, '{"$date":"@5"}'),
          (2, '{"$date":"@5+000000001"}'), (2, '{"$decimal":"1e0"}'), (3, '{"$decimal":"18446744073709551616e0"}')]


def rounded_twice() -> list[str]:
    """Dates that come to another float where seconds and fraction are rounded each by itself and then added."""
    found = []
    for seconds in (6, 100):
        texts = (f"{sc.format_time(seconds)[:-1]}.{int(hashlib.sha256(b'%d' % i).hexdigest(), 16) % 10**17:017d}Z" for i in range(1 << 20))
        wrong = (t for t in texts if float(seconds) + float("0" + t[19:-1]) != float(f"{seconds}{t[19:-1]}"))
        found += [next(wrong), next(wrong)]
    return ["1970-01-01T00:00:06.00796987690079698Z", *found]


def wrong_forms() -> list[str]:
    """JSON that is nearly one of the forms."""
    forms = {
        "$date": ("2026-09-21T14:03:27.5", "2026-09-21T14:03:27,5Z", "2026-09-21T14:03:27.5z", "2026-09-21t14:03:27Z", "2026-09-21T14:03:27.5+00:00", "2026-09-21T14:03:27-00:00", "2026-09-21T14:03Z", "20260921T140327Z", "2026-09-21",
                  "+2026-09-21T14:03:27Z", "-2026-09-21T14:03:27Z", "02026-09-21T14:03:27Z", " 2026-09-21T14:03:27Z", "2026-09-21T14:03:27 Z", "2026-09-21T14:03:27Z ", "2026-09-21T14:03:27.Z", "2026-09-21T14:03:27.5 Z",
                  "2026-09-21T14:03:27.5e1Z", "2026-09-21T14:03:27.-5Z", "2026-09-21T14:03:27..5Z", "2026-09-21T14:03:27.5.5Z", "2026-09-21T14:03:27ZZ", "2026-09-21T24:00:00Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z",
                  "2026-06-31T00:00:00Z", "2100-02-29T00:00:00Z", "2026-09-21T14:60:00Z", "1582-12-31T23:59:59.5Z", "1582-12-31T23:59:59.000000000Z", "10000-01-01T00:00:00Z", "\uff12\uff10\uff12\uff16-09-21T14:03:27Z",
                  "2026-09-21T14:03:27.\u0665Z", "2026-09-21T14:03:27\u0301Z", "1969-12-31T23:59:59.0Z", "1583-01-01T00:00:00.25Z", "", "@ 5", "@5.Z", "@5.", "@5e", "@1_000", "@\u0665", "@5+00000000", "@5+0000000000",
                  "@5+-00000001", "@5.5+000000001", "@5+000000001+000000001", "@5-000000001", "@0x5", "@Infinity", "@infinity", "@NaN", "@1e400", "@1-", "@--5", "@9223372036854775808+000000000000000000", "now"),
        "$decimal": ("", "-", "-0", "-0e0", "-0e5", "-0.00", "-0.0e1", "0e-0", "1e-0", "1e00", "01", "-01", "00", "+1", " 1", "1 ", "1e", "e5", "1e1.5", "1.e5", "0.", ".0", "--1", "1..0", "1.0.0", "0x1", "inf", "nan", "NaN", "Infinity",
                     "1_000", "1,5", "\uff11", "\u0661", "1\u0301", "1e\u0661", "1e 5", "1.5e+2", "1.-5"),
        "$float": ("", "Infinity", "-Infinity", "+Infinity", "INF", "Inf", "-INF", "+inf", "-0x7ff8000000000001", "0x", "0x7ff80000000000011", "0x07ff8000000000001", "0x0x7ff8000000000001", "0x+7ff800000000001", "7ff8000000000001", "nan0", "nan(0x1)", "snan", "-nan", "infinit", "inf ", " inf", "1.0 ",
                   " 1.0", "1.0f", "1e", "1e+", "1,0", "01.5", "-01.5", "--1", "-", "0x1.8p1", "1_0", "\uff11.5", "\u0661", "1\u0301", "1.\u0665", "1e\u0661", "-1e400", "1.", "-.5", "1e5.0", "0xfff0000000000000",
                   "1" + "0" * 309, "\n1"),
        "$int": ("-", "--1", "-07", "00", " 7", "7 ", "7.0", "7e0", "0x7", "1_000", "\uff17", "\u0667", "7\u0301", "-340282366920938463463374607431768211457", "+0", "1" * 60),
        "$uuid": ("urn:uuid:00112233-4455-6677-8899-aabbccddeeff", "{00112233-4455-6677-8899-aabbccddeeff}", "", "00112233445566778899aabbccddeeff", "0011223-34455-6677-8899-aabbccddeeff", "00112233-4455-6677-8899aabbccddeeff-",
                  "00112233_4455_6677_8899_aabbccddeeff", " 00112233-4455-6677-8899-aabbccddeeff", "00112233-4455-6677-8899-aabbccddeeff\n", "00112233-4455-6677-8899-aabbccddeef", "00112233-4455-6677-8899-aabbccddeefg",
                  "00112233-4455-6677-8899-+abbccddeeff", "\uff10\uff10112233-4455-6677-8899-aabbccddeeff", "00112233-4455-6677-8899-aabbccddeef\u0301"),
        "$bytes": ("AQ=", "AQ\n", " AQ", "A Q", "/w", "AQ%3D", "\uff21Q", "AQ\u0301", "AAAAB", "-_-", "AB"),
    }
    texts = [json.dumps({form: text}, ensure_ascii=True) for form, values in forms.items() for text in values]
    texts += [f'{{"{form}":{value}}}' for form in ("$date", "$decimal", "$float", "$int", "$uuid", "$bytes", "$url") for value in ("true", "[]", "{}", '{"$int":"5"}', '["5"]')]
    texts += ['{"$Date":"@5"}', '{"$date ":"@5"}', '{"$ date":"@5"}', '{"$date\\u0301":"@5"}', '{"$1.0":1}', '{"$1e1":1}', '{"$ 5":1}', '{"$5 ":1}', '{"$\\uff15":1}', '{"$0x5":1}', '{"$-9223372036854775809":1}', '{"$--5":1}',
              '{"a":1,"\\u0061":2}', '{"$5":1,"$5":2}', '{"$$a":1,"$\\u0024a":2}', '{"$map":[["a",1]],"b":2}', '{"$date":"@5","$date":"@5"}', '{"$secret":{"$x":1}}', '[{"$float":"x"}]', '{"a":{"$int":"+1"}}',
              "0x10", "1_000", "--1", "1e", "1.e5", "-", "00", "-01", "\uff11", "1\u0301", "[1\u00a0]", "\u00a01", "[\f1]", "[\v1]", "[1]\0", '"\u2028', "True", "undefined", "[,]", '{"a"}', '{"a":}', "// x\n1", "/**/1", '"a\nb"', '"\x7f']
    return list(dict.fromkeys(texts))


# What FORMAT.md asks for, in its words, and the vectors that hold it: in the file of that name, those whose "what" is this; more than one
# behind "|", and * for anything. Where no vector can: what else does.
RULES: list[tuple[str, list[str]]] = [
    ("An opener MUST refuse text that is not the one encoding of some bytes: - a character outside the alphabet", ["invalid: text with *", "invalid: a header in standard base64"]),
    ("a length of 1 modulo 4", ["invalid: text with a length of 1 modulo 4"]),
    ("bits after the last whole byte that are not zero", ["invalid: bits after the last byte, *"]),
    ("An opener MUST refuse longer text before decoding it", ["invalid: a character too long", "invalid: the name too long for this token", "invalid: too long goes before not base64url", "invalid: characters beyond ASCII, *"]),
    ("It MUST NOT be derived from a password.", ["- no call of the library and no command takes one"]),
    ("Software that loads keys MUST recompute each id, and refuse a key listed under another id", ["rings: a key under another id", "rings: a good key, and one under another id"]),
    ("Software that makes a key for a ring MUST draw again while the new key's id is already in the ring", ["- one in 16 million: `a rotation adds a key that seals from its time on`"]),
    ("M1  = 00 01 58 00", ["valid: *", "invalid: plain AES-256-GCM, without the derived key"]),
    ("N = R[0..<8] ‖ 00 00 00 00 ‖ R[8..<20]", ["invalid: N with its zeros at the end"]),
    ("PAE writes every number as 8 bytes, **little-endian**", ["invalid: associated data with big-endian lengths", "invalid: no associated data", "invalid: name and purpose divided elsewhere"]),
    ("If there is none, the sealer MUST fail.", ["rings: nothing at all", "rings: the one key is revoked", "rings: only pending keys*"]),
    ("The sealer MUST NOT cut anything off.", ["divided: *", "sealed: padding that makes it too large"]),
    ("A sealer SHOULD use the compressed body if and only if it is shorter", ["sealed: *compress*"]),
    ("It then always pads: a payload whose length is already a multiple gets a whole block more.", ["sealed: 16 bytes, padded to a multiple of 16", "sealed: 32 bytes, padded to a multiple of 16", "sealed: a multiple of 255 already, and padded to one"]),
    ("If the generator fails, the sealer MUST fail. An implementation MUST NOT let its callers choose R.", [
        "- `two tokens of one session share no random bytes`; `a generator that fails lets nothing be sealed and no key be made`; Tests/Python/faults.c"]),
    ("They MUST NOT replace any of the 20 bytes, and MUST NOT come from a caller.", ["- `the moment is xored onto the page's bytes, and takes the place of none`"]),
    ("An opener MUST make these checks in this order, and refuse the token at the first one that fails.", ["invalid: * goes before *"]),
    ("Every refusal MUST look the same", ["- the application's answer: Tests/Web"]),
    ("Steps 1 to 6 MUST NOT use a key.", ["invalid: revoked goes before not authentic", "invalid: unknown key goes before not authentic", "invalid: a revoked key whose line is gone"]),
    ("The sums of steps 9 and 11 can exceed 2^32 and MUST NOT wrap around.", ["invalid: an age that goes beyond 2^32*", "invalid: an end beyond 2^32", "invalid: an idle end beyond 2^32", "valid: age of five bytes", "valid: an end beyond 2^32, *", "valid: sealed beyond 2^32"]),
    ("Step 8 has an order of its own. First come flags, padding, the times and a dictionary's name that is cut short (*malformed payload*). Then comes *unknown dictionary*, even where no body follows. Then comes the body.",
     ["invalid: malformed payload goes before unknown dictionary *", "invalid: unknown dictionary *", "invalid: a dictionary's name that ends early"]),
    ("the opener MUST NOT let any of the unauthenticated plaintext be seen", ["- `a failed open wipes what was decrypted`"]),
    ("Bits 6 and 7 of the flags MUST be 0. - Bit 3 without bit 0 MUST be refused. Bit 5 with bit 0 MUST be refused.", ["invalid: unknown flag bit 6", "invalid: unknown flag bit 7", "invalid: a dictionary for a body that is not compressed", "invalid: signed out, compressed*"]),
    ("An opener MUST refuse a token with a flag that it does not know: every flag is critical.", ["invalid: unknown flag bit *", "invalid: malformed payload goes before *: an unknown flag"]),
    ("both there where bit 1 is set, and nowhere else", ["invalid: own lifetime, and no idle time behind it", "valid: its own lifetime of * s, and an idle time as long", "valid: its own lifetime, *"]),
    ("With bit 5 the item MUST be null", ["invalid: signed out, and *", "invalid: signed out", "valid: ends with the browser, null and not signed out"]),
    ("An opener MUST refuse such a token in step 10 (*signed out*), whatever else the policy says", ["invalid: signed out*", "cookies: signed out*"]),
    ("MUST NOT judge a session by bit 4", ["valid: ends with the browser*", "invalid: the end of a session that ends with the browser"]),
    ("A sealer MUST NOT set a new flag, name a dictionary of 2 to 15, or change what it does by default", ["- how versions are given out: nothing of one token"]),
    ("A ring MUST NOT get a new word in version 1", ["rings: an unknown word"]),
    ("The first bytes 0x49, 0x4A and 0x4B are reserved for later versions", ["invalid: version 0x49, sealed as such", "invalid: version 0x4a, sealed as such", "invalid: version 0x4b, sealed as such"]),
    ("An opener MUST refuse each of these: - a final group of zero after others, which is a longer spelling of the same number; - a number of 2^32 or more; - an own absolute lifetime of 0",
     ["invalid: lifetime of zero*", "invalid: own idle time of *", "invalid: age in a longer spelling", "invalid: lifetime in a longer spelling", "invalid: age of 2^32", "invalid: lifetime of 2^32", "invalid: age of six bytes"]),
    ("If that byte is another, the payload MUST be refused. What is left MUST still hold every field, and at least one byte of body",
     ["invalid: padding without 0x80", "invalid: padding that ends in another byte", "invalid: padding of *", "invalid: padding that leaves no body", "valid: padding behind an item that ends in 80 00"]),
    ("It MUST refuse a broken stream. It MUST refuse contents that end early. It MUST refuse bytes that are left over.",
     ["invalid: broken stream", "invalid: broken stream: *", "invalid: stream cut off", "invalid: stream without a final block", "invalid: stream with a zlib wrapper", "invalid: contents that end early", "invalid: contents left over*"]),
    ("Blocks may be empty. - It ends with its last block. The bits after that block in the stream's last byte do not matter. - A reference back to before the start makes the stream a broken one. With a dictionary (§6.4), the start is the dictionary's.",
     ["valid: empty blocks", "valid: bits set behind the last block", "valid: a reference to the very start of the standard dictionary", "invalid: a reference *"]),
    ("It may have blocks of any kind, and a window of up to 32 KiB", ["valid: a stored block", "valid: DEFLATE: *", "valid: an item of 65,536 bytes, *", "valid: a window of 32 KiB, and a stream longer than the item"]),
    ("A stream that zlib refuses is a broken one.", ["invalid: broken stream: *"]),
    ("a single distance code, of one bit; no distance codes at all; and the end of the block as the only literal or length code, of one bit.",
     ["valid: DEFLATE: a single distance, of one bit", "valid: DEFLATE: a block without a code for distances", "valid: DEFLATE: a block that has nothing but its end, of one bit"]),
    ("It MUST bound what it inflates while it inflates. - The skeleton MUST have at most 65,536 bytes. The item, once it is put together again, MUST have at most 65,536 bytes.",
     ["invalid: bomb of 2 MB", "invalid: skeleton of 65,537 bytes", "invalid: item of more than 65,536 bytes, skeleton of fewer", "valid: an item of 65,536 bytes, *"]),
    ("**A sealer MUST NOT compress the content of a byte string**", ["sealed: a byte string that would compress", "sealed: a secret that would compress", "sealed: text that compresses, and byte strings that would", "- `byte strings and secrets never enter the stream`"]),
    ("0, 2–15 | that byte | none: *unknown dictionary*", ["invalid: dictionary 0", "invalid: dictionary 2", "invalid: dictionary 15"]),
    ("Every opener MUST know the standard dictionary.", ["valid: compressed with the standard dictionary", "valid: the standard dictionary, where the application has its own"]),
    ("A token whose dictionary the opener does not have is refused as *unknown dictionary*", ["invalid: an application's dictionary", "invalid: a dictionary that differs in a byte", "invalid: a dictionary whose name differs in its *"]),
    ("with D = SHA-256 of its bytes, 16 + D[0] mod 240, then D[1], D[2], D[3]", ["valid: a dictionary whose digest begins with *", "valid: two dictionaries whose names differ in their *"]),
    ("An application MUST NOT use two dictionaries of one name", ["- `two dictionaries of one name are refused`"]),
    ("Integers, lengths, counts and tags are in their shortest form. There are no indefinite lengths", ["invalid: item: integer not shortest*", "invalid: item: * length not shortest", "invalid: item: tag not shortest", "invalid: item: indefinite *"]),
    ("A key is text, or an integer from -2^63 to 2^63 - 1. - Keys are sorted by their encoded bytes. No key is there twice", ["invalid: item: map key *", "invalid: item: *keys out of order", "invalid: item: text key before integer key"]),
    ("Floats are in the shortest of half, single and double", ["invalid: item: float not shortest*", "invalid: item: NaN *not shortest"]),
    ("The simple values are false, true and null, and no others", ["invalid: item: simple value *", "invalid: item: false in two bytes"]),
    ("Text is valid UTF-8", ["invalid: item: text *"]),
    ("A sealer MUST refuse more than 256 code points in a row of Unicode's general category M", [f'json: "e{mark * 128}"' for mark in MARKS] + [f'json: "{mark * 128 + mark[0]}"' for mark in MARKS]),
    ("An item has at most 65,536 bytes in all. - An item has at most 64 levels.", ["invalid: 65 levels*", "invalid: 6* arrays around *", "valid: 64 levels*"]),
    ("An item has only the tags of this table, with these contents", ["invalid: item: tag *"]),
    ("An opener MUST refuse an item that is not in this form, or that other bytes follow.", ["invalid: item: *", "invalid: bytes behind the item", "invalid: two items", "invalid: bytes behind the skeleton"]),
    ("for 0.0 and from 10^-4 on, read from 0 on, and never below zero", ['json: {"$date":"@0.0*', 'json: {"$date":"@1e-05"}', 'json: {"$date":"1970-01-01T00:00:00.00001Z"}', 'json: {"$date":"1969-12-31T23:59:59.5Z"}']),
    ("Digits alone after `@`, with or without a `-`, are an integer from -2^63 to 2^63 - 1 as `$int` writes it. Any other such text is refused: it is never a float.", ['json: {"$date":"@9223372036854775809"}', 'json: {"$date":"@-0"}', 'json: {"$date":"@9223372036854775808.0"}']),
    ('Each key is the view of its text or integer, so `"$5"` is text and `5` an integer', ['json: {"$map":[["$5",0]*', 'json: {"$map":[[{"$int":"5"},1]*']),
    ("One byte order mark in front does not count", ['json: \ufeff{"a":1}', 'json: \ufeff\ufeff*']),
    ("18446744073709552000 is read, 18446744073709551616 is not", ["json: 18446744073709551616", "json: 18446744073709552000.0", "json: 1e-400"]),
    ("members whose names are canonically equivalent", ['json: {"\\u00e9":1,"e\\u0301":2}', 'json: {"\\ufb01":1,"fi":2}']),
    ("`$map` takes three levels of JSON for one of §7, so the view of an item may have 193.", ['json: {"$map":[["a",{"$map":[["a",*{"$bytes":""}*']),
    ("A mantissa of zero has no `-`", ['json: {"$decimal": "-0*', 'json: {"$decimal":"-0.0"}', 'json: {"$decimal":"0.0"}', 'json: {"$decimal": "1e-0"}']),
    ("All digits and signs of the forms are ASCII", ['json: {"$int": "\\uff17"}', 'json: {"$float": " 1.0"}', 'json: {"$uuid": "00112233-4455-6677-8899-aabbccddeeff\\n"}']),
    ("Within `$float` it is read", ['json: {"$float":"18446744073709551616"}']),
    ("any `$map`, whose pairs come in any order", ['json: {"$map":[["b",1],["a",2]]}']),
    ("JSON is that of RFC 8259, in UTF-8", ["json: not UTF-8: *"]),
    ("nothing follows an entry, not even a comment", ["rings: a comment *behind *", "rings: a word *", "rings: from twice"]),
    ("A sealer whose clock is further behind cannot seal. - Software", ["rings: not-before 61 s ahead of the sealer's clock"]),
    ("A tool MUST NOT seal another session than it was given.", ["json: *"]),
    ("Software MUST refuse the whole ring if it is invalid. It MUST NOT print the secret.", ["rings: an unknown word", "rings: a good key, and one under another id", "- the words: Tests/Python/ring_safety.py"]),
    ("two different keys have one id, unless that id is revoked, on whatever line: then both are revoked.",
     ["rings: two different keys of one id*", "invalid: one of two keys of one id, revoked: *", "valid: two keys of one id, revoked, beside the key"]),
    ("A time is `YYYY-MM-DDTHH:MM:SSZ`, exactly so", ["rings: a time without Z", "rings: a day that does not exist", "rings: a year before 1583"]),
    ("MUST begin new sessions at that time", ["rings: not-before 1 s ahead of the sealer's clock", "rings: not-before 60 s ahead of the sealer's clock"]),
    ("A CR anywhere else, in a comment too, makes the ring invalid", ["rings: a CR *", "rings: two CRs *", "rings: one line with a CR between", "rings: a last CR", "rings: one line, with a CR at its end"]),
    ("So a comment makes it invalid", ["rings: one line with a comment *", "rings: one comment with a divider*"]),
    ("In a text of several lines `;` separates nothing.", ["rings: one line, and LFs too", "rings: a divider *", "rings: a comment with a divider among lines", "rings: one line behind an empty one"]),
    ("A text of one line that is a comment and holds `sck1_` is invalid as well", ["rings: a comment whose line breaks are *", "rings: a comment that is a key"]),
    ("Where all keys are pending, the one with the earliest `from` seals (of equal ones the greatest id)", ["rings: only pending keys*"]),
    ("MUST keep a key for as long as a session may live that was sealed at `until`, or when the next key's `from` came, whichever is later. It MUST keep the active key and all pending ones. Where no key is active it MUST keep all.",
     ["- `pruning keeps what a session may still need`; `pruning keeps a key for as long as its until says`"]),
    ("Software that makes such a change MUST write `until` for every key that has been active", ["- `a merge says until when the key sealed that is active no longer`"]),
    ("counts once, with the later `from` and the later `until`", ["rings: a key twice: *", "rings: a key with and without until: the until"]),
    ("`revoked` wins over a `key` line of the same id", ["rings: a revoked key does not seal", "rings: revoked before the key's line"]),
    ("A ring without a single line is a ring.", ["rings: nothing at all", "invalid: an empty ring"]),
    ("end = min(created + min(absolute, ceiling), sealed + idle)", ["valid: * ceiling*", "invalid: the ceiling, *", "invalid: a ceiling lower *", "invalid: the absolute end", "invalid: the idle end", "valid: last second", "valid: last idle second"]),
    ("Sealing a session again keeps `created`, its own lifetime if it has one, and whether it ends with the browser", ["again: created stays, *", "again: its own lifetime stays*", "again: it ends with the browser still*", "again: * later"]),
    ("Neither of the policy's holds beside them", ["valid: its own lifetime and no idle time of its own: the policy's does not hold", "valid: its own idle time, longer than the policy's", "valid: its own idle time, and the policy's absolute end is over", "again: its own lifetime stays whole, and neither of the policy's holds"]),
    ("whose session ends with the browser MUST have neither `Max-Age` nor `Expires`, in no part", ["again: it ends with the browser still*", "- all parts: `whether a session ends with the browser is its own, and stays when it is sealed again`"]),
    ("Where the old `age` is more, because another server's clock was ahead, it leaves `age` as it was", ["again: a clock * behind the one that began it*"]),
    ("A session that would not open now, with the ring of now, MUST NOT be sealed again", ["again: over since: *", "again: ended since*", "again: the key is * since*"]),
    ("A session that was created before its user's cut-off MUST be refused", ["cutoffs: *"]),
    ("A new session of that user MUST begin at the cut-off where the sealer's clock is behind it by at most 60 s", ["cutoffs: a cut-off * ahead of the sealer's clock"]),
    ("A token without a cookie MUST have a purpose", ["tokens: a token for a link", "tokens: purpose *", "tokens: sealed with neither a name nor a purpose", "- `there is no sealer without a purpose, nor with a limit that no token has`"]),
    ("A sealer or an opener with neither name nor purpose MUST NOT be made.", ["tokens: an opener with neither a name nor a purpose", "- `there is no sealer without a purpose, nor with a limit that no token has`"]),
    ("Such tokens MUST NOT be looked for in cookies. A cookie's token MUST NOT be taken for one.", ["tokens: a cookie's token *", "invalid: a token without a cookie *"]),
    ("MUST refuse a token without a cookie that is longer than its own limit", ["tokens: a character over the limit", "tokens: as long as the limit", "tokens: 2002 characters"]),
    ("Software that changes a ring file MUST put a whole new file in its place.", ["- kills, crowds and faults: Tests/Python/ring_safety.py"]),
    ("A token whose `sealed` is more than 60 s ahead of the opener's clock MUST be refused.", ["invalid: 61 s ahead", "invalid: an age of 61 s from now", "valid: 60 s ahead"]),
    ("Name and value together MUST NOT exceed 4096 bytes, the `=` not counted. An attribute's value MUST NOT exceed 1024 bytes", ["divided: *", "- the attribute: `cookies that browsers would drop are refused when the sealer is made`"]),
    ("A sealer MUST fail instead", ["divided: 4096 characters for s, up to 1", "divided: 4083 characters for __Host-session, up to 1"]),
    ("Names are compared byte by byte.", ["cookies: the name in another case", "cookies: a combining mark behind the name", "cookies: percent signs in the name"]),
    ("Blanks and tabs around a name and around a value do not count", ["cookies: blanks and tabs*", "cookies: a form feed * the name", "cookies: a line feed * the value", "cookies: a no-break space *"]),
    ("Nothing else is trimmed. - One pair of double quotes around a value is taken off. Nothing inside it is. - Nothing in a name or a value is percent-decoded.", ["cookies: percent signs *", "cookies: a percent-encoded *", "cookies: a form feed *", "cookies: a no-break space *"]),
    ("A comma does not separate pairs. `$Version` is a name like any other.", ["cookies: a comma *", "cookies: $Version is a cookie like others", "cookies: Java's form"]),
    ("the float is the nearest double. Of two that are equally near it is the one whose last bit is 0. The number is rounded once", ['json: {"$date":"1970-01-01T00:00:06.00796987690079698Z"}', 'json: {"$float":"9007199254740993"}', 'json: {"$float":"2.4703282292062327e-324"}']),
    ("The header is pairs separated by `;`.", ["cookies: a semicolon in double quotes *", "cookies: a comma *", "cookies: $Version is a cookie like others"]),
    ("The header MUST be read raw, as the browser sent it, before a framework decodes anything", ["cookies: percent signs *", "cookies: a percent-encoded *", "cookies: a comma *", "cookies: $Version is a cookie like others"]),
    ("an opener takes the first 4 that differ", ["cookies: the fourth is the session", "cookies: the fifth is not tried", "cookies: equal values count once*", "cookies: the * value of a part*", "cookies: equal parts count once"]),
    ("An opener MUST NOT try more than 16 tokens for one request.", ["cookies: * token*", "cookies: * combination*", "cookies: one of the first 16 combinations only if *", "cookies: whole values are some of the 16*"]),
    ("The i-th value, if it is the first of a split token, is tried with the i-th value of each part", ["cookies: its own parts come first*", "cookies: two split sessions*"]),
    ("Of the others, the one with the greatest `sealed` decides", ["cookies: the one sealed later*", "cookies: of equal times *", "cookies: sealed * ahead*", "cookies: an age * drops out"]),
    ("An opener MUST NOT let an older candidate take its place", ["cookies: *, an older one takes no place", "cookies: a sign-out *", "cookies: over by *"]),
    ("Where there is no candidate, the refusal is that of the first", ["cookies: of several *"]),
    ("A session that begins on a request MUST NOT have a `sealed` earlier than one second after that of what decides there under the present form, unless that has dropped out [W37]. But this rule MUST NOT put its `sealed` more than 60 s ahead", ["cookies: sealed by a clock 60 s ahead", "cookies: sealed 61 s ahead it drops out"]),
    ("Signing out MUST NOT only remove the cookie where the request has more than one value", ["removed: two values*", "removed: a value twice*"]),
    ("`sealed` MUST NOT go back", ["again: sealed last by a clock *", "again: begun and sealed last by clocks ahead"]),
    ("One whose `sealed` is later than T + 60 s MUST be refused", ["cookies: sealed 6* s after its time", "cookies: after its time*"]),
    ("A line MUST NOT expire what the response writes",
     ["removed: a former purpose", "removed: more cookies formerly*", "removed: fewer cookies formerly", "removed: the same domain in another case, with a dot in front"]),
    ("whether it allows splitting or not", ["cookies: a token that one cookie holds, at its longest", "cookies: a token too long for one cookie, in one"]),
    ("at least one, and at most 4,033 bytes", ["divided: * characters for a name of 403*", "cookies: the longest name", "valid: the longest name"]),
    ("A value may hold `=`. A pair without `=` is skipped.", ["cookies: blanks within double quotes", "cookies: a value of one lone double quote", "cookies: = in *", "cookies: a pair without ="]),
    ("A value that begins with a digit from 2 to 9 and a dot is the first of that many", ["cookies: no first part*", "cookies: the count is *", "cookies: a digit alone"]),
    ("A token of more than m × room characters is refused as *too long*. The m is the reader's, whatever n is.", ["cookies: more in two cookies than two of a sealer's hold", "cookies: a character more than two cookies hold", "cookies: an empty part"]),
    ("A writer's m MUST NOT be larger than any reader's.", ["cookies: a reader that allows *", "divided: *, up to 2"]),
    ("A token that fits into one cookie whole MUST NOT be split.", ["divided: 4095 characters for s, up to 3", "divided: 4082 characters for __Host-session, up to 2", "divided: 63 characters for s, up to 4"]),
    ("With the token a sealer MUST expire the cookies", ["divided: * a new session, of a request with the parts *", "divided: * characters for s, up to 9", "divided: 63 characters for s, up to 4", "divided: * of a request with the parts *"]),
    ("It is another sealer's if all the values that the request has under the name begin as a token, or as the first cookie of one (`2.S…`).",
     ["removed: another sealer's token*", "removed: the first cookie of *", "removed: a token of an unknown key*", "removed: another sealer's token and a part of its name*"]),
    ("A part that belongs to no session MUST NOT be by itself a reason to write", ["- `a session is written again ten times in its life at most, and never on every request`"]),
    ("A `Domain` MUST have at least two labels, each of at most 63 bytes, and at most 253 bytes in all. - Its labels MUST consist of letters, digits, `_` and inner hyphens. One dot may be in front. - It MUST NOT end in a number", ["- `a Domain is one that browsers take`"]),
    ("It ignores numbers of n and above. - It refuses more cookies than its own m, or than 1 where it does not allow splitting", ["cookies: a stale part of a longer one", "cookies: a whole token and stale parts", "cookies: a reader that allows *"]),
    ("a part is missing", ["cookies: the last part is missing", "cookies: a part in the middle is missing"]),
]


def check_rules(files: dict[str, list[dict]], show: bool) -> None:
    """Every MUST of §2 to §11 is in a rule, every rule in FORMAT.md, and every vector that a rule names is there."""
    page = re.sub(r"\s+", " ", Path(__file__).parents[2].joinpath("FORMAT.md").read_text())
    start, end = page.index("## 2. Text"), page.index("## 12. A worked example")
    left = {m.start() for m in re.finditer(r"\bMUST\b", page) if start < m.start() < end}
    for words, held in RULES:
        words = re.sub(r"\s+", " ", words)
        at = page.find(words, start, end)
        assert at >= 0, f"not in FORMAT.md: {words}"
        left -= set(range(at, at + len(words)))
        for one in held:
            name, _, pattern = one.partition(": ")
            if one.startswith("- "):
                continue
            matching = [v for v in files[name] if re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), v.get("what", v.get("json", "")), re.S)]
            assert matching, f"no vector {one}"
        if show:
            print(f"{words}\n    " + "\n    ".join(held))
    assert not left, "MUSTs without a vector: " + "; ".join(page[at - 60:at + 60] for at in sorted(left))


def check_schema() -> bool:
    """Each file of vectors by Vectors/schema.json, where Python has the package jsonschema."""
    try:
        from jsonschema import Draft202012Validator
    except ImportError:
        print("not run: the schema, for Python has no jsonschema")
        return True
    schema = json.loads((FOLDER / "schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    errors = []
    paths = sorted(path for path in FOLDER.glob("*.json") if path.name != "schema.json")
    for path in paths:
        of = Draft202012Validator(schema | {"$ref": f"#/$defs/{path.stem}"})
        errors += [f"{path.name} {error.json_path}: {error.message[:200]}" for error in of.iter_errors(json.loads(path.read_text()))]
    print("\n".join(errors[:10]) if errors else f"schema: {len(paths)} files")
    return not errors


def main() -> int:
    # Some of interop's sessions are random: the same ones each time here.
    stream = iter(range(1 << 30))
    interop.os.urandom = lambda n: b"".join(hashlib.sha256(b"bytes %d" % next(stream)).digest() for _ in range(n // 32 + 1))[:n]
    same = True
    global file, count
    files = {}
    for file, make in {"valid": valid, "invalid": invalid, "tokens": tokens, "sealed": sealed, "again": again, "cookies": cookies, "divided": divided, "removed": removed, "rings": rings, "cutoffs": cutoffs,
                       "json": views}.items():
        count = 0
        files[file] = make()
    check_rules(files, sys.argv[1:] == ["--rules"])
    about = {"valid": "tokens that open", "invalid": "tokens that are refused", "tokens": "tokens without a cookie, and what is none", "sealed": "sessions and what a sealer makes of them", "again": "sessions that are sealed again, or not", "cookies": "Cookie headers", "divided": "tokens and the cookies that carry them", "removed": "requests and the cookies that signing out expires",
             "rings": "key rings", "cutoffs": "cut-offs and what begins because of them", "json": "sessions as JSON"}
    for name, vectors in files.items():
        names = [v.get("what", v.get("json")) for v in vectors]
        assert len(set(names)) == len(names), f"{name}: {sorted(n for n in names if names.count(n) > 1)}"
        head = {"about": f"{len(vectors)} {about[name]}. Made by Tests/Python/make_vectors.py. See FORMAT.md §12.1.", "count": len(vectors), "license": "CC0-1.0"}
        text = json.dumps(head, ensure_ascii=False)[:-1] + ', "vectors": [\n' + ",\n".join(json.dumps(v, ensure_ascii=False) for v in vectors) + "\n]}\n"
        path = FOLDER / f"{name}.json"
        if sys.argv[1:] == ["--check"]:
            same = same and path.read_text() == text
        elif not sys.argv[1:]:
            path.write_text(text)
        print(f"{name}: {len(vectors)}")
    if not same:
        print("the files are not what this script writes")
    if sys.argv[1:] == ["--check"]:
        same = check_schema() and same
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
