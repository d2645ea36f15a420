# shellcheck shell=bash
# Summary: The shell functions of interface 1, for config.sh and for scripts that bash sources.
# Usage: prompt TEXT VAR [DEFAULT]                    text
#        password-prompt TEXT VAR [DEFAULT]           hidden, and kept among the secrets
#        choice-prompt TEXT OPTIONS[@] DEFAULT VAR    VAR gets the number of the choice, from 1; DEFAULT is one, too
#        ssh-private-key-prompt TEXT VAR [DEFAULT]    VAR gets the file of a private key
#        ssh-fingerprint FILE                         MD5 in hex and colons, as clouds list their keys
#        rerun_log [LEVEL] TEXT                       as rigger-log
#        rigger-save-vars, rigger-save-secrets        as the programs, also for variables that are not exported
# Needs: in config.sh, _rigger_to and _rigger_from: descriptors that lead to rigger, which asks.

# A variable of any other name could be the one that somebody asks for.
: "${_rigger_to=}" "${_rigger_from=}"
_rigger_libexec=${BASH_SOURCE[0]%/*/*}

_rigger_fail() {
    printf 'error: %s\n' "$1" >&2
    exit 2
}

# Every message is the number of its fields, then the fields, each closed by a NUL.
_rigger_tell() {
    printf '%s\0' "$#" "$@" >&"$_rigger_to"
}

_rigger_question() {
    case ${3-} in
        # Letters one by one: what a-z means depends on the locale.
        '' | [0123456789]* | *[!ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_]*)
            _rigger_fail "$1: '${3-}' is not a variable's name"
            ;;
    esac
    if [[ -z ${_rigger_to-} ]]; then
        [[ -n ${!3+set} ]] || _rigger_fail "$1: $3 is not set, and a step cannot ask for it"
        return 0
    fi
    local _rigger_verdict='' _rigger_answer=''
    _rigger_tell question "$2" "$3" "${!3+set}" "${!3-}" "${@:4}"
    IFS= builtin read -r -d '' -u "$_rigger_from" _rigger_verdict || exit 1
    IFS= builtin read -r -d '' -u "$_rigger_from" _rigger_answer || exit 1
    [[ $_rigger_verdict != keep ]] || return 0
    printf -v "$3" %s "$_rigger_answer"
    # shellcheck disable=SC2163 # the variable that is named
    export "$3"
}

prompt() {
    _rigger_question prompt text "${2-}" "${1-}" "${3-}"
}

password-prompt() {
    _rigger_question password-prompt secret "${2-}" "${1-}" "${3-}"
}

choice-prompt() {
    local _rigger_list=${2-}
    [[ $_rigger_list == *'[@]' ]] || _rigger_list+='[@]'
    _rigger_question choice-prompt select "${4-answer}" "${1-}" "${3:-1}" "${!_rigger_list}"
}

ssh-private-key-prompt() {
    _rigger_question ssh-private-key-prompt ssh-key "${2-SSH_PRIVATE_KEY_FILE}" \
        "${1-Which private SSH key should be used?}" "${3-}"
}

ssh-fingerprint() {
    local _rigger_line
    _rigger_line=$(ssh-keygen -E md5 -lf "${1-}") || return
    _rigger_line=${_rigger_line#* }
    _rigger_line=${_rigger_line%% *}
    printf '%s\n' "${_rigger_line#MD5:}"
}

rerun_log() {
    "$_rigger_libexec/rigger-log" "$@"
}

# Sourced in a subshell, the programs see variables that are not exported, and cannot leave anything behind.
rigger-save-vars() (
    BASH_ARGV0=rigger-save-vars
    # shellcheck source=/dev/null
    . "$_rigger_libexec/rigger-save-vars"
)

rigger-save-secrets() (
    BASH_ARGV0=rigger-save-secrets
    # shellcheck disable=SC2034 # the program reads it
    RIGGER_OUTPUT=${RIGGER_SECRETS_OUTPUT-}
    # shellcheck source=/dev/null
    . "$_rigger_libexec/rigger-save-vars"
)

# Nobody is there to be read from: an endless loop of questions would be worse than an end.
read() {
    if [[ /dev/stdin -ef /dev/null && " $* " != *' -u'* ]]; then
        _rigger_fail "${BASH_SOURCE[1]##*/} reads an answer, and there is no terminal to read it from"
    fi
    if [[ -t 0 ]] && ! _rigger_reads_unseen "$@"; then
        stty echo # rigger has it off, so that nobody sees what is typed before a prompt that hides it
        # shellcheck disable=SC2162 # as the script has it
        builtin read "$@"
        set -- "$?"
        stty -echo
        return "$1"
    fi
    # shellcheck disable=SC2162
    builtin read "$@"
}

_rigger_reads_unseen() {
    local _rigger_word
    for _rigger_word; do
        case $_rigger_word in
            -*[!abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ]*) ;;
            -*s*) return 0 ;;
        esac
    done
    return 1
}
