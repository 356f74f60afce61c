#!/usr/bin/env python3
"""Fuzzes each target for long, several at a time: long.py PROGRAM [TARGET …]

A target is done after MINUTES (30) or RUNS (50,000,000), whichever comes first; JOBS (2) run at once. Time in which a process was
stopped (SIGSTOP) does not count, but for libFuzzer's own timeout, which is an hour therefore. Corpora stay in .build/corpus and
grow from one time to the next; runs and minutes begin anew.
Writes the table .build/long.md as it goes; other targets' rows stay. Ends with 1 if anything was found.
"""
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
MINUTES, RUNS, JOBS = (float(os.environ.get(name, otherwise)) for name, otherwise in (("MINUTES", 30), ("RUNS", 50e6), ("JOBS", 2)))
HEAD = "| target | runs | minutes | CPU minutes | cov | ft | inputs kept | found |\n|---|--:|--:|--:|--:|--:|--:|---|\n"
TABLE = HERE / ".build" / "long.md"


class Run:
    """One target's process."""

    def __init__(self, target: str, longest: str, dictionary: str) -> None:
        self.target, self.active, self.cpu = target, 0.0, 0.0
        self.log = HERE / ".build" / f"long-{target}.log"
        self.before = set((HERE / "Findings").glob(f"{target}-*"))
        folders = [HERE / ".build" / "corpus" / target, HERE / ".build" / "seeds" / target]
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)
        arguments = [f"-runs={int(RUNS)}", f"-max_len={longest}", f"-dict=Dictionaries/{dictionary}.txt", f"-artifact_prefix=Findings/{target}-",
                     "-rss_limit_mb=2048", "-timeout=3600", "-report_slow_units=3600", "-print_final_stats=1", "-reload=0", "-len_control=100"]
        # With a different hash seed each time, it would not be the same run again.
        environment = os.environ | {"FUZZ_TARGET": target, "SWIFT_DETERMINISTIC_HASHING": "1"}
        with open(self.log, "w") as log:
            self.process = subprocess.Popen([sys.argv[1], *arguments, *map(str, folders)], cwd=HERE, stdout=log, stderr=log, env=environment)
        self.last = time.monotonic()

    def look(self) -> bool:
        """Counts the time since the last look; whether the process is done."""
        now = time.monotonic()
        try:
            fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(") ")[2].split()
            if fields[0] not in "TZ":
                # If this script itself was stopped, no one knows what the process did.
                self.active += min(now - self.last, 5)
            if fields[0] != "Z":
                self.cpu = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        except FileNotFoundError:
            pass
        self.last = now
        if self.process.poll() is None and self.active >= 60 * MINUTES:
            self.process.send_signal(signal.SIGUSR1)        # libFuzzer ends and prints its figures
        return self.process.poll() is not None

    def row(self) -> str:
        text = self.log.read_text(errors="replace")
        runs = re.findall(r"number_of_executed_units: (\d+)", text) or re.findall(r"^#(\d+)", text, re.M) or ["0"]
        coverage = (re.findall(r"cov: (\d+) ft: (\d+) corp: (\d+)", text) or [("0", "0", "0")])[-1]
        found = sorted(p.name for p in set((HERE / "Findings").glob(f"{self.target}-*")) - self.before)
        failed = self.process.returncode != 0
        return (f"| {self.target} | {int(runs[-1]):,} | {self.active / 60:.1f} | {self.cpu / 60:.1f} | {coverage[0]} | {coverage[1]} | {coverage[2]} "
                f"| {', '.join(found) or (f'exit {self.process.returncode}' if failed else 'nothing')} |\n")


def main() -> int:
    (HERE / "Findings").mkdir(exist_ok=True)
    targets = [line.split() for line in (HERE / "targets.txt").read_text().splitlines() if not line.startswith("#")]
    order = [t[0] for t in targets]
    wanted = sys.argv[2:]
    waiting = sorted((t for t in targets if not wanted or t[0] in wanted), key=lambda t: wanted.index(t[0]) if wanted else 0)
    running: list[Run] = []
    failed = False
    while waiting or running:
        while waiting and len(running) < JOBS:
            running.append(Run(*waiting.pop(0)))
            print(f"{time.strftime('%H:%M')} {running[-1].target} begins", flush=True)
        time.sleep(1)
        for run in [run for run in running if run.look()]:
            running.remove(run)
            failed = failed or run.process.returncode != 0
            old = TABLE.read_text() if TABLE.exists() else ""
            rows = {name: row for row, name in re.findall(r"^(\| ([a-z-]+) \| +[0-9].*\n)", old, re.M)} | {run.target: run.row()}
            print(rows[run.target], end="", flush=True)
            TABLE.write_text(HEAD + "".join(rows[name] for name in order if name in rows))
    print(TABLE.read_text())
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
