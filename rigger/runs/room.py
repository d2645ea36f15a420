"""How much scripts can be given in their environment, and what gives way where that is too little."""

from __future__ import annotations

import os

from rigger.process.spawn import encode_environment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, MutableMapping

TOGETHER = 512 * 1024  # bytes that an environment's vars may have together: every script gets all of them
MOST = 6 * 1024 * 1024  # bytes: Linux gives no program more, however large its stack may become
RESERVE = 128 * 1024  # bytes for the words of the command line, and what one step alone gets
LARGE = 4096  # bytes; leaving out what is smaller helps little


def size_of(name: str, value: str) -> int:
    """Return how many bytes a variable takes, with its = and NUL, and the pointer to it."""
    return len(name) + len(encode_environment(value)) + 2 + 8


def too_much(before: Mapping[str, str], given: Mapping[str, str]) -> list[str]:
    """Return the names of the given values that cannot be kept beside those of before: the largest, until the rest fits."""
    sizes = {name: size_of(name, value) for name, value in {**before, **given}.items()}
    over, refused = sum(sizes.values()) - TOGETHER, []
    for name in sorted(given, key=lambda name: -sizes[name]):
        if over <= 0:
            break
        if sizes[name] >= LARGE:
            over -= sizes[name]
            refused.append(name)
    return refused


def leave_out(values: MutableMapping[str, str], outputs: Collection[str], own: Collection[str]) -> list[str]:
    """Take out what no program could be started with, and return its names: the largest outputs, then what the shell has.

    `own` are the names that rigger itself gives: they stay, but for outputs.
    """
    over = sum(size_of(name, value) for name, value in values.items()) - _room()
    sizes = {name: size_of(name, value) for name, value in values.items()}
    large = [
        name
        for name in values
        if sizes[name] >= LARGE and (name in outputs or not (name in own or name.startswith("RIGGER_")))
    ]
    left_out = []
    for name in sorted(large, key=lambda name: (name not in outputs, -sizes[name])):
        if over <= 0:
            break
        over -= sizes[name]
        left_out.append(name)
        del values[name]
    return left_out


def _room() -> int:
    try:
        most = os.sysconf("SC_ARG_MAX")
    except (ValueError, OSError):
        most = 0
    return max(min(most, MOST), 2 * RESERVE) - RESERVE
