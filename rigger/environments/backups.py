"""The ways back: what an environment's folder keeps of backups, and of bundles that upgrades saved."""

from __future__ import annotations

import os
import time

FOLDER, ENDING = "backups", ".backup"
ADDON_ENDING = ".addon"  # of the backups of add-ons, beside those of the platform
BUNDLES, BUNDLE_ENDING = "saved", ".rigger"


class Backups:
    """The backups and bundles below an environment's folder, by when they were made."""

    def __init__(self, path: str):
        self.path = path

    def new(self, addon: str = "") -> str:
        """Return the path of a backup to be made now, of the platform or of an add-on, in a folder that exists."""
        folder = os.path.join(self.path, FOLDER)
        os.makedirs(folder, mode=0o700, exist_ok=True)
        name = time.strftime("%Y%m%dT%H%M%S")  # by the clock of this machine
        stem = os.path.join(folder, f"{addon}-{name}" if addon else name)
        ending = ADDON_ENDING if addon else ENDING
        path, number = f"{stem}{ending}", 2
        while os.path.exists(path):
            path, number = f"{stem}-{number}{ending}", number + 1
        return path

    def last(self, until: float = float("inf")) -> str:
        """Return the path of the newest backup that was there at a time, nothing where there is none."""
        entries = self._newest_first(FOLDER, ENDING)
        return next((entry.path for entry in entries if entry.stat().st_mtime <= until), "")

    def names(self) -> list[str]:
        """Return the paths of what lies among the backups, within the environment's folder."""
        try:
            return [f"{FOLDER}/{name}" for name in sorted(os.listdir(os.path.join(self.path, FOLDER)))]
        except OSError:
            return []

    def bundles(self) -> list[str]:
        """Return the paths of the bundles that upgrades saved here, the newest first."""
        return [entry.path for entry in self._newest_first(BUNDLES, BUNDLE_ENDING)]

    def _newest_first(self, folder: str, ending: str) -> list[os.DirEntry[str]]:
        try:
            entries = [e for e in os.scandir(os.path.join(self.path, folder)) if e.name.endswith(ending)]
        except OSError:
            return []
        return sorted(entries, key=lambda entry: entry.stat().st_mtime_ns, reverse=True)
