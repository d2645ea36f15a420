"""Asks on a terminal: prompts, the review, confirmations (the one home of questionary)."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from rigger.errors import BadUsage, Interrupted
from rigger.questions import DRAFT, YES, Answer, BadAnswer, Choice, Interview, Question, validate
from rigger.sshkeys import make as make_key
from rigger.sshkeys import private_keys

KEPT = 'The answers given so far are kept: "rigger configure" goes on from them.'
HIDDEN = "********"
FILTER_FROM = 11  # choices; a longer list than a screenful is easier to narrow by typing
LINES_BESIDE_A_LIST = 9  # what stays in sight above and below a list that scrolls
LEAST_COLUMNS, LEAST_LINES = 40, 10  # of a terminal that prompts are drawn on
WIDEST_NOTE = 60  # columns of a value that was given beforehand
WIDEST_VALUE = 32  # columns that a value gets in a list before it is shortened
LEAST_VALUE, LEAST_QUIET = 8, 18  # columns that a value and what is said beside it keep on narrow terminals
MAKE = "\n"  # the answer that makes a new SSH key; no path is written so
WRITE = ""  # the review's answer for "it is right"; no question has an empty name

# ECMA-48: CSI sequences, strings such as the window's title (OSC, DCS, ...), and two-byte escapes.
_ESCAPE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b.?", re.DOTALL)


def has_terminal() -> bool:
    """Return whether somebody can be asked: standard input and output are both terminals."""
    try:
        return sys.stdin.isatty() and sys.stdout.isatty()
    except (AttributeError, ValueError):  # closed, or none at all
        return False


class Wizard:
    """Asks on the terminal; every verb raises Interrupted on Ctrl-C and BadUsage when the input ends.

    `describe` may dress a question up just before it is shown, where doing so for every question is slow.
    """

    def __init__(self, describe: Callable[[Question], Question] | None = None, told: Iterable[str] = ()):
        self.describe = describe or (lambda question: question)
        self.face = Drawn() if _can_draw() else Plain()
        self._told = {*told}  # names of questions whose given values were said
        self._explained: set[str] = set()

    def fill(self, interview: Interview, on_answer: Callable[[], None]) -> None:
        """Ask whatever is not answered yet, and call `on_answer` after every accepted answer."""
        with _stops("every question was answered", KEPT):
            self._fill(interview, on_answer)

    def _fill(self, interview, on_answer):
        while True:
            question = interview.advance()
            self._tell_given(interview)
            self._explain_set_aside(interview)
            if question is None:
                return
            self._ask(interview, question)
            on_answer()

    def review(self, interview: Interview, on_answer: Callable[[], None]) -> None:
        """Show all answers and let any of them be changed, and what follows from it, until they are right."""
        with _stops("the answers were agreed to", KEPT):
            while (name := self._reviewed(interview)) != WRITE:
                question = next(q for q in interview.applicable() if q.name == name)
                self._ask(interview, question, interview.answers.get(name))
                on_answer()
                self._fill(interview, on_answer)

    def confirm(self, text: str, default: bool = False) -> bool:
        """Ask a question whose answer is yes or no."""
        with _stops("the question was answered"):
            answer = self.face.yes_or_no(Prompt(text), default)
            self.face.answered(text, "yes" if answer else "no")
            return answer

    def type_back(self, text: str, expected: str) -> bool:
        """Return whether a person types exactly what is expected: a guard before something final."""
        with _stops("the question was answered"):
            typed = self.face.line(Prompt(text)).strip()
            self.face.answered(text, typed)
            return typed == expected

    def choose(self, text: str, choices: Sequence[Choice], default: str | None = None) -> str:
        """Ask for one of the choices and return its value."""
        with _stops("the question was answered"):
            answer = self.face.pick(Prompt(text), _rows(choices), default)
            self.face.answered(text, answer)
            return answer

    def secret(self, text: str) -> str:
        """Ask for something that nobody may read on the screen, such as a passphrase."""
        with _stops("the question was answered"):
            answer = self.face.secret(Prompt(text))
            self.face.answered(text, HIDDEN)
            return answer

    def _tell_given(self, interview):
        for question in interview.applicable():
            answer = interview.answers.get(question.name)
            if answer is None or question.name in self._told:
                continue
            self._told.add(question.name)
            if (source := _where_from(answer)) and answer.source != "saved":
                value = shorten(visible(_for_eyes(question, answer.value)), WIDEST_NOTE)
                self.face.note(f"{question.name} is {value} ({visible(source)})")

    def _explain_set_aside(self, interview):
        for question in interview.applicable():
            problem = interview.set_aside.get(question.name)
            if problem and problem.message not in self._explained:
                self._explained.add(problem.message)
                self.face.problem(f"The value so far cannot stay: {problem.message}")

    def _reviewed(self, interview):
        rows = [
            Row(
                question.name,
                (question.name, *_value_and_source(question, interview.answers.get(question.name))),
            )
            for question in interview.applicable()
        ]
        self.face.say()
        prompt = Prompt("Is this right?", "Pick an answer to change it.")
        name = self.face.pick(prompt, [Row(WRITE, ("Write it",)), *rows], WRITE)
        if name == WRITE:
            self.face.table(rows)
        return name

    def _ask(self, interview, question, present=None):
        """Ask until the answer is accepted; one that is the present answer stays what it is."""
        text = present.value if present else None
        while True:
            text = self._asked(interview, self.describe(question), text, keep=present is not None)
            if not question.check:  # what follows from the answer may say something of its own
                self.face.answered(question.ask, _for_eyes(question, text))
            if present and text == present.value:
                break
            try:
                with self.face.waiting("checking", bool(question.check)):
                    interview.answer(question, text)
                break
            except BadAnswer as problem:
                self.face.problem(problem.message)
            if question.secret:  # what was refused cannot be seen, so it cannot be edited either
                text = present.value if present else None
        if question.check:
            self.face.answered(question.ask, _for_eyes(question, text))

    def _asked(self, interview, question, text, keep):
        try:
            with self.face.waiting("looking up the choices", question.live):
                choices = interview.choices(question) if question.type in ("select", "checkbox") else ()
                default = text if text is not None else interview.default(question)
        except BadAnswer as problem:
            return self._without_choices(interview, question, problem, text, keep)
        prompt = Prompt(
            question.ask,
            _help(question),
            default or "",
            lambda typed: _fault(question, typed, choices),
            question.type == "integer",
        )
        if question.secret:
            return self._secret(prompt, default or "", keep)
        if question.type == "confirm":
            return "true" if self.face.yes_or_no(prompt, prompt.default.strip().lower() in YES) else "false"
        if question.type == "select" and choices:
            return self._select(prompt, question, choices, default)
        if question.type == "checkbox" and choices:
            picked = [value.strip() for value in prompt.default.split(",")]
            return ",".join(self.face.pick_several(prompt, _rows(choices), picked))
        if question.type == "ssh-key":
            return self._key(prompt, question)
        return self._line(prompt, paths=question.type == "path")

    def _line(self, prompt, paths=False):
        typed = self.face.line(prompt, paths)
        return typed if typed == prompt.default else typed.strip()

    def _secret(self, prompt, default, keep):
        """A secret is never shown, so the one that there is can only be kept or replaced."""
        if not default:
            return self.face.secret(prompt)
        stays = "Enter keeps the one that was given." if keep else "Enter takes the default."
        refuse = prompt.refuse
        prompt = replace(prompt, help=f"{prompt.help} {stays}", refuse=lambda typed: typed and refuse(typed))
        return self.face.secret(prompt) or default

    def _select(self, prompt, question, choices, default):
        rows = _rows(choices)
        if question.pattern or question.optional:
            other = "type a value" if question.pattern else "leave it empty"
            rows.append(Row(WRITE, ("another" if question.pattern else "none", other)))
        listed = default in {choice.value for choice in choices}
        picked = self.face.pick(prompt, rows, default if listed or not question.pattern else WRITE)
        if picked != WRITE or not question.pattern:
            return picked
        return self._line(replace(prompt, default="" if listed else prompt.default))

    def _key(self, prompt, question):
        found = private_keys()
        if not found and not question.make:
            return self._line(prompt, paths=True)
        rows = [Row(path, (_short_home(path),)) for path in found]
        rows += [Row(MAKE, ("make a new one",))] if question.make else []
        rows += [Row(WRITE, ("another file",))]
        usual = found[0] if found else MAKE
        default = os.path.abspath(os.path.expanduser(prompt.default)) if prompt.default else usual
        picked = self.face.pick(prompt, rows, default if default in (*found, MAKE) else WRITE)
        if picked != MAKE:
            return picked if picked != WRITE else self._line(prompt, paths=True)
        with self.face.waiting("making the key", True):
            path = make_key(question.make)
        self.face.note(f"Made an SSH key without a passphrase: {_short_home(path)}")
        return path

    def _without_choices(self, interview, question, problem, text, keep):
        self.face.problem(problem.message)
        ways = (Choice("again", "try again"), Choice("type", "type a value"), Choice("stop", "stop here"))
        way = self.face.pick(Prompt(f"What now, about {question.name}?"), _rows(ways), "again")
        if way == "stop":
            raise BadUsage(problem.message, KEPT)
        if way == "type":
            interview.give_up_choices(question)
        return self._asked(interview, question, text, keep)


@contextlib.contextmanager
def _stops(before: str, next_step: str = "") -> Iterator[None]:
    try:
        with _echo(False):
            yield
    except KeyboardInterrupt:
        raise Interrupted(f"Interrupted before {before}.", next_step) from None
    except EOFError:
        raise BadUsage(f"The input ended before {before}.", next_step) from None


@contextlib.contextmanager
def _echo(on: bool) -> Iterator[None]:
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


# What is shown of questions and answers


def sentence(text: str) -> str:
    """Return words from a manifest as one line that cannot drive the terminal."""
    return " ".join("".join(c if c.isprintable() else " " for c in _ESCAPE.sub("", text)).split())


def visible(value: str) -> str:
    """Return a value with escapes for what is not printable, so that it is seen and does nothing."""
    return value if value.isprintable() else "".join(c if c.isprintable() else _escaped(c) for c in value)


def _escaped(char: str) -> str:
    if 0xDC80 <= ord(char) <= 0xDCFF:  # a byte that is no UTF-8, as surrogateescape carries it
        return f"\\x{ord(char) - 0xDC00:02x}"
    return char.encode("unicode_escape", "surrogatepass").decode("ascii")


def _for_eyes(question: Question, value: str) -> str:
    if question.secret:
        return HIDDEN
    if question.type == "confirm":
        return "yes" if value == "true" else "no"
    return value if value else "(empty)"


def _where_from(answer: Answer) -> str:
    """Return the words for a value that was given beforehand, nothing for an answer or a default."""
    if answer.source in ("asked", "default"):
        return ""
    if answer.source in ("saved", DRAFT):
        return answer.source
    return "from " + ("--set" if answer.source.startswith("--set ") else answer.source)


def _value_and_source(question: Question, answer: Answer | None) -> tuple[str, str]:
    if answer is None:
        return "(empty)", ""
    return _for_eyes(question, answer.value), _where_from(answer) or answer.source


def _help(question: Question) -> str:
    picked = question.type in ("select", "confirm") or question.type == "ssh-key" and question.make
    if not question.optional or picked:
        return question.help
    return (
        f"{question.help} {'It may be left empty.' if question.default else 'Enter leaves it empty.'}".strip()
    )


def _fault(question: Question, text: str, choices: Sequence[Choice]) -> str:
    try:
        validate(question, text if question.secret else text.strip(), choices)
    except BadAnswer as problem:
        return problem.message
    return ""


def _short_home(path: str) -> str:
    home = os.path.expanduser("~")
    return "~" + path[len(home) :] if path.startswith(home + os.sep) else path


# What a prompt consists of


@dataclass(frozen=True)
class Prompt:
    """What is shown while one question is asked, and what is taken for an answer."""

    ask: str
    help: str = ""
    default: str = ""
    refuse: Callable[[str], str] = lambda text: ""  # why a text cannot be taken; nothing when it can
    while_typing: bool = False


@dataclass(frozen=True)
class Row:
    """One line of a list: the value it stands for and its cells; the last one is said in a lower voice."""

    value: str
    cells: tuple[str, ...]


def _rows(choices: Sequence[Choice]) -> list[Row]:
    return [Row(c.value, (c.value, sentence(c.description))) for c in choices]


def aligned(rows: Sequence[Row], width: int) -> list[tuple[str, str]]:
    """Return the plain and the quiet part of every row, in columns, no wider than `width` together."""
    table = [[visible(cell) for cell in row.cells] for row in rows]
    widths = _column_widths(table, width)
    lines = []
    for *firsts, last in table:
        if not firsts:
            lines.append((shorten(last, width), ""))
            continue
        plain = "   ".join(_padded(cell, column) for cell, column in zip(firsts, widths, strict=False))
        if not last or cell_width(plain) > width:
            plain = shorten(plain.rstrip(), width)
        quiet = shorten("   " + last, max(0, width - cell_width(plain))) if last else ""
        lines.append((plain, quiet))
    return lines


def _column_widths(table: Sequence[Sequence[str]], width: int) -> list[int]:
    """Return the widths of all columns but the last; where the room is short, the last of them gives way."""
    columns = list(zip_longest(*(row[:-1] for row in table), fillvalue=""))
    widths = [min(WIDEST_VALUE, max(map(cell_width, column))) for column in columns]
    if widths:
        quiet = max(cell_width(row[-1]) for row in table if len(row) > 1)
        room = width - sum(widths[:-1]) - 3 * len(widths) - min(quiet, LEAST_QUIET)
        widths[-1] = min(widths[-1], max(room, LEAST_VALUE))
    return widths


def _padded(text: str, width: int) -> str:
    text = shorten(text, width)
    return text + " " * (width - cell_width(text))


def cell_width(text: str) -> int:
    """Return how many columns a text takes on the terminal."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)


