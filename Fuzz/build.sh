# Sourced by run.sh and long.py's make target: builds the program, and gets its seeds and its judge ready.
#
# Python's cbor2 and cryptography come from PyPI into .build/venv; without a network Debian's python3-cryptography will do.
# One -sanitize for both: of several the compiler takes the last, and the code would have no coverage.
flags=(-c release -Xswiftc -enable-testing --sanitize=fuzzer -Xswiftc -sanitize=address,fuzzer)
swift build "${flags[@]}" > .build-log 2>&1 || { cat .build-log; exit 1; }
program=$(swift build "${flags[@]}" --show-bin-path)/fuzz
export FUZZ_PYTHON=$PWD/../.build/venv/bin/python3
[ -x "$FUZZ_PYTHON" ] || FUZZ_PYTHON=python3
export FUZZ_JUDGE=judge.py FUZZ_FINDINGS=Findings SWIFT_BACKTRACE=enable=no ASAN_OPTIONS=detect_leaks=0
"$FUZZ_PYTHON" seeds.py .build/seeds 2> /dev/null || echo "no seeds but those in the repository, for want of python3 with cryptography"
