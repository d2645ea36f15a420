"""In which order modules are made: each after what it requires, and after what it connects to where that can be."""

from __future__ import annotations

from rigger.modules.selectors import Labelled
from rigger.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rigger.modules.selectors import Requirement, Requires


@frozen
class Order:
    """The modules that can be made, in their order; what of the others is required and nowhere, and what is a circle."""

    names: tuple[str, ...]
    missing: tuple[tuple[str, Requirement], ...] = ()  # a module, and what no module meets
    circle: tuple[str, ...] = ()  # modules of which each requires the next one, and the last the first


def in_order(labels: Mapping[str, Mapping[str, str]], requires: Mapping[str, Requires]) -> Order:
    """Return the order of modules, given with their labels and what they require; those listed first come first.

    A module can be made once each of its strong requirements is met by one that was made before it.
    """
    labels = Labelled(labels)
    selected = {
        name: [frozenset(one.selected(labels, name)) for one in requires[name].strong] for name in labels
    }
    connects = {
        name: set[str]().union(*selected[name], *(one.selected(labels, name) for one in requires[name].weak))
        for name in labels
    }
    can_be_made = _placed(list(labels), selected, {name: set() for name in labels})
    placed = _placed(can_be_made, selected, {name: connects[name] & {*can_be_made} for name in can_be_made})
    made, waiting = set(placed), [name for name in labels if name not in placed]
    missing = tuple(
        (name, one)
        for name in waiting
        for one, some in zip(requires[name].strong, selected[name], strict=True)
        if not some
    )
    return Order(tuple(placed), missing, _circle(waiting, made, selected))


def _placed(
    names: Sequence[str],
    selected: Mapping[str, Sequence[frozenset[str]]],
    connects: Mapping[str, set[str]],
) -> list[str]:
    """Return the modules that can be made, in their order: where there is a choice, what connects to nothing to come."""
    place = {name: number for number, name in enumerate(names)}
    unmet = {
        name: {*range(len(selected[name]))} for name in names
    }  # the requirements that nothing made meets
    to_come = {name: len(connects[name]) for name in names}
    meets: dict[str, list[tuple[str, int]]] = {
        name: [] for name in names
    }  # which requirements of which modules
    connected: dict[str, list[str]] = {name: [] for name in names}
    for name in names:
        for number, others in enumerate(selected[name]):
            for other in others & meets.keys():
                meets[other].append((name, number))
        for other in connects[name] & connected.keys():
            connected[other].append(name)
    ready, placed = [name for name in names if not unmet[name]], list[str]()
    while ready:
        chosen = next((name for name in ready if not to_come[name]), ready[0])
        ready.remove(chosen)
        placed.append(chosen)
        for name in connected[chosen]:
            to_come[name] -= 1
        before = len(ready)
        for name, number in meets[chosen]:
            if unmet[name]:
                unmet[name].discard(number)
                ready += [] if unmet[name] else [name]
        if len(ready) > before:
            ready.sort(key=place.__getitem__)
    return placed


def _circle(
    waiting: Sequence[str], made: set[str], selected: Mapping[str, Sequence[frozenset[str]]]
) -> tuple[str, ...]:
    """Return modules that wait for each other, none where all of them wait for one that is nowhere."""
    unmet = {name: [one for one in selected[name] if made.isdisjoint(one)] for name in waiting}
    for start in waiting:
        path: list[str] = []
        at = start
        while at not in path:
            path.append(at)
            if not all(unmet[at]):
                break  # it waits for what is nowhere
            at = min(unmet[at][0])
        else:
            return tuple(path[path.index(at) :])
    return ()
