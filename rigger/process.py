"""One child process: its session, its signals, its output; the only part of rigger that starts programs.

A step's script runs in a session of its own, so that a Ctrl-C typed at the terminal reaches rigger alone and
rigger decides what the script gets to see of it: SIGINT once, and when that is not enough TERM, then KILL.
"""

from __future__ import annotations

import errno
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from rigger.errors import StepFailed

BLOCK = 64 * 1024  # bytes; what a pipe holds by default on Linux
TICK = 0.25  # seconds between two looks at the clock while a script is silent
GRACE = 600.0  # seconds a script has to stop by itself: cloud tools wait for an API, then save their state
PATIENCE = 5.0  # seconds between TERM and KILL when somebody insists
TIMEOUT_PATIENCE = 20.0  # seconds between TERM and KILL after a timeout: nobody insists, state may be saved
KILL_PATIENCE = 10.0  # seconds after which a process that survives KILL (another user's, say) is given up
DRAIN_IDLE = 0.1  # seconds of silence after which an ended script's pipe counts as read to its end
DRAIN_LIMIT = 2.0  # seconds; a background process that never stops writing must not hold up the run ...
DRAIN_SIZE = 16 * 1024 * 1024  # bytes; ... nor fill the disk meanwhile
BURST = 0.1  # seconds within which several signals are one request: a closing terminal sends two HUPs

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PR_SET_CHILD_SUBREAPER = 36  # from linux/prctl.h
PR_GET_CHILD_SUBREAPER = 37

_own: set[int] = set()  # children that a Popen of this module waits for; never reaped behind its back
_adopted: set[tuple[int, int]] = set()  # (pid, start time) of orphans that earlier steps left to us


# ---- requests to stop ------------------------------------------------------------------------------------


class Interrupts:
    """Counts the requests to stop (SIGINT, SIGTERM, SIGHUP) that arrive while the context is open.

    A signal that was ignored when rigger started (`nohup`, a script's background job) stays without effect.
    Outside the main thread, where Python cannot handle signals, the count stays 0 unless `request` is called.
    """

    def __init__(self):
        self.count = 0
        self.first: int | None = None  # number of the signal that asked first
        self._counted_at = 0.0
        self._previous: dict[int, object] = {}
        self._wakeup: tuple[int, int] | None = None
        self._previous_wakeup = -1

    @property
    def signal_name(self) -> str:
        """The name of the signal that asked first, "" when none did."""
        return signal.Signals(self.first).name if self.first else ""

    def requested(self) -> bool:
        return self.count > 0

    def request(self, signum: int = signal.SIGINT) -> None:
        """Ask for a stop; signals of one burst are one request, and a terminal hangs up only once."""
        now = time.monotonic()
        if self.count and (now - self._counted_at < BURST or signum == signal.SIGHUP):
            return
        self._counted_at = now
        self.count += 1
        self.first = self.first or signum

    def fileno(self) -> int | None:
        """A file descriptor that becomes readable when a signal arrives; None outside the main thread."""
        return self._wakeup[0] if self._wakeup else None

    def drain(self) -> None:
        """Forget the wake-ups (not the requests) so far."""
        with suppress(BlockingIOError):
            while self._wakeup and os.read(self._wakeup[0], 512):
                pass

    def wait(self, seconds: float) -> None:
        """Wait until a stop is requested, or that many seconds."""
        end = time.monotonic() + seconds
        while not self.requested() and (left := end - time.monotonic()) > 0:
            time.sleep(min(left, TICK))

    def __enter__(self):
        with suppress(ValueError):  # raised outside the main thread
            self._previous_wakeup = self._wake_on_signals()
            # A handled SIGCHLD wakes us when a child ends, be it a daemon that the script waits to see gone;
            # an ignored one, which a parent can pass on, would make every exit code look like 0.
            for signum in (*STOP_SIGNALS, signal.SIGCHLD):
                self._previous[signum] = signal.signal(signum, self._handler(signum))
        return self

    def __exit__(self, *exc) -> None:
        for signum, previous in self._previous.items():
            signal.signal(signum, signal.SIG_DFL if previous is None else previous)
        self._previous.clear()
        if self._wakeup:
            signal.set_wakeup_fd(self._previous_wakeup)
            for end in self._wakeup:
                os.close(end)
            self._wakeup = None

    def _wake_on_signals(self) -> int:
        ends = os.pipe()
        for end in ends:
            os.set_blocking(end, False)
        try:
            previous = signal.set_wakeup_fd(ends[1], warn_on_full_buffer=False)
        except ValueError:
            for end in ends:
                os.close(end)
            raise
        self._wakeup = ends
        return previous

    def _handler(self, signum: int) -> Callable:
        # Not SIG_IGN: the script would inherit it, and could then not be asked to stop.
        ignored = signal.getsignal(signum) in (signal.SIG_IGN, _no_effect)
        return _no_effect if ignored or signum == signal.SIGCHLD else self._note

    def _note(self, signum, frame) -> None:
        self.request(signum)


