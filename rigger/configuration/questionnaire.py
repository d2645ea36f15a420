"""The questions that follow from which modules are chosen."""

from __future__ import annotations

import contextlib
import os

from rigger.configuration.addons import LIST, parse
from rigger.configuration.finder import DEFAULT_PLATFORM, ModuleFinder
from rigger.configuration.own_questions import (
    backend_questions,
    implied_question,
    module_question,
    type_question,
    version_question,
)
from rigger.envfile.names import SETTINGS
from rigger.environments.checkout import is_used
from rigger.errors import BadUsage, ModuleIncomplete, RiggerError
from rigger.later import later
from rigger.questions.model import Choice, Question
from rigger.questions.order import credentials_last
from rigger.sources.saved import SavedSource
from rigger.sources.spec import DECIDE
from rigger.text import did_you_mean
from rigger.values import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

    from rigger.environments.environment import Environment
    from rigger.interface1 import script as config_sh
    from rigger.interface1.conversations import Conversations
    from rigger.modules.model import Module
    from rigger.sources.chooser import SourceChooser
else:
    config_sh = later("rigger.interface1.script")

DEFAULT_PROVIDER = "local"


class Questionnaire:
    """The questions that follow from which modules are chosen.

    `records` knows what providers of interface 1 asked, and `begin` lets them ask; nobody configures without it.
    `before` is of what was configured before, where that is changed; `addons` is the var that names the add-ons.
    """

    def __init__(
        self,
        home: str,
        source: SavedSource | SourceChooser | None = None,
        *,
        records: Environment | None = None,
        before: Questionnaire | None = None,
        begin: Callable[[], Conversations] | None = None,
        addons: str = "",
    ):
        self.source = source  # of a platform that lies in a git repository
        self.finder = ModuleFinder(home, source, records)
        self.conversations: Conversations | None = None  # once one of those providers was chosen
        self._before = before
        self._begin = begin
        self._addons = parse(addons)
        self._questions: dict[tuple[Any, ...], Sequence[Question]] = {}

    def chosen(self, values: Mapping[str, str]) -> tuple[Module | None, Module | None]:
        """Return the provider and the platform that the values name, as far as they name them."""
        return self.finder.chosen(values)

    def modules(self, values: Mapping[str, str]) -> tuple[Module, Module]:
        """Return the provider and the platform that the values name; raises InvalidConfig where they name none."""
        return self.finder.modules(values)

    def addons(self) -> tuple[Module, ...]:
        """Return the add-ons under their names, in the order in which they were added; raises BadUsage or Refused."""
        return self.finder.addons(self._addons)

    def questions(self, values: Mapping[str, str], live: bool = False) -> Sequence[Question]:
        """Return every question for the values known: rigger's own, then the modules'.

        `live` lets a provider of interface 1 go on asking.
        """
        asked = self._asked_by_config_sh(values, live)
        self.finder.find_checkout(values)
        depends = ("PROVIDER", "PLATFORM", "TYPE", *(DECIDE if self.source else ()))
        chosen = (tuple(values.get(name) for name in depends), asked)
        if chosen not in self._questions:
            self._questions[chosen] = tuple(self._questions_for(values, asked))
        return self._questions[chosen]

    def _questions_for(
        self, values: Mapping[str, str], asked_by_config_sh: tuple[tuple[Question, ...], bool] | None = None
    ) -> list[Question]:
        questions, complete = self._first_questions(values)
        if not complete:
            return questions
        provider, platform = self.chosen(values)
        if platform and platform.versions and not self.finder.in_repository(values):
            questions.append(version_question(platform))
        questions.append(self._module_question("provider", DEFAULT_PROVIDER, values))
        types = {**(platform.types if platform else {}), **(provider.types if provider else {})}
        if types and provider:
            questions.append(type_question(types))
        addons = self.addons() if provider and platform else ()
        chosen = [module for module in (platform, provider, *addons) if module]
        defaults = {
            name: default
            for module in chosen
            for name, default in module.types.get(values.get("TYPE", ""), {}).items()
        }
        if provider and asked_by_config_sh is not None:
            own, whole = asked_by_config_sh
            questions += own
            if not whole:
                return questions
            provider = replace(provider, questions=())
        if provider:
            asked = [q for module in (provider, platform, *addons) if module for q in module.questions]
            asked += backend_questions(provider) if provider.has_terraform else []
            named = {question.name for question in asked}
            implied = {
                name: value for kind in types.values() for name, value in kind.items() if name not in named
            }
            asked += [implied_question(name, value) for name, value in implied.items()]
            asked = [replace(q, default=defaults[q.name]) if q.name in defaults else q for q in asked]
            questions += credentials_last(asked)
        if provider and self.conversations:
            questions += self.conversations.unasked(provider, [question.name for question in questions])
        return questions

    def may_take_any(self, values: Mapping[str, str]) -> bool:
        """Return whether the provider may be one of interface 1, of which nobody knows what its scripts read."""
        if values.get("PROVIDER") and self.finder.is_complete(values):
            provider, _ = self.chosen(values)
            return bool(provider and provider.contract.has_own_questions)
        return self.finder.in_repository(values)

    def _first_questions(self, values: Mapping[str, str]) -> tuple[list[Question], bool]:
        """Return the questions for the platform and where it comes from, and whether more can be known by now.

        A repository that was given beforehand comes first: it may bring the platform along.
        """
        source = self.source
        if source is None:
            return [self._module_question("platform", DEFAULT_PLATFORM, values)], True
        if source.comes_first:
            questions = source.questions(values, self.finder.platform_beforehand(values))
            if not source.is_complete(values):
                return questions, False
            self.finder.find_checkout(values)
            own = self.finder.own_platform(values)
            question = self._module_question("platform", own or DEFAULT_PLATFORM, values)
            return [*questions, replace(question, advanced=bool(own))], True
        questions = [self._module_question("platform", DEFAULT_PLATFORM, values)]
        name = values.get("PLATFORM")
        platform = (
            self.finder.known(None, "platform", name) if name else None
        )  # as it is known without a checkout
        if platform is None or not self.finder.comes_from_repository(platform):
            return questions, True
        return [*questions, *source.questions(values, platform)], source.is_complete(values)

    def pass_over(self, name: str) -> None:
        """Let a provider of interface 1 go on without an answer: it is missing, but there may be more."""
        if self.conversations:
            self.conversations.pass_over(name)

    def _asked_by_config_sh(
        self, values: Mapping[str, str], live: bool
    ) -> tuple[tuple[Question, ...], bool] | None:
        """Return what the config.sh of the provider has asked so far, and whether that is all.

        None for any other provider, and where nobody configures. `live` lets it go on.
        """
        if self._begin is None or not values.get("PROVIDER") or not self.finder.is_complete(values):
            return None
        provider, platform = self.chosen(values)
        if provider is None or not provider.contract.has_own_questions:
            return None
        self.conversations = self.conversations or self._begin()
        if not live:
            return self.conversations.asked(provider)
        if platform is None or (platform.types and "TYPE" not in values):
            return (), False
        return self.conversations.questions(provider, platform, {**self.finder.version(values), **values})

    def describe(self, question: Question) -> Question:
        """Return a provider or platform question with a description beside each choice.

        Manifests are read only now, when somebody is going to look at them; a broken one says so.
        """
        if question.name == "VERSION" and self.source:
            return self.source.describe(question)
        if question.name not in ("PLATFORM", "PROVIDER"):
            return question
        role = question.name.lower()
        return replace(
            question,
            choices=tuple(Choice(c.value, self._description(role, c.value)) for c in question.choices),
        )

    def _description(self, role: str, name: str) -> str:
        try:
            module = self.finder.module(role, name)
            faults = "; ".join(module.script_problems())
            description = f"cannot be used: {faults}" if faults else module.description
        except Exception as problem:  # a field of a manifest is named with its file and line
            reason = problem.reason if isinstance(problem, ModuleIncomplete) else problem
            description = f"cannot be used: {reason}"
        folder = self.finder.folders(role).get(name, name)
        return description.replace(f"{folder}{os.sep}", "")

    def names_of_any(self) -> set[str]:
        """Return the names of all questions of all modules that can be read."""
        names: set[str] = set()
        for role in ("provider", "platform"):
            for name in self.finder.folders(role):
                with contextlib.suppress(RiggerError):
                    module = self.finder.module(role, name)
                    names.update(question.name for question in module.questions)
                    names.update(name for kind in module.types.values() for name in kind)
                    if module.contract.has_own_questions:
                        names |= config_sh.words(module.folder)
        return names

    def left_behind(self, before: Mapping[str, str], after: Mapping[str, str]) -> set[str]:
        """Return the names that only a provider or platform that is no longer chosen knows."""
        try:
            old = (self._before or self)._names(before)
        except RiggerError:  # it cannot be read any more: whatever it left stays
            return set()
        return old - self._names(after)

    def _names(self, values: Mapping[str, str]) -> set[str]:
        provider, platform = self.chosen(values)
        names = {question.name for question in self.questions(values)}
        names.update(*(module.outputs for module in (provider, platform, *self.addons()) if module))
        names.update(DECIDE if self.finder.in_repository(values) else ())
        if self.conversations and provider:
            names |= self.conversations.names(provider)
        own = ("ID", "VERSION", "ROOT")
        return names | ({f"{platform.prefix}_{name}" for name in own} if platform else set())

    def check_names(
        self, names: Mapping[str, str], values: Mapping[str, str], where: str, also: Iterable[str] = ()
    ) -> None:
        """Raise BadUsage for the first name that is no question of the chosen modules."""
        provider, given = self.chosen(values)[0], set[str]()
        if self.conversations and provider:
            given = self.conversations.names(provider)
        asked = (question.name for question in self.questions(values))
        known = list(dict.fromkeys([*asked, *sorted({*also, *given, *SETTINGS})]))
        for name in names:
            if name not in known:
                raise BadUsage(
                    f"There is no variable {name!r} ({where}){did_you_mean(name, known)}.",
                    f"Known: {', '.join(known)}.",
                )

    def _module_question(self, role: str, usual: str, values: Mapping[str, str]) -> Question:
        return module_question(role, usual, values, self.finder.folders(role))


def questionnaire_of(environment: Environment, saved: Mapping[str, str]) -> Questionnaire:
    """Return the modules and questions of an environment with these values, its checkout as it is."""
    source = SavedSource(environment, saved) if is_used(saved) else None
    return Questionnaire(environment.home, source, records=environment, addons=saved.get(LIST, ""))


def asked_by_config_sh(environment: Environment, saved: Mapping[str, str]) -> set[str]:
    """Return the names of what a config.sh (interface 1) asked for, if it gave other values, too."""
    provider, _ = questionnaire_of(environment, saved).chosen(saved)
    if provider is None or not (provider.contract.has_own_questions and provider.outputs):
        return set()
    return {question.name for question in provider.questions}
