# shellcheck shell=sh
# Summary: How rigger-node reaches a node by OpenSSH: one connection per node, through which all sessions go.
# Needs: the variables of rigger-node: node address user port key jump tty. $RIGGER_CONNECTIONS, a private folder with
#        a short path that lives as long as a run; without one, a connection lives as long as the command.
# Writes: $RIGGER_ENVIRONMENT_DIR/known_hosts; $RIGGER_CONNECTIONS/n-NODE/: `s` the socket (ControlPath in
#         ssh_config(5)), `log` what the connection's ssh said, `opening` whoever opens it just now

# shellcheck disable=SC2154 # what rigger-node has found in the inventory
# shellcheck disable=SC2089,SC2090 # the node's shell reads `line`
# shellcheck disable=SC2094 # two writers of one log
own='' connections='' place='' proxy='' line='' limited='' began=''

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
    whole="$node $address $user $port $key $jump"
}

# ssh reads % and $ in the names of files; links in our own folder have neither.
prepare_place() {
    rm -f "$place/key" "$place/key.pub" "$place/key-cert.pub" "$place/jump-key"
    link_key "$key" key
    hosts=${RIGGER_ENVIRONMENT_DIR:-$connections}/known_hosts
    [ -e "$hosts" ] || (umask 077 && : >>"$hosts")
    ln -sf "$hosts" "$place/known_hosts"
    : >"$place/config"
    if [ -r "${HOME-}/.ssh/config" ]; then
        ln -sf "$HOME/.ssh/config" "$place/user-config"
        printf 'Include %s\n' "$place/user-config" >"$place/config"
    fi
    printf 'Include /etc/ssh/ssh_config\n' >>"$place/config"
    printf '%s\n' "$whole" >"$place/node"
}

