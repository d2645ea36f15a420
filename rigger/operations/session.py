"""The ceremony that every operation with steps shares: lock, configuration, plan, preflight, run, result."""

from __future__ import annotations

import contextlib
import time

from rigger.configuration.resolve import resolve
from rigger.configuration.version import version_change
from rigger.environments.state import may_have_cluster, state_of
from rigger.errors import InvalidConfig, RiggerError, StepFailed
from rigger.later import later
from rigger.operations.planned import OnlyPlanned, Planned
from rigger.operations.report import DONE, report_of
from rigger.operations.result import RunResult
from rigger.plans.lifecycle import with_clients
from rigger.runs import preflight
from rigger.runs.holding import Holding
from rigger.runs.reach import Reach
from rigger.runs.recovery import load_config
from rigger.runs.run import Run
from rigger.text import ways
from rigger.values import frozen, mutable, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any

    from rigger.audit.events import Event
    from rigger.audit.state import ClusterState
    from rigger.configuration.config import Config
    from rigger.environments.environment import Environment
    from rigger.environments.inventory import Node
    from rigger.operations import approval
    from rigger.operations.approval import Inputs
    from rigger.operations.consent import Consent
    from rigger.operations.result import Result
    from rigger.plans.model import Plan
    from rigger.runs import hooks
    from rigger.runs.reporter import Reporter
    from rigger.runs.result import StepResult
else:
    approval = later("rigger.operations.approval")
    hooks = later("rigger.runs.hooks")


@frozen
class Ran:
    """A plan that was carried out, or was to be."""

    plan: Plan
    run: Run
    result: Callable[[], RunResult]


