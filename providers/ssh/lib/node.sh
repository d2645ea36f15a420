# shellcheck shell=sh
# Summary: What is done on a machine: look at it, prepare it, check it, and remove what was put there.
# Usage: sh -s -- VERB ENVIRONMENT [ARGUMENT...] <node.sh, on the machine, through rigger-node
# Needs: a POSIX shell; sudo where it was chosen
# Writes: /var/lib/rigger/ENVIRONMENT, or without root ~/.local/share/rigger/ENVIRONMENT
#
#     machine   a line each: `environment ID`, `name NODE`, `root self|sudo|no`
#     ...       what a platform puts there; and its units, named rigger-ENVIRONMENT-*.service
#
# The verbs are functions; the last lines call the one that is asked for.
# shellcheck disable=SC2317

shared=/var/lib/rigger
private=$HOME/.local/share/rigger

fail() {
    echo "error: $*" >&2
    exit 1
}

# Sets root (self|sudo|no|refused) for `none` or `passwordless`, and base, the folder of all environments; and refusal,
# what sudo says.
find_base() {
    root=no base=$private elevate='' refusal=
    if [ "$(id -u)" = 0 ]; then
        root=self
    elif [ "$1" = passwordless ]; then
        try_sudo
    fi
    if [ "$root" != no ]; then base=$shared; fi
}

try_sudo() {
    root=refused
    if ! command -v sudo >/dev/null; then
        refusal='there is no sudo'
    elif refusal=$(LC_ALL=C sudo -n true 2>&1 </dev/null); then
        root=sudo elevate='sudo -n'
    else
        refusal=$(printf '%s\n' "$refusal" | grep -v '^[[:space:]]*$' | tail -n 1)
    fi
}

# Sets marker_name and so on to what a marker says.
read_marker() {
    marker_environment='' marker_name='' marker_root=''
    while read -r field value; do
        case $field in
            environment) marker_environment=$value ;;
            name) marker_name=$value ;;
            root) marker_root=$value ;;
        esac
    done <"$1"
}

# Sets folder to the environment's one; false where there is none.
find_folder() {
    for folder in "$shared/$1" "$private/$1"; do
        if [ -e "$folder" ] || [ -L "$folder" ]; then
            [ ! -L "$folder" ] || fail "$folder is a link, not a folder; remove it"
            return 0
        fi
    done
    return 1
}

# Prints the environments, other than this one, that have claimed this machine.
others() {
    for marker in "$shared"/*/machine "$private"/*/machine; do
        [ -f "$marker" ] || continue
        read_marker "$marker"
        if [ "$marker_environment" != "$1" ]; then echo "${marker%/machine}"; fi
    done
}

