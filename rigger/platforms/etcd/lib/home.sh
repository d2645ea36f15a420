# shellcheck shell=sh
# Summary: Where this platform's files lie on a node: in the folder that a provider prepared, or in the user's home.
# Needs: environment, the number of the rigger environment
# Writes: nothing
#
# A prepared folder has a file machine, whose line `root self|sudo|no` says how root's work is done there, if at all.
# It is put in front of whatever runs on a node, and sets home, prepared (the folder, if any) and rights.
# shellcheck disable=SC2034,SC2154

home=$HOME/rigger-etcd prepared='' rights=no
for folder in "/var/lib/rigger/$environment" "$HOME/.local/share/rigger/$environment"; do
    if [ "$environment" ] && [ -f "$folder/machine" ]; then
        home=$folder/etcd prepared=$folder
        while read -r field value; do
            if [ "$field" = root ]; then rights=$value; fi
        done <"$folder/machine"
        break
    fi
done
