# shellcheck shell=sh
# Summary: What is done on a node: start, stop and ask the one etcd member that lives there.
# Usage: sh -s -- VERB [ARGUMENT...] <home.sh and member.sh, on the node, through rigger-node
# Needs: a POSIX shell and the programs in VERSION, which `install` put there
# Writes: the folder that lib/home.sh found; a unit of systemd's where the node was prepared and systemd runs
#
#     VERSION/{etcd,etcdctl}   the programs, a folder for every version that is in use
#     data/                    the member's data
#     member                   the running process: its number, when it started, and how it was configured
#     run                      the program that becomes etcd; starts it again, too
#     first                    while the member has never been healthy: how it finds the others
#     supervise supervisor     on a prepared node without systemd: what starts etcd again, and its process
#     etcd.log etcd.log.1      what it said
#     data.before-restore-RUN  what data/ was before the last restore
#     applications/            programs of lib/application.py, when some were deployed
#
# The verbs are functions; the last lines call the one that is asked for.
# shellcheck disable=SC2317

# shellcheck disable=SC2154 # home, prepared, rights and environment: lib/home.sh
unit=rigger-$environment-etcd.service

# Prints when a process started: with its number, what tells it from all others, also after a restart of the node.
# It is text because the process that becomes etcd has to run it, too.
# shellcheck disable=SC2016
identity='
identity() {
    if [ -r /proc/self/stat ]; then
        { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
        # shellcheck disable=SC2086
        set -- ${stat##*) }
        [ "$1" != Z ] || return 1
        shift 19
        read -r boot </proc/sys/kernel/random/boot_id 2>/dev/null
        echo "$1@$boot"
    else
        ps -o lstart= -p "$1" | tr -s " " _
    fi
}'
eval "$identity"

fail() {
    echo "error: $*" >&2
    exit 1
}

has_data() {
    # etcd renames the finished log into place; before that there was no member yet.
    [ -d "$home/data/member/wal" ]
}

# Sets pid and configuration to those of the running member; false when none runs.
running() {
    pid='' started='' configuration=''
    [ -f "$home/member" ] || return 1
    read -r pid started configuration <"$home/member"
    [ "$pid" ] && [ "$(identity "$pid")" = "$started" ]
}

survey() {
    case $(uname -s)/$(uname -m) in
        Linux/x86_64) platform=linux-amd64 ;;
        Linux/aarch64 | Linux/arm64) platform=linux-arm64 ;;
        Linux/ppc64le) platform=linux-ppc64le ;;
        Linux/s390x) platform=linux-s390x ;;
        Darwin/x86_64) platform=darwin-amd64 ;;
        Darwin/arm64) platform=darwin-arm64 ;;
        *) platform=$(uname -s)-$(uname -m) ;;
    esac
    data=no state=stopped
    if has_data; then data=yes; fi
    if running; then state=running; fi
    versions=,
    for program in "$home"/*/etcd; do
        [ -x "$program" ] || continue
        version=${program%/etcd}
        versions=$versions${version##*/},
    done
    echo "$platform $data $state $versions ${configuration:-none}"
}

# start VERSION NAME LISTEN_CLIENT LISTEN_PEER CLIENT PEER [new|existing CLUSTER TOKEN]
start() {
    wanted="$1,$2,$3,$4,$5,$6"
    etcd=$home/$1/etcd
    [ -x "$etcd" ] || fail "$etcd is not there"
    if running; then return; fi
    [ ! -f "$home/restoring" ] || fail "a restore has not finished here; run it again"
    # What would start it again, with what it was configured to be before.
    let_go
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
    write_run "$wanted" "$etcd" --name "$2" --data-dir "$home/data" --listen-client-urls "$3" --listen-peer-urls "$4" \
        --advertise-client-urls "$5" --initial-advertise-peer-urls "$6" >"$home/run" ||
        fail "$home cannot be written to; is its disk full?"
    launch
    left=1000
    while [ ! -f "$home/member" ]; do
        left=$((left - 1))
        if [ "$left" = 0 ] || ! launched && [ ! -f "$home/member" ]; then
            let_go
            fail "etcd could not be started: $(last_words)"
        fi
        sleep 0.01
    done
}

# write_run CONFIGURATION ETCD OPTION...: prints the program that becomes etcd.
#
# It writes its own number down first: no etcd can run unknown. A member that has ever been well and has lost its data
# must not be started from nothing: the others count on what it had promised.
write_run() {
    printf '#!/bin/sh\nhome=%s configuration=%s\n' "$(quoted "$home")" "$(quoted "$1")"
    shift
    printf 'set --'
    for word; do printf ' %s' "$(quoted "$word")"; done
    # shellcheck disable=SC2016
    printf '%s\n' '' "$identity" '
        if [ -f "$home/etcd.log" ] && [ "$(wc -c <"$home/etcd.log")" -gt 10000000 ]; then
            mv -f "$home/etcd.log" "$home/etcd.log.1"
        fi
        exec </dev/null >>"$home/etcd.log" 2>&1
        if [ ! -d "$home/data/member/wal" ]; then
            [ -f "$home/first" ] || { echo "panic: this member has lost its data"; exit 3; }
            while IFS= read -r word; do set -- "$@" "$word"; done <"$home/first"
        fi
        # etcd takes every option from the environment, too; none of those is meant for this member.
        for name in $(env | sed -n "s/^\(ETCD_[A-Z0-9_]*\)=.*/\1/p"); do unset "$name"; done
        echo "$$ $(identity "$$") $configuration" >"$home/member.new" && mv "$home/member.new" "$home/member" && exec "$@"'
}

quoted() {
    printf "'%s'" "$(printf '%s' "$1" | sed "s/'/'\\\\''/g")"
}

