"""That no branch and no address depends on a key, by valgrind.   usage: constant_time.py CONSTANT-TIME

CONSTANT-TIME is the driver, built for release, without its debug information, which valgrind cannot read.
"""
import os
import re
import secrets
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "Implementations", "python"))
import sealed_cookie as sc

DRIVER = os.path.abspath(sys.argv[1])
# Of OPENSSL_ia32cap(3): AES-NI, PCLMULQDQ, SSSE3.
AES, MULTIPLIES, SHUFFLES = 1 << 57, 1 << 33, 1 << 41
RINGS = 8


def valgrind(tool, *arguments, **environment):
    return subprocess.run(["valgrind", *tool, DRIVER, *arguments], capture_output=True, text=True, env={**os.environ, **environment})


def instructions(path, kind=str.isdigit):
    """How many reading a ring takes, whose key id, which is public, is all digits or all letters: these take other ways."""
    key = secrets.token_bytes(32)
    while not kind(sc.key_id(key)):
        key = secrets.token_bytes(32)
    with open(path, "w") as file:
        file.write(sc.key_line(key))
    run = valgrind(["--tool=callgrind", "--collect-atstart=no", "--callgrind-out-file=/dev/null"], "ring", path, SWIFT_DETERMINISTIC_HASHING="1")
    return run.stderr.split("Collected :")[1].split()[0] if run.returncode == 0 else run.stderr


memcheck = ["-q", "--error-limit=no"]
result = valgrind(memcheck)
print(result.stdout, end="")
failed = result.returncode != 0
if failed:
    print(result.stderr[:20_000])

processor = re.search(r"OPENSSL_ia32cap=0x([0-9a-f]+)", result.stdout)
if processor:
    flags = int(processor[1], 16)
    if not (flags & AES and flags & MULTIPLIES):
        print("FAILED this processor has no instructions for AES and GHASH: OpenSSL works by tables")
        failed = True
    control = valgrind(memcheck, "tables", OPENSSL_ia32cap=f"~0x{AES | SHUFFLES:x}")
    print(control.stdout.splitlines()[-1])
    failed |= control.returncode != 0

# A ring's text is looked through for blanks and line ends too: as many instructions for any secret.
with tempfile.TemporaryDirectory() as folder:
    counts = {instructions(folder + "/ring") for _ in range(RINGS)}
    others = {instructions(folder + "/ring", str.isalpha)}
equal, seen = len(counts) == 1, counts.isdisjoint(others)
print(f"{'ok    ' if equal else 'FAILED'} {RINGS} rings read, in {' or '.join(sorted(counts))} instructions")
print(f"{'ok    ' if seen else 'FAILED'} control: {' '.join(others)} instructions for a ring with another kind of id")
sys.exit(0 if equal and seen and not failed else 1)
