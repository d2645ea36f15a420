# shellcheck shell=sh
# Summary: What is done on the node: the folder, its files, and asking Prometheus there.
# Usage: sh -c "what `rigger-service prepared` prints, own=NAME, and this file" NAME VERB [ARGUMENT...]
# Needs: a POSIX shell; curl, wget or python3, to ask
# Writes: the folder
# shellcheck disable=SC2154,SC2317 # prepared: rigger-service; verbs are called by their names
set -eu

home=$HOME/rigger-$own
if [ "$prepared" ]; then home=$prepared/$own; fi

folder() {
    mkdir -p "$home"
    echo "$home"
}

# Puts what standard input has into a file; the file appears whole.
put() { # FILE
    mkdir -p "$home"
    cat >"$home/$1.new"
    mv "$home/$1.new" "$home/$1"
}

show() { # FILE
    cat "$home/$1"
}

get() { # URL
    if command -v curl >/dev/null; then
        curl --fail --silent --show-error --max-time 10 --noproxy '*' "$1"
    elif command -v wget >/dev/null; then
        wget -q -T 10 --no-proxy -O - "$1"
    else
        python3 -c 'import sys, urllib.request as u
print(u.build_opener(u.ProxyHandler({})).open(sys.argv[1], timeout=10).read().decode(), end="")' "$1"
    fi
}

# What runs, as it was started.
runs() { # PROCESS
    tr '\0' '\n' <"/proc/$1/cmdline"
}

pack() {
    tar -czf - -C "$home" data
}

unpack() {
    rm -rf "$home/data.new"
    mkdir -p "$home/data.new"
    tar -xzf - -C "$home/data.new"
    rm -rf "$home/data"
    mv "$home/data.new/data" "$home/data"
    rm -rf "$home/data.new"
}

remove() {
    rm -rf "$home"
}

"$@"
