"""Have every question answered: by a person, or from what was given beforehand."""

from __future__ import annotations

import secrets
import string
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from rigger.configuration.inputs import values_of_environ, whole_path
from rigger.configuration.resolve import CORE
from rigger.environments.drafts import Draft
from rigger.errors import NotReady
from rigger.interface1.record import UNASKED
from rigger.modules.contract import misspelt
from rigger.questions.interview import GENERATED, Interview
from rigger.questions.missing import missing_values, saved_problem
from rigger.questions.model import Answer, Question
from rigger.questions.sources import DRAFT, Sources
from rigger.redact.references import is_reference, look_up
from rigger.runs.programs import run_program
from rigger.sources.spec import DECIDE, SOURCE
from rigger.ssh import keys as ssh_keys
from rigger.text import did_you_mean, shorten, visible
from rigger.values import field, frozen, mutable, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from rigger.configuration.questionnaire import Questionnaire
    from rigger.environments.environment import Environment
    from rigger.environments.home import Home
    from rigger.modules.model import Module
    from rigger.runs.reporter import Reporter
else:
    Protocol = object

HIDDEN = "********"
WIDEST_VALUE = 60  # columns of a value that was given beforehand
KEPT_SOURCES = ("asked", "default", DRAFT)  # whose answers are kept for a conversation that goes on later


class Talk(Protocol):
    """Somebody who answers the questions of an interview."""

    def fill(self, interview: Interview, on_answer: Callable[[], None]) -> None:
        """Answer whatever is not answered yet; `on_answer` is called after every accepted answer."""

    def review(self, interview: Interview, on_answer: Callable[[], None]) -> None:
        """Look at all answers, and change some, until they are right."""


# Begins a conversation: what describes a question's choices, and the names whose given values need not be told.
Ask = Callable[[Callable[[Question], Question], Iterable[str]], Talk]


@frozen
class Given:
    """What was said beforehand to configure; `path` is a vars file or a bundle."""

    name: str | None = None  # of the environment
    flags: Mapping[str, str] = field(repr=False, default_factory=dict)
    answers: Mapping[str, str] = field(repr=False, default_factory=dict)
    answers_name: str = ""
    path: str = ""
    defaults: bool = False  # take the default of whatever was not given
    advanced: bool = False  # ask everything
    exactly: bool = False  # the answers file is the whole truth: what it does not name goes


@mutable
class Answering:
    """An environment's questions, and who answers them; nobody where `ask` is None."""

    home: Home
    target: Environment
    questionnaire: Questionnaire
    interview: Interview
    given: Given
    reporter: Reporter
    ask: Ask | None
    told: Mapping[str, str] = field(default_factory=dict)  # names whose given values were told already
    dropped: frozenset[str] = frozenset()  # names of saved answers that go

    def values(self) -> dict[str, str]:
        return self.interview.values()

    def modules(self) -> tuple[Module, Module]:
        """Return the provider and the platform that the answers name."""
        return self.questionnaire.modules(self.values())

    def unasked(self) -> list[Question]:
        """Return the questions for values that were given and that nothing of interface 1 asks for."""
        return [question for question in self.interview.applicable() if question.origin == UNASKED]

    def secret_names(self) -> set[str]:
        """Return the names of the values that must never be shown."""
        names = {question.name for question in self.questionnaire.questions(self.values()) if question.secret}
        names |= self.interview.secret_names()
        if self.questionnaire.conversations:
            names |= self.questionnaire.conversations.secret_names(self.modules()[0])
        return names


def sources_of(
    given: Given, draft: Draft | None, saved: Mapping[str, str], hidden: Iterable[str] = ()
) -> Sources:
    """Return the places where answers are looked for, in order; `hidden` are the names of saved secrets."""
    return Sources(
        flags=given.flags,
        environ=values_of_environ(),
        answers=given.answers,
        answers_name=given.answers_name,
        draft=draft.read() if draft else {},
        saved=saved,
        saved_name=given.path or "saved",
        hidden=frozenset(hidden),
    )


def takes_defaults(given: Given, sources: Sources, asks: bool) -> bool:
    """Return whether defaults are taken without a question: also where an environment is gone through again."""
    return given.defaults or not asks or (bool(sources.saved) and not given.advanced)


