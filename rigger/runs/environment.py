"""The variables that a script gets."""

from __future__ import annotations

import os
import sys

from rigger import text
from rigger.configuration import module_state
from rigger.configuration.resolve import computed
from rigger.environments import inventory
from rigger.environments.answers import outputs_of
from rigger.environments.environment import IMAGES
from rigger.environments.home import MIRROR
from rigger.environments.inventory import text_path
from rigger.environments.state import state_of
from rigger.errors import NotReady
from rigger.files import PACKAGE
from rigger.modules.instance import unprefixed
from rigger.runs.room import leave_out
from rigger.values import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rigger.configuration.config import Config
    from rigger.environments.environment import Environment
    from rigger.modules.model import Module

RIGGERS = ("PATH", "HOME")  # beside RIGGER_...: no program goes without
# No script's business: what opens bundles, and whose call this is (a rigger in a script is another one).
CALLERS = ("RIGGER_PASSPHRASE", "RIGGER_REQUEST", "RIGGER_ACTOR", "RIGGER_ACTOR_PROOF")
# What only some steps get, and must not come from the shell of a person who works in such a step.
OF_SOME_STEPS = ("RIGGER_STAGE_NODES", "RIGGER_ROLLBACK", "RIGGER_JUDGE_SECONDS")
NEED_NO_CLIENTS = ("", "destroy", "undeploy")  # what is there can be removed without a folder for clients
LIBEXEC = os.path.join(PACKAGE, "libexec")


def script_environment(
    environment: Environment, config: Config, module: Module, verb: str = ""
) -> dict[str, str]:
    """Return the environment of a module's script for a verb, or of any other program; without what one step has alone."""
    config = as_seen_by(environment, config, module, verb)
    state = environment.file("modules", config.state_name(module))
    provider_state = environment.file("modules", config.state_name(config.provider))
    _make_folders([state, provider_state], environment.bin_dir, needed=verb not in NEED_NO_CLIENTS)
    if not os.path.exists(text_path(environment.inventory_file)):
        inventory.write(environment.inventory_file, environment.nodes())
    values = _of_the_shell(config)
    values[f"{config.platform.prefix}_ROOT"] = config.platform.folder
    values.update(config.values)
    if module.role == "addon":
        values.update(unprefixed(module, config.values))
    folders = [LIBEXEC, *environment.shell.own_folders(), environment.shell.original_path()]
    values.update(
        PATH=os.pathsep.join(folders),
        RIGGER_INTERFACE=str(module.interface),
        RIGGER_HOME=environment.home,
        RIGGER_ENVIRONMENT=environment.name,
        RIGGER_ENVIRONMENT_ID=config.id,
        RIGGER_ENVIRONMENT_DIR=environment.path,
        RIGGER_MODULE_DIR=module.folder,
        RIGGER_STATE_DIR=state,
        RIGGER_INVENTORY=environment.inventory_file,
        RIGGER_NODES_FILE=text_path(environment.inventory_file),
        RIGGER_VARS_FILE=environment.vars_file,
        RIGGER_STATE=environment.file(module_state.FILE),
        RIGGER_PYTHON=sys.executable,
        **_where_there_is_one(environment),
        RIGGER_CACHE_DIR=os.path.join(environment.home, "cache"),
        RIGGER_BIN_DIR=environment.bin_dir,
        **_of_the_cluster(config, provider_state),
        RIGGER_GONE="\n".join(state_of(environment).leftovers.gone),
        RIGGER_LEFT_OUT="",
    )
    values.update(_no_proxy(values, environment.addresses()))
    outputs = outputs_of(environment).steps.keys() - config.asked
    values["RIGGER_LEFT_OUT"] = " ".join(leave_out(values, outputs, {*config.values, *RIGGERS}))
    return values


def _of_the_cluster(config: Config, provider_state: str) -> dict[str, str]:
    return {
        "RIGGER_PROVIDER_DIR": config.provider.folder,
        "RIGGER_PROVIDER_STATE_DIR": provider_state,
        "RIGGER_PLATFORM_DIR": config.platform.folder,
        "RIGGER_PLATFORM_PORTS": " ".join(map(str, config.platform.ports)),
    }


def _where_there_is_one(environment: Environment) -> dict[str, str]:
    """Return what many environments have none of: empty where it is not there."""
    mirror, images = os.path.join(environment.home, MIRROR), environment.file(IMAGES)
    return {
        "RIGGER_MIRROR": mirror if os.path.isdir(mirror) else "",
        "RIGGER_IMAGES": images if os.path.isfile(images) else "",
    }


def _make_folders(states: Sequence[str], clients: str, needed: bool) -> None:
    """Make the folders that scripts find; raises NotReady, for the one of clients only where it is `needed`."""
    for folder in (*states, clients):
        try:
            os.makedirs(folder, mode=0o700, exist_ok=True)
        except OSError as problem:
            if folder == clients and not needed:
                continue
            raise NotReady(
                f"{folder} cannot be made: {problem.strerror}.",
                "Make room or correct the permissions, then run the same command again.",
            ) from None


def _of_the_shell(config: Config) -> dict[str, str]:
    """Return what rigger was started with, without what must not stand in for an unset value."""
    values = {text.decode(name): text.decode(value) for name, value in os.environb.items()}
    for module in config.modules:
        for name in (*(question.name for question in module.questions), *module.outputs):
            values.pop(name, None)
    for name in (*CALLERS, *OF_SOME_STEPS):
        values.pop(name, None)
    return values


def _no_proxy(values: Mapping[str, str], addresses: list[str]) -> dict[str, str]:
    """Return the variables by which programs ask no proxy for the nodes; each has its own reading of the two names."""
    upper, lower = values.get("NO_PROXY", ""), values.get("no_proxy", "")
    if not addresses or "*" in (upper, lower):
        return {}
    said = {"NO_PROXY": upper or lower, "no_proxy": lower or upper}
    return {name: ",".join([*addresses, *filter(None, [value])]) for name, value in said.items()}


def as_seen_by(environment: Environment, config: Config, module: Module, verb: str) -> Config:
    """Return the configuration as a step sees it, with what is computed of its values."""
    seen = config.seen_by(module, verb)
    if seen is config:
        return config
    return replace(
        seen, values={**seen.values, **computed(environment, config.modules, seen.values, {*seen.secrets})}
    )
