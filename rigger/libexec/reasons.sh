# shellcheck shell=sh
# Summary: Why there is no connection to a node, or no command ran there, in words that say what helps.
# Needs: the variables of rigger-node; place, options (see way.sh); $place/log, what ssh said

# shellcheck disable=SC2034,SC2154 # what rigger-node and the others have set

# Say why there is no connection; 254 where it may well work later. Who waited for one that came not is told the same.
explain() {
    find_reason 2>"$place/why"
    code=$?
    echo "$code" >"$place/why-code"
    cat "$place/why" >&2
    return "$code"
}

explain_to_waiting() {
    code=254
    ! [ -f "$place/why-code" ] || read -r code <"$place/why-code"
    cat "$place/why" >&2
    lost=never
    [ "$code" -ne 255 ] || lost=
    return "$code"
}

find_reason() {
    lost=never
    said=$(tr -d '\r' <"$place/log" 2>/dev/null)
    find_last
    case $said in
        *'HOST IDENTIFICATION HAS CHANGED'*)
            lost=
            entry=$(printf '%s\n' "$said" | sed -n 's/^Offending .* in \(.*\):\([0-9]*\).*$/\2/p' | head -n 1)
            file=$(printf '%s\n' "$said" | sed -n 's/^Offending .* in \(.*\):\([0-9]*\).*$/\1/p' | head -n 1)
            file=$(readlink "$file" || printf %s "$file")
            changed=$(printf '%s\n' "$said" | sed -n 's/^Host key for \(.*\) has changed.*$/\1/p' | head -n 1)
            complain "the host key of ${changed:=$node} changed: it is not the one in $file, line $entry." \
                "$(when_made_anew)"
            return 255
            ;;
        *'Permission denied'* | *'Too many authentication failures'* | *'Bad configuration'* | *'Bad owner'* | \
            *'Host key verification failed'*)
            lost=
            refused
            return 255
            ;;
    esac
    complain "$node ($host) cannot be reached: $last"
    return 254
}

when_made_anew() {
    if [ "$file" = "${RIGGER_ENVIRONMENT_DIR-}/known_hosts" ]; then
        echo "If $changed was made again, type \"rigger ssh --forget $changed\"; else somebody may be listening."
    else
        echo "If $changed was made again, type \"ssh-keygen -R '$changed' -f '$file'\"; else somebody may be listening."
    fi
}

# Set last to the line that says most: ssh's own last one, or that of the ssh which reached no further than a jump host.
find_last() {
    lines=$(printf '%s\n' "$said" | grep -v -e '^[[:space:]]*$' -e '^Disconnected from' -e '^Warning: Permanently added')
    last=$(printf '%s\n' "$lines" | tail -n 1)
    way=
    case $last in
        *'Too many authentication failures'*) return ;;
        *'UNKNOWN port'* | *'losed by remote host') ;;
        *) return ;;
    esac
    way=$(understood proxyjump | sed 's/\[\([^]:]*\)\]/\1/g')
    [ "$way" != none ] || way=
    before=$(printf '%s\n' "$lines" | grep -v -e 'UNKNOWN port' -e 'losed by remote host' -e '^kex_exchange' |
        if [ "$way" ]; then grep -e "$of_ssh"; else cat; fi | tail -n 1)
    if [ ! "$before" ] || [ ! "$way" ]; then
        last=${before:-$last} way=
        return
    fi
    case $before in
        *': open failed: '*) last="the jump host ($way) says: ${before#*: open failed: }" && way= ;;
        *) last="the jump host ($way): $before" ;;
    esac
}

# What ssh itself says, among the banners of jump hosts.
of_ssh='^channel [0-9]*: open failed: \|^ssh: \|: Permission denied\|verification failed\|^Received disconnect\|^Connection'
of_ssh="$of_ssh\\|^Unable to negotiate\\|^Bad \\|^Load key\\|^Timeout\\|Too many auth\\|^command-line\\|line [0-9]*: "

# What ssh's configuration says under a word.
understood() { # WORD [HOST]
    # shellcheck disable=SC2086 # words without blanks
    ssh $options -G -- "${2:-$host}" 2>/dev/null | sed -n "s/^$1 //p"
}

refused() {
    unusable=$(printf '%s\n' "$said" | grep -e '^Load key ' -e '^sign_and_send_pubkey: ' | head -n 1)
    locked=$(locked_key)
    if [ "$unusable" ]; then
        linked=$(readlink "$place/key") && unusable=$(printf '%s\n' "$unusable" | sed "s|$place/key|$linked|")
        linked=${unusable#*\"} linked=${linked%%\"*}
        case $unusable in
            *'bad permissions'*) remedy="Others may read it: type \"chmod 600 $linked\"." ;;
            *' in libcrypto'* | *'invalid format'*) remedy="That is no private key, or not all of one: choose another." ;;
            *) remedy="Put that right, or choose another key." ;;
        esac
        complain "a key for $node ($host) cannot be used: $unusable." "$remedy"
    elif [ "$locked" ]; then
        complain "the key $locked for $node ($host) has a passphrase, and no ssh agent holds it." \
            "Type \"ssh-add $locked\", and see that SSH_AUTH_SOCK names that agent."
    elif [ "$way" ]; then
        complain "$node ($host) is not reached: $last" \
            "Look at the user and the key for the jump host: in ~/.ssh/config, or what SSH_JUMP says."
    else
        complain "$node ($host) does not let us in: $last" \
            "Look at the user and the key of $node in the inventory, and at the node's authorized_keys."
    fi
}

# Print the first key for the node, or for the jump hosts before it, that waits for a passphrase.
locked_key() {
    configure_way chosen
    {
        understood identityfile
        understood proxyjump | tr , '\n' | while read -r one; do
            one=${one##*@}
            case $one in
                \[*) one=${one#[} one=${one%%]*} ;;
                *) one=${one%:*} ;;
            esac
            [ "$one" = none ] || ssh -F "$place/config" -G -- "$one" 2>/dev/null | sed -n 's/^identityfile //p'
        done
    } | while read -r file; do
        case $file in "~"/*) file=${HOME-}/${file#??} ;; esac
        if [ -r "$file" ] && needs_passphrase "$file" && ! agent_has "$file"; then
            case $file in "$place"/*) readlink "$file" ;; *) printf '%s\n' "$file" ;; esac
            break
        fi
    done
}

needs_passphrase() {
    LC_ALL=C ssh-keygen -y -P '' -f "$1" 2>&1 >/dev/null </dev/null | grep -qi passphrase
}

agent_has() {
    print=$(ssh-keygen -l -f "$1" 2>/dev/null </dev/null) || return 1
    print=${print#* }
    socket=$(understood identityagent)
    case ${socket:-SSH_AUTH_SOCK} in SSH_AUTH_SOCK) socket=${SSH_AUTH_SOCK-} ;; esac
    SSH_AUTH_SOCK=$socket ssh-add -l 2>/dev/null </dev/null | grep -qF "${print%% *}"
}

complain() {
    printf 'error: rigger-node: %s\n' "$1" >&2
    [ $# -lt 2 ] || printf '%s\n' "$2" >&2
}

not_run() {
    complain "the login shell on $node ($host) did not run the command (exit $code)." \
        "Give the user there a shell that runs commands; what it printed stands above."
    code=255
}
