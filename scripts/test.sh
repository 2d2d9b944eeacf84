#!/usr/bin/env bash
# Everything that must hold before a change is merged. The last line counts what was checked.
set -euo pipefail
cd "$(dirname "$0")/.."
if [[ -d ${HOME:-/root}/.cargo/bin ]]; then
    PATH=$PATH:${HOME:-/root}/.cargo/bin
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# The tests run both programs, so they are built first.
cargo build --workspace --bins --locked
cargo clippy --workspace --all-targets --locked -- -D warnings
cargo nextest run --workspace --locked 2>&1 | tee "$log"
tests=$(sed -nE 's/.*Summary \[[^]]*\] *([0-9]+) tests? run: ([0-9]+) passed.*/\2/p' "$log" | tail -n 1)
: "${tests:?nextest printed no summary}"

told=()
for check in scripts/check-*.sh; do
    # What is broken on purpose was among the tests above; the limits need a release build and gigabytes.
    case $check in scripts/check-negative.sh | scripts/check-limits.sh) continue ;; esac
    "$check" 2>&1 | tee "$log"
    told+=("$(tail -n 1 "$log")")
done
if cargo deny --version >/dev/null 2>&1; then
    scripts/deny.sh
fi
printf '%s\n' "make test: $tests tests passed" "${told[@]/#/make test: }"
