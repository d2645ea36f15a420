"""Questions asked line by line, where nothing can be drawn."""

from __future__ import annotations

import contextlib
import re
import select
import sys
import textwrap

from rigger import text as texts
from rigger.redact.known import masked
from rigger.text import WIDEST_VALUE, Row
from rigger.ui import terminal
from rigger.ui.terminal import LEAST_COLUMNS, terminal_size
from rigger.values import field, frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from rigger.questions.model import Choice

MAKE = "\n"  # the answer that makes a new SSH key; no path is written so
PASTED = 0.05  # seconds in which the next line of a paste is there; nobody types so fast
BACK = "<"  # what is typed to go back, where no key does
WRITE = ""  # the review's answer for "it is right"; no question has an empty name


# What a prompt consists of


class Back(Exception):
    """A person wants to go back to the question before."""


@frozen
class Prompt:
    """What is shown while one question is asked, and what is taken for an answer."""

    ask: str
    help: str = ""
    default: str = field(default="", repr=False)
    refuse: Callable[[str], str] = lambda text: ""  # why a text cannot be taken; nothing when it can
    while_typing: bool = False
    several_lines: bool = False  # a secret that may be a key, which is pasted
    to_come: str = ""  # how many questions follow, in words
    may_go_back: bool = False


def rows_of(choices: Sequence[Choice]) -> list[Row]:
    return [Row(c.value, (c.value, texts.sentence(c.description))) for c in choices]


# A secret that is pasted: some terminals mark a paste, others send its lines one after the other, as if they were typed


def follows(fd: int) -> bool:
    """Return whether more input follows at once, as only the lines of a paste do."""
    return bool(select.select([fd], [], [], PASTED)[0])


def goes_on(typed: str, more: bool) -> bool:
    """Return whether the next line belongs to a secret as well: the rest of a paste, and a key up to its last line.

    An empty line ends a key that lacks its last one, and begins nothing.
    """
    return bool(typed) and (more or (in_key(typed) and not typed.endswith("\n")))


def in_key(typed: str) -> bool:
    """Return whether a key in PEM, as of RFC 7468, has begun and not ended."""
    begun = re.findall(r"(?m)^-----BEGIN ([^\n]*)-----\s*$", typed)
    return bool(begun) and f"-----END {begun[-1]}-----" not in typed


