"""What an environment is configured to be: its modules, their questions, and the values that hold."""

from __future__ import annotations

from rigger.configuration.seen import seen_by
from rigger.environments.outputs import Outputs
from rigger.values import field, frozen, replace

TYPE_CHECKING = False
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
    # The values as they were answered, with their defaults, before steps gave others under the same names.
    held: Mapping[str, str] = field(repr=False, default_factory=dict)
    outputs: Outputs = field(repr=False, default_factory=Outputs)
    asked: frozenset[str] = frozenset()  # the names of all answers: an output never replaces one of them

    # The names of secrets that are references and were not looked up: their values are the references.
    unknown: frozenset[str] = frozenset()
    addons: tuple[Module, ...] = ()  # under the names that they have here, in the order of what they require

    def __repr__(self) -> str:
        return f"Config({self.platform.name} on {self.provider.name})"

    @property
    def modules(self) -> tuple[Module, ...]:
        """The modules in the order in which they are made: what stands on something comes after it."""
        return (self.provider, self.platform, *self.addons)

    def addon(self, name: str) -> Module | None:
        return next((module for module in self.addons if module.name == name), None)

    def question(self, name: str) -> Question | None:
        return next((question for question in self.questions if question.name == name), None)

    def seen_by(self, module: Module, verb: str) -> Config:
        """Return the configuration as a step sees it: with what the steps before it gave, not with its own outputs."""
        if not self.outputs.hidden:
            return self
        seen = seen_by(self.outputs, module.role, verb, self.held)
        values = {name: value for name, value in self.values.items() if name not in seen}
        values |= {name: value for name, value in seen.items() if value is not None}
        return replace(self, values=values, secrets={n: values[n] for n in self.secrets if n in values})

    def parameters(self) -> dict[str, str]:
        """Return the values under the names of the questions, secrets apart."""
        return {name: value for name, value in self.values_of_questions().items() if name not in self.secrets}

    def values_of_questions(self) -> dict[str, str]:
        """Return the values under the names of the questions that have one."""
        hidden = [name for name in self.outputs.hidden if self.question(name)]
        return {
            name: self.values[name]
            for name in {**self.answers, **dict.fromkeys(hidden)}
            if name in self.values
        }

    def every_secret(self) -> dict[str, str]:
        """Return all secrets, those too that an output hides, or that only some steps see."""
        hidden = self.outputs.secrets(self.secrets)
        return {**self.secrets, **{f"hidden {number}": value for number, value in enumerate(hidden)}}

    def state_name(self, module: Module) -> str:
        """Return the name of a module's folder of private state."""
        twin = module.role == "platform" and module.name == self.provider.name
        return f"{module.name}-platform" if twin else module.name

    @property
    def id(self) -> str:
        return self.values.get(f"{self.platform.prefix}_ID", "")
