# shellcheck shell=bash
# Summary: Where this environment's machines are, which addresses they have, and which processes are theirs.
# Needs: RIGGER_ENVIRONMENT_ID RIGGER_STATE_DIR; MACHINES_DIR when it is not the usual place
#
# A machine is the folder MACHINES/ENVIRONMENT/node-N and all processes with RIGGER_MACHINE=ENVIRONMENT/node-N in
# their environment. It is also the home of whoever works on that machine.

fail() {
    rigger-log error "$1"
    exit "${2:-1}"
}

# Sets `machines`, the folder of all environments' machines, and `mine`, the folder of this environment's.
locate_machines() {
    [[ ${RIGGER_ENVIRONMENT_ID-} =~ ^[0-9a-f]{10}$ ]] ||
        fail "RIGGER_ENVIRONMENT_ID is '${RIGGER_ENVIRONMENT_ID-}', not ten hex digits"
    machines=${MACHINES_DIR:-${XDG_DATA_HOME:-$HOME/.local/share}/rigger/machines}
    # Machines that exist stay where they were made, whatever was configured since.
    local recorded=''
    if [[ -f $RIGGER_STATE_DIR/machines-dir ]]; then
        recorded=$(<"$RIGGER_STATE_DIR/machines-dir")
    fi
    if [[ $recorded && -d $recorded/$RIGGER_ENVIRONMENT_ID ]]; then
        machines=$recorded
    fi
    [[ $machines == /* ]] || fail "MACHINES_DIR is '$machines'; it must be an absolute path"
    mine=$machines/$RIGGER_ENVIRONMENT_ID
    # Through a link, machines would be made, and one day deleted, somewhere else.
    [[ ! -L $mine ]] || fail "$mine is a link, not a folder; remove it"
}

# Prints the numbers of the machines that have a folder, smallest first.
existing_machines() {
    local folder
    for folder in "$mine"/node-*; do
        if [[ ${folder##*/} =~ ^node-([1-9][0-9]*)$ && -d $folder ]]; then
            echo "${BASH_REMATCH[1]}"
        fi
    done | sort -n
}

# Addresses: the file `network` says `loopback 127.A.B` (node N is 127.A.B.N) or `ports BASE` (node N is 127.0.0.1
# with the port offset BASE + 100 * (N - 1)).

network_kind() {
    case ${LOCAL_ADDRESSES:-auto} in
        # Of the systems in use, Linux alone answers on all of 127.0.0.0/8.
        auto) if [[ $(uname -s) == Linux ]]; then echo loopback; else echo ports; fi ;;
        loopback | ports) echo "$LOCAL_ADDRESSES" ;;
        *) fail "LOCAL_ADDRESSES is '$LOCAL_ADDRESSES', which is none of auto, loopback, ports" ;;
    esac
}

