"""Exchanges tokens between sealed_cookie.py and the command line tool, both ways.

usage: interop.py PATH-OF-sealed-cookie
"""

import copy
import json
import os
import subprocess
import sys
import tempfile

try:
    import cbor2

    import sealed_cookie as reference
except ImportError as error:
    print(f"not run: Python has no {error.name}")
    sys.exit(0)

TOOL = sys.argv[1]
NOW = 1_785_715_200
AT = "2026-08-03T00:00:00Z"
NAME = "__Host-session"

SESSIONS = [
    {}, [], None, True, 0, -1, "", "S", 1.5, {"user_id": 184467},
    {"a": [1, [2, [3, {"b": [{}, []]}]]]},
    {"text": "Zoë Müller-Østergård 田中 美咲 😀", "q": "\"\\/\b\f\n\r\t\u0001"},
    {"numbers": [23, 24, 255, 256, 65535, 65536, 4294967295, 4294967296, 9223372036854775807,
                 18446744073709551615, -24, -25, -256, -257, -9223372036854775808]},
    {"floats": [0.1, -2.5, 1e-7, 5e-324, 1.1, 3.4028234663852886e38, 65504.5, 0.333251953125]},
    {"marked": [{"$float": "1.0"}, {"$float": "inf"}, {"$float": "-inf"}, {"$float": "nan"}, {"$float": "-0.0"}]},
    {"bytes": {"$bytes": "doudhQTWw9VYBIhwUowzZw"}, "none": {"$bytes": ""}},
    {"uuid": {"$uuid": "fe049f18-1b8f-4a6f-8c38-00c3448de041"}, "url": {"$url": "https://example.org/a?b#c"}},
    {"when": {"$date": "2026-09-21T14:03:27Z"}, "then": {"$date": "1969-12-31T23:59:59Z"}},
    {"big": {"$int": "18446744073709551616"}, "small": {"$int": "-18446744073709551617"}},
    {"price": {"$decimal": "1899e-2"}, "debt": {"$decimal": "-5e0"}},
    {"secret": {"$secret": {"token": "the same words, the same words", "n": [1, {"$bytes": "AAEC"}]}},
     "open": "the same words, the same words"},
    {"$5": "integer key", "$-1": 2, "$0": 0, "$$dollar": 1, "text": 3},
    {"b": 1, "a": 2, "aa": 3, "": 4, "$100": 5},
    {"flash": {"notice": "Signed in successfully."}, "roles": ["member"] * 40},
    {"long": "a" * 5000},
    {"csrf": {"$bytes": "AAAA" * 40}, "list": [{"$bytes": "AQID"}] * 20, "word": "word " * 30},
]

passed = failed = 0


def check(condition, what):
    global passed, failed
    if condition:
        passed += 1
    else:
        failed += 1
        print(f"FAILED: {what}")


def run(*arguments, text=""):
    return subprocess.run([TOOL, *arguments], input=text.encode(), capture_output=True)


def same(a, b):
    """Equal as JSON values; 1 is 1.0 there, but not True."""
    return json.dumps(a, sort_keys=True) == json.dumps(b, sort_keys=True)


