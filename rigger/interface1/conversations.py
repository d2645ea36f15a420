"""The runs of config.sh in one configure: one of each provider that a person tries."""

from __future__ import annotations

import os

from rigger.envfile.names import check_name
from rigger.interface1 import record
from rigger.interface1.conversation import Conversation
from rigger.modules.contract import CORE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from rigger.environments.environment import Environment
    from rigger.modules.model import Module
    from rigger.questions.model import Question
    from rigger.questions.sources import Sources


class Conversations:
    """The conversations with the config.sh of every provider that a person has tried in one configure."""

    def __init__(
        self,
        target: Environment,
        sources: Sources,
        say: Callable[[str], None],
        output: Callable[[bytes], None],
        terminal: int | None,
        sourced: Mapping[str, str],
    ):
        self.target = target
        self.sources = sources
        self.say, self.output, self.terminal = say, output, terminal
        # What a person's shell has from an environment's vars file is not what that person says now.
        self.environ = {n: v for n, v in sources.environ.items() if sourced.get(n) != v}
        self._id = os.urandom(5).hex()
        self._of: dict[str, Conversation] = {}
        self._latest: Conversation | None = None

    def questions(
        self, provider: Module, platform: Module, values: Mapping[str, str]
    ) -> tuple[tuple[Question, ...], bool]:
        """Return what a provider's config.sh has asked so far, and whether it has come to its end."""
        if provider.folder not in self._of:
            self._of[provider.folder] = self._begin(provider)
        conversation = self._latest = self._of[provider.folder]
        asked = conversation.questions(values, self._basis(provider, platform, values))
        return tuple(asked), conversation.finished

    def asked(self, provider: Module) -> tuple[tuple[Question, ...], bool]:
        """Return the same without going on with it."""
        conversation = self._of.get(provider.folder)
        if conversation is None:
            return provider.questions, True
        return tuple(conversation.asked), conversation.finished

    def unasked(self, provider: Module, known: Iterable[str]) -> list[Question]:
        """Return a question for every value that was given now or before, and that is not among the known ones.

        Scripts of interface 1 do not say what they read, so that nothing can be said to be a mistake.
        """
        before = [
            q.name for q in record.recorded(self.target, provider).questions if q.origin == record.UNASKED
        ]
        names = dict.fromkeys([*self.sources.flags, *self.sources.answers, *before])
        for name in (*known, *self.names(provider), *CORE, "NAME"):
            names.pop(name, None)
        return [record.unasked_question(name) for name in names if check_name(name) is None]

    def pass_over(self, name: str) -> None:
        if self._latest is not None:
            self._latest.pass_over(name)

    def close(self) -> None:
        for conversation in self._of.values():
            conversation.close()

    def add_to(
        self, values: dict[str, str], provider: Module, platform: Module, decided: set[str], root: str = ""
    ) -> None:
        """Add what config.sh gave to the values that will be stored, but for what was `decided` otherwise.

        Values that name the checkout as it lay while questions were asked name it where it will lie, at `root`.
        """
        conversation = self._of.get(provider.folder)
        if conversation is None:
            return
        for name in conversation.outcome.withdrawn - decided:
            values.pop(name, None)
        asked = {question.name for question in conversation.asked}
        values.update({n: v for n, v in conversation.outcome.given.items() if n in asked or n not in decided})
        values.update(self._identity(platform))
        conversation.move(values, _root(provider), root)

    def secret_names(self, provider: Module | None) -> set[str]:
        conversation = self._of.get(provider.folder) if provider else None
        return set(conversation.outcome.secret_names) if conversation else set()

    def names(self, provider: Module) -> set[str]:
        """Return the names of all values that come of a conversation."""
        conversation = self._of.get(provider.folder)
        return {*conversation.outcome.whole, *(q.name for q in conversation.asked)} if conversation else set()

    def record(self, environment: Environment, provider: Module, unasked: Iterable[Question] = ()) -> None:
        """Keep what config.sh asked and gave, and what nothing asked for, in the provider's state."""
        if conversation := self._of.get(provider.folder):
            record.write_record(
                environment,
                provider.name,
                [*conversation.asked, *unasked],
                given=conversation.outcome.whole,
                preset=conversation.preset(),
                answered=conversation.answered(),
            )

    def _begin(self, provider: Module) -> Conversation:
        before = record.recorded(self.target, provider)
        return Conversation(
            provider,
            self.sources,
            self.environ,
            before=before,
            digest=record.digest_of(self.target) if before.given else str,
            say=self.say,
            output=self.output,
            terminal=self.terminal,
        )

    def _basis(self, provider: Module, platform: Module, values: Mapping[str, str]) -> dict[str, str]:
        known = {name: values[name] for name in CORE if name in values}
        version = {f"{platform.prefix}_VERSION": values["VERSION"]} if "VERSION" in values else {}
        places = {f"{platform.prefix}_ROOT": _root(provider), "RIGGER_HOME": self.target.home}
        return {**known, **version, **places, **self._identity(platform)}

    def _identity(self, platform: Module) -> dict[str, str]:
        name = f"{platform.prefix}_ID"
        return {name: self.sources.saved_value(name) or self._id}


def _root(provider: Module) -> str:
    return os.path.dirname(os.path.dirname(provider.folder))
