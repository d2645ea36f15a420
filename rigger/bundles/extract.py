"""Write a bundle's files below a folder that nothing in the bundle can make it leave."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress

from rigger import text
from rigger.errors import BadUsage, NotReady
from rigger.files import (
    NEW_FILE,
    OPEN_FOLDER,
    mark_in_use,
    partial_path,
    remove,
    sweep,
    sync_folder,
    sync_tree,
    write_all,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rigger.bundles.tar import Entry


SPARED = 64 << 20  # bytes of the disk that unpacking never takes, or a tenth of what is free


class Folder:
    """The folder being unpacked, beside its final place; every file is made relative to an open folder."""

    def __init__(self, into: str):
        self.into = os.path.abspath(into)
        self._parts: list[str] = []
        self._fds: list[int] = []

    def __enter__(self) -> Folder:
        if os.path.lexists(self.into):
            raise BadUsage(f"{self.into} exists already.", "Choose another folder, or remove it.")
        sweep(os.path.dirname(self.into))
        self._aside = partial_path(os.path.dirname(self.into))
        os.mkdir(self._aside, 0o700)
        disk = os.statvfs(self._aside)
        self._free = disk.f_bavail * disk.f_frsize
        self._taken = 0
        try:
            self._open(self._aside)
            mark_in_use(self._fds[0])
        except BaseException:
            self.__exit__()
            raise
        return self

    @contextmanager
    def file(self, entry: Entry) -> Iterator[Callable[[memoryview], None]]:
        """What writes to a new file, in its folder."""
        self._require_room(entry.size)
        *parents, base = entry.name.split("/")
        fd = os.open(base, NEW_FILE, 0o600, dir_fd=self._enter(parents))
        try:
            yield lambda piece: write_all(fd, piece)
            os.fchmod(fd, entry.mode)
            os.utime(fd, (entry.mtime, entry.mtime))
        finally:
            os.close(fd)

    def _require_room(self, size: int) -> None:
        """Raise NotReady before a file fills the disk, whatever it is packed to."""
        self._taken += size
        if self._taken > self._free - min(SPARED, self._free // 10):
            raise NotReady(
                f"The bundle unpacks to {text.size(self._taken)} or more, and only {text.size(self._free)} are free in "
                f"{os.path.dirname(self.into)}.",
                "Make room on that disk, and try again.",
            )

    def _enter(self, parents: list[str]) -> int:
        """An open folder; those between it and the last one are closed and opened as needed."""
        same = 0
        while same < min(len(parents), len(self._parts)) and parents[same] == self._parts[same]:
            same += 1
        while len(self._parts) > same:
            self._parts.pop()
            os.close(self._fds.pop())
        for part in parents[same:]:
            with suppress(FileExistsError):
                os.mkdir(part, 0o700, dir_fd=self._fds[-1])
            self._open(part, dir_fd=self._fds[-1])
            self._parts.append(part)
        return self._fds[-1]

    def _open(self, name: str, dir_fd: int | None = None) -> None:
        self._fds.append(os.open(name, OPEN_FOLDER, dir_fd=dir_fd))
        os.fchmod(self._fds[-1], 0o700)  # whatever the umask is

    def commit(self, durable: bool) -> None:
        """Put it in its place, on the disk."""
        if durable:
            sync_tree(self._aside)
        if os.path.lexists(self.into):
            raise BadUsage(f"{self.into} exists already.", "Choose another folder, or remove it.")
        os.rename(self._aside, self.into)
        self._aside = ""
        if durable:
            sync_folder(os.path.dirname(self.into))

    def __exit__(self, *exc: object) -> None:
        while self._fds:
            os.close(self._fds.pop())
        if self._aside:
            remove(self._aside)
