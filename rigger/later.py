"""Modules that most commands do without: each is imported when something of it is first used.

    TYPE_CHECKING = False
    if TYPE_CHECKING:
        from rigger.git import inspect
    else:
        inspect = later("rigger.git.inspect")

So the import stands at the top, where people, type checkers and the test of the layout find it, and costs nothing until
then. It is for what is big and seldom needed: an import that fails is noticed late.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Later:
    """A module that is not imported yet; what is asked of it is what the module has."""

    def __init__(self, name: str):
        self._name = name

    def __getattr__(self, name: str) -> Any:
        if self._name not in sys.modules:
            __import__(self._name)
        return getattr(sys.modules[self._name], name)


def later(name: str) -> Later:
    """Return what stands for the module of that name."""
    return Later(name)
