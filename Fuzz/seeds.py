#!/usr/bin/env python3
"""Writes inputs for each target into a folder, from the corpus and from the test vectors: seeds.py FOLDER"""
import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "Tests" / "Python"), str(HERE.parent / "Implementations" / "python")]
import interop  # noqa: E402
import sealed_cookie as sc  # noqa: E402
from judge import OWN  # noqa: E402

folder = Path(sys.argv[1])
NOW = 1_785_715_200
sessions = sorted([*HERE.parent.glob("Benchmarks/Corpus/*.json"), *HERE.parent.glob("Benchmarks/sessions/*.json")])
forms = ('{"a":1,"b":{"x":2},"c":[],"d":{"$date":"2026-08-03T00:00:00.25Z"},"e":{"$bytes":"AQID"},"f":0.1,"g":{"some":{"_0":1,"label":"x"}},'
         '"h":{"$uuid":"fe049f18-1b8f-4a6f-8c38-00c3448de041"},"i":{"$url":"https://a/b"},"j":{"$decimal":"125e-2"},"k":{"$1":"x"},'
         '"l":{"$secret":["y"]},"m":{"$int":"18446744073709551616"},"n":[true],"o":1.5,"p":255,"q":{"list":[1,null],"inner":{"name":"z"},"over":true},'
         '"r":{"$1":5,"$-2":["u"],"$300":{"$secret":{"$bytes":"AQ"}}},"s":18446744073709551615,"t":{"$bytes":""}}')
more = ['["\\u00e9",{"$map":[["\\u00e9",1],["e\\u0301",2]]}]', '[{"$float":"nan"},{"$float":"0xfff8000000000001"},{"$float":"-0.0"},{"$float":"inf"},1e300,5e-324]',
        '[{"$date":"@253402300800"},{"$date":"@-1+500000000"},{"$date":"2026-08-03T00:00:00.123456789012345678Z"},{"$date":"@nan"}]',
        '[{"$int":"-18446744073709551617"},-9223372036854775808,18446744073709551615,{"$decimal":"0e0"}]', '{"$secret":{"$secret":{"$secret":[]}}}', '[' * 64 + ']' * 64,
        '[{"q":{"list":[0],"inner":{"name":""},"over":false}}]', '{"c":[{"c":[{"g":{"more":{"_0":{"none":{}}}}}]}]}']
texts = [p.read_text() for p in sessions] + [forms] + more


def seed(target, number, data):
    place = folder / target
    place.mkdir(parents=True, exist_ok=True)
    (place / f"seed-{number:03}").write_bytes(data)


for number, text in enumerate(texts):
    item = sc.encode_item(sc.from_json(text))
    for target in ("cbor-tree", "cbor-typed"):
        seed(target, number, item)
    seed("compression", number, item + b"\0" + item)
    seed("deflate", number, (number * 97).to_bytes(2, "big") + item)
    seed("round-trip", number, item)
    seed("json", number, text.encode())
    seed("differential", number, b"\0" + item)
    seed("differential", 300 + number, b"\2" + text.encode())
    dictionary = (sc.STANDARD, b"", OWN)[number % 3]
    payload = sc.encode_payload(sc.Payload(NOW, number, item, (86_400 * number, 3600 * (number % 3)) if number % 2 else None), 32 if number % 3 else None, dictionary)
    seed("payload", number, payload)
    # The length of the purpose, the limit, the mode, the purpose, and the token's contents.
    for mode, inside in ((1, item), (2, payload)):
        if len(inside) < 1000:
            seed("link-token", 1000 * mode + number, bytes([2, 250, mode]) + b"re" + inside)
    seed("differential", 500 + number, b"\1" + payload)
# Inputs that are narrowly refused.
good = sc.encode_item(sc.from_json('{"user": 7, "k": {"$bytes": "AQID"}}'))
for number, (label, payload) in enumerate(interop.malformed(good)):
    if 7 <= len(payload) < 1024:
        seed("payload", 300 + number, payload)
        seed("link-token", 3000 + number, bytes([1, 250, 2]) + b"p" + payload)
        seed("differential", 700 + number, b"\1" + payload)
    if label.startswith("item: "):
        for target in ("cbor-tree", "cbor-typed"):
            seed(target, 300 + number, payload[6:])
        seed("differential", 1000 + number, b"\0" + payload[6:])
for number, vector in enumerate(json.loads((HERE.parent / "Tests/SealedCookieTests/Vectors/json.json").read_text())["vectors"]):
    text = vector["json"].encode() if "json" in vector else bytes.fromhex(vector["bytes"])
    if len(text) < 512:
        seed("json", 300 + number, text)
        seed("differential", 2000 + number, b"\2" + text)
    if len(vector.get("item", "")) in range(2, 512):
        for target in ("cbor-tree", "cbor-typed"):
            seed(target, 500 + number, bytes.fromhex(vector["item"]))
        seed("differential", 3000 + number, b"\0" + bytes.fromhex(vector["item"]))
for number, vector in enumerate(json.loads((HERE.parent / "Tests/SealedCookieTests/Vectors/rings.json").read_text())["vectors"]):
    seed("ring", 300 + number, vector["ring"].encode() if "ring" in vector else bytes.fromhex(vector["bytes"]))
for number, text in enumerate(["[]", "{}", '"x"', "1", "null", "-1.5"], 900):
    item = sc.encode_item(sc.from_json(text))
    packed = b"\x01" + NOW.to_bytes(4, "big") + b"\0" + sc.deflate(item)
    own = b"\x09" + NOW.to_bytes(4, "big") + b"\0" + sc.dictionary_name(OWN) + sc.deflate(item, OWN)
    for place, payload in enumerate((packed, own)):
        seed("payload", number + 50 * place, payload)
        seed("differential", number + 50 * place, b"\1" + payload)
ring = sc.key_line(bytes(range(32))) + sc.key_line(bytes(range(1, 33)), NOW) + "revoked 000001\nnot-before 2026-08-01T00:00:00Z\n# x\n"
seed("ring", 0, ring.encode())
seed("ring", 1, ring.replace(" ", " \t").replace("\n", "\r\n").encode() * 2)
seed("ring", 2, sc.key_line(bytes(32), NOW + 86_400).encode() + ring.encode())
for number, text in enumerate(["2026-08-03T00:00:00Z", "2024-02-29T23:59:59Z", "113657"]):
    seed("ring", 10 + number, text.encode())
seed("ring", 20, bytes([0, 0, 106, 111, 218, 0, 0, 0]))
seed("cookie-header", 0, b"a=b; s=\"x\"; s.1=2;; =; s=9.S; s.3=\t")
seed("cookie-header", 1, b"\x03s.2= \"q\" ;s=2.S;s.1;s.9=1; s = t;S=u;s.1=v")
for bits in range(256):
    name = (b"s", b"__Secure-s", b"__Host-s")[bits % 3] if not bits & 2 else b"s"
    seed("set-cookie", bits, bytes([bits]) + (b"/" if name == b"__Host-s" else b"/a/b c") + b"\0" + b"example.org\0" + name + b"\0" + bytes([1 + bits % 3, 1 + bits // 25]))
seed("token", 0, b"SBE2V6ChoqOkpaanqKmqq6ytrq")
seed("token", 1, sc._seal_payload(bytes(range(32)), b"\0" + NOW.to_bytes(4, "big") + b"\0\x80", "s", "another", bytes(20)).encode())
seed("token", 2, bytes([50, 1]))