def _no_effect(signum, frame) -> None:
    pass


# ---- a step's script -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Outcome:
    """How a script ended; `duration` is in seconds.

    After an interrupt or a timeout the step is not finished, whatever its exit code: all that it had started
    was stopped with it. `survivors` are the processes that even KILL did not end.
    """

    exit_code: int  # 128 + N when signal N ended it, as a shell says it
    signal: int | None = None
    timed_out: bool = False
    interrupted: bool = False
    duration: float = 0.0
    killed: bool = False
    started: bool = True
    survivors: tuple[tuple[int, str], ...] = ()
    sink_error: OSError | None = field(default=None, compare=False)


def run(
    argv: Sequence[str],
    *,
    cwd: str,
    env: Mapping[str, str],
    sink: Callable[[bytes], None],
    interrupts: Interrupts,
    timeout: float | None = None,
    grace: float = GRACE,
    patience: float | None = None,
    tick: Callable[[], None] | None = None,
    say: Callable[[str], None] = lambda sentence: None,
    keep_open: Sequence[int] = (),
) -> Outcome:
    """Run a step's script to its end and pass its output on to `sink` in blocks as it comes.

    `timeout`, `grace` (for a script to stop by itself after the first request) and `patience` (between TERM
    and KILL) are in seconds. `tick` is called every 0.25 s or so. `keep_open` are file descriptors that the
    script inherits under the same numbers. When a stop was requested already, nothing is started.

    A sink that raises OSError (a full disk, a terminal that has gone) does not stop a script that is building
    a cluster: the first such error is in the outcome. Anything else it raises ends the script, then comes
    through. Raises StepFailed when the system cannot start the script.
    """
    if interrupts.requested():
        signum = interrupts.first or signal.SIGINT
        return Outcome(128 + signum, signum, interrupted=True, started=False)
    family = _Family() if _has_proc() else _Group()
    with family:
        step = _Step(argv, cwd, env, sink, interrupts, tick, keep_open, family)
        step.stop = _Stop(step, say, timeout, grace, patience)
        try:
            step.follow()
        except BaseException:
            step.abandon()
            raise
        finally:
            step.close()
    return step.outcome()


class _Step:
    """A running script, and the pipe that its output comes through."""

    def __init__(self, argv, cwd, env, sink, interrupts, tick, keep_open, family):
        self.sink = sink
        self.sink_error: OSError | None = None
        self.interrupts = interrupts
        self.tick = tick
        self.family = family
        self.begun = self.ticked = time.monotonic()
        self.stop: _Stop
        self.proc = _spawn(argv, cwd, env, stderr=subprocess.STDOUT, pass_fds=tuple(keep_open))
        self.took: float | None = None
        family.begin(self.proc.pid)
        self.watch = _Watch(self.proc, [self.proc.stdout.fileno()], interrupts)

    def ended(self) -> bool:
        """Has the script's own process ended? What it left behind may live on."""
        if self.took is None and self.proc.poll() is not None:
            self.took = time.monotonic() - self.begun
        return self.took is not None

    def follow(self) -> None:
        """Pass the output on until the script has ended and nothing that must stop is left."""
        while not self.stop.over():
            self._pass_on(self.stop.pause())
            if self.watch.woken() and not self.ended():
                self.family.reap()
            self._tick()
        self._drain()

    def abandon(self) -> None:
        """End the script and all that it started, because rigger itself cannot go on."""
        self.sink = lambda block: None
        self.tick = None
        self.stop.terminate(PATIENCE)
        self.follow()

    def close(self) -> None:
        self.watch.close()
        self.proc.stdout.close()
        _own.discard(self.proc.pid)

    def outcome(self) -> Outcome:
        code = self.proc.returncode
        if code is None:  # it survived KILL; so it is among the survivors
            code = -signal.SIGKILL
        return Outcome(
            exit_code=128 - code if code < 0 else code,
            signal=-code if code < 0 else None,
            timed_out=self.stop.timed_out,
            interrupted=self.stop.interrupted,
            duration=time.monotonic() - self.begun if self.took is None else self.took,
            killed=self.stop.killed,
            survivors=tuple((process.pid, process.name) for process in self.stop.survivors),
            sink_error=self.sink_error,
        )

    def _pass_on(self, seconds: float) -> int:
        """Hand over at most one block; its size in bytes, 0 when none came within `seconds`."""
        for fd in self.watch.wait(seconds):
            block = os.read(fd, BLOCK)
            if block:
                self._hand_over(block)
            else:
                self.watch.forget(fd)
            return len(block)
        return 0

    def _hand_over(self, block: bytes) -> None:
        try:
            self.sink(block)
        except OSError as error:
            self.sink_error = self.sink_error or error

    def _drain(self) -> None:
        """Read what is left without waiting for a background process that holds the pipe open.

        Such a process sleeps; a filter that the script wrote through and that has not got round to the rest
        yet is busy.
        """
        self.watch.heed_output_alone()
        limit, left = time.monotonic() + DRAIN_LIMIT, DRAIN_SIZE
        while self.watch.reading and left > 0 and time.monotonic() < limit:
            size = self._pass_on(DRAIN_IDLE)
            left -= size
            if not size and self.watch.reading and not self.family.busy():
                break

    def _tick(self) -> None:
        now = time.monotonic()
        if now - self.ticked < TICK * 0.9:
            return
        self.ticked = now
        self.family.reap()
        if self.tick:
            with suppress(OSError):  # a terminal that has gone
                self.tick()


