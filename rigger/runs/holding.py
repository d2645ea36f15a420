"""Holding the claim of a cluster: asked for on all nodes at once before anything is changed, left there at the end."""

from __future__ import annotations

import contextlib
import os
import random
import time
from typing import TYPE_CHECKING

from rigger import text
from rigger.audit.events import ClaimBegun, ClaimLeft, TakenOver
from rigger.environments.state import state_of
from rigger.errors import InvalidConfig, Locked, NotReady, RiggerError, StepFailed
from rigger.files import temporary_folder, write_bytes
from rigger.process import capture
from rigger.runs import claim
from rigger.runs.claim import Claim, Seen, UnderWay
from rigger.runs.environment import LIBEXEC

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rigger.configuration.config import Config
    from rigger.environments.environment import Environment
    from rigger.environments.inventory import Node
    from rigger.plans.model import Plan, Step
    from rigger.runs.reach import Reach
    from rigger.runs.reporter import Reporter

PATIENCE = "5"  # seconds that a node has to answer
ROUND = 120.0  # seconds that all of them have
AT_ONCE = "30"
ENDING = 600.0  # seconds that a step which is stopped may take
CHANGE_NOTHING = ("backup", "test")  # commands after which another record is as good as this one
ATTEMPTS = 4  # where two begin at the same moment, each gets some of the nodes, or one is about to be refused


