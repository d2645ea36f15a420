"""What the terminal can do."""

from __future__ import annotations

import contextlib
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

LEAST_COLUMNS, LEAST_LINES = 40, 10  # of a terminal that prompts are drawn on


def has_terminal() -> bool:
    """Return whether somebody can be asked: standard input and output are both terminals."""
    try:
        return sys.stdin.isatty() and sys.stdout.isatty()
    except (AttributeError, ValueError):  # closed, or none at all
        return False


@contextlib.contextmanager
def echo(on: bool) -> Iterator[None]:
    """Let the terminal show what is typed, or not: keys may arrive before the prompt that hides them."""
    import termios

    try:
        fd = sys.stdin.fileno()
        before = termios.tcgetattr(fd)
    except (OSError, ValueError, AttributeError, termios.error):  # no terminal
        yield
        return
    modes = list(before)
    modes[3] = modes[3] | termios.ECHO if on else modes[3] & ~termios.ECHO
    termios.tcsetattr(fd, termios.TCSANOW, modes)
    try:
        yield
    finally:
        with contextlib.suppress(termios.error):  # it hung up
            termios.tcsetattr(fd, termios.TCSANOW, before)


def terminal_size() -> tuple[int, int]:
    """Return the terminal's columns and lines; serial lines and some pseudo-terminals do not know theirs."""
    try:
        columns, lines = os.get_terminal_size(sys.stdout.fileno())
    except (OSError, ValueError, AttributeError):
        columns, lines = 0, 0
    return columns or 80, lines or 24


def columns_of(stream: TextIO) -> int:
    """Return how wide the terminal is that a stream goes to; 80 where it does not know, or there is none."""
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (OSError, ValueError):
        return 80


def is_simple() -> bool:
    """Return whether a terminal, if there is one, can only print lines."""
    return os.environ.get("TERM", "") in ("", "dumb", "unknown")


def can_draw() -> bool:
    columns, lines = terminal_size()
    return not is_simple() and columns >= LEAST_COLUMNS and lines >= LEAST_LINES
