"""Where the state of one environment lies: its values, its nodes, its key and its record."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Protocol

from rigger.audit.log import AuditLog
from rigger.envfile import file as envfile
from rigger.environments import inventory
from rigger.files import write_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rigger.environments.inventory import Node

KEY_BYTES = 32


class Store(Protocol):
    """What keeps the state of an environment, in whatever place."""

    audit: AuditLog

    def exists(self) -> bool:
        """Return whether there are values, or the record of an environment that has lost them."""

    def vars(self) -> dict[str, str]:
        """Return the plain values as they are written; raises InvalidConfig."""

    def secrets(self) -> dict[str, str]:
        """Return the secret values; raises InvalidConfig."""

    def write(self, vars: Mapping[str, str], secrets: Mapping[str, str]) -> None:
        """Replace the secrets, then the plain values, each in one step; raises InvalidConfig."""

    def nodes(self) -> list[Node]:
        """Return the machines; raises InvalidConfig."""

    def key(self) -> bytes:
        """Return the key under which digests of secrets are recorded, making it when it is first needed."""


class FolderStore:
    """The state in files of a folder on this machine; `held` says whether somebody holds the lock, and may add records."""

    def __init__(self, path: str, vars_file: str = "vars", held: Callable[[], bool] | None = None):
        self.path = path
        self.vars_file = os.path.join(path, vars_file)
        self.secrets_file = os.path.join(path, "secrets")
        self.inventory_file = os.path.join(path, "inventory.json")
        self.audit = AuditLog(os.path.join(path, "audit.jsonl"), held)

    def exists(self) -> bool:
        """Return whether there is a vars file, or the record of an environment that has lost it."""
        return os.path.isfile(self.vars_file) or os.path.isfile(self.audit.path)

    def vars(self) -> dict[str, str]:
        """Return what the vars file says; raises InvalidConfig for a corrupt one."""
        return envfile.read(self.vars_file)

    def secrets(self) -> dict[str, str]:
        """Return what the file of secrets says; raises InvalidConfig for a corrupt one."""
        return envfile.read(self.secrets_file)

    def write(self, vars: Mapping[str, str], secrets: Mapping[str, str]) -> None:
        """Write the secrets, if there are or were any, then the vars, each in one atomic replace."""
        if secrets or os.path.exists(self.secrets_file):
            envfile.write(self.secrets_file, dict(secrets))
        envfile.write(self.vars_file, dict(vars))

    def nodes(self) -> list[Node]:
        """Return the machines of the inventory; raises InvalidConfig for a corrupt one."""
        return inventory.read(self.inventory_file)

    def key(self) -> bytes:
        """Return the key in the folder, making it when it is first needed."""
        path = os.path.join(self.path, "key")
        with contextlib.suppress(OSError), open(path, "rb") as file:
            key = file.read()
            if len(key) == KEY_BYTES:
                return key
        key = os.urandom(KEY_BYTES)
        write_bytes(path, key)
        return key
