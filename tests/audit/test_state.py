"""The state of a cluster, against slow and simple readings of the same records."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from helpers.run_records import log_event
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rigger.audit.events import Destroyed, parse
from rigger.audit.runs import runs_of
from rigger.audit.state import ClusterState
from rigger.environments.environment import Environment
from rigger.environments.state import state_of
from rigger.errors import InvalidConfig

PROVIDER, PLATFORM = "provider/soil", "platform/tree"
STEPS = [
    *((PROVIDER, verb) for verb in ("install", "create", "check", "plan", "destroy", "suspend")),
    *((PLATFORM, verb) for verb in ("install", "deploy", "check", "scale", "undeploy", "backup")),
    (PLATFORM, "setup-clients"),
    (PLATFORM, "tests/grows"),
]
COMMANDS = ["provision", "upgrade", "destroy", "suspend", "backup"]
VERSIONS = st.sampled_from(["1", "2", "3"])
PARAMETERS = st.fixed_dictionaries(
    {}, optional={"VERSION": VERSIONS, "NODES": VERSIONS, "TOKEN": st.sampled_from(["***a", "***b"])}
)
ENDS = st.sampled_from([0, 0, 0, 3, "interrupted", "recovered", "killed"])
BACKUPS = st.sampled_from(["", "backups/1.backup"])
JUMP = {"from": VERSIONS, "to": VERSIONS}
EVENTS = {
    "upgrade-started": {**JUMP, "style": st.just("graceful"), "rollback": st.booleans()},
    "upgrade-finished": JUMP,
    "upgrade-rolled-back": JUMP,
    "suspend-started": {"backup": BACKUPS},
    "suspended": {"backup": BACKUPS},
    "resumed": {},
    "restored": {"file": st.just("/f")},
    "destroyed": {"nodes": st.just([])},
    "loaded": {"digests": st.fixed_dictionaries({}, optional={"TOKEN": st.just("***new")})},
    "checked-out": {
        "folder": st.sampled_from(["/old/checkout", "/new/checkout", "/mine"]),
        "version": VERSIONS,
        "before": st.sampled_from(["a", "b"]),
        "commit": st.sampled_from(["a", "b"]),
        "tag": st.sampled_from(["refs/tags/1", "refs/tags/2"]),
    },
    "configured": {"by": st.just("rigger config"), "changed": st.just([])},
    "something-new": {"step": st.just("create"), "to": VERSIONS},
}


def lives(*events: str, commands=COMMANDS, steps=STEPS):
    """Return lives of an environment in which some events are common, and runs of some commands and steps."""
    runs = st.tuples(
        st.just("run"),
        st.sampled_from(commands),
        st.lists(st.tuples(st.sampled_from(steps), ENDS, PARAMETERS), min_size=1, max_size=4),
        st.sampled_from(["done", "failed", None]),
        st.sampled_from(["0123456789", "abcdefabcd", None]),
    )
    common = [st.tuples(st.just(event), st.fixed_dictionaries(EVENTS[event])) for event in events]
    rare = [st.tuples(st.just(event), st.fixed_dictionaries(fields)) for event, fields in EVENTS.items()]
    return st.lists(st.one_of(runs, runs, runs, *common, st.one_of(rare)), min_size=1, max_size=16)


def records_of(life) -> list[dict]:
    """Return a log in which that was done."""
    records: list[dict] = []

    def write(event: str, run: str = "", **fields) -> None:
        seq = len(records) + 1
        moment = f"2026-11-20T21:{seq // 60 % 60:02d}:{seq % 60:02d}.123Z"
        records.append({"seq": seq, "time": moment, "run": run, "event": event, **fields})

    for turn, (what, *more) in enumerate(life):
        if what == "run":
            write_run(write, f"run-{turn}", *more)
        else:
            write(what, **more[0])
    return records


def write_run(write, run, command, steps, outcome, id) -> None:
    made = {"provider": "soil", "platform": f"tree-{run}", "id": id} if id else {}
    write("run-started", run, command=command, **made)
    for number, ((module, verb), end, parameters) in enumerate(steps, 1):
        own = {"number": number, "module": module, "step": verb}
        write("step-started", run, command=command, **own, parameters=parameters)
        if end == "recovered":
            write("step-recovered", run, **own)
        elif end != "killed":
            code = end if isinstance(end, int) else 130
            write("step-finished", run, **own, exit_code=code, interrupted=end == "interrupted")
    if outcome:
        write("run-finished", run, outcome=outcome)


# ---- the simple readings ---------------------------------------------------------------------------------


def after_last(records: list[dict], *events: str, by_step: dict | None = None) -> list[dict]:
    """Return what came after the last of some events, and of steps that began with some fields."""
    at = [
        number
        for number, record in enumerate(records, 1)
        if record["event"] in events
        or by_step
        and record["event"] == "step-started"
        and by_step.items() <= record.items()
    ]
    return records[at[-1] if at else 0 :]


def after(records: list[dict], one: dict) -> list[dict]:
    return [record for record in records if record["seq"] >= one["seq"]]


def has_changed(records: list[dict]) -> bool:
    """Return whether an upgrade changed something before its run ended; the way back from one has, always."""
    for record in records[1:] if not records[0]["rollback"] else []:
        if record["event"] == "run-finished":
            return False
        if record["event"] == "run-started" and record["command"] != "upgrade":
            return False
        if record["event"] == "step-started" and record["step"] == "upgrade-graceful":
            if record["command"] == "upgrade":
                return True
    return records[0]["rollback"]


def of(records: list[dict], *events: str) -> list[dict]:
    return [record for record in records if record["event"] in events]


def pairs(records: list[dict]) -> Iterator[tuple[dict, dict]]:
    """Return every step that began with the record of its end, an empty one where it has none."""
    for start in of(records, "step-started"):
        same = [r for r in records if (r["run"], r.get("number")) == (start["run"], start["number"])]
        yield start, next(iter(of(same, "step-finished", "step-recovered")), {})


def key_of(start: dict) -> str:
    return f"{start['module']}/{start['step']}"


def succeeded(end: dict) -> bool:
    return end.get("exit_code") == 0


def creates(records: list[dict], module: str) -> list[int]:
    return [e["seq"] for s, e in pairs(records) if key_of(s) == f"{module}/create" and succeeded(e)]


def last_of(records: list[dict]) -> dict[str, dict]:
    """Return the start of the last run of every step."""
    alive = after_last(records, "destroyed")
    last = {key_of(start): start for start in of(alive, "step-started")}
    begun = last.get(f"{PROVIDER}/destroy")
    if begun and any(seq > begun["seq"] for seq in creates(alive, PROVIDER)):
        del last[f"{PROVIDER}/destroy"]
    return last


def done_of(records: list[dict]) -> dict[str, dict]:
    """Return the start of the last success of every step that was not undone."""
    alive = after_last(records, "destroyed")
    done = {}
    for start, end in pairs(alive):
        later = [r for r in of(alive, "step-started") if r["seq"] > start["seq"]]
        undone = any(
            r["step"] == "destroy" or r["step"] == "undeploy" and start["module"] == PLATFORM for r in later
        )
        grown = start["step"] == "scale" and any(seq > end["seq"] for seq in creates(alive, PROVIDER) if end)
        if succeeded(end) and start["step"] != "check" and not undone and not grown:
            done[key_of(start)] = start
    return done


def failed_checks_of(records: list[dict]) -> set[str]:
    alive, failed = after_last(records, "destroyed"), set()
    for role in ("provider", "platform"):
        mine = [(s, e) for s, e in pairs(alive) if s["module"].startswith(role) and "exit_code" in e]
        looks = [
            succeeded(e)
            for s, e in mine
            if s["step"] == "check"
            and not e["interrupted"]
            or s["step"] in ("create", "deploy")
            and succeeded(e)
        ]
        failed |= {role} if looks and not looks[-1] else set()
    return failed


def parameters_of(records: list[dict], start: dict) -> dict[str, str]:
    """Return what counts as the values that a step which is done has run with."""
    values = dict(start["parameters"])
    for record in records[start["seq"] :]:
        if record["event"] in ("upgrade-finished", "upgrade-rolled-back"):
            if start["module"] == PLATFORM and start["step"] in ("install", "deploy", "setup-clients"):
                values["VERSION"] = record["to"]
        elif record["event"] == "loaded" and "TOKEN" in values:
            values["TOKEN"] = record["digests"].get("TOKEN", values["TOKEN"])
    return values


def version_of(alive: list[dict]) -> str:
    """Return the version that runs, going back from the end."""
    for record in reversed(alive):
        match record["event"]:
            case "upgrade-finished" | "upgrade-rolled-back":
                return record["to"]
            case "upgrade-started" if not record["rollback"]:
                return record["from"]
            case "step-started" if record["command"] != "upgrade" and record["step"] not in ("check", "plan"):
                return record["parameters"].get("VERSION", "")
    return ""


# ---- the two agree ---------------------------------------------------------------------------------------


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(
    lives(
        "upgrade-finished",
        "loaded",
        steps=[*STEPS[:3], (PLATFORM, "scale"), (PROVIDER, "create"), *STEPS],
    )
)
@example([("run", "provision", [((PLATFORM, "scale"), 0, {}), ((PROVIDER, "create"), 0, {})], "done", None)])
def test_steps(life):
    records = records_of(life)
    steps = ClusterState.of(records).steps
    assert {key: run.started.seq for key, run in steps.last.items()} == {
        key: start["seq"] for key, start in last_of(records).items()
    }
    assert {key: (run.started.seq, run.parameters) for key, run in steps.done.items()} == {
        key: (start["seq"], parameters_of(records, start)) for key, start in done_of(records).items()
    }
    assert steps.failed_checks.keys() == failed_checks_of(records)
    ends = {start["seq"]: end for start, end in pairs(records)}
    for run in steps.last.values():
        end = ends[run.started.seq]
        assert (run.finished and run.finished.exit_code) == end.get("exit_code")
        assert run.succeeded == succeeded(end) == (steps.unfinished(run.started.key) is None)
    assert [started.seq for started in steps.open] == [seq for seq, end in ends.items() if not end]


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(
    lives(
        "upgrade-started",
        "upgrade-rolled-back",
        steps=[(PLATFORM, "deploy"), (PLATFORM, "check")],
        commands=["upgrade", "provision"],
    )
)
def test_the_cluster_that_was_made(life):
    records = records_of(life)
    state = ClusterState.of(records)
    alive = after_last(records, "destroyed")
    made = [r for r in of(alive, "step-started") if r["step"] not in ("check", "plan")]
    assert state.destroyed == bool(of(records, "destroyed"))
    assert (state.cluster is None) == (not made)
    if state.cluster:
        runs = [r for r in of(records, "run-started") if r["seq"] >= run_of(records, made[0])["seq"]]
        ids = [run["id"] for run in runs if "id" in run]
        assert (state.cluster.ids, state.cluster.id) == ({*ids}, ids[-1] if ids else "")
        assert state.cluster.modules["PLATFORM"] == {run["platform"] for run in runs if "id" in run}
        assert state.cluster.modules["PROVIDER"] == {"soil" for _ in ids}
        answers = {n: v for n, v in made[-1]["parameters"].items() if n != "TOKEN"}
        version = version_of(alive)
        assert state.cluster.answers == {**answers, **({"VERSION": version} if version else {})}


def run_of(records: list[dict], step: dict) -> dict:
    return next(r for r in of(records, "run-started") if r["run"] == step["run"])


@settings(max_examples=200, deadline=None)
@given(
    lives(
        "suspend-started",
        "suspended",
        "resumed",
        steps=[(PROVIDER, "suspend"), (PLATFORM, "undeploy"), STEPS[0]],
    )
)
def test_a_suspension(life):
    records = records_of(life)
    state = ClusterState.of(records)
    alive = after_last(records, "resumed", "destroyed", by_step={"step": "destroy", "command": "destroy"})
    begun = of(alive, "suspend-started", "suspended")
    taken = [r for r in of(alive, "step-started") if r["step"] in ("undeploy", "suspend")]
    emptied = any(begun and r["seq"] > begun[0]["seq"] for r in taken)
    assert (state.suspension is None) == (not begun or not emptied and begun[-1]["event"] != "suspended")
    if state.suspension:
        assert state.suspension.done == (begun[-1]["event"] == "suspended")
        assert state.suspension.emptied == emptied
        assert state.suspension.backup == (begun[-1]["backup"] if emptied else "")
        with pytest.raises(InvalidConfig, match="wood is suspended"):
            state.require_running("wood")
    else:
        state.require_running("wood")


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(
    lives(
        "upgrade-started",
        commands=["upgrade", "upgrade", "backup"],
        steps=[(PLATFORM, "backup"), (PLATFORM, "upgrade-graceful")],
    )
)
def test_an_upgrade(life):
    records = records_of(life)
    state = ClusterState.of(records)
    ends = ("upgrade-finished", "upgrade-rolled-back", "destroyed", "restored")
    alive = after_last(records, *ends, by_step={"command": "destroy"})
    begun = of(alive, "upgrade-started")
    assert (state.upgrade is None) == (not begun or not has_changed(after(alive, begun[-1])))
    if state.upgrade:
        request, start = state.upgrade.request, begun[-1]
        assert (request.start, request.to, request.since) == (start["from"], start["to"], start["seq"])
        assert request.back == start["rollback"] and request.verb == "upgrade-graceful"
        since = [r for r in records if r["seq"] >= start["seq"]]
        assert sorted(state.upgrade.steps.done) == sorted(ClusterState.of(since).steps.done)
        kept = [
            e for s, e in pairs(since) if (s["command"], s["step"]) == ("upgrade", "backup") and succeeded(e)
        ]
        assert (state.upgrade.backup and state.upgrade.backup.seq) == (kept[0]["seq"] if kept else None)
        with pytest.raises(InvalidConfig, match="is not finished"):
            state.require_no_upgrade("wood")
    else:
        state.require_no_upgrade("wood")


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(lives())
def test_runs(life):
    records = records_of(life)
    runs, last = runs_of(records), ClusterState.of(records).runs.last
    starts = of(records, "run-started")
    assert [run.started.run for run in runs.all] == [start["run"] for start in starts]
    for run in runs.all:
        own = [record for record in records if record["run"] == run.started.run]
        assert [step.seq for step in run.steps] == [step["seq"] for step in of(own, "step-finished")]
        ends = of(own, "run-finished")
        assert run.outcome(None) == (ends[-1]["outcome"] if ends else "cut off")
        assert run.outcome(0) == (ends[-1]["outcome"] if ends else "running")
    assert [step.seq for step in runs.begun] == [step["seq"] for step in of(records, "step-started")]
    assert (runs.last is None) == (last is None) == (not starts)
    if last:
        assert last.started.run == starts[-1]["run"] and vars(last) == vars(runs.last)


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(lives("checked-out", "upgrade-started"))
def test_checkouts(life):
    records = records_of(life)
    checkouts = ClusterState.of(records).checkouts
    every = of(records, "checked-out")
    own = [record for record in every if record["folder"].endswith("/checkout")]
    tagged = [record for record in every if record["tag"] == "refs/tags/2"]
    assert checkouts.last == (parse(every[-1]) if every else None)
    assert checkouts.last_in("/here/checkout") == (parse(own[-1]) if own else None)
    assert checkouts.last_of("refs/tags/2") == (parse(tagged[-1]) if tagged else None)
    before = ""
    if forward := [r for r in of(records, "upgrade-started") if not r["rollback"]]:
        later = [r for r in of(records, "upgrade-started") if r["seq"] > forward[-1]["seq"]]
        until = later[0]["seq"] if later else len(records) + 1
        left = [r for r in every if forward[-1]["seq"] < r["seq"] < until]
        before = left[-1]["before"] if left else ""
    assert checkouts.before_upgrade == before


def test_nothing_is_known_of_an_empty_log():
    state = ClusterState.of([])
    assert (state.cluster, state.suspension, state.upgrade, state.runs.last) == (None,) * 4
    assert not (state.destroyed or state.steps.last or state.steps.open or state.checkouts.last)


def test_an_environment_reads_its_log_again_only_where_it_has_grown(tmp_path):
    environment = Environment("wood", str(tmp_path), str(tmp_path))
    first = state_of(environment)
    assert state_of(environment) is first and not first.destroyed
    log_event(environment, Destroyed(nodes=()))
    assert state_of(environment) is not first and state_of(environment).destroyed
