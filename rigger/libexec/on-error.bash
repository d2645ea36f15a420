# shellcheck shell=bash
# Summary: Every bash that a step starts reads this first (BASH_ENV): it notes where a script ends because of set -e.
# An ERR trap, and no trace: xtrace runs for every command, changes $- and what a script's own set -x prints, and would
# carry expanded secrets; this runs once, for the command that fails. A script that sets an ERR trap of its own keeps it.
# errtrace lets functions and subshells have the trap as well; without a trap of the script's own it changes nothing.
if [ -n "${RIGGER_BASH_ENV-}" ]; then
    # shellcheck disable=SC1090  # what BASH_ENV was when rigger was started
    . "$RIGGER_BASH_ENV"
fi
if [ -n "${RIGGER_FAILED_AT-}" ]; then
    set -o errtrace
    trap 'case $- in *e*) { printf "%s\t%s\t%s\t%s\0" "$?" "${BASH_SOURCE[0]-}" "$LINENO" "$BASH_COMMAND" >>"$RIGGER_FAILED_AT"; } 2>/dev/null ;; esac' ERR
fi
if [ -n "${RIGGER_TRACE-}" ]; then # of the step's own script, and of none that it calls; -x would trace these lines too
    unset RIGGER_TRACE
    # shellcheck disable=SC2016,SC2034  # bash expands it, and takes none from the environment of root
    PS4='+ ${BASH_SOURCE##*/}:${LINENO}: '
    set -x
fi
