"""Live a module's life in a sandbox, and say what it did wrong."""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence

from rigger.configuration import resolve
from rigger.configuration.config import Config
from rigger.conformance.rules import ADVICE, FAIL, PASS, Finding
from rigger.conformance.sandbox import NAME, RehearsalOptions, Sandbox, configure_sandbox, open_sandbox
from rigger.environments.environment import Environment
from rigger.errors import RiggerError
from rigger.interface1.record import RECORD
from rigger.modules.model import Module
from rigger.plans.model import Plan, Step
from rigger.process import capture, tree
from rigger.process.lookup import processes_that_know
from rigger.process.tree import kill_descendants
from rigger.runs.environment import LIBEXEC, script_environment
from rigger.runs.recovery import load_config
from rigger.runs.result import StepResult
from rigger.runs.run import Run
from rigger.text import last_line

SHORT = 5.0  # seconds: a create that is so quick is killed at several moments, a longer one at one
MOMENTS = (0.5, 0.25, 0.75)  # parts of the time that it took
LISTED = 5  # files or processes that a finding names
SETTLE = 2.0  # seconds for what was stopped to be gone


Say = Callable[[Finding], None]


def rehearse(module: Module, wishes: RehearsalOptions, say: Say) -> str:
    """Run a module's scripts through a whole life and say what was found; return the folder if it is kept.

    Raises BadUsage where a value is missing. What was made is destroyed, also after an error or an interrupt.
    """
    with open_sandbox() as box:
        environment = configure_sandbox(box, module, wishes)
        stage = Rehearsal(box, environment, module, wishes, say)
        try:
            (_provider_life if module.role == "provider" else _platform_life)(stage)
            stage.judge_files()
        finally:
            stage.clean_up()
        stage.judge_processes()
        if stage.failed:
            box.keep = True
    return box.root if box.keep else ""


# The two lives


def _provider_life(stage: Rehearsal) -> None:
    provider = stage.module
    stage.looks_at_nothing(provider)
    stage.must(provider, "destroy", "works where nothing was made")
    if not stage.must(provider, "install", "succeeds"):
        return
    made = stage.must(provider, "create", "succeeds, with all that it promises")
    if made is None:
        stage.must(provider, "destroy", "works after a create that failed")
        return
    nodes = stage.judge_nodes()
    stage.must(provider, "check", "succeeds after create")
    stage.reaches(nodes)
    if stage.must(provider, "install", "can be repeated") and stage.must(
        provider, "create", "can be repeated"
    ):
        stage.judge(
            stage.nodes() == nodes, "create makes the same nodes again", "a second create changed them"
        )
    if not stage.destroyed():
        return
    stage.remember_what_stays()
    stage.looks_at_nothing(provider, "after destroy")
    stage.must(provider, "destroy", "can be repeated")
    for moment in MOMENTS if made.seconds < SHORT else MOMENTS[:1]:
        stage.killed(provider, "create", made.seconds * moment)
        if not stage.destroyed("after that"):
            return
    stage.judge_what_stays()


def _platform_life(stage: Rehearsal) -> None:
    provider, platform = stage.config().provider, stage.module
    # Where a platform has to prepare something for the machines, it does so before they are made.
    early = [
        verb for verb in ("setup-clients", "prepare") if platform.script("prepare") and platform.script(verb)
    ]
    first = [(provider, "install"), *((platform, verb) for verb in early), (provider, "create")]
    if not all(stage.must(module, verb, "succeeds") for module, verb in first):
        return
    stage.looks_at_nothing(platform)
    stage.must(platform, "undeploy", "works where nothing was deployed")
    for verb in early:
        stage.must(platform, verb, "can be repeated")
    deployed = stage.must(platform, "install", "succeeds") and stage.must(
        platform, "deploy", "succeeds, with all that it promises"
    )
    if deployed:
        stage.must(platform, "check", "succeeds after deploy")
        stage.tests(platform)
        for verb in ("install", "deploy"):
            stage.must(platform, verb, "can be repeated")
        stage.must(platform, "check", "succeeds after that")
    stage.must(platform, "undeploy", "succeeds")
    stage.looks_at_nothing(platform, "after undeploy")
    stage.must(platform, "undeploy", "can be repeated")
    if deployed and stage.must(platform, "install", "works again"):
        stage.killed(platform, "deploy", deployed.seconds * MOMENTS[0])
        stage.must(platform, "undeploy", "works after that")
    stage.destroyed()


