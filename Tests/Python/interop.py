"""`interop.py PATH-OF-sealed-cookie`: tokens to and from another implementation's command line tool.

Each session of SESSIONS goes both ways; then come tokens at the edges of what must open, and tokens that must not.
What is compared is the encoded item, got by reading the other side's JSON with our own reader (§8).
"""
from __future__ import annotations

import http.cookies, json, os, subprocess, sys, tempfile, uuid, zlib
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Callable, Optional

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "Implementations" / "python"))
try:
    import sealed_cookie as sc
except ImportError as error:
    print(f"{Path(sys.argv[0]).name}: not run: Python has no {error.name}")
    sys.exit(0)
try:
    import cbor2
except ImportError:
    cbor2 = None

NOW = sc.parse_time("2026-08-03T00:00:00Z")
DAY, HOUR = 86_400, 3_600
long_text = "the quick brown fox jumps over the lazy dog; " * 20

# (label, JSON, options of both sides)
SESSIONS: list[tuple[str, str, dict[str, Any]]] = [
    ("empty map", "{}", {}), ("empty array", "[]", {}), ("empty text", '""', {}), ("null", "null", {}),
    ("booleans", "[true, false, null]", {}), ("zero", "0", {}),
    ("typical", '{"user": 4711, "name": "Ada Lovelace", "roles": ["editor", "admin"], "csrf": {"$bytes": "wP_uABEiM0RVZneImaq7zA"}}', {}),
    ("nested empties", '{"a": {}, "b": [], "c": [{}, [], [[]]], "": ""}', {}),
    ("unicode", '{"größe": "naïve – 日本語 😀", "emoji 👩‍👩‍👧": "\\u0000\\u001f\\u2028\\"\\\\/"}', {}),
    ("canonically equivalent text keys", '{"$map": [["\\u00e9", 1], ["e\\u0301", 2], [5, {"$map": []}]]}', {}),
    ("canonically equivalent text", '["\\u00e9", "e\\u0301", "\\u212b", "\\u00c5"]', {}),
    ("byte order marks, noncharacters", '["\\ufeff", "\\ufffe\\uffff", "\\ud83f\\udffe"]', {}),
    ("integer edges", "[23, 24, 255, 256, 65535, 65536, 4294967295, 4294967296, -1, -24, -25, -256, -257, -65537]", {}),
    ("64 bits", "[9223372036854775807, -9223372036854775808, 9223372036854775808, 18446744073709551615]", {}),
    ("below -2^63", '[{"$int": "-9223372036854775809"}, {"$int": "-18446744073709551616"}]', {}),
    ("beyond 64 bits", '[{"$int": "18446744073709551616"}, {"$int": "-18446744073709551617"}]', {}),
    ("128 bits", '[{"$int": "170141183460469231731687303715884105727"}, {"$int": "-170141183460469231731687303715884105728"}]', {}),
    ("129 bits with the sign", '[{"$int": "340282366920938463463374607431768211455"}, {"$int": "-340282366920938463463374607431768211456"}]', {}),
    ("integer keys", '{"$5": "five", "$0": 0, "$-1": -1, "$23": 1, "$24": 2, "$255": 3, "$256": 4, "$9223372036854775807": 5, "$-9223372036854775808": 6, "5": "text"}', {}),
    ("one integer key", '{"$5": 1}', {}),
    ("dollar keys", '{"$$bytes": 1, "$$": 2, "$$$": 3, "$$5": 4, "a$": 5, "$5": 6}', {}),
    ("one dollar key", '{"$$bytes": "AQ"}', {}),
    ("key order", '{"bb": 1, "a": 2, "aaaaaaaaaaaaaaaaaaaaaaaaaaaa": 3, "é": 4, "z": 5, "$1": 6, "$-1": 7, "$1000": 8}', {}),
    ("floats", "[1.5, -2.25, 0.1, 3.141592653589793, 1e-7, 5e-324, 2.2250738585072014e-308, 0.333251953125, 65503.5]", {}),
    ("single floats", "[0.10000000149011612, 1.1754943508222875e-38, 1.401298464324817e-45, 100000.5]", {}),
    ("half floats", "[0.5, 5.960464477539063e-08, 6.103515625e-05, 1.0009765625]", {}),
    ("whole floats", '[{"$float": "1.0"}, {"$float": "-0.0"}, {"$float": "0.0"}, {"$float": "65504.0"}, {"$float": "65505.0"}, {"$float": "1e+300"}, {"$float": "9007199254740993.0"}]', {}),
    ("infinities, NaN", '[{"$float": "inf"}, {"$float": "-inf"}, {"$float": "nan"}]', {}),
    ("other NaNs", '[{"$float": "0xfff8000000000000"}, {"$float": "0x7ff8000000000001"}, {"$float": "0x7ffc000000000000"}, {"$float": "0x7ff8000020000000"}, {"$float": "0xffffffffffffffff"}]', {}),
    ("signalling NaNs", '[{"$float": "0x7ff0000000000001"}, {"$float": "0x7ff4000000000000"}, {"$float": "0x7ff0000020000000"}]', {}),
    ("JSON numbers with fraction or exponent", "[1.0, 1e2, 1.5e1, 100e-2]", {}),
    ("JSON numbers beyond 64 bits", "[1e300, -1e25, 18446744073709552000]", {}),
    ("byte strings", '[{"$bytes": ""}, {"$bytes": "AA"}, {"$bytes": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"}]', {}),
    ("dates", '[{"$date": "2026-09-21T14:03:27Z"}, {"$date": "1970-01-01T00:00:00Z"}, {"$date": "1969-12-31T23:59:59Z"}, {"$date": "2000-02-29T00:00:00Z"}]', {}),
    ("dates with a fraction", '[{"$date": "2026-09-21T14:03:27.500000000Z"}, {"$date": "2026-09-21T14:03:27.000000001Z"}, {"$date": "2026-09-21T14:03:27.123456789012345678Z"}, {"$date": "1969-12-31T23:59:59.999999999Z"}]', {}),
    ("dates with a fraction of zero", '[{"$date": "2026-09-21T14:03:27.000000000Z"}, {"$date": "2026-09-21T14:03:27.000000000000000000Z"}]', {}),
    ("dates at the edges of RFC 3339", '[{"$date": "9999-12-31T23:59:59Z"}, {"$date": "1583-01-01T00:00:00Z"}]', {}),
    ("dates beyond RFC 3339", '[{"$date": "@253402300800"}, {"$date": "@-62167219201"}, {"$date": "@9223372036854775807"}, {"$date": "@-9223372036854775808"}]', {}),
    ("dates as floats", '[{"$date": "@1.5"}, {"$date": "@1790000000.25"}, {"$date": "@-0.5"}, {"$date": "@0.123456789"}, {"$date": "2026-08-03T00:00:00.25Z"}]', {}),
    ("dates as whole floats", '[{"$date": "@1.0"}, {"$date": "@1e+300"}]', {}),
    ("fractions beyond RFC 3339", '[{"$date": "@253402300800+500000000"}, {"$date": "@-62167219201+500000000000000000"}]', {}),
    ("UUID, URL", '[{"$uuid": "550e8400-e29b-41d4-a716-446655440000"}, {"$url": "https://example.org/a?b=c#d"}, {"$url": ""}]', {}),
    ("decimals", '[{"$decimal": "-125e-2"}, {"$decimal": "0e0"}, {"$decimal": "1e128"}, {"$decimal": "18446744073709551616e-20"}, {"$decimal": "-340282366920938463463374607431768211455e-128"}]', {}),
    ("decimals not normalized", '[{"$decimal": "100e-2"}, {"$decimal": "0e5"}]', {}),
    ("secrets", '{"token": {"$secret": "hunter2 hunter2"}, "n": {"$secret": 42}, "m": {"$secret": {"a": [1, {"$bytes": "AQID"}]}}}', {}),
    ("secrets within secrets", '{"$secret": {"$secret": {"$secret": [null, {"$uuid": "550e8400-e29b-41d4-a716-446655440000"}]}}}', {}),
    ("32 levels of arrays", "[" * 32 + "5" + "]" * 32, {}), ("64 levels", "[" * 64 + "5" + "]" * 64, {}),
    ("64 levels, the innermost an empty array", "[" * 64 + "]" * 64, {}),
    ("64 levels with secrets", '{"$secret":' * 63 + "[5]" + "}" * 63, {}),
    ("10 levels of maps", '{"a":' * 10 + "1" + "}" * 10, {}),
    ("compressible text", json.dumps({"a": long_text, "b": long_text}), {}),
    ("compressible, with byte strings between", json.dumps([[f"text text text {i}", {"$bytes": sc.b64u(os.urandom(i))}] for i in range(30)]), {}),
    ("bignums, UUIDs and secrets in a compressed body", json.dumps([["repeated text " * 4, {"$int": str(2**70 + i)}, {"$uuid": "550e8400-e29b-41d4-a716-446655440000"}, {"$secret": "repeated text"}] for i in range(8)]), {}),
    ("item of 20,000 bytes that compresses", json.dumps("ab" * 10_000), {}),
    ("item of 65,536 bytes", json.dumps("x" * 65_533), {}),
    ("incompressible", json.dumps({"b": {"$bytes": sc.b64u(os.urandom(2000))}}), {}),
    ("token of 63 characters", "0", {"name": "s"}),
    ("purpose", '{"a": 1}', {"purpose": "login"}), ("purpose in Unicode", '{"a": 1}', {"purpose": "zurück – 戻る"}),
    ("name", '{"a": 1}', {"name": "sid"}), ("name with marks", '{"a": 1}', {"name": "__Secure-a.b_c~!#$%&'*+^`|"}),
    ("name and purpose", '{"a": 1}', {"name": "x", "purpose": "y"}),
    ("own lifetime", '{"a": 1}', {"own": (30 * DAY, 0)}), ("own lifetime of 127 h, and idle time", '{"a": 1}', {"own": (127 * HOUR, 9 * HOUR)}),
    ("own lifetime, compressed", json.dumps([long_text, {"$bytes": "AQID"}]), {"own": (400 * DAY, 30 * DAY)}),
    ("own lifetime beyond the ceiling", '{"a": 1}', {"own": (4000 * DAY, 0)}),
    ("ends with the browser", '{"a": 1}', {"marks": sc.ENDS_WITH_BROWSER}), ("ends with the browser, own lifetime", '{"a": 1}', {"marks": sc.ENDS_WITH_BROWSER, "own": (DAY, HOUR)}),
    ("another time", '{"a": 1}', {"at": sc.parse_time("2100-01-01T12:34:56Z")}),
    ("time 0", '{"a": 1}', {"at": 0}), ("last time of 32 bits", '{"a": 1}', {"at": 2**32 - 1}),
]


