"""What the audit log says of an upgrade that was begun: how far it got, and the ways on from there."""

from __future__ import annotations

import shlex

from rigger import versions
from rigger.audit.runs import exact
from rigger.plans.upgrade import way_back

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rigger.audit.events import StepFinished
    from rigger.audit.upgrades import PendingUpgrade, Request
    from rigger.operations.session import Session


def ways_out(work: Session, request: Request) -> str:
    """Return the exact state that an upgrade stopped in, and the commands that lead out of it."""
    upgrade = work.state.upgrade
    if upgrade is None:
        return (
            f"The cluster still runs {request.start}: nothing of it was changed, and this upgrade is over. "
            f'Correct that and type "{command_for(request)}".'
        )
    recorded = work.environment.vars().get("VERSION", "no version")
    ways = [f"{_how_far(upgrade)}; {recorded} is recorded.", 'Resume: "rigger upgrade --continue".']
    back = way_back(work.config.platform, request.style)
    if not upgrade.request.back and back == "script":
        ways.append('Go back: "rigger upgrade --rollback".')
    backup = backup_before(work) if back != "none" else ""
    if backup:
        ways.append(f'Put the old data back: "rigger restore {backup}".')
    return " ".join(ways)


def backup_before(work: Session) -> str:
    """Return the file of the backup that the unfinished upgrade made first; empty where it made none."""
    upgrade = work.state.upgrade
    return work.environment.backups.last(until=end_of(upgrade.backup)) if upgrade and upgrade.backup else ""


def end_of(step: StepFinished) -> float:
    """Return when a step had ended, in seconds since 1970; the milliseconds of a record are cut off, not rounded."""
    return exact(step.time) + 0.001


def command_for(request: Request) -> str:
    """Return the command that asks for such an upgrade."""
    return shlex.join(["rigger", *words_for(request)])


def words_for(request: Request) -> list[str]:
    """Return the words of that command behind `rigger`."""
    words = ["upgrade", "--version", request.to, "--upgrade-style", request.style]
    older = versions.key(request.to) < versions.key(request.start)
    return [*words, *(["--allow-downgrade"] if older else [])]


def _how_far(upgrade: PendingUpgrade) -> str:
    """Return how far an upgrade got, in words."""
    request = upgrade.request
    upgraded = next((run for key, run in upgrade.steps.last.items() if key.endswith(request.verb)), None)
    way = f"{request.start} {'back ' if request.back else ''}to {request.to}"
    if stages := upgrade.stages.say(request.start):
        return stages
    if upgraded is None and not request.back:
        return f"The cluster still runs {request.start}: nothing of it was changed yet"
    if upgraded is None or not upgraded.succeeded:
        return f"The cluster is between two versions, on its way from {way}"
    return f"All members were brought from {way}, but that was not found to be well"
