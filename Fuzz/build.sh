# Sourced by the other scripts: builds the program, and prepares its seeds and its judge. build.sh seeds: without the
# program.
#
# `make venv` gets Python's cbor2 and cryptography from PyPI. Without them the judge is only the strict reader, or
# there is none.
if [ "${1:-}" != seeds ]; then
    # One -sanitize for both: of several, the compiler uses the last, and the code would have no coverage.
    flags=(-c release -Xswiftc -enable-testing --sanitize=fuzzer -Xswiftc -sanitize=address,fuzzer)
    swift build "${flags[@]}" > .build-log 2>&1 || { cat .build-log; exit 1; }
    program=$(swift build "${flags[@]}" --show-bin-path)/fuzz
fi
export FUZZ_PYTHON=$PWD/../.build/venv/bin/python3
[ -x "$FUZZ_PYTHON" ] || FUZZ_PYTHON=python3
export FUZZ_JUDGE=judge.py FUZZ_FINDINGS=Findings SWIFT_BACKTRACE=enable=no ASAN_OPTIONS=detect_leaks=0
for archive in Seeds/*.tar.gz; do
    [ -e "$archive" ] || continue
    folder=.build/seeds/$(basename "$archive" .tar.gz)
    mkdir -p "$folder"
    tar -xzf "$archive" -C "$folder"
done
"$FUZZ_PYTHON" seeds.py .build/seeds > /dev/null 2>&1 || echo "no seeds from the corpus, for want of python3 with cryptography"
