# shellcheck shell=sh
# Summary: How rigger-node reaches a node by OpenSSH: one connection per node, through which all sessions go.
# Needs: way.sh, reasons.sh and words.sh; the variables of rigger-node: node host user port key jump tty.
#        $RIGGER_CONNECTIONS, a private folder with a short path that lives as long as a run; without one, a connection
#        lives as long as the command.
# Writes: $RIGGER_ENVIRONMENT_DIR/known_hosts; $RIGGER_CONNECTIONS/n-NODE/: `s` the socket (ControlPath in
#         ssh_config(5)), `log` what the connection's ssh said, `opening` whoever opens it just now

# shellcheck disable=SC2154 # what rigger-node has found in the inventory
# shellcheck disable=SC2089,SC2090 # the node's shell reads `line`
# shellcheck disable=SC2094 # two writers of one log
own='' connections='' place='' line='' limited='' began=''

command -v ssh >/dev/null || fail 'this provider has no program exec, and there is no ssh'

# Without a run nobody closes the connection but we.
use_connections() {
    [ ! "$connections" ] || return 0
    connections=${RIGGER_CONNECTIONS-}
    [ ! -d "$connections" ] || return 0
    place=/tmp
    case ${XDG_RUNTIME_DIR-} in
        '' | *[!/A-Za-z0-9_-]* | ?????????????????????????????????????????*) ;;
        *) [ ! -w "$XDG_RUNTIME_DIR" ] || place=$XDG_RUNTIME_DIR ;;
    esac
    connections=$(mktemp -d "$place/rigger-XXXXXXXX") || fail "no folder can be made in $place"
    own=$connections
    trap close_own EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    trap 'exit 129' HUP
}

close_own() {
    close_connection
    rm -rf "$own"
}

close_connection() {
    [ ! -S "$place/s" ] || ssh -F /dev/null -S "$place/s" -O exit x >/dev/null 2>&1
}

