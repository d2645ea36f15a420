"""The stages of an upgrade in the audit log: which are done, what was measured, how each was judged, who agreed."""

from __future__ import annotations

from rigger.audit.events import Event, StageAgreed, StageFinished, StageJudged, StagePaused, StageStarted
from rigger.values import field, mutable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

GOOD, BAD, MEASURED = "good", "bad", "measured"


def _run(nodes: Sequence[str], version: str) -> str:
    return f"{', '.join(nodes)} run{'s' if len(nodes) == 1 else ''} {version}"


@mutable
class Stages:
    """How far an upgrade that goes by stages got; a stage is known by the names of its nodes."""

    begun: StageStarted | None = None  # the last one
    done: set[tuple[str, ...]] = field(default_factory=set)
    judged: dict[tuple[str, ...], StageJudged] = field(default_factory=dict)  # the last judgement of each
    agreed: set[tuple[str, ...]] = field(default_factory=set)  # those that somebody agreed to
    waits: StagePaused | None = None  # the stage that somebody has to agree to

    def take(self, event: Event) -> None:
        """Take the next event of the log in."""
        match event:
            case StageStarted():
                self.begun, self.waits = event, None
            case StageFinished():
                self.done.add(tuple(event.nodes))
            case StageJudged():
                self.judged[tuple(event.nodes)] = event
            case StagePaused():
                self.waits = event
            case StageAgreed():
                self.agreed.add(tuple(event.nodes))
                self.waits = None

    @property
    def usual(self) -> Mapping[str, str] | None:
        """What was measured before the first stage; None where nothing was."""
        before = self.judged.get(())
        return before.figures if before and before.verdict == MEASURED else None

    def is_good(self, nodes: tuple[str, ...]) -> bool:
        """Return whether a stage was judged, and well."""
        judged = self.judged.get(nodes)
        return judged is not None and judged.verdict == GOOD

    def say(self, start: str) -> str:
        """Return how far it got from the version `start`, in a sentence; empty where no stage was begun."""
        if self.begun is None:
            return ""
        nodes, stage = tuple(self.begun.nodes), f"stage {self.begun.stage} of {self.begun.of}"
        judged = self.judged.get(nodes)
        verdict = f"was judged {judged.verdict}" if judged else "was not judged"
        before = sorted(node for one in self.done if one != nodes for node in one)
        if nodes in self.done:
            said = [f"{stage} ({_run(nodes, self.begun.to)}) is done and {verdict}"]
        else:
            said = [f"{stage} ({', '.join(nodes)}) is between {start} and {self.begun.to}"]
        if before:
            said.append(_run(before, self.begun.to))
        if self.begun.stage < self.begun.of:
            said.append(f"the nodes after that run {start}")
        return f"{said[0][0].upper()}{said[0][1:]}{''.join(f'; {more}' for more in said[1:])}"
