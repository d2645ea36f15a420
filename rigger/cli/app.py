"""What every command works with, and how a function becomes a command."""

from __future__ import annotations

import os
import sys

from rigger.cli import help
from rigger.cli.declared import ENVIRONMENT, Group, Option, Verb, Words, declared
from rigger.environments.home import Home
from rigger.errors import RiggerError
from rigger.later import later
from rigger.operations.consent import Consent, Prompt
from rigger.process.interrupts import hear_stop_signals
from rigger.ui.printer import Printer, about
from rigger.ui.terminal import has_terminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rigger.environments.environment import Environment
    from rigger.modules import contract
    from rigger.operations.result import Result
    from rigger.ui import wizard

    Command = Callable[..., Any]
    Show = Callable[[Printer, Any], None]  # tells a person what an operation came to
else:
    contract = later("rigger.modules.contract")
    wizard = later("rigger.ui.wizard")

SHARED = (
    ENVIRONMENT,
    Option("yes", ("-y", "--yes"), flag=True, default=False, help="Agree beforehand to what would be asked."),
    Option(
        "report",
        ("-o", "--output"),
        choices=("text", "json"),
        default="text",
        help="Report as text or as JSON.",
    ),
    Option("verbose", ("-v", "--verbose"), flag=True, default=False, help="Show all that the scripts print."),
    Option(
        "take_over",
        ("--take-over",),
        flag=True,
        default=False,
        help="Continue with this record although another is newer; recorded.",
    ),
)


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
        about.clear()
        self.printer = Printer(verbose=verbose, json=json)

    def report_as_json(self, wanted: bool) -> None:
        """Report as JSON where a command has another use for -o."""
        if wanted:
            self.json, self.printer = True, Printer(json=True)

    def environment(self) -> Environment:
        """Return the environment that the command is about; raises InvalidConfig where there is none."""
        if self.name and self.name not in (self.home.current_name(), os.environ.get("RIGGER_ENVIRONMENT")):
            about[:] = [self.name]
        return self.home.get(self.name)

    def prompt(self) -> Callable[[], Prompt] | None:
        """Return what makes the prompts that ask a person; None where there is no terminal."""
        return (lambda: wizard.Wizard()) if has_terminal() else None

    def consent(self, *, trust: bool = False) -> Consent:
        """Return what the person agreed to beforehand, who is asked for more on a terminal."""
        return Consent(self.yes, trust, self.prompt(), self.take_over)

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
    interspersed: bool = True,
    foreign_options: bool = False,
    show: Show | None = None,
    show_failed: Show | None = None,
) -> Callable[[Command], Verb]:
    """Make a function a verb: it gets an App first, then its own options, and returns its operation's result, or the exit
    code of a program that had the terminal.

    `asks` adds --yes, which every command takes that changes something, whether it asks or not; `reports` adds -o json,
    `streams` adds -v, `acts` adds --take-over. `show` tells a person the result, `show_failed` what was done until
    something failed. `interspersed` and `foreign_options` are as a `Verb` has them.
    """

    def decorate(function: Command) -> Verb:
        def run(
            before: str | None,
            environment: str | None = None,
            yes: bool = False,
            report: str = "text",
            verbose: bool = False,
            take_over: bool = False,
            **values: Any,
        ) -> int:
            chosen = environment or before or os.environ.get("RIGGER_ENVIRONMENT") or None
            app = App(chosen, json=report == "json", verbose=verbose, yes=yes, take_over=take_over)
            return _call(app, lambda: function(app, **values), show, show_failed)

        parameters = (*_shared(asks, reports, streams, acts), *declared(function))
        return Verb(name, run, _words(name, function), parameters, interspersed, foreign_options)

    return decorate


def _call(app: App, function: Callable[[], Any], show: Show | None, show_failed: Show | None) -> int:
    """Call a verb's function, show what it returns or what was done until it failed, and return the exit code."""
    try:
        hear_stop_signals()
        _tell_misspelt(app)
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


def _tell_misspelt(app: App) -> None:
    """Warn of a setting whose name is misspelt: RIGGER_HOEM would leave the person in another home, without a word."""
    given = [name for name in os.environ if name.startswith("RIGGER_")]
    if given and "RIGGER_STEP" not in given:  # what scripts call their own variables is their business
        for sentence in contract.misspelt(given):
            sys.stderr.write(f"rigger: {sentence}\n")


def _shared(asks: bool, reports: bool, streams: bool, acts: bool) -> list[Option]:
    """Return the options that commands share, as their help shows them."""
    having = {"environment": True, "yes": asks, "report": reports, "verbose": streams, "take_over": acts}
    return [option for option in SHARED if having[option.name]]


def _words(name: str, function: Command) -> Words:
    """Return the help of a verb: its line of `rigger --help`, then what its docstring adds to that.

    A verb is what a file of its name defines; the verbs of a group have their docstrings alone.
    """
    own_file = function.__module__.rpartition(".")[2] == name.replace("-", "_")
    return Words(help.summaries()[name] if own_file else "", function.__doc__ or "")


def group(name: str) -> Callable[[Command], Group]:
    """Make a function, of which only the docstring counts, a verb with verbs of its own: rigger config get."""
    return lambda function: Group(name, _words(name, function), {})
