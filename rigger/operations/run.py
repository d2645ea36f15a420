"""Run one step alone, to find out what it does."""

from __future__ import annotations

from rigger.errors import BadUsage
from rigger.modules.tracing import TRACE, traced
from rigger.operations.consent import Consent
from rigger.operations.session import session
from rigger.plans.model import Plan, Step
from rigger.runs.reporter import Reporter, Silent
from rigger.runs.step_shell import open_shell
from rigger.text import did_you_mean, ways

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rigger.configuration.config import Config
    from rigger.environments.environment import Environment
    from rigger.modules.model import Module
    from rigger.operations.result import RunResult

# Steps that are half of something alone: the commands know what belongs to them.
COMMANDS = {
    "destroy": "rigger destroy",
    "undeploy": "rigger destroy",
    "suspend": "rigger suspend",
    "resume": "rigger resume",
    "backup": "rigger backup",
    "restore": "rigger restore FILE",
}
VERBS = ("install", "create", "prepare", "deploy", "setup-clients", "check", "plan", "audit")


def run(
    environment: Environment,
    name: str,
    trace: bool = False,
    reporter: Reporter | None = None,
    consent: Consent | None = None,
) -> RunResult:
    """Run the step of a name, `create` or `platform/etcd/install`; with `trace` a shell prints its commands.

    It holds the lock and is recorded as any other run. Raises BadUsage for a step that there is not, or that is a part
    of a command of its own; StepFailed, with the result, where it failed.
    """
    command = f"rigger run {name}"
    reporter, asked = reporter or Silent(), f"{command} trace={trace}"
    with session(environment, command, reporter, consent or Consent(), asked=asked) as work:
        module, verb = _found(work.config, name)
        step = Step(module, verb, "asked for alone", environ=TRACE if trace else {}, trace=trace)
        if trace and traced(module.argv(step.script)) is None:
            raise BadUsage(
                f"{step.shown} is no script of a shell, which could be traced.", "Leave out --trace."
            )
        plan = work.prepared(Plan(f"run {verb}", (step,)))
        work.claim(plan)
        return work.run(plan)


def shell(
    environment: Environment, name: str, reporter: Reporter | None = None, consent: Consent | None = None
) -> int:
    """Give the terminal to a shell with exactly the environment of a step, in its folder; return the shell's exit code.

    The environment stays locked meanwhile. Raises BadUsage for a step that there is not, or that is a part of a command
    of its own.
    """
    reporter = reporter or Silent()
    with session(environment, f"rigger run {name} --shell", reporter, consent or Consent()) as work:
        module, verb = _found(work.config, name)
        step = Step(module, verb, "asked for alone")
        plan = work.prepared(Plan(f"run {verb} --shell", (step,)))
        work.claim(plan)
        reporter.line(
            f"A shell as {step.shown} would have it, in {module.folder}; values saved in it are not kept."
        )
        return open_shell(work.new_run(), plan.command, step)


def _found(config: Config, name: str) -> tuple[Module, str]:
    """Return the module and the verb that a name means; raises BadUsage where it means none, or two."""
    verb = name.split("/")[-1] if not name.startswith("tests/") else name
    if whole := "rigger upgrade" if verb.startswith("upgrade-") else COMMANDS.get(verb):
        raise BadUsage(f"{verb} is no step to run alone: more belongs to it.", ways(("All of it", whole)))
    steps = {
        f"{module.role}/{module.name}/{one}": (module, one)
        for module in config.modules
        for one in ((verb,) if verb.startswith("tests/") else VERBS)
        if module.script(one)
    }
    found = [key for key, (_, one) in steps.items() if name in (key, one, key.partition("/")[2])]
    if len(found) == 1:
        return steps[found[0]]
    if found:
        raise BadUsage(
            f"There are {len(found)} steps {name!r}.", ways(*((key, f"rigger run {key}") for key in found))
        )
    known = list(dict.fromkeys(one for _, one in steps.values()))
    raise BadUsage(f"There is no step {name!r}{did_you_mean(name, known)}.", f"There is: {', '.join(steps)}.")
