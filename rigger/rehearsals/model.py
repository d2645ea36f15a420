"""What rehearsals there are, and what one of them came to."""

from __future__ import annotations

from rigger.values import asdict, field, fields_of, frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

GO, NO_GO, INCONCLUSIVE = "go", "no-go", "inconclusive"

BETWEEN, INSIDE, AFTER = (
    "between",
    "inside",
    "after",
)  # the step that changes the version: before it, in it, after it

KILLED = "member-killed"
SILENCE = 5.0  # seconds that a node does not answer


@frozen
class Scenario:
    """One rehearsal: what goes wrong, when, and how somebody continues."""

    name: str
    title: str  # in words, as the page and the terminal have it
    moment: str = ""  # BETWEEN, INSIDE or AFTER; empty: nothing goes wrong
    fault: str = ""  # what the script `faults` is asked for
    seconds: float = 0.0  # after which it is undone; 0: once the upgrade has ended
    kills: bool = False  # whether rigger is killed then, with all that it started
    back: bool = False  # whether the way on from there is the way back


PLAIN = Scenario("plain", "nothing goes wrong")
SCENARIOS = (
    PLAIN,
    Scenario("killed-between", "a member is killed between two steps", BETWEEN, KILLED),
    Scenario("killed-inside", "a member is killed in the middle of a step", INSIDE, KILLED),
    Scenario("silent", f"a node is silent for {SILENCE:g} s", INSIDE, "node-silent", SILENCE),
    Scenario("disk-full", "the disk of a node is full", BETWEEN, "disk-full"),
    Scenario("slow-disk", "the disk of a node is slow", BETWEEN, "disk-slow"),
    Scenario("slow-link", "the link of a node is slow", BETWEEN, "link-slow"),
    Scenario("slow-node", "a node is slow", BETWEEN, "node-slow"),
    Scenario("killed-rigger", "rigger is killed, and resumed", INSIDE, kills=True),
    Scenario("back-half-way", "the upgrade is rolled back half-way", INSIDE, kills=True, back=True),
    Scenario("back-at-the-end", "the upgrade is rolled back at its end", AFTER, kills=True, back=True),
)
KNOWN_FAULTS = frozenset(scenario.fault for scenario in SCENARIOS if scenario.fault)


@frozen
class Mark:
    """Something in the timeline of a rehearsal, from one second of it to another."""

    kind: str  # step, fault or command
    text: str
    start: float
    end: float
    good: bool = True


@frozen
class Rehearsed:
    """What one rehearsal came to; `verdict` is GO, NO_GO or INCONCLUSIVE, with the reason in a sentence."""

    name: str
    title: str
    verdict: str
    reason: str
    seconds: float = 0.0  # from the first command of the upgrade to the end of the last
    figures: Mapping[str, str] = field(default_factory=dict)  # of the applications that wrote meanwhile
    before: Mapping[str, str] = field(default_factory=dict)  # what was measured before, under load
    after: Mapping[str, str] = field(default_factory=dict)
    data: Mapping[str, str] = field(
        repr=False, default_factory=dict
    )  # what the data was, as put back from the backup
    data_after: Mapping[str, str] = field(repr=False, default_factory=dict)
    marks: tuple[Mark, ...] = ()
    logs: str = ""  # the folder of what the scripts printed, beside the verdict; of what did not go well

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@frozen
class LeftOut:
    """A rehearsal that was not made, and why."""

    name: str
    title: str
    reason: str


def rehearsed_of(said: Mapping[str, Any]) -> Rehearsed:
    """Return a rehearsal as a verdict's file has it; raises KeyError or TypeError for what is none."""
    marks = tuple(Mark(**one) for one in said["marks"])
    known = {one.name for one in fields_of(Rehearsed)}
    return Rehearsed(**{**{name: value for name, value in said.items() if name in known}, "marks": marks})
