"""Asks on a terminal: prompts, the review, confirmations (the one home of questionary)."""

from __future__ import annotations

import contextlib
import os

from rigger import text as texts
from rigger.errors import BadUsage, Interrupted
from rigger.questions.interview import GENERATED
from rigger.questions.model import Answer, BadAnswer, Choice, Question
from rigger.questions.sources import DRAFT
from rigger.questions.validate import YES, validate
from rigger.redact.references import is_reference, literal
from rigger.ssh.keys import make as make_key
from rigger.ssh.keys import private_keys
from rigger.text import Row
from rigger.ui import terminal
from rigger.ui.drawn import Drawn
from rigger.ui.plain import MAKE, WRITE, Back, Plain, Prompt, rows_of
from rigger.ui.terminal import can_draw
from rigger.values import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from rigger.questions.interview import Interview

KEPT = 'The answers given so far are kept: "rigger configure" resumes with them.'
HIDDEN = "********"


WIDEST_NOTE = 60  # columns of a value that was given beforehand


class Wizard:
    """Asks on the terminal; every verb raises Interrupted on Ctrl-C and BadUsage when the input ends.

    `describe` may dress a question up just before it is shown, where doing so for every question is slow.
    """

    def __init__(self, describe: Callable[[Question], Question] | None = None, told: Iterable[str] = ()):
        self.describe = describe or (lambda question: question)
        self.face = Drawn() if can_draw() else Plain()
        self._told = {*told}  # names of questions whose given values were said
        self._explained: set[str] = set()
        self._asked_before: set[str] = set()  # names of questions that were asked here

    def fill(self, interview: Interview, on_answer: Callable[[], None]) -> None:
        """Ask whatever is not answered yet, and call `on_answer` after every accepted answer."""
        with _stops("every question was answered", KEPT):
            self._fill(interview, on_answer)

    def _fill(self, interview: Interview, on_answer: Callable[[], None]) -> None:
        while True:
            question = interview.advance()
            self._tell_given(interview)
            self._explain_set_aside(interview)
            if question is None:
                return
            self._explain_keys()
            try:
                self._ask(interview, question, to_come=_in_words(*interview.to_come(question)))
                on_answer()
            except Back:
                self._go_back(interview, question, on_answer)

    def _explain_keys(self) -> None:
        if not self._asked_before:
            self.face.note(
                f"Enter takes the default, {self.face.way_back}, Ctrl-C keeps the answers for later."
            )

    def _go_back(self, interview: Interview, at: Question | None, on_answer: Callable[[], None]) -> None:
        """Ask the question before one again, with its answer, and those before it as often as somebody goes back."""
        while True:
            earlier = self._before(interview, at)
            if earlier is None:
                self.face.note("There is no question before this one.")
                if at is None or at.name not in self._asked_before:
                    return
            at = earlier or at
            assert at is not None
            with contextlib.suppress(Back):
                to_come = _in_words(*interview.to_come(at))
                self._ask(interview, at, interview.answers.get(at.name), to_come)
                on_answer()
                return

    def _before(self, interview: Interview, at: Question | None) -> Question | None:
        """Return the last question before one that a person answered, now or before an interruption."""
        earlier = None
        for question in interview.applicable():
            if at is not None and question.name == at.name:
                break
            answer = interview.answers.get(question.name)
            if question.name in self._asked_before or (answer and answer.source == DRAFT):
                earlier = question
        return earlier

    def review(self, interview: Interview, on_answer: Callable[[], None]) -> None:
        """Show all answers and let any of them be changed, and what follows from it, until they are right."""
        with _stops("the answers were agreed to", KEPT):
            while (name := self._reviewed(interview, on_answer)) != WRITE:
                question = next(q for q in interview.applicable() if q.name == name)
                with contextlib.suppress(Back):
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
            answer = self.face.pick(Prompt(text), rows_of(choices), default)
            self.face.answered(text, answer)
            return answer

    def secret(self, text: str) -> str:
        """Ask for something that nobody may read on the screen, such as a passphrase."""
        with _stops("the question was answered"):
            answer = self.face.secret(Prompt(text))
            self.face.answered(text, HIDDEN)
            return answer

    def _tell_given(self, interview: Interview) -> None:
        hidden = interview.secret_names()
        for question in map(_hiding(hidden), interview.applicable()):
            answer = interview.answers.get(question.name)
            if answer is None or question.name in self._told:
                continue
            self._told.add(question.name)
            if (source := _where_from(answer)) and answer.source != "saved":
                value = texts.shorten(texts.visible(_for_eyes(question, answer.value)), WIDEST_NOTE)
                self.face.note(f"{question.name} is {value} ({texts.visible(source)})")

    def _explain_set_aside(self, interview: Interview) -> None:
        for question in interview.applicable():
            problem = interview.set_aside.get(question.name)
            if problem and problem.message not in self._explained:
                self._explained.add(problem.message)
                self.face.problem(f"The value so far cannot stay: {problem.message}")

    def _reviewed(self, interview: Interview, on_answer: Callable[[], None]) -> str:
        """Return the name of an answer that is to be changed, WRITE where all are right."""
        while True:
            try:
                return self._picked_in_review(interview)
            except Back:
                self._go_back(interview, None, on_answer)
                self._fill(interview, on_answer)

    def _picked_in_review(self, interview: Interview) -> str:
        rows = [
            Row(
                question.name,
                (question.name, *_value_and_source(question, interview.answers.get(question.name))),
            )
            for question in map(_hiding(interview.secret_names()), interview.applicable())
        ]
        self.face.say()
        prompt = Prompt("Is this right?", "Pick an answer to change it.", may_go_back=True)
        name = self.face.pick(prompt, [Row(WRITE, ("Write it",)), *rows], WRITE)
        if name == WRITE:
            self.face.table(rows)
        return name

    def _ask(
        self, interview: Interview, question: Question, present: Answer | None = None, to_come: str = ""
    ) -> None:
        """Ask until the answer is accepted; one that is the present answer stays what it is. Raises Back."""
        if question.type in ("text", "path") and interview.hides(question):
            question = replace(question, type="secret")
        shown = present.value if present else None
        while True:
            described = self.describe(question)
            text = self._asked(interview, described, shown, keep=present is not None, to_come=to_come)
            self._asked_before.add(question.name)
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
            # A secret that was refused cannot be seen, so it cannot be edited either.
            shown = text if not question.secret else present.value if present else None
        if question.check:
            self.face.answered(question.ask, _for_eyes(question, text))

    def _asked(
        self, interview: Interview, question: Question, text: str | None, keep: bool, to_come: str
    ) -> str:
        try:
            with self.face.waiting("looking up the choices", question.live):
                choices = interview.choices(question) if question.type in ("select", "checkbox") else ()
                default = text if text is not None else interview.default(question)
        except BadAnswer as problem:
            return self._without_choices(interview, question, problem, text, keep, to_come)
        prompt = Prompt(
            question.ask,
            _help(question),
            default or "",
            lambda typed: _fault(question, typed, choices),
            question.type == "integer",
            to_come=to_come,
            may_go_back=True,
        )
        if question.secret:
            return self._secret(prompt, default or "", keep)
        if question.type == "confirm":
            return "true" if self.face.yes_or_no(prompt, prompt.default.strip().lower() in YES) else "false"
        if question.type == "select" and choices:
            return self._select(prompt, question, choices, default)
        if question.type == "checkbox" and choices:
            picked = [value.strip() for value in prompt.default.split(",")]
            return ",".join(self.face.pick_several(prompt, rows_of(choices), picked))
        if question.type == "ssh-key":
            return self._key(prompt, question)
        return self._line(prompt, paths=question.type == "path")

    def _line(self, prompt: Prompt, paths: bool = False) -> str:
        typed = self.face.line(prompt, paths)
        return typed if typed == prompt.default else typed.strip()

    def _secret(self, prompt: Prompt, default: str, keep: bool) -> str:
        """A secret is never shown, so the one that there is can only be kept or replaced."""
        prompt = replace(prompt, several_lines=True)
        if not default:
            return self.face.secret(prompt)
        stays = "Enter keeps the one that was given." if keep else "Enter takes the default."
        refuse = prompt.refuse
        prompt = replace(prompt, help=f"{prompt.help} {stays}", refuse=lambda typed: typed and refuse(typed))
        return self.face.secret(prompt) or default

    def _select(
        self, prompt: Prompt, question: Question, choices: Sequence[Choice], default: str | None
    ) -> str:
        rows = rows_of(choices)
        if question.pattern or question.optional:
            cells = ("another", "type a value") if question.pattern else ("none", "leave it empty")
            rows.append(Row(WRITE, cells))
        listed = default in {choice.value for choice in choices}
        usual = default if listed or not question.pattern else WRITE
        while (picked := self.face.pick(prompt, rows, usual)) == WRITE and question.pattern:
            with contextlib.suppress(Back):  # to the list
                return self._line(replace(prompt, default="" if listed else prompt.default))
        return picked

    def _key(self, prompt: Prompt, question: Question) -> str:
        keys = private_keys()
        if not keys and not question.make:
            return self._line(prompt, paths=True)
        rows = [Row(path, (texts.short_home(path),)) for path in keys]
        rows += [Row(MAKE, ("make a new one",))] if question.make else []
        rows += [Row(WRITE, ("another file",))]
        usual = keys[0] if keys else MAKE
        default = os.path.abspath(os.path.expanduser(prompt.default)) if prompt.default else usual
        usual = default if default in (*keys, MAKE) else WRITE
        while (picked := self.face.pick(prompt, rows, usual)) == WRITE:
            with contextlib.suppress(Back):  # to the list
                return self._line(prompt, paths=True)
        if picked != MAKE:
            return picked
        with self.face.waiting("making the key", True):
            path = make_key(question.make)
        self.face.note(f"Made an SSH key without a passphrase: {texts.short_home(path)}")
        return path

    def _without_choices(
        self,
        interview: Interview,
        question: Question,
        problem: BadAnswer,
        text: str | None,
        keep: bool,
        to_come: str,
    ) -> str:
        self.face.problem(problem.message)
        ways = (Choice("again", "try again"), Choice("type", "type a value"), Choice("stop", "stop here"))
        prompt = Prompt(f"{question.name}: what should be done?", may_go_back=True)
        way = self.face.pick(prompt, rows_of(ways), "again")
        if way == "stop":
            raise BadUsage(problem.message, KEPT)
        if way == "type":
            interview.give_up_choices(question)
        return self._asked(interview, question, text, keep, to_come)


