"""The command line: the group, the options that commands share, and the one place where errors are printed."""

from __future__ import annotations

import errno
import functools
import importlib
import os
import sys
from typing import TYPE_CHECKING

import click

from rigger import usage
from rigger.environment import Environment
from rigger.errors import UNWRITABLE, BadUsage, Interrupted, NotReady, RiggerError
from rigger.home import Home
from rigger.printer import Printer, prepare_streams

if TYPE_CHECKING:
    from rigger.plan import Plan
    from rigger.run import Run

HELP = {"context_settings": {"help_option_names": ["-h", "--help"]}}

# What the system may refuse anywhere, by no fault of rigger's: a full or broken disk, somebody else's folder.
SURROUNDINGS = UNWRITABLE | {errno.ENOTDIR, errno.ELOOP}


class App:
    """What every command works with: the home, the chosen environment, and how to talk to the person."""

    def __init__(self, name: str | None, *, json: bool = False, verbose: bool = False, yes: bool = False):
        self.name = name
        self.json = json
        self.yes = yes
        self.verbose = verbose
        self.home = Home()
        self.printer = Printer(verbose=verbose, json=json)

    def report_as_json(self, wanted: bool) -> None:
        """Report as JSON where a command has another use for -o."""
        if wanted:
            self.json, self.printer = True, Printer(json=True)

    def environment(self) -> Environment:
        """Return the environment that the command is about; raises InvalidConfig where there is none."""
        return self.home.get(self.name)

    def carry_out(self, run: Run, planned: Plan, **also) -> None:
        """Carry a plan out, and report it as JSON where that is wanted, with further fields, also when it fails."""
        try:
            run.carry_out(planned)
        finally:
            if self.json:
                self.printer.report({**also, **run.as_dict()})

    def agree(self, question: str) -> None:
        """Ask for consent unless --yes gave it; raises Interrupted on a no, BadUsage where nobody can be asked."""
        if self.yes:
            return
        from rigger import wizard

        self._require_terminal(question)
        if not wizard.Wizard().confirm(question, default=False):
            raise Interrupted("Nothing was changed.")

    def agree_by_name(self, question: str, name: str) -> None:
        """Ask for a name to be typed, for what cannot be undone."""
        if self.yes:
            return
        from rigger import wizard

        self._require_terminal(question)
        if not wizard.Wizard().type_back(question, name):
            raise Interrupted("That is not its name. Nothing was changed.")

    def _require_terminal(self, question: str) -> None:
        from rigger import wizard

        if not wizard.has_terminal():
            raise BadUsage(
                f"Nobody can be asked: {question}", "Nothing was changed. Add --yes to agree beforehand."
            )


def _commands() -> dict[str, str]:
    return {name: summary for section in usage.COMMANDS.values() for name, summary in section.items()}


class Verbs(click.Group):
    """The verbs, each imported when it is called."""

    def list_commands(self, ctx):
        return list(_commands())

    def get_command(self, ctx, name):
        if name not in _commands():
            return None
        module = importlib.import_module(f"rigger.commands.{name.replace('-', '_')}")
        return getattr(module, name.replace("-", "_"))

    def resolve_command(self, ctx, args):
        from rigger.questions import did_you_mean

        if args and not args[0].startswith("-") and args[0] not in _commands():
            raise BadUsage(
                f"There is no command {args[0]!r}{did_you_mean(args[0], _commands())}.",
                'Type "rigger --help".',
            )
        return super().resolve_command(ctx, args)

    def get_help(self, ctx):
        return usage.text().rstrip("\n")


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("-e", "--environment", "name", metavar="NAME", help="Work with this environment.")
@click.version_option(None, "--version", package_name="rigger", message="rigger %(version)s")
@click.pass_context
def rigger(ctx, name):
    ctx.obj = name


