"""Events: as they are written, read again, and checked where somebody else may have written them."""

from __future__ import annotations

import json

import pytest
from helpers.clusters import Cluster
from helpers.run_records import open_log

from rigger.audit.events import EVENTS, KINDS, CheckedOut, Event, StepFinished, event, parse, problem_of
from rigger.audit.lines import OWN_MEMBERS
from rigger.audit.log import AuditLog
from rigger.values import FrozenInstanceError, fields_of

VALUES = {  # of fields whose form is checked, and else by type
    "module": "provider/soil",
    "log": "runs/20261120T214400-provision/01-create.log",
    "backup": "backups/20261120T214400.backup",
    "before": '{"brokers": []}',
    "output": '{"brokers": ["node-1"]}',
}
BY_TYPE = {str: "a text", int: 3, float: 0.5, bool: True, list: ["a", "b"], dict: {"NODES": "3"}}


def example(kind: type[Event]) -> Event:
    """Return an event with a value in every field."""
    return kind(**{field.name: VALUES.get(field.name) or value_of(field) for field in kind.layout})


def value_of(field):
    kinds = field.json if isinstance(field.json, tuple) else (field.json,)
    if field.name == "step":
        return "tests/grows"
    if (field.name, field.empty) == ("nodes", None):
        return [["node-1", "192.0.2.7"]]
    return BY_TYPE[next(kind for kind in reversed(kinds) if kind in BY_TYPE)]


def written(log: AuditLog, event: Event | str, **fields) -> dict:
    log.append(event, "20261120T214400-provision", **fields)
    return log.records()[-1]


@pytest.fixture
def log(tmp_path):
    return open_log(str(tmp_path / "audit.jsonl"))


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_what_is_written_is_read_again(log, name):
    made = example(EVENTS[name])
    record = written(log, made)
    assert record["event"] == name and problem_of([record]) is None
    found = parse(record)
    assert type(found) is EVENTS[name] and found.fields() == made.fields()
    assert (found.seq, found.time, found.run) == (1, record["time"], record["run"])


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_a_record_that_says_nothing_can_be_read(name):
    found = parse({"seq": 1, "time": "", "run": "", "event": name})
    assert all(getattr(found, field.name) in (field.empty, field.default) for field in found.layout)
    assert parse({"seq": 1, "time": "", "run": "", "event": name, "steps": [], "to": 3, "number": "x"})


def test_fields_stand_in_the_order_of_the_class_and_defaults_are_left_out(log):
    ended = StepFinished(
        number=2,
        module="provider/soil",
        step="create",
        exit_code=0,
        seconds=1.5,
        log_size=0,
        log_sha256="",
        changed=("NODES",),
    )
    assert list(written(log, ended)) == [
        "seq", "time", "run", "event", "number", "module", "step", "exit_code",
        "seconds", "log_size", "log_sha256", "changed", "prev", "hash",
    ]  # fmt: skip
    lost = ended.with_values(signal=9, lost=("node-1",))
    assert list(written(log, lost))[7:11] == ["exit_code", "signal", "lost", "seconds"]
    assert (ended.signal, lost.signal) == (0, 9)


def test_a_text_that_is_empty_is_written_where_it_is_not_the_default(log):
    plain = CheckedOut(folder="/f", version="1", before="", commit="c")
    assert "ref" not in written(log, plain)
    assert written(log, plain.with_values(ref=""))["ref"] == ""


def test_an_event_is_frozen_and_has_exactly_its_fields():
    made = example(CheckedOut)
    with pytest.raises(FrozenInstanceError):
        made.folder = "/elsewhere"
    with pytest.raises(TypeError, match="version"):
        CheckedOut(folder="/f", before="", commit="c")
    with pytest.raises(TypeError, match="colour"):
        made.with_values(colour="green")
    assert fields_of(made) and made == example(CheckedOut) and "folder=" in repr(made)


def test_adding_an_event_is_adding_its_class(log):
    record = written(log, "watered", litres=3)
    assert type(parse(record)) is Event and problem_of([record]) is None

    @event("watered")
    class Watered(Event):
        litres: int

        checks = {"litres": lambda value: value == 3}

    try:
        assert parse(record) == Watered(litres=3, seq=1, time=record["time"], run="20261120T214400-provision")
        assert written(log, Watered(litres=4))["litres"] == 4
        assert problem_of(log.records()) == "record 2 has no usable litres"
    finally:
        del EVENTS["watered"]


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        ("step-started", "log", "../../etc/passwd"),
        ("step-started", "step", "../create"),
        ("step-started", "module", "soil"),
        ("step-started", "parameters", {"NODES": 3}),
        ("step-finished", "exit_code", True),
        ("step-recovered", "number", "1"),
        ("run-started", "command", "a\nb"),
        ("run-started", "id", 7),
        ("upgrade-started", "from", None),
        ("suspended", "backup", "../elsewhere"),
        ("checked-out", "commit", "\x1b[31m"),
        ("loaded", "digests", []),
    ],
)
def test_what_rigger_cannot_have_written_is_noticed(log, name, field, value):
    record = written(log, example(EVENTS[name]))
    assert problem_of([record]) is None
    assert problem_of([{**record, field: value}]) == f"record 1 has no usable {field}"
    without = {key: value for key, value in record.items() if key != field}
    optional = (name, field) == ("run-started", "id")
    assert problem_of([without]) == (None if optional else f"record 1 has no usable {field}")


def test_every_field_has_a_type_that_records_can_have():
    assert all(json.dumps(empty) for _, empty in KINDS.values())
    assert all(field.key not in OWN_MEMBERS for kind in EVENTS.values() for field in kind.layout)


@pytest.mark.slow
def test_all_that_a_life_records_is_events(rigger, modules, tmp_path):
    """Whatever a command writes has a class that has every field of it, in that order."""
    cluster = Cluster(rigger, modules)
    cluster.configure("--set", "TOKEN=thorn")
    cluster.script("platform", "deploy", "exit 3")
    rigger("provision", code=5)
    cluster.script("platform", "deploy", 'echo LEAVES=many >>"$RIGGER_OUTPUT"')
    rigger("provision")
    rigger("config", "set", "COLOUR=blue")
    rigger("test", "smoke")
    rigger("save", "-o", tmp_path / "wood.rigger")
    rigger("destroy", "--yes")
    rigger(
        "configure",
        "--file",
        tmp_path / "wood.rigger",
        "--allow-older",
        "--no-input",
        "--trust",
        "--set",
        "TOKEN=t",
    )
    records = cluster.records()
    assert problem_of(records) is None
    names = {record["event"] for record in records}
    assert {"configured", "run-started", "step-started", "step-finished", "run-finished", "loaded"} <= names
    for record in records:
        own = {key: value for key, value in record.items() if key not in OWN_MEMBERS}
        assert json.dumps(parse(record).fields()) == json.dumps(own)