# Sets `network` to what is recorded; records a free one first where there is none.
choose_network() {
    local kind attempt number
    kind=$(network_kind)
    if [[ -s $mine/network ]]; then
        network=$(<"$mine/network")
        [[ ${LOCAL_ADDRESSES:-auto} == auto || $network == "$kind "* ]] ||
            fail "the machines in $mine were made with '${network% *}', not '$kind'; destroy them first"
        return
    fi
    for ((attempt = 0; attempt < 1000; attempt++)); do
        # The environment's own number first, so that an environment tends to keep its addresses.
        number=$((attempt ? RANDOM * 32768 + RANDOM : 16#${RIGGER_ENVIRONMENT_ID:0:8}))
        if [[ $kind == loopback ]]; then
            network="loopback 127.$((1 + number / 256 % 254)).$((number % 256))"
        else
            # 28 blocks: all ports stay below those that the system hands out by itself (32768 and up).
            network="ports $((1000 + number % 28 * 1000))"
        fi
        # Recorded before others are looked at: of two environments that choose at once, at least one notices.
        printf '%s\n' "$network" >"$mine/network.new"
        mv "$mine/network.new" "$mine/network"
        if ! network_is_taken; then
            return
        fi
    done
    rm -f "$mine/network"
    fail "every $kind network is taken; destroy an environment, or set LOCAL_ADDRESSES to the other kind"
}

network_is_taken() {
    local other
    for other in "$machines"/*/network; do
        if [[ $other != "$mine/network" && -f $other && $(<"$other") == "$network" ]]; then
            return 0
        fi
    done
    something_listens
}

# True when a program that is none of ours already listens where the new machines would.
something_listens() {
    local ports a b
    case $network in
        loopback*)
            [[ -r /proc/net/tcp ]] || return 1
            IFS=. read -r _ a b <<<"${network#* }"
            # The kernel writes addresses as the machine stores them: least significant byte first on nearly all.
            awk -v own="$(printf '^..%02X%02X7F:' "$b" "$a")" '$4 == "0A" && $2 ~ own {found = 1} END {exit !found}' \
                /proc/net/tcp
            ;;
        ports*)
            # No platform's ports are known here. Two to three thousand above the offset is where they begin.
            ports=$(listening_ports)
            awk -v from="$((${network#* } + 2000))" '$1 >= from && $1 < from + 2000 {found = 1} END {exit !found}' \
                <<<"$ports"
            ;;
    esac
}

listening_ports() {
    local port
    if [[ -r /proc/net/tcp ]]; then
        awk '$4 == "0A" {sub(/.*:/, "", $2); print $2}' /proc/net/tcp /proc/net/tcp6 2>/dev/null |
            while read -r port; do echo "$((16#$port))"; done
    else
        netstat -an -p tcp 2>/dev/null | awk '/LISTEN/ {sub(/.*[.:]/, "", $4); print $4}'
    fi
}

address_of() {
    case $network in
        loopback*) echo "${network#* }.$1" ;;
        ports*) echo 127.0.0.1 ;;
    esac
}

port_offset_of() {
    case $network in
        loopback*) echo 0 ;;
        ports*) echo "$((${network#* } + 100 * ($1 - 1)))" ;;
    esac
}

# Processes

# Prints the processes of the machines whose names match an extended regular expression.
processes_of() {
    local marker="RIGGER_MACHINE=$RIGGER_ENVIRONMENT_ID/($1)"
    if [[ -d /proc/self ]]; then
        grep -lzsxE -e "$marker" /proc/[0-9]*/environ | while IFS=/ read -r _ _ pid _; do echo "$pid"; done || true
    else
        # Without /proc, ps shows the environment behind the command, to the same user.
        ps -axwwE -o pid=,command= | awk -v marker=" $marker( |\$)" '$0 ~ marker {print $1}'
    fi
}

# Prints when a process started: with its number, the one thing that tells it from all later ones.
start_of() {
    local stat fields
    if [[ -d /proc/self ]]; then
        { stat=$(<"/proc/$1/stat"); } 2>/dev/null || return 1
        read -r -a fields <<<"${stat##*) }"
        echo "${fields[19]}"
    else
        ps -o lstart= -p "$1"
    fi
}

is_still() { # PID START PATTERN
    [[ $(start_of "$1") == "$2" ]] || return 1
    if [[ -d /proc/self ]]; then
        grep -qzsxE -e "RIGGER_MACHINE=$RIGGER_ENVIRONMENT_ID/($3)" "/proc/$1/environ"
    fi
}

# Ends the processes of the machines that match; false, with their numbers in `survivors`, when some stay.
# They get a second or two to let go of what lies elsewhere: their own files are deleted with the machine.
stop_processes() { # PATTERN
    survivors=''
    end_with TERM 1 "$1" || end_with KILL 5 "$1"
}

end_with() { # SIGNAL SECONDS PATTERN
    local -A signalled=()
    local end=$((SECONDS + $2)) pid start
    while :; do
        survivors=$(processes_of "$3")
        if [[ ! $survivors ]]; then
            return 0
        fi
        if ((SECONDS > end)); then
            return 1
        fi
        for pid in $survivors; do
            start=$(start_of "$pid") || continue
            if [[ ! ${signalled[$pid,$start]-} ]] && is_still "$pid" "$start" "$3"; then
                kill -s "$1" "$pid" 2>/dev/null || true
                signalled[$pid,$start]=yes
            fi
        done
        sleep 0.02
    done
}

# Stops and deletes the machines with the numbers given; reports what stays.
remove_machines() { # NUMBER...
    local number pattern='' failed=''
    [[ $# -gt 0 ]] || return 0
    for number; do pattern+="${pattern:+|}node-$number"; done
    if ! stop_processes "$pattern"; then
        rigger-leftover "processes of $mine that do not end: ${survivors//$'\n'/ }"
        return 1
    fi
    for number; do
        delete_folder "$mine/node-$number" || failed=yes
    done
    [[ ! $failed ]]
}

# Prints where disks are mounted in a folder, the innermost first.
mounted_in() { # FOLDER
    [[ -r /proc/self/mounts ]] || return 0
    local place
    while read -r _ place _; do
        printf -v place %b "$place" # a blank stands there as \\040
        if [[ $place == "$1" || $place == "$1"/* ]]; then echo "$place"; fi
    done </proc/self/mounts | sort -r
}

is_mounted() { # FOLDER
    [[ $'\n'$(mounted_in "$1")$'\n' == *$'\n'"$1"$'\n'* ]]
}

delete_folder() {
    local place
    # `faults` may have given a machine a disk of its own.
    while read -r place; do umount "$place" 2>/dev/null || umount -l "$place" || true; done < <(mounted_in "$1")
    if rm -rf "$1" 2>/dev/null; then
        return
    fi
    # A program may have left folders that even their owner cannot write to.
    chmod -R u+rwX "$1" 2>/dev/null || true
    if ! rm -rf "$1"; then
        rigger-leftover "the folder $1"
        return 1
    fi
}
