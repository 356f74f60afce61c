"""For the differential fuzz target: reads items, each behind its length in four bytes, and answers 1 for what §7 takes, 0 else."""
import sys

import sealed_cookie as sc

source, answer = sys.stdin.buffer, sys.stdout.buffer
while head := source.read(4):
    try:
        sc.decode_item(source.read(int.from_bytes(head, "big")))
        answer.write(b"\1")
    except sc.Invalid:
        answer.write(b"\0")
    except RecursionError:
        answer.write(b"\0")
    answer.flush()
