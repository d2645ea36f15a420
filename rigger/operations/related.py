"""How the modules of an environment are related now, and what is said where one that is required is not there."""

from __future__ import annotations

from rigger.audit.modules import APPLIED, FAILED
from rigger.configuration.addons import labels_of
from rigger.configuration.module_state import applied_labels, inputs_of, record_of
from rigger.environments.state import state_of
from rigger.errors import BadUsage, NotReady, RiggerError
from rigger.later import later
from rigger.modules import search
from rigger.plans.addons import Related, unmet
from rigger.text import did_you_mean, ways
from rigger.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rigger.configuration.config import Config
    from rigger.environments.environment import Environment
    from rigger.modules.model import Module
    from rigger.modules.selectors import Requirement
    from rigger.plans.model import Plan
    from rigger.repositories import store
else:
    store = later("rigger.repositories.store")


def related(environment: Environment, config: Config) -> Related | None:
    """Return how the modules are related, None where there are no add-ons: nothing has to be worked out then."""
    if not config.addons:
        return None
    state = state_of(environment)
    records = {module.name: record_of(state, module) for module in config.addons}
    applied = [module for module in config.addons if records[module.name].status == APPLIED]
    changed = {}
    for own, now in inputs_of(environment, config, applied).items():
        before = records[own].inputs
        changed[own] = [name for name in {**before, **now} if before.get(name) != now.get(name)]
    failed = {name: record.problem for name, record in records.items() if record.status == FAILED}
    return Related(labels_of(config), frozenset(applied_labels(environment, config)), failed, changed)


def require_met(environment: Environment, config: Config, plan: Plan, known: Related | None) -> None:
    """Raise NotReady where a module of a plan would be applied without what it requires."""
    missing = unmet(config, known, plan.steps) if known else []
    if missing:
        raise not_met(environment, config, missing[0].module, [one.requirement for one in missing[:1]])


def not_met(
    environment: Environment, config: Config, module: Module, requirements: Sequence[Requirement]
) -> NotReady:
    """Return the error for requirements that are not met, with the candidates for each and the command that adds each."""
    state, labels = state_of(environment), labels_of(config)
    sentences, commands = [], list[tuple[str, str]]()
    for requirement in requirements:
        sentence = f"{module.name} requires an applied module with {requirement}"
        here = [m for m in config.modules if requirement.holds(labels[config.state_name(m)])]
        here = [one for one in here if one.name != module.name]
        if here:
            records = [record_of(state, one) for one in here]
            said = ", ".join(
                f"{r.name} is {r.status}{f' ({r.problem})' if r.problem else ''}" for r in records
            )
            sentences.append(f"{sentence}: {said}.")
            commands += [(f"Apply {one.name}", f"rigger provision {one.name}") for one in here]
            continue
        found = candidates(environment, requirement)
        sentences.append(f"{sentence}: there is none.{'' if found else _meant(environment, requirement)}")
        commands += [(f"Add {one.name}, {_words(one)}", one.command) for one in found]
    if not commands:
        commands = [("What can be had", "rigger module search")]
    return NotReady(" ".join(sentences), ways(*commands))


@frozen
class Candidate:
    """An add-on that can be had: in a folder of this machine, or in a repository as of its last update."""

    name: str
    version: str
    description: str
    labels: Mapping[str, str]
    command: str  # which adds it
    folder: str = ""
    repository: str = ""
    updated: str = ""  # when the repository was, in UTC


def _words(one: Candidate) -> str:
    version = f"version {one.version}" if one.version else "without a version"
    version += f" from {one.repository}" if one.repository else ""
    return f"{version}: {one.description}" if one.description else version


def candidates(environment: Environment, requirement: Requirement) -> list[Candidate]:
    """Return the add-ons that can be had and would meet a requirement."""
    return [one for one in every_candidate(environment) if requirement.holds(one.labels)]


def every_candidate(environment: Environment) -> list[Candidate]:
    """Return every add-on that can be had, by name: of this machine, and the latest versions of repositories."""
    local = [
        Candidate(m.name, m.version, m.description, m.every_label, f"rigger module add {m.name}", m.folder)
        for m in available(environment)
    ]
    known = store.repositories(environment.home)
    names = [one.name for one in local] + [c.name for one in known for c in one.index.components]
    offered = []
    for one in known:
        for component in one.index.components:
            version = component.latest()
            source = f" --from {one.name}" if names.count(component.name) > 1 else ""
            offered.append(
                Candidate(
                    component.name,
                    version.version,
                    component.description,
                    component.every_label(version),
                    f"rigger module add {component.name}{source}",
                    repository=one.name,
                    updated=one.updated,
                )
            )
    return sorted([*local, *offered], key=lambda candidate: candidate.name)


def available(environment: Environment) -> list[Module]:
    """Return every add-on that can be had here and can be read, by name."""
    checkout = environment.file("checkout")
    found = []
    for name in search.folders("addon", environment.home, checkout):
        try:
            found.append(search.find("addon", name, environment.home, checkout))
        except RiggerError:
            continue  # `module search` says what is wrong with it
    return sorted(found, key=lambda module: module.name)


def _meant(environment: Environment, requirement: Requirement) -> str:
    """Return a hint where a label that is required is one that no module has, and another is near."""
    known = {key for one in every_candidate(environment) for key in one.labels}
    keys = [one.key for group in requirement.groups for one in group.expressions if one.operator != "absent"]
    unknown = [key for key in keys if key not in known]
    return f" No module has the label {unknown[0]}{did_you_mean(unknown[0], known)}." if unknown else ""


def addon(config: Config, name: str) -> Module:
    """Return an add-on by its name in the environment; raises BadUsage."""
    module = config.addon(name)
    if module is None:
        names = [one.name for one in config.addons]
        raise BadUsage(
            f"There is no add-on {name!r} here{did_you_mean(name, names)}.",
            f"There is: {', '.join(names)}." if names else ways(("Add one", "rigger module add NAME")),
        )
    return module
