"""What existed at a moment of the past, which version, and what the last run had done: from the audit log alone."""

from __future__ import annotations

from rigger.audit.modules import APPLIED
from rigger.environments.inventory import Node
from rigger.operations.moment import moment
from rigger.operations.state_word import state_word
from rigger.operations.status import AddonStatus, Status, run_of
from rigger.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rigger.audit.modules import ModuleRecord
    from rigger.audit.state import ClusterState
    from rigger.environments.environment import Environment
    from rigger.operations.moment import Moment


@frozen
class PastStatus:
    """The status of an environment at a moment of its past, as far as its record tells it."""

    status: Status
    at: Moment
    lost: bool = False  # whether records before that moment are lost

    def as_dict(self) -> dict[str, Any]:
        return {**self.status.as_dict(), "at": {**self.at.as_dict(), "lost": self.lost}}


def status_at(environment: Environment, word: str) -> PastStatus:
    """Return the status that an environment had at a time, or when a run had ended.

    Raises BadUsage for a word that names no moment of its past, InvalidConfig for a damaged log.
    """
    at = moment(environment, word)
    state = at.state
    values, running, outcome = state.values.all, state.versions.running, at.outcome(state)
    last = state.runs.last
    platform = last.started.platform if last else values.get("PLATFORM", "")
    deployed = state.steps.done.get(f"platform/{platform}/deploy")
    status = Status(
        name=environment.name,
        id=state.cluster.id if state.cluster else last.started.id if last else "",
        path=environment.path,
        platform=platform,
        provider=last.started.provider if last else values.get("PROVIDER", ""),
        type=values.get("TYPE", ""),
        version=values.get("VERSION", ""),
        state=state_word(state, outcome),
        deployed_version=running.version if running else "",
        version_change=None,
        since=deployed.finished.time if deployed and deployed.finished else "",
        nodes=tuple(Node(name, address) for name, address in state.nodes),
        pending=(),
        failed_checks=tuple(sorted(state.steps.failed_checks)),
        leftovers=tuple(state.leftovers.items),
        last_run=run_of(last, outcome) if last else None,
        upgrade=state.upgrade.request if state.upgrade else None,
        reached=state.upgrade.stages.say(state.upgrade.request.start) if state.upgrade else "",
        restore=state.restore,
        problem="",
        running="",
        addons=tuple(_addon(record) for record in state.modules.modules.values()),
    )
    return PastStatus(status, at, _lost(at, state))


def _lost(at: Moment, state: ClusterState) -> bool:
    return state.lost or any(record["event"] == "repaired" and record.get("lost") for record in at.records)


def _addon(record: ModuleRecord) -> AddonStatus:
    said = record.given().get("program", "") if record.status == APPLIED else ""
    program = said if isinstance(said, str) else ""
    return AddonStatus(record.name, record.version, record.status, record.since, record.problem, program)
