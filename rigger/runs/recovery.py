"""Finish what a killed run left: collect what its last step gave back."""

from __future__ import annotations

import contextlib
import os

from rigger.audit.events import StepRecovered, StepStarted
from rigger.configuration.identity import require_recorded
from rigger.configuration.resolve import look_up_references, resolve, write_computed
from rigger.environments.recorded import recorded
from rigger.environments.state import state_of
from rigger.later import later
from rigger.plans.model import Step
from rigger.redact import Redactor, maskable
from rigger.runs.log import mask_logs
from rigger.runs.output import apply_output, take_own
from rigger.runs.own_folder import OwnFolder
from rigger.runs.records import nodes_if_changed
from rigger.runs.step_files import StepFiles
from rigger.trust.gate import require_trusted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rigger.configuration.config import Config
    from rigger.containers import engine as container_engine
    from rigger.environments.environment import Environment
else:
    container_engine = later("rigger.containers.engine")


def load_config(environment: Environment) -> Config:
    """Return the configuration of an environment whose lock is held, with what a killed run gave back."""
    look_up_references(environment)
    environment.nodes()  # a file that cannot be understood must show before anything runs
    config = resolve(environment)
    require_recorded(environment, config)
    if recover(environment, config):  # which also clears a folder that has to be as it was agreed to
        config = resolve(environment)
    require_trusted(environment, config.modules)
    write_computed(environment, config)
    return config


def recover(environment: Environment, config: Config) -> bool:
    """Keep what the steps of a killed run gave back; return whether there were any."""
    open_steps = state_of(environment).steps.open
    for started in open_steps:
        _recover_step(environment, config, started)
    return bool(open_steps)


def _recover_step(environment: Environment, config: Config, started: StepStarted) -> None:
    folder = environment.file("runs", started.run)
    channels = StepFiles.of_step(folder, started.number, started.step, started.attempt)
    given = channels.collect(started.script)
    if os.path.exists(channels.container):
        container_engine.stop_left(config.id)
    role, _, name = started.module.partition("/")
    module = config.provider if role == "provider" else config.addon(name) or config.platform
    take_own(given, Step(module, started.step, ""), environment, config.every_secret().values())
    leftovers = given.take_leftovers()
    kept = OwnFolder(environment, module).keep()
    changed = apply_output(environment, config, Step(module, started.step, ""), given, succeeded=False)
    redactor = Redactor(maskable({**config.every_secret(), **given.secrets}))
    with contextlib.suppress(OSError):  # a log is no reason not to keep what was made
        mask_logs(folder, redactor)
    recovered = StepRecovered(
        number=started.number,
        module=started.module,
        step=started.step,
        leftovers=[redactor.text(item) for item in leftovers],
        changed=list(changed),
        values=recorded(environment, config.asked, changed) if changed else {},
        nodes=nodes_if_changed(environment),
        kept=kept,
    )
    environment.audit.append(recovered, started.run)
    channels.remove()
