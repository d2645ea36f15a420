"""Podman or docker, whichever there is: which image is here, and which containers are left of a killed command."""

from __future__ import annotations

import json
import os
import shlex

from rigger import text
from rigger.errors import NotReady, StepFailed
from rigger.process import capture
from rigger.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from rigger.modules.model import Container

PROGRAMS = ("podman", "docker")
ARGUMENTS = "RIGGER_CONTAINER_ARGUMENTS"  # a person's own words for `run`
LABEL = "rigger.environment"  # the id of the environment that a container works for
STOP = 3  # seconds that a container has between TERM and KILL: fewer than a step has


@frozen
class Engine:
    """The program that runs containers on this machine."""

    path: str

    @property
    def name(self) -> str:
        return os.path.basename(self.path)

    def ask(self, *words: str) -> capture.Captured:
        """Run one of its short commands; raises StepFailed where it cannot be started or does not answer."""
        return capture.capture([self.path, *words], timeout=120)

    def image(self, container: Container, owner: str) -> str:
        """Return the id of the image that a manifest names; raises NotReady where it is not here, or is another one."""
        said = self.ask("image", "inspect", container.image)
        if said.exit_code:
            wanted = container.image + ("" if ":" in container.image else ":latest")
            raise NotReady(
                f"The image {container.image}, which {owner} runs, is not on this machine ({self.name}).",
                f'"{self.name} pull {wanted}" gets it, or "{self.name} load -i FILE".',
            )
        found = json.loads(said.output)[0]
        if container.digest and container.digest not in (digests := _digests(found)):
            raise NotReady(
                f"The image {container.image} is not the one that {owner} names: its digest is "
                f"{digests[-1]}, and container.digest says {container.digest}.",
                "Get the image of that digest, or correct the manifest once you know why it changed.",
            )
        return str(found["Id"])

    def left(self, environment_id: str) -> list[str]:
        """Return the ids of the containers that work for an environment."""
        said = self.ask("ps", "--quiet", "--no-trunc", "--filter", f"label={LABEL}={environment_id}")
        return text.decode(said.output).split()

    def stop(self, container: str) -> None:
        """Stop a container, and remove it: one that is gone already is no problem."""
        self.ask("stop", "--time", str(STOP), container)
        self.ask("rm", "--force", container)


def _digests(found: Mapping[str, Any]) -> list[str]:
    """Return the digests by which an image is known: its id, and those of the registries that it came from."""
    own = str(found["Id"])
    named = [name.partition("@")[2] for name in found.get("RepoDigests") or ()]
    return [
        own if own.startswith("sha256:") else f"sha256:{own}",
        *named,
        *filter(None, [found.get("Digest")]),
    ]


def find(owner: str, environ: Mapping[str, str] = os.environ) -> Engine:
    """Return the program that runs containers; raises NotReady where there is none."""
    from shutil import which  # slow to import

    for name in PROGRAMS:
        if path := which(name, path=environ.get("PATH")):
            return Engine(path)
    raise NotReady(
        f"Neither podman nor docker is on PATH, and {owner} is an image.",
        "Install one with your package manager, for example: apt-get install podman.",
    )


def own_arguments(environ: Mapping[str, str]) -> list[str]:
    """Return a person's own words for `run`; raises NotReady where they are no words of a shell."""
    try:
        return shlex.split(environ.get(ARGUMENTS, ""))
    except ValueError as problem:
        raise NotReady(f"{ARGUMENTS} cannot be read: {problem}.", "Write it as for a shell.") from None


def stop_left(environment_id: str) -> list[str]:
    """Stop the containers that a killed command left running for an environment; return their short ids."""
    try:
        engine = find("what ran")
        left = engine.left(environment_id)
        for container in left:
            engine.stop(container)
    except (NotReady, StepFailed):
        return []  # without the program there is nothing that could run
    return [container[:12] for container in left]
