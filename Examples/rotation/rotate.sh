#!/bin/sh
# Rotates a key ring: a new key each 30 days, and old ones out when no session can need them. For cron, daily:
#
#     17 4 * * *  shop  /usr/local/bin/rotate.sh /etc/shop/session.keys
#
# Run it on one machine, or on any number that share the file and its locks. It says nothing unless something is wrong.
set -eu

ring=${1:?usage: rotate.sh RING}
# How long a key seals; the longest that any session lives, own lifetimes ("remember me") included; and how long
# servers may take to read a changed ring.
age=${ROTATE_AGE:-30d}
lifetime=${ROTATE_LIFETIME:-90d}
delay=${ROTATE_DELAY:-1h}

report=$(mktemp)
trap 'rm -f "$report"' EXIT
{
    sealed-cookie rotate --if-older-than "$age" --from "$delay" "$ring" &&
        sealed-cookie prune --lifetime "$lifetime" "$ring" &&
        sealed-cookie check "$ring"
} > "$report" 2>&1 || {
    code=$?
    cat "$report" >&2
    exit "$code"
}
