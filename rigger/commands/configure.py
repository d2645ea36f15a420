"""rigger configure"""

from __future__ import annotations

import shlex

from rigger.bundles.unpack import is_bundle
from rigger.cli.app import App, command
from rigger.cli.declared import option
from rigger.configuration.inputs import (
    read_answers,
    require_one_source,
    require_safe_for_git,
    values_of_flags,
)
from rigger.errors import BadUsage
from rigger.operations import configure as operation
from rigger.operations import load
from rigger.operations import questions as questions_operation
from rigger.operations.answers import Given
from rigger.operations.load import LoadedBundle, Opening
from rigger.operations.questions import Asked
from rigger.text import short_home
from rigger.ui.terminal import has_terminal
from rigger.ui.wizard import Wizard

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from rigger.operations.configure import Configured
    from rigger.ui.printer import Printer


def show(printer: Printer, result: Configured | LoadedBundle | Asked) -> None:
    if isinstance(result, Asked):
        _show_questions(printer, result)
        return
    printer.line()
    if isinstance(result, LoadedBundle):
        _show_loaded(printer, result)
    else:
        _show_configured(printer, result)


def _show_loaded(printer: Printer, result: LoadedBundle) -> None:
    done = "is up to date with" if result.update else "was made from"
    printer.line(f"Environment {result.environment.name} {done} {result.path}, and is the current one.")
    _show_current(printer, result)
    if result.backup:
        printer.line("A backup of its data came along.")
        printer.ways(("Put it back", f"rigger restore {shlex.quote(result.backup)}"))
    if result.missing_clone:
        printer.line(f"The clone of {result.missing_clone} did not come along.")
        printer.ways(("Clone it", "rigger checkout"))
    else:
        printer.ways(
            ("Look at it", "rigger status"),
            ("Is it well", "rigger check"),
            ("The next version", "rigger upgrade"),
        )


def _show_current(printer: Printer, result: Configured | LoadedBundle) -> None:
    """Say which environment commands without -e mean from now on, where it was another one."""
    if before := result.current_before:
        name = result.environment.name
        printer.line(f"{name} is the current environment now, no longer {before}.")
        printer.ways(("Go back to it", f"rigger use {before}"))


def _show_configured(printer: Printer, result: Configured) -> None:
    target = result.environment
    done = "is configured" if result.changed else "stays as it was"
    printer.lines(
        f"Environment {target.name} {done}. Its values are in:", f"  {short_home(target.vars_file)}"
    )
    _show_current(printer, result)
    needs = f" (it needs {', '.join(result.secrets)} in the environment)" if result.secrets else ""
    printer.line(f"The same without questions{needs}:")
    printer.line(f"  {result.command}")
    if result.version_change:
        printer.warn(f"{result.version_change.sentence(target.name)}.")
    printer.ways(("Next", result.version_change.command if result.version_change else "rigger provision"))


def _show_questions(printer: Printer, result: Asked) -> None:
    rows = [
        (
            row["name"],
            "***" if row["secret"] and row["answered"] else row["value"] or "",
            row["source"],
            row["ask"],
        )
        for row in result.questions
        if row["applies"]
    ]
    printer.table(
        rows, headers=("name", "value", "source", "question"), rest="rigger configure --questions -o json"
    )
    if result.missing:
        printer.line(f"Not answered yet: {', '.join(result.missing)}")


@command("configure", asks=True, reports=True, show=show)
@option("--name", metavar="NAME", help="The environment to make or change.")
@option("--platform", metavar="NAME", help="What is installed: a platform's name or folder.")
@option("--version", metavar="VERSION", help="Which version of the platform.")
@option("--repository", metavar="URL", help="The git repository that the platform comes from.")
@option("--ref", metavar="REF", help="A branch, tag or commit of it, instead of a version.")
@option("--path", "folder", metavar="FOLDER", help="A folder that has the platform, instead of a clone.")
@option("--provider", metavar="NAME", help="Where the machines come from: a provider's name or folder.")
@option("--type", "kind", metavar="TYPE", help="The cluster type, a set of defaults.")
@option("--set", "assignments", metavar="NAME=VALUE", multiple=True, help="Answer a question beforehand.")
@option("--answers", metavar="FILE", help="Read answers from a dotenv file.")
@option("--exactly", is_flag=True, help="Unset what the answers file does not name, but secrets.")
@option("--questions", "only_questions", is_flag=True, help="List the questions and their answers, and stop.")
@option("--file", "path", metavar="PATH", help="Load a vars file or a saved bundle that you have.")
@option("--verify-key", "key", metavar="KEY", help="Insist on a bundle signed by this SSH public key.")
@option("--passphrase-file", metavar="FILE", help="Decrypt a bundle's secrets with its first line.")
@option("--identity", "identities", metavar="FILE", multiple=True, help="Decrypt with this age or SSH key.")
@option("--allow-older", is_flag=True, help="Load a bundle that knows less than what is here.")
@option("--trust", is_flag=True, help="Agree beforehand to scripts of a bundle or a repository.")
@option("--defaults", is_flag=True, help="Take the default of whatever was not given.")
@option("--no-input", is_flag=True, help="Never prompt; fail where a value is missing.")
@option("--advanced", is_flag=True, help="Ask everything.")
def configure(
    app: App,
    name: str | None,
    answers: str | None,
    path: str | None,
    key: str | None,
    passphrase_file: str | None,
    identities: tuple[str, ...],
    allow_older: bool,
    trust: bool,
    defaults: bool,
    no_input: bool,
    advanced: bool,
    exactly: bool,
    only_questions: bool,
    **flags: Any,
) -> Configured | LoadedBundle | Asked:
    if exactly and not answers:
        raise BadUsage("--exactly is about an answers file.", "Add --answers FILE.")
    values = _flags(name, answers, path, **flags)
    given = Given(
        name or app.name,
        values,
        read_answers(answers) if answers else {},
        answers or "",
        path or "",
        defaults,
        advanced,
        exactly,
    )
    ask = Wizard if has_terminal() and not no_input and not app.json else None
    consent = app.consent(trust=trust)
    if only_questions:
        return questions_operation.questions(app.home, given, app.printer, consent)
    if path and is_bundle(path):
        opening = Opening(key, allow_older, passphrase_file, identities)
        return load.load(app.home, given, opening, app.printer, consent, ask)
    return operation.configure(app.home, given, app.printer, consent, ask)


def _flags(name: str | None, answers: str | None, path: str | None, **flags: Any) -> dict[str, str]:
    """Return the values that flags answer questions with; raises BadUsage or Refused."""
    repository, version, ref, folder = (flags[word] for word in ("repository", "version", "ref", "folder"))
    source = {"--repository": repository, "--version": version, "--ref": ref, "--path": folder}
    require_safe_for_git(repository, version, ref)
    _require_words({"--name": name, "--answers": answers, "--file": path, **source})
    require_one_source(source)
    values = values_of_flags(
        flags["assignments"],
        PLATFORM=flags["platform"],
        VERSION=version,
        PROVIDER=flags["provider"],
        TYPE=flags["kind"],
    )
    return values | values_of_flags((), REPOSITORY=repository, REF=ref, CHECKOUT=folder)


def _require_words(flags: Mapping[str, str | None]) -> None:
    """Raise BadUsage for a flag with nothing behind it: `--name "$UNSET"` must not mean the current one."""
    for flag, value in flags.items():
        if value == "":
            raise BadUsage(f"{flag} is given, but empty.")
