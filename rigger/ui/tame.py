"""What programs printed, on a terminal: their colours stay, all else that could drive it does not."""

from __future__ import annotations

import re

# Patterns, compiled where they are used: few commands show what a program printed.
# ECMA-48: of what ESC begins, the colours and weights of letters alone (SGR) change nothing but how the text looks.
# In UTF-8 also C1, and what turns the order of letters round (U+202A to U+202E, U+2066 to U+2069).
# One set of bytes that it may be about stands in front: the search passes over all others four times as fast.
_CONTROLS = bytes({*range(0x20), 0x7F} - {*b"\t\n\r"})
_DRIVES = (
    rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\xc2\xe2](?:(?<![\x1b\xc2\xe2])|(?<=\x1b)(?!\[[0-9;:]{0,40}m)"
    rb"|(?<=\xc2)[\x80-\x9f]|(?<=\xe2)(?:\x80[\xaa-\xae]|\x81[\xa6-\xa9]))"
)
_UNDECIDED = rb"(?:\x1b(?:\[[0-9;:]{0,40})?|\xc2|\xe2[\x80\x81]?)\Z"
_LONGEST = 42  # bytes of what is undecided


def tame(data: bytes) -> bytes:
    """Return bytes without what drives a terminal; line ends, tabs and colours stay."""
    if data.isascii() and len(data.translate(None, _CONTROLS)) == len(data):
        return data  # most blocks are: looking at them costs a hundredth of a search
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
        end = data[-_LONGEST:]
        undecided = re.search(_UNDECIDED, end)
        cut = len(data) - (len(end) - undecided.start() if undecided else 0)
        self._held = data[cut:]
        return tame(data[:cut])
