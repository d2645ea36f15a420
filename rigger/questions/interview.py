"""Ask questions in order, each with what was answered before."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from rigger import templates
from rigger.errors import Declined, Interrupted, NotReady, Refused, RiggerError, StepFailed
from rigger.questions import validate
from rigger.questions.model import Answer, BadAnswer, Choice, Question, said_of
from rigger.questions.order import names_in
from rigger.questions.programs import RunProgram, list_choices, require_accepted
from rigger.questions.secrecy import is_made_of, secret_names
from rigger.questions.sources import DRAFT, Sources
from rigger.questions.walk import Walk, met
from rigger.redact.known import hide
from rigger.redact.references import is_reference, literal
from rigger.values import replace

GENERATED = "generated"  # the source of a secret that was made here


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
        self._walk: Walk | None = None
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
        secret = [q.name for q in self.applicable() if q.secret and q.name in self.answers]
        return {n: self.answers[n].value for n in secret if is_reference(self.answers[n].value)}

    def applicable(self) -> list[Question]:
        """Return the questions whose condition holds, in the order in which they are asked."""
        walk = self._walked()
        if walk.at is None:
            return walk.met()
        return met(self.script, self._value_of)  # past the questions that have no answer

    def _value_of(self, question: Question) -> str | None:
        answer = self.answers.get(question.name)
        return self._meant(question, answer.value) if answer else None

    def _new_walk(self) -> Walk:
        return Walk(self.script, lambda question: self._value_of(question) or "")

    def _walked(self) -> Walk:
        """Return the walk over the questions up to the first one that is not settled."""
        walk, self._walk = self._walk, None
        if walk is None or not walk.is_current():
            walk = self._new_walk()
        while True:
            walk.at = walk.at or walk.next()
            if walk.at is None or not self._settled(walk.at):
                break
            if walk.at.name in self.answers:
                walk.take(walk.at)
            walk.at = None
        self._walk = walk
        return walk

    def _touched(self, name: str) -> None:
        """Walk anew from the first question on, unless what changed is the answer that the walk waits for."""
        if self._walk is not None and (self._walk.at is None or self._walk.at.name != name):
            self._walk = None

    def _known(self) -> Mapping[str, str]:
        """Return what `values` does, in any order, without a look at the questions that nobody reached."""
        walk = self._walked()
        return walk.values if self._is_ahead(walk) else self.values()

    def _is_ahead(self, walk: Walk) -> bool:
        """Return whether no question behind the walk has an answer: nothing there can change what comes before."""
        return len(walk.taken) == len(self.answers)

    def _waits(self, source: str, known: Mapping[str, str]) -> bool:
        """Return whether a template names a question that has no answer."""
        return not names_in(source).isdisjoint(self._without_value(known))

    def _without_value(self, known: Mapping[str, str]) -> set[str]:
        return {question.name for question in self.script(known) if question.name not in known}

    def advance(self) -> Question | None:
        """Settle questions until one needs a person; return that one, or None when all is answered."""
        while True:
            question = self._unsettled()
            if question is None or not self._settle(question):
                return question

    def _unsettled(self) -> Question | None:
        """Return the first question that applies and is not settled."""
        walk = self._walked()
        if walk.at is None or (walk.in_order and self._is_ahead(walk)):
            return walk.at and walk.in_script(walk.at)
        return next((question for question in self.applicable() if not self._settled(question)), None)

    def to_come(self, question: Question) -> tuple[int, bool]:
        """Return how many questions a person will be asked after this one, and whether answers may bring more."""
        others = [q for q in met(self.script, self._value_to_count_with) if q.name != question.name]
        pending = [other for other in others if not self._settled(other) and self._needs_a_person(other)]
        known = self.values()
        without = self._without_value(known)
        waits = any(
            q.when and q.name in without and not names_in(q.when).isdisjoint(without)
            for q in self.script(known)
        )
        return len(pending), waits or any(q.decides for q in (question, *pending))

    def _value_to_count_with(self, question: Question) -> str | None:
        return self._value_of(question) or (question.default if question.foreseen else None)

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
            self._put(question, Answer(self.check(question, self.make_secret(question)), GENERATED))
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
            self._put(question, Answer(value, "default", explicit=question.pinned or question.live))
        elif question.optional:
            self._pass_over(question)
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
        self._put(question, replace(given, value=value))
        return True

    def _put(self, question: Question, answer: Answer) -> None:
        self._touched(question.name)
        self.answers[question.name] = answer
        self.unanswered.discard(question.name)

    def _pass_over(self, question: Question) -> None:
        self._touched(question.name)
        self.answers.pop(question.name, None)
        self.unanswered.add(question.name)

    def answer(self, question: Question, text: str) -> None:
        """Take a person's answer; raises BadAnswer, whose message explains what is wrong with it."""
        value = self.check(question, text)
        default = self._valid_default(question)
        before = dict(self.answers), set(self.unanswered), dict(self.set_aside)
        if value == "" and question.optional and not default:
            self._pass_over(question)
        else:
            unchanged = value == default
            explicit = question.pinned or question.live or not unchanged
            self._put(question, Answer(value, "default" if unchanged else "asked", explicit))
        try:
            self._follow(question)
        # A program that asks questions itself has ended, or somebody has had enough.
        except (StepFailed, Interrupted, Declined):
            raise
        except RiggerError as problem:  # what was chosen cannot be used: a module with a broken manifest
            self.answers, self.unanswered, self.set_aside = before
            self._walk = None
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
        old = self.answers[question.name]
        self._take_back(question.name)
        default = self._valid_default(question)
        if default is not None:
            self._put(question, replace(old, value=default))

    def _take_back(self, name: str) -> None:
        self._touched(name)
        self.answers.pop(name, None)

    def _keep_valid(self, question: Question) -> None:
        try:
            self._valid(question, self.answers[question.name].value)
        except BadAnswer as problem:
            self.set_aside[question.name] = problem
            self._take_back(question.name)

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
        self._take_back(name)
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
            self._pass_over(question)
            self.on_passed_over(question.name)
        self.unanswered -= set(missing)
        self._walk = None
        return list(missing.values())

    def default(self, question: Question) -> str | None:
        """Return the default as it stands for the values known, None where there is none (yet)."""
        if question.default is not None:
            values: Mapping[str, str] = {} if templates.is_plain(question.default) else self._known()
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
        unknown, values = self.unknown(), self.values()
        meant = {name: "" if name in unknown else value for name, value in values.items()}
        others = {name: value for name, value in meant.items() if value != self.answers[name].value}
        return {**self.answers, **{name: replace(self.answers[name], value=v) for name, v in others.items()}}

    def unknown(self) -> set[str]:
        """Return the names of the references that were not looked up."""
        return {name for name, value in self.references().items() if value not in self.looked_up}

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
        if self.run_program is None:
            return ()
        values = self._values_beside(question)
        key = (question.name, question.choices_command, tuple(sorted(values.items())))
        if key not in self._choices:
            self._choices[key] = list_choices(self.run_program, question, values)
        return self._choices[key]

    def check(self, question: Question, text: str) -> str:
        """Return the value of an answer that satisfies every rule of its question, its program's included."""
        self._look_up(question, text)
        value = self._valid(question, text)
        meant = self._meant(question, value)
        if question.check and value and self.run_program is not None:
            require_accepted(self.run_program, question, self.values(), meant)
        return value

    def _look_up(self, question: Question, text: str) -> None:
        """Look a secret up where its answer is a reference, and mask it from now on; raises BadAnswer."""
        if question.secret and is_reference(text) and self.look_up:
            try:
                self.looked_up[text] = self.look_up(question.name, text)
                self._touched(question.name)
            except NotReady as problem:
                raise BadAnswer(problem.message) from None
        meant = self._meant(question, text)
        if question.secret and (meant != text or not is_reference(text)):
            hide({question.name: meant})
