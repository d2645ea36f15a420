"""What the audit log keeps of a run that begins, and of a step: that it is about to begin, and how it ended."""

from __future__ import annotations

import json
import os

from rigger import __version__
from rigger.audit.events import RunStarted, StepFinished, StepStarted
from rigger.configuration.module_state import inputs_of
from rigger.configuration.origin import as_recorded
from rigger.environments.recorded import recorded
from rigger.environments.state import state_of
from rigger.modules.scripts import step_digest
from rigger.plans.changes import recorded_parameters
from rigger.plans.scripts import digest_of_shared
from rigger.process.actor import actor
from rigger.sources import checkout as source_checkout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from rigger.configuration.config import Config
    from rigger.environments.environment import Environment
    from rigger.plans.model import Plan, Step
    from rigger.process.step import Outcome
    from rigger.redact import Redactor
    from rigger.runs.log import StepLog
    from rigger.runs.result import StepResult
    from rigger.runs.step_files import StepFiles, StepOutput


def run_started(environment: Environment, config: Config, plan: Plan) -> RunStarted:
    """Return the record of a run that is about to begin, with the values that are others than the log has."""
    commit, dirty = source_checkout.commit_of(environment, config.platform, config.values)
    call, known, values = (
        environment.call,
        state_of(environment).values.said,
        recorded(environment, config.asked),
    )
    return RunStarted(
        command=plan.command,
        rigger=__version__,
        by=actor(),
        provider=config.provider.name,
        platform=config.platform.name,
        id=config.id,
        version=config.values.get("VERSION", ""),
        steps=len(plan.steps),
        commit=commit,
        dirty=dirty,
        request=call.request,
        words=call.words if call.request else "",
        reason=call.reason,
        actor=call.actor,
        given=call.given,
        provider_is=as_recorded(config.provider, environment, config.values),
        platform_is=as_recorded(config.platform, environment, config.values),
        values={name: value for name, value in values.items() if known.get(name) != value},
        gone=tuple(sorted(known.keys() - values.keys())),
    )


def nodes_if_changed(environment: Environment) -> Sequence[Sequence[Any]] | None:
    """Return the nodes that there are, name and address; None where the log has the same."""
    nodes = [[node.name, node.address] for node in environment.nodes()]
    return nodes if nodes != [[*node] for node in state_of(environment).nodes] else None


def step_started(
    environment: Environment,
    config: Config,
    run: str,
    plan: Plan,
    step: Step,
    numbers: tuple[int, int],
    channels: StepFiles,
    redactor: Redactor,
) -> StepStarted:
    """Return the record of a step that is about to begin; `numbers` are its own and that of the attempt."""
    parameters = recorded_parameters(config.seen_by(step.module, step.verb), environment.key())
    return StepStarted(
        command=plan.command,
        number=numbers[0],
        module=f"{step.module.role}/{step.module.name}",
        step=step.verb,
        script=step.shown,
        sha256=step_digest(step.script),
        shared="" if step.only_looks else digest_of_shared(step.module),
        why=redactor.text(step.why),
        leaving=plan.leaving,
        attempt=numbers[1],
        # As the step really gets them.
        parameters={name: step.environ.get(name, value) for name, value in parameters.items()},
        inputs=inputs_of(environment, config, [step.module])[step.module.name]
        if step.verb == "apply"
        else {},
        log=os.path.join("runs", run, os.path.basename(channels.log)),
    )


def step_finished(
    environment: Environment,
    config: Config,
    number: int,
    result: StepResult,
    outcome: Outcome,
    log: StepLog,
    given: StepOutput,
    redactor: Redactor,
) -> StepFinished:
    """Return the record of a step that ended; what an add-on gave counts from then on, if it ended well."""
    step = result.step
    output = json.dumps(given.output, sort_keys=True) if given.output is not None and result.good else ""
    return StepFinished(
        number=number,
        module=f"{step.module.role}/{step.module.name}",
        step=step.verb,
        exit_code=outcome.exit_code if result.good or outcome.exit_code else 1,
        signal=outcome.signal or 0,
        timed_out=outcome.timed_out,
        interrupted=outcome.interrupted,
        problems=result.problems,
        leftovers=result.leftovers,
        survivors=tuple((number, redactor.text(name)) for number, name in outcome.survivors),
        figures=dict(result.figures),
        lost=result.lost,
        seconds=round(outcome.duration, 3),
        log_size=log.size,
        log_sha256=log.digest.hexdigest(),
        changed=result.changed,
        values=recorded(environment, config.asked, result.changed) if result.changed else {},
        nodes=nodes_if_changed(environment),
        kept=result.kept,
        before=state_of(environment).modules.get(step.module.name).output if output else "",
        output=output,
        uses=given.uses if output else (),
    )
