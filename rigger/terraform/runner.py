"""Runs Terraform or OpenTofu, and reads what it says (the one home of python_terraform)."""

from __future__ import annotations

import contextlib
import fcntl
import glob
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import threading

from rigger import text as texts
from rigger import versions
from rigger.errors import Interrupted, NotReady, StepFailed
from rigger.files import write_bytes
from rigger.terraform.lost import JOURNAL, is_whole
from rigger.terraform.progress import Progress
from rigger.terraform.state import POLL, back_up, kept, whole
from rigger.terraform.workspace import BACKEND, COPIED, LOCK_FILE, STATE, Workspace, environ, lines, quiet
from rigger.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

    from rigger.process.interrupts import Interrupts

PROGRAMS = ("terraform", "tofu")
MINIMUM = "1.3.0"  # older ones lack parts of the machine-readable output that is read here
CHANGES = 2  # the exit code of `plan -detailed-exitcode` that says that something would change
INITIALISED = "initialised.json"  # what the last init was for
BINARIES = (
    b"\x7fELF",
    b"\xcf\xfa\xed\xfe",
    b"\xca\xfe\xba\xbe",
)  # ELF, Mach-O: no shim that may become another version

interrupted = threading.Event()  # set by Ctrl-C, which reaches a running Terraform by itself


@frozen
class Program:
    """A Terraform or OpenTofu on this machine."""

    path: str
    version: str

    @property
    def name(self) -> str:
        return os.path.basename(self.path)


def program_of(workspace: Workspace) -> Program:
    """Return the Terraform or OpenTofu that works in a workspace; raises NotReady."""
    minimum = workspace.module.terraform.minimum or MINIMUM
    return find_program(minimum, workspace.values.get("PATH"), os.path.dirname(workspace.data))


def find_program(minimum: str, path: str | None = None, cache: str | None = None) -> Program:
    """Return the first Terraform or OpenTofu on PATH that is new enough; raises NotReady.

    `cache` is a folder in which versions are remembered.
    """
    seen = []
    for program in _programs(path):
        version = _remembered_version(program, cache) if cache else _version(program)
        if version and versions.key(version) >= versions.key(minimum):
            return Program(program, version)
        seen.append(f"{program} is {version or 'of no version that it tells'}")
    if seen:
        raise NotReady(
            f"Terraform {minimum} or newer is needed, but {' and '.join(seen)}.",
            'Install a newer one, or take it off the PATH: "rigger provision" then downloads one.',
        )
    raise NotReady(
        f"There is neither Terraform nor OpenTofu {minimum} on this machine.",
        '"rigger provision" downloads Terraform; or install it yourself.',
    )


def _programs(path: str | None) -> Iterator[str]:
    """List every Terraform, then every OpenTofu on PATH: an old one may stand before one that will do."""
    folders = (os.environ.get("PATH", os.defpath) if path is None else path).split(os.pathsep)
    for name in PROGRAMS:
        programs = (shutil.which(name, path=folder) for folder in folders)
        yield from dict.fromkeys(filter(None, programs))


def _remembered_version(path: str, cache: str) -> str:
    """Return the version of a program, asking it only when its file changed; a script may be another one each time."""
    status, notes = os.stat(path), os.path.join(cache, "versions.json")
    with open(path, "rb") as file:
        binary = file.read(4) in BINARIES
    if not binary:
        return _version(path)
    mark = [os.path.realpath(path), status.st_mtime_ns, status.st_size]
    notes_kept = _json(notes)
    if notes_kept.get(path, [""])[:-1] == mark:
        return str(notes_kept[path][-1])
    version = _version(path)
    if version:
        os.makedirs(cache, mode=0o700, exist_ok=True)
        write_bytes(notes, json.dumps({**notes_kept, path: [*mark, version]}).encode(), durable=False)
    return version


