"""Get, set, unset and compare single values of an environment."""

from __future__ import annotations

import contextlib

from rigger.audit.secrets import HIDDEN, is_hidden
from rigger.configuration.change import validated
from rigger.configuration.questionnaire import asked_by_config_sh
from rigger.configuration.resolve import CORE, resolve, write_computed
from rigger.configuration.version import version_change
from rigger.environments.answers import answers_of, outputs_of, save_answers
from rigger.environments.checkout import is_cloned
from rigger.environments.recorded import configured
from rigger.environments.state import state_of
from rigger.errors import BadUsage, RiggerError
from rigger.plans import changes as plan_changes
from rigger.runs import own_folder
from rigger.runs.programs import run_program
from rigger.sources.change import derive_changes
from rigger.sources.spec import DECIDE
from rigger.text import did_you_mean
from rigger.values import field, frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping
    from typing import Any

    from rigger.configuration.config import Config
    from rigger.configuration.version import VersionChange
    from rigger.environments.environment import Environment


@frozen
class Value:
    """A value of the configuration."""

    name: str
    value: str = field(repr=False)
    source: str = ""  # set, default, or from scripts
    given_by: str = ""  # the step that gave another value than was answered: role/module/verb
    answered: str | None = field(default=None, repr=False)

    def as_dict(self) -> dict[str, Any]:
        return Values((self,)).as_dict()

    @property
    def giver(self) -> str:
        """The step that gave it, as people say it: `aws create`."""
        return giver(self.given_by)

    def hidden(self) -> dict[str, Any]:
        """Return the answer that an output hides, and which step gave that, nothing where none does."""
        return {"given_by": self.given_by, "answered": self.answered} if self.given_by else {}


@frozen
class Values:
    """All values of the configuration, by name."""

    values: tuple[Value, ...]

    def as_dict(self) -> dict[str, Any]:
        rows = [{"name": v.name, "value": v.value, "source": v.source, **v.hidden()} for v in self.values]
        return {"values": rows}


@frozen
class ValidChange:
    """Values that are to be saved, in the form in which they are, and the names of those that go; which are secret."""

    values: Mapping[str, str] = field(repr=False)
    gone: frozenset[str]
    secret_names: frozenset[str]


@frozen
class ChangedValues:
    """What became of values that were to be changed."""

    environment: Environment
    changed: tuple[str, ...] = ()  # their names
    next: tuple[str, ...] = ()  # the commands that carry the change out
    held_back: tuple[Value, ...] = ()  # outputs that hide a new answer until the next provision
    mended: bool = False  # whether a vars file can be read again that could not be
    version_change: VersionChange | None = None  # where another version is configured than runs

    def as_dict(self) -> dict[str, Any]:
        return {
            "environment": self.environment.name,
            "changed": list(self.changed),
            "next": list(self.next),
        }


@frozen
class Differences:
    """The values that the cluster was not provisioned with: name -> (provisioned, configured), None where there is none."""

    changes: Mapping[str, tuple[str | None, str | None]]
    not_compared: tuple[str, ...] = ()  # secrets by reference, which were not looked up

    def as_dict(self) -> dict[str, Any]:
        changes = {n: {"provisioned": old, "configured": new} for n, (old, new) in self.changes.items()}
        return {"changes": changes}


def get_value(environment: Environment, name: str, show_secrets: bool = False) -> Value:
    """Return a value; raises BadUsage where there is none, or where it is a secret that is not to be shown."""
    config = resolve(environment)
    if name not in config.values:
        known = {*(question.name for question in config.questions), *config.values}
        raise BadUsage(
            f"{name} has no value{did_you_mean(name, known)}.", f"Known: {', '.join(sorted(known))}."
        )
    if name in config.secrets and not show_secrets:
        raise BadUsage(f"{name} is a secret.", "Add --show-secrets to print it.")
    return _value(config, name)


def list_values(environment: Environment, show_secrets: bool = False) -> Values:
    """Return all values with where each comes from, secrets hidden unless they are to be shown."""
    config = resolve(environment)
    masked = frozenset[str]() if show_secrets else config.secrets.keys()
    return Values(tuple(_value(config, name, masked) for name in sorted(config.values)))


def set_values(environment: Environment, values: Mapping[str, str]) -> ChangedValues:
    """Set values, and what follows from them; raises BadUsage for one that is not valid."""
    with environment.locked("rigger config set"):
        return change_values(environment, values)


def unset_values(environment: Environment, names: Iterable[str]) -> ChangedValues:
    """Take values back, so that their defaults hold; raises BadUsage where one is not set, or has to be."""
    names = [*names]
    with environment.locked("rigger config unset"):
        saved, outputs = answers_of(environment), outputs_of(environment)
        for name in names:
            if name not in saved and name in outputs.hidden:
                raise BadUsage(
                    f"{name} is not set in {environment.name}: {giver(outputs.steps[name])} gave it.",
                    "It goes when another answer is provisioned, and when the cluster is destroyed.",
                )
            if name not in saved:
                raise BadUsage(
                    f"{name} is not set in {environment.name}{did_you_mean(name, saved)}.",
                    f"Set: {', '.join(sorted(saved))}.",
                )
            if name in CORE:
                raise BadUsage(f"{name} cannot be unset.", f'Set another: "rigger config set {name}=...".')
        return change_values(environment, {}, names)