class _Stop:
    """Decides when a script has to stop, and how hard: asked, terminated, killed."""

    RUNNING, ASKED, TERMINATING, KILLING, GONE = range(5)

    def __init__(self, step: _Step, say: Callable[[str], None], timeout, grace, patience):
        self.step = step
        self._say = say
        self.timeout, self.grace, self.patience = timeout, grace, patience
        self.stage = self.RUNNING
        self.deadline = None if timeout is None else step.begun + timeout
        self.heard = 0
        self.looked_at = 0.0
        self.timed_out = self.interrupted = self.killed = False
        self.survivors: tuple[_Process, ...] = ()
        self._terminated: set[tuple[int, int]] = set()

    def pause(self) -> float:
        """Seconds to wait for output before the next look."""
        if self.stage in (self.TERMINATING, self.KILLING):
            return 0.02
        if self.stage == self.ASKED and self.step.ended():
            return 0.1
        if self.deadline is None:
            return TICK
        return min(TICK, max(0.0, self.deadline - time.monotonic()))

    def over(self) -> bool:
        """Is there nothing left to wait for? Takes the next measure when it is due."""
        ended = self.step.ended()
        if self.stage == self.RUNNING:
            return ended or self._watch_over()
        asked_again = self.step.interrupts.count > self.heard
        late = time.monotonic() >= self.deadline
        if not (asked_again or late or self._look_due()):
            return False
        self.heard += asked_again  # one at a time: each request is a measure of its own
        if self.stage == self.ASKED:
            self._insist(ended, asked_again, late)
        elif self.stage == self.TERMINATING:
            self._wait_for_end(ended, asked_again, late)
        elif self.stage == self.KILLING:
            self._kill_all(late)
        return self.stage == self.GONE

    def terminate(self, patience: float) -> None:
        """Send TERM to all that the script started, and KILL after `patience` seconds."""
        self.stage = self.TERMINATING
        self.deadline = time.monotonic() + (patience if self.patience is None else self.patience)
        self._term(self.step.family.alive())

    def say(self, sentence: str) -> None:
        with suppress(OSError):  # a terminal that has gone
            self._say(sentence)

    def _look_due(self) -> bool:
        # Looking at every process of the machine between any two blocks of output would be slow.
        now = time.monotonic()
        due = now - self.looked_at >= 0.015
        if due:
            self.looked_at = now
        return due

    def _watch_over(self) -> bool:
        if self.step.interrupts.requested():
            self._ask()
        elif self.deadline is not None and time.monotonic() >= self.deadline:
            self.timed_out = True
            self.say(f"The script is not done after {in_words(self.timeout)}: stopping all that it started.")
            self.terminate(TIMEOUT_PATIENCE)
        return False

    def _ask(self) -> None:
        self.stage = self.ASKED
        self.interrupted = True
        self.heard = 1
        self.deadline = time.monotonic() + self.grace
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.step.proc.pid, signal.SIGINT)
        self.say(
            f"Asked the script to stop; it has {in_words(self.grace)} to finish what it has begun. "
            "Press Ctrl-C again to stop it at once."
        )

    def _insist(self, ended: bool, asked_again: bool, late: bool) -> None:
        if ended and not self.step.family.heeding():
            self.terminate(PATIENCE)  # what is left was never asked, or is deaf: background processes
        elif asked_again or late:
            self.say("Stopping all that the script started.")
            self.terminate(PATIENCE)

    def _wait_for_end(self, ended: bool, asked_again: bool, late: bool) -> None:
        left = self.step.family.alive()
        if ended and not left:
            self.stage = self.GONE
        elif asked_again or late:
            self.say("Killing what is left of it.")
            self.stage = self.KILLING
            self.deadline = time.monotonic() + KILL_PATIENCE
            self._kill_all(late=False)
        elif ended:
            self._term(left)  # what a script starts while it cleans up is left alone until it has ended

    def _term(self, processes: list[_Process]) -> None:
        for process in processes:
            if process.key not in self._terminated:
                self._terminated.add(process.key)
                process.send(signal.SIGTERM)
                process.send(signal.SIGCONT)  # a stopped process gets no TERM before it goes on

    def _kill_all(self, late: bool) -> None:
        left = self.step.family.alive()
        if self.step.ended() and not left:
            self.stage = self.GONE
        elif late:
            self.stage = self.GONE
            self.survivors = tuple(left)
            names = ", ".join(f"{process.pid} ({process.name})" for process in left)
            self.say(f"These processes could not be stopped: {names}.")
        for process in left:
            self.killed = True
            process.send(signal.SIGKILL)


