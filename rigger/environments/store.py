"""Where the state of one environment lies: its values, its nodes, its key and its record."""

from __future__ import annotations

import contextlib
import json
import os

from rigger.audit.log import AuditLog
from rigger.envfile import file as envfile
from rigger.environments import inventory
from rigger.environments.outputs import Outputs, parsed
from rigger.errors import InvalidConfig
from rigger.files import write_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from typing import Protocol

    from rigger.environments.inventory import Node
else:
    Protocol = object

KEY_BYTES = 32
# What steps gave, and the answers that it hides; of secrets in a file of its own.
OUTPUTS, SECRET_OUTPUTS = "outputs.json", "outputs.secrets.json"


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

    def outputs(self) -> Outputs:
        """Return which values are outputs of steps, and the answers that they hide; raises InvalidConfig."""

    def write_outputs(self, outputs: Outputs, secret_names: Collection[str]) -> None:
        """Replace what is known of outputs; raises InvalidConfig."""

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
        self._nodes: tuple[tuple[int, int, int], list[Node]] | None = None  # of a file, by what it was like
        self._held = held or (lambda: False)
        self.audit = AuditLog(os.path.join(path, "audit.jsonl"), self._held, self._traces)

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

    def outputs(self) -> Outputs:
        """Return what the two files say; raises InvalidConfig for one that rigger has not written."""
        plain, secret = (self._outputs(os.path.join(self.path, name)) for name in (OUTPUTS, SECRET_OUTPUTS))
        return Outputs({**plain.steps, **secret.steps}, {**plain.hidden, **secret.hidden})

    def write_outputs(self, outputs: Outputs, secret_names: Collection[str]) -> None:
        """Write the part with secrets, if there are or were any, then the plain one, each in one atomic replace."""
        plain, secret = outputs.parts(secret_names)
        for name, part in ((SECRET_OUTPUTS, secret), (OUTPUTS, plain)):
            path = os.path.join(self.path, name)
            if part != Outputs() or os.path.exists(path):
                write_bytes(path, json.dumps(part.as_dict(), indent=1, sort_keys=True).encode() + b"\n")

    def _outputs(self, path: str) -> Outputs:
        try:
            with open(path, "rb") as file:
                return parsed(json.loads(file.read()))
        except FileNotFoundError:
            return Outputs()
        except OSError as problem:
            raise InvalidConfig(f"{path} cannot be read: {problem.strerror}.") from problem
        except (ValueError, RecursionError):
            raise InvalidConfig(
                f"{path} is not what rigger wrote.",
                "Move it away: what scripts saved under the names of answers counts as answered then.",
            ) from None

    def _traces(self) -> str:
        """Return what lies here that only a step can have left, and a step has a record; nothing where nothing does."""
        with contextlib.suppress(InvalidConfig):
            if nodes := self.nodes():
                return f"machines ({', '.join(node.name for node in nodes)})"
        import glob

        runs = sorted(glob.glob(os.path.join(glob.escape(self.path), "runs", "*", "*.log")))
        if runs:
            return f"logs of steps ({os.path.relpath(runs[-1], self.path)})"
        with contextlib.suppress(InvalidConfig):
            if self.outputs() != Outputs():
                return "outputs of steps"
        return ""

    def nodes(self) -> list[Node]:
        """Return the machines of the inventory; raises InvalidConfig for a corrupt one."""
        try:
            status = os.stat(self.inventory_file)
            file = (status.st_ino, status.st_size, status.st_mtime_ns)
        except OSError:
            return inventory.read(self.inventory_file)
        if self._nodes is None or self._nodes[0] != file:
            self._nodes = file, inventory.read(self.inventory_file)
        return [*self._nodes[1]]

    def key(self) -> bytes:
        """Return the key in the folder; where there is none, whoever holds the lock makes it, and others get any.

        Raises InvalidConfig for one that cannot be read or used: with another, every secret would count as changed.
        """
        path = os.path.join(self.path, "key")
        try:
            with open(path, "rb") as file:
                key = file.read(KEY_BYTES + 1)
        except FileNotFoundError:
            key = os.urandom(KEY_BYTES)
            if self._held():
                write_bytes(path, key)
            return key
        except OSError as problem:
            raise InvalidConfig(f"{path} cannot be read: {problem.strerror}.") from problem
        if len(key) != KEY_BYTES:
            raise InvalidConfig(
                f"{path} is not what rigger wrote.",
                "Restore it from a backup; once it is removed, a new one is made, and every secret counts as changed.",
            )
        return key
