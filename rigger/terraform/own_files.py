"""Which files in a provider's state are kept there by the steps of Terraform, and by nobody's scripts."""

from __future__ import annotations

import os

from rigger.terraform.backend import BACKEND_RECORD
from rigger.terraform.lost import JOURNAL, KEPT
from rigger.terraform.state import BACKUPS, SEEN, UNSAVED
from rigger.terraform.workspace import BACKEND, COPIED, LOCK_FILE, PINNED, STATE, lines

OWN = frozenset({BACKEND, BACKEND_RECORD, BACKUPS, COPIED, JOURNAL, KEPT, LOCK_FILE, PINNED, SEEN, UNSAVED})


class OwnFiles:
    """The files that the steps keep in one state's folder: `name in files`, by the path below the folder."""

    def __init__(self, folder: str):
        self._copied = {*lines(os.path.join(folder, COPIED))}

    def __contains__(self, name: str) -> bool:
        top = name.split(os.sep)[0]
        return top in OWN or top.removeprefix(".").startswith(STATE) or name in self._copied
