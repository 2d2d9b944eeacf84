#!/usr/bin/env bash
# Peak memory of a backup of 2 GB of files, with the release binaries, in the practice cloud: to the second region (copied by
# the store), and to another provider as well (streamed through `dr`). Not part of `make test`: it builds for release and
# moves gigabytes. check-limits.sh [MAX_MIB]; SMALL and LARGE are the numbers of files, DR_LIMITS_DIR where the lab lives.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --release --package dr --package dr-lab --bins --locked 1>&2
source scripts/lab.sh
bin=${CARGO_TARGET_DIR:-target}/release
venv
# The servers' own user must be able to walk there.
place=$(mktemp -d "${DR_LIMITS_DIR:-${TMPDIR:-/tmp}}/dr-limits-XXXXXX")
chmod 711 "$place"
lab_up --empty --dir "$place/lab"
trap 'lab_down; rm -rf "$place"' EXIT
status=0
"$python" scripts/limits.py "$ready" "$place" "$bin/dr" "${1:-128}" "${SMALL:-1200}" "${LARGE:-120}" || status=$?
lab_down
rm -rf "$place"
exit "$status"
