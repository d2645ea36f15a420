# shellcheck shell=sh
# Summary: What is done on a node: start, stop and ask the one etcd member that lives there.
# Usage: sh -s -- VERB [ARGUMENT...] <what `rigger-service functions` prints, home.sh and member.sh, on the node
# Needs: a POSIX shell; the programs in VERSION, which `install` put there
# Writes: the folder that lib/home.sh found; what rigger-service does, for the service etcd
#
#     VERSION/{etcd,etcdctl}   the programs, a folder for every version that is in use
#     data/                    the member's data
#     member                   the running process: its number, when it started, and how it was configured
#     run supervise supervisor of the service: rigger-service
#     before                   what is looked at before each start
#     first                    while the member has never been healthy: how it finds the others
#     etcd.log etcd.log.1      what it said
#     data.before-restore-RUN  what data/ was before the last restore
#     applications/            programs of lib/application.py, when some were deployed
#
# The verbs are functions; the last lines call the one that is asked for.
# shellcheck disable=SC2317

# shellcheck disable=SC2154 # home: lib/home.sh; what rigger-service's functions set
# shellcheck disable=SC2034 # what they use
service=etcd service_home=$home service_record=$home/member service_log=$home/etcd.log service_before=$home/before

# On machines that are folders of one computer, a member that ends stays down until somebody starts it.
service_restart=no
if [ "$prepared" ] || [ "$reached" = ssh ]; then service_restart=always; fi
service_give_up_on=3 # see write_before
service_defaults

has_data() {
    # etcd renames the finished log into place; before that there was no member yet. A folder that somebody emptied is none:
    # etcd would start a cluster of its own there.
    set -- "$home"/data/member/wal/*.wal
    [ -f "$1" ]
}

# Whether both programs are in FOLDER, as long as they were when they were installed; to read them whole takes too long.
programs_whole() { # FOLDER
    [ -x "$1/etcd" ] && [ -x "$1/etcdctl" ] || return 1
    [ -f "$1/sums" ] || return 0
    sizes=''
    while read -r _ size _; do sizes="$sizes $size"; done <"$1/sums"
    # shellcheck disable=SC2046 # words: SIZE etcd SIZE etcdctl, and their sum
    set -- $(cd "$1" && wc -c etcd etcdctl)
    [ " $1 $3" = "$sizes" ]
}

survey() {
    machine=$(uname -sm)
    case $machine in
        'Linux x86_64') platform=linux-amd64 ;;
        'Linux aarch64' | 'Linux arm64') platform=linux-arm64 ;;
        'Linux ppc64le') platform=linux-ppc64le ;;
        'Linux s390x') platform=linux-s390x ;;
        'Darwin x86_64') platform=darwin-amd64 ;;
        'Darwin arm64') platform=darwin-arm64 ;;
        *) platform=${machine%% *}-${machine##* } ;;
    esac
    data=no state=stopped
    if has_data; then data=yes; fi
    if service_running; then state=running; fi
    versions=,
    for program in "$home"/*/etcd; do
        version=${program%/etcd}
        programs_whole "$version" || continue # they are installed again
        versions=$versions${version##*/},
    done
    echo "$platform $data $state $versions ${configuration:-none}"
}

# start VERSION NAME LISTEN_CLIENT LISTEN_PEER CLIENT PEER [new|existing CLUSTER TOKEN]
start() {
    wanted="$1,$2,$3,$4,$5,$6"
    etcd=$home/$1/etcd
    [ -x "$etcd" ] || fail "$etcd is not there"
    if service_running; then return; fi
    [ ! -f "$home/restoring" ] || fail "a restore has not finished here; run it again"
    # What would start it again, with what it was configured to be before.
    service_let_go
    joining=${7-} cluster=${8-} token=${9-}
    rm -f "$home/first" "$home/member"
    if ! has_data; then
        [ "$joining" ] || fail "this member has lost its data"
        rm -rf "$home/data"
        {
            printf '%s\n' --initial-cluster-state "$joining" --initial-cluster "$cluster"
            if [ "$token" ]; then printf '%s\n' --initial-cluster-token "$token"; fi
        } >"$home/first" || fail "$home cannot be written to; is its disk full?"
    fi
    (umask 077 && mkdir -p "$home/data")
    write_before >"$home/before" || fail "$home cannot be written to; is its disk full?"
    service_start "$wanted" "$etcd" --name "$2" --data-dir "$home/data" --listen-client-urls "$3" --listen-peer-urls "$4" \
        --advertise-client-urls "$5" --initial-advertise-peer-urls "$6"
}

# A member that has ever been well and has lost its data must not be started from nothing: the others count on what it had
# promised.
write_before() {
    printf 'home=%s\n' "$(quoted "$home")"
    # shellcheck disable=SC2016
    printf '%s\n' '
        for log in "$home"/data/member/wal/*.wal; do :; done
        if [ ! -e "$log" ]; then
            [ -f "$home/first" ] || { echo "panic: this member has lost its data"; exit 3; }
            while IFS= read -r word; do set -- "$@" "$word"; done <"$home/first"
        fi'
}

# The last complaints in the log, as short as they can be shown.
service_last_words() {
    words=$(tail -n 40 "$home/etcd.log" 2>/dev/null | grep -E '"level":"(error|fatal|panic)"|^panic|^.{27}[CE] ' |
        tail -n 1 | sed -e 's/,"stacktrace".*//' -e 's/^.*"msg":"//' -e 's/"\(,"error":"\)\{0,1\}/: /' -e 's/"}*$//' |
        cut -c 1-300)
    echo "${words:-see ~/rigger-etcd/etcd.log on the node}"
}

