"""The ways back: backups, and bundles that upgrades saved."""

import os
import re
import stat

import pytest

from rigger.environments.backups import Backups


@pytest.fixture
def backups(tmp_path):
    return Backups(str(tmp_path))


def made(backups, when):
    """Make a backup as of a time, in seconds."""
    path = backups.new()
    open(path, "w").close()
    os.utime(path, (when, when))
    return path


def test_where_nothing_was_kept_there_is_no_way_back(backups):
    assert backups.last() == "" and backups.bundles() == []


def test_a_new_one_is_named_by_the_time_and_lies_in_a_private_folder(backups, tmp_path):
    path = backups.new()
    assert re.fullmatch(r"[0-9]{8}T[0-9]{6}\.backup", os.path.basename(path))
    assert stat.S_IMODE(os.stat(tmp_path / "backups").st_mode) == 0o700 and not os.path.exists(path)


def test_those_of_one_second_have_names_of_their_own(backups):
    assert len({made(backups, 1000) for _ in range(5)}) == 5


def test_the_last_one_is_the_one_that_was_written_last(backups):
    newer, older = made(backups, 2000), made(backups, 1000)
    assert backups.last() == newer
    assert backups.last(until=1999) == older and backups.last(until=1000) == older
    assert backups.last(until=999) == ""


def test_what_is_half_written_is_no_backup(backups, tmp_path):
    path = made(backups, 1000)
    (tmp_path / "backups" / "20260101T000000.backup.partial").touch()
    assert backups.last() == path


def test_bundles_are_listed_newest_first(backups, tmp_path):
    (tmp_path / "saved").mkdir()
    for name, when in (("a.rigger", 1), ("b.rigger", 3), ("c.rigger", 2), ("notes", 4)):
        (tmp_path / "saved" / name).touch()
        os.utime(tmp_path / "saved" / name, (when, when))
    assert [os.path.basename(path) for path in backups.bundles()] == ["b.rigger", "c.rigger", "a.rigger"]
