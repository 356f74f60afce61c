"""Sealed cookies, version 1: an independent implementation, written from FORMAT.md alone.

Its author had FORMAT.md and nothing else of the project; what the page left open then, it says now. Section
numbers (§) are those of FORMAT.md. Needs Python 3.11 and `cryptography`.

    python -m sealed_cookie keygen > ring
    echo '{"user": 7}' | python -m sealed_cookie seal --ring ring | python -m sealed_cookie open --ring ring
"""
from __future__ import annotations

import argparse, base64, hashlib, itertools, json, math, os, re, struct, sys, time, unicodedata, zlib
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from typing import Any, Callable, Iterable, Optional, Sequence, Union

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.cmac import CMAC

VERSION = 0x48
MAX_ITEM = 65_536           # §7, and §6.2 for the skeleton
MAX_DEPTH = 64              # §7
MAX_MARKS = 256             # §7
COOKIE_LIMIT = 4096         # §11: name and value together
COMPRESSED, LIFETIME, PADDING, DICTIONARY, ENDS_WITH_BROWSER, ENDED = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20
NULL = b"\xf6"
DEFAULT_NAME = "__Host-session"
DEFAULT_TOKEN_LIMIT = 2000    # §5.3
DEFAULT_ABSOLUTE = 14 * 86_400
DEFAULT_CEILING = 400 * 86_400


# ---------------------------------------------------------------- refusals, in the order of §5.2

class Refused(Exception):
    """A token that does not open. The message begins with the words of §5.2's table; it is for the log only."""
    words = "refused"
    opened = False              # found in step 8 or later

    def __init__(self, detail: str = "") -> None:
        super().__init__(self.words + (": " + detail if detail else ""))


class TooLong(Refused): words = "too long"
class NotBase64URL(Refused): words = "not base64url"
class TooShort(Refused): words = "too short"
class UnknownVersion(Refused): words = "unknown version"
class RevokedKey(Refused): words = "revoked key"
class UnknownKey(Refused): words = "unknown key"
class NotAuthentic(Refused): words = "not authentic"
class MalformedPayload(Refused): words, opened = "malformed payload", True
class UnknownDictionary(Refused): words, opened = "unknown dictionary", True
class InTheFuture(Refused): words, opened = "in the future", True
class SignedOut(Refused): words, opened = "signed out", True
class FormerCookie(Refused): words, opened = "former cookie", True   # §11.3
class Expired(Refused): words, opened = "expired", True
class Ended(Refused): words, opened = "ended", True
class TooManyCookies(Refused): words = "too many cookies"      # §11.1
class MissingPart(Refused): words = "missing part"


class Invalid(ValueError):
    """Bytes or text that are not in the form FORMAT.md asks for (an item, a payload, JSON, a time)."""


class InvalidRing(Exception):
    """A ring that must be refused as a whole (§9). The message never holds a secret."""


class CannotSeal(Exception):
    """A session that cannot be sealed (§5.1)."""


# ---------------------------------------------------------------- §2 text

