#!/usr/bin/env bash
# Compiles code that calls the system against stand-ins for macOS's and musl's declarations. It is type-checked, not
# run.
set -euo pipefail
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
flags=(-swift-version 6 -package-name standin -strict-memory-safety -warnings-as-errors
    -enable-upcoming-feature ExistentialAny -enable-upcoming-feature InternalImportsByDefault
    -enable-upcoming-feature MemberImportVisibility -module-cache-path "$work/cache" -parse-as-library)
library=Sources/SealedCookie
files=($library/Platform/*.swift $library/Platform/Files/*.swift $library/Concurrency/*.swift
    $library/Crypto/{NativeFailure,Randomness,SecretBytes}.swift)

module() { # system name sources…: a module of the package
    swiftc "${flags[@]}" -I "$work/$1" -emit-module -module-name "$2" -emit-module-path "$work/$1/$2.swiftmodule" "${@:3}"
}

check() { # system Libc.swift. It ends with the first failure, in a condition too.
    rm -rf "${work:?}/$1"
    mkdir "$work/$1"
    cat > "$work/$1/module.modulemap" <<END
module CStandIn { header "$PWD/Tests/Platforms/${1,,}.h" export * }
module SealedCookieXattr { export * }
module SealedCookieOpenSSL { header "$PWD/Tests/Platforms/openssl.h" export * }
END
    for stand_in in "$1 Overlay" "Synchronization Synchronization"; do
        swiftc -module-cache-path "$work/cache" -I "$work/$1" -parse-as-library -emit-module -module-name "${stand_in% *}" \
            -emit-module-path "$work/$1/${stand_in% *}.swiftmodule" "Tests/Platforms/${stand_in#* }.swift" || return
    done
    module "$1" SealedCookieLibc "$2" || return
    module "$1" SealedCookie "${files[@]}" || return
    swiftc "${flags[@]}" -I "$work/$1" -typecheck -module-name tool Sources/sealed-cookie-cli/StandardStreams.swift
}

for system in Darwin Musl; do
    check $system Sources/Libc/Libc.swift
    echo "$system: compiled against stand-ins, and not run"
    # It would also report a branch that no longer compiles.
    sed -E 's/\bst_ctim(espec)?\b/&_gone/; s/, COPYFILE_ACL\b/&_gone/' Sources/Libc/Libc.swift > "$work/Libc.swift"
    if check $system "$work/Libc.swift" > "$work/rotten" 2>&1 || ! grep -q '_gone' "$work/rotten"; then
        echo "$system: a branch with names that there are not was compiled all the same" >&2
        exit 1
    fi
done
