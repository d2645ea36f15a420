"""Carries a plan out: one step after another, each recorded before it starts and after it ended."""

from __future__ import annotations

import json
import os

from rigger.audit.events import LogsMasked, RunFinished
from rigger.configuration import module_state
from rigger.environments import reserve
from rigger.environments.state import state_of
from rigger.errors import Interrupted, NotReady, Paused, StepFailed, Unwritable
from rigger.files import write_bytes
from rigger.process import step as step_process
from rigger.process.interrupts import Interrupts
from rigger.process.relay import Relay
from rigger.process.step import Outcome
from rigger.redact import Redactor, maskable
from rigger.redact.known import hide, masked_data
from rigger.runs.environment import script_environment
from rigger.runs.failed_at import noting, place_of
from rigger.runs.folder import new_folder
from rigger.runs.log import StepLog, mask_logs
from rigger.runs.needs import require_needs
from rigger.runs.output import (
    apply_output,
    missing_outputs,
    missing_provides,
    take_own,
    validate_backup,
    with_given,
)
from rigger.runs.own_folder import OwnFolder
from rigger.runs.own_scripts import inside
from rigger.runs.reach import Reach
from rigger.runs.ready import Wait
from rigger.runs.records import run_started, step_finished, step_started
from rigger.runs.reporter import Silent
from rigger.runs.result import step_result
from rigger.runs.step_files import StepFiles, StepOutput
from rigger.runs.ways_on import after_failure, after_interrupt, not_kept, not_recorded
from rigger.ssh.connections import first_pause

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rigger.configuration.config import Config
    from rigger.environments.environment import Environment
    from rigger.plans.model import Plan, Step
    from rigger.runs.holding import Holding
    from rigger.runs.reporter import Reporter
    from rigger.runs.result import StepResult

ATTEMPTS = 3  # that an idempotent step gets when it failed because a connection to a node was lost
IDEMPOTENT = ("install", "check")


