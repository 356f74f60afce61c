"""DEFLATE streams (RFC 1951) that compressors seldom write, and broken ones: for inflaters other than zlib's.

`valid()` gives streams and the item in them, `broken()` streams that an opener refuses (FORMAT §6.2). zlib agrees on all, which
`check()` sees to.
"""
from __future__ import annotations

import random, zlib
from typing import Iterator, Optional, Union

LENGTHS = [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258]
LENGTH_BITS = [0] * 8 + [n for n in range(1, 6) for _ in range(4)] + [0]
DISTANCES = [1, 2, 3, 4] + [(2 + odd << n) + 1 for n in range(1, 14) for odd in (0, 1)]
DISTANCE_BITS = [0] * 4 + [n for n in range(1, 14) for _ in (0, 1)]
ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]
FIXED_LITERALS = [8] * 144 + [9] * 112 + [7] * 24 + [8] * 8
FIXED_DISTANCES = [5] * 32
END = 256

Symbol = Union[int, tuple[int, int]]        # a byte, 256, or a length and a distance
Coded = Union[Symbol, tuple[str, int]]      # or a bare symbol of a code, for broken streams


class Bits:
    def __init__(self) -> None:
        self.bits: list[int] = []

    def number(self, value: int, count: int) -> None:
        self.bits += [value >> i & 1 for i in range(count)]

    def code(self, value: int, count: int) -> None:
        self.bits += [value >> i & 1 for i in reversed(range(count))]

    def align(self) -> None:
        self.bits += [0] * (-len(self.bits) % 8)

    def bytes(self) -> bytes:
        self.align()
        return bytes(sum(bit << i for i, bit in enumerate(self.bits[at:at + 8])) for at in range(0, len(self.bits), 8))


def codes(lengths: list[int]) -> dict[int, tuple[int, int]]:
    """The canonical code of each symbol, and its length."""
    result, code = {}, 0
    for length in range(1, 16):
        for symbol, of in enumerate(lengths):
            if of == length:
                result[symbol] = (code, length)
                code += 1
        code <<= 1
    return result


def write_symbols(out: Bits, symbols: list[Coded], literals: list[int], distances: list[int]) -> None:
    literal, distance = codes(literals), codes(distances)
    for symbol in symbols:
        if isinstance(symbol, int):
            out.code(*literal[symbol])
        elif symbol[0] == "literal":
            out.code(*literal[symbol[1]])
        elif symbol[0] == "distance":
            out.code(*distance[symbol[1]])
        elif symbol[0] == "ones":
            out.number((1 << symbol[1]) - 1, symbol[1])
        else:
            length, back = symbol
            i = max(i for i, base in enumerate(LENGTHS) if base <= length)
            out.code(*literal[257 + i])
            out.number(length - LENGTHS[i], LENGTH_BITS[i])
            i = max(i for i, base in enumerate(DISTANCES) if base <= back)
            out.code(*distance[i])
            out.number(back - DISTANCES[i], DISTANCE_BITS[i])


def fixed(out: Bits, symbols: list[Coded], last: bool = True) -> None:
    out.number(last | 1 << 1, 3)
    write_symbols(out, symbols, FIXED_LITERALS, FIXED_DISTANCES)


def stored(out: Bits, data: bytes, last: bool = True, complement: int = 0xffff) -> None:
    out.number(last, 3)
    out.align()
    out.number(len(data), 16)
    out.number(len(data) ^ complement, 16)
    for byte in data:
        out.number(byte, 8)


def dynamic(out: Bits, symbols: list[Coded], literals: list[int], distances: list[int], rng: random.Random, last: bool = True,
            of_lengths: Optional[list[int]] = None, runs: Optional[list[tuple[int, int]]] = None, kind: int = 2) -> None:
    """A block of these code lengths. `of_lengths` and `runs` are for broken ones: the code of code lengths, and what is written in it."""
    out.number(last | kind << 1, 3)
    runs = run_lengths(literals + distances, rng) if runs is None else runs
    if of_lengths is None:
        used = sorted({symbol for symbol, _ in runs})
        of_lengths = random_code(used if len(used) > 1 else used + [(used[0] + 1) % 19], 19, 7, rng)
    count = max(4, max(i for i, symbol in enumerate(ORDER) if of_lengths[symbol]) + 1)
    out.number(len(literals) - 257, 5)
    out.number(len(distances) - 1, 5)
    out.number(count - 4, 4)
    for symbol in ORDER[:count]:
        out.number(of_lengths[symbol], 3)
    table = codes(of_lengths)
    for symbol, extra in runs:
        out.code(*table[symbol])
        out.number(extra, {16: 2, 17: 3, 18: 7}.get(symbol, 0))
    write_symbols(out, symbols, literals, distances)


