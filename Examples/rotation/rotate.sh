#!/bin/sh
# Rotates a key ring: adds a new key every 30 days, and removes old ones that no session can need. For cron, daily:
#
#     17 4 * * *  shop  /usr/local/bin/rotate.sh /etc/shop/session.keys
#
# Run it on one machine, or on any number that share the file and its locks. It prints nothing unless something is
# wrong.
set -eu

ring=${1:?usage: rotate.sh RING}
# How long a key seals; the longest that any session lives, including those with their own lifetime ("remember me");
# and how long servers may take to read a changed ring.
age=${ROTATE_AGE:-30d}
lifetime=${ROTATE_LIFETIME:-90d}
delay=${ROTATE_DELAY:-1h}
# What others may do with the file and its folder without a warning from `check`, such as 640 and 2775.
mode=${ROTATE_MODE:-600}
folder=${ROTATE_FOLDER_MODE:-755}

# The PATH that cron sets is /usr/bin:/bin. The tool is also searched for in this script's folder and in
# /usr/local/bin.
PATH=$PATH:$(dirname "$0"):/usr/local/bin
tool=$(command -v "${SEALED_COOKIE:-sealed-cookie}") || {
    echo "rotate.sh: there is no ${SEALED_COOKIE:-sealed-cookie} in $PATH" >&2
    echo "hint: SEALED_COOKIE=/path/of/sealed-cookie in front of rotate.sh, in the crontab" >&2
    exit 127
}

report=$({
    "$tool" rotate --if-older-than "$age" --from "$delay" "$ring" &&
        "$tool" prune --lifetime "$lifetime" "$ring" &&
        "$tool" check --mode "$mode" --folder-mode "$folder" "$ring"
} 2>&1) || {
    code=$?
    printf '%s\n' "$report" >&2
    exit "$code"
}
