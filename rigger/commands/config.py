"""rigger config"""

import os

import click

from rigger import text as texts
from rigger.audit.secrets import HIDDEN
from rigger.audit.steps import History
from rigger.cli.app import App, command, group
from rigger.configuration import resolve
from rigger.configuration.config import Config
from rigger.configuration.resolve import CORE
from rigger.envfile import file as envfile
from rigger.environments.environment import COMPUTED, Environment
from rigger.errors import BadUsage, DifferencesFound
from rigger.files import unlink_if_there
from rigger.operations import edit as operations_edit
from rigger.operations.edit import Draft, editor_command, problem_in, text_to_edit, write_changes
from rigger.plans import changes as plans_changes


@group("config")
def config():
    pass


@config.add_command
@command("get", reports=True)
@click.argument("name", required=False)
@click.option("--show-secrets", is_flag=True, help="Print secrets as they are.")
def get(app: App, name: str | None, show_secrets: bool):
    """Print the value of NAME, or all values with where each comes from."""
    settled = resolve.resolve(app.environment())
    if name is None:
        _print_all(app, settled, show_secrets)
        return
    if name not in settled.values:
        known = {*(question.name for question in settled.questions), *settled.values}
        raise BadUsage(f"{name} has no value.", f"Known: {', '.join(sorted(known))}.")
    if name in settled.secrets and not show_secrets:
        raise BadUsage(f"{name} is a secret.", "Add --show-secrets to print it.")
    if app.json:
        app.printer.report({name: settled.values[name]})
        return
    app.printer.data(texts.encode(settled.values[name]) + b"\n")


def _print_all(app: App, settled: Config, show_secrets: bool) -> None:
    rows = []
    for name in sorted(settled.values):
        hidden = name in settled.secrets and not show_secrets
        source = "default" if name in settled.answers and not settled.answers[name].explicit else "set"
        source = source if name in settled.answers else "from scripts"
        rows.append({"name": name, "value": HIDDEN if hidden else settled.values[name], "source": source})
    if app.json:
        app.printer.report(rows)
    else:
        app.printer.table(
            [(row["name"], row["source"], row["value"]) for row in rows], headers=("name", "source", "value")
        )


@config.add_command
@command("set")
@click.argument("assignments", nargs=-1, required=True, metavar="NAME=VALUE...")
def set(app: App, assignments: tuple[str, ...]):
    """Set values; the next provision runs the steps that they concern."""
    given = dict(assignment(text) for text in assignments)
    environment = app.environment()
    with environment.locked("rigger config set"):
        write_changes(app, environment, given, ())


@config.add_command
@command("unset")
@click.argument("names", nargs=-1, required=True)
def unset(app: App, names: tuple[str, ...]):
    """Take values back, so that their defaults hold."""
    environment = app.environment()
    with environment.locked("rigger config unset"):
        saved = {**environment.vars(), **environment.secrets()}
        for name in names:
            if name not in saved:
                raise BadUsage(
                    f"{name} is not set in {environment.name}.", f"Set: {', '.join(sorted(saved))}."
                )
            if name in CORE:
                raise BadUsage(f"{name} cannot be unset.", f'Set another: "rigger config set {name}=...".')
        write_changes(app, environment, {}, names)


@config.add_command
@command("diff", reports=True)
@click.option("--exit-code", is_flag=True, help="Exit 8 when there is a difference.")
def diff(app: App, exit_code: bool):
    """Compare the configuration with what the cluster was last provisioned with."""
    environment = app.environment()
    settled = resolve.resolve(environment)
    changes = _unprovisioned(environment, settled)
    if app.json:
        app.printer.report(
            {name: {"provisioned": old, "configured": new} for name, (old, new) in changes.items()}
        )
    elif not changes:
        app.printer.line("No difference.")
    else:
        rows = [
            (name, *("-" if value is None else value for value in change)) for name, change in changes.items()
        ]
        app.printer.table(rows, headers=("name", "provisioned", "configured"))
    if changes and exit_code:
        raise DifferencesFound(
            "The configuration is not what was provisioned.",
            '"rigger provision" brings the cluster up to date.',
        )


def _unprovisioned(environment: Environment, settled: Config) -> dict[str, tuple]:
    history = History.of(environment.audit.records())
    changes = plans_changes.unprovisioned(settled, history, environment.key())
    return {name: (_shown(old), _shown(new)) for name, (old, new) in changes.items()}


def _shown(value: str | None) -> str | None:
    """Return a recorded value; of a secret, not even the digest by which a change is noticed."""
    return HIDDEN if value is not None and value.startswith(HIDDEN) else value


@config.add_command
@command("edit", asks=True)
def edit(app: App):
    """Edit the vars file in $EDITOR; what is invalid is not saved."""
    environment = app.environment()
    editor = editor_command()
    with environment.locked("rigger config edit"):
        draft = Draft(environment.name, environment.path, environment.home)
        problem = problem_in(environment)
        before = envfile.readable(text_to_edit(environment, problem)) if problem else environment.vars()
        before = {name: value for name, value in before.items() if name not in COMPUTED}
        written = operations_edit.begin(app, environment, draft, before, problem)
        edited = operations_edit.edit(app, editor, environment, draft, before, problem, written)
        if edited is not None and problem:
            operations_edit.mend(app, environment, draft, before, edited)
        elif edited is not None:
            given = {name: value for name, value in edited.items() if before.get(name) != value}
            write_changes(app, environment, given, [name for name in before if name not in edited])
        unlink_if_there(draft.vars_file)


def assignment(text: str) -> tuple[str, str]:
    """Return the name and value of NAME=VALUE as it was typed; raises BadUsage."""
    text = texts.decode(os.fsencode(text))
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise BadUsage(f"{text!r} is not of the form NAME=VALUE.")
    return name, value
