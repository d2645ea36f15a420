"""Carries a plan out: one step after another, each recorded before it starts and after it ended."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from rigger import __version__, envfile, inventory, modules, process, ssh
from rigger.config import CORE, Config, require_recorded, resolve, write_computed
from rigger.environment import Environment
from rigger.errors import Interrupted, NotReady, StepFailed, Unwritable
from rigger.plan import Plan, Step, recorded_parameters
from rigger.printer import Printer, duration
from rigger.questions import BadAnswer, last_line, validate
from rigger.redact import Redactor, maskable
from rigger.trust import require_trusted

ATTEMPTS = 3  # that an idempotent step gets when it failed because a connection to a node was lost
IDEMPOTENT = ("install", "check")
SKIPPED = 77  # the exit code by which a test says that it does not apply, as Automake's tests do
LIBEXEC = os.path.join(os.path.dirname(os.path.abspath(__file__)), "libexec")


@dataclass(frozen=True)
class Result:
    """How one step ended."""

    step: Step
    exit_code: int
    seconds: float
    log: str
    changed: tuple[str, ...] = ()  # names of the vars that it changed
    problems: tuple[str, ...] = ()  # what it gave back that cannot be used
    timed_out: bool = False
    interrupted: bool = False
    leftovers: tuple[str, ...] = ()
    figures: Mapping[str, str] = field(default_factory=dict)  # what a test or step measured
    lost: tuple[str, ...] = ()  # nodes that it could not reach, or lost the connection to

    @property
    def good(self) -> bool:
        return self.exit_code == 0 and not (self.problems or self.timed_out or self.interrupted)

    @property
    def skipped(self) -> bool:
        """Whether this is a test that said that it does not apply."""
        return self.exit_code == SKIPPED and "/" in self.step.verb and not (self.problems or self.interrupted)

    def as_dict(self) -> dict:
        return {
            "module": f"{self.step.module.role}/{self.step.module.name}",
            "step": self.step.verb,
            "good": self.good,
            "exit_code": self.exit_code,
            "seconds": round(self.seconds, 3),
            "log": self.log,
            "changed": list(self.changed),
            **({"figures": dict(self.figures)} if self.figures else {}),
        }

    def describe(self, environment: Environment) -> str:
        """Return one sentence about a step that did not succeed."""
        took = duration(self.seconds)
        log = os.path.relpath(self.log, environment.path)
        if self.interrupted:
            how = f"was interrupted after {took}"
        elif self.timed_out:
            limit = duration(self.step.module.timeout(self.step.verb))
            how = f"did not end within {limit} and was stopped after {took}"
        elif self.exit_code:
            how = f"exited {self.exit_code} after {took}"
        else:
            how = f"gave back what cannot be used: {'; '.join(self.problems)}"
        lost = f"; {' and '.join(self.lost)} could not be reached" if self.lost else ""
        return f"{self.step.shown} {how}{lost}; its output is in {log}."


@dataclass
class Given:
    """What a step gave back."""

    values: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    nodes: list[inventory.Node] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    figures: dict[str, str] = field(default_factory=dict)


class _Channels:
    """The files that a step gives values back through; they outlive a killed rigger."""

    def __init__(self, folder: str, number: int, verb: str, attempt: int = 1):
        again = f".{attempt}" if attempt > 1 else ""
        stem = os.path.join(folder, f"{number:02d}-{verb.replace('/', '-')}{again}")
        self.log = f"{stem}.log"
        self.vars = f"{stem}.vars"
        self.secrets = f"{stem}.secrets"
        self.nodes = f"{stem}.nodes"
        self.figures = f"{stem}.figures"

    def create(self) -> None:
        for path in (self.log, self.vars, self.secrets, self.nodes):
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))

    def collect(self, shown: str) -> Given:
        given = Given()
        for path in (self.vars, self.secrets, self.nodes, self.figures):
            if not _is_plain(path):
                given.problems.append(f"{shown} made something else than a file of {os.path.basename(path)}")
                _clear_away(path)
        odd = given.problems
        given.values, given.problems = envfile.parse_output(_content(self.vars), shown)
        given.secrets, problems = envfile.parse_output(_content(self.secrets), shown)
        given.problems += problems
        given.nodes, problems = inventory.parse_output(_content(self.nodes))
        given.problems += problems
        given.figures, _ = envfile.parse_output(_content(self.figures), shown)
        given.problems += odd
        return given

    def remove(self) -> None:
        for path in (self.vars, self.secrets, self.nodes, self.figures):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)


def _is_plain(path: str) -> bool:
    """Return whether a path can be read without waiting: an ordinary file, or nothing."""
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except FileNotFoundError:
        return True


def _clear_away(path: str) -> None:
    import shutil

    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path, ignore_errors=True)
    else:
        os.unlink(path)


def _content(path: str) -> bytes:
    if not _is_plain(path):
        return b""
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return b""


class Run:
    """One command's steps under way in an environment whose lock is held."""

    def __init__(self, environment: Environment, config: Config, printer: Printer, lock_fd: int):
        self.environment = environment
        self.config = config
        self.printer = printer
        self.lock_fd = lock_fd
        self.id = ""
        self.folder = ""
        self.redactor = Redactor(maskable(config.secrets))
        self.results: list[Result] = []
        self.served: Mapping[str, str] = {}  # the variables by which steps find the ssh agent
        self.connections = ssh.Connections(environment.path)
        self.on_step_finished: Callable[[Result], None] = lambda result: None
        self.before_step: Callable[[Step], None] = lambda step: None

    def carry_out(self, plan: Plan) -> list[Result]:
        """Run the steps of a plan in order; raises StepFailed at the first that matters, or Interrupted."""
        with process.Interrupts() as interrupts, self._keys_served(plan), self.connections:
            self._begin(plan)
            outcome = "failed"
            try:
                for number, step in enumerate(plan.steps, 1):
                    self._stop_if_asked(interrupts)
                    self.before_step(step)
                    result = self._attempts(plan, number, step, interrupts)
                    self.results.append(result)
                    self.on_step_finished(result)
                    if result.interrupted:
                        outcome = "interrupted"
                        raise Interrupted(result.describe(self.environment), _again(plan))
                    if not result.good and not step.goes_on:
                        raise StepFailed(result.describe(self.environment), self._next_step(plan, step))
                well = all(
                    (result.good or result.skipped) and not result.leftovers for result in self.results
                )
                outcome = "done" if well else "failed"
            except Interrupted:
                outcome = "interrupted"
                raise
            finally:
                self._end(outcome)
        return self.results

    @contextlib.contextmanager
    def _keys_served(self, plan: Plan) -> Iterator[None]:
        """Have an ssh agent hold the keys that the platform names, while its steps run."""
        keys = keys_to_serve(self.config)
        if not keys or plan.command == "setup-clients":
            yield
            return
        from rigger import agent  # slow to import, and few platforms need it

        if plan.command == "destroy":  # what is there must be removable without the keys, too
            keys = [key for key in keys if agent.key_problem(key) is None]
        with agent.serving(keys, self.environment.path, self.printer.line) as found:
            self.served = found
            yield

    def as_dict(self) -> dict:
        """Return the steps that ended, for a report."""
        return {"run": self.id, "steps": [result.as_dict() for result in self.results]}

    def _begin(self, plan: Plan) -> None:
        self.id, self.folder = _new_folder(self.environment, plan.command)
        shown = json.dumps(plan.as_dict(), indent=2).encode() + b"\n"
        envfile.write_bytes(os.path.join(self.folder, "plan.json"), shown, durable=False)
        self.environment.audit.append(
            "run-started",
            self.id,
            command=plan.command,
            rigger=__version__,
            by=f"{os.environ.get('USER') or os.getuid()}@{os.uname().nodename}",
            provider=self.config.provider.name,
            platform=self.config.platform.name,
            id=self.config.id,
            version=self.config.values.get("VERSION", ""),
            steps=len(plan.steps),
            **self._commit(),
        )

    def _commit(self) -> dict:
        """Return the commit of the platform's repository, where it has one, and whether files of it were changed."""
        from rigger import checkout

        folder = checkout.find(self.environment, self.config)
        commit = checkout.commit(folder)
        dirty = bool(commit and self.config.platform.checkout and checkout.state(folder).changed)
        return {**({"commit": commit} if commit else {}), **({"dirty": True} if dirty else {})}

    def _end(self, outcome: str) -> None:
        try:
            self.environment.audit.append("run-finished", self.id, outcome=outcome)
        except NotReady as problem:
            if outcome == "done":
                raise _not_recorded("all steps ended well", problem) from None
            self.printer.warn(
                _not_recorded("the run has ended", problem).message
            )  # another error is under way

    def _stop_if_asked(self, interrupts: process.Interrupts) -> None:
        if interrupts.requested():
            raise Interrupted(
                "Interrupted between two steps; nothing was running.", "The same command goes on from here."
            )

    def _attempts(self, plan: Plan, number: int, step: Step, interrupts: process.Interrupts) -> Result:
        """Run a step, and again what is idempotent and failed because a connection to a node was lost."""
        pause, attempt = ssh.first_pause(), 1
        while True:
            result = self._step(plan, number, step, interrupts, attempt)
            again = result.lost and not (result.timed_out or result.interrupted) and step.verb in IDEMPOTENT
            if not again or attempt == ATTEMPTS:
                return result
            attempt += 1
            self.printer.warn(
                f"{' and '.join(result.lost)} could not be reached: trying again in {pause:g} s "
                f"({attempt} of {ATTEMPTS})."
            )
            interrupts.wait(pause)
            pause *= 2
            if interrupts.requested():
                return result

    def _step(
        self, plan: Plan, number: int, step: Step, interrupts: process.Interrupts, attempt: int = 1
    ) -> Result:
        channels = _Channels(self.folder, number, step.verb, attempt)
        environment = self._prepare(plan, number, step, channels)
        self._record_start(plan, number, step, channels, attempt)
        self.connections.begin_step()
        self.printer.step_started(number, len(plan.steps), f"{step.module.name} {step.verb}", step.why)
        with _Log(channels, self.redactor, self.printer) as log:
            try:
                outcome = process.run(
                    step.module.argv(step.script),
                    cwd=step.module.folder,
                    env=environment,
                    sink=log.take,
                    interrupts=interrupts,
                    timeout=step.module.timeout(step.verb),
                    tick=self.printer.tick,
                    say=self.printer.warn,
                    keep_open=[self.lock_fd],
                )
            except StepFailed as problem:
                log.take(f"{problem.message}\n".encode("utf-8", "backslashreplace"))
                outcome = process.Outcome(exit_code=126, started=False)
        return self._finish(plan, number, step, channels, log, outcome)

    def _prepare(self, plan: Plan, number: int, step: Step, channels: _Channels) -> dict[str, str]:
        """Make what a step needs and return its environment; raises NotReady where the disk does not allow it."""
        try:
            channels.create()
            return self._script_environment(plan, step, number, channels)
        except OSError as problem:
            channels.remove()
            raise NotReady(
                f"{step.shown} was not started: {problem.filename}: {problem.strerror}.",
                "Make room or correct the permissions, then run the same command again.",
            ) from None

    def _record_start(self, plan: Plan, number: int, step: Step, channels: _Channels, attempt: int) -> None:
        self.environment.audit.append(
            "step-started",
            self.id,
            command=plan.command,
            number=number,
            module=f"{step.module.role}/{step.module.name}",
            step=step.verb,
            script=step.shown,
            sha256=modules.script_digest(step.script),
            shared="" if step.checks or "/" in step.verb else modules.shared_digest(step.module),
            why=step.why,
            **({"leaving": list(plan.leaving)} if plan.leaving else {}),
            **({"attempt": attempt} if attempt > 1 else {}),
            parameters=_as_run(step, recorded_parameters(self.config, self.environment.key())),
            log=os.path.relpath(channels.log, self.environment.path),
        )

    def _finish(
        self, plan: Plan, number: int, step: Step, channels: _Channels, log: _Log, outcome: process.Outcome
    ) -> Result:
        given = channels.collect(step.shown)
        leftovers = tuple(line for line in given.values.pop("LEFTOVERS", "").splitlines() if line.strip())
        succeeded = outcome.exit_code == 0 and not outcome.timed_out and not outcome.interrupted
        if succeeded:
            given.problems += _missing_outputs(step, given, self.config)
        if step.verb == "backup":
            given.problems += _judge_backup(plan.environ.get("RIGGER_BACKUP_FILE", ""), succeeded)
        try:
            changed = take(self.environment, self.config, step, given, succeeded)
        except Unwritable as problem:
            raise _not_kept(step, outcome, problem) from None
        self.config = _with_given(self.config, given)
        for value in maskable(self.config.secrets):
            self.redactor.add(value)
        result = Result(
            step,
            outcome.exit_code,
            outcome.duration,
            channels.log,
            changed,
            tuple(given.problems),
            outcome.timed_out,
            outcome.interrupted,
            leftovers,
            {name: self.redactor.text(value) for name, value in given.figures.items()},
            () if succeeded else self.connections.lost(),
        )
        if log.problem:
            self.printer.warn(f"The log of {step.shown} is not complete: {log.problem}.")
        self._record_end(
            step,
            number=number,
            module=f"{step.module.role}/{step.module.name}",
            step=step.verb,
            exit_code=outcome.exit_code if result.good or outcome.exit_code else 1,
            **({"signal": outcome.signal} if outcome.signal else {}),
            **({"timed_out": True} if outcome.timed_out else {}),
            **({"interrupted": True} if outcome.interrupted else {}),
            **({"problems": [self.redactor.text(p) for p in result.problems]} if result.problems else {}),
            **({"leftovers": [self.redactor.text(p) for p in leftovers]} if leftovers else {}),
            **(
                {"survivors": [list(survivor) for survivor in outcome.survivors]} if outcome.survivors else {}
            ),
            **({"figures": dict(result.figures)} if result.figures else {}),
            **({"lost": list(result.lost)} if result.lost else {}),
            seconds=round(outcome.duration, 3),
            log_size=log.size,
            log_sha256=log.digest.hexdigest(),
            changed=list(changed),
        )
        channels.remove()
        self._show(result)
        return result

    def _record_end(self, ended: Step, **fields) -> None:
        try:
            self.environment.audit.append("step-finished", self.id, **fields)
        except NotReady as problem:
            raise _not_recorded(f"{ended.shown} exited {fields['exit_code']}", problem) from None

    def _show(self, result: Result) -> None:
        if result.skipped:
            self.printer.step_finished("skipped", result.seconds)
            return
        if result.good:
            note = f"({', '.join(result.changed)} set)" if result.changed else ""
            self.printer.step_finished("done", result.seconds, note)
            return
        word = (
            "interrupted"
            if result.interrupted
            else "timed out"
            if result.timed_out
            else f"failed (exit {result.exit_code})"
        )
        self.printer.step_finished(word, result.seconds, good=False)
        for problem in result.problems:
            self.printer.warn(self.redactor.text(problem))

    def _next_step(self, plan: Plan, step: Step) -> str:
        if plan.command == "provision":
            if step.checks:
                return 'Type "rigger status" to see what exists; "rigger provision" runs the steps before the check again.'
            return 'Put that right and type "rigger provision": it goes on with this step. "rigger check" shows what exists.'
        return f'"rigger logs {self.id}" shows all that was printed.'

    def _script_environment(self, plan: Plan, step: Step, number: int, channels: _Channels) -> dict[str, str]:
        environment = script_environment(self.environment, self.config, step.module)
        environment.update(
            RIGGER_RUN=self.id,
            RIGGER_STEP=f"{number:02d}-{step.verb}",
            RIGGER_OUTPUT=channels.vars,
            RIGGER_SECRETS_OUTPUT=channels.secrets,
            RIGGER_INVENTORY_OUTPUT=channels.nodes,
            RIGGER_FIGURES_OUTPUT=channels.figures,
            RIGGER_LOCK_FD=str(self.lock_fd),
            RIGGER_CONNECTIONS=self.connections.path,
            RIGGER_LEAVING=" ".join(plan.leaving),
            **self.served,
            **plan.environ,
            **step.environ,
        )
        return environment


