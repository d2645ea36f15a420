"""Which names and values a variable may have."""

from __future__ import annotations

import re

from rigger import text as texts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

# Linux gives one string of the environment 32 pages (MAX_ARG_STRLEN in linux/binfmts.h), its NUL included.
LONGEST_STRING = 131072

# Worked out anew on every machine: a file and a script's output may hold them, and whoever reads those
# decides what of them counts.
SHELL_NAMES = "RIGGER_SHELL_NAMES"  # what a shell has from the files that it sourced
NODE_ADDRESSES = "RIGGER_NODE_ADDRESSES"  # with commas between them: what no proxy is asked for
MANAGED = frozenset({"PATH", "ORIGINAL_PATH", SHELL_NAMES, NODE_ADDRESSES})

_LOADER = "is read by the dynamic loader or the C library of every program"
_STARTUP = "makes a shell or an interpreter run or load something when it starts"
_TOOL = "changes what other programs run or where they load code and settings from"
_SPECIAL = "means something special to a shell and does not keep the value it is given"
_SHELL = "changes how a shell works"
_LOCALE = "changes how a shell reads the bytes that follow"
_SESSION = "belongs to the user's session"
_OWN = "is set by rigger itself"

# Reason -> names and, with a star at the end, beginnings of names. Which ones a shell changes or refuses was
# found out by sourcing each with bash, dash, zsh and busybox (see tests/test_envfile.py).
_REFUSED = {
    _LOADER: "LD_* DYLD_* GCONV_PATH GETCONF_DIR GLIBC_TUNABLES HOSTALIASES LOCALDOMAIN LOCPATH "
    "MALLOC_* NLSPATH RES_OPTIONS RESOLV_*",
    _STARTUP: "BASH_* BASHOPTS CLASSPATH ENV IFS JAVA_TOOL_OPTIONS JDK_JAVA_OPTIONS _JAVA_OPTIONS LUA_* "
    "NODE_OPTIONS NODE_PATH PERL5* PERLLIB PERL_* PHPRC PHP_INI_SCAN_DIR PROMPT_COMMAND "
    "PYTHON* RUBYLIB RUBYOPT SHELLOPTS ZDOTDIR",
    _TOOL: "BROWSER CURL_HOME EDITOR FCEDIT GIT_* INPUTRC LESSCLOSE LESSOPEN MAKEFILES MAKEFLAGS "
    "MANPAGER OPENSSL_CONF OPENSSL_ENGINES OPENSSL_MODULES PAGER PIP_* SSH_ASKPASS "
    "SUDO_ASKPASS TF_CLI_* VISUAL WGETRC XDG_*",
    _SPECIAL: "_ ARGC BASH BASHPID COLUMNS COMP_WORDBREAKS CPUTYPE DIRSTACK EGID EPOCHREALTIME "
    "EPOCHSECONDS ERRNO EUID FUNCNAME FUNCNEST GID GROUPS KEYBOARD_HACK KEYTIMEOUT LINENO "
    "LINES LISTMAX MACHTYPE MAILCHECK OPTARG OPTERR OPTIND OSTYPE PPID RANDOM SAVEHIST "
    "SECONDS SRANDOM TRY_BLOCK_ERROR TRY_BLOCK_INTERRUPT TTY TTYIDLE UID USERNAME VENDOR "
    "WATCH ZLE_RPROMPT_INDENT ZSH_* aliases argv builtins cdpath commands dirstack dis_* "
    "fignore fpath funcfiletrace funcsourcetrace funcstack functions functions_source "
    "functrace galiases histchars history historywords jobdirs jobstates jobtexts keymaps "
    "mailpath manpath module_path modules nameddirs options parameters patchars path "
    "pipestatus prompt psvar reswords saliases signals status termcap terminfo userdirs "
    "usergroups watch widgets zsh_eval_context zsh_scheduled_events",
    _SHELL: "CDPATH FIGNORE FPATH GLOBIGNORE HIST* MAILPATH MODULE_PATH NULLCMD POSIXLY_CORRECT "
    "PROMPT PROMPT2 PROMPT3 PROMPT4 PS0 PS1 PS2 PS3 PS4 READNULLCMD RPROMPT RPROMPT2 RPS1 "
    "RPS2 SPROMPT STTY TMOUT",
    _LOCALE: "LANG LANGUAGE LC_*",
    _SESSION: "HOME LOGNAME OLDPWD PWD SHELL SHLVL TERM TMPDIR USER",
    _OWN: "RIGGER_*",
}


def _reasons() -> tuple[dict[str, str], tuple[tuple[str, str], ...]]:
    """The refused names, and the refused beginnings, each with its reason."""
    pairs = [(word, reason) for reason, words in _REFUSED.items() for word in words.split()]
    names = {word: reason for word, reason in pairs if not word.endswith("*")}
    return names, tuple((word[:-1], reason) for word, reason in pairs if word.endswith("*"))


_NAMES, _BEGINNINGS = _reasons()


def refused() -> tuple[frozenset[str], tuple[str, ...]]:
    """Return the names that no variable may have, and the beginnings of others."""
    return frozenset(_NAMES), tuple(beginning for beginning, _ in _BEGINNINGS)


# The questions that rigger itself asks: what an environment is. NAME is its name.
CORE = (
    "PLATFORM",
    "VERSION",
    "PROVIDER",
    "TYPE",
    "NAME",
    "REPOSITORY",
    "REF",
    "CHECKOUT",
    "PLATFORM_SOURCE",
    "MODULES",
)

# What an environment may say of rigger's own commands; no question asks for it, and no plan is made of it.
REQUIRE_REHEARSAL = "REQUIRE_REHEARSAL"  # how old the rehearsal may be without which no upgrade begins
SETTINGS = (REQUIRE_REHEARSAL,)


def is_core(name: str, values: Mapping[str, str]) -> bool:
    """Return whether rigger itself works by that value, which it has from no secret: a core answer, or PREFIX_ID and the like."""
    value, last = values[name], name.rpartition("_")[2]
    return (
        name in CORE
        or (last == "ID" and re.fullmatch("[0-9a-f]{10}", value) is not None)
        or (last == "VERSION" and value == values.get("VERSION"))
        or (last == "ROOT" and value.startswith("/"))
    )


def check_name(name: str) -> str | None:
    """The reason, a phrase for people, why a variable must not be named so; None when it may."""
    if not is_name(name):
        return "is not a name: letters, digits and _, not starting with a digit"
    if name in MANAGED:
        return "is computed on every machine"
    if name in _NAMES:
        return _NAMES[name]
    return next((reason for beginning, reason in _BEGINNINGS if name.startswith(beginning)), None)


def is_name(text: str) -> bool:
    return text.isascii() and text.isidentifier()


def check_value(name: str, value: str) -> str | None:
    """The reason why the value cannot be put into a process environment; None when it can."""
    if "\0" in value:
        return "holds a NUL byte, which no environment variable can"
    try:
        size = len(name) + len(texts.encode(value)) + 2
    except UnicodeEncodeError:
        return "holds half of a character (a lone surrogate)"
    if size > LONGEST_STRING:
        return f"is {size - LONGEST_STRING} bytes longer than an environment variable may be"
    return None


def fault(name: str, value: str) -> str | None:
    """The reason why a file must not hold this variable; `MANAGED` ones may stand in a file."""
    return (None if name in MANAGED else check_name(name)) or check_value(name, value)
