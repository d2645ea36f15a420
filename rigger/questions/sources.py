"""Where answers are looked for, in order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rigger.questions.model import Answer, Question

DRAFT = "from before"  # the source of an answer that was given before a conversation was interrupted


@dataclass(frozen=True)
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
    # By a config.sh of interface 1, meanwhile.
    given: dict[str, str] = field(repr=False, default_factory=dict)
    given_name: str = "config.sh"

    def find(self, question: Question) -> Answer | None:
        """Return the first value given for a question: flag, process environment, answers file, saved value."""
        if question.name in self.flags:
            return Answer(
                self.flags[question.name], self.flags_name or question.flag or f"--set {question.name}"
            )
        own = f"RIGGER_{question.name}"
        for name in (own, *question.env):
            # A native name that is set to nothing is how shells and CI say that it is not set.
            if self.environ.get(name) or (name == own and name in self.environ):
                return Answer(self.environ[name], f"${name}")
        if question.name in self.answers:
            return Answer(self.answers[question.name], self.answers_name)
        if question.name in self.given:
            return Answer(self.given[question.name], self.given_name)
        if question.name in self.draft:
            return Answer(self.draft[question.name], DRAFT)
        if question.name in self.saved:
            return Answer(self.saved[question.name], self.saved_name)
        return None
