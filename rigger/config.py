"""What an environment is configured to be: its two modules, their questions, and the values that hold."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rigger import envfile, modules, template, versions
from rigger import origin as origins
from rigger.environment import Environment
from rigger.errors import BadUsage, InvalidConfig, Refused, RiggerError
from rigger.modules import Module
from rigger.origin import Choosing, Kept
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

if TYPE_CHECKING:
    from rigger.conversation import Conversations

DEFAULT_PLATFORM = "etcd"
DEFAULT_PROVIDER = "local"
DEFAULT_TYPE = "development"
MODULES = ("PLATFORM", "PROVIDER")
LOOKS = ("check", "plan", "audit")  # scripts that make nothing, also where there is nothing
CORE = tuple(name for name in modules.CORE if name != "NAME")  # what a vars file always says


class Catalog:
    """The modules that can be found, and the questions that follow from which of them are chosen."""

    def __init__(self, home: str, origin: Kept | Choosing | None = None):
        self.home = home
        self.origin = origin  # of a platform that lies in a git repository
        self.before: Catalog | None = None  # of what was configured before, where that is changed
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
        own = modules.in_checkout(role, self.home, self._checkout) if os.path.dirname(name) == scripts else []
        return next((module.name for module in own if module.name == os.path.basename(name)), name)

    def _module_of(self, checkout: str | None, role: str, name: str) -> Module:
        key = (role, name, checkout)
        if key not in self._loaded:
            self._loaded[key] = self._recorded(modules.find(role, name, self.home, checkout))
        return self._loaded[key]

    def _recorded(self, module: Module) -> Module:
        """Return a module; one of interface 1 with the questions that it asked when it was configured."""
        if module.interface != 1 or self.records is None:
            return module
        from rigger import conversation

        record = conversation.recorded(self.records, module)
        return replace(module, questions=record.questions, outputs=(*record.given,))

    def chosen(self, values: Mapping[str, str]) -> tuple[Module | None, Module | None]:
        """Return the provider and the platform that the values name, as far as they name them."""
        provider, platform = values.get("PROVIDER"), values.get("PLATFORM")
        self._find_checkout(values)
        return (
            self.module("provider", provider) if provider else None,
            self.module("platform", platform) if platform else None,
        )

    def questions(self, values: Mapping[str, str], live: bool = False) -> list[Question]:
        """Return every question for the values known: rigger's own, then the modules'.

        `live` lets a provider of interface 1 go on asking.
        """
        asked = self._asked_by_config_sh(values, live)
        self._find_checkout(values)
        depends = ("PROVIDER", "PLATFORM", "TYPE", *(origins.DECIDE if self.origin else ()))
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
        return self.origin is not None and (self.origin.comes_first or origins.is_used(values))

    def _find_checkout(self, values: Mapping[str, str]) -> None:
        """Have the platform's checkout at hand, if there is one: modules are looked for in it first."""
        if self._in_repository(values):
            self._checkout = self.origin.folder(values)
            if self._checkout and values.get("PLATFORM"):
                platform = self.module("platform", values["PLATFORM"])
                origins.require_interface(platform, self.origin.version(values))

    def _platform_beforehand(self, values: Mapping[str, str]) -> Module | None:
        """Return the platform of a repository as it is known without a checkout, None where it is not."""
        name = self.origin.platform or self._platform_at(values.get("REPOSITORY") or self.origin.repository)
        with contextlib.suppress(RiggerError):
            return self._module_of(None, "platform", name) if name else None
        return None

    def _platform_at(self, url: str) -> str:
        """Return the platform whose manifest names a repository as its own, nothing where none does."""
        for name in modules.folders("platform", self.home) if url else ():
            with contextlib.suppress(RiggerError):
                known = self._module_of(None, "platform", name).repository
                if known and origins.same_repository(known, url):
                    return name
        return ""

    def _own_platform(self, values: Mapping[str, str]) -> str:
        """Return the platform that the checkout is about, nothing where somebody can be asked.

        Raises Refused where it has no manifest of one, and is not known as the repository of one.
        """
        own = modules.in_checkout("platform", self.home, self._checkout) if self._checkout else []
        known = own[0].name if own else self._platform_at(self.origin.url(values))
        if known or self.origin.platform:
            return known or DEFAULT_PLATFORM
        if self.origin.asks:
            return ""
        raise Refused(
            f"{values.get('CHECKOUT') or self.origin.url(values)} has no manifest of a platform: {modules.MANIFEST} is "
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
        if provider is None or provider.interface != 1:
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
        found = modules.folders(role, self.home, self._checkout)
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
            faults = "; ".join(modules.script_problems(module))
            said = f"cannot be used: {faults}" if faults else module.description
        except Exception as problem:
            said = f"cannot be used: {str(problem).partition('cannot be used: ')[2] or problem}"
        folder = modules.folders(role, self.home, self._checkout).get(name, name)
        return said.replace(f"{folder}{os.sep}", "")

    def names_of_any(self) -> set[str]:
        """Return the names of all questions of all modules that can be read."""
        found: set[str] = set()
        for role in ("provider", "platform"):
            for name in modules.folders(role, self.home, self._checkout):
                with contextlib.suppress(RiggerError):
                    module = self.module(role, name)
                    found.update(question.name for question in module.questions)
                    found.update(name for kind in module.types.values() for name in kind)
                    if module.interface == 1:
                        from rigger import conversation

                        found |= conversation.words(module.folder)
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
        names.update(origins.DECIDE if self._in_repository(values) else ())
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
    catalog = catalog_of(environment, saved)
    require_modules_named(environment, saved)
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
    if origins.is_used(saved):
        values[f"{platform.prefix}_ROOT"] = origins.place(environment, saved)
    values.update(_computed(environment, (provider, platform), values))
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


def _computed(
    environment: Environment, chosen: tuple[Module, ...], values: Mapping[str, str]
) -> dict[str, str]:
    """Return the vars that modules compute from others and from where the environment lies on this machine."""
    found: dict[str, str] = {}
    for module in chosen:
        own = {f"{module.prefix}_ROOT": module.folder} if module.prefix else {}
        known = {**own, **values, **found, **environment.places()}
        for name, source in module.vars.items():
            found[name] = known[name] = template.render(source, known, f"{module.folder}, vars, {name}")
    return found


def write_computed(environment: Environment, config: Config) -> None:
    """Bring the computed vars of an environment's vars file up to date: they hold for one machine only."""
    from rigger.redact import maskable

    names = {*config.provider.vars, *config.platform.vars}
    if not names:
        return
    vars, secrets = environment.vars(), environment.secrets()
    known = maskable(config.secrets)
    hidden = {name for name in names if any(secret in config.values[name] for secret in known)}
    new = {**vars, **{name: config.values[name] for name in names}}
    plain = {name: value for name, value in new.items() if name not in hidden}
    kept = {**secrets, **{name: config.values[name] for name in hidden}}
    if plain != vars or kept != secrets:
        environment.save(plain, kept)


def catalog_of(environment: Environment, saved: Mapping[str, str]) -> Catalog:
    """Return the modules and questions of an environment with these values, its checkout as it is."""
    catalog = Catalog(environment.home, origins.Kept(environment, saved) if origins.is_used(saved) else None)
    catalog.records = environment
    return catalog


def asked_by_config_sh(environment: Environment, saved: Mapping[str, str]) -> set[str]:
    """Return the names of what a config.sh (interface 1) asked for, if it gave other values, too."""
    provider, _ = catalog_of(environment, saved).chosen(saved)
    scripted = provider is not None and provider.interface == 1 and provider.outputs
    return {question.name for question in provider.questions} if scripted else set()


def _modules(environment: Environment, catalog: Catalog, saved: Mapping[str, str]) -> tuple[Module, Module]:
    """Return the two modules of an environment; raises InvalidConfig where one of them went away."""
    try:
        return catalog.chosen(saved)
    except BadUsage as problem:
        if origins.is_used(saved) and not os.path.isdir(origins.place(environment, saved)):
            folder = origins.place(environment, saved)
            raise InvalidConfig(
                f"The platform's repository is not in {folder}, where it should be.",
                origins.ANOTHER_FOLDER
                if saved.get("CHECKOUT")
                else 'Type "rigger checkout" to have it again; "rigger provision" does that too.',
            ) from None
        step = problem.next_step
        if origins.is_cloned(environment, saved):
            step = f'Modules of its repository lie in {origins.place(environment, {})}: "rigger checkout" says what is there.'
        raise InvalidConfig(f"{environment.vars_file}: {problem.message}", step) from None


def identity(vars: Mapping[str, str], platform: Module, root: str = "") -> dict[str, str]:
    """Return <PREFIX>_ID, which tells an environment from others, <PREFIX>_VERSION, and <PREFIX>_ROOT of a checkout."""
    found = {f"{platform.prefix}_ID": vars.get(f"{platform.prefix}_ID") or os.urandom(5).hex()}
    if root:
        found[f"{platform.prefix}_ROOT"] = root
    if vars.get("VERSION"):
        found[f"{platform.prefix}_VERSION"] = vars["VERSION"]
    return found


def require_same_modules(
    environment: Environment, before: Mapping[str, str], after: Mapping[str, str]
) -> None:
    """Raise BadUsage when the provider or platform of a cluster would change while it exists.

    Back to the one that it was made with, from what somebody wrote into the vars file, is no such change.
    """
    recorded = made(environment)
    for name in ("PROVIDER", "PLATFORM"):
        value = recorded.answers.get(name) if recorded else None
        if name in before and before[name] != after.get(name) != value and exists(environment):
            moved = value and os.path.basename(value) == os.path.basename(before[name])
            raise other_module(environment, name, before[name] if moved or not value else value)


def other_module(environment: Environment, name: str, value: str) -> BadUsage:
    """Return the error for another provider or platform than the one that a cluster was made with."""
    return BadUsage(
        f"{environment.name} was made with {name}={value}, which cannot change while it exists.",
        'Type "rigger destroy" first, or make another with "rigger configure --name NAME".',
    )


def exists(environment: Environment) -> bool:
    """Return whether a step was run since the environment was made or destroyed: there may be a cluster."""
    return made(environment) is not None or bool(environment.nodes())


@dataclass(frozen=True)
class Made:
    """What a cluster that exists was made as, by the audit log; empty where an older rigger did not record it."""

    modules: Mapping[str, frozenset[str]]  # PROVIDER and PLATFORM: the names that their manifests say
    ids: frozenset[str]
    id: str  # the last of them
    answers: Mapping[str, str]  # of the last step, secrets apart


def made(environment: Environment) -> Made | None:
    """Return what the cluster of an environment was made as, None where nothing is recorded of one."""
    run: Mapping = {}
    runs: list[Mapping] = []
    answers: Mapping[str, str] = {}
    version = ""
    for record in environment.audit.records():
        if record["event"] == "run-started":
            run = record
            runs += [run] if runs else []
        elif record["event"] == "step-started" and record["step"] not in LOOKS:
            runs = runs or [run]
            answers = record.get("parameters", {})
            version = version if record.get("command") == "upgrade" else answers.get("VERSION", "")
        elif record["event"] == "upgrade-started" and not record.get("rollback"):
            version = record["from"]  # the vars say the new one only when the cluster runs it
        elif record["event"] in ("upgrade-finished", "upgrade-rolled-back"):
            version = record["to"]
        elif record["event"] == "destroyed":
            runs, answers, version = [], {}, ""
    if not runs:
        return None
    ids = [run["id"] for run in runs if run.get("id")]
    plain = {name: value for name, value in answers.items() if not value.startswith("***")}
    return Made(
        {name: frozenset(run[name.lower()] for run in runs if run.get(name.lower())) for name in MODULES},
        frozenset(ids),
        ids[-1] if ids else "",
        {**plain, "VERSION": version} if version else plain,
    )


def id_of(environment: Environment, name: str) -> str:
    """Return an environment's ID, as its vars say it by that name, or its record where they have lost it."""
    recorded = None if (id := environment.vars().get(name)) else made(environment)
    return id or (recorded.id if recorded else "")


def require_modules_named(environment: Environment, vars: Mapping[str, str]) -> None:
    """Raise InvalidConfig, saying how to get it back, where the vars file is gone or does not name both modules."""
    missing = [name for name in MODULES if not vars.get(name)]
    if not missing:
        return
    step = f'Type "rigger configure --name {environment.name}"'
    recorded = made(environment)
    if recorded:
        known = (f"{name}={recorded.answers[name]}" for name in missing if recorded.answers.get(name))
        step += f", which takes what is missing from that record: {', '.join(known) or 'its ID'}"
    if os.path.isfile(environment.vars_file):
        problem = f"{environment.vars_file} does not say which {' and which '.join(missing)}"
        problem += f", but {environment.name} has a record of a cluster" if recorded else ""
    else:
        problem = f"{environment.name} has a record, but no vars file ({environment.vars_file})"
    raise InvalidConfig(f"{problem}.", f"{step}.")


def require_recorded(environment: Environment, config: Config) -> None:
    """Raise InvalidConfig where the vars name another module or ID than the cluster that exists was made with."""
    vars, name = environment.vars(), f"{config.platform.prefix}_ID"
    require_same_cluster(environment, {name: "", **vars}, config.provider, config.platform)
    if not vars.get(name):
        raise InvalidConfig(
            f"{environment.vars_file} has no {name}, by which the machines of {environment.name} are found.",
            f'Type "rigger configure --name {environment.name}" to have one.',
        )


def require_same_cluster(
    environment: Environment, vars: Mapping[str, str], provider: Module | None, platform: Module | None
) -> None:
    """Raise InvalidConfig where vars and their modules mean another cluster than the one that exists.

    Scripts would not find that one: they would make a second one, or destroy nothing and say that all is gone.
    """
    recorded = made(environment)
    if recorded is None:
        return
    _require_same_names(environment, recorded, vars, provider, platform)
    name = f"{platform.prefix}_ID" if platform else ""
    if recorded.ids and vars.get(name, recorded.id) not in recorded.ids:
        raise _not_as_made(environment, name, vars[name], recorded.id)


def _require_same_names(
    environment: Environment,
    recorded: Made,
    vars: Mapping[str, str],
    provider: Module | None,
    platform: Module | None,
) -> None:
    """Raise InvalidConfig for another module; it is known by its name: a home that moved has other paths."""
    for name, module in zip(MODULES, (platform, provider), strict=True):
        known = recorded.modules[name]
        if module and known and module.name not in known:
            before = recorded.answers.get(name) or min(known)
            raise _not_as_made(environment, name, vars.get(name, ""), before)


def _not_as_made(environment: Environment, name: str, value: str, before: str) -> InvalidConfig:
    file = environment.vars_file
    says = f'says {name}="{value}"' if value else f"does not say {name}"
    return InvalidConfig(
        f'{file} {says}, but {environment.name} exists and was made with {name}="{before}".',
        f"Put the line back into {file}: export {name}={envfile.quote(before)} (for another cluster, type "
        '"rigger configure --name NAME").',
    )


def lost(environment: Environment, vars: Mapping[str, str]) -> dict[str, str]:
    """Return what a vars file no longer says of the cluster that exists, as it was recorded.

    That is its modules and its ID; where the modules are gone, so is the rest, and all answers count. Raises
    InvalidConfig where its ID is known nowhere: another one would be another cluster.
    """
    recorded = made(environment)
    if recorded is None:
        return {}
    whole = all(vars.get(name) for name in MODULES)
    found = {} if whole else {name: value for name, value in recorded.answers.items() if not vars.get(name)}
    found |= {name: _where_it_lies(environment, name, found[name]) for name in MODULES if name in found}
    values, provider, platform = {**vars, **found}, None, None
    with contextlib.suppress(RiggerError):  # whoever goes on says what is wrong with it
        provider, platform = catalog_of(environment, values).chosen(values)
    _require_same_names(environment, recorded, values, provider, platform)
    name = f"{platform.prefix}_ID" if platform else ""
    if platform and not vars.get(name):
        found[name] = recorded.id or _saved_id(environment)
        if not found[name]:
            raise InvalidConfig(
                f"{environment.vars_file} has no {name}, by which the machines of {environment.name} are found, "
                "and it is recorded nowhere else.",
                "Put it back: ten hex digits, which the machines' names or tags have. For another cluster, "
                'type "rigger configure --name NAME".',
            )
    return found


def _where_it_lies(environment: Environment, name: str, value: str) -> str:
    """Return a module's recorded name or folder; of a folder that is elsewhere now, the copy that came in a bundle."""
    copy = environment.file("scripts", name.lower(), os.path.basename(value))
    return copy if os.sep in value and not os.path.isdir(value) and os.path.isdir(copy) else value


def _saved_id(environment: Environment) -> str:
    """Return the ID in the newest bundle that an upgrade saved here, nothing where there is none."""
    from rigger import bundle

    with contextlib.suppress(OSError, RiggerError):
        for path in environment.bundles():
            id = bundle.read_manifest(path).fields.get("id")
            if isinstance(id, str):
                return id
    return ""
