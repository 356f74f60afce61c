"""Sealed cookies, version 1: a second implementation, written from FORMAT.md for checking the first.

Needs Python 3.11 and the packages cryptography and cbor2.
"""

import base64
import math
import re
import struct
import zlib
from dataclasses import dataclass, field
from datetime import datetime, timezone
from decimal import Decimal
from uuid import UUID

import cbor2
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.cmac import CMAC

LIMIT = 65_536
DEPTH = 64


class Refused(Exception):
    """A token that is no session; the words are those of FORMAT §5.2."""


# §2 Text


def encode_text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode_text(text: str) -> bytes:
    if not re.fullmatch(r"[A-Za-z0-9_-]*", text) or len(text) % 4 == 1:
        raise Refused("not base64url")
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if encode_text(data) != text:
        raise Refused("not base64url")
    return data


# §4 Keys


def key_id(key: bytes) -> bytes:
    mac = CMAC(algorithms.AES(key))
    mac.update(b"SealedCookie/1 key id")
    return mac.finalize()[:3]


# §5 Encryption


def pae(pieces: list[bytes]) -> bytes:
    return struct.pack("<Q", len(pieces)) + b"".join(struct.pack("<Q", len(p)) + p for p in pieces)


def associated_data(header: bytes, name: str, purpose: str) -> bytes:
    return pae([b"SealedCookie", header, name.encode("ascii"), purpose.encode()])


def nonce(r: bytes) -> bytes:
    return r[:8] + bytes(4) + r[8:]


def derive(key: bytes, n: bytes) -> dict[str, bytes]:
    """XAES-256-GCM's derivation, with every intermediate."""
    block = Cipher(algorithms.AES(key), modes.ECB()).encryptor().update
    zero = block(bytes(16))
    shifted = (int.from_bytes(zero) << 1) ^ (0x87 if zero[0] & 0x80 else 0)
    subkey = (shifted & (1 << 128) - 1).to_bytes(16)
    blocks = [bytes([0, counter, 0x58, 0]) + n[:12] for counter in (1, 2)]
    mixed = [bytes(a ^ b for a, b in zip(m, subkey)) for m in blocks]
    return {"L": zero, "K1": subkey, "M1": blocks[0], "M2": blocks[1],
            "key": block(mixed[0]) + block(mixed[1]), "nonce": n[12:]}


def encrypt(key: bytes, n: bytes, plaintext: bytes, aad: bytes) -> bytes:
    message = derive(key, n)
    return AESGCM(message["key"]).encrypt(message["nonce"], plaintext, aad)


def decrypt(key: bytes, n: bytes, ciphertext: bytes, aad: bytes) -> bytes:
    message = derive(key, n)
    try:
        return AESGCM(message["key"]).decrypt(message["nonce"], ciphertext, aad)
    except InvalidTag:
        raise Refused("not authentic") from None


# §6 Payload


def leb128(number: int) -> bytes:
    out = b""
    while number >= 0x80:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def read_leb128(data: bytes) -> tuple[int, bytes]:
    number = 0
    for index, byte in enumerate(data[:5]):
        number |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            if byte == 0 and index > 0 or number >= 1 << 32:
                break
            return number, data[index + 1:]
    raise Refused("malformed payload: LEB128")


@dataclass
class Payload:
    created: int
    age: int
    item: bytes
    lifetime: int | None = None


def divide(item: bytes) -> tuple[bytes, bytes]:
    """The skeleton and the byte strings' contents."""
    checker = Checker(item)
    checker.item()
    skeleton, contents, position = b"", b"", 0
    for start, end in checker.byte_strings:
        skeleton += item[position:start]
        contents += item[start:end]
        position = end
    return skeleton + item[position:], contents


def deflate(data: bytes) -> bytes:
    compressor = zlib.compressobj(9, zlib.DEFLATED, -13, 6)
    return compressor.compress(data) + compressor.flush()


