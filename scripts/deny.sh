#!/usr/bin/env bash
# Licences, bans and sources of all dependencies; known vulnerabilities only where their database can be had.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo deny --workspace check --hide-inclusion-graph bans licenses sources
if cargo deny --workspace fetch db 2>/dev/null; then
    cargo deny --workspace check --disable-fetch advisories
else
    echo "warning: the advisory database cannot be reached; known vulnerabilities were NOT checked" >&2
fi
