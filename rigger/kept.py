"""Values kept in a file, so that what they were worked out of need not be worked through again.

Such a file is as good as none unless it is whole, nobody else could have written it, and the very code wrote it that reads
it: it begins with a digest of all the rest, which says what that code was, and what the values were made of. Whether that is
still as it was, whoever asks for them knows.
"""

from __future__ import annotations

import functools
import json
import os
import stat
import sys
from contextlib import suppress

from rigger import __version__
from rigger.errors import RiggerError
from rigger.files import PACKAGE, write_bytes
from rigger.sha256 import sha256
from rigger.values import has_usual, is_frozen, is_usual, own_fields

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    Rooms = tuple[
        str, ...
    ]  # whose code makes the values: the folders of the package in which their classes are

OURS = f"{__name__.partition('.')[0]}."
OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH


def keep(path: str, of: Mapping[str, Any], value: Any, rooms: Rooms) -> None:
    """Keep a value in a file with what it was made `of`, anything that JSON can say; nothing where that cannot be."""
    with suppress(RiggerError, OSError, TypeError):
        content = json.dumps([code(rooms), of, *encoded(value, rooms)], separators=(",", ":")).encode("ascii")
        write_bytes(path, sealed(content), durable=False)


def recall(path: str, rooms: Rooms) -> tuple[Mapping[str, Any], Any] | None:
    """Return what the value in a file was made of, and the value; None where that file is as good as none."""
    try:
        seal, _, content = _own(path).partition(b"\n")
        if seal == _seal(content):
            by, of, rows, whole = json.loads(content)
            if by == code(rooms):
                return of, decoded((rows, whole), rooms)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ImportError, RecursionError):
        pass
    return None


def sealed(content: bytes) -> bytes:
    """Return the bytes of a file: the digest of the content, and the content on the next line."""
    return _seal(content) + b"\n" + content


def _seal(content: bytes) -> bytes:
    return sha256(content).hexdigest().encode("ascii")


def _own(path: str) -> bytes:
    """Return the bytes of a file of this user's; none of one that somebody else could have written."""
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(fd)
        mode, owner = status.st_mode, status.st_uid
        if not stat.S_ISREG(mode) or mode & OTHERS_MAY_WRITE or owner != os.geteuid():
            return b""
        return os.read(fd, status.st_size)
    finally:
        os.close(fd)


@functools.cache
def code(rooms: Rooms) -> str:
    """Return what is another one wherever the code of some rooms is, by which Python tells it of its bytecode, too."""
    files = []
    for folder in (PACKAGE, *(os.path.join(PACKAGE, room) for room in rooms)):
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.endswith(".py"):
                    status = entry.stat()
                    files.append(f"{entry.name} {status.st_size} {status.st_mtime_ns}\n")
    return sha256("".join([__version__, PACKAGE, *sorted(files)]).encode()).hexdigest()


# Values as JSON: scalars, and dicts with names that are texts, as they are, all else as [kind, content]; of a value of ours
# the fields that are not the usual ones. What is long and cannot change stands once, in a table: the parameters of many steps
# are the same, and steps are kept that ran last and that were done. Only classes of the rooms come back.

CONTAINERS: dict[str, type] = {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset}
LONG = 200  # characters of JSON
SAME = "same"


def encoded(value: Any, rooms: Rooms) -> Any:
    """Return a value as JSON can hold it; raises TypeError for what it cannot hold."""
    table = _Table(rooms)
    whole = table.encoded(value)
    return [table.rows, whole]


class _Table:
    """What stands once, in the order in which it must be read."""

    def __init__(self, rooms: Rooms) -> None:
        self.rows: list[Any] = []
        self._numbers: dict[str, int] = {}
        self._rooms = rooms

    def encoded(self, value: Any, fixed: bool = False) -> Any:
        """Return a value as JSON can hold it, `fixed` where nothing changes it; raises TypeError for what it cannot hold."""
        if value is None or isinstance(value, str | int | float):
            return value
        fixed = fixed or is_frozen(type(value))
        data = self._composite(value, fixed)
        if not fixed or len(text := json.dumps(data, separators=(",", ":"))) < LONG:
            return data
        if text not in self._numbers:
            self._numbers[text] = len(self.rows)
            self.rows.append(data)
        return [SAME, self._numbers[text]]

    def _composite(self, value: Any, fixed: bool) -> Any:
        kind = type(value)
        if kind is dict:
            pairs = [(name, self.encoded(one, fixed)) for name, one in value.items()]
            if all(isinstance(name, str) for name in value):
                return dict(pairs)
            return ["dict", [[self.encoded(name, fixed), one] for name, one in pairs]]
        if CONTAINERS.get(kind.__name__) is kind:
            return [kind.__name__, [self.encoded(one, fixed) for one in value]]
        if not _is_of(kind.__module__, self._rooms):
            raise TypeError(f"a file cannot hold {kind}")
        name = f"{kind.__module__.removeprefix(OURS)}.{kind.__qualname__}"
        fields = {field: one for field, one in own_fields(value).items() if not is_usual(kind, field, one)}
        return [name, self._composite(fields, fixed)]


def _is_of(module: str, rooms: Rooms) -> bool:
    return module.startswith(OURS) and module.removeprefix(OURS).partition(".")[0] in rooms


def decoded(data: Any, rooms: Rooms) -> Any:
    """Return the value that was encoded so; raises TypeError, KeyError, ValueError or AttributeError for what is none."""
    reader = _Reader(rooms)
    rows, whole = data
    for row in rows:
        reader.rows.append(reader.value(row))
    return reader.value(whole)


class _Reader:
    """Makes values of what was read, with what stands once."""

    def __init__(self, rooms: Rooms) -> None:
        self.rows: list[Any] = []
        self._rooms = rooms

    def value(self, data: Any) -> Any:
        kind = type(data)
        if kind is dict:
            for name, one in data.items():
                if type(one) is list or type(one) is dict:
                    data[name] = self.value(one)
            return data
        if kind is not list:
            return data
        name, content = data
        if name == "tuple":
            return tuple([one if type(one) is str else self.value(one) for one in content])
        if name == SAME:
            return self.rows[content]
        if name in CONTAINERS:
            return CONTAINERS[name]([self.value(one) for one in content])
        if name == "dict":
            return {self.value(key): self.value(one) for key, one in content}
        return self._made(_class(name, self._rooms), content)

    def _made(self, known: type[Any], fields: dict[str, Any]) -> Any:
        for name, one in fields.items():
            if type(one) is list or type(one) is dict:
                fields[name] = self.value(one)
        if has_usual(known):
            return known(**fields)
        value: Any = object.__new__(known)
        value.__dict__.update(fields)
        return value


@functools.cache
def _class(kind: str, rooms: Rooms) -> type[Any]:
    """Return the class of that name in one of the rooms; raises TypeError, KeyError, AttributeError or ImportError."""
    module, _, name = f"{OURS}{kind}".rpartition(".")
    if not _is_of(module, rooms):
        raise TypeError(f"{kind} is of no room of {rooms}")
    if module not in sys.modules:
        __import__(module)
    known = getattr(sys.modules[module], name)
    if not (isinstance(known, type) and known.__module__ == module):
        raise TypeError(f"{kind} is no class")
    return known
