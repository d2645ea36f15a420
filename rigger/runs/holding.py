"""Holding the claim of a cluster: asked for on all nodes at once before anything is changed, left there at the end."""

from __future__ import annotations

import contextlib
import itertools
import os
import time

from rigger import text
from rigger.audit.claims import TAGS
from rigger.audit.events import ClaimBegun, ClaimLeft, TakenOver
from rigger.environments.state import state_of
from rigger.errors import Locked, NotReady, RiggerError, StepFailed
from rigger.files import temporary_folder, write_bytes
from rigger.later import later
from rigger.runs import claim
from rigger.runs.claim import Claim, Seen, UnderWay
from rigger.runs.environment import LIBEXEC
from rigger.runs.tags import Tags

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rigger.configuration.config import Config
    from rigger.environments.environment import Environment
    from rigger.environments.inventory import Node
    from rigger.plans.model import Plan, Step
    from rigger.process import capture
    from rigger.runs.reach import Reach
    from rigger.runs.reporter import Reporter
else:
    capture = later("rigger.process.capture")

ENDING = 600.0  # seconds that a step which is stopped may take
CHANGE_NOTHING = ("backup", "test")  # commands after which another record is as good as this one
PAUSE = 2.0  # seconds between two looks at the nodes of who waits for them
NAMED = 20  # nodes that did not answer
ATTEMPTS = 4  # where two begin at the same moment, each gets some of the nodes, or one is about to be refused


