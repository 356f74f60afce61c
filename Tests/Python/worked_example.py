"""Prints the worked example of FORMAT §12, or with --check holds FORMAT.md against it."""

import json
import pathlib
import sys
import textwrap

try:
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "Implementations" / "python"))
    import sealed_cookie as reference
except ImportError as error:
    print(f"worked_example.py: not run: Python has no {error.name}")
    sys.exit(0)

KEY = bytes(range(32))
R = bytes(range(0xA0, 0xB4))
NAME, PURPOSE = "__Host-session", ""
CREATED = 1_785_715_200
SESSION = {"roles": ["member", "member-admin", "member-billing"], "user": 42,
           "csrf": {"$bytes": "AAECAwQFBgcICQoLDA0ODw"}}


def rows(*pairs):
    lines = []
    for name, value in pairs:
        text = value.hex() if isinstance(value, bytes) else value
        parts = textwrap.wrap(text, 80, break_on_hyphens=False) or ["(empty)"]
        lines += [f"    {name:<24}{part}" if number == 0 else f"    {'':<24}{part}"
                  for number, part in enumerate(parts)]
    return "\n".join(lines)


def example():
    item = reference.encode_item(reference.from_json(json.dumps(SESSION)))
    skeleton, parts = reference.split_item(item)
    contents = b"".join(parts)
    stream = reference.deflate(skeleton, reference.STANDARD)
    payload = reference.encode_payload(reference.Payload(CREATED, 0, item))
    assert payload[0] == 9 and payload[6:] == b"\x01" + stream + contents
    mac = reference.aes_cmac(KEY, reference.KEY_ID_INPUT)
    header = b"\x48" + bytes.fromhex(reference.key_id(KEY))
    n = reference.nonce_of(R)
    derived = reference.xaes_derive(KEY, n)
    aad = reference.associated_data(header, NAME, PURPOSE)
    sealed = reference.xaes_seal(KEY, n, payload, aad)
    token = reference._seal_payload(KEY, payload, NAME, PURPOSE, R)
    ring = reference.Ring.parse(reference.key_line(KEY).encode())
    assert reference.open_token(ring, token, now=CREATED).item == item
    return f"""\
The session `{{"roles": ["member", "member-admin", "member-billing"], "user": 42, "csrf": bytes 00 to 0f}}`, begun and
sealed at 2026-08-03T00:00:00Z, for the cookie `{NAME}` and no purpose. K is the bytes 00 to 1f and R the
bytes a0 to b3, which real ones must never be. Everything is in hexadecimal, except the token.

The key and its id (§4):

{rows(("K", KEY), ("CMAC of the label", mac), ("key id", header[1:]))}

    key {header[1:].hex()} sck1_{reference.b64u(KEY)}

The item (§7) and its parts (§6.2). The stream is zlib's: level 9, window 8 KiB, memLevel 6, with the standard
dictionary. Another compressor may write another stream, and its token is as good.

{rows(("item", item), ("skeleton", skeleton), ("DEFLATE(skeleton)", stream), ("contents", contents))}

The item byte by byte:

    a3                              map of 3, keys by their bytes
       64 63737266                     "csrf"
       50 000102030405060708090a0b0c0d0e0f   16 bytes, taken out of the skeleton
       64 75736572                     "user"
       18 2a                           42
       65 726f6c6573                   "roles"
       83                              array of 3
          66 6d656d626572                 "member"
          6c 6d656d6265722d61646d696e     "member-admin"
          6e 6d656d6265722d62696c6c696e67 "member-billing"

The payload (§6), {len(payload)} bytes:

{rows(("flags", payload[:1]), ("created", payload[1:5]), ("age", payload[5:6]), ("dictionary", payload[6:7]),
      ("body", payload[7:]))}

Encryption (§5):

{rows(("header", header), ("R", R), ("N", n), ("L", derived["L"]), ("K1", derived["K1"]), ("M1", derived["M1"]),
      ("M2", derived["M2"]), ("key", derived["key"]), ("nonce", derived["nonce"]), ("A", aad),
      ("ciphertext", sealed[:-16]), ("tag", sealed[-16:]))}

The token (§2), {len(token)} characters:

{rows(("token", token))}
"""


if sys.argv[1:] == ["--check"]:
    page = pathlib.Path(__file__).parents[2].joinpath("FORMAT.md").read_text()
    shown = example() in page
    print("1 passed, 0 failed" if shown else "FORMAT.md §12 is not what this script prints\n0 passed, 1 failed")
    sys.exit(not shown)
print(example(), end="")
