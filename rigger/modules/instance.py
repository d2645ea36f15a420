"""An add-on as an environment has it: under a name of its own, its vars with a prefix."""

from __future__ import annotations

import re

from rigger.modules.contract import variable_problem
from rigger.values import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from rigger.modules.model import Module
    from rigger.questions.model import Question


def instance(module: Module, name: str) -> Module:
    """Return an add-on under a name; its questions, vars and outputs stand in the vars file with the prefix of that."""
    prefix = module.prefix if name == module.name else prefix_of(name)
    own = {*(question.name for question in module.questions), *module.vars, *module.outputs}
    named = {one: f"{prefix}_{one}" for one in own}
    return replace(
        module,
        name=name,
        instance_of=module.module_name,
        prefix=prefix,
        labels={**module.every_label},
        questions=tuple(_question(one, named, name) for one in module.questions),
        vars={named[one]: renamed(template, named) for one, template in module.vars.items()},
        outputs=tuple(named[one] for one in module.outputs),
        types={
            kind: {f"{prefix}_{one}": value for one, value in defaults.items()}
            for kind, defaults in module.types.items()
        },
    )


def prefix_of(name: str) -> str:
    """Return the beginning of an instance's vars; a variable's name cannot begin with a digit."""
    prefix = re.sub(r"[^A-Z0-9]", "_", name.upper())
    return f"P{prefix}" if prefix[0].isdigit() else prefix


def _question(question: Question, named: Mapping[str, str], owner: str) -> Question:
    return replace(
        question,
        name=named[question.name],
        ask=f"{named[question.name]}?" if question.ask == f"{question.name}?" else question.ask,
        default=renamed(question.default, named) if question.default else question.default,
        when=renamed(question.when, named),
        owner=owner,
    )


def renamed(template: str, named: Mapping[str, str]) -> str:
    """Return a template in which a module's own names have their prefix; text in quotes and attributes stay."""
    if "{" not in template:
        return template
    return re.sub(
        r"""(?<![\w.'"])[A-Za-z_]\w*(?![\w'"])""",
        lambda found: named.get(found[0], found[0]),
        template,
    )


def unprefixed(module: Module, values: Mapping[str, str]) -> dict[str, str]:
    """Return the values of an add-on's own vars under the names that its manifest and its scripts have for them."""
    start = f"{module.prefix}_"
    own = {name.removeprefix(start): value for name, value in values.items() if name.startswith(start)}
    return {name: value for name, value in own.items() if variable_problem(name) is None}


def prefixed(module: Module, values: Mapping[str, str]) -> dict[str, str]:
    """Return what a script of an add-on gave under the names of the vars file."""
    start = f"{module.prefix}_"
    return {name if name.startswith(start) else f"{start}{name}": value for name, value in values.items()}