class Rehearsal:
    """One rehearsal under way."""

    def __init__(
        self, box: Sandbox, environment: Environment, module: Module, wishes: RehearsalOptions, say: Say
    ):
        self.box = box
        self.environment = environment
        self.module = module
        self.printer = wishes.printer or _Silent()
        self._say = say
        self.failed = False
        self.may_exist = False  # whether something was made that was not destroyed
        self._before = _snapshot(module.folder)
        self._stays: dict[str, tuple] = {}
        self._told: set[str] = set()
        self._real_home = _real_home()
        self._in_real_home = {*_names(self._real_home)}

    def say(self, level: str, text: str, file: str = "") -> None:
        self.failed = self.failed or level == FAIL
        self._say(Finding(level, text, file))

    def judge(self, good: bool, praise: str, blame: str) -> None:
        self.say(PASS if good else FAIL, praise if good else blame)

    def config(self) -> Config:
        return resolve.resolve(self.environment)

    def nodes(self) -> list:
        return self.environment.nodes()

    # Steps

    def step(self, module: Module, verb: str, kill_after: float | None = None) -> StepResult:
        """Run one script as a command would; what it says of secrets is noticed before it is masked."""
        command = "destroy" if verb in ("destroy", "undeploy") else "provision"
        with self.environment.locked("rigger module check") as lock:
            settled = load_config(self.environment)
            current = settled.provider if module.role == "provider" else settled.platform
            run = Run(self.environment, settled, self.printer, lock)
            run.redactor = watched = _Watching(run.redactor)
            self.may_exist = self.may_exist or (module.role, verb) == ("provider", "create")
            with _killing(kill_after):
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
        said = last_line(_end_of(result.log))
        return f"exited {result.exit_code}" + (f": {said}" if said else "")

    def looks_at_nothing(self, module: Module, when: str = "where nothing was made") -> None:
        """Run check where there is nothing: it may say so, but must end, and make nothing."""
        state = self.environment.file("modules", self.config().state_name(module))
        before, nodes = _snapshot(state), self.nodes()
        result = self.step(module, "check")
        if result.timed_out or result.exit_code in (126, 127) or result.problems:
            self.say(FAIL, f"{self._why(result)} ({when})", self._file(result))
        elif self.nodes() != nodes or _snapshot(state) != before:
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
        self.environment.audit.append("destroyed", nodes=[])
        gone = {*config.provider.outputs, *config.platform.outputs}
        vars, secrets = self.environment.vars(), self.environment.secrets()
        self.environment.save(
            {name: value for name, value in vars.items() if name not in gone},
            {name: value for name, value in secrets.items() if name not in gone},
        )

    def killed(self, module: Module, verb: str, after: float) -> None:
        """Kill a script, and all that it started, in the middle."""
        result = self.step(module, verb, kill_after=after)
        if result.good:
            self.say(PASS, "was done before it could be killed", self._file(result))
        elif result.exit_code == 128 + signal.SIGKILL:
            self.say(PASS, f"was killed in the middle, after {after:.2f} s", self._file(result))
        else:
            self.say(FAIL, f"{self._why(result)} (once more, to be killed)", self._file(result))

    def tests(self, platform: Module) -> None:
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

    def judge_nodes(self) -> list:
        """Judge the inventory that create wrote, and return it."""
        nodes, wanted = self.nodes(), self.config().values.get("NODES", "")
        good = not wanted.isdigit() or len(nodes) == int(wanted)
        self.judge(
            good,
            f"create wrote {_count(len(nodes), 'node')} to the inventory",
            f"create wrote {_count(len(nodes), 'node')} to the inventory, but NODES is {wanted}",
        )
        return nodes

    def reaches(self, nodes: Sequence) -> None:
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
            said = capture.capture(argv, env=env, input=b"in\n")
            if (said.exit_code, said.output) != (7, b"in\na  b\n"):
                errors = last_line(
                    said.errors.decode("utf-8", "replace"), said.output.decode("utf-8", "replace")
                )
                text = f"does not pass input, output and the exit code on: {said.exit_code} {errors} ({node.name})"
                self.say(FAIL, text.rstrip(), "exec")
                return
        if nodes:
            self.say(PASS, "passes input, output and the exit code on", "exec")

    def judge_files(self) -> None:
        """See that the module's folder is as it was, and that nothing of it lies about."""
        changed = _differences(self._before, _snapshot(self.module.folder))
        self.judge(
            not changed,
            "the scripts leave their own folder alone",
            f"the scripts write to their own folder, which is read-only: {_listed(changed)}; use $RIGGER_STATE_DIR",
        )
        if left := sorted(_snapshot(self.box.temporary)):
            self.say(ADVICE, f"temporary files stay behind: {_listed(left)}")
        if new := sorted({*_names(self._real_home)} - self._in_real_home):
            self.say(ADVICE, f"meanwhile came to {self._real_home}, which is not $HOME here: {_listed(new)}")

    def remember_what_stays(self) -> None:
        """Remember what is there after a destroy of the whole, to compare it with what a killed create leaves."""
        self._stays = self._own_files()
        if left := [name for name, (_, size, _) in sorted(self._stays.items()) if size]:
            self.say(ADVICE, f"files stay in the home and the state after destroy: {_listed(left)}")

    def judge_what_stays(self) -> None:
        more = sorted(set(self._own_files()) - set(self._stays))
        if more:
            self.say(
                ADVICE, f"more stays after a create that was killed than after a whole one: {_listed(more)}"
            )

    def _own_files(self) -> dict[str, tuple]:
        """Return the files in the home and in the modules' state; what rigger keeps of them is its own business."""
        home, found = self.box.home, {}
        for name, status in _snapshot(home).items():
            path = os.path.join(home, name)
            kept = (
                path.startswith(self.environment.file("modules") + os.sep)
                and os.path.basename(name) != RECORD
            )
            if kept or not path.startswith(self.environment.home + os.sep):
                found[name] = status
        return found

    def clean_up(self) -> None:
        """Destroy what may still be there, whatever ended the rehearsal; keep the sandbox where that fails."""
        if not self.may_exist:
            return
        try:
            if self.destroyed("at the end"):
                return
        except (RiggerError, OSError) as problem:
            self.say(FAIL, f"it could not be destroyed at the end: {problem}")
        self.box.keep = True
        home = f"HOME={self.box.home} RIGGER_HOME={self.environment.home}"
        self.say(FAIL, f"machines may be left: {home} rigger -e {NAME} destroy")

    def judge_processes(self) -> None:
        """See that nothing runs any more; end what does, which knows the sandbox and so came from here."""
        if not os.path.isdir("/proc/self"):
            return
        found = _gone_or_left(self.box.root)
        self.judge(not found, "no process stays behind", f"processes stay behind: {_listed(found)}")


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


