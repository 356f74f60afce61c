#!/usr/bin/env bash
# Makes bare roots of Debian, adds the toolchain, and runs README's two commands there, as root and as another user. Then
# runs the tool in a root without a toolchain, by the steps of the guide Deploying.md.
#
# run.sh [SUITE …]: as root, with debootstrap. ROOTS is where the roots are kept (.build/distributions).
set -euo pipefail
cd "$(dirname "$0")/../.."
[ "$(id -u)" = 0 ] || { echo "make distributions mounts and changes its root: run it as root" >&2; exit 1; }
roots=$(realpath -m "${ROOTS:-.build/distributions}")
mkdir -p "$roots"
toolchain=$(dirname "$(dirname "$(dirname "$(readlink -f "$(command -v swift)")")")")
source=$(mktemp -d)
mounted=()

release() { # unmounts what this run has mounted; nothing is removed while something is
    local index
    for ((index = ${#mounted[@]} - 1; index >= 0; index--)); do
        umount "${mounted[index]}" || { echo "still mounted: ${mounted[index]}" >&2; exit 1; }
    done
    mounted=()
}
trap 'release; rm -rf "$source"' EXIT

mount_in() { # root: the toolchain, which nothing there can change, and /proc
    mkdir -p "$1$toolchain"
    mount --bind "$toolchain" "$1$toolchain"
    mounted+=("$1$toolchain")
    mount -o remount,bind,ro "$1$toolchain"
    mount -t proc proc "$1/proc"
    mounted+=("$1/proc")
}

discard() { # root
    if grep -qF " $1/" /proc/mounts; then
        echo "not removed, for something is mounted in it: $1" >&2
        exit 1
    fi
    rm -rf --one-file-system "$1"
}

inside() { # root command…
    chroot "$1" /usr/bin/env -i HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
        PATH="$toolchain/usr/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" "${@:2}"
}

as_user() { # root command…
    inside "$1" setpriv --reuid 1000 --regid 1000 --clear-groups env HOME=/home/user "${@:2}"
}

# The steps of one of the page's two stages: swift or debian.
steps() {
    awk -v from="$1" '/^FROM / { inside = index($2, from) == 1 } inside && /^RUN / { sub(/^RUN /, ""); print }' \
        Sources/SealedCookie/Documentation.docc/Deploying.md
}

# An application named "shop", as the page has it.
make_shop() { # folder, with the package beside it
    mkdir -p "$1/Sources"
    sed -e 's|@PACKAGE@|.package(path: "../home/user/package"),|' -e 's|@PRODUCT@|.product(name: "SealedCookie", package: "package"),|' \
        -e 's/name: "first"/name: "shop"/g' Tests/Dependents/first/Package.swift.in > "$1/Package.swift"
    cp -R Tests/Dependents/first/Sources/first "$1/Sources/shop"
}

git clone -q . "$source/package"
for suite in "${@:-bookworm trixie}"; do for suite in $suite; do
    base=$roots/$suite work=$roots/$suite-work bare=$roots/$suite-bare log=$roots/$suite.log
    [ -f "$base/.made" ] || {
        discard "$base"
        debootstrap --variant=minbase "$suite" "$base" > "$log" 2>&1 || { tail -5 "$log"; exit 1; }
        touch "$base/.made"
    }
    for root in "$work" "$bare"; do
        discard "$root"
        cp -a "$base" "$root"
        cp /etc/resolv.conf "$root/etc/resolv.conf"
    done
    mount_in "$work"
    # What Swift's own page requires for building, and make.
    inside "$work" sh -c 'apt-get update -q && apt-get install -y -q --no-install-recommends make git ca-certificates binutils \
        libc6-dev libgcc-12-dev libstdc++-12-dev libcurl4 libncurses6 libsqlite3-0 libxml2 tzdata' > "$log" 2>&1 || { tail -5 "$log"; exit 1; }
    inside "$work" useradd --create-home --uid 1000 --user-group user
    for who in user root; do
        cp -R "$source/package" "$work/home/user/package"
        chown -R 1000:1000 "$work/home/user/package"
        [ $who = root ] && chown -R 0:0 "$work/home/user/package"
        run=$([ $who = root ] && echo inside || echo as_user)
        if [ $who = user ]; then
            # Without sudo a user is told what root has to install.
            if $run "$work" make -C /home/user/package setup > "$log" 2>&1; then
                echo "$suite: make setup installed something as a user" >&2
                exit 1
            fi
            grep -qF 'hint: as root: apt-get install' "$log" || { cat "$log"; exit 1; }
            inside "$work" make -C /home/user/package setup > "$log" 2>&1 || { tail -5 "$log"; exit 1; }
        fi
        for target in demo test; do
            $run "$work" make -C /home/user/package $target > "$log" 2>&1 || { tail -40 "$log"; echo "$suite, $who: make $target FAILED" >&2; exit 1; }
            echo "$suite, $who: make $target: $(grep -E 'Test run with|not run|left under' "$log" | tail -2 | paste -sd ';' -)"
        done
        [ $who = root ] || discard "$work/home/user/package"
    done
    inside "$work" make -C /home/user/package install PREFIX=/usr/local > "$log" 2>&1 || { tail -20 "$log"; exit 1; }
    make_shop "$work/src"
    while read -r step; do
        inside "$work" sh -c "cd /src && $step" > "$log" 2>&1 < /dev/null || { tail -5 "$log"; echo "$suite: FAILED: $step" >&2; exit 1; }
    done < <(steps swift)
    release

    mount -t proc proc "$bare/proc"
    mounted+=("$bare/proc")
    while read -r step; do
        inside "$bare" sh -c "$step" > "$log" 2>&1 < /dev/null || { tail -5 "$log"; echo "$suite: FAILED: $step" >&2; exit 1; }
    done < <(steps debian)
    install -m 755 "$work/usr/local/bin/sealed-cookie" "$work/src/.build/release/shop" "$bare/usr/local/bin/"
    said=$(inside "$bare" setpriv --reuid shop --init-groups shop 2>&1) || { echo "$suite: shop: $said" >&2; exit 1; }
    echo "$suite, bare: the page's shop, built by its first stage: $said"
    inside "$bare" setpriv --reuid 10001 --regid 10001 --clear-groups sealed-cookie demo > "$log" 2>&1 || { cat "$log"; exit 1; }
    echo "$suite, bare: $(inside "$bare" sealed-cookie --version), without a toolchain: demo: $(grep -F 'left under' "$log")"
    echo "$suite: $(inside "$bare" dpkg-query -W -f='${Package} ${Version}\n' 'libssl3*' zlib1g | awk 'NF == 2' | paste -sd ,), $(du -sh "$bare" --exclude=proc | cut -f1) with all of Debian's minimum"
    release
    discard "$work"
    discard "$bare"
done; done
