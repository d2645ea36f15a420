"""Which steps bring add-ons to their configuration, which modules hear of it, and what has to be there before."""

from __future__ import annotations

from rigger.modules.verbs import MAKES
from rigger.plans.model import Step
from rigger.text import listed
from rigger.values import field, frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from rigger.audit.steps import StepHistory
    from rigger.configuration.config import Config
    from rigger.modules.model import Module
    from rigger.modules.selectors import Requirement


@frozen
class Related:
    """How the modules of a configuration are related, by the names of their state; what is worked out of the state."""

    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    applied: frozenset[str] = frozenset()  # the modules that are applied now
    failed: Mapping[str, str] = field(default_factory=dict)  # add-ons, and why each is not as it should be
    # Of each add-on that was applied: the modules that are not any more what its apply read.
    changed: Mapping[str, Sequence[str]] = field(default_factory=dict)


@frozen
class Unmet:
    """A module that cannot be applied, and what it requires that no module meets which is applied by then."""

    module: Module
    requirement: Requirement


def steps(
    config: Config,
    history: StepHistory,
    related: Related,
    reason: Callable[[Module, str, str], str],
    named: Sequence[str],
    before: Sequence[Step] = (),
) -> tuple[list[Step], list[Step]]:
    """Return the steps of the add-ons that have to run, in order, and those that are up to date.

    `reason` says why a step has to run, by its module, its verb and what it follows. If any are `named`, those alone.
    `before` are the steps that come first: an add-on that one of their modules influences is told of what they change, and
    is applied once somebody asks.
    """
    todo: list[Step] = []
    up_to_date: list[Step] = []
    made = made_by(before)
    for module in config.addons:
        if named and module.name not in named:
            continue
        if module.script("install"):
            why = reason(module, "install", "")
            (todo if why else up_to_date).append(Step(module, "install", why or "up to date"))
        others = _changed(config, related, module, made)
        why = reason(module, "apply", f"{listed(others)} changed since" if others else "")
        why = why or related.failed.get(module.name, "")
        if why:
            todo += [*plan_of(module, "what would apply change?"), Step(module, "apply", why)]
            made.append(module)
        elif named and module.script("plan"):
            todo += [
                *plan_of(module, "would apply change anything?"),
                Step(module, "apply", "where its plan says that something would change", if_differs=True),
            ]
            made.append(module)
        else:
            up_to_date.append(Step(module, "apply", "up to date"))
        if why or history.done.get(f"addon/{module.name}/apply"):
            todo += check_of(module)
    return todo, up_to_date


def _changed(config: Config, related: Related, module: Module, made: Sequence[Module]) -> list[str]:
    """Return the modules that are not what an add-on read; without those `made` now, where one of them influences it."""
    changed = related.changed.get(module.name, ())
    if not changed:
        return []
    labels = related.labels.get(config.state_name(module), {})
    influenced = any(group.holds(labels) for one in made for group in one.influences if one is not module)
    now = {config.state_name(one) for one in made} if influenced else set()
    return [name for name in changed if name not in now]


def plan_of(module: Module, why: str) -> list[Step]:
    """Return the step that says what would change, where a module has one."""
    return [Step(module, "plan", why)] if module.script("plan") else []


def check_of(module: Module) -> list[Step]:
    """Return the step that looks at a module, where it has one."""
    return [Step(module, "check", f"is {module.name} as it should be?")] if module.script("check") else []


def made_by(steps: Iterable[Step]) -> list[Module]:
    """Return the modules that steps make: those that are applied once all of them have run."""
    return [step.module for step in steps if step.verb == MAKES[step.module.role]]


def told(config: Config, related: Related, planned: Sequence[Step]) -> list[Step]:
    """Return the steps that tell modules which the planned ones influence: the script plan of each, and no apply."""
    made = made_by(planned)
    own = {config.state_name(module) for module in made}
    influencing = [module for module in made if module.influences]
    found: list[Step] = []
    for module in config.addons if influencing else ():
        name = config.state_name(module)
        if name in own or name not in related.applied or not module.script("plan"):
            continue
        labels = related.labels[name]
        by = [one.name for one in influencing if any(group.holds(labels) for group in one.influences)]
        if by:
            found.append(Step(module, "plan", f"after {listed(by)}: would it change?", goes_on=True))
    return found


def shown(config: Config, related: Related, planned: Sequence[Step]) -> tuple[Step, ...]:
    """Return the scripts that say now what the applies of a plan would change: of modules whose requirements are met."""
    there = {name: related.labels[name] for name in related.applied}
    return tuple(
        Step(module, "plan", "what would apply change?", goes_on=True)
        for module in made_by(planned)
        if module.role == "addon" and module.script("plan") and not module.requires.unmet(there, module.name)
    )


def unmet(config: Config, related: Related, planned: Sequence[Step]) -> list[Unmet]:
    """Return what would be missing when an add-on of the plan is applied: modules before it in the plan are there."""
    there = {name: related.labels[name] for name in related.applied}
    missing = []
    for module in made_by(planned):
        name = config.state_name(module)
        if module.role == "addon":
            missing += [Unmet(module, one) for one in module.requires.unmet(there, name)]
        there[name] = related.labels[name]
    return missing


def needed_by(config: Config, related: Related, name: str) -> list[str]:
    """Return the names of the add-ons that require a module, and that no other module would do for instead."""
    rest = {one: related.labels[one] for one in related.applied if one != name}
    with_it = {**rest, name: related.labels[name]} if name in related.labels else rest
    return [
        module.name
        for module in config.addons
        if module.name != name
        and config.state_name(module) in related.applied
        and len(module.requires.unmet(rest, module.name)) > len(module.requires.unmet(with_it, module.name))
    ]


def removal(module: Module) -> Step:
    return Step(module, "destroy", f"take {module.name} off, and its data")


def removals(config: Config, history: StepHistory) -> list[Step]:
    """Return the steps that take all add-ons off, in the reverse order: what stands on others goes first."""
    begun = [one for one in config.addons if history.ever_started(f"addon/{one.name}/apply")]
    return [
        Step(module, "destroy", f"take {module.name} off, before what it stands on", goes_on=True)
        for module in reversed(begun)
        if not _is_gone(history, module)
    ]


def renewed(config: Config, history: StepHistory, why: str) -> list[Step]:
    """Return the steps that bring back the add-ons that were ever applied, in order, once the platform is back."""
    found: list[Step] = []
    for module in config.addons:
        if not history.ever_started(f"addon/{module.name}/apply"):
            continue
        found += [Step(module, "install", why)] if module.script("install") else []
        found += [*plan_of(module, "what would apply change?"), Step(module, "apply", why)]
        found += check_of(module)
    return found


def _is_gone(history: StepHistory, module: Module) -> bool:
    """Return whether an add-on was destroyed since it was last applied."""
    last, applied = (history.last.get(f"addon/{module.name}/{verb}") for verb in ("destroy", "apply"))
    return bool(last and last.succeeded and applied and last.started.seq > applied.started.seq)
