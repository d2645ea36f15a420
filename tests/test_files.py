"""Files and folders: replaced whole or not at all; what killed runs left is swept, what others are at work on stays."""

from __future__ import annotations

import errno
import os
import resource
import stat
import subprocess
import sys

import pytest

from rigger import files
from rigger.envfile import file as envfile
from rigger.errors import InvalidConfig


def aside(folder, name, age=3600.0):
    path = folder / name
    path.mkdir()
    os.utime(path, (path.stat().st_atime, path.stat().st_mtime - age))
    return path


def test_what_is_old_and_not_locked_is_swept(tmp_path):
    old, fresh = (
        aside(tmp_path, f".rigger-{'0' * 16}.partial"),
        aside(tmp_path, f".rigger-{'1' * 16}.partial", 0),
    )
    busy, other = aside(tmp_path, f".rigger-{'2' * 16}.partial"), aside(tmp_path, "data")
    fd = os.open(busy, os.O_RDONLY)
    files.mark_in_use(fd)
    files.sweep(str(tmp_path))
    os.close(fd)
    assert not old.exists()
    assert fresh.exists() and busy.exists() and other.exists()


def test_a_name_that_tells_the_process_is_swept_when_that_has_ended(tmp_path):
    ended = subprocess.Popen(["true"])
    ended.wait()
    left, busy = aside(tmp_path, f".new-{ended.pid}", 0), aside(tmp_path, f".new-{os.getpid()}", 3600)
    files.sweep(str(tmp_path), r"\.new-(?P<pid>[0-9]+)")
    assert not left.exists() and busy.exists()


def test_a_folder_that_is_missing_has_nothing_to_sweep(tmp_path):
    files.sweep(str(tmp_path / "missing"))


def test_remove_takes_links_for_links(tmp_path):
    folder, link = tmp_path / "folder", tmp_path / "link"
    (folder / "inner").mkdir(parents=True)
    link.symlink_to(folder)
    files.remove(str(link))
    assert folder.exists() and not os.path.lexists(link)
    files.remove(str(folder))
    files.remove(str(folder))
    assert not folder.exists()


@pytest.mark.parametrize("umask", [0o000, 0o077, 0o277])
def test_only_the_owner_can_read_the_file(tmp_path, umask):
    path = tmp_path / "vars"
    path.write_text("A=1\n")
    path.chmod(0o644)
    before = os.umask(umask)
    try:
        envfile.write(str(path), {"A": "2"})
        files.write_bytes(str(tmp_path / "shared"), b"x", 0o644)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "shared").stat().st_mode) == 0o644


def test_the_temporary_file_is_private_from_its_first_moment(tmp_path, monkeypatch):
    seen = []
    real = os.write

    def write(fd, data):
        seen.append(stat.S_IMODE(os.fstat(fd).st_mode))
        return real(fd, data)

    monkeypatch.setattr(os, "write", write)
    before = os.umask(0)
    try:
        files.write_bytes(str(tmp_path / "file"), b"secret", 0o644)
    finally:
        os.umask(before)
    assert seen == [0o600]


def test_a_symlink_stays_and_its_target_is_replaced(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real/vars")
    envfile.write(str(tmp_path / "link"), {"A": "1"})
    envfile.write(str(tmp_path / "link"), {"A": "2"})
    assert (tmp_path / "link").is_symlink()
    assert envfile.read(str(tmp_path / "real" / "vars")) == {"A": "2"}


def test_a_relative_path_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    envfile.write("vars", {"A": "1"})
    assert envfile.read("vars") == {"A": "1"}


def test_a_system_that_writes_little_at_a_time_still_writes_it_all(tmp_path, monkeypatch):
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: real(fd, data[:3]))
    envfile.write(str(tmp_path / "vars"), {"A": "a long value"})
    assert envfile.read(str(tmp_path / "vars")) == {"A": "a long value"}


def fail_nth(monkeypatch, function, nth, error):
    """Make the nth call of a function of `os` fail."""
    real, calls = getattr(os, function), []

    def fails(*arguments, **options):
        calls.append(arguments)
        if len(calls) == nth:
            raise error
        return real(*arguments, **options)

    monkeypatch.setattr(os, function, fails)