def b64u(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def b64u_strict(text: str) -> bytes:
    """Decodes the one base64url spelling of some bytes; everything else is Invalid."""
    if not re.fullmatch(r"[A-Za-z0-9_-]*", text):
        raise Invalid("a character outside the alphabet")
    if len(text) % 4 == 1:
        raise Invalid("a length of 1 modulo 4")
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if b64u(data) != text:
        raise Invalid("bits after the last whole byte")
    return data


# ---------------------------------------------------------------- §4 keys, §5 encryption

def aes_block(key: bytes, block: bytes) -> bytes:
    enc = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
    return enc.update(block) + enc.finalize()


def aes_cmac(key: bytes, message: bytes) -> bytes:
    mac = CMAC(algorithms.AES(key))
    mac.update(message)
    return mac.finalize()


KEY_ID_INPUT = b"SealedCookie/1 key id"


def key_id(key: bytes) -> str:
    """§4: the first 3 bytes of AES-256-CMAC, as six lower-case hexadecimal digits."""
    return aes_cmac(key, KEY_ID_INPUT)[:3].hex()


def xaes_derive(key: bytes, n: bytes) -> dict[str, bytes]:
    """§5: all values on the way from (K, N) to AES-256-GCM's key and nonce."""
    l = aes_block(key, bytes(16))
    k1 = bytearray(((int.from_bytes(l, "big") << 1) & ((1 << 128) - 1)).to_bytes(16, "big"))
    if l[0] & 0x80:
        k1[15] ^= 0x87
    m1, m2 = b"\x00\x01\x58\x00" + n[:12], b"\x00\x02\x58\x00" + n[:12]
    derived = b"".join(aes_block(key, bytes(x ^ y for x, y in zip(m, k1))) for m in (m1, m2))
    return {"L": l, "K1": bytes(k1), "M1": m1, "M2": m2, "key": derived, "nonce": n[12:24]}


def xaes_seal(key: bytes, n: bytes, plaintext: bytes, ad: bytes) -> bytes:
    d = xaes_derive(key, n)
    return AESGCM(d["key"]).encrypt(d["nonce"], plaintext, ad)


def xaes_open(key: bytes, n: bytes, sealed: bytes, ad: bytes) -> bytes:
    d = xaes_derive(key, n)
    return AESGCM(d["key"]).decrypt(d["nonce"], sealed, ad)


def nonce_of(r: bytes) -> bytes:
    return r[:8] + bytes(4) + r[8:20]


def pae(pieces: list[bytes]) -> bytes:
    """PASETO's pre-authentication encoding; its numbers are little-endian."""
    return struct.pack("<Q", len(pieces)) + b"".join(struct.pack("<Q", len(p)) + p for p in pieces)


def associated_data(header: bytes, name: str, purpose: str) -> bytes:
    return pae([b"SealedCookie", header, name.encode("ascii"), purpose.encode("utf-8")])


# ---------------------------------------------------------------- §7 the session as CBOR

@dataclass(frozen=True)
class Float:
    """A float, held as the 64 bits of its double, so that NaN's bits survive."""
    bits: int

    @staticmethod
    def of(value: float) -> "Float":
        return Float(int.from_bytes(struct.pack(">d", value), "big"))

    @property
    def value(self) -> float:
        value: float = struct.unpack(">d", self.bits.to_bytes(8, "big"))[0]
        return value

    @property
    def is_nan(self) -> bool:
        return (self.bits >> 52) & 0x7FF == 0x7FF and self.bits & ((1 << 52) - 1) != 0

    @staticmethod
    def from_cbor(argument: bytes) -> "Float":
        """Widens 2, 4 or 8 bytes to a double without disturbing NaN's bits."""
        size, raw = len(argument), int.from_bytes(argument, "big")
        mantissa, exponent = {2: (10, 5), 4: (23, 8), 8: (52, 11)}[size]
        fraction, e = raw & ((1 << mantissa) - 1), (raw >> mantissa) & ((1 << exponent) - 1)
        if e == (1 << exponent) - 1 and fraction:
            return Float((raw >> (mantissa + exponent)) << 63 | 0x7FF << 52 | fraction << (52 - mantissa))
        return Float.of(struct.unpack({2: ">e", 4: ">f", 8: ">d"}[size], argument)[0])

    def to_cbor(self) -> bytes:
        """The shortest of half, single and double that gives the same bits back."""
        if self.is_nan:
            sign, fraction = self.bits >> 63, self.bits & ((1 << 52) - 1)
            if fraction & ((1 << 42) - 1) == 0:
                return b"\xf9" + (sign << 15 | 0x1F << 10 | fraction >> 42).to_bytes(2, "big")
            if fraction & ((1 << 29) - 1) == 0:
                return b"\xfa" + (sign << 31 | 0xFF << 23 | fraction >> 29).to_bytes(4, "big")
            return b"\xfb" + self.bits.to_bytes(8, "big")
        for initial, code in ((b"\xf9", ">e"), (b"\xfa", ">f")):
            try:
                short = struct.pack(code, self.value)
            except OverflowError:
                continue
            if Float.of(struct.unpack(code, short)[0]) == self:
                return initial + short
        return b"\xfb" + self.bits.to_bytes(8, "big")


@dataclass(frozen=True)
class Tag:
    """A tagged item. For tag 24 the content is the embedded item itself. Tags 2 and 3 become int instead."""
    number: int
    content: Any


# An item is None, bool, int, str, bytes, Float, list, dict (keys int or str) or Tag.
Item = Any
INT64 = range(-2**63, 2**63)
CBOR_INT = range(-2**64, 2**64)      # what major types 0 and 1 hold
BIG_INT = range(-2**128, 2**128)     # what tags 2 and 3 hold as well
JSON_INT = range(-2**63, 2**64)      # what §8 writes as a number


def is_int(x: Item) -> bool:
    return isinstance(x, int) and not isinstance(x, bool)


def read_head(data: bytes, pos: int) -> tuple[int, int, int, int]:
    """Reads one head: (major type, additional information, argument, position behind it)."""
    if pos >= len(data):
        raise Invalid("CBOR ends early")
    major, info, pos = data[pos] >> 5, data[pos] & 0x1F, pos + 1
    if info < 24:
        return major, info, info, pos
    if info > 27:
        raise Invalid("indefinite length or reserved head")
    size = 1 << (info - 24)
    if pos + size > len(data):
        raise Invalid("CBOR ends early")
    argument = int.from_bytes(data[pos:pos + size], "big")
    if major != 7 and argument < (24 if size == 1 else 1 << (4 * size)):
        raise Invalid("a number that is not in its shortest form")
    return major, info, argument, pos + size


def decode_item(data: bytes, depth: int = 0) -> Item:
    """The strict reader: the whole of data is one item of §7, or Invalid. `depth`: levels around the item."""
    if len(data) > MAX_ITEM:
        raise Invalid("an item of more than 65,536 bytes")
    item, end = _decode(data, 0, depth)
    if end != len(data):
        raise Invalid("bytes behind the item")
    return item


def _decode(data: bytes, pos: int, depth: int) -> tuple[Item, int]:
    start = pos
    major, info, arg, pos = read_head(data, pos)
    if major in (4, 5, 6) and depth >= MAX_DEPTH:
        raise Invalid("more than 64 levels")
    if major == 0:
        return arg, pos
    if major == 1:
        return -1 - arg, pos
    if major in (2, 3):
        if arg > len(data) - pos:
            raise Invalid("a string ends early")
        content = data[pos:pos + arg]
        if major == 2:
            return content, pos + arg
        try:
            return content.decode("utf-8"), pos + arg
        except UnicodeDecodeError:
            raise Invalid("text that is not UTF-8") from None
    if major == 4:
        array = []
        for _ in range(arg):
            element, pos = _decode(data, pos, depth + 1)
            array.append(element)
        return array, pos
    if major == 5:
        mapping: dict[int | str, Item] = {}
        last = b""
        for _ in range(arg):
            before = pos
            key, pos = _decode(data, pos, depth + 1)
            if not isinstance(key, str) and not (is_int(key) and key in INT64):
                raise Invalid("a map key that is neither text nor an integer of 64 bits")
            if data[before:pos] <= last:
                raise Invalid("map keys out of order, or one twice")
            last = data[before:pos]
            mapping[key], pos = _decode(data, pos, depth + 1)
        return mapping, pos
    if major == 6:
        content, pos = _decode(data, pos, depth + 1)
        return _tagged(arg, content, depth), pos
    if info in (20, 21, 22):
        return {20: False, 21: True, 22: None}[info], pos
    if info in (25, 26, 27):
        value = Float.from_cbor(data[start + 1:pos])
        if value.to_cbor() != data[start:pos]:
            raise Invalid("a float that is not in its shortest form")
        return value, pos
    raise Invalid("a simple value other than false, true and null")


def _tagged(number: int, content: Item, depth: int) -> Item:
    """§7's table of tags."""
    if number in (2, 3) and isinstance(content, bytes) and 9 <= len(content) <= 16 and content[0] != 0:
        n = int.from_bytes(content, "big")
        return n if number == 2 else -1 - n
    if number == 24 and isinstance(content, bytes):
        return Tag(24, decode_item(content, depth + 1))
    if (number == 1 and (isinstance(content, Float) or is_int(content) and content in INT64)
            or number == 4 and isinstance(content, list) and len(content) == 2 and all(map(is_int, content))
            and content[0] in INT64
            or number == 32 and isinstance(content, str)
            or number == 37 and isinstance(content, bytes) and len(content) == 16
            or number == 1001 and _is_extended_time(content)):
        return Tag(number, content)
    raise Invalid(f"tag {number} is not allowed, or not with this content")


def _is_extended_time(content: Item) -> bool:
    if not isinstance(content, dict) or set(content) not in ({1, -9}, {1, -18}):
        return False
    unit = -9 if -9 in content else -18
    return all(is_int(v) for v in content.values()) and content[1] in INT64 and content[unit] in range(10**-unit)


def head(major: int, n: int) -> bytes:
    if n < 24:
        return bytes([major << 5 | n])
    for info, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if n < 1 << (8 * size):
            return bytes([major << 5 | info]) + n.to_bytes(size, "big")
    raise Invalid("a number beyond 64 bits")


def encode_item(item: Item) -> bytes:
    """Encodes an item deterministically, and reads it back, so that nothing outside §7 is ever sealed."""
    try:
        data = _encode(item)
        decode_item(data)
    except RecursionError:
        raise Invalid("more than 64 levels") from None
    return data


def longest_run_of_marks(text: str) -> int:
    """How many code points of general category M stand in a row. Openers of ours do not look."""
    longest = run = 0
    for character in text:
        run = run + 1 if unicodedata.category(character)[0] == "M" else 0
        longest = max(longest, run)
    return longest


def _encode(x: Item) -> bytes:
    if x is None or isinstance(x, bool):
        return {None: b"\xf6", False: b"\xf4", True: b"\xf5"}[x]
    if isinstance(x, int):
        if x in CBOR_INT:
            return head(0, x) if x >= 0 else head(1, -1 - x)
        if x not in BIG_INT:
            raise Invalid("an integer beyond 128 bits")
        n = x if x >= 0 else -1 - x
        return head(6, 2 if x >= 0 else 3) + _encode(n.to_bytes((n.bit_length() + 7) // 8, "big"))
    if isinstance(x, Float):
        return x.to_cbor()
    if isinstance(x, bytes):
        return head(2, len(x)) + x
    if isinstance(x, str):
        try:
            utf8 = x.encode("utf-8")
        except UnicodeEncodeError:
            raise Invalid("text with half a surrogate pair") from None
        if longest_run_of_marks(x) > MAX_MARKS:
            raise Invalid(f"text with more than {MAX_MARKS} combining marks in a row")
        return head(3, len(utf8)) + utf8
    if isinstance(x, list):
        return head(4, len(x)) + b"".join(map(_encode, x))
    if isinstance(x, dict):
        return head(5, len(x)) + b"".join(k + v for k, v in sorted((_encode(k), _encode(v)) for k, v in x.items()))
    if isinstance(x, Tag):
        return head(6, x.number) + _encode(_encode(x.content) if x.number == 24 else x.content)
    raise Invalid(f"no CBOR form for {type(x).__name__}")


# ---------------------------------------------------------------- §6 payload

def leb128(n: int) -> bytes:
    out = bytearray()
    while n > 0x7F:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    return bytes(out) + bytes([n])


def read_leb128(data: bytes, pos: int) -> tuple[int, int]:
    value = 0
    for i in range(5):
        if pos + i >= len(data):
            raise Invalid("LEB128 ends early")
        byte = data[pos + i]
        value |= (byte & 0x7F) << (7 * i)
        if byte < 0x80:
            if i > 0 and byte == 0:
                raise Invalid("LEB128 that is not the shortest")
            if value >= 1 << 32:
                break
            return value, pos + i + 1
    raise Invalid("LEB128 of 2^32 or more")


def split_item(item: bytes) -> tuple[bytes, list[bytes]]:
    """§6.2: the skeleton and the contents of the byte strings, in order."""
    skeleton, contents, pos, open_items = bytearray(), [], 0, 1
    while open_items:
        start = pos
        major, _, n, pos = read_head(item, pos)
        open_items += {4: n, 5: 2 * n, 6: 1}.get(major, 0) - 1
        if major == 2:
            skeleton += item[start:pos]
            contents.append(item[pos:pos + n])
            pos += n
        else:
            pos += n if major == 3 else 0
            skeleton += item[start:pos]
    return bytes(skeleton), contents


def join_item(skeleton: bytes, contents: bytes) -> bytes:
    """§6.2, the other way. Lengths are checked here; everything else when the item is decoded."""
    item, pos, taken, open_items = bytearray(), 0, 0, 1
    while open_items:
        start = pos
        major, _, n, pos = read_head(skeleton, pos)
        open_items += {4: n, 5: 2 * n, 6: 1}.get(major, 0) - 1
        if major == 3:
            if n > len(skeleton) - pos:
                raise Invalid("text ends early")
            pos += n
        item += skeleton[start:pos]
        if major == 2:
            if n > len(contents) - taken:
                raise Invalid("the contents of byte strings end early")
            item += contents[taken:taken + n]
            taken += n
    if pos != len(skeleton):
        raise Invalid("bytes behind the skeleton")
    if taken != len(contents):
        raise Invalid("contents of byte strings are left over")
    return bytes(item)


# §6.4
STANDARD = base64.b64decode("""
    bEFzaWEvS29sa2F0YWpBc2lhL1Rva3lvbEV1cm9wZS9QYXJpc0FtZXJpY2EvTG9zX0FuZ2VsZXNwQW1lcmljYS9OZXdfWW9ya21FdXJvcGUvTG9uZG9ubUV1
    cm9wZS9CZXJsaW5mc3RyZWV0ZGNpdHlqcG9zdGFsQ29kZWtwb3N0YWxfY29kZWdhZGRyZXNzZ2JpbGxpbmdjb3VudHJ5YkRFaHNoaXBwaW5nY291bnRyeWJV
    U2RzdGVwaG9uZWZlcnJvcnNnbWVzc2FnZXRvdGFsY3NrdWlwcm9kdWN0SWRjYXJ0anByb2R1Y3RfaWRocXVhbnRpdHkBZXByaWNlaXRlbXNoY3VycmVuY3lj
    VVNEaGN1cnJlbmN5Y0VVUmhmZWF0dXJlc2dlbmFibGVk9WZhY3RpdmVmbGFnc2ZzdGF0dXNlY291bnRmY29va2llbm9yaWdpbmFsTWF4QWdlZHBhdGhhL2Zz
    ZWN1cmX1Z2V4cGlyZXNoaHR0cE9ubHn1aHNhbWVTaXRlY2xheGZnaXRodWJpbWljcm9zb2Z0aHByb3ZpZGVyZmdvb2dsZWNtZmFqdHdvX2ZhY3Rvcml0d29G
    YWN0b3JmbWV0aG9kdG90cGhwYXNzd29yZGtyZW1lbWJlcl9tZfVqcmVtZW1iZXJNZfVtcmVzcG9uc2VfdHlwZWRjb2Rlc2NvcGV0b3BlbmlkIHByb2ZpbGUg
    ZW1haWxjb2RlVmVyaWZpZXJ1Y29kZV9jaGFsbGVuZ2VfbWV0aG9kZFMyNTZtY29kZV92ZXJpZmllcmxyZWRpcmVjdF91cmljbGllbnRfaWRqdG9rZW5fdHlw
    ZWZCZWFyZXJqZXhwaXJlc19pbmhpZF90b2tlbmxhY2Nlc3NfdG9rZW5rYWNjZXNzVG9rZW5tcmVmcmVzaF90b2tlbmxyZWZyZXNoVG9rZW4gb2ZmbGluZV9h
    Y2Nlc3NjYW1ygWNwd2Rjc2lkY2p0aWF1dGhfdGltZRpjYXVkY2lzc2NpYXQaY3N1YmZncm91cHNncGljdHVyZXN0YXRlbm9uY2V4cBpncHJvZmlsZXJwcmVm
    ZXJyZWRfdXNlcm5hbWVtYWlsVmVyaWZpZWT1amdpdmVuX25hbWVrZmFtaWx5X25hbWVuZW1haWxfdmVyaWZpZWT1QGdtYWlsLmNvbS9hdXRoL2NhbGxiYWNr
    Lm9yZ2kvc2V0dGluZ3NqL2Rhc2hib2FyZGh0dHBzOi8vaXByaW5jaXBhbGthdXRob3JpdGllc21hdXRoZW50aWNhdGVk9WpST0xFX0FETUlOaVJPTEVfVVNF
    UnR3YXJkZW4udXNlci51c2VyLmtleYKBaHBhc3Nwb3J0oWR1c2VyWW91IGhhdmUgYmVlbiBsb2dnZWQgb3V0SW52YWxpZCBlbWFpbCBvciBwYXNzd29yZFdl
    bGNvbWUgYmFja1NpZ25lZCBpbiB3YXMgc3VjY2Vzc2Z1bGx5IGhhcyBiZWVuIGxvZyBpbiB0byBhY2Nlc3MgdGhpcyBwYWdlLnNhdmVkIHN1Y2Nlc3NmdWxs
    eS5nd2FybmluZ3N1Y2Nlc3NkaW5mb2Zub3RpY2VhbGVydGVlcnJvcmZfZmxhc2htZXNzYWdlc2hfZmxhc2hlc2VmbGFzaKFkbmV4dGN1cmxqcmVkaXJlY3RU
    b251c2VyX3JldHVybl90b2hyZXR1cm5Ub2lyZXR1cm5fdG9oc2V0dGluZ3NodGltZXpvbmVsaWdodGltZVpvbmV0aGVtZWRkYXJrcHJlZmVyZW5jZXNkbGFu
    Z2hsYW5ndWFnZWZyLUZSZWRlLURFZWVuLUdCZmxvY2FsZWJlbmZsb2NhbGVlZW4tVVNsb3JnYW5pemF0aW9uZm9yZ19pZHBsYW5jcHJvamFjY291bnRfaWRp
    YWNjb3VudElkaXRlbmFudF9pZGh0ZW5hbnRJZGp1cGRhdGVkX2F0aXVwZGF0ZWRBdGpsYXN0X2xvZ2luaWxhc3RMb2dpbmlsYXN0X3NlZW5obGFzdFNlZW5s
    bGFzdEFjdGl2aXR5amNyZWF0ZWRfYXQaaWNyZWF0ZWRBdBpqZXhwaXJlc19hdBppZXhwaXJlc0F0GmdjcmVhdGVkwRpnZXhwaXJlc8EaZmF2YXRhcmxkaXNw
    bGF5X25hbWVrZGlzcGxheU5hbWVqZmlyc3RfbmFtZWlmaXJzdE5hbWVpbGFzdF9uYW1laGxhc3ROYW1laHVzZXJOYW1laHZlcmlmaWVk9W9pc0F1dGhlbnRp
    Y2F0ZWT1aWxvZ2dlZF9pbvVqaXNMb2dnZWRJbvVoaXNfYWRtaW70Z2lzQWRtaW70a3Blcm1pc3Npb25zgWJpcGp1c2VyX2FnZW50aXVzZXJBZ2VudGVzdGFm
    ZmVkaXRvcmdtYW5hZ2VyZW93bmVyZm1lbWJlcmRyb2xlZHVzZXJkcm9sZWVhZG1pbmljc3JmVG9rZW5qY3NyZl90b2tlbngoa19jc3JmX3Rva2VuZV9jc3Jm
    ZGNzcmZYIGRjc3JmUGV0b2tlbmdzZXNzaW9uanNlc3Npb25faWR4IGlzZXNzaW9uSWRhdXRoX3VzZXJfaWRkYXRhY3VpZG5hbWV2YWx1ZXJvbGVzgWR1c2Vy
    b2xlc4FlYWRtaW5ndXNlcl9pZNglUGZ1c2VySWTYJVBodXNlcm5hbWVlbWFpbGJpZA==
""")


def dictionary_name(dictionary: bytes) -> bytes:
    d = hashlib.sha256(dictionary).digest()
    return b"\x01" if dictionary == STANDARD else bytes([16 + d[0] % 240]) + d[1:4]


def deflate(data: bytes, dictionary: bytes = b"") -> bytes:
    z = zlib.compressobj(9, zlib.DEFLATED, -13, 6, zlib.Z_DEFAULT_STRATEGY, *([dictionary] if dictionary else []))
    return z.compress(data) + z.flush()


def inflate(body: bytes, dictionary: bytes = b"") -> tuple[bytes, bytes]:
    """The raw DEFLATE stream at the start of body, bounded while it inflates, and what stands behind it."""
    z = zlib.decompressobj(-15, *([dictionary] if dictionary else []))
    try:
        out = z.decompress(body, MAX_ITEM + 1)
    except zlib.error:
        raise Invalid("a broken DEFLATE stream") from None
    if len(out) > MAX_ITEM:
        raise Invalid("a skeleton of more than 65,536 bytes")
    if not z.eof:
        raise Invalid("a DEFLATE stream without an end")
    return out, z.unused_data


@dataclass(frozen=True)
class Payload:
    created: int
    age: int
    item: bytes
    own: Optional[tuple[int, int]] = None       # the session's own lifetime: absolute, and idle or 0
    marks: int = 0                              # the flags ENDS_WITH_BROWSER and ENDED
    sealed_by: str = field(default="", compare=False)               # of an opened one: its key's id
    dictionary: Optional[bytes] = field(default=None, compare=False)    # of an opened one: what it was compressed with
    former: Optional["Form"] = field(default=None, compare=False)       # of an opened one: the former form that it was in (§11.3)

    @property
    def sealed(self) -> int:
        return self.created + self.age

    @property
    def ends_with_browser(self) -> bool:
        return bool(self.marks & ENDS_WITH_BROWSER)


def encode_payload(p: Payload, pad: Optional[int] = None, dictionary: bytes = STANDARD) -> bytes:
    if not (0 <= p.created < 1 << 32 and 0 <= p.age < 1 << 32):
        raise CannotSeal("a time that 32 bits do not hold")
    if p.own is not None and not (1 <= p.own[0] < 1 << 32 and 0 <= p.own[1] < 1 << 32):
        raise CannotSeal("a lifetime that is not from 1 to 2^32 - 1 seconds")
    if p.marks & ENDED and p.item != NULL:
        raise CannotSeal("a session that was signed out holds nothing")
    skeleton, contents = split_item(p.item)
    bodies = [(len(p.item), 0, p.item), (-1, COMPRESSED, deflate(skeleton) + b"".join(contents))]
    if dictionary:
        bodies.append((-1, COMPRESSED | DICTIONARY, dictionary_name(dictionary) + deflate(skeleton, dictionary) + b"".join(contents)))
    _, flags, body = min(bodies, key=lambda b: len(b[2]))
    flags |= p.marks
    fields = p.created.to_bytes(4, "big") + leb128(p.age)
    if p.own is not None:
        flags, fields = flags | LIFETIME, fields + leb128(p.own[0]) + leb128(p.own[1])
    payload = fields + body
    if pad:
        flags, payload = flags | PADDING, payload + b"\x80"
        payload += bytes(-(1 + len(payload)) % pad)
    return bytes([flags]) + payload


def decode_payload(data: bytes, dictionaries: Iterable[bytes] = ()) -> Payload:
    flags = data[0]
    if flags & ~(COMPRESSED | LIFETIME | PADDING | DICTIONARY | ENDS_WITH_BROWSER | ENDED) or flags & DICTIONARY and not flags & COMPRESSED:
        raise Invalid("unknown flags")
    if flags & ENDED and flags & COMPRESSED:
        raise Invalid("a session that was signed out, compressed")
    if flags & PADDING:
        data = data.rstrip(b"\x00")
        if not data.endswith(b"\x80"):
            raise Invalid("wrong padding")
        data = data[:-1]
    if len(data) < 5:
        raise Invalid("the payload ends early")
    created = int.from_bytes(data[1:5], "big")
    age, pos = read_leb128(data, 5)
    own = None
    if flags & LIFETIME:
        absolute, pos = read_leb128(data, pos)
        if absolute == 0:
            raise Invalid("a lifetime of zero")
        idle, pos = read_leb128(data, pos)
        own = absolute, idle
    dictionary, name = b"", None
    if flags & DICTIONARY:
        if pos == len(data):
            raise Invalid("the payload ends early")
        name = data[pos:pos + (1 if data[pos] < 16 else 4)]
        pos += 1 if data[pos] < 16 else 4
        if pos > len(data):
            raise Invalid("the payload ends early")
        known = {dictionary_name(d): d for d in (STANDARD, *dictionaries)}
        if name not in known:
            raise UnknownDictionary(name.hex())
        dictionary = known[name]
    body = data[pos:]
    item = join_item(*inflate(body, dictionary)) if flags & COMPRESSED else body
    decode_item(item)
    if flags & ENDED and item != NULL:
        raise Invalid("a session that was signed out, and more than null")
    return Payload(created, age, item, own, flags & (ENDS_WITH_BROWSER | ENDED), dictionary=name)


# ---------------------------------------------------------------- times (§8, §9, §10)

_TIME = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})Z")
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
WRITABLE = range(-12_212_553_600, 253_402_300_800)      # the years 1583 to 9999


def parse_time(text: str) -> int:
    m = _TIME.fullmatch(text)
    if not m:
        raise Invalid("a time that is not YYYY-MM-DDTHH:MM:SSZ")
    try:
        year, month, day, hour, minute, second = map(int, m.groups())
        when = datetime(year, month, day, hour, minute, second, tzinfo=timezone.utc)
    except ValueError:
        raise Invalid("a time that does not exist") from None
    seconds = int((when - _EPOCH).total_seconds())
    if seconds not in WRITABLE:
        raise Invalid("a time before the year 1583")
    return seconds


def format_time(seconds: int) -> str:
    assert seconds in WRITABLE
    return (_EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


# ---------------------------------------------------------------- §8 the session as JSON

def float_text(f: Float) -> str:
    if f.is_nan:
        return "nan" if f.bits == 0x7FF8 << 48 else f"0x{f.bits:016x}"
    return repr(f.value)                     # Python's shortest form: 1.0, -0.0, 1e+16, inf


def parse_float_text(text: str) -> Float:
    if text in ("inf", "-inf", "nan"):
        return Float.of(float(text)) if text != "nan" else Float(0x7FF8 << 48)
    if re.fullmatch(r"0x[0-9a-fA-F]{16}", text) and Float(int(text, 16)).is_nan:
        return Float(int(text, 16))
    if re.fullmatch(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?", text) and math.isfinite(float(text)):
        return Float.of(float(text))
    raise Invalid("$float: not a float")


def date_text(tag: Tag) -> str:
    """The number of digits of the fraction tells the three forms apart."""
    if isinstance(tag.content, Float):
        text = float_text(tag.content)
        m = re.fullmatch(r"([0-9]+)\.([0-9]+)", text)
        if not m or int(m[1]) not in WRITABLE:
            return "@" + text
        return f"{format_time(int(m[1]))[:-1]}.{m[2]}{'0' if len(m[2]) in (9, 18) else ''}Z"
    if tag.number == 1:
        return format_time(tag.content) if tag.content in WRITABLE else f"@{tag.content}"
    digits = 9 if -9 in tag.content else 18
    seconds, fraction = tag.content[1], f"{tag.content[-digits]:0{digits}}"
    return f"{format_time(seconds)[:-1]}.{fraction}Z" if seconds in WRITABLE else f"@{seconds}+{fraction}"


def parse_date_text(text: str) -> Tag:
    if m := re.fullmatch(r"@(0|-?[1-9][0-9]*)\+([0-9]{9}|[0-9]{18})", text):
        return Tag(1001, {1: int(m[1]), -len(m[2]): int(m[2])})
    if re.fullmatch(r"@[0-9-]*", text):
        if not re.fullmatch(r"@(0|-?[1-9][0-9]*)", text) or int(text[1:]) not in INT64:
            raise Invalid("$date: not an integer of 64 bits")
        return Tag(1, int(text[1:]))
    if text.startswith("@"):
        return Tag(1, parse_float_text(text[1:]))
    m = re.fullmatch(r"([^.]+?)(?:\.([0-9]+))?Z", text)
    if not m:
        raise Invalid("$date: neither RFC 3339 in UTC nor @seconds")
    seconds, fraction = parse_time(m[1] + "Z"), m[2]
    if not fraction:
        return Tag(1, seconds)
    if len(fraction) in (9, 18):
        return Tag(1001, {1: seconds, -len(fraction): int(fraction)})
    if seconds < 0:
        raise Invalid("$date: a float before 1970 is written as @seconds")
    return Tag(1, Float.of(float(f"{seconds}.{fraction}")))


def view(x: Item) -> Any:
    """An item as what json.dumps takes."""
    if x is None or isinstance(x, (bool, str)):
        return x
    if isinstance(x, int):
        return x if x in JSON_INT else {"$int": str(x)}
    if isinstance(x, Float):
        v = x.value
        return v if math.isfinite(v) and not v.is_integer() else {"$float": float_text(x)}
    if isinstance(x, bytes):
        return {"$bytes": b64u(x)}
    if isinstance(x, list):
        return [view(e) for e in x]
    if isinstance(x, dict):
        if len({unicodedata.normalize("NFC", k) for k in x if not is_int(k)}) < sum(not is_int(k) for k in x):
            return {"$map": [[view(k), view(v)] for k, v in x.items()]}
        return {f"${k}" if is_int(k) or k.startswith("$") else k: view(v) for k, v in x.items()}
    if x.number in (1, 1001):
        return {"$date": date_text(x)}
    if x.number == 4:
        return {"$decimal": f"{x.content[1]}e{x.content[0]}"}
    if x.number == 24:
        return {"$secret": view(x.content)}
    if x.number == 32:
        return {"$url": x.content}
    h = x.content.hex()
    return {"$uuid": f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}"}


def _special(form: str, value: Item) -> Item:
    if form == "$secret":
        return Tag(24, value)
    if form == "$map":
        if not isinstance(value, list) or not all(isinstance(p, list) and len(p) == 2 for p in value):
            raise Invalid("$map: not pairs of key and value")
        if not all(isinstance(k, str) or is_int(k) and k in INT64 for k, _ in value) or len(dict(value)) < len(value):
            raise Invalid("$map: a key that is no key, or stands twice")
        return dict(value)
    if not isinstance(value, str):
        raise Invalid(f"{form}: not a string")
    if form == "$bytes":
        return b64u_strict(value)
    if form == "$date":
        return parse_date_text(value)
    if form == "$url":
        return Tag(32, value)
    if form == "$uuid" and re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", value):
        return Tag(37, bytes.fromhex(value.replace("-", "")))
    number = r"0|-?[1-9][0-9]*"
    if form == "$decimal" and (m := re.fullmatch(rf"(-?)(0|[1-9][0-9]*)(?:\.([0-9]+))?(?:e({number}))?", value)):
        mantissa, fraction = int(m[2] + (m[3] or "")), m[3] or ""
        if (mantissa or not m[1]) and int(m[4] or 0) in INT64:
            return Tag(4, [int(m[4] or 0) - len(fraction), -mantissa if m[1] else mantissa])
    if form == "$int" and re.fullmatch(number, value):
        return int(value)
    if form == "$float":
        return parse_float_text(value)
    raise Invalid(f"{form}: not known, or not with this value")


def _object(pairs: list[tuple[str, Item]]) -> Item:
    """json.loads calls this for each object, the innermost first."""
    if len(pairs) == 1 and re.match(r"\$[^$0-9-]", pairs[0][0]):
        return _special(*pairs[0])
    out: dict[int | str, Item] = {}
    if len({unicodedata.normalize("NFC", k) for k, _ in pairs}) < len(pairs):
        raise Invalid("a key that stands twice, or in two Unicode forms")
    for k, v in pairs:
        key: int | str = k
        if k.startswith("$$"):
            key = k[1:]
        elif re.fullmatch(r"\$(0|-?[1-9][0-9]*)", k):
            key = int(k[1:])
        elif k.startswith("$"):
            raise Invalid(f"the key {k} has no meaning here")
        out[key] = v
    return out


def _number(text: str) -> Item:
    try:
        d = Decimal(text)
    except InvalidOperation:        # an exponent beyond what decimal has
        mantissa, _, exponent = text.lower().partition("e")
        d = Decimal(0) if Decimal(mantissa) == 0 else Decimal("1e-999") if exponent.startswith("-") else Decimal("1e999")
    if d == 0:
        return 0
    if d.adjusted() < 25 and d == d.to_integral_value() and int(d) in JSON_INT:
        return int(d)
    if not math.isfinite(float(text)):
        raise Invalid("a number beyond a double")
    if d.adjusted() >= 18 and d == d.to_integral_value() and Decimal(repr(float(text))) != d:
        raise Invalid("a whole number that a double does not hold: $int has it")
    return Float.of(float(text))


def from_json(text: str) -> Item:
    def constant(_: str) -> Item:
        raise Invalid("NaN and Infinity are not JSON")
    try:
        return json.loads(text.removeprefix("\ufeff"), object_pairs_hook=_object, parse_int=_number, parse_float=_number,
                          parse_constant=constant)
    except RecursionError:
        raise Invalid("more than 64 levels") from None


def to_json(item: Item) -> str:
    return json.dumps(view(item), sort_keys=True, ensure_ascii=False)


# ---------------------------------------------------------------- §9 key ring

@dataclass
class Ring:
    keys: dict[str, tuple[Optional[int], bytes]] = field(default_factory=dict)   # id: (from, K)
    revoked: set[str] = field(default_factory=set)
    not_before: Optional[int] = None
    shared: set[str] = field(default_factory=set)               # ids of two different keys
    until: dict[str, int] = field(default_factory=dict)         # by id

    @staticmethod
    def parse(data: bytes, after: Optional["Ring"] = None) -> "Ring":
        """A whole ring, or InvalidRing. `after`: the ring before it in this process. What was revoked in that one stays revoked, its
        `not-before` holds on, and a text without a line does not replace it."""
        ring = Ring()
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            raise InvalidRing("not UTF-8") from None
        if text.startswith("\ufeff"):
            raise InvalidRing("a byte order mark")
        if re.search(r"\r(?!\n|\Z)", text):
            raise InvalidRing("a CR that is not before an LF")
        lines = text.split("\n")
        body = text.removesuffix("\n")
        if "\n" not in body:
            if ";" in body:
                lines = body.split(";")
            if any(line.strip(" \t\r").startswith("#") for line in lines) and (";" in body or "sck1_" in body):
                raise InvalidRing("one line, which is a comment")
        for number, line in enumerate(lines, 1):
            try:
                ring._line([f for f in re.split(r"[ \t\r]+", line) if f])
            except Invalid as e:
                raise InvalidRing(f"line {number}: {e}") from None
        if ring.shared - ring.revoked:
            raise InvalidRing("two different keys with one id")
        if after is None:
            return ring
        if not ring.keys and not ring.revoked and ring.not_before is None:
            return after
        ring.revoked |= after.revoked
        ring.not_before = max((t for t in (ring.not_before, after.not_before) if t is not None), default=None)
        return ring

    def _line(self, fields: list[str]) -> None:
        if not fields or fields[0].startswith("#"):
            return
        if len(fields) > 1 and fields[0] in ("key", "revoked") and not re.fullmatch(r"[0-9a-f]{6}", fields[1]):
            raise Invalid("not a key id")
        times = dict(f.split("=", 1) for f in fields[2:-1] if "=" in f)
        if fields[0] == "key" and len(fields) == 3 + len(times) and [f.partition("=")[0] for f in fields[2:-1]] in ([], ["from"], ["until"], ["from", "until"]):
            since, until = (parse_time(times[name]) if name in times else None for name in ("from", "until"))
            if not fields[-1].startswith("sck1_") or len(fields[-1]) != 48:
                raise Invalid("not a key")
            key = b64u_strict(fields[-1][5:])
            if key_id(key) != fields[1]:
                raise Invalid("a key under an id that is not its own")
            if fields[1] in self.keys:
                before, other = self.keys[fields[1]]
                if other != key:
                    self.shared.add(fields[1])
                since = max((t for t in (since, before) if t is not None), default=None)
            self.keys[fields[1]] = (since, key)
            if until is not None:
                self.until[fields[1]] = max(until, self.until.get(fields[1], until))
        elif fields[0] == "revoked" and len(fields) == 2:
            self.revoked.add(fields[1])
        elif fields[0] == "not-before" and len(fields) == 2:
            when = parse_time(fields[1])
            self.not_before = when if self.not_before is None else max(when, self.not_before)
        else:
            raise Invalid("not a line of a ring")

    def active(self, now: int) -> Optional[tuple[str, bytes]]:
        ready = [(-math.inf if since is None else since, id, key) for id, (since, key) in self.keys.items()
                 if id not in self.revoked and (since is None or since <= now)]
        return max(ready)[1:] if ready else None

    def sealing(self, now: int) -> tuple[str, bytes]:
        active = self.active(now)
        if active:
            return active
        # All keys are pending: the earliest, and of equal ones the greatest id.
        pending = [(-(since or 0), id, key) for id, (since, key) in self.keys.items() if id not in self.revoked]
        if not pending:
            raise CannotSeal("no active key")
        return max(pending)[1:]


def new_key(taken: Iterable[str] = ()) -> bytes:
    """§4: draws again while the id is already in the ring."""
    taken = set(taken)
    while True:
        key = os.urandom(32)
        if key_id(key) not in taken:
            return key


def key_line(key: bytes, since: Optional[int] = None) -> str:
    return f"key {key_id(key)} {'from=' + format_time(since) + ' ' if since is not None else ''}sck1_{b64u(key)}\n"


# ---------------------------------------------------------------- §5.1 sealing, §5.2 opening, §10, §11

def token_limit(name: str) -> int:
    return COOKIE_LIMIT - len(name)


def check_context(name: str, purpose: str) -> None:
    """The name is a cookie's, or empty for a token without a cookie, which needs a purpose (§5.3)."""
    if not name:
        if not purpose:
            raise Invalid("neither a cookie's name nor a purpose")
    elif not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name):
        raise Invalid("not a cookie name")


def limit_of(name: str, most: int, limit: Optional[int]) -> int:
    """Characters of the longest token: the cookies' (§11), or what the application sets for one without a cookie (§5.3)."""
    if not name:
        return DEFAULT_TOKEN_LIMIT if limit is None else limit
    return token_limit(name) if most == 1 else most * (token_limit(name) - 2)


def _seal_payload(key: bytes, payload: bytes, name: str, purpose: str, r: bytes) -> str:
    """Steps 6 to 8 of §5.1. R is an argument for the worked example and the tests alone; see seal()."""
    head_ = bytes([VERSION]) + bytes.fromhex(key_id(key))
    return b64u(head_ + r + xaes_seal(key, nonce_of(r), payload, associated_data(head_, name, purpose)))


def seal(ring: Ring, item: bytes, *, name: str = DEFAULT_NAME, purpose: str = "", now: int,
         created: Optional[int] = None, least_age: int = 0, own: Optional[tuple[int, int]] = None, marks: int = 0, pad: Optional[int] = None, most: int = 1,
         limit: Optional[int] = None, dictionary: bytes = STANDARD, cut_off: Optional[float] = None) -> str:
    """Seals an encoded item. `created` is given when a session is sealed again. `own`: its own lifetime, absolute and idle (0: none).
    `cut_off`: the time before which the user's sessions have ended."""
    check_context(name, purpose)
    decode_item(item)
    _, key = ring.sealing(now)                                                        # step 1
    created = beginning(ring, now, cut_off) if created is None else created
    age = max(0, now - created, least_age)      # another server's clock may have been ahead
    payload = encode_payload(Payload(created, age, item, own, marks), pad, dictionary)  # 3
    if (4 * (40 + len(payload)) + 2) // 3 > limit_of(name, most, limit):              # 4
        raise CannotSeal("the cookie or token would be over its limit")
    return _seal_payload(key, payload, name, purpose, os.urandom(20))                 # 5 to 8


def seal_ended(ring: Ring, **options: Any) -> str:
    """§6.5: what takes the place of a session that is signed out."""
    return seal(ring, NULL, marks=ENDED, **options)


def _authentic(ring: Ring, text: str, name: str, purpose: str, limit: int) -> bytes:
    """Steps 1 to 7 of §5.2: the payload."""
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > limit:
        raise TooLong(f"{size} bytes")                                                # 1
    try:
        token = b64u_strict(text)                                                     # 2
    except Invalid as e:
        raise NotBase64URL(str(e)) from None
    if len(token) < 47:
        raise TooShort(f"{len(token)} bytes")                                         # 3
    if token[0] != VERSION:
        raise UnknownVersion(f"0x{token[0]:02x}")                                     # 4
    id = token[1:4].hex()
    if id in ring.revoked:
        raise RevokedKey(id)                                                          # 5
    if id not in ring.keys:
        raise UnknownKey(id)                                                          # 6
    try:                                                                              # 7
        return xaes_open(ring.keys[id][1], nonce_of(token[4:24]), token[24:], associated_data(token[:4], name, purpose))
    except InvalidTag:
        raise NotAuthentic() from None


def open_token(ring: Ring, text: str, *, name: str = DEFAULT_NAME, purpose: str = "", now: int,
               absolute: int = DEFAULT_ABSOLUTE, idle: Optional[int] = None, ceiling: int = DEFAULT_CEILING, most: int = 1,
               limit: Optional[int] = None, dictionaries: Iterable[bytes] = (), successor: Optional["Form"] = None,
               until: Optional[int] = None) -> Payload:
    """Opens a token, or raises the Refused of the first check of §5.2 that fails. For a former form (§11.3): what took its place, and when."""
    check_context(name, purpose)
    plaintext = _authentic(ring, text, name, purpose, limit_of(name, most, limit))
    try:
        payload = decode_payload(plaintext, dictionaries)                             # 8
    except Invalid as e:
        raise MalformedPayload(str(e)) from None
    if payload.sealed > now + 60:
        raise InTheFuture(f"sealed at {payload.sealed}, it is {now}")                 # 9
    if payload.marks & ENDED:
        raise SignedOut(f"at {payload.sealed}")                                       # 10
    if until is not None and payload.sealed > until + 60:
        raise FormerCookie(f"sealed at {payload.sealed}, its form until {until}")     # §11.3
    end = end_of(payload, absolute, idle, ceiling)
    if successor is not None:
        end = min(end, end_of(payload, successor.absolute, successor.idle, successor.ceiling))
    if now >= end:
        raise Expired(f"since {end}")                                                 # 11
    if ring.not_before is not None and payload.created < ring.not_before:
        raise Ended(f"began at {payload.created}, not-before is {ring.not_before}")   # 12
    return replace(payload, sealed_by=b64u_strict(text)[1:4].hex())


def seal_again(ring: Ring, opened: Payload, sealed_by: Optional[str] = None, *, item: Optional[bytes] = None, name: str = DEFAULT_NAME, purpose: str = "", now: int,
               absolute: int = DEFAULT_ABSOLUTE, idle: Optional[int] = None, ceiling: int = DEFAULT_CEILING, **options: Any) -> str:
    """§10: seals a session that was opened again, with another item if one is given, if it would still open. `ring` is the ring of now, `sealed_by` the id of the
    key it came with, where that is not the one of `opened`. The caller sees to it that name and purpose are those that it was opened for."""
    sealed_by = opened.sealed_by if sealed_by is None else sealed_by
    if not 0 <= now < 1 << 32:
        raise CannotSeal("a time that 32 bits do not hold")
    if now >= end_of(opened, absolute, idle, ceiling):
        raise Expired()
    if sealed_by in ring.revoked:
        raise RevokedKey(sealed_by)
    if sealed_by not in ring.keys:
        raise UnknownKey(sealed_by)
    if ring.not_before is not None and opened.created < ring.not_before:
        raise Ended()
    return seal(ring, opened.item if item is None else item, name=name, purpose=purpose, now=now, created=opened.created, least_age=opened.age, own=opened.own, marks=opened.marks, **options)


def is_due(ring: Ring, opened: Payload, *, now: int, absolute: int = DEFAULT_ABSOLUTE, idle: Optional[int] = None, ceiling: int = DEFAULT_CEILING,
           dictionary: bytes = STANDARD) -> bool:
    """§10: whether the cookie should be written again, though nothing in it changed. `dictionary`: the one that seals."""
    since = ring.keys[opened.sealed_by][0] if opened.sealed_by in ring.keys else None
    if ring.sealing(now)[0] != opened.sealed_by and (since is None or since <= now):
        return True
    if opened.own is not None:
        absolute, idle = opened.own[0], opened.own[1] or None
    spans = [absolute, ceiling, 400 * 86_400]
    if opened.ends_with_browser and opened.dictionary in (None, dictionary_name(dictionary)):
        spans = []          # no Max-Age to keep up with
    if idle is not None:
        spans.append(idle)
    return bool(spans) and now - opened.sealed >= -(-min(spans) // 10)


def end_of(p: Payload, absolute: int, idle: Optional[int], ceiling: int = DEFAULT_CEILING) -> int:
    """§10: the second from which on the session is over."""
    if p.own is not None:
        absolute, idle = p.own[0], p.own[1] or None
    end = p.created + min(absolute, ceiling)
    return end if idle is None else min(end, p.sealed + idle)


def whole_seconds(cut_off: float) -> int:
    """§10: a cut-off rounded up. The earliest `created` that it does not end."""
    return math.ceil(cut_off)


def beginning(ring: Ring, now: int, cut_off: Optional[float] = None) -> int:
    """§9, §10: `created` of a session that is sealed now. A clock may be 60 s behind what has ended sessions."""
    ends = [t for t in (ring.not_before, None if cut_off is None else whole_seconds(cut_off)) if t is not None]
    earliest = max(ends, default=now)
    if earliest - now > 60:
        raise CannotSeal("ended")
    return max(now, earliest)


def max_age(p: Payload, now: int, absolute: int, idle: Optional[int], ceiling: int = DEFAULT_CEILING) -> Optional[int]:
    """§11: the seconds of the Max-Age of a cookie that is sealed now; None: it has none."""
    if p.ends_with_browser and not p.marks & ENDED:
        return None
    end = p.created + ceiling if p.marks & ENDED else end_of(p, absolute, idle, ceiling)
    return min(end - now, 400 * 86_400)


# ---------------------------------------------------------------- §11.1 splitting

def split_token(text: str, name: str, most: int, seen: Optional[Iterable[int]] = None, new: bool = False) -> dict[str, str]:
    """The cookies that carry a token; those to expire have an empty value. seen: numbers of the parts that the request had; None: not known.
    new: whether the session is, whose request may have come without cookies."""
    if len(text) <= token_limit(name):
        cookies = {name: text}
    else:
        room = token_limit(name) - 2
        parts = [text[at:at + room] for at in range(0, len(text), room)]
        if len(parts) > most:
            raise CannotSeal("the cookies would be over their limit")
        cookies = {name: f"{len(parts)}.{parts[0]}"} | {f"{name}.{i}": part for i, part in enumerate(parts) if i}
    stale = set(range(1, most) if new or seen is None else ()) | set(seen or ())
    return cookies | {f"{name}.{i}": "" for i in sorted(stale) if i >= len(cookies)}


def parts_of(header: str, name: str, ring: Ring) -> tuple[set[int], set[int]]:
    """The numbers of a request's parts, and of those that are another sealer's: tokens by themselves, or the first cookie of one."""
    def is_others(value: str) -> bool:
        start = re.match(r"(?:[2-9]\.)?([A-Za-z0-9_-]{6})", value)         # version and key id; the rest may be cut off anywhere
        head_ = b64u_strict(start[1] + "AA") if start else b"\0"
        return head_[0] == VERSION and head_[1:4].hex() in ring.keys and head_[1:4].hex() not in ring.revoked
    values = {i: distinct(header_values(header, f"{name}.{i}")) for i in range(1, 9)}
    others = {i for i, found in values.items() if found and all(map(is_others, found))}
    return {i for i, found in values.items() if found} - others, others


def removal(header: str, name: str, most: int, ring: Ring) -> list[str]:
    """The names of the cookies that are expired to forget a session."""
    seen, others = parts_of(header, name, ring)
    return [f"{name}.{i}" for i in sorted((set(range(1, most)) - others) | seen)] + [name]


def join_token(cookies: dict[str, str], name: str) -> str:
    """A token from the cookies that carry it."""
    first = cookies[name]
    return first[2:] + "".join(cookies[f"{name}.{i}"] for i in range(1, int(first[0]))) if re.match(r"[2-9]\.", first) else first


# ---------------------------------------------------------------- §11 Cookie headers

def header_values(header: str, name: str) -> list[str]:
    """The values of the cookie of this name."""
    values = []
    for pair in header.split(";"):
        key, equals, value = pair.partition("=")
        if equals and key.strip(" \t") == name:
            value = value.strip(" \t")
            values.append(value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value)
    return values


@dataclass
class Form:
    """A form of a cookie, now or formerly (§11.3), with its policy (§10). most: cookies of a split session; until: when the last server
    stopped sealing it."""
    name: str = DEFAULT_NAME
    purpose: str = ""
    most: int = 1
    absolute: int = DEFAULT_ABSOLUTE
    idle: Optional[int] = None
    ceiling: int = DEFAULT_CEILING
    until: Optional[int] = None
    path: str = "/"
    domain: Optional[str] = None
    partitioned: bool = False


@dataclass
class Candidate:
    """An authentic token of a request (§11.2)."""
    text: str
    most: int
    created: Optional[int] = None
    sealed: Optional[int] = None
    ended: bool = False


class _Search:
    """The tokens of a request that are tried, 16 at most, and the first refusal before the tag or by it."""
    def __init__(self, ring: Ring, header: str) -> None:
        self.ring, self.header, self.left = ring, header, 16
        self.refusal: Optional[Refused] = None

    def refuse(self, refusal: Refused) -> None:
        self.refusal = self.refusal or refusal

    def attempt(self, text: str, form: Form, most: int) -> Optional[Candidate]:
        if self.left == 0:
            return None
        self.left -= 1
        try:
            payload = _authentic(self.ring, text, form.name, form.purpose, limit_of(form.name, most, None))
        except Refused as refusal:
            self.refuse(refusal)
            return None
        found = Candidate(text, most)
        try:
            age, _ = read_leb128(payload, 5)
            found.created = int.from_bytes(payload[1:5], "big")
            found.sealed, found.ended = found.created + age, bool(payload[0] & ENDED)
        except Invalid:
            pass
        return found

    def decider(self, form: Form, now: int) -> Optional[Candidate]:
        """Of the first 4 different values of the cookie the one that decides; None: none is authentic."""
        values = distinct(header_values(self.header, form.name))
        parts = [distinct(header_values(self.header, f"{form.name}.{i}")) for i in range(1, form.most)]
        found: list[Optional[Candidate]] = [None] * len(values)
        for first_round in (True, False):
            for i, value in enumerate(values):
                if found[i] is not None:
                    continue
                if not re.match(r"[2-9]\.", value):
                    found[i] = self.attempt(value, form, 1) if first_round else None
                    continue
                count = int(value[0])
                if count > form.most:
                    self.refuse(TooManyCookies(f"{count}"))
                    continue
                if [] in parts[:count - 1]:
                    self.refuse(MissingPart(f"{parts.index([]) + 1}"))
                    continue
                chosen = parts[:count - 1]
                own = tuple(values[min(i, len(values) - 1)] for values in chosen)
                # The values of name.1 vary fastest.
                others = (t[::-1] for t in itertools.product(*reversed(chosen)) if t[::-1] != own)
                for rest in [own] if first_round else others:
                    text = value[2:] + "".join(rest)
                    if found[i] is not None or self.left == 0:
                        break
                    if len(text.encode("utf-8", "surrogatepass")) > limit_of(form.name, form.most, None):
                        self.left -= 1
                        self.refuse(TooLong("the parts together"))
                        continue
                    found[i] = self.attempt(text, form, form.most)
        candidates = [c for c in found if c is not None]
        able = [(c.sealed, c.ended, c.created, i) for i, c in enumerate(candidates) if c.sealed is not None and c.sealed <= now + 60]
        return candidates[max(able)[3]] if able else candidates[0] if candidates else None


def distinct(values: Iterable[str]) -> list[str]:
    """The first 4 different ones."""
    return list(dict.fromkeys(values))[:4]


def open_header(ring: Ring, header: str, *, name: str = DEFAULT_NAME, purpose: str = "", most: int = 1, now: int, absolute: int = DEFAULT_ABSOLUTE,
                idle: Optional[int] = None, ceiling: int = DEFAULT_CEILING, formers: Iterable[Form] = (), **options: Any) -> Optional[Payload]:
    """§11.2: opens the session in a Cookie header; None: there is none. Raises the refusal of the value that decides; where none is authentic, the first."""
    current = Form(name, purpose, most, absolute, idle, ceiling)
    search = _Search(ring, header)
    for form in (current, *formers):
        decider = search.decider(form, now)
        if decider is not None:
            is_former = form is not current
            opened = open_token(ring, decider.text, name=form.name, purpose=form.purpose, most=decider.most, now=now, absolute=form.absolute,
                                idle=form.idle, ceiling=form.ceiling, successor=current if is_former else None,
                                until=form.until if is_former else None, **options)
            return replace(opened, former=form) if is_former else opened
    if search.refusal is not None:
        raise search.refusal
    return None


def least_age(ring: Ring, header: str, *, name: str = DEFAULT_NAME, purpose: str = "", most: int = 1, now: int) -> int:
    """§11.2: the age of a session that begins on a request, so that it decides over what the request has."""
    decider = _Search(ring, header).decider(Form(name, purpose, most), now)
    sealed = now
    if decider is not None and decider.sealed is not None and decider.sealed <= now + 60:
        sealed = min(decider.sealed + 1, now + 60)
    return max(0, sealed - beginning(ring, now))


def sign_out(ring: Ring, header: str, *, name: str = DEFAULT_NAME, purpose: str = "", most: int = 1, now: int,
             ceiling: int = DEFAULT_CEILING, formers: Iterable[Form] = ()) -> tuple[dict[str, str], int]:
    """§11.2: the cookies that sign a visitor out, and the Max-Age of the one that is not expired, if there is one: where the request has
    several values, of this name and of former ones, what is left would be the session. set_cookies() expires the former forms' cookies."""
    if not must_say_ended(header, [name, *(form.name for form in formers)]):
        return dict.fromkeys(removal(header, name, most, ring), ""), 0
    age = least_age(ring, header, name=name, purpose=purpose, most=most, now=now)
    token = seal_ended(ring, name=name, purpose=purpose, now=now, least_age=age)
    return split_beside(ring, header, token, name, most), min(beginning(ring, now) + ceiling - now, 400 * 86_400)


def must_say_ended(header: str, names: Iterable[str]) -> bool:
    """§11.2: whether a request has several values of the cookie's names, so that one of them would be the session once another is removed."""
    return sum(len(distinct(header_values(header, name))) for name in set(names)) > 1


def split_beside(ring: Ring, header: str, token: str, name: str, most: int, new: bool = True) -> dict[str, str]:
    """split_token() on a request: another sealer's cookies are spared (§11.1)."""
    seen, others = parts_of(header, name, ring)
    return {part: value for part, value in split_token(token, name, most, seen, new).items() if value or int(part[-1]) not in others}


def set_cookies(cookies: dict[str, str], age: Optional[int], form: Form, formers: Iterable[Form] = ()) -> list[str]:
    """The values of Set-Cookie; first those that expire the cookies of former forms (§11.3). An empty value expires its cookie.
    `age`: the Max-Age of the others; None: they have none."""
    lines: dict[tuple[object, ...], str] = {}

    def place(form: Form) -> tuple[object, ...]:
        return form.path, (form.domain or "").lower().removeprefix("."), form.partitioned

    def write(part: str, value: str, form: Form) -> None:
        kept = "" if value and age is None else f"; Max-Age={age}" if value else "; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT"
        where = f"; Path={form.path}" + (f"; Domain={form.domain}" if form.domain else "")
        lines[part, *place(form)] = f"{part}={value}{kept}{where}; Secure; HttpOnly; SameSite=Lax{'; Partitioned' if form.partitioned else ''}"

    for former in formers:
        for part in [former.name, *(f"{former.name}.{i}" for i in range(1, former.most))]:
            if part not in cookies or place(former) != place(form):
                write(part, "", former)
    for part, value in cookies.items():
        write(part, value, form)
    return list(lines.values())


class Sessions:
    """Sessions in a cookie: a request's Cookie header in, the response's Set-Cookie values out. Items are CBOR: encode_item, decode_item."""

    def __init__(self, ring: Union[Ring, Callable[[], Ring]], form: Form = Form(), *, formers: Sequence[Form] = (),
                 clock: Callable[[], float] = time.time) -> None:
        check_context(form.name, form.purpose)
        if len(formers) > 4:
            raise Invalid("more than four former forms")
        self._ring, self.form, self.formers, self._clock = ring, form, formers, clock
        self._context: dict[str, Any] = {"name": form.name, "purpose": form.purpose, "most": form.most}
        self._policy: dict[str, Any] = {"absolute": form.absolute, "idle": form.idle, "ceiling": form.ceiling}

    @property
    def ring(self) -> Ring:
        return self._ring() if callable(self._ring) else self._ring

    @property
    def now(self) -> int:
        return math.floor(self._clock())

    def open(self, header: str) -> Optional[Payload]:
        """The session of a request; None: it has no such cookie. Raises a Refused, whose words are for the log: to the visitor it is no session."""
        return open_header(self.ring, header, now=self.now, formers=self.formers, **self._context, **self._policy)

    def seal(self, header: str, item: bytes, *, own: Optional[tuple[int, int]] = None, marks: int = 0, cut_off: Optional[float] = None) -> list[str]:
        """Begins a session, as after every sign-in. `own`: a lifetime of its own, absolute and idle (0: none)."""
        ring, now = self.ring, self.now
        age, created = least_age(ring, header, now=now, **self._context), beginning(ring, now, cut_off)
        token = seal(ring, item, now=now, created=created, least_age=age, own=own, marks=marks, **self._context)
        return self._written(ring, header, token, Payload(created, max(0, now - created, age), item, own, marks), now, True)

    def seal_again(self, header: str, opened: Payload, item: Optional[bytes] = None) -> list[str]:
        """Seals an opened session again, with another item if one is given. Its beginning and its own lifetime stay. Raises a Refused if
        it is over by now."""
        ring, now = self.ring, self.now
        if opened.former is not None and now >= end_of(opened, opened.former.absolute, opened.former.idle, opened.former.ceiling):
            raise Expired()
        token = seal_again(ring, opened, item=item, now=now, **self._context, **self._policy)
        return self._written(ring, header, token, replace(opened, age=max(opened.age, now - opened.created)), now, False)

    def is_due(self, opened: Payload) -> bool:
        """Whether the cookie should be written again, though nothing in it changed (§10)."""
        return opened.former is not None or is_due(self.ring, opened, now=self.now, **self._policy)

    def sign_out(self, header: str) -> list[str]:
        cookies, age = sign_out(self.ring, header, now=self.now, ceiling=self.form.ceiling, formers=self.formers, **self._context)
        return set_cookies(cookies, age, self.form, self.formers)

    def _written(self, ring: Ring, header: str, token: str, payload: Payload, now: int, new: bool) -> list[str]:
        # With the ring and the time that sealed: a second later, Max-Age would be one less.
        cookies = split_beside(ring, header, token, self.form.name, self.form.most, new)
        return set_cookies(cookies, max_age(payload, now, **self._policy), self.form, self.formers)


# ---------------------------------------------------------------- command line

def main(argv: Optional[list[str]] = None) -> int:
    parser = argparse.ArgumentParser(description="Sealed cookies, version 1 (reference in Python)")
    commands = parser.add_subparsers(dest="command", required=True)
    for command in ("open", "seal"):
        p = commands.add_parser(command)
        p.add_argument("--ring", required=True)
        p.add_argument("--name", default=DEFAULT_NAME, help="empty: a token without a cookie")
        p.add_argument("--purpose", default="")
        p.add_argument("--at", type=int)
        p.add_argument("input", nargs="?", default="-", metavar="TOKEN" if command == "open" else "JSON")
        if command == "open":
            p.add_argument("--absolute", type=int, default=DEFAULT_ABSOLUTE)
            p.add_argument("--idle", type=int)
            p.add_argument("--ceiling", type=int, default=DEFAULT_CEILING)
        else:
            p.add_argument("--own-lifetime", type=int)
            p.add_argument("--own-idle", type=int, default=0)
            p.add_argument("--ends-with-browser", action="store_true")
            p.add_argument("--pad", type=int)
    commands.add_parser("keygen")
    args = parser.parse_args(argv)
    if args.command == "keygen":
        print(key_line(new_key()), end="")
        return 0
    try:
        with open(args.ring, "rb") as f:
            ring = Ring.parse(f.read())
        text = args.input if args.input != "-" else sys.stdin.buffer.read().decode("utf-8", "replace")
        now = int(time.time()) if args.at is None else args.at
        common = {"name": args.name, "purpose": args.purpose, "now": now}
        if args.command == "seal":
            print(seal(ring, encode_item(from_json(text)), own=None if args.own_lifetime is None else (args.own_lifetime, args.own_idle),
                       marks=ENDS_WITH_BROWSER if args.ends_with_browser else 0, pad=args.pad, **common))
        else:
            text = text.removesuffix("\n") if args.input == "-" else text
            print(to_json(decode_item(open_token(ring, text, absolute=args.absolute, idle=args.idle, ceiling=args.ceiling, **common).item)))
        return 0
    except Refused as e:
        print(f"refused: {e}", file=sys.stderr)
        return 3
    except (ValueError, InvalidRing, CannotSeal, OSError) as e:
        print(f"error: {e}", file=sys.stderr)
        return 1

