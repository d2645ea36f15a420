"""Make or change an environment from answers."""

from __future__ import annotations

import contextlib

from rigger.configuration.addons import LIST
from rigger.configuration.equivalent import equivalent
from rigger.configuration.identity import other_module
from rigger.configuration.inputs import read_vars_file, whole_path
from rigger.configuration.questionnaire import Questionnaire, questionnaire_of
from rigger.configuration.resolve import CORE
from rigger.configuration.version import version_change
from rigger.environments.answers import answers_of
from rigger.environments.drafts import Draft
from rigger.environments.state import may_have_cluster
from rigger.errors import InvalidConfig
from rigger.interface1.conversations import Conversations
from rigger.operations.agreement import agree_to_repository
from rigger.operations.answers import (
    WIDEST_VALUE,
    Answering,
    Ask,
    Given,
    answer_all,
    check_names_of_any,
    interview_of,
    sources_of,
    takes_defaults,
)
from rigger.operations.consent import Consent
from rigger.operations.foreign import agree_to_files
from rigger.operations.recover import missing_from_vars
from rigger.operations.target import Target, choose, named_after_platform, other_than
from rigger.operations.write import write
from rigger.redact.references import is_reference
from rigger.runs.reporter import Reporter, Silent
from rigger.sources.chooser import SourceChooser
from rigger.sources.questions import with_source
from rigger.terraform.workspace import missing as missing_modules
from rigger.text import shorten, visible
from rigger.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from rigger.configuration.version import VersionChange
    from rigger.environments.environment import Environment
    from rigger.environments.home import Home
    from rigger.questions.model import Answer, Question
    from rigger.questions.sources import Sources


@frozen
class Configured:
    """An environment as it is configured now."""

    environment: Environment
    changed: bool  # whether anything is different from before
    command: str  # which gives the same answers without a prompt
    secrets: tuple[str, ...]  # variables of the process environment that this command needs
    version_change: VersionChange | None = None  # where another version is configured than runs
    current_before: str = ""  # the environment that was current, where it was another one

    def as_dict(self) -> dict[str, Any]:
        return {
            "name": self.environment.name,
            "vars_file": self.environment.vars_file,
            "changed": self.changed,
            "command": self.command,
            "version_change": self.version_change and self.version_change.command,
            "current_before": self.current_before,
        }


def configure(
    home: Home,
    given: Given,
    reporter: Reporter | None = None,
    consent: Consent | None = None,
    ask: Ask | None = None,
) -> Configured:
    """Have the questions answered, and write the answers as an environment, which becomes the current one.

    `ask` begins a conversation with a person; None where nobody can be asked. Raises BadUsage for values that are
    missing or wrong, or where nobody agreed to what somebody else's file would steer, Interrupted where somebody stopped:
    the answers so far are kept.
    """
    reporter, consent = reporter or Silent(), consent or Consent()
    loaded = loaded_file(given)
    target = choose(home, given, loaded, consent, asks=ask is not None)
    new = not target.environment.exists()  # another rigger may make it while somebody answers
    with contextlib.ExitStack() as stack:
        work = begin(home, given, target, loaded, reporter, consent, ask, stack)
        _agree_to_drop(work, consent)
        if ask:
            check_names_of_any(work.questionnaire, work.interview.sources)
        review = not (given.defaults or consent.yes)
        answer_all(work, review, saved_in=given.path or target.environment.vars_file)
        _warn_of_scripts(work)
        final = named_after_platform(home, target, work.values())
        before = home.current_name()
        changed = write(work, final, loaded, new)
        _discard_drafts(work)
        return _configured(final, work, changed, before)


def loaded_file(given: Given) -> dict[str, str]:
    """Return what the vars file says that was given, if one was."""
    return read_vars_file(given.path) if given.path else {}


def begin(
    home: Home,
    given: Given,
    target: Target,
    loaded: Mapping[str, str],
    reporter: Reporter,
    consent: Consent,
    ask: Ask | None,
    stack: contextlib.ExitStack,
) -> Answering:
    """Return the questions, with all that is known of their answers."""
    environment = target.environment
    saved = _saved(environment, reporter)
    dropped = unnamed(environment, given, saved) if given.exactly else {}
    saved = {name: value for name, value in saved.items() if name not in dropped}
    hidden = environment.secrets() if environment.exists() else ()
    sources = sources_of(given, target.draft, {**saved, **loaded}, hidden)
    source = _source(environment, sources, reporter, consent, asks=bool(ask) and not given.defaults)
    # As things are stored: the source that is known beforehand stands among the saved values only from here on.
    take_defaults = takes_defaults(given, sources, asks=bool(ask))
    sources = with_source(sources, source.beforehand)
    questionnaire = Questionnaire(
        home.path,
        source,
        before=questionnaire_of(environment, saved),
        begin=lambda: _conversations(home, environment, sources, reporter, bool(ask), stack),
        addons=saved.get(LIST, ""),
    )
    agree_to_files(home, given, loaded, questionnaire, sources, reporter, consent)
    script = _script(questionnaire, environment, saved)
    interview = interview_of(script, sources, environment, questionnaire, given, reporter, take_defaults)
    return Answering(
        home, environment, questionnaire, interview, given, reporter, ask, dropped=frozenset(dropped)
    )


