#!/usr/bin/env bash
# The lab's S3 by boto3: 79 checks of versions, locks, checksums, multipart and listings against each AWS region.
# At least 77 must pass, and only the group `config` may miss some.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/lab.sh

venv
lab_up --empty
total=0
for region in eu-west-3 eu-central-1; do
    echo "S3 of $region:"
    "$python" tests/conformance/object_lock_checks.py --endpoint "$(of endpoints "$region" s3)" --region "$region" \
        --access-key "$(of roles aws admin access_key_id)" --secret-key "$(of roles aws admin secret_access_key)" \
        --big-list 1500 --json "$work/$region.json" || true
    passed=$("$python" - "$work/$region.json" <<'PYTHON'
import json, sys
try:
    checks = json.load(open(sys.argv[1]))["checks"]
except FileNotFoundError:
    sys.exit("the checks did not finish")
failed = [c["id"] for c in checks if not c["ok"]]
elsewhere = [f for f in failed if not f.startswith("config:")]
if len(checks) < 79:
    sys.exit(f"only {len(checks)} checks ran, 79 are there")
if elsewhere or len(checks) - len(failed) < 77:
    sys.exit(f"{len(failed)} of {len(checks)} failed: " + "; ".join(failed))
print(len(checks) - len(failed))
PYTHON
    )
    total=$((total + passed))
done
lab_down
echo "check-s3: $total checks passed in two regions"
