#!/usr/bin/env bash
# Builds packages that depend on a tagged clone of this one, as other people's packages do, and runs the results.
#
# run.sh [short [COMMIT]]: the clone is of COMMIT (HEAD), without uncommitted changes.
set -euo pipefail
cd "$(dirname "$0")/../.."
form=${1:-full} commit=${2:-HEAD}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# Other packages do not set it.
unset SEALED_COOKIE_STRICT

git clone -q . "$work/sealed-cookie"
git -C "$work/sealed-cookie" checkout -q --detach "$(git rev-parse "$commit")"
git -C "$work/sealed-cookie" -c user.name=dependents -c user.email=dependents tag 1.0.0
export SEALED_COOKIE_CLONE="file://$work/sealed-cookie"
cp -R Tests/Dependents/neighbour Tests/Dependents/everything Tests/Dependents/first "$work"

# README's two lines as printed, except for the "…".
package=$(grep -F '.package(url: "…/sealed-cookie"' README.md) product=$(grep -F '.product(name: "SealedCookie", package:' README.md)
sed -e "s|@PACKAGE@|${package//…/file://$work}|" -e "s|@PRODUCT@|$product|" "$work/first/Package.swift.in" > "$work/first/Package.swift"

build() { # package programs options…: builds it, and runs each of its programs
    local package=$1 programs=$2 log="$work/log"
    shift 2
    local swift=(swift build --package-path "$work/$package" --scratch-path "$work/build" --cache-path "$work/cache" "$@")
    rm -rf "$work/build"
    SECONDS=0
    local status=0
    "${swift[@]}" > "$log" 2>&1 || status=$?
    # Swift 6.3.1's build tool itself crashes now and then, with the new build system.
    if ((status > 128)); then
        echo "$package ${*:-}: swift build crashed with status $status; once more" >&2
        rm -rf "$work/build"
        status=0
        "${swift[@]}" > "$log" 2>&1 || status=$?
    fi
    if ((status != 0)); then
        grep -E 'error:' "$log" | sort -u | head -20 || true
        tail -5 "$log"
        echo "FAILED: $package ${*:-}" >&2
        exit 1
    fi
    local folder took=$SECONDS said
    folder=$("${swift[@]}" --show-bin-path 2> "$log")
    for program in $programs; do
        said=$("$folder/$program" 2>&1) || { echo "$program: $said" >&2; exit 1; }
        [[ $said == opened* ]] || { echo "$program says: $said" >&2; exit 1; }
    done
    echo "$package ${*:-}: built in $took s; $programs: opened"
}

all="plain main-actor cxx strict beside"
if [ "$form" = short ]; then
    build everything "$all" --build-system swiftbuild
    build first first -c release --build-system native --static-swift-stdlib
    exit
fi
for system in native swiftbuild; do
    for configuration in debug release; do
        build everything "$all" --build-system $system -c $configuration
    done
    build first first --build-system $system
done
build first first -c release --build-system native --static-swift-stdlib
