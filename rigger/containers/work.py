"""What a step of an image is about: the module, the instance of it, and the verb."""

from __future__ import annotations

import os

from rigger import text as texts
from rigger.errors import BadUsage
from rigger.modules import manifest
from rigger.values import field, frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from rigger.modules.model import Container, ContainerCommand, Module


@frozen
class Work:
    """One command of an image, for one instance of a module."""

    module: Module
    name: str  # of the instance
    verb: str
    values: Mapping[str, str] = field(repr=False)

    @property
    def container(self) -> Container:
        assert self.module.container is not None
        return self.module.container

    @property
    def command(self) -> ContainerCommand:
        return self.container.commands[self.verb]

    @property
    def id_file(self) -> str:
        """The file that has the id of the container while it runs, in the run's folder."""
        return id_file(self.values["RIGGER_OUTPUT"])


def id_file(step_file: str) -> str:
    """Return where the id of a step's container stands, by any other file of that step."""
    return f"{os.path.splitext(step_file)[0]}.container"


def of_step(verb: str) -> Work:
    """Return the work of the step that this process is part of; raises BadUsage outside of one."""
    environ = {texts.decode(n): texts.decode(v) for n, v in os.environb.items()}
    try:
        cache = os.path.join(environ["RIGGER_HOME"], "cache", "manifests")
        module = manifest.load(environ["RIGGER_MODULE_DIR"], cache)
        work = Work(module, os.path.basename(environ["RIGGER_STATE_DIR"]), verb, environ)
    except KeyError as missing:
        raise BadUsage(
            f"{missing.args[0]} is not set: this works only in a script that rigger runs."
        ) from None
    if module.container is None or verb not in module.container.commands:
        raise BadUsage(f"The image of {module.name} has no command {verb!r}.")
    return work
