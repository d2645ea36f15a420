"""The project that a command is about: its manifest, its records, and who asks."""

from __future__ import annotations

import contextlib
import os

from rigger.errors import BadUsage
from rigger.process.actor import actor, user
from rigger.releases import manifest
from rigger.releases.model import Named
from rigger.releases.moments import require_clock
from rigger.releases.names import RULE, is_name
from rigger.releases.store import newest, no_release
from rigger.releases.stores import store_of
from rigger.text import listed
from rigger.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from rigger.environments.call import Call
    from rigger.environments.home import Home
    from rigger.releases.model import Release
    from rigger.releases.project import Project
    from rigger.releases.store import Store

SHORTEST = 4  # characters of a release's id


@frozen
class Opened:
    """A project whose manifest was read, with its records."""

    home: Home
    project: Project
    store: Store
    call: Call

    def requester(self) -> Named:
        """Return who asks: for whom it is done, where that is proved, or who runs rigger."""
        if self.call.actor:
            return Named(self.call.actor, f"{self.call.actor} (by {actor()})")
        return Named(actor().partition(" ")[0], user())

    def locked(self, name: str, command: str) -> AbstractContextManager[object]:
        """Hold the lock of an environment, or of a label, unless it is only planned; raises Locked."""
        return contextlib.nullcontext() if self.call.plans else self.store.lock(name, command, self.call)

    def note(self) -> str:
        """Return who asks and why, as one text."""
        return f"{self.requester().id}: {self.call.reason}" if self.call.reason else self.requester().id

    def require_clock(self, is_right: bool) -> None:
        """Raise NotReady where this machine's clock is behind a record, unless somebody says that it is right."""
        if not is_right:
            require_clock(newest(self.store), f"the newest record in {self.store.where}")

    def release(self, word: str) -> Release:
        """Return the release of an id, or of the beginning of one; raises BadUsage where there is not exactly one."""
        known = self.store.releases()
        exact = [one for one in known if one.id == word]
        near = exact or [one for one in known if len(word) >= SHORTEST and one.id.startswith(word)]
        if len(near) == 1:
            return near[0]
        raise no_release(word, known, self.store.where)

    def images(self, word: str) -> dict[str, str]:
        """Return what a release has, or what a label means; raises BadUsage where it is neither, or means nothing."""
        if images := (self.store.images(word) if is_name(word) else {}):
            return images
        if word in self.project.places:
            raise BadUsage(
                f"Nothing was deployed to {word} yet.",
                f'Deploy something: "rigger deploy {word} --reason TEXT".',
            )
        try:
            return dict(self.release(word).images)
        except BadUsage as problem:
            labels = self.store.labels()
            also = f"Labels: {listed(labels)}. " if labels else ""
            raise BadUsage(
                f"{word!r} is neither a label that means something nor a release of {self.project.id}.",
                f"{also}{problem.next_step}",
            ) from None


def opened(home: Home, call: Call, file: str = "", project: str = "") -> Opened:
    """Return the project of a manifest: the named file, or the one of the working folder or above it.

    Raises InvalidConfig where there is none, BadUsage where it has to be said which is meant, Refused for a manifest that is
    not as it has to be.
    """
    found = manifest.read(file or manifest.find(os.getcwd()), project)
    return Opened(home, found, store_of(home, found), call)


def require_label(label: str) -> None:
    """Raise BadUsage for what cannot be a label."""
    if not is_name(label):
        said = f"{label!r} is not a label" if label else "A label must not be empty"
        raise BadUsage(f"{said}: {RULE}.", 'For example "latest".')
