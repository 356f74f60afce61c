#!/bin/sh
# Revokes keys of the ring in a Kubernetes Secret: all of them when the ring may have been stolen, with a new key in the same step.
#
#     sh revoke-secret.sh --all
#     sh revoke-secret.sh KEY-ID …
#
# Run it wherever kubectl may read and write the Secret. The running pods obey when the kubelet has swapped their
# mounts, within about two minutes. To be faster, run kubectl rollout restart. That is also necessary if the Secret is
# mounted by subPath or is an environment variable: no change arrives there.
set -eu
# shellcheck source=secret-ring.sh
. "$(dirname "$0")/secret-ring.sh"

revoke_all() {
    sealed-cookie revoke --all "$1"
}

# revoke ID … FILE. If no key is left that seals, a new one takes over in the same step.
revoke() {
    for ring; do :; done
    while [ $# -gt 1 ]; do
        sealed-cookie revoke "$ring" "$1"
        shift
    done
    sealed-cookie keys --json "$ring" > "$work/keys.json"
    jq -e 'any(.keys[]; .state == "active")' "$work/keys.json" > /dev/null || sealed-cookie rotate --from now "$ring"
}

case $# in
    0) fail "usage: revoke-secret.sh --all | KEY-ID …" ;;
esac
case $1 in
    --all)
        [ $# = 1 ] || fail "--all revokes every key: no key id goes with it"
        change_ring revoke_all
        ;;
    -*) fail "usage: revoke-secret.sh --all | KEY-ID …" ;;
    *) change_ring revoke "$@" ;;
esac
