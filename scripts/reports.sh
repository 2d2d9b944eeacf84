#!/usr/bin/env bash
# One report of each kind from those of the tests: scripts/reports.sh DIR
set -euo pipefail
dir=${1:?usage: scripts/reports.sh DIR}
shopt -s nullglob

crash=("$dir"/crash-*.json)
if ((${#crash[@]})); then
    # Shards of a stage have its calls in common and their cases apart.
    jq -s 'def total(f): map(f) | add;
        group_by(.stage) | map(.[0] + {cases: total(.cases), failed: total(.failed), failures: total(.failures), sampled: any(.[]; .sampled), part: (map(.shard // "1/1" | split("/") | 1 / (.[1] | tonumber)) | add), most_runs: (map(.most_runs) | max), wall_s: total(.wall_s)})
        | {n_calls: total(.n_calls), ops: (map(.ops) | reduce .[] as $o ({}; reduce ($o | to_entries[]) as $e (.; .[$e.key] += $e.value))),
        kinds: .[0].kinds, cases: total(.cases), failed: total(.failed), sampled: any(.[]; .sampled), seed: .[0].seed,
        failures: total(.failures), wall_s: total(.wall_s), most_runs: (map(.most_runs) | max),
        stages: map({(.stage): {n_calls, cases, failed, sampled, part}}) | add}' "${crash[@]}" >"$dir/crash.json"
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
