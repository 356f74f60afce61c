# shellcheck shell=sh
# Changes the key ring in a Kubernetes Secret; used by rotate-secret.sh and revoke-secret.sh in the same folder.
#
# Reads the Secret, changes a copy in memory, and writes it back only if no one else has changed it meanwhile;
# otherwise it starts again. One request replaces the whole Secret or nothing.

secret=${SECRET:-session-keys}
key=${SECRET_KEY:-session.keys}
script=$(basename "$0")

fail() {
    echo "$script: $1" >&2
    exit 1
}

# Writes the ring of the Secret "$2" to the file "$1". No pipes: a shell reports only the last command's failure, and
# an empty ring would be taken for a new one.
read_ring() {
    jq -er --arg key "$key" '.data[$key] | strings' "$2" > "$work/base64" || fail "the Secret $secret has no $key"
    base64 -d "$work/base64" > "$1" || fail "$key in the Secret $secret is not base64"
    [ -s "$1" ] || fail "$key in the Secret $secret is empty: nothing was written"
}

# change_ring COMMAND …: runs COMMAND … FILE on the ring, and writes it back if that changed it.
change_ring() {
    for program in kubectl jq sealed-cookie; do
        command -v "$program" > /dev/null || fail "there is no $program in $PATH"
    done
    # A tmpfs: the ring never reaches a disk.
    memory=${WORK:-$([ -d /work ] && echo /work || echo /dev/shm)}
    [ -d "$memory" ] || fail "there is no $memory: WORK names a folder in memory"
    umask 077
    work=$(mktemp -d "$memory/session-keys.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    trap 'exit 143' HUP INT TERM

    for attempt in 1 2 3 4 5; do
        kubectl get secret "$secret" -o json > "$work/secret.json" || fail "the Secret $secret was not read"
        [ -s "$work/secret.json" ] || fail "the Secret $secret was not read: kubectl printed nothing"
        read_ring "$work/ring" "$work/secret.json"
        cp "$work/ring" "$work/before"
        "$@" "$work/ring"
        if cmp -s "$work/before" "$work/ring"; then return 0; fi
        # The request contains the resourceVersion that was read: the server refuses to replace anything newer. The
        # annotation of `kubectl apply` is removed: it is a copy of an older ring, with keys that have been revoked
        # since.
        base64 -w 0 "$work/ring" > "$work/ring.base64"
        jq --arg key "$key" --rawfile ring "$work/ring.base64" '.data[$key] = $ring
            | del(.metadata.annotations["kubectl.kubernetes.io/last-applied-configuration"]?)' "$work/secret.json" > "$work/new.json"
        # The server gets exactly what the tool wrote, to the byte.
        read_ring "$work/after" "$work/new.json"
        cmp "$work/ring" "$work/after" || fail "the changed Secret is incomplete: nothing was written"
        if kubectl replace -f "$work/new.json" 2> "$work/error"; then return 0; fi
        cat "$work/error" >&2
        grep -q Conflict "$work/error" || fail "the Secret $secret may not have been written: run this again when the cause is mended"
        echo "$script: attempt $attempt: the Secret was changed meanwhile" >&2
        sleep "$attempt"
    done
    fail "gave up: somebody else changed the Secret $secret each time; nothing was written"
}
