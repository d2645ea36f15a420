"""The editor in which a person changes a text."""

from __future__ import annotations

import os
import shlex

from rigger.errors import BadUsage
from rigger.process.terminal import interactive
from rigger.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@frozen
class Editor:
    """A program that gets a file's path as its last word, and ends when the text in it is as somebody wants it."""

    name: str  # the variable that names it
    words: tuple[str, ...]
    run: Callable[[Sequence[str]], int] = interactive  # returns its exit code; raises StepFailed

    def __str__(self) -> str:
        return shlex.join(self.words)

    def open(self, path: str) -> int:
        """Let somebody edit a file, and return the editor's exit code; raises StepFailed where it cannot start."""
        return self.run([*self.words, path])


def find_editor(has_terminal: bool) -> Editor:
    """Return the editor that $VISUAL or $EDITOR names, else vi; raises BadUsage where it could not be used."""
    for name in ("VISUAL", "EDITOR"):
        if command := os.environ.get(name, "").strip():
            try:
                return Editor(name, tuple(shlex.split(command)))
            except ValueError as problem:
                raise BadUsage(f"{name} is not a command: {problem}.", f"Set {name} to an editor.") from None
    if not has_terminal:
        raise BadUsage(
            "There is no terminal to edit on, and neither VISUAL nor EDITOR names an editor that needs none.",
            'Type "rigger config set NAME=VALUE", or set EDITOR.',
        )
    return Editor("EDITOR", ("vi",))
