"""What every command works with, and how a function becomes a command."""

from __future__ import annotations

import os
import re
import sys

from rigger.cli import help
from rigger.cli.declared import ENVIRONMENT, Argument, Group, Option, Verb, Words, declared
from rigger.environments.call import Call
from rigger.environments.home import Home
from rigger.errors import BadUsage, RiggerError
from rigger.later import later
from rigger.operations.consent import Consent, Prompt
from rigger.operations.report import report_of
from rigger.process.actor import proven_actor
from rigger.process.interrupts import hear_stop_signals
from rigger.text import plain, seconds_of
from rigger.ui.printer import Printer, about
from rigger.ui.terminal import has_terminal
from rigger.values import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from rigger.cli.declared import Parameter
    from rigger.environments.environment import Environment
    from rigger.modules import contract
    from rigger.operations import planned as planning
    from rigger.operations import rehearsal_left as rehearsals
    from rigger.operations import request as requests
    from rigger.operations.result import Result
    from rigger.ui import wizard

    Command = Callable[..., Any]
    Show = Callable[[Printer, Any], None]  # tells a person what an operation came to
else:
    contract = later("rigger.modules.contract")
    planning = later("rigger.operations.planned")
    rehearsals = later("rigger.operations.rehearsal_left")
    requests = later("rigger.operations.request")
    wizard = later("rigger.ui.wizard")

ALWAYS = "always"  # how long is waited where no time is named
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
    Option(
        "wait",
        ("--wait",),
        metavar="[=TIME]",
        alone=ALWAYS,
        help="Wait until nobody else works on the environment, at most so long: --wait=10m.",
    ),
    Option(
        "request", ("--request",), metavar="ID", help="The caller's own id: what has it is carried out once."
    ),
    Option("reason", ("--reason",), metavar="TEXT", help="Why; recorded."),
)
PLANS = (
    Option("only_plan", ("--plan",), flag=True, default=False, help="Show what would be done, and stop."),
    Option(
        "approved",
        ("--approved",),
        metavar="DIGEST",
        help="Do what the plan of that digest shows, or nothing: exit 8.",
    ),
)
RUNS = ("wait", "request", "reason")  # what every command takes that runs steps
NOT_WORDS = (
    "environment",
    "yes",
    "report",
    "verbose",
    "only_plan",
    "exit_code",  # of --plan alone
    *RUNS,
)  # options that make a request no other one

HIDDEN = replace(ENVIRONMENT, hidden=True)  # of commands that are not about an environment, and say so
NOT_OWN = {one.name for one in (*SHARED, *PLANS)}
LONGEST_REASON = 500  # characters


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
        call: Call | None = None,
    ):
        self.name = name
        self.call = call or Call()
        self._environment: Environment | None = None
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
        if self._environment is None:
            self._environment = self.home.get(self.name)
            name = proven_actor(self.home.path, self._environment.name, self.call.request)
            self._environment.call = replace(self.call, say=self.printer.line, actor=name)
        return self._environment

    @property
    def only_plans(self) -> bool:
        return self.call.plans

    @property
    def waits_for_lock(self) -> bool:
        return self.call.wait > 0

    def once(self, work: Callable[[], Result]) -> Result:
        """Return what a command comes to that runs steps: where its request was carried out before, what that came to."""
        environment = self.environment()
        if self.only_plans or not self.call.request:
            return work()
        return requests.once(environment, self.printer, work)

    def prompt(self) -> Callable[[], Prompt] | None:
        """Return what makes the prompts that ask a person; None where there is no terminal."""
        return (lambda: wizard.Wizard()) if has_terminal() else None

    def consent(self, *, trust: bool = False) -> Consent:
        """Return what the person agreed to beforehand, who is asked for more on a terminal."""
        return Consent(self.yes, trust, self.prompt(), self.take_over)

    def show(self, result: Result, show: Show | None) -> None:
        """Show a result: as JSON where that was asked for, else as the command tells it to people."""
        if self.json:
            self.printer.report(report_of(result))
        elif self.only_plans and isinstance(result, planning.Planned):
            self._show_planned(result)
        elif self.call.request and isinstance(result, requests.Repeated):
            self.printer.line(f"Request {result.request} was carried out before, as run {result.number}.")
        elif show:
            show(self.printer, result)
            if self.only_plans and (digest := result.as_dict()["digest"]):  # none where nothing would be done
                self._show_approval(digest)

    def _show_planned(self, result: planning.Planned) -> None:
        """Say who works there now, and how exactly this plan is had."""
        changes = result.plan.changes or result.plan.removals
        self.printer.line("Only shown; nothing was done." if changes else "Nothing to do but to check.")
        if result.running:
            self.printer.warn(f"{result.running} What will have to be done is known once that has ended.")
        elif changes:
            self._show_approval(result.digest)

    def _show_approval(self, digest: str) -> None:
        """Say how exactly the plan is had that has a digest; values may be secrets, and are not said again."""
        self.printer.line("Exactly this, or nothing:")
        if " --set " in self.call.words:
            self.printer.line(f"  the same words, with --approved {digest} in place of --plan")
        else:
            self.printer.line(f"  rigger {self.call.words} --approved {digest}")


