"""The lock of an environment: one at a time, and who has it."""

import pytest

from rigger.environments.lock import FileLock
from rigger.errors import Locked


@pytest.fixture
def lock(tmp_path):
    return FileLock(str(tmp_path / "lock"), "demo")


def test_one_at_a_time(lock):
    other = FileLock(lock.path, "demo")
    with lock.locked("rigger destroy"):
        with (
            pytest.raises(Locked, match='demo is locked by "rigger destroy"'),
            other.locked("rigger provision"),
        ):
            pass
        with pytest.raises(Locked), other.watched():
            pass
        assert "rigger destroy" in other.holder() and other.busy_since() is not None
    assert other.holder() == "" and other.busy_since() is None
    with other.locked("rigger provision"), pytest.raises(Locked), lock.watched():
        pass


def test_nobody_has_one_that_was_never_taken(lock):
    assert lock.holder() == "" and lock.busy_since() is None and lock.unwritable() == ""


def test_a_folder_that_is_missing_is_told(tmp_path):
    lock = FileLock(str(tmp_path / "missing" / "lock"), "demo")
    with pytest.raises(Exception, match="cannot be opened"), lock.locked("rigger provision"):
        pass


def test_it_knows_whether_it_is_held_itself(lock):
    assert not lock.held()
    with lock.locked("rigger test"):
        assert lock.held() and not FileLock(lock.path, "demo").held()
    assert not lock.held()