def command(name: str, *, asks: bool = False, reports: bool = False, streams: bool = False, **settings):
    """Make a function a verb: it gets an App first, then its own options.

    `asks` adds --yes, `reports` adds -o json, `streams` adds -v.
    """

    def decorate(function):
        @click.pass_context
        @functools.wraps(function)
        def run(ctx, *args, environment=None, yes=False, report="text", verbose=False, **kwargs):
            chosen = environment or _chosen_before(ctx) or os.environ.get("RIGGER_ENVIRONMENT") or None
            app = App(chosen, json=report == "json", verbose=verbose, yes=yes)
            try:
                return function(app, *args, **kwargs)
            finally:
                app.printer.flush()

        if streams:
            run = click.option("-v", "--verbose", is_flag=True, help="Show all that the scripts print.")(run)
        if reports:
            kinds = click.Choice(["text", "json"])
            run = click.option(
                "-o", "--output", "report", type=kinds, default="text", help="Report as text or as JSON."
            )(run)
        if asks:
            run = click.option("-y", "--yes", is_flag=True, help="Agree beforehand to what would be asked.")(
                run
            )
        run = click.option("-e", "--environment", metavar="NAME", help="Work with this environment.")(run)
        return click.command(name, **{**HELP, **settings})(run)

    return decorate


def group(name: str):
    """Make a function, which gives only its docstring, a verb with verbs of its own: rigger config get."""

    def decorate(function):
        @click.group(name, no_args_is_help=False, **HELP)
        @click.option("-e", "--environment", metavar="NAME", help="Work with this environment.")
        @click.pass_context
        @functools.wraps(function)
        def run(ctx, environment):
            if environment:
                ctx.find_root().obj = environment

        return run

    return decorate


def _chosen_before(ctx) -> str | None:
    """Return the environment that was named before the verb: rigger -e NAME VERB."""
    root = ctx.find_root()
    return root.obj if isinstance(root.obj, str) else None


def main(arguments) -> int:
    """Run the command line; print what went wrong as one sentence and its next step; return the exit code."""
    from rigger import process

    process.ensure_standard_descriptors()
    prepare_streams()
    try:
        result = rigger.main(args=arguments, prog_name="rigger", standalone_mode=False)
        code = result if isinstance(result, int) else 0
        return _closed() or _written() or code
    except RiggerError as problem:
        return _fail(problem.message, problem.next_step, problem.exit_code)
    except click.ClickException as problem:
        hint = (
            f'Type "{problem.ctx.command_path} --help".'
            if getattr(problem, "ctx", None)
            else 'Type "rigger --help".'
        )
        return _fail(problem.format_message(), hint, 2)
    except (KeyboardInterrupt, click.Abort):
        return _fail("Interrupted.", "", Interrupted.exit_code)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except BrokenPipeError:
        _silence()
        return 1
    except ModuleNotFoundError as problem:
        return _fail(
            f"The Python package {problem.name} is missing.",
            "Install rigger again, with all it needs.",
            NotReady.exit_code,
        )
    except OSError as problem:
        return _unusable(problem) if problem.errno in SURROUNDINGS and problem.filename else _bug()
    except Exception:
        return _bug()


def _written() -> int:
    """Say so where the output did not get where it was sent: a report on a full disk is no report."""
    from rigger.printer import unwritten

    if not unwritten:
        return 0
    return _fail(f"The output could not be written: {unwritten[0]}.", "Make room there.", NotReady.exit_code)


def _fail(message: str, next_step: str, code: int) -> int:
    from rigger.printer import plain

    lines = "\n".join(plain(line) for line in f"rigger: {message}".split("\n"))
    try:
        sys.stderr.write(lines + "\n" + (f"  {plain(next_step)}\n" if next_step else ""))
        sys.stderr.flush()
    except OSError:
        _silence()
    return code


def _unusable(problem: OSError) -> int:
    """Say which file or folder the system did not let rigger use."""
    message = f"{os.fsdecode(problem.filename)} cannot be used: {problem.strerror}."
    return _fail(
        message, "Make room or correct the permissions, then run the same command again.", NotReady.exit_code
    )


def _bug() -> int:
    """Keep the traceback of what nobody foresaw, and say where it is."""
    import traceback

    text = traceback.format_exc()
    last = text.strip().splitlines()[-1]
    try:
        folder = Home().path
        os.makedirs(folder, mode=0o700, exist_ok=True)
        path = os.path.join(folder, "crash.log")
        with open(
            os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a", errors="backslashreplace"
        ) as file:
            file.write(f"rigger {' '.join(sys.argv[1:2])}\n{text}\n")
    except OSError:
        return _fail(f"This is a bug in rigger: {last}", "", 1)
    return _fail(f"This is a bug in rigger: {last}", f"The traceback is in {path}; please report it.", 1)


def _closed() -> int:
    try:
        sys.stdout.flush()
    except OSError:
        _silence()
        return 1
    return 0


def _silence() -> None:
    null = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(null, stream.fileno())
