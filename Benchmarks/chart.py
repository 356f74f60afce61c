#!/usr/bin/env python3
"""Draws a chart of the peers' figures for one file of the corpus: time to seal, time to open, characters.

usage: chart.py PEERS.json FILE > chart.svg
"""
import html
import json
import sys

results = json.load(open(sys.argv[1]))["results"]
chosen = [r for r in results if r["file"] == sys.argv[2]]
chosen.sort(key=lambda r: r["seal_ns"] + r["open_ns"])
panels = [("seal, µs", "seal_ns", 1000), ("open, µs", "open_ns", 1000), ("characters", "size", 1)]
row, left, width, gap, top = 26, 300, 170, 70, 44
height = top + row * len(chosen) + 12
total = left + (width + gap) * len(panels)
out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {total} {height}" font-family="system-ui, sans-serif" font-size="13">',
       f'<rect width="{total}" height="{height}" fill="#fff"/>']
for number, (title, key, unit) in enumerate(panels):
    x = left + number * (width + gap)
    most = max(r[key] for r in chosen)
    out.append(f'<text x="{x}" y="26" fill="#333" font-weight="600">{title}</text>')
    for line, r in enumerate(chosen):
        y = top + line * row
        ours = r["peer"] == "SealedCookie"
        if number == 0:
            weight = ' font-weight="600"' if ours else ""
            out.append(f'<text x="{left - 12}" y="{y + 14}" text-anchor="end" fill="#333"{weight}>{html.escape(r["peer"])}</text>')
        length = max(1, width * r[key] / most)
        text = f"{r[key] / unit:.1f}" if unit > 1 else str(r[key])
        out.append(f'<rect x="{x}" y="{y + 3}" width="{length:.1f}" height="15" rx="2" fill="{"#1f6f8b" if ours else "#b8c4cc"}"/>')
        out.append(f'<text x="{x + length + 5:.1f}" y="{y + 15}" fill="#333" font-size="12">{text}</text>')
print("\n".join(out + ["</svg>"]))