class Run:
    """One command's steps under way in an environment whose lock is held."""

    def __init__(
        self,
        environment: Environment,
        config: Config,
        reporter: Reporter,
        lock_fd: int,
        reach: Reach | None = None,
        holding: Holding | None = None,
    ):
        self.environment = environment
        self.config = config
        self.reporter = reporter
        self.lock_fd = lock_fd
        self.id = ""
        self.number = 0  # by which people name it
        self.folder = ""
        self.redactor = Redactor(maskable(config.every_secret()))
        self.relay = Relay(self._keep_rest)
        self.results: list[StepResult] = []
        self.outcome = ""  # once it has ended
        self.reach = reach or Reach(environment, config, reporter)
        self.connections = self.reach.connections
        self.wait = Wait(environment, config, self.reach, reporter, self.redactor.text)
        self._logs_may_hold_secrets = False  # that became known after they were written
        self.holding = holding  # the claim on the nodes; None for what only looks
        self.on_step_finished: Callable[[StepResult], None] = lambda result: None
        self.before_step: Callable[[Step], None] = lambda step: None

    def carry_out(self, plan: Plan) -> list[StepResult]:
        """Run the steps of a plan in order; raises StepFailed at the first that matters, or Interrupted."""
        with Interrupts() as interrupts, self.reach.opened(plan.command), self.relay:
            self.begin(plan)
            outcome = "failed"
            try:
                self.wait.before(plan, interrupts)
                for number, step in enumerate(plan.steps, 1):
                    self._stop_if_asked(interrupts, plan)
                    if step.if_differs and not self._differs(step):
                        continue
                    self._before(step)
                    result = self._attempts(plan, number, step, interrupts)
                    self.results.append(result)
                    self.on_step_finished(result)
                    if result.interrupted:
                        outcome = "interrupted"
                        raise Interrupted(result.describe(), after_interrupt(plan, result))
                    if result.failed and not step.goes_on:
                        raise StepFailed(result.describe(), after_failure(plan, result))
                    self._after(result, plan, interrupts)
                well = not any(result.failed or result.leftovers for result in self.results)
                outcome = "done" if well else "failed"
            except (Interrupted, Paused) as problem:
                outcome = "interrupted" if isinstance(problem, Interrupted) else "paused"
                raise
            finally:
                self.end(outcome)
        return self.results

    def _differs(self, step: Step) -> bool:
        """Return whether the script plan of a step's module said that something would change."""
        return any(result.differs for result in self.results if result.step.module == step.module)

    def _before(self, step: Step) -> None:
        require_needs(self.environment, self.config, step)
        self.before_step(step)
        if self.holding:
            self.holding.before(step)

    def _after(self, result: StepResult, plan: Plan, interrupts: Interrupts) -> None:
        if not result.failed:  # nobody knows whether what it was about to make will ever answer
            self.wait.after(result.step, plan, interrupts)
        if self.holding:
            self.holding.after(result.step, failed=result.failed)

    def as_dict(self) -> dict[str, Any]:
        """Return the steps that ended, for a report."""
        return {"run": self.id, "steps": [result.as_dict() for result in self.results]}

    def begin(self, plan: Plan) -> None:
        """Make the folder of the run, and record that it began."""
        if plan.command != "destroy":
            reserve.keep(self.environment)
        self.id, self.folder = new_folder(self.environment, plan.command, self.reporter.warn)
        shown = json.dumps(masked_data(plan.as_dict()), indent=2).encode() + b"\n"
        write_bytes(os.path.join(self.folder, "plan.json"), shown, durable=False)
        started = run_started(self.environment, self.config, plan)
        self.environment.audit.append(started, self.id)
        self.number = state_of(self.environment).runs.count
        self._write_state()

    def end(self, outcome: str) -> None:
        """Record how the run ended."""
        self.outcome = outcome
        if self._logs_may_hold_secrets:
            self._mask_logs()
        try:
            self.environment.audit.append(RunFinished(outcome=outcome), self.id)
        except NotReady as problem:
            if outcome == "done":
                raise not_recorded("all steps ended well", problem) from None
            self.reporter.warn(
                not_recorded("the run has ended", problem).message
            )  # another error is under way

    def _mask_logs(self) -> None:
        """Mask what later steps gave back as secrets in the logs of those before them."""
        try:
            if masked := mask_logs(self.folder, self.redactor):
                self.environment.audit.append(LogsMasked(logs=masked), self.id)
        except OSError as problem:
            self.reporter.warn(
                f"{problem.filename} may hold a secret, and cannot be masked: {problem.strerror}."
            )
        except NotReady as problem:
            self.reporter.warn(problem.message)

    def _stop_if_asked(self, interrupts: Interrupts, plan: Plan) -> None:
        if interrupts.requested():
            raise Interrupted("Interrupted between two steps; nothing was running.", after_interrupt(plan))

    def _attempts(self, plan: Plan, number: int, step: Step, interrupts: Interrupts) -> StepResult:
        """Run a step, and again what is idempotent and failed because a connection to a node was lost."""
        pause, attempt = first_pause(), 1
        while True:
            result = self._step(plan, number, step, interrupts, attempt)
            again = result.lost and not (result.timed_out or result.interrupted) and step.verb in IDEMPOTENT
            if not again or attempt == ATTEMPTS:
                return result
            attempt += 1
            self.reporter.warn(
                f"{' and '.join(result.lost)} could not be reached: trying again in {pause:g} s "
                f"({attempt} of {ATTEMPTS})."
            )
            interrupts.wait(pause)
            pause *= 2
            if interrupts.requested():
                return result

    def _step(
        self, plan: Plan, number: int, step: Step, interrupts: Interrupts, attempt: int = 1
    ) -> StepResult:
        with OwnFolder(self.environment, step.module).in_use(step, self.reporter.warn):
            return self._run_step(plan, number, step, interrupts, attempt)

    def _run_step(
        self, plan: Plan, number: int, step: Step, interrupts: Interrupts, attempt: int
    ) -> StepResult:
        channels = StepFiles.of_step(self.folder, number, step.verb, attempt)
        environment = self._prepare(plan, number, step, channels)
        self._record_start(plan, number, step, channels, attempt)
        self.connections.begin_step()
        self.reporter.step_started(number, len(plan.steps), f"{step.module.name} {step.verb}", step.why)
        with StepLog(channels, self.redactor, self.reporter) as log:
            try:
                outcome = step_process.run(
                    step.argv,
                    cwd=step.module.folder,
                    env=environment,
                    sink=log.take,
                    interrupts=interrupts,
                    timeout=step.timeout,
                    tick=self.reporter.tick,
                    say=self.reporter.warn,
                    keep_open=[self.lock_fd],
                    relay=self.relay,
                    note=channels.log,
                    inside=None if step.trace else inside(step.script),
                )
            except StepFailed as problem:
                log.take(f"{problem.message}\n".encode("utf-8", "backslashreplace"))
                outcome = Outcome(exit_code=126, started=False)
        return self._finish(plan, number, step, channels, log, outcome)

    def _keep_rest(self, pipe: int, log_path: str) -> None:
        """Keep what a script still prints after rigger was killed, masked, in its log."""
        redactor = Redactor(maskable({**self.config.secrets, **self.environment.secrets()}))
        with StepLog(StepFiles.of_log(log_path), redactor, Silent()) as log:
            log.follow(pipe)

    def _prepare(self, plan: Plan, number: int, step: Step, channels: StepFiles) -> dict[str, str]:
        """Make what a step needs and return its environment; raises NotReady where the disk does not allow it."""
        try:
            channels.create()
            return self.environment_of(plan, step, number, channels)
        except OSError as problem:
            channels.remove()
            raise NotReady(
                f"{step.shown} was not started: {problem.filename}: {problem.strerror}.",
                "Make room or correct the permissions, then run the same command again.",
            ) from None

    def _record_start(self, plan: Plan, number: int, step: Step, channels: StepFiles, attempt: int) -> None:
        started = step_started(
            self.environment, self.config, self.id, plan, step, (number, attempt), channels, self.redactor
        )
        self.environment.audit.append(started, self.id)
        if not step.only_looks:
            self._write_state()

    def _write_state(self) -> None:
        """Bring the file with the state of all modules up to date, which scripts read."""
        if problem := module_state.write(self.environment, self.config):
            self.reporter.warn(problem)

    def _finish(
        self, plan: Plan, number: int, step: Step, channels: StepFiles, log: StepLog, outcome: Outcome
    ) -> StepResult:
        given = channels.collect(step.shown)
        leftovers = tuple(given.take_leftovers())
        take_own(given, step, self.environment, self.config.every_secret().values())
        succeeded = outcome.exit_code == 0 and not outcome.timed_out and not outcome.interrupted
        if succeeded:
            given.problems += missing_outputs(step, given, self.config) + missing_provides(step, given)
        if step.verb == "backup":
            given.problems += validate_backup(plan.environ.get("RIGGER_BACKUP_FILE", ""), succeeded)
        try:
            kept = OwnFolder(self.environment, step.module).keep()
            changed = apply_output(self.environment, self.config, step, given, succeeded)
        except Unwritable as problem:
            raise not_kept(step, outcome, problem) from None
        self._learn(given, log)
        result = step_result(
            step,
            outcome,
            given,
            self.redactor.text,
            log=channels.log,
            changed=changed,
            leftovers=leftovers,
            lost=() if succeeded else self.connections.lost(),
            kept=kept,
            show_log=f"rigger logs {self.number} {number}",
            place=place_of(channels.failed, outcome.exit_code, step),
        )
        self._record_end(number, result, outcome, log, given)
        channels.remove()
        self._show(result)
        return result

    def _learn(self, given: StepOutput, log: StepLog) -> None:
        """Take what a step gave back in; what is known to be a secret only now is masked in what it had printed."""
        known = {*maskable(self.config.every_secret())}
        self.config = self.reach.config = with_given(self.environment, self.config, given)
        new = {*maskable(self.config.every_secret())} - known
        for value in new:
            self.redactor.add(value)
        hide(self.config.secrets)
        if new or given.secrets:
            log.mask_again()
            self._logs_may_hold_secrets = True

    def _record_end(
        self, number: int, result: StepResult, outcome: Outcome, log: StepLog, given: StepOutput
    ) -> None:
        step = result.step
        if log.problem:
            self.reporter.warn(f"The log of {step.shown} is not complete: {log.problem}.")
        finished = step_finished(
            self.environment, self.config, number, result, outcome, log, given, self.redactor
        )
        try:
            self.environment.audit.append(finished, self.id)
        except NotReady as problem:
            raise not_recorded(f"{step.shown} exited {finished.exit_code}", problem) from None
        if not step.only_looks or given.values or given.nodes:
            self._write_state()

    def _show(self, result: StepResult) -> None:
        if result.skipped:
            self.reporter.step_finished("skipped", result.seconds)
            return
        if result.differs:  # an audit's last lines are to be seen; what a plan shows is shown whole
            self.reporter.step_finished("found differences", result.seconds, good=result.step.verb == "plan")
            return
        if result.good:
            note = f"({', '.join(result.changed)} set)" if result.changed else ""
            self.reporter.step_finished("done", result.seconds, note)
            return
        word = (
            "interrupted"
            if result.interrupted
            else "timed out"
            if result.timed_out
            else f"failed (exit {result.exit_code})"
        )
        self.reporter.step_finished(word, result.seconds, good=False)
        for problem in result.problems:
            self.reporter.warn(problem)

    def environment_of(self, plan: Plan, step: Step, number: int, channels: StepFiles) -> dict[str, str]:
        """Return the environment that the script of a step has."""
        environment = script_environment(self.environment, self.config, step.module, step.verb)
        environment.update(
            RIGGER_RUN=self.id,
            RIGGER_STEP=f"{number:02d}-{step.verb}",
            RIGGER_OUTPUT=channels.vars,
            RIGGER_SECRETS_OUTPUT=channels.secrets,
            RIGGER_INVENTORY_OUTPUT=channels.nodes,
            RIGGER_FIGURES_OUTPUT=channels.figures,
            RIGGER_STATE_OUTPUT=channels.state,
            RIGGER_LOCK_FD=str(self.lock_fd),
            RIGGER_CONNECTIONS=self.connections.path,
            RIGGER_LEAVING=" ".join(plan.leaving),
            **noting(channels.failed, environment),
            **self.reach.served,
            **plan.environ,
            **step.environ,
        )
        return environment
