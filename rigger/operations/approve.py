"""Stand for what a run did, as a second person: one more signature of the statement about it."""

from __future__ import annotations

import os

from rigger.attestations import envelope
from rigger.environments.environment import ATTESTATIONS
from rigger.errors import BadUsage
from rigger.operations.attest import Attested, read, write
from rigger.operations.history import history
from rigger.operations.provenance import head_of
from rigger.operations.verify import require_fitting
from rigger.text import ways

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rigger.audit.head import Head
    from rigger.environments.environment import Environment


def approve(environment: Environment, head: Head, key: str) -> Attested:
    """Sign the statement about a head that somebody else signed, in the environment's folder, with a key of one's own.

    Raises BadUsage where there is none, or the same key signed it; Refused where it does not fit the audit log that is here.
    """
    if not key:
        raise BadUsage("Nothing signs it.", "Name your private key: --sign KEY.")
    with environment.locked("rigger approve"):
        path, data = _about(environment, head)
        said, signatures = envelope.statement_in(data, path)
        if not signatures:
            raise BadUsage(
                f"Nobody has signed {path}.",
                "Whoever made it signs first: rigger attest RUN --sign KEY.",
            )
        run = require_fitting(said, environment.audit.records(), path, environment.name)
        write(path, envelope.sign_too(data, key, path))
    number = next((one.number for one in history(environment).runs if one.run == run), 0)
    return Attested(path, run, number, head, len(said["subject"]), signatures + 1)


def _about(environment: Environment, head: Head) -> tuple[str, bytes]:
    """Return the file in the environment with the statement about a head, and its content."""
    folder = environment.file(ATTESTATIONS)
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    for name in names:
        path = os.path.join(folder, name)
        data = read(path)
        if head_of(envelope.statement_in(data, path)[0]) == head:
            return path, data
    raise BadUsage(
        f"There is no statement about record {head.count} of {environment.name} with that hash.",
        ways(("Make one of a run, and sign it", "rigger attest RUN --sign KEY")),
    )
