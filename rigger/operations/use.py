"""Choose the environment that is meant where none is named."""

from __future__ import annotations

from rigger.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rigger.environments.home import Home


@frozen
class Used:
    """The environment that is the current one now."""

    name: str

    def as_dict(self) -> dict[str, Any]:
        return {"name": self.name}


def use(home: Home, name: str) -> Used:
    """Make an environment the current one; raises InvalidConfig where there is none of that name."""
    home.use(home.get(name).name)
    return Used(name)
