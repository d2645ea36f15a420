"""The claim in a provider's own tags, read and written by its script `claim`: it is there when no node answers."""

from __future__ import annotations

from rigger import text
from rigger.errors import RiggerError
from rigger.later import later
from rigger.runs import claim

TYPE_CHECKING = False
if TYPE_CHECKING:
    import threading
    from collections.abc import Sequence

    from rigger.configuration.config import Config
    from rigger.process import capture
    from rigger.runs.claim import Seen
    from rigger.runs.reach import Reach
else:
    capture = later("rigger.process.capture")

PATIENCE = 30.0  # seconds that a provider has to answer


class Tags:
    """What a provider keeps of a claim beside the nodes; nothing where it has no script `claim`."""

    def __init__(self, config: Config, reach: Reach):
        self.config = config
        self.reach = reach
        self.script = config.provider.script("claim")
        self.name = f"the tags of {config.provider.name}"  # no node is called that: names have no blanks

    def asked(self, *words: str) -> Asked:
        """Begin to ask; the answer is there when the nodes have been asked, too."""
        return Asked(self, words)

    def say(self, *words: str) -> Seen | None:
        """Return what the provider answers to `read` or `leave CLAIM`; None where it cannot."""
        if self.script is None:
            return None
        try:
            said = capture.capture(
                [self.script, *words],
                cwd=self.config.provider.folder,
                env=self.reach.environ(),
                timeout=PATIENCE,
            )
        except RiggerError:
            return None
        return claim.told(text.decode(said.output).splitlines()) if said.exit_code == 0 else None


class Asked:
    """A question to a provider that is under way."""

    def __init__(self, tags: Tags, words: Sequence[str]):
        self.tags = tags
        self.words = words
        self.found: Seen | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Asked:
        if self.tags.script is not None:
            import threading

            self._thread = threading.Thread(target=self._ask)
            self._thread.start()
        return self

    def __exit__(self, *problem: object) -> None:
        if self._thread:
            self._thread.join()

    def _ask(self) -> None:
        self.found = self.tags.say(*self.words)

    def answer(self) -> dict[str, Seen]:
        """Return what was answered, as that of a node; nothing where the provider could not."""
        return {self.tags.name: self.found} if self.found is not None else {}
