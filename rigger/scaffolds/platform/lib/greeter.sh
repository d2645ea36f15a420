# shellcheck shell=bash
# Summary: What the scripts share: the greeter on a node, its start, and what it should say.
# Needs: SCAFFOLD_PREFIX_VERSION, SCAFFOLD_PREFIX_GREETING
# Writes: nothing by itself

fail() {
    rigger-log error "$1"
    exit 1
}

greeting_of() { # NODE
    printf '%s from %s, version %s' "$SCAFFOLD_PREFIX_GREETING" "$1" "$SCAFFOLD_PREFIX_VERSION"
}

# The program is kept running as a service: it comes back when it dies, and where systemd runs also after a reboot. One that
# runs as it should is left alone, and one that is to run in another way is started anew: so this can be repeated.
start() { # NODE
    rigger-node "$1" mkdir -p SCAFFOLD_NAME
    rigger-node-copy "$RIGGER_MODULE_DIR/lib/greeter" "$1:SCAFFOLD_NAME/greeter"
    rigger-service start "$1" greeter --folder SCAFFOLD_NAME --env NODE="$1" --env VERSION="$SCAFFOLD_PREFIX_VERSION" \
        --env GREETING="$SCAFFOLD_PREFIX_GREETING" -- ./greeter
    for _ in {1..40}; do
        if [[ $(rigger-node "$1" cat SCAFFOLD_NAME/said 2>/dev/null) == "$(greeting_of "$1")" ]]; then return; fi
        sleep 0.25
    done
    fail "$1 does not greet: $(rigger-service logs "$1" greeter 1)"
}
