"""The answers of a conversation that was interrupted, kept until it is finished."""

from __future__ import annotations

import os
import time
from contextlib import suppress

from rigger.envfile import file as envfile
from rigger.errors import InvalidConfig
from rigger.files import unlink_if_there

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Draft:
    """The answers given so far for one environment that is being configured; two files, secrets apart."""

    def __init__(self, home: str, name: str):
        self.name = name
        self.folder = os.path.join(home, "drafts")
        self.vars_file = os.path.join(self.folder, f"{name}.vars")
        self.secrets_file = os.path.join(self.folder, f"{name}.secrets")

    @classmethod
    def newest(cls, home: str) -> Draft | None:
        """Return the draft that was written last, None where there is none."""
        folder = cls(home, "").folder
        drafts = []
        with suppress(OSError):
            for entry in os.scandir(folder):
                if entry.name.endswith(".vars"):
                    drafts.append((entry.stat().st_mtime_ns, entry.name.removesuffix(".vars")))
        return cls(home, max(drafts)[1]) if drafts else None

    def read(self) -> dict[str, str]:
        """Return the answers, none where there are none; a file that cannot be read holds none."""
        try:
            return {**envfile.read(self.vars_file), **envfile.read(self.secrets_file)}
        except InvalidConfig as problem:
            if isinstance(
                problem.__cause__, OSError
            ):  # else the next answer would replace what cannot be read
                raise
            return {}

    def age(self) -> str:
        """Return how long ago the last answer was given, in words."""
        try:
            minutes = int(time.time() - os.stat(self.vars_file).st_mtime) // 60
        except OSError:
            return "earlier"
        if minutes < 2:
            return "a moment ago"
        if minutes < 120:
            return f"{minutes} minutes ago"
        return f"{minutes // 60} hours ago" if minutes < 48 * 60 else f"{minutes // (24 * 60)} days ago"

    def write(self, values: Mapping[str, str], secret_names: Iterable[str]) -> None:
        """Keep the answers given so far."""
        hidden = set(secret_names)
        try:
            os.makedirs(self.folder, mode=0o700, exist_ok=True)
        except OSError as problem:
            raise InvalidConfig(
                f"{self.folder} cannot be made: {problem.strerror}.", "Set RIGGER_HOME to another folder."
            ) from None
        envfile.write(self.secrets_file, {n: v for n, v in values.items() if n in hidden})
        envfile.write(self.vars_file, {n: v for n, v in values.items() if n not in hidden})

    def remove(self) -> None:
        for path in (self.vars_file, self.secrets_file):
            unlink_if_there(path)
