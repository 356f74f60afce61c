#!/usr/bin/env python3
"""Writes a few inputs for each target into a folder, from the corpus: seeds.py FOLDER"""
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "Tests" / "Python"))
import sealed_cookie as sc  # noqa: E402

folder = Path(sys.argv[1])
sessions = sorted([*HERE.parent.glob("Benchmarks/Corpus/*.json"), *HERE.parent.glob("Benchmarks/sessions/*.json")])
forms = ('{"a":1,"b":{"x":2},"c":[],"d":{"$date":"2026-08-03T00:00:00.25Z"},"e":{"$bytes":"AQID"},"f":0.1,"g":{"some":{"_0":1,"label":"x"}},'
         '"h":{"$uuid":"fe049f18-1b8f-4a6f-8c38-00c3448de041"},"i":{"$url":"https://a/b"},"j":{"$decimal":"125e-2"},"k":{"$1":"x"},'
         '"l":{"$secret":["y"]},"m":{"$int":"18446744073709551616"},"n":[true]}')
texts = [p.read_text() for p in sessions] + [forms]


def seed(target, number, data):
    place = folder / target
    place.mkdir(parents=True, exist_ok=True)
    (place / f"seed-{number}").write_bytes(data)


for number, text in enumerate(texts):
    item = sc.encode_item(sc.from_json(text))
    for target in ("cbor-tree", "cbor-typed", "differential", "compression"):
        seed(target, number, item)
    seed("json", number, text.encode())
    seed("payload", number, sc.encode_payload(sc.Payload(1_785_715_200, 5, item, 86_400 if number % 2 else None), 32 if number % 3 else None))
ring = sc.key_line(bytes(range(32))) + sc.key_line(bytes(range(1, 33)), 1_785_715_200) + "revoked 000001\nnot-before 2026-08-01T00:00:00Z\n# x\n"
seed("ring", 0, ring.encode())
seed("cookie-header", 0, b"a=b; s=\"x\"; s.1=2;; =; s=9.S; s.3=\t")
seed("set-cookie", 0, b"\x00/\x00example.org\x00s\x00")
seed("token", 0, b"SBE2V6ChoqOkpaanqKmqq6ytrq")
