"""The ssh agent that serves an environment's keys during a run: the user's own, or one that ends with the run."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import sys

from rigger.errors import Interrupted, NotReady, StepFailed
from rigger.files import remove, temporary_folder, write_bytes
from rigger.process import capture, terminal
from rigger.process.lookup import process_start_time
from rigger.ssh.keys import needs_passphrase
from rigger.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from rigger.process.capture import Captured

RECORD = "agent"  # in an environment: what a run started or added, for the next one should it be killed
LONGEST_SOCKET = 90  # bytes; a socket's path ends at 108 (sockaddr_un), and ssh-agent needs some of them
NO_AGENT = 2  # ssh-add's exit code where it reaches no agent
WAYS = "Add it to an agent of your own beforehand, or run rigger on a terminal, where ssh-add can ask."


@frozen
class Problem:
    """Why a key cannot be served, and what helps."""

    message: str
    remedy: str


@contextlib.contextmanager
def serving(keys: Sequence[str], folder: str, say: Callable[[str], None]) -> Iterator[dict[str, str]]:
    """Have an agent hold the keys, and yield the variables by which programs find it.

    `folder` is the environment's. An agent that is there gets the keys it lacks, and loses them again; where there is
    none, one is started, and stopped again. Raises NotReady for a key that cannot be added, Interrupted.
    """
    clear_stale(folder)
    served = _Served(folder, os.environ.get("SSH_AUTH_SOCK", ""))
    try:
        if not served.answers():
            served.start()
            say("Started an ssh agent for this run.")
        for key in keys:
            if served.add(key):
                say(f"The ssh agent has {key} until the run ends.")
        yield {"SSH_AUTH_SOCK": served.socket, **({"SSH_AGENT_PID": str(served.pid)} if served.pid else {})}
    finally:
        served.end()


class _Served:
    """An agent at a socket, and what of it is ours: its process, or keys that we added."""

    def __init__(self, folder: str, socket: str):
        self.record = os.path.join(folder, RECORD)
        self.socket = socket
        self.pid = 0
        self.started: int | None = None
        self.added: list[str] = []  # public keys, as ssh-add -L prints them

    def answers(self) -> bool:
        return bool(self.socket) and _ssh_add(self.socket, "-l").exit_code != NO_AGENT

    def start(self) -> None:
        """Start an agent; raises NotReady."""
        import tempfile  # slow to import, and few platforms need an agent

        folder = tempfile.mkdtemp(prefix="rigger-agent-", dir=_short_folder())
        self.socket = os.path.join(folder, "socket")
        self._keep()
        try:
            agent = capture.capture(["ssh-agent", "-s", "-a", self.socket], env=_environ(""))
        except StepFailed as problem:
            raise NotReady(problem.message, "Install OpenSSH's client, then try again.") from None
        pid = re.search(rb"SSH_AGENT_PID=(\d+)", agent.output)
        if agent.exit_code or not pid:
            last = agent.errors.decode("utf-8", "replace").strip() or f"it exited {agent.exit_code}"
            raise NotReady(f"ssh-agent could not be started: {last}.", "Start one yourself, then try again.")
        self.pid = int(pid[1])
        self.started = process_start_time(self.pid)
        self._keep()

    def add(self, key: str) -> bool:
        """Add a key unless the agent has it, and return whether it had not; raises NotReady, Interrupted."""
        if _held(self.socket, key):
            return False
        before = self._public_keys()
        added = _ssh_add(self.socket, key)
        if added.exit_code:
            self._add_by_hand(key, added.errors)
        self.added += [line for line in self._public_keys() if line not in before]
        self._keep()
        return True

    def _add_by_hand(self, key: str, errors: bytes) -> None:
        """Let ssh-add ask for the passphrase on the terminal."""
        if not needs_passphrase(key):
            last = errors.decode("utf-8", "replace").strip().splitlines()[-1:] or ["ssh-add failed"]
            raise NotReady(
                f"The key {key} cannot be used: {last[0]}.", "Choose another with rigger config set."
            )
        if not _has_terminal():
            raise NotReady(f"The key {key} has a passphrase, and there is no terminal to type it on.", WAYS)
        code = terminal.interactive(["ssh-add", key], env=_environ(self.socket))
        if code > 128:
            raise Interrupted("Interrupted before the key was added; nothing was started.")
        if code or not _held(self.socket, key):
            raise NotReady(f"The key {key} was not added to the agent; nothing was started.", WAYS)

    def _public_keys(self) -> list[str]:
        listed = _ssh_add(self.socket, "-L")
        return listed.output.decode("utf-8", "surrogateescape").splitlines() if listed.exit_code == 0 else []

    def end(self) -> None:
        """Stop the agent if we started it, else take back the keys that we added."""
        if self.started is not None or self.pid:
            _stop(self.pid, self.started, self.socket)
        elif self.added:
            _take_back(self.socket, self.added)
        elif os.path.basename(os.path.dirname(self.socket)).startswith("rigger-agent-"):
            remove(os.path.dirname(self.socket))  # it did not start
        with contextlib.suppress(OSError):
            os.unlink(self.record)

    def _keep(self) -> None:
        """Write down what the next run has to undo if this one is killed."""
        record = {"socket": self.socket, "pid": self.pid, "started": self.started, "added": self.added}
        write_bytes(self.record, json.dumps(record).encode() + b"\n", durable=False)


def clear_stale(folder: str) -> None:
    """Undo what a killed run of this environment left: its agent, or keys in somebody's agent."""
    path = os.path.join(folder, RECORD)
    try:
        with open(path, "rb") as file:
            left = json.loads(file.read())
        socket, pid, started = str(left["socket"]), int(left["pid"]), left["started"]
        added = [str(line) for line in left["added"]]
    except FileNotFoundError:
        return
    except (OSError, ValueError, KeyError, TypeError):
        socket, pid, started, added = "", 0, None, []
    if pid:
        _stop(pid, started, socket)
    elif added:
        _take_back(socket, added)
    with contextlib.suppress(OSError):
        os.unlink(path)