stop() {
    service_stop
}

lose() {
    if service_running; then
        service_signal KILL
        service_gone 500 || fail "process $pid does not end"
    fi
}

# Puts the data of a former member aside; what was aside before is deleted.
retire() {
    stop
    if [ -d "$home/data" ]; then
        rm -rf "$home/data.old"
        mv "$home/data" "$home/data.old"
    fi
}

ctl() { # VERSION ENDPOINT ARGUMENT...
    etcdctl=$home/$1/etcdctl endpoint=$2
    shift 2
    # The version that was asked for may not have arrived yet; any other knows the same commands.
    if [ ! -x "$etcdctl" ]; then
        for etcdctl in "$home"/*/etcdctl; do :; done
    fi
    # By flag: some commands of etcdctl trip over their own variables.
    (unset ETCDCTL_ENDPOINTS && ETCDCTL_API=3 exec "$etcdctl" --endpoints "$endpoint" "$@" </dev/null)
}

healthy() { # VERSION ENDPOINT
    said=$(ctl "$1" "$2" --dial-timeout=1s --command-timeout=2s endpoint health 2>&1) && return
    case $said in
        # With authentication on, a member that asks who wants to know has the quorum's agreement already.
        *'user name is empty'* | *'permission denied'*) return 0 ;;
    esac
    return 1
}

# await VERSION ENDPOINT SECONDS: until the member answers, which takes a quorum; at once false when it has ended.
await() {
    end=''
    until healthy "$1" "$2"; do
        service_running || [ -f "$home/supervisor" ] || fail "etcd has ended: $(service_last_words)"
        now=$(date +%s) end=${end:-$((now + $3))}
        [ "$now" -lt "$end" ] || fail "etcd does not answer within $3 s: $(service_last_words)"
        sleep 0.05
    done
    [ ! -f "$home/first" ] || rm -f "$home/first"
}

# status VERSION ENDPOINT: prints `healthy|ailing|stopped VERSION leader|follower|- MEMBER-ID`
status() {
    if ! service_running; then
        echo "stopped - - -"
        return
    fi
    health=ailing
    if healthy "$1" "$2"; then health=healthy; fi
    # Names instead of columns: which columns there are depends on the version.
    ctl "$1" "$2" --dial-timeout=1s --command-timeout=2s endpoint status -w fields 2>/dev/null | {
        version=- member=- leader=-
        while read -r name _ value; do
            case $name in
                '"Version"') version=${value#\"} version=${version%\"} ;;
                '"MemberID"') member=$value ;;
                '"Leader"') leader=$value ;;
            esac
        done
        case $member in
            -) role=- ;; # it said nothing
            "$leader") role=leader ;;
            *) role=follower ;;
        esac
        echo "$health $version $role $member"
    }
}

# tidy VERSION...: deletes the programs of all other versions.
tidy() {
    keep=" $* "
    for program in "$home"/*/etcd; do
        folder=${program%/etcd}
        case $keep in
            *" ${folder##*/} "*) ;;
            *) if [ -x "$program" ]; then rm -rf "$folder"; fi ;;
        esac
    done
}

