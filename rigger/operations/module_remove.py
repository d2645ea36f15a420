"""Take an add-on off the machines, and out of an environment."""

from __future__ import annotations

from rigger.audit.events import ModuleRemoved
from rigger.configuration.addons import LIST, parse, written
from rigger.configuration.module_state import write as write_state
from rigger.configuration.resolve import resolve
from rigger.environments.answers import answers_of, outputs_of
from rigger.environments.recorded import configured
from rigger.errors import NotReady, StepFailed
from rigger.files import remove as remove_files
from rigger.operations.consent import Consent
from rigger.operations.related import addon, related
from rigger.operations.session import session
from rigger.plans.addons import needed_by, removal
from rigger.plans.model import Plan
from rigger.runs.reporter import Reporter, Silent
from rigger.text import listed, ways
from rigger.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rigger.environments.environment import Environment
    from rigger.modules.model import Module
    from rigger.operations.result import RunResult


@frozen
class Removed:
    """An add-on that is no part of the environment any more, and the run that took it off; None where it was nowhere."""

    name: str
    run: RunResult | None

    def as_dict(self) -> dict[str, Any]:
        return {"name": self.name, "run": self.run.run if self.run else ""}


def remove(
    environment: Environment, name: str, reporter: Reporter | None = None, consent: Consent | None = None
) -> Removed:
    """Run an add-on's `destroy`, where it was ever applied, and forget its values.

    Raises NotReady while others require it, StepFailed where its destroy failed: it stays then.
    """
    reporter, consent = reporter or Silent(), consent or Consent()
    with session(environment, f"rigger module remove {name}", reporter, consent) as work:
        module = addon(work.config, name)
        known = related(environment, work.config)
        others = needed_by(work.config, known, name) if known else []
        if others:
            raise NotReady(
                f"{name} is required by {listed(others)}; nothing was removed.",
                ways(*((f"Remove {other} first", f"rigger module remove {other}") for other in others)),
            )
        result, there = None, work.state.steps.ever_started(f"addon/{name}/apply")
        steps = (removal(module),) if there else ()
        plan = Plan(f"module remove {name}", steps, removals=(f"{name} and its data" if there else name,))
        work.show(plan)
        work.settle(plan)
        if there:
            work.require_ready(plan)
            work.claim(plan)
            consent.agree(f"Take {name} off, with its data?")
            result = work.run(plan)
            if left := [item for step in result.steps for item in step.leftovers]:
                raise StepFailed(
                    f"{name} is not gone: {listed(left)}.",
                    ways(("Try again", f"rigger module remove {name}")),
                )
        brought = work.state.modules.get(name).repository
        work.record(ModuleRemoved(instance=name), result.run if result else "")
        _forget(environment, module)
        if brought:
            remove_files(environment.file("scripts", "addon", name))
        write_state(environment, resolve(environment))
    return Removed(name, result)


def _forget(environment: Environment, module: Module) -> None:
    """Take an add-on's answers and outputs out of the vars file, and its name."""
    outputs, before = outputs_of(environment), answers_of(environment)
    own = {*(question.name for question in module.questions), *module.outputs, *module.vars}
    own |= {name for name, step in outputs.steps.items() if step.startswith(f"addon/{module.name}/")}
    named = {name: other for name, other in parse(before.get(LIST, "")).items() if name != module.name}
    after = {name: value for name, value in before.items() if name not in {*own, LIST}}
    after |= {LIST: written(named)} if named else {}
    if record := configured(environment, "rigger module remove", before, after):
        environment.audit.append(record)
    environment.save_values(outputs.without(own).over(after), outputs=outputs.without(own))