def keys_to_serve(config: Config) -> list[str]:
    """Return the files of the keys that the platform wants an ssh agent for."""
    return [config.values[name] for name in config.platform.ssh_agent if config.values.get(name)]


def _as_run(step: Step, parameters: dict[str, str]) -> dict[str, str]:
    """Return the parameters as a step really gets them."""
    return {name: step.environ.get(name, value) for name, value in parameters.items()}


def _judge_backup(path: str, succeeded: bool) -> list[str]:
    """Put what a failed backup wrote aside; a good one that wrote nothing is none."""
    there = bool(path) and os.path.isfile(path) and os.path.getsize(path) > 0
    if not succeeded and os.path.isfile(path):
        os.replace(path, f"{path}.incomplete")
    return [f"no backup was written to {path}"] if succeeded and path and not there else []


def _not_recorded(what: str, problem: NotReady) -> StepFailed:
    reason = str(problem.__cause__ and problem.__cause__.strerror or problem.message)
    return StepFailed(
        f"{what[0].upper()}{what[1:]}, but that could not be recorded: {reason}.",
        "Make room or correct the permissions, then run the same command again; it repeats what has no record.",
    )


def _not_kept(ended: Step, outcome: process.Outcome, problem: Unwritable) -> StepFailed:
    return StepFailed(
        f"{ended.shown} exited {outcome.exit_code}, but what it gave back could not be kept: {problem.message.rstrip('.')}.",
        "Make room or correct the permissions, then run the same command again; it takes that over first.",
    )


