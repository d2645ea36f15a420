"""The folder of a module that is an image alone: its manifest, made of what an index says and of what the image says."""

from __future__ import annotations

import json
import os

from rigger.containers.metadata import labels_of
from rigger.modules.contract import INTERFACE, MANIFEST
from rigger.modules.model import Container, ContainerCommand

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rigger.repositories.index import Component, Version


def write_component(component: Component, version: Version, into: str) -> None:
    """Write the folder of a version that is an image; raises NotReady where the image is not here, or is another one."""
    commands = {
        one.name: ContainerCommand(one.name, one.command or one.name, args=one.args, envs=one.envs)
        for one in version.commands
    }
    container = Container(version.image, commands, digest=version.digest)
    said = labels_of(container, component.name)
    fields = {
        "interface": INTERFACE,
        "name": component.name,
        "role": "addon",
        "version": version.version,
        "description": component.description,
        "labels": {**_own(said), **component.labels, **version.labels},
        "container": _container(version),
    }
    os.mkdir(into)
    with open(os.path.join(into, MANIFEST), "w", encoding="utf-8") as file:
        json.dump({name: value for name, value in fields.items() if value}, file, indent=2)  # which is YAML
        file.write("\n")


def _own(labels: dict[str, str]) -> dict[str, str]:
    """Return the labels of an image without the version: the index says which one this is."""
    return {name: value for name, value in labels.items() if name != "version"}


def _container(version: Version) -> dict[str, Any]:
    place = {"workdir": version.workdir, "mounts": list(version.mounts), "shared": version.shared}
    commands = [
        {
            name: value
            for name, value in (
                ("name", one.name),
                ("description", one.description),
                ("command", one.command),
                ("args", list(one.args)),
                ("envs", dict(one.envs)),
            )
            if value
        }
        for one in version.commands
    ]
    said = {"image": version.image, "digest": version.digest, **place}
    return {**{name: value for name, value in said.items() if value}, "commands": commands}
