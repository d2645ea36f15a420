"""Values as lines for fish, whose language is its own: https://fishshell.com/docs/current/language.html"""

from __future__ import annotations

from rigger.text import encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def render(values: Mapping[str, str]) -> bytes:
    """Return lines that export values, sorted; fish keeps PATH as a list, and takes it apart at colons by itself."""
    return encode("".join(f"set -gx {name} {_quoted(value)}\n" for name, value in sorted(values.items())))


def unset(names: Iterable[str]) -> bytes:
    """Return lines that unset variables, whether or not they are set."""
    return b"".join(f"set -e {name}\n".encode() for name in sorted(names))


def no_proxy(addresses: str) -> bytes:
    """Return the line that keeps nodes, whose addresses are joined by commas, from being sent to a proxy."""
    if not addresses:
        return b""
    return (
        f"string match -qr -- '(^|,)({addresses}|\\\\*)(,|$)' \"$NO_PROXY\"; or "
        f"set -gx NO_PROXY '{addresses},'\"$NO_PROXY\"; and set -gx no_proxy '{addresses},'\"$no_proxy\"\n"
    ).encode()


def _quoted(value: str) -> str:
    """Return a value in single quotes, in which a backslash and a quote alone mean anything."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