def shorten(text: str, width: int) -> str:
    """Return a text that takes at most `width` columns; an ellipsis stands for what was cut off."""
    if cell_width(text) <= width:
        return text
    while text and cell_width(text) > width - 1:
        text = text[: max(0, min(len(text) - 1, width - 1))]
    return text.rstrip() + "…" if width > 0 else ""


def _size() -> tuple[int, int]:
    """Return the terminal's columns and lines; serial lines and some pseudo-terminals do not know theirs."""
    try:
        columns, lines = os.get_terminal_size(sys.stdout.fileno())
    except (OSError, ValueError, AttributeError):
        columns, lines = 0, 0
    return columns or 80, lines or 24


def _can_draw() -> bool:
    columns, lines = _size()
    simple = os.environ.get("TERM", "") in ("", "dumb", "unknown")
    return not simple and columns >= LEAST_COLUMNS and lines >= LEAST_LINES


class Plain:
    """Prompts as lines of text, for terminals that cannot move their cursor."""

    @property
    def width(self) -> int:
        return _size()[0]

    def say(self, text: str = "", end: str = "\n") -> None:
        """Write a line; characters that the terminal's encoding lacks are written as escapes."""
        encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
        sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding) + end)
        sys.stdout.flush()

    def note(self, text: str) -> None:
        self.say(self.quiet("  " + visible(text)))

    def problem(self, text: str) -> None:
        self.say("\n".join(self._wrapped("! " + sentence(text), hanging="  ")))

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
            return [(visible("  ".join(filter(None, row.cells))), "") for row in rows]
        return aligned(rows, self.width - indent)

    @contextlib.contextmanager
    def waiting(self, words: str, takes_a_while: bool) -> Iterator[None]:
        """Say what is going on while a program runs."""
        if takes_a_while:
            self.say(f"  {words} ...")
        yield

    def line(self, prompt: Prompt, paths: bool = False) -> str:
        self._show(prompt)
        shown = f"[{shorten(visible(prompt.default), WIDEST_VALUE)}] " if prompt.default else ""
        while True:
            typed = self._read(f"  {shown}> ").strip() or prompt.default
            if not (reason := prompt.refuse(typed)):
                return typed
            self.problem(reason)

    def secret(self, prompt: Prompt) -> str:
        self._show(prompt)
        while True:
            typed = self._read("  (not shown) > ", hidden=True)
            if not (reason := prompt.refuse(typed)):
                return typed
            self.problem(reason)

    def yes_or_no(self, prompt: Prompt, default: bool) -> bool:
        self._show(prompt)
        while True:
            typed = self._read("  [yes] > " if default else "  [no] > ").strip().lower()
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
            typed = self._read(self._label(numbers, usual)).strip() or usual
            if typed in names or typed in numbers:
                return names[typed] if typed in names else numbers[typed]
            self.problem(f"{visible(typed)} is not in the list." if typed else "Please pick one of the list.")

    def pick_several(self, prompt: Prompt, rows: Sequence[Row], checked: Sequence[str]) -> list[str]:
        self._show(prompt)
        numbers = self._list(rows)
        values = {row.value for row in rows}
        usual = ",".join(value for value in checked if value in values)
        while True:
            label = self._label(numbers, usual, "several with commas, - for none")
            typed = self._read(label).strip() or usual
            items = [item.strip() for item in typed.split(",") if item.strip() not in ("", "-")]
            picked = [item if item in values else numbers.get(item, "") for item in items]
            reason = "" if all(picked) else f"{visible(items[picked.index('')])} is not in the list."
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
        return f"  {words} [{shorten(visible(usual), WIDEST_VALUE)}] > " if usual else f"  {words} > "

    def _show(self, prompt: Prompt) -> None:
        self.say("\n".join(self._wrapped(sentence(prompt.ask))))
        if prompt.help:
            self.say("\n".join(self._wrapped("  " + sentence(prompt.help), hanging="  ")))

    def _wrapped(self, text: str, hanging: str = "") -> list[str]:
        return textwrap.wrap(text, max(10, self.width - 1), subsequent_indent=hanging) or [""]

    def _read(self, label: str, hidden: bool = False) -> str:
        """Return a line as it was typed, whatever its bytes; raises EOFError at the end of the input.

        What was typed before the prompt stood there counts: getpass would throw it away.
        """
        self.say(label, end="")
        try:
            with _echo(not hidden):
                line = sys.stdin.buffer.readline()
        except OSError:  # the terminal hung up
            line = b""
        if hidden or not line:
            self.say()
        if not line:
            raise EOFError
        return line.decode("utf-8", "surrogateescape").rstrip("\r\n")