# The tool's words for a refusal, if they differ from the table in §5.2.
WORDS = {"unknown key": "no key", "revoked key": "is revoked", "malformed payload": "malformed"}


class Tool:
    """The other implementation."""

    def __init__(self, path: str, folder: Path) -> None:
        self.path, self.folder = path, folder

    def run(self, *args: str, stdin: str = "") -> tuple[int, str, str]:
        p = subprocess.run([self.path, *args], input=stdin.encode(), capture_output=True, timeout=60)
        return p.returncode, p.stdout.decode("utf-8", "replace"), p.stderr.decode("utf-8", "replace")

    def ring(self, text: str) -> str:
        path = self.folder / f"ring-{len(list(self.folder.iterdir()))}"
        path.touch(mode=0o600)
        path.write_text(text)
        return str(path)

    def seal(self, ring: str, text: str, name: str = "s", purpose: str = "", own: Optional[tuple[int, int]] = None,
             marks: int = 0, at: int = NOW) -> tuple[int, str, str]:
        more = ["--purpose", purpose] if purpose else []
        if own is not None:
            more += ["--own-lifetime", duration(own[0])] + (["--own-idle", duration(own[1])] if own[1] else [])
        if marks:
            more += ["--ends-with-browser"]
        more += ["--item-limit", str(sc.MAX_ITEM)]
        code, out, err = self.run("seal", "-k", self.ring(ring), "-n", name, "--at", sc.format_time(at), *more, stdin=text)
        return code, out.strip(), err

    def open(self, ring: str, token: str, name: str = "s", purpose: str = "", at: int = NOW, absolute: int = 14 * DAY,
             idle: Optional[int] = None, ceiling: Optional[int] = None) -> tuple[int, str, str]:
        more = ["--purpose", purpose] if purpose else []
        if ceiling is not None:
            more += ["--ceiling", duration(ceiling)]
        if idle is not None:
            more += ["--idle", duration(idle)]
        return self.run("open", "-k", self.ring(ring), "-n", name, "--at", sc.format_time(at),
                        "--absolute", duration(absolute), *more, stdin=token)


def duration(seconds: int) -> str:
    return next(f"{seconds // size}{unit}" for unit, size in (("d", DAY), ("h", HOUR), ("s", 1)) if seconds % size == 0)


def cbor2_item(data: bytes) -> bytes:
    """The item again, by way of cbor2's values. Tags 24, 32, 37 and 1001 are left to it as it knows them."""
    def ours(x: Any) -> Any:
        if isinstance(x, bool) or x is None or isinstance(x, (int, str, bytes)):
            return x
        if isinstance(x, float):
            return sc.Float.of(x)
        if isinstance(x, (list, tuple)):
            return [ours(e) for e in x]
        if isinstance(x, Mapping):
            return {k: ours(v) for k, v in x.items()}
        if isinstance(x, cbor2.CBORTag):
            return sc.Tag(24, ours(cbor2.loads(x.value))) if x.tag == 24 else sc.Tag(x.tag, ours(x.value))
        if isinstance(x, datetime):
            return sc.Tag(1, int(x.timestamp()))
        if isinstance(x, uuid.UUID):
            return sc.Tag(37, x.bytes)
        if isinstance(x, Decimal):
            sign, digits, exponent = x.as_tuple()
            return sc.Tag(4, [exponent, int("".join(map(str, digits))) * (-1 if sign else 1)])
        raise ValueError(type(x))
    return sc.encode_item(ours(cbor2.loads(data)))