def main():
    folder = tempfile.TemporaryDirectory()
    path = os.path.join(folder.name, "session.keys")
    check(run("keygen", path).returncode == 0, "keygen")
    text = open(path).read()
    ring = reference.Ring.parse(text)
    (identifier, (key, _)), = ring.keys.items()

    def tool_opens(token, *arguments, at=AT):
        return run("open", "-k", path, "--at", at, *arguments, text=token)

    def refused(token, words, *arguments, at=AT):
        result = tool_opens(token, *arguments, at=at)
        check(result.returncode == 3 and words in result.stderr.decode() and not result.stdout,
              f"{words}: exit {result.returncode}, {result.stderr.decode()!r}")

    def python_refuses(token, words, **keywords):
        try:
            reference.open_token(keywords.pop("ring", ring), token, keywords.pop("now", NOW), **keywords)
            check(False, f"Python took what should be refused: {words}")
        except reference.Refused as error:
            check(str(error).startswith(words), f"{words}: Python said {error}")

    # The tool seals, Python opens.
    for session in SESSIONS:
        sealed = run("seal", "-k", path, "--at", AT, text=json.dumps(session))
        token = sealed.stdout.decode().strip()
        check(sealed.returncode == 0 and token.startswith("S"), f"seal {session!r:.60}: {sealed.stderr!r}")
        payload = reference.open_token(ring, token, NOW)
        check(payload.created == NOW and payload.age == 0, "times")
        again = cbor2.dumps(cbor2.loads(payload.item), canonical=True, datetime_as_timestamp=True)
        check(reference.sort_maps(again) == payload.item, f"cbor2 reads and writes {session!r:.60}: {again.hex()}")
        check(same(reference.to_json(reference.Checker(payload.item).item()), session), f"Python reads {session!r:.60}")

    # Python seals, the tool opens; with and without compression, padding, a lifetime.
    for number, session in enumerate(SESSIONS):
        for compress in (True, False):
            item = reference.encode_item(session)
            payload = reference.Payload(NOW - number, number, item, 90 * 86_400 if number % 3 == 0 else None)
            plaintext = reference.build_payload(payload, block=(0, 16, 64)[number % 3], compress=compress)
            token = reference.seal_payload(key, plaintext, os.urandom(20), NAME)
            if len(token) > 4000:
                continue
            result = tool_opens(token)
            check(result.returncode == 0, f"open {session!r:.60}: {result.stderr.decode()}")
            if result.returncode == 0:
                check(same(json.loads(result.stdout), session), f"the tool reads {session!r:.60}: {result.stdout!r}")

    # Names, purposes, lifetimes.
    token = run("seal", "-k", path, "-n", "s", "--purpose", "caf\u00e9", "--lifetime", "90d", "--at", AT,
                text="{}").stdout.decode().strip()
    payload = reference.open_token(ring, token, NOW + 89 * 86_400, name="s", purpose="caf\u00e9")
    check(payload.lifetime == 90 * 86_400, "lifetime")
    python_refuses(token, "not authentic", name="t", purpose="caf\u00e9")
    python_refuses(token, "not authentic", name="s")
    python_refuses(token, "expired", name="s", purpose="caf\u00e9", now=NOW + 90 * 86_400)
    python_refuses(token, "in the future", name="s", purpose="caf\u00e9", now=NOW - 61)
    revoked = copy.deepcopy(ring)
    revoked.keys, revoked.revoked = {}, {identifier}
    python_refuses(token, "revoked key", ring=revoked)
    python_refuses(token[:-1] + "\u00e9", "not base64url")
    python_refuses(token[:40], "too short")
    python_refuses("A" * 80, "unknown version")
    changed = token[:50] + ("A" if token[50] != "A" else "B") + token[51:]
    python_refuses(changed, "not authentic", name="s", purpose="caf\u00e9")

    def seal(plaintext, name=NAME, purpose=""):
        return reference.seal_payload(key, plaintext, os.urandom(20), name, purpose)

    def body(flags, rest):
        return bytes([flags]) + NOW.to_bytes(4) + rest

    good = seal(body(0, b"\x00\xa0"))
    check(tool_opens(good).stdout == b"{}\n", "the base of the refusals below")
    refused(good, "not authentic", "-n", "other")
    refused(good, "not authentic", "--purpose", "other")
    refused(seal(body(0, b"\x00\xa0"), purpose="p"), "not authentic")
    for place in (6, 30, 40, len(good) - 1):
        refused(good[:place] + ("A" if good[place] != "A" else "Q") + good[place + 1:], "not authentic")
    refused("T" + good[1:], "unknown version")
    refused("SAAAA" + good[5:], "no key")
    refused(good, "expired", at="2026-08-17T00:00:00Z")
    refused(good, "in the future", at="2026-08-02T23:58:59Z")
    refused(good, "expired", "--idle", "1h", at="2026-08-03T01:00:00Z")

    item = b"\x83\x61a\x61b\x61c"
    malformed = {
        "unknown flags": body(0x08, b"\x00\xa0"),
        "a high flag": body(0x80, b"\x00\xa0"),
        "LEB128 with a final zero": body(0, b"\x80\x00\xa0"),
        "LEB128 beyond 32 bits": body(0, b"\xff\xff\xff\xff\x1f\xa0"),
        "lifetime of zero": body(2, b"\x00\x00\xa0"),
        "padding that begins with another byte": body(4, b"\x00\xa0\x81\x00"),
        "no padding where the flag says so": body(4, b"\x00\xa0"),
        "contents left over": body(1, b"\x00" + reference.deflate(item) + b"x"),
        "contents that end early": body(1, b"\x00" + reference.deflate(b"\x42") + b"x"),
        "a broken stream": body(1, b"\x00" + reference.deflate(item)[:-2]),
        "trailing bytes": body(0, b"\x00\xa0\xa0"),
        "keys out of order": body(0, b"\x00\xa2\x61b\x01\x61a\x02"),
        "a key twice": body(0, b"\x00\xa2\x61a\x01\x61a\x02"),
        "a byte string as a key": body(0, b"\x00\xa1\x41a\x01"),
        "a long integer head": body(0, b"\x00\x18\x17"),
        "a long length": body(0, b"\x00\x78\x01a"),
        "a long float": body(0, b"\x00\xfa\x3f\x80\x00\x00"),
        "an indefinite length": body(0, b"\x00\x9f\x01\xff"),
        "not UTF-8": body(0, b"\x00\x61\xff"),
        "undefined": body(0, b"\x00\xf7"),
        "an unknown tag": body(0, b"\x00\xc0\x60"),
        "a UUID of 15 bytes": body(0, b"\x00\xd8\x25\x4f" + bytes(15)),
        "a bignum that fits": body(0, b"\x00\xc2\x48" + b"\xff" * 8),
        "a bignum with a leading zero": body(0, b"\x00\xc2\x49" + bytes(9)),
        "an embedded item with bytes behind": body(0, b"\x00\xd8\x18\x42\x01\x02"),
        "65 levels": body(0, b"\x00" + b"\x81" * 65 + b"\xf6"),
    }
    for what, plaintext in malformed.items():
        token = seal(plaintext + bytes(max(0, 7 - len(plaintext))))
        refused(token, "malformed")
        python_refuses(token, "malformed payload")
    check(tool_opens(seal(body(0, b"\x00" + b"\x81" * 64 + b"\xf6"))).returncode == 0, "64 levels open")

    # Rings that Python writes.
    with open(path, "a") as file:
        file.write("not-before 2026-08-04T00:00:00Z\n")
    refused(good, "ended")
    with open(path, "w") as file:
        file.write(f"revoked {identifier.hex()}\n")
    refused(good, "revoked")
    other = bytes(range(32))
    with open(path, "w") as file:
        file.write(f"key {reference.key_id(other).hex()} from=2026-08-01T00:00:00Z sck1_{reference.encode_text(other)}\n")
    token = run("seal", "-k", path, "--at", AT, text="[7]").stdout.decode().strip()
    check(reference.open_token(reference.Ring.parse(open(path).read()), token, NOW).item == b"\x81\x07", "a ring of Python's")

    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


main()
