"""Take from the record what the vars file has lost."""

from __future__ import annotations

import contextlib
import os

from rigger.audit.cluster import MODULES
from rigger.bundles.read import read_manifest
from rigger.configuration.identity import require_same_names
from rigger.configuration.questionnaire import questionnaire_of
from rigger.environments.state import state_of
from rigger.errors import InvalidConfig, RiggerError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from rigger.environments.environment import Environment


def missing_from_vars(environment: Environment, vars: Mapping[str, str]) -> dict[str, str]:
    """Return what a vars file no longer says of the cluster that exists, as it was recorded.

    That is its modules and its ID; where the modules are gone, so is the rest, and all answers count. Raises
    InvalidConfig where its ID is known nowhere: another one would be another cluster.
    """
    recorded = state_of(environment).cluster
    if recorded is None:
        return {}
    whole = all(vars.get(name) for name in MODULES)
    missing = {} if whole else {name: value for name, value in recorded.answers.items() if not vars.get(name)}
    missing |= {name: _where_it_lies(environment, name, missing[name]) for name in MODULES if name in missing}
    values, provider, platform = {**vars, **missing}, None, None
    with contextlib.suppress(RiggerError):  # whoever goes on says what is wrong with it
        provider, platform = questionnaire_of(environment, values).chosen(values)
    require_same_names(environment, recorded, values, provider, platform)
    name = f"{platform.prefix}_ID" if platform else ""
    if platform and not vars.get(name):
        missing[name] = recorded.id or _saved_id(environment)
        if not missing[name]:
            raise InvalidConfig(
                f"{environment.vars_file} has no {name}, by which the machines of {environment.name} are found, "
                "and it is recorded nowhere else.",
                "Put it back: ten hex digits, which the machines' names or tags have. For another cluster, "
                'type "rigger configure --name NAME".',
            )
    return missing


def _where_it_lies(environment: Environment, name: str, value: str) -> str:
    """Return a module's recorded name or folder; of a folder that is elsewhere now, the copy that came in a bundle."""
    copy = environment.file("scripts", name.lower(), os.path.basename(value))
    return copy if os.sep in value and not os.path.isdir(value) and os.path.isdir(copy) else value


def _saved_id(environment: Environment) -> str:
    """Return the ID in the newest bundle that an upgrade saved here and that can be read, nothing where there is none."""
    for path in environment.backups.bundles():
        with contextlib.suppress(OSError, RiggerError):
            id = read_manifest(path).fields.get("id")
            if isinstance(id, str):
                return id
    return ""