# Tagged items that have 65 levels with this many arrays around them, and 64 with one array fewer.
TOO_DEEP = [
    (64, "a UUID", "d82550" + "00" * 16), (64, "a URL", "d8206161"), (64, "a date", "c101"), (64, "a bignum", "c249010000000000000000"), (64, "a negative bignum", "c349010000000000000000"),
    (64, "a secret", "d8184101"), (63, "an array within a secret", "d8184180"), (63, "a UUID within a secret", "d81853d82550" + "00" * 16), (63, "a date with nanoseconds", "d903e9a201012801"),
    (63, "a decimal", "c4820001"), (62, "a decimal with a bignum", "c48200c249010000000000000000"),
]


def fixed_block(literals: bytes, *references: tuple[int, int]) -> bytes:
    """A DEFLATE stream of one block with the fixed codes: bytes below 144, then copies of (3 to 10 bytes, so far back)."""
    bits = "1" + "10"       # the last; numbers stand from their lowest bit, codes from their highest

    def code(value: int, size: int) -> str:
        return f"{value:0{size}b}"
    for byte in literals:
        assert byte < 144
        bits += code(0x30 + byte, 8)
    for length, back in references:
        bits += code(length - 2, 7)
        if back < 5:
            bits += code(back - 1, 5)
        else:
            extra = (back - 1).bit_length() - 2
            bits += code(2 * extra + 2 + ((back - 1) >> extra & 1), 5) + "".join(reversed(code((back - 1) & (1 << extra) - 1, extra)))
    bits += "0" * 7
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[i:i + 8][::-1], 2) for i in range(0, len(bits), 8))