class Holding:
    """The claim of one command: what it asked the nodes, and the run that it said is under way."""

    def __init__(self, environment: Environment, config: Config, reach: Reach, reporter: Reporter):
        self.environment = environment
        self.config = config
        self.reach = reach
        self.reporter = reporter
        self.tags = Tags(config, reach)
        self.run: UnderWay | None = None
        self.taken: set[str] = set()  # nodes where it stands
        self.silent: set[str] = set()  # nodes that did not answer
        self.over = 0.0  # when the nodes take the run for cut off, going by this computer's clock
        self.seconds = ENDING
        self._begun: tuple[int, str] = (0, "")
        self._take_over = False
        self._command = ""
        self._changes = True
        self._held = False  # once nobody else was found
        self._noted = False  # in the tags, that this record goes on
        self._destroyed = False  # what has the tags is gone

    def look(self) -> RiggerError | None:
        """Return what the nodes say against this record, None where that is nothing; changes nothing."""
        with self.tags.asked("read") as asked:
            found = self._round(self.environment.nodes(), "read")
        return self._problem({**found, **asked.answer()})

    def begin(self, plan: Plan, command: str, take_over: bool) -> None:
        """Say on the nodes that this record is at work; raises Locked or RecordBehind, and nothing was changed."""
        self._take_over = take_over
        self._changes = plan.changes and plan.command.split()[0] not in CHANGE_NOTHING
        nodes = [] if state_of(self.environment).suspension else self.environment.nodes()
        self.seconds = 2 * max([ENDING, *(step.module.timeout(step.verb) + ENDING for step in plan.steps)])
        self._command = command
        if nodes:
            self._take(nodes)
        else:
            self._require_nobody_else()
        self._begun = self.environment.audit.head()
        self._held = True

    def before(self, step: Step) -> None:
        """Have the tags say that this record goes on, and the claim hold until a step must have ended."""
        if self.tags.script and self._changes and not self._noted:
            self._noted = True
            self.tags.say("leave", self._claim().as_line())
        if step.verb == "destroy" and step.module.role == "provider" and self.taken:
            self._round(self._those(self.taken), "clear")
        if time.monotonic() + step.module.timeout(step.verb) + ENDING > self.over and self.taken:
            self._renew()

    def after(self, step: Step, failed: bool = False) -> None:
        """Take the nodes that a provider's step made or started; raises what `begin` does.

        A destroy that failed may have left machines, which stay claimed.
        """
        if step.module.role == "provider" and step.verb in ("create", "destroy"):
            self._destroyed = step.verb == "destroy" and not failed
        if step.module.role == "provider" and step.verb in ("create", "resume"):
            new = [node for node in self.environment.nodes() if node.name not in self.taken]
            if new:
                self._take(new, quietly=True)

    def end(self) -> None:
        """Say on the nodes how far this record got; where nothing was changed, only that the run is over."""
        if self.run is None and not self._held:
            return
        try:
            if not self._changes or self.environment.audit.head() == self._begun:
                self._give_up()
            else:
                self._leave()
        except RiggerError as problem:  # what the command came to counts for more
            self.reporter.warn(
                f"Who changed the cluster last could not be written down there: {problem.message}"
            )

    def _leave(self) -> None:
        known = {node.name for node in self.environment.nodes()}
        nodes = self._those(self.taken | (known - self.silent)) if self.run else []
        rows = [_row(node) for node in nodes]
        if rows:
            self._record_left(rows)
        line = self._claim().as_line()
        missing = []
        if self._destroyed:
            found = self._leave_on(nodes, line)
        else:
            with self.tags.asked("leave", line) as asked:
                found = self._leave_on(nodes, line)
            if any(said.taken for said in asked.answer().values()):
                self._record_left([*rows, TAGS])
            missing = sorted(self._silent_tags(asked.answer()))
        missing += sorted(node.name for node in nodes if node.name not in found or not found[node.name].taken)
        if missing:
            self.reporter.warn(f"Who changed the cluster last could not be written to {', '.join(missing)}.")

    def _record_left(self, rows: list[str]) -> None:
        with contextlib.suppress(NotReady):  # the disk is full, and the nodes must know all the same
            self.environment.audit.append(ClaimLeft(nodes=rows))

    def _leave_on(self, nodes: Sequence[Node], line: str) -> dict[str, Seen]:
        return self._round(nodes, "leave", self._run.as_line(), line) if nodes else {}

    # The story of a beginning

    def _take(self, nodes: Sequence[Node], quietly: bool = False) -> None:
        if self.run is None:
            self.environment.audit.append(ClaimBegun(command=self._command))
            head = self.environment.audit.head()
            self.run = claim.new_run(self.environment, self.config.id, head, self._command)
        if quietly:
            found = self._ask_until_clear(nodes)
        else:
            with self.tags.asked("read") as asked:
                found = self._ask_until_clear(nodes)
            found |= asked.answer()
        problem = self._problem(found, lost=not quietly)
        if problem:
            if not self._take_over:
                self._give_up()
                raise problem
            found = self._overrule(nodes, found)
        self.over = time.monotonic() + self.seconds
        self.silent |= {node.name for node in nodes} - found.keys()
        self.silent -= found.keys()
        if not quietly:
            self._name_silent(self.silent | self._silent_tags(found))

    def _silent_tags(self, found: Mapping[str, Seen]) -> set[str]:
        return {self.tags.name} - found.keys() if self.tags.script else set()

    def _name_silent(self, silent: set[str]) -> None:
        if silent:
            names = sorted(silent)
            more = [f"{len(names) - NAMED} more"] if len(names) > NAMED else []
            self.reporter.warn(
                f"{', '.join([*names[:NAMED], *more])} did not answer, and could not be asked who changed the cluster last."
            )

    def _ask_until_clear(self, nodes: Sequence[Node]) -> dict[str, Seen]:
        """Take the nodes; raises Locked, with none of them taken, where another run is under way for too long."""
        for attempt in itertools.count(1):
            found = self._take_nodes(nodes)
            try:
                claim.require_free(found, self.environment.name, self._knows)
                return found
            except Locked as problem:
                self._drop()
                if attempt % ATTEMPTS == 0:
                    self._wait_for(problem, nodes)
            nodes = [
                node for node in nodes if node.name in found
            ]  # waiting once for those that are silent is enough
            import random

            time.sleep(random.uniform(0.05, 0.4))
        raise AssertionError

    def _wait_for(self, problem: Locked, nodes: Sequence[Node]) -> None:
        """Wait until no other run is under way on nodes; raises Locked once the call has waited as long as it may."""
        call, said = self.environment.call, ""
        while call.patience > 0:
            if (line := f"Waiting: {problem.message}") != said:
                call.say(line)
                said = line
            time.sleep(min(PAUSE, max(call.patience, 0)))
            try:
                claim.require_free(self._round(nodes, "read"), self.environment.name, self._knows)
                return
            except Locked as again:
                problem = again
        self.run = None
        raise problem

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
        """Go on with this record although another one had."""
        self._record_take_over(found)
        dead = {name: said for name, said in found.items() if said.run_line and not said.taken}
        found = {**found, **self._replace(nodes, dead)}
        self.taken |= {name for name, said in found.items() if said.taken}
        return found

    def _record_take_over(self, found: Mapping[str, Seen]) -> None:
        last = claim.last_stranger(found, self._knows)
        who, when = (last.who, last.when) if last else ("", "")
        serial, head = (last.serial, last.head) if last else (0, "")
        self._changes = True
        self.environment.audit.append(TakenOver(who=who, when=when, serial=serial, head=head))
        self.reporter.warn(f"Taken over{f' from {text.plain(who)}' if who else ''}: this record continues.")

    def _require_nobody_else(self) -> None:
        """Raise where another record knows of machines, or of what became of them, and this one does not."""
        with self.tags.asked("read") as asked:
            found = self._round_on_rows(self._existing(), "read")
        found |= asked.answer()
        claim.require_free(found, self.environment.name, self._knows)
        problem = self._problem(found)
        if problem and not self._take_over:
            raise problem
        if problem:
            self._record_take_over(found)
        self._name_silent(self._silent_tags(found))

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
        expected += [self.tags.name] if TAGS in claimed else []
        return claim.vanished(found, self.environment.name, expected)

    def _renew(self) -> None:
        found = self._round(self._those(self.taken), "renew", f"{self.seconds:.0f}", self._run.as_line())
        claim.require_free(found, self.environment.name, self._knows)
        self.over = time.monotonic() + self.seconds

    def _give_up(self) -> None:
        if self.run:
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
        hash = self.environment.audit.hash_of(serial)
        return bool(hash) and claim.is_same(hash, head)

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
        verb, *arguments = words
        command = ["sh", "-c", _script(), "claim", verb, self.config.id, *arguments]
        try:
            said = self.reach.ask(names, command, more)
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
