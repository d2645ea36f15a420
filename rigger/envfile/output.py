"""What a script gives back: KEY=VALUE lines and here-documents."""

from __future__ import annotations

import re

from rigger import text
from rigger.envfile import names as variable_names
from rigger.envfile.names import is_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


def parse_output(data: bytes, source: str) -> tuple[dict[str, str], list[str]]:
    """The values a script gave as KEY=VALUE lines or KEY<<END blocks, and sentences about the others.

    The format is the one of GitHub Actions' environment files. A block's value has no last newline. The
    sentences name the line and never hold any part of a value.
    """
    values: dict[str, str] = {}
    bad: list[str] = []
    for line, name, value, problem in _output_entries(data):
        if problem is None and (reason := variable_names.fault(name, value)):
            # What is no name may be a part of a secret that has several lines.
            problem = f"{name if is_name(name) else 'what stands before the = or <<'} {reason}"
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
        match = re.match(rb"(?s)(.*?)(=|<<|\Z)(.*)", line)
        assert match  # any line does
        name, sign, rest = match.groups()
        if sign == b"<<":
            number, value, problem = _block(lines, number, rest)
            yield start, text.decode(name), value, problem
        else:
            yield (
                start,
                text.decode(name),
                text.decode(rest),
                None if sign else "neither KEY=VALUE nor KEY<<END",
            )


def _block(lines: list[bytes], start: int, end: bytes) -> tuple[int, str, str | None]:
    """Where the block that begins at line `start` is over, its value, and what is wrong with it."""
    if not end:
        return start, "", "no word after << that would close the block"
    try:
        close = lines.index(end, start)
    except ValueError:
        return len(lines), "", "a block that is never closed"
    return close + 1, text.decode(b"\n".join(lines[start:close])), None