# What starts etcd, and starts it again: systemd where a node was prepared and systemd runs, else a supervisor of our
# own on a prepared node. On any other node a member that ends stays down until somebody starts it.

launch() {
    if [ ! "$prepared" ]; then
        detach sh "$home/run"
    elif by_systemd; then
        write_unit | $elevate tee "/etc/systemd/system/$unit" >/dev/null || fail "$unit cannot be written"
        $elevate systemctl daemon-reload || fail "systemd cannot be told of $unit"
        $elevate systemctl enable --now "$unit" >/dev/null 2>&1 || fail "systemd does not start $unit: $(its_status)"
    else
        write_supervisor >"$home/supervise" || fail "$home cannot be written to; is its disk full?"
        detach sh "$home/supervise"
    fi
}

its_status() {
    $elevate systemctl status "$unit" 2>&1 | tail -n 1
}

detach() {
    if command -v setsid >/dev/null; then setsid "$@" </dev/null >/dev/null 2>&1 & else nohup "$@" </dev/null >/dev/null 2>&1 & fi
    launcher=$!
}

# Whether what launch began may still come up.
launched() {
    [ ! "$launcher" ] || kill -0 "$launcher" 2>/dev/null
}
launcher=

by_systemd() {
    elevate=
    case $rights in
        self) ;;
        sudo) elevate='sudo -n' ;;
        *) return 1 ;;
    esac
    [ -d /run/systemd/system ] && command -v systemctl >/dev/null
}

# Restart: https://www.freedesktop.org/software/systemd/man/systemd.service.html
write_unit() {
    cat <<END
[Unit]
Description=etcd of the rigger environment $environment
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
User=$(id -un)
ExecStart=/bin/sh "$home/run"
Restart=always
RestartSec=1
RestartPreventExitStatus=3
TimeoutStopSec=15
LimitNOFILE=65536

[Install]
WantedBy=multi-user.target
END
}

write_supervisor() {
    printf '#!/bin/sh\nhome=%s\n%s\n' "$(quoted "$home")" "$identity"
    # shellcheck disable=SC2016
    printf '%s\n' '
        trap "kill \$! 2>/dev/null; exit 0" TERM
        echo "$$ $(identity "$$")" >"$home/supervisor.new" && mv "$home/supervisor.new" "$home/supervisor" || exit 1
        pause=1
        while :; do
            began=$(date +%s)
            sh "$home/run" &
            wait $!
            [ $? != 3 ] || exit 3
            if [ $(($(date +%s) - began)) -ge 60 ]; then pause=1; fi
            sleep "$pause" &
            wait $!
            if [ "$pause" -lt 30 ]; then pause=$((pause * 2)); fi
        done'
}

# Ends what would start etcd again, and etcd with it.
let_go() {
    [ "$prepared" ] || return 0
    if by_systemd && [ -e "/etc/systemd/system/$unit" ]; then
        $elevate systemctl disable --now "$unit" >/dev/null 2>&1
        $elevate rm -f "/etc/systemd/system/$unit" || fail "$unit cannot be removed"
        $elevate systemctl daemon-reload
    fi
    if [ -f "$home/supervisor" ]; then
        read -r supervisor began <"$home/supervisor"
        if [ "$(identity "$supervisor")" = "$began" ]; then
            kill "$supervisor" 2>/dev/null
            left=500
            while [ "$(identity "$supervisor")" = "$began" ]; do
                [ "$left" -gt 0 ] || fail "process $supervisor does not end"
                left=$((left - 1))
                sleep 0.01
            done
        fi
        rm -f "$home/supervisor"
    fi
}

# The last complaints in the log, as short as they can be shown.
last_words() {
    words=$(tail -n 40 "$home/etcd.log" 2>/dev/null | grep -E '"level":"(error|fatal|panic)"|^panic|^.{27}[CE] ' |
        tail -n 1 | sed -e 's/,"stacktrace".*//' -e 's/^.*"msg":"//' -e 's/"\(,"error":"\)\{0,1\}/: /' -e 's/"}*$//' |
        cut -c 1-300)
    echo "${words:-see ~/rigger-etcd/etcd.log on the node}"
}

stop() {
    let_go
    if running; then
        kill "$pid" 2>/dev/null
        gone 1000 || kill -9 "$pid" 2>/dev/null
        gone 500 || fail "process $pid does not end"
    fi
    rm -f "$home/member"
}

lose() {
    if running; then
        kill -9 "$pid"
        gone 500 || fail "process $pid does not end"
    fi
}

gone() { # for at most HUNDREDTHS of a second
    left=$1
    while running; do
        [ "$left" -gt 0 ] || return 1
        left=$((left - 1))
        sleep 0.01
    done
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
    end=$(($(date +%s) + $3))
    until healthy "$1" "$2"; do
        running || [ -f "$home/supervisor" ] || fail "etcd has ended: $(last_words)"
        [ "$(date +%s)" -lt "$end" ] || fail "etcd does not answer within $3 s: $(last_words)"
        sleep 0.05
    done
    rm -f "$home/first"
}

# status VERSION ENDPOINT: prints `healthy|ailing|stopped VERSION leader|follower|- MEMBER-ID`
status() {
    if ! running; then
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
        role=follower
        if [ "$member" = "$leader" ]; then role=leader; fi
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
    if running; then fail "etcd still runs"; fi
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
    if [ "$prepared" ] && by_systemd; then $elevate systemctl kill --signal=KILL "$unit" >/dev/null 2>&1; fi
    let_go
    lose
    rm -rf "$home"
}

# The whole script has to be read before a verb runs: a program could otherwise eat its rest from standard input.
verb=$1
shift
"$verb" "$@"
exit