def command(
    name: str,
    *,
    environment: bool = True,
    asks: bool = False,
    reports: bool = False,
    streams: bool = False,
    runs: bool = False,
    acts: bool = False,
    plans: bool = False,
    interspersed: bool = True,
    foreign_options: bool = False,
    show: Show | None = None,
    show_failed: Show | None = None,
) -> Callable[[Command], Verb]:
    """Make a function a verb: it gets an App first, then its own options, and returns its operation's result, or the exit
    code of a program that had the terminal.

    Without `environment` it is about a project, and refuses -e. `asks` adds --yes, which every command takes that changes something, whether it asks or not; `reports` adds -o json,
    `streams` adds -v, `runs` what all take that run steps (--wait, --request, --reason), `acts` that and
    --take-over, `plans` what all take whose plan is shown and approved. `show` tells a person the result, `show_failed`
    what was done until something failed. `interspersed` and `foreign_options` are as a `Verb` has them.
    """

    def decorate(function: Command) -> Verb:
        def run(before: str | None, **values: Any) -> int:
            app = _app_of(before, _path(name, function), parameters, values)
            return _call(app, lambda: function(app, **values), show, show_failed)

        own = (*declared(function), *(PLANS if plans else ()))
        shared = _shared(asks, reports, streams, acts, runs or acts)
        parameters = (*(shared if environment else [HIDDEN, *shared[1:]]), *own)
        return Verb(name, run, _words(name, function), parameters, interspersed, foreign_options)

    return decorate


def _app_of(before: str | None, path: str, parameters: Sequence[Parameter], values: dict[str, Any]) -> App:
    """Return what a command works with, and take out of its values what is not its own: the options that many share."""
    words = _said(path, parameters, values) if {"request", "only_plan"} & values.keys() else ""
    own = {one.name for one in parameters} - NOT_OWN
    given = {name: values.pop(name) for name in [*values] if name not in own}
    named = given.get("environment") or before
    if named and HIDDEN in parameters:
        raise BadUsage(
            f"-e {named} has no meaning here: rigger {path} is about a project, not about an environment of rigger.",
            "Leave out -e. The project's manifest says which environment of rigger carries a deployment out.",
        )
    chosen = named or os.environ.get("RIGGER_ENVIRONMENT") or None
    json, call = given.get("report") == "json", Call(words=words)
    if "request" in given:
        call = _call_of(given["request"], words, given["reason"], given["wait"])
    call = _approving(call, given.get("only_plan", False), given.get("approved"))
    flags = {name: bool(given.get(name)) for name in ("verbose", "yes", "take_over")}
    return App(chosen, json=json, call=call, **flags)


