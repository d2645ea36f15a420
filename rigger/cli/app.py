"""What every command works with, and how a function becomes a command."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING

import click

from rigger.environments.environment import Environment
from rigger.environments.home import Home
from rigger.errors import BadUsage, Interrupted
from rigger.ui.printer import Printer
from rigger.ui.terminal import has_terminal
from rigger.ui.wizard import Wizard

if TYPE_CHECKING:
    from rigger.plans.model import Plan
    from rigger.runs.run import Run

HELP = {"context_settings": {"help_option_names": ["-h", "--help"]}}


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
        self._require_terminal(question)
        if not Wizard().confirm(question, default=False):
            raise Interrupted("Nothing was changed.")

    def agree_by_name(self, question: str, name: str) -> None:
        """Ask for a name to be typed, for what cannot be undone."""
        if self.yes:
            return
        self._require_terminal(question)
        if not Wizard().type_back(question, name):
            raise Interrupted("That is not its name. Nothing was changed.")

    def _require_terminal(self, question: str) -> None:
        if not has_terminal():
            raise BadUsage(
                f"Nobody can be asked: {question}", "Nothing was changed. Add --yes to agree beforehand."
            )


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
