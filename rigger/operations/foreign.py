"""Agreement to what a file that is not of this user's making would have this machine use."""

from __future__ import annotations

import os
import re

from rigger.configuration.finder import DEFAULT_PLATFORM
from rigger.configuration.questionnaire import DEFAULT_PROVIDER
from rigger.errors import Declined, Interrupted, RiggerError
from rigger.operations.agreement import agree_to_values
from rigger.questions.model import Question
from rigger.questions.sources import Sources
from rigger.sources.spec import DECIDE
from rigger.trust.foreign import Known, foreign_values, given_before, known_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rigger.configuration.questionnaire import Questionnaire
    from rigger.environments.home import Home
    from rigger.operations.answers import Given
    from rigger.operations.consent import Consent
    from rigger.runs.reporter import Reporter

_SECRET = re.compile(r"TOKEN|SECRET|PASS|CREDENTIAL|PRIVATE|KEY", re.IGNORECASE)


def agree_to_files(
    home: Home,
    given: Given,
    loaded: Mapping[str, str],
    questionnaire: Questionnaire,
    sources: Sources,
    reporter: Reporter,
    consent: Consent,
) -> None:
    """Let a person agree to what a vars file, or an answers file of somebody else's, would steer; nothing ran by then.

    `loaded` is what the vars file says. Raises Declined on a no, BadUsage where nobody can be asked.
    """
    files = [*_files(given, loaded, sources)]
    if not files:
        return
    known, own = _known(questionnaire, sources), given_before(home)
    for path, values, beforehand in files:
        hidden = {name for name in values if _SECRET.search(name)}
        found = foreign_values(values, known, beforehand, own, secrets=hidden)
        if found:
            agree_to_values(consent, reporter, path, [value.row() for value in found])


def _files(
    given: Given, loaded: Mapping[str, str], sources: Sources
) -> Iterator[tuple[str, Mapping[str, str], Sources]]:
    """Return the files that may be somebody else's, their values, and what counts more than they do.

    Whose making a vars file is, nobody can tell: it may have been copied.
    """
    flags, environ = sources.flags, sources.environ
    if loaded:
        yield given.path, loaded, Sources(flags=flags, environ=environ, answers=given.answers)
    if given.answers and _is_somebody_elses(given.answers_name):
        yield given.answers_name, given.answers, Sources(flags=flags, environ=environ)


def _is_somebody_elses(path: str) -> bool:
    try:
        return os.stat(path).st_uid != os.geteuid()
    except OSError:
        return False  # it is no file any more, such as a pipe of this user's


def _known(questionnaire: Questionnaire, sources: Sources) -> Known:
    """Return what the modules name that are chosen beforehand; where they cannot be found, nothing."""
    usual = {"PLATFORM": DEFAULT_PLATFORM, "PROVIDER": DEFAULT_PROVIDER}
    values = {}
    for name in ("PLATFORM", "PROVIDER", "TYPE", *DECIDE):
        answer = sources.find(Question(name, ""))
        if value := answer.value if answer else usual.get(name, ""):
            values[name] = value
    try:
        chosen = [module for module in questionnaire.chosen(values) if module]
        return known_of(chosen, questionnaire.questions(values))
    except (Interrupted, Declined):
        raise
    except RiggerError:  # the interview says what is wrong
        return known_of((), ())
