#!/usr/bin/env bash
# The manifests under deploy/ against the schemas of Kubernetes, without a cluster.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/lab.sh

venv
validate=$(dirname "$python")/kubernetes-validate
"$validate" --strict deploy/*.yaml
# A check that cannot fail proves nothing: with one field misspelt the same files must be refused.
broken=$(mktemp --suffix=.yaml)
trap 'rm -f "$broken"' EXIT
sed 's/concurrencyPolicy:/concurencyPolicy:/' deploy/cronjob.yaml >"$broken"
if "$validate" --strict "$broken" >/dev/null 2>&1; then
    echo "a misspelt field was not noticed" >&2
    exit 1
fi
echo "check-deploy: $(grep -c '^kind:' deploy/*.yaml) manifests are valid"
