#!/usr/bin/env python3
"""Makes the standard dictionary's bytes, standard.bin, from words.txt. The same list gives the same bytes.

    make.py            write standard.bin; print its length and SHA-256
    make.py --check    fail if standard.bin is not what words.txt gives
"""
import argparse, ast, hashlib, re, sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "Implementations" / "python"))
try:
    from sealed_cookie import encode_item, head  # noqa: E402
except ImportError as error:
    print(f"make.py: not run: Python has no {error.name}")
    sys.exit("--check" not in sys.argv)

LIMIT = 2048
PART = r"""\"[^"]*\"|'[^']*'|\{\d+|\[\d+|[tb]\d+|u32|date|uuid|true|false|null|\d+"""
ENTRY = re.compile(rf"(?:{PART})(?:\+(?:{PART}))*")
HEADS = {"u32": b"\x1a", "date": b"\xc1\x1a", "uuid": b"\xd8\x25\x50"}
MAJOR = {"b": 2, "t": 3, "[": 4, "{": 5}
SIMPLE = {"true": True, "false": False, "null": None}


def part(text: str) -> bytes:
    if text[0] == "'":
        return ast.literal_eval(text).encode("latin-1")
    if text[0] == '"':
        return encode_item(text[1:-1])
    if text in HEADS:
        return HEADS[text]
    if text in SIMPLE:
        return encode_item(SIMPLE[text])
    return head(MAJOR[text[0]], int(text[1:])) if text[0] in MAJOR else encode_item(int(text))


def groups(text: str) -> list[list[bytes]]:
    """The list's groups, each a list of byte strings, as they stand in it."""
    out: list[list[bytes]] = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("[") and line.endswith("]"):
            out.append([])
        elif line and not line.startswith("#"):
            if not out or not re.fullmatch(rf"{ENTRY.pattern}( {ENTRY.pattern})*", line):
                raise SystemExit(f"words.txt:{number}: not a line of entries")
            out[-1] += [b"".join(map(part, re.findall(PART, entry[0])))
                        for entry in re.finditer(ENTRY, line)]
    return out


def overlap(a: bytes, b: bytes) -> int:
    """The length of the longest end of a that b begins with."""
    return next((n for n in range(min(len(a), len(b)), 0, -1) if a.endswith(b[:n])), 0)


def chain(words: list[bytes], before: bytes) -> bytes:
    """Joins a group's words behind `before`: the two that overlap most first; of equals, those that stand first."""
    words = [before] + words
    while len(words) > 1:
        most, i, j = max((overlap(a, b), -i, -j) for i, a in enumerate(words)
                         for j, b in enumerate(words) if i != j and j != 0)
        i, j = -i, -j
        words[i] += words[j][most:]
        del words[j]
    return words[0]


def dictionary(lists: list[list[bytes]]) -> bytes:
    """All groups in order, without the words that stand inside another in full."""
    every = [w for words in lists for w in words]
    if len(set(every)) < len(every):
        raise SystemExit(f"words.txt: twice: {next(w for w in every if every.count(w) > 1)!r}")
    out = b""
    for words in lists:
        out = chain([w for w in words if not any(w in other for other in every if other != w)], out)
    if len(out) > LIMIT:
        raise SystemExit(f"words.txt makes {len(out)} bytes; {LIMIT} are allowed")
    return out


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    made, file = dictionary(groups((HERE / "words.txt").read_text("utf-8"))), HERE / "standard.bin"
    if check and file.read_bytes() != made:
        print("standard.bin is not what words.txt gives", file=sys.stderr)
        return 1
    if not check:
        file.write_bytes(made)
    print(f"{len(made)} bytes, SHA-256 {hashlib.sha256(made).hexdigest()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
