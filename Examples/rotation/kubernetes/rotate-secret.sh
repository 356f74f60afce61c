#!/bin/sh
# Rotates the key ring in a Kubernetes Secret. The pods see the new ring when the kubelet has swapped their mounts,
# within about two minutes: far less than the hour until the key seals.
set -eu
# shellcheck source=secret-ring.sh
. "$(dirname "$0")/secret-ring.sh"

rotate() {
    sealed-cookie rotate --if-older-than "${ROTATE_AGE:-30d}" --from 1h "$1"
    sealed-cookie prune --lifetime "${ROTATE_LIFETIME:-90d}" "$1"
}

change_ring rotate
# This runs after the ring is written: a fault that a person must fix does not block the rotation. Everyone may write
# to an emptyDir: that is, the containers of this pod.
sealed-cookie check --folder-mode 777 "$work/ring"
