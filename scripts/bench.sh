#!/usr/bin/env bash
# Ratios against a peer in the same run, on the same practice cloud; never a test. Three runs each, medians, as JSON lines.
# RUNS and FILES change how many; dumps and loads are in bench-database.sh.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --release --package dr --package dr-lab --bins --locked 1>&2
source scripts/lab.sh
bin=${CARGO_TARGET_DIR:-target}/release
venv
place=$(mktemp -d "${DR_LIMITS_DIR:-${TMPDIR:-/tmp}}/dr-bench-XXXXXX")
chmod 711 "$place"
lab_up --no-writers --dir "$place/lab"
trap 'lab_down; rm -rf "$place"' EXIT
status=0
"$python" scripts/bench.py "$ready" "$place" "$bin/dr" "${RUNS:-3}" "${FILES:-400}" || status=$?
lab_down
rm -rf "$place"
exit "$status"
