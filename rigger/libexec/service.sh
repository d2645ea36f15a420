# shellcheck shell=sh
# Summary: What is done on a node to keep a process running: systemd does it where it runs and may be used, else a supervisor.
# Usage: rigger-service sends it to the node with one of its verbs; "rigger-service functions" prints it for a module that does
#        more there at a time
# Needs: a POSIX shell; prepared.sh before it; service (the name); what service_defaults leaves as it is
# Writes: service_home; the log; the unit rigger-ENVIRONMENT-NAME.service of systemd's
#
#     process                the running process: its number, when it started, and what it was started as
#     run                    the program that becomes the service; starts it again, too
#     supervise supervisor   without systemd: what starts it again, and its process
#     log log.1              what it said
#
# shellcheck disable=SC2034,SC2154,SC2317 # `configuration` is for callers; environment, reached, prepared and rights: prepared.sh; verbs are called by their names

service_defaults() {
    if [ ! "${service_home-}" ]; then
        service_home=$HOME/.local/share/rigger-services/$environment/$service
        if [ "$prepared" ]; then service_home=$prepared/services/$service; fi
    fi
    service_record=${service_record:-$service_home/process}
    service_log=${service_log:-$service_home/log}
    service_log_size=${service_log_size:-10000000}
    service_restart=${service_restart:-always}
    unit=rigger-$environment-$service.service
}

# Prints when a process started: with its number, what tells it from all others, also after a restart of the node.
# It is text because the process that becomes the service has to run it, too.
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

quoted() {
    quoted_text=$1 quoted_so_far=
    while :; do
        case $quoted_text in
            *\'*) quoted_so_far="$quoted_so_far${quoted_text%%\'*}'\\''" quoted_text=${quoted_text#*\'} ;;
            *) break ;;
        esac
    done
    printf "'%s'" "$quoted_so_far$quoted_text"
}

# Sets pid and configuration to those of the running process; false when none runs.
service_running() {
    pid='' started='' configuration=''
    [ -f "$service_record" ] || return 1
    read -r pid started configuration <"$service_record"
    [ "$pid" ] && [ "$(identity "$pid")" = "$started" ]
}

# service_start CONFIGURATION COMMAND [ARGUMENT...]: where nothing runs. CONFIGURATION is a word that service_running gives back.
service_start() {
    # What would start it again, as it was before.
    service_let_go
    [ ! -f "$service_record" ] || rm -f "$service_record"
    service_write_run "$@" >"$service_home/run" || fail "$service_home cannot be written to; is its disk full?"
    service_begin
}

service_begin() {
    said_before=0
    if [ -f "$service_log" ]; then said_before=$(wc -c <"$service_log"); fi
    service_launch
    left=500
    while [ ! -f "$service_record" ]; do
        left=$((left - 1))
        if [ "$left" = 0 ] || ! service_launched && [ ! -f "$service_record" ]; then
            service_let_go
            fail "$service could not be started: $(service_last_words)"
        fi
        sleep 0.02
    done
}

