# shellcheck shell=sh
# Summary: What is done on a node to have a program there that nobody installed.
# Usage: rigger-program sends it to the node with a verb: find [OTHER NAME], archive <FILE, debian PACKAGE, remove
# Needs: a POSIX shell; prepared.sh before it; name (the program); tar and gzip, or apt-get and dpkg-deb
# Writes: the folder of the program: NAME, which starts it, and files, what was unpacked
# shellcheck disable=SC2154 # environment and prepared: prepared.sh
set -eu

folder=$HOME/.local/share/rigger-programs/$environment/$name
if [ "$prepared" ]; then folder=$prepared/programs/$name; fi

fail() {
    echo "error: $*" >&2
    exit 1
}

find_program() {
    PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
    path=$folder/$name
    [ -x "$path" ] || path=$(command -v "$name") || path=$(command -v "${1:-$name}") || path=
    echo "$(uname -sm | tr ' ' -) $path"
}

begin() {
    rm -rf "$folder.new"
    mkdir -p "$folder.new/files" || fail "$folder cannot be made"
    cd "$folder.new"
}

# The folder appears under its name once all is in it.
finish() { # its libraries, with : between; how the program may be called, too
    own=
    for called in "$name" "${2:-$name}"; do
        [ "$own" ] || own=$(find files -type f -name "$called" -perm -100 ! -path '*/etc/*' | sed -n 1p)
    done
    [ "$own" ] || fail "there is no program $name in it"
    printf '#!/bin/sh\n%sexec "%s" "$@"\n' "${1:+LD_LIBRARY_PATH=\"$1\" }" "$folder/$own" >"$name"
    chmod 755 "$name"
    rm -rf "$folder"
    mv "$folder.new" "$folder"
}

unpack_archive() {
    begin
    tar -xzf - -C files || fail "it cannot be unpacked"
    finish ''
}

# What runs on every kind of machine (pages, fonts, documents) is left out: a program needs it to look good at most.
unpack_debian() { # PACKAGE
    for tool in apt-get dpkg-deb; do
        command -v "$tool" >/dev/null || fail "this is no Debian: it has no $tool"
    done
    said=$(LC_ALL=C apt-get --simulate --no-install-recommends install "$1" 2>&1) ||
        fail "apt-get does not know how to get $1: $(echo "$said" | grep '^E:' | tail -n 1) (\"apt-get update\" renews its lists)"
    packages=$(echo "$said" | sed -n 's/^Inst \([^ ]*\) .*/&/p' | grep -v '\[all\])' | cut -d ' ' -f 2) || true
    [ "$packages" ] || fail "$1 is installed here, and has no program $name"
    begin
    # shellcheck disable=SC2086 # words
    said=$(apt-get -qq download $packages 2>&1) || fail "apt-get cannot fetch $1: $(echo "$said" | grep '^E:' | tail -n 1)"
    for package in ./*.deb; do
        dpkg-deb -x "$package" files || fail "$package cannot be unpacked"
    done
    rm -f ./*.deb
    libraries=
    for library in $(find files -name 'lib*.so.*' -exec dirname {} + | sort -u); do
        libraries=$libraries${libraries:+:}$folder/$library
    done
    finish "$libraries" "$1"
}

remove() {
    rm -rf "$folder" "$folder.new"
    programs=${folder%/*}
    rmdir "$programs" 2>/dev/null || true
    [ "$prepared" ] || rmdir "${programs%/*}" 2>/dev/null || true
}

verb=$1
shift
case $verb in
    find) find_program "$@" ;;
    archive) unpack_archive ;;
    debian) unpack_debian "$@" ;;
    remove) remove ;;
esac
