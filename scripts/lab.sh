# Sourced by the checks: a venv outside of the sources, and a lab that is up while a check runs.

cache=${DR_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/dr}
bin=${CARGO_TARGET_DIR:-target}/debug

# venv: makes it once per content of requirements.txt; sets $python.
venv() {
    local requirements=tests/conformance/requirements.txt
    local folder
    folder=$cache/venv-$(sha256sum "$requirements" | cut -c1-16)
    python=$folder/bin/python
    if [[ ! -e $folder/ready ]]; then
        echo "making a Python venv in $folder" >&2
        # `ready` comes last: a run that is killed here leaves a folder that the next one makes again.
        rm -rf "$folder"
        mkdir -p "$cache"
        python3 -m venv "$folder"
        "$folder/bin/pip" install --quiet --disable-pip-version-check --requirement "$requirements" >&2
        touch "$folder/ready"
    fi
}

# lab_up [flags of dr-lab up]: starts a lab in a directory of its own and waits for its line; sets $ready, a file.
lab_up() {
    [[ -x $bin/dr-lab ]] || { echo "$bin/dr-lab is not built; type: cargo build --workspace --bins" >&2; exit 1; }
    work=$(mktemp -d)
    ready=$work/ready.json
    coproc LAB { exec "$bin/dr-lab" up --json "$@" 2>"$work/lab.log"; }
    lab_pid=$LAB_PID
    trap lab_down EXIT
    if ! IFS= read -r -t 180 line <&"${LAB[0]}"; then
        echo "the lab did not come up:" >&2
        tail -n 20 "$work/lab.log" >&2
        exit 1
    fi
    printf '%s\n' "$line" >"$ready"
}

# lab_down: SIGTERM, and wait until it has gone; it sweeps its own servers.
lab_down() {
    trap - EXIT
    local status=0
    if kill -TERM "$lab_pid" 2>/dev/null; then
        wait "$lab_pid" || status=$?
    fi
    rm -rf "$work"
    if ((status != 0)); then
        echo "the lab ended with $status" >&2
        return 1
    fi
}

# of JSON-PATH…: a value of the ready line, such as: of roles aws admin access_key_id
of() {
    python3 -c 'import json, sys
value = json.load(open(sys.argv[1]))
for key in sys.argv[2:]:
    value = value[key]
print(value)' "$ready" "$@"
}
