#!/usr/bin/env bash
# Instructions for one seal and one open, ours and the floor's, by callgrind: the same on a busy machine and on a
# quiet one.
set -euo pipefail
cd "$(dirname "$0")"
swift build -c release > /dev/null
# Without its debug information, which valgrind cannot read.
bench=$(mktemp)
trap 'rm -f "$bench"' EXIT
strip -g -o "$bench" "$(swift build -c release --show-bin-path)/sealed-cookie-bench"

count() { # work session mode times
    valgrind --tool=callgrind --callgrind-out-file=/dev/null "$bench" Corpus --loop "$1" "$2" "$3" "$4" 2>&1 | awk '/Collected/ { print $4 }'
}
each() { # What 1,000 times cost beyond none, so that the start does not count.
    echo $((($(count "$1" "$2" "$3" 1100) - $(count "$1" "$2" "$3" 100)) / 1000))
}
echo "| session | compression | seal | × floor | open | × floor |"
echo "|---|---|--:|--:|--:|--:|"
for pair in ${1:-a_tiny/standard b_login/standard c_oauth/standard d_cart/standard e_i18n/standard f_wizard/standard g_flags/standard h_random/standard typed/standard a_tiny/off b_login/off h_random/off}; do
    session=${pair%/*} mode=${pair#*/}
    seal=$(each seal "$session" "$mode") floor_seal=$(each floor-seal "$session" "$mode")
    open=$(each open "$session" "$mode") floor_open=$(each floor-open "$session" "$mode")
    awk -v s="$session" -v m="$mode" -v a="$seal" -v b="$floor_seal" -v c="$open" -v d="$floor_open" \
        'BEGIN { printf "| %s | %s | %d | %.2f | %d | %.2f |\n", s, m, a, a / b, c, c / d }'
done
echo
echo "b_login with its Set-Cookie line: $(each response b_login standard); from a Cookie header of four: $(each request b_login standard)"
echo
./stages.py "$bench" Corpus b_login standard
echo
./stages.py "$bench" Corpus b_login off
echo
./touched.py "$bench" Corpus
