"""What a person, a log collector or a program sees of a command; the one place that formats it."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import sys
import time

from rigger import text as texts_
from rigger.redact.known import masked, masked_bytes, masked_data
from rigger.text import narrowed, table_rows, widths_of
from rigger.ui.tame import Tamed, tame_text
from rigger.ui.terminal import columns_of, is_simple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Protocol, TextIO
else:
    Protocol = object

about: list[str] = []  # the environment that was named, where commands would be about another one without it
unwritten: list[str] = []  # why output did not get where it was sent, for `cli.main`
TAIL = 20  # lines of a failed step's output that are shown where it was not streamed
TAIL_BYTES = 16 * 1024


class _Named(Protocol):
    @property
    def name(self) -> str: ...


class _Step(Protocol):
    @property
    def module(self) -> _Named: ...
    @property
    def verb(self) -> str: ...
    @property
    def why(self) -> str: ...
    @property
    def shown(self) -> str: ...


class _Plan(Protocol):
    """What is shown of a plan, which is made higher up."""

    @property
    def steps(self) -> Sequence[_Step]: ...
    @property
    def up_to_date(self) -> Sequence[_Step]: ...
    @property
    def removals(self) -> Sequence[str]: ...
    @property
    def rules(self) -> Sequence[str]: ...


def with_environment(text: str) -> str:
    """Return a text whose commands are about the environment that was named, wherever they are typed."""
    return texts_.addressed(text, about[0]) if about and "rigger " in text else text


class Printer:
    """Writes to the terminal; a terminal that has gone away does not stop what is being done.

    `json` sends everything for people to standard error, so that standard output holds the report alone.
    """

    def __init__(self, *, verbose: bool = False, json: bool = False):
        self.json = json
        self.out = sys.stderr if json else sys.stdout
        self.gone = False
        self.unread = False  # whether nobody reads standard output any more
        terminal = self.out.isatty() and not is_simple()
        self.live = terminal and not verbose
        self.streams = not self.live
        self.colors = terminal and not os.environ.get("NO_COLOR")
        self._label = ""
        self._last = ""
        self._tail = b""
        self._warnings: list[str] = []  # lines of a step's output that must be seen where it is not streamed
        self._unfinished = b""
        self._started = 0.0
        self._drawn = ""
        self._at_line_start = True
        self._tamed = Tamed()  # what others printed, where it gets to a terminal

    # Lines

    def line(self, text: str = "") -> None:
        """Print a line, folded where the terminal is narrower; a command, or a path, that is alone on it stays whole."""
        text = with_environment(text)
        self._row(self._folded(text) if "\x1b" not in text else text)

    def _row(self, text: str) -> None:
        """Print a line as wide as it is."""
        self._clear()
        self._write(tame_text(text, self.colors) + "\n")

    def lines(self, *texts: str) -> None:
        for text in texts:
            self.line(text)

    def warn(self, text: str) -> None:
        """Print a line that should be noticed."""
        self.line(self.paint(self._folded(with_environment(f"! {text}")), "33"))

    def ways(self, *pairs: tuple[str, str]) -> None:
        """Print sentences, each with the command that does what it says alone on the next line, to be copied."""
        for sentence, command in pairs:
            self.line(f"  {sentence}:")
            self._row(f"    {with_environment(command)}")

    def anew(self) -> None:
        """Begin at the top of an empty screen, where lines can be drawn anew; a line apart elsewhere."""
        self._write("\x1b[H\x1b[2J" if self.live else "\n")

    def _folded(self, text: str) -> str:
        return texts_.folded(text, self._columns()) if self.out.isatty() else text

    def paint(self, text: str, code: str) -> str:
        """Return a text in a colour where there are colours; 1 bold, 2 dim, 31 red, 32 green, 33 yellow."""
        return f"\x1b[{code}m{text}\x1b[0m" if self.colors else text

    def aside(self, text: str) -> None:
        """Print a line for a person on standard error, where standard output is for a program to read."""
        self.flush()
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(f"{tame_text(text, colours=False)}\n")
            sys.stderr.flush()

    def heading(self, text: str) -> None:
        self.line(self.paint(text, "1"))

    def table(
        self,
        rows: Sequence[Sequence[str]],
        headers: Sequence[str] = (),
        indent: str = "  ",
        rest: str = "",
    ) -> None:
        """Print rows in aligned columns.

        Where a terminal is too narrow they are cut only if there is a command, `rest`, that shows the whole of them;
        that is then named.
        """
        cells = [[texts_.plain(str(cell)) for cell in row] for row in rows]
        if headers and cells:
            cells.insert(0, [header if "(" in header else header.upper() for header in headers])
        widths = widths_of(cells)
        fitted = narrowed(widths, self._columns() - len(indent)) if rest and self.out.isatty() else widths
        for number, line in enumerate(table_rows(cells, fitted)):
            heads = headers and number == 0
            self._row(self.paint(indent + line, "2") if heads else indent + line)
        if fitted != widths:
            self._row(f"{indent}In full, where this is cut (…):")
            self._row(f"{indent}  {with_environment(rest)}")

    def report(self, data: object) -> None:
        """Print the report of a command as JSON, on standard output."""
        import json

        self.data(json.dumps(masked_data(data), indent=2).encode() + b"\n")

    def event(self, data: object) -> None:
        """Print one of many reports as JSON, on a line of its own."""
        import json

        self.data(json.dumps(masked_data(data)).encode() + b"\n")

    def data(self, data: bytes) -> None:
        """Write bytes to standard output as they are, for a program to read; on a terminal, tamed."""
        self.flush()
        if self.gone and self.out is sys.stdout:
            return
        try:
            sys.stdout.flush()
            sys.stdout.buffer.write(self._tamed.feed(data) if sys.stdout.isatty() else data)
            sys.stdout.buffer.flush()
        except (OSError, ValueError) as problem:
            self.gone = self.gone or self.out is sys.stdout
            self.unread = True
            _give_up(sys.stdout, problem)

    def difference(self, before: Mapping[str, str], after: Mapping[str, str]) -> None:
        """Print which values are others, old ones in red and new ones in green."""
        for name in sorted({*before, *after}):
            if before.get(name) == after.get(name):
                continue
            if name in before:
                self._row(self.paint(f"- {name}={texts_.visible(before[name])}", "31"))
            if name in after:
                self._row(self.paint(f"+ {name}={texts_.visible(after[name])}", "32"))

    # Plans and steps

    def plan(self, plan: _Plan) -> None:
        """Print the steps of a plan, why each is needed, and what will be lost."""
        rows = [(f"{n}.", s.module.name, s.verb, s.why, s.shown) for n, s in enumerate(plan.steps, 1)]
        self.table(rows if self._fits(rows) else [row[:-1] for row in rows])
        if plan.up_to_date:
            self.line(f"  up to date: {', '.join(f'{s.module.name} {s.verb}' for s in plan.up_to_date)}")
        for sentence in plan.rules:
            self.line(f"  {sentence}")
        for sentence in plan.removals:
            self.warn(sentence)
        self.line()

    def step_started(self, number: int, total: int, label: str, why: str) -> None:
        """Say that a step begins."""
        self._label, self._last, self._tail = f"{number}/{total} {label}", "", b""
        self._warnings, self._unfinished = [], b""
        self._started = time.monotonic()
        if self.live:
            self.tick()
        else:
            self.line(f"{self.paint('==>', '1')} {self._label}" + (f" ({why})" if why else ""))
        self._at_line_start = True

    def output(self, block: bytes) -> None:
        """Show a block of a step's output: as it is, or its last line."""
        if self.streams:
            self._write_bytes(block)
            self._at_line_start = block.endswith(b"\n")
            return
        self._tail = (self._tail + block)[-TAIL_BYTES:]
        self._notice_warnings(block)
        lines = [line for line in re.split(rb"[\r\n]", self._tail[-1024:]) if line.strip()]
        if lines:
            self._last = texts_.plain(lines[-1].decode("utf-8", "replace")).strip()
        self._draw()

    def pass_on(self, block: bytes) -> None:
        """Show a block of what a program prints as it is, on terminals too."""
        self._clear()
        self._write_bytes(masked_bytes(block))
        self._at_line_start = block.endswith(b"\n")

    def tick(self) -> None:
        """Draw the live line anew; called a few times a second."""
        if self.live:
            self._draw()

    def progress(self, text: str) -> None:
        """Draw a line that the next one takes the place of, where lines can be drawn anew."""
        if self.live:
            self._drawn = texts_.plain(text)[: max(self._columns() - 1, 10)]
            self._write("\r\x1b[K" + self._drawn)

    def step_finished(self, result: str, seconds: float, note: str = "", good: bool = True) -> None:
        """Say how a step ended."""
        word = self.paint(result, "32" if good else "31")
        if not self.streams:
            self.line(
                f"  {self._label}  {word} in {texts_.duration(seconds)}" + (f"  {note}" if note else "")
            )
            if not good:
                self._show_tail()
            else:
                for text in self._warnings:
                    self.warn(text)
        else:
            self._end_line()
            self.line(f"    {word} in {texts_.duration(seconds)}" + (f"  {note}" if note else ""))
        self._label = ""

    def _notice_warnings(self, block: bytes) -> None:
        """Keep the lines by which a step warns, as rigger-log writes them: its live line is soon gone."""
        whole, newline, rest = (self._unfinished + block).rpartition(b"\n")
        self._unfinished = rest[-TAIL_BYTES:]
        if b"warning: " in whole:
            warnings = re.findall(rb"^warning: (.*)$", whole, re.M)
            self._warnings += [texts_.plain(line.decode("utf-8", "replace")).strip() for line in warnings]

    def _show_tail(self) -> None:
        lines = self._tail.decode("utf-8", "replace").splitlines()[-TAIL:]
        for text in lines:
            self._row(self.paint(f"    | {texts_.plain(text)}", "2"))

    def _fits(self, rows: Sequence[Sequence[str]]) -> bool:
        """Return whether a table has room on the terminal; where there is none, there is no limit."""
        if not self.out.isatty():
            return True
        widths = widths_of(rows)
        return sum(widths) + 2 * len(widths) < self._columns()

    def _columns(self) -> int:
        return columns_of(self.out)

    def _end_line(self) -> None:
        if not self._at_line_start:
            self._write("\n")
            self._at_line_start = True

    def _draw(self) -> None:
        if not self._label or self.gone:
            return
        width = self._columns()
        seconds = int(time.monotonic() - self._started)
        text = f"  {self._label}  {seconds // 60}:{seconds % 60:02d}  {self._last}"
        text = text[: max(width - 1, 10)]
        if text != self._drawn:
            self._drawn = text
            self._write("\r\x1b[K" + text, flush=True)

    def _clear(self) -> None:
        if self._drawn:
            self._drawn = ""
            self._write("\r\x1b[K")

    # Writing

    def flush(self) -> None:
        self._clear()
        self._write("", flush=True)

    def _write(self, text: str, flush: bool = True) -> None:
        if self.gone:
            return
        try:
            self.out.write(masked(text))
            if flush:
                self.out.flush()
        except (OSError, ValueError) as problem:
            self._lost(problem)

    def _write_bytes(self, data: bytes) -> None:
        if self.gone:
            return
        try:
            self.out.flush()
            self.out.buffer.write(self._tamed.feed(data) if self.out.isatty() else data)
            self.out.buffer.flush()
        except (OSError, ValueError) as problem:
            self._lost(problem)

    def _lost(self, problem: Exception) -> None:
        """Nobody reads any more: go on in silence, and do not fail again when Python closes the stream."""
        self.gone = True
        _give_up(self.out, problem)


def _give_up(stream: TextIO, problem: Exception) -> None:
    """Let a stream go nowhere. That a reader has gone is no failure; that a disk is full is one, and is kept."""
    if isinstance(problem, OSError) and problem.errno not in (errno.EPIPE, errno.EIO, errno.EBADF):
        unwritten.append(problem.strerror or str(problem))
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, stream.fileno())
    os.close(null)


def prepare_streams() -> None:
    """Let any value be printed, whatever the locale and the bytes in it, also where nobody is to see it."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # it was closed when rigger started
            setattr(sys, name, open(os.devnull, "w"))
        getattr(sys, name).reconfigure(errors="backslashreplace")
