"""Who hears what is being done while it is done: a terminal, a log, a web page, or nobody."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Protocol

    from rigger.plans.model import Plan
else:
    Protocol = object


class Reporter(Protocol):
    """What an operation and its steps say on the way. Nothing of it is an answer: that is the operation's result."""

    @property
    def live(self) -> bool:
        """Whether a step's output is not shown as it comes, so that what must be seen has to be passed on."""

    def line(self, text: str = "") -> None:
        """Say a line."""

    def heading(self, text: str) -> None:
        """Say what the following lines are about."""

    def warn(self, text: str) -> None:
        """Say a line that should be noticed."""

    def table(
        self, rows: Sequence[Sequence[str]], headers: Sequence[str] = (), indent: str = "  ", rest: str = ""
    ) -> None:
        """Say lines in columns; `rest` is a command that shows what a narrow terminal has no room for."""

    def plan(self, plan: Plan) -> None:
        """Show the steps of a plan, why each is needed, and what will be lost."""

    def difference(self, before: Mapping[str, str], after: Mapping[str, str]) -> None:
        """Show which values are others."""

    def progress(self, text: str) -> None:
        """Say how far something is that takes a while; the next line takes its place."""

    def flush(self) -> None:
        """Show what was held back, before somebody else uses the terminal."""

    def pass_on(self, block: bytes) -> None:
        """Show a block of what a program printed as it is."""

    def step_started(self, number: int, total: int, label: str, why: str) -> None:
        """Say that a step begins."""

    def output(self, block: bytes) -> None:
        """Hear a block of a step's output, secrets masked."""

    def tick(self) -> None:
        """Hear that a step is still under way; called a few times a second."""

    def step_finished(self, result: str, seconds: float, note: str = "", good: bool = True) -> None:
        """Say how a step ended; `seconds` is how long it took."""


class Silent:
    """A reporter for programs that only want the result."""

    live = False

    def line(self, text: str = "") -> None:
        pass

    def heading(self, text: str) -> None:
        pass

    def warn(self, text: str) -> None:
        pass

    def table(
        self, rows: Sequence[Sequence[str]], headers: Sequence[str] = (), indent: str = "  ", rest: str = ""
    ) -> None:
        pass

    def plan(self, plan: Plan) -> None:
        pass

    def difference(self, before: Mapping[str, str], after: Mapping[str, str]) -> None:
        pass

    def progress(self, text: str) -> None:
        pass

    def flush(self) -> None:
        pass

    def pass_on(self, block: bytes) -> None:
        pass

    def step_started(self, number: int, total: int, label: str, why: str) -> None:
        pass

    def output(self, block: bytes) -> None:
        pass

    def tick(self) -> None:
        pass

    def step_finished(self, result: str, seconds: float, note: str = "", good: bool = True) -> None:
        pass
