"""A shell in the place of a step's script: with its environment, its folder and the terminal."""

from __future__ import annotations

import os

from rigger.files import unlink_if_there
from rigger.plans.model import Plan
from rigger.process import terminal
from rigger.runs.own_folder import OwnFolder
from rigger.runs.step_files import StepFiles

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rigger.plans.model import Step
    from rigger.runs.run import Run


def open_shell(run: Run, command: str, step: Step) -> int:
    """Give the terminal to a shell that has what the script of a step would have; return the shell's exit code.

    It is recorded as a run without steps, as nobody knows what was done there; values that are saved there are dropped.
    Raises CannotStart, NotReady.
    """
    plan = Plan(command, ())
    program = os.environ.get("SHELL") or "/bin/sh"
    with run.reach.opened(command):
        run.begin(plan)
        files, outcome = StepFiles.of_step(run.folder, 1, step.verb), "failed"
        try:
            with OwnFolder(run.environment, step.module).in_use(step, run.reporter.warn):
                files.create()
                environment = run.environment_of(plan, step, 1, files)
                code = terminal.interactive([program], env=environment, cwd=step.module.folder)
            outcome = "done"
            return code
        finally:
            files.remove()
            unlink_if_there(files.log)
            run.end(outcome)
