"""rigger module"""

from __future__ import annotations

import json

from rigger.cli.app import App, command, group
from rigger.cli.declared import argument, option
from rigger.commands._modules import show_new
from rigger.configuration.inputs import values_of_flags
from rigger.conformance.finding import ADVICE, FAIL, NOT_RUN, PASS, Finding
from rigger.conformance.sandbox import RehearsalOptions
from rigger.errors import BadUsage
from rigger.modules import fields
from rigger.operations import conformance as operation
from rigger.operations import module_add, module_list, module_remove, modules
from rigger.ui.terminal import has_terminal
from rigger.ui.wizard import Wizard

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from rigger.operations.conformance import Checked
    from rigger.operations.module_add import Added
    from rigger.operations.module_list import Available, Info, Installed
    from rigger.operations.module_remove import Removed
    from rigger.operations.modules import NewModule
    from rigger.operations.result import Result
    from rigger.ui.printer import Printer

COLOURS = {PASS: "32", FAIL: "31", ADVICE: "33", NOT_RUN: "36"}


@group("module")
def module() -> None:
    pass


def show_finding(printer: Printer, finding: Finding) -> None:
    where = f"{finding.place}: " if finding.place else ""
    level = printer.paint(f"{finding.level:<6}", COLOURS[finding.level])
    printer.line(f"  {level}  {where}{finding.text}")


def show(printer: Printer, result: Checked) -> None:
    printer.line(f"{result.module.name} conforms: {result.counts}.")
    printer.line(f"Its digest is {result.digest}.")
    if not result.ran:
        printer.line("Nothing of it was run; --run tries its whole life in a sandbox.")


@module.add_command
@command("check", reports=True, streams=True, show=show)
@argument("path", metavar="PATH")
@option("--run", "runs", is_flag=True, help="Also run its scripts, in a sandbox.")
@option("--provider", metavar="NAME", help="With --run: the provider to try a platform on.")
@option("--set", "assignments", metavar="NAME=VALUE", multiple=True, help="With --run: answer a question.")
def check(app: App, path: str, runs: bool, provider: str | None, assignments: tuple[str, ...]) -> Checked:
    """Check the provider or platform in the folder PATH; without --run nothing of it is run."""
    if not runs and (provider or assignments):
        raise BadUsage("--provider and --set are about scripts that run.", "Add --run.")
    shown = app.printer if app.verbose else None
    options = RehearsalOptions(_values(assignments), provider or "", shown) if runs else None
    return operation.check(path, options, app.printer, lambda finding: show_finding(app.printer, finding))


@module.add_command
@command("schema")
def schema(app: App) -> None:
    """Print a JSON Schema of rigger.yml, with which an editor checks a manifest while it is written."""
    app.printer.data(json.dumps(fields.schema(), indent=2).encode() + b"\n")


# Add-ons of an environment


def show_added(printer: Printer, result: Added) -> None:
    name, version = result.name, f" {result.module.version}" if result.module.version else ""
    what = "is added; nothing of it is applied yet"
    if result.again:
        what = "was there already; its answers were looked at again"
    if result.digest:
        what = "would be looked at again" if result.again else "would be added; nothing was done"
    printer.line(f"{result.module.module_name}{version} {what}.")
    if result.values:
        printer.table(sorted(result.values.items()))
    printer.plan(result.plan)
    if not result.digest:
        printer.ways(("Next", f"rigger provision {name}"))


@module.add_command
@command("add", runs=True, plans=True, asks=True, reports=True, streams=True, show=show_added)
@argument("wanted", metavar="NAME[@VERSION]")
@option("--as", "name", metavar="NAME2", help="Add it under another name: for a second one.")
@option("--set", "assignments", metavar="NAME=VALUE", multiple=True, help="Answer a question beforehand.")
@option("--from", "repository", metavar="REPOSITORY", help="The repository to take it from.")
@option("--trust", is_flag=True, help="Agree beforehand to the scripts of a module of a repository.")
@option("--no-input", is_flag=True, help="Never prompt; take the defaults, or fail where a value is missing.")
def add(
    app: App,
    wanted: str,
    name: str | None,
    assignments: tuple[str, ...],
    repository: str | None,
    trust: bool,
    no_input: bool,
) -> Result:
    """Add an add-on: what it requires must be applied; its questions are asked, and nothing of it is applied."""
    asks = has_terminal() and not (no_input or app.yes or app.only_plans or app.call.approved)
    flags = values_of_flags(assignments)
    environment, consent = app.environment(), app.consent(trust=trust)
    ask, own, source = Wizard if asks else None, name or "", repository or ""
    return app.once(
        lambda: module_add.add(environment, wanted, own, flags, app.printer, consent, ask, source)
    )


