#!/usr/bin/env bash
# Feeds the entry points for what others wrote by coverage, beginning with tests/corpus/ and the golden files.
# scripts/fuzz.sh [SECONDS-PER-TARGET [TARGET...]]. What it learns is kept beside the build; what breaks stays there and is named.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-60}
if [[ ! $seconds =~ ^[1-9][0-9]*$ ]]; then
    echo "SECONDS-PER-TARGET is \`$seconds\`; write it like 60" >&2
    exit 2
fi
all=(policy entry point rows answer)
targets=("${@:2}")
((${#targets[@]})) || targets=("${all[@]}")
for target in "${targets[@]}"; do
    if [[ ! -f fuzz/targets/$target.rs ]]; then
        echo "no target \`$target\`; targets are ${all[*]}" >&2
        exit 2
    fi
done
if ! cargo fuzz --version >/dev/null 2>&1; then
    echo "cargo-fuzz is missing; type: cargo install --locked cargo-fuzz@0.13.2" >&2
    exit 1
fi

base=${CARGO_TARGET_DIR:-target}
export CARGO_TARGET_DIR=$base/fuzz
golden=docs/formats/golden
# What each target begins with; the last line says what it did.
begin() {
    cp tests/corpus/"$1"/* "$2"
    case $1 in
    policy) cp $golden/policy.yaml policies/*.yaml "$2" ;;
    entry) cp $golden/entry.json "$2" && split -l 1 --additional-suffix=.json $golden/journal-drill.jsonl "$2/line-" ;;
    point) cp $golden/{point,captured-cluster,captured-bucket,captured-server,copy-dump,copy-snapshot,copy-files,proof,dump,vault}.json "$2" ;;
    rows) cp $golden/{list,objects}.jsonl.zst "$2" && zstd -dqc $golden/list.jsonl.zst >"$2/list.jsonl" ;;
    esac
}

told=()
report='{}'
for target in "${targets[@]}"; do
    learned=$CARGO_TARGET_DIR/learned/$target broken=$CARGO_TARGET_DIR/broken/$target
    mkdir -p "$learned" "$broken"
    begin "$target" "$learned"
    # Without a sanitizer the pinned compiler builds it; there is no unsafe code of ours for one to look at.
    log=$CARGO_TARGET_DIR/$target.log
    if ! cargo fuzz run --fuzz-dir fuzz --sanitizer none "$target" "$learned" -- \
        -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -max_len=65536 -artifact_prefix="$broken/" -print_final_stats=1 2>&1 | tee "$log" >&2; then
        echo "fuzz: $target does not stand an input, see above; once mended, put it into tests/corpus/$target/:" "$broken"/* >&2
        exit 1
    fi
    inputs=$(sed -nE 's/^stat::number_of_executed_units: *([0-9]+)$/\1/p' "$log")
    told+=("$target ${inputs:?$target told no number of inputs}")
    report=$(jq -c --arg target "$target" --argjson inputs "$inputs" --argjson seconds "$seconds" '.[$target] = {inputs: $inputs, seconds: $seconds}' <<<"$report")
done
if [[ -n ${DR_REPORTS:-} ]]; then
    printf '%s\n' "$report" >"$DR_REPORTS/fuzz.json"
fi
printf 'fuzz: %s inputs, nothing broke\n' "$(printf '%s, ' "${told[@]}" | sed 's/, $//')"
