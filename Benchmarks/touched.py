#!/usr/bin/env python3
"""Bytes of memory that one seal and one open touch, ours and the floor's, by valgrind: touched.py PROGRAM CORPUS [SESSION ...]

Counted are the lines of 64 bytes that the eighth operation reads, writes or runs, so that nothing is made anew. A line is what a
processor fetches into its cache.
"""
import subprocess
import sys

PROGRAM, CORPUS = sys.argv[1:3]
SESSIONS = sys.argv[3:] or ["b_login"]
COUNT = 8


def touched(work: str, session: str) -> tuple[int, int]:
    """Bytes of data and of code between the last two marks."""
    trace = subprocess.Popen(["valgrind", "--tool=lackey", "--trace-mem=yes", "--basic-counts=no", "--log-fd=1", PROGRAM, CORPUS, "--loop", work,
                              session, "standard", str(COUNT)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    marks, repeats, last = 0, 0, b""
    data, code = set(), set()
    for line in trace.stdout:
        kind, rest = line[:2], line[3:]
        if kind == b"I ":
            if marks == COUNT:
                add(code, rest)
            continue
        if kind not in (b" S", b" L", b" M"):
            continue
        repeats = repeats + 1 if kind == b" S" and rest == last else 0
        last = rest
        if repeats == 63:
            marks += 1
            if marks > COUNT:
                break
            data.clear()
        elif marks == COUNT:
            add(data, rest)
    trace.kill()
    if marks <= COUNT:
        sys.exit(f"touched.py: no {COUNT + 1} marks in the trace of {work} {session}")
    return len(data) * 64, len(code) * 64


def add(lines: set, access: bytes) -> None:
    address, size = access.split(b",")
    first = int(address, 16)
    lines.update(range(first >> 6, (first + int(size) - 1 >> 6) + 1))


print("| session | | data, bytes | code, bytes | floor's data | floor's code |\n|---|---|--:|--:|--:|--:|")
for session in SESSIONS:
    for work in ("seal", "open"):
        ours, floor = touched(work, session), touched(f"floor-{work}", session)
        print(f"| {session} | {work} | {ours[0]:,} | {ours[1]:,} | {floor[0]:,} | {floor[1]:,} |", flush=True)
