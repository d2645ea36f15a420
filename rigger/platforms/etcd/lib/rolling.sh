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

# revive [NODE...]: starts the members that have data and do not run, of all nodes or of some, and looks at all again then.
revive() {
    local dead=() node names=("$@")
    ((${#names[@]})) || names=("${nodes[@]}")
    for node in "${names[@]}"; do
        if [[ ${data[$node]} == yes && ${state[$node]} == stopped ]]; then dead+=("$node"); fi
    done
    if ((${#dead[@]})); then
        rigger-log info "Starting ${dead[*]} again"
        each start "${dead[@]}" || fail "not every member could be started again"
        survey
    fi
}

# roll [NODE...]: restarts, one at a time and the leader last, the members that run another version or at other addresses,
# of all nodes or of some.
roll() {
    local node leader='' old=() followers=() names=("$@")
    ((${#names[@]})) || names=("${nodes[@]}")
    survey
    for node in "${names[@]}"; do
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
    [[ ${versions[$1]} == ",$version," ]] || on "$1" tidy "$version" "${RIGGER_FROM_VERSION-}"
}

# What all styles of upgrade do before they touch a member, and after all of them are well.

prepare_upgrade() {
    local node unfinished
    new_clients=''
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
    survey
    if may_lack_programs; then
        rigger-log warning "ETCD_BIN_DIR has another version: its clients stay in $RIGGER_BIN_DIR"
    else
        find_programs "$(own_platform)"
        new_clients=$programs
        install_on_nodes
        survey
    fi
    each must_be_ready "${nodes[@]}" || fail "not every node is ready for etcd $version"
    for node in "${nodes[@]}"; do
        [[ ${data[$node]} == yes ]] || fail "$node has no data; run deploy first"
    done
}

# On the way back the nodes still have the programs, whatever somebody's own folder has by now.
may_lack_programs() {
    local node
    [[ ${RIGGER_ROLLBACK-} && ${ETCD_BIN_DIR-} ]] || return 1
    [[ $("$ETCD_BIN_DIR/etcd" --version 2>/dev/null | head -n 1) != "etcd Version: $version" ]] || return 1
    for node in "${nodes[@]}"; do
        [[ ${versions[$node]} == *",$version,"* ]] || return 1
    done
}

# On the way back a member may be ill because of the version that it runs. It serves nobody, so that it is brought back
# before all others, whatever their health is: that may be what the cluster lacks for a quorum. Its data stay.
bring_ill_back() {
    local node ill=()
    survey
    ask_members
    for node in "${nodes[@]}"; do
        if [[ ${health[$node]} == ailing && ${configuration[$node]} != "$(wanted_configuration "$node")" ]]; then
            ill+=("$node")
        fi
    done
    for node in ${ill[@]+"${ill[@]}"}; do
        rigger-log info "Bringing $node back to etcd $version: it does not answer"
        stop "$node" || fail "$node could not be stopped"
        start "$node" || fail "$node could not be started again"
    done
}

# What a style that goes by stages does for one of them, or on the way back for all nodes.
upgrade_stage() {
    local node names=() left=()
    for node in ${RIGGER_STAGE_NODES-}; do
        is_node "$node" || fail "RIGGER_STAGE_NODES names $node, which is no node"
        names+=("$node")
    done
    ((${#names[@]})) || names=("${nodes[@]}")
    revive "${names[@]}"
    if [[ ${RIGGER_ROLLBACK-} ]]; then bring_ill_back; fi
    roll "${names[@]}"
    survey
    for node in "${nodes[@]}"; do
        if [[ ${configuration[$node]} != "$(wanted_configuration "$node")" ]]; then left+=("$node"); fi
    done
    if ((${#left[@]})); then
        each await "${nodes[@]}" || fail "not every member is healthy"
    else
        finish_upgrade
    fi
}

finish_upgrade() {
    each await "${nodes[@]}" || fail "not every member is healthy"
    each tidy "${nodes[@]}" || true
    [[ ! $new_clients ]] || place_clients "$new_clients"
}
