"""What a script prints outlives rigger: a process of its own reads on when rigger is killed.

Without it the next line that a script prints would end the script (SIGPIPE), whatever it is just making, and nobody
would hear of what it has made.
"""

from __future__ import annotations

import _socket
import os
import signal
import sys
from contextlib import suppress

from rigger.process.interrupts import STOP_SIGNALS
from rigger.process.spawn import own_children

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

MESSAGE = 8192  # bytes; more than the name of a step's files has
RELEASE = b"\0"
# As socket.send_fds sends one descriptor; the module socket itself takes longer to import than a short step takes.
RIGHTS = (_socket.SOL_SOCKET, _socket.SCM_RIGHTS)
NUMBER = 4  # bytes of a C int


class Relay:
    """A process that has a script's output as well, and reads it once rigger has gone.

    It is forked when the first script starts, and then told of each by its pipe (SCM_RIGHTS) and by a note on where its
    output belongs. When rigger has ended without releasing that pipe, the process calls `keep(pipe, note)`. It leaves
    rigger's session, holds none of its files, and heeds no request to stop: it ends with the script.
    """

    def __init__(self, keep: Callable[[int, str], None]):
        self._keep = keep
        self._socket: _socket.socket | None = None
        self._pid = 0

    def __enter__(self) -> Relay:
        return self

    def __exit__(self, *exc: object) -> None:
        if self._socket:
            self._socket.close()
            self._socket = None
            with suppress(ChildProcessError):
                os.waitpid(self._pid, 0)
            own_children.discard(self._pid)

    def hold(self, pipe: int, note: str) -> None:
        """Have a pipe read when rigger can no longer read it; without a word where that is not to be had."""
        with suppress(OSError):
            if self._socket is None:
                self._socket = self._start()
            self._socket.sendmsg([os.fsencode(note)], [(*RIGHTS, pipe.to_bytes(NUMBER, sys.byteorder))])

    def release(self) -> None:
        """Forget the pipe: its script has ended."""
        if self._socket:
            with suppress(OSError):
                self._socket.send(RELEASE)

    def _start(self) -> _socket.socket:
        # Not where packets are not kept apart, as on macOS.
        ours, theirs = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
        # A request to stop that comes before the copy is deaf to it waits until it is.
        heard = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
        self._pid = os.fork()
        if self._pid:
            signal.pthread_sigmask(signal.SIG_SETMASK, heard)
            own_children.add(self._pid)
            theirs.close()
            return ours
        try:
            _leave_all_but(theirs.fileno())
            _serve(theirs, self._keep)
        finally:
            os._exit(0)  # nothing that rigger has begun may be ended by its copy


def _leave_all_but(fd: int) -> None:
    os.setsid()
    for signum in STOP_SIGNALS:
        signal.signal(signum, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.set_wakeup_fd(-1)
    os.chdir("/")
    null = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(null, stream)
    os.closerange(3, fd)
    os.closerange(fd + 1, os.sysconf("SC_OPEN_MAX"))


def _serve(rigger: _socket.socket, keep: Callable[[int, str], None]) -> None:
    """Hear of one pipe after the other until rigger has gone, and keep what comes through the one it had then."""
    pipe, note = -1, b""
    while True:
        message, more, _, _ = rigger.recvmsg(MESSAGE, _socket.CMSG_LEN(NUMBER))
        if not message:
            break
        if pipe >= 0:
            os.close(pipe)
        pipe, note = (int.from_bytes(more[0][2], sys.byteorder), message) if more else (-1, b"")
    if pipe >= 0:
        keep(pipe, os.fsdecode(note))
