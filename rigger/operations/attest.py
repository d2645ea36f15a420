"""Prove what a run did: a statement in the form that in-toto has, made of the audit log, and signed."""

from __future__ import annotations

import os
import shlex

from rigger.attestations import envelope
from rigger.attestations.statement import content
from rigger.audit.head import Head
from rigger.environments.environment import ATTESTATIONS
from rigger.errors import BadUsage, NotReady
from rigger.files import write_bytes
from rigger.operations.history import history, named
from rigger.operations.provenance import head_of, provenance, until_end_of
from rigger.text import short_home
from rigger.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rigger.environments.environment import Environment


@frozen
class Attested:
    """A statement about a run, in a file."""

    file: str
    run: str
    number: int
    head: Head  # that it is about
    subjects: int  # with that
    signatures: int  # 0: a bare statement

    @property
    def shown(self) -> str:
        """Its file, as a shell takes it."""
        quoted = shlex.quote(self.file)
        return short_home(quoted) if quoted == self.file else quoted

    def as_dict(self) -> dict[str, Any]:
        return {**vars(self), "head": {"count": self.head.count, "hash": self.head.hash}}


def attest(environment: Environment, word: str | None, key: str = "", path: str = "") -> Attested:
    """Write the statement about a run, of those that `history.named` names, to a file; by default in the environment.

    With `key`, the file of a private key, it is signed. Raises BadUsage for a run that is none or has not ended, and where
    the file cannot be written; NotReady where the key cannot be used.
    """
    runs = history(environment).runs
    if not runs:
        raise BadUsage(f"{environment.name} has not run anything yet.", "There is nothing to prove.")
    run = named(runs, word)
    with environment.locked("rigger attest"):  # nothing is added to the log meanwhile
        records = until_end_of(environment.audit.records(), run.run)
        said = provenance(records, run.run)
        data = envelope.sign(said, key) if key else content(said) + b"\n"
        path = os.path.abspath(path) if path else environment.file(ATTESTATIONS, f"{run.run}.json")
        write(path, data)
    head = head_of(said) or Head()
    return Attested(path, run.run, run.number, head, len(said["subject"]), 1 if key else 0)


def read(path: str) -> bytes:
    """Return the content of a file; raises BadUsage for one that cannot be read."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as problem:
        raise BadUsage(f"Cannot read {path}: {problem.strerror}.", "Check its name.") from None


def write(path: str, data: bytes) -> None:
    """Write a statement, and make the folder of an environment for it."""
    folder = os.path.dirname(path)
    try:
        if os.path.basename(folder) == ATTESTATIONS:
            os.makedirs(folder, mode=0o700, exist_ok=True)
    except OSError as problem:
        raise NotReady(f"{folder} cannot be made: {problem.strerror}.", "Make room, and try again.") from None
    if not os.path.isdir(folder):
        raise BadUsage(f"There is no folder {folder}.", "Make it, or name another file with -f.")
    write_bytes(path, data)