def run_lengths(lengths: list[int], rng: random.Random) -> list[tuple[int, int]]:
    """Code lengths as 0 to 15, and runs of them where there are some: of any length that fits, not the longest alone."""
    result, at = [], 0
    while at < len(lengths):
        run = next((i for i in range(at, len(lengths)) if lengths[i] != lengths[at]), len(lengths)) - at
        if lengths[at] == 0 and run >= 3 and rng.random() < 0.95:
            run = rng.randint(max(3, min(run, 138) - 4), min(run, 138))
            result.append((17, run - 3) if run <= 10 else (18, run - 11))
        elif at and lengths[at] == lengths[at - 1] and run >= 3 and rng.random() < 0.7:
            run = rng.randint(3, min(run, 6))
            result.append((16, run - 3))
        else:
            run = 1
            result.append((lengths[at], 0))
        at += run
    return result


def random_code(symbols: list[int], count: int, most: int, rng: random.Random) -> list[int]:
    """The lengths of a complete code of these symbols, as uneven as chance has it; of a single symbol of one bit."""
    leaves = [0]
    while len(leaves) < len(symbols):
        i = rng.choice([i for i, depth in enumerate(leaves) if depth < most and (depth > 0 or len(leaves) == 1)])
        leaves[i] += 1
        leaves.append(leaves[i])
    rng.shuffle(leaves)
    lengths = [0] * count
    for symbol, length in zip(symbols, leaves):
        lengths[symbol] = max(1, length)
    return lengths


def deepest(symbols: list[int], count: int) -> list[int]:
    """The lengths 1, 2, 3 and so on up to 15 twice, for 16 symbols."""
    lengths = [0] * count
    for symbol, length in zip(symbols, [*range(1, 16), 15], strict=True):
        lengths[symbol] = length
    return lengths


def inflated(symbols: list[Symbol]) -> bytes:
    out = bytearray()
    for symbol in symbols:
        if isinstance(symbol, int):
            out += bytes([symbol]) if symbol != END else b""
        else:
            for _ in range(symbol[0]):
                out.append(out[-symbol[1]])
    return bytes(out)


def every_length_and_distance(rng: random.Random, window: int) -> list[Symbol]:
    """An item of text: the shortest and longest of each length's code, and of each distance's within the window."""
    body: list[Symbol] = [rng.randrange(0x20, 0x7f) for _ in range(300)]
    size = len(body) + 3
    def add(length: int, distance: int) -> None:
        nonlocal size
        body.append((length, distance))
        body.append(rng.randrange(0x20, 0x7f))
        size += length + 1
    while size < window + 132:
        add(258, rng.randrange(1, min(size - 3, window) + 1))
    for base, bits in zip(LENGTHS, LENGTH_BITS):
        add(base, rng.randrange(300, window))
        if bits:
            add(base + (1 << bits) - 1, rng.randrange(300, window))
    for base, bits in zip(DISTANCES, DISTANCE_BITS):
        for distance in {base, base + (1 << bits) - 1}:
            if distance <= window:
                add(3, distance)
    return [0x79, *(size - 3).to_bytes(2, "big"), *body]


def used_by(symbols: list[Coded]) -> tuple[list[int], list[int]]:
    """The literals and lengths, and the distances, that a block's code needs."""
    literals, distances = {END}, set()
    for symbol in symbols:
        if isinstance(symbol, int):
            literals.add(symbol)
        else:
            literals.add(257 + max(i for i, base in enumerate(LENGTHS) if base <= symbol[0]))
            distances.add(max(i for i, base in enumerate(DISTANCES) if base <= symbol[1]))
    return sorted(literals), sorted(distances)