@contextlib.contextmanager
def _stops(before: str, next_step: str = "") -> Iterator[None]:
    try:
        with terminal.echo(False):
            yield
    except KeyboardInterrupt:
        raise Interrupted(f"Interrupted before {before}.", next_step) from None
    except EOFError:
        raise BadUsage(f"The input ended before {before}.", next_step) from None


def _in_words(to_come: int, or_more: bool) -> str:
    if or_more:
        return f"at least {to_come} more to come" if to_come else ""
    return f"{to_come} more to come" if to_come else "the last question"


def _hiding(names: Collection[str]) -> Callable[[Question], Question]:
    """Return what makes a question of one of these names one for a secret, of which nothing is shown."""
    return lambda question: replace(question, type="secret") if question.name in names else question


def _for_eyes(question: Question, value: str) -> str:
    if question.secret:
        return value if is_reference(value) else HIDDEN
    if question.type == "confirm":
        return "yes" if value == "true" else "no"
    return value if value else "(empty)"


def _where_from(answer: Answer) -> str:
    """Return the words for a value that was given beforehand, nothing for an answer or a default."""
    if answer.source in ("asked", "default"):
        return ""
    if answer.source in ("saved", DRAFT, GENERATED):
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
    if question.secret and is_reference(text):
        return ""  # the secret that it leads to has to hold, not the reference
    try:
        validate(question, literal(text) if question.secret else text.strip(), choices)
    except BadAnswer as problem:
        return problem.message
    return ""
