"""rigger terraform"""

from __future__ import annotations

import os

import click

from rigger.cli.app import App, command
from rigger.errors import BadUsage
from rigger.process import terminal
from rigger.runs.environment import script_environment
from rigger.runs.recovery import load_config
from rigger.terraform import migrate, steps
from rigger.terraform.runner import program_of, say_lock
from rigger.terraform.state import back_up, kept
from rigger.terraform.workspace import Workspace, environ

OWN = ("unlock", "migrate")
NEEDS_NO_INIT = ("version", "fmt", "-help", "-version", "--version")
CHANGES_STATE = ("apply", "destroy", "import", "refresh", "state", "taint", "untaint")


@command(
    "terraform",
    asks=True,
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="ARGUMENT...")
def terraform(app: App, words: tuple[str, ...]):
    """ARGUMENT... is a command of Terraform's own, such as "state list"; or "unlock", which releases a lock that nobody
    holds any more; or "migrate", which moves the state to the backend that is configured."""
    if not words:
        raise BadUsage("Which command of Terraform?", 'For example "rigger terraform state list".')
    app.yes = app.yes or words[0] in OWN and bool({"-y", "--yes"} & set(words[1:]))
    environment = app.environment()
    with environment.locked(f"rigger terraform {words[0]}"):
        workspace = _workspace(environment)
        environment.audit.append("terraform", command=words[0])
        if words[0] == "unlock":
            return _unlock(app, workspace)
        if words[0] == "migrate":
            return migrate.migrate(workspace, app.printer.line)
        return _pass_through(app, workspace, words)


def _workspace(environment) -> Workspace:
    config = load_config(environment)
    if not config.provider.has_terraform:
        raise BadUsage(f"{config.provider.name} is no Terraform provider: its folder has no .tf files.")
    values = script_environment(environment, config, config.provider)
    return Workspace.of(config.provider, values["RIGGER_STATE_DIR"], environment.home, values)


def _pass_through(app: App, workspace: Workspace, words: tuple[str, ...]) -> int:
    """Let Terraform talk to the person itself; the exit code is its own."""
    if words[0] in NEEDS_NO_INIT or "-help" in words:
        program = program_of(steps.bare(workspace))
    else:
        program = steps.ready(workspace, app.printer.line).program
    if words[0] in CHANGES_STATE:
        back_up(workspace)
    app.printer.flush()
    os.umask(0o077)  # Terraform writes its state with whatever rights the umask leaves
    with kept(workspace):
        return terminal.interactive(
            [program.path, f"-chdir={workspace.folder}", *words],
            env=environ(workspace, interactive=True),
        )


def _unlock(app: App, workspace: Workspace) -> None:
    """Say who holds the state's lock, and release it."""
    held = migrate.lock(workspace, app.printer.warn)
    if not held:
        app.printer.line("Nobody holds the state's lock.")
        return
    app.printer.warn(f"The lock is held by {say_lock(held)}.")
    app.consent().agree("Release it? Whoever holds it must not be at work any more.")
    migrate.unlock(workspace, held["ID"], app.printer.line)
    app.printer.line("The lock is released.")
