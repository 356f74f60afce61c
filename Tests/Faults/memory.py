"""What is left of keys in a process's memory when their ring is released: nothing.   usage: memory.py MEMORY

MEMORY is the driver. It looks for pieces of eight bytes, in memory of every kind, before a ring is read, while it is in use, and when
all is released; what it looks for it is given with each bit turned over.
"""
import base64
import os
import secrets
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "Implementations", "python"))
import sealed_cookie as sc

DRIVER = os.path.abspath(sys.argv[1])
NOW = 1_785_715_200
passed = failed = 0


def check(condition, what):
    global passed, failed
    passed, failed = passed + bool(condition), failed + (not condition)
    if not condition:
        print("FAILED", what)


def substitution():
    """The S-box of FIPS 197: the inverse in GF(2^8), then the affine map."""
    box, p, q = [0x63] * 256, 1, 1
    while True:
        p ^= (p << 1) ^ (0x11B if p & 0x80 else 0)
        for shift in (1, 2, 4):
            q ^= q << shift
        q &= 0xFF
        q ^= 0x09 if q & 0x80 else 0
        box[p] = q ^ 0x63
        for shift in range(1, 5):
            box[p] ^= (q << shift | q >> 8 - shift) & 0xFF
        if p == 1:
            return box


BOX = substitution()


def schedule(key):
    """AES-256's round keys behind the first two, which are the key itself (FIPS 197 §5.2)."""
    words = [key[i:i + 4] for i in range(0, 32, 4)]
    for i in range(8, 60):
        word = words[-1]
        if i % 8 == 0:
            word = bytes(BOX[b] for b in word[1:] + word[:1])
            word = bytes([word[0] ^ 1 << i // 8 - 1]) + word[1:]
        elif i % 8 == 4:
            word = bytes(BOX[b] for b in word)
        words.append(bytes(a ^ b for a, b in zip(words[-8], word)))
    return b"".join(words[8:])


assert schedule(bytes.fromhex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4"))[:4].hex() == "9ba35411", "FIPS 197, A.3"


def turned(name, value):
    return f"{name} {bytes(b ^ 0xFF for b in value).hex()}\n"


def of_message(name, key, token):
    """The keys of one token: its own, that one's round keys, and GHASH's, in either order of bytes."""
    raw = sc.b64u_strict(token)
    message = sc.xaes_derive(key, sc.nonce_of(raw[4:24]))["key"]
    h = sc.aes_block(message, bytes(16))
    return (turned(name + "-key", message) + turned(name + "-round-keys", schedule(message))
            + turned(name + "-hash-key", h + h[:8][::-1] + h[8:][::-1]))


def run(source, authentic=True):
    """What the driver found: {(stage, needle): (how often, where)}."""
    key, other, plaintext = secrets.token_bytes(32), secrets.token_bytes(32), secrets.token_bytes(64)
    ring = sc.Ring.parse(sc.key_line(key).encode())
    token = sc.seal(ring, sc.encode_item({"note": plaintext}), now=NOW)
    if not authentic:
        raw = bytearray(sc.b64u_strict(token))
        raw[-1] ^= 1
        token = sc.b64u(bytes(raw))
    subkey = sc.xaes_derive(key, bytes(24))
    needles = (turned("key", key) + turned("round-keys", schedule(key)) + turned("k1", subkey["K1"])
               + turned("text", base64.urlsafe_b64encode(key)[:43]) + turned("plaintext", plaintext)
               + of_message("opened", key, token))
    with tempfile.TemporaryDirectory() as folder:
        paths = [os.path.join(folder, name) for name in ("ring", "token", "needles", "other")]
        for path, text in zip(paths, (sc.key_line(key), token, needles, sc.key_line(other))):
            with open(path, "w") as file:
                file.write(text)
        process = subprocess.Popen([DRIVER, source, *paths], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        found, sealed, outcomes = {}, None, []
        for line in process.stdout:
            fields = line.rstrip("\n").split("\t")
            if fields[0] == "sealed":
                # Its key is known only now. What is sealed with the ring that comes after is another's.
                if sealed is None:
                    process.stdin.write(of_message("sealed", key, fields[1]))
                    process.stdin.close()
                sealed = fields[1]
            elif fields[0] in ("outcome", "failed"):
                outcomes.append(fields[1])
            else:
                found[fields[0], fields[1]] = int(fields[2]), fields[3] if len(fields) > 3 else ""
        check(process.wait() == 0, f"{source}: exit code {process.returncode}")
        check(outcomes[0].startswith("opened" if authentic else "not authentic"), f"{source}: {outcomes}")
    return found


SECRETS = ["key", "round-keys", "k1", "text"] + [f"{of}-{what}" for of in ("opened", "sealed") for what in ("key", "round-keys", "hash-key")]
print(f"{'ring from':12} " + " ".join(f"{name:>17}" for name in SECRETS))
for source in ("file", "text", "environment", "changed", "followed"):
    found = run(source)
    for name in SECRETS:
        check(found.get(("start", name), (0,))[0] == 0, f"{source}: {name} at the start, {found.get(('start', name))}")
        check(found["end", name][0] == 0, f"{source}: {name} is left {found['end', name]}")
        if source == "followed":
            check(found["replaced", name][0] == 0, f"{source}: {name} is left after the ring was replaced {found['replaced', name]}")
        # On the stack not even while it is in use, but for the time of a call.
        for stage in ("opened", "alive", "end"):
            check("stack" not in found.get((stage, name), ("", ""))[1], f"{source}: {name} on the stack, {stage}")
        # A message's key is in OpenSSL's schedule, four pieces of it, until the next message. Anywhere else it is a copy that
        # was not wiped when its message was done.
        for stage in ("opened", "alive"):
            if name.endswith("-key") and not name.endswith("-hash-key") and (stage, name) in found:
                check(found[stage, name][0] <= 4, f"{source}: a second copy of {name}, {stage}: {found[stage, name]}")
        # The control: what is in use is found. A ring's text is not even then.
        check((found["alive", name][0] > 0) == (name != "text"), f"{source}: {name} while in use: {found['alive', name]}")
    if source in ("text", "environment"):
        check(found["given", "text"][0] >= 5, f"{source}: the text as it is given: {found['given', 'text']}")
    print(f"{source:12} " + " ".join(f"{found['alive', name][0]:>12} → {found['end', name][0]:>2}" for name in SECRETS))
authentic, forged = run("file"), run("file", authentic=False)
check(authentic["opened", "plaintext"][0] > 0, "control: the plaintext of an authentic token is found")
for stage in ("start", "opened", "alive", "end"):
    check(forged[stage, "plaintext"][0] == 0, f"plaintext whose tag did not verify, {stage}: {forged[stage, 'plaintext']}")
print(f"plaintext: {authentic['opened', 'plaintext'][0]} pieces of an authentic token's, {forged['opened', 'plaintext'][0]} of a forged one's")
print(f"{passed} passed, {failed} failed")
sys.exit(1 if failed else 0)