class _Searchable(list):
    """A row of styled text that questionary's filter can search as well."""

    def lower(self) -> str:
        return "".join(text for _, text in self).lower()


class Drawn(Plain):
    """Prompts drawn by questionary: once answered they are erased, but for one line with the answer."""

    def __init__(self):
        self.colour = not os.environ.get("NO_COLOR")

    def quiet(self, text: str) -> str:
        return f"\x1b[2m{text}\x1b[0m" if self.colour and text else text

    def problem(self, text: str) -> None:
        lines = "\n".join(self._wrapped("! " + sentence(text), hanging="  "))
        self.say(f"\x1b[31m{lines}\x1b[0m" if self.colour else lines)

    def answered(self, ask: str, answer: str) -> None:
        ask, answer = sentence(ask), shorten(visible(answer), self.width - 3)
        between = "  "
        if cell_width(ask) + cell_width(answer) + 5 > self.width:
            ask, between = self._question(ask), "\n  "
        self.say(f"{self._cyan('?')} {ask}{between}{self._cyan(answer)}")

    def _cyan(self, text: str) -> str:
        return f"\x1b[36m{text}\x1b[0m" if self.colour else text

    @contextlib.contextmanager
    def waiting(self, words: str, takes_a_while: bool) -> Iterator[None]:
        if not takes_a_while:
            yield
            return
        self.say(self.quiet(f"  {words} ..."), end="")
        try:
            yield
        finally:
            self.say("\r\x1b[K", end="")

    def line(self, prompt: Prompt, paths: bool = False) -> str:
        import questionary

        asked = questionary.text(default=prompt.default, **self._typed(prompt), **_completion(paths))
        return self._run(asked, typed=True)

    def secret(self, prompt: Prompt) -> str:
        import questionary

        return self._run(questionary.password(**self._typed(prompt)), typed=True)

    def yes_or_no(self, prompt: Prompt, default: bool) -> bool:
        import questionary

        hint = self._below(prompt, "(Y/n)" if default else "(y/N)")
        return self._run(
            questionary.confirm(self._question(prompt.ask), default=default, instruction=hint, style=_style())
        )

    def pick(self, prompt: Prompt, rows: Sequence[Row], default: str | None) -> str:
        import questionary

        many = len(rows) >= FILTER_FROM
        hint = "(arrows and Enter; type to narrow)" if many else "(arrows and Enter)"
        choices = self._choices(rows)
        return self._run(
            questionary.select(
                self._question(prompt.ask),
                choices,
                default=next((choice for choice in choices if choice.value == default), None),
                instruction=self._below(prompt, hint),
                use_search_filter=many,
                use_jk_keys=not many,
                show_description=False,
                style=_style(),
            )
        )

    def pick_several(self, prompt: Prompt, rows: Sequence[Row], checked: Sequence[str]) -> list[str]:
        import questionary

        def verdict(picked):
            return prompt.refuse(",".join(picked)) or True

        return self._run(
            questionary.checkbox(
                self._question(prompt.ask),
                self._choices(rows, checked),
                validate=verdict,
                instruction=self._below(prompt, "(Space picks, Enter goes on)"),
                show_description=False,
                style=_style(),
            )
        )

    def _choices(self, rows, checked=()):
        import questionary

        titles = [[("class:text", p), ("class:quiet", q)] for p, q in aligned(rows, self.width - 6)]
        return [
            questionary.Choice(_Searchable(title), row.value, checked=row.value in checked)
            for row, title in zip(rows, titles, strict=True)
        ]

    def _typed(self, prompt):
        return {
            "message": self._question(prompt.ask),
            "instruction": self._below(prompt) + "\n >",
            "validate": lambda text: prompt.refuse(text) or True,
            "validate_while_typing": prompt.while_typing,
            "style": _style(),
        }

    def _question(self, ask):
        return "\n".join(self._wrapped("  " + sentence(ask), hanging="  "))[2:]

    def _below(self, prompt, hint=""):
        """Return what follows the question: how to answer, where it fits on the line, and the help."""
        fits = cell_width(self._question(prompt.ask).rpartition("\n")[2]) + len(hint) + 4 <= self.width
        first = hint if fits else "\n  " + shorten(hint, self.width - 3)
        lines = self._wrapped("  " + sentence(prompt.help), hanging="  ") if prompt.help else []
        return "\n".join([first, *lines])

    def _run(self, asked, typed=False):
        from prompt_toolkit.key_binding import merge_key_bindings
        from prompt_toolkit.renderer import CPR_Support

        app = asked.application
        app.erase_when_done = True
        # Slow lines and simple terminals never answer where the cursor is, and nothing here needs to know.
        app.renderer.cpr_support = CPR_Support.NOT_SUPPORTED
        app.key_bindings = merge_key_bindings([app.key_bindings, _keys()])
        _keep_lists_short(app.layout)
        if typed:
            _select_all(app.current_buffer)
        return asked.unsafe_ask()


