#!/usr/bin/env bash
# Fuzzes each target in turn: run.sh SECONDS [TARGET …]. A finding ends the run and stays in Fuzz/Findings.
set -euo pipefail
cd "$(dirname "$0")"
seconds=${1:?usage: run.sh SECONDS [TARGET …]}
shift
source ./build.sh
mkdir -p Findings
printf '%-14s %12s %10s %8s\n' target runs 'runs/s' coverage
while read -r target longest dictionary; do
    [[ $target = '#' || $# -gt 0 && " $* " != *" $target "* ]] && continue
    if [[ $target = differential ]] && ! "$FUZZ_PYTHON" -c 'import cryptography' 2> /dev/null; then
        echo "$target: not run, for want of python3 with cryptography"
        continue
    fi
    mkdir -p ".build/corpus/$target" ".build/seeds/$target"
    log=.build/$target.log
    # Without LeakSanitizer, which cannot see references in which Swift keeps tag bits: a leak shows as growth up to
    # the limit.
    if ! FUZZ_TARGET=$target "$program" -max_total_time="$seconds" -max_len="$longest" -dict="Dictionaries/$dictionary.txt" \
        -artifact_prefix="Findings/$target-" -rss_limit_mb=2048 -timeout=10 -len_control=100 -print_final_stats=1 \
        ".build/corpus/$target" ".build/seeds/$target" > "$log" 2>&1; then
        grep -vE 'NEW|REDUCE|pulse|RELOAD' "$log" | tail -30
        echo "finding in $target: see Fuzz/Findings"
        exit 1
    fi
    # A program without instrumentation would run blindly, and fast.
    grep -q 'inline 8-bit counters' "$log" || { echo "$target: the program is built without coverage"; exit 1; }
    awk -v t="$target" '/cov:/ { for (i = 1; i <= NF; i++) if ($i == "cov:") c = $(i + 1) } /number_of_executed_units/ { n = $2 } /average_exec_per_sec/ { r = $2 }
        END { printf "%-14s %12d %10d %8d\n", t, n, r, c }' "$log"
done < targets.txt
