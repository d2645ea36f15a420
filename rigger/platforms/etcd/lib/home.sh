# shellcheck shell=sh
# Summary: Where this platform's files lie on a node: in the folder that a provider prepared, or in the user's home.
# Needs: what `rigger-service prepared` prints, in front of it
# Writes: nothing
#
# It is put in front of whatever runs on a node, and sets home.
# shellcheck disable=SC2034,SC2154

home=$HOME/rigger-etcd
if [ "$prepared" ]; then home=$prepared/etcd; fi
