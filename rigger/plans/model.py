"""A plan: the steps of one command, in order, each with its reason."""

from __future__ import annotations

import os

from rigger.modules.tracing import traced
from rigger.values import field, frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from rigger.modules.model import Module


@frozen
class StageStep:
    """Which part of an upgrade a step belongs to."""

    number: int  # from 1; 0: what is measured before the first
    of: int
    nodes: tuple[str, ...]
    waits: bool = False  # whether somebody has to agree before it begins
    seconds: float = 0.0  # that its judge takes

    @property
    def shown(self) -> str:
        return f"stage {self.number} of {self.of}"


@frozen
class Step:
    """One run of one module's script, and the reason for it."""

    module: Module
    verb: str
    why: str
    goes_on: bool = False  # whether the run continues when this step fails
    # What this script gets beside all others.
    environ: Mapping[str, str] = field(repr=False, default_factory=dict)
    if_differs: bool = (
        False  # whether it only runs after a plan of its module that said that something would change
    )
    trace: bool = False  # whether a shell prints each command before it runs it
    stage: StageStep | None = None  # of an upgrade by stages: the one that it makes, or judges

    @property
    def argv(self) -> list[str]:
        """Return the command that runs its script."""
        argv = self.module.argv(self.script)
        return (traced(argv) or argv) if self.trace else argv

    @property
    def key(self) -> str:
        return f"{self.module.role}/{self.module.name}/{self.verb}"

    @property
    def script(self) -> str:
        """The script's path; one that does not exist where the module has none."""
        return self.module.script(self.verb) or os.path.join(self.module.folder, self.verb)

    @property
    def shown(self) -> str:
        return self.module.shown(self.script)

    @property
    def checks(self) -> bool:
        return self.verb == "check"

    @property
    def only_looks(self) -> bool:
        """Whether it leaves the modules as they are: a check, or one of a platform's tests."""
        return self.checks or "/" in self.verb

    @property
    def timeout(self) -> float:
        """How many seconds it may take; what a judge is told to take comes on top."""
        return self.module.timeout(self.verb) + (self.stage.seconds if self.stage and self.only_looks else 0)

    def as_dict(self) -> dict[str, Any]:
        stage = self.stage
        return {
            "module": f"{self.module.role}/{self.module.name}",
            "step": self.verb,
            "script": self.script,
            "why": self.why,
            **({"stage": stage.number, "stages": stage.of, "nodes": list(stage.nodes)} if stage else {}),
        }


@frozen
class Plan:
    """The steps of one command, in order; what is up to date already; what will be lost."""

    command: str
    steps: tuple[Step, ...]
    up_to_date: tuple[Step, ...] = ()
    removals: tuple[str, ...] = ()  # sentences about machines or data that will go
    leaving: tuple[str, ...] = ()  # names of the nodes that will be removed
    rules: tuple[str, ...] = ()  # sentences about how its stages are judged, and what follows
    # What its scripts get beside the contract's variables.
    environ: Mapping[str, str] = field(repr=False, default_factory=dict)

    @property
    def creates(self) -> list[Step]:
        """Its steps that make machines."""
        return [step for step in self.steps if step.module.role == "provider" and step.verb == "create"]

    @property
    def changes(self) -> bool:
        """Whether anything is going to be changed, or only looked at."""
        return any(not step.checks for step in self.steps)

    @property
    def surely_changes(self) -> bool:
        """Whether anything is going to be changed, whatever the modules' own plans say."""
        return any(not (step.checks or step.verb == "plan" or step.if_differs) for step in self.steps)

    def as_dict(self) -> dict[str, Any]:
        return {
            "command": self.command,
            "changes": self.changes,
            "steps": [step.as_dict() for step in self.steps],
            "up_to_date": [step.as_dict() for step in self.up_to_date],
            "removals": list(self.removals),
            **({"rules": list(self.rules)} if self.rules else {}),
        }