link_key() {
    case $1 in
        -) return ;;
        "~"/*) set -- "${HOME-}/${1#??}" "$2" ;;
        /*) ;;
        *) set -- "${RIGGER_ENVIRONMENT_DIR-}/$1" "$2" ;;
    esac
    [ -r "$1" ] || fail "the key $1 of $node cannot be read: put it there, or correct it in the inventory"
    ln -s "$1" "$place/$2"
    for kind in .pub -cert.pub; do
        [ ! -e "$1$kind" ] || ln -sf "$1$kind" "$place/$2$kind"
    done
}

# How long a node may be silent, in seconds.
choose_timeout() {
    patience=${RIGGER_SSH_TIMEOUT:-20}
    is_number "$patience" RIGGER_SSH_TIMEOUT
    [ "$patience" -gt 0 ] || fail 'RIGGER_SSH_TIMEOUT needs a number from 1'
    interval=$((patience / 4))
    [ "$interval" -gt 0 ] || interval=1
}

# ours HOST USER PORT KEY: the options that come before a person's own settings, words without blanks.
ours() {
    options="-F $place/config -o ConnectTimeout=$patience -o ServerAliveInterval=$interval"
    options="$options -o ServerAliveCountMax=$((patience / interval)) -o TCPKeepAlive=yes -o LogLevel=ERROR"
    options="$options -o UserKnownHostsFile=$place/known_hosts -o GlobalKnownHostsFile=/dev/null"
    options="$options -o StrictHostKeyChecking=accept-new -o HashKnownHosts=no -o UpdateHostKeys=no -o CheckHostIP=no"
    options="$options -o VerifyHostKeyDNS=no -o ForwardAgent=no -o ForwardX11=no -o ClearAllForwardings=yes"
    options="$options -o PermitLocalCommand=no -o RemoteCommand=none -o Tunnel=no"
    options="$options -o ControlMaster=no -o ControlPath=none"
    [ "$1" = - ] || options="$options -l $1"
    [ "$2" = - ] || options="$options -p $2"
    [ ! -L "$place/$3" ] || options="$options -i $place/$3"
    [ ! -L "$place/$3" ] || [ "$3" = jump-key ] || options="$options -o IdentitiesOnly=yes"
}

# The way to the node: through another one, or a host named as user@host:port.
through_jump() {
    proxy=
    [ "$jump" != - ] || return 0
    jump_user=- jump_port=- jump_alias=
    if (find_node "$jump"); then
        kept="$address $user $port $jump"
        kept_key=$key jump_alias="-o HostKeyAlias=$jump"
        find_node "$jump"
        jump_host=$address jump_user=$user jump_port=$port
        link_key "$key" jump-key
        # shellcheck disable=SC2086 # words without blanks
        set -- $kept
        address=$1 user=$2 port=$3 jump=$4 key=$kept_key
    else
        jump_host=${jump##*@}
        [ "$jump_host" = "$jump" ] || jump_user=${jump%@*}
        case $jump_host in
            \[*\]:*) jump_port=${jump_host##*:} jump_host=${jump_host%:*} ;;
            \[*\] | *:*:*) ;;
            *:*) jump_port=${jump_host##*:} jump_host=${jump_host%:*} ;;
        esac
        # It may have the node's key, or one that only the person's agent or settings know.
        link_key "$key" jump-key
    fi
    ours "$jump_user" "$jump_port" jump-key
    bare "$jump_host"
    proxy="ssh $options $jump_alias -o BatchMode=yes -W '[%h]:%p' -- $host 2>>$place/log"
}

bare() {
    host=${1#[}
    host=${host%]}
}

# Every word of this must be one that neither ssh nor a shell reads twice.
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
                explain
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
    rm -f "$place/s"
    : >"$place/log"
    prepare_place
    choose_timeout
    limit_opening
    through_jump
    ours "$user" "$port" key
    bare "$address"
    # shellcheck disable=SC2086 # words without blanks
    $limited ssh -M -S "$place/s" -o LogLevel=INFO $options ${proxy:+-o "ProxyCommand=$proxy"} -o "HostKeyAlias=$node" -o BatchMode=yes \
        -o ControlPersist=1800 -N -f -E "$place/log" -- "$host" </dev/null >/dev/null 2>>"$place/log" && return 0
    case $? in 124 | 137) printf 'no answer within %s s\n' "$((patience * 3))" >>"$place/log" ;; esac
    explain
}

# ssh gives a silent node up, but waits for ever for an agent or a name server. The time that a slow login needs is
# not known; three times the silence is more than enough.
limit_opening() {
    limited="timeout --foreground -k 2 $((patience * 3))"
    $limited true 2>/dev/null || limited=
}

is_alive() {
    ssh -F /dev/null -S "$place/s" -O check x >/dev/null 2>&1
}

# Say why there is no connection; 254 where it may well work later.
explain() {
    lost=never
    said=$(cat "$place/log" 2>/dev/null)
    last=$(printf '%s\n' "$said" | tr -d '\r' | grep -v '^$' | tail -n 1)
    case $said in
        *'HOST IDENTIFICATION HAS CHANGED'*)
            lost=
            entry=$(printf '%s\n' "$said" | sed -n 's/^Offending .* in .*:\([0-9]*\).*$/\1/p' | head -n 1)
            changed=$(printf '%s\n' "$said" | sed -n 's/^Host key for \(.*\) has changed.*$/\1/p' | head -n 1)
            complain "the host key of ${changed:=$node} changed: it is not the one in ${RIGGER_ENVIRONMENT_DIR-}/known_hosts, line $entry." \
                "If $changed was made anew, type \"rigger ssh --forget $changed\"; else somebody may be listening."
            return 255
            ;;
        *'Permission denied'* | *'Too many authentication failures'* | *'Bad configuration'* | *'Bad owner'*)
            lost=
            complain "$node ($address) does not let us in: $last" \
                "Look at the user and the key of $node in the inventory, and at the node's authorized_keys."
            return 255
            ;;
    esac
    complain "$node ($address) cannot be reached: $last"
    return 254
}

complain() {
    printf 'error: rigger-node: %s\n' "$1" >&2
    [ $# -lt 2 ] || printf '%s\n' "$2" >&2
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
    complain "the connection to $node ($address) was lost while a command ran there."
    return 254
}

not_run() {
    complain "the login shell on $node ($address) did not run the command (exit $code)." \
        "Give the user there a shell that runs commands; what it printed stands above."
    code=255
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
        complain "$node ($address) allows no session."
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
    prepare_place
    choose_timeout
    through_jump
    ours "$user" "$port" key
    bare "$address"
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
    rm -rf "$place"
    exit "$code"
}

# shellcheck disable=SC2086 # words without blanks
in_shell() {
    ssh -E "$place/log" $options ${proxy:+-o "ProxyCommand=$proxy"} -o "HostKeyAlias=$node" "$terminal" -- "$host" \
        ${line:+"$line"}
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