def _call(app: App, function: Callable[[], Any], show: Show | None, show_failed: Show | None) -> int:
    """Call a verb's function, show what it returns or what was done until it failed, and return the exit code."""
    try:
        hear_stop_signals()
        _tell_misspelt(app)
        if left := app.home.sweep():
            rehearsals.remove(left, app.printer)
        result = planning.planned(function) if app.only_plans else function()
        if isinstance(result, int):
            return result
        if result is not None:
            app.show(result, show)
        return 0
    except RiggerError as problem:
        if problem.result is not None and not app.json:  # whoever catches it makes one report of both
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


def _shared(asks: bool, reports: bool, streams: bool, acts: bool, runs: bool) -> list[Option]:
    """Return the options that commands share, as their help shows them."""
    having = {"environment": True, "yes": asks, "report": reports, "verbose": streams, "take_over": acts}
    having |= dict.fromkeys(RUNS, runs)
    return [option for option in SHARED if having[option.name]]


def _said(name: str, parameters: Sequence[Parameter], values: Mapping[str, Any]) -> str:
    """Return a command with the options that count, each in one spelling, as a person would type it."""
    words = [name]
    for one in parameters:
        value = values.get(one.name)
        if (
            one.name in NOT_WORDS
            or value in (None, (), False)
            or (isinstance(one, Option) and value == one.default)
        ):
            continue
        many = value if isinstance(value, tuple) else (value,)
        if isinstance(one, Argument):
            words += many
        else:
            words += (
                [one.names[-1]] if one.flag else [word for each in many for word in (one.names[-1], each)]
            )
    return " ".join(map(plain, words))


def _call_of(request: str | None, words: str, reason: str | None, wait: str | None) -> Call:
    """Return the call that the options describe; raises BadUsage for what is no id, no reason or no time."""
    request = os.environ.get("RIGGER_REQUEST", "") if request is None else request
    if request and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._:/+=@-]{0,127}", request):
        raise BadUsage(
            f"{request!r} is no id of a request.",
            "It has 1 to 128 letters, digits and . _ : / + = @ -, a letter or a digit first.",
        )
    seconds = 0.0 if wait is None else float("inf") if wait == ALWAYS else duration_of("--wait", wait)
    return Call(request, words, reason_of(reason), wait=seconds)


def reason_of(text: str | None) -> str:
    """Return what --reason says, nothing where it was not given; raises BadUsage for what is no line of text."""
    if text is not None and (not text.strip() or not text.isprintable() or len(text) > LONGEST_REASON):
        raise BadUsage(
            "--reason is no line of text.", f"Give one line of at most {LONGEST_REASON} characters."
        )
    return text or ""


def _approving(call: Call, plans: bool, digest: str | None) -> Call:
    """Return a call that only plans, or carries out the plan of that digest alone; raises BadUsage for what is none."""
    if digest is None:
        return replace(call, plans=plans)
    if plans:
        raise BadUsage("--plan shows a plan, and --approved carries one out.", "Leave one out.")
    if not re.fullmatch("[0-9a-f]{64}", digest):
        raise BadUsage(f"--approved {digest!r} is no digest of a plan.", 'It is the "digest" of --plan.')
    return replace(call, approved=digest)


def duration_of(option: str, text: str) -> float:
    """Return the seconds of a duration that an option names; raises BadUsage for what is none."""
    seconds = seconds_of(text)
    if seconds is None:
        raise BadUsage(f"{option} {text!r} is no time.", "For example 90s, 10m or 1h.")
    return seconds


def _words(name: str, function: Command) -> Words:
    """Return the help of a verb: its line of `rigger --help`, then what its docstring adds to that.

    A verb is what a file of its name defines; the verbs of a group have their docstrings alone.
    """
    own_file = _path(name, function) == name
    return Words(help.summaries()[name] if own_file else "", function.__doc__ or "")


def _path(name: str, function: Command) -> str:
    """Return the words that call a verb: those of a group stand in the group's file."""
    file = function.__module__.rpartition(".")[2].replace("_", "-")
    return name if file == name else f"{file} {name}"


def group(name: str) -> Callable[[Command], Group]:
    """Make a function, of which only the docstring counts, a verb with verbs of its own: rigger config get."""
    return lambda function: Group(name, _words(name, function), {})