class _Watch:
    """Waits for output, for the end of a process and for signals, whichever comes first."""

    def __init__(self, proc: subprocess.Popen, fds: Sequence[int], interrupts: Interrupts):
        self.reading = set(fds)
        self.interrupts = interrupts
        self.proc = proc
        self.poll = select.poll()
        for fd in fds:
            self.poll.register(fd, select.POLLIN)
        self.wakeup = interrupts.fileno()
        if self.wakeup is not None:
            self.poll.register(self.wakeup, select.POLLIN)
        self.pidfd = _open_pidfd(proc.pid)
        self.ended = self._woken = False
        if self.pidfd is not None:
            self.poll.register(self.pidfd, select.POLLIN)

    def wait(self, seconds: float) -> list[int]:
        """The file descriptors with output, after at most `seconds`; [] for any other event."""
        if self.pidfd is None and not self.ended:
            seconds = min(seconds, 0.05)  # without a pidfd the end of the process shows only by looking
        ready = [fd for fd, _ in self.poll.poll(max(0, int(seconds * 1000 + 0.999)))]
        if self.wakeup in ready:
            self.interrupts.drain()
            self._woken = True
        if self.pidfd in ready:
            self._close_pidfd()
        return [fd for fd in ready if fd in self.reading]

    def woken(self) -> bool:
        """Has a signal arrived since the last time this was asked?"""
        woken, self._woken = self._woken, False
        return woken

    def heed_output_alone(self) -> None:
        """From now on, let nothing else cut a wait short."""
        self.ended = True
        self._close_pidfd()
        if self.wakeup is not None:
            self.poll.unregister(self.wakeup)
            self.wakeup = None

    def forget(self, fd: int) -> None:
        self.poll.unregister(fd)
        self.reading.discard(fd)

    def close(self) -> None:
        self._close_pidfd()

    def _close_pidfd(self) -> None:
        if self.pidfd is not None:
            self.poll.unregister(self.pidfd)
            os.close(self.pidfd)
            self.pidfd, self.ended = None, True


def _open_pidfd(pid: int) -> int | None:
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):  # not Linux, or older than 5.3
        return None


# ---- starting --------------------------------------------------------------------------------------------


def _spawn(argv, cwd, env, *, stdin=subprocess.DEVNULL, stderr, pass_fds=()) -> subprocess.Popen:
    """Start a program in a session of its own; raises StepFailed with the reason why it cannot be started."""
    try:
        encoded = None if env is None else {_encode(name): _encode(value) for name, value in env.items()}
        proc = subprocess.Popen(
            list(argv),
            cwd=cwd,
            env=encoded,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=stderr,
            bufsize=0,
            start_new_session=True,
            pass_fds=pass_fds,
        )
    except (OSError, ValueError) as error:
        raise _cannot_start(error, argv, cwd, os.environ if env is None else env) from error
    _own.add(proc.pid)
    return proc


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _cannot_start(error: Exception, argv, cwd, env) -> StepFailed:
    program = os.fsdecode(argv[0])
    if isinstance(error, ValueError):  # a NUL byte, or "=" in a name
        return StepFailed(f"{program} cannot be started: {error}.", "Look for NUL bytes in the vars.")
    if cwd is not None and not os.path.isdir(cwd):
        return StepFailed(f"{program} cannot be started: its folder {os.fsdecode(cwd)} does not exist.")
    if error.errno == errno.E2BIG:
        return _too_much(program, env)
    path = _where(program, cwd, env)
    if error.errno == errno.ENOENT:
        return _not_found(program, path)
    if error.errno == errno.ENOEXEC:
        return StepFailed(
            f"{program} has no shebang line, so the system does not know what to run it with.",
            "Make its first line #!/usr/bin/env bash, for example.",
        )
    if error.errno == errno.EACCES:
        return _not_allowed(program, path)
    return StepFailed(f"{program} cannot be started: {os.strerror(error.errno)}.")


def _too_much(program: str, env: Mapping[str, str]) -> StepFailed:
    sizes = {name: len(_encode(value)) for name, value in env.items()}
    largest = max(sizes, key=sizes.get, default="")
    return StepFailed(
        f"{program} cannot be started: the vars are too long for the system "
        f"({sum(sizes.values())} bytes in all, of which {largest} has {sizes.get(largest, 0)}).",
        f"Put the content of {largest} in a file, and the file's path in the var.",
    )


def _not_found(program: str, path: str) -> StepFailed:
    interpreter = _interpreter(path)
    if interpreter is None:
        where = "does not exist" if os.sep in program else "is not on the PATH"
        return StepFailed(f"{program} {where}.")
    if interpreter.endswith("\r"):
        return StepFailed(f"{program} has Windows line ends.", "Save it with Unix line ends.")
    return StepFailed(
        f"{program} cannot be started: {interpreter}, which its first line names, does not exist.",
        f"Install {os.path.basename(interpreter)}, or correct the first line.",
    )


