# What the scripts share: which members there should be, and where they are written down.
# shellcheck shell=bash

file="$RIGGER_STATE_DIR/members" # a folder of its own, kept as long as the environment

wanted() {
    rigger-nodes names | tr ' ' '\n' | awk -v size="$SIZE" '$0 && NR <= size'
}

has() {
    [[ ! -e $file ]] || cat "$file"
}
