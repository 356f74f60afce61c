#!/usr/bin/env python3
"""Puts what a run of `make bench` printed into docs/benchmarks.md, and its chart beside it: page.py RUN.md CHART.svg"""
import shutil
import sys
from pathlib import Path

page = Path(__file__).resolve().parents[1] / "docs" / "benchmarks.md"
mark = "<!-- What follows is what `make bench` printed: `make bench-page` replaces it. -->\n"
text = page.read_text()
page.write_text(text[:text.index(mark)] + mark + "\n## One run\n\n" + Path(sys.argv[1]).read_text().strip() + "\n")
shutil.copy(sys.argv[2], page.parent / "benchmarks-b_login.svg")
