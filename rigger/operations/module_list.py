"""What is installed, what a module is, and what can be had."""

from __future__ import annotations

from rigger.configuration.addons import labels_of
from rigger.configuration.module_state import module_state
from rigger.configuration.resolve import resolve
from rigger.errors import BadUsage
from rigger.modules import search as places
from rigger.modules.selectors import typed
from rigger.operations.related import every_candidate
from rigger.text import did_you_mean, ways
from rigger.values import asdict, field, frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from rigger.configuration.config import Config
    from rigger.environments.environment import Environment
    from rigger.modules.model import Module
    from rigger.modules.selectors import Expression
    from rigger.operations.related import Candidate


@frozen
class Installed:
    """The modules of an environment in their order, as `state.json` has them."""

    modules: Mapping[str, Mapping[str, Any]]

    def as_dict(self) -> dict[str, Any]:
        return {"modules": [{"name": name, **one} for name, one in self.modules.items()]}


def installed(environment: Environment) -> Installed:
    """Return what is installed, with status, version and labels; raises InvalidConfig."""
    return Installed(module_state(environment, resolve(environment))["modules"])


@frozen
class Info:
    """What a module is, and what the environment has of it, if it has it."""

    module: Module
    name: str
    state: Mapping[str, Any] | None  # None where it is not installed
    required_by: tuple[str, ...] = ()  # installed modules that select it
    requires: Mapping[str, Sequence[str]] = field(
        default_factory=dict
    )  # requirement -> installed modules that meet it

    def as_dict(self) -> dict[str, Any]:
        module = self.module
        return {
            "name": self.name,
            "role": module.role,
            "description": module.description,
            "module_version": module.version,
            "folder": module.folder,
            "labels": dict(module.every_label),
            "requires": {text: list(names) for text, names in self.requires.items()},
            "weak": [str(group) for group in module.requires.weak],
            "influences": [str(group) for group in module.influences],
            "needs": list(module.needs),
            "provides": list(module.provides),
            "requirements": asdict(module.requirements),
            "questions": [question.name for question in module.questions],
            "required_by": list(self.required_by),
            "state": self.state,
        }


def info(environment: Environment, name: str) -> Info:
    """Return what a module is: one that is installed, or that can be had; raises BadUsage or Refused."""
    config = resolve(environment)
    module = next((one for one in config.modules if name in (one.name, config.state_name(one))), None)
    labels = labels_of(config)
    if module is None:
        module = _of_this_machine(environment, name)
        return Info(module, module.name, None, (), _met(module, labels, ""))
    own = config.state_name(module)
    state = module_state(environment, config)["modules"][own]
    return Info(module, own, state, _requiring(config, labels, own), _met(module, labels, own))


def _of_this_machine(environment: Environment, name: str) -> Module:
    """Return a module that can be had here; raises BadUsage, for one of a repository with the command that adds it."""
    try:
        return places.find("addon", name, environment.home, environment.file("checkout"))
    except BadUsage:
        for one in every_candidate(environment):
            if one.name == name:
                said = f": {one.description}" if one.description else ""
                raise BadUsage(
                    f"{name} {one.version} of the repository {one.repository} is not here yet{said}.",
                    ways(("Add it", one.command)),
                ) from None
        raise


def _met(module: Module, labels: Mapping[str, Mapping[str, str]], own: str) -> dict[str, list[str]]:
    return {str(one): one.selected(labels, own) for one in module.requires.strong}


def _requiring(config: Config, labels: Mapping[str, Mapping[str, str]], own: str) -> tuple[str, ...]:
    return tuple(
        one.name
        for one in config.modules
        if one.name != own and any(part.holds(labels[own]) for part in one.requires.strong)
    )


@frozen
class Available:
    """The add-ons that can be had."""

    modules: tuple[Candidate, ...]
    installed: frozenset[str] = frozenset()  # names of modules, of which there is an instance
    problems: tuple[str, ...] = ()  # in a sentence each: what cannot be used, and why

    def as_dict(self) -> dict[str, Any]:
        rows = [
            {
                "name": one.name,
                "module_version": one.version,
                "description": one.description,
                "labels": dict(one.labels),
                "folder": one.folder,
                "repository": one.repository,
                "updated": one.updated,
                "installed": one.name in self.installed,
                "command": one.command,
            }
            for one in self.modules
        ]
        return {"modules": rows, "problems": list(self.problems)}


def search(environment: Environment, selectors: Sequence[str] = ()) -> Available:
    """Return the add-ons that can be had for which all selectors hold: kind=monitoring, provides-kafka>=2.5, !zone.

    A word that is no label is looked for in names, descriptions and labels. Raises BadUsage for what is no selector.
    """
    every = every_candidate(environment)
    keys = {key for one in every for key in one.labels}
    tests = [_test(text, keys) for text in selectors]
    chosen = tuple(
        one
        for one in every
        if all(test.holds(one.labels) if not isinstance(test, str) else _says(one, test) for test in tests)
    )
    config = resolve(environment)
    names = frozenset(module.module_name for module in config.addons)
    found = places.list_modules("addon", environment.home, environment.file("checkout"))
    problems = tuple(
        f"{one.name} ({one.folder}) cannot be used: {one.problem}" for one in found if one.problem
    )
    return Available(chosen, names, problems)


def _test(text: str, keys: set[str]) -> Expression | str:
    expression = typed(text)
    if expression is None:
        raise BadUsage(
            f"{text!r} is no selector.",
            "They look like kind=monitoring, kind!=a,b, provides-kafka>=2.5, kind, !kind.",
        )
    if problem := expression.problem():
        raise BadUsage(f"{text!r}: {problem}.")
    if expression.operator == "exists" and expression.key not in keys:
        return text
    if expression.key not in keys and expression.operator != "absent":
        raise BadUsage(
            f"No module has the label {expression.key}{did_you_mean(expression.key, keys)}.",
            f"Labels: {', '.join(sorted(keys))}." if keys else "",
        )
    return expression


def _says(one: Candidate, word: str) -> bool:
    said = [one.name, one.description, *one.labels.values()]
    return any(word.lower() in text.lower() for text in said)
