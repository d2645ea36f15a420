"""Connections to nodes that steps share, and which nodes were lost."""

from __future__ import annotations

import contextlib
import os
import signal
import stat

from rigger.errors import BadUsage
from rigger.files import remove, write_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

LINK = "connections"  # in the environment's folder, so that the next run finds what a killed one left
KNOWN_HOSTS = "known_hosts"
PATIENCE = 5.0  # seconds that a connection has to close by itself
LONGEST = 40  # bytes; a socket's whole path must stay below 104 (sun_path in unix(7) of some systems)


class Connections:
    """A private folder for a run's connections, with a path short enough for sockets; `path` while it is open."""

    def __init__(self, environment_dir: str):
        self.link = os.path.join(environment_dir, LINK)
        self.path = ""

    def __enter__(self) -> Connections:
        self._close_those_of_a_killed_run()
        self.path = _new_folder(_folder_for_sockets())
        os.mkdir(os.path.join(self.path, "lost"), 0o700)
        with contextlib.suppress(OSError):  # it is a courtesy to the run after a crash
            os.symlink(self.path, self.link)
        return self

    def __exit__(self, *exc: object) -> None:
        close(self.path)
        with contextlib.suppress(OSError):
            os.unlink(self.link)
        self.path = ""

    def begin_step(self) -> None:
        """Forget which nodes were lost before."""
        for node in self.lost():
            os.unlink(os.path.join(self.path, "lost", node))

    def lost(self) -> tuple[str, ...]:
        """Return the nodes that a command could not reach, or lost, since the step began."""
        try:
            return tuple(sorted(os.listdir(os.path.join(self.path, "lost"))))
        except OSError:
            return ()

    def _close_those_of_a_killed_run(self) -> None:
        with contextlib.suppress(OSError):
            path = os.readlink(self.link)
            os.unlink(self.link)
            if os.path.basename(path).startswith("rigger-") and _is_private(path):
                close(path)


def close(folder: str) -> None:
    """End every connection of a folder, and remove the folder."""
    for name in _names(folder):
        socket = os.path.join(folder, name, "s")
        if os.path.exists(socket):
            _close(socket)
    for path in (os.path.join(folder, "lost"), folder):  # all that is left where no node was connected to
        with contextlib.suppress(OSError):
            os.rmdir(path)
    remove(folder)


def _close(socket: str) -> None:
    """Ask the ssh that serves a socket to end; end it where it does not listen."""
    if _ask_to_end(socket):
        return
    for pid in _servers(socket):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _ask_to_end(path: str) -> bool:
    """Send what `ssh -O exit` sends: MUX_MSG_HELLO, then MUX_C_TERMINATE (PROTOCOL.mux of OpenSSH)."""
    import socket
    import struct

    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.settimeout(PATIENCE)
            server.connect(path)
            server.sendall(struct.pack(">III", 8, 1, 4) + struct.pack(">III", 8, 0x10000005, 0))
            while server.recv(4096):  # its own greeting, then the end
                pass
    except TimeoutError:
        return False
    except OSError:  # nobody serves it any more, or it ended at once
        return True
    return True


def _servers(socket: str) -> list[int]:
    """Return the processes that were started for a socket; none where there is no /proc."""
    servers, argument = [], b"\0" + os.fsencode(socket) + b"\0"
    for pid in filter(str.isdigit, _names("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{pid}/cmdline", "rb") as file:
            if argument in file.read():
                servers.append(int(pid))
    return servers


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _new_folder(folder: str) -> str:
    """Make a folder that only its owner may enter, under a name that nobody can foresee."""
    while True:
        path = os.path.join(folder, f"rigger-{os.urandom(4).hex()}")
        with contextlib.suppress(FileExistsError):
            os.mkdir(path, 0o700)
            return path


def _folder_for_sockets() -> str:
    """Return the folder to make ours in: the user's own, else the one that everybody has."""
    own = os.environ.get("XDG_RUNTIME_DIR", "")
    safe = own.isascii() and own.replace("/", "").replace("-", "").replace("_", "").isalnum()
    for folder in (own if safe else "", "/tmp"):
        if folder and len(folder) <= LONGEST and os.path.isdir(folder) and os.access(folder, os.W_OK):
            return folder
    import tempfile

    return tempfile.gettempdir()


def _is_private(path: str) -> bool:
    status = os.lstat(path)
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid() and not status.st_mode & 0o077


def patience(seconds: float) -> float:
    """Return the seconds that nodes have until they answer, unless somebody says otherwise; raises BadUsage."""
    text = os.environ.get("RIGGER_READY_TIMEOUT") or ""
    if text and not (text.isdigit() and len(text) < 6):
        raise BadUsage(f"RIGGER_READY_TIMEOUT={text} is not a number of seconds.", "Correct it, or unset it.")
    return float(text) if text else seconds


def known_hosts(environment_dir: str) -> set[str]:
    """Return the nodes whose host keys are known."""
    try:
        with open(os.path.join(environment_dir, KNOWN_HOSTS), "rb") as file:
            return {os.fsdecode(line.split(b" ", 1)[0]) for line in file}
    except FileNotFoundError:
        return set()


def first_pause() -> float:
    """Return the seconds before something is tried a second time; raises BadUsage for what is no number."""
    text = os.environ.get("RIGGER_RETRY_PAUSE") or "1"
    if not (text.isdigit() and len(text) < 5):
        raise BadUsage(f"RIGGER_RETRY_PAUSE={text} is not a number of seconds.", "Correct it, or unset it.")
    return float(text)


def forget_host_keys(environment_dir: str, nodes: Iterable[str]) -> bool:
    """Forget the host keys of nodes; return whether any was known."""
    path, names = os.path.join(environment_dir, KNOWN_HOSTS), {os.fsencode(name) for name in nodes}
    try:
        with open(path, "rb") as file:
            lines = file.read().splitlines(keepends=True)
    except FileNotFoundError:
        return False
    kept = [line for line in lines if line.split(b" ", 1)[0] not in names]
    if len(kept) != len(lines):
        write_bytes(path, b"".join(kept))
    return len(kept) != len(lines)
