"""Is a saved environment whole: its members, its audit log, and is it newer than what is here?"""

from __future__ import annotations

import os

from rigger.audit.events import ClaimBegun, Loaded, RunStarted, problem_of
from rigger.bundles.rules import AGAIN, fields_problem, member_problem
from rigger.environments import inventory
from rigger.errors import InvalidConfig, Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rigger.bundles.opened import OpenedBundle
    from rigger.environments.environment import Environment

CHANGE_NOTHING = (Loaded.name, ClaimBegun.name)  # a bundle was loaded; a command began, and was refused
LOOKS = ("check", "audit", "plan")  # commands whose steps change nothing

# What a bundle may say: whoever can write one can write anything


def verify_contents(bundle: OpenedBundle) -> None:
    """Raise Refused unless the bundle describes an environment and its audit log is whole, head included."""
    for problem in (fields_problem(bundle.fields), _members_problem(bundle)):
        if problem:
            raise Refused(f"The bundle {bundle.path} does not describe an environment: {problem}.", AGAIN)
    audit = bundle.fields["audit"]
    verdict = bundle.log().verify((audit["count"], audit["head"]))
    problem = (
        verdict.problems[0]
        if verdict.problems
        else f"it has {verdict.count} records, not {audit['count']}"
        if verdict.count != audit["count"]
        else problem_of(bundle.log().records())
    )
    if problem:
        raise Refused(f"The audit log in {bundle.path} is not what was written: {problem}.", AGAIN)
    values = bundle.raw_vars()
    if values.get(f"{bundle.fields['prefix']}_ID") != bundle.id:
        raise Refused(f"The vars in {bundle.path} are not those of {bundle.id}.", AGAIN)
    for name in ("PROVIDER", "PLATFORM"):
        value = values.get(name, "")
        if not value or os.sep in value and not os.path.isabs(value):
            raise Refused(f"The vars in {bundle.path} have no {name} that could be found.", AGAIN)
    inventory.read(bundle.file("inventory.json"))


def _members_problem(bundle: OpenedBundle) -> str | None:
    if "vars" not in bundle.manifest.files:
        return "it has no vars"
    problems = (member_problem(name, bundle.fields) for name in bundle.manifest.files)
    return next(filter(None, problems), None)


def worth_keeping(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the records of an audit log, but for the last ones if all that they say is that somebody looked."""
    commands = {record["run"]: record["command"] for record in records if record["event"] == RunStarted.name}
    records = [*records]
    while records and (records[-1]["event"] in CHANGE_NOTHING or commands.get(records[-1]["run"]) in LOOKS):
        records.pop()
    return records


def require_newer(bundle: OpenedBundle, environment: Environment) -> None:
    """Raise Refused when this machine knows more of the environment than the bundle does."""
    theirs = bundle.log().records()
    if environment.audit.verify().problems:
        _require_what_was_kept(bundle, environment, theirs)
        return
    mine = worth_keeping(environment.audit.records())
    if len(theirs) < len(mine):
        raise Refused(
            f"{bundle.path} is older (serial {len(theirs)}) than what is here of {environment.name} (serial {len(mine)}).",
            "To load it anyway, add --allow-older; what happened since would be forgotten.",
        )
    if mine and theirs[len(mine) - 1]["hash"] != mine[-1]["hash"]:
        raise Refused(
            f"{bundle.path} and {environment.name} have gone different ways since they were one: neither is the newer.",
            "To load it anyway, add --allow-older; what happened here alone would be forgotten.",
        )


def _require_what_was_kept(
    bundle: OpenedBundle, environment: Environment, theirs: list[dict[str, Any]]
) -> None:
    """Raise Refused unless a bundle has all that a broken log is known to have had, by the head beside it."""
    try:
        kept = environment.audit.kept.read()
    except InvalidConfig:
        kept = None
    if kept is None or kept.count > len(theirs) or theirs[kept.count - 1]["hash"] != kept.hash:
        raise Refused(
            f"The audit log of {environment.name} is broken, and {bundle.path} may be older than what was here.",
            "To load it anyway, add --allow-older; what happened since would be forgotten.",
        )


def head_here(environment: Environment) -> tuple[int, str]:
    """Return the head of the log that is here; a broken one, which gives way to the bundle's, has none."""
    try:
        return environment.audit.head()
    except InvalidConfig:
        return -1, ""


def log_difference(bundle: OpenedBundle, environment: Environment) -> str:
    """Return in a sentence how the audit log of a bundle differs from the one that is here."""
    theirs = bundle.log().records()
    if environment.audit.verify().problems:
        return f"audit log: broken -> {len(theirs)} records"
    mine, theirs = worth_keeping(environment.audit.records()), worth_keeping(theirs)
    if [record["hash"] for record in mine] == [record["hash"] for record in theirs]:
        return f"audit log: {len(theirs)} records, the same as here"
    return f"audit log: {len(mine)} records -> {len(theirs)}"