def build_payload(payload: Payload, block: int = 0, compress: bool = True) -> bytes:
    flags, body = 0, payload.item
    if compress:
        skeleton, contents = divide(payload.item)
        small = deflate(skeleton) + contents
        if len(small) < len(body):
            flags, body = 1, small
    times = struct.pack(">I", payload.created) + leb128(payload.age)
    if payload.lifetime is not None:
        flags |= 2
        times += leb128(payload.lifetime)
    out = times + body
    if block:
        flags |= 4
        out += b"\x80"
        out += bytes(-(len(out) + 1) % block)
    return bytes([flags]) + out


def read_payload(data: bytes) -> Payload:
    flags = data[0]
    if flags & ~7:
        raise Refused("malformed payload: flags")
    created = int.from_bytes(data[1:5])
    age, rest = read_leb128(data[5:])
    lifetime = None
    if flags & 2:
        lifetime, rest = read_leb128(rest)
        if lifetime == 0:
            raise Refused("malformed payload: lifetime")
    if flags & 4:
        rest = rest.rstrip(b"\0")
        if rest[-1:] != b"\x80":
            raise Refused("malformed payload: padding")
        rest = rest[:-1]
    if flags & 1:
        stream = zlib.decompressobj(-15)
        try:
            skeleton = stream.decompress(rest, LIMIT + 1)
        except zlib.error:
            raise Refused("malformed payload: DEFLATE") from None
        if len(skeleton) > LIMIT or not stream.eof:
            raise Refused("malformed payload: DEFLATE")
        checker = Checker(skeleton, contents=stream.unused_data)
    else:
        checker = Checker(rest)
    return Payload(created, age, checker.whole(), lifetime)


# §7 CBOR


class Checker:
    """Reads one item strictly. cbor2 takes more than the format allows, so it only decodes what
    has been checked here."""

    def __init__(self, data: bytes, contents: bytes | None = None):
        self.data, self.position = data, 0
        self.contents, self.taken = contents, 0
        self.byte_strings: list[tuple[int, int]] = []
        self.joined: list[bytes] = []

    def fail(self, why: str):
        raise Refused(f"malformed payload: CBOR: {why}")

    def take(self, count: int) -> bytes:
        if self.position + count > len(self.data):
            self.fail("ends early")
        self.position += count
        return self.data[self.position - count:self.position]

    def head(self) -> tuple[int, int, int]:
        first = self.take(1)[0]
        major, info = first >> 5, first & 31
        if info < 24:
            return major, info, info
        if info > 27:
            self.fail("reserved or indefinite")
        size = 1 << info - 24
        number = int.from_bytes(self.take(size))
        if major != 7 and number < (24 if size == 1 else 1 << 4 * size):
            self.fail("not shortest")
        return major, info, number

    def whole(self) -> bytes:
        """Checks that there is one item and nothing else; gives it with its byte strings in place."""
        if len(self.data) > LIMIT:
            self.fail("too long")
        self.item()
        if self.position != len(self.data):
            self.fail("bytes follow")
        if self.contents is None:
            return self.data
        if self.taken != len(self.contents):
            self.fail("contents left over")
        out, position = b"", 0
        for (place, _), content in zip(self.byte_strings, self.joined):
            out += self.data[position:place] + content
            position = place
        return out + self.data[position:]

    def byte_string(self, count: int) -> bytes:
        if self.contents is None:
            content = self.take(count)
            self.byte_strings.append((self.position - count, self.position))
        else:
            content = self.contents[self.taken:self.taken + count]
            if len(content) != count:
                self.fail("contents end early")
            self.taken += count
            self.byte_strings.append((self.position, self.position))
            self.joined.append(content)
        return content

    def item(self, depth: int = 0) -> tuple:
        """Checks an item; returns what tags need to know of it: (major, value)."""
        start = self.position
        major, info, number = self.head()
        if major in (0, 1):
            return major, number
        if major == 2:
            return major, self.byte_string(number)
        if major == 3:
            raw = self.take(number)
            try:
                return major, raw.decode()
            except UnicodeDecodeError:
                self.fail("not UTF-8")
        if major == 7:
            return major, self.simple(info, number, start)
        if depth >= DEPTH:
            self.fail("too deep")
        if major == 4:
            if number > len(self.data):
                self.fail("ends early")
            return major, [self.item(depth + 1) for _ in range(number)]
        if major == 5:
            return major, self.entries(number, depth)
        content = self.item(depth + 1)
        self.tag(number, content, depth + 1)
        return major, (number, content)

    def entries(self, count: int, depth: int) -> list:
        if count > len(self.data):
            self.fail("ends early")
        entries, previous = [], None
        for _ in range(count):
            start = self.position
            key = self.item(depth + 1)
            raw = self.data[start:self.position]
            if key[0] not in (0, 1, 3) or key[0] != 3 and key[1] >= 1 << 63:
                self.fail("a key that is neither text nor an integer")
            if previous is not None and raw <= previous:
                self.fail("keys out of order or twice")
            previous = raw
            entries.append((key, self.item(depth + 1)))
        return entries

    def simple(self, info: int, number: int, start: int):
        if info in (20, 21, 22):
            return {20: False, 21: True, 22: None}[info]
        if info not in (25, 26, 27):
            self.fail("simple value")
        bits = {25: widen(number, 5, 10), 26: widen(number, 8, 23), 27: number}[info]
        if shortest_float(bits) != self.data[start:self.position]:
            self.fail("float not shortest")
        return bits

    def tag(self, tag: int, content: tuple, depth: int):
        major, value = content
        integer = major in (0, 1)
        if tag == 1:
            good = integer and value < 1 << 63 or major == 7 and type(value) is int
        elif tag in (2, 3):
            good = major == 2 and 9 <= len(value) <= 16 and value[0] != 0
        elif tag == 4:
            good = major == 4 and len(value) == 2 and value[0][0] in (0, 1) and (
                value[1][0] in (0, 1) or value[1][0] == 6 and value[1][1][0] in (2, 3))
        elif tag == 24:
            good = major == 2
            if good:
                inner = Checker(value)
                inner.item(depth)
                if inner.position != len(value):
                    self.fail("bytes follow an embedded item")
        elif tag == 32:
            good = major == 3
        elif tag == 37:
            good = major == 2 and len(value) == 16
        elif tag == 1001:
            good = major == 5 and len(value) == 2 and extended_time(value) is not None
        else:
            self.fail("unknown tag")
        if not good:
            self.fail("content of a tag")


