#!/usr/bin/env python3
"""Builds the documentation by the toolchain's docc: docs.py MODULES OUTPUT

MODULES is a build's folder of .swiftmodule files. A warning of docc's is an error, and so is a public symbol without a
documentation comment.
"""
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from graph import SOURCES, extract


def undocumented(symbol: dict) -> bool:
    """Of what the library declares itself: what it inherits has the comments of its protocol, or none."""
    return "docComment" not in symbol and "location" in symbol and "::SYNTHESIZED::" not in symbol["identifier"]["precise"]


modules, output = sys.argv[1], Path(sys.argv[2])
with tempfile.TemporaryDirectory() as folder:
    symbols = [symbol for file in extract(modules, folder) for symbol in json.loads(file.read_text("utf-8"))["symbols"]]
    if len(symbols) < 300:
        sys.exit(f"only {len(symbols)} symbols: the graph is not the library's")
    # Without a place a symbol is not asked for its comment.
    if (located := sum("location" in symbol for symbol in symbols)) < 300:
        sys.exit(f"only {located} symbols with a place: build the library here first")
    bare = [symbol for symbol in symbols if undocumented(symbol)]
    for symbol in bare:
        path = Path(symbol["location"]["uri"].removeprefix("file://"))
        line = symbol["location"]["position"]["line"] + 1
        print(f"{path.relative_to(SOURCES.parent)}:{line}: {'.'.join(symbol['pathComponents'])} has no documentation comment", file=sys.stderr)
    shutil.rmtree(output, ignore_errors=True)
    convert = ["docc", "convert", str(SOURCES / "SealedCookie" / "Documentation.docc"), "--additional-symbol-graph-dir", folder,
               "--fallback-display-name", "SealedCookie", "--fallback-bundle-identifier", "SealedCookie",
               "--fallback-default-module-kind", "Library", "--warnings-as-errors", "--output-dir", str(output)]
    converted = subprocess.run(convert).returncode == 0
if bare or not converted:
    sys.exit(1)
pages = sum(1 for _ in (output / "data" / "documentation").rglob("*.json"))
print(f"{output}: {pages} pages, {len(symbols)} symbols")