def _not_allowed(program: str, path: str) -> StepFailed:
    if os.path.isfile(path) and os.access(path, os.X_OK):
        interpreter = _interpreter(path) or "its interpreter"
        return StepFailed(f"{program} cannot be started: no permission to execute {interpreter}.")
    return StepFailed(f"{program} is not executable.", f"Make it so: chmod +x {program}")


def _where(program: str, cwd, env: Mapping[str, str]) -> str:
    if os.sep in program:
        return os.path.join(os.fsdecode(cwd or ""), program)
    from shutil import which

    return which(program, path=env.get("PATH")) or program


def _interpreter(path: str) -> str | None:
    """The program that a script's first line names; None when there is no script or no such line."""
    with suppress(OSError), open(path, "rb") as script:
        first = script.readline(512)
        if first.startswith(b"#!"):
            words = first[2:].rstrip(b"\n").split(b" ")
            return os.fsdecode(next((word for word in words if word), b""))
    return None


# ---- everything that a script started --------------------------------------------------------------------


@dataclass(frozen=True)
class _Process:
    pid: int
    parent: int
    group: int
    session: int
    start: int  # clock ticks since the machine started
    state: str
    name: str

    @property
    def key(self) -> tuple[int, int]:
        return self.pid, self.start

    def send(self, signum: int) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(self.pid, signum)


class _Family:
    """All processes that descend from a script, told apart from what was there before (Linux).

    rigger is their subreaper meanwhile: a descendant whose parent ends becomes rigger's own child, however
    many times it forked and whatever session it moved to.
    """

    def __init__(self):
        self.before: frozenset[tuple[int, int]] = frozenset()
        self.leader = 0
        self.since = 0
        self.was_subreaper = 0

    def __enter__(self):
        if _has_children():
            self.before = frozenset(process.key for process in _descendants(_processes()))
        self.was_subreaper = _become_subreaper(1)
        return self

    def __exit__(self, *exc) -> None:
        self.reap()
        if _has_children():
            me = os.getpid()
            _adopted.update(
                process.key
                for process in _processes().values()
                if process.parent == me and process.key not in self.before and process.pid not in _own
            )
        _become_subreaper(self.was_subreaper)

    def begin(self, leader: int) -> None:
        self.leader = leader
        self.since = process_start_time(leader) or 0

    def alive(self) -> list[_Process]:
        """Everything the script started that still runs, parents before their children."""
        self.reap()
        processes = _processes()
        descendants = _descendants(processes, self.before)
        strays = [process for process in processes.values() if process.session == self.leader]
        found = {process.key: process for process in descendants + strays}
        return [p for p in found.values() if p.start >= self.since and p.state not in "ZX"]

    def heeding(self) -> list[_Process]:
        """Those of the script's own group that got its SIGINT and do not ignore it."""
        return [p for p in self.alive() if p.group == self.leader and not _ignores(p.pid, signal.SIGINT)]

    def busy(self) -> bool:
        """Is anything of the script's own session at work, rather than asleep?"""
        return any(process.state in "RD" for process in _session(self.leader))

    def reap(self) -> None:
        """Clear away the orphans that became our children and have ended."""
        if not _has_zombies():
            return
        me, session = os.getpid(), os.getsid(0)
        for process in _processes().values():
            ours = process.parent == me and process.state == "Z" and process.pid not in _own
            foreign = process.key in self.before and process.key not in _adopted
            if ours and not foreign and process.session != session:
                with suppress(ChildProcessError):
                    os.waitpid(process.pid, os.WNOHANG)
                _adopted.discard(process.key)


class _Group:
    """The process group of a script: the best substitute where there is no /proc."""

    def __init__(self):
        self.leader = 0

    def __enter__(self):
        return self

    def __exit__(self, *exc) -> None:
        pass

    def begin(self, leader: int) -> None:
        self.leader = leader

    def alive(self) -> list[_GroupTarget]:
        try:
            os.killpg(self.leader, 0)
        except (ProcessLookupError, PermissionError):  # macOS: EPERM when only zombies are left
            return []
        return [_GroupTarget(self.leader)]

    def heeding(self) -> list[_GroupTarget]:
        return []

    def busy(self) -> bool:
        return False

    def reap(self) -> None:
        pass


@dataclass(frozen=True)
class _GroupTarget:
    pid: int
    name: str = "process group"

    @property
    def key(self) -> tuple[int, int]:
        return self.pid, 0

    def send(self, signum: int) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signum)


def _has_proc() -> bool:
    return os.path.exists("/proc/self/stat")


def _has_children() -> bool:
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def _has_zombies() -> bool:
    try:
        return os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return False