def _style():
    import questionary

    return questionary.Style(
        [
            ("qmark", "fg:ansicyan"),
            ("question", "bold"),
            ("answer", "noinherit"),
            ("instruction", "dim"),
            ("quiet", "dim"),
            ("pointer", "fg:ansicyan bold"),
            ("selected", ""),
            ("validation-toolbar", "noinherit fg:ansired"),
            ("bottom-toolbar", "noreverse"),
        ]
    )


def _keep_lists_short(layout) -> None:
    """Let a long list scroll in a part of the screen, so that what was answered before it stays in sight."""
    from prompt_toolkit.filters import Always
    from prompt_toolkit.layout import Dimension
    from questionary.prompts.common import InquirerControl

    lines = _size()[1]
    for window in layout.find_all_windows():
        if isinstance(window.content, InquirerControl):
            window.height = Dimension(max=max(4, lines - LINES_BESIDE_A_LIST))
            window.dont_extend_height = Always()


def _completion(paths: bool) -> dict:
    if not paths:
        return {}
    from prompt_toolkit.completion import PathCompleter
    from prompt_toolkit.shortcuts import CompleteStyle

    return {
        "completer": PathCompleter(expanduser=True),
        "complete_style": CompleteStyle.READLINE_LIKE,
        "complete_while_typing": False,
    }


def _select_all(buffer) -> None:
    """Select the default, as desktop programs do: typing replaces it, an arrow key starts editing it."""
    from prompt_toolkit.selection import SelectionState

    if buffer.text:
        buffer.cursor_position = len(buffer.text)
        buffer.selection_state = SelectionState(original_cursor_position=0)
        buffer.selection_state.enter_shift_mode()


def _keys():
    from prompt_toolkit.application import get_app
    from prompt_toolkit.filters import Condition
    from prompt_toolkit.key_binding import KeyBindings
    from prompt_toolkit.keys import Keys

    keys = KeyBindings()

    @Condition
    def nothing_typed():
        buffer = get_app().current_buffer
        return not buffer.text or buffer.selection_state is not None

    @keys.add("c-d", filter=nothing_typed, eager=True)
    def end(event):
        event.app.exit(exception=EOFError)

    @keys.add("<sigint>")
    def interrupt(event):
        event.app.exit(exception=KeyboardInterrupt)

    @keys.add(Keys.BracketedPaste, eager=True)
    def paste(event):
        if event.current_buffer.selection_state is not None:
            event.current_buffer.cut_selection()
        # A copied token often ends in a line break.
        event.current_buffer.insert_text(event.data.strip("\r\n"))

    return keys
