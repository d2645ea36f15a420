# shellcheck shell=sh
# Summary: The folder that a provider prepared for this environment on a node, if it did, and whose rights may be used there.
# Usage: put in front of what runs on a node; "rigger-service prepared" prints it with what it needs
# Needs: environment, the number of the rigger environment
# Writes: nothing; sets prepared (the folder, or nothing) and rights
#
# A prepared folder has a file machine, whose line `root self|sudo|no` says how root's work is done there, if at all.
# shellcheck disable=SC2034,SC2154

prepared='' rights=''
for folder in "/var/lib/rigger/$environment" "$HOME/.local/share/rigger/$environment"; do
    if [ "$environment" ] && [ -f "$folder/machine" ]; then
        prepared=$folder
        while read -r field value; do
            if [ "$field" = root ]; then rights=$value; fi
        done <"$folder/machine"
        break
    fi
done
