# shellcheck shell=bash
# Summary: What the tests share: etcdctl against one member, keys of their own, and how a test ends.
# Needs: the nodes and $RIGGER_BIN_DIR/etcdctl
#
# A test is a program: exit 0 when it has passed, 77 when it cannot be made here, anything else when it has
# failed; the last line says why. A test leaves nothing behind, also when it fails or is stopped.
#
# What is set here is used by the tests; they give clean_up another meaning where they need to.
# shellcheck disable=SC2034,SC2317

# shellcheck source-path=SCRIPTDIR source=cluster.sh
. "$RIGGER_MODULE_DIR/lib/cluster.sh"

fail() {
    echo "$1" >&2
    exit 1
}

skip() {
    echo "$1" >&2
    exit 77
}

clean_up() {
    :
}

finish() {
    local code=$?
    trap - EXIT
    set +e
    clean_up
    # shellcheck disable=SC2046
    kill $(jobs -p) 2>/dev/null
    if [[ ${everywhere-} ]]; then
        etcdctl "$everywhere" del --prefix "$prefix" >/dev/null 2>&1
    fi
    rm -rf "$scratch"
    exit "$code"
}

# etcdctl URLS ARGUMENT...
etcdctl() {
    "$RIGGER_BIN_DIR/etcdctl" --endpoints "$1" --dial-timeout=2s --command-timeout=5s "${@:2}"
}

# at NODE ARGUMENT...: etcdctl against one member; the test has failed when the command does.
at() {
    local complaint=$scratch/complaint.$BASHPID
    if ! etcdctl "${client[$1]}" "${@:2}" 2>"$complaint"; then
        fail "etcdctl $2 on $1 failed: $(reason "$complaint")"
    fi
}

# refused NODE PATTERN ARGUMENT...: the test has failed unless the command fails for the reason given.
refused() {
    local complaint=$scratch/complaint.$BASHPID
    if etcdctl "${client[$1]}" "${@:3}" >/dev/null 2>"$complaint"; then
        fail "etcdctl $3 on $1 worked, but should have been refused ($2)"
    fi
    grep -q "$2" "$complaint" || fail "etcdctl $3 on $1 was refused for another reason: $(reason "$complaint")"
}

reason() {
    { grep '^Error' "$1" || tail -n 1 "$1"; } | tail -n 1 | cut -c 1-200
}

# same WHAT EXPECTED COMMAND...: the test has failed unless the command works and prints what is expected.
same() {
    local found
    found=$("${@:3}") || exit 1
    [[ $found == "$2" ]] || fail "$1: expected '${2:0:100}', found '${found:0:100}'"
}

# eventually SECONDS COMMAND...: repeats a command until it is true; false when it never is.
eventually() {
    local end=$((SECONDS + $1))
    until "${@:2}"; do
        ((SECONDS < end)) || return 1
        sleep 0.05
    done
}

value_on() { # NODE KEY [OPTION...]
    at "$1" get "$prefix$2" --print-value-only "${@:3}"
}

keys_on() { # NODE PREFIX
    at "$1" get --prefix "$prefix$2" --keys-only | sed '/^$/d'
}

revision_on() { # NODE
    at "$1" get "$prefix" -w fields | sed -n 's/^"Revision" : //p'
}

random_word() {
    od -An -N16 -tx1 /dev/urandom | tr -d ' \n'
}

# The vars name all endpoints; a test means one member at a time.
unset ETCDCTL_ENDPOINTS
export ETCDCTL_API=3
prefix=rigger-test/${0##*/}/$(random_word)/
scratch=$(mktemp -d)
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

read_nodes
((${#nodes[@]})) || fail "there are no nodes, so there is no cluster to test"
[[ -x $RIGGER_BIN_DIR/etcdctl ]] || fail "there is no etcdctl; run setup-clients"
everywhere=$(IFS=,; echo "${client[*]}")
((${#nodes[@]} == 1)) && count_of_members="1 member" || count_of_members="${#nodes[@]} members"