def key_problem(key: str) -> Problem | None:
    """Return why a key could not be served to a run that starts now, None when it could."""
    if not os.path.isfile(key):
        return Problem(f"there is no file {key}", "choose another key with rigger config set")
    if not needs_passphrase(key) or _has_terminal():
        return None
    socket = os.environ.get("SSH_AUTH_SOCK", "")
    if socket and _held(socket, key):
        return None
    return Problem(
        f"{key} has a passphrase, and there is no terminal to type it on",
        f"add it to an agent: ssh-add {key}",
    )


def _stop(pid: int, started: int | None, socket: str) -> None:
    """End an agent and remove its socket; another process that has its number by now is left alone."""
    if pid and started is not None and process_start_time(pid) == started:
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGTERM)
    folder = os.path.dirname(socket)
    if os.path.basename(folder).startswith("rigger-agent-"):
        remove(folder)


def _take_back(socket: str, public_keys: Sequence[str]) -> None:
    with contextlib.suppress(OSError, StepFailed, NotReady), temporary_folder("rigger-") as folder:
        for line in public_keys:
            path = os.path.join(folder, "key.pub")
            with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
                file.write(f"{line}\n")
            _ssh_add(socket, "-d", path)


def _held(socket: str, key: str) -> bool:
    """Return whether an agent has a key already; a key whose public part cannot be read counts as absent."""
    prints = {fingerprint for path in (f"{key}.pub", key) if (fingerprint := _fingerprint(path))}
    listed = _ssh_add(socket, "-l")
    held = {line.split()[1] for line in listed.output.decode("utf-8", "replace").splitlines() if " " in line}
    return listed.exit_code == 0 and bool(prints & held)


def _fingerprint(path: str) -> str:
    """Return the SHA256 fingerprint of a key's file, nothing where ssh-keygen cannot tell it without asking."""
    if not os.path.isfile(path):
        return ""
    output = _quiet(["ssh-keygen", "-l", "-E", "sha256", "-f", path], _environ(""))
    words = output.output.decode("utf-8", "replace").split()
    return words[1] if output.exit_code == 0 and len(words) > 1 else ""


def _ssh_add(socket: str, *words: str) -> Captured:
    return _quiet(["ssh-add", *words], _environ(socket))


def _quiet(argv: Sequence[str], environ: Mapping[str, str]) -> Captured:
    try:
        return capture.capture(argv, env=environ, timeout=30.0)
    except StepFailed as problem:
        raise NotReady(problem.message, "Install OpenSSH's client, then try again.") from None


def _environ(socket: str) -> dict[str, str]:
    """Return the environment of ssh-add: it may ask on a terminal, and opens no window."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("SSH_")}
    environ |= {"LC_ALL": "C", "SSH_ASKPASS_REQUIRE": "never"}
    return {**environ, "SSH_AUTH_SOCK": socket} if socket else environ


def _short_folder() -> str | None:
    """Return where a socket's path stays short enough; None for the usual place."""
    import tempfile

    usual = tempfile.gettempdir()
    return None if len(os.fsencode(usual)) < LONGEST_SOCKET - 40 else "/tmp"


def _has_terminal() -> bool:
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr is not None and sys.stderr.isatty()
