#!/usr/bin/env bash
# One report of each kind from those of the tests: scripts/reports.sh DIR
set -euo pipefail
dir=${1:?usage: scripts/reports.sh DIR}
shopt -s nullglob

crash=("$dir"/crash-*.json)
if ((${#crash[@]})); then
    jq -s '{n_calls: (map(.n_calls) | add), ops: (map(.ops) | reduce .[] as $o ({}; reduce ($o | to_entries[]) as $e (.; .[$e.key] += $e.value))),
        kinds: .[0].kinds, cases: (map(.cases) | add), failed: (map(.failed) | add), sampled: any(.[]; .sampled), seed: .[0].seed,
        failures: (map(.failures) | add), wall_s: (map(.wall_s) | add), most_runs: (map(.most_runs) | max),
        stages: map({(.stage): {n_calls, cases, failed}}) | add}' "${crash[@]}" >"$dir/crash.json"
    jq -r '"crash: \(.n_calls) calls, \(.cases) cases, \(.failed) failed, sampled \(.sampled)"' "$dir/crash.json"
fi
race=("$dir"/race-*.json)
if ((${#race[@]})); then
    jq -s '{interleavings: (map(.interleavings) | add), winners_per_append: (map(.winners_per_append) | max), doubled: (map(.doubled) | add), failed: (map(.failed) | add)}' "${race[@]}" >"$dir/race.json"
    jq -r '"race: \(.interleavings) interleavings, \(.doubled) doubled, \(.failed) failed"' "$dir/race.json"
fi
kill=("$dir"/kill-*.json)
if ((${#kill[@]})); then
    jq -s 'add' "${kill[@]}" >"$dir/kill.json"
    jq -r '"kill: \(length) kills, at most \(map(.ticks_to_finish) | max) ticks to finish, \(map(.duplicate_versions) | add) duplicates"' "$dir/kill.json"
fi