# A name of any length must fit into a socket's path: 104 bytes on some systems (sun_path in unix(7)), of which ssh
# itself takes 17 while it makes the socket.
choose_place() {
    name=$node
    [ ${#name} -le 40 ] || name=$(printf '%.20s' "$node")-$(printf %s "$node" | cksum | tr ' ' -)
    place=$connections/n-$name$1
    [ -d "$place" ] || mkdir -m 700 "$place" 2>/dev/null || [ -d "$place" ] || fail "$place cannot be made"
    whole="$node $host $user $port $key $jump"
}

is_ready() {
    [ -S "$place/s" ] && read -r there <"$place/node" && [ "$there" = "$whole" ]
}

# open_connection [suspect]: 0 when there is one; else a code, and why. Many may ask for one at the same time.
open_connection() {
    suspect=${1-}
    waited=
    while [ "$suspect" ] || ! is_ready; do
        suspect=
        if ln -s "$$" "$place/opening" 2>/dev/null; then
            start_connection
            opened=$?
            rm -f "$place/opening"
            return "$opened"
        fi
        holder=$(readlink "$place/opening") || holder=
        if [ ! "$holder" ]; then
            if [ "$waited" ] && ! is_ready; then
                explain_to_waiting
                return
            fi
        elif ! kill -0 "$holder" 2>/dev/null; then
            mkdir "$place/dead-$holder" 2>/dev/null && rm -f "$place/opening"
            continue
        fi
        waited=yes
        sleep 0.05
    done
}

start_connection() {
    if is_ready; then
        ! is_alive || return 0
    fi
    close_connection
    rm -f "$place/s" "$place/why" "$place/why-code"
    : >"$place/log"
    prepare_way
    connect chosen || connect_again || explain
}

connect() { # chosen|all
    configure_way "$1"
    tell_of_jumps
    limit_opening
    # shellcheck disable=SC2086 # words without blanks
    $limited ssh -M -S "$place/s" ${told:+-o "ProxyCommand=$told"} -o "ConnectTimeout=$((patience * (hops + 1)))" \
        $options -o BatchMode=yes -o ControlPersist=1800 -N -f -E "$place/log" -- "$host" \
        </dev/null >/dev/null 2>>"$place/log" && return 0
    case $? in 124 | 137) printf 'no answer within %s s\n' "$((patience * (3 + hops)))" >>"$place/log" ;; esac
    [ "$told" ] || ! grep -q 'UNKNOWN port' "$place/log" || hear_proxy
    return 1
}

# What a ProxyCommand says is not heard where a connection is to last (ssh_proxy_connect in OpenSSH's sshconnect.c).
hear_proxy() {
    # shellcheck disable=SC2086 # words without blanks
    $limited ssh $options -o BatchMode=yes -o ControlPath=none -- "$host" true </dev/null >/dev/null 2>>"$place/log"
}

# With the keys that a person has beside the one that was chosen: a machine, or a jump host, may want one of them.
connect_again() {
    [ -L "$place/key" ] || return 1
    grep -q -e 'Permission denied' -e 'authentication failures' "$place/log" || return 1
    mv "$place/log" "$place/log-chosen"
    : >"$place/log"
    connect all && return 0
    # That they are too many is not the reason.
    ! grep -q 'authentication failures' "$place/log" || mv "$place/log-chosen" "$place/log"
    return 1
}

# ssh gives a silent node up, but waits for ever for an agent or a name server. The time that a slow login needs is
# not known; three times the silence is more than enough.
limit_opening() {
    limited="timeout --foreground -k 2 $((patience * (3 + hops)))"
    $limited true 2>/dev/null || limited=
}

is_alive() {
    ssh -F /dev/null -S "$place/s" -O check x >/dev/null 2>&1
}

# Run the command through the connection. ssh uses a ProxyCommand only where it finds none: then nothing has run.
session() {
    log=$place/log.$$
    if [ "$tty" ]; then
        in_session -tt -e none
        code=$?
    else
        without_greeting in_session
    fi
    never=
    if [ "$code" -eq 255 ] && [ -e "$log.never" ]; then
        never=yes
    fi
    rm -f "$log" "$log.never"
}

# Run an ssh whose line is a marked one. Sets code, its own, and began, which is $not_begun where the command did not.
without_greeting() {
    { "$@"; echo $? >"$place/code.$$"; } | (past_greeting)
    began=$?
    read -r code <"$place/code.$$" || code=255
    rm -f "$place/code.$$"
}

in_session() {
    SHELL=/bin/sh ssh -F /dev/null -S "$place/s" -o ControlMaster=no -o "ProxyCommand=touch $log.never" \
        -o LogLevel=ERROR -E "$log" "$@" -- x "$line"
}

over_ssh() {
    use_connections
    choose_place ''
    if [ "$tty" ]; then quote bare "$@"; else quote marked "$@"; fi
    open_connection || return
    session
    if [ "$never" ]; then
        session_elsewhere || return
    fi
    [ "$code" -ne 255 ] || is_alive || lost=midway
    leave_place
    [ "$lost" ] || [ "$began" != "$not_begun" ] || not_run
    [ "$lost" ] || return "$code"
    complain "the connection to $node ($host) was lost while a command ran there."
    return 254
}

# The connection has gone since, or the node's sshd allows no more sessions on it (MaxSessions in sshd_config(5)).
session_elsewhere() {
    if ! is_alive; then
        open_connection suspect || return
        session
    fi
    [ "$never" ] || return 0
    choose_place ".$$"
    if open_connection; then
        session
        [ "$never" ] || return 0
        lost=never
        complain "$node ($host) allows no session."
    fi
    leave_place
    return 254
}

# A connection that was made for one session ends with it.
leave_place() {
    case $place in
        *".$$")
            close_connection
            rm -rf "$place"
            ;;
    esac
}

# A person gets a connection of their own, and may type passwords.
open_shell() {
    use_connections
    choose_place ".$$"
    open_connection 2>"$place/said"
    code=$?
    if [ "$code" -eq 254 ]; then
        cat "$place/said" >&2
        leave_place
        exit 254
    fi
    if [ "$code" -ne 0 ]; then
        configure_way all asking
        : >"$place/log"
    fi
    terminal=-T
    if [ -t 0 ] && [ -t 1 ]; then
        terminal=-t
    fi
    if [ $# -gt 0 ] && [ "$terminal" = -T ]; then
        quote marked "$@"
        without_greeting in_shell
    else
        [ $# -eq 0 ] || quote bare "$@"
        in_shell
        code=$?
    fi
    if [ "$code" -eq 255 ] && [ -s "$place/log" ]; then
        explain
        code=$?
    elif [ "$began" = "$not_begun" ]; then
        not_run
    fi
    leave_place
    exit "$code"
}

# shellcheck disable=SC2086 # words without blanks
in_shell() {
    ssh -S "$place/s" -E "$place/log" $options "$terminal" -- "$host" ${line:+"$line"}
}

forget_host_key() {
    use_connections
    choose_place ''
    close_connection
    hosts=${RIGGER_ENVIRONMENT_DIR:-$connections}/known_hosts
    [ -e "$hosts" ] || exit 0
    ssh-keygen -q -R "$node" -f "$hosts" >/dev/null 2>&1 || fail "$hosts cannot be changed"
    rm -f "$hosts.old"
    exit 0
}
