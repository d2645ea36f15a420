"""The questions that follow from which modules are chosen."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from rigger.environments.checkout import is_used
from rigger.environments.environment import Environment
from rigger.errors import BadUsage, InvalidConfig, ModuleIncomplete, Refused, RiggerError
from rigger.interface1 import record as interface1_record
from rigger.interface1 import script as config_sh
from rigger.modules import search
from rigger.modules.contract import MANIFEST
from rigger.modules.model import Module
from rigger.modules.search import in_checkout
from rigger.questions.interview import credentials_last
from rigger.questions.model import Choice, Question
from rigger.sources.chooser import SourceChooser
from rigger.sources.compat import require_interface
from rigger.sources.saved import SavedSource
from rigger.sources.spec import DECIDE, same_repository
from rigger.text import did_you_mean
from rigger.versions import newest_first

if TYPE_CHECKING:
    from rigger.interface1.conversations import Conversations

DEFAULT_PLATFORM = "etcd"
DEFAULT_PROVIDER = "local"
DEFAULT_TYPE = "development"


class Questionnaire:
    """The modules that can be found, and the questions that follow from which of them are chosen."""

    def __init__(self, home: str, origin: SavedSource | SourceChooser | None = None):
        self.home = home
        self.origin = origin  # of a platform that lies in a git repository
        self.before: Questionnaire | None = None  # of what was configured before, where that is changed
        self._checkout: str | None = None
        self._loaded: dict[tuple[str, str, str | None], Module] = {}
        self._questions: dict[tuple, list[Question]] = {}
        self.records: Environment | None = None  # knows what providers of interface 1 asked
        self.begin: Callable[[], Conversations] | None = None  # lets them ask; none where nobody configures
        self.conversations: Conversations | None = None  # once one of them was chosen

    def module(self, role: str, name: str) -> Module:
        """Return a module by name or path, reading its manifest once."""
        return self._module_of(self._checkout, role, self._in_checkout_again(role, name))

    def _in_checkout_again(self, role: str, name: str) -> str:
        """Return the name of a module that came in a bundle, if the checkout that did not come along has it now."""
        if not self._checkout or os.sep not in name or self.origin is None:
            return name
        scripts = self.origin.environment.file("scripts", role)
        own = in_checkout(role, self.home, self._checkout) if os.path.dirname(name) == scripts else []
        return next((module.name for module in own if module.name == os.path.basename(name)), name)

    def _module_of(self, checkout: str | None, role: str, name: str) -> Module:
        key = (role, name, checkout)
        if key not in self._loaded:
            self._loaded[key] = self._recorded(search.find(role, name, self.home, checkout))
        return self._loaded[key]

    def _recorded(self, module: Module) -> Module:
        """Return a module; one of interface 1 with the questions that it asked when it was configured."""
        if not module.contract.has_own_questions or self.records is None:
            return module
        record = interface1_record.recorded(self.records, module)
        return replace(module, questions=record.questions, outputs=(*record.given,))

    def chosen(self, values: Mapping[str, str]) -> tuple[Module | None, Module | None]:
        """Return the provider and the platform that the values name, as far as they name them."""
        provider, platform = values.get("PROVIDER"), values.get("PLATFORM")
        self._find_checkout(values)
        return (
            self.module("provider", provider) if provider else None,
            self.module("platform", platform) if platform else None,
        )

    def modules(self, values: Mapping[str, str]) -> tuple[Module, Module]:
        """Return the provider and the platform that the values name; raises InvalidConfig where they name none."""
        provider, platform = self.chosen(values)
        if provider is None or platform is None:
            missing = "PLATFORM" if provider else "PROVIDER"
            raise InvalidConfig(f"{missing} has no value.", 'Type "rigger configure".')
        return provider, platform

    def questions(self, values: Mapping[str, str], live: bool = False) -> list[Question]:
        """Return every question for the values known: rigger's own, then the modules'.

        `live` lets a provider of interface 1 go on asking.
        """
        asked = self._asked_by_config_sh(values, live)
        self._find_checkout(values)
        depends = ("PROVIDER", "PLATFORM", "TYPE", *(DECIDE if self.origin else ()))
        chosen = (tuple(values.get(name) for name in depends), asked)
        if chosen not in self._questions:
            self._questions[chosen] = self._questions_for(values, asked)
        return [*self._questions[chosen]]

    def _questions_for(
        self, values: Mapping[str, str], asked_by_config_sh: tuple[tuple[Question, ...], bool] | None = None
    ) -> list[Question]:
        questions, complete = self._first_questions(values)
        if not complete:
            return questions
        provider, platform = self.chosen(values)
        if platform and platform.versions and not self._in_repository(values):
            questions.append(_version_question(platform))
        questions.append(self._module_question("provider", DEFAULT_PROVIDER, values))
        types = {**(platform.types if platform else {}), **(provider.types if provider else {})}
        if types and provider:
            questions.append(_type_question(types))
        defaults = {}
        for module in (platform, provider):
            defaults.update(module.types.get(values.get("TYPE", ""), {}) if module else {})
        if provider and asked_by_config_sh is not None:
            asked, whole = asked_by_config_sh
            questions += asked
            if not whole:
                return questions
            provider = replace(provider, questions=())
        if provider:
            asked = [question for module in (provider, platform) if module for question in module.questions]
            asked += _backend_questions(provider) if provider.has_terraform else []
            named = {question.name for question in asked}
            implied = {
                name: value for kind in types.values() for name, value in kind.items() if name not in named
            }
            asked += [_implied_question(name, value) for name, value in implied.items()]
            asked = [replace(q, default=defaults[q.name]) if q.name in defaults else q for q in asked]
            questions += credentials_last(asked)
        return questions

    def _first_questions(self, values: Mapping[str, str]) -> tuple[list[Question], bool]:
        """Return the questions for the platform and where it comes from, and whether more can be known by now.

        A repository that was given beforehand comes first: it may bring the platform along.
        """
        origin = self.origin
        if origin is None:
            return [self._module_question("platform", DEFAULT_PLATFORM, values)], True
        if origin.comes_first:
            questions = origin.questions(values, self._platform_beforehand(values))
            if not origin.settled(values):
                return questions, False
            self._find_checkout(values)
            own = self._own_platform(values)
            question = self._module_question("platform", own or DEFAULT_PLATFORM, values)
            return [*questions, question if own else replace(question, advanced=False)], True
        questions = [self._module_question("platform", DEFAULT_PLATFORM, values)]
        name = values.get("PLATFORM")
        platform = (
            self._module_of(None, "platform", name) if name else None
        )  # as it is known without a checkout
        if platform is None or not self._comes_from_repository(platform):
            return questions, True
        return [*questions, *origin.questions(values, platform)], origin.settled(values)

    def _origin_settled(self, values: Mapping[str, str]) -> bool:
        """Return whether it is known where the platform, and with it perhaps the provider, comes from."""
        if self.origin is None or not (self.origin.comes_first or values.get("PLATFORM")):
            return self.origin is None
        if self.origin.comes_first:
            return self.origin.settled(values)
        platform = self.module("platform", values["PLATFORM"])
        return not self._comes_from_repository(platform) or self.origin.settled(values)

    def _comes_from_repository(self, platform: Module) -> bool:
        """Return whether a platform names its repository, and is not the copy of one that came in a bundle."""
        came_along = os.path.dirname(platform.folder) == self.origin.environment.file("scripts", "platform")
        return bool(platform.repository) and not came_along

    def _in_repository(self, values: Mapping[str, str]) -> bool:
        """Return whether the platform comes from a repository."""
        return self.origin is not None and (self.origin.comes_first or is_used(values))

    def _find_checkout(self, values: Mapping[str, str]) -> None:
        """Have the platform's checkout at hand, if there is one: modules are looked for in it first."""
        if self._in_repository(values):
            self._checkout = self.origin.folder(values)
            if self._checkout and values.get("PLATFORM"):
                platform = self.module("platform", values["PLATFORM"])
                require_interface(platform, self.origin.version(values))

    def _platform_beforehand(self, values: Mapping[str, str]) -> Module | None:
        """Return the platform of a repository as it is known without a checkout, None where it is not."""
        name = self.origin.platform or self._platform_at(values.get("REPOSITORY") or self.origin.repository)
        with contextlib.suppress(RiggerError):
            return self._module_of(None, "platform", name) if name else None
        return None

    def _platform_at(self, url: str) -> str:
        """Return the platform whose manifest names a repository as its own, nothing where none does."""
        for name in search.folders("platform", self.home) if url else ():
            with contextlib.suppress(RiggerError):
                known = self._module_of(None, "platform", name).repository
                if known and same_repository(known, url):
                    return name
        return ""

    def _own_platform(self, values: Mapping[str, str]) -> str:
        """Return the platform that the checkout is about, nothing where somebody can be asked.

        Raises Refused where it has no manifest of one, and is not known as the repository of one.
        """
        own = in_checkout("platform", self.home, self._checkout) if self._checkout else []
        known = own[0].name if own else self._platform_at(self.origin.url(values))
        if known or self.origin.platform:
            return known or DEFAULT_PLATFORM
        if self.origin.asks:
            return ""
        raise Refused(
            f"{values.get('CHECKOUT') or self.origin.url(values)} has no manifest of a platform: {MANIFEST} is "
            "not in its root, in rigger/, .rigger/ or contrib/rigger/.",
            'Say which one is meant with --platform NAME, or write one: "rigger platform new NAME".',
        )

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
        if self.begin is None or not values.get("PROVIDER") or not self._origin_settled(values):
            return None
        provider, platform = self.chosen(values)
        if provider is None or not provider.contract.has_own_questions:
            return None
        self.conversations = self.conversations or self.begin()
        if not live:
            return self.conversations.asked(provider)
        if platform is None or (platform.types and "TYPE" not in values):
            return (), False
        return self.conversations.questions(provider, platform, {**self._version(values), **values})

    def _version(self, values: Mapping[str, str]) -> dict[str, str]:
        version = self.origin.version(values) if self.origin and self._in_repository(values) else ""
        return {"VERSION": version} if version else {}

    def _module_question(self, role: str, usual: str, values: Mapping[str, str]) -> Question:
        name = role.upper()
        found = search.folders(role, self.home, self._checkout)
        choices = [Choice(module, "") for module in found]
        if values.get(name) and values[name] not in found:
            choices.append(Choice(values[name]))
        return Question(
            name=name,
            ask={
                "platform": "Which platform should be installed?",
                "provider": "Where should the machines come from?",
            }[role],
            help={
                "platform": "What rigger installs, tests and upgrades on the machines.",
                "provider": "A provider makes the machines; more can be added as folders of scripts.",
            }[role],
            type="select",
            choices=tuple(choices),
            pattern=r"[~./].*/.*|/.*",  # a folder of its own is welcome too
            default=usual if usual in found else (choices[0].value if choices else None),
            advanced=role == "platform",
            changes="none",
            flag=f"--{role}",
            pinned=True,
            origin="rigger",
        )

    def describe(self, question: Question) -> Question:
        """Return a provider or platform question with a description beside each choice.

        Manifests are read only now, when somebody is going to look at them; a broken one says so.
        """
        if question.name == "VERSION" and self.origin:
            return self.origin.describe(question)
        if question.name not in ("PLATFORM", "PROVIDER"):
            return question
        role = question.name.lower()
        return replace(
            question,
            choices=tuple(Choice(c.value, self._description(role, c.value)) for c in question.choices),
        )

    def _description(self, role: str, name: str) -> str:
        try:
            module = self.module(role, name)
            faults = "; ".join(module.script_problems())
            said = f"cannot be used: {faults}" if faults else module.description
        except Exception as problem:  # a field of a manifest is named with its file and line
            reason = problem.reason if isinstance(problem, ModuleIncomplete) else problem
            said = f"cannot be used: {reason}"
        folder = search.folders(role, self.home, self._checkout).get(name, name)
        return said.replace(f"{folder}{os.sep}", "")

    def names_of_any(self) -> set[str]:
        """Return the names of all questions of all modules that can be read."""
        found: set[str] = set()
        for role in ("provider", "platform"):
            for name in search.folders(role, self.home, self._checkout):
                with contextlib.suppress(RiggerError):
                    module = self.module(role, name)
                    found.update(question.name for question in module.questions)
                    found.update(name for kind in module.types.values() for name in kind)
                    if module.contract.has_own_questions:
                        found |= config_sh.words(module.folder)
        return found

    def left_behind(self, before: Mapping[str, str], after: Mapping[str, str]) -> set[str]:
        """Return the names that only a provider or platform that is no longer chosen knows."""
        try:
            old = (self.before or self)._names(before)
        except RiggerError:  # it cannot be read any more: whatever it left stays
            return set()
        return old - self._names(after)

    def _names(self, values: Mapping[str, str]) -> set[str]:
        provider, platform = self.chosen(values)
        names = {question.name for question in self.questions(values)}
        names.update(*(module.outputs for module in (provider, platform) if module))
        names.update(DECIDE if self._in_repository(values) else ())
        if self.conversations and provider:
            names |= self.conversations.names(provider)
        own = ("ID", "VERSION", "ROOT")
        return names | ({f"{platform.prefix}_{name}" for name in own} if platform else set())

    def check_names(self, names: Mapping[str, str], values: Mapping[str, str], where: str, also=()) -> None:
        """Raise BadUsage for the first name that is no question of the chosen modules."""
        provider = self.chosen(values)[0] if self.conversations else None
        given = self.conversations.names(provider) if provider else ()
        asked = (question.name for question in self.questions(values))
        known = list(dict.fromkeys([*asked, *sorted({*also, *given})]))
        for name in names:
            if name not in known:
                raise BadUsage(
                    f"There is no variable {name!r} ({where}){did_you_mean(name, known)}.",
                    f"Known: {', '.join(known)}.",
                )


