#!/usr/bin/env bash
# Sizes, widths and imports of the sources. The last line counts what was looked at.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo run --quiet --locked --package dr-shape