def _become_subreaper(on: int) -> int:
    """Set whether orphaned descendants become our children; the previous setting (prctl(2))."""
    try:
        import ctypes

        prctl = ctypes.CDLL(None).prctl
    except (ImportError, OSError, AttributeError):
        return 0
    previous = ctypes.c_int(0)
    prctl(PR_GET_CHILD_SUBREAPER, ctypes.byref(previous), 0, 0, 0)
    prctl(PR_SET_CHILD_SUBREAPER, ctypes.c_ulong(on), 0, 0, 0)
    return previous.value


def _processes() -> dict[int, _Process]:
    found = (_process(int(entry)) for entry in os.listdir("/proc") if entry.isdigit())
    return {process.pid: process for process in found if process}


def _process(pid: int) -> _Process | None:
    """What /proc/<pid>/stat says, the fields as in proc_pid_stat(5); None when there is no such process."""
    try:
        fd = os.open(f"/proc/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        stat = os.read(fd, 4096)
    except OSError:
        return None
    finally:
        os.close(fd)
    name, _, rest = stat.partition(b"(")[2].rpartition(b")")  # the name itself may hold parentheses
    fields = rest.split()
    parent, group, session = (int(number) for number in fields[1:4])
    start, state = int(fields[19]), fields[0].decode("ascii")
    return _Process(pid, parent, group, session, start, state, name.decode("utf-8", "replace"))


def _descendants(processes: dict[int, _Process], without: frozenset = frozenset()) -> list[_Process]:
    """All descendants of ours, parents first; those `without` are left out together with their children."""
    children: dict[int, list[_Process]] = {}
    for process in processes.values():
        children.setdefault(process.parent, []).append(process)
    found: list[_Process] = []
    generation = [os.getpid()]
    while generation:
        born = [child for pid in generation for child in children.get(pid, ()) if child.key not in without]
        found += born
        generation = [child.pid for child in born]
    return found


def _ignores(pid: int, signum: int) -> bool:
    with suppress(OSError), open(f"/proc/{pid}/status", "rb") as status:
        for line in status:
            if line.startswith(b"SigIgn:"):
                return bool(int(line.split()[1], 16) >> (signum - 1) & 1)
    return False


def descendants() -> frozenset[tuple[int, int]]:
    """Return the keys of all processes that descend from this one; none where the system does not tell."""
    return frozenset(process.key for process in _descendants(_processes())) if _has_proc() else frozenset()


def kill_descendants(without: frozenset[tuple[int, int]]) -> int:
    """Kill what descends from this process, but for those `without`, as the end of a machine would; say how many."""
    found = _descendants(_processes(), without) if _has_proc() else []
    for process in found:
        process.send(signal.SIGKILL)
    return len(found)


def processes_that_know(folder: str) -> list[tuple[int, str]]:
    """Return the id and name of every other process whose environment, command or working folder names a folder."""
    wanted, found = os.fsencode(folder), []
    for process in _processes().values() if _has_proc() else ():
        if process.pid != os.getpid() and process.state not in "ZX" and wanted in _known_to(process.pid):
            found.append((process.pid, process.name))
    return found


def _known_to(pid: int) -> bytes:
    """Return what /proc tells of a process's environment, command line and working folder."""
    known = b""
    for name in ("environ", "cmdline"):
        with suppress(OSError), open(f"/proc/{pid}/{name}", "rb") as file:
            known += file.read()
    with suppress(OSError):
        known += os.readlink(os.fsencode(f"/proc/{pid}/cwd"))
    return known


def process_start_time(pid: int) -> int | None:
    """When a living process started; None when there is none. Only fit to be compared with itself.

    Clock ticks since the machine started on Linux, seconds since 1970 elsewhere. A zombie does not live.
    """
    if _has_proc():
        process = _process(pid)
        return None if process is None or process.state in "ZX" else process.start
    seen = capture(["ps", "-o", "lstart=", "-p", str(pid)], env={**os.environ, "LC_ALL": "C"})
    text = seen.output.decode("ascii", "replace").strip()
    return int(time.mktime(time.strptime(text, "%a %b %d %H:%M:%S %Y"))) if text else None


def processes_holding(path: str) -> list[tuple[int, str]]:
    """(pid, name) of the other processes that have this very file open; [] where there is no /proc."""
    try:
        wanted = os.stat(path)
        pids = [int(entry) for entry in os.listdir("/proc") if entry.isdigit()]
    except OSError:
        return []
    holders = [_process(pid) for pid in sorted(pids) if pid != os.getpid() and _has_open(pid, wanted)]
    return [(process.pid, process.name) for process in holders if process]


def _has_open(pid: int, wanted: os.stat_result) -> bool:
    folder = f"/proc/{pid}/fd"
    with suppress(OSError):
        for fd in os.listdir(folder):
            with suppress(OSError):
                if os.path.samestat(os.stat(f"{folder}/{fd}"), wanted):
                    return True
    return False


# ---- small helper programs -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Captured:
    """What a helper program said."""

    exit_code: int  # 128 + N when signal N ended it
    output: bytes
    errors: bytes


def capture(
    argv: Sequence[str],
    *,
    cwd: str | None = None,
    env: Mapping[str, str] | None = None,
    input: bytes = b"",
    timeout: float = 60.0,
    limit: int = 16 * 1024 * 1024,
) -> Captured:
    """Run a helper program (a check, a list of choices, git) and return what it wrote.

    `timeout` is in seconds, `limit` in bytes for each of its two streams. Raises StepFailed when it cannot be
    started, takes or writes more than that, and KeyboardInterrupt on Ctrl-C; it is killed then.
    """
    with Interrupts() as interrupts:  # no KeyboardInterrupt may come between a program's start and its care
        captured = _converse(argv, cwd, env, input, timeout, limit, interrupts)
    if interrupts.requested():
        os.kill(os.getpid(), interrupts.first or signal.SIGINT)  # for whoever handles it outside
        raise KeyboardInterrupt
    return captured


def _converse(argv, cwd, env, input, timeout, limit, interrupts) -> Captured:
    stdin = subprocess.PIPE if input else subprocess.DEVNULL
    proc = _spawn(argv, cwd, env, stdin=stdin, stderr=subprocess.PIPE)
    conversation = _Conversation(proc, input, limit, interrupts)
    try:
        conversation.carry_on(timeout)
    except BaseException:
        _kill_session(proc)
        raise
    finally:
        conversation.close()
    code = proc.returncode
    return Captured(128 - code if code < 0 else code, *map(bytes, conversation.streams.values()))


class _Conversation:
    """The pipes to and from a helper program."""

    def __init__(self, proc: subprocess.Popen, input: bytes, limit: int, interrupts: Interrupts):
        self.proc = proc
        self.name = os.fsdecode(proc.args[0])
        self.limit = limit
        self.input = memoryview(input)
        self.streams = {proc.stdout.fileno(): bytearray(), proc.stderr.fileno(): bytearray()}
        self.interrupts = interrupts
        self.watch = _Watch(proc, list(self.streams), interrupts)
        if proc.stdin:
            os.set_blocking(proc.stdin.fileno(), False)
            self.watch.poll.register(proc.stdin.fileno(), select.POLLOUT)

    def carry_on(self, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while self.proc.poll() is None:
            if self.interrupts.requested():
                _kill_session(self.proc)
                return
            left = deadline - time.monotonic()
            if left <= 0:
                raise StepFailed(f"{self.name} did not end within {in_words(timeout)}.")
            self._exchange(min(left, TICK))
        self.watch.heed_output_alone()
        limit = time.monotonic() + DRAIN_LIMIT
        while self.watch.reading and self._exchange(DRAIN_IDLE) and time.monotonic() < limit:
            pass

    def close(self) -> None:
        self.watch.close()
        self._hang_up()
        self.proc.stdout.close()
        self.proc.stderr.close()
        _own.discard(self.proc.pid)

    def _exchange(self, seconds: float) -> bool:
        ready = self.watch.wait(seconds)
        for fd in ready:
            block = os.read(fd, BLOCK)
            if not block:
                self.watch.forget(fd)
            self.streams[fd] += block
            if len(self.streams[fd]) > self.limit:
                raise StepFailed(f"{self.name} wrote more than {self.limit} bytes.")
        self._give_input()
        return bool(ready)

    def _give_input(self) -> None:
        if not self.proc.stdin:
            return
        try:
            self.input = self.input[os.write(self.proc.stdin.fileno(), self.input[:BLOCK]) :]
        except BlockingIOError:
            return
        except BrokenPipeError:  # it has read all it wants
            self.input = self.input[:0]
        if not self.input:
            self._hang_up()

    def _hang_up(self) -> None:
        if self.proc.stdin:
            with suppress(KeyError):
                self.watch.poll.unregister(self.proc.stdin.fileno())
            self.proc.stdin.close()
            self.proc.stdin = None


def _kill_session(proc: subprocess.Popen) -> None:
    """Kill a program and whatever shares its session, and wait until they are gone."""
    if proc.returncode is None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(proc.pid, signal.SIGKILL)
    limit = time.monotonic() + KILL_PATIENCE
    while (members := _session(proc.pid)) and time.monotonic() < limit:
        for process in members:
            process.send(signal.SIGKILL)
        time.sleep(0.005)
    proc.wait()


def _session(leader: int) -> list[_Process]:
    """The living members of a session; [] where there is no /proc."""
    processes = _processes().values() if _has_proc() else ()
    return [process for process in processes if process.session == leader and process.state not in "ZX"]


class Dialogue:
    """A program that asks for answers over a pipe of its own, while its output is passed on to `output`.

    `argv` takes two more arguments before its last: the descriptors that the program writes its messages to and reads
    the replies from. A message is the number of its fields, then the fields, each closed by a NUL; so are replies,
    without the number. The program reads `stdin`, or nothing. Raises StepFailed when it cannot be started.
    """

    FIRST_FD = 60  # scripts use the small numbers themselves

    def __init__(
        self,
        argv: Sequence[str],
        *,
        cwd: str,
        env: Mapping[str, str],
        output: Callable[[bytes], None],
        stdin: int | None = None,
    ):
        self.output = output
        self.exit_code: int | None = None  # 128 + N when signal N ended it; None while it runs
        self._messages = bytearray()
        self._from, to = _pipe(self.FIRST_FD, childs=1)
        self._to, answers = _pipe(self.FIRST_FD, childs=0)
        try:
            whole = [*argv[:-1], str(to), str(answers), argv[-1]]
            self._proc = _spawn(
                whole,
                cwd,
                env,
                stdin=subprocess.DEVNULL if stdin is None else stdin,
                stderr=subprocess.STDOUT,
                pass_fds=(to, answers),
            )
        except BaseException:
            os.close(self._from)
            os.close(self._to)
            raise
        finally:
            os.close(to)
            os.close(answers)
        self._watch = _Watch(self._proc, [self._from, self._proc.stdout.fileno()], Interrupts())

    def receive(self) -> list[bytes] | None:
        """Return the next message, None when the program has ended without another one."""
        while (message := self._message()) is None and self._proc.poll() is None:
            self._exchange(TICK)
        if message is None:
            message = self._last_words()
        return message

    def reply(self, *fields: bytes) -> None:
        """Answer the message that was received last; one that has ended meanwhile needs no answer."""
        data = memoryview(b"".join(field + b"\0" for field in fields))
        with suppress(BrokenPipeError):
            while data:
                data = data[os.write(self._to, data) :]

    def close(self) -> None:
        """End the program, and what it started, if it still runs."""
        if self._proc.stdout.closed:
            return
        _kill_session(self._proc)
        self._watch.close()
        for fd in (self._from, self._to):
            os.close(fd)
        self._proc.stdout.close()
        _own.discard(self._proc.pid)

    def _last_words(self) -> list[bytes] | None:
        self._watch.heed_output_alone()
        limit = time.monotonic() + DRAIN_LIMIT
        while self._watch.reading and self._exchange(DRAIN_IDLE) and time.monotonic() < limit:
            pass
        code = self._proc.returncode
        self.exit_code = 128 - code if code < 0 else code
        return self._message()

    def _exchange(self, seconds: float) -> bool:
        ready = self._watch.wait(seconds)
        for fd in ready:
            block = os.read(fd, BLOCK)
            if not block:
                self._watch.forget(fd)
            elif fd == self._from:
                self._messages += block
            else:
                self.output(block)
        return bool(ready)

    def _message(self) -> list[bytes] | None:
        number, nul, rest = bytes(self._messages).partition(b"\0")
        fields = rest.split(b"\0", int(number)) if nul else []
        if not nul or len(fields) <= int(number):
            return None
        self._messages = bytearray(fields.pop())
        return fields


def _pipe(first: int, childs: int) -> tuple[int, int]:
    """Return our end of a pipe and a child's (0: it reads, 1: it writes), the child's numbered from `first` on."""
    import fcntl

    ends = os.pipe()
    theirs = fcntl.fcntl(ends[childs], fcntl.F_DUPFD_CLOEXEC, first)
    os.close(ends[childs])
    return ends[1 - childs], theirs


def interactive(argv: Sequence[str], *, env: Mapping[str, str] | None = None) -> int:
    """Run a program that has the terminal to itself, such as $EDITOR; its exit code, 128 + N for signal N.

    Ctrl-C is for that program alone meanwhile. Raises StepFailed when it cannot be started.
    """
    previous = {}
    with suppress(ValueError):  # raised outside the main thread
        for signum in (signal.SIGINT, signal.SIGQUIT, signal.SIGCHLD):
            previous[signum] = signal.signal(signum, _no_effect)  # not SIG_IGN, which would be inherited
    try:
        encoded = None if env is None else {_encode(name): _encode(value) for name, value in env.items()}
        code = subprocess.call(list(argv), env=encoded)
    except (OSError, ValueError) as error:
        raise _cannot_start(error, argv, None, os.environ if env is None else env) from error
    finally:
        for signum, handler in previous.items():
            signal.signal(signum, handler)
    return 128 - code if code < 0 else code


def ensure_standard_descriptors() -> None:
    """Open /dev/null wherever standard input, output or error is closed.

    Otherwise the next file that is opened, the lock for example, would take that number, and a script would
    lose or write to it.
    """
    while True:
        fd = os.open(os.devnull, os.O_RDWR)
        if fd > 2:
            os.close(fd)
            return
        os.set_inheritable(fd, True)


def in_words(seconds: float) -> str:
    """A duration for a sentence: "0.5 s", "45 s", "10 min", "1 h 5 min"."""
    if seconds < 60:
        return f"{seconds:g} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [(hours, "h"), (minutes, "min"), (rest, "s")]
    return " ".join(f"{number} {unit}" for number, unit in parts if number)
