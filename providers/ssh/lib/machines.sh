# shellcheck shell=bash
# Summary: Which machines there are to be, and how all of them are asked at once.
# Needs: RIGGER_ENVIRONMENT_ID RIGGER_STATE_DIR RIGGER_PYTHON; rigger-node; the answers (SSH_MACHINES ...)
# Writes: $RIGGER_STATE_DIR/{wanted,made}.tsv: rows as in $RIGGER_NODES_FILE, of the machines that there are to be, and
#         of those on which something may have been put
#
# What is set here is used by the scripts.
# shellcheck disable=SC2034

most=20 # machines that are asked at once
inventory=${RIGGER_NODES_FILE-}
made=$RIGGER_STATE_DIR/made.tsv

fail() {
    rigger-log error "$1"
    exit 1
}

begin() {
    [[ ${RIGGER_ENVIRONMENT_ID-} =~ ^[0-9a-f]{10}$ ]] ||
        fail "RIGGER_ENVIRONMENT_ID is '${RIGGER_ENVIRONMENT_ID-}', not ten hex digits"
    scratch=$(mktemp -d)
    trap 'rm -rf "$scratch"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    mkdir -p "$RIGGER_STATE_DIR"
}

# Sets nodes (names), and by name row and where (user@address:port), to what a file of rows says.
read_rows() { # FILE
    local name address user port host line
    nodes=()
    declare -gA row=() where=()
    while IFS= read -r line; do
        IFS=$'\t' read -r name address _ _ user port _ _ host <<<"$line"
        [[ $name ]] || continue
        if [[ ${host:--} != - ]]; then address=$host; fi
        nodes+=("$name")
        row[$name]=$line
        if [[ $address == *:* ]]; then address="[$address]"; fi
        where[$name]=$address
        if [[ $port != - && $port != 22 ]]; then where[$name]+=":$port"; fi
        if [[ $user != - ]]; then where[$name]="$user@${where[$name]}"; fi
    done <"$1"
}

# Reads the machines that there are to be, and has rigger-node know them.
read_wanted() {
    machines wanted >"$RIGGER_STATE_DIR/wanted.tsv.new" || exit 1
    mv "$RIGGER_STATE_DIR/wanted.tsv.new" "$RIGGER_STATE_DIR/wanted.tsv"
    read_rows "$RIGGER_STATE_DIR/wanted.tsv"
    export RIGGER_NODES_FILE="$RIGGER_STATE_DIR/wanted.tsv"
}

machines() {
    "${RIGGER_PYTHON:-python3}" "$RIGGER_MODULE_DIR/lib/machines.py" "$@"
}

# ask VERB NODE...: runs a verb of lib/node.sh on all machines at once; sets, by name, code, said (a file) and clock,
# the seconds here when it had answered.
ask() {
    local verb=$1 node running=0
    shift
    declare -gA code=() said=() clock=()
    for node; do
        if ((running >= most)); then
            wait -n || true
            running=$((running - 1))
        fi
        ask_one "$verb" "$node" &
        running=$((running + 1))
    done
    wait
    for node; do
        said[$node]=$scratch/$node
        read -r "code[$node]" "clock[$node]" <"$scratch/$node.code"
    done
}

ask_one() { # VERB NODE
    local arguments=("$1" "$RIGGER_ENVIRONMENT_ID") answer=0
    case $1 in
        look) arguments+=("${SSH_SUDO:-none}") ;;
        prepare) arguments+=("${SSH_SUDO:-none}" "$2") ;;
        *) arguments+=("$2") ;;
    esac
    rigger-node "$2" sh -s -- "${arguments[@]}" <"$RIGGER_MODULE_DIR/lib/node.sh" >"$scratch/$2" 2>"$scratch/$2.errors" ||
        answer=$?
    echo "$answer $(date +%s)" >"$scratch/$2.code"
}

# Prints what a machine said under a name.
told() { # NODE NAME
    sed -n "s/^$2 //p" "${said[$1]}" | head -n 1
}

# Prints the reason why a machine did not do what it was asked, in one line.
reason() { # NODE
    local errors
    errors=$(<"$scratch/$1.errors")
    if ((code[$1] < 254)); then
        last_line "${errors:-it exited ${code[$1]}}"
        return
    fi
    case $errors in
        # What rigger-node says of keys and jump hosts says it all.
        *' has a passphrase'* | *' cannot be used: '* | *'jump host'*) whole_reason "$1" ;;
        *'Permission denied'* | *'authentication failures'*)
            echo "it does not let ${where[$1]%@*} in with $(key_of "$1"); have the public key put there: $(copy_id "$1")"
            ;;
        *'Could not resolve hostname'*) echo "there is no machine of that name" ;;
        *'Connection refused'*) echo "it refuses connections: no sshd listens there" ;;
        *'cannot be reached: '*) sed -n 's/^.*cannot be reached: /it cannot be reached: /p' <<<"$errors" | tail -n 1 ;;
        *) whole_reason "$1" ;;
    esac
}