# service_write_run CONFIGURATION COMMAND...: prints the program that becomes the service. It writes its own number down
# first: none can run unknown. It gets a new login's few variables and its own, as from systemd; RIGGER_MACHINE is how the
# provider `local` knows what runs on a machine.
service_write_run() {
    # shellcheck disable=SC2016
    printf '%s\n' '#!/bin/sh' '
        for name in $(env | sed -n "s/^\([A-Za-z_][A-Za-z0-9_]*\)=.*/\1/p"); do
            case $name in
                HOME | PATH | SHELL | USER | LOGNAME | LANG | RIGGER_MACHINE) ;;
                *) unset "$name" ;;
            esac
        done'
    printf 'service_restart=%s service_give_up_on=%s service_user=%s service_log=%s\n' "$service_restart" \
        "$(quoted "${service_give_up_on-}")" "$(quoted "${service_user-}")" "$(quoted "$service_log")"
    printf 'record=%s size=%s folder=%s before=%s configuration=%s\n' "$(quoted "$service_record")" "$service_log_size" \
        "$(quoted "${service_folder-}")" "$(quoted "${service_before-}")" "$(quoted "$1")"
    shift
    printf 'set --'
    for word; do printf ' %s' "$(quoted "$word")"; done
    printf '\n%s\n' "${service_environment-}"
    # shellcheck disable=SC2016
    printf '%s\n' "$identity" '
        rotate() {
            if [ -f "$service_log" ] && [ "$(wc -c <"$service_log")" -gt "$size" ]; then
                cp "$service_log" "$service_log.1"
                : >"$service_log"
            fi
        }
        rotate
        exec </dev/null >>"$service_log" 2>&1
        [ ! "$before" ] || . "$before"
        mine=$(identity "$$")
        echo "$$ $mine $configuration" >"$record.new" && mv "$record.new" "$record" || exit 1
        cd "${folder:-$HOME}" || exit 1
        # No child of the service, which may wait for its own; whatever starts the service again ends it, too.
        [ "$service_restart" = no ] || (while sleep 10 && [ "$(identity "$$")" = "$mine" ]; do rotate; done >/dev/null 2>&1 &)
        [ "$service_user" ] || exec "$@"
        USER=$service_user LOGNAME=$service_user
        eval "HOME=~$service_user"
        if setpriv --reuid "$service_user" --clear-groups true 2>/dev/null; then
            exec setpriv --reuid "$service_user" --regid "$(id -g "$service_user")" --init-groups -- "$@"
        fi
        exec su -s /bin/sh -c "exec \"\$0\" \"\$@\"" -- "$service_user" "$@"'
}

# What starts it, and starts it again.

service_launch() {
    service_use_rights
    if [ "$service_restart" = no ]; then
        # shellcheck disable=SC2086 # nothing, or sudo and its option
        service_detach $service_as sh "$service_home/run"
    elif service_by_systemd; then
        service_unit | $elevate tee "/etc/systemd/system/$unit" >/dev/null || fail "$unit cannot be written"
        $elevate systemctl daemon-reload || fail "systemd cannot be told of $unit"
        $elevate systemctl enable --now "$unit" >/dev/null 2>&1 || fail "systemd does not start $unit: $(service_unit_says)"
    else
        service_supervisor >"$service_home/supervise" || fail "$service_home cannot be written to; is its disk full?"
        # shellcheck disable=SC2086
        service_detach $service_as sh "$service_home/supervise"
    fi
}

# Sets elevate to what root's work is done with, and service_as to what has to stand before work on another user's process.
service_use_rights() {
    if [ ! "$rights" ]; then
        rights=no
        # Where a provider runs commands in its own way, its nodes may be folders of a machine that is not theirs.
        if [ "$(id -u)" = 0 ]; then
            rights=self
        elif [ "$reached" = ssh ] && sudo -n true >/dev/null 2>&1 </dev/null; then
            rights=sudo
        fi
    fi
    elevate='' service_as=''
    if [ "$rights" = sudo ]; then elevate='sudo -n'; fi
    if [ "${service_user-}" ]; then
        [ "$rights" != no ] || fail "$(id -un) may not start a process as $service_user: log in as root, or allow sudo without a password"
        service_as=$elevate
    fi
}

service_by_systemd() {
    service_use_rights
    [ "$rights" != no ] && { [ "$prepared" ] || [ "$reached" = ssh ]; } && [ -d /run/systemd/system ] &&
        command -v systemctl >/dev/null
}

service_unit_says() {
    $elevate systemctl status "$unit" 2>&1 | tail -n 1
}

service_detach() {
    if command -v setsid >/dev/null; then setsid "$@" </dev/null >/dev/null 2>&1 & else nohup "$@" </dev/null >/dev/null 2>&1 & fi
    launcher=$!
}