def _version_question(platform: Module) -> Question:
    newest = newest_first(platform.versions)
    return Question(
        name="VERSION",
        ask=f"Which version of {platform.name}?",
        help="The newest is first. A cluster keeps its version until you change it.",
        type="select",
        choices=tuple(Choice(version, "the newest" if version == newest[0] else "") for version in newest),
        pattern=platform.version_pattern,
        default=newest[0],
        changes="install",
        flag="--version",
        pinned=True,
        origin="rigger",
    )


def _type_question(types: Mapping[str, Mapping[str, str]]) -> Question:
    return Question(
        name="TYPE",
        ask="Which type of cluster?",
        help="A type is a set of defaults; each of them can still be changed.",
        type="select",
        choices=tuple(
            Choice(name, ", ".join(f"{k}={v}" for k, v in kind.items())) for name, kind in types.items()
        ),
        default=DEFAULT_TYPE if DEFAULT_TYPE in types else next(iter(types)),
        changes="none",
        flag="--type",
        pinned=True,
        origin="rigger",
    )


BACKENDS = ("azurerm", "consul", "gcs", "http", "kubernetes", "pg", "s3")  # that Terraform and OpenTofu share


def _backend_questions(provider: Module) -> list[Question]:
    """Return the questions for where a Terraform provider keeps its state: here, or where a team shares it."""
    kinds = ("local", *sorted({*BACKENDS, *provider.terraform.backends}))
    return [
        Question(
            name="TERRAFORM_BACKEND",
            ask="Where should Terraform keep its state?",
            help="In this environment's folder, or in a backend that a team shares.",
            type="select",
            choices=tuple(
                Choice(kind, "this environment's folder" if kind == "local" else "") for kind in kinds
            ),
            default="local",
            advanced=True,
            changes="none",
            origin="rigger",
        ),
        Question(
            name="TERRAFORM_BACKEND_CONFIG",
            ask="Which settings has that backend?",
            help="name=value, separated by blanks. Its credentials come from its own variables, such as AWS_PROFILE.",
            optional=True,
            when="{{ TERRAFORM_BACKEND | default('local') != 'local' }}",
            changes="none",
            origin="rigger",
        ),
    ]


def _implied_question(name: str, value: str) -> Question:
    """Return the question for a value that cluster types set and no question asks for."""
    kind = "integer" if value.isdigit() else "text"
    return Question(name=name, ask=f"{name}?", type=kind, advanced=True, origin="rigger", default=value)


def questionnaire_of(environment: Environment, saved: Mapping[str, str]) -> Questionnaire:
    """Return the modules and questions of an environment with these values, its checkout as it is."""
    catalog = Questionnaire(environment.home, SavedSource(environment, saved) if is_used(saved) else None)
    catalog.records = environment
    return catalog


def asked_by_config_sh(environment: Environment, saved: Mapping[str, str]) -> set[str]:
    """Return the names of what a config.sh (interface 1) asked for, if it gave other values, too."""
    provider, _ = questionnaire_of(environment, saved).chosen(saved)
    scripted = provider is not None and provider.contract.has_own_questions and provider.outputs
    return {question.name for question in provider.questions} if scripted else set()
