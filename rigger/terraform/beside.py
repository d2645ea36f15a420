"""What .tf files name that does not come along when they are copied: modules and files beside and above their folder.

Those stay where they are, and the copies name them there. Terraform's own words are all there is to tell them by:
"${path.module}/../pots.tpl" and "../shared/pots"; see its docs of module sources and of file functions.
"""

from __future__ import annotations

import os
import re

from rigger import text as texts
from rigger.modules.scripts import content_digest
from rigger.sha256 import sha256
from rigger.terraform.hcl import LOADED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

_NAMED = re.compile(
    r'(?P<before>(?<!\$)\$\{path\.(?P<where>module|root|cwd)\}/)(?P<path>[^"$%\n\\]*)(?P<after>["$%\\]?)'
    r'|(?P<quote>"(?=\.\.?/))(?P<bare>[^"$%\n\\]*)(?P<end>["$%\\]?)'
)
_MODULE = re.compile(r'^\s*module\s+"[^"\n]+"\s*\{[^{}]*?\bsource\s*=\s*"(\.\.?/[^"\n]*)"', re.M)


class Copied:
    """The files of a module's folder that are copied, and how each is to read in the folder that they are copied into."""

    def __init__(self, folder: str, names: Collection[str], into: str):
        self.folder = os.path.realpath(folder)
        self.into = os.path.realpath(into)
        self.names = frozenset(names)

    def text(self, name: str) -> bytes | None:
        """Return what a copy has to say, None where it says what the file says."""
        if not LOADED.fullmatch(os.path.basename(name)):
            return None
        with open(os.path.join(self.folder, name), "rb") as file:
            before = texts.decode(file.read())
        after = _NAMED.sub(self._replacer(os.path.dirname(name)), before)
        return texts.encode(after) if after != before else None

    def _replacer(self, part: str) -> Callable[[re.Match[str]], str]:
        return lambda match: self._bare(match, part) if match["quote"] else self._from_path(match, part)

    def _from_path(self, match: re.Match[str], part: str) -> str:
        base = part if match["where"] == "module" else ""
        path = self._left_behind(base, match["path"], match["after"])
        if path is None:
            return match[0]
        return _quoted(path[0]) + match["path"][path[1] :] + match["after"]

    def _bare(self, match: re.Match[str], part: str) -> str:
        """Return a string that begins with a dot: a module's source is meant from its file, a file from the root."""
        source = self._left_behind(part, match["bare"], match["end"])
        if source and _is_module(source[0]):
            here = os.path.join(self.into, part)
            return '"' + _quoted(os.path.relpath(source[0], here)) + match["end"]
        path = self._left_behind("", match["bare"], match["end"])
        return f'"{_quoted(path[0])}{match["bare"][path[1] :]}{match["end"]}' if path else match[0]

    def _left_behind(self, part: str, path: str, end: str) -> tuple[str, int] | None:
        """Return where something lies that is there and is not copied, and how much of the words names it."""
        for words in _whole(path, end):
            lexical = os.path.normpath(os.path.join(self.folder, part, words))
            inner = os.path.relpath(lexical, self.folder)
            if not os.path.exists(lexical):
                continue
            if not inner.startswith(".."):
                if inner in self.names or os.path.isdir(lexical):
                    return None
            slash = "/" if words.endswith("/") else ""
            return os.path.realpath(lexical) + slash, len(words)
        return None

    def missing(self) -> Iterator[str]:
        """Give a sentence about each module in a folder beside or above that is not there."""
        for name in sorted(self.names):
            if not name.endswith((".tf", ".tofu")):
                continue
            with open(os.path.join(self.folder, name), encoding="utf-8", errors="replace") as file:
                text = file.read()
            for match in _MODULE.finditer(text):
                path = os.path.normpath(os.path.join(self.folder, os.path.dirname(name), match[1]))
                if not _is_module(path):
                    line = text.count("\n", 0, match.start(1)) + 1
                    yield f'{os.path.join(self.folder, name)}, line {line}: the module "{match[1]}" is not at {path}'


def digest_beside(folder: str) -> str:
    """Return a SHA-256, in hex, over what Terraform takes from outside of a module's folder; nothing where that is nothing."""
    total = sha256()
    for path in (found := beside(folder)):
        name = os.fsencode(os.path.relpath(path, os.path.realpath(folder)))
        total.update(name + b"\0" + content_digest(path).encode() + b"\n")
    return total.hexdigest() if found else ""


def beside(folder: str) -> list[str]:
    """Return the files outside of a module's folder that its .tf files name, and those that these name in their turn."""
    root = os.path.realpath(folder)
    inside = (os.path.join(parent, name) for parent, _, names in os.walk(root) for name in names)
    waiting = [path for path in inside if LOADED.fullmatch(os.path.basename(path))]
    found: set[str] = set()
    while waiting:
        for path in _named_in(waiting.pop(), root):
            if path not in found and os.path.relpath(path, root).startswith(os.pardir + os.sep):
                found.add(path)
                waiting += [path] if LOADED.fullmatch(os.path.basename(path)) else []
    return sorted(found)


def _named_in(path: str, root: str) -> Iterator[str]:
    """Give the files that a .tf file names, and those in the folders that it names: of a module, of templates."""
    with open(path, "rb") as file:
        text = texts.decode(file.read())
    for match in _NAMED.finditer(text):
        bases = {root} if match["where"] in ("root", "cwd") else {os.path.dirname(path), root}
        for base in bases:
            words = (match["bare"] or "", match["end"]) if match["quote"] else (match["path"], match["after"])
            for name in _whole(*words):
                yield from _plain_files(os.path.realpath(os.path.join(base, name)))


def _plain_files(path: str) -> list[str]:
    if not os.path.isdir(path):
        return [path] if os.path.isfile(path) else []
    return [entry.path for entry in os.scandir(path) if entry.is_file()]


def _whole(path: str, end: str) -> Iterator[str]:
    """Give what may name a file: all of it, the folder before what is worked out, the first word of a command."""
    if end in ("$", "%"):
        yield path[: path.rfind("/") + 1] or "./"
        return
    yield path
    word = re.split(r"[\s;&|'),]", path)[0]
    if word != path:
        yield word


def _is_module(folder: str) -> bool:
    try:
        return any(LOADED.fullmatch(name) for name in os.listdir(folder))
    except OSError:
        return False


def _quoted(path: str) -> str:
    escaped = path.replace("\\", "\\\\").replace('"', '\\"')
    return escaped.replace("${", "$${").replace("%{", "%%{")