# Whether what launch began may still come up.
service_launched() {
    [ ! "$launcher" ] || kill -0 "$launcher" 2>/dev/null
}
launcher=

# Restart: https://www.freedesktop.org/software/systemd/man/systemd.service.html
service_unit() {
    cat <<END
[Unit]
Description=$service of the rigger environment $environment
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
User=$(if [ "${service_user-}" ]; then echo root; else id -un; fi)
ExecStart=/bin/sh "$service_home/run"
Restart=always
RestartSec=1
RestartPreventExitStatus=${service_give_up_on-}
TimeoutStopSec=15
LimitNOFILE=65536

[Install]
WantedBy=multi-user.target
END
}

# Each start has a session of its own, so that nothing of it outlives it.
service_supervisor() {
    printf '#!/bin/sh\nhome=%s give_up_on=%s\n%s\n' "$(quoted "$service_home")" "$(quoted " ${service_give_up_on-} ")" "$identity"
    # shellcheck disable=SC2016
    printf '%s\n' '
        own=; if command -v setsid >/dev/null; then own=setsid; fi
        trap "kill -TERM -\$child 2>/dev/null || kill \$child 2>/dev/null; exit 0" TERM
        echo "$$ $(identity "$$")" >"$home/supervisor.new" && mv "$home/supervisor.new" "$home/supervisor" || exit 1
        pause=1
        while :; do
            [ -f "$home/run" ] || exit 0
            began=$(date +%s)
            $own sh "$home/run" &
            child=$!
            wait "$child"
            code=$?
            kill -KILL "-$child" 2>/dev/null
            case $give_up_on in *" $code "*) exit "$code" ;; esac
            if [ $(($(date +%s) - began)) -ge 60 ]; then pause=1; fi
            sleep "$pause" &
            child=$!
            wait "$child"
            if [ "$pause" -lt 30 ]; then pause=$((pause * 2)); fi
        done'
}

# Whether what starts it again is there.
service_kept() {
    if service_by_systemd && [ -e "/etc/systemd/system/$unit" ]; then
        systemctl is-enabled --quiet "$unit" 2>/dev/null
        return
    fi
    supervisor='' began=''
    if [ -f "$service_home/supervisor" ]; then read -r supervisor began <"$service_home/supervisor"; fi
    [ "$supervisor" ] && [ "$(identity "$supervisor")" = "$began" ]
}

# Ends what would start it again, and where that is systemd the process, too.
service_let_go() {
    service_use_rights
    if service_by_systemd && [ -e "/etc/systemd/system/$unit" ]; then
        $elevate systemctl disable --now "$unit" >/dev/null 2>&1
        $elevate rm -f "/etc/systemd/system/$unit" || fail "$unit cannot be removed"
        $elevate systemctl daemon-reload
    fi
    if [ -f "$service_home/supervisor" ]; then
        read -r supervisor began <"$service_home/supervisor"
        if [ "$(identity "$supervisor")" = "$began" ]; then
            $service_as kill "$supervisor" 2>/dev/null
            left=500
            while [ "$(identity "$supervisor")" = "$began" ]; do
                [ "$left" -gt 0 ] || fail "process $supervisor does not end"
                left=$((left - 1))
                sleep 0.01
            done
        fi
        rm -f "$service_home/supervisor"
    fi
}

service_last_words() {
    words=$(tail -c "+$((${said_before:-0} + 1))" "$service_log" 2>/dev/null | tail -n 1 | cut -c 1-300)
    echo "${words:-it said nothing}"
}

service_stop() {
    ended=''
    if service_running; then ended=$pid; fi
    service_let_go
    if service_running; then
        service_signal TERM
        service_gone 1000 || service_signal KILL
        service_gone 500 || fail "process $pid does not end"
    fi
    # What it had started, and left.
    [ ! "$ended" ] || $service_as kill -KILL "-$ended" 2>/dev/null
    rm -f "$service_record"
}

service_signal() { # NAME
    $service_as kill "-$1" "-$pid" 2>/dev/null || $service_as kill "-$1" "$pid" 2>/dev/null
}

