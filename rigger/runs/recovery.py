"""Finish what a killed run left: collect what its last step gave back."""

from __future__ import annotations

from collections.abc import Mapping

from rigger.configuration.config import Config
from rigger.configuration.identity import require_recorded
from rigger.configuration.resolve import resolve, write_computed
from rigger.environments.environment import Environment
from rigger.plans.model import Step
from rigger.runs.output import apply_output
from rigger.runs.step_files import StepFiles
from rigger.trust.gate import require_trusted


def load_config(environment: Environment) -> Config:
    """Return the configuration of an environment whose lock is held, with what a killed run gave back."""
    environment.nodes()  # a file that cannot be understood must show before anything runs
    config = resolve(environment)
    require_recorded(environment, config)
    require_trusted(environment, config.modules)
    if recover(environment, config):
        config = resolve(environment)
    write_computed(environment, config)
    return config


def recover(environment: Environment, config: Config) -> bool:
    """Keep what the steps of a killed run gave back; return whether there were any."""
    open_steps = {}
    for record in environment.audit.records():
        place = (record["run"], record.get("number"))
        if record["event"] == "step-started":
            open_steps[place] = record
        elif record["event"] in ("step-finished", "step-recovered"):
            open_steps.pop(place, None)
    for (run, number), record in open_steps.items():
        _recover_step(environment, config, run, number, record)
    return bool(open_steps)


def _recover_step(environment: Environment, config: Config, run: str, number: int, record: Mapping) -> None:
    attempt = record.get("attempt")
    attempt = attempt if isinstance(attempt, int) else 1
    channels = StepFiles(environment.file("runs", run), number, record["step"], attempt)
    given = channels.collect(record["script"])
    role = record["module"].partition("/")[0]
    module = config.provider if role == "provider" else config.platform
    given.values.pop("LEFTOVERS", None)
    changed = apply_output(environment, config, Step(module, record["step"], ""), given, succeeded=False)
    environment.audit.append(
        "step-recovered",
        run,
        number=number,
        module=record["module"],
        step=record["step"],
        changed=list(changed),
    )
    channels.remove()
