# shellcheck shell=bash
# Summary: How members that exist come to another version: all that deploy and the upgrades have in common.
# Needs: lib/cluster.sh; $RIGGER_STATE_DIR
#
# What is set by survey and ask_members is used here.
# shellcheck disable=SC2154

must_be_ready() {
    [[ ${state[$1]} != unreachable ]] || fail "it cannot be reached"
    [[ ${versions[$1]} == *",$version,"* ]] || fail "it has no etcd $version; install comes first"
    may_follow "${configuration[$1]%%,*}" || exit 1
}

# etcd goes up by one minor version at a time, and back only within one.
may_follow() {
    local from=$1 minor old
    [[ $from =~ ^[0-9]+\.[0-9]+\. ]] || return 0
    minor=${version#*.} minor=${minor%%.*}
    old=${from#*.} old=${old%%.*}
    ((minor >= old)) || fail "it has run etcd $from, and etcd cannot go back to $version with its data"
    ((minor <= old + 1)) || fail "it has run etcd $from; go to 3.$((old + 1)) before $version"
}

# Starts the members that have data and do not run.
revive() {
    local dead=() node
    for node in "${nodes[@]}"; do
        if [[ ${data[$node]} == yes && ${state[$node]} == stopped ]]; then dead+=("$node"); fi
    done
    if ((${#dead[@]})); then
        rigger-log info "Starting ${dead[*]} again"
        each start "${dead[@]}" || fail "not every member could be started again"
    fi
}

# Restarts, one at a time and the leader last, the members that run another version or at other addresses.
roll() {
    local node leader='' old=() followers=()
    survey
    for node in "${nodes[@]}"; do
        if [[ ${configuration[$node]} != "$(wanted_configuration "$node")" ]]; then old+=("$node"); fi
    done
    ((${#old[@]})) || return 0
    find_speaker || fail "the cluster has no quorum: a majority of its members must run"
    read_members || fail "the member list cannot be read"
    for node in "${old[@]}"; do
        if [[ ${role[$node]} == leader ]]; then leader=$node; else followers+=("$node"); fi
    done
    for node in ${followers[@]+"${followers[@]}"} ${leader:+"$leader"}; do restart "$node"; done
}

restart() {
    rigger-log info "Restarting $1 with etcd $version"
    # A member that answers has applied all that the leader had agreed when it was asked.
    each await "${nodes[@]}" || fail "$1 is not restarted while another member is not healthy"
    rigger-drain "$1"
    ask_members
    if [[ ${role[$1]} == leader ]]; then move_leadership "$1" "${nodes[@]}"; fi
    stop "$1" || fail "$1 could not be stopped"
    start "$1" || fail "$1 could not be started again"
    await "$1" || fail "$1 did not come up again"
    rigger-drain --back "$1"
}

stop() {
    on "$1" stop
}

# bring_down COMMAND NODE...: runs a command that stops a member on all nodes; the leader comes last, for it would
# wait for seconds until one of those that stop at the same time takes over.
bring_down() {
    local command=$1 node leaders=() others=()
    shift
    ask_members
    for node; do
        if [[ ${role[$node]} == leader ]]; then leaders+=("$node"); else others+=("$node"); fi
    done
    each "$command" ${others[@]+"${others[@]}"} && each "$command" ${leaders[@]+"${leaders[@]}"}
}

# Deletes the programs of other versions, but for the one that an upgrade may have to go back to.
tidy() {
    on "$1" tidy "$version" "${RIGGER_FROM_VERSION-}"
}

# What both styles of upgrade do before they touch a member, and after all of them are well.

prepare_upgrade() {
    local node unfinished
    need_version
    read_nodes
    ((${#nodes[@]})) || fail "there are no nodes, so there is no cluster to upgrade"
    for unfinished in bootstrap joining; do
        [[ ! -f $RIGGER_STATE_DIR/$unfinished ]] || fail "the last deploy did not finish; run it again before an upgrade"
    done
    # As long as a restore is preparing, it has not touched the cluster.
    if [[ -f $RIGGER_STATE_DIR/restoring && $(<"$RIGGER_STATE_DIR/restoring") != *' preparing' ]]; then
        fail "the last restore did not finish; run it again before an upgrade"
    fi
    find_programs "$(own_platform)"
    new_clients=$programs
    install_on_nodes
    each must_be_ready "${nodes[@]}" || fail "not every node is ready for etcd $version"
    for node in "${nodes[@]}"; do
        [[ ${data[$node]} == yes ]] || fail "$node has no data; run deploy first"
    done
}

finish_upgrade() {
    each await "${nodes[@]}" || fail "not every member is healthy"
    each tidy "${nodes[@]}" || true
    place_clients "$new_clients"
}
