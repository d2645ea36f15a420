"""The private home of a copy: where it lies, what is shared with the real one, and which killed rehearsals left one.

    environments/.rehearsal-NAME/     beside the environments, and none of them
      lock                            held as long as the rehearsal goes on
      cache providers platforms ...   links to the real home's
      environments/NAME-rehearsal/    the copy, an environment like any other
      aside/                          what the rehearsal itself notes

It is there before anything of the copy is, and goes after all of it: who finds it with its lock free has found a copy that
nobody needs.
"""

from __future__ import annotations

import os
from contextlib import contextmanager

from rigger.environments.home import REHEARSAL, Home
from rigger.environments.lock import FileLock
from rigger.errors import Locked
from rigger.files import sync_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from rigger.environments.environment import Environment

# Of the real home: what modules and downloads are found by. Hooks are not among them: they tell people.
SHARED = ("cache", "providers", "platforms", "addons", "mirror", "repositories.json")


class PrivateHome:
    """The private home of the copy of one environment."""

    def __init__(self, path: str):
        self.path = path
        self.name = os.path.basename(path).removeprefix(REHEARSAL)
        self.home = Home(path)
        self.lock = FileLock(os.path.join(path, "lock"), self.name)

    @property
    def copy(self) -> Environment:
        """The copy, whether or not it is there."""
        return self.home.at(f"{self.name}-rehearsal"[-63:])

    @property
    def aside(self) -> str:
        return os.path.join(self.path, "aside")

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold it as long as the rehearsal goes on; raises Locked where another one does."""
        os.makedirs(self.path, mode=0o700, exist_ok=True)
        try:
            with self.lock.locked("rigger upgrade --rehearse"):
                yield
        except Locked as problem:
            problem.message = f"An upgrade of {self.name} is rehearsed already. {problem.message}"
            raise


def private_home(environment: Environment) -> PrivateHome:
    """Return where the copy of an environment lies, or would lie."""
    return PrivateHome(os.path.join(os.path.dirname(environment.path), REHEARSAL + environment.name))


def make(private: PrivateHome, real: str) -> None:
    """Make a private home that has what the modules of the `real` home are found by."""
    os.makedirs(private.path, mode=0o700, exist_ok=True)
    os.makedirs(private.aside, mode=0o700, exist_ok=True)
    for name in SHARED:
        target, link = os.path.join(real, name), os.path.join(private.path, name)
        if os.path.exists(target) and not os.path.lexists(link):
            os.symlink(target, link)
    sync_folder(os.path.dirname(private.path))
