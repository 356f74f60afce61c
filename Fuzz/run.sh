#!/usr/bin/env bash
# Fuzzes each target in turn: run.sh SECONDS [TARGET …]. A finding ends the run and stays in Fuzz/Findings.
set -euo pipefail
cd "$(dirname "$0")"
seconds=${1:?usage: run.sh SECONDS [TARGET …]}
shift
targets=${*:-token payload cbor-tree cbor-typed cookie-header ring set-cookie json compression differential}
swift build -c release -Xswiftc -enable-testing --sanitize=fuzzer --sanitize=address > .build-log 2>&1 || { cat .build-log; exit 1; }
program=$(swift build -c release -Xswiftc -enable-testing --sanitize=fuzzer --sanitize=address --show-bin-path)/fuzz
python3 seeds.py .build/seeds
mkdir -p Findings
printf '%-14s %12s %10s %8s\n' target runs 'runs/s' coverage
for target in $targets; do
    mkdir -p ".build/corpus/$target" ".build/seeds/$target"
    log=.build/$target.log
    # Leaks are looked for at the end of each target, where they show as growth as well.
    if ! FUZZ_TARGET=$target FUZZ_READER=../Tests/Python/fuzz_reader.py SWIFT_BACKTRACE=enable=no ASAN_OPTIONS=detect_leaks=0 \
        "$program" -max_total_time="$seconds" -dict=dictionary.txt -artifact_prefix="Findings/$target-" -rss_limit_mb=2048 -timeout=10 \
        -print_final_stats=1 ".build/corpus/$target" ".build/seeds/$target" > "$log" 2>&1; then
        grep -vE 'NEW|REDUCE|pulse|RELOAD' "$log" | tail -30
        echo "finding in $target: see Fuzz/Findings"
        exit 1
    fi
    awk -v t="$target" '/cov:/ { for (i = 1; i <= NF; i++) if ($i == "cov:") c = $(i + 1) } /number_of_executed_units/ { n = $2 } /average_exec_per_sec/ { r = $2 }
        END { printf "%-14s %12d %10d %8d\n", t, n, r, c }' "$log"
done
