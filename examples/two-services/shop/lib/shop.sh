# shellcheck shell=bash
# Summary: What the scripts share: which image of which service, on which port, and how a service is asked.
# Needs: IMAGE_API IMAGE_WEB; RIGGER_IMAGES, once a release was deployed; the nodes
#
# What is set here is used by the scripts.
# shellcheck disable=SC2034

services=(api web)
declare -A port=([api]=8401 [web]=8402)
beside=100 # a new version is tried on a port so much higher, before it takes the place of the old one

fail() {
    rigger-log error "$1"
    exit 1
}

# The image of a service: of the release that was deployed last, or else of the configuration; "none" runs none.
image_of() { # SERVICE
    local name=IMAGE_${1^^} image=''
    if [[ ${RIGGER_IMAGES-} ]]; then
        image=$("$RIGGER_PYTHON" -c 'import json, sys; print(json.load(open(sys.argv[1])).get(sys.argv[2], ""))' \
            "$RIGGER_IMAGES" "$1")
    fi
    printf '%s\n' "${image:-${!name:-none}}"
}

# The version in an image: its tag, localhost/api:1.1 or localhost/api:1.1@sha256:...
version_of() { # IMAGE
    local image=${1%%@*}
    printf '%s\n' "${image##*:}"
}

# The program of an image. The folder images/ stands for a registry: an image is one file.
program_of() { # SERVICE IMAGE
    local program
    program=$RIGGER_MODULE_DIR/images/$1/$(version_of "$2").py
    [[ -f $program ]] || fail "there is no image $2: $program is missing"
    printf '%s\n' "$program"
}

# Sets nodes (names) and, by name, address and offset (what is added to every port there).
read_nodes() {
    local name where _private more
    nodes=()
    declare -gA address=() offset=()
    while IFS=$'\t' read -r name where _private more; do
        nodes+=("$name")
        address[$name]=$where offset[$name]=$more
    done < <(rigger-nodes table)
    ((${#nodes[@]})) || fail "there are no nodes; choose a provider that makes machines, such as local"
}

url_of() { # SERVICE NODE [MORE]
    local host=${address[$2]}
    if [[ $host == *:* ]]; then host="[$host]"; fi
    printf 'http://%s:%s\n' "$host" "$((${port[$1]} + ${offset[$2]} + ${3:-0}))"
}

# Waits until what runs there says that it is well, and is of that version; says what it says instead.
says() { # URL VERSION SECONDS
    "$RIGGER_PYTHON" -I "$RIGGER_MODULE_DIR/lib/ask.py" "$@"
}
