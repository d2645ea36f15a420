# shellcheck shell=sh
# Summary: What ssh is told of the way to a node. It gets the name that was typed and a person's own settings whole; to them
#          is added what the inventory says: user, port, key and jump hosts.
# Needs: the variables of rigger-node, and place, the folder of the connection (see ssh.sh)
# Writes: $place/config, and links to the files that it names: ssh reads % and $ in the names of files, which links in
#         our own folder have not

# shellcheck disable=SC2154 # what rigger-node has found in the inventory

# Options hold for the node alone, and come before all settings; the configuration holds for jump hosts, too.
prepare_way() {
    rm -f "$place"/key* "$place"/jump-key* "$place"/their-*
    link_key "$key" key
    hosts=${RIGGER_ENVIRONMENT_DIR:-$connections}/known_hosts
    [ -e "$hosts" ] || (umask 077 && : >>"$hosts")
    ln -sf "$hosts" "$place/known_hosts"
    for theirs in config known_hosts; do
        [ ! -r "${HOME-}/.ssh/$theirs" ] || ln -s "$HOME/.ssh/$theirs" "$place/their-$theirs"
    done
    choose_timeout
    through_jumps
    choose_options
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

# Words without blanks, and none that a shell reads twice.
choose_options() {
    options="-F $place/config -o ConnectTimeout=$patience -o ServerAliveInterval=$interval"
    options="$options -o ServerAliveCountMax=$((patience / interval)) -o TCPKeepAlive=yes -o LogLevel=INFO"
    options="$options -o UserKnownHostsFile=$place/known_hosts -o GlobalKnownHostsFile=/dev/null"
    options="$options -o StrictHostKeyChecking=accept-new -o HashKnownHosts=no -o UpdateHostKeys=no -o CheckHostIP=no"
    options="$options -o VerifyHostKeyDNS=no -o ForwardAgent=no -o ForwardX11=no -o ClearAllForwardings=yes"
    options="$options -o PermitLocalCommand=no -o RemoteCommand=none -o Tunnel=no"
    options="$options -o ControlMaster=no -o HostKeyAlias=$node"
    [ "$user" = - ] || options="$options -l $user"
    [ "$port" = - ] || options="$options -p $port"
    [ ! "$jumps" ] || options="$options -o ProxyJump=$jumps"
}

# Set jumps to the hosts that the inventory names, and known_jumps to what is said of those that are nodes: their host
# keys are known by their names, and they have keys of their own.
through_jumps() {
    jumps='' known_jumps=''
    [ "$jump" != - ] || return 0
    rest=$jump,
    while [ "$rest" ]; do
        one=${rest%%,*}
        rest=${rest#*,}
        if found=$(find_node "$one" && printf '%s %s %s %s\n' "$host" "$user" "$port" "$key"); then
            read -r jump_host jump_user jump_port jump_key <<E
$found
E
            know_jump
            one=$(bracketed "$jump_host")
            [ "$jump_user" = - ] || one=$jump_user@$one
            [ "$jump_port" = - ] || one=$one:$jump_port
        else
            case $one in
                *\[*) ;;
                *@*:*:*) one=${one%@*}@[${one##*@}] ;;
                *:*:*) one="[$one]" ;;
            esac
        fi
        jumps=${jumps:+$jumps,}$one
    done
}

know_jump() {
    known_jumps="${known_jumps}Host $jump_host
HostKeyAlias $one
UserKnownHostsFile $place/known_hosts
GlobalKnownHostsFile /dev/null
StrictHostKeyChecking accept-new
HashKnownHosts no
"
    [ "$jump_key" != - ] || return 0
    link_key "$jump_key" "jump-key-$one"
    known_jumps="${known_jumps}IdentityFile $place/jump-key-$one
"
}

bracketed() {
    case $1 in *:*) printf '[%s]' "$1" ;; *) printf %s "$1" ;; esac
}

# A connection through jump hosts takes the time of all of them. Set told to what ssh itself does for jump hosts, with what it says kept in the log; to nothing where there are none.
tell_of_jumps() {
    told='' hops=0
    all=$(understood proxyjump)
    case ${all:-none} in none | *[!][A-Za-z0-9_.:,@%-]*) return ;; esac
    last_jump=${all##*,}
    hops=$(printf '%s\n' "$all" | tr , '\n' | grep -c .)
    told="ssh -F $place/config -o ConnectTimeout=$((patience * hops))"
    [ "$last_jump" = "$all" ] || told="$told -J ${all%,*}"
    [ "${last_jump##*@}" = "$last_jump" ] || told="$told -l ${last_jump%@*}"
    last_jump=${last_jump##*@}
    case $last_jump in
        \[*\]:*) told="$told -p ${last_jump##*:}" last_jump=${last_jump%:*} ;;
        \[*\] | *:*:*) ;;
        *:*) told="$told -p ${last_jump##*:}" last_jump=${last_jump%:*} ;;
    esac
    last_jump=${last_jump#[} last_jump=${last_jump%]}
    told="/bin/sh -c 'exec $told -W \"[%h]:%p\" -- $last_jump 2>>$place/log'"
}

# configure_way chosen|all [asking]: the key of the inventory is the first one everywhere. An agent's come before it
# unless they are ruled out, and sshd ends those who try many: they are for the second try.
configure_way() {
    {
        [ ! "$known_jumps" ] || printf '%sMatch all\n' "$known_jumps"
        [ ! -L "$place/key" ] || printf 'IdentityFile %s\n' "$place/key"
        [ "$1" = all ] || [ ! -L "$place/key" ] || echo 'IdentitiesOnly yes'
        [ "${2-}" = asking ] || echo 'BatchMode yes'
        printf '%s\n' 'LogLevel INFO' 'ControlMaster no'
        [ ! -L "$place/their-config" ] || printf 'Include %s\n' "$place/their-config"
        printf '%s\n' 'Include /etc/ssh/ssh_config' 'Match all'
        [ "$1" = chosen ] || [ ! -L "$place/key" ] || usual_keys
        printf '%s\n' "UserKnownHostsFile $place/known_hosts $place/their-known_hosts" 'StrictHostKeyChecking accept-new' \
            "ConnectTimeout $patience" "ServerAliveInterval $interval"
    } >"$place/config"
}

# Those that ssh takes by itself where no key is named.
usual_keys() {
    for usual in rsa ecdsa ecdsa_sk ed25519 ed25519_sk; do
        [ ! -r "${HOME-}/.ssh/id_$usual" ] || printf 'IdentityFile "%s"\n' "$HOME/.ssh/id_$usual"
    done
}
