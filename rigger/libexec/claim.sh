# shellcheck shell=sh
# Summary: What is done on a node with a claim: who changed this cluster last, and whether somebody is at work on it now.
# Usage: sh -c "$(cat claim.sh)" claim VERB ID [ARGUMENT...], on the node
#
#     read                       say what is there
#     take SECONDS RUN [DEAD]    begin a run, unless another is under way; DEAD is one that has ended without saying so
#     renew SECONDS RUN          say that this run goes on
#     leave RUN CLAIM            end a run, and say how far it got
#     drop RUN                   end a run that changed nothing
#     clear                      take back what does not lie in a folder that the provider removes
#
# RUN and CLAIM are one line each. What is there is said in lines: `now EPOCH`, `claim CLAIM`, `run EPOCH RUN` (the node's
# clock; when that run must have said again that it goes on), and `taken` once the run is the caller's.
# Writes: claim and claim.run in the provider's folder for this environment, else in ~/.local/state/rigger/ID

verb=$1 id=$2
shift 2
umask 077
own=$HOME/.local/state/rigger/$id
folder=$own
for place in "/var/lib/rigger/$id" "$HOME/.local/share/rigger/$id"; do
    if [ -d "$place" ] && [ -w "$place" ]; then
        folder=$place
        break
    fi
done
now=$(date +%s)

line_of() {
    [ -f "$1" ] && head -c 16384 "$1" | { IFS= read -r line; printf '%s\n' "$line"; }
}

# Prints the run that is written down, without its time; false where there is none.
holder() {
    found=$(line_of "$folder/claim.run") && printf '%s\n' "${found#* }"
}

say() {
    printf 'now %s\n' "$now"
    for place in "$folder" "$own"; do
        if found=$(line_of "$place/claim"); then
            printf 'claim %s\n' "$found"
            break
        fi
    done
    found=$(line_of "$folder/claim.run") && printf 'run %s\n' "$found"
    return 0
}

# A file that is linked into its place has its content when others see it, and only one of two gets there.
place_run() { # SECONDS RUN
    printf '%s %s\n' "$((now + $1))" "$2" >"$folder/claim.$$" && ln "$folder/claim.$$" "$folder/claim.run" 2>/dev/null
    placed=$?
    rm -f "$folder/claim.$$"
    return "$placed"
}

# Of two that put the same dead run aside, the second moves the first one's, sees that, and puts it back.
set_aside() { # RUN
    mv "$folder/claim.run" "$folder/claim.dead.$$" 2>/dev/null || return 0
    found=$(line_of "$folder/claim.dead.$$")
    [ "${found#* }" = "$1" ] || ln "$folder/claim.dead.$$" "$folder/claim.run" 2>/dev/null
    rm -f "$folder/claim.dead.$$"
}

case $verb in
    read) say ;;
    take)
        mkdir -p "$folder" || exit 1
        [ ! "${3-}" ] || [ "$(holder)" != "$3" ] || set_aside "$3"
        if place_run "$1" "$2" || [ "$(holder)" = "$2" ]; then
            printf 'taken\n'
        fi
        say
        ;;
    renew)
        if [ "$(holder)" = "$2" ]; then
            printf '%s %s\n' "$((now + $1))" "$2" >"$folder/claim.$$" && mv -f "$folder/claim.$$" "$folder/claim.run" &&
                printf 'taken\n'
        fi
        say
        ;;
    leave)
        [ -d "$folder" ] || mkdir -p "$folder" || exit 1
        there=$(holder)
        if [ "${there:-$1}" = "$1" ]; then
            printf '%s\n' "$2" >"$folder/claim.$$" && mv -f "$folder/claim.$$" "$folder/claim" && printf 'taken\n'
            rm -f "$folder/claim.run"
            [ "$folder" = "$own" ] || rm -rf "$own"
        fi
        ;;
    drop) [ "$(holder)" != "$1" ] || rm -f "$folder/claim.run" ;;
    clear)
        rm -rf "$own"
        rmdir "${own%/*}" "${own%/*/*}" "${own%/*/*/*}" 2>/dev/null
        printf 'taken\n'
        ;;
esac
exit 0
