"""Ask questions in order, each with what was answered before."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from rigger import templates
from rigger.errors import Declined, Interrupted, NotReady, Refused, RiggerError, StepFailed
from rigger.questions import validate
from rigger.questions.model import Answer, BadAnswer, Choice, Question, of_program, said_of
from rigger.questions.order import names_in
from rigger.questions.secrecy import is_made_of, secret_names
from rigger.questions.sources import DRAFT, Sources
from rigger.redact.forms import MIN_LENGTH
from rigger.redact.known import hide
from rigger.redact.references import is_reference, literal
from rigger.templates import is_true
from rigger.text import last_line
from rigger.values import replace

GENERATED = "generated"  # the source of a secret that was made here

# A program of a manifest: (folder it lies in, command, values) -> (exit code, standard output, standard error).
RunProgram = Callable[[str, str, Mapping[str, str]], tuple[int, str, str]]


class Interview:
    """The answers to a list of questions that depends on the answers given so far.

    `script` returns the questions for the values known; `advance` settles what needs nobody and returns the next
    question for a person. A question whose `when` does not hold has no answer and no value.
    """

    def __init__(
        self,
        script: Callable[[Mapping[str, str]], Sequence[Question]],
        sources: Sources,
        run_program: RunProgram | None = None,
        *,
        make_key: Callable[[Question], str] | None = None,  # returns the path of a key, made if need be
        make_secret: Callable[[Question], str] | None = None,  # returns a new secret
        look_up: Callable[[str, str], str] | None = None,  # name, reference -> the secret; raises NotReady
        looked_up: Mapping[str, str] | None = None,  # the secrets of references that are known beforehand
        advanced: bool = False,
        take_defaults: bool = False,
    ):
        self.script = script
        self.sources = sources
        self.run_program = run_program
        self.make_key = make_key
        self.make_secret = make_secret
        self.look_up = look_up
        self.looked_up = dict(looked_up or {})
        self.advanced = advanced
        self.take_defaults = take_defaults
        self.on_passed_over: Callable[[str], None] = lambda name: None
        self.answers: dict[str, Answer] = {}
        self.unanswered: set[str] = set()  # optional ones that were passed over
        self.set_aside: dict[str, BadAnswer] = {}  # values that do not hold, to be explained and asked
        self._asked_again: set[str] = set()  # taken back by a person: no source settles them
        self._unlisted: set[str] = set()  # whose choices cannot be listed: any value will do
        self._choices: dict[tuple[str, str, tuple[tuple[str, str], ...]], tuple[Choice, ...]] = {}

    def values(self) -> dict[str, str]:
        """Return the value of every answered question that applies."""
        return {
            q.name: self._meant(q, self.answers[q.name].value)
            for q in self.applicable()
            if q.name in self.answers
        }

    def _meant(self, question: Question, value: str) -> str:
        """Return the value that an answer stands for: of a reference the secret, once it was looked up."""
        if not question.secret:
            return value
        return self.looked_up.get(value, value) if is_reference(value) else literal(value)

    def references(self) -> dict[str, str]:
        """Return the answers that are references to secrets."""
        answers = {
            q.name: self.answers[q.name].value
            for q in self.applicable()
            if q.secret and q.name in self.answers
        }
        return {name: value for name, value in answers.items() if is_reference(value)}

    def applicable(self) -> list[Question]:
        """Return the questions whose condition holds, in the order in which they are asked."""
        values: dict[str, str] = {}
        questions: dict[str, Question] = {}
        changed = True
        while changed:
            changed = False
            for question in self.script(values):
                if question.name in questions:
                    continue
                if question.when and not self._holds(question, values):
                    continue
                questions[question.name] = question
                changed = True
                if question.name in self.answers:
                    values[question.name] = self._meant(question, self.answers[question.name].value)
                    break  # an answer may change the questions that follow
        final: dict[
            str, Question
        ] = {}  # an answer may also have changed or withdrawn a question met before it
        for question in self.script(values):
            if question.name in questions:
                final.setdefault(question.name, question)
        return list(final.values())

    def _holds(self, question: Question, known: Mapping[str, str]) -> bool:
        """Return whether a condition holds; one that needs an answer not given yet does not."""
        try:
            return is_true(question.when, known, f"{question.origin}, when of {question.name}")
        except Refused:
            if self._waits(question.when, known):
                return False
            raise

    def _waits(self, source: str, known: Mapping[str, str]) -> bool:
        """Return whether a template names a question that has no answer."""
        return not names_in(source).isdisjoint(q.name for q in self.script(known) if q.name not in known)

    def advance(self) -> Question | None:
        """Settle questions until one needs a person; return that one, or None when all is answered."""
        while True:
            question = next((q for q in self.applicable() if not self._settled(q)), None)
            if question is None or not self._settle(question):
                return question

    def to_come(self, question: Question) -> tuple[int, bool]:
        """Return how many questions a person will be asked after this one, and whether answers may bring more."""
        others = [other for other in self.applicable() if other.name != question.name]
        pending = [other for other in others if not self._settled(other) and self._needs_a_person(other)]
        known = self.values()
        waits = any(q.when and q.name not in known and self._waits(q.when, known) for q in self.script(known))
        return len(pending), waits or any(q.decides for q in (question, *pending))

    def _needs_a_person(self, question: Question) -> bool:
        """Return whether somebody will be asked, as far as can be said without running a program."""
        if question.name in self._asked_again or question.name in self.set_aside:
            return True
        if self.sources.find(question) is not None:
            return False
        if question.generate and self.make_secret:
            return False
        if not (self.take_defaults or (question.advanced and not self.advanced)):
            return True
        has_default = question.default is not None or question.type in ("select", "confirm")
        return not (has_default or question.optional or question.make)

    def _settled(self, question: Question) -> bool:
        return question.name in self.answers or question.name in self.unanswered

    def _settle(self, question: Question) -> bool:
        if question.name in self._asked_again or question.name in self.set_aside:
            return False
        given = self.sources.find(question)
        if given is not None:
            return self._take_given(question, given)
        if question.generate and self.make_secret:
            self.answers[question.name] = Answer(self.check(question, self.make_secret(question)), GENERATED)
            return True
        if (question.advanced and not self.advanced) or self.take_defaults:
            return self._take_default(question)
        return False

    def _take_default(self, question: Question) -> bool:
        try:
            default = self.default(question)
            if default is None and question.make and self.make_key is not None:
                default = self.make_key(question)
            value = default if default is None else self.check(question, default)
        except BadAnswer as problem:
            self.set_aside[question.name] = said_of(problem, "its default")
            return False
        if value is not None:
            self.answers[question.name] = Answer(value, "default", explicit=question.pinned or question.live)
        elif question.optional:
            self.unanswered.add(question.name)
        return value is not None or question.optional

    def _take_given(self, question: Question, given: Answer) -> bool:
        try:
            if given.source == DRAFT:
                self.answer(question, given.value)
                return True
            value = self.check(question, given.value)
        except BadAnswer as problem:
            if given.source in (self.sources.saved_name, self.sources.given_name, DRAFT):
                self.set_aside[question.name] = problem
                return False
            raise said_of(problem, f"from {given.source}") from None
        self.answers[question.name] = replace(given, value=value)
        return True

    def answer(self, question: Question, text: str) -> None:
        """Take a person's answer; raises BadAnswer, whose message explains what is wrong with it."""
        value = self.check(question, text)
        default = self._valid_default(question)
        before = (dict(self.answers), set(self.unanswered), dict(self.set_aside))
        if value == "" and question.optional and not default:
            self.unanswered.add(question.name)
            self.answers.pop(question.name, None)
        else:
            unchanged = value == default
            explicit = question.pinned or question.live or not unchanged
            self.answers[question.name] = Answer(value, "default" if unchanged else "asked", explicit)
            self.unanswered.discard(question.name)
        try:
            self._follow(question)
        except (
            StepFailed,
            Interrupted,
            Declined,
        ):  # a program that asks questions itself has ended, or somebody has had enough
            raise
        except RiggerError as problem:  # what was chosen cannot be used: a module with a broken manifest
            self.answers, self.unanswered, self.set_aside = before
            raise BadAnswer(problem.message, problem.next_step) from None
        self._asked_again.discard(question.name)

    def _follow(self, changed: Question) -> None:
        """Resolve the defaults behind an answer anew, and set aside what no longer holds; runs no checks."""
        behind = [question.name for question in self.applicable()]
        behind = behind[behind.index(changed.name) + 1 :] if changed.name in behind else []
        for name in behind:
            question = next((q for q in self.applicable() if q.name == name), None)
            if question is None or name not in self.answers:
                continue
            if self.answers[name].source == "default":
                self._renew_default(question)
            else:
                self._keep_valid(question)

    def _renew_default(self, question: Question) -> None:
        old = self.answers.pop(question.name)
        default = self._valid_default(question)
        if default is not None:
            self.answers[question.name] = replace(old, value=default)

    def _keep_valid(self, question: Question) -> None:
        try:
            self._valid(question, self.answers[question.name].value)
        except BadAnswer as problem:
            self.set_aside[question.name] = problem
            del self.answers[question.name]

    def _valid_default(self, question: Question) -> str | None:
        """Return the default as it is stored, None where there is none that holds."""
        try:
            default = self.default(question)
            return default and self._valid(question, default)
        except BadAnswer:
            return None

    def _valid(self, question: Question, text: str) -> str:
        """Return the value of an answer that satisfies its question, the question's program left aside."""
        choices = self.choices(question) if question.type in ("select", "checkbox") and text else ()
        meant = self._meant(question, text)
        if meant == text:
            return (
                text if question.secret and is_reference(text) else validate.validate(question, text, choices)
            )
        validate.validate(question, meant)
        return text

    def forget(self, name: str) -> None:
        """Take an answer back, so that its question is asked again whatever was given for it."""
        self.answers.pop(name, None)
        self.unanswered.discard(name)
        self._asked_again.add(name)

    def give_up_choices(self, question: Question) -> None:
        """Accept any value for a question whose choices cannot be listed now."""
        self._unlisted.add(question.name)

    def missing(self) -> list[Question]:
        """Return all questions that still need a value, as far as they can be known without the missing ones."""
        missing: dict[str, Question] = {}
        while (question := self.advance()) is not None:
            missing[question.name] = question
            self.unanswered.add(question.name)
            self.on_passed_over(question.name)
        self.unanswered -= set(missing)
        return list(missing.values())

    def default(self, question: Question) -> str | None:
        """Return the default as it stands for the values known, None where there is none (yet)."""
        if question.default is not None:
            values = self.values()
            try:
                rendered = templates.render(
                    question.default, values, f"{question.origin}, default of {question.name}"
                )
                # One that comes out empty is a default only where nothing is an answer.
                return rendered if rendered or question.optional or question.default == "" else None
            except Refused:
                if self._waits(question.default, values):
                    return None
                raise
        if question.type in ("select",):
            choices = self.choices(question)
            return choices[0].value if choices else None
        return "false" if question.type == "confirm" else None

    def secret_names(self) -> set[str]:
        """Return the names of the answers that nobody may see: secrets, and what is made of them."""
        saved = self.sources.saved
        known = {name: saved[name] for name in self.sources.hidden if name in saved}
        return secret_names(self.applicable(), self.meant(), known)

    def meant(self) -> dict[str, Answer]:
        """Return the answers with the secrets that references lead to; nothing for those that were not looked up."""
        meant = dict(self.answers)
        for question in self.applicable():
            if question.name in meant:
                value = self._meant(question, meant[question.name].value)
                unknown = question.secret and value not in self.looked_up.values() and is_reference(value)
                meant[question.name] = replace(meant[question.name], value="" if unknown else value)
        return meant

    def hides(self, question: Question) -> bool:
        """Return whether nobody may see the answer of a question, or its default."""
        secret = self.secret_names()
        if question.secret or question.name in secret:
            return True
        return is_made_of(question.default or "", self.values(), secret, question.name)

    def _values_beside(self, question: Question) -> dict[str, str]:
        values = self.values()
        values.pop(question.name, None)
        return values

    def choices(self, question: Question) -> tuple[Choice, ...]:
        """Return the choices, asking the question's program where it has one; raises BadAnswer if that fails."""
        if question.name in self._unlisted:
            return ()
        if not question.live:
            return question.choices
        values = self._values_beside(question)
        key = (question.name, question.choices_command, tuple(sorted(values.items())))
        if key not in self._choices:
            self._choices[key] = self._live_choices(question, values)
        return self._choices[key]

    def _live_choices(self, question: Question, values: Mapping[str, str]) -> tuple[Choice, ...]:
        if self.run_program is None:
            return ()
        code, output, errors = self.run_program(question.folder, question.choices_command, values)
        if code != 0:
            reason = (last_line(errors, output) or f"it exited {code}").rstrip(".")
            raise of_program(
                f"{question.choices_command} could not list the choices of {question.name}: {reason}.", reason
            )
        lines = [line.partition("\t") for line in output.splitlines() if line.strip()]
        return tuple(Choice(value.strip(), description.strip()) for value, _, description in lines)

    def check(self, question: Question, text: str) -> str:
        """Return the value of an answer that satisfies every rule of its question, its program's included."""
        self._look_up(question, text)
        value = self._valid(question, text)
        meant = self._meant(question, value)
        if question.check and value and self.run_program is not None:
            values = {**self.values(), question.name: meant}
            code, output, errors = self.run_program(question.folder, question.check, values)
            if code != 0:
                reason = last_line(errors, output) or f"{question.check} exited {code}"
                if question.secret and len(meant.encode("utf-8", "surrogateescape")) >= MIN_LENGTH:
                    reason = reason.replace(meant, "***")
                reason = reason.rstrip(".")
                raise of_program(f"{question.name} was not accepted: {reason}.", reason)
        return value

    def _look_up(self, question: Question, text: str) -> None:
        """Look a secret up where its answer is a reference, and mask it from now on; raises BadAnswer."""
        if question.secret and is_reference(text) and self.look_up:
            try:
                self.looked_up[text] = self.look_up(question.name, text)
            except NotReady as problem:
                raise BadAnswer(problem.message) from None
        meant = self._meant(question, text)
        if question.secret and (meant != text or not is_reference(text)):
            hide({question.name: meant})