def _saved(environment: Environment, reporter: Reporter) -> dict[str, str]:
    """Return what an environment has stored, with what its vars file lost and its record knows."""
    if not environment.exists():
        return {}
    saved = environment.values()
    recorded = missing_from_vars(environment, saved)
    if recorded:
        reporter.warn(_told_of_record(environment, recorded))
    return answers_of(environment) | recorded


def _told_of_record(target: Environment, back: Mapping[str, str]) -> str:
    """Return a sentence about values that the vars file has lost and that are taken from the record."""
    named = ", ".join(f"{name}={shorten(visible(value), WIDEST_VALUE)}" for name, value in back.items())
    sentence = f"{target.vars_file} has lost what {target.name} was made with; its record says: {named}."
    again = 'What the scripts had set comes again with "rigger provision --again".'
    return f"{sentence} {again}" if "PLATFORM" in back else sentence


def _source(
    target: Environment, sources: Sources, reporter: Reporter, consent: Consent, asks: bool
) -> SourceChooser:
    """Return what knows the platform's repository while questions are asked."""

    def agree(url: str, commit: str, folder: str) -> None:
        agree_to_repository(consent, reporter, target.home, url, commit, folder)

    return SourceChooser(target, sources, agree, reporter.line, reporter.progress, asks)


def _script(
    questionnaire: Questionnaire, target: Environment, saved: Mapping[str, str]
) -> Callable[[Mapping[str, str]], Sequence[Question]]:
    """Return the questions that follow from values; a cluster keeps its provider and its platform."""
    kept = saved and may_have_cluster(target)
    fixed = {n: saved[n] for n in ("PROVIDER", "PLATFORM") if n in saved} if kept else {}

    def script(values: Mapping[str, str]) -> Sequence[Question]:
        for name, value in fixed.items():
            if name in values and whole_path(name, values[name]) != value:
                raise other_module(target, name, value)
        return questionnaire.questions(values, live=True)

    return script


def _conversations(
    home: Home,
    target: Environment,
    sources: Sources,
    reporter: Reporter,
    asks: bool,
    stack: contextlib.ExitStack,
) -> Conversations:
    """Return what lets a provider's config.sh (interface 1) ask its questions."""
    current = home.current_name()
    sourced = dict(home.at(current).vars()) if current else {}
    talks = Conversations(target, sources, reporter.line, reporter.pass_on, 0 if asks else None, sourced)
    stack.callback(talks.close)
    return talks


def unnamed(environment: Environment, given: Given, saved: Mapping[str, str]) -> dict[str, str]:
    """Return the saved answers that neither the answers file nor a flag names; secrets and what is no answer stay."""
    secrets = environment.secrets() if environment.exists() else {}
    named = {*given.answers, *given.flags, *secrets}
    return {
        n: v for n, v in saved.items() if n not in named and (n in CORE or n in _asked(environment, saved))
    }


def _asked(environment: Environment, saved: Mapping[str, str]) -> set[str]:
    """Return the names of all questions that there are for the saved values."""
    return {question.name for question in questionnaire_of(environment, saved).questions(saved)}


def _agree_to_drop(work: Answering, consent: Consent) -> None:
    """Show which values go because the answers file does not name them; raises Declined or BadUsage."""
    if not work.dropped:
        return
    values = work.target.vars()
    work.reporter.line(f"{work.given.answers_name} does not name, so that these go back to their defaults:")
    for name in sorted(work.dropped):
        work.reporter.line(f"  - {name}={shorten(visible(values.get(name, '')), WIDEST_VALUE)}")
    consent.agree("Unset them?")


def _warn_of_scripts(work: Answering) -> None:
    for module in work.modules():
        for problem in module.script_problems():
            work.reporter.warn(f"{module.name} cannot do all it should: {problem}.")
        if module.has_terraform and (problems := missing_modules(module)):
            raise InvalidConfig(f"{'; '.join(problems)}.", "Put it there, or name where it is.")


def _discard_drafts(work: Answering) -> None:
    """Remove what was kept for a conversation that would have gone on later."""
    if isinstance(work.questionnaire.source, SourceChooser):
        work.questionnaire.source.discard()
    if work.ask:
        Draft(work.home.path, work.target.name).remove()


def _configured(environment: Environment, work: Answering, changed: bool, before: str | None) -> Configured:
    interview = work.interview
    hidden, answers = interview.secret_names(), interview.answers
    secrets = (q.name for q in interview.applicable() if q.name in hidden and _is_needed(q, answers))
    return Configured(
        environment,
        changed,
        equivalent(environment.name, interview),
        tuple(f"RIGGER_{name}" for name in secrets),
        version_change(environment, environment.vars()),
        other_than(environment, before),
    )


def _is_needed(question: Question, answers: Mapping[str, Answer]) -> bool:
    """Return whether the same answer is had only by giving it; a default that is made of others is not given."""
    answer = answers.get(question.name)
    if answer is None or question.generate or question.secret and is_reference(answer.value):
        return False
    return question.secret or answer.explicit