def valid() -> Iterator[tuple[str, bytes, bytes]]:
    rng = random.Random(1951)
    symbols = every_length_and_distance(rng, 32_768)
    out = Bits()
    fixed(out, symbols + [END])
    yield "every length and distance, by fixed codes", out.bytes(), inflated(symbols)
    for i in range(4):
        symbols = every_length_and_distance(rng, 2048)
        out = Bits()
        at = 0
        while at < len(symbols):                # blocks of dynamic codes, each of other lengths
            part = symbols[at:at + rng.choice([60, 150, 400])]
            at += len(part)
            literals, distances = used_by(part)
            # Codes that nothing uses are there too, up to the last of each alphabet.
            literals = sorted({*literals, *rng.sample(range(286), 30)})
            distances = sorted({*distances, *rng.sample(range(30), 8)})
            dynamic(out, part + [END], random_code(literals, max(literals[-1] + 1, 257), 15, rng), random_code(distances, distances[-1] + 1, 15, rng),
                    rng, last=at >= len(symbols))
        yield f"every length, and distances up to 2048, by dynamic codes, {i + 1}", out.bytes(), inflated(symbols)

    part = [0x6f, *b"abcdefghijklmno"]        # with the end, sixteen symbols
    for i in range(8):
        literals = deepest(rng.sample(sorted({*part, END}), 16), 257 + i)
        distances = deepest(rng.sample(range(30), 16), 30)
        out = Bits()
        dynamic(out, [*part, END], literals, distances, rng, of_lengths=random_code(list(range(19)), 19, 7, rng))
        yield f"codes of 1 to 15 bits, and a code for every code length, {i + 1}", out.bytes(), bytes(part)

    out = Bits()
    stored(out, b"\x79\x02\x58" + b"s" * 10, last=False)
    fixed(out, [*b"f" * 3, END], last=False)
    stored(out, b"", last=False)
    fixed(out, [END], last=False)
    stored(out, b"t" * 587)
    yield "stored blocks of many lengths, between others", out.bytes(), b"\x79\x02\x58" + b"s" * 10 + b"f" * 3 + b"t" * 587

    rng = random.Random(3)
    out = Bits()
    dynamic(out, [*b"\x66aaaaaa", END], random_code([0x61, 0x66, END], 257, 15, rng), [0], rng)
    yield "a block without a code for distances", out.bytes(), b"\x66aaaaaa"
    out = Bits()
    dynamic(out, [*b"\x66a", (5, 1), END], random_code([0x61, 0x66, END, 259], 260, 15, rng), [1], rng)
    yield "a single distance, of one bit", out.bytes(), b"\x66aaaaaa"
    out = Bits()
    dynamic(out, [END], [0] * 256 + [1], [0], rng, last=False)
    fixed(out, [*b"\x61a", END])
    yield "a block that has nothing but its end, of one bit", out.bytes(), b"\x61a"
    out = Bits()
    dynamic(out, [*b"\x64a", (3, 1), END], random_code([0x61, 0x64, END, 257], 258, 15, rng), [1, 1], rng)
    yield "two distances of one bit each", out.bytes(), b"\x64aaaa"
    literals = [0] * 258
    literals[0x61] = literals[0x64] = literals[256] = literals[257] = 2
    out = Bits()
    # The last two literals' lengths and the first of the distances' are one run.
    dynamic(out, [*b"\x64a", (3, 1), END], literals, [2, 2, 2, 2], rng,
            runs=[(18, 0x61 - 11), (2, 0), (0, 0), (0, 0), (2, 0), (18, 127), (18, 256 - 0x65 - 138 - 11), (2, 0), (16, 1), (2, 0)])
    yield "a run of code lengths over the end of the literals", out.bytes(), b"\x64aaaa"
    out = Bits()
    fixed(out, [*b"\x79\x01\x03a", ("literal", 284), ("ones", 5), ("distance", 0), END])
    yield "a length of 258 by its longer code", out.bytes(), b"\x79\x01\x03" + b"a" * 259