def interview_of(
    script: Callable[[Mapping[str, str]], Sequence[Question]],
    sources: Sources,
    target: Environment,
    questionnaire: Questionnaire,
    given: Given,
    reporter: Reporter,
    take_defaults: bool,
) -> Interview:
    """Return the interview about the questions that `script` gives for the values known."""
    interview = Interview(
        script,
        sources,
        lambda folder, program, values: run_program(target, folder, program, values),
        make_key=lambda question: _found_or_made_key(reporter, question),
        make_secret=new_secret,
        look_up=look_up,
        advanced=given.advanced,
        take_defaults=take_defaults,
    )
    interview.on_passed_over = questionnaire.pass_over
    return interview


def interview_of_module(
    target: Environment,
    questionnaire: Questionnaire,
    own: Collection[str],
    *,
    flags: Mapping[str, str],
    environ: Mapping[str, str],
    saved: Mapping[str, str],
    asks: bool,
    reporter: Reporter,
) -> Interview:
    """Return the interview about the questions of one add-on, `own`; all others keep what they have.

    A person is asked, where `asks`, with what is saved as the default.
    """

    def script(values: Mapping[str, str]) -> list[Question]:
        questions = questionnaire.questions(values)
        return [
            _as_default(q, saved) if q.name in own and asks else replace(q, advanced=True) for q in questions
        ]

    kept = {name: value for name, value in saved.items() if not (asks and name in own)}
    return interview_of(
        script,
        Sources(flags=flags, environ=environ, saved=kept, hidden=frozenset(target.secrets())),
        target,
        questionnaire,
        Given(),
        reporter,
        take_defaults=not asks,
    )


def _as_default(question: Question, saved: Mapping[str, str]) -> Question:
    value = saved.get(question.name)
    if value is None or question.secret:
        return question
    return replace(question, default=f"{{% raw %}}{value}{{% endraw %}}" if "{" in value else value)


def new_secret(question: Question) -> str:
    """Return a secret of letters and digits, which every program and file takes as it is."""
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(question.generate))


def _found_or_made_key(reporter: Reporter, question: Question) -> str:
    """Return the first key in ~/.ssh, which a person would be offered first, or a new one where there is none."""
    keys = ssh_keys.private_keys()
    if keys:
        return keys[0]
    path = ssh_keys.make(question.make)
    reporter.line(f"Made an SSH key without a passphrase for {question.name}: {path}")
    return path


def answer_all(work: Answering, review: bool, saved_in: str) -> None:
    """Have all questions answered; `saved_in` is the file that a saved value which no longer holds stands in.

    Raises BadUsage with everything that is missing where nobody can be asked, Interrupted where somebody stopped.
    """
    if work.ask:
        _converse(work, work.ask, review)
    else:
        _require_all(work, saved_in)
    _check_names(work)
    _tell_unasked(work)
    _tell_misspelt(work)


def _converse(work: Answering, ask: Ask, review: bool) -> None:
    """Ask what is missing; what follows from a change in the review is asked too, whatever its default.

    Where the platform's repository cannot be had, it is asked again where the platform comes from.
    """
    interview, keep = work.interview, _keeper(work)
    _say_what_begins(work, review)
    talk, done = ask(work.questionnaire.describe, work.told), False
    while not done:
        try:
            talk.fill(interview, keep)
            if review:
                interview.take_defaults = False
                talk.review(interview, keep)
            done = True
        except NotReady as problem:
            if work.given.defaults or SOURCE not in interview.answers:
                raise
            work.reporter.flush()
            work.reporter.warn(problem.message)
            for name in (SOURCE, "REPOSITORY"):  # another one may do
                interview.forget(name)


def _say_what_begins(work: Answering, review: bool) -> None:
    name = work.target.name
    if work.target.exists():
        work.reporter.line(f'Changing environment {name}; "rigger configure --name NAME" makes another.')
    elif review:
        named = "" if work.given.name else " (--name NAME gives it another name)"
        work.reporter.line(f'New environment "{name}"{named}')
    if review:
        work.reporter.line("  You can review and change all answers before they are written.")


