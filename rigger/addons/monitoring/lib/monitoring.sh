# shellcheck shell=bash
# Summary: What the scripts of this add-on share: where it runs, what it should look at, and how it is asked.
# Needs: NODE PORT INTERVAL RETENTION, the nodes, RIGGER_STATE
# Writes: nothing
#
# On the node: prometheus.yml, targets.json and data/ in the folder NAME of what the provider prepared, or in ~/rigger-NAME.
# In $RIGGER_STATE_DIR: node, where it was put last; applied/, the two files as they were put there.
#
# What is set here is used by the scripts.
# shellcheck disable=SC2034,SC2153

own=${RIGGER_STATE_DIR##*/} # its name in this environment
prefix=${own^^} prefix=${prefix//-/_}
applied=$RIGGER_STATE_DIR/applied
placed=$RIGGER_STATE_DIR/node

fail() {
    rigger-log error "$1"
    exit 1
}

# Sets address, where others reach it, and inside, where it listens: machines of a cloud may not know their public address.
need_node() {
    local name address_ private offset
    address=''
    while IFS=$'\t' read -r name address_ private offset; do
        if [[ $name == "$NODE" ]]; then address=$address_ inside=$private; fi
    done < <(rigger-nodes table)
    [[ $address ]] || fail "there is no node '$NODE' for $own; choose another: rigger config set ${prefix}_NODE=NAME"
    if [[ $inside == - ]]; then inside=$address; fi
}

bracketed() {
    if [[ $1 == *:*:* && $1 != \[* ]]; then echo "[$1]"; else echo "$1"; fi
}

# on NODE VERB ARGUMENT...: runs a verb of lib/member.sh there; standard input is passed on.
on() {
    local node=$1
    shift
    rigger-node "$node" sh -c "$(rigger-service prepared; printf 'own=%s\n' "$own"; cat "$RIGGER_MODULE_DIR/lib/member.sh")" \
        "$own" "$@"
}

ask() { # PATH, such as /api/v1/targets
    on "$NODE" get "http://$(bracketed "$inside"):$PORT$1" </dev/null
}

find_prometheus() { # sets program
    local base=https://github.com/prometheus/prometheus/releases/download/v3.5.0/prometheus-3.5.0
    program=$(rigger-program "$NODE" prometheus \
        --archive Linux-x86_64 "$base.linux-amd64.tar.gz" e811827af26d822afb09a4f28314f61b618b12cff5369835a67f674d8b46f39a \
        --archive Linux-aarch64 "$base.linux-arm64.tar.gz" 173389cc42bf09c4e6e54cb53fa07a5a835d7c261e14775d2183181d6e385d1c \
        --debian prometheus)
}

# Says which Prometheus that is: it may be an older one than this module's, as Debian or the node has it.
program_version() {
    rigger-node "$NODE" "$program" --version 2>&1 </dev/null | sed -n '1s/^prometheus, version \([^ ]*\).*/Prometheus \1/p'
}

# The files as they should be.
write_files() { # FOLDER
    mkdir -p "$1"
    printf 'global:\n  scrape_interval: %s\nscrape_configs:\n  - job_name: rigger\n    file_sd_configs:\n      - files: [targets.json]\n' \
        "$INTERVAL" >"$1/prometheus.yml"
    "$RIGGER_PYTHON" -I "$RIGGER_MODULE_DIR/lib/targets.py" "$own" <"$RIGGER_STATE" >"$1/targets.json"
}

start() {
    find_prometheus
    on "$NODE" folder >"$scratch/folder" </dev/null
    rigger-service start "$NODE" "$own" --folder "$(<"$scratch/folder")" -- "$program" \
        --config.file=prometheus.yml --storage.tsdb.path=data "--storage.tsdb.retention.time=$RETENTION" \
        "--web.listen-address=$(bracketed "$inside"):$PORT"
}

await_ready() {
    local end=$((SECONDS + 60))
    until ask /-/ready >/dev/null 2>&1; do
        ((SECONDS < end)) || fail "Prometheus on $NODE does not answer within a minute: $(rigger-service logs "$NODE" "$own" 3)"
        sleep 0.2
    done
}

# Takes it off a node, with what it has seen.
take_off() { # NODE
    rigger-service remove "$1" "$own" && on "$1" remove </dev/null && rigger-program --remove "$1" prometheus
}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
