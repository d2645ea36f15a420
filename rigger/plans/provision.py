"""Which steps bring a cluster to its configuration."""

from __future__ import annotations

from rigger import __version__
from rigger.audit.steps import UNDOES, StepHistory, StepRun, subject_of
from rigger.modules.kinds import is_riggers_own
from rigger.modules.scripts import step_digest
from rigger.plans import addons
from rigger.plans.addons import Related
from rigger.plans.changes import Change, changed_values, recorded_parameters, say_changes
from rigger.plans.model import Plan, Step
from rigger.plans.scripts import digest_of_shared
from rigger.sha256 import digest_of_file
from rigger.text import plain
from rigger.values import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from rigger.configuration.config import Config
    from rigger.environments.inventory import Node
    from rigger.modules.model import Module


REPAIRS = (
    "install",
    "create",
    "deploy",
    "apply",
)  # what puts right what a check found wrong: programs may be gone too


class _Planner:
    """Decides, step by step, whether it has to run."""

    def __init__(self, config: Config, history: StepHistory, key: bytes, again: int, running: str):
        self.config = config
        self.history = history
        self.key = key
        self.again = again
        self.running = running
        self._shared: dict[str, str] = {}
        self._recorded: Mapping[str, str] | None = None

    def reason(self, module: Module, verb: str, follows: str = "") -> str:
        """Return why a step must run, nothing when it is up to date."""
        key = f"{module.role}/{module.name}/{verb}"
        done = self.history.done.get(key)
        unfinished = self.history.unfinished(key)
        if unfinished is not None:
            under_way = unfinished.finished is None and unfinished.started.run == self.running
            return f"it is under way in run {self.running}" if under_way else f"it {unfinished.outcome()}"
        if done is None:
            return "first time" if key not in self.history.last else self._undone()
        changes = self.changes(module, verb, done)
        if changes:
            return say_changes(changes)
        if verb in REPAIRS and subject_of(f"{module.role}/{module.name}") in self.history.failed_checks:
            return "the last check failed"
        if follows:
            return follows
        if other := self._other_script(module, verb, done):
            return other
        return "asked for with --again" if done.started.seq < self.again else ""

    def behind(self, verb: str) -> str:
        """Return why a step of the platform must run after all: a run was stopped between it and one that it follows."""
        create = f"provider/{self.config.provider.name}/create"
        install, step = (f"platform/{self.config.platform.name}/{one}" for one in ("install", verb))
        done = self.history.done
        since = step in done and any(
            done[key].started.seq > done[step].started.seq for key in (create, install) if key in done
        )
        return "what it follows ran since" if since else ""

    def _undone(self) -> str:
        begun = [run for key, run in self.history.last.items() if key.rpartition("/")[2] in UNDOES]
        return (
            f"a destroy was begun in run {begun[-1].started.run}" if begun else "first time since a destroy"
        )

    def changes(self, module: Module, verb: str, run: StepRun) -> dict[str, Change]:
        """Return the values that concern a step and are not what that run of it had."""
        parameters = self._parameters(module, verb)
        return changed_values(self.config, module, verb, parameters, run.parameters)

    def _parameters(self, module: Module, verb: str) -> Mapping[str, str]:
        """Return the values that a step sees as they are recorded; worked out once where all steps see the same."""
        seen = self.config.seen_by(module, verb)
        if seen is not self.config:
            return recorded_parameters(seen, self.key)
        if self._recorded is None:
            self._recorded = recorded_parameters(seen, self.key)
        return self._recorded

    def _other_script(self, module: Module, verb: str, done: StepRun) -> str:
        """Return in which way a step would run something else than it did, nothing where it would not."""
        path, recorded = module.script(verb), done.started.sha256
        if path is None:
            return "its script changed"
        if recorded != step_digest(path):
            if not is_riggers_own(path):
                return "its script changed"
            before = plain(self.history.versions.get(done.started.run, ""))
            if before != __version__:
                return f"rigger was updated from {before or 'an older version'} to {__version__}"
            if recorded != digest_of_file(path):  # which is what was recorded before the version counted
                return "its script changed"
        return "" if done.started.shared == self.shared(module) else "its script changed"

    def drained(self, leaving: Sequence[str]) -> bool:
        """Return whether the platform has let those nodes go already, and only their removal did not finish."""
        scaled = self.history.done.get(f"platform/{self.config.platform.name}/scale")
        return scaled is not None and tuple(scaled.started.leaving) == tuple(leaving) and not self.again

    def shared(self, module: Module) -> str:
        if module.folder not in self._shared:
            self._shared[module.folder] = digest_of_shared(module)
        return self._shared[module.folder]