# Prints how many KiB are free where a folder is, or is going to be.
free_kib() {
    place=$1
    while [ ! -d "$place" ]; do place=${place%/*}; place=${place:-/}; done
    df -Pk "$place" | awk 'END {print $4}'
}

system() {
    # shellcheck disable=SC1091
    if [ -r /etc/os-release ]; then (. /etc/os-release && echo "${PRETTY_NAME:-$NAME}"); else uname -sr; fi
}

has_systemd() {
    [ -d /run/systemd/system ] && command -v systemctl >/dev/null
}

# look ENVIRONMENT SUDO: prints what there is, a line `NAME VALUE` each
look() {
    find_base "$2"
    services=processes
    if has_systemd && [ "$root" != no ]; then services=systemd; fi
    echo "system $(system)"
    echo "arch $(uname -m)"
    echo "root $root"
    echo "refusal $refusal"
    echo "base $base"
    echo "free $(free_kib "$base")"
    echo "services $services"
    say_now
    for other in $(others "$1"); do echo "other $other"; done
    if find_folder "$1" && [ -f "$folder/machine" ]; then
        read_marker "$folder/machine"
        echo "is $marker_name"
    fi
}

say_now() {
    # Where the connection came in: what the machine itself, and its neighbours, know it by.
    # shellcheck disable=SC2086 # four words
    set -- ${SSH_CONNECTION-}
    echo "address ${3-}"
    echo "time $(date +%s)"
}

# prepare ENVIRONMENT SUDO NODE
prepare() {
    find_base "$2"
    [ "$root" != refused ] || fail "it may not use sudo there: $refusal"
    # What exists stays where it is, whatever may be used by now.
    if find_folder "$1"; then
        [ "$folder" = "$base/$1" ] || fail "$folder was made with other rights; destroy this environment first"
    fi
    folder=$base/$1
    claimed=
    if ! claim; then
        read_marker "$folder/machine"
        [ "$marker_environment" = "$1" ] || fail "$folder/machine names another environment, $marker_environment"
        [ "$marker_name" = "$3" ] || fail "this is $marker_name already: the same machine, or one home folder for several"
    fi
    refuse_others "$1"
    if [ "$elevate" ]; then $elevate chown "$(id -u):$(id -g)" "$folder" || fail "$folder cannot be given to $(id -un)"; fi
    chmod 700 "$folder" || fail "$folder cannot be changed"
    write_marker "$1" "$3" || fail "$folder cannot be written to; is its disk full?"
    # Looked at again: of two environments that come at once, at least one notices.
    refuse_others "$1"
    say_now
}

# Makes the folder; false when it has a marker. Two names of one machine may come at the same time: one makes it.
claim() {
    $elevate mkdir -p "$base" || fail "$base cannot be made"
    if [ "$base" = "$shared" ]; then $elevate chmod 755 "$base"; fi
    if $elevate mkdir "$folder" 2>/dev/null; then
        claimed=yes
        return 0
    fi
    [ -d "$folder" ] || fail "$folder cannot be made"
    left=20
    while [ ! -f "$folder/machine" ]; do
        # Nobody is at work there any more: this was cut off before.
        [ "$left" -gt 0 ] || return 0
        left=$((left - 1))
        sleep 0.1
    done
    return 1
}

write_marker() { # ENVIRONMENT NODE
    printf 'environment %s\nname %s\nroot %s\n' "$1" "$2" "$root" >"$folder/machine.new" &&
        mv -f "$folder/machine.new" "$folder/machine"
}

refuse_others() {
    found=$(others "$1")
    [ "$found" ] || return 0
    if [ "$claimed" ]; then
        $elevate rm -f "$folder/machine"
        $elevate rmdir "$folder"
    fi
    fail "it belongs to another environment of rigger: $found is there"
}

# check ENVIRONMENT NODE: prints `free KIB` and what say_now says; false with a sentence when it is not as prepared
check() {
    find_folder "$1" || fail "nothing of this environment is there: neither $shared/$1 nor $private/$1"
    [ -f "$folder/machine" ] || fail "$folder has no file machine"
    read_marker "$folder/machine"
    [ "$marker_name" = "$2" ] || fail "it is $marker_name there, going by $folder/machine"
    echo "free $(free_kib "$folder")"
    say_now
    (umask 077 && echo >"$folder/.written") 2>/dev/null || fail "$folder cannot be written to; is its disk full?"
    rm -f "$folder/.written"
}

# remove ENVIRONMENT NODE
remove() {
    for base in "$shared" "$private"; do
        folder=$base/$1
        [ ! -L "$folder" ] || fail "$folder is a link, not a folder"
        [ -d "$folder" ] || continue
        if [ ! -f "$folder/machine" ]; then
            rmdir "$folder" 2>/dev/null || sudo -n rmdir "$folder" 2>/dev/null || fail "$folder has no file machine, so it is not deleted"
            continue
        fi
        read_marker "$folder/machine"
        [ "$marker_environment" = "$1" ] || fail "$folder/machine names another environment"
        [ "$marker_name" = "$2" ] || fail "$folder/machine says that this is $marker_name, so it is not deleted"
        elevate=
        if [ "$marker_root" = sudo ]; then elevate='sudo -n'; fi
        remove_units "$1"
        end_processes || fail "processes of $folder do not end: $found"
        # The marker goes last: what is left over by a failure can be removed again.
        for item in "$folder"/* "$folder"/.[!.]*; do
            case $item in
                */machine) ;;
                *) $elevate rm -rf "$item" || fail "$item cannot be deleted" ;;
            esac
        done
        $elevate rm -rf "$folder" || fail "$folder cannot be deleted"
        # Unless there is something else.
        $elevate rmdir "$base" 2>/dev/null
    done
    return 0
}

remove_units() {
    changed=
    for unit in /etc/systemd/system/rigger-"$1"-*.service; do
        [ -e "$unit" ] || continue
        $elevate systemctl disable --now "${unit##*/}" >/dev/null 2>&1
        $elevate rm -f "$unit" || fail "$unit cannot be deleted"
        changed=yes
    done
    if [ "$changed" ]; then $elevate systemctl daemon-reload; fi
}

end_processes() {
    for signal in TERM KILL; do
        left=40
        found=$(processes)
        # shellcheck disable=SC2086
        if [ "$found" ]; then $elevate kill -s "$signal" $found 2>/dev/null; fi
        while found=$(processes) && [ "$found" ] && [ "$left" -gt 0 ]; do
            left=$((left - 1))
            sleep 0.1
        done
        [ "$found" ] || return 0
    done
    return 1
}

# Prints the processes whose program, or whose script, lies in the folder.
processes() {
    for process in /proc/[0-9]*; do
        case $(readlink "$process/exe" 2>/dev/null) in
            "$folder"/*) ;;
            */sh | */dash | */bash | */busybox | */python3*)
                script=$(tr '\0' '\n' 2>/dev/null <"$process/cmdline" | sed -n 2p)
                case $script in "$folder"/*) ;; *) continue ;; esac
                ;;
            *) continue ;;
        esac
        echo "${process#/proc/}"
    done
}

# The whole script has to be read before a verb runs: a program could otherwise eat its rest from standard input.
verb=$1
shift
case $1 in
    *[!0123456789abcdef]* | '') fail "'$1' is not the number of an environment" ;;
esac
"$verb" "$@"
exit
