"""Judge a stage of an upgrade: what was measured against the limits that the manifest sets."""

from __future__ import annotations

import math

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rigger.modules.model import Judge, Limit

    Figures = Mapping[str, str]


def faults(judge: Judge, figures: Figures, usual: Figures | None) -> tuple[str, ...]:
    """Return in a sentence each what is wrong with figures; none where all is well.

    `usual` is what was measured before the first stage. Without it that is what `figures` are themselves: limits of its
    times hold of no figures, but these have to be there.
    """
    found = []
    for name, word, limit in _limits(judge):
        value, most = _number(figures, name), _resolved(limit, name, figures if usual is None else usual)
        if value is None:
            found.append(
                f"{name} was not measured"
                if name not in figures
                else f"{name} is {figures[name]!r}, no number"
            )
        elif most is None:
            found.append(f"{name} was not measured before the first stage")
        elif usual is None and limit.times is not None:
            continue
        elif value > most if word == "at most" else value < most:
            found.append(f"{name} is {figures[name]}, and must be {word} {_said(limit, most)}")
    return tuple(found)


def in_numbers(judge: Judge, usual: Figures | None) -> dict[str, str]:
    """Return each figure's limits, such as "at most 58.2"; one that cannot be known yet is as the manifest has it."""
    said: dict[str, list[str]] = {}
    for name, word, limit in _limits(judge):
        number = _resolved(limit, name, usual or {})
        said.setdefault(name, []).append(f"{word} {limit.text if number is None else f'{number:g}'}")
    return {name: ", ".join(words) for name, words in said.items()}


def _limits(judge: Judge) -> Iterator[tuple[str, str, Limit]]:
    for word, limits in (("at most", judge.at_most), ("at least", judge.at_least)):
        for name, limit in limits.items():
            yield name, word, limit


def _number(figures: Figures, name: str) -> float | None:
    try:
        value = float(figures[name])
    except (KeyError, ValueError):
        return None
    return value if math.isfinite(value) else None


def _resolved(limit: Limit, name: str, usual: Figures) -> float | None:
    """Return a limit as a number; None where it depends on what was not measured."""
    if limit.times is None:
        return limit.plus
    before = _number(usual, name)
    return None if before is None else limit.times * before + limit.plus


def _said(limit: Limit, number: float) -> str:
    return f"{number:g}" if limit.times is None else f"{number:g} ({limit.text} of what it was before)"
