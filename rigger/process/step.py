"""Run a step's script: output to a sink, a timeout, and an end that leaves no child behind."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress

from rigger.later import later
from rigger.process.interrupts import TICK, Interrupts
from rigger.process.spawn import STDOUT, own_children, spawn
from rigger.process.tree import KILL_PATIENCE, Family, Group, GroupTarget, ProcessInfo, has_proc
from rigger.process.watch import BLOCK, DRAIN_IDLE, DRAIN_LIMIT, DRAIN_SIZE, Watch
from rigger.text import in_words
from rigger.values import field, frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from rigger.process import forked
    from rigger.process.relay import Relay
    from rigger.process.spawn import Started
else:
    forked = later("rigger.process.forked")

GRACE = 600.0  # seconds a script has to stop by itself: cloud tools wait for an API, then save their state
PATIENCE = 5.0  # seconds between TERM and KILL when somebody insists
TIMEOUT_PATIENCE = 20.0  # seconds between TERM and KILL after a timeout: nobody insists, state may be saved


# ---- a step's script -------------------------------------------------------------------------------------


@frozen
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
    relay: Relay | None = None,
    note: str = "",
    inside: Callable[[], int] | None = None,
) -> Outcome:
    """Run a step's script to its end and pass its output on to `sink` in blocks as it comes.

    `timeout`, `grace` (for a script to stop by itself after the first request) and `patience` (between TERM
    and KILL) are in seconds. `tick` is called every 0.25 s or so. `keep_open` are file descriptors that the
    script inherits under the same numbers. `relay` is told of the script's output, with the note. `inside` is rigger's own
    function that does what the script would. When a stop was requested already, nothing is started.

    A sink that raises OSError (a full disk, a terminal that has gone) does not stop a script that is building
    a cluster: the first such error is in the outcome. Anything else it raises ends the script, then comes
    through. Raises CannotStart when the system cannot start the script.
    """
    if interrupts.requested():
        signum = interrupts.first or signal.SIGINT
        return Outcome(128 + signum, signum, interrupted=True, started=False)
    family: Family | Group = Family() if has_proc() else Group()
    with family:
        step = _Step(argv, cwd, env, sink, interrupts, tick, keep_open, family, relay, note, inside)
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

    def __init__(
        self,
        argv: Sequence[str],
        cwd: str,
        env: Mapping[str, str],
        sink: Callable[[bytes], None],
        interrupts: Interrupts,
        tick: Callable[[], None] | None,
        keep_open: Sequence[int],
        family: Family | Group,
        relay: Relay | None,
        note: str,
        inside: Callable[[], int] | None,
    ):
        self.sink = sink
        self.sink_error: OSError | None = None
        self.interrupts = interrupts
        self.tick = tick
        self.family = family
        self.begun = self.ticked = time.monotonic()
        self.stop: _Stop
        self.relay = relay
        self.stdout, self.proc = _start(argv, cwd, env, tuple(keep_open), relay, note, inside)
        self.took: float | None = None
        family.begin(self.proc.pid)
        self.watch = Watch(self.proc, [self.stdout], interrupts)

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
        os.close(self.stdout)
        if self.relay:
            self.relay.release()
        own_children.discard(self.proc.pid)

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


def _start(
    argv: Sequence[str],
    cwd: str,
    env: Mapping[str, str],
    keep_open: tuple[int, ...],
    relay: Relay | None,
    note: str,
    inside: Callable[[], int] | None,
) -> tuple[int, Started]:
    """Start a script whose output comes through a pipe that the relay has before the script can write to it."""
    ours, theirs = os.pipe()
    if relay:
        relay.hold(ours, note)
    try:
        if inside:
            return ours, forked.fork(inside, cwd, env, stdout=theirs, stderr=STDOUT, pass_fds=keep_open)
        return ours, spawn(argv, cwd, env, stdout=theirs, stderr=STDOUT, pass_fds=keep_open)
    except BaseException:
        os.close(ours)
        if relay:
            relay.release()
        raise
    finally:
        os.close(theirs)


class _Stop:
    """Decides when a script has to stop, and how hard: asked, terminated, killed."""

    RUNNING, ASKED, TERMINATING, KILLING, GONE = range(5)

    def __init__(
        self,
        step: _Step,
        say: Callable[[str], None],
        timeout: float | None,
        grace: float,
        patience: float | None,
    ):
        self.step = step
        self._say = say
        self.timeout = float("inf") if timeout is None else timeout
        self.grace, self.patience = grace, patience
        self.stage = self.RUNNING
        self.deadline = step.begun + self.timeout
        self.heard = 0
        self.looked_at = 0.0
        self.timed_out = self.interrupted = self.killed = False
        self.survivors: tuple[ProcessInfo | GroupTarget, ...] = ()
        self._terminated: set[tuple[int, int]] = set()

    def pause(self) -> float:
        """Seconds to wait for output before the next look."""
        if self.stage in (self.TERMINATING, self.KILLING):
            return 0.02
        if self.stage == self.ASKED and self.step.ended():
            return 0.1
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
        elif time.monotonic() >= self.deadline:
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
        self._wake_stopped()
        self.say(
            f"Asked the script to stop; it has {in_words(self.grace)} to finish what it has begun. "
            "Press Ctrl-C again to stop it at once."
        )

    def _wake_stopped(self) -> None:
        """Let what is stopped go on: it, and whoever waits for it, would take no notice of having been asked."""
        for process in self.step.family.stopped():
            process.send(signal.SIGCONT)

    def _insist(self, ended: bool, asked_again: bool, late: bool) -> None:
        if ended and not self.step.family.heeding():
            self.terminate(PATIENCE)  # what is left was never asked, or is deaf: background processes
        elif asked_again or late:
            self.say("Stopping all that the script started.")
            self.terminate(PATIENCE)
        else:
            self._wake_stopped()

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

    def _term(self, processes: Sequence[ProcessInfo | GroupTarget]) -> None:
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
