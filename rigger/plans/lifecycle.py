"""The plans of commands whose steps are always the same: check, destroy, suspend, resume, test, audit."""

from __future__ import annotations

import os

from rigger.errors import BadUsage
from rigger.modules.verbs import in_words
from rigger.plans import addons
from rigger.plans.model import Plan, Step
from rigger.values import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from rigger.audit.steps import StepHistory
    from rigger.configuration.config import Config
    from rigger.environments.inventory import Node
    from rigger.modules.model import Module


def check(config: Config) -> Plan:
    """Return the steps that look at the cluster without changing it."""
    return Plan(
        "check",
        (
            Step(config.provider, "check", "are the machines as they should be?", goes_on=True),
            Step(config.platform, "check", "is the platform as it should be?", goes_on=True),
            *(
                Step(module, "check", f"is {module.name} as it should be?", goes_on=True)
                for module in config.addons
                if module.script("check")
            ),
        ),
    )


def destroy(config: Config, history: StepHistory, nodes: Sequence[Node]) -> Plan:
    """Return the steps that remove all that was made, also after a create that failed half-way."""
    steps = addons.removals(config, history)
    begun = ("deploy", "prepare") if config.platform.script("prepare") else ("deploy",)
    if any(history.ever_started(f"platform/{config.platform.name}/{verb}") for verb in begun):
        steps.append(Step(config.platform, "undeploy", "take the platform off the machines", goes_on=True))
    steps.append(Step(config.provider, "destroy", "remove the machines and their data", goes_on=True))
    removals = [f"machine {node.name} ({node.address}) and all data on it" for node in nodes]
    if not nodes:
        removals.append(f"whatever {config.provider.name} made for this environment")
    return Plan("destroy", tuple(steps), removals=tuple(removals), leaving=tuple(node.name for node in nodes))


def suspend(config: Config, history: StepHistory, nodes: Sequence[Node], emptied: bool = False) -> Plan:
    """Return the steps that end the machines, or turn them off, and keep all else.

    `emptied`: an earlier suspend has begun to, so that its backup is the one that counts. Raises BadUsage where the
    provider cannot.
    """
    _require_verb(config, "suspend")
    platform, steps = config.platform, []
    if config.provider.suspend == "stops":
        return Plan(
            "suspend", (Step(config.provider, "suspend", "turn the machines off, keep what is on them"),)
        )
    if history.done.get(f"platform/{platform.name}/deploy"):
        if platform.script("backup") and not emptied:
            steps.append(Step(platform, "backup", "resume puts this back"))
        steps += addons.removals(config, history)
        steps.append(Step(platform, "undeploy", "take the platform off the machines", goes_on=True))
    steps.append(Step(config.provider, "suspend", "end the machines, keep all else"))
    removals = [f"machine {node.name} ({node.address}) and all data on it" for node in nodes]
    removals += [_of_addon(step.module) for step in steps if step.module.role == "addon"]
    return Plan("suspend", tuple(steps), removals=tuple(removals))


def _of_addon(module: Module) -> str:
    keeps = f'; "rigger backup {module.name}" keeps it before that' if module.script("backup") else ""
    return f"{module.name}, which resume applies again without its data{keeps}"


def resume(config: Config, backup: str, history: StepHistory) -> Plan:
    """Return the steps that start suspended machines, and put the platform, its data and add-ons back on new ones."""
    _require_verb(config, "resume")
    platform = config.platform
    steps = [Step(config.provider, "resume", "start the machines")]
    why = "the machines are new"
    if config.provider.suspend == "stops":
        why = "what ran on the machines has ended"
    else:
        steps.append(Step(platform, "install", why))
    steps.append(Step(platform, "deploy", why))
    if backup and platform.script("restore"):
        steps.append(
            Step(platform, "restore", "the data from before", environ={"RIGGER_BACKUP_FILE": backup})
        )
    steps.append(Step(platform, "check", "is the platform as it should be?"))
    return Plan("resume", (*steps, *addons.renewed(config, history, why)))


def _require_verb(config: Config, verb: str) -> None:
    if config.provider.script(verb) is None:
        raise BadUsage(
            f"{config.provider.name} cannot {verb} machines: it has no script {verb}.",
            '"rigger provider list" names the providers; aws and digitalocean can.',
        )


def audit(config: Config, name: str = "") -> Plan:
    """Return the scripts that say what was changed by hand: those of the modules that have one, or of the named one."""
    audited = [module for module in config.modules if module.script("audit") and name in ("", module.name)]
    return Plan("audit", tuple(Step(m, "audit", "what was changed by hand?", goes_on=True) for m in audited))


def unaudited(config: Config, name: str = "") -> tuple[str, ...]:
    """Return in a sentence each which modules an audit does not look at, and why."""
    return tuple(
        f"The {in_words(module.role)} {module.name} was not looked at: it has no script audit."
        for module in config.modules
        if not module.script("audit") and name in ("", module.name)
    )


def only(config: Config, verb: str, why: str) -> Plan:
    """Return the plan of a command that is one script of the platform, and its check; raises BadUsage without it."""
    if config.platform.script(verb) is None:
        raise BadUsage(f"{config.platform.name} has no {verb}.", f"It would need a script {verb}.")
    check_after = (Step(config.platform, "check", f"after the {verb}"),) if verb == "restore" else ()
    return Plan(verb, (Step(config.platform, verb, why), *check_after))


def with_clients(config: Config, bin_dir: str, plan: Plan) -> Plan:
    """Return a plan that first installs the platform's clients where they are missing: bundles leave them out."""
    if config.platform.script("setup-clients") is None or os.path.isdir(bin_dir) and os.listdir(bin_dir):
        return plan
    step = Step(config.platform, "setup-clients", "its clients are not on this machine yet")
    return replace(plan, steps=(step, *plan.steps))


def setup_clients(config: Config) -> Plan:
    """Return the step that installs the platform's clients on this machine."""
    if config.platform.script("setup-clients") is None:
        raise BadUsage(f"{config.platform.name} has no clients to install: it has no script setup-clients.")
    return Plan("setup-clients", (Step(config.platform, "setup-clients", "asked for"),))


def test(config: Config, name: str, tests: Sequence[str]) -> Plan:
    """Return a step for each test of a suite or component."""
    steps = tuple(Step(config.platform, f"tests/{test}", f"part of {name}", goes_on=True) for test in tests)
    return Plan(f"test {name}", steps)
