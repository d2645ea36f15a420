"""Is this still the cluster that was made: same id, same modules?"""

from __future__ import annotations

import os

from rigger.audit.cluster import MODULES, RecordedCluster, RecordedModule
from rigger.configuration.origin import in_words, is_same, origin_of, remedy
from rigger.envfile import quoting
from rigger.environments.state import may_have_cluster, state_of
from rigger.errors import BadUsage, InvalidConfig

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from rigger.configuration.config import Config
    from rigger.environments.environment import Environment
    from rigger.modules.model import Module


def identity(vars: Mapping[str, str], platform: Module, root: str = "") -> dict[str, str]:
    """Return <PREFIX>_ID, which tells an environment from others, <PREFIX>_VERSION, and <PREFIX>_ROOT of a checkout."""
    values = {f"{platform.prefix}_ID": vars.get(f"{platform.prefix}_ID") or os.urandom(5).hex()}
    if root:
        values[f"{platform.prefix}_ROOT"] = root
    if vars.get("VERSION"):
        values[f"{platform.prefix}_VERSION"] = vars["VERSION"]
    return values


def require_same_modules(
    environment: Environment, before: Mapping[str, str], after: Mapping[str, str]
) -> None:
    """Raise BadUsage when the provider or platform of a cluster would change while it exists.

    Back to the one that it was made with, from what somebody wrote into the vars file, is no such change.
    """
    recorded = state_of(environment).cluster
    for name in ("PROVIDER", "PLATFORM"):
        value = recorded.answers.get(name) if recorded else None
        if name in before and before[name] != after.get(name) != value and may_have_cluster(environment):
            moved = value and os.path.basename(value) == os.path.basename(before[name])
            raise other_module(environment, name, before[name] if moved or not value else value)


def other_module(environment: Environment, name: str, value: str) -> BadUsage:
    """Return the error for another provider or platform than the one that a cluster was made with."""
    return BadUsage(
        f"{environment.name} was made with {name}={value}, which cannot change while it exists.",
        'Type "rigger destroy" first, or make another with "rigger configure --name NAME".',
    )


def id_of(environment: Environment, name: str) -> str:
    """Return an environment's ID, as its vars say it by that name, or its record where they have lost it."""
    recorded = None if (id := environment.vars().get(name)) else state_of(environment).cluster
    return id or (recorded.id if recorded else "")


def require_modules_named(environment: Environment, vars: Mapping[str, str]) -> None:
    """Raise InvalidConfig, saying how to get it back, where the vars file is gone or does not name both modules."""
    missing = [name for name in MODULES if not vars.get(name)]
    if not missing:
        return
    step = f'Type "rigger configure --name {environment.name}"'
    recorded = state_of(environment).cluster
    if recorded:
        lines = (f"{name}={recorded.answers[name]}" for name in missing if recorded.answers.get(name))
        step += f", which takes what is missing from that record: {', '.join(lines) or 'its ID'}"
    if os.path.isfile(environment.vars_file):
        problem = f"{environment.vars_file} does not say which {' and which '.join(missing)}"
        problem += f", but {environment.name} has a record of a cluster" if recorded else ""
    else:
        problem = f"{environment.name} has a record, but no vars file ({environment.vars_file})"
    raise InvalidConfig(f"{problem}.", f"{step}.")


def require_recorded(environment: Environment, config: Config) -> None:
    """Raise InvalidConfig where the vars name another module or ID than the cluster that exists was made with."""
    vars, name = environment.vars(), f"{config.platform.prefix}_ID"
    require_same_cluster(environment, {name: "", **vars}, config.provider, config.platform)
    if not vars.get(name):
        raise InvalidConfig(
            f"{environment.vars_file} has no {name}, by which the machines of {environment.name} are found.",
            f'Type "rigger configure --name {environment.name}" to have one.',
        )


def require_same_cluster(
    environment: Environment, vars: Mapping[str, str], provider: Module | None, platform: Module | None
) -> None:
    """Raise InvalidConfig where vars and their modules mean another cluster than the one that exists.

    Scripts would not find that one: they would make a second one, or destroy nothing and say that all is gone.
    """
    recorded = state_of(environment).cluster
    if recorded is None:
        return
    require_same_names(environment, recorded, vars, provider, platform)
    name = f"{platform.prefix}_ID" if platform else ""
    if recorded.ids and vars.get(name, recorded.id) not in recorded.ids:
        raise _not_as_made(environment, name, vars[name], recorded.id)


def require_same_names(
    environment: Environment,
    recorded: RecordedCluster,
    vars: Mapping[str, str],
    provider: Module | None,
    platform: Module | None,
) -> None:
    """Raise InvalidConfig for another module; it is known by its name: a home that moved has other paths."""
    for name, module in zip(MODULES, (platform, provider), strict=True):
        known = recorded.modules[name]
        if module and known and module.name not in known:
            before = recorded.answers.get(name) or min(known)
            raise _not_as_made(environment, name, vars.get(name, ""), before)
        if module and not is_same(made := recorded.made_with.get(name), module, environment):
            assert made is not None
            raise _another_module(environment, made, module)


def _another_module(environment: Environment, made: RecordedModule, module: Module) -> InvalidConfig:
    """Return the error for a module that has the name of the one that a cluster was made with, and nothing else of it."""
    if made.origin == origin_of(module, environment) and made.interface != str(module.interface):
        return _another_interface(environment, made, module)
    before = in_words(module.role, module.name, made.origin, made.interface)
    now = in_words(module.role, module.name, origin_of(module, environment), str(module.interface))
    return InvalidConfig(
        f"{environment.name} exists and was made with {before}. What is found by that name now is another: {now}, "
        f"{module.folder}.",
        f"{remedy(module.role, made.origin)}; or load a bundle of {environment.name}, which has the scripts in it.",
    )


def _another_interface(environment: Environment, made: RecordedModule, module: Module) -> InvalidConfig:
    """Return the error for the module that a cluster was made with, written anew for another interface.

    What its scripts had written lies elsewhere for that one: they would not find the machines.
    """
    return InvalidConfig(
        f"{environment.name} was made by the {module.role} {module.name} of interface {made.interface}, and {module.folder} "
        f"is of interface {module.interface} now: its scripts would not find what those had written, and make a second "
        "cluster, or destroy none.",
        f"{remedy(module.role, made.origin)}, and destroy {environment.name} with that; the new one is for new "
        f"environments. A bundle of {environment.name} has the scripts that made it.",
    )


def _not_as_made(environment: Environment, name: str, value: str, before: str) -> InvalidConfig:
    file = environment.vars_file
    says = f'says {name}="{value}"' if value else f"does not say {name}"
    return InvalidConfig(
        f'{file} {says}, but {environment.name} exists and was made with {name}="{before}".',
        f"Put the line back into {file}: export {name}={quoting.quote(before)} (for another cluster, type "
        '"rigger configure --name NAME").',
    )
