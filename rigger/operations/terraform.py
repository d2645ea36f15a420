"""Terraform with an environment's values and state, and what only rigger can do with that state."""

from __future__ import annotations

import contextlib
import os

from rigger.audit.events import TerraformCalled
from rigger.errors import BadUsage
from rigger.operations.consent import Consent
from rigger.operations.session import Session, session
from rigger.plans.model import Plan, Step
from rigger.process import terminal
from rigger.runs.environment import script_environment
from rigger.runs.reporter import Reporter, Silent
from rigger.terraform import migrate as moves
from rigger.terraform import steps
from rigger.terraform.runner import program_of, say_lock
from rigger.terraform.state import back_up, kept
from rigger.terraform.workspace import Workspace, environ
from rigger.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from rigger.environments.environment import Environment

NEEDS_NO_INIT = ("version", "fmt", "-help", "-version", "--version")
LOOKS_AT_STATE = ("identities", "list", "pull", "show")  # after the word "state"
CHANGES_STATE = ("apply", "destroy", "import", "refresh", "state", "taint", "untaint")


@frozen
class Unlocked:
    """Who held the lock of a state; empty where nobody did."""

    holder: str

    def as_dict(self) -> dict[str, Any]:
        return {"holder": self.holder or None}


@frozen
class Migrated:
    """Where a state is now, in a sentence."""

    outcome: str

    def as_dict(self) -> dict[str, Any]:
        return {"outcome": self.outcome}


def terraform(environment: Environment, words: Sequence[str], reporter: Reporter | None = None) -> int:
    """Give the terminal to Terraform with these words, such as ("state", "list"); return its exit code.

    Raises BadUsage where the provider is no folder of .tf files, NotReady where there is no Terraform.
    """
    reporter = reporter or Silent()
    changes = _changes_state(words)
    with _workspace(environment, words[0], reporter, Consent(), changes) as workspace:
        if words[0] in NEEDS_NO_INIT or "-help" in words:
            program = program_of(steps.bare(workspace))
        else:
            program = steps.ready(workspace, reporter.line).program
        if changes:
            back_up(workspace)
        reporter.flush()
        with _private_files(), kept(workspace):
            argv = [program.path, f"-chdir={workspace.folder}", *words]
            return terminal.interactive(argv, env=environ(workspace, interactive=True))


def _changes_state(words: Sequence[str]) -> bool:
    looks = words[0] == "state" and words[1:2] and words[1] in LOOKS_AT_STATE
    return words[0] in CHANGES_STATE and "-help" not in words and not looks


def unlock(
    environment: Environment, reporter: Reporter | None = None, consent: Consent | None = None
) -> Unlocked:
    """Release the lock of the state, which nobody holds any more; raises Declined or BadUsage on a no."""
    reporter, consent = reporter or Silent(), consent or Consent()
    with _workspace(environment, "unlock", reporter, consent) as workspace:
        held = moves.lock(workspace, reporter.warn)
        if not held:
            return Unlocked("")
        holder = say_lock(held)
        reporter.warn(f"The lock is held by {holder}.")
        consent.agree("Release it? Whoever holds it must not be at work any more.")
        moves.unlock(workspace, held["ID"], reporter.line)
        return Unlocked(holder)


def migrate(environment: Environment, reporter: Reporter | None = None) -> Migrated:
    """Move the state to the backend that is configured; raises StepFailed or Refused, and it is where it was."""
    reporter = reporter or Silent()
    with _workspace(environment, "migrate", reporter, Consent()) as workspace:
        return Migrated(moves.migrate(workspace, reporter.line))


@contextlib.contextmanager
def _workspace(
    environment: Environment, word: str, reporter: Reporter, consent: Consent, changes: bool = False
) -> Iterator[Workspace]:
    """Give where an environment's Terraform works, its lock held; raises BadUsage where it has none.

    `changes`: also with the claim on the cluster; raises what `Session.claim` does.
    """
    with session(environment, f"rigger terraform {word}", reporter, consent) as work:
        workspace = _workspace_of(work)
        if changes:
            work.claim(Plan(f"terraform {word}", (Step(work.config.provider, "create", "asked for"),)))
        work.record(TerraformCalled(command=word))
        yield workspace


def _workspace_of(work: Session) -> Workspace:
    provider = work.config.provider
    if not provider.has_terraform:
        raise BadUsage(f"{provider.name} is no Terraform provider: its folder has no .tf files.")
    values = script_environment(work.environment, work.config, provider, "create")
    return Workspace.of(provider, values["RIGGER_STATE_DIR"], work.environment.home, values)


@contextlib.contextmanager
def _private_files() -> Iterator[None]:
    """Let new files be readable by nobody else: Terraform writes its state with whatever rights the umask leaves."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)
