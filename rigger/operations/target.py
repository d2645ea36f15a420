"""Which environment configure makes or changes: the one named, the file's, the current one, or a first one."""

from __future__ import annotations

import os
import re

from rigger.configuration.finder import DEFAULT_PLATFORM
from rigger.configuration.identity import other_module
from rigger.configuration.inputs import values_of_environ, whole_path
from rigger.configuration.questionnaire import Questionnaire
from rigger.environments.drafts import Draft
from rigger.environments.home import NAME, Home
from rigger.environments.state import may_have_cluster
from rigger.errors import BadUsage, RiggerError
from rigger.questions.sources import Sources
from rigger.sources import questions as source_questions
from rigger.sources.change import is_its_own, other_place
from rigger.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from rigger.environments.environment import Environment
    from rigger.operations.answers import Given
    from rigger.operations.consent import Consent


@frozen
class Target:
    """The environment to make or change, whether its name was given, and answers of an interrupted conversation."""

    environment: Environment
    named: bool
    draft: Draft | None = None


def choose(home: Home, given: Given, loaded: Mapping[str, str], consent: Consent, asks: bool) -> Target:
    """Return the environment to make or change; `loaded` is what a vars file says.

    Raises BadUsage where what was given is about another cluster than that environment's.
    """
    platform = given.flags.get("PLATFORM") or loaded.get("PLATFORM")
    target = _target(home, given, platform)
    environment = target.environment
    _require_same_cluster(home, environment, Questionnaire(home.path), loaded, given.path)
    if not target.named and environment.exists():
        beforehand = Sources(flags=given.flags, environ=values_of_environ(), answers=given.answers)
        _require_no_other(environment, beforehand)
    draft = draft_of(home, environment, target.named, consent) if asks and not given.defaults else None
    if draft and draft.name != environment.name:
        return Target(home.at(draft.name), True, draft)
    return Target(environment, target.named, draft)


def _target(home: Home, given: Given, platform: str | None) -> Target:
    name = given.name or os.environ.get("RIGGER_NAME") or given.answers.get("NAME")
    if name:
        return Target(home.at(name), True)
    if given.path and (name := _name_of_file(given.path)):
        return Target(home.at(name), True)
    if not given.path and (name := home.current_name()):
        return Target(home.at(name), False)
    platform = platform or os.environ.get("RIGGER_PLATFORM") or given.answers.get("PLATFORM")
    return Target(_first(home, platform or DEFAULT_PLATFORM), False)


def _name_of_file(path: str) -> str:
    """Return the name that a vars file suggests: prod.vars and environments/prod/vars are of `prod`."""
    folder, base = os.path.split(os.path.realpath(path))
    for text in (base.split(".")[0], os.path.basename(folder)):
        name = re.sub(r"[^A-Za-z0-9_.-]+", "-", text).strip("-._")
        if re.fullmatch(NAME, name) and name != "vars":
            return name
    return ""


def _first(home: Home, platform: str) -> Environment:
    """Return the environment that nobody has named: it is called like its platform."""
    name = re.sub(r"[^A-Za-z0-9_.-]+", "-", os.path.basename(platform.rstrip(os.sep))).strip("-._")
    return home.at(name if re.fullmatch(NAME, name) else "cluster")


def named_after_platform(home: Home, target: Target, values: Mapping[str, str]) -> Environment:
    """Return the environment to write to: where nobody has named it, its platform may be chosen only now."""
    if target.named:
        return target.environment
    first = _first(home, values["PLATFORM"])
    return target.environment if target.environment.exists() or first.exists() else first


def other_than(target: Environment, before: str | None) -> str:
    """Return the environment that was current before, nothing where it was this one or none."""
    return before if before and before != target.name else ""


def draft_of(home: Home, target: Environment, named: bool, consent: Consent) -> Draft | None:
    """Return the draft of an interrupted conversation, if the person wants to go on from it."""
    draft = Draft(home.path, target.name)
    if not draft.read() and not named:
        draft = Draft.newest(home.path) or draft
    if not draft.read() or not re.fullmatch(NAME, draft.name):
        return None
    about = "" if draft.name == target.name else f" for environment {draft.name}"
    if consent.ask().confirm(f"Resume with the answers given{about} {draft.age()}?", default=True):
        return draft
    draft.remove()
    return None


def _require_same_cluster(
    home: Home, target: Environment, questionnaire: Questionnaire, loaded: Mapping[str, str], path: str
) -> None:
    """Raise BadUsage when a file would put one cluster's identity on another, or the same one on two."""
    try:
        _, platform = questionnaire.chosen({"PLATFORM": loaded.get("PLATFORM", "")})
    except RiggerError:  # the interview explains what is wrong with it
        return
    name = f"{platform.prefix}_ID" if platform else ""
    if not loaded.get(name):
        return
    if target.exists() and target.vars().get(name, loaded[name]) != loaded[name]:
        raise BadUsage(
            f"The environment {target.name} is not the one in {path}: its {name} is another.",
            "Give this one a name of its own with --name NAME.",
        )
    for other in home.names():
        if other != target.name and home.at(other).vars().get(name) == loaded[name]:
            raise BadUsage(
                f"{path} describes the environment {other}: its {name} is the same.",
                f'Type "rigger use {other}", or take {name} out of a copy to make another like it.',
            )


def _require_no_other(target: Environment, given: Sources) -> None:
    """Raise BadUsage where what was given is about another cluster than the environment that nobody has named.

    Whoever pastes a command for a new cluster means a new environment, and not the one that happens to be current.
    """
    saved = target.vars()
    for name in ("PROVIDER", "PLATFORM"):
        value = source_questions.given(given, name)
        if value and saved.get(name, value) != whole_path(name, value) and may_have_cluster(target):
            raise other_module(target, name, saved[name])
    for name in ("REPOSITORY", "CHECKOUT"):
        value = source_questions.given(given, name)
        if value and not is_its_own(target, saved, repository := whole_path(name, value)):
            raise other_place(target, saved, repository)
