"""The clone of a platform's repository that belongs to an environment."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from rigger.environments.environment import Environment


def is_used(values: Mapping[str, str]) -> bool:
    """Return whether an environment's platform comes from a repository, or a folder of the user's own."""
    return bool(values.get("REPOSITORY") or values.get("CHECKOUT"))


def is_cloned(environment: Environment, values: Mapping[str, str]) -> bool:
    """Return whether the platform lies in a clone that rigger made for the environment."""
    return (
        bool(values.get("REPOSITORY"))
        and not values.get("CHECKOUT")
        and os.path.isdir(place(environment, {}))
    )


def place(environment: Environment, values: Mapping[str, str]) -> str:
    """Return the folder in which an environment's checkout lies, or would lie."""
    return values.get("CHECKOUT") or environment.file("checkout")