service_gone() { # for at most HUNDREDTHS of a second
    left=$1
    while service_running; do
        [ "$left" -gt 0 ] || return 1
        left=$((left - 1))
        sleep 0.01
    done
}

# The verbs of rigger-service

# Takes over what the service was last started with.
service_recall() {
    [ -f "$service_home/run" ] || return 1
    eval "$(sed -n '/^service_restart=/{p;q;}' "$service_home/run")"
}

do_start() { # [COMMAND [ARGUMENT...]]
    if [ $# = 0 ]; then
        if service_running && service_recall && service_is_whole; then return; fi
        do_restart
        return
    fi
    if [ "${service_user-}" ]; then
        if [ "$service_user" = "$(id -un)" ]; then
            service_user=
        else
            id "$service_user" >/dev/null 2>&1 || fail "there is no user $service_user"
        fi
    fi
    case ${service_folder:-/} in /*) ;; *) service_folder=$HOME/$service_folder ;; esac
    case $service_log in /*) ;; *) service_log=$HOME/$service_log ;; esac
    if service_running && service_is_whole && [ "$(service_write_run - "$@")" = "$(cat "$service_home/run")" ]; then return; fi
    umask 077
    mkdir -p "$service_home" || fail "$service_home cannot be made"
    (service_recall; service_stop) || exit 1
    service_start - "$@"
    settle
}

service_is_whole() {
    [ "$service_restart" = no ] || service_kept
}

do_restart() {
    service_recall || fail "there is no service $service yet: say with start which command it is"
    service_stop
    service_begin
    settle
}

# A command that cannot work ends at once.
settle() {
    first=
    for _ in 1 2 3 4 5; do
        if ! service_running || [ "${first:-$pid}" != "$pid" ]; then
            said=$(service_last_words)
            service_stop
            fail "$service ended as soon as it was started: $said"
        fi
        first=$pid
        sleep 0.1
    done
}

do_stop() {
    service_recall || return 0
    service_stop
}

# systemd keeps a unit that it does not start again; a supervisor ends.
service_gave_up() {
    service_by_systemd && systemctl is-failed --quiet "$unit" 2>/dev/null
}

do_status() {
    if ! service_recall; then
        echo "$service: there is none"
        exit 4
    fi
    if ! service_running; then
        if [ "$service_restart" = always ] && service_kept && ! service_gave_up; then
            echo "$service: waits to be started again; it said last: $(service_last_words)"
        else
            echo "$service: stopped"
        fi
        exit 3
    fi
    keeper='nobody starts it again'
    if [ "$service_restart" = always ]; then
        keeper='what starts it again is gone'
        if service_kept; then
            keeper='by a supervisor'
            if service_by_systemd; then keeper="by systemd ($unit)"; fi
        fi
    fi
    echo "$service: running, process $pid, $keeper"
}

do_signal() { # NAME
    service_recall || { echo "error: there is no service $service" >&2; exit 4; }
    service_use_rights
    service_running || fail "$service does not run"
    # shellcheck disable=SC2086
    $service_as kill "-$1" "$pid" || fail "process $pid could not be told"
}

do_logs() { # LINES
    service_recall || { echo "error: there is no service $service" >&2; exit 4; }
    for file in "$service_log.1" "$service_log"; do
        # shellcheck disable=SC2086
        if [ -f "$file" ]; then $service_as cat "$file"; fi
    done | tail -n "$1"
}

do_remove() {
    if service_recall; then
        service_stop
        # shellcheck disable=SC2086
        $service_as rm -f "$service_log" "$service_log.1" || fail "$service_log cannot be removed"
    fi
    rm -rf "$service_home" || fail "$service_home cannot be removed"
    services=${service_home%/*}
    rmdir "$services" 2>/dev/null
    [ "$prepared" ] || rmdir "${services%/*}" 2>/dev/null
    return 0
}
