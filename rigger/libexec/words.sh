# shellcheck shell=sh
# Summary: How a command's words travel to a node, and how what its login shell prints is kept out of the command's
#          output. sshd gives one line to the login shell, which may be any: sh, csh, fish.
# Needs: nothing. Sets `line`, what the login shell is given.

begins='rigger-node: the output of the command begins'
not_begun=97 # the exit code of past_greeting when that line never came

# The line has only what every login shell takes as it stands between single quotes: no quote, no backslash, no `!` (csh)
# and no end of line (csh). Words with others travel as printf's %b reads them. `/bin/sh` tells of a signal by an exit code,
# where sshd would say 255.
# shellcheck disable=SC2016 # the node's shell expands it
quote() { # bare|marked WORD...
    line='"$@"; exit $?'
    [ "$1" = bare ] || line="echo; echo \"$begins\"; $line"
    shift
    decode=
    words=
    for word; do
        case $word in
            *[!\ -~]* | *[\'\\!]*)
                decode='for w do shift; w=$(printf "%b." "$w"); set -- "$@" "${w%.}"; done; '
                break
                ;;
        esac
    done
    for word; do
        [ ! "$decode" ] || encode
        words="$words '$word'"
    done
    line="/bin/sh -c '$decode$line' rigger-node$words"
}

# A dot stands behind the word, so that no shell takes line ends from it. awk knows bytes alone in this locale.
encode() {
    case $word in
        *[!\ -~]* | *[\'\\!]*)
            word=$(printf '%s.' "$word" | LC_ALL=C awk '
                BEGIN {
                    for (i = 1; i < 256; i++) {
                        c = sprintf("%c", i)
                        code[c] = i < 32 || i > 126 || index("\047\\!", c) ? sprintf("\\0%03o", i) : c
                    }
                }
                NR > 1 { printf "%s", code["\n"] }
                { for (i = 1; i <= length($0); i++) printf "%s", code[substr($0, i, 1)] }')
            word=${word%.}
            ;;
    esac
}

# Let through what a command prints, byte for byte, and nothing that the login shell printed before. Where the command
# never began, what was printed says why.
past_greeting() { # the rest of a pipe, and a shell of its own
    greeting=
    while IFS= read -r printed; do
        [ "$printed" != "$begins" ] || exec cat
        greeting="$greeting$printed
"
    done
    printf %s "$greeting$printed" >&2
    exit "$not_begun"
}