def broken() -> Iterator[tuple[str, bytes]]:
    rng = random.Random(7)

    def lengths(of: dict[int, int], count: int = 257) -> list[int]:
        return [of.get(symbol, 0) for symbol in range(count)]

    good = {0x61: 2, 0x62: 2, 0x63: 2, END: 2}          # complete

    def one(what: str, literals: Optional[list[int]] = None, distances: Optional[list[int]] = None, **options) -> tuple[str, bytes]:
        """An item, and behind it a block that has nothing but its end: whoever does not see the fault takes the item."""
        out = Bits()
        fixed(out, [*b"\x63abc", END], last=False)
        dynamic(out, [END], lengths(good) if literals is None else literals, [0] if distances is None else distances, rng, **options)
        return what, out.bytes()

    yield one("more codes for literals than there are", lengths(good | {257: 2}, 258))
    yield one("more codes for literals than there are, of 15 bits", lengths(good | {0x64: 15}))
    yield one("fewer codes for literals than there are", lengths({**good, 0x61: 3}))
    yield one("fewer codes for literals than there are, by one of 15 bits", [*deepest([*range(0x61, 0x70), END], 257)[:0x6f], 0, *deepest([*range(0x61, 0x70), END], 257)[0x70:]])
    yield one("two codes for literals of two bits", lengths({0x61: 2, END: 2}))
    yield one("a single code for literals, of two bits", lengths({END: 2}))
    yield one("more codes for distances than there are", distances=[1, 1, 1])
    yield one("fewer codes for distances than there are", distances=[2, 2, 2])
    yield one("two codes for distances, of one bit and of two", distances=[1, 2])
    yield one("a single code for distances, of two bits", distances=[2])
    yield one("a single code for distances, of two bits, and not the first", distances=[0, 0, 2])
    yield one("287 literals", lengths(good, 287))
    yield one("288 literals", lengths(good, 288))
    yield one("31 distances", distances=[0] * 31)
    yield one("32 distances", distances=[1] + [0] * 30 + [1])
    full = {16: 2, 0: 2, 1: 3, 2: 3, 17: 3, 18: 3}
    start = [(18, 0x61 - 11), (2, 0), (2, 0), (2, 0), (18, 127), (18, 256 - 0x64 - 138 - 11), (2, 0)]
    yield one("a run before the first code length", of_lengths=lengths(full, 19), runs=[(16, 0), (18, 0x61 - 14), *start[1:], (0, 0)])
    yield one("a run of code lengths beyond the last", of_lengths=lengths(full, 19), runs=[*start, (17, 0)])
    yield one("a run of code lengths beyond the last, of lengths other than 0", of_lengths=lengths(full, 19), distances=[2], runs=[*start, (16, 0)])
    yield one("more codes for code lengths than there are", of_lengths=lengths(full | {3: 7}, 19), runs=[*start, (0, 0)])
    yield one("fewer codes for code lengths than there are", of_lengths=lengths({**full, 1: 0}, 19), runs=[*start, (0, 0)])
    yield one("a single code for code lengths", of_lengths=lengths({1: 1}, 19), runs=[(1, 0)] * 258)
    out = Bits()
    dynamic(out, [*b"\x63abc"], lengths({0x61: 2, 0x62: 2, 0x63: 2, 0x64: 2}), [0], rng)
    yield "no code for the end of the block", out.bytes()
    out = Bits()
    literals = random_code([0x61, 0x64, END, 257], 258, 15, rng)
    dynamic(out, [*b"\x64a", ("literal", 257), ("ones", 1), END], literals, [1], rng)
    yield "the other bit of a single distance", out.bytes()
    out = Bits()
    dynamic(out, [("ones", 1), END], [0] * 256 + [1], [0], rng)
    yield "the other bit of a single literal", out.bytes()
    out = Bits()
    dynamic(out, [*b"\x64a", ("literal", 257), END], literals, [0], rng)
    yield "a distance where no distance has a code", out.bytes()
    for what, symbol in (("the length 286", 286), ("the length 287", 287)):
        out = Bits()
        fixed(out, [*b"\x63a", ("literal", symbol), ("distance", 0), END])
        yield what, out.bytes()
    for what, symbol in (("the distance 30", 30), ("the distance 31", 31)):
        out = Bits()
        fixed(out, [*b"\x64a", ("literal", 257), ("distance", symbol), END])
        yield what, out.bytes()
    out = Bits()
    out.number(7, 3)
    yield "a block of the fourth kind", out.bytes()
    for what, complement in (("a low byte", 0xfffe), ("a high byte", 0xfeff), ("no byte", 0)):
        out = Bits()
        stored(out, b"\x63abc", complement=complement)
        yield f"a stored block's length whose complement has {what} of it", out.bytes()
    out = Bits()
    fixed(out, [*b"\x63abc", END])
    assert out.bytes()[-1] == 0
    yield "its last byte is missing, which is zero", out.bytes()[:-1]
    out = Bits()
    stored(out, b"\x63abc")
    yield "a stored block that ends early", out.bytes()[:-1]
    yield "a stored block without all of its lengths", out.bytes()[:4]
    out = Bits()
    fixed(out, [0x64, (3, 2), END])
    yield "a distance of two after one byte", out.bytes()
    yield one("a block of the fourth kind, with what would be its codes", kind=3)


def check() -> None:
    for what, stream, data in valid():
        inflater = zlib.decompressobj(-15)
        found = inflater.decompress(stream) + inflater.flush()
        assert found == data and inflater.eof and not inflater.unused_data, (what, len(found), len(data))
        assert len(stream) < 3000, (what, len(stream))
    for what, stream in broken():
        inflater = zlib.decompressobj(-15)
        try:
            inflater.decompress(stream)
            assert not inflater.eof, what
        except zlib.error:
            pass


if __name__ == "__main__":
    check()
    for what, stream, data in valid():
        print(f"{what}: {len(stream)} bytes, {len(data)} inflated")
    for what, stream in broken():
        print(f"broken: {what}")
