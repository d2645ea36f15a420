# shellcheck shell=bash
# Summary: What the scripts of this add-on share: where it runs, its configuration, and how it is asked.
# Needs: NODE PORT METRICS_PORT MODE DRAIN_SECONDS, the nodes, RIGGER_STATE, RIGGER_PLATFORM_PORTS
# Writes: nothing
#
# On the node: haproxy.cfg, control.py and admin.sock in the folder NAME of what the provider prepared, or in ~/rigger-NAME.
# In $RIGGER_STATE_DIR: node, where it was put last; applied/haproxy.cfg, as it was put there.
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

# on NODE COMMAND ARGUMENT...: runs a command in the add-on's folder there, which is made; standard input is passed on.
on() {
    local node=$1
    shift
    # shellcheck disable=SC2016 # the node's shell expands it
    rigger-node "$node" sh -c "$(rigger-service prepared; printf 'own=%s\n' "$own")"'
        home=$HOME/rigger-$own
        [ ! "$prepared" ] || home=$prepared/$own
        mkdir -p "$home" && cd "$home" && exec "$@"' "$own" "$@"
}

# Puts what standard input has into a file of the folder; it appears whole.
put() { # FILE
    # shellcheck disable=SC2016
    on "$NODE" sh -c 'cat >"$1.new" && mv "$1.new" "$1"' put "$1"
}

ask() { # COMMAND of HAProxy's runtime API
    on "$NODE" python3 control.py ask "$1" </dev/null
}

# Says which HAProxy that is: what the node has, or Debian.
program_version() {
    rigger-node "$NODE" "$program" -v 2>&1 </dev/null | sed -n '1s/^HAProxy version \([^ ]*\).*/HAProxy \1/p'
}

find_haproxy() { # sets program
    program=$(rigger-program "$NODE" haproxy --debian haproxy)
    on "$NODE" python3 -c '' </dev/null 2>/dev/null || fail "$NODE has no python3, which drains the nodes: install it there"
}

write_configuration() { # FILE
    [[ ${RIGGER_PLATFORM_PORTS-} ]] ||
        rigger-log warning "the platform does not say which ports it has (ports: in its rigger.yml), so $own stands before none"
    mkdir -p "${1%/*}"
    "$RIGGER_PYTHON" -I "$RIGGER_MODULE_DIR/lib/configuration.py" "$(bracketed "$inside")" "$PORT" "$METRICS_PORT" "$MODE" \
        "$RIGGER_PLATFORM_PORTS" <"$RIGGER_STATE" >"$1" || fail "the configuration could not be written"
}

# -W: one process that stays, and others below it; told with USR2, it takes a new configuration and refuses nobody meanwhile.
start() {
    rigger-service start "$NODE" "$own" --folder "$(on "$NODE" pwd </dev/null)" -- "$program" -W -db -f haproxy.cfg
}

# Waits until the process that runs has this configuration.
await_ready() {
    local end=$((SECONDS + 30)) want
    want=$(sed -n 's/^    description //p' "$1")
    until [[ $(ask 'show info' 2>/dev/null | sed -n 's/^description: //p') == "$want" ]]; do
        ((SECONDS < end)) || fail "HAProxy on $NODE does not answer within half a minute: $(rigger-service logs "$NODE" "$own" 3)"
        sleep 0.2
    done
}

take_off() { # NODE
    # shellcheck disable=SC2016 # the node's shell expands it
    rigger-service remove "$1" "$own" && rigger-program --remove "$1" haproxy &&
        on "$1" sh -c 'rm -rf "$PWD"' </dev/null
}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
