"""Everything a program started: found, watched and ended, also where it left its session."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress

from rigger.process.spawn import own_children
from rigger.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rigger.process.spawn import Started

KILL_PATIENCE = 10.0  # seconds after which a process that survives KILL (another user's, say) is given up


PR_SET_CHILD_SUBREAPER = 36  # from linux/prctl.h
PR_GET_CHILD_SUBREAPER = 37


_adopted: set[tuple[int, int]] = set()  # (pid, start time) of orphans that earlier steps left to us


# ---- everything that a script started --------------------------------------------------------------------


@frozen
class ProcessInfo:
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


class Family:
    """All processes that descend from a script, told apart from what was there before (Linux).

    rigger is their subreaper meanwhile: a descendant whose parent ends becomes rigger's own child, however
    many times it forked and whatever session it moved to.
    """

    def __init__(self) -> None:
        self.before: frozenset[tuple[int, int]] = frozenset()
        self.leader = 0
        self.since = 0
        self.was_subreaper = 0

    def __enter__(self) -> Family:
        self.before = _before()
        self.was_subreaper = _become_subreaper(1)
        return self

    def __exit__(self, *exc: object) -> None:
        self.reap()
        _adopted.update(
            process.key
            for process in _children()
            if process.key not in self.before and process.pid not in own_children
        )
        _become_subreaper(self.was_subreaper)

    def begin(self, leader: int) -> None:
        self.leader = leader
        self.since = start_of(leader) or 0

    def alive(self) -> list[ProcessInfo]:
        """Everything the script started that still runs, parents before their children."""
        self.reap()
        processes = all_processes()
        descendants = _descendants(processes, os.getpid(), self.before)
        strays = [process for process in processes.values() if process.session == self.leader]
        family = {process.key: process for process in descendants + strays}
        return [p for p in family.values() if p.start >= self.since and p.state not in "ZX"]

    def heeding(self) -> list[ProcessInfo]:
        """Those of the script's own group that got its SIGINT and do not ignore it."""
        return [p for p in self.alive() if p.group == self.leader and not _ignores(p.pid, signal.SIGINT)]

    def stopped(self) -> list[ProcessInfo]:
        """Those that a signal has stopped, until another one lets them go on."""
        return [process for process in self.alive() if process.state == "T"]

    def busy(self) -> bool:
        """Is anything of the script's own session at work, rather than asleep?"""
        return any(process.state in "RD" for process in _session(self.leader))

    def reap(self) -> None:
        """Clear away the orphans that became our children and have ended."""
        if not _has_zombies():
            return
        session = os.getsid(0)
        for process in _children():
            ours = process.state == "Z" and process.pid not in own_children
            foreign = process.key in self.before and process.key not in _adopted
            if ours and not foreign and process.session != session:
                with suppress(ChildProcessError):
                    os.waitpid(process.pid, os.WNOHANG)
                _adopted.discard(process.key)


class Group:
    """The process group of a script: the best substitute where there is no /proc."""

    def __init__(self) -> None:
        self.leader = 0

    def __enter__(self) -> Group:
        return self

    def __exit__(self, *exc: object) -> None:
        pass

    def begin(self, leader: int) -> None:
        self.leader = leader

    def alive(self) -> list[GroupTarget]:
        try:
            os.killpg(self.leader, 0)
        except (ProcessLookupError, PermissionError):  # macOS: EPERM when only zombies are left
            return []
        return [GroupTarget(self.leader)]

    def heeding(self) -> list[GroupTarget]:
        return []

    def stopped(self) -> list[GroupTarget]:
        return self.alive()  # which of them are stopped is not told; to the others it does nothing

    def busy(self) -> bool:
        return False

    def reap(self) -> None:
        pass


@frozen
class GroupTarget:
    pid: int
    name: str = "process group"

    @property
    def key(self) -> tuple[int, int]:
        return self.pid, 0

    def send(self, signum: int) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signum)


def has_proc() -> bool:
    return os.path.exists("/proc/self/stat")


def _before() -> frozenset[tuple[int, int]]:
    """Return what runs already of all that descends from us, looking no further than at children that have none."""
    children = _children()
    if all(process.pid in own_children and _is_childless(process.pid) for process in children):
        return frozenset(process.key for process in children)
    return frozenset(process.key for process in _descendants(all_processes(), os.getpid()))


def _children() -> list[ProcessInfo]:
    """Return our own children; all processes of the machine are looked through only where the kernel lists none."""
    if not _has_children():
        return []
    try:
        return [process for process in map(process_of, _listed_children("self")) if process]
    except OSError:
        me = os.getpid()
        return [process for process in all_processes().values() if process.parent == me]


def _is_childless(pid: int) -> bool:
    try:
        return not _listed_children(str(pid))
    except OSError:
        return False


def _listed_children(pid: str) -> list[int]:
    """Return the children of a process, thread by thread; raises OSError where the kernel does not list them.

    The list may lack one while another is waited for, which for children of ours only we do (proc_tid_children(5)).
    """
    found = []
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/children", "rb") as file:
            found += [int(child) for child in file.read().split()]
    return found


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


def start_of(pid: int) -> int | None:
    """When a living process started, in clock ticks since the machine did; None when there is none."""
    process = process_of(pid)
    return None if process is None or process.state in "ZX" else process.start


def all_processes() -> dict[int, ProcessInfo]:
    processes = (process_of(int(entry)) for entry in os.listdir("/proc") if entry.isdigit())
    return {process.pid: process for process in processes if process}


def process_of(pid: int) -> ProcessInfo | None:
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
    return ProcessInfo(pid, parent, group, session, start, state, name.decode("utf-8", "replace"))


def _descendants(
    processes: dict[int, ProcessInfo], root: int, without: frozenset[tuple[int, int]] = frozenset()
) -> list[ProcessInfo]:
    """All descendants of a process, parents first; those `without` are left out together with their children."""
    children: dict[int, list[ProcessInfo]] = {}
    for process in processes.values():
        children.setdefault(process.parent, []).append(process)
    descendants: list[ProcessInfo] = []
    generation = [root]
    while generation:
        born = [child for pid in generation for child in children.get(pid, ()) if child.key not in without]
        descendants += born
        generation = [child.pid for child in born]
    return descendants


def _ignores(pid: int, signum: int) -> bool:
    with suppress(OSError), open(f"/proc/{pid}/status", "rb") as status:
        for line in status:
            if line.startswith(b"SigIgn:"):
                return bool(int(line.split()[1], 16) >> (signum - 1) & 1)
    return False


def descendants() -> frozenset[tuple[int, int]]:
    """Return the keys of all processes that descend from this one; none where the system does not tell."""
    return frozenset(process.key for process in descendants_of(os.getpid()))


def descendants_of(pid: int) -> list[ProcessInfo]:
    """Return all processes that descend from one, parents first; none where the system does not tell."""
    return _descendants(all_processes(), pid) if has_proc() else []


def kill_descendants(without: frozenset[tuple[int, int]]) -> int:
    """Kill what descends from this process, but for those `without`, as the end of a machine would; say how many."""
    processes = _descendants(all_processes(), os.getpid(), without) if has_proc() else []
    for process in processes:
        process.send(signal.SIGKILL)
    return len(processes)


def kill_session(proc: Started) -> None:
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


def _session(leader: int) -> list[ProcessInfo]:
    """The living members of a session; [] where there is no /proc."""
    processes = all_processes().values() if has_proc() else ()
    return [process for process in processes if process.session == leader and process.state not in "ZX"]
