"""What makes a shell ask rigger at the Tab key: one script for each, which `rigger completion SHELL` prints."""

from __future__ import annotations

BASH = r"""# Completion of rigger for bash.
_rigger() {
    local line found=()
    COMPREPLY=()
    while IFS= read -r line; do
        if [[ $line == $'\001'files ]]; then
            compopt -o filenames
            while IFS= read -r line; do found+=("$line"); done < <(compgen -f -- "${COMP_WORDS[COMP_CWORD]}")
        elif [[ -n $line ]]; then
            [[ $line == *= ]] && compopt -o nospace
            printf -v line %q "$line"
            found+=("${line//\\=/=}")
        fi
    done < <("${COMP_WORDS[0]}" __complete bash -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
    COMPREPLY=("${found[@]}")
}
complete -F _rigger rigger
"""

ZSH = r"""#compdef rigger
# Completion of rigger for zsh.
_rigger() {
    local line value said files
    local -a values shown assignments
    for line in "${(@f)$("${(Q)words[1]}" __complete zsh -- "${(@Q)words[2,CURRENT]}" 2>/dev/null)}"; do
        value=${line%%$'\t'*} said=${line#*$'\t'}
        if [[ $value == $'\001'files ]]; then
            files=1
        elif [[ $value == *= ]]; then
            assignments+=("$value")
        elif [[ -n $value ]]; then
            values+=("$value")
            shown+=("$value${said:+  -- $said}")
        fi
    done
    (( $#values )) && compadd -l -d shown -a values
    (( $#assignments )) && compadd -S '' -a assignments
    [[ -n $files ]] && _files
    return 0
}
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit -u; }
compdef _rigger rigger
"""

FISH = r"""# Completion of rigger for fish.
function __rigger_complete
    set -l words (commandline -opc)
    set -l typed (commandline -ct)
    for line in (command $words[1] __complete fish -- $words[2..-1] "$typed" 2>/dev/null)
        if string match -q \1files\* -- $line
            __fish_complete_path "$typed"
        else
            echo $line
        end
    end
end
complete -c rigger -f -a '(__rigger_complete)'
"""

SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH}
