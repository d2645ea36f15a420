"""Files and folders: what killed runs left is swept, what others are at work on stays."""

import os
import subprocess

from rigger import files


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
    left, busy = aside(tmp_path, f"new-{ended.pid}", 0), aside(tmp_path, f"new-{os.getpid()}", 3600)
    files.sweep(str(tmp_path), r"new-(?P<pid>[0-9]+)")
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
