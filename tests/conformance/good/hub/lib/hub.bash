# shellcheck shell=bash
# What the scripts of the hub share.
mapfile -t all < <(rigger-nodes names)
first=${all[0]-}
on() { rigger-node "$@" </dev/null; }
