# shellcheck shell=bash
# Summary: Where deis, deisctl and the unit files come from, and how they get into the environment.
# Needs: lib/deis.sh; DEIS_CLIENTS_URL for releases; DEIS_ROOT GOPATH and Go for others
# Writes: $RIGGER_CACHE_DIR/deis, a folder for each DEIS_CLIENTS_URL; $RIGGER_BIN_DIR/{deis,deisctl}; $DEISCTL_UNITS
#
# The version and fail() come from lib/deis.sh.
# shellcheck disable=SC2154

# Puts a folder's deis, deisctl and units where the environment has them: each appears in one piece.
place_clients() {
    local from=$1 client
    mkdir -p "$RIGGER_BIN_DIR"
    rm -f "$marker"
    for client in deis deisctl; do
        cp "$from/$client" "$RIGGER_BIN_DIR/.$client.new"
        chmod 755 "$RIGGER_BIN_DIR/.$client.new"
        mv -f "$RIGGER_BIN_DIR/.$client.new" "$RIGGER_BIN_DIR/$client"
    done
    rm -rf "$DEISCTL_UNITS.new"
    cp -R "$from/units" "$DEISCTL_UNITS.new"
    rm -rf "$DEISCTL_UNITS"
    mv "$DEISCTL_UNITS.new" "$DEISCTL_UNITS"
    printf '%s\n' "$version" >"$marker"
}

operating_system() {
    uname -s | tr '[:upper:]' '[:lower:]'
}

# Prints the folder of a release's clients and units; fetches them when need be.
released_clients() {
    local system kept
    system=$(operating_system)
    kept=$(rigger-cache folder deis "$DEIS_CLIENTS_URL")/$version/$system
    if [[ ! -x $kept/deisctl || ! -x $kept/deis || ! -d $kept/units ]] || ! rigger-cache whole "$kept"; then
        fetch_release "$kept"
    fi
    printf '%s\n' "$kept"
}

fetch_release() {
    local kept=$1 work
    command -v curl >/dev/null || fail "curl is needed to download Deis's clients, and is not on PATH"
    mkdir -p "${kept%/*}"
    work=$(mktemp -d "${kept%/*}/.new-XXXXXX")
    # shellcheck disable=SC2064
    trap "rm -rf '$work'" EXIT
    mkdir "$work/home" "$work/clients"
    fetch_client deis-cli deis "$work"
    fetch_client deisctl deisctl "$work"
    fetch_units "$work"
    rigger-cache seal "$work/clients"
    rm -rf "$kept"
    mv "$work/clients" "$kept"
    rm -rf "$work"
    trap - EXIT
}

# fetch_client NAME-OF-ITS-INSTALLER PROGRAM WORK-FOLDER
fetch_client() {
    local program=$2 work=$3 installer url said
    installer=$1-$version-$(operating_system)-amd64.run
    url=${DEIS_CLIENTS_URL%/}/$installer
    rigger-log "downloading $url" >&2
    curl -fsSL --retry 2 --connect-timeout 20 -o "$work/$installer" "$url" || fail \
        "$url could not be downloaded: set DEIS_CLIENTS_URL to a mirror that has it"
    verify "$work/$installer" "$url"
    # It unpacks itself, and may fetch units into a home, which must not be the user's.
    (cd "$work" && HOME=$work/home sh "./$installer" --target "$work/clients" >"$work/log" 2>&1) || true
    [[ -x $work/clients/$program ]] || {
        cat "$work/log" >&2
        fail "$url did not install $program"
    }
    said=$(HOME=$work/home "$work/clients/$program" --version 2>&1 | head -n 1) || true
    [[ ${said##* } == "$version" || ${said##* } == "v$version" ]] ||
        fail "$url should be $program $version, but says: ${said:-nothing}"
}

# Compares with the checksum that lies beside the file, where there is one.
verify() {
    local file=$1 url=$2 wanted found
    wanted=$(curl -fsSL --connect-timeout 20 "$url.sha256" 2>/dev/null | cut -d ' ' -f 1) || wanted=
    if [[ ! $wanted ]]; then
        rigger-log "there is no checksum at $url.sha256"
        return
    fi
    found=$(sha256 "$file")
    [[ $found == "$wanted" ]] || fail "$url has the SHA-256 $found, but $url.sha256 says $wanted"
}

sha256() {
    if command -v sha256sum >/dev/null; then
        sha256sum "$1" | cut -d ' ' -f 1
    else
        shasum -a 256 "$1" | cut -d ' ' -f 1
    fi
}

# The client knows where its units lie on the network; the checkout of the same version has the same ones.
fetch_units() {
    local work=$1
    mkdir "$work/units"
    if ! HOME=$work/home "$work/clients/deisctl" refresh-units "--path=$work/units" "--tag=v$version" >"$work/log" 2>&1 ||
        [[ ! $(ls -A "$work/units") ]]; then
        rigger-log warning "deisctl could not fetch its unit files ($(tail -n 1 "$work/log")); those of the checkout are taken"
        need_checkout
        [[ -d $DEIS_ROOT/deisctl/units ]] || fail "$DEIS_ROOT has no unit files of Deis either"
        cp "$DEIS_ROOT"/deisctl/units/* "$work/units"
    fi
    mv "$work/units" "$work/clients/units"
}

# Prints the folder of clients that were built from the checkout, and of its units.
built_clients() {
    local built=$RIGGER_STATE_DIR/built place
    need_checkout
    link_gopath
    PATH=$GOPATH/bin:$PATH make -C "$DEIS_ROOT/deisctl" build >&2
    PATH=$GOPATH/bin:$PATH make -C "$DEIS_ROOT/client" build >&2
    rm -rf "$built"
    mkdir -p "$built"
    for place in client/dist/deis client/deis; do # older ones build into dist
        if [[ -x $DEIS_ROOT/$place ]]; then cp "$DEIS_ROOT/$place" "$built/deis"; fi
    done
    [[ -f $built/deis ]] || fail "make -C $DEIS_ROOT/client build left no client behind"
    [[ -x $DEIS_ROOT/deisctl/deisctl ]] || fail "make -C $DEIS_ROOT/deisctl build left no client behind"
    cp "$DEIS_ROOT/deisctl/deisctl" "$built/deisctl"
    cp -R "$DEIS_ROOT/deisctl/units" "$built/units"
    printf '%s\n' "$built"
}
