"""Read assignments as a shell would, without running anything."""

from __future__ import annotations

import re

from rigger.envfile import names as variable_names
from rigger.envfile import path as path_lines
from rigger.envfile.names import is_name
from rigger.errors import InvalidConfig

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import NoReturn


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


class Reader:
    """Reads what people write: any quoting, with or without `export`, comments, several on a line."""

    def __init__(self, text: str, source: str):
        self.data, self.source, self.position = text, source, 0
        self._quoted_from = 0  # where the last double quote stands that opened something
        self._values: dict[str, str] = {}
        self._space = re.compile(r"(?:[ \t]|\\\n)*(?:#[^\n]*)?")
        self._bare = re.compile(r"[^ \t\n\r;&|<>()$`\\\"']+")
        self._double = re.compile(r'[^\\"$`]+')

    def values(self) -> dict[str, str]:
        self._check_bytes()
        values = self._values
        for words in self._statements():
            for word in self._assignments(words, values):
                name, value = word.text.split("=", 1)
                if reason := variable_names.fault(name, value):
                    self._fail(word.position, f"{name} {reason}", "Change or remove it.")
                values[name] = value
        return values

    def _check_bytes(self) -> None:
        if self.data.startswith("\ufeff"):
            self._fail(0, "the file starts with a byte order mark", "Save it as UTF-8 without one.")
        if "\0" in self.data:
            self._fail(self.data.index("\0"), "a NUL byte", "Remove it: no shell can read it.")

    def _fail(self, position: int, reason: str, next_step: str) -> NoReturn:
        line = self.data.count("\n", 0, position) + 1
        raise InvalidConfig(f"{self.source}, line {line}: {reason}", next_step)

    def _stop(self, reason: str, next_step: str = _EVALUATED) -> NoReturn:
        self._fail(self.position, reason, next_step)

    def _statements(self) -> Iterator[list[_Word]]:
        words: list[_Word] = []
        while self._skip_space():
            if not words and self._is_for_shells():
                continue
            if self.data[self.position] not in "\n;":
                words.append(self._word())
                continue
            if self.data[self.position] == ";" and not words:
                self._stop("a ; with no assignment before it", _ASSIGN)
            self.position += 1
            yield words
            words = []
        yield words

    def _is_for_shells(self) -> bool:
        """Go behind a line that says what PATH a shell gains, if one begins here; every other `case` is refused."""
        line = path_lines.match(self.data, self.position)
        if line is None:
            return False
        self.position, folders = line
        if folders:
            self._values["PATH"] = folders
        return True

    def _skip_space(self) -> bool:
        """Go to the next word, ; or end of line; False at the end of the file."""
        space = self._space.match(self.data, self.position)
        assert space  # it matches nothing, too
        self.position = space.end()
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

    def _refuse(self, character: str) -> NoReturn:
        line = self.data.rfind("\n", 0, self.position) + 1
        # No line of rigger's own is wrong: what stands before it reaches into it.
        if path_lines.match(self.data, line):
            self._fail(self._quoted_from, "a double quote that is never closed", "Close it.")
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
        self._quoted_from = start
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
            assert match  # whatever is special has been taken care of
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
        if is_name(word.bare) and word.is_bare(word.bare):
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
        if name.endswith("+") and is_name(name[:-1]):
            self._fail(word.position, "an assignment with +=, which only a shell can evaluate", _EVALUATED)
        if not is_name(name):
            reason = "an array" if "[" in name else "something before the = that is not a name"
            self._fail(word.position, reason + "; only plain assignments are read", _ASSIGN)
        if word.finds("[=:]~"):
            self._fail(word.position, "an unquoted ~, which a shell makes a home folder", _EVALUATED)
        # zsh puts the path of the command `b` in for a==b and a=c:=b.
        if word.bare.startswith(f"{name}==") or word.finds(":="):
            self._fail(word.position, "an unquoted = that begins a value, which zsh evaluates", _EVALUATED)