def compare_values(environment: Environment) -> Differences:
    """Compare the configuration with what the cluster was last provisioned with; secrets are not shown."""
    config = resolve(environment)
    changes = plan_changes.unprovisioned(config, state_of(environment).steps, environment.key())
    shown = {name: _shown(old, new) for name, (old, new) in changes.items()}
    return Differences(shown, tuple(sorted(config.unknown & config.answers.keys())))


def change_values(
    environment: Environment, values: Mapping[str, str], removed: Iterable[str] = ()
) -> ChangedValues:
    """Validate, then save values and take others back, where the lock is held; record the names of what changed.

    Raises BadUsage, InvalidConfig or NotReady for what is not valid: nothing was changed then.
    """
    return carry_out(environment, valid_change(environment, values, removed))


def valid_change(
    environment: Environment, values: Mapping[str, str], removed: Iterable[str] = ()
) -> ValidChange:
    """Return a change of values as it would be saved; raises BadUsage, InvalidConfig or NotReady."""
    given, replaced = derive_changes(environment.vars(), values, environment.cache_dir)
    gone = [*removed, *replaced]
    valid, secret_names = validated(environment, given, gone, run_program)
    return ValidChange(valid, frozenset(gone), secret_names)


def carry_out(environment: Environment, change: ValidChange) -> ChangedValues:
    """Save a change, where the lock is held, and record the names of what changed."""
    old = answers_of(environment)
    new = {name: value for name, value in old.items() if name not in change.gone} | {**change.values}
    record = configured(environment, "rigger config", old, new)
    changed = tuple(record.changed) if record else ()
    if record:
        own_folder.take_over(environment)  # of the folder that the provider has until now
        environment.audit.append(record)
        save_answers(environment, new, change.secret_names)
        rewrite_computed(environment)
    held_back = _held_back(environment, changed) if changed else ()
    wish = version_change(environment, new) if {*DECIDE} & {*changed} else None
    return ChangedValues(
        environment,
        changed,
        _next_commands(environment, new, changed, wish),
        held_back,
        version_change=wish,
    )


def rewrite_computed(environment: Environment) -> None:
    """Bring computed vars up to date where that can be; the next command says what is missing otherwise."""
    with contextlib.suppress(RiggerError):
        write_computed(environment, resolve(environment))


def _next_commands(
    environment: Environment,
    values: Mapping[str, str],
    changed: Iterable[str],
    wish: VersionChange | None,
) -> tuple[str, ...]:
    """Return the commands that carry a change out."""
    changed = {*changed}
    if wish:
        others = any(name not in DECIDE and not name.endswith(("_VERSION", "_ROOT")) for name in changed)
        return (wish.command, "rigger provision") if others else (wish.command,)
    elsewhere = is_cloned(environment, values) and bool(changed.intersection(DECIDE))
    # A config.sh may work other values out of one that it asked for.
    conversation = bool(asked_by_config_sh(environment, values) & changed)
    commands = {"rigger checkout": elsewhere, "rigger configure": conversation, "rigger provision": True}
    return tuple(command for command, needed in commands.items() if needed)


def _held_back(environment: Environment, changed: Iterable[str]) -> tuple[Value, ...]:
    """Return the changed answers that steps gave other values for, which the cluster that exists was made with."""
    hidden = {*outputs_of(environment).hidden}.intersection(changed)
    if not hidden:
        return ()
    with contextlib.suppress(RiggerError):
        config = resolve(environment)
        values = (_value(config, name, config.secrets) for name in sorted(hidden))
        return tuple(value for value in values if value.given_by)
    return ()


def _value(config: Config, name: str, masked: Container[str] = ()) -> Value:
    shown = HIDDEN if name in masked else config.values[name]
    if name not in config.outputs.hidden or config.values[name] == config.held.get(name):
        return Value(name, shown, _source(config, name))
    answered = config.held.get(name)
    answered = HIDDEN if answered is not None and name in masked else answered
    return Value(name, shown, "from scripts", config.outputs.steps[name], answered)


def giver(step: str) -> str:
    """Return which step gave a value, as people say it: role/module/verb is `module verb`."""
    return step.partition("/")[2].replace("/", " ", 1)


def _source(config: Config, name: str) -> str:
    if name not in config.answers:
        return "from scripts"
    return "set" if config.answers[name].explicit else "default"


def _shown(*change: str | None) -> plan_changes.Change:
    """Return a changed value; of what is or was a secret, not even the digest by which a change is noticed."""
    hidden = any(map(is_hidden, change))
    old, new = (HIDDEN if hidden and value is not None else value for value in change)
    return old, new
