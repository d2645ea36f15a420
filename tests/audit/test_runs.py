"""The runs of the past, and how each ended."""

import datetime
import time

import pytest
from helpers.audit_events import begun, ended, ran, tell
from hypothesis import given
from hypothesis import strategies as st

from rigger.audit.runs import RunHistory, seconds

START = ("run-started", {"run": "run-1", "command": "provision", "time": "2026-11-20T21:44:00.900Z"})
BEGAN = 1795211040


def test_steps_that_ended_belong_to_their_run():
    start = begun("deploy")
    history = tell(
        RunHistory(), START, ran("install"), start, ("run-started", {"run": "run-2"}), ended(start)
    )
    assert [run.started.run for run in history.all] == ["run-1", "run-2"]
    assert [step.step for step in history.all[0].steps] == ["install", "deploy"] and history.last.steps == []
    assert [step.step for step in history.begun] == ["install", "deploy"]


def test_what_belongs_to_no_run_is_left_out():
    history = tell(RunHistory(), ran("install"), ("run-finished", {"outcome": "done"}))
    assert history.all == [] and history.last is None and len(history.begun) == 1


@pytest.mark.parametrize(
    ("busy_since", "outcome"),
    [(None, "cut off"), (BEGAN - 5, "running"), (BEGAN + 0.9, "running"), (BEGAN + 60, "cut off")],
)
def test_a_run_without_an_end(busy_since, outcome):
    """The fraction of a second by which it began does not count: a run begins right after its rigger."""
    assert tell(RunHistory(), START).last.outcome(busy_since) == outcome


def test_a_run_with_an_end_has_that_also_while_somebody_works():
    run = tell(RunHistory(), START, ("run-finished", {"outcome": "interrupted"})).last
    assert run.outcome(None) == run.outcome(0) == "interrupted"


@given(st.datetimes())
def test_the_time_of_a_record_in_seconds(moment):
    text = moment.isoformat(timespec="milliseconds")
    wanted = moment.replace(tzinfo=datetime.timezone.utc, microsecond=0).timestamp()
    assert seconds(f"{text}Z") == wanted


def test_the_time_zone_of_the_machine_does_not_matter(monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    try:
        assert seconds("2026-11-20T21:44:00.900Z") == BEGAN
    finally:
        monkeypatch.undo()
        time.tzset()
