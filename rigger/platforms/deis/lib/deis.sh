# shellcheck shell=bash
# Summary: What the scripts of Deis share: the version and whether it is a release, the tunnel, the platform's states.
# Needs: DEIS_VERSION DEIS_ROOT DEIS_TEST_SSH_KEY DEIS_TEST_DOMAIN; DEV_REGISTRY, which make dev-release reads; RIGGER_*
# Writes: nothing by itself
#
# Who sources this uses what it sets.
# shellcheck disable=SC2034

version=${DEIS_VERSION#v}
marker=$RIGGER_STATE_DIR/clients # which version's clients are in place
discovery=$RIGGER_STATE_DIR/user-data # what the machines of this cluster find each other by
user_data=$DEIS_ROOT/contrib/coreos/user-data

fail() {
    rigger-log error "$*"
    exit 1
}

# A tag's name, not what git describe says of a branch, a commit or somebody's own folder.
is_release() {
    [[ $1 =~ ^[0-9]+(\.[0-9]+)+(-?(alpha|beta|rc|dev)[.-]?[0-9]*)?$ ]]
}

need_checkout() {
    [[ -f $DEIS_ROOT/Makefile ]] || fail "there is no checkout of Deis in $DEIS_ROOT: rigger checkout makes one"
}

# Go finds packages by their place below GOPATH, so the checkout must seem to lie there.
link_gopath() {
    local place=$GOPATH/src/github.com/deis/deis
    [[ $place != "$DEIS_ROOT" ]] || return 0
    mkdir -p "${place%/*}" "$GOPATH/bin"
    ln -sfn "$DEIS_ROOT" "$place"
}

# The provider says where the tunnel begins; for one that only lists nodes, it is the first of them.
need_tunnel() {
    local kept=$RIGGER_STATE_DIR/tunnel name address port
    if [[ ${DEISCTL_TUNNEL-} && (! -f $kept || $DEISCTL_TUNNEL != "$(<"$kept")") ]]; then
        return 0
    fi
    read -r name address _ _ _ port <"$RIGGER_NODES_FILE" || fail \
        "DEISCTL_TUNNEL is not set and there are no nodes, so deisctl cannot reach a cluster"
    [[ $port != - ]] || port=22
    export DEISCTL_TUNNEL=$address:$port
    printf '%s' "$DEISCTL_TUNNEL" >"$kept"
    rigger-log "deisctl goes through $name ($DEISCTL_TUNNEL)"
    rigger-save-vars DEISCTL_TUNNEL
}

clients_of() {
    [[ -x $RIGGER_BIN_DIR/deis && -x $RIGGER_BIN_DIR/deisctl && -d $DEISCTL_UNITS && -f $marker ]] &&
        [[ $(<"$marker") == "$1" ]]
}

# Whatever runs on this machine needs them; a bundle leaves them out.
need_clients() {
    clients_of "$version" || "$RIGGER_MODULE_DIR/setup-clients"
}

configure_platform() {
    local set_version=v$version
    is_release "$version" || set_version=$DEIS_VERSION
    deisctl config platform set "domain=$DEIS_TEST_DOMAIN"
    deisctl config platform set "sshPrivateKey=$DEIS_TEST_SSH_KEY"
    deisctl config platform set "version=$set_version"
}

build_images() {
    if is_release "$version"; then
        rigger-log "Deis $version is a release, its images are published: nothing to build"
        return
    fi
    need_checkout
    link_gopath
    make -C "$DEIS_ROOT" build
}

install_platform() {
    configure_platform
    if ! is_release "$version"; then
        make -C "$DEIS_ROOT" dev-release # pushes the images to DEV_REGISTRY, and tells the cluster their names
    fi
    deisctl install platform
    deisctl start platform
}

# Does something unless it was done already in this upgrade: stage NAME COMMAND...
# The stages lie in the state, so that an upgrade that was killed goes on where it was.
stage() {
    local name=$1 done_already=$RIGGER_STATE_DIR/upgrade
    shift
    if grep -qsxF "$jump $name" "$done_already"; then
        rigger-log "$name: done before"
        return
    fi
    "$@"
    printf '%s\n' "$jump $name" >>"$done_already"
}

begin_upgrade() {
    jump="${RIGGER_FROM_VERSION#v} $version $1"
    if ! grep -qsF "$jump " "$RIGGER_STATE_DIR/upgrade"; then
        rm -f "$RIGGER_STATE_DIR/upgrade"
    fi
}

end_upgrade() {
    rm -f "$RIGGER_STATE_DIR/upgrade"
}
