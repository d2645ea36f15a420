# shellcheck shell=bash
# Summary: What the scripts of this platform share: the nodes, how to reach their members, and the member list.
# Needs: the inventory, and rigger-node to reach the nodes; ETCD_VERSION
#
# The nodes are reached through rigger-node alone: a provider may be anywhere.
#
# What is set here is used by the scripts.
# shellcheck disable=SC2034

version=${ETCD_VERSION:-${VERSION-}}

fail() {
    rigger-log error "$1"
    exit 1
}

need_version() {
    [[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]] || fail "ETCD_VERSION is '$version', not a version such as 3.5.1"
}

# Sets nodes (names) and, by name, peer and client (URLs) and their listen_ forms.
read_nodes() {
    nodes=()
    declare -gA peer=() client=() listen_peer=() listen_client=()
    local name address private offset inside
    while IFS=$'\t' read -r name address private offset; do
        [[ $offset == +([0-9]) ]] || fail "the inventory gives $name the port offset '$offset'"
        # Machines of a cloud often do not know their public address: they listen on, and talk over, the private one.
        inside=$private
        if [[ $private == - ]]; then inside=$address; fi
        nodes+=("$name")
        listen_peer[$name]="http://$(bracketed "$inside"):$((2380 + offset))"
        listen_client[$name]="http://$(bracketed "$inside"):$((2379 + offset))"
        peer[$name]=${listen_peer[$name]}
        client[$name]="http://$(bracketed "$address"):$((2379 + offset))"
    done < <(rigger-nodes table)
}

