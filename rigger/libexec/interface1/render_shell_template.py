"""Replace variables in a text as a shell's here-document does: the program behind rigger-render-shell-template."""

from __future__ import annotations

import os
import re
import sys

NAME = rb"[A-Za-z_][A-Za-z0-9_]*"
# What a here-document treats specially: POSIX, Shell Command Language, 2.7.4 and 2.6.
SPECIAL = re.compile(
    rb"\\(?P<escaped>[$`\\]|\n)|\$(?P<bare>" + NAME + rb")|\$\{(?P<name>" + NAME + rb")(?P<rest>[^}]*)\}"
    rb"|(?P<command>`|\$\(|\$\{)"
)


class Unrendered(Exception):
    """The file cannot be filled in; the message is one sentence."""


def render(data: bytes, values: dict[bytes, bytes], path: str) -> bytes:
    """Return the text with its variables replaced; raises Unrendered. What was put in is not looked at again."""

    def replaced(match: re.Match[bytes]) -> bytes:
        where = f"{path}, line {data.count(bytes([10]), 0, match.start()) + 1}"
        if match["command"]:
            raise Unrendered(f"{where}: {os.fsdecode(match['command'])} begins what only a shell could run.")
        if (escaped := match["escaped"]) is not None:
            return b"" if escaped == b"\n" else escaped
        return _value(match["bare"] or match["name"], match["rest"] or b"", values, where)

    return SPECIAL.sub(replaced, data)


def _value(name: bytes, rest: bytes, values: dict[bytes, bytes], where: str) -> bytes:
    value = values.get(name)
    if rest.startswith(b":-") and re.fullmatch(rb"[^$`\\]*", rest):
        return value or rest[2:]
    if rest.startswith(b"-") and re.fullmatch(rb"[^$`\\]*", rest):
        return rest[1:] if value is None else value
    if rest:
        raise Unrendered(
            f"{where}: ${{{os.fsdecode(name + rest)}}} is an expression that only a shell could run."
        )
    if value is None:
        raise Unrendered(f"{where}: {os.fsdecode(name)} is not set.")
    return value


def main(arguments: list[str]) -> int:
    """Print the file that the arguments name; return the exit code."""
    if len(arguments) != 1:
        print("error: rigger-render-shell-template: which file?", file=sys.stderr)
        return 2
    try:
        with open(arguments[0], "rb") as file:
            data = render(file.read(), dict(os.environb), arguments[0])
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except Unrendered as problem:
        print(f"error: rigger-render-shell-template: {problem}", file=sys.stderr)
        return 1
    except OSError as problem:
        what = f"{arguments[0]} cannot be read" if problem.filename else "standard output cannot be written"
        print(f"error: rigger-render-shell-template: {what}: {problem.strerror}.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
