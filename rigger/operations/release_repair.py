"""Go on with what can be proved of a project's records."""

from __future__ import annotations

from rigger.errors import BadUsage
from rigger.releases.folder import FolderStore
from rigger.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rigger.operations.consent import Consent
    from rigger.operations.projects import Opened
    from rigger.runs.reporter import Reporter


@frozen
class Repaired:
    """What is lost of the records, in a sentence each, and where they are kept as they were."""

    path: str
    lost: tuple[str, ...] = ()
    kept: str = ""

    def as_dict(self) -> dict[str, Any]:
        return {"path": self.path, "lost": list(self.lost), "kept": self.kept}


def repair(at: Opened, reporter: Reporter, consent: Consent) -> Repaired:
    """Repair the records of a project in a folder; raises BadUsage for a store of another kind, Declined or BadUsage on a no."""
    if not isinstance(at.store, FolderStore):
        raise BadUsage(f"The records of {at.project.id} are in {at.store.where}, which has its own backups.")
    with at.store.writing():
        log = at.store.log
        problems = log.verify().problems
        if not problems:
            return Repaired(log.path)
        lost = tuple(log.salvage().lost)
        for problem in (*problems, *(f"lost: {one}" for one in lost)):
            reporter.warn(f"{problem}.")
        consent.agree("Continue without what is lost?")
        return Repaired(log.path, lost or tuple(problems), log.repair())
