"""Waiting until every node that was made, or started, answers: a machine runs a while before anybody can log in."""

from __future__ import annotations

import os
import re
import time

from rigger import text
from rigger.environments.state import state_of
from rigger.errors import Interrupted, ProcessTimedOut, StepFailed
from rigger.runs.reach import ROUND
from rigger.runs.ways_on import after_interrupt, again
from rigger.ssh.connections import forget_host_keys, known_hosts, patience

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rigger.configuration.config import Config
    from rigger.environments.environment import Environment
    from rigger.environments.inventory import Node
    from rigger.plans.model import Plan, Step
    from rigger.process.interrupts import Interrupts
    from rigger.runs.reach import Reach
    from rigger.runs.reporter import Reporter

MAKES = ("create", "resume")  # steps of a provider after which machines are starting
PAUSE = 2.0  # seconds between two rounds
QUIET = 5.0  # seconds until somebody is told what is waited for
REMIND = 30.0  # and between two lines about it
NOT_REACHED = ("not reached, or lost", "exit 255")
ERROR = "error: rigger-node: "
NOT_RUN = "did not run the command"  # of libexec/reasons.sh


class Wait:
    """One wait for nodes; `mask` takes secrets out of what they said last."""

    def __init__(
        self,
        environment: Environment,
        config: Config,
        reach: Reach,
        reporter: Reporter,
        mask: Callable[[str], str],
    ):
        self.environment = environment
        self.provider = config.provider
        self.reach = reach
        self.reporter = reporter
        self.mask = mask
        self.seconds = patience(config.provider.ready)
        self.said: Mapping[str, str] = {}  # the last words of the nodes that are waited for
        self._told = 0.0

    def before(self, plan: Plan, interrupts: Interrupts) -> None:
        """Go on with a wait that failed or was stopped, unless the machines are about to be made or started again."""
        makes = any(is_needed_after(step) for step in plan.steps)
        if plan.command == "provision" and not makes and state_of(self.environment).readiness.awaited:
            self.until_all_answer(plan, interrupts)

    def after(self, step: Step, plan: Plan, interrupts: Interrupts) -> None:
        """Wait for what a step made or started."""
        if is_needed_after(step):
            self.until_all_answer(plan, interrupts)

    def until_all_answer(self, plan: Plan, interrupts: Interrupts) -> None:
        """Return when every node answers; raises StepFailed when the time is over, Interrupted when asked to stop."""
        names = [node.name for node in self.environment.nodes() if self._can_be_reached(node)]
        if not (names and self.seconds):
            return
        began = time.monotonic()
        unknown = {*names} - known_hosts(self.environment.path)
        while names := self._silent(names, plan):
            took = time.monotonic() - began
            if took >= self.seconds:
                raise self._gave_up(plan)
            # A machine may make its host keys anew while it starts: none counts before it has let us in.
            forget_host_keys(self.environment.path, unknown & {*names})
            self._tell(took)
            interrupts.wait(PAUSE)
            if interrupts.requested():
                raise self._interrupted(plan)
        if self._told:
            self.reporter.line(f"All nodes answer, after {text.duration(time.monotonic() - began)}.")

    def _can_be_reached(self, node: Node) -> bool:
        """Return whether there is a way to a node: the provider's `exec`, or what ssh needs to know."""
        return bool(node.ssh) or self._has_exec

    @property
    def _has_exec(self) -> bool:
        return any(os.path.exists(os.path.join(self.provider.folder, name)) for name in ("exec", "exec.sh"))

    def _silent(self, names: list[str], plan: Plan) -> list[str]:
        """Ask nodes, all at once; return those that do not answer yet."""
        try:
            said = self.reach.ask(names, ["true"])
        except ProcessTimedOut:
            self.said = {name: f"no answer within {text.in_words(ROUND)}" for name in names}
            return names
        except KeyboardInterrupt:
            raise self._interrupted(plan) from None
        if said.exit_code == 0:
            return []
        errors = text.decode(said.errors)
        failed = _failed(errors)
        if failed is None:  # rigger-node itself could not work
            failed = dict.fromkeys(names, NOT_REACHED[0])
        # By `exec`, which says what it could not reach, any other code is the command's own; ssh may let somebody in
        # who is then sent away: nobody may log in while the system is booting (pam_nologin).
        silent = [n for n in names if n in failed and (failed[n] in NOT_REACHED or not self._has_exec)]
        self.said = {name: self.mask(_last_words(errors, name) or failed[name]) for name in silent}
        return silent

    def _tell(self, took: float) -> None:
        """Say what is waited for: once it takes a while, then again and again with what the nodes said last."""
        limit = text.in_words(self.seconds)
        listed = text.listed([f"{name} ({reason})" for name, reason in self.said.items()])
        if took >= QUIET and (not self._told or took - self._told >= REMIND):
            self._told = took
            self.reporter.line(f"Waiting up to {limit} until every node answers; not yet: {listed}.")
        elif took >= QUIET:
            self.reporter.progress(f"    {text.duration(took)} of {limit}: {listed}")

    def _gave_up(self, plan: Plan) -> StepFailed:
        reasons = "".join(f"\n  {name}: {reason}" for name, reason in self.said.items())
        return StepFailed(
            f"Not every node answered within {text.in_words(self.seconds)}; they stay on record.{reasons}",
            "See that nothing keeps this computer from them: a firewall, the user or the key. "
            f'"{again(plan)}" waits for them again and continues.',
        )

    def _interrupted(self, plan: Plan) -> Interrupted:
        listed = text.listed([*self.said]) or "the nodes"
        return Interrupted(f"Interrupted while waiting until {listed} answer.", after_interrupt(plan))


def is_needed_after(step: Step) -> bool:
    """Return whether machines are starting when a step has ended."""
    return step.module.role == "provider" and step.verb in MAKES


def _failed(errors: str) -> dict[str, str] | None:
    """Return the nodes that rigger-node --all names at its end, each with how it failed; None where it names none."""
    summary = re.findall(r"^error: rigger-node: of [0-9]+ nodes these failed: (.*)$", errors, re.MULTILINE)
    return dict(re.findall(r"(\S+) \(([^()]*)\)", summary[-1])) if summary else None


def _last_words(errors: str, name: str) -> str:
    """Return why a node could not be reached, in the words of whatever tried."""
    prefix = f"{name}: "
    lines = [line.removeprefix(prefix).strip() for line in errors.splitlines() if line.startswith(prefix)]
    lines = [line for line in lines if line]
    own = [number for number, line in enumerate(lines) if line.startswith(ERROR)]
    chosen = own[-1] if own else len(lines) - 1
    if own and NOT_RUN in lines[chosen] and chosen:
        chosen -= 1  # what the machine itself said in place of running it
    last = text.plain(lines[chosen].removeprefix(ERROR)) if lines else ""
    return re.sub(rf"^{re.escape(name)} (\([^()]*\) )?", "", last).rstrip(".")
