"""Where answers are looked for, in order."""

from __future__ import annotations

from rigger.questions.model import Answer, Question
from rigger.values import field, frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

DRAFT = "from before"  # the source of an answer that was given before a conversation was interrupted


class Meanwhile:
    """Values that come to be known while questions are asked, by a config.sh of interface 1.

    Whoever runs that script writes here; Sources, which do not change themselves, look them up.
    """

    def __init__(self) -> None:
        self.given: dict[str, str] = {}  # what it gave back: it counts more than what is saved
        self.taken_back: dict[str, str] = {}  # answers that stand in the place of what it had made of them

    def give(self, values: Mapping[str, str]) -> None:
        self.given.update(values)

    def forget_given(self) -> None:
        self.given.clear()

    def take_back(self, name: str, answer: str) -> None:
        self.taken_back[name] = answer


@frozen
class Sources:
    """The places where a value may stand beforehand, in order of precedence."""

    flags: Mapping[str, str] = field(repr=False, default_factory=dict)
    flags_name: str = ""  # what flags are called where they are no flags
    environ: Mapping[str, str] = field(repr=False, default_factory=dict)
    answers: Mapping[str, str] = field(repr=False, default_factory=dict)
    answers_name: str = "the answers file"
    # Answers of an interrupted conversation.
    draft: Mapping[str, str] = field(repr=False, default_factory=dict)
    saved: Mapping[str, str] = field(repr=False, default_factory=dict)
    saved_name: str = "saved"
    hidden: frozenset[str] = frozenset()  # the names of those saved values that are secrets
    meanwhile: Meanwhile = field(repr=False, default_factory=Meanwhile)
    given_name: str = "config.sh"

    def find(self, question: Question) -> Answer | None:
        """Return the first value given for a question: flag, process environment, answers file, saved value."""
        if question.name in self.flags:
            return Answer(
                self.flags[question.name], self.flags_name or question.flag or f"--set {question.name}"
            )
        own = question.variables[0]
        for name in question.variables:
            # A native name that is set to nothing is how shells and CI say that it is not set.
            if self.environ.get(name) or (name == own and name in self.environ):
                return Answer(self.environ[name], f"${name}")
        if question.name in self.answers:
            return Answer(self.answers[question.name], self.answers_name)
        if question.name in self.meanwhile.given:
            return Answer(self.meanwhile.given[question.name], self.given_name)
        if question.name in self.draft:
            return Answer(self.draft[question.name], DRAFT)
        saved = self.saved_value(question.name)
        return None if saved is None else Answer(saved, self.saved_name)

    def saved_value(self, name: str) -> str | None:
        """Return a saved value, None where there is none."""
        return self.meanwhile.taken_back.get(name, self.saved.get(name))
