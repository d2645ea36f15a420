"""The state of a log kept beside it: what follows alone is read again, and nothing is believed that is not proved."""

import json
import os

import pytest
from helpers.run_records import open_log
from hypothesis import given, settings
from hypothesis import strategies as st

from rigger import kept as files
from rigger.audit import snapshot
from rigger.audit.events import EVENTS, parse
from rigger.audit.fold import Fold, copied
from rigger.audit.log import AuditLog
from rigger.audit.state import ClusterState
from rigger.errors import InvalidConfig

from .test_state import EVENTS as LIVED
from .test_state import lives, records_of


def encoded(fold):
    return files.encoded(fold, snapshot.ROOMS)


def decoded(data):
    return files.decoded(data, snapshot.ROOMS)


def fold_of(records, fold=None):
    fold = fold or Fold()
    for record in records:
        fold.take(parse(record))
    return fold


def shape(fold):
    """Return all that a fold knows, sets in order."""
    return json.dumps(ordered(encoded(fold)))


def ordered(data):
    if isinstance(data, list):
        return (
            sorted(map(ordered, data[1]), key=json.dumps)
            if data[:1] in (["set"], ["frozenset"])
            else [*map(ordered, data)]
        )
    return {name: ordered(one) for name, one in data.items()} if isinstance(data, dict) else data


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(lives(*LIVED), st.integers(0, 60))
def test_a_state_that_was_written_goes_on_as_one_that_was_not(life, at):
    records = records_of(life)
    kept = json.dumps(encoded(fold_of(records[:at])))
    assert shape(fold_of(records[at:], decoded(json.loads(kept)))) == shape(fold_of(records))


@settings(max_examples=50, deadline=None)
@given(lives(*LIVED), st.integers(0, 60))
def test_a_copy_goes_on_and_the_state_that_was_stays(life, at):
    records = records_of(life)
    first = fold_of(records[:at])
    assert shape(fold_of(records[at:], copied(first))) == shape(fold_of(records))
    assert shape(first) == shape(fold_of(records[:at]))


def test_a_state_can_be_written_after_every_event():
    fold = Fold()
    for seq, name in enumerate(EVENTS, 1):
        fold.take(parse({"seq": seq, "time": "2026-11-20T21:00:00.123Z", "run": "r", "event": name}))
        encoded(fold)


def test_a_state_does_not_grow_with_its_log():
    sizes = []
    for runs in (50, 500):
        fold = Fold()
        for n in range(runs):
            one = {
                "time": "2026-11-20T21:00:00.123Z",
                "run": f"run-{n}",
                "step": "create",
                "module": "provider/soil",
            }
            say = [
                {"event": "run-started", "command": "provision", "id": "0123456789", "rigger": "1"},
                {"event": "step-started", "command": "provision", "number": 1, "parameters": {"NODES": "3"}},
                {"event": "step-finished", "number": 1, "exit_code": 0},
                {"event": "checked-out", "folder": "/a/checkout", "tag": "refs/tags/1"},
                {"event": "run-finished", "outcome": "done"},
            ]
            for turn, event in enumerate(say):
                fold.take(parse({**one, **event, "seq": 1000 + 5 * n + turn}))
        sizes.append(len(json.dumps(encoded(fold))))
    assert sizes[1] < sizes[0] + 50  # longer numbers


def test_what_can_change_is_not_shared_by_what_comes_back():
    fold, long = Fold(), {f"addon/{n}/apply": n for n in range(99)}
    fold.steps.kept = {**long}
    fold.steps.versions = {**long}
    again = decoded(json.loads(json.dumps(encoded(fold))))
    again.steps.kept.clear()
    assert again.steps.versions == long


def test_what_is_the_same_in_many_steps_is_kept_once():
    sizes = []
    for steps in (10, 20):
        fold = Fold()
        for n in range(steps):
            one = {"time": "2026-11-20T21:00:00.123Z", "run": "r", "module": f"addon/a{n}", "step": "apply"}
            one |= {"number": n, "parameters": {f"VALUE_{number}": "x" * 90 for number in range(99)}}
            fold.take(parse({"seq": n + 1, "event": "step-started", **one}))
        sizes.append(len(json.dumps(encoded(fold))))
    assert sizes[1] < sizes[0] + 10 * 1000


@pytest.fixture
def log(tmp_path, monkeypatch):
    monkeypatch.setattr(snapshot, "EVERY", 20)
    log = open_log(tmp_path / "audit.jsonl")
    grow(log, 30)
    return log


def grow(log, count):
    for turn in range(count):
        log.append(
            "step-started", f"run-{turn}", module="provider/soil", step="create", number=1, parameters={}
        )
        log.append(
            "step-finished", f"run-{turn}", module="provider/soil", step="create", number=1, exit_code=0
        )


def whole(log):
    return shape(fold_of(AuditLog(log.path).records()))


@pytest.fixture
def reads(monkeypatch):
    """Which logs were read whole."""
    read, records = [], AuditLog.records
    monkeypatch.setattr(AuditLog, "records", lambda log: read.append(log.path) or records(log))
    return read