def _again(plan: Plan) -> str:
    return (
        f'Type "rigger {plan.command}" to go on: finished steps are not repeated.'
        if plan.command == "provision"
        else ""
    )


class _Log:
    """A step's output on its way: masked, written to its file, hashed, shown."""

    def __init__(self, channels: _Channels, redactor: Redactor, printer: Printer):
        self.channels = channels
        self.redactor = redactor
        self.printer = printer
        self.stream = redactor.stream()
        self.digest = hashlib.sha256()
        self.size = 0
        self.problem = ""
        self._secrets_seen = 0
        self._fd = -1

    def __enter__(self) -> _Log:
        self._fd = os.open(self.channels.log, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        return self

    def __exit__(self, *exc) -> None:
        self._write(self.stream.finish())
        os.close(self._fd)

    def take(self, block: bytes) -> None:
        self._learn_secrets()
        self._write(self.stream.feed(block))

    def _learn_secrets(self) -> None:
        """Mask what the script has just saved as a secret, before anything that it printed after that is shown."""
        try:
            size = os.stat(self.channels.secrets).st_size
        except OSError:
            return
        if size != self._secrets_seen:
            self._secrets_seen = size
            values, _ = envfile.parse_output(_content(self.channels.secrets), "")
            for value in values.values():
                self.redactor.add(value)

    def _write(self, data: bytes) -> None:
        if not data:
            return
        self.printer.output(data)
        if self.problem:
            return
        try:
            view = memoryview(data)
            while view:
                written = os.write(self._fd, view)
                self.digest.update(view[:written])
                self.size += written
                view = view[written:]
        except OSError as problem:
            self.problem = problem.strerror or str(problem)


def _new_folder(environment: Environment, command: str) -> tuple[str, str]:
    """Make a run's folder, named by the time and the command; two runs of one second get different names."""
    stem = f"{time.strftime('%Y%m%dT%H%M%S')}-{command.replace(' ', '-')}"
    runs, name, attempt = environment.file("runs"), stem, 1
    try:
        os.makedirs(runs, mode=0o700, exist_ok=True)
        while os.path.exists(os.path.join(runs, name)):  # nobody else makes one: the lock is held
            attempt += 1
            name = f"{stem}-{attempt}"
        os.mkdir(os.path.join(runs, name), 0o700)
    except OSError as problem:
        raise NotReady(
            f"{problem.filename} cannot be made: {problem.strerror}; nothing was started.",
            "Make room or correct the permissions, then run the same command again.",
        ) from None
    return name, os.path.join(runs, name)


def script_environment(environment: Environment, config: Config, module: modules.Module) -> dict[str, str]:
    """Return the environment of a module's script, without what belongs to one step alone."""
    state = environment.file("modules", config.state_name(module))
    provider_state = environment.file("modules", config.state_name(config.provider))
    for folder in (state, provider_state, environment.bin_dir):
        os.makedirs(folder, mode=0o700, exist_ok=True)
    if not os.path.exists(inventory.text_path(environment.inventory_file)):
        inventory.write(environment.inventory_file, environment.nodes())
    values = {envfile.decode(name): envfile.decode(value) for name, value in os.environb.items()}
    for module_ in (config.provider, config.platform):
        for name in (*(question.name for question in module_.questions), *module_.outputs):
            values.pop(name, None)  # what a shell happens to hold must not stand in for an unset value
    values[f"{config.platform.prefix}_ROOT"] = config.platform.folder
    values.pop("RIGGER_PASSPHRASE", None)  # it opens bundles: no script's business
    values.update(config.values)
    folders = [LIBEXEC, *environment.own_folders(), environment.original_path()]
    values.update(
        PATH=os.pathsep.join(folders),
        RIGGER_INTERFACE=str(module.interface),
        RIGGER_HOME=environment.home,
        RIGGER_ENVIRONMENT=environment.name,
        RIGGER_ENVIRONMENT_ID=config.id,
        RIGGER_ENVIRONMENT_DIR=environment.path,
        RIGGER_MODULE_DIR=module.folder,
        RIGGER_STATE_DIR=state,
        RIGGER_INVENTORY=environment.inventory_file,
        RIGGER_NODES_FILE=inventory.text_path(environment.inventory_file),
        RIGGER_VARS_FILE=environment.vars_file,
        RIGGER_PYTHON=sys.executable,
        RIGGER_CACHE_DIR=os.path.join(environment.home, "cache"),
        RIGGER_BIN_DIR=environment.bin_dir,
        RIGGER_PROVIDER_DIR=config.provider.folder,
        RIGGER_PROVIDER_STATE_DIR=provider_state,
        RIGGER_PLATFORM_DIR=config.platform.folder,
        RIGGER_PLATFORM_PORTS=" ".join(map(str, config.platform.ports)),
    )
    return values


def leaving(environment: Environment, config: Config, nodes: Sequence[inventory.Node]) -> list[str] | None:
    """Return the nodes that the next create lets go, as the provider's `leaving` tells; None where it has none.

    Raises NotReady when it cannot tell.
    """
    script = config.provider.script("leaving")
    if script is None or not nodes:
        return None
    require_trusted(environment, config)
    environ = script_environment(environment, config, config.provider)
    try:
        said = process.capture([script], cwd=config.provider.folder, env=environ)
    except StepFailed as problem:
        raise NotReady(problem.message, problem.next_step) from None
    if said.exit_code:
        reason = last_line(envfile.decode(said.errors), envfile.decode(said.output)).removeprefix("error: ")
        raise NotReady(
            f"{config.provider.name} cannot tell which nodes leave: {reason or said.exit_code}.",
            "Nothing was started. Put that right and try again.",
        )
    named = envfile.decode(said.output).split()
    return [node.name for node in nodes if node.name in named]


# What a step gave back


def take(
    environment: Environment, config: Config, step: Step, given: Given, succeeded: bool
) -> tuple[str, ...]:
    """Keep what a step gave back, also a failed one: a half-made machine must be findable.

    Returns the names of the vars that changed. A value that holds a secret is kept among the secrets.
    """
    _refuse_answers(given, config, step)
    _take_nodes(environment, step, given, succeeded)
    folders = _take_path(environment, given)
    vars, secrets = environment.vars(), environment.secrets()
    known = maskable({**config.secrets, **given.secrets})
    for name, value in given.values.items():
        if name in secrets or name in given.secrets or any(secret in value for secret in known):
            given.secrets.setdefault(name, value)
    plain = {name: value for name, value in given.values.items() if name not in given.secrets}
    changed = [n for n, v in {**plain, **given.secrets}.items() if {**vars, **secrets}.get(n) != v]
    moved = [name for name in given.secrets if name in vars]
    new_folders = folders != environment.own_folders()
    if changed or moved or new_folders:
        vars = {name: value for name, value in {**vars, **plain}.items() if name not in given.secrets}
        environment.save(vars, {**secrets, **given.secrets}, folders)
    return tuple(sorted(changed))


def _refuse_answers(given: Given, config: Config, step: Step) -> None:
    """Leave out what would make the environment unusable: what only a person chooses, and what a question refuses."""
    questions = {question.name: question for question in config.questions}
    chosen = {*CORE, f"{config.platform.prefix}_ID", f"{config.platform.prefix}_VERSION"}
    for values in (given.values, given.secrets):
        for name in list(values):
            try:
                if name in chosen:
                    raise BadAnswer(
                        f"{name} is what the environment is configured to be; a script cannot set it."
                    )
                if name in questions:
                    values[name] = validate(questions[name], values[name])
            except BadAnswer as problem:
                given.problems.append(f"{step.shown}: {problem.message.removesuffix('.')}")
                del values[name]


def _take_nodes(environment: Environment, step: Step, given: Given, succeeded: bool) -> None:
    before = environment.nodes()
    ends = step.verb == "destroy" or step.verb == "suspend" and step.module.suspend == "ends"
    if ends and step.module.role == "provider" and succeeded:
        after = given.nodes
    elif step.verb in ("create", "resume") and succeeded and given.nodes:
        after = given.nodes
    else:
        after = inventory.merge(before, given.nodes)
    if after != before:
        ssh.forget_host_keys(environment.path, ssh.moved(before, after))
        inventory.write(environment.inventory_file, after)


def _take_path(environment: Environment, given: Given) -> list[str]:
    """Return the environment's folders on PATH with those that a script added; others are refused."""
    own = environment.own_folders()
    path = given.values.pop("PATH", None)
    given.values.pop("ORIGINAL_PATH", None)
    if path is None:
        return own
    known = {*own, LIBEXEC, *environment.original_path().split(os.pathsep)}
    for folder in path.split(os.pathsep):
        if folder in known:
            continue
        if environment.owns(folder):
            own.append(folder)
        else:
            given.problems.append(f"PATH may only gain folders of the environment, not {folder!r}")
    return list(dict.fromkeys(own))


def _missing_outputs(step: Step, given: Given, config: Config) -> list[str]:
    makes = "create" if step.module.role == "provider" else "deploy"
    if step.verb != makes:
        return []
    have = {**config.values, **given.values, **given.secrets}
    return [
        f"{name} was not set, which {step.module.name} promises"
        for name in step.module.outputs
        if name not in have
    ]


def _with_given(config: Config, given: Given) -> Config:
    from dataclasses import replace

    if not (given.values or given.secrets):
        return config
    values = {**config.values, **given.values, **given.secrets}
    return replace(config, values=values, secrets={**config.secrets, **given.secrets})


def settle(environment: Environment) -> Config:
    """Return the configuration of an environment whose lock is held, with what a killed run gave back."""
    environment.nodes()  # a file that cannot be understood must show before anything runs
    config = resolve(environment)
    require_recorded(environment, config)
    require_trusted(environment, config)
    if recover(environment, config):
        config = resolve(environment)
    write_computed(environment, config)
    return config


def recover(environment: Environment, config: Config) -> bool:
    """Keep what the steps of a killed run gave back; return whether there were any."""
    open_steps = {}
    for record in environment.audit.records():
        place = (record["run"], record.get("number"))
        if record["event"] == "step-started":
            open_steps[place] = record
        elif record["event"] in ("step-finished", "step-recovered"):
            open_steps.pop(place, None)
    for (run, number), record in open_steps.items():
        _recover_step(environment, config, run, number, record)
    return bool(open_steps)


def _recover_step(environment: Environment, config: Config, run: str, number: int, record: Mapping) -> None:
    attempt = record.get("attempt")
    attempt = attempt if isinstance(attempt, int) else 1
    channels = _Channels(environment.file("runs", run), number, record["step"], attempt)
    given = channels.collect(record["script"])
    role = record["module"].partition("/")[0]
    module = config.provider if role == "provider" else config.platform
    given.values.pop("LEFTOVERS", None)
    changed = take(environment, config, Step(module, record["step"], ""), given, succeeded=False)
    environment.audit.append(
        "step-recovered",
        run,
        number=number,
        module=record["module"],
        step=record["step"],
        changed=list(changed),
    )
    channels.remove()


def failures(results: Sequence[Result]) -> list[Result]:
    """Return the results of the steps that did not succeed."""
    return [result for result in results if not result.good]
