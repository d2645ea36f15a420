"""The state at a time is what was so at that time: of made-up histories, whole, damaged, repaired, and come in a bundle."""

from __future__ import annotations

import json
import os
import random

import pytest
from helpers.histories import Past

from rigger.audit.snapshot import EVERY, ROOMS
from rigger.audit.state import ClusterState
from rigger.environments.home import Home
from rigger.environments.state import STATE, state_of
from rigger.errors import BadUsage
from rigger.kept import encoded
from rigger.operations.moment import moment, now
from rigger.operations.status_at import status_at
from rigger.operations.value_history import value_history


def told(state: ClusterState) -> dict:
    """Return what a state says of that which made-up histories are about."""
    running = state.versions.running
    return {
        "values": state.values.all,
        "nodes": [[*node] for node in state.nodes],
        "version": running.version if running else "",
        "runs": state.runs.count,
        "failed": {*state.steps.failed_checks},
        "addons": {name: record.version for name, record in state.modules.modules.items()},
        "suspended": state.suspension is not None,
    }


def expected(true) -> dict:
    return {
        "values": true.all(),
        "nodes": true.nodes,
        "version": true.version,
        "runs": true.runs,
        "failed": true.failed,
        "addons": true.addons,
        "suspended": true.suspended,
    }


def made(folder, seed, monkeypatch, length=12):
    """Return a made-up past, and the snapshots that were taken in it: of all that rigger knew then, as JSON."""
    chance, taken = random.Random(seed), []
    past = Past(folder, chance, monkeypatch)

    def note(now):
        state = state_of(now.environment)
        taken.append((told(state), json.dumps(encoded(now.environment.worked_out[STATE].fold, ROOMS))))

    past.write(length, note)
    return past, taken


def compare(past, taken):
    """Hold each moment of a past to what was so then, and to the snapshot that was taken then."""
    from rigger.audit.events import parse
    from rigger.audit.fold import Fold

    assert len(taken) == len(past.moments) > 1
    for (time, true), (known, whole) in zip(past.moments, taken, strict=True):
        at = moment(past.environment, time)
        assert told(at.state) == expected(true) == known, time
        fold = Fold()
        for record in at.records:
            fold.take(parse(record))
        assert json.dumps(encoded(fold, ROOMS)) == whole, time
        status = status_at(past.environment, time).as_dict()
        assert status["deployed_version"] == true.version
        assert [[node["name"], node["address"]] for node in status["nodes"]] == true.nodes
        last = status["last_run"]
        assert (last["number"], last["outcome"]) == (true.runs, true.outcome) if true.runs else last is None


@pytest.mark.parametrize("seeds", [range(8), pytest.param(range(8, 1008), marks=pytest.mark.slow)])
def test_the_state_at_a_time_is_the_snapshot_that_was_taken_then(tmp_path, monkeypatch, seeds):
    for seed in seeds:
        compare(*made(tmp_path / str(seed), seed, monkeypatch))


@pytest.mark.parametrize("seeds", [range(4), pytest.param(range(4, 204), marks=pytest.mark.slow)])
def test_of_a_damaged_log_that_was_repaired_too(tmp_path, monkeypatch, seeds):
    """A record that says nothing of the cluster is damaged; what stood behind it is kept, with new numbers."""
    repaired = 0
    for seed in seeds:
        past, _ = made(tmp_path / str(seed), seed, monkeypatch, length=20)
        log = past.environment.audit
        with open(log.path, "rb") as file:
            lines = file.read().splitlines(keepends=True)
        places = [n for n, line in enumerate(lines) if b'"event":"terraform"' in line]
        if not places:
            continue
        place = places[len(places) // 2]
        lines[place] = lines[place].replace(b"state list", b"state LIST")
        with open(log.path, "wb") as file:
            file.writelines(lines)
        with past.environment.locked("a test"):
            log.repair()
        repaired += 1
        for time, true in past.moments:
            assert told(moment(past.environment, time).state) == expected(true), time
    assert repaired > len(seeds) / 4


def test_of_a_log_whose_result_is_kept_beside_it(tmp_path, monkeypatch):
    """A long log is read from a snapshot on; the past is what it was without one."""
    past, taken = made(tmp_path, 7, monkeypatch, length=80)
    assert len(past.environment.audit.records()) > 2 * EVERY
    state_of(Home(str(tmp_path)).get("made-up"))
    assert os.path.isfile(past.environment.file("audit.snapshot"))
    again = Home(str(tmp_path)).get("made-up")
    assert told(state_of(again)) == taken[-1][0] == told(now(again).state)
    for time, true in past.moments[::20]:
        assert told(moment(again, time).state) == expected(true)


def test_a_repaired_log_says_that_records_are_lost(tmp_path, monkeypatch):
    past, _ = made(tmp_path, 3, monkeypatch)
    log = past.environment.audit
    with open(log.path, "rb") as file:
        lines = file.read().splitlines(keepends=True)
    lines[len(lines) // 2] = b"rubbish\n"
    with open(log.path, "wb") as file:
        file.writelines(lines)
    with past.environment.locked("a test"):
        log.repair()
    assert not status_at(past.environment, past.moments[0][0]).lost
    assert status_at(past.environment, past.moments[-1][0]).lost


@pytest.mark.parametrize("seed", range(5))
def test_the_changes_of_a_value_lead_to_what_it_is(tmp_path, monkeypatch, seed):
    past, _ = made(tmp_path, seed, monkeypatch, length=20)
    values = past.true.all()
    for name in ("NODES", "SIZE", "VERSION"):
        try:
            changes = value_history(past.environment, name).changes
        except BadUsage:
            assert name not in values
            continue
        assert changes[-1].after == values.get(name) and not changes[-1].hidden
        pairs = zip(changes, changes[1:], strict=False)
        assert changes[0].before is None and all(a.after == b.before for a, b in pairs)
    tokens = value_history(past.environment, "TOKEN").changes
    assert all(one.hidden and one.before is one.after is None for one in tokens)


def test_a_time_outside_of_the_past_is_refused(tmp_path, monkeypatch):
    past, _ = made(tmp_path, 1, monkeypatch, length=3)
    for word, words in (
        ("2019-01-01", "2019-01-01 is before made-up was made: its record begins 2020-"),
        ("2999-01-01", "2999-01-01 is still to come"),
        ("2020-13-45", "'2020-13-45' is no time"),
        ("2020-10-10 noon", "'2020-10-10 noon' is no time"),
        ("nothing", "There is no run 'nothing'"),
        ("99", "There is no run '99'"),
    ):
        with pytest.raises(BadUsage, match=words):
            moment(past.environment, word)


def test_times_are_local_without_a_zone(tmp_path, monkeypatch):
    past, _ = made(tmp_path, 2, monkeypatch)
    whole = len(past.environment.audit.records())
    last = past.environment.audit.records()[-1]["time"]
    assert len(moment(past.environment, last).records) == whole
    assert len(moment(past.environment, last.replace("Z", "+00:00")).records) == whole
    assert len(moment(past.environment, last[:10]).records) < whole  # a date is its beginning
    assert len(moment(past.environment, "last").records) <= whole
