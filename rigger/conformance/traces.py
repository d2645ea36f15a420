"""What scripts leave on a machine: files that changed, and processes that go on."""

from __future__ import annotations

import contextlib
import os
import signal
import time

from rigger.interface1.record import RECORD
from rigger.modules import own_files
from rigger.process.lookup import processes_that_know
from rigger.terraform.own_files import OwnFiles

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rigger.environments.environment import Environment

SETTLE = 2.0  # seconds for what was stopped to be gone
OWN = ("rigger-", ".rigger-")  # how rigger's own temporary files begin

# What tools note in a home for themselves: their caches, and what rustup writes when pip asks it for its version.
OF_TOOLS = (".cache", ".rustup")

Snapshot = dict[str, tuple[int, int, int]]  # of each file, by its name: its mode, size and time of change


class Traces:
    """What a rehearsal sees of one sandbox, and of the folder of the module that is tried in it."""

    def __init__(self, root: str, home: str, rigger_home: str, module_folder: str):
        self.root = root
        self.home = home
        self._rigger_home = rigger_home
        self._module_folder = module_folder
        self._module_before = snapshot(module_folder)
        self._own_home = real_home()
        self._in_real_home = {*names_in(self._own_home)}
        self._of_killed: set[str] = set()

    def here(self, environment: Environment) -> Snapshot:
        """Return the files in the home and in the modules' state; what rigger keeps there is its own business."""
        own, kept = Snapshot(), environment.file("modules")
        terraform = {name: OwnFiles(os.path.join(kept, name)) for name in names_in(kept)}
        for name, status in snapshot(self.home).items():
            path = os.path.join(self.home, name)
            if name.split(os.sep)[0] in OF_TOOLS:
                continue
            if path.startswith(self._rigger_home + os.sep) and not _is_state(path, kept, terraform):
                continue
            own[name] = status
        return own

    def processes(self) -> dict[int, str]:
        """Return the processes that know the sandbox: of this computer, or on nodes that are folders of it."""
        return dict(processes_that_know(self.root))

    def processes_left(self, before: Sequence[int] = ()) -> list[str]:
        """Return what still runs a moment after all was stopped, beside what ran before."""
        end = time.monotonic() + SETTLE
        while (left := self._beside(before)) and time.monotonic() < end:
            time.sleep(0.02)
        return [f"{name} ({pid})" for pid, name in left.items()]

    def _beside(self, before: Sequence[int]) -> dict[int, str]:
        return {pid: name for pid, name in self.processes().items() if pid not in before}

    def changed_module(self) -> list[str]:
        return differences(self._module_before, snapshot(self._module_folder))

    def temporary(self, folder: str) -> list[str]:
        """Return the temporary files that are none of rigger's own."""
        return sorted({name for name in snapshot(folder) if not name.startswith(OWN)} - self._of_killed)

    @contextlib.contextmanager
    def excused(self, folder: str) -> Iterator[None]:
        """Take the temporary files that come meanwhile for those of a script that is killed, which can remove none."""
        before = {*self.temporary(folder)}
        yield
        self._of_killed |= {*self.temporary(folder)} - before

    def new_in_real_home(self) -> tuple[str, list[str]]:
        """Return the home of the person, and what came to it meanwhile; a shell that the person uses notes its history."""
        new = {*names_in(self._own_home)} - self._in_real_home
        return self._own_home, sorted(name for name in new - {*OF_TOOLS} if not name.endswith("_history"))


def _is_state(path: str, kept: str, terraform: Mapping[str, OwnFiles]) -> bool:
    """Return whether a file lies in the modules' state and is a script's, not what rigger notes there."""
    module, _, name = os.path.relpath(path, kept).partition(os.sep)
    noted = {RECORD, own_files.RECORD, own_files.KEPT} & {*name.split(os.sep)}
    return module in terraform and not noted and name not in terraform[module]


def end_processes(root: str) -> list[str]:
    """Return the processes that know the sandbox a moment after all was stopped, and end them."""
    end = time.monotonic() + SETTLE
    while (left := processes_that_know(root)) and time.monotonic() < end:
        time.sleep(0.05)
    kill([pid for pid, _ in left])
    return [f"{name} ({pid})" for pid, name in left]


def kill(pids: Sequence[int]) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)


def snapshot(folder: str) -> Snapshot:
    """Return every file below a folder with what changes when it is written."""
    states: Snapshot = {}
    for at, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in ("__pycache__", ".git")]
        for name in files:
            path = os.path.join(at, name)
            with contextlib.suppress(OSError):
                status = os.lstat(path)
                states[os.path.relpath(path, folder)] = (status.st_mode, status.st_size, status.st_mtime_ns)
    return states


def real_home() -> str:
    """Return the home that the system knows, wherever $HOME points."""
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:
        return ""


def names_in(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def differences(before: Mapping[str, object], after: Mapping[str, object]) -> list[str]:
    return sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
