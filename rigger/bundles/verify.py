"""Is a saved environment whole: its members, its audit log, and is it newer than what is here?"""

from __future__ import annotations

import os

from rigger.audit.events import problem_of
from rigger.bundles.opened import OpenedBundle
from rigger.bundles.rules import AGAIN, fields_problem, member_problem
from rigger.environments import inventory
from rigger.environments.environment import Environment
from rigger.errors import Refused

# What a bundle may say: whoever can write one can write anything


def verify_contents(found: OpenedBundle) -> None:
    """Raise Refused unless the bundle describes an environment and its audit log is whole, head included."""
    for problem in (fields_problem(found.fields), _members_problem(found)):
        if problem:
            raise Refused(f"The bundle {found.path} does not describe an environment: {problem}.", AGAIN)
    audit = found.fields["audit"]
    verdict = found.log().verify((audit["count"], audit["head"]))
    problem = (
        verdict.problems[0]
        if verdict.problems
        else f"it has {verdict.count} records, not {audit['count']}"
        if verdict.count != audit["count"]
        else problem_of(found.log().records())
    )
    if problem:
        raise Refused(f"The audit log in {found.path} is not what was written: {problem}.", AGAIN)
    values = found.raw_vars()
    if values.get(f"{found.fields['prefix']}_ID") != found.id:
        raise Refused(f"The vars in {found.path} are not those of {found.id}.", AGAIN)
    for name in ("PROVIDER", "PLATFORM"):
        value = values.get(name, "")
        if not value or os.sep in value and not os.path.isabs(value):
            raise Refused(f"The vars in {found.path} have no {name} that could be found.", AGAIN)
    inventory.read(found.file("inventory.json"))


def _members_problem(found: OpenedBundle) -> str | None:
    if "vars" not in found.manifest.files:
        return "it has no vars"
    problems = (member_problem(name, found.fields) for name in found.manifest.files)
    return next(filter(None, problems), None)


def worth_keeping(records: list[dict]) -> list[dict]:
    """Return the records of an audit log, but for the last ones if they only say that a bundle was loaded."""
    records = [*records]
    while records and records[-1]["event"] == "loaded":
        records.pop()
    return records


def require_newer(found: OpenedBundle, here: Environment) -> None:
    """Raise Refused when this machine knows more of the environment than the bundle does."""
    mine, theirs = worth_keeping(here.audit.records()), found.log().records()
    if len(theirs) < len(mine):
        raise Refused(
            f"{found.path} is older (serial {len(theirs)}) than what is here of {here.name} (serial {len(mine)}).",
            "Load it all the same with --allow-older; what happened since would be forgotten.",
        )
    if mine and theirs[len(mine) - 1]["hash"] != mine[-1]["hash"]:
        raise Refused(
            f"{found.path} and {here.name} have gone different ways since they were one: neither is the newer.",
            "Load it all the same with --allow-older; what happened here alone would be forgotten.",
        )