FAULTS = [("open", 1), ("open", 2), ("write", 1), ("write", 2), ("fchmod", 1), ("fsync", 1), ("replace", 1)]


@pytest.mark.parametrize(("function", "nth"), FAULTS)
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
def test_a_failure_at_any_step_leaves_the_old_file_alone(tmp_path, monkeypatch, function, nth, number):
    path = str(tmp_path / "vars")
    envfile.write(path, {"A": "old"})
    real_write = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda fd, data: real_write(fd, data[:8]))
        fail_nth(patch, function, nth, OSError(number, os.strerror(number)))
        with pytest.raises(InvalidConfig) as caught:
            envfile.write(path, {"A": "new"})
    assert caught.value.message == f"Cannot write {path}: {os.strerror(number)}"
    assert caught.value.next_step
    assert envfile.read(path) == {"A": "old"}
    assert os.listdir(tmp_path) == ["vars"]


@pytest.mark.parametrize(("function", "nth"), FAULTS)
def test_ctrl_c_at_any_step_leaves_the_old_file_alone(tmp_path, monkeypatch, function, nth):
    path = str(tmp_path / "vars")
    envfile.write(path, {"A": "old"})
    real_write = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda fd, data: real_write(fd, data[:8]))
        fail_nth(patch, function, nth, KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            envfile.write(path, {"A": "new"})
    assert envfile.read(path) == {"A": "old"}
    assert os.listdir(tmp_path) == ["vars"]


def test_a_failure_to_flush_the_folder_is_reported(tmp_path, monkeypatch):
    fail_nth(monkeypatch, "fsync", 2, OSError(errno.EIO, os.strerror(errno.EIO)))
    with pytest.raises(InvalidConfig, match="Cannot write"):
        envfile.write(str(tmp_path / "vars"), {"A": "1"})
    assert os.listdir(tmp_path) == ["vars"]


def test_no_descriptor_stays_open(tmp_path, monkeypatch):
    before = os.listdir("/proc/self/fd") if os.path.isdir("/proc/self/fd") else pytest.skip("needs /proc")
    envfile.write(str(tmp_path / "vars"), {"A": "1"})
    with monkeypatch.context() as patch:
        fail_nth(patch, "fsync", 1, OSError(errno.EIO, "x"))
        with pytest.raises(InvalidConfig):
            envfile.write(str(tmp_path / "vars"), {"A": "2"})
    assert os.listdir("/proc/self/fd") == before


def test_a_disk_that_is_full_leaves_the_old_file(tmp_path):
    """A limit on the size of files stands for the full disk: the kernel takes a part and refuses the rest."""
    path = tmp_path / "vars"
    envfile.write(str(path), {"A": "old"})
    program = (
        "import signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "from rigger.envfile import file as envfile\n"
        "try: envfile.write(sys.argv[1], {'A': 'x' * 100_000})\n"
        "except Exception as error: print(type(error).__name__, error.message)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", program, str(path)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},  # else what it compiles is cut off too, and stays
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000)),
    )
    assert result.stdout == f"Unwritable Cannot write {path}: File too large\n"
    assert envfile.read(str(path)) == {"A": "old"}
    assert os.listdir(tmp_path) == ["vars"]


def test_a_folder_that_is_gone_or_no_folder_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "gone" / "vars", tmp_path / "file" / "vars"):
        with pytest.raises(InvalidConfig, match=f"Cannot write {path}: "):
            envfile.write(str(path), {})


@pytest.mark.slow
def test_a_reader_never_sees_half_a_file(tmp_path):
    path = str(tmp_path / "vars")
    envfile.write(path, {"A": "0" * 50_000})
    program = (
        "import sys\nfrom rigger.envfile import file as envfile\n"
        "for n in range(200): envfile.write(sys.argv[1], {'A': str(n % 10) * 50_000})\n"
    )
    writer = subprocess.Popen([sys.executable, "-c", program, path])
    seen = set()
    while writer.poll() is None:
        value = envfile.read(path)["A"]
        assert len(value) == 50_000 and len(set(value)) == 1
        seen.add(value[0])
    assert writer.returncode == 0
    assert len(seen) > 1