def _version(path: str) -> str:
    """Return the version that a program tells; both tools call it terraform_version."""
    try:
        output = subprocess.run(
            [path, "version", "-json"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=30,
            env=quiet(os.environ),
        )
        return str(json.loads(output.stdout)["terraform_version"])
    except (OSError, ValueError, KeyError, TypeError, subprocess.TimeoutExpired):
        return ""


def _json(path: str) -> dict[str, Any]:
    with contextlib.suppress(OSError, ValueError), open(path, "rb") as file:
        content = json.load(file)
        return content if isinstance(content, dict) else {}
    return {}


def call(argv: list[str], folder: str, values: Mapping[str, str]) -> int:
    """Run a program whose output is the step's; return its exit code."""
    encoded = {name: texts.encode(value) for name, value in values.items()}
    try:
        return subprocess.call(argv, cwd=folder, env=encoded, stdin=subprocess.DEVNULL)
    except OSError as problem:
        raise StepFailed(f"{argv[0]} cannot be started: {problem.strerror}.") from None


class Terraform:
    """Runs Terraform in a workspace, with words that python_terraform builds.

    The library starts a program with pipes that it reads at the end, logs what it starts, and passes its own
    `synchronous` option on; so it builds the command line here, and starting, following and stopping are ours.
    Output goes to a file: a Terraform whose reader was killed must not die of a broken pipe before it has saved its
    state.

    With a `stop`, what changes something runs apart from this process's group, so that no Ctrl-C and no closing terminal
    reaches it: it is asked to end once for each request that was counted, and this process waits until it has.
    """

    def __init__(
        self,
        workspace: Workspace,
        program: Program,
        say: Callable[[str], None],
        stop: Interrupts | None = None,
    ):
        import logging

        import python_terraform

        logging.getLogger("python_terraform").disabled = True
        self.workspace = workspace
        self.program = program
        self.say = say
        self.stop = stop
        self.flag = python_terraform.IsFlagged
        self._library = python_terraform.Terraform(
            working_dir=workspace.folder, terraform_bin_path=program.path, state=workspace.passing("none")
        )

    def words(self, command: str, *arguments: str, **options: object) -> list[str]:
        words: list[str] = self._library.generate_cmd_string(command, *arguments, **options)
        return words

    def init(self) -> None:
        """Get plugins and set the backend up, unless nothing changed since that was done last."""
        marker = self.workspace.passing(INITIALISED)
        recorded = _json(marker)
        plugins = recorded.get("plugins", [""])
        if recorded.get("digest") == self._digest() and all(os.path.exists(path) for path in plugins):
            return
        for name in (INITIALISED, STATE):  # what an earlier init thought of the backend
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.workspace.passing(name))
        with _alone(os.path.dirname(self.workspace.data)):
            output = self.capture("init", input=False, no_color=self.flag, reconfigure=self.flag)
        if output.returncode:
            self.fail("init", output.stdout + output.stderr)
        if not self.workspace.is_shared:
            plugins = glob.glob(os.path.join(glob.escape(self.workspace.data), "providers", "*/*/*/*/*"))
            done = {"digest": self._digest(), "plugins": plugins}
            write_bytes(marker, json.dumps(done).encode(), durable=False)

    def _digest(self) -> str:
        """Return a digest of all that an init depends on."""
        digest = hashlib.sha256(f"{self.program} {self.workspace.folder}".encode("utf-8", "surrogateescape"))
        names = [n for n in lines(self.workspace.file(COPIED)) if n.endswith((".tf", ".tf.json"))]
        for name in (*names, LOCK_FILE, BACKEND):
            with contextlib.suppress(OSError), open(self.workspace.file(name), "rb") as file:
                digest.update(f"{name} ".encode("utf-8", "surrogateescape") + file.read())
        return digest.hexdigest()

    def capture(self, command: str, *arguments: str, **options: object) -> subprocess.CompletedProcess[bytes]:
        """Run a command that says little and return all of it, as bytes."""
        process = self._start(self.words(command, *arguments, **options), subprocess.PIPE, subprocess.PIPE)
        out, err = process.communicate()
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def follow(self, words: list[str], path: str, take: Callable[[bytes], None]) -> int:
        """Run a command, hand over each line that it says as it comes, and return its exit code."""
        with self.stop or contextlib.nullcontext():
            return self._follow(words, path, take)

    def _follow(self, words: list[str], path: str, take: Callable[[bytes], None]) -> int:
        asked = 0
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            process = self._start(words, descriptor, descriptor, apart=self.stop is not None)
        finally:
            os.close(descriptor)
        with open(path, "rb") as output:
            rest = b""
            while True:
                ended = process.poll() is not None
                if self.stop and self.stop.count > asked:
                    asked = self.stop.count
                    process.send_signal(signal.SIGINT)
                rest += output.read()
                *whole_lines, rest = rest.split(b"\n")
                for line in whole_lines:
                    take(line)
                if ended:
                    break
                if not whole_lines:
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        process.wait(POLL)
        if rest.strip():
            take(rest)
        return process.returncode

    def _start(self, words: list[str], out: int, err: int, apart: bool = False) -> subprocess.Popen[bytes]:
        lock = os.environ.get("RIGGER_LOCK_FD", "")
        try:
            return subprocess.Popen(
                words,
                cwd=self.workspace.folder,
                env={n: texts.encode(v) for n, v in environ(self.workspace).items()},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=apart,
                pass_fds=[int(lock)] if lock.isdigit() and _is_open(int(lock)) else [],
            )
        except OSError as problem:
            raise NotReady(f"{self.program.path} cannot be started: {problem.strerror}.") from None

    def pull(self) -> dict[str, Any] | None:
        """Return the state that the backend holds, None where it holds none; raises StepFailed."""
        output = self.capture("state pull")
        if output.returncode:
            self.fail("state pull", output.stdout + output.stderr)
        return json.loads(output.stdout) if output.stdout.strip() else None

    def push(self, path: str, force: bool = False) -> None:
        """Put a state into the backend; Terraform refuses what is older or of another lineage, unless forced."""
        options = {"force": self.flag} if force else {}
        output = self.capture("state push", path, **options)
        if output.returncode:
            self.fail("state push", output.stdout + output.stderr)

    def fail(self, what: str, output: bytes) -> None:
        """Say what Terraform said, and raise StepFailed."""
        for line in output.decode("utf-8", "replace").splitlines():
            if line.strip():
                self.say(line)
        raise StepFailed(f"{self.program.name} {what} failed; what it said is above.")

    # What steps are made of

    def plan(self, *, destroy: bool = False, out: str = "") -> bool:
        """Plan, show it as people read it, and return whether anything would change; raises StepFailed."""
        self._go_on()
        options = {"input": False, "no_color": self.flag, "detailed_exitcode": self.flag}
        words = self.words(
            "plan", **options, **({"out": out} if out else {}), **({"destroy": True} if destroy else {})
        )
        lines: list[str] = []

        def take(line: bytes) -> None:
            lines.append(line.decode("utf-8", "replace"))
            if not lines[-1].startswith(("Saved the plan to:", "To perform exactly", "    terraform apply")):
                self.say(lines[-1])

        path = self.workspace.passing("plan.txt")
        try:
            code = self.follow(words, path, take)
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
        if self.stop:
            self._go_on()
        if code not in (0, CHANGES):
            _explain_lock("\n".join(lines))
            raise StepFailed(f"{self.program.name} plan failed; what it said is above.")
        return code == CHANGES

    def apply(self, plan: str) -> None:
        """Carry a saved plan out, and say how far it got; raises StepFailed."""
        self._go_on()
        progress = Progress(self.say)
        back_up(self.workspace)
        words = self.words("apply", plan, json=self.flag, input=False)
        journal = self.workspace.file(JOURNAL)
        with kept(self.workspace):
            code = self.follow(words, journal, progress.take)
        if code >= 0 and is_whole(self.workspace):  # it ended by itself: the state knows all of it
            os.unlink(journal)
        if code and self._is_to_stop():
            raise Interrupted(
                f"Interrupted in {self.program.name} apply, of which a part may be done.",
                "The state has what was done; the same command does the rest.",
            )
        if code:
            _explain_lock(progress.said)
            raise StepFailed(f"{self.program.name} apply failed; what it said is above.")

    def _is_to_stop(self) -> bool:
        return self.stop is not None and self.stop.requested()

    def _go_on(self) -> None:
        """Raise Interrupted after Ctrl-C: what comes next has not begun."""
        if interrupted.is_set() or self._is_to_stop():
            raise Interrupted("Interrupted; nothing was changed.")

    def outputs(self) -> dict[str, dict[str, Any]]:
        """Return the outputs: name -> {value, type, sensitive}."""
        state = None if self.workspace.is_shared else whole(self.workspace.file(STATE))
        outputs: dict[str, dict[str, Any]]
        if state is not None and isinstance(state.get("outputs"), dict):
            outputs = state["outputs"]
            return outputs  # what `output -json` would say, without starting Terraform once more
        output = self.capture("output", json=self.flag)
        if output.returncode:
            self.fail("output", output.stdout + output.stderr)
        outputs = json.loads(output.stdout or b"{}")
        return outputs


