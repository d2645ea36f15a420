"""What an environment is configured to be: its modules, their questions, and the values that hold."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from rigger.values import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rigger.modules.model import Module
    from rigger.questions.model import Answer, Question


@frozen
class Config:
    """A valid configuration: what a run works with."""

    provider: Module
    platform: Module
    questions: tuple[Question, ...]
    answers: Mapping[str, Answer] = field(repr=False)
    # What scripts get: answers, defaults, and what earlier steps gave back.
    values: Mapping[str, str] = field(repr=False)
    secrets: Mapping[str, str] = field(repr=False)  # the part of `values` that must never be shown

    def __repr__(self) -> str:
        return f"Config({self.platform.name} on {self.provider.name})"

    @property
    def modules(self) -> tuple[Module, ...]:
        """The modules in the order in which they are made: what stands on something comes after it."""
        return (self.provider, self.platform)

    def question(self, name: str) -> Question | None:
        return next((question for question in self.questions if question.name == name), None)

    def parameters(self) -> dict[str, str]:
        """Return the values of the questions, secrets apart."""
        return {name: answer.value for name, answer in self.answers.items() if name not in self.secrets}

    def state_name(self, module: Module) -> str:
        """Return the name of a module's folder of private state."""
        twin = module.role == "platform" and module.name == self.provider.name
        return f"{module.name}-platform" if twin else module.name

    @property
    def id(self) -> str:
        return self.values.get(f"{self.platform.prefix}_ID", "")
