#!/usr/bin/env bash
# A vault with many slots: how long `dr status`, `dr log` and `dr restore --from` take to answer, and that they find the newest
# point. Release binaries, the practice cloud; not part of `make test`. history.sh [SLOTS]
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --release --package dr --package dr-lab --bins --locked 1>&2
source scripts/lab.sh
bin=${CARGO_TARGET_DIR:-target}/release
venv
place=$(mktemp -d "${DR_LIMITS_DIR:-${TMPDIR:-/tmp}}/dr-history-XXXXXX")
chmod 711 "$place"
lab_up --empty --dir "$place/lab"
trap 'lab_down; rm -rf "$place"' EXIT
status=0
"$python" scripts/history.py "$ready" "$place" "$bin/dr" "${1:-6000}" || status=$?
lab_down
rm -rf "$place"
exit "$status"
