"""Where a configured environment's platform comes from."""

from __future__ import annotations

import os

from rigger.environments import checkout
from rigger.environments.checkout import is_used
from rigger.sources.questions import path_question, ref_question, repository_question, version_question
from rigger.values import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from rigger.environments.environment import Environment
    from rigger.modules.model import Module
    from rigger.questions.model import Question


class SavedSource:
    """The checkout that an environment has, as every command but configure uses it: nothing is fetched."""

    def __init__(self, environment: Environment, saved: Mapping[str, str], folder: str = ""):
        self.environment = environment
        self.saved = saved
        self.place = folder or checkout.place(environment, saved)
        self.comes_first = is_used(saved)
        self.platform = saved.get("PLATFORM", "")
        self.repository = saved.get("REPOSITORY", "")
        self.asks = False

    def folder(self, values: Mapping[str, str]) -> str | None:
        """Return the folder of the checkout, None where there is none."""
        if not self.comes_first:
            return None
        return self.place if os.path.isdir(self.place) else None

    def questions(self, values: Mapping[str, str], platform: Module | None = None) -> list[Question]:
        """Return the questions whose answers are stored; what is not given has no value."""
        name = values.get("PLATFORM") or "the platform"
        questions = [
            replace(question, optional=True, default=None, advanced=True)
            for question in (repository_question(platform), ref_question(name), path_question(name))
        ]
        return [*questions, version_question(name, [])]

    def is_complete(self, values: Mapping[str, str]) -> bool:
        """Return whether all that can be known of the checkout is known."""
        return True

    def version(self, values: Mapping[str, str]) -> str:
        return values.get("VERSION", "")

    def url(self, values: Mapping[str, str]) -> str:
        return values.get("REPOSITORY", "")

    def describe(self, question: Question) -> Question:
        return question
