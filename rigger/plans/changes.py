"""Which values changed since a step ran with them."""

from __future__ import annotations

from rigger.audit.secrets import is_hidden, secret_digest
from rigger.text import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from rigger.audit.steps import StepHistory, StepRun
    from rigger.configuration.config import Config
    from rigger.modules.model import Module
    from rigger.questions.model import Question

Change = tuple[str | None, str | None]  # what a value was and what it is, None: unset

LONGEST_SHOWN = 40  # characters of a value, in a reason


# What a step was run with


def recorded_parameters(config: Config, key: bytes) -> dict[str, str]:
    """Return the values of all questions as the audit log keeps them: a secret as its `secret_digest`.

    Those of a step are the ones that it sees: `config.seen_by(module, verb)`.
    """
    hidden = {
        n: secret_digest(key, v) for n, v in config.values_of_questions().items() if n in config.secrets
    }
    return {**config.parameters(), **hidden}


def values_of_step(config: Config, module: Module, verb: str) -> list[str]:
    """Return the names of the questions whose change makes a step run again."""
    if module.role == "addon":
        own = [question.name for question in config.questions if question.owner == module.name]
        return [name for name in own if _is_of(config.question(name), verb)]
    return [
        question.name
        for question in config.questions
        if not question.owner and _concerns(config, question, module.role, verb)
    ]


def _concerns(config: Config, question: Question, role: str, verb: str) -> bool:
    """Return whether a change of a provider's or a platform's question makes a step of one of them run again."""
    if question.changes in ("create", "replace"):
        return (role, verb) == ("provider", "create")
    if question.changes == "deploy":
        return (role, verb) == ("platform", "deploy")
    if question.changes != "install":
        return False
    of_platform = question.folder == config.platform.folder or question.name == "VERSION"
    if of_platform and role == "platform" and verb in ("deploy", "setup-clients"):
        return True
    return (role, verb) == ("platform" if of_platform else "provider", "install")


def _is_of(question: Question | None, verb: str) -> bool:
    """Return whether a change of an add-on's question makes a step of it run again."""
    changes = question.changes if question else "none"
    return changes != "none" and verb in (("install", "apply") if changes == "install" else ("apply",))


def changed_values(
    config: Config, module: Module, verb: str, parameters: Mapping[str, str], before: Mapping[str, str]
) -> dict[str, Change]:
    """Return the questions that a step hangs on and whose value is not what it was: name -> (old or None, new or None)."""
    if before == parameters:  # which is compared at once, also where there are thousands
        return {}
    names = values_of_step(config, module, verb)
    changes = {n: (before.get(n), parameters.get(n)) for n in names if before.get(n) != parameters.get(n)}
    # What came to be a secret since the step ran stands there as it was.
    return {
        n: (old, new)
        for n, (old, new) in changes.items()
        if not (n in config.secrets and n in config.answers and old == config.secrets[n])
        and n not in config.unknown  # it is compared once a run has looked it up
    }


def unprovisioned(config: Config, history: StepHistory, key: bytes) -> dict[str, Change]:
    """Return the values that a step which they concern has not run with yet: name -> (old or None, new or None)."""
    return _changed_since(config, history.done, key)


def configured_since(config: Config, history: StepHistory, key: bytes) -> dict[str, Change]:
    """Return the values that were configured since the steps which they concern ran: the cluster was not made with them.

    A step that never ended well counts by its last attempt. The version is none of them: only an upgrade changes it.
    """
    changed = _changed_since(config, {**history.last, **history.done}, key, begun=True)
    return {name: change for name, change in changed.items() if name != "VERSION"}


def _changed_since(
    config: Config, runs: Mapping[str, StepRun], key: bytes, begun: bool = False
) -> dict[str, Change]:
    """Return the values that are not those of the runs of the steps which they concern; `begun`: of those that ran."""
    changed: dict[str, Change] = {}
    for module, verb in (
        (config.provider, "install"),
        (config.provider, "create"),
        (config.platform, "install"),
        (config.platform, "deploy"),
        *((module, "apply") for module in config.addons),
    ):
        run = runs.get(f"{module.role}/{module.name}/{verb}")
        if run is None and begun:
            continue
        parameters = recorded_parameters(config.seen_by(module, verb), key)
        changed.update(changed_values(config, module, verb, parameters, run.parameters if run else {}))
    return changed


def say_changes(changes: Mapping[str, Change]) -> str:
    def shown(value: str | None) -> str:
        if value is None:
            return "unset"
        if is_hidden(value):
            return "a new value"
        value = plain(value) or "empty"
        return value if len(value) <= LONGEST_SHOWN else f"{value[:LONGEST_SHOWN]}..."

    return ", ".join(
        f"{name} is new" if is_hidden(old) or is_hidden(new) else f"{name} {shown(old)} -> {shown(new)}"
        for name, (old, new) in changes.items()
    )