# The first line is what happened, the next one what to do about it.
whole_reason() { # NODE
    sed 's/^\(error: \)\{0,1\}\(rigger-node: \)\{0,1\} *//' "$scratch/$1.errors" | paste -sd ' ' -
}

# Prints the key that was tried on a machine.
key_of() { # NODE
    local key
    IFS=$'\t' read -r _ _ _ _ _ _ key _ <<<"${row[$1]}"
    if [[ $key == - ]]; then echo "the keys of your agent and ~/.ssh"; else echo "$key"; fi
}

# Prints the command that has a machine let us in.
copy_id() { # NODE
    local address user port key host
    IFS=$'\t' read -r _ address _ _ user port key _ host <<<"${row[$1]}"
    if [[ ${host:--} != - ]]; then address=$host; fi
    if [[ $user != - ]]; then address=$user@$address; fi
    echo "ssh-copy-id$([[ $key == - ]] || printf ' -i %q' "$key.pub")$([[ $port == 22 || $port == - ]] || echo " -p $port") $address"
}

last_line() {
    local line
    line=$(grep -v '^[[:space:]]*$' <<<"$1" | tail -n 1)
    line=${line#error: }
    cut -c 1-300 <<<"${line#rigger-node: }"
}

# Unwell machines, all of them, each with its sentence.

unwell=()
complain() { # NODE SENTENCE
    if [[ " ${unwell[*]-} " != *" $1 "* ]]; then unwell+=("$1"); fi
    rigger-log error "$1 (${where[$1]-}): $2"
}

# Says what is wrong with a clock that differs from this computer's, and how full a disk is.
look_at_clock() { # NODE
    local there skew
    there=$(told "$1" time)
    [[ $there =~ ^[0-9]+$ ]] || return 0
    skew=$((there - clock[$1]))
    if ((skew > most_skew || skew < -most_skew)); then
        complain "$1" "its clock is ${skew#-} s $(if ((skew > 0)); then echo fast; else echo slow; fi), going by this computer's; have it set over the network (NTP)"
    fi
}
most_skew=30 # seconds

look_at_disk() { # NODE MIB FOLDER
    local free
    free=$(told "$1" free)
    if [[ $free =~ ^[0-9]+$ ]] && ((free < $2 * 1024)); then
        complain "$1" "its disk is full: $((free / 1024)) MiB are free at $3, and $2 are needed; make room there"
    fi
}

end_if_unwell() { # COUNT WHAT-NOW
    ((${#unwell[@]})) || return 0
    fail "${#unwell[@]} of $1 machines $(if ((${#unwell[@]} == 1)); then echo is; else echo are; fi) unwell: ${unwell[*]}${2:+; $2}"
}

# The machines on which something may have been put

# Prints their names.
remembered() {
    [[ ! -f $made ]] || cut -f 1 "$made" | paste -sd ' ' -
}

# Whether a machine was not even reached, so that it cannot have anything of ours.
nothing_ran() { # NODE
    ((code[$1] == 255)) || { ((code[$1] == 254)) && grep -q 'cannot be reached: ' "$scratch/$1.errors"; }
}

remember() { # NODE...
    local node
    touch "$made"
    { for node; do echo "${row[$node]}"; done; without "$@"; } >"$made.new"
    sort "$made.new" >"$made.sorted"
    rm -f "$made.new"
    mv "$made.sorted" "$made"
}

forget() { # NODE...
    without "$@" >"$made.new"
    mv "$made.new" "$made"
    if [[ ! -s $made ]]; then rm -f "$made"; fi
}

# Prints the rows of made.tsv but for those of some nodes.
without() {
    local line
    while IFS= read -r line; do
        if [[ " $* " != *" ${line%%$'\t'*} "* ]]; then printf '%s\n' "$line"; fi
    done <"$made"
}

# Removes what was put on machines of made.tsv; false, with `unwell`, when something stays.
clear_machines() { # NODE...
    local node cleared=()
    ask remove "$@"
    for node; do
        if ((code[$node] == 0)); then cleared+=("$node"); else unwell+=("$node"); fi
    done
    if ((${#cleared[@]})); then forget "${cleared[@]}"; fi
    ((${#unwell[@]} == 0))
}
