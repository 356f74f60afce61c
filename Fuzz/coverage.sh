#!/usr/bin/env bash
# Shows which lines of the library the kept inputs and those of the repository reach: coverage.sh [FILE of
# Sources/SealedCookie …]
set -euo pipefail
cd "$(dirname "$0")"
source ./build.sh seeds
flags=(--scratch-path .build/coverage --sanitize=fuzzer -Xswiftc -sanitize=fuzzer -Xswiftc -profile-generate -Xswiftc -profile-coverage-mapping)
mkdir -p .build/coverage
swift build "${flags[@]}" > .build/coverage/log 2>&1 || { cat .build/coverage/log; exit 1; }
program=$(swift build "${flags[@]}" --show-bin-path)/fuzz
rm -f .build/coverage/*.profraw
while read -r target longest _; do
    [[ $target = '#' ]] && continue
    mkdir -p ".build/corpus/$target" ".build/seeds/$target"
    LLVM_PROFILE_FILE=.build/coverage/$target.profraw FUZZ_TARGET=$target "$program" -runs=0 -max_len="$longest" \
        ".build/corpus/$target" ".build/seeds/$target" > .build/coverage/$target.log 2>&1 || tail -3 .build/coverage/$target.log
done < targets.txt
# The tools in the compiler's folder.
tools=$(dirname "$(readlink -f "$(command -v swift)")")
"$tools/llvm-profdata" merge -o .build/coverage/all.profdata .build/coverage/*.profraw
sources=$(realpath ../Sources/SealedCookie)
if [ $# -gt 0 ]; then
    "$tools/llvm-cov" show "$program" -instr-profile .build/coverage/all.profdata "${@/#/$sources/}"
else
    "$tools/llvm-cov" report "$program" -instr-profile .build/coverage/all.profdata "$sources" -use-color=0 |
        awk '/\.swift|^TOTAL/ { printf "%-36s %6d lines %6d not reached %8s\n", $1, $8, $9, $10 }'
fi
