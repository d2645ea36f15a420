"""What an environment is configured to be: its two modules, their questions, and the values that hold."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace

from rigger import modules, versions
from rigger.environment import Environment
from rigger.errors import BadUsage, InvalidConfig, RiggerError
from rigger.modules import Module
from rigger.questions import (
    Answer,
    Choice,
    Interview,
    Question,
    Sources,
    credentials_last,
    did_you_mean,
    saved_problem,
)

DEFAULT_PLATFORM = "etcd"
DEFAULT_PROVIDER = "local"
DEFAULT_TYPE = "development"
CORE = tuple(name for name in modules.CORE if name != "NAME")  # what a vars file always says


class Catalog:
    """The modules that can be found, and the questions that follow from which of them are chosen."""

    def __init__(self, home: str):
        self.home = home
        self._loaded: dict[tuple[str, str], Module] = {}
        self._questions: dict[tuple, list[Question]] = {}

    def module(self, role: str, name: str) -> Module:
        """Return a module by name or path, reading its manifest once."""
        if (role, name) not in self._loaded:
            self._loaded[role, name] = modules.find(role, name, self.home)
        return self._loaded[role, name]

    def chosen(self, values: Mapping[str, str]) -> tuple[Module | None, Module | None]:
        """Return the provider and the platform that the values name, as far as they name them."""
        provider, platform = values.get("PROVIDER"), values.get("PLATFORM")
        return (
            self.module("provider", provider) if provider else None,
            self.module("platform", platform) if platform else None,
        )

    def questions(self, values: Mapping[str, str]) -> list[Question]:
        """Return every question for the values known: rigger's own, then the modules'."""
        chosen = tuple(
            values.get(name) for name in ("PROVIDER", "PLATFORM", "TYPE")
        )  # all that they depend on
        if chosen not in self._questions:
            self._questions[chosen] = self._questions_for(values)
        return [*self._questions[chosen]]

    def _questions_for(self, values: Mapping[str, str]) -> list[Question]:
        provider, platform = self.chosen(values)
        questions = [self._module_question("platform", DEFAULT_PLATFORM, values)]
        if platform and platform.versions:
            questions.append(_version_question(platform))
        questions.append(self._module_question("provider", DEFAULT_PROVIDER, values))
        types = {**(platform.types if platform else {}), **(provider.types if provider else {})}
        if types and provider:
            questions.append(_type_question(types))
        defaults = {}
        for module in (platform, provider):
            defaults.update(module.types.get(values.get("TYPE", ""), {}) if module else {})
        if provider:
            asked = [question for module in (provider, platform) if module for question in module.questions]
            named = {question.name for question in asked}
            implied = {
                name: value for kind in types.values() for name, value in kind.items() if name not in named
            }
            asked += [_implied_question(name, value) for name, value in implied.items()]
            asked = [replace(q, default=defaults[q.name]) if q.name in defaults else q for q in asked]
            questions += credentials_last(asked)
        return questions

    def _module_question(self, role: str, usual: str, values: Mapping[str, str]) -> Question:
        name = role.upper()
        found = modules.folders(role, self.home)
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
        if question.name not in ("PLATFORM", "PROVIDER"):
            return question
        role = question.name.lower()
        return replace(
            question,
            choices=tuple(Choice(c.value, self._description(role, c.value)) for c in question.choices),
        )

    def _description(self, role: str, name: str) -> str:
        try:
            return self.module(role, name).description
        except Exception as problem:
            return f"cannot be used: {problem}"

    def names_of_any(self) -> set[str]:
        """Return the names of all questions of all modules that can be read."""
        found: set[str] = set()
        for role in ("provider", "platform"):
            for name in modules.folders(role, self.home):
                with contextlib.suppress(RiggerError):
                    module = self.module(role, name)
                    found.update(question.name for question in module.questions)
                    found.update(name for kind in module.types.values() for name in kind)
        return found

    def left_behind(self, before: Mapping[str, str], after: Mapping[str, str]) -> set[str]:
        """Return the names that only a provider or platform that is no longer chosen knows."""
        try:
            old = self._names(before)
        except RiggerError:  # it cannot be read any more: whatever it left stays
            return set()
        return old - self._names(after)

    def _names(self, values: Mapping[str, str]) -> set[str]:
        provider, platform = self.chosen(values)
        names = {question.name for question in self.questions(values)}
        names.update(*(module.outputs for module in (provider, platform) if module))
        return names | ({f"{platform.prefix}_ID", f"{platform.prefix}_VERSION"} if platform else set())

    def check_names(self, names: Mapping[str, str], values: Mapping[str, str], where: str, also=()) -> None:
        """Raise BadUsage for the first name that is no question of the chosen modules."""
        known = list(dict.fromkeys([*(question.name for question in self.questions(values)), *sorted(also)]))
        for name in names:
            if name not in known:
                raise BadUsage(
                    f"There is no variable {name!r} ({where}){did_you_mean(name, known)}.",
                    f"Known: {', '.join(known)}.",
                )


def _version_question(platform: Module) -> Question:
    newest = versions.newest_first(platform.versions)
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


def _implied_question(name: str, value: str) -> Question:
    """Return the question for a value that cluster types set and no question asks for."""
    kind = "integer" if value.isdigit() else "text"
    return Question(name=name, ask=f"{name}?", type=kind, advanced=True, origin="rigger", default=value)


@dataclass(frozen=True)
class Config:
    """A valid configuration: what a run works with."""

    provider: Module
    platform: Module
    questions: tuple[Question, ...]
    answers: Mapping[str, Answer]
    values: Mapping[str, str]  # what scripts get: answers, defaults, and what earlier steps gave back
    secrets: Mapping[str, str]  # the part of `values` that must never be shown

    def __repr__(self) -> str:
        return f"Config({self.platform.name} on {self.provider.name})"

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


def resolve(environment: Environment, changed: Mapping[str, str] | None = None) -> Config:
    """Return the configuration that an environment's files describe; raises InvalidConfig.

    `changed` replaces saved values, to see what would hold if they were saved.
    """
    vars, secret_vars = environment.vars(), environment.secrets()
    saved = {**vars, **secret_vars, **(changed or {})}
    catalog = Catalog(environment.home)
    for name in ("PLATFORM", "PROVIDER"):
        if not saved.get(name):
            raise InvalidConfig(
                f"{environment.vars_file} does not say which {name}.", 'Type "rigger configure".'
            )
    provider, platform = _modules(environment, catalog, saved)
    interview = Interview(catalog.questions, Sources(saved=saved), take_defaults=True)
    missing = interview.missing()
    for question in missing:
        if question.name in interview.set_aside:
            raise saved_problem(question, interview.set_aside[question.name], environment.vars_file)
    if missing:
        names = ", ".join(question.name for question in missing)
        raise InvalidConfig(
            f"Environment {environment.name} has no value for {names}.",
            'Type "rigger configure" to be asked, or "rigger config set NAME=VALUE".',
        )
    questions = tuple(interview.applicable())
    every = {question.name for question in catalog.questions(interview.values())}
    kept = {name: value for name, value in saved.items() if name not in every}
    values = {**kept, **interview.values()}
    if "VERSION" in values:
        values[f"{platform.prefix}_VERSION"] = values["VERSION"]
    hidden = {question.name for question in questions if question.secret} | set(secret_vars)
    answers = {
        question.name: interview.answers[question.name]
        for question in questions
        if question.name in interview.answers
    }
    return Config(
        provider,
        platform,
        questions,
        answers,
        values,
        {name: values[name] for name in hidden if name in values},
    )


def _modules(environment: Environment, catalog: Catalog, saved: Mapping[str, str]) -> tuple[Module, Module]:
    """Return the two modules of an environment; raises InvalidConfig where one of them went away."""
    try:
        return catalog.chosen(saved)
    except BadUsage as problem:
        raise InvalidConfig(f"{environment.vars_file}: {problem.message}", problem.next_step) from None


def identity(vars: Mapping[str, str], platform: Module) -> dict[str, str]:
    """Return <PREFIX>_ID, which tells an environment from others, and <PREFIX>_VERSION."""
    found = {f"{platform.prefix}_ID": vars.get(f"{platform.prefix}_ID") or os.urandom(5).hex()}
    if vars.get("VERSION"):
        found[f"{platform.prefix}_VERSION"] = vars["VERSION"]
    return found


def require_same_modules(
    environment: Environment, before: Mapping[str, str], after: Mapping[str, str]
) -> None:
    """Raise BadUsage when the provider or platform of a cluster would change while it exists."""
    for name in ("PROVIDER", "PLATFORM"):
        if name in before and before[name] != after.get(name) and exists(environment):
            raise other_module(environment, name, before[name])


def other_module(environment: Environment, name: str, value: str) -> BadUsage:
    """Return the error for another provider or platform than the one that a cluster was made with."""
    return BadUsage(
        f"{environment.name} was made with {name}={value}, which cannot change while it exists.",
        'Type "rigger destroy" first, or make another with "rigger configure --name NAME".',
    )


def exists(environment: Environment) -> bool:
    """Return whether a step was run since the environment was made or destroyed: there may be a cluster."""
    made = False
    for record in environment.audit.records():
        if record["event"] == "step-started":
            made = made or record["step"] != "check"  # a look at nothing makes nothing
        elif record["event"] == "destroyed":
            made = False
    return made or bool(environment.nodes())
