#!/bin/sh
# Rotates the key ring in a Kubernetes Secret. Reads the Secret, changes a copy in memory, and writes it back only
# if nobody else has changed it in between; else it begins again. The pods see the new ring when the kubelet has
# swapped their mounts, within some two minutes: far less than the hour until the key seals.
set -eu

secret=${SECRET:-session-keys}
key=${SECRET_KEY:-session.keys}
age=${ROTATE_AGE:-30d}
lifetime=${ROTATE_LIFETIME:-90d}
# A tmpfs: the ring touches no disk.
work=$(mktemp -d "${WORK:-/work}/rotate.XXXXXX")
trap 'rm -rf "$work"' EXIT
umask 077

for attempt in 1 2 3 4 5; do
    kubectl get secret "$secret" -o json > "$work/secret.json"
    jq -er --arg key "$key" '.data[$key]' "$work/secret.json" | base64 -d > "$work/ring"
    cp "$work/ring" "$work/before"
    sealed-cookie rotate --if-older-than "$age" --from 1h "$work/ring"
    sealed-cookie prune --lifetime "$lifetime" "$work/ring"
    sealed-cookie check "$work/ring"
    if cmp -s "$work/before" "$work/ring"; then exit 0; fi
    # The resourceVersion of what was read goes along: the server refuses to replace anything newer.
    base64 -w 0 "$work/ring" > "$work/ring.base64"
    jq --arg key "$key" --rawfile ring "$work/ring.base64" '.data[$key] = $ring' "$work/secret.json" > "$work/new.json"
    if kubectl replace -f "$work/new.json"; then exit 0; fi
    echo "attempt $attempt: the Secret was changed meanwhile" >&2
    sleep "$attempt"
done
echo "gave up" >&2
exit 1