class Holding:
    """The claim of one command: what it asked the nodes, and the run that it said is under way."""

    def __init__(self, environment: Environment, config: Config, reach: Reach, reporter: Reporter):
        self.environment = environment
        self.config = config
        self.reach = reach
        self.reporter = reporter
        self.run: UnderWay | None = None
        self.taken: set[str] = set()  # nodes where it stands
        self.silent: set[str] = set()  # nodes that did not answer
        self.over = 0.0  # when the nodes take the run for cut off, going by this computer's clock
        self.seconds = ENDING
        self._begun: tuple[int, str] = (0, "")
        self._take_over = False
        self._command = ""
        self._changes = True

    def look(self) -> RiggerError | None:
        """Return what the nodes say against this record, None where that is nothing; changes nothing."""
        found = self._round(self.environment.nodes(), "read")
        return self._problem(found)

    def begin(self, plan: Plan, command: str, take_over: bool) -> None:
        """Say on the nodes that this record is at work; raises Locked or RecordBehind, and nothing was changed."""
        self._take_over = take_over
        self._changes = plan.changes and plan.command.split()[0] not in CHANGE_NOTHING
        nodes = [] if state_of(self.environment).suspension else self.environment.nodes()
        if not nodes:
            self._require_nobody_else()
        self.seconds = 2 * max([ENDING, *(step.module.timeout(step.verb) + ENDING for step in plan.steps)])
        self._command = command
        if nodes:
            self._take(nodes)
        self._begun = self.environment.audit.head()

    def before(self, step: Step) -> None:
        """Have the claim on nodes that came since, and have it hold until a step must have ended."""
        if step.verb == "destroy" and step.module.role == "provider" and self.taken:
            self._round(self._those(self.taken), "clear")
        if time.monotonic() + step.module.timeout(step.verb) + ENDING > self.over and self.taken:
            self._renew()

    def after(self, step: Step) -> None:
        """Take the nodes that a provider's step made or started; raises what `begin` does."""
        if step.module.role == "provider" and step.verb in ("create", "resume"):
            new = [node for node in self.environment.nodes() if node.name not in self.taken]
            if new:
                self._take(new, quietly=True)

    def end(self) -> None:
        """Say on the nodes how far this record got; where nothing was changed, only that the run is over."""
        if self.run is None:
            return
        try:
            if not self._changes or self.environment.audit.head() == self._begun:
                self._give_up()
            else:
                self._leave(self.run)
        except RiggerError as problem:  # what the command came to counts for more
            self.reporter.warn(
                f"Who changed the cluster last could not be written down there: {problem.message}"
            )

    def _leave(self, run: UnderWay) -> None:
        known = {node.name for node in self.environment.nodes()}
        nodes = self._those(self.taken | (known - self.silent))
        if not nodes:
            return
        with contextlib.suppress(NotReady):  # the disk is full, and the nodes must know all the same
            self.environment.audit.append(ClaimLeft(nodes=[_row(node) for node in nodes]))
        found = self._round(nodes, "leave", run.as_line(), self._claim().as_line())
        missing = sorted(node.name for node in nodes if node.name not in found or not found[node.name].taken)
        if missing:
            self.reporter.warn(
                f"Who changed the cluster last could not be written down on {', '.join(missing)}."
            )

    # The story of a beginning

    def _take(self, nodes: Sequence[Node], quietly: bool = False) -> None:
        if self.run is None:
            self.environment.audit.append(ClaimBegun(command=self._command))
            head = self.environment.audit.head()
            self.run = claim.new_run(self.environment, self.config.id, head, self._command)
        found = self._ask_until_clear(nodes)
        problem = self._problem(found, lost=not quietly)
        if problem:
            if not self._take_over:
                self._give_up()
                raise problem
            found = self._overrule(nodes, found)
        self.over = time.monotonic() + self.seconds
        self.silent |= {node.name for node in nodes} - found.keys()
        self.silent -= found.keys()
        if self.silent and not quietly:
            self.reporter.warn(
                f"{', '.join(sorted(self.silent))} did not answer, and could not be asked whether somebody else went on."
            )

    def _ask_until_clear(self, nodes: Sequence[Node]) -> dict[str, Seen]:
        """Take the nodes; raises Locked, with none of them taken, where another run is under way."""
        for attempt in range(ATTEMPTS):
            found = self._take_nodes(nodes)
            try:
                claim.require_free(found, self.environment.name, self._knows)
                return found
            except Locked:
                self._drop()
                if attempt == ATTEMPTS - 1:
                    self.run = None
                    raise
            time.sleep(random.uniform(0.05, 0.4))
        raise AssertionError

    def _take_nodes(self, nodes: Sequence[Node]) -> dict[str, Seen]:
        """Take nodes, also those where a run of this record, or of one that it goes on from, was cut off."""
        found = self._round(nodes, "take", f"{self.seconds:.0f}", self._run.as_line())
        own = {name: said for name, said in found.items() if self._is_own_and_dead(said)}
        again = self._replace(nodes, own)
        self._changes = self._changes or bool(own)  # whatever that run did is this record's now
        found = {**found, **again}
        self.taken |= {name for name, said in found.items() if said.taken}
        return found

    def _is_own_and_dead(self, said: Seen) -> bool:
        """Return whether a run is one of this record: the lock is held, so it is not under way any more."""
        return said.run is not None and not said.taken and self._knows(said.run.serial, said.run.head)

    def _replace(self, nodes: Sequence[Node], dead: Mapping[str, Seen]) -> dict[str, Seen]:
        found: dict[str, Seen] = {}
        for run in {said.run_line for said in dead.values()}:
            there = [node for node in nodes if node.name in dead and dead[node.name].run_line == run]
            found |= self._round(there, "take", f"{self.seconds:.0f}", self._run.as_line(), run)
        return found

    def _overrule(self, nodes: Sequence[Node], found: dict[str, Seen]) -> dict[str, Seen]:
        """Go on with this record although another one had: recorded, and said."""
        last = claim.last_stranger(found, self._knows)
        who, when = (last.who, last.when) if last else ("", "")
        serial, head = (last.serial, last.head) if last else (0, "")
        self._changes = True
        self.environment.audit.append(TakenOver(who=who, when=when, serial=serial, head=head))
        self.reporter.warn(f"Taken over{f' from {text.plain(who)}' if who else ''}: this record goes on.")
        dead = {name: said for name, said in found.items() if said.run_line and not said.taken}
        found = {**found, **self._replace(nodes, dead)}
        self.taken |= {name for name, said in found.items() if said.taken}
        return found

    def _require_nobody_else(self) -> None:
        """Raise where machines exist for this environment that its record knows nothing of, and another one's does."""
        found = self._round_on_rows(self._existing(), "read")
        problem = self._problem(found, lost=False)
        claim.require_free(found, self.environment.name, self._knows)
        if problem and not self._take_over:
            raise problem

    def _existing(self) -> bytes:
        """Return rows for the machines that there are, by the provider's script `existing`; nothing without one."""
        script = self.config.provider.script("existing")
        if script is None or state_of(self.environment).suspension:
            return b""
        try:
            listed = capture.capture([script], cwd=self.config.provider.folder, env=self.reach.environ())
        except StepFailed:
            return b""
        return listed.output if listed.exit_code == 0 else b""

    def _problem(self, found: Mapping[str, Seen], lost: bool = True) -> RiggerError | None:
        problem = claim.behind(found, self.environment, self._knows)
        if problem or not lost:
            return problem
        claimed = state_of(self.environment).claimed
        expected = [node.name for node in self.environment.nodes() if _row(node) in claimed]
        return claim.vanished(found, self.environment.name, expected)

    def _renew(self) -> None:
        found = self._round(self._those(self.taken), "renew", f"{self.seconds:.0f}", self._run.as_line())
        claim.require_free(found, self.environment.name, self._knows)
        self.over = time.monotonic() + self.seconds

    def _give_up(self) -> None:
        self._drop()
        self.run = None

    def _drop(self) -> None:
        """Take the run back from the nodes: nothing was changed."""
        nodes = self._those(self.taken)
        self.taken.clear()
        self._round(nodes, "drop", self._run.as_line())

    @property
    def _run(self) -> UnderWay:
        assert self.run is not None
        return self.run

    def _claim(self) -> Claim:
        serial, head = self.environment.audit.head()
        cluster = state_of(self.environment).cluster
        version = (cluster.answers.get("VERSION") if cluster else None) or self.config.values.get(
            "VERSION", ""
        )
        members = tuple(node.name for node in self.environment.nodes())
        who, path = claim.me(), self.environment.path
        return Claim(self.config.id, serial, head, version, members, who, claim.now(), self._command, path)

    def _knows(self, serial: int, head: str) -> bool:
        """Return whether this record has a record of that number and hash: then it goes on from there."""
        try:
            records = self.environment.audit.records()
        except InvalidConfig:
            return False
        return 0 < serial <= len(records) and bool(records[serial - 1]["hash"] == head)

    def _those(self, names: Iterable[str]) -> list[Node]:
        wanted = {*names}
        return [node for node in self.environment.nodes() if node.name in wanted]

    # One round to the nodes

    def _round(self, nodes: Sequence[Node], *words: str) -> dict[str, Seen]:
        """Do something on nodes, all at once; return what those said that were reached."""
        return self._on_nodes([node.name for node in nodes], words, {}) if nodes else {}

    def _round_on_rows(self, rows: bytes, *words: str) -> dict[str, Seen]:
        names = [line.partition(b"\t")[0].decode("ascii", "replace") for line in rows.splitlines() if line]
        if not names:
            return {}
        with temporary_folder("rigger-") as folder:
            path = os.path.join(folder, "nodes.tsv")
            write_bytes(path, rows, durable=False)
            return self._on_nodes(names, words, {"RIGGER_NODES_FILE": path})

    def _on_nodes(
        self, names: Sequence[str], words: Sequence[str], more: Mapping[str, str]
    ) -> dict[str, Seen]:
        environ = {"RIGGER_SSH_TIMEOUT": PATIENCE, **self.reach.environ(), **more}
        verb, *arguments = words
        argv = [
            os.path.join(LIBEXEC, "rigger-node"),
            "--all",
            "--parallel",
            AT_ONCE,
            "--only",
            " ".join(names),
        ]
        argv += ["--", "sh", "-c", _script(), "claim", verb, self.config.id, *arguments]
        try:
            said = capture.capture(argv, env=environ, timeout=ROUND)
        except StepFailed:
            return {}
        lines: dict[str, list[str]] = {}
        for line in text.decode(said.output).splitlines():
            name, _, rest = line.partition(": ")
            if name in names:
                lines.setdefault(name, []).append(rest)
        return {name: claim.seen(found) for name, found in lines.items()}


def _row(node: Node) -> str:
    return f"{node.name} {node.address}"


def _script() -> str:
    with open(os.path.join(LIBEXEC, "claim.sh"), encoding="utf-8") as file:
        return file.read()
