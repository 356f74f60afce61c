#!/usr/bin/env python3
"""The library's public API, a declaration a line, sorted: api.py MODULES [--check]

MODULES is a build's folder of .swiftmodule files. Writes api.txt, or with --check compares it with what is there.
"""
import difflib
import json
import sys
import tempfile
from pathlib import Path

from graph import extract

FILE = Path(__file__).resolve().parent / "api.txt"
# Every type has them, or gets them with another.
IMPLIED = {"Copyable", "Escapable", "SendableMetatype", "BitwiseCopyable", "_BitwiseCopyable"}


def graph(modules: str) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        files = extract(modules, folder, "-skip-synthesized-members", "-skip-inherited-docs")
        graphs = [json.loads(file.read_text("utf-8")) for file in files]
    return {key: [entry for one in graphs for entry in one[key]] for key in ("symbols", "relationships")}


def condition(constraints: list) -> str:
    signs = {"conformance": ":", "superclass": ":", "sameType": "=="}
    texts = sorted(f"{c['lhs']} {signs[c['kind']]} {c['rhs']}" for c in constraints if c["rhs"] not in IMPLIED)
    return " where " + ", ".join(texts) if texts else ""


def lines(api: dict) -> list[str]:
    names = {s["identifier"]["precise"]: ".".join(s["pathComponents"]) for s in api["symbols"]}
    out = set()
    for symbol in api["symbols"]:
        *outer, _ = symbol["pathComponents"]
        declaration = " ".join("".join(part["spelling"] for part in symbol["declarationFragments"]).split())
        within = condition(symbol.get("swiftExtension", {}).get("constraints", []))
        out.add(f"{'.'.join(outer) or '-'}{within} | {declaration}")
    for relation in api["relationships"]:
        if relation["kind"] == "conformsTo":
            target = names.get(relation["target"], relation.get("targetFallback", relation["target"])).removeprefix("Swift.")
            if target not in IMPLIED:
                name = names.get(relation["source"], relation["source"])
                out.add(f"{name} | : {target}{condition(relation.get('swiftConstraints', []))}")
    return sorted(out)


made = lines(graph(sys.argv[1]))
if "--check" not in sys.argv:
    FILE.write_text("\n".join(made) + "\n", "utf-8")
    print(f"{FILE.relative_to(Path.cwd()) if FILE.is_relative_to(Path.cwd()) else FILE}: {len(made)} lines")
    sys.exit(0)
found = FILE.read_text("utf-8").splitlines()
if found != made:
    print("\n".join(difflib.unified_diff(found, made, "api.txt", "as it is built", lineterm="", n=0)))
    print("hint: make api writes it anew; what a line that went or changed asks for is in CONTRIBUTING.md", file=sys.stderr)
    sys.exit(1)
print(f"the public API is api.txt: {len(made)} lines")
