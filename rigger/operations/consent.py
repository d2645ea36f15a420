"""Every question of trust and agreement: asked of a person, or answered beforehand."""

from __future__ import annotations

import os

from rigger import text as texts
from rigger.errors import BadUsage, Declined
from rigger.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Protocol

    from rigger.questions.model import Choice
else:
    Protocol = object


class Prompt(Protocol):
    """Somebody who can be asked."""

    def confirm(self, text: str, default: bool = False) -> bool:
        """Ask for a yes or a no."""

    def type_back(self, text: str, expected: str) -> bool:
        """Ask for a text to be typed; return whether it was."""

    def choose(self, text: str, choices: Sequence[Choice], default: str | None = None) -> str:
        """Ask for one of several values."""

    def secret(self, text: str) -> str:
        """Ask for a text that is not shown."""


@frozen
class Consent:
    """What was agreed to beforehand, and who can be asked for the rest.

    `yes` agrees to what an operation is about to do, `trust` to scripts of somebody else, `take_over` to go on with a
    record that another one has overtaken; `prompt` makes what asks a person, None where there is nobody.
    """

    yes: bool = False
    trust: bool = False
    prompt: Callable[[], Prompt] | None = None
    take_over: bool = False

    @property
    def can_ask(self) -> bool:
        return self.prompt is not None

    def ask(self) -> Prompt:
        """Return who can be asked; only where `can_ask`."""
        assert self.prompt is not None
        return self.prompt()

    def agree(self, question: str) -> None:
        """Ask for consent unless it was given; raises Declined on a no, BadUsage where nobody can be asked."""
        if self.yes:
            return
        self._require_somebody(question)
        if not self.ask().confirm(question, default=False):
            raise Declined("Nothing was changed.")

    def agree_by_name(self, question: str, name: str) -> None:
        """Ask for a name to be typed, for what cannot be undone; raises Declined or BadUsage."""
        if self.yes:
            return
        self._require_somebody(question)
        if not self.ask().type_back(question, name):
            raise Declined("That is not its name. Nothing was changed.")

    def says_yes(self, question: str) -> bool:
        """Return whether somebody who is asked now says yes; where nobody can be asked, nobody does."""
        return self.can_ask and self.ask().confirm(question, default=False)

    def _require_somebody(self, question: str) -> None:
        if not self.can_ask:
            raise BadUsage(
                f"There is no terminal to ask on: {question}",
                "Nothing was changed. Add --yes to agree beforehand.",
            )

    def choose(self, question: str, choices: Sequence[Choice], default: str | None, unasked: BadUsage) -> str:
        """Ask for one of several values; raises `unasked` where nobody can be asked."""
        if not self.can_ask:
            raise unasked
        return self.ask().choose(question, choices, default)

    def passphrase(self, path: str | None, question: str, twice: bool = False) -> str:
        """Return a passphrase from a file's first line, $RIGGER_PASSPHRASE, or a person; raises BadUsage."""
        if path:
            try:
                with open(path, "rb") as file:
                    return texts.decode(file.readline().rstrip(b"\r\n"))
            except OSError as problem:
                raise BadUsage(f"{path} cannot be read: {problem.strerror}.") from None
        if os.environ.get("RIGGER_PASSPHRASE"):
            return os.environ["RIGGER_PASSPHRASE"]
        if not self.can_ask:
            raise BadUsage(
                f"There is no terminal to ask on: {question}",
                "Give --passphrase-file FILE, or RIGGER_PASSPHRASE.",
            )
        talk = self.ask()
        answer = talk.secret(question)
        if twice and talk.secret("The same again?") != answer:
            raise BadUsage("The two are not the same.", "Try again.")
        return answer

    def trust_scripts(self, unasked: str, question: str = "May they run on this machine, as you?") -> None:
        """Agree to run scripts that were shown; raises Declined on a no, BadUsage with `unasked` for nobody."""
        if self.trust:
            return
        if not self.can_ask:
            raise BadUsage(unasked, "Look at them, then add --trust to agree.")
        if not self.ask().confirm(question, default=False):
            raise Declined("Nothing was changed.")
