"""Files and folders written so that a crash leaves the old or the new; what killed runs left is swept."""

from __future__ import annotations

import fcntl
import os
import re
import time
from contextlib import contextmanager, suppress

from rigger.errors import NotReady, not_written

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = os.path.dirname(os.path.abspath(__file__))  # where rigger is installed
PARTIAL = r"\.rigger-[0-9a-f]{16}\.partial"  # the names that `partial_path` gives
TEMPORARY = r"\..*\.(?P<pid>[0-9]+)-[0-9a-f]{12}\.tmp"  # the names that `temporary_path` gives
OLDER_TEMPORARY = r"\..*\.[0-9a-f]{12}\.tmp"  # as older riggers named them: nothing tells whose they are
STALE = 600.0  # seconds after which what a killed run left aside may be removed


# --- what lies aside until it is whole ---------------------------------------------------------------


def partial_path(folder: str) -> str:
    return os.path.join(folder, f".rigger-{os.urandom(8).hex()}.partial")


def temporary_path(target: str) -> str:
    """Return where a file is written before it takes the place of another in the same folder."""
    folder, base = os.path.split(target)
    return os.path.join(folder, f".{base[:200]}.{os.getpid()}-{os.urandom(6).hex()}.tmp")


def mark_in_use(fd: int) -> None:
    """Show that somebody is at work on it; where the file system knows no locks, time alone has to tell."""
    with suppress(OSError):
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)


def sweep(folder: str, names: str = PARTIAL, age: float = 0) -> None:
    """Remove what runs that were killed left aside in a folder, as far as that can be.

    `names` is a pattern of names that begin with a dot, as those of all that lies aside do.
    A group `pid` of the pattern tells who is at work on it; without one, a lock does (`mark_in_use`), and time.
    `age` is how many seconds old it must be as well, where machines that share the folder have processes of their own.
    """
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in list(entries):
            if entry.name.startswith(".") and (match := re.fullmatch(names, entry.name)):
                with suppress(OSError):
                    if time.time() - entry.stat(follow_symlinks=False).st_mtime < age:
                        continue
                    if pid := match.groupdict().get("pid"):
                        _remove_of_dead(entry, int(pid))
                    else:
                        _remove_unlocked(entry)


def _remove_of_dead(entry: os.DirEntry[str], pid: int) -> None:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        remove(entry.path)


