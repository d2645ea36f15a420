"""Room on the disk that is kept for `destroy`: what costs money can be removed also where the disk is full."""

from __future__ import annotations

import os
from contextlib import suppress

from rigger.files import unlink_if_there

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rigger.environments.environment import Environment

SIZE = 1024 * 1024  # bytes: for the records, plans and logs of a few runs
NAME = "reserve"


def keep(environment: Environment) -> None:
    """Take the room while there is some; where there is none, nothing is said: the disk is looked at elsewhere."""
    path = environment.file(NAME)
    with suppress(OSError):
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            if os.fstat(fd).st_size < SIZE:
                _fill(fd)
        except OSError:
            unlink_if_there(path)
        finally:
            os.close(fd)


def give_back(environment: Environment) -> None:
    """Give the room to what is about to be written, where there is too little of it."""
    with suppress(OSError):
        disk = os.statvfs(environment.path)
        if disk.f_bavail * disk.f_frsize < SIZE:
            unlink_if_there(environment.file(NAME))


def _fill(fd: int) -> None:
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(fd, 0, SIZE)
    else:
        os.pwrite(fd, os.urandom(SIZE), 0)  # what no file system makes smaller
