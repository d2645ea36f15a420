"""The vars file: written so that every shell reads the same bytes back."""

from __future__ import annotations

import re
from contextlib import suppress

from rigger import text as texts
from rigger.envfile import names as variable_names
from rigger.envfile import path as path_lines
from rigger.envfile.quoting import QUOTED, quote, unquote
from rigger.errors import InvalidConfig
from rigger.files import write_bytes
from rigger.later import later

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from rigger.envfile import reader
else:
    reader = later("rigger.envfile.reader")

# Compiled when it is first used, for the sake of commands that read no file.
_WRITTEN = rf'export ([A-Za-z_][A-Za-z0-9_]*)="({QUOTED})"\n'


def render(values: Mapping[str, str]) -> bytes:
    """The file for these values, sorted; raises InvalidConfig for what `parse` would not read back."""
    for name, value in values.items():
        if reason := variable_names.fault(name, value):
            raise InvalidConfig(
                f"The variable {name!a} cannot be saved: it {reason}", "Give it another name or value."
            )
    return texts.encode("".join(f"export {name}={quote(value)}\n" for name, value in sorted(values.items())))


def render_for_shells(values: Mapping[str, str]) -> bytes:
    """The file for these values, of which `PATH` has the folders that a shell gains in front of its own.

    `RIGGER_NODE_ADDRESSES` has what a shell gains in `NO_PROXY`.
    """
    plain = {name: value for name, value in values.items() if name not in variable_names.MANAGED}
    folders, addresses = values.get("PATH", ""), values.get(variable_names.NODE_ADDRESSES, "")
    return render(plain) + (texts.encode(path_lines.lines(folders, plain, addresses)) if folders else b"")


def read(path: str) -> dict[str, str]:
    """The values in a file, none if it is missing; raises InvalidConfig if it cannot be understood."""
    try:
        with open(path, "rb") as file:
            data = file.read()
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise InvalidConfig(
            f"Cannot read {path}: {error.strerror}", "Check that it is a file and that you may read it."
        ) from error
    return parse(data, path)


def write(path: str, values: Mapping[str, str]) -> None:
    """Replace the file by one with these values, mode 0600; raises InvalidConfig and keeps it on failure.

    `PATH` has the folders that a shell gains in front of its own.
    """
    write_bytes(path, render_for_shells(values))


def parse(data: bytes, source: str) -> dict[str, str]:
    """The values that plain assignments in the file give, as a POSIX shell would read them.

    Raises InvalidConfig, with the line, for whatever only a shell could work out and for a name or value that
    `check_name` or `check_value` objects to. `source` is what the file is called in the message. `PATH` has the
    folders alone that a shell gains in front of its own, where the file has rigger's line for them.
    """
    text = texts.decode(data)
    values = _parse_written(text)
    return reader.Reader(text, source).values() if values is None else values


def readable(data: bytes) -> dict[str, str]:
    """The values in those lines of a damaged file that can be understood by themselves."""
    values: dict[str, str] = {}
    for line in data.split(b"\n"):
        with suppress(InvalidConfig):
            values |= parse(line + b"\n", "")
    return values


def parse_written(data: bytes) -> dict[str, str] | None:
    """The values of a file that rigger wrote and nobody changed the form of; None for any other."""
    return _parse_written(texts.decode(data))


def names(data: bytes) -> set[str]:
    """The names that a file gives values to; of a damaged one, whatever looks so."""
    try:
        return {*parse(data, "")}
    except InvalidConfig:
        return {*re.findall(r"(?m)^(?:export )?([A-Za-z_][A-Za-z0-9_]*)=", texts.decode(data))}


def _parse_written(text: str) -> dict[str, str] | None:
    """The values of a file that rigger wrote; None if its form was changed or something in it is wrong."""
    values, position, statement = {}, 0, re.compile(_WRITTEN)
    while match := statement.match(text, position):
        name, value = match[1], match[2]
        values[name] = unquote(value)
        if variable_names.fault(name, values[name]):
            return None
        position = match.end()
    while line := path_lines.match(text, position):
        position, folders = line
        if folders:
            values["PATH"] = folders
    return values if position == len(text) else None
