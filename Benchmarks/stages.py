#!/usr/bin/env python3
"""Instructions of each stage, ours and the floor's, by callgrind: stages.py PROGRAM CORPUS [SESSION [MODE]]

What 1,000 operations cost beyond none, so that the start does not count. PROGRAM without debug information, which valgrind cannot read.
"""
import re
import subprocess
import sys
import tempfile
from collections import Counter

PROGRAM, CORPUS, SESSION, MODE = [*sys.argv[1:], "b_login", "standard"][:4] if len(sys.argv) < 5 else sys.argv[1:5]
# Ours by its Swift name, after the optimizer; the floor's by its C name. zlib's two are missing without compression.
STAGES = {
    "seal": [("DEFLATE", r"appendCompressed\(", "floor_deflate"),
             ("random bytes", r"RandomBuffer\.(fill|copy)\(", "floor_random"), ("XAES, encrypt", r"XAESCiphers\.seal\(", "floor_encrypt"),
             ("base64url, encode", r"closure #1 in static Base64Words\.encode\(", "floor_base64_encode")],
    "open": [("base64url, decode", r"closure #1 in static Base64Words\.decode\(", "floor_base64_decode"),
             ("XAES, decrypt", r"XAESCiphers\.open\(", "floor_decrypt"), ("INFLATE", r"Inflater\.decompress\(", "floor_inflate")],
}


def profile(work: str, times: int) -> Counter:
    with tempfile.NamedTemporaryFile() as file:
        subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={file.name}", PROGRAM, CORPUS, "--loop", work, SESSION, MODE, str(times)],
                       check=True, capture_output=True)
        text = subprocess.run(["callgrind_annotate", "--inclusive=yes", "--threshold=100", file.name], check=True, capture_output=True, text=True).stdout
    text = subprocess.run(["swift", "demangle", "--simplified"], input=text, check=True, capture_output=True, text=True).stdout
    found: Counter = Counter()
    for count, name in re.findall(r"^ *([0-9,]+) \([^)]*\)  (.*?)(?: \[[^\]]*\])?$", text, re.M):
        name = re.sub(r"^\S*?:(?=\S)", "", name, count=1)
        found[name] = max(found[name], int(count.replace(",", "")))
    found["total"] = int(re.search(r"^ *([0-9,]+) .*PROGRAM TOTALS", text, re.M)[1].replace(",", ""))
    return found


def each(work: str) -> dict:
    few, many = profile(work, 100), profile(work, 1100)
    return {name: (count - few.get(name, 0)) / 1000 for name, count in many.items()}


def of(counts: dict, pattern: str) -> float:
    return max((count for name, count in counts.items() if re.search(pattern, name)), default=0)


print(f"Instructions for one {SESSION}, compression {MODE}:\n")
print("| | stage | ours | the floor | × floor |\n|---|---|--:|--:|--:|")
missing = []
for work, stages in STAGES.items():
    ours, floor = each(work), each(f"floor-{work}")
    ours_left, floor_left = ours["total"], floor["total"]
    for title, mine, other in stages:
        a, b = of(ours, mine), of(floor, rf"\b{other}\b")
        if MODE == "off" and "FLATE" in title:
            continue
        if a <= 0 or b <= 0:
            missing.append(f"{work}: {title}: {mine if a <= 0 else other}")
            continue
        ours_left, floor_left = ours_left - a, floor_left - b
        print(f"| {work} | {title} | {a:,.0f} | {b:,.0f} | {a / b:.2f} |")
    print(f"| {work} | all else | {ours_left:,.0f} | {floor_left:,.0f} | |")
    print(f"| {work} | **together** | {ours['total']:,.0f} | {floor['total']:,.0f} | {ours['total'] / floor['total']:.2f} |")
if missing:
    sys.exit("stages.py: not found in the profile, so that its name here is another's or an old one:\n  " + "\n  ".join(missing))
