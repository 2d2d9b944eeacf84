#!/usr/bin/env bash
# Installs what building and testing need beside rustup, or says what to type. Changes nothing where all is there.
# scripts/prepare.sh [deny]: with `deny`, cargo-deny as well (it takes minutes to compile).
set -euo pipefail
cd "$(dirname "$0")/.."

if [[ -d ${HOME:-/root}/.cargo/bin ]]; then
    PATH=$PATH:${HOME:-/root}/.cargo/bin
fi
if ! command -v cargo >/dev/null; then
    echo "cargo is missing; install rustup (https://rustup.rs), then type the same command again" >&2
    exit 1
fi

has_postgres() {
    command -v initdb >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null
}

missing=()
command -v cc >/dev/null || missing+=(build-essential)
has_postgres || missing+=(postgresql)
command -v psql >/dev/null || missing+=(postgresql-client)
python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)
command -v jq >/dev/null || missing+=(jq)
command -v zstd >/dev/null || missing+=(zstd)
# Gives a child process another clock.
command -v faketime >/dev/null || missing+=(faketime)

if ((${#missing[@]})); then
    install=(apt-get install --yes --no-install-recommends "${missing[@]}")
    if ! command -v apt-get >/dev/null; then
        echo "missing (by their Debian names): ${missing[*]}; install them, then type the same command again" >&2
        exit 1
    elif ((EUID == 0)); then
        as_root=()
    elif sudo --non-interactive true 2>/dev/null; then
        as_root=(sudo)
    else
        echo "missing: ${missing[*]}; type: sudo ${install[*]}" >&2
        exit 1
    fi
    echo "installing ${missing[*]}"
    "${as_root[@]}" apt-get update --quiet
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive "${install[@]}"
fi

# Versions that build with the pinned compiler.
if ! cargo nextest --version >/dev/null 2>&1; then
    echo "installing cargo-nextest"
    # Without the updater of itself, which needs OpenSSL.
    cargo install --locked --no-default-features --features default-no-update cargo-nextest@0.9.143
fi
if [[ ${1:-} == deny ]] && ! cargo deny --version >/dev/null 2>&1; then
    echo "installing cargo-deny"
    cargo install --locked cargo-deny@0.20.2
fi
