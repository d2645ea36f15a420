"""Whether an upgrade was rehearsed: the newest verdict for exactly this upgrade, and how old it may be."""

from __future__ import annotations

import time

from rigger.audit.events import Rehearsed, parse
from rigger.audit.runs import seconds
from rigger.envfile.names import REQUIRE_REHEARSAL
from rigger.errors import BadUsage, NotReady
from rigger.operations.approval import inputs_of
from rigger.operations.upgrade_record import command_for
from rigger.rehearsals.model import GO
from rigger.rehearsals.verdict import Verdict, read
from rigger.sha256 import digest_of_file
from rigger.text import in_words, seconds_of, ways

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rigger.audit.upgrades import Request
    from rigger.configuration.config import Config
    from rigger.environments.environment import Environment


def plan_digest(environment: Environment, config: Config, request: Request) -> str:
    """Return the digest of what an upgrade's plan is made of: what people say and what runs, not what runs have changed.

    So it is the same after a backup or a check, and another one after any other value, script, commit or rigger.
    """
    return inputs_of(environment, f"upgrade {request.start} {request.to} {request.style}", config).given


def required_age(environment: Environment, option: str | None) -> float | None:
    """Return how old a verdict may be, in seconds; None where none is required. Raises BadUsage for what is no age."""
    said, where = (
        (option, "--require-rehearsal")
        if option
        else (environment.vars().get(REQUIRE_REHEARSAL, ""), REQUIRE_REHEARSAL)
    )
    if not said or said == "no":
        return None
    age = seconds_of(said)
    if age is None:
        raise BadUsage(f"{where} {said!r} is no age.", "For example 90m or 24h.")
    return age


def require_rehearsal(environment: Environment, config: Config, request: Request, age: float) -> None:
    """Raise NotReady unless the newest verdict for this very upgrade is go, and not older than that."""
    plan = plan_digest(environment, config, request)
    own = [
        one
        for one in _recorded(environment)
        if (one.from_, one.to, one.style) == (request.start, request.to, request.style)
    ]
    way = ways(("Rehearse it", f"{command_for(request)} --rehearse"))
    jump = f"The upgrade from {request.start} to {request.to}, {request.style},"
    if not own:
        raise NotReady(f"{jump} was never rehearsed here.", way)
    last = own[-1]
    if last.plan != plan:
        raise NotReady(
            f"{jump} was rehearsed with other values, scripts or another rigger than there are now.", way
        )
    verdict = _verdict(environment, last)
    if verdict is None:
        raise NotReady(f"{environment.file(last.file)} is not the verdict that was recorded.", way)
    if last.verdict != GO:
        raise NotReady(
            f"{jump} was rehearsed at {last.time}, and the verdict is {last.verdict}: {verdict.reason}.", way
        )
    old = time.time() - seconds(last.time)
    if old > age:
        raise NotReady(
            f"{jump} was rehearsed {in_words(round(old))} ago, and {in_words(age)} is the most.", way
        )


def _recorded(environment: Environment) -> list[Rehearsed]:
    events = (parse(one) for one in environment.audit.records() if one["event"] == Rehearsed.name)
    return [event for event in events if isinstance(event, Rehearsed)]


def _verdict(environment: Environment, recorded: Rehearsed) -> Verdict | None:
    """Return the verdict that a record names, None where its file is not the one that was written."""
    path = environment.file(recorded.file)
    try:
        return read(path) if digest_of_file(path) == recorded.sha256 else None
    except OSError:
        return None
