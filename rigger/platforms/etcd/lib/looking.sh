# shellcheck shell=sh
# Summary: What an audit looks at on a node: is the member there as `start` made it?
# Usage: put in front of member.sh, whose functions it uses; the verb is `look`
# Needs: a POSIX shell; /proc, for what runs
# Writes: nothing; a line for each difference, and `programs KIND SUM`
#
# shellcheck disable=SC2154,SC2317 # home: lib/home.sh; pid, unit and others: rigger-service

# look VERSION NAME LISTEN_CLIENT LISTEN_PEER CLIENT PEER
look() {
    if [ ! -d "$home" ]; then
        echo "there is no etcd: $home does not exist"
        return
    fi
    version=$1
    set -- "$home/$1/etcd" --name "$2" --data-dir "$home/data" --listen-client-urls "$3" --listen-peer-urls "$4" \
        --advertise-client-urls "$5" --initial-advertise-peer-urls "$6"
    look_at_programs "${1%/etcd}" "$version"
    look_at_data
    look_at_run "$@"
    if service_running; then
        look_at_process "$@"
    else
        pid=''
        echo "etcd does not run"
    fi
    look_at_other_processes
    look_at_supervision
}

look_at_programs() { # FOLDER VERSION
    for program in etcd etcdctl; do
        if [ ! -x "$1/$program" ]; then
            echo "$1/$program is not there"
            return
        fi
    done
    said=$("$1/etcd" --version 2>&1 | head -n 1)
    if [ "$said" != "etcd Version: $2" ]; then echo "$1/etcd is not etcd $2, it says: ${said:-nothing}"; fi
    # Members that an older rigger installed have no sums: theirs are compared with one another's.
    if [ -f "$1/sums" ] && [ "$(cd "$1" && cksum etcd etcdctl)" != "$(cat "$1/sums")" ]; then
        echo "the programs in $1 are not those that were installed there"
        return
    fi
    echo "programs $(uname -sm | tr ' ' -) $(cat "$1/etcd" "$1/etcdctl" | cksum | tr ' ' -)"
}

look_at_data() {
    if ! has_data; then
        echo "its data are gone: there is no log in $home/data/member/wal"
        return
    fi
    if [ -L "$home/data" ]; then echo "$home/data is a link, not a folder"; fi
    # shellcheck disable=SC2012 # the mode alone is read; stat is another program on every system
    mode=$(ls -ldL "$home/data" | cut -c 5-10)
    if [ "$mode" != ------ ]; then echo "others than its owner may look into $home/data ($mode)"; fi
}

# The program that becomes etcd has its flags, too: those of the next start.
look_at_run() {
    line='set --'
    for word; do line="$line $(quoted "$word")"; done
    if [ ! -f "$home/run" ]; then
        echo "$home/run, which starts etcd, is not there"
    elif ! grep -Fxq -e "$line" "$home/run"; then
        echo "$home/run, which starts etcd, has other flags"
    fi
}

look_at_process() { # WORD...
    [ -r "/proc/$pid/cmdline" ] || return 0
    wanted=$(printf '%s\n' "$@")
    # A member's first start says how it finds the others.
    runs=$(tr '\0' '\n' <"/proc/$pid/cmdline" |
        awk 'skip {skip = 0; next} /^--initial-cluster(-state|-token)?$/ {skip = 1; next} {print}')
    if [ "$runs" != "$wanted" ]; then
        more=$(printf '%s\n' "$runs" | grep -Fxv -e "$wanted" | tr '\n' ' ')
        less=$(printf '%s\n' "$wanted" | grep -Fxv -e "$runs" | tr '\n' ' ')
        echo "etcd runs with other words than it was started with:${more:+ with ${more% }}${less:+ without ${less% }}"
    fi
    # shellcheck disable=SC2016
    names=$(tr '\0' '\n' <"/proc/$pid/environ" 2>/dev/null | sed -n 's/^\(ETCD_[A-Z0-9_]*\)=.*/\1/p' | tr '\n' ' ')
    if [ "$names" ]; then echo "etcd runs with variables that change it: ${names% }"; fi
    case $(readlink "/proc/$pid/exe" 2>/dev/null) in
        *' (deleted)') echo "the program that runs was replaced or deleted" ;;
    esac
}

look_at_other_processes() {
    for exe in /proc/[0-9]*/exe; do
        case $(readlink "$exe" 2>/dev/null) in
            "$home"/*/etcd | "$home"/*/etcd' (deleted)') ;;
            *) continue ;;
        esac
        other=${exe%/exe} other=${other#/proc/}
        if [ "$other" != "$pid" ]; then echo "process $other runs etcd, beside the member"; fi
    done
}

# What starts etcd again; members of older releases have it on prepared nodes alone.
look_at_supervision() {
    [ "$prepared" ] || grep -q '^service_restart=always' "$home/run" 2>/dev/null || return 0
    service_kept && return
    if service_by_systemd; then
        echo "$unit is not enabled: etcd does not come back by itself"
    else
        echo "what starts etcd again does not run"
    fi
}
