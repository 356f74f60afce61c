#!/usr/bin/env bash
# Builds the program and fuzzes each target for long: long.sh [TARGET …]. long.py says how.
set -euo pipefail
cd "$(dirname "$0")"
source ./build.sh
# A copy: a build in the meantime does not change what is run.
mkdir -p .build/long
cp "$program" .build/long/fuzz
exec nice python3 long.py .build/long/fuzz "$@"
