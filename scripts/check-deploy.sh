#!/usr/bin/env bash
# The manifests under deploy/ against the schemas of Kubernetes, without a cluster.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/lab.sh

venv
"$(dirname "$python")/kubernetes-validate" --strict deploy/*.yaml
echo "check-deploy: $(grep -c '^kind:' deploy/*.yaml) manifests are valid"
