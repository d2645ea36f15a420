"""The three-way merge of what an add-on's `init` proposes: the last proposal, the value now, and the new proposal."""

from __future__ import annotations

from rigger.values import field, frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


@frozen
class Conflict:
    """A value that a person changed, and that would be another by now."""

    name: str
    last: str | None = field(repr=False)  # None: nothing was proposed then
    now: str = field(repr=False)
    new: str = field(repr=False)


@frozen
class Merged:
    """What holds after a merge: the values, and which of them somebody has to look at."""

    values: Mapping[str, str] = field(repr=False)
    taken: tuple[str, ...] = ()  # names whose value is the new proposal, and was another or none
    kept: tuple[str, ...] = ()  # names that somebody changed, and that the new proposal leaves as it was
    conflicts: tuple[Conflict, ...] = ()


def merge(last: Mapping[str, str], now: Mapping[str, str], new: Mapping[str, str]) -> Merged:
    """Return what holds: what a person edited stays, also where the proposal changed: that is a conflict, to be shown.

    A value that is as it was proposed follows the proposal; one that is not proposed any more stays as it is.
    """
    values, taken, kept, conflicts = {**now}, list[str](), list[str](), list[Conflict]()
    for name, proposal in new.items():
        value = now.get(name)
        if value == proposal:
            continue
        if value is None or value == last.get(name):
            values[name] = proposal
            taken.append(name)
        elif last.get(name) == proposal:
            kept.append(name)
        else:
            conflicts.append(Conflict(name, last.get(name), value, proposal))
    return Merged(values, tuple(taken), tuple(kept), tuple(conflicts))
