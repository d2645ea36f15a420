"""What all rehearsals of an upgrade together say: the file, what it is for, and which of them holds for an upgrade now."""

from __future__ import annotations

import json
import os

from rigger.rehearsals.model import GO, INCONCLUSIVE, NO_GO, LeftOut, Rehearsed, rehearsed_of
from rigger.values import asdict, field, fields_of, frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

FOLDER = "rehearsals"  # in an environment: a folder for each verdict
FILE = "verdict.json"
PAGE = "page.html"
FORM = 1  # of the file


@frozen
class Subject:
    """What was rehearsed: which upgrade, of what, with which scripts and data."""

    environment: str
    id: str
    platform: str
    start: str  # version
    to: str
    style: str
    plan: str  # digest of all that the plan of the upgrade is made of, but for what runs change
    scripts: Mapping[str, str]  # role/name -> SHA-256 of a module's files
    commit: str  # of the platform's repository; empty where it has none
    rigger: str  # its version
    provider: str  # of the copy
    nodes: int  # of the copy
    nodes_there: int  # of the environment
    data: Mapping[str, str] = field(
        repr=False, default_factory=dict
    )  # file, sha256, time and bytes of the backup; empty: none


@frozen
class Verdict:
    """The verdict of all rehearsals, and the figures that it rests on."""

    subject: Subject
    verdict: str
    reason: str
    time: str  # when the last rehearsal ended: 2026-11-28T12:00:00Z
    seconds: float
    rehearsals: tuple[Rehearsed, ...]
    left_out: tuple[LeftOut, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return it as its file has it."""
        subject = asdict(self.subject)
        return {
            "form": FORM,
            **{key: subject[key] for key in ("environment", "id", "platform")},
            "from": subject["start"],
            **{
                key: value
                for key, value in subject.items()
                if key not in ("environment", "id", "platform", "start")
            },
            "verdict": self.verdict,
            "reason": self.reason,
            "time": self.time,
            "seconds": round(self.seconds, 1),
            "rehearsals": [one.as_dict() for one in self.rehearsals],
            "left_out": [asdict(one) for one in self.left_out],
        }


def verdict_of(said: Mapping[str, Any]) -> Verdict:
    """Return a verdict as its file has it; raises KeyError or TypeError for what is none."""
    known = {one.name for one in fields_of(Subject)} - {"start"}
    subject = Subject(**{name: said[name] for name in known}, start=said["from"])
    return Verdict(
        subject,
        said["verdict"],
        said["reason"],
        said["time"],
        said["seconds"],
        tuple(map(rehearsed_of, said["rehearsals"])),
        tuple(LeftOut(**one) for one in said["left_out"]),
    )


def read(path: str) -> Verdict | None:
    """Return the verdict in a file, None where there is none that can be read."""
    try:
        with open(path, "rb") as file:
            said = json.load(file)
        return verdict_of(said) if said["form"] == FORM else None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def rendered(verdict: Verdict) -> bytes:
    return json.dumps(verdict.as_dict(), indent=1).encode() + b"\n"


def files_of(folder: str) -> list[str]:
    """Return the verdicts' files below a folder of an environment, the newest last: their folders begin with the time."""
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return []
    paths = (os.path.join(folder, name, FILE) for name in names)
    return [path for path in paths if os.path.isfile(path)]


def decide(rehearsals: Sequence[Rehearsed], left_out: Sequence[LeftOut]) -> tuple[str, str]:
    """Return what rehearsals together say, and why in a sentence: one that is bad is enough for a no."""
    for kind, word in ((NO_GO, "went wrong"), (INCONCLUSIVE, "said nothing")):
        found = [one for one in rehearsals if one.verdict == kind]
        if found:
            first = found[0]
            more = f"{len(found)} of {len(rehearsals)} {word}; the first: " if len(found) > 1 else ""
            return kind, f"{more}{first.title}: {first.reason}"
    if not rehearsals:
        return INCONCLUSIVE, "nothing was rehearsed"
    acknowledged = sum(int(one.figures.get("acknowledged", 0)) for one in rehearsals)
    gap = max((float(one.figures.get("longest_gap_seconds", 0)) for one in rehearsals), default=0.0)
    made = f"all {len(rehearsals)} rehearsals" if len(rehearsals) > 1 else "the rehearsal"
    apart = f" ({len(left_out)} could not be made here)" if left_out else ""
    return GO, (
        f"{made} ended well{apart}: {acknowledged} acknowledged writes, none lost or duplicated, "
        f"the longest time without one {gap:.1f} s"
    )
