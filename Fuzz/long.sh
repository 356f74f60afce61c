#!/usr/bin/env bash
# Builds the program and fuzzes each target for a long time: long.sh [TARGET …]. long.py describes how.
set -euo pipefail
cd "$(dirname "$0")"
source ./build.sh
# A copy, so that a build in the meantime does not change the running program.
mkdir -p .build/long
cp "$program" .build/long/fuzz
exec nice python3 long.py .build/long/fuzz "$@"