# The same, for what makes no sense without any.
need_nodes() {
    read_nodes
    ((${#nodes[@]})) ||
        fail "there are no nodes for etcd: the provider ${PROVIDER-} made none; take one that makes machines: rigger configure --name NAME --provider local"
}

bracketed() {
    if [[ $1 == *:*:* && $1 != \[* ]]; then echo "[$1]"; else echo "$1"; fi
}

is_node() {
    [[ ${peer[$1]-} ]]
}

service_functions=$(rigger-service functions)

# Prints what stands in front of a command on a node, and sets home there.
find_home() {
    printf '%s\n' "$(rigger-service prepared)" "$(<"$RIGGER_MODULE_DIR/lib/home.sh")"
}

# on NODE VERB ARGUMENT...: runs a verb of lib/member.sh on a node.
on() {
    local node=$1
    shift
    rigger-node "$node" sh -s -- "$@" < <(member_script)
}

member_script() {
    printf '%s\n' "$service_functions" "$(<"$RIGGER_MODULE_DIR/lib/home.sh")" "$(<"$RIGGER_MODULE_DIR/lib/member.sh")"
}

# each COMMAND NODE...: runs `COMMAND NODE` for all nodes at once; false when one of them failed.
each() {
    local command=$1 node pid failed='' pids=()
    shift
    for node; do
        named "$command" "$node" &
        pids+=($!)
    done
    for pid in ${pids[@]+"${pids[@]}"}; do
        wait "$pid" || failed=yes
    done
    [[ ! $failed ]]
}

# Runs `COMMAND NODE` and prints what it said in one go, every line with the node's name.
named() {
    local said code=0
    said=$("$1" "$2" 2>&1) || code=$?
    if [[ $said ]]; then
        printf '%s\n' "$2: ${said//$'\n'/$'\n'"$2: "}" >&2
    fi
    return "$code"
}

# Asks all nodes at once; sets, by name, platform, data (yes|no), state (running|stopped|unreachable), versions
# (,3.5.0,3.5.1,) and configuration (version,name,urls or none).
survey() {
    declare -gA platform=() data=() state=() versions=() configuration=()
    local node answers platform_ data_ state_ versions_ configuration_
    answers=$(for node in "${nodes[@]}"; do
        { answer=$(on "$node" survey) || answer='- - unreachable - none'; echo "$node $answer"; } &
    done; wait)
    while read -r node platform_ data_ state_ versions_ configuration_; do
        platform[$node]=$platform_ data[$node]=$data_ state[$node]=$state_
        versions[$node]=$versions_ configuration[$node]=$configuration_
    done <<<"$answers"
}

# Asks all members at once; sets, by name, health (healthy|ailing|stopped|unreachable), running_version and
# role (leader|follower|-).
ask_members() {
    declare -gA health=() running_version=() role=()
    local node answers health_ version_ role_
    answers=$(for node in "${nodes[@]}"; do
        { answer=$(on "$node" status "$version" "${listen_client[$node]}") || answer='unreachable - - -'
            echo "$node $answer"; } &
    done; wait)
    while read -r node health_ version_ role_ _; do
        health[$node]=$health_ running_version[$node]=$version_ role[$node]=$role_
    done <<<"$answers"
}

# The configuration that a node's member should run with, as lib/member.sh records it.
wanted_configuration() {
    echo "$version,$1,${listen_client[$1]},${listen_peer[$1]},${client[$1]},${peer[$1]}"
}

# start NODE [new|existing CLUSTER TOKEN]
start() {
    local node=$1
    shift
    on "$node" start "$version" "$node" "${listen_client[$node]}" "${listen_peer[$node]}" "${client[$node]}" \
        "${peer[$node]}" "$@"
}

await() { # NODE [SECONDS]
    on "$1" await "$version" "${listen_client[$1]}" "${2:-60}"
}

# ctl ARGUMENT...: etcdctl on the node that speaks for the cluster.
ctl() {
    on "$speaker" ctl "$version" "${listen_client[$speaker]}" --command-timeout=10s "$@"
}

# Sets speaker to a node whose member answers; false, and empty, when there is no quorum.
find_speaker() {
    local node
    speaker=''
    ask_members
    for node in "${nodes[@]}"; do
        if [[ ${health[$node]} == healthy ]]; then
            speaker=$node
            return
        fi
    done
    return 1
}

# Reads the member list; sets members (IDs) and, by ID, member_name, member_peer and member_started (yes|no).
read_members() {
    members=()
    declare -gA member_name=() member_peer=() member_started=()
    local list id name peers clients
    list=$(ctl member list -w simple) || return 1
    while IFS=, read -r id _ name peers clients _; do
        if [[ ! $id ]]; then continue; fi
        members+=("$id")
        member_name[$id]=${name# } member_peer[$id]=${peers# } member_started[$id]=no
        # A member has told where its clients find it once it has really run.
        if [[ ${clients# } ]]; then member_started[$id]=yes; fi
    done <<<"$list"
    ((${#members[@]})) || return 1
}

# Prints the ID of a node's member: found by its address, or else by its name.
member_of() {
    local id
    for id in "${members[@]}"; do
        if [[ ${member_peer[$id]} == "${peer[$1]}" ]]; then
            echo "$id"
            return
        fi
    done
    for id in "${members[@]}"; do
        if [[ ${member_name[$id]} == "$1" ]]; then
            echo "$id"
            return
        fi
    done
}

# Repeats a change of the member list while etcd refuses it because a member has not settled yet: that takes 5 s.
change_members() {
    local said end=$((SECONDS + 60))
    until said=$(ctl member "$@" 2>&1); do
        case $said in
            *'Peer URLs already exists'* | *'member not found'*) return ;;
            *'unhealthy cluster'* | *'not enough started members'* | *'timed out'* | *'deadline exceeded'* | \
                *'no leader'* | *'leader changed'*) ;;
            *'user name is empty'* | *'permission denied'*)
                fail "authentication is on, so members cannot be added or removed; turn it off for that time"
                ;;
            *) fail "etcdctl member $1 failed: $(tail -n 1 <<<"$said" | cut -c 1-300)" ;;
        esac
        ((SECONDS < end)) || fail "etcd refused for a minute to change its members: $(tail -n 1 <<<"$said" | cut -c 1-300)"
        sleep 0.2
    done
}

# move_leadership FROM TO...: away from a node, to the first of the others that is healthy.
move_leadership() {
    local from=$1 node id
    shift
    for node; do
        if [[ $node != "$from" && ${health[$node]} == healthy ]]; then
            id=$(member_of "$node")
            if on "$from" ctl "$version" "${listen_client[$from]}" move-leader "$id" >/dev/null; then
                return
            fi
        fi
    done
    # Not a failure: the others elect a new leader when this one goes.
    rigger-log warning "The leader on $from could not hand over"
}

save_endpoints() { # NODE...
    local node endpoints=''
    for node; do endpoints+=${endpoints:+,}${client[$node]}; done
    rigger-save-vars ETCDCTL_ENDPOINTS="$endpoints" ETCDCTL_API=3
}