def extended_time(entries: list) -> tuple[int, int, int] | None:
    """Seconds, digits of the fraction, fraction."""
    (k0, v0), (k1, v1) = entries
    if k0 != (0, 1) or v0[0] not in (0, 1) or v0[1] >= 1 << 63 or k1 not in ((1, 8), (1, 17)) or v1[0] != 0:
        return None
    digits = k1[1] + 1
    if v1[1] >= 10 ** digits:
        return None
    return (v0[1] if v0[0] == 0 else -1 - v0[1]), digits, v1[1]


def widen(bits: int, exponent_bits: int, mantissa_bits: int) -> int:
    """A half's or single's bits as a double's, NaN payloads included."""
    sign = bits >> exponent_bits + mantissa_bits
    exponent = bits >> mantissa_bits & (1 << exponent_bits) - 1
    mantissa = bits & (1 << mantissa_bits) - 1
    if exponent == (1 << exponent_bits) - 1:
        return sign << 63 | 0x7FF << 52 | mantissa << 52 - mantissa_bits
    bias = (1 << exponent_bits - 1) - 1
    value = math.ldexp(mantissa + (exponent > 0) * (1 << mantissa_bits), max(exponent, 1) - bias - mantissa_bits)
    return sign << 63 | int.from_bytes(struct.pack(">d", value))


def shortest_float(bits: int) -> bytes:
    number = struct.unpack(">d", bits.to_bytes(8))[0]
    if math.isnan(number):
        sign, payload = bits >> 63, bits & (1 << 52) - 1
        if payload & (1 << 42) - 1 == 0:
            return b"\xf9" + (sign << 15 | 0x7C00 | payload >> 42).to_bytes(2)
        if payload & (1 << 29) - 1 == 0:
            return b"\xfa" + (sign << 31 | 0x7F800000 | payload >> 29).to_bytes(4)
        return b"\xfb" + bits.to_bytes(8)
    for head, form, exponent_bits, mantissa_bits in ((b"\xf9", ">e", 5, 10), (b"\xfa", ">f", 8, 23)):
        try:
            packed = struct.pack(form, number)
        except OverflowError:
            continue
        if widen(int.from_bytes(packed), exponent_bits, mantissa_bits) == bits:
            return head + packed
    return b"\xfb" + bits.to_bytes(8)


