"""Which names a bundle may hold: ones that every system can keep, and no two that some system takes for one."""

from __future__ import annotations

import re

from rigger import text as texts
from rigger.bundles.format import MANIFEST, SIGNATURE, Limits

# --- names -------------------------------------------------------------------------------------------

PART_SIZE = 255  # bytes of one part of a name, as on most file systems
NAME_SIZE = 4096  # bytes of a name
DEPTH = 32  # parts of a name
_DEVICES = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³]) *(\.|:|$)", re.IGNORECASE)
# Control characters, and those that end a line for some programs or turn the direction of what follows.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def name_problem(name: str) -> str | None:
    """Why a bundle cannot have a member of this name; None when it can."""
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        return "its name is not UTF-8"
    if not name or name.startswith("/"):
        return "its name is absolute" if name else "its name is empty"
    if size > NAME_SIZE:
        return f"its name is longer than {NAME_SIZE} bytes"
    if "\\" in name:
        return "there is a backslash in its name"
    if _UNPRINTABLE.search(name):
        return "there is a control character in its name"
    parts = name.split("/")
    if len(parts) > DEPTH:
        return f"it is more than {DEPTH} folders deep"
    return next(filter(None, map(_part_problem, parts)), None)


def _part_problem(part: str) -> str | None:
    if part in ("", ".", ".."):
        return {"": "a part of its name is empty", ".": "there is a '.' in its name"}.get(
            part, "its name climbs with '..'"
        )
    if len(part.encode()) > PART_SIZE:
        return f"a part of its name is longer than {PART_SIZE} bytes"
    if part[-1] in ". ":
        return "a part of its name ends with a dot or a space"
    if _DEVICES.match(part):
        return "its name is a device's on Windows"
    return None


_Tree = dict[str, tuple[str, "_Tree | None"]]  # a folded part -> the part, and what lies below it


class Names:
    """The names so far, as a file system sees them that knows neither case nor Unicode's normal forms."""

    def __init__(self, limits: Limits):
        self._limits = limits
        self._tree: _Tree = {}
        self._count = self._size = 0

    def take(self, name: str) -> str | None:
        """Why this name cannot be added to the others; None when it was."""
        return name_problem(name) or self._too_many(name) or self._clash(name.split("/"))

    def _too_many(self, name: str) -> str | None:
        self._count += 1
        self._size += len(name.encode())
        if self._count > self._limits.count:
            return f"there are more than {self._limits.count} files"
        if self._size > self._limits.manifest:
            return f"all names together are longer than {self._limits.manifest} bytes"
        return None

    def _clash(self, parts: list[str]) -> str | None:
        *parents, base = parts
        tree, key = self._tree, _fold(base)
        if not parents and key in (MANIFEST, SIGNATURE):
            return "its name is the manifest's"
        for part in parents:
            taken, below = tree.setdefault(_fold(part), (part, {}))
            if taken != part or below is None:
                return _clashing(taken, part)
            tree = below
        if key in tree:
            taken, below = tree[key]
            return "it occurs twice" if taken == base and below is None else _clashing(taken, base)
        tree[key] = (base, None)
        return None


def _clashing(taken: str, part: str) -> str:
    if taken == part:
        return f"{shown_name(part)} is both a file and a folder"
    return f"{shown_name(part)} differs from {shown_name(taken)} only in case or in Unicode's normal form"


def _fold(part: str) -> str:
    if part.isascii():
        return part.lower()
    from unicodedata import normalize

    # The canonical caseless matching of the Unicode Standard, 3.13.
    return normalize("NFD", normalize("NFD", part).casefold())


def shown_name(name: str | bytes) -> str:
    """A name for a message: nothing in it can act on a terminal."""
    text = name if isinstance(name, str) else texts.decode(name)
    return repr(text if len(text) <= 200 else text[:200] + "...")
