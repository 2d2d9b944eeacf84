#!/usr/bin/env bash
# Makes a Python environment with LocalStack (S3 only), once, outside of the clone, and prints its interpreter.
# The date keeps out newer versions of its dependencies that it does not start with.
set -euo pipefail
version=4.12.0
home="${XDG_CACHE_HOME:-$HOME/.cache}/dr"
venv="$home/localstack-$version"
mkdir -p "$home"
exec 9>"$home/localstack.lock"
flock 9
if [ ! -e "$venv/complete" ]; then
  rm -rf "$venv"
  python3 -m venv "$venv" >&2 || { echo "python3 has no venv; type: apt-get install python3-venv" >&2; exit 1; }
  "$venv/bin/pip" -q install --disable-pip-version-check uv >&2
  "$venv/bin/uv" pip install -q --python "$venv/bin/python" --exclude-newer 2025-12-20 "localstack-core[runtime]==$version" boto3 >&2
  touch "$venv/complete"
fi
echo "$venv/bin/python"
