#!/usr/bin/env bash
# What is broken on purpose in the practice cloud is found, named, and has its exit code.
set -euo pipefail
cd "$(dirname "$0")/.."

log=$(mktemp)
trap 'rm -f "$log"' EXIT
cargo nextest run --locked --package dr --test it negative:: 2>&1 | tee "$log"
passed=$(sed -nE 's/.*Summary \[[^]]*\] *([0-9]+) tests? run: ([0-9]+) passed.*/\2/p' "$log" | tail -n 1)
echo "check-negative: ${passed:?nextest printed no summary} broken things were found and named"
