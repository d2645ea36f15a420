"""What programs printed, on a terminal: their colours stay, all else that could drive it does not."""

from __future__ import annotations

import re

# Patterns, compiled where they are used: few commands show what a program printed.
# ECMA-48: of what ESC begins, the colours and weights of letters alone (SGR) change nothing but how the text looks.
# In UTF-8 also C1, and what turns the order of letters round (U+202A to U+202E, U+2066 to U+2069).
_DRIVES = (
    rb"\x1b(?!\[[0-9;:]{0,40}m)|\xc2[\x80-\x9f]|\xe2(?:\x80[\xaa-\xae]|\x81[\xa6-\xa9])"
    rb"|[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f]"
)
_UNDECIDED = rb"(?:\x1b(?:\[[0-9;:]{0,40})?|\xc2|\xe2[\x80\x81]?)\Z"


def tame(data: bytes) -> bytes:
    """Return bytes without what drives a terminal; line ends, tabs and colours stay."""
    return re.sub(_DRIVES, b"", data)


def tame_text(text: str, colours: bool) -> str:
    """Return lines for a person without what drives a terminal; `colours` are those of rigger's own."""
    if text.isprintable():
        return text
    tamed = tame(text.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")
    return tamed if colours else tamed.replace("\x1b", "")


class Tamed:
    """A stream that comes in blocks, wherever they are cut."""

    def __init__(self) -> None:
        self._held = b""

    def feed(self, block: bytes) -> bytes:
        """Return what can be shown after this block."""
        data = self._held + block
        undecided = re.search(_UNDECIDED, data)
        cut = undecided.start() if undecided else len(data)
        self._held = data[cut:]
        return tame(data[:cut])
