"""One environment: one cluster, its folder, its vars and its lock."""

from __future__ import annotations

import os

from rigger.envfile.names import MANAGED, NODE_ADDRESSES
from rigger.environments import inventory
from rigger.environments.backups import Backups
from rigger.environments.call import Call
from rigger.environments.lock import FileLock, Lock
from rigger.environments.shell import Shell
from rigger.environments.store import FolderStore, Store
from rigger.errors import InvalidConfig
from rigger.later import later
from rigger.redact import known
from rigger.redact.references import is_reference

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from contextlib import AbstractContextManager
    from typing import Any

    from rigger.environments.inventory import Node
    from rigger.environments.outputs import Outputs
    from rigger.redact import nested
else:
    nested = later("rigger.redact.nested")

CHECKOUT = "checkout"  # in an environment: the clone of its platform's repository
ATTESTATIONS = "attestations"  # in an environment: statements about what was done, for others to check
IMAGES = "images.json"  # in an environment: the images of the release that was brought to it last, by service


class Environment:
    """One environment; `path` is its folder, `store` keeps its state, `lock` keeps others from working on it."""

    def __init__(self, name: str, path: str, home: str, store: Store | None = None, lock: Lock | None = None):
        self.name = name
        self.path = path
        self.home = home
        self.vars_file = self.file("vars")
        self.secrets_file = self.file("secrets")
        self.inventory_file = self.file("inventory.json")
        self.bin_dir = self.file("bin")
        self.cache_dir = os.path.join(home, "cache")
        self.lock: Lock = lock or FileLock(self.file("lock"), name)
        self.store: Store = store or FolderStore(path, held=self.lock.held)
        self.audit = self.store.audit
        self.shell = Shell(name, path, home, self.store)
        self.backups = Backups(path)
        self.call = Call()  # who asks for what is done with it, and why
        self.looked_up: dict[str, str] = {}  # the secrets of references, while a command works with them
        self.worked_out: dict[str, Any] = {}  # of its files, each with what told that they were as they are

    def file(self, *parts: str) -> str:
        """Return the path of a file in the environment's folder."""
        return os.path.join(self.path, *parts)

    def exists(self) -> bool:
        """Return whether there is a vars file, or the record of an environment that has lost it."""
        return self.store.exists()

    def vars(self) -> dict[str, str]:
        """Return the plain vars, without those that are computed; raises InvalidConfig for a corrupt file."""
        try:
            values = self.store.vars()
        except InvalidConfig as problem:
            if not isinstance(problem.__cause__, OSError):
                problem.next_step += (
                    f' "rigger -e {self.name} config edit" opens it anyway, and says what may restore it.'
                )
            raise
        return {name: value for name, value in values.items() if name not in MANAGED}

    def secrets(self) -> dict[str, str]:
        """Return the secret vars; raises InvalidConfig for a corrupt file."""
        secrets = self.store.secrets()
        known.hide(secrets)
        return secrets

    def values(self) -> dict[str, str]:
        """Return the plain and the secret vars together; raises InvalidConfig for a corrupt file."""
        return {**self.vars(), **self.secrets()}

    def nodes(self) -> list[Node]:
        """Return the machines of this environment."""
        return self.store.nodes()

    def addresses(self) -> list[str]:
        """Return where the nodes are reached; nothing of an inventory that cannot be read."""
        try:
            return inventory.addresses(self.nodes())
        except InvalidConfig:
            return []

    def save(
        self,
        vars: Mapping[str, str],
        secret_vars: Mapping[str, str],
        folders: list[str] | None = None,
        path_of: Environment | None = None,
        outputs: Outputs | None = None,
    ) -> None:
        """Write what is known of outputs, then the secrets, then the vars, each in one atomic replace.

        `folders` are the environment's own on PATH; `path_of` is the environment whose PATH is meant when this one
        is being made aside. `outputs` are those among the values; nothing where they are as before.
        """
        stored = self.store.outputs()
        kept = (stored if outputs is None else outputs).in_force({**vars, **secret_vars})
        if kept != stored:
            self.store.write_outputs(kept, secret_vars)
        written = (path_of or self).shell.file(vars, folders)
        self.store.write({**written, NODE_ADDRESSES: ",".join(self.addresses())}, secret_vars)

    def save_values(
        self,
        values: Mapping[str, str],
        secret_names: Iterable[str] = (),
        folders: list[str] | None = None,
        outputs: Outputs | None = None,
    ) -> None:
        """Write all values, plain and secret, where they are not what is stored; each stands in one of the two files.

        Secret are those of `secret_names`, those that are among the secrets already, and what one of them went into.
        `folders` are the environment's own on PATH; nothing where they stay. `outputs` are those among the values.
        """
        vars, secrets = self.vars(), self.secrets()
        new_vars, new_secrets = split_secrets(values, {*secret_names, *secrets})
        moved = folders is not None and folders != self.shell.own_folders()
        others = outputs is not None and outputs != self.store.outputs()
        if (new_vars, new_secrets) != (vars, secrets) or moved or others:
            self.save(new_vars, new_secrets, folders, outputs=outputs)

    def key(self) -> bytes:
        """Return the key under which digests of secrets are recorded, making it when it is first needed."""
        return self.store.key()

    def locked(self, command: str) -> AbstractContextManager[int]:
        """Hold the environment's lock; gives its file descriptor, which scripts inherit.

        A request that holds it holds it once more. Raises Locked where somebody else has it for longer than the call
        may wait.
        """
        return self.lock.locked(command, self.call)


def split_secrets(
    values: Mapping[str, str], secret_names: Iterable[str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Return the plain values and the secrets: those of these names, and whatever one of them went into.

    A reference to a secret is plain.
    """
    secret = {name for name in secret_names if not is_reference(values.get(name, ""))}
    if secret:
        secret |= nested.holding(values, [value for name, value in values.items() if name in secret])
    return (
        {name: value for name, value in values.items() if name not in secret},
        {name: value for name, value in values.items() if name in secret},
    )