def _keeper(work: Answering) -> Callable[[], None]:
    """Return what keeps the answers given so far, for a conversation that goes on later."""
    work.home.make()
    draft, interview = Draft(work.home.path, work.target.name), work.interview

    def keep() -> None:
        questions = {question.name: question for question in interview.applicable()}
        answered = {n: whole_path(n, a.value) for n, a in interview.answers.items() if _is_kept(a.source)}
        flags = {n: whole_path(n, v) for n, v in interview.sources.flags.items() if n in CORE}
        answers = {**flags, **{name: value for name, value in answered.items() if name in questions}}
        answers |= {name: "" for name in interview.unanswered if name in questions}
        secret = {name for name, question in questions.items() if question.secret}
        draft.write(answers, secret | interview.secret_names())

    return keep


def _is_kept(source: str) -> bool:
    """Return whether an answer from there is for the next time, too: nobody may type the same flags again."""
    return source in KEPT_SOURCES or source.startswith("--")


def _require_all(work: Answering, saved_in: str) -> None:
    """Raise BadUsage with all values that are missing, InvalidConfig for a saved one that no longer holds."""
    interview = work.interview
    missing = interview.missing()
    _check_names(work)
    for question in missing:
        if question.name in interview.set_aside and question.name in interview.sources.saved:
            raise saved_problem(question, interview.set_aside[question.name], saved_in)
    if missing:
        raise missing_values(missing, "rigger configure", interview.set_aside)
    hidden = interview.secret_names()
    for question in interview.applicable():
        answer = interview.answers.get(question.name)
        if answer is None or answer.source in ("default", "saved"):
            continue
        if question.name != SOURCE and question.name not in work.told:
            work.reporter.line(_given_value(question, answer, question.name in hidden))


def _given_value(question: Question, answer: Answer, hidden: bool) -> str:
    hidden = hidden and not is_reference(answer.value)
    value = HIDDEN if hidden else shorten(visible(answer.value), WIDEST_VALUE) or "(empty)"
    source = "--set" if answer.source.startswith("--set ") else answer.source
    words = source if source == GENERATED else f"from {visible(source)}"
    return f"{question.name} is {value} ({words})"


def _check_names(work: Answering) -> None:
    """Raise BadUsage for a given name that no question has."""
    values, sources = work.interview.values(), work.interview.sources
    asked = [question.name for question in work.interview.applicable()]
    if SOURCE in work.interview.answers:  # what was given of one source means nothing to another
        asked += DECIDE
    work.questionnaire.check_names(sources.flags, values, "--set", also=asked)
    work.questionnaire.check_names(sources.answers, values, sources.answers_name, also=("NAME", *asked))


def _tell_unasked(work: Answering) -> None:
    """Say of what was given now and nothing asks for that it is kept: it may be a mistake."""
    sources, unasked = work.interview.sources, [question.name for question in work.unasked()]
    known = [question.name for question in work.interview.applicable() if question.name not in unasked]
    for name in unasked:
        if name in sources.flags or name in sources.answers:
            work.reporter.warn(
                f"Nothing asks for {name}{did_you_mean(name, known)}; it is kept, and every script gets it."
            )


def _tell_misspelt(work: Answering) -> None:
    """Warn of a variable RIGGER_NAME in the process environment that is nearly the name of a question, and none."""
    asked = {question.name for question in work.interview.applicable()}
    given = work.interview.sources.environ
    others = work.questionnaire.names_of_any() if any(misspelt(given, asked)) else ()
    for sentence in misspelt(given, asked, others):
        work.reporter.warn(sentence)


def check_names_of_any(questionnaire: Questionnaire, sources: Sources) -> None:
    """Raise BadUsage for a name that no module knows, before anybody has answered questions in vain.

    Nobody knows what scripts of interface 1 read.
    """
    named = {name: sources.find(Question(name, "")) for name in ("PLATFORM", "PROVIDER")}
    chosen = {name: found.value for name, found in named.items() if found and found.value}
    if questionnaire.may_take_any(chosen):
        return
    for names, where in ((sources.flags, "--set"), (sources.answers, sources.answers_name)):
        unsure = [name for name in names if name not in CORE and name != "NAME"]
        if unsure:
            also = questionnaire.names_of_any()
            questionnaire.check_names(dict.fromkeys(unsure, ""), chosen, where, also=also)
