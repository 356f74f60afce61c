"""Every call into OpenSSL, zlib and the kernel's randomness fails once, and so does every piece of memory they ask for.   usage: faults.py [--quick] FAULTS OBJECTS…

FAULTS is the driver, built with AddressSanitizer; OBJECTS are the library's object files, to see that no call was forgotten.
Judges what came of each fault, and opens every token that came out meanwhile with the independent implementation.
"""
import collections
import os
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "Implementations", "python"))
import sealed_cookie as sc

QUICK = "--quick" in sys.argv
DRIVER, *OBJECTS = [argument for argument in sys.argv[1:] if argument != "--quick"]
KEY = bytes(range(7, 39))
NOW = 1_785_715_200
WAYS = ("refuses", "late", "otherwise", "short")
# What the library calls and cannot fail: it frees, wipes, compares or fills in a struct.
CANNOT_FAIL = {"ERR_clear_error", "CRYPTO_clear_free", "CRYPTO_memcmp", "EVP_CIPHER_CTX_free", "EVP_MAC_CTX_free", "EVP_MAC_free", "OPENSSL_cleanse",
               "OSSL_PARAM_construct_end", "OSSL_PARAM_construct_utf8_string", "inflateEnd", "munmap"}
TYPED = re.compile(r'(SealError|OpenError|DictionaryError)\.libraryFailed \w+|KeyRingError\.libraryFailed \w+'
                   r'|KeyRingError\.unreadable\("Cannot allocate memory"\)')
passed = failed = 0


def check(condition, what):
    global passed, failed
    passed, failed = passed + bool(condition), failed + (not condition)
    if not condition and failed <= 40:
        print("FAILED", what)


def run(scenario, group, way, leaks):
    """The driver's lines, and what a sanitizer said."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "SWIFT_BACKTRACE": "enable=no", "ASAN_OPTIONS": f"detect_leaks={int(leaks)}:exitcode=23"}
        if leaks:
            environment["FAULTS_LEAKS"] = "1"
        result = subprocess.run([os.path.abspath(DRIVER), scenario, group, way, folder], input=sc.key_line(KEY), capture_output=True, text=True, env=environment)
        return [line.split("\t") for line in result.stdout.splitlines()], result.stderr


def judge(scenario, group, way, what, outcome, step, then):
    """How a fault counts, or None where it should not have ended so."""
    if then and not (scenario == "first" and group == "openssl-memory" and TYPED.fullmatch(then)):
        return None
    if TYPED.fullmatch(outcome):
        return "typed, and OpenSSL never recovers" if then else "typed"
    # A tag that could not be compared is one that does not verify.
    if what == "EVP_DecryptFinal_ex" and (outcome.startswith("OpenError.not authentic") or (outcome, step) == ("absorbed", "")):
        return "refused as not authentic"
    if outcome == "absorbed" and what in ("mmap", "madvise"):
        return "absorbed: no page is kept"
    # A sealer that is made seals and opens a sample, so that a fork finds nothing half made. What fails in it is met again
    # by the first session, or is over.
    if scenario == "first" and (outcome, step) == ("absorbed", ""):
        return "absorbed: in the sample of a new sealer"
    if outcome == "absorbed" and group != "calls":
        return "absorbed: done without"
    return None


def called(objects):
    """The functions of OpenSSL and zlib, getentropy and mmap that the library calls and that can fail."""
    lines = subprocess.run(["nm", "-u", *objects], capture_output=True, text=True, check=True).stdout.splitlines()
    names = {line.split()[-1] for line in lines if line.strip() and not line.endswith(":")}
    return {n for n in names if re.match(r"(EVP|RAND|CRYPTO|OPENSSL|OSSL|ERR)_|inflate|getentropy$|mmap$|madvise$|munmap$", n)} - CANNOT_FAIL


started = time.time()
_, complaint = run("leaking", "zlib-memory", "refuses", True)
check("LeakSanitizer: detected memory leaks" in complaint, "control: a leak is found")

# Leaks are looked for after each fault but those of OpenSSL's start: there are thousands, and what is lost is OpenSSL's own.
zlib = [("first", "zlib-memory", "refuses", True), ("steady", "zlib-memory", "refuses", True)]
if QUICK:
    matrix = [("first", "calls", "refuses", True), ("steady", "calls", "refuses", True), ("steady", "calls", "short", False)] + zlib
else:
    matrix = [("first", "openssl-memory", "refuses", False), ("steady", "openssl-memory", "refuses", True)] + zlib
    matrix += [(s, "calls", way, True) for s in ("first", "steady", "pageless") for way in WAYS]
tally, functions, tokens, faults = collections.Counter(), set(), [], 0
with ThreadPoolExecutor(os.cpu_count()) as pool:
    for row, (lines, complaint) in zip(matrix, pool.map(lambda row: run(*row), matrix)):
        scenario, group, way, _ = row
        check(not complaint, f"{row}: {complaint[:3000]}")
        seen = len(tokens)
        for fields in lines:
            if fields[0] == "token":
                tokens.append((fields[1], fields[2]))
                continue
            # A child that dies writes no more than three.
            at, what, outcome, step, then = (fields + ["", ""])[:5]
            if at == "0":
                check(outcome == "absorbed", f"{row} without a fault: {fields}")
                continue
            faults += 1
            kind = judge(scenario, group, way, what, outcome, step, then)
            check(kind, f"{row}: {fields}")
            tally[group, kind or "WRONG"] += 1
            if group == "calls":
                functions.add(what)
        check(len(tokens) > seen + 100 or group == "zlib-memory", f"{row}: tokens came out")

expected = called(OBJECTS)
check(len(expected) > 25 and functions == expected, f"calls that were made to fail: without {expected - functions}, beyond {functions - expected}")
ring = sc.Ring.parse(sc.key_line(KEY).encode())
own = b"dnamedrolesfmemberbilling_adminmember_admin"
for purpose, text in tokens:
    try:
        sc.open_token(ring, text, purpose=purpose, now=NOW, dictionaries=[own], absolute=30 * 86_400)
        opens = True
    except sc.Refused as error:
        opens = error
    check(opens is True, f"a token that came out opens: {purpose}: {opens}")
randoms = {sc.b64u_strict(text)[4:24] for _, text in tokens}
check(len(randoms) == len(tokens), f"{len(tokens) - len(randoms)} nonces came twice")
check(not any(r.count(0) > 6 for r in randoms), "a nonce of zeros")

for (group, kind), count in sorted(tally.items()):
    print(f"{group:15} {count:6}  {kind}")
print(f"{faults} faults, {len(functions)} functions among them; {len(tokens)} tokens came out, all open elsewhere; {time.time() - started:.0f} s")
print(f"{passed} passed, {failed} failed")
sys.exit(1 if failed else 0)
