# shellcheck shell=bash
# Summary: What the scripts share: the services, their ports and versions.
# Needs: SHOP_PORT, IMAGE_CATALOGUE, IMAGE_BASKET, the nodes
# Writes: nothing

services=(catalogue basket)
node=$(rigger-nodes names | head -n 1)

port_of() { # SERVICE
    if [[ $1 = catalogue ]]; then echo "$SHOP_PORT"; else echo "$((SHOP_PORT + 1))"; fi
}

# version_of SERVICE: the tag of its image; nothing before the first deployment
version_of() {
    local variable=IMAGE_${1^^}
    local image=${!variable%%@*}
    if [[ $image != none ]]; then echo "${image##*:}"; fi
}