def _remove_unlocked(entry: os.DirEntry[str]) -> None:
    status = entry.stat(follow_symlinks=False)
    if status.st_uid != os.geteuid() or time.time() - status.st_mtime < STALE:
        return
    fd = os.open(entry.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        remove(entry.path)
    finally:
        os.close(fd)


# --- removing, writing, and bringing to the disk ------------------------------------------------------


def remove(path: str) -> None:
    """Remove a file or link if it is there, or a folder and all in it as far as that can be; raises OSError."""
    if os.path.isdir(path) and not os.path.islink(path):
        from shutil import rmtree  # slow to import, seldom needed

        rmtree(path, ignore_errors=True)
    else:
        unlink_if_there(path)


def unlink_if_there(path: str) -> None:
    with suppress(FileNotFoundError):
        os.unlink(path)


def sync_folder(path: str) -> None:
    """Make the names in a folder last, not only the files' content."""
    _sync(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


@contextmanager
def saying_what_failed(path: str) -> Iterator[None]:
    """Raise NotReady where something below a path cannot be written, such as on a full disk."""
    try:
        yield
    except OSError as error:
        raise NotReady(
            f"Cannot write {path}: {_reason(error)}.",
            "Make room on the disk, or check who may write there, and try again.",
        ) from error


def _reason(error: OSError) -> str:
    """Return why the system refused; where a tree was copied (shutil.Error), why it refused the first of its files."""
    first = error.args[0] if error.args else ""
    said = str(first[0][2]) if isinstance(first, list) else str(error)
    return error.strerror or said.partition("] ")[2].partition(": ")[0] or said


@contextmanager
def in_turn(path: str) -> Iterator[None]:
    """Let one process at a time read and replace a file, each after what the one before it wrote; raises InvalidConfig.

    `path` is the file that is locked for that; it stays.
    """
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise not_written(
            error, f"Cannot write {path}: {error.strerror}", "Check who may write there, and try again."
        ) from error
    try:
        with suppress(OSError):  # a file system that knows no locks
            fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


@contextmanager
def folder_aside(folder: str) -> Iterator[str]:
    """Give a folder in another one that is gone afterwards; one that a killed run left is swept by the next that looks."""
    sweep(folder)
    aside = partial_path(folder)
    os.mkdir(aside, 0o700)
    fd = os.open(aside, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        mark_in_use(fd)
        yield aside
    finally:
        os.close(fd)
        remove(aside)


OPEN_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def write_all(fd: int, data: bytes | memoryview) -> None:
    """Write all of the data, in as many pieces as the system takes it in."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(fd, rest) :]


def sync_tree(folder: str) -> None:
    """Bring all files of a folder to the disk: at once where the system can (Linux), else one by one."""
    import ctypes

    syncfs = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
    if syncfs is None:
        for parent, _, names in os.walk(folder):
            for path in (parent, *(os.path.join(parent, name) for name in names)):
                _sync(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        return
    fd = os.open(folder, OPEN_FOLDER)
    try:
        if syncfs(fd):
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))
    finally:
        os.close(fd)


def _sync(path: str, how: int) -> None:
    fd = os.open(path, how)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def write_bytes(path: str, data: bytes, mode: int = 0o600, durable: bool = True) -> None:
    """Replace a file in one step, so that it holds all of the data or is as it was; raises InvalidConfig.

    With `durable` it is on the disk when this returns; a report, which nothing depends on, need not wait for that.
    """
    try:
        _replace(os.path.realpath(path), data, mode, durable)
    except OSError as error:
        raise not_written(
            error,
            f"Cannot write {path}: {error.strerror}",
            "Make room on the disk, or check who may write there, and try again.",
        ) from error


def _replace(target: str, data: bytes, mode: int, durable: bool) -> None:
    folder = os.path.dirname(target)
    # Opened first: a folder that cannot be opened must be noticed while the old file is still there.
    folder_fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        temporary = temporary_path(target)
        try:
            _write_new(temporary, data, mode, durable)
            os.replace(temporary, target)
        except BaseException:
            unlink_if_there(temporary)
            raise
        if durable:
            os.fsync(folder_fd)
    finally:
        os.close(folder_fd)


def _write_new(path: str, data: bytes, mode: int, durable: bool) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        write_all(fd, data)
        os.fchmod(fd, mode)
        if durable:
            os.fsync(fd)
    finally:
        os.close(fd)


def link_tree(source: str, place: str) -> None:
    """Make a file or folder appear in a second place too; what is in the first one stays untouched."""
    import shutil

    if os.path.islink(source):
        os.symlink(os.readlink(source), place)
    elif os.path.isdir(source):
        shutil.copytree(source, place, symlinks=True, copy_function=link_tree)
    else:
        try:
            os.link(source, place)
        except OSError:  # a file system without links
            shutil.copy2(source, place)


def into_place(new: str, place: str) -> None:
    """Give a new folder its name, in one step; what had that before has the new one's name then."""
    if os.path.lexists(place):
        exchange(new, place)
    else:
        os.rename(new, place)


def exchange(one: str, other: str) -> None:
    """Let two folders change places: at once where the system can (Linux, macOS), else in two renames."""
    import ctypes

    libc, a, b = ctypes.CDLL(None, use_errno=True), os.fsencode(one), os.fsencode(other)
    at_fdcwd = -100  # AT_FDCWD of Linux
    if hasattr(libc, "renameat2") and libc.renameat2(at_fdcwd, a, at_fdcwd, b, 2) == 0:  # RENAME_EXCHANGE
        return
    if hasattr(libc, "renamex_np") and libc.renamex_np(a, b, 2) == 0:  # RENAME_SWAP
        return
    between = f"{os.path.dirname(other)}/.old-{os.urandom(8).hex()}"
    os.rename(other, between)
    try:
        os.rename(one, other)
    except OSError:
        os.rename(between, other)
        raise
    os.rename(between, one)


@contextmanager
def temporary_folder(prefix: str, parent: str | None = None) -> Iterator[str]:
    """Give a folder that is gone afterwards; `parent` is where it lies, by default where the system keeps such things."""
    from tempfile import TemporaryDirectory  # slow to import, seldom needed

    with TemporaryDirectory(prefix=prefix, dir=parent) as folder:
        yield folder
