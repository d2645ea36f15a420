"""What every command works with, and how a function becomes a command."""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from rigger.cli import help
from rigger.environments.home import Home
from rigger.errors import BadUsage, RiggerError
from rigger.operations.consent import Consent, Prompt
from rigger.process.interrupts import hear_stop_signals
from rigger.text import did_you_mean
from rigger.ui.printer import Printer
from rigger.ui.terminal import has_terminal

if TYPE_CHECKING:
    from rigger.environments.environment import Environment
    from rigger.operations.result import Result

HELP: dict[str, Any] = {"context_settings": {"help_option_names": ["-h", "--help"]}}

Command = Callable[..., Any]
Show = Callable[[Printer, Any], None]  # tells a person what an operation came to


class App:
    """What every command works with: the home, the chosen environment, and how to talk to the person."""

    def __init__(
        self,
        name: str | None,
        *,
        json: bool = False,
        verbose: bool = False,
        yes: bool = False,
        take_over: bool = False,
    ):
        self.name = name
        self.json = json
        self.yes = yes
        self.take_over = take_over
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

    def consent(self, prompt: Callable[[], Prompt], *, trust: bool = False) -> Consent:
        """Return what the person agreed to beforehand; `prompt` makes what asks for more, on a terminal."""
        return Consent(self.yes, trust, prompt if has_terminal() else None, self.take_over)

    def show(self, result: Result, show: Show | None) -> None:
        """Show a result: as JSON where that was asked for, else as the command tells it to people."""
        if self.json:
            self.printer.report(result.as_dict())
        elif show:
            show(self.printer, result)


def command(
    name: str,
    *,
    asks: bool = False,
    reports: bool = False,
    streams: bool = False,
    acts: bool = False,
    show: Show | None = None,
    show_failed: Show | None = None,
    **settings: Any,
) -> Callable[[Command], click.Command]:
    """Make a function a verb: it gets an App first, then its own options, and returns its operation's result, or the exit
    code of a program that had the terminal.

    `asks` adds --yes, `reports` adds -o json, `streams` adds -v, `acts` adds --take-over. `show` tells a person the result, `show_failed` what
    was done until something failed.
    """

    def decorate(function: Command) -> click.Command:
        @functools.wraps(function)
        def run(
            *args: Any,
            environment: str | None = None,
            yes: bool = False,
            report: str = "text",
            verbose: bool = False,
            take_over: bool = False,
            **kwargs: Any,
        ) -> int:
            app = App(
                _chosen(environment), json=report == "json", verbose=verbose, yes=yes, take_over=take_over
            )
            return _call(app, functools.partial(function, app, *args, **kwargs), show, show_failed)

        words = {**HELP, "help": _words(name, function), **settings}
        return click.command(name, click.Command, **words)(_with_options(run, asks, reports, streams, acts))

    return decorate


def _call(app: App, function: Callable[[], Any], show: Show | None, show_failed: Show | None) -> int:
    """Call a verb's function, show what it returns or what was done until it failed, and return the exit code."""
    try:
        hear_stop_signals()
        app.home.sweep()
        result = function()
        if isinstance(result, int):
            return result
        if result is not None:
            app.show(result, show)
        return 0
    except RiggerError as problem:
        if problem.result is not None:
            app.show(problem.result, show_failed)
        raise
    finally:
        app.printer.flush()


def _with_options(run: Command, asks: bool, reports: bool, streams: bool, acts: bool) -> Command:
    """Add the options that commands share."""
    if acts:
        words = "Go on with this record although another one went on; recorded."
        run = click.option("--take-over", is_flag=True, help=words)(run)
    if streams:
        run = click.option("-v", "--verbose", is_flag=True, help="Show all that the scripts print.")(run)
    if reports:
        kinds = click.Choice(["text", "json"])
        run = click.option(
            "-o", "--output", "report", type=kinds, default="text", help="Report as text or as JSON."
        )(run)
    if asks:
        run = click.option("-y", "--yes", is_flag=True, help="Agree beforehand to what would be asked.")(run)
    return click.option("-e", "--environment", metavar="NAME", help="Work with this environment.")(run)


def _words(name: str, function: Command) -> str:
    """Return the help of a verb: its line of `rigger --help`, then what its docstring adds to that.

    A verb is what a file of its name defines; the verbs of a group have their docstrings alone.
    """
    more = inspect.cleandoc(function.__doc__ or "")
    if function.__module__.rpartition(".")[2] != name.replace("-", "_"):
        return more
    summary = help.summaries()[name]
    return f"{summary}\n\n{more}" if more else summary


class _Verbs(click.Group):
    """A verb with verbs of its own, which knows what may have been meant by another word."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        word = args[0] if args else "-"
        if not word.startswith("-") and word not in self.commands:
            raise BadUsage(
                f"There is no command {ctx.command_path} {word!r}{did_you_mean(word, self.commands)}.",
                f'Type "{ctx.command_path} --help".',
            )
        return super().resolve_command(ctx, args)


def group(name: str) -> Callable[[Command], click.Group]:
    """Make a function, of which only the docstring counts, a verb with verbs of its own: rigger config get."""

    def decorate(function: Command) -> click.Group:
        @functools.wraps(function)
        def run(environment: str | None) -> None:
            if environment:
                click.get_current_context().find_root().obj = environment

        words = {**HELP, "no_args_is_help": False, "help": _words(name, function)}
        option = click.option("-e", "--environment", metavar="NAME", help="Work with this environment.")
        return click.group(name, _Verbs, **words)(option(run))

    return decorate


def _chosen(name: str | None) -> str | None:
    """Return the environment that was named: after the verb, before it (rigger -e NAME VERB), or by a variable."""
    before = click.get_current_context().find_root().obj
    return name or (before if isinstance(before, str) else "") or os.environ.get("RIGGER_ENVIRONMENT") or None
