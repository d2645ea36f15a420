"""Which add-ons an environment has: the var MODULES, NAME or NAME=MODULE with commas between them."""

from __future__ import annotations

import re

from rigger.errors import InvalidConfig
from rigger.modules.contract import NAME
from rigger.modules.order import Order, in_order
from rigger.text import listed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rigger.configuration.config import Config
    from rigger.modules.model import Module

LIST = "MODULES"


def parse(text: str) -> dict[str, str]:
    """Return the add-ons of the var: name -> the module's name or folder; raises InvalidConfig."""
    found: dict[str, str] = {}
    for item in filter(None, (item.strip() for item in text.split(","))):
        name, _, module = item.partition("=")
        if not re.fullmatch(NAME, name) or name in found:
            reason = "is named twice" if name in found else "is not the name of a module"
            raise InvalidConfig(
                f"{LIST} in the vars file: {name!r} {reason}.",
                "It has NAME or NAME=MODULE, with commas between them.",
            )
        found[name] = module or name
    return found


def written(addons: Mapping[str, str]) -> str:
    """Return the add-ons as the var has them."""
    return ",".join(name if name == module else f"{name}={module}" for name, module in addons.items())


def labels_of(config: Config) -> dict[str, dict[str, str]]:
    """Return the labels of every module of a configuration, by the name of its state."""
    version = config.values.get("VERSION")
    labels = {config.state_name(module): module.every_label for module in config.modules}
    if version:
        labels[config.state_name(config.platform)].setdefault("version", version)
    return labels


def ordered(base: Iterable[Module], addons: Iterable[Module]) -> tuple[tuple[Module, ...], Order]:
    """Return the add-ons in the order of what they require, and that order; those that cannot be made come last."""
    addons = tuple(addons)
    every = {f"{module.role}/{module.name}": module for module in (*base, *addons)}
    order = in_order(
        {key: module.every_label for key, module in every.items()},
        {key: module.requires for key, module in every.items()},
    )
    last = [key for key in every if key not in order.names]
    return tuple(every[key] for key in (*order.names, *last) if every[key].role == "addon"), order


def require_no_circle(order: Order) -> None:
    """Raise InvalidConfig where modules require each other in a circle, naming them."""
    if order.circle:
        names = [key.partition("/")[2] for key in order.circle]
        chain = " requires ".join([*names, names[0]])
        raise InvalidConfig(
            f"{listed(names)} cannot be made in any order: {chain}.",
            "Change what one of them requires, or take one away: rigger module remove NAME",
        )