def _gone_or_left(root: str) -> list[str]:
    """Return the processes that know the sandbox a moment after all was stopped, and end them."""
    import time

    end = time.monotonic() + SETTLE
    while (found := processes_that_know(root)) and time.monotonic() < end:
        time.sleep(0.05)
    for pid, _ in found:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
    return [f"{name} ({pid})" for pid, name in found]


def _snapshot(folder: str) -> dict[str, tuple]:
    """Return every file below a folder with what changes when it is written."""
    found = {}
    for at, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in ("__pycache__", ".git")]
        for name in files:
            path = os.path.join(at, name)
            with contextlib.suppress(OSError):
                status = os.lstat(path)
                found[os.path.relpath(path, folder)] = (status.st_mode, status.st_size, status.st_mtime_ns)
    return found


def _real_home() -> str:
    """Return the home that the system knows, wherever $HOME points."""
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:
        return ""


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _differences(before: Mapping[str, tuple], after: Mapping[str, tuple]) -> list[str]:
    return sorted(name for name in {*before, *after} if before.get(name) != after.get(name))


@contextlib.contextmanager
def _killing(after: float | None) -> Iterator[None]:
    """Kill all that is started meanwhile, after that many seconds."""
    if after is None:
        yield
        return
    over = threading.Event()
    spared = tree.descendants()

    def strike() -> None:
        if over.wait(after):
            return
        while kill_descendants(spared) and not over.wait(0.005):
            pass  # what was just being started is met the next time

    killer = threading.Thread(target=strike)
    killer.start()
    try:
        yield
    finally:
        over.set()
        killer.join()


class _Silent:
    """A printer for nobody: what scripts print is in their logs."""

    json = True

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *arguments, **options: None


class _Watching:
    """A redactor that notices whether there was anything to mask."""

    def __init__(self, redactor):
        self._redactor = redactor
        self._streams: list[_Compared] = []

    def __getattr__(self, name: str):
        return getattr(self._redactor, name)

    @property
    def masked(self) -> bool:
        return any(stream.raw.digest() != stream.shown.digest() for stream in self._streams)

    def stream(self) -> _Compared:
        self._streams.append(_Compared(self._redactor.stream()))
        return self._streams[-1]


class _Compared:
    """A stream through a redactor, and digests of what went in and what came out."""

    def __init__(self, stream):
        self._stream = stream
        self.raw, self.shown = hashlib.sha256(), hashlib.sha256()

    def feed(self, block: bytes) -> bytes:
        self.raw.update(block)
        return self._seen(self._stream.feed(block))

    def finish(self) -> bytes:
        return self._seen(self._stream.finish())

    def _seen(self, block: bytes) -> bytes:
        self.shown.update(block)
        return block