@module.add_command
@command("new", asks=True, show=show_new)
@argument("name", metavar="NAME")
@option("--path", metavar="FOLDER", help="The folder to write to, instead of ./NAME.")
@option("--terraform", is_flag=True, help="Make it a folder of .tf files.")
@option("--ansible", is_flag=True, help="Make it a playbook.")
@option("--container", is_flag=True, help="Make it an image whose commands do the work.")
def new(app: App, name: str, path: str | None, terraform: bool, ansible: bool, container: bool) -> NewModule:
    """Write an add-on that works, with comments that say how to make it your own."""
    chosen = (("terraform", terraform), ("ansible", ansible), ("container", container))
    return modules.new("addon", name, path or "", [kind for kind, wanted in chosen if wanted])


def show_removed(printer: Printer, result: Removed) -> None:
    printer.line(
        f"{result.name} is removed." if result.run else f"{result.name} is removed; it was never applied."
    )


@module.add_command
@command("remove", acts=True, plans=True, asks=True, reports=True, streams=True, show=show_removed)
@argument("name", metavar="NAME")
def remove(app: App, name: str) -> Result:
    """Take an add-on off, with its data; refused while others require it."""
    environment, consent = app.environment(), app.consent()
    return app.once(lambda: module_remove.remove(environment, name, app.printer, consent))


def show_installed(printer: Printer, result: Installed) -> None:
    rows = [
        (
            name,
            one["role"],
            one["version"] or "-",
            one["status"],
            one.get("problem", "") or _labels(one["labels"]),
        )
        for name, one in result.modules.items()
    ]
    printer.table(
        rows, headers=("name", "role", "version", "status", "labels"), rest="rigger module list -o json"
    )


def _labels(labels: Mapping[str, str]) -> str:
    return " ".join(
        f"{key}={value}" for key, value in labels.items() if key not in ("name", "role", "version")
    )


@module.add_command
@command("list", reports=True, show=show_installed)
def list(app: App) -> Installed:
    """List the modules of the environment, in their order, with status, version and labels."""
    return module_list.installed(app.environment())


def show_info(printer: Printer, result: Info) -> None:
    told = result.as_dict()
    version = f" {told['module_version']}" if told["module_version"] else ""
    printer.heading(f"{result.name}{version}: {told['description'] or told['role']}")
    rows = [("folder", told["folder"]), ("labels", _labels(told["labels"]))]
    rows += [
        ("requires", f"{text}: {', '.join(names) or 'nothing here'}")
        for text, names in told["requires"].items()
    ]
    rows += [
        (name, ", ".join(told[name]))
        for name in ("weak", "influences", "needs", "provides", "required_by", "questions")
        if told[name]
    ]
    state = told["state"]
    rows += [("status", f"{state['status']} {state.get('problem', '')}".strip())] if state else []
    rows += [("uses", ", ".join(state["uses"]))] if state and state["uses"] else []
    printer.table([(name.replace("_", " "), text) for name, text in rows])
    if not state:
        printer.ways(("Add it", f"rigger module add {result.name}"))


@module.add_command
@command("info", reports=True, show=show_info)
@argument("name", metavar="NAME")
def info(app: App, name: str) -> Info:
    """Say what a module is: one of the environment, or one that can be had."""
    return module_list.info(app.environment(), name)


def show_available(printer: Printer, result: Available) -> None:
    rows = [
        (
            one.name,
            one.version or "-",
            one.repository or "-",
            one.description,
            "installed" if one.name in result.installed else one.command,
        )
        for one in result.modules
    ]
    printer.table(
        rows,
        headers=("name", "version", "from", "description", "add it"),
        rest="rigger module search -o json",
    )
    updates = {one.repository: one.updated for one in result.modules if one.repository}
    for name, updated in updates.items():
        printer.line(f"{name} is shown as it was on {updated[:10]}: rigger repository update {name}")
    for problem in result.problems:
        printer.warn(problem)
    if not rows:
        printer.line(
            "No add-on was found. They are looked for in $RIGGER_ADDON_PATH, ~/.rigger/addons and repositories."
        )


@module.add_command
@command("search", reports=True, show=show_available)
@argument("selectors", metavar="[SELECTOR...]", required=False, many=True)
def search(app: App, selectors: tuple[str, ...]) -> Available:
    """Find add-ons by labels (kind=monitoring, provides-kafka>=2.5, !zone) or words; each with what adds it."""
    return module_list.search(app.environment(), selectors)


def _values(assignments: tuple[str, ...]) -> dict[str, str]:
    values = {}
    for text in assignments:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise BadUsage(f"--set {text!r} is not of the form NAME=VALUE.")
        values[name] = value
    return values
