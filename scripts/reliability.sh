#!/usr/bin/env bash
# Writes the figures of docs/RELIABILITY.md from reports: scripts/reliability.sh DIR
set -euo pipefail
dir=${1:?usage: scripts/reliability.sh DIR}
cd "$(dirname "$0")/.."
doc=docs/RELIABILITY.md
made=$(mktemp)
trap 'rm -f "$made"' EXIT

{
    echo '| what | calls | cases | failed | set |'
    echo '|---|---|---|---|---|'
    if [[ -e $dir/crash.json ]]; then
        jq -r '.stages | to_entries[] | (if .value.sampled then "sample" elif .value.part > 0.99 then "all" else "\(.value.part * 1000 | round / 10) % of all" end) as $set | "| crash, \(.key) | \(.value.n_calls) | \(.value.cases) | \(.value.failed) | \($set) |"' "$dir/crash.json"
    fi
    if [[ -e $dir/kill.json ]]; then
        jq -r '"| random kills | - | \(length) | \(map(select(.points != 1 or .duplicate_versions != 0)) | length) | at most \(map(.ticks_to_finish) | max) ticks to the end |"' "$dir/kill.json"
    fi
    if [[ -e $dir/race.json ]]; then
        jq -r '"| two runners | - | \(.interleavings) | \(.failed) | \(.doubled) entries doubled |"' "$dir/race.json"
    fi
    if [[ -e $dir/damage.json ]]; then
        jq -r '"| damage | - | \(.cases) | \(.failed) | \(.unnamed) not named |"' "$dir/damage.json"
    fi
    if [[ -e $dir/roles.json ]]; then
        jq -r '"| roles | - | \([.[] | .allowed + .denied] | add) | \([.[] | .unexpected] | add) | \(length) keys |"' "$dir/roles.json"
    fi
    if [[ -e $dir/fuzz.json ]]; then
        jq -r '"| fuzzing by coverage | - | \([.[].inputs] | add) | 0 | \(length) entry points, \([.[].seconds] | max) s each |"' "$dir/fuzz.json"
    fi
} >"$made"
awk -v table="$made" '
    /^<!-- figures -->$/ { print; while ((getline line < table) > 0) print line; skip = 1; next }
    /^<!-- figures end -->$/ { skip = 0 }
    !skip { print }' "$doc" >"$made.doc"
mv "$made.doc" "$doc"
echo "$doc is written from $dir"