@contextlib.contextmanager
def _alone(cache: str) -> Iterator[None]:
    """Keep other environments from filling the shared folder of plugins at the same time."""
    with open(os.path.join(cache, "lock"), "wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def lock_of(output: str) -> dict[str, str]:
    """Return who holds the state's lock, as Terraform's error tells it; {} where that is not the error.

    Some backends name but the holder's id, in front of the particulars of the lock that was asked for in vain.
    """
    if "state lock" not in output:
        return {}
    lock = dict(
        re.findall(r"^[\s\u2502]*(ID|Path|Operation|Who|Version|Created):[ \t]*(.*?)\s*$", output, re.M)
    )
    holder = re.search(r"\bID=([\w-]+)", output)
    return {"ID": holder[1]} if holder and holder[1] != lock.get("ID") else lock


def _explain_lock(output: str) -> None:
    lock = lock_of(output)
    if lock:
        raise StepFailed(
            f"The state is locked by {say_lock(lock)}.",
            'Wait until that has ended; if it was killed, type "rigger terraform unlock".',
        )


def say_lock(lock: Mapping[str, str]) -> str:
    """Return who holds a lock, since when and for what, as far as that is known."""
    since = f" since {lock['Created'][:19]}" if lock.get("Created") else ""
    purpose = (
        f", for {lock['Operation'].removeprefix('OperationType').lower()}" if lock.get("Operation") else ""
    )
    return f"{lock.get('Who') or 'somebody'}{since}{purpose} (lock {lock.get('ID', 'unknown')})"


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
        return True
    except OSError:
        return False
