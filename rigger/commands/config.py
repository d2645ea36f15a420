"""rigger config"""

from __future__ import annotations

import os

from rigger import text as texts
from rigger.cli.app import App, command, group
from rigger.cli.declared import argument, option
from rigger.errors import BadUsage, DifferencesFound
from rigger.later import later
from rigger.operations import edit as edit_operation
from rigger.operations import values as operations
from rigger.operations.values import ChangedValues, Differences, Value, Values
from rigger.redact.known import reveal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rigger.operations import run_difference as looking_back
    from rigger.operations.run_difference import PastDifferences
    from rigger.ui.printer import Printer
else:
    looking_back = later("rigger.operations.run_difference")


@group("config")
def config() -> None:
    pass


def show_values(printer: Printer, result: Value | Values) -> None:
    if isinstance(result, Value):
        printer.data(texts.encode(result.value) + b"\n")
        if result.given_by:
            printer.aside(f"{result.name}: {result.giver} gave this; {_answered(result)}.")
        return
    rows = [(value.name, _where_from(value), texts.visible(value.value)) for value in result.values]
    printer.table(rows, headers=("name", "source", "value"), rest="rigger config get NAME")


def show_changed(printer: Printer, result: ChangedValues) -> None:
    if result.mended:
        printer.line(f"Saved: {result.environment.vars_file} can be read again.")
        printer.ways(("Next", result.next[0]))
    elif result.changed:
        printer.line(f"Changed: {', '.join(result.changed)}.")
        printer.ways(*zip(("Next", "Then"), result.next, strict=False))
        for value in result.held_back:
            printer.line(
                f"{value.name} is {value.value}, which {value.giver} gave, until the next provision."
            )
        if result.version_change:
            printer.warn(f"{result.version_change.sentence(result.environment.name)}.")
    else:
        printer.line("Nothing was changed.")


def _where_from(value: Value) -> str:
    return f"{value.giver} ({_answered(value)})" if value.given_by else value.source


def _answered(value: Value) -> str:
    if value.answered is None:
        return "nothing was answered"
    return f"answered: {texts.visible(value.answered)}" if value.answered else "answered: nothing"


def show_differences(printer: Printer, result: Differences | PastDifferences) -> None:
    if not isinstance(result, Differences):
        rest, ends = "rigger config diff -o json", (str(result.before), str(result.after))
        if result.changes:
            printer.table(looking_back.rows_of(result.changes), headers=("name", *ends), rest=rest)
        else:
            printer.line("No difference.")
        return
    if result.not_compared:
        names = ", ".join(result.not_compared)
        printer.line(f"Not compared, because it looks no secret up: {names}.")
        printer.ways(("What a run would do with it", "rigger provision --plan"))
    if not result.changes:
        printer.line("No other difference." if result.not_compared else "No difference.")
        return
    rows = [
        (name, *("-" if value is None else texts.visible(value) for value in change))
        for name, change in result.changes.items()
    ]
    printer.table(rows, headers=("name", "provisioned", "configured"), rest="rigger config diff -o json")


@config.add_command
@command("get", reports=True, show=show_values)
@argument("name", required=False)
@option("--show-secrets", is_flag=True, help="Print secrets as they are.")
def get(app: App, name: str | None, show_secrets: bool) -> Value | Values:
    """Print the value of NAME, or all values with where each comes from."""
    environment = app.environment()
    if show_secrets:
        reveal()
    if name is None:
        return operations.list_values(environment, show_secrets)
    return operations.get_value(environment, name, show_secrets)


@config.add_command
@command("set", asks=True, show=show_changed)
@argument("assignments", many=True, metavar="NAME=VALUE...")
def set(app: App, assignments: tuple[str, ...]) -> ChangedValues:
    """Set values; the next provision runs the steps that they concern."""
    values = dict(_assignment(text) for text in assignments)
    return operations.set_values(app.environment(), values)


@config.add_command
@command("unset", asks=True, show=show_changed)
@argument("names", many=True)
def unset(app: App, names: tuple[str, ...]) -> ChangedValues:
    """Take values back, so that their defaults hold."""
    return operations.unset_values(app.environment(), names)


@config.add_command
@command("diff", reports=True, show=show_differences, show_failed=show_differences)
@option(
    "--at",
    multiple=True,
    metavar="TIME|RUN",
    help="As it was then; twice: at two moments. One is compared with now.",
)
@option("--exit-code", is_flag=True, help="Exit 8 when there is a difference.")
def diff(app: App, at: tuple[str, ...], exit_code: bool) -> Differences | PastDifferences:
    """Compare the configuration with what the cluster was last provisioned with, or as it was at two moments."""
    if len(at) > 2:
        raise BadUsage("--at was given more than twice.", "Name one or two moments.")
    if at:
        return _compare_moments(app, at, exit_code)
    differences = operations.compare_values(app.environment())
    if differences.changes and exit_code:
        problem = DifferencesFound(
            "The configuration is not what was provisioned.",
            '"rigger provision" brings the cluster up to date.',
        )
        raise problem.with_result(differences)
    return differences


def _compare_moments(app: App, at: tuple[str, ...], exit_code: bool) -> PastDifferences:
    past = looking_back.compare_moments(app.environment(), at)
    if past.changes and exit_code:
        raise DifferencesFound(f"The values at {past.before} are not those at {past.after}.").with_result(
            past
        )
    return past


@config.add_command
@command("edit", asks=True, show=show_changed)
def edit(app: App) -> ChangedValues:
    """Edit the vars file in $EDITOR; what is invalid is not saved."""
    return edit_operation.edit(app.environment(), app.printer, app.consent())


def _assignment(text: str) -> tuple[str, str]:
    """Return the name and value of NAME=VALUE as it was typed; raises BadUsage."""
    text = texts.decode(os.fsencode(text))
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise BadUsage(f"{text!r} is not of the form NAME=VALUE.")
    return name, value
