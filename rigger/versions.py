"""The order of versions: 1.10 after 1.9, betas before release candidates before their release."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_VERSION = r"(?s)v?(\d+(?:\.\d+)*)(.*)"


# The numbers, whether it is a release, what follows the numbers (words, then numbers), and the text itself.
Key = tuple[tuple[int, ...], int, tuple[str, tuple[int, ...]], str]


def key(version: str) -> Key:
    """Return a sort key; what is no version at all sorts before everything else."""
    match = re.fullmatch(_VERSION, version.partition("+")[0])
    if not match:
        return ((), 0, ("", ()), version)
    numbers = tuple(int(part) for part in match[1].split("."))
    suffix = tuple(int(part) if part.isdigit() else 0 for part in re.split(r"\D+", match[2]) if part)
    words = re.sub(r"[^a-z]", "", match[2].lower())
    return (numbers, 0 if match[2] else 1, (words, suffix), version.removeprefix("v"))


def newest_first(versions: Iterable[str]) -> list[str]:
    """Return versions sorted, the newest first."""
    return sorted(versions, key=key, reverse=True)
