"""Keep the platform's data in a file, and put it back."""

from __future__ import annotations

import os

from rigger.audit.events import BackedUp, Restored, RestoreStarted
from rigger.errors import BadUsage
from rigger.operations.consent import Consent
from rigger.operations.session import session
from rigger.plans import lifecycle
from rigger.runs.reporter import Reporter, Silent
from rigger.sha256 import digest_of_file
from rigger.values import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rigger.environments.environment import Environment
    from rigger.operations.result import RunResult


def backup(
    environment: Environment,
    path: str = "",
    reporter: Reporter | None = None,
    consent: Consent | None = None,
) -> RunResult:
    """Back the platform's data up to a file that is not there yet; by default one in the environment's folder.

    The report's `file` is its path. Raises BadUsage where it cannot be written there, StepFailed where it was not.
    """
    reporter, consent = reporter or Silent(), consent or Consent()
    with session(environment, "rigger backup", reporter, consent, asked=f"backup {path}") as work:
        work.state.require_running(work.name)
        plan = lifecycle.only(work.config, "backup", "asked for")
        work.require_cluster("back up")
        path = new_file(path) if path else environment.backups.new()
        plan = work.prepared(replace(plan, environ={"RIGGER_BACKUP_FILE": path}))
        work.claim(plan)
        result = work.run(plan, before={"file": path})
        work.record(BackedUp(file=_recorded(environment, path)), result.run)
        return result


def new_file(path: str) -> str:
    """Return the whole path of a backup that somebody named; raises BadUsage where no new file can be there."""
    path = os.path.abspath(path)
    if os.path.exists(path):
        raise BadUsage(f"{path} is there already.", "Name another file.")
    if not os.path.isdir(os.path.dirname(path)):
        raise BadUsage(f"There is no folder {os.path.dirname(path)}.", "Make it, or name another file.")
    return path


def asked_to_restore(environment: Environment, path: str, name: str = "") -> str:
    """Return what a restore is asked for; where a plan is approved, with the digest of what would be put back."""
    counts = environment.call.plans or environment.call.approved
    return f"restore {name} {path} {digest_of_file(path) if counts else ''}"


def _recorded(environment: Environment, path: str) -> str:
    """Return a path as it is recorded: what lies in the environment's folder moves with it."""
    inside = os.path.relpath(path, environment.path)
    return path if inside.startswith(os.pardir) else inside


def restore(
    environment: Environment, path: str, reporter: Reporter | None = None, consent: Consent | None = None
) -> RunResult:
    """Put the platform's data back from a file that `backup` wrote, in place of the data that is there.

    Raises BadUsage where there is no such file or nobody agreed, StepFailed where it was not put back.
    """
    reporter, consent = reporter or Silent(), consent or Consent()
    path = os.path.abspath(path)
    if not os.path.isfile(path):
        raise BadUsage(f"There is no file {path}.", 'Name one that "rigger backup" wrote.')
    asked = asked_to_restore(environment, path)
    with session(environment, "rigger restore", reporter, consent, asked=asked) as work:
        work.state.require_running(work.name)
        plan = lifecycle.only(work.config, "restore", f"from {path}")
        work.require_cluster("restore")
        plan = work.prepared(replace(plan, environ={"RIGGER_BACKUP_FILE": path}))
        work.show(plan)
        work.claim(plan)
        reporter.warn(f"All data of {work.name} will be replaced by what is in {path}.")
        consent.agree("Replace the data that is there now?")
        work.record(RestoreStarted(file=path))
        result = work.run(plan, before={"file": path})
        work.record(Restored(file=path), result.run)
        return result