# §8 JSON: a value here is what Checker.item returns


def to_json(value: tuple):
    major, content = value
    if major == 0:
        return content
    if major == 1:
        return -1 - content if content < 1 << 63 else {"$int": str(-1 - content)}
    if major == 2:
        return {"$bytes": encode_text(content)}
    if major == 3:
        return content
    if major == 4:
        return [to_json(v) for v in content]
    if major == 5:
        return {key_text(k): to_json(v) for k, v in content}
    if major == 7:
        if type(content) is not int:
            return content
        number = struct.unpack(">d", content.to_bytes(8))[0]
        if math.isnan(number):
            return {"$float": "nan" if content == 0x7FF8 << 48 else f"0x{content:x}"}
        if math.isinf(number) or number == int(number) and -(1 << 63) <= number < 1 << 64:
            return {"$float": repr(number)}
        return number
    tag, inner = content
    if tag in (2, 3):
        number = int.from_bytes(inner[1])
        return {"$int": str(number if tag == 2 else -1 - number)}
    if tag == 1:
        return {"$date": date_text(inner)}
    if tag == 1001:
        seconds, digits, fraction = extended_time(inner[1])
        return {"$date": rfc3339(seconds)[:-1] + f".{fraction:0{digits}d}Z"}
    if tag == 4:
        mantissa = to_json(inner[1][1])
        return {"$decimal": f"{mantissa['$int'] if isinstance(mantissa, dict) else mantissa}e{to_json(inner[1][0])}"}
    if tag == 24:
        return {"$secret": to_json(Checker(inner[1]).item())}
    if tag == 32:
        return {"$url": inner[1]}
    return {"$uuid": str(UUID(bytes=inner[1]))}


def key_text(key: tuple) -> str:
    if key[0] == 3:
        return "$" + key[1] if key[1].startswith("$") else key[1]
    return f"${key[1] if key[0] == 0 else -1 - key[1]}"


