"""From an environment's stored values to its configuration, with defaults and computed values."""

from __future__ import annotations

import os

from rigger import templates
from rigger.configuration.addons import LIST, ordered, require_no_circle
from rigger.configuration.config import Config
from rigger.configuration.identity import require_modules_named
from rigger.configuration.questionnaire import Questionnaire, questionnaire_of
from rigger.environments import checkout
from rigger.environments.answers import outputs_of
from rigger.environments.checkout import is_cloned, is_used
from rigger.errors import BadUsage, InvalidConfig
from rigger.modules import contract
from rigger.questions.interview import Interview
from rigger.questions.missing import saved_problem
from rigger.questions.secrecy import is_made_of, secret_names
from rigger.questions.sources import Sources
from rigger.redact.known import hide
from rigger.redact.nested import holding
from rigger.redact.references import is_reference, look_up
from rigger.sources.questions import without_empty
from rigger.sources.spec import ANOTHER_FOLDER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from rigger.environments.environment import Environment
    from rigger.modules.model import Module

CORE = tuple(name for name in contract.CORE if name != "NAME")  # what a vars file always says


def resolve(environment: Environment, changed: Mapping[str, str] | None = None) -> Config:
    """Return the configuration that an environment's files describe; raises InvalidConfig.

    `changed` replaces saved values, to see what would hold if they were saved; an empty one is taken away.
    """
    secret_vars, outputs = environment.secrets(), outputs_of(environment)
    saved = without_empty(outputs.answers(environment.values()), changed or {})
    questionnaire = questionnaire_of(environment, saved)
    require_modules_named(environment, saved)
    provider, platform = _modules(environment, questionnaire, saved)
    interview = _answered(environment, questionnaire, saved)
    questions = tuple(interview.applicable())
    every = {question.name for question in questionnaire.questions(interview.values())}
    kept = {name: value for name, value in saved.items() if name not in every}
    held = {**kept, **interview.values()}
    if "VERSION" in held:
        held[f"{platform.prefix}_VERSION"] = held["VERSION"]
    if is_used(saved):
        held[f"{platform.prefix}_ROOT"] = checkout.place(environment, saved)
    values = outputs.over(held)
    hidden = secret_names(questions, interview.meant(), secret_vars)
    unknown = frozenset(interview.unknown())
    addons = _addons(environment, questionnaire, (provider, platform))
    values.update(computed(environment, (provider, platform, *addons), values, hidden))
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
        _secrets(values, hidden - unknown),
        held,
        outputs,
        frozenset(every | given_by_config_sh(provider)),
        unknown,
        addons,
    )


def look_up_references(environment: Environment) -> None:
    """Look up the secrets that an environment has references to, as steps need them; raises NotReady, nothing ran.

    They are kept as long as this object, and stored nowhere.
    """
    saved = outputs_of(environment).answers(environment.values())
    environment.looked_up.clear()
    if not any(map(is_reference, saved.values())):
        return
    questionnaire = questionnaire_of(environment, saved)
    # One that went away is the reason, not the answer that names it.
    _modules(environment, questionnaire, saved)
    interview = _answered(environment, questionnaire, saved)
    while new := {n: r for n, r in interview.references().items() if r not in environment.looked_up}:
        for name, reference in new.items():
            if reference not in environment.looked_up:  # two questions may have the same one
                environment.looked_up[reference] = look_up(name, reference)
        interview = _answered(environment, questionnaire_of(environment, saved), saved)
    hide(environment.looked_up)


def _answered(environment: Environment, questionnaire: Questionnaire, saved: Mapping[str, str]) -> Interview:
    """Return the answers that hold, with their defaults; raises InvalidConfig for one that is missing or wrong."""
    interview = Interview(
        questionnaire.questions, Sources(saved=saved), take_defaults=True, looked_up=environment.looked_up
    )
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
    return interview


def given_by_config_sh(provider: Module) -> set[str]:
    """Return the names of what a config.sh (interface 1) gave: they are answers, too."""
    return set(provider.outputs) if provider.contract.has_own_questions else set()


def _secrets(values: Mapping[str, str], hidden: set[str]) -> dict[str, str]:
    """Return the values that are secrets by name, and those that have one of them in it."""
    secrets = {name: values[name] for name in hidden if name in values}
    held = holding(values, secrets.values(), layers=False)
    secrets |= {name: values[name] for name in values if name in held}
    hide(secrets)
    return secrets


def computed(
    environment: Environment, chosen: tuple[Module, ...], values: Mapping[str, str], hidden: set[str]
) -> dict[str, str]:
    """Return the vars that modules compute from others, and from where the environment lies on this machine.

    Those that are made of a secret are added to `hidden`.
    """
    rendered: dict[str, str] = {}
    for module in chosen:
        own = {f"{module.prefix}_ROOT": module.folder} if module.prefix else {}
        known = {**own, **values, **rendered, **environment.shell.places()}
        for name, source in module.vars.items():
            where = f"{module.folder}, vars, {name}"
            if is_made_of(source, known, hidden, where):
                hidden.add(name)
            rendered[name] = known[name] = templates.render(source, known, where)
    return rendered


def write_computed(environment: Environment, config: Config) -> None:
    """Bring the computed vars of an environment's vars file up to date: they hold for one machine only."""
    names = {name for module in config.modules for name in module.vars}
    if not names:
        return
    looked_up = [*environment.looked_up.values(), *(config.values[name] for name in config.unknown)]
    rendered = {name: config.values[name] for name in names}
    # What a looked-up secret went into is worked out whenever a step needs it, and stored nowhere.
    passing = {name for name, value in rendered.items() if any(secret in value for secret in looked_up)}
    kept = {n: v for n, v in {**environment.values(), **rendered}.items() if n not in passing}
    environment.save_values(kept, config.secrets)


def _addons(
    environment: Environment, questionnaire: Questionnaire, base: tuple[Module, ...]
) -> tuple[Module, ...]:
    """Return the add-ons in order; raises InvalidConfig where one went away, or they require each other in a circle."""
    try:
        addons, order = ordered(base, questionnaire.addons())
    except BadUsage as problem:
        raise InvalidConfig(
            f"{environment.vars_file}: {problem.message}",
            f"Put it back where it was. {LIST} in that file names the add-ons. {problem.next_step}",
        ) from None
    require_no_circle(order)
    return addons


def _modules(
    environment: Environment, questionnaire: Questionnaire, saved: Mapping[str, str]
) -> tuple[Module, Module]:
    """Return the two modules of an environment; raises InvalidConfig where one of them went away."""
    try:
        return questionnaire.modules(saved)
    except BadUsage as problem:
        if is_used(saved) and not os.path.isdir(checkout.place(environment, saved)):
            folder = checkout.place(environment, saved)
            raise InvalidConfig(
                f"The platform's repository is not in {folder}, where it should be.",
                ANOTHER_FOLDER
                if saved.get("CHECKOUT")
                else 'Type "rigger checkout" to have it again; "rigger provision" does that too.',
            ) from None
        step = problem.next_step
        if is_cloned(environment, saved):
            step = f'Modules of its repository are in {checkout.place(environment, {})}: "rigger checkout" says what is there.'
        raise InvalidConfig(f"{environment.vars_file}: {problem.message}", step) from None