def kept(log):
    return log.path.replace(".jsonl", ".snapshot")


@pytest.mark.slow
def test_what_follows_a_snapshot_alone_is_read(log, reads):
    assert shape(snapshot.folded(log)) == whole(log) and len(reads) == 2
    assert os.stat(kept(log)).st_mode & 0o777 == 0o600
    before = open(kept(log)).read()
    grow(log, 5)
    expected = whole(log)
    reads.clear()
    assert shape(snapshot.folded(AuditLog(log.path))) == expected and open(kept(log)).read() == before
    grow(log, 10)
    expected = whole(log)
    reads.clear()
    assert shape(snapshot.folded(AuditLog(log.path))) == expected and open(kept(log)).read() != before
    assert shape(snapshot.folded(AuditLog(log.path))) == expected and reads == []


def test_what_was_added_since_is_all_that_is_read(tmp_path, reads):
    log = open_log(tmp_path / "audit.jsonl")
    grow(log, 3)
    fold, place = snapshot.folded(log), log.place()
    before = shape(fold)
    grow(log, 2)
    expected = whole(log)
    reads.clear()
    assert shape(snapshot.further(log, place, fold)) == expected and reads == []
    assert shape(fold) == before
    assert snapshot.further(AuditLog(str(tmp_path / "other.jsonl")), place, fold) is None


def test_a_short_log_needs_none(tmp_path):
    log = open_log(tmp_path / "audit.jsonl")
    grow(log, 3)
    snapshot.folded(log)
    assert not os.path.exists(kept(log))


def test_where_none_can_be_written_the_log_is_read(log, monkeypatch):
    os.mkdir(kept(log))
    assert shape(snapshot.folded(log)) == whole(log)


def edited(path, change):
    with open(path, "rb") as file:
        data = file.read()
    with open(path, "wb") as file:
        file.write(change(data))


def resealed(**changes):
    """Return what makes of a snapshot one that somebody changed with care: its own digest fits."""

    def change(data):
        code, of, *value = json.loads(data.partition(b"\n")[2])
        return files.sealed(json.dumps([changes.get("rigger", code), {**of, **changes}, *value]).encode())

    return change


SPOILED = {
    "empty": lambda data: b"",
    "cut": lambda data: data[:-40],
    "no JSON": lambda data: b"\xff" * 100,
    "another state": lambda data: data.replace(b"create", b"deploy"),
    "a list": lambda data: files.sealed(b"[]"),
    "another rigger's": resealed(rigger="0" * 64),
    "another record": resealed(head=f"59:{'a' * 64}"),
    "no record": resealed(head="x"),
    "another place": resealed(size=100),
    "no place": resealed(size=10**9),
    "a place that is no number": resealed(size="x"),
    "a negative place": resealed(size=-1),
}


@pytest.mark.parametrize("how", SPOILED)
def test_a_spoiled_one_is_ignored_and_made_anew(log, reads, how):
    snapshot.folded(log)
    edited(kept(log), SPOILED[how])
    reads.clear()
    expected = whole(log)
    assert shape(snapshot.folded(AuditLog(log.path))) == expected and len(reads) == 2
    reads.clear()
    assert shape(snapshot.folded(AuditLog(log.path))) == expected and reads == []


DAMAGES = {
    "a record after it changed": lambda data: (
        data[:-300] + data[-300:].replace(b'"exit_code":0', b'"exit_code":1')
    ),
    "its end cut off": lambda data: data[: data.rindex(b"\n", 0, -1) - 400],
    "deleted": lambda data: b"",
}


@pytest.mark.parametrize("how", DAMAGES)
def test_a_log_that_is_not_what_was_written_is_noticed_as_without_one(log, how):
    snapshot.folded(log)
    grow(log, 2)
    edited(log.path, DAMAGES[how])
    if how == "a record after it changed":  # that alone is for `audit` to find, with a snapshot or without
        assert shape(snapshot.folded(AuditLog(log.path))) == whole(log)
        assert not AuditLog(log.path).verify().ok
        return
    with pytest.raises(InvalidConfig, match="is not what rigger wrote"):
        snapshot.folded(AuditLog(log.path))


def test_a_log_that_was_cut_before_its_snapshot_is_noticed(log):
    snapshot.folded(log)
    edited(log.path, lambda data: data[: len(data) // 2].rpartition(b"\n")[0] + b"\n")
    with pytest.raises(InvalidConfig, match="is not what rigger wrote"):
        snapshot.folded(AuditLog(log.path))


def test_none_is_made_of_a_log_with_a_changed_record(log):
    edited(log.path, lambda data: data.replace(b'"exit_code":0', b'"exit_code":1', 1))
    snapshot.folded(AuditLog(log.path))
    assert not os.path.exists(kept(log))


def test_the_state_of_a_cluster_is_the_same_with_one(log):
    snapshot.folded(log)
    state = ClusterState.of_fold(snapshot.folded(AuditLog(log.path)))
    assert state.runs.last is None and [*state.steps.done] == ["provider/soil/create"]
