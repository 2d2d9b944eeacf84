#!/usr/bin/env bash
# The lab's RDS by boto3 alone: create, copy, share, restore, SQL, delete, and what must be refused.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/lab.sh

venv
lab_up
"$python" tests/conformance/rds_checks.py --lab "$ready" | tee "$work/checks"
passed=$(grep -c '^PASS ' "$work/checks")
lab_down
echo "check-rds: $passed checks passed"
