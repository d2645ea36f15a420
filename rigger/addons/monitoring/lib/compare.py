"""What another list of targets means, in words: compare.py NAME OLD NEW; prints nothing where both are the same."""

from __future__ import annotations

import json
import sys
from typing import Any


def _read(path: str) -> list[dict[str, Any]]:
    try:
        with open(path) as file:
            groups: list[dict[str, Any]] = json.load(file)
            return groups
    except OSError:
        return []


def _count(number: int) -> str:
    return f"{number} target{'s' if number != 1 else ''}"


def difference(name: str, old: list[dict[str, Any]], new: list[dict[str, Any]]) -> str:
    """Return the sentence, or nothing."""
    if old == new:
        return ""
    before, after = ({target for group in groups for target in group["targets"]} for groups in (old, new))
    gained, lost = len(after - before), len(before - after)
    parts = [f"gain {_count(gained)}"] if gained else []
    parts += [f"lose {_count(lost)}"] if lost else []
    return f"{name} would {' and '.join(parts) or 'label its targets in another way'}"


if __name__ == "__main__":
    said = difference(sys.argv[1], _read(sys.argv[2]), _read(sys.argv[3]))
    if said:
        print(said)
