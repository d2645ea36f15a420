"""What exists, which version, since when, and what the last run did."""

from __future__ import annotations

from rigger.audit.modules import APPLIED
from rigger.audit.steps import is_skipped
from rigger.configuration.identity import require_recorded
from rigger.configuration.module_state import record_of
from rigger.configuration.resolve import resolve
from rigger.configuration.version import version_change
from rigger.environments.state import state_of
from rigger.errors import InvalidConfig
from rigger.operations.state_word import is_made, state_word
from rigger.plans.changes import unprovisioned
from rigger.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from rigger.audit.runs import RecordedRun
    from rigger.audit.state import ClusterState
    from rigger.audit.steps import StepHistory
    from rigger.audit.upgrades import Request
    from rigger.configuration.config import Config
    from rigger.configuration.version import VersionChange
    from rigger.environments.environment import Environment
    from rigger.environments.inventory import Node
    from rigger.modules.model import Module


@frozen
class AddonStatus:
    """An add-on: its version, whether it is applied, and why it is failed if it is."""

    name: str
    version: str
    status: str
    since: str
    problem: str
    program: str = ""  # what it says that it runs, which may be of another version than its own


@frozen
class Status:
    """An environment, its cluster, and what was done there last."""

    name: str
    id: str
    path: str
    platform: str
    provider: str
    type: str
    version: str
    state: str  # one word
    deployed_version: str  # nothing where none runs
    version_change: VersionChange | None  # where another one is configured
    since: str  # when that was deployed
    nodes: tuple[Node, ...]
    pending: tuple[str, ...]  # values that changed since the cluster was last brought up to date
    failed_checks: tuple[str, ...]  # roles
    leftovers: tuple[str, ...]  # what may exist and nobody knows how it is found
    last_run: Mapping[str, Any] | None
    upgrade: Request | None  # that was begun and not finished
    restore: str  # the file of a restore that was begun and not finished
    problem: str  # why no step would be run with these vars, if none would
    running: str  # who works there now, if anybody does
    addons: tuple[AddonStatus, ...] = ()  # in their order
    reached: str = ""  # how far that upgrade got, where it goes by stages

    def as_dict(self) -> dict[str, Any]:
        begun = self.upgrade
        return {
            **{name: value for name, value in vars(self).items() if name not in ("version", "reached")},
            "configured_version": self.version,
            "nodes": [vars(node) for node in self.nodes],
            "addons": [vars(addon) for addon in self.addons],
            "pending": list(self.pending),
            "failed_checks": list(self.failed_checks),
            "leftovers": list(self.leftovers),
            "version_change": self.version_change and self.version_change.command,
            "upgrade": begun
            and {
                **{"from": begun.start, "to": begun.to, "style": begun.style, "rollback": begun.back},
                **({"reached": self.reached} if self.reached else {}),
            },
        }


def status(environment: Environment) -> Status:
    """Return the status of an environment; raises InvalidConfig where its files cannot be read."""
    config = resolve(environment)
    state = state_of(environment)
    deployed = state.steps.done.get(f"platform/{config.platform.name}/deploy")
    running = state.versions.running
    ran = state.runs.last
    last = run_of(ran, ran.outcome(environment.lock.busy_since())) if ran else None
    return Status(
        name=environment.name,
        id=config.id,
        path=environment.path,
        platform=config.platform.name,
        provider=config.provider.name,
        type=config.values.get("TYPE", ""),
        version=config.values.get("VERSION", ""),
        state=state_word(state, last["outcome"] if last else ""),
        deployed_version=running.version if running else "",
        version_change=version_change(environment, config.values),
        since=deployed.finished.time if deployed and deployed.finished else "",
        nodes=tuple(environment.nodes()),
        pending=_pending(environment, config, state.steps) if is_made(state) else (),
        failed_checks=tuple(sorted(state.steps.failed_checks)),
        leftovers=tuple(state.leftovers.items),
        last_run=last,
        upgrade=state.upgrade.request if state.upgrade else None,
        reached=state.upgrade.stages.say(state.upgrade.request.start) if state.upgrade else "",
        restore=state.restore,
        problem=_problem(environment, config),
        running=environment.lock.holder(),
        addons=tuple(_addon(state, module) for module in config.addons),
    )


def _addon(state: ClusterState, module: Module) -> AddonStatus:
    record = record_of(state, module)
    program = record.given().get("program", "") if record.status == APPLIED else ""
    said = program if isinstance(program, str) else ""
    return AddonStatus(module.name, module.version, record.status, record.since, record.problem, said)


def run_of(run: RecordedRun, outcome: str) -> Mapping[str, Any]:
    """Return a run and its steps as a report has them."""
    return {
        "number": run.number,
        "run": run.started.run,
        "command": run.started.command,
        "time": run.started.time,
        "outcome": outcome,
        "steps": [
            {
                "module": step.module,
                "step": step.step,
                "exit_code": step.exit_code,
                **({"skipped": True} if is_skipped(step) else {}),
            }
            for step in run.steps
        ],
    }


def _pending(environment: Environment, config: Config, steps: StepHistory) -> tuple[str, ...]:
    return tuple(sorted(unprovisioned(config, steps, environment.key())))


def _problem(environment: Environment, config: Config) -> str:
    """Return why no step would be run with these vars, nothing where they mean the cluster that exists."""
    try:
        require_recorded(environment, config)
    except InvalidConfig as problem:
        return f"{problem.message} {problem.next_step}"
    return ""