def rfc3339(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def date_text(value: tuple) -> str:
    if value[0] in (0, 1):
        return rfc3339(value[1] if value[0] == 0 else -1 - value[1])
    number = struct.unpack(">d", value[1].to_bytes(8))[0]
    exact = Decimal(number)
    for digits in (9, 18):
        scaled = (exact - math.floor(exact)).scaleb(digits)
        if scaled == int(scaled):
            return rfc3339(math.floor(exact))[:-1] + f".{int(scaled):0{digits}d}Z"
    return f"@{number!r}"


def from_json(value):
    """What cbor2 encodes; `canonical` sorts afterwards."""
    if isinstance(value, list):
        return [from_json(v) for v in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        (mark, inner), = value.items()
        if mark == "$bytes":
            return decode_text(inner)
        if mark == "$uuid":
            return UUID(inner)
        if mark == "$url":
            return cbor2.CBORTag(32, inner)
        if mark == "$int":
            return int(inner)
        if mark == "$float":
            return float(inner)
        if mark == "$decimal":
            number = Decimal(inner).normalize()
            sign, digits, exponent = number.as_tuple()
            magnitude = int("".join(map(str, digits)))
            return cbor2.CBORTag(4, [exponent, -magnitude if sign else magnitude])
        if mark == "$date":
            return cbor2.CBORTag(1, int(datetime.strptime(inner, "%Y-%m-%dT%H:%M:%S%z").timestamp()))
        if mark == "$secret":
            return cbor2.CBORTag(24, encode_item(inner))
    out = {}
    for key, inner in value.items():
        if key.startswith("$$"):
            key = key[1:]
        elif key.startswith("$"):
            key = int(key[1:])
        out[key] = from_json(inner)
    return out


def encode_item(json_value) -> bytes:
    return sort_maps(cbor2.dumps(from_json(json_value), canonical=True))


def sort_maps(item: bytes) -> bytes:
    """An item with each map's entries in the order of RFC 8949 §4.2.1. cbor2's canonical form sorts
    keys by length first, as RFC 7049 had it."""
    out, rest = _sorted(item)
    assert not rest
    return out


def _sorted(data: bytes) -> tuple[bytes, bytes]:
    reader = Checker(data)
    major, info, number = reader.head()
    head, rest = data[:reader.position], data[reader.position:]
    if major in (2, 3):
        return head + rest[:number], rest[number:]
    if major == 4 or major == 6:
        for _ in range(number if major == 4 else 1):
            part, rest = _sorted(rest)
            head += part
        return head, rest
    if major == 5:
        entries = []
        for _ in range(number):
            key, rest = _sorted(rest)
            value, rest = _sorted(rest)
            entries.append((key, value))
        return head + b"".join(k + v for k, v in sorted(entries)), rest
    return head, rest


# §9 Key ring


@dataclass
class Ring:
    keys: dict[bytes, tuple[bytes, int]] = field(default_factory=dict)  # id: secret, from
    revoked: set[bytes] = field(default_factory=set)
    not_before: int = 0

    @staticmethod
    def parse(text: str) -> "Ring":
        ring = Ring()
        for line in text.split("\n"):
            fields = line.split()
            if not fields or fields[0].startswith("#"):
                continue
            if fields[0] == "key" and len(fields) in (3, 4):
                identifier, begin = bytes.fromhex(fields[1]), -1
                if len(fields) == 4:
                    begin = seconds(fields[2].removeprefix("from="))
                secret = decode_text(fields[-1].removeprefix("sck1_"))
                if len(secret) != 32 or key_id(secret) != identifier:
                    raise ValueError("key ring: not this id's key")
                begin = max(begin, ring.keys.get(identifier, (b"", -1))[1])
                ring.keys[identifier] = secret, begin
            elif fields[0] == "revoked" and len(fields) == 2:
                ring.revoked.add(bytes.fromhex(fields[1]))
            elif fields[0] == "not-before" and len(fields) == 2:
                ring.not_before = max(ring.not_before, seconds(fields[1]))
            else:
                raise ValueError("key ring: unknown line")
        for identifier in ring.revoked:
            ring.keys.pop(identifier, None)
        return ring

    def active(self, now: int) -> bytes:
        candidates = [(begin, identifier) for identifier, (_, begin) in self.keys.items() if begin <= now]
        return max(candidates)[1]


def seconds(text: str) -> int:
    return int(datetime.strptime(text, "%Y-%m-%dT%H:%M:%S%z").timestamp())


# §5.1, §5.2


def seal_payload(key: bytes, payload: bytes, r: bytes, name: str, purpose: str = "") -> str:
    header = b"\x48" + key_id(key)
    sealed = encrypt(key, nonce(r), payload, associated_data(header, name, purpose))
    return encode_text(header + r + sealed)


def open_token(ring: Ring, token: str, now: int, name: str = "__Host-session", purpose: str = "",
               absolute: int = 14 * 86_400, idle: int | None = None) -> Payload:
    if len(token) + len(name) > 4096:
        raise Refused("too long")
    data = decode_text(token)
    if len(data) < 47:
        raise Refused("too short")
    if data[0] != 0x48:
        raise Refused("unknown version")
    identifier = data[1:4]
    if identifier in ring.revoked:
        raise Refused("revoked key")
    if identifier not in ring.keys:
        raise Refused("unknown key")
    key = ring.keys[identifier][0]
    plaintext = decrypt(key, nonce(data[4:24]), data[24:], associated_data(data[:4], name, purpose))
    payload = read_payload(plaintext)
    sealed = payload.created + payload.age
    if sealed > now + 60:
        raise Refused("in the future")
    end = payload.created + (payload.lifetime or absolute)
    if idle is not None:
        end = min(end, sealed + idle)
    if now >= end:
        raise Refused("expired")
    if payload.created < ring.not_before:
        raise Refused("ended")
    return payload