def provision(
    config: Config,
    history: StepHistory,
    nodes: Sequence[Node],
    key: bytes,
    again: int = 0,
    ask_provider: Callable[[], Sequence[str] | None] = lambda: None,
    related: Related | None = None,
    named: Sequence[str] = (),
    running: str = "",
) -> Plan:
    """Return the steps that bring the cluster to its configuration: only those that have something to do.

    `ask_provider` returns the names of the nodes that will leave, None where the provider leaves that to NODES.
    `again` is a record of the audit log: what ran before it runs again. `related` is how the modules are, `named` are
    those that are meant, all of them where none are named; `running` is the run that is under way.
    """
    planner = _Planner(config, history, key, again, running)
    base = Plan("provision", ())
    if not named or {config.provider.name, config.platform.name} & {*named}:
        base = _only(_base(planner, nodes, ask_provider), named)
    if not config.addons:
        return base
    related = related or Related()
    steps, up_to_date = addons.steps(config, history, related, planner.reason, named, base.steps)
    steps = [*base.steps, *steps]
    steps += addons.told(config, related, steps)
    return replace(base, steps=tuple(steps), up_to_date=(*base.up_to_date, *up_to_date))


def _only(plan: Plan, named: Sequence[str]) -> Plan:
    """Return the part of a plan that is about the named modules."""
    if not named:
        return plan
    steps, up_to_date = (
        tuple(step for step in part if step.module.name in named) for part in (plan.steps, plan.up_to_date)
    )
    return replace(plan, steps=steps, up_to_date=up_to_date)


def _base(planner: _Planner, nodes: Sequence[Node], ask_provider: Callable[[], Sequence[str] | None]) -> Plan:
    """Return the steps of the provider and the platform."""
    config = planner.config
    provider, platform = config.provider, config.platform
    steps: list[Step] = []
    up_to_date: list[Step] = []

    def add(module: Module, verb: str, follows: str = "") -> bool:
        why = planner.reason(module, verb, follows)
        (steps if why else up_to_date).append(Step(module, verb, why or "up to date"))
        return bool(why)

    create_why = planner.reason(provider, "create")
    # Machines that are there already are looked at before others have to go for them.
    add(provider, "install", "before the machines" if create_why and provider.script("leaving") else "")
    if platform.script("prepare"):
        if platform.script("setup-clients"):
            add(platform, "setup-clients")
        add(platform, "prepare", "before the machines" if create_why else "")
    create_at = len(steps)
    leaving: tuple[str, ...] = ()
    if add(provider, "create"):
        named_by_provider = ask_provider()
        leaving = nodes_to_remove(config, nodes) if named_by_provider is None else tuple(named_by_provider)
        steps[create_at:create_at] = _before_create(planner, leaving)
    created = "the machines may have changed" if "create" in {step.verb for step in steps} else ""
    installed = add(platform, "install", created or planner.behind("install"))
    add(platform, "deploy", created or ("follows install" if installed else planner.behind("deploy")))
    if not created or provider.contract.checked_after_create or platform.script("prepare"):
        steps.append(Step(provider, "check", "are the machines as they should be?"))
    steps.append(Step(platform, "check", "is the platform as it should be?"))
    removals = _removals(planner, leaving) if created else ()
    return Plan("provision", tuple(steps), tuple(up_to_date), removals, leaving)


def nodes_to_remove(config: Config, nodes: Sequence[Node]) -> tuple[str, ...]:
    """Return the nodes that a lower NODES removes: the last ones of the inventory."""
    wanted = config.values.get("NODES", "")
    return tuple(node.name for node in nodes[int(wanted) :]) if wanted.isdigit() else ()


def _before_create(planner: _Planner, leaving: Sequence[str]) -> list[Step]:
    config, history, steps = planner.config, planner.history, []
    if history.unfinished(f"provider/{config.provider.name}/create"):
        steps.append(
            Step(config.provider, "check", "create did not finish: first see what exists", goes_on=True)
        )
    deployed = history.ever_started(f"platform/{config.platform.name}/deploy")
    if leaving and deployed and config.platform.script("scale") and not planner.drained(leaving):
        steps.append(
            Step(config.platform, "scale", f"before {_and(leaving)} leave{'s' if len(leaving) == 1 else ''}")
        )
    return steps


def _removals(planner: _Planner, leaving: Sequence[str]) -> tuple[str, ...]:
    sentences = []
    if leaving:
        noun, whose = ("machine", "its") if len(leaving) == 1 else ("machines", "their")
        sentences.append(f"{len(leaving)} {noun} will be removed with all {whose} data: {_and(leaving)}.")
    provider = planner.config.provider
    before = planner.history.last.get(f"provider/{provider.name}/create")
    if before is not None:
        changes = planner.changes(provider, "create", before)
        replacing = {
            n: c for n, c in changes.items() if (q := planner.config.question(n)) and q.changes == "replace"
        }
        if replacing:
            sentences.append(
                f"Machines will be replaced, and what is on them lost: {say_changes(replacing)}."
            )
    return tuple(sentences)


def _and(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def machines(config: Config, provision: Plan, installs: bool = False) -> Plan:
    """Return the script that shows what the create of a provision would change, where the provider has one.

    `installs`: after the provider's `install`, where that has not been run: it puts the tools in place.
    """
    if not provision.creates or not config.provider.script("plan"):
        return Plan("plan", ())
    first = [step for step in provision.steps if step.key == f"provider/{config.provider.name}/install"]
    return Plan(
        "plan",
        (
            *(first if installs else ()),
            Step(config.provider, "plan", "what would create change?", goes_on=True),
        ),
    )
