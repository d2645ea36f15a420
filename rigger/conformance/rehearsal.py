"""Live a module's life in a sandbox, and say what it did wrong."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from rigger.audit.events import Destroyed
from rigger.configuration import resolve
from rigger.conformance.copy import copied_path, copier
from rigger.conformance.finding import ADVICE, FAIL, PASS, Finding
from rigger.conformance.sandbox import NAME, RehearsalOptions, Sandbox, configure_sandbox, open_sandbox
from rigger.conformance.traces import Snapshot, differences, end_processes, names_in, real_home, snapshot
from rigger.conformance.watching import Watching, killing
from rigger.environments.home import Home
from rigger.errors import RiggerError
from rigger.interface1.record import RECORD
from rigger.modules import own_files
from rigger.plans.model import Plan, Step
from rigger.process import capture
from rigger.runs.environment import LIBEXEC, script_environment
from rigger.runs.output import drop_outputs
from rigger.runs.recovery import load_config
from rigger.runs.reporter import Silent
from rigger.runs.run import Run
from rigger.text import last_line
from rigger.values import replace

if TYPE_CHECKING:
    from rigger.configuration.config import Config
    from rigger.environments.environment import Environment
    from rigger.environments.inventory import Node
    from rigger.modules.model import Module
    from rigger.runs.result import StepResult

SHORT = 5.0  # seconds: a create that is so quick is killed at several moments, a longer one at one
MOMENTS = (0.5, 0.25, 0.75)  # parts of the time that it took
LISTED = 5  # files or processes that a finding names

Say = Callable[[Finding], None]


def rehearse(module: Module, options: RehearsalOptions, say: Say) -> str:
    """Run a module's scripts through a whole life and say what was found; return the folder if it is kept.

    A module that writes into its own folder is tried as a copy: what is in there may be a live cluster's. Raises
    BadUsage where a value is missing. What was made is destroyed, also after an error or an interrupt.
    """
    home = Home()  # of the person
    with open_sandbox() as sandbox:
        module = copier(home, module)(sandbox.root)
        options = replace(options, provider=copied_path(home, options.provider, sandbox.root))
        environment = configure_sandbox(sandbox, module, options)
        rehearsal = Rehearsal(sandbox, environment, module, options, say)
        try:
            (_provider_life if module.role == "provider" else _platform_life)(rehearsal)
            rehearsal.check_files()
        finally:
            rehearsal.clean_up()
        rehearsal.check_processes()
        if rehearsal.failed:
            sandbox.keep = True
    return sandbox.root if sandbox.keep else ""


# The two lives


def _provider_life(rehearsal: Rehearsal) -> None:
    provider = rehearsal.module
    rehearsal.check_without_cluster(provider)
    rehearsal.must(provider, "destroy", "works where nothing was made")
    if not rehearsal.must(provider, "install", "succeeds"):
        return
    made = rehearsal.must(provider, "create", "succeeds, with all that it promises")
    if made is None:
        rehearsal.must(provider, "destroy", "works after a create that failed")
        return
    nodes = rehearsal.check_nodes()
    rehearsal.must(provider, "check", "succeeds after create")
    rehearsal.check_exec(nodes)
    if rehearsal.must(provider, "install", "can be repeated") and rehearsal.must(
        provider, "create", "can be repeated"
    ):
        rehearsal.expect(
            rehearsal.nodes() == nodes, "create makes the same nodes again", "a second create changed them"
        )
    if not rehearsal.destroyed():
        return
    rehearsal.remember_what_stays()
    rehearsal.check_without_cluster(provider, "after destroy")
    rehearsal.must(provider, "destroy", "can be repeated")
    for moment in MOMENTS if made.seconds < SHORT else MOMENTS[:1]:
        rehearsal.killed(provider, "create", made.seconds * moment)
        if not rehearsal.destroyed("after that"):
            return
    rehearsal.check_what_stays()


def _platform_life(rehearsal: Rehearsal) -> None:
    provider, platform = rehearsal.config().provider, rehearsal.module
    # Where a platform has to prepare something for the machines, it does so before they are made.
    early = [
        verb for verb in ("setup-clients", "prepare") if platform.script("prepare") and platform.script(verb)
    ]
    first = [(provider, "install"), *((platform, verb) for verb in early), (provider, "create")]
    if not all(rehearsal.must(module, verb, "succeeds") for module, verb in first):
        return
    rehearsal.check_without_cluster(platform)
    rehearsal.must(platform, "undeploy", "works where nothing was deployed")
    for verb in early:
        rehearsal.must(platform, verb, "can be repeated")
    deployed = rehearsal.must(platform, "install", "succeeds") and rehearsal.must(
        platform, "deploy", "succeeds, with all that it promises"
    )
    if deployed:
        rehearsal.must(platform, "check", "succeeds after deploy")
        rehearsal.run_tests(platform)
        for verb in ("install", "deploy"):
            rehearsal.must(platform, verb, "can be repeated")
        rehearsal.must(platform, "check", "succeeds after that")
    rehearsal.must(platform, "undeploy", "succeeds")
    rehearsal.check_without_cluster(platform, "after undeploy")
    rehearsal.must(platform, "undeploy", "can be repeated")
    if deployed and rehearsal.must(platform, "install", "works again"):
        rehearsal.killed(platform, "deploy", deployed.seconds * MOMENTS[0])
        rehearsal.must(platform, "undeploy", "works after that")
    rehearsal.destroyed()


class Rehearsal:
    """One rehearsal under way."""

    def __init__(
        self, sandbox: Sandbox, environment: Environment, module: Module, options: RehearsalOptions, say: Say
    ):
        self.sandbox = sandbox
        self.environment = environment
        self.module = module
        self.reporter = options.reporter or Silent()
        self._say = say
        self.failed = False
        self.may_exist = False  # whether something was made that was not destroyed
        self._before = snapshot(module.folder)
        self._stays: Snapshot = {}
        self._told: set[str] = set()
        self._own_home = real_home()
        self._in_real_home = {*names_in(self._own_home)}

    def say(self, level: str, text: str, file: str = "") -> None:
        self.failed = self.failed or level == FAIL
        self._say(Finding(level, text, file))

    def expect(self, good: bool, praise: str, blame: str) -> None:
        self.say(PASS if good else FAIL, praise if good else blame)

    def config(self) -> Config:
        return resolve.resolve(self.environment)

    def nodes(self) -> list[Node]:
        return self.environment.nodes()

    # Steps

    def step(self, module: Module, verb: str, kill_after: float | None = None) -> StepResult:
        """Run one script as a command would; what it says of secrets is noticed before it is masked."""
        command = "destroy" if verb in ("destroy", "undeploy") else "provision"
        with self.environment.locked("rigger module check") as lock:
            config = load_config(self.environment)
            if kill_after is not None:  # whatever runs then is killed: what asks the machines, too
                config = replace(config, provider=replace(config.provider, ready=0.0))
            current = config.provider if module.role == "provider" else config.platform
            run = Run(self.environment, config, self.reporter, lock)
            run.redactor = watched = Watching(run.redactor)
            self.may_exist = self.may_exist or (module.role, verb) == ("provider", "create")
            with killing(kill_after):
                result = run.carry_out(Plan(command, (Step(current, verb, "rehearsed", goes_on=True),)))[0]
        if watched.masked and result.step.shown not in self._told and module is self.module:
            self._told.add(result.step.shown)
            self.say(FAIL, "prints a secret", self._file(result))
        return result

    def must(self, module: Module, verb: str, praise: str) -> StepResult | None:
        """Run a script that has to succeed; return how it went if it did."""
        result = self.step(module, verb)
        if result.good and not result.leftovers:
            self.say(PASS, praise, self._file(result))
            return result
        self.say(FAIL, f"{self._why(result)} (wanted: {praise})", self._file(result))
        return None

    def _file(self, result: StepResult) -> str:
        """Return a script as the findings name it: the module's own by its name alone."""
        own = result.step.module.folder == self.module.folder
        return os.path.relpath(result.step.script, self.module.folder) if own else result.step.shown

    def _why(self, result: StepResult) -> str:
        if result.timed_out:
            return f"did not end within {result.step.module.timeout(result.step.verb):.0f} s"
        if result.leftovers:
            return f"left something over: {', '.join(result.leftovers)}"
        if result.problems:
            return "; ".join(result.problems)
        last = last_line(_end_of(result.log))
        return f"exited {result.exit_code}" + (f": {last}" if last else "")

    def check_without_cluster(self, module: Module, when: str = "where nothing was made") -> None:
        """Run check where there is nothing: it may say so, but must end, and make nothing."""
        state = self.environment.file("modules", self.config().state_name(module))
        before, nodes = _without_copies(snapshot(state)), self.nodes()
        result = self.step(module, "check")
        if result.timed_out or result.exit_code in (126, 127) or result.problems:
            self.say(FAIL, f"{self._why(result)} ({when})", self._file(result))
        elif self.nodes() != nodes or _without_copies(snapshot(state)) != before:
            self.say(FAIL, f"makes something {when}: it should only look", self._file(result))
        else:
            self.say(PASS, f"works {when}", self._file(result))

    def destroyed(self, when: str = "") -> bool:
        """Destroy the machines as `rigger destroy` does; say and return whether all of them are gone."""
        config = self.config()
        result = self.step(config.provider, "destroy")
        left = [node.name for node in self.nodes()]
        if not result.good or result.leftovers or left:
            why = f"nodes are left: {', '.join(left)}" if result.good and left else self._why(result)
            self.say(FAIL, f"{why} {when}".rstrip(), self._file(result))
            return False
        self.may_exist = False
        self._forget_outputs(config)
        self.say(PASS, f"removes all of it {when}".rstrip(), self._file(result))
        return True

    def _forget_outputs(self, config: Config) -> None:
        with self.environment.locked("rigger module check"):
            self.environment.audit.append(Destroyed(nodes=()))
        drop_outputs(self.environment, config)

    def killed(self, module: Module, verb: str, after: float) -> None:
        """Kill a script, and all that it started, in the middle."""
        result = self.step(module, verb, kill_after=after)
        if result.good:
            self.say(PASS, "was done before it could be killed", self._file(result))
        elif result.exit_code == 128 + signal.SIGKILL:
            self.say(PASS, f"was killed in the middle, after {after:.2f} s", self._file(result))
        else:
            self.say(FAIL, f"{self._why(result)} (once more, to be killed)", self._file(result))

    def run_tests(self, platform: Module) -> None:
        """Run every test of every suite and component once, in the order of the manifest."""
        if platform.script("setup-clients"):
            self.must(platform, "setup-clients", "succeeds")
        suites = [*platform.suites.values(), *platform.components.values()]
        for test in dict.fromkeys(test for suite in suites for test in suite.tests):
            result = self.step(platform, f"tests/{test}")
            if result.skipped:
                self.say(ADVICE, f"was skipped: {last_line(_end_of(result.log))}", self._file(result))
            elif result.good:
                self.say(PASS, "passes", self._file(result))
            else:
                self.say(FAIL, self._why(result), self._file(result))

    # What came of them

    def check_nodes(self) -> list[Node]:
        """Check the inventory that create wrote, and return it."""
        nodes, wanted = self.nodes(), self.config().values.get("NODES", "")
        good = not wanted.isdigit() or len(nodes) == int(wanted)
        self.expect(
            good,
            f"create wrote {_count(len(nodes), 'node')} to the inventory",
            f"create wrote {_count(len(nodes), 'node')} to the inventory, but NODES is {wanted}",
        )
        return nodes

    def check_exec(self, nodes: Sequence[Node]) -> None:
        """See that exec passes output, input and the exit code on, where the provider has one."""
        if not self.module.script("exec"):
            return
        config = self.config()
        env = script_environment(self.environment, config, config.platform)
        for node in nodes:
            argv = [
                os.path.join(LIBEXEC, "rigger-node"),
                node.name,
                "sh",
                "-c",
                'cat; echo "$0"; exit 7',
                "a  b",
            ]
            answer = capture.capture(argv, env=env, input=b"in\n")
            if (answer.exit_code, answer.output) != (7, b"in\na  b\n"):
                errors, output = (part.decode("utf-8", "replace") for part in (answer.errors, answer.output))
                why = f"{answer.exit_code} {last_line(errors, output)} ({node.name})"
                self.say(FAIL, f"does not pass input, output and the exit code on: {why}", "exec")
                return
        if nodes:
            self.say(PASS, "passes input, output and the exit code on", "exec")

    def check_files(self) -> None:
        """See that the module's folder is as it was, and that nothing of it lies about."""
        changed = differences(self._before, snapshot(self.module.folder))
        if changed and self.module.contract.keeps_files_in_folder:
            self.say(PASS, f"the scripts write to their own folder, which is kept: {_listed(changed)}")
        else:
            self.expect(
                not changed,
                "the scripts leave their own folder alone",
                f"the scripts write to their own folder, which is read-only: {_listed(changed)}; use $RIGGER_STATE_DIR",
            )
        if left := sorted(snapshot(self.sandbox.temporary)):
            self.say(ADVICE, f"temporary files stay behind: {_listed(left)}")
        if new := sorted({*names_in(self._own_home)} - self._in_real_home):
            self.say(ADVICE, f"meanwhile came to {self._own_home}, which is not $HOME here: {_listed(new)}")

    def remember_what_stays(self) -> None:
        """Remember what is there after a destroy of the whole, to compare it with what a killed create leaves."""
        self._stays = self._own_files()
        if left := [name for name, (_, size, _) in sorted(self._stays.items()) if size]:
            self.say(ADVICE, f"files stay in the home and the state after destroy: {_listed(left)}")

    def check_what_stays(self) -> None:
        more = sorted(set(self._own_files()) - set(self._stays))
        if more:
            self.say(
                ADVICE, f"more stays after a create that was killed than after a whole one: {_listed(more)}"
            )

    def _own_files(self) -> Snapshot:
        """Return the files in the home and in the modules' state; what rigger keeps of them is its own business."""
        home, own = self.sandbox.home, Snapshot()
        for name, status in snapshot(home).items():
            path = os.path.join(home, name)
            kept = path.startswith(self.environment.file("modules") + os.sep) and os.path.basename(
                name
            ) not in (RECORD, own_files.RECORD)
            if kept or not path.startswith(self.environment.home + os.sep):
                own[name] = status
        return own

    def clean_up(self) -> None:
        """Destroy what may still be there, whatever ended the rehearsal; keep the sandbox where that fails."""
        if not self.may_exist:
            return
        try:
            if self.destroyed("at the end"):
                return
        except (RiggerError, OSError) as problem:
            self.say(FAIL, f"it could not be destroyed at the end: {problem}")
        self.sandbox.keep = True
        home = f"HOME={self.sandbox.home} RIGGER_HOME={self.environment.home}"
        self.say(FAIL, f"machines may be left: {home} rigger -e {NAME} destroy")

    def check_processes(self) -> None:
        """See that nothing runs any more; end what does, which knows the sandbox and so came from here."""
        if not os.path.isdir("/proc/self"):
            return
        left = end_processes(self.sandbox.root)
        self.expect(not left, "no process stays behind", f"processes stay behind: {_listed(left)}")


def _without_copies(state: Snapshot) -> Snapshot:
    """Return a module's state without what rigger itself keeps there of the module's own folder."""
    return {name: status for name, status in state.items() if not name.startswith(own_files.KEPT)}


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return ", ".join(names[:LISTED]) + more


def _end_of(path: str) -> str:
    with contextlib.suppress(OSError), open(path, "rb") as log:
        log.seek(max(0, os.stat(path).st_size - 4096))
        return log.read().decode("utf-8", "replace")
    return ""