@mutable
class Session:
    """An environment whose lock is held, and all that an operation needs to work on it."""

    environment: Environment
    config: Config
    reporter: Reporter
    consent: Consent
    lock: int  # the descriptor of the lock, which the scripts inherit
    command: str
    reach: Reach
    closing: contextlib.ExitStack  # what ends with the session
    holding: Holding | None = None  # the claim on the nodes, once it is held
    inputs: Inputs | None = (
        None  # what its plan is made of, where one is approved or only shown, and nobody else looks
    )
    settled: bool = False  # whether the plan is the one that was approved
    shown: bool = False  # whether the plan is
    asked: bool = False  # whether the hooks were asked before the command
    ran: Ran | None = None  # what was run last

    @property
    def name(self) -> str:
        return self.environment.name

    @property
    def state(self) -> ClusterState:
        """The state of the cluster, by the audit log as it is now."""
        return state_of(self.environment)

    @property
    def nodes(self) -> list[Node]:
        return self.environment.nodes()

    def prepared(self, plan: Plan) -> Plan:
        """Return a plan that first installs clients which are missing, once all that it needs is there.

        Raises NotReady before anything is started.
        """
        plan = with_clients(self.config, self.environment.bin_dir, plan)
        self.require_ready(plan)
        return plan

    def require_cluster(self, wanted: str, *, deployed: bool = True) -> None:
        """Raise InvalidConfig where there is no cluster yet, or none with a platform on it; `wanted` is what for."""
        begun = self.state.steps.ever_started(f"platform/{self.config.platform.name}/deploy")
        if begun or (not deployed and may_have_cluster(self.environment)):
            return
        message = f"There is no cluster to {wanted} in {self.name} yet."
        raise InvalidConfig(message, ways(("Make it", "rigger provision")))

    def require_ready(self, plan: Plan) -> None:
        """Raise NotReady, with every remedy, where this machine lacks what the plan needs."""
        preflight.require(self.environment, self.config, plan)

    def show(self, plan: Plan) -> None:
        """Show the plan, once."""
        if not self.shown:
            self.shown = True
            self.reporter.plan(plan)

    def settle(self, plan: Plan, more: object = None, shown: Callable[[str], Result] | None = None) -> None:
        """Go no further where a plan is only to be shown, or where another one was approved: raises DifferencesFound.

        `more` is what the plan was made of beside the environment's files, `shown` what is returned in place of the plan,
        by its digest.
        """
        if self.settled:
            return
        if self.inputs is None:
            assert not self.environment.call.plans
            return
        self.settled, inputs = True, self.inputs.over(more)
        if self.environment.call.plans:  # what was recorded on the way to it is there when it is approved
            if shown is None:
                self.show(plan)
            digest = replace(inputs, head=self.environment.audit.head()).digest
            raise OnlyPlanned(shown(digest) if shown else Planned(plan, digest=digest))
        approval.require_same(self.environment, inputs, self.command.removeprefix("rigger "))

    def claim(self, plan: Plan, more: object = None) -> None:
        """Hold the claim on the cluster until the session ends, before anything of a plan is done or recorded.

        `more` is what the plan was made of beside the environment's files. Raises Locked while another record's run is
        under way, RecordBehind where another record went on, Declined where a hook refuses, DifferencesFound where
        another plan was approved.
        """
        self.settle(plan, more)
        self.ask_hooks(plan)
        self.closing.enter_context(self.reach.opened(plan.command))
        self.holding = Holding(self.environment, self.config, self.reach, self.reporter)
        self.closing.callback(self.holding.end)
        self.holding.begin(plan, self.command, self.consent.take_over)

    def ask_hooks(self, plan: Plan) -> None:
        """Ask the hooks whether a command may begin, once; raises Declined where one refuses."""
        if not self.asked:
            hooks.ask(
                self.environment,
                self.config,
                plan.command,
                lambda: {"command": plan.command, "plan": plan.as_dict()},
            )
            self.asked = True

    def tell_hooks(self, problem: RiggerError | None) -> None:
        """Tell the hooks what became of the run, where there was one."""
        if self.ran is None:
            return
        plan, run, result = self.ran.plan, self.ran.run, self.ran.result
        good = problem is None and run.outcome == DONE
        failure = problem or (None if good else StepFailed("A step failed."))

        def told() -> dict[str, Any]:
            report = report_of(result(), failure)
            return {"command": plan.command, "plan": plan.as_dict(), **report, "number": run.number}

        event = f"post-{hooks.event_of(plan.command)}" if good else "failed"
        hooks.tell(self.environment, self.config, event, told, run.id, self.reporter)

    def look(self, plan: Plan) -> RiggerError | None:
        """Return what the nodes say against this record, None where that is nothing."""
        self.closing.enter_context(self.reach.opened(plan.command))
        return Holding(self.environment, self.config, self.reach, self.reporter).look()

    def record(self, event: Event, run: str = "") -> Mapping[str, Any]:
        """Write an event to the audit log and return its record."""
        return self.environment.audit.append(event, run)

    def new_run(self) -> Run:
        """Return a run that has not begun."""
        return Run(self.environment, self.config, self.reporter, self.lock, self.reach, self.holding)

    def run(
        self,
        plan: Plan,
        before: Mapping[str, Any] | None = None,
        after: Callable[[Sequence[StepResult]], Mapping[str, Any]] | None = None,
        prepare: Callable[[Run], None] | None = None,
    ) -> RunResult:
        """Carry a plan out and return what became of it.

        `before` and `after` give further fields of the report; `prepare` gets the run before it begins. What is raised
        carries the result so far.
        """
        self.settle(plan)
        self.ask_hooks(plan)
        run, began = self.new_run(), time.monotonic()
        if prepare:
            prepare(run)

        def result() -> RunResult:
            further = after(run.results) if after else {}
            took = time.monotonic() - began
            return RunResult(self.name, run.id, tuple(run.results), before or {}, further, took)

        self.ran = Ran(plan, run, result)
        try:
            run.carry_out(plan)
        except RiggerError as problem:
            problem.result = result()
            raise
        return result()


@contextlib.contextmanager
def session(
    environment: Environment,
    command: str,
    reporter: Reporter,
    consent: Consent,
    prepare: Callable[[], None] | None = None,
    asked: str | None = "",
) -> Iterator[Session]:
    """Hold an environment's lock for a command, with its configuration and what a killed run had given back.

    `prepare` is called once the lock is held, before the configuration is read. `asked` is the command with what was asked
    of it, where that is more, for the digest of its plan; None where the operation has that approved itself. Raises Locked where somebody works
    there, InvalidConfig where its values cannot be used, BadUsage where scripts of somebody else were not agreed to.
    """
    with environment.locked(command) as lock, contextlib.ExitStack() as closing:
        call = environment.call
        head = environment.audit.head() if call.approved else (0, "")
        if prepare:
            prepare()
        config = as_it_runs(environment, load_config(environment))
        reach = Reach(environment, config, reporter)
        work = Session(environment, config, reporter, consent, lock, command, reach, closing)
        if asked is not None and (call.plans or call.approved):
            work.inputs = replace(approval.inputs_of(environment, asked or command), head=head)
        try:
            yield work
        except RiggerError as problem:
            work.tell_hooks(problem)
            raise
        work.tell_hooks(None)


def as_it_runs(environment: Environment, config: Config) -> Config:
    """Return a configuration with the version that runs: a wish for another is none of most commands' business."""
    running = state_of(environment).versions.running
    if running is None or version_change(environment, config.values) is None:
        return config
    return resolve(environment, running.values())
