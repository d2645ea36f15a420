"""What the caller of a command says of it: for whom and why it is, by which id it is known, how long it may wait."""

from __future__ import annotations

import time

from rigger.errors import DifferencesFound
from rigger.text import ways
from rigger.values import field, frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def _nothing(text: str) -> None:
    pass


@frozen
class Call:
    """One call of a command; without a request it is like no other, and carried out whatever was done before."""

    request: str = ""  # the caller's own id: what has it is carried out once
    words: str = ""  # the command with all options that count, by which the same request is recognized
    reason: str = ""
    actor: str = ""  # for whom it is, where that is somebody else than who runs rigger; proved beforehand
    plans: bool = False  # whether it only shows what would be done
    approved: str = ""  # digest of the plan that somebody approved; nothing else is carried out
    given: str = ""  # digest of what people had said then, once that was looked at
    wait: float = 0.0  # seconds for whoever works there; infinite where there is no end
    began: float = field(default_factory=time.monotonic)  # when the call did
    say: Callable[[str], None] = _nothing  # hears who is waited for
    since: int = 0  # the record with which this request began, where rigger was killed and it is resumed

    @property
    def patience(self) -> float:
        """How many seconds may still be waited: there is one time for the lock and for what the nodes say together."""
        return self.wait - (time.monotonic() - self.began)

    def require_plan(self, digest: str, again: str) -> None:
        """Raise DifferencesFound where another plan was approved than the one of a digest; the command `again` shows that."""
        if self.approved and self.approved != digest:
            raise self.outdated(again)

    def outdated(self, again: str) -> DifferencesFound:
        """Return the error for an approved plan that is none any more."""
        return DifferencesFound(
            f"The plan {self.approved[:12]} was made of something else than what there is now: a value, an image, a script, "
            "the commit, the inventory or the record has changed since.",
            ways(("See what would be done now", again)),
        )
