"""The file of variables that a shell can source: read without running it, quoted, replaced atomically."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress

from rigger.errors import InvalidConfig, not_written

# Linux gives one string of the environment 32 pages (MAX_ARG_STRLEN in linux/binfmts.h), its NUL included.
LONGEST_STRING = 131072

# Worked out anew on every machine: a file and a script's output may hold them, and whoever reads those
# decides what of them counts.
MANAGED = frozenset({"PATH", "ORIGINAL_PATH"})

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

# Compiled when they are first used, for the sake of commands that read no file.
_WRITTEN = r'export ([A-Za-z_][A-Za-z0-9_]*)="([^\\"$`]*(?:\\[\\"$`][^\\"$`]*)*)"\n'
_ESCAPED = r'\\([\\"$`])'
_SPECIAL_IN_QUOTES = r'([\\"$`])'


def _reasons() -> tuple[dict[str, str], tuple[tuple[str, str], ...]]:
    """The refused names, and the refused beginnings, each with its reason."""
    pairs = [(word, reason) for reason, words in _REFUSED.items() for word in words.split()]
    names = {word: reason for word, reason in pairs if not word.endswith("*")}
    return names, tuple((word[:-1], reason) for word, reason in pairs if word.endswith("*"))


_NAMES, _BEGINNINGS = _reasons()


def decode(data: bytes) -> str:
    """The text of any bytes; `encode` gives the same bytes back."""
    return data.decode("utf-8", "surrogateescape")


def encode(text: str) -> bytes:
    """The bytes of a text from `decode`; raises UnicodeEncodeError if a surrogate stands for no byte."""
    return text.encode("utf-8", "surrogateescape")


def check_name(name: str) -> str | None:
    """The reason, a phrase for people, why a variable must not be named so; None when it may."""
    if not _is_name(name):
        return "is not a name: letters, digits and _, not starting with a digit"
    if name in MANAGED:
        return "is worked out anew on every machine"
    if name in _NAMES:
        return _NAMES[name]
    return next((reason for beginning, reason in _BEGINNINGS if name.startswith(beginning)), None)


def _is_name(text: str) -> bool:
    return text.isascii() and text.isidentifier()


def check_value(name: str, value: str) -> str | None:
    """The reason why the value cannot be put into a process environment; None when it can."""
    if "\0" in value:
        return "holds a NUL byte, which no environment variable can"
    try:
        size = len(name) + len(encode(value)) + 2
    except UnicodeEncodeError:
        return "holds half of a character (a lone surrogate)"
    if size > LONGEST_STRING:
        return f"is {size - LONGEST_STRING} bytes longer than an environment variable may be"
    return None


def quote(value: str) -> str:
    """The value in double quotes, read back exactly by every POSIX shell."""
    return '"' + re.sub(_SPECIAL_IN_QUOTES, r"\\\1", value) + '"'


def render(values: Mapping[str, str]) -> bytes:
    """The file for these values, sorted; raises InvalidConfig for what `parse` would not read back."""
    for name, value in values.items():
        if reason := _fault(name, value):
            raise InvalidConfig(
                f"The variable {name!a} cannot be saved: it {reason}", "Give it another name or value."
            )
    return encode("".join(f"export {name}={quote(value)}\n" for name, value in sorted(values.items())))


def _fault(name: str, value: str) -> str | None:
    """The reason why a file must not hold this variable; `MANAGED` ones may stand in a file."""
    return (None if name in MANAGED else check_name(name)) or check_value(name, value)


def read(path: str) -> dict[str, str]:
    """The values in a file, none if it is missing; raises InvalidConfig if it cannot be understood."""
    try:
        with open(path, "rb") as file:
            data = file.read()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise InvalidConfig(
            f"Cannot read {path}: {error.strerror}", "Check that it is a file and that you may read it."
        ) from error
    return parse(data, path)


def write(path: str, values: Mapping[str, str]) -> None:
    """Replace the file by one with these values, mode 0600; raises InvalidConfig and keeps it on failure."""
    write_bytes(path, render(values))


def write_bytes(path: str, data: bytes, mode: int = 0o600, durable: bool = True) -> None:
    """Replace a file in one step, so that it holds all of the data or is as it was; raises InvalidConfig.

    With `durable` it is on the disk when this returns; a report, which nothing depends on, need not wait for that.
    """
    try:
        _replace(os.path.realpath(path), data, mode, durable)
    except OSError as error:
        raise not_written(
            error,
            f"Cannot write {path}: {error.strerror}",
            "Make room on the disk, or check who may write there, and try again.",
        ) from error


def _replace(target: str, data: bytes, mode: int, durable: bool) -> None:
    folder, base = os.path.split(target)
    # Opened first: a folder that cannot be opened must be noticed while the old file is still there.
    folder_fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        temporary = os.path.join(folder, f".{base[:200]}.{os.urandom(6).hex()}.tmp")
        try:
            _write_new(temporary, data, mode, durable)
            os.replace(temporary, target)
        except BaseException:
            _remove(temporary)
            raise
        if durable:
            os.fsync(folder_fd)
    finally:
        os.close(folder_fd)


def _write_new(path: str, data: bytes, mode: int, durable: bool) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(fd, rest) :]
        os.fchmod(fd, mode)
        if durable:
            os.fsync(fd)
    finally:
        os.close(fd)


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass


def parse(data: bytes, source: str) -> dict[str, str]:
    """The values that plain assignments in the file give, as a POSIX shell would read them.

    Raises InvalidConfig, with the line, for whatever only a shell could work out and for a name or value that
    `check_name` or `check_value` objects to. `source` is what the file is called in the message.
    """
    text = decode(data)
    values = _parse_written(text)
    return _Reader(text, source).values() if values is None else values


def readable(data: bytes) -> dict[str, str]:
    """The values in those lines of a damaged file that can be understood by themselves."""
    values: dict[str, str] = {}
    for line in data.split(b"\n"):
        with suppress(InvalidConfig):
            values |= parse(line + b"\n", "")
    return values


def _parse_written(text: str) -> dict[str, str] | None:
    """The values of a file that rigger wrote; None if its form was changed or something in it is wrong."""
    values, position, statement = {}, 0, re.compile(_WRITTEN)
    while match := statement.match(text, position):
        name, value = match[1], match[2]
        values[name] = re.sub(_ESCAPED, r"\1", value) if "\\" in value else value
        if _fault(name, values[name]):
            return None
        position = match.end()
    return values if position == len(text) else None


class _Word:
    """One word of a statement: its text in pieces, each with whether it was quoted."""

    def __init__(self, position: int):
        self.position = position
        self.pieces: list[tuple[str, bool]] = []

    def add(self, text: str, quoted: bool) -> None:
        if self.pieces and self.pieces[-1][1] == quoted:
            text = self.pieces.pop()[0] + text
        self.pieces.append((text, quoted))

    @property
    def bare(self) -> str:
        """What stands before the first quote."""
        return "" if not self.pieces or self.pieces[0][1] else self.pieces[0][0]

    @property
    def text(self) -> str:
        return "".join(text for text, _ in self.pieces)

    def is_bare(self, text: str) -> bool:
        return self.pieces == [(text, False)]

    def finds(self, pattern: str) -> bool:
        """Whether an unquoted piece, with the character before it, matches the pattern."""
        before = ""
        for text, quoted in self.pieces:
            if not quoted and re.search(pattern, before + text):
                return True
            before = text[-1:] or before
        return False


_EVALUATED = "Write the value itself, in single quotes if it has special characters."
_ASSIGN = "Write one assignment a line, such as NAME='value', and nothing else."
_OPERATORS = {
    "&": "runs something in the background",
    "|": "is a pipe",
    "<": "is a redirection",
    ">": "is a redirection",
    "(": "starts an array or a subshell",
    ")": "closes nothing",
}


class _Reader:
    """Reads what people write: any quoting, with or without `export`, comments, several on a line."""

    def __init__(self, text: str, source: str):
        self.data, self.source, self.position = text, source, 0
        self._space = re.compile(r"(?:[ \t]|\\\n)*(?:#[^\n]*)?")
        self._bare = re.compile(r"[^ \t\n\r;&|<>()$`\\\"']+")
        self._double = re.compile(r'[^\\"$`]+')

    def values(self) -> dict[str, str]:
        self._check_bytes()
        values: dict[str, str] = {}
        for words in self._statements():
            for word in self._assignments(words, values):
                name, value = word.text.split("=", 1)
                if reason := _fault(name, value):
                    self._fail(word.position, f"{name} {reason}", "Change or remove it.")
                values[name] = value
        return values

    def _check_bytes(self) -> None:
        if self.data.startswith("\ufeff"):
            self._fail(0, "the file starts with a byte order mark", "Save it as UTF-8 without one.")
        if "\0" in self.data:
            self._fail(self.data.index("\0"), "a NUL byte", "Remove it: no shell can read it.")

    def _fail(self, position: int, reason: str, next_step: str):
        line = self.data.count("\n", 0, position) + 1
        raise InvalidConfig(f"{self.source}, line {line}: {reason}", next_step)

    def _stop(self, reason: str, next_step: str = _EVALUATED):
        self._fail(self.position, reason, next_step)

    def _statements(self) -> Iterator[list[_Word]]:
        words: list[_Word] = []
        while self._skip_space():
            if self.data[self.position] not in "\n;":
                words.append(self._word())
                continue
            if self.data[self.position] == ";" and not words:
                self._stop("a ; with no assignment before it", _ASSIGN)
            self.position += 1
            yield words
            words = []
        yield words

    def _skip_space(self) -> bool:
        """Go to the next word, ; or end of line; False at the end of the file."""
        self.position = self._space.match(self.data, self.position).end()
        return self.position < len(self.data)

    def _word(self) -> _Word:
        word = _Word(self.position)
        while self.position < len(self.data) and self.data[self.position] not in " \t\n;":
            self._piece(word, self.data[self.position])
        return word

    def _piece(self, word: _Word, character: str) -> None:
        if match := self._bare.match(self.data, self.position):
            word.add(match[0], False)
            self.position = match.end()
        elif character == "\\":
            self._read_escape(word)
        elif character == "'":
            self._read_single(word)
        elif character == '"':
            self._read_double(word)
        else:
            self._refuse(character)

    def _refuse(self, character: str) -> None:
        if character == "\r":
            self._stop("a carriage return outside of quotes", "Save the file with Unix line ends (LF alone).")
        if character in _OPERATORS:
            self._stop(f"an unquoted {character}, which {_OPERATORS[character]}")
        self._stop(f"an unescaped {character}, which only a shell can evaluate")

    def _read_escape(self, word: _Word) -> None:
        escaped = self.data[self.position + 1 : self.position + 2]
        if not escaped:
            self._stop("a backslash with nothing after it", "Remove it, or write the value in single quotes.")
        if escaped != "\n":
            word.add(escaped, True)
        self.position += 2

    def _read_single(self, word: _Word) -> None:
        end = self.data.find("'", self.position + 1)
        if end < 0:
            self._stop("a single quote that is never closed", "Close it.")
        word.add(self.data[self.position + 1 : end], True)
        self.position = end + 1

    def _read_double(self, word: _Word) -> None:
        start, self.position, parts = self.position, self.position + 1, []
        while (character := self.data[self.position : self.position + 1]) != '"':
            if not character:
                self._fail(start, "a double quote that is never closed", "Close it.")
            if character in "$`":
                self._refuse(character)
            parts.append(self._read_double_piece(character))
        word.add("".join(parts), True)
        self.position += 1

    def _read_double_piece(self, character: str) -> str:
        if character != "\\":
            match = self._double.match(self.data, self.position)
            self.position = match.end()
            return match[0]
        escaped = self.data[self.position + 1 : self.position + 2]
        self.position += 1 + len(escaped)
        if escaped == "\n":
            return ""
        return escaped if escaped and escaped in '\\"$`' else character + escaped

    def _assignments(self, words: list[_Word], known: Mapping[str, str]) -> list[_Word]:
        """The words that assign; raises InvalidConfig if the statement does anything else."""
        exported = self._after_export(words)
        if exported is None:
            for word in words:
                self._check_assignment(word)
            return words
        assigned = set(known)
        return [word for word in exported if self._check_export(word, assigned)]

    def _after_export(self, words: list[_Word]) -> list[_Word] | None:
        """The words after `export` or `declare -x`; None for any other statement."""
        if not words or not (words[0].is_bare("export") or words[0].is_bare("declare")):
            return None
        start = 1
        if words[0].bare == "declare":
            if len(words) < 2 or not words[1].is_bare("-x"):
                self._fail(words[0].position, "a declare that is not declare -x NAME=value", _ASSIGN)
            start = 2
        if len(words) == start:
            self._fail(words[0].position, f"{words[0].bare} without a name", _ASSIGN)
        return words[start:]

    def _check_export(self, word: _Word, assigned: set[str]) -> bool:
        """Whether the word assigns; an exported name alone must have its value already."""
        if _is_name(word.bare) and word.is_bare(word.bare):
            if word.bare not in assigned:
                self._fail(word.position, f"{word.bare} is exported but was given no value", _ASSIGN)
            return False
        self._check_assignment(word)
        # bash makes several words of a{b,c} here, though not in an assignment that stands alone.
        if word.finds("{"):
            self._fail(word.position, "an unquoted {, which shells read differently", _EVALUATED)
        assigned.add(word.bare.split("=")[0])
        return True

    def _check_assignment(self, word: _Word) -> None:
        name, equals, _ = word.bare.partition("=")
        if not equals:
            self._fail(word.position, "a command, or a value with an unquoted space", _ASSIGN)
        if name.endswith("+") and _is_name(name[:-1]):
            self._fail(word.position, "an assignment with +=, which only a shell can evaluate", _EVALUATED)
        if not _is_name(name):
            reason = "an array" if "[" in name else "something before the = that is not a name"
            self._fail(word.position, reason + "; only plain assignments are read", _ASSIGN)
        if word.finds("[=:]~"):
            self._fail(word.position, "an unquoted ~, which a shell makes a home folder", _EVALUATED)
        # zsh puts the path of the command `b` in for a==b and a=c:=b.
        if word.bare.startswith(f"{name}==") or word.finds(":="):
            self._fail(word.position, "an unquoted = that begins a value, which zsh evaluates", _EVALUATED)


def parse_output(data: bytes, source: str) -> tuple[dict[str, str], list[str]]:
    """The values a script gave as KEY=VALUE lines or KEY<<END blocks, and sentences about the others.

    The format is the one of GitHub Actions' environment files. A block's value has no last newline. The
    sentences name the line and never hold any part of a value.
    """
    values: dict[str, str] = {}
    bad: list[str] = []
    for line, name, value, problem in _output_entries(data):
        if problem is None and (reason := _fault(name, value)):
            # What is no name may be a part of a secret that has several lines.
            problem = f"{name if _is_name(name) else 'what stands before the = or <<'} {reason}"
        if problem is None:
            values[name] = value
        else:
            bad.append(f"{source}, line {line}: {problem}")
    return values, bad


def _output_entries(data: bytes) -> Iterator[tuple[int, str, str, str | None]]:
    """Each entry's line number, name, value, and what is wrong with its form."""
    lines = data.split(b"\n")
    number = 0
    while number < len(lines):
        line, start = lines[number], number + 1
        number += 1
        if not line.strip():
            continue
        name, sign, rest = re.match(rb"(?s)(.*?)(=|<<|\Z)(.*)", line).groups()
        if sign == b"<<":
            number, value, problem = _block(lines, number, rest)
            yield start, decode(name), value, problem
        else:
            yield start, decode(name), decode(rest), None if sign else "neither KEY=VALUE nor KEY<<END"


def _block(lines: list[bytes], start: int, end: bytes) -> tuple[int, str, str | None]:
    """Where the block that begins at line `start` is over, its value, and what is wrong with it."""
    if not end:
        return start, "", "no word after << that would close the block"
    try:
        close = lines.index(end, start)
    except ValueError:
        return len(lines), "", "a block that is never closed"
    return close + 1, decode(b"\n".join(lines[start:close])), None
