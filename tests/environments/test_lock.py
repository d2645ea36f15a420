"""The lock of an environment: one at a time, and who has it."""

import os
import threading

import pytest

from rigger.environments.call import Call
from rigger.environments.lock import FileLock
from rigger.errors import InvalidConfig, Locked


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
        assert lock.busy_since() is None  # nobody else works here
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


def test_a_request_that_holds_it_holds_it_once_more(lock):
    call = Call(request="r-1")
    with lock.locked("rigger provision", call) as first:
        with lock.locked("rigger check", call) as second:
            assert first == second
        assert lock.held() and '"rigger provision"' in FileLock(lock.path, "demo").holder()
        for other in (Call(), Call(request="r-2")):
            with pytest.raises(Locked), lock.locked("rigger check", other):
                pass
        assert lock.held()
    assert not lock.held() and lock.holder() == ""


def test_who_waits_gets_it_and_says_who_has_it(lock):
    said, given_back = [], []
    holder = FileLock(lock.path, "demo").locked("rigger destroy", Call(request="r-1"))
    holder.__enter__()
    assert lock.request() == "r-1"

    def give_back():
        given_back.append(True)  # noted first: the thread may still be ending when the lock is free
        holder.__exit__(None, None, None)

    threading.Timer(0.5, give_back).start()
    with lock.locked("rigger provision", Call(wait=30, say=said.append)):
        assert given_back and lock.request() == ""
    [words] = said
    assert words.startswith('Waiting: Environment demo is locked by "rigger destroy"')


def test_who_waits_too_long_is_refused(lock):
    other = FileLock(lock.path, "demo")
    with lock.locked("rigger destroy"), pytest.raises(Locked, match="rigger destroy"):
        other.locked("rigger provision", Call(wait=0.3)).__enter__()


def test_who_waits_for_what_is_removed_is_told(lock):
    holder = FileLock(lock.path, "demo").locked("rigger forget")
    holder.__enter__()

    def forget():
        os.unlink(lock.path)
        holder.__exit__(None, None, None)

    threading.Timer(0.4, forget).start()
    with pytest.raises(InvalidConfig, match="demo was removed meanwhile"):
        lock.locked("rigger provision", Call(wait=30)).__enter__()