# Snapshots. Commands on them went from etcdctl to etcdutl, which came with 3.5.

utility() { # VERSION ARGUMENT...
    folder=$home/$1
    shift
    if [ ! -x "$folder/etcdctl" ]; then
        for folder in "$home"/*/etcdctl; do folder=${folder%/etcdctl}; done
    fi
    program=$folder/etcdutl
    if [ ! -x "$program" ]; then program=$folder/etcdctl; fi
    ETCDCTL_API=3 "$program" "$@" </dev/null
}

# take_snapshot VERSION ENDPOINT: of the running member's data; prints what is in it, as JSON.
take_snapshot() {
    umask 077
    rm -f "$home/backup.db" "$home/backup.db.part"
    said=$(ctl "$1" "$2" snapshot save "$home/backup.db" 2>&1) || fail "no snapshot: $(echo "$said" | tail -n 1)"
    utility "$1" snapshot status "$home/backup.db" -w json 2>/dev/null || fail "the snapshot is damaged"
}

hand_snapshot_over() {
    cat "$home/backup.db" && rm -f "$home/backup.db"
}

# A restore: `prepare_data` while the member runs, `lock` when it has been done on every node, `exchange_data` when
# all members are down, `unlock` when all have the new data. From lock to unlock no member can be started.
#
#     restore.db                 the snapshot, as it came
#     data.restored-TOKEN/       the data made from it
#     restored                   TOKEN, when data/ is what was made for it
#     restoring                  the run that locked this node
#     data.before-restore-RUN/   what data/ was before

# prepare_data VERSION NAME PEER CLUSTER TOKEN
prepare_data() {
    if [ -d "$home/data.restored-$5" ] || [ "$(cat "$home/restored" 2>/dev/null)" = "$5" ]; then
        rm -f "$home/restore.db"
        return
    fi
    umask 077
    rm -rf "$home"/data.restored-* "$home/data.restoring"
    said=$(utility "$1" snapshot restore "$home/restore.db" --skip-hash-check=false --data-dir "$home/data.restoring" \
        --name "$2" --initial-advertise-peer-urls "$3" --initial-cluster "$4" --initial-cluster-token "$5" 2>&1) ||
        fail "the snapshot cannot be restored: $(echo "$said" | tail -n 1 | cut -c 1-300)"
    sync
    mv "$home/data.restoring" "$home/data.restored-$5"
    rm -f "$home/restore.db"
}

lock() { # RUN
    # The run that began sets data aside; one that goes on, or starts over, does not do so again.
    if [ ! -f "$home/restoring" ]; then
        echo "$1" >"$home/restoring.new"
        mv "$home/restoring.new" "$home/restoring"
    fi
    stop
}

exchange_data() { # TOKEN
    if service_running; then fail "etcd still runs"; fi
    if [ -d "$home/data.restored-$1" ]; then
        before=$home/data.before-restore-$(cat "$home/restoring")
        if [ ! -d "$before" ] && [ -d "$home/data" ]; then mv "$home/data" "$before"; fi
        rm -rf "$home/data"
        echo "$1" >"$home/restored"
        mv "$home/data.restored-$1" "$home/data"
        sync
    fi
    [ "$(cat "$home/restored" 2>/dev/null)" = "$1" ] || fail "the data that were made for this restore are gone"
}

unlock() {
    [ -f "$home/restoring" ] || return 0
    last=data.before-restore-$(cat "$home/restoring")
    if [ -d "$home/$last" ]; then
        for folder in "$home"/data.before-restore-*; do
            if [ "${folder##*/}" != "$last" ]; then rm -rf "$folder"; fi
        done
    fi
    rm -f "$home/restoring"
}

# Nothing is to be saved, and members that all say good-bye to one another take their time.
remove() {
    for program in "$home"/applications/*/application.py; do
        if [ -f "$program" ]; then python3 "$program" kill || fail "an application could not be stopped"; fi
    done
    if service_by_systemd; then $elevate systemctl kill --signal=KILL "$unit" >/dev/null 2>&1; fi
    service_let_go
    lose
    rm -rf "$home"
}

# The whole script has to be read before a verb runs: a program could otherwise eat its rest from standard input.
verb=$1
shift
"$verb" "$@"
exit
