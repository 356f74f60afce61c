#!/usr/bin/env bash
# Packs into Seeds the smallest set of inputs with the same coverage as the kept ones: pack.sh [TARGET …]
set -euo pipefail
cd "$(dirname "$0")"
source ./build.sh
mkdir -p Seeds
while read -r target _; do
    [[ $target = '#' || $# -gt 0 && " $* " != *" $target "* ]] && continue
    rm -rf ".build/packed/$target"
    mkdir -p ".build/packed/$target"
    # Long inputs reach little more, and slow down every mutation.
    # This fails while a long run changes the corpus, so do not run it then.
    FUZZ_TARGET=$target "$program" -set_cover_merge=1 -max_len=700 ".build/packed/$target" ".build/corpus/$target" ".build/seeds/$target" \
        > ".build/packed/$target.log" 2>&1
    tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -C ".build/packed/$target" -c . | gzip -9n > "Seeds/$target.tar.gz"
    echo "$target: $(ls ".build/packed/$target" | wc -l) inputs, $(stat -c %s "Seeds/$target.tar.gz") bytes"
done < targets.txt