def malformed(good: bytes) -> list[tuple[str, bytes]]:
    """Authentic payloads that must be refused at step 8. `good` is some item."""
    created = NOW.to_bytes(4, "big")
    start = created + b"\x00"
    h = bytes.fromhex
    item = lambda text: b"\x00" + start + h(text)

    def packed(skeleton: str | bytes, contents: str = "", flags: int = 1) -> bytes:
        return bytes([flags]) + start + sc.deflate(h(skeleton) if isinstance(skeleton, str) else skeleton) + h(contents)
    level = lambda n, leaf: b"\x81" * n + leaf
    stream = sc.deflate(b"\x82\x41\x63abc")
    zipped = zlib.compress(b"\x63abc")
    cases = [(f"unknown flag bit {b}", bytes([1 << b]) + start + good) for b in range(6, 8)]
    cases += [
        ("a dictionary for a body that is not compressed", b"\x08" + start + b"\x01" + good),
        ("a dictionary's name that ends early", b"\x09" + start + b"\x20\x00"),
        ("a dictionary's name that ends early, padding behind it", b"\x0d" + start + b"\x20\x00\x80\x00\x00\x00"),
        ("padding without 0x80", b"\x04" + start + good + b"\x00\x00"),
        ("padding that ends in another byte", b"\x04" + start + good + b"\x80\x00\x01"),
        ("padding of another byte than 0x80", b"\x04" + start + good + b"\x01"), ("padding of 0x81", b"\x04" + start + good + b"\x81\x00"),
        ("padding of two bytes 0x80", b"\x04" + start + good + b"\x80\x80"), ("padding of two bytes 0x80, a zero between", b"\x04" + start + good + b"\x80\x00\x80\x00"),
        ("padding flag, no padding", b"\x04" + start + b"\x01"),
        ("padding of zero bytes alone", b"\x04" + bytes(20)),
        ("padding that leaves no body", b"\x04" + start + b"\x80\x00\x00"),
        ("padding behind the item, no flag", b"\x00" + start + good + b"\x80\x00"),
        ("age in a longer spelling", b"\x00" + created + b"\x80\x00" + good),
        ("age in a longer spelling of 1", b"\x00" + created + b"\x81\x80\x00" + good),
        ("age of 2^32", b"\x00" + created + b"\x80\x80\x80\x80\x10" + good),
        ("age of six bytes", b"\x00" + created + b"\x80\x80\x80\x80\x80\x01" + good),
        ("age that does not end", b"\x00" + created + b"\x80\x80"),
        ("lifetime of zero", b"\x02" + start + b"\x00\x00" + good),
        ("lifetime of zero, with an idle time", b"\x02" + start + b"\x00\x01" + good),
        ("lifetime in a longer spelling", b"\x02" + start + b"\xff\x00\x00" + good),
        ("lifetime of 2^32", b"\x02" + start + b"\x80\x80\x80\x80\x10\x00" + good),
        ("lifetime of six bytes", b"\x02" + start + b"\x80\x80\x80\x80\x80\x01\x00" + good),
        ("own idle time of 0 in a longer spelling", b"\x02" + start + b"\x01\x80\x00" + good),
        ("own idle time of 1 in a longer spelling", b"\x02" + start + b"\x01\x81\x00" + good),
        ("own idle time of 2^32", b"\x02" + start + b"\x01\x80\x80\x80\x80\x10" + good),
        ("own idle time of six bytes", b"\x02" + start + b"\x01\x80\x80\x80\x80\x80\x01" + good),
        ("own idle time that does not end", b"\x02" + start + b"\x01\x80\x80"),
        ("own lifetime, and no idle time behind it", b"\x02" + start + b"\x80\xa3\x05" + good),
        ("signed out, and another item", b"\x20" + start + good),
        *[(f"signed out, and the item {text}", b"\x20" + start + h(text)) for text in ("f5", "f4", "00", "a0", "80", "40", "81f6", "d818 41f6", "f6f6", "f7")],
        ("signed out, compressed", b"\x21" + start + sc.deflate(b"\xf6")),
        ("signed out, compressed with a dictionary", b"\x29" + start + b"\x01" + sc.deflate(b"\xf6", sc.STANDARD)),
        ("signed out, and padding that leaves no body", b"\x24" + start + b"\x80\x00"),
        ("bytes behind the item", b"\x00" + start + good + b"\x00"),
        ("two items", b"\x00" + start + good + good),
        ("contents that end early", packed("43", "0102")), ("contents left over", packed("43", "01020304")),
        ("contents left over, no byte string", packed("01", "ff")),
        ("byte string of 2^63 bytes in the skeleton", packed("5b8000000000000000", "01")),
        ("text of 2^64 - 1 bytes in the skeleton", packed("7bffffffffffffffff", "01")),
        ("array of 2^64 - 1 in the skeleton", packed("9bffffffffffffffff")),
        ("map of 2^63 in the skeleton", packed("bb8000000000000000")),
        ("bytes behind the skeleton", packed("0101")), ("empty skeleton", packed("")),
        ("skeleton that ends early", packed("8201")), ("indefinite byte string in the skeleton", packed("5f4101ff", "aa")),
        ("length in a longer form in the skeleton", packed("5801", "aa")),
        ("broken stream", b"\x01" + start + b"\xff\xff\xff\xff"), ("stream cut off", b"\x01" + start + sc.deflate(b"\x78\x40" + b"abcdefgh" * 8)[:-3]),
        ("stream with a zlib wrapper", b"\x01" + start + zipped),
        ("a reference before the start, without a dictionary", b"\x01" + start + fixed_block(b"\x64a", (3, 3))),
        ("a reference before the standard dictionary", b"\x09" + start + b"\x01" + fixed_block(b"\x64a", (3, 2 + len(sc.STANDARD) + 1))),
        ("a reference far before the start", b"\x01" + start + fixed_block(b"\x64a", (3, 32_768))),
        ("stream without a final block", b"\x01" + start + b"\x00\x01\x00\xfe\xff\x01"),
        ("byte string's content left in the stream", b"\x01" + start + stream),
        ("skeleton of 65,537 bytes", packed(b"\x79\xff\xfe" + b"x" * 65_534)),
        ("bomb of 2 MB", packed(b"\x7a" + (2_000_000).to_bytes(4, "big") + b"x" * 2_000_000)),
        ("item of more than 65,536 bytes, skeleton of fewer", packed(b"\x82\x79\xff\xf4" + b"x" * 65_524 + b"\x4c", "00" * 12)),
        ("65 levels", b"\x00" + start + level(65, b"\x05")), ("200 levels", b"\x00" + start + level(200, b"\x05")),
        ("3,000 levels", b"\x00" + start + level(2_900, b"\x05")),
        ("65,000 levels, compressed", packed(level(65_000, b"\x05"))),
        ("65 levels, the innermost an empty array", b"\x00" + start + level(65, b"\x80")),
        ("65 levels of tag 24 in one another", b"\x00" + start + nested_secret(65)),
        ("65 levels of maps", b"\x00" + start + b"\xa1\x00" * 65 + b"\x05"), ("65 levels, the innermost an empty map", b"\x00" + start + level(64, b"\xa0")),
    ]
    cases += [(f"{n} arrays around {what}", b"\x00" + start + level(n, h(text))) for n, what, text in TOO_DEEP]
    for label, text in (
            ("integer not shortest", "1817"), ("integer not shortest, 2 bytes", "1900ff"), ("integer not shortest, 8 bytes", "1b00000000ffffffff"),
            ("integer not shortest, 4 bytes", "1a0000ffff"), ("map key true", "a1f501"), ("map key false", "a1f401"), ("map key an array", "a1810101"), ("map key a UUID", "a1d82550" + "00" * 16 + "01"),
            ("tag 1 below -2^63", "c13b8000000000000000"), ("tag 1 on true", "c1f5"), ("tag 4 with an exponent of 2^63", "c4821b800000000000000001"), ("tag 4 with an exponent below -2^63", "c4823b800000000000000001"),
            ("tag 4 with a mantissa of true", "c48200f5"), ("tag 4 with an exponent of false", "c482f401"), ("tag 4 with a mantissa of text", "c482006131"), ("tag 4 on a map", "c4a10001"),
            ("tag 1001, seconds below -2^63", "d903e9a2013b80000000000000002801"), ("tag 1001, seconds true", "d903e9a201f52801"), ("tag 1001, n a float", "d903e9a2010128f93e00"), ("tag 1001, n true", "d903e9a2010128f5"),
            ("tag 1001 with key 4 for 1", "d903e9a204012801"), ("tag 1001 with key 0 for 1", "d903e9a200012801"), ("tag 1001 with -9 and -18", "d903e9a228013101"), ("tag 1001 on an array", "d903e98401012801"),
            ("negative integer not shortest", "3800"), ("text length not shortest", "780161"), ("array length not shortest", "980101"),
            ("map length not shortest", "b801 0101"), ("tag not shortest", "d80100"), ("indefinite array", "9f01ff"), ("indefinite map", "bf0101ff"),
            ("indefinite text", "7f6161ff"), ("indefinite bytes", "5f4161ff"), ("break alone", "ff"), ("reserved head", "1c"),
            ("map keys out of order", "a2616201616101"), ("map key twice", "a2616101616102"), ("integer keys out of order", "a220010101"),
            ("text key before integer key", "a26161010101"), ("map key of bytes", "a1416101"), ("map key of a float", "a1f93e0001"), ("map key null", "a1f601"),
            ("map key beyond 2^63 - 1", "a11b800000000000000001"), ("map key below -2^63", "a13b800000000000000001"), ("map key a bignum", "a1c24901000000000000000001"),
            ("map without its last value", "a10101 01".replace(" ", "")[:4]), ("float not shortest, single", "fa3fc00000"), ("float not shortest, double", "fb3ff8000000000000"),
            ("NaN not shortest", "fa7fc00000"), ("NaN with payload not shortest", "fb7ff8000020000000"), ("simple value undefined", "f7"), ("simple value 0", "e0"), ("simple value 255", "f8ff"),
            ("false in two bytes", "f814"), ("text that is not UTF-8", "61ff"), ("text with a surrogate", "63eda080"), ("text with an overlong form", "62c080"), ("text beyond U+10FFFF", "64f4908080"),
            ("tag 0", "c074323032362d30382d30335430303a30303a30305a"), ("tag 5", "c5820101"), ("tag 55799", "d9d9f701"), ("tag 1 on text", "c16131"), ("tag 1 beyond 64 bits", "c11b8000000000000000"),
            ("tag 1 on a bignum", "c1c249010000000000000000"), ("tag 2 of 8 bytes", "c248ffffffffffffffff"), ("tag 2 with a zero first", "c24900ffffffffffffffff"), ("tag 3 of 8 bytes", "c348ffffffffffffffff"),
            ("tag 2 of 17 bytes", "c251" + "ff" * 17), ("tag 2 empty", "c240"), ("tag 4 with a float", "c48200f93e00"), ("tag 4 with three", "c483000101"),
            ("tag 4 with a bignum exponent", "c482c24901000000000000000001"), ("tag 24 on text", "d8186101"), ("tag 24, empty", "d81840"), ("tag 24, two items", "d818420101"), ("tag 24, not deterministic", "d818421817"),
            ("tag 24, tag not allowed", "d81842c001"), ("tag 32 on bytes", "d8204161"), ("tag 37 of 15 bytes", "d8254f" + "00" * 15), ("tag 37 of 17 bytes", "d82551" + "00" * 17), ("tag 37 on text", "d82570" + "61" * 16),
            ("tag 1001, second key missing", "d903e9a10101"), ("tag 1001 with key -3", "d903e9a201012201"), ("tag 1001, n of 10^9", "d903e9a20101281a3b9aca00"), ("tag 1001, n of 10^18", "d903e9a20101311b0de0b6b3a7640000"),
            ("tag 1001, n negative", "d903e9a201012820"), ("tag 1001, seconds a float", "d903e9a201f93e002801"), ("tag 1001 with three keys", "d903e9a3010128013101"), ("tag 1001, seconds of 2^63", "d903e9a2011b80000000000000002801")):
        cases.append(("item: " + label, item(text)))
    return cases


def nested_secret(n: int) -> bytes:
    data = b"\x05"
    for _ in range(n):
        data = b"\xd8\x18" + sc.head(2, len(data)) + data
    return data


