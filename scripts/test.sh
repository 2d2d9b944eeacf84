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
cargo fmt --all --check
cargo build --workspace --bins --locked
cargo clippy --workspace --all-targets --locked -- -D warnings
scripts/shape.sh | tee "$log"
shape=$(tail -n 1 "$log")
# The negative ones come with the checks below.
cargo nextest run --workspace --locked -E 'not (binary_id(dr::it) and test(/^negative::/))' 2>&1 | tee "$log"
tests=$(sed -nE 's/.*Summary \[[^]]*\] *([0-9]+) tests? run: ([0-9]+) passed.*/\2/p' "$log" | tail -n 1)
: "${tests:?nextest printed no summary}"

told=("$shape")
for check in s3 rds negative deploy; do
    "scripts/check-$check.sh" 2>&1 | tee "$log"
    told+=("$(tail -n 1 "$log")")
done
# Only where the fuzzer is there: it and what it instruments take long to compile. Else `fuzz::` above was all.
if cargo fuzz --version >/dev/null 2>&1; then
    told+=("$(scripts/fuzz.sh 10)")
fi
if [[ -n ${DR_REPORTS:-} ]]; then
    scripts/reports.sh "$DR_REPORTS"
fi
if cargo deny --version >/dev/null 2>&1; then
    scripts/deny.sh
fi
printf '%s\n' "make test: $tests tests passed" "${told[@]/#/make test: }"
