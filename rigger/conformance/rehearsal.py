"""One rehearsal under way: its steps, and what is found in them."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence

from rigger.audit.events import Destroyed
from rigger.configuration import resolve
from rigger.conformance.finding import FAIL, PASS, Finding
from rigger.conformance.nodes import Machines, Way, machines
from rigger.conformance.sandbox import RehearsalOptions, Sandbox
from rigger.conformance.secrecy import told_secrets
from rigger.conformance.traces import Traces, differences
from rigger.conformance.watching import Watching, killing
from rigger.environments import inventory
from rigger.errors import StepFailed
from rigger.modules.verbs import READY
from rigger.plans.model import Plan, Step
from rigger.process.interrupts import Interrupts
from rigger.redact import Redactor, maskable
from rigger.runs.output import drop_outputs
from rigger.runs.reach import Reach
from rigger.runs.ready import Wait
from rigger.runs.recovery import load_config
from rigger.runs.reporter import Silent
from rigger.runs.run import Run
from rigger.text import last_line, listed
from rigger.values import field, frozen, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rigger.configuration.config import Config
    from rigger.environments.environment import Environment
    from rigger.environments.inventory import Node
    from rigger.modules.model import Module
    from rigger.plans.model import StageStep
    from rigger.runs.result import StepResult

SHORT = (
    10.0  # seconds that machines have until they answer where no ssh is in the way and no manifest says more
)
CANNOT = (126, 127)  # how a script ends that could not be started

Say = Callable[[Finding], None]


@frozen
class How:
    """How a script is run: as in a plain provision, unless something is given."""

    kill_after: float | None = None  # seconds
    held_at: int = 0  # the call to a node at which it is held and killed; 0: none
    silent: str = ""  # a node that does not answer
    leaving: tuple[str, ...] = ()
    values: Mapping[str, str] = field(
        repr=False, default_factory=dict
    )  # in place of those of the environment
    environ: Mapping[str, str] = field(repr=False, default_factory=dict)
    stage: StageStep | None = None  # of an upgrade: the one that is judged


PLAIN = How()


class Rehearsal:
    """One rehearsal under way."""

    def __init__(
        self, sandbox: Sandbox, environment: Environment, module: Module, options: RehearsalOptions, say: Say
    ):
        self.sandbox = sandbox
        self.environment = environment
        self.module = module
        self.reporter = options.reporter or Silent()
        self.traces = Traces(sandbox.root, sandbox.home, environment.home, module.folder)
        self.way = Way(os.path.join(sandbox.root, "way"))
        self.made_up: Mapping[str, str] = {}  # answers of an add-on, which are given when it is added
        self._say = say
        self.failed = False
        self.making: dict[str, Environment] = {}  # where something was made that was not destroyed
        self._told: set[str] = set()
        self.took: dict[str, float] = {}  # seconds of each script that succeeded last
        self._terraform_was_killed = False

    def say(self, level: str, text: str, file: str = "") -> None:
        self.failed = self.failed or level == FAIL
        self._say(Finding(level, text, file))

    def expect(self, good: bool, praise: str, blame: str, file: str = "") -> bool:
        self.say(PASS if good else FAIL, praise if good else blame, file)
        return good

    def config(self) -> Config:
        return resolve.resolve(self.environment)

    def nodes(self) -> list[Node]:
        return self.environment.nodes()

    def machines(self) -> Machines:
        """Return the nodes as they are now, to be asked now or when they should be gone."""
        return machines(self.environment, self.config(), self.sandbox.aside)

    @contextlib.contextmanager
    def elsewhere(self, environment: Environment) -> Iterator[None]:
        """Work in another environment for a while."""
        own, self.environment = self.environment, environment
        try:
            yield
        finally:
            self.environment = own

    def set(self, **values: str) -> None:
        """Answer questions anew."""
        with self.environment.locked("rigger module check"):
            self.environment.save_values({**self.environment.values(), **values})

    def set_nodes(self, nodes: Sequence[Node]) -> None:
        """Write an inventory, as if those were the nodes."""
        with self.environment.locked("rigger module check"):
            inventory.write(self.environment.inventory_file, nodes)

    # Steps

    def step(self, module: Module, verb: str, how: How = PLAIN) -> StepResult:
        """Run one script as a command would; what it says of secrets is noticed before it is masked."""
        command = "destroy" if verb in ("destroy", "undeploy") else "provision"
        with self.environment.locked("rigger module check") as lock:
            config = load_config(self.environment)
            if how.values:
                config = resolve.resolve(self.environment, how.values)
            # Whether the machines answer is asked apart: it is a finding of its own.
            config = replace(config, provider=replace(config.provider, ready=0.0))
            current = config.provider if module.role == "provider" else config.platform
            run = Run(self.environment, config, self.reporter, lock)
            run.redactor = watched = Watching(run.redactor)
            if (module.role, verb) == ("provider", "create"):
                self.making[self.environment.name] = self.environment
            way = self.way.environ(config, how.silent, how.held_at) if module.role == "platform" else {}
            step = Step(current, verb, "rehearsed", goes_on=True, environ=way, stage=how.stage)
            before = self.environment.values()
            with killing(how.kill_after, self.way.held if how.held_at else ""):
                plan = Plan(command, (step,), leaving=how.leaving, environ=how.environ)
                result = run.carry_out(plan)[0]
        if result.good:
            self.took[verb] = result.seconds
        self._tell_of_secrets(result, watched.masked, config, before)
        return result

    def _tell_of_secrets(
        self, result: StepResult, printed: bool, config: Config, before: Mapping[str, str]
    ) -> None:
        """Say once of a script that it prints secrets, or keeps them among the vars."""
        if result.step.module.folder != self.module.folder:
            return
        told = [(result.step.shown, FAIL, "prints a secret")] if printed else []
        vars = {n: v for n, v in self.environment.vars().items() if before.get(n) != v}
        told += told_secrets(config, result, vars)
        for name, level, text in told:
            if name not in self._told:
                self._told.add(name)
                self.say(level, text, self.file(result))

    def must(self, module: Module, verb: str, praise: str, how: How = PLAIN) -> StepResult | None:
        """Run a script that has to succeed; return how it went if it did."""
        result = self.step(module, verb, how)
        if result.good and not self._leftovers(result):
            self.say(PASS, praise, self.file(result))
            return result
        self.say(FAIL, f"{self.why(result)} (wanted: {praise})", self.file(result))
        return None

    def looks(self, module: Module, verb: str, praise: str, how: How = PLAIN) -> bool:
        """Run a script that has to succeed and to change nothing: neither here nor on the nodes."""
        nodes = self.machines()
        before, inventory_before = self._what_is_there(nodes), self.nodes()
        result = self.step(module, verb, how)
        good = result.good or result.differs and verb == "plan"
        if not good:
            self.say(FAIL, f"{self.why(result)} (wanted: {praise})", self.file(result))
            return False
        changed = differences(before, self._what_is_there(nodes))
        if changed or self.nodes() != inventory_before:
            what = listed(changed) or "the inventory"
            self.say(FAIL, f"changes something: {what}; it should only look", self.file(result))
            return True
        self.say(PASS, praise, self.file(result))
        return True

    def _what_is_there(self, nodes: Machines) -> dict[str, object]:
        """Return the files in the home and the state and on the nodes; not what running processes write."""
        seen: dict[str, object] = dict(self.traces.here(self.environment))
        busy = self.traces.processes()
        for name, files in nodes.files().items():
            seen |= {f"{name}:{file}": "" if busy else sums for file, sums in files.items()}
        return {file: "" for file in seen} if busy else seen

    def notices(self, module: Module, verb: str, what: str, how: How = PLAIN) -> bool:
        """Run a check that must not succeed, as something is wrong; say it where it did."""
        result = self.step(module, verb, how)
        if result.timed_out or result.exit_code in CANNOT or result.problems:
            self.say(FAIL, f"{self.why(result)} ({what})", self.file(result))
            return False
        if result.good:
            self.say(FAIL, f"says that all is well although {what}", self.file(result))
            return False
        self.say(PASS, f"notices that {what}", self.file(result))
        return True

    def file(self, result: StepResult) -> str:
        """Return a script as the findings name it: the module's own by its name alone."""
        own = result.step.module.folder == self.module.folder
        return os.path.relpath(result.step.script, self.module.folder) if own else result.step.shown

    def why(self, result: StepResult) -> str:
        if result.timed_out:
            return f"did not end within {result.step.module.timeout(result.step.verb):.0f} s"
        if result.leftovers:
            return f"left something over: {', '.join(result.leftovers)}"
        if result.problems:
            return "; ".join(result.problems)
        last = self.reason(result)
        return f"exited {result.exit_code}" + (f": {last}" if last else "")

    def reason(self, result: StepResult) -> str:
        """Return the last line that a script printed."""
        return last_line(_end_of(result.log))

    def check_without_cluster(self, module: Module, when: str = "where nothing was made") -> None:
        """Run check where there is nothing: it may say so, but must end, and make nothing."""
        before, nodes = self.traces.here(self.environment), self.nodes()
        result = self.step(module, "check")
        changed = differences(before, self.traces.here(self.environment))
        if result.timed_out or result.exit_code in CANNOT or result.problems:
            self.say(FAIL, f"{self.why(result)} ({when})", self.file(result))
        elif self.nodes() != nodes or changed:
            self.say(FAIL, f"makes something {when}: it should only look", self.file(result))
        else:
            self.say(PASS, f"works {when}", self.file(result))

    def destroyed(self, when: str = "") -> bool:
        """Destroy the machines as `rigger destroy` does; say and return whether all of them are gone."""
        config = self.config()
        result = self.step(config.provider, "destroy")
        left = [node.name for node in self.nodes()]
        if not result.good or self._leftovers(result) or left:
            why = f"nodes are left: {', '.join(left)}" if result.good and left else self.why(result)
            self.say(FAIL, f"{why} {when}".rstrip(), self.file(result))
            return False
        self.making.pop(self.environment.name, None)
        self._forget_outputs(config)
        self.say(PASS, f"removes all of it {when}".rstrip(), self.file(result))
        return True

    def _forget_outputs(self, config: Config) -> None:
        with self.environment.locked("rigger module check"):
            self.environment.audit.append(Destroyed(nodes=()))
        drop_outputs(self.environment, config)

    def killed(self, module: Module, verb: str, how: How) -> bool:
        """Kill a script, and all that it started, in the middle; return whether it came to that."""
        with self.traces.excused(self.sandbox.temporary):
            result = self.step(module, verb, how)
        if result.good:
            self.say(PASS, "was done before it could be killed", self.file(result))
        elif result.exit_code == 128 + signal.SIGKILL:
            at = f"at its call {how.held_at} to a node" if how.held_at else f"after {how.kill_after:.2f} s"
            self.say(PASS, f"was killed in the middle, {at}", self.file(result))
            self._terraform_was_killed = self._terraform_was_killed or module.has_terraform
            return True
        else:
            self.say(FAIL, f"{self.why(result)} (once more, to be killed)", self.file(result))
        return False

    def _leftovers(self, result: StepResult) -> tuple[str, ...]:
        """Return what counts of what a step left over: what a killed Terraform may have made, rigger itself names."""
        return () if self._terraform_was_killed else result.leftovers

    def answering(self, verb: str = "create") -> bool:
        """Wait until every node answers, as rigger does after create and resume; say and return whether they do."""
        config, nodes = self.config(), self.nodes()
        ready = config.provider.ready
        if ready == READY and not any(node.ssh for node in nodes):
            ready = SHORT
        provider = replace(config.provider, ready=ready)
        reach = Reach(self.environment, replace(config, provider=provider), Silent())
        mask = Redactor(maskable(config.every_secret())).text
        wait = Wait(self.environment, reach.config, reach, Silent(), mask)
        with Interrupts() as interrupts, reach.opened("provision"):
            try:
                wait.until_all_answer(Plan("provision", ()), interrupts)
            except StepFailed as problem:
                self.say(FAIL, f"{problem.message} `ready` in rigger.yml says how long they may take", verb)
                return False
        return True


def _end_of(path: str) -> str:
    with contextlib.suppress(OSError), open(path, "rb") as log:
        log.seek(max(0, os.stat(path).st_size - 4096))
        return log.read().decode("utf-8", "replace")
    return ""


def count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