class Plain:
    """Prompts as lines of text, for terminals that cannot move their cursor."""

    way_back = f"{BACK} and Enter go back"

    @property
    def width(self) -> int:
        return terminal_size()[0]

    def say(self, text: str = "", end: str = "\n") -> None:
        """Write a line; characters that the terminal's encoding lacks are written as escapes."""
        encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
        sys.stdout.write(masked(text).encode(encoding, "backslashreplace").decode(encoding) + end)
        sys.stdout.flush()

    def note(self, text: str) -> None:
        self.say(self.quiet("  " + texts.visible(text)))

    def problem(self, text: str) -> None:
        self.say("\n".join(self._wrapped("! " + texts.sentence(text), hanging="  ")))

    def answered(self, ask: str, answer: str) -> None:
        """The line that was typed is still there: nothing to say."""

    def quiet(self, text: str) -> str:
        return text

    def table(self, rows: Sequence[Row]) -> None:
        for plain, quiet in self._columns(rows, 2):
            self.say(f"  {plain}{self.quiet(quiet)}")

    def _columns(self, rows: Sequence[Row], indent: int) -> list[tuple[str, str]]:
        """Return the rows in columns; where there is no room for columns, lines that the terminal breaks."""
        if self.width < LEAST_COLUMNS:
            return [(texts.visible("  ".join(filter(None, row.cells))), "") for row in rows]
        return texts.aligned(rows, self.width - indent)

    @contextlib.contextmanager
    def waiting(self, words: str, takes_a_while: bool) -> Iterator[None]:
        """Say what is going on while a program runs."""
        if takes_a_while:
            self.say(f"  {words} ...")
        yield

    def line(self, prompt: Prompt, paths: bool = False) -> str:
        self._show(prompt)
        shown = f"[{texts.shorten(texts.visible(prompt.default), WIDEST_VALUE)}] " if prompt.default else ""
        while True:
            typed = self._typed_at(prompt, f"  {shown}> ").strip() or prompt.default
            if not (reason := prompt.refuse(typed)):
                return typed
            self.problem(reason)

    def secret(self, prompt: Prompt) -> str:
        self._show(prompt)
        while True:
            typed = self._typed_at(prompt, "  (not shown) > ", hidden=True)
            while prompt.several_lines and goes_on(typed, follows(sys.stdin.fileno())):
                typed += "\n" + self._read("", hidden=True)
            typed = typed.rstrip("\n") if prompt.several_lines else typed
            if not (reason := prompt.refuse(typed)):
                return typed
            self.problem(reason)

    def yes_or_no(self, prompt: Prompt, default: bool) -> bool:
        self._show(prompt)
        while True:
            typed = self._typed_at(prompt, "  [yes] > " if default else "  [no] > ").strip().lower()
            if not typed:
                return default
            if typed in ("y", "yes", "n", "no"):
                return typed[0] == "y"
            self.problem("Please type yes or no.")

    def pick(self, prompt: Prompt, rows: Sequence[Row], default: str | None) -> str:
        self._show(prompt)
        numbers = self._list(rows)
        names = {row.cells[0] if row.value in (WRITE, MAKE) else row.value: row.value for row in rows}
        usual = next((name for name, value in names.items() if value == default), "")
        while True:
            typed = self._typed_at(prompt, self._label(numbers, usual)).strip() or usual
            if typed in names or typed in numbers:
                return names[typed] if typed in names else numbers[typed]
            self.problem(
                f"{texts.visible(typed)} is not in the list." if typed else "Please pick one of the list."
            )

    def pick_several(self, prompt: Prompt, rows: Sequence[Row], checked: Sequence[str]) -> list[str]:
        self._show(prompt)
        numbers = self._list(rows)
        values = {row.value for row in rows}
        usual = ",".join(value for value in checked if value in values)
        while True:
            label = self._label(numbers, usual, "several with commas, - for none")
            typed = self._typed_at(prompt, label).strip() or usual
            items = [item.strip() for item in typed.split(",") if item.strip() not in ("", "-")]
            picked = [item if item in values else numbers.get(item, "") for item in items]
            reason = "" if all(picked) else f"{texts.visible(items[picked.index('')])} is not in the list."
            if not (reason := reason or prompt.refuse(",".join(picked))):
                return picked
            self.problem(reason)

    def _list(self, rows: Sequence[Row]) -> dict[str, str]:
        """Show the rows; return what each number stands for: nothing where the values are numbers."""
        numbered = not any(row.value.isdigit() for row in rows)
        for number, (plain, quiet) in enumerate(self._columns(rows, 7), 1):
            self.say(f"  {number:>2}  {plain}{quiet}" if numbered else f"   -  {plain}{quiet}")
        return {str(number): row.value for number, row in enumerate(rows, 1)} if numbered else {}

    @staticmethod
    def _label(numbers: Mapping[str, str], usual: str, also: str = "") -> str:
        words = ", ".join(filter(None, ("number or value" if numbers else "value", also)))
        return (
            f"  {words} [{texts.shorten(texts.visible(usual), WIDEST_VALUE)}] > "
            if usual
            else f"  {words} > "
        )

    def _show(self, prompt: Prompt) -> None:
        ask = texts.sentence(prompt.ask) + (f" ({prompt.to_come})" if prompt.to_come else "")
        self.say("\n".join(self._wrapped(ask)))
        if prompt.help:
            self.say("\n".join(self._wrapped("  " + texts.sentence(prompt.help), hanging="  ")))

    def _wrapped(self, text: str, hanging: str = "") -> list[str]:
        return textwrap.wrap(text, max(10, self.width - 1), subsequent_indent=hanging) or [""]

    def _typed_at(self, prompt: Prompt, label: str, hidden: bool = False) -> str:
        """Return the line that is typed at a prompt; raises Back for what goes back."""
        typed = self._read(label, hidden)
        if prompt.may_go_back and typed.strip() == BACK:
            raise Back
        return typed

    def _read(self, label: str, hidden: bool = False) -> str:
        """Return a line as it was typed, whatever its bytes; raises EOFError at the end of the input.

        What was typed before the prompt stood there counts: getpass would throw it away.
        """
        self.say(label, end="")
        try:
            with terminal.echo(not hidden):
                line = sys.stdin.buffer.readline()
        except OSError:  # the terminal hung up
            line = b""
        if hidden or not line:
            self.say()
        if not line:
            raise EOFError
        return line.decode("utf-8", "surrogateescape").rstrip("\r\n")