def run(path: str) -> int:
    passed, failed = 0, 0

    def check(label: str, ok: bool, detail: str = "") -> None:
        nonlocal passed, failed
        passed, failed = passed + bool(ok), failed + (not ok)
        if not ok:
            print(f"FAILED {label}: {detail.strip()[:300]}")

    def guarded(label: str, f: Callable[[], Any]) -> Any:
        """f's value; an exception is a failure of this one check."""
        try:
            return f()
        except Exception as e:
            check(label, False, f"{type(e).__name__}: {e}")
            return None

    with tempfile.TemporaryDirectory() as folder:
        tool = Tool(path, Path(folder))
        key, other = sc.new_key(), sc.new_key()
        text = sc.key_line(key)
        ring = sc.Ring.parse(text.encode())
        used_compression = {True: 0, False: 0}
        if not cbor2:
            print("not run: the items through cbor2, which Python does not have")

        def payload_token(payload: bytes, name: str = "s", purpose: str = "", k: bytes = key) -> str:
            return sc._seal_payload(k, payload, name, purpose, os.urandom(20))

        def same(label: str, item: bytes, answer: tuple[int, str, str]) -> None:
            code, out, err = answer
            if code != 0:
                return check(label, False, f"exit {code}: {err}")
            try:
                got = sc.encode_item(sc.from_json(out))
            except ValueError as e:
                return check(label, False, f"their JSON is not ours to read: {e}: {out[:200]}")
            check(label, got == item, f"item {item.hex()[:120]}, got back {got.hex()[:120]} from {out[:120]}")

        # 1. sessions, both ways
        for label, session, options in SESSIONS:
            item = sc.encode_item(sc.from_json(session))
            common = {k: options[k] for k in ("name", "purpose") if k in options}
            common.setdefault("name", "s")
            at = options.get("at", NOW)
            fields = {"own": options.get("own"), "marks": options.get("marks", 0)}
            for pad in (None, 64):
                if pad and len(item) > 1000:
                    continue
                what = f"to the tool{', padded' if pad else ''}: {label}"
                token = guarded(what, lambda: sc.seal(ring, item, now=at, pad=pad, **fields, **common))
                if token:
                    same(what, item, guarded(what, lambda: tool.open(text, token, at=at, **common)) or (-1, "", "no answer"))
            what = f"from the tool: {label}"

            def back() -> None:
                code, token, err = tool.seal(text, session, at=at, **fields, **common)
                if code != 0:
                    return check(what, False, f"seal: exit {code}: {err}")
                p = sc.open_token(ring, token, now=at, absolute=1, **common)
                ok = p.item == item and p.created == at and p.age == 0 and {"own": p.own, "marks": p.marks} == fields
                check(what, ok, f"item {item.hex()[:120]}, got {p}"[:300])
                # Except what Python's own types cannot represent: NaNs, which are one there, and times as datetime.
                if cbor2 and label not in ("other NaNs", "signalling NaNs", "decimals", "decimals not normalized") and ("dates" not in label or label == "dates"):
                    check(f"cbor2 reads {label}", cbor2_item(p.item) == item, cbor2_item(p.item).hex())
                data = sc.b64u_strict(token)
                plain = sc.xaes_open(key, sc.nonce_of(data[4:24]), data[24:], sc.associated_data(data[:4], common["name"], common.get("purpose", "")))
                used_compression[bool(plain[0] & 1)] += 1
                ours = sc.encode_payload(p)
                # A sealer need not try every way, but the other ways save only a byte or two.
                check(f"{what}: as short as any way makes it", len(plain) - len(ours) <= 3, f"{len(plain)} bytes, ours {len(ours)}")
            guarded(what, back)

        # 2. a compressed body that is longer than the uncompressed one, an aged token, other deflaters: all must open
        item = sc.encode_item({"user": 7, "k": b"\x01\x02\x03"})
        skeleton, contents = sc.split_item(item)
        aged = sc.seal(ring, item, now=NOW + 5 * DAY, created=NOW, name="s")
        start = NOW.to_bytes(4, "big") + b"\x00"
        stored = zlib.compressobj(0, zlib.DEFLATED, -15)
        stored_body = stored.compress(skeleton) + stored.flush() + b"".join(contents)
        flushed = zlib.compressobj(9, zlib.DEFLATED, -15)
        flushed_body = flushed.compress(skeleton[:3]) + flushed.flush(zlib.Z_FULL_FLUSH) + flushed.compress(skeleton[3:]) + flushed.flush() + b"".join(contents)
        later = lambda seconds, k=key: sc.key_line(k, NOW + seconds)
        accept: list[tuple[str, str, str, dict[str, Any]]] = [
            ("compressed body longer than the item", text, payload_token(b"\x01" + start + sc.deflate(skeleton) + b"".join(contents)), {}),
            ("stored DEFLATE block", text, payload_token(b"\x01" + start + stored_body), {}),
            ("flushed DEFLATE stream", text, payload_token(b"\x01" + start + flushed_body), {}),
            ("padding of one byte", text, payload_token(b"\x04" + start + item + b"\x80"), {}),
            ("padding of 2,000 bytes", text, payload_token(b"\x04" + start + item + b"\x80" + bytes(1999)), {}),
            ("padding behind an item that ends in 0x80 00", text, payload_token(b"\x04" + start + bytes.fromhex("428000") + b"\x80\x00"), {}),
            ("compressed, lifetime and padding", text, payload_token(b"\x17" + start + b"\x80\xa3\x05\x90\x1c" + sc.deflate(skeleton) + b"".join(contents) + b"\x80\x00"), {}),
            ("60 s ahead", text, sc.seal(ring, item, now=NOW + 60, name="s"), {}),
            ("last second of absolute", text, sc.seal(ring, item, now=NOW, name="s"), {"at": NOW + DAY - 1, "absolute": DAY}),
            ("last second of idle", text, sc.seal(ring, item, now=NOW, name="s"), {"at": NOW + HOUR - 1, "idle": HOUR}),
            ("idle counts from the last sealing", text, aged, {"at": NOW + 5 * DAY + HOUR - 1, "idle": HOUR}),
            ("own lifetime beyond the policy", text, sc.seal(ring, item, now=NOW, name="s", own=(30 * DAY, 0)), {"at": NOW + 20 * DAY, "absolute": DAY}),
            ("own lifetime, and neither of the policy's", text, sc.seal(ring, item, now=NOW, name="s", own=(30 * DAY, 20 * DAY)), {"at": NOW + 20 * DAY - 1, "absolute": DAY, "idle": HOUR}),
            ("last second of the ceiling", text, sc.seal(ring, item, now=NOW, name="s", own=(30 * DAY, 0)), {"at": NOW + 3 * DAY - 1, "ceiling": 3 * DAY}),
            ("own lifetime beyond 400 days, under such a ceiling", text, sc.seal(ring, item, now=NOW, name="s", own=(4000 * DAY, 0)), {"at": NOW + 4000 * DAY - 1, "ceiling": 5000 * DAY}),
            ("ends with the browser, which openers do not judge by", text, sc.seal(ring, item, now=NOW, name="s", marks=sc.ENDS_WITH_BROWSER), {"at": NOW + 14 * DAY - 1}),
            ("age of 2^32 - 1 from time 0, nothing wraps", text, payload_token(b"\x02" + bytes(4) + b"\xff\xff\xff\xff\x0f" * 3 + item), {"at": 2**32 - 61, "ceiling": 2**32 - 1}),
            ("not-before of that very second", text + f"not-before {sc.format_time(NOW)}\n", sc.seal(ring, item, now=NOW, name="s"), {}),
            ("ring on one line", "revoked 000001; " + text.strip() + ";", sc.seal(ring, item, now=NOW, name="s"), {}),
            ("pending key opens", later(DAY), sc.seal(ring, item, now=NOW, name="s"), {}),
            ("ring with CR, tabs and comments", "\r\n# c\r\n\t key\t" + text.strip().split(" ", 1)[1].replace(" ", " \t ") + " \r\n\r\n", sc.seal(ring, item, now=NOW, name="s"), {}),
            ("ring with the key twice", text + later(DAY) + text, sc.seal(ring, item, now=NOW, name="s"), {}),
            ("ring without a last LF", text.rstrip("\n"), sc.seal(ring, item, now=NOW, name="s"), {}),
            ("another key revoked", text + f"revoked {sc.key_id(other)}\n" + sc.key_line(other), sc.seal(ring, item, now=NOW, name="s"), {}),
            ("token of 4,095 characters beside a name of one", text, payload_token(b"\x04" + start + item + b"\x80" + bytes(3031 - 6 - len(item) - 1)), {}),
        ]
        for label, ring_text, token, options in accept:
            what = "to the tool, must open: " + label
            opened = guarded(what, lambda: sc.open_token(sc.Ring.parse(ring_text.encode()), token, **{"name": "s", "now": options.get("at", NOW), **{k: v for k, v in options.items() if k != "at"}}))
            if opened:
                same(what, opened.item, guarded(what, lambda: tool.open(ring_text, token, **options)) or (-1, "", "no answer"))

        # 3. refusals of our tokens by the tool
        good = sc.seal(ring, item, now=NOW, name="s")
        raw = sc.b64u_strict(good)

        def flipped(byte: int, bit: int = 0) -> str:
            data = bytearray(raw)
            data[byte] ^= 1 << bit
            return sc.b64u(bytes(data))
        ended = text + f"not-before {sc.format_time(NOW + 1)}\n"
        revoked = text + f"revoked {sc.key_id(key)}\n"
        slack = next(sc.b64u_strict(t) and t for t in (payload_token(b"\x00" + start + sc.encode_item("x" * n)) for n in range(1, 9)) if len(t) % 4 == 2)
        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        refuse: list[tuple[str, str, str, str, dict[str, Any]]] = [
            *[(f"bit flipped in byte {b}", "not authentic", text, flipped(b), {}) for b in (4, 11, 12, 23, 24, -17, -16, -1)],
            ("highest bit of the tag", "not authentic", text, flipped(-16, 7), {}),
            ("bit flipped in the version", "unknown version", text, flipped(0), {}), ("bit flipped in the key id", "unknown key", text, flipped(3), {}),
            ("other name", "not authentic", text, good, {"name": "t"}), ("name in capitals", "not authentic", text, good, {"name": "S"}),
            ("other purpose", "not authentic", text, good, {"purpose": "p"}),
            ("purpose left out", "not authentic", text, sc.seal(ring, item, now=NOW, name="s", purpose="p"), {}),
            ("name and purpose moved", "not authentic", text, sc.seal(ring, item, now=NOW, name="sp", purpose="q"), {"name": "s", "purpose": "pq"}),
            ("unknown key", "unknown key", sc.key_line(other), good, {}), ("empty ring", "unknown key", "", good, {}),
            ("revoked key", "revoked key", revoked, good, {}), ("revoked, the key gone", "revoked key", f"revoked {sc.key_id(key)}\n", good, {}),
            ("revoked goes before not authentic", "revoked key", revoked, flipped(-1), {}),
            ("other key's ciphertext under this id", "not authentic", text, sc.b64u(raw[:4] + sc.b64u_strict(sc.seal(sc.Ring.parse(sc.key_line(other).encode()), item, now=NOW, name="s"))[4:]), {}),
            ("absolute end", "expired", text, good, {"at": NOW + DAY, "absolute": DAY}), ("idle end", "expired", text, good, {"at": NOW + HOUR, "idle": HOUR}),
            ("absolute end in spite of a new sealing", "expired", text, aged, {"at": NOW + 5 * DAY, "absolute": 5 * DAY}),
            ("end of its own lifetime", "expired", text, sc.seal(ring, item, now=NOW, name="s", own=(HOUR, 0)), {"at": NOW + HOUR}),
            ("end of its own idle time", "expired", text, sc.seal(ring, item, now=NOW, name="s", own=(30 * DAY, HOUR)), {"at": NOW + HOUR, "idle": DAY}),
            ("the ceiling ends a session with its own lifetime", "expired", text, sc.seal(ring, item, now=NOW, name="s", own=(4000 * DAY, 0)), {"at": NOW + 400 * DAY}),
            ("signed out", "signed out", text, sc.seal_ended(ring, now=NOW, name="s"), {}),
            ("signed out goes before expired", "signed out", text, sc.seal_ended(ring, now=NOW, name="s"), {"at": NOW + 20 * DAY}),
            ("signed out goes before ended", "signed out", ended, sc.seal_ended(ring, now=NOW, name="s"), {}),
            ("in the future goes before signed out", "in the future", text, sc.seal_ended(ring, now=NOW + 61, name="s"), {}),
            ("61 s ahead", "in the future", text, sc.seal(ring, item, now=NOW + 61, name="s"), {}),
            ("created now, age of 61 s", "in the future", text, sc.seal(ring, item, now=NOW + 61, created=NOW, name="s"), {}),
            ("created + age beyond 2^32", "in the future", text, payload_token(b"\x00" + b"\xff\xff\xff\xff" + b"\xff\xff\xff\xff\x0f" + item), {}),
            ("not-before", "ended", ended, good, {}), ("the latest not-before holds", "ended", ended + "not-before 2020-01-01T00:00:00Z\n", good, {}),
            ("ended, though sealed again", "ended", text + f"not-before {sc.format_time(NOW + DAY)}\n", aged, {"at": NOW + 5 * DAY}),
            ("expired goes before ended", "expired", ended, good, {"at": NOW + 20 * DAY}),
            ("malformed goes before expired", "malformed payload", text, payload_token(b"\x08" + start + item), {"at": NOW + 20 * DAY}),
            ("with =", "not base64url", text, good + "=", {}), ("blank within", "not base64url", text, good[:30] + " " + good[30:], {}),
            ("plus sign", "not base64url", text, good[:30] + "+" + good[31:], {}), ("slash", "not base64url", text, good[:30] + "/" + good[31:], {}),
            ("letter beyond ASCII", "not base64url", text, good[:30] + "é" + good[31:], {}), ("length of 1 modulo 4", "not base64url", text, "S" * 65, {}),
            ("bits after the last byte", "not base64url", text, slack[:-1] + alphabet[alphabet.index(slack[-1]) + 1], {}),
            ("46 bytes", "too short", text, sc.b64u(raw[:46]), {}), ("empty", "too short", text, "", {}),
            ("cut off by one byte", "not authentic", text, sc.b64u(raw[:-1]), {}), ("one byte more", "not authentic", text, sc.b64u(raw + b"\x00"), {}),
            ("too long", "too long", text, payload_token(b"\x04" + start + item + b"\x80" + bytes(3032 - 6 - len(item) - 1)), {}),
            ("too long for this name", "too long", text, payload_token(b"\x04" + start + item + b"\x80" + bytes(3031 - 6 - len(item) - 1), name="sixteen-letters-"), {"name": "sixteen-letters-"}),
            *[(label, "malformed payload", text, payload_token(payload), {}) for label, payload in malformed(item)],
        ]
        for label, words, ring_text, token, options in refuse:
            what = "to the tool, must refuse: " + label
            ours = {"name": "s", "now": options.get("at", NOW), **{k: v for k, v in options.items() if k != "at"}}
            try:        # our own opener must give the refusal that the table asks for
                sc.open_token(sc.Ring.parse(ring_text.encode()), token, **ours)
                check("we must refuse: " + label, False, "opened")
            except sc.Refused as e:
                check("we must refuse: " + label, str(e).startswith(words), str(e))
            answer = guarded(what, lambda: tool.open(ring_text, token, **options))
            if answer:
                code, out, err = answer
                keys = sc.Ring.parse(ring_text.encode())
                if not set(keys.keys) - keys.revoked:       # no server begins with such a ring, and the tool neither
                    check(what, code == 1 and not out.strip() and "contains no key" in err, f"exit {code}, stdout {out[:80]!r}, stderr {err[:150]!r}")
                    continue
                check(what, code == 3 and not out.strip() and bool(err.strip()), f"exit {code}, stdout {out[:80]!r}, stderr {err[:150]!r}")
                check(f"{what}: {words}", WORDS.get(words, words) in err, err)

        # 4. refusals of the tool's tokens by us
        code, theirs, err = guarded("from the tool", lambda: tool.seal(text, '{"user": 7, "k": {"$bytes": "AQID"}}')) or (-1, "", "")
        check("from the tool: a token to spoil", code == 0, err)
        if code == 0:
            data = sc.b64u_strict(theirs)

            def spoil(at: int) -> str:
                return sc.b64u(data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1:])
            cases: list[tuple[str, type, str, str, dict[str, Any]]] = [
                *[(f"flipped byte {b}", sc.NotAuthentic, text, spoil(b), {}) for b in (4, 15, 24, len(data) - 17, len(data) - 1)],
                ("version", sc.UnknownVersion, text, spoil(0), {}), ("key id", sc.UnknownKey, text, spoil(1), {}),
                ("other name", sc.NotAuthentic, text, theirs, {"name": "t"}), ("other purpose", sc.NotAuthentic, text, theirs, {"purpose": "p"}),
                ("expired", sc.Expired, text, theirs, {"now": NOW + 14 * DAY}), ("idle", sc.Expired, text, theirs, {"now": NOW + HOUR, "idle": HOUR}),
                ("future", sc.InTheFuture, text, theirs, {"now": NOW - 61}), ("revoked", sc.RevokedKey, revoked, theirs, {}),
                ("not-before", sc.Ended, ended, theirs, {}), ("unknown key", sc.UnknownKey, sc.key_line(other), theirs, {}),
                ("padding character", sc.NotBase64URL, text, theirs + "=", {}), ("blank", sc.NotBase64URL, text, " " + theirs, {}),
                ("cut off", sc.NotAuthentic, text, sc.b64u(data[:-2]), {}), ("too short", sc.TooShort, text, sc.b64u(data[:46]), {}),
                ("too long", sc.TooLong, text, theirs + "A" * 4096, {}),
            ]
            for what, options, edge in (("own lifetime", {"own": (HOUR, 0)}, HOUR), ("own idle time", {"own": (DAY, HOUR)}, HOUR), ("purpose", {"purpose": "p"}, None)):
                c, t, e = tool.seal(text, "{}", **options)
                check(f"from the tool: {what} to spoil", c == 0, e)
                if c == 0:
                    cases.append((f"end of its {what}" if edge else "purpose left out", sc.Expired if edge else sc.NotAuthentic, text, t, {"now": NOW + (edge or 0)}))
            for label, kind, ring_text, token, options in cases:
                try:
                    sc.open_token(sc.Ring.parse(ring_text.encode()), token, **{"name": "s", "now": NOW, "absolute": 14 * DAY, **options})
                    check("from the tool, must refuse: " + label, False, "opened")
                except sc.Refused as e:
                    check("from the tool, must refuse: " + label, type(e) is kind, str(e))

        # 5. sealing that must fail, rings that must be refused, the active key, keygen
        def fails(label: str, ring_text: str, session: str = "{}", **options: Any) -> None:
            answer = guarded(label, lambda: tool.seal(ring_text, session, **options))
            if answer:
                check("the tool must not seal: " + label, answer[0] != 0 and not answer[1], f"exit {answer[0]}, {answer[1][:60]}")
                check("… and not print the secret: " + label, sc.b64u(key) not in answer[1] + answer[2])
        big = json.dumps({"$bytes": sc.b64u(os.urandom(3100))})
        fails("cookie over its limit", text, big)
        fails("item of more than 65,536 bytes", text, json.dumps("x" * 65_534))
        fails("65 levels", text, "[" * 65 + "5" + "]" * 65)
        for label, bad in (("duplicate key", '{"a":1,"a":2}'), ("canonically equivalent keys", '{"\\u00e9":1,"e\\u0301":2}'), ("key twice in $map", '{"$map":[["a",1],["a",2]]}'), ("whole number with lost digits", "18446744073709551616"), ("year before 1583", '{"$date":"1582-12-31T00:00:00Z"}'), ("leading zero in $int", '{"$int":"018446744073709551616"}'), ("hexadecimal $float", '{"$float":"0x1p3"}'), ("unknown form", '{"$x":1}'), ("form beside another member", '{"$bytes":"AQ","b":1}'), ("padded base64", '{"$bytes":"AQ=="}'), ("no JSON", "{"), ("surrogate", '"\\ud800"')):
            fails(f"JSON: {label}", text, bad)
        for label, bad in (("no key", ""), ("revoked key", revoked), ("key under another id", text.replace(sc.key_id(key), "000000" if sc.key_id(key) != "000000" else "000001")),
                           ("unknown line", text + "hello\n"), ("id in capitals", text + "revoked ABCDEF\n"), ("time without Z", text + "not-before 2026-08-03T00:00:00\n"), ("impossible date", text + "not-before 2026-02-30T00:00:00Z\n"),
                           ("key with padding", text.rstrip("\n") + "=\n"), ("more fields", text.rstrip("\n") + " x\n"), ("short key", text.rstrip("\n")[:-1] + "\n"), ("key with slack bits", text.rstrip("\n")[:-1] + alphabet[alphabet.index(text.rstrip("\n")[-1]) + 1] + "\n"),
                           ("empty from", text.replace(" sck1_", " from= sck1_"))):
            fails(f"ring: {label}", bad)
        for label, ring_text, expected in (("the later from", text + later(-5, other), other), ("pending is not active", text + later(5, other), key), ("from that very second", text + later(0, other), other),
                                           ("equal from: the greatest id", text + sc.key_line(other), max(key, other, key=sc.key_id)), ("revoked falls back", text + later(-5, other) + f"revoked {sc.key_id(other)}\n", key)):
            c, t, e = guarded(label, lambda: tool.seal(ring_text, "{}")) or (-1, "", "")
            check("the tool's active key: " + label, c == 0 and sc.b64u_strict(t)[1:4].hex() == sc.key_id(expected), f"exit {c}, {e}")

        # 6. split sessions, and Set-Cookie lines as http.cookies and werkzeug read them
        def jar(lines: str) -> dict[str, str]:
            """What a browser has after these lines, by http.cookies; and werkzeug agrees, where there is one."""
            cookies: dict[str, str] = {}
            for line in lines.splitlines():
                check("a Set-Cookie line", line.startswith("Set-Cookie: "), line)
                value = line.removeprefix("Set-Cookie: ")
                (morsel,) = http.cookies.SimpleCookie(value).values()
                check("http.cookies writes the line again", sorted(morsel.OutputString().lower().split("; ")) == sorted(value.lower().split("; ")), value)
                if werkzeug:
                    pair, *attributes = value.split("; ")
                    parsed = werkzeug.http.parse_cookie(pair)
                    check("werkzeug reads the pair", parsed.to_dict() == {morsel.key: morsel.value}, pair)
                    written = werkzeug.http.dump_cookie(morsel.key, morsel.value, max_age=int(morsel["max-age"]), path="/", secure=True,
                                                        httponly=True, samesite="Lax", max_size=0, sync_expires=False,
                                                        expires=0 if morsel["max-age"] == "0" else None)
                    check("werkzeug writes the same line", sorted(written.split("; ")) == sorted([pair, *attributes]), written)
                if morsel["max-age"] == "0":
                    cookies.pop(morsel.key, None)
                else:
                    cookies[morsel.key] = morsel.value
            return cookies
        try:
            import werkzeug.http
        except ImportError:
            werkzeug = None
            print("not run: Set-Cookie through werkzeug, which Python does not have")
        for count in (10, 3000, 3013, 3014, 5000, 7000, 9150):
            session = json.dumps({"$bytes": sc.b64u(os.urandom(count))})
            large = sc.encode_item(sc.from_json(session))
            c, lines, e = tool.run("seal", "-k", tool.ring(text), "-n", "s", "--at", sc.format_time(NOW), "--split", "3", "--set-cookie", stdin=session)
            check(f"the tool splits {count} bytes", c == 0 and len(lines.splitlines()) == 3, e)
            token = sc.join_token(jar(lines), "s")
            check(f"{count} bytes, split by the tool", sc.open_token(ring, token, name="s", now=NOW, most=3).item == large)
            ours = sc.split_token(sc.seal(ring, large, name="s", now=NOW, most=3), "s", 3)
            check("both split alike", {k: len(v) for k, v in ours.items() if v} == {k: len(v) for k, v in jar(lines).items()})
            header = "; ".join(f"{k}={v}" for k, v in reversed(ours.items()) if v)
            same(f"{count} bytes, split by us", large, tool.run("open", "-k", tool.ring(text), "-n", "s", "--at", sc.format_time(NOW), "--split", "3", stdin="Cookie: " + header))
        c, lines, e = tool.run("remove", "-n", "s", "--split", "3")
        check("removal", jar(lines) == {} and [line.split("=")[0] for line in lines.splitlines()] == ["Set-Cookie: s.1", "Set-Cookie: s.2", "Set-Cookie: s"])

        # 7. an application's own dictionary
        samples = Path(folder) / "samples"
        samples.write_text("".join(json.dumps({"tenant": f"t{i}", "theme": "solarized dark", "quota_bytes": i, "k": {"$secret": "hidden words"}}) + "\n"
                                   for i in range(20)))
        c, out, e = tool.run("train", "-o", str(Path(folder) / "own"), str(samples))
        check("train", c == 0, e)
        own = (Path(folder) / "own").read_bytes()
        check("train takes what is common, and no secret", b"solarized dark" in own and b"hidden" not in own and len(own) <= 2048, repr(own))
        session = '{"tenant": "t99", "theme": "solarized dark", "quota_bytes": 7, "k": null}'
        item = sc.encode_item(sc.from_json(session))
        token = sc.seal(ring, item, name="s", now=NOW, dictionary=own)
        at = ["-k", tool.ring(text), "-n", "s", "--at", sc.format_time(NOW)]
        check("own dictionary: shorter", len(token) < len(sc.seal(ring, item, name="s", now=NOW)))
        same("own dictionary, to the tool", item, tool.run("open", *at, "--dictionary", str(Path(folder) / "own"), stdin=token))
        c, out, e = tool.run("open", *at, stdin=token)
        check("own dictionary, not passed: refused", c == 3 and f"dictionary {sc.dictionary_name(own).hex()}, which this sealer does not have" in e, e)
        c, out, e = tool.run("seal", *at, "--dictionary", str(Path(folder) / "own"), stdin=session)
        theirs = out.strip()
        check("own dictionary, from the tool", c == 0 and sc.open_token(ring, theirs, name="s", now=NOW, dictionaries=[own]).item == item, e)
        try:
            sc.open_token(ring, theirs, name="s", now=NOW)
            check("own dictionary, from the tool: we refuse without", False)
        except sc.UnknownDictionary:
            check("own dictionary, from the tool: we refuse without", True)
        # Contents that differ in one byte are another dictionary.
        (Path(folder) / "other").write_bytes(own[:-1] + bytes([own[-1] ^ 1]))
        c, out, e = tool.run("open", *at, "--dictionary", str(Path(folder) / "other"), stdin=theirs)
        check("another dictionary: refused", c == 3 and "which this sealer does not have" in e, e)
        item = sc.encode_item({"user": 7, "k": b"\x01\x02\x03"})
        # Tokens without a cookie, §5.3.
        here = ["-k", tool.ring(text), "--at", sc.format_time(NOW)]
        for purpose in ("password-reset", "Zo\u00eb", "p" * 200):
            words = ["--token", "--purpose", purpose]
            same(f"token for {purpose[:20]}, to the tool", item, tool.run("open", *here, *words, stdin=sc.seal(ring, item, name="", purpose=purpose, now=NOW)))
            c, out, e = tool.run("seal", *here, *words, stdin='{"user": 7, "k": {"$bytes": "AQID"}}')
            check(f"token for {purpose[:20]}, from the tool", c == 0 and sc.open_token(ring, out.strip(), name="", purpose=purpose, now=NOW).item == item, e)
            for name, other in ((sc.DEFAULT_NAME, purpose), ("s", purpose), ("", "magic-link")):
                try:
                    sc.open_token(ring, out.strip(), name=name, purpose=other, now=NOW)
                    check(f"token for {purpose[:20]}: we refuse it as {name or other}", False)
                except sc.NotAuthentic:
                    check(f"token for {purpose[:20]}: we refuse it as {name or other}", True)
            c, out, e = tool.run("open", *here, *words, stdin=sc.seal(ring, item, name="s", purpose=purpose, now=NOW))
            check(f"token for {purpose[:20]}: the tool refuses a cookie's", c == 3 and "not authentic" in e, e)

        def generated() -> None:
            place = Path(folder) / "generated-ring"
            c, out, e = tool.run("keygen", str(place))
            made = place.read_text() if place.exists() else out
            check("keygen: exit 0", c == 0, e)
            their_ring = sc.Ring.parse(made.encode())
            check("keygen: one key", len(their_ring.keys) == 1, f"{len(their_ring.keys)}")
            if place.exists():
                check("keygen: mode 0600", place.stat().st_mode & 0o777 == 0o600, oct(place.stat().st_mode))
            moment = NOW + 30 * 365 * DAY      # after any from
            same("keygen: to the tool", item, tool.open(made, sc.seal(their_ring, item, now=moment, name="s"), at=moment))
            c, t, e = tool.seal(made, "[1]", at=moment)
            check("keygen: from the tool", c == 0 and sc.open_token(their_ring, t, now=moment, name="s").item == b"\x81\x01", e)
        guarded("keygen", generated)

        print(f"the tool compressed {used_compression[True]} of its {sum(used_compression.values())} sessions")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(run(sys.argv[1]))
