#!/usr/bin/env python3
"""Prints what a dictionary saves: characters of a token without and with it, for sessions in JSON.

    measure.py [dictionary] [session.json …]     standard.bin; Benchmarks/sessions and Benchmarks/Corpus
"""
import sys, zlib
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "Implementations" / "python"))
from sealed_cookie import encode_item, from_json, split_item  # noqa: E402


def deflate(skeleton: bytes, dictionary: bytes = b"") -> bytes:
    z = zlib.compressobj(9, zlib.DEFLATED, -13, 6, zlib.Z_DEFAULT_STRATEGY, *([dictionary] if dictionary else []))
    return z.compress(skeleton) + z.flush()


def bodies(item: bytes, dictionary: bytes) -> tuple[int, int]:
    """Bytes of the best body without a dictionary, and of the best with the choice of one; its id takes a byte."""
    skeleton, contents = split_item(item)
    behind = sum(map(len, contents))
    plain = min(len(item), len(deflate(skeleton)) + behind)
    primed = deflate(skeleton, dictionary)
    if zlib.decompressobj(-15, dictionary).decompress(primed) != skeleton:
        raise SystemExit("the stream does not inflate to what went in")
    return plain, min(plain, 1 + len(primed) + behind)


def characters(body: int) -> int:
    payload = 1 + 4 + 1 + body                      # flags, created, an age below 128 s
    return (4 * (40 + payload) + 2) // 3


def table(title: str, files: list[Path], dictionary: bytes) -> float:
    """Prints a row for each file; the average of the savings, each in per cent of its own token."""
    print(f"{title:26}{'JSON':>6}{'without':>9}{'with':>6}{'saved':>8}")
    saved = []
    for file in files:
        text = file.read_text("utf-8")
        without, with_ = map(characters, bodies(encode_item(from_json(text)), dictionary))
        saved.append(100 * (1 - with_ / without))
        print(f"  {file.stem:24}{len(text.strip().encode()):6}{without:9}{with_:6}{saved[-1]:7.1f}%")
    print(f"  {'average':24}{'':21}{sum(saved) / len(saved):7.1f}%\n")
    return sum(saved) / len(saved)


def main() -> None:
    arguments = [Path(a) for a in sys.argv[1:]]
    dictionary = (arguments.pop(0) if arguments else HERE / "standard.bin").read_bytes()
    print(f"dictionary: {len(dictionary)} bytes\n")
    for folder in ([] if arguments else ["sessions", "Corpus"]):
        table(folder, sorted((HERE.parent / folder).glob("*.json")), dictionary)
    if arguments:
        table("sessions", arguments, dictionary)


if __name__ == "__main__":
    main()
