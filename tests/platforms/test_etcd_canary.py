"""Canary and rolling upgrades of a real etcd: a bad release, which is a test's stand-in, is judged bad and goes back."""

import json
import os
import signal
import subprocess
import time

import pytest
from helpers.bad_etcd import VERSION as BAD
from helpers.bad_etcd import BadRelease
from helpers.clusters import wait_for

NODES = ("node-1", "node-2", "node-3")
ETCD = ("--platform", "etcd", "--provider", "local", "--version", "3.5.0")


class Canary:
    """An etcd of three members that applications write to, driven by the real program."""

    def __init__(self, rigger, cache):
        self.rigger = rigger
        os.makedirs(cache, exist_ok=True)
        os.makedirs(rigger.home, mode=0o700, exist_ok=True)
        os.symlink(cache, rigger.path("cache"))
        self.path = rigger.path("environments", "bird")
        rigger("configure", "--defaults", "--name", "bird", *ETCD, "--set", "ETCD_JUDGE_TIME=4s")
        rigger("provision", "-y")
        rigger("test", "app-deploy")

    def upgrade(self, to, *more, style="canary", code=0):
        """Upgrade, as often as the machine is too busy for what is usual before anything changes; return the report."""
        words = ("upgrade", "--version", to, "--upgrade-style", style, *more, "-o", "json")
        for _ in range(5):
            said = self.rigger(*words, code=None)
            if "What is usual before the upgrade is not well" not in said.out:
                break
        assert said.code == code, said
        return json.loads(said.out)

    def records(self, *names):
        with open(os.path.join(self.path, "audit.jsonl")) as file:
            return [record for record in map(json.loads, file) if record["event"] in names]

    def is_changing(self):
        return any(record["step"] == "upgrade-canary" for record in self.records("step-started"))

    def has_a_stage(self):
        return bool(self.records("stage-finished"))

    def runs(self):
        """Return which version each node's member was started as."""
        found = {}
        for node in NODES:
            with open(os.path.join(self.machine(node), "rigger-etcd", "member")) as file:
                found[node] = file.read().split()[2].partition(",")[0]
        return found

    def machine(self, node):
        machines = os.path.join(os.path.dirname(self.rigger.home), ".local", "share", "rigger", "machines")
        [own] = os.listdir(machines)
        return os.path.join(machines, own, node)

    def member(self, node):
        with open(os.path.join(self.machine(node), "rigger-etcd", "member")) as file:
            return int(file.read().split()[0])

    def acknowledged(self):
        """Test the applications; return how many of their writes were acknowledged: each of them is there, once."""
        report = json.loads(self.rigger("test", "app-test", "-o", "json").out)
        [tested] = report["tests"]
        figures = tested["figures"]
        wrong = ("lost", "duplicated", "altered", "out_of_order", "unexpected")
        assert [figures[name] for name in wrong] == ["0"] * 5, figures
        return int(figures["acknowledged"])

    def is_as_before(self):
        assert self.runs() == dict.fromkeys(NODES, "3.5.0")
        assert self.rigger("config", "get", "VERSION").out.strip() == "3.5.0"
        self.rigger("check")
        return self.acknowledged()


@pytest.fixture
def canary(rigger, etcd_cache):
    one = Canary(rigger, etcd_cache)
    yield one
    rigger("destroy", "-y")


@pytest.fixture
def release(canary, tmp_path, etcd_cache):
    """A bad release on a mirror; the real 3.5.1, which it is made of, was fetched."""
    real = os.path.join(etcd_cache, "etcd", "3.5.1", "linux-amd64")
    if not os.path.exists(real):
        canary.rigger("configure", "--defaults", "--name", "fetch", *ETCD[:-1], "3.5.1", "--set", "NODES=1")
        canary.rigger("setup-clients")
        canary.rigger("use", "bird")
    folder = tmp_path / "mirror"
    folder.mkdir()
    release = BadRelease(str(folder), real)
    canary.rigger.env.update(ETCD_DOWNLOAD_URL=folder.as_uri())
    return release


@pytest.mark.slow
def test_a_good_version_reaches_every_member(canary):
    before = canary.acknowledged()
    report = canary.upgrade("3.5.1")
    assert [(one["nodes"], one["verdict"]) for one in report["stages"]] == [
        ([], "measured"),
        (["node-1"], "good"),
        (["node-2", "node-3"], "good"),
    ]
    assert canary.runs() == dict.fromkeys(NODES, "3.5.1") and canary.acknowledged() > before
    # And by the other style back, as a version that somebody wants.
    report = canary.upgrade("3.5.0", "--allow-downgrade", style="rolling")
    assert [one["nodes"] for one in report["stages"]] == [[], ["node-1"], ["node-2"], ["node-3"]]
    canary.is_as_before()


def goes_back(canary, release, fault, *nodes):
    """Upgrade to the bad release, which is stopped and goes back; return the report."""
    release.fault(fault, *nodes)
    report = canary.upgrade(BAD, code=12)
    assert report["outcome"] == "rolled-back" and "Everything runs 3.5.0 again." in report["error"]["message"]
    return report


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "node", "verdict"),
    [
        ("slow", "node-1", "bad"),
        ("hangs", "node-2", "bad"),
        pytest.param("dies", "node-1", "measured", marks=pytest.mark.heavy),
    ],
)
def test_a_bad_release_is_stopped_and_goes_back(canary, release, fault, node, verdict):
    before = canary.acknowledged()
    report = goes_back(canary, release, fault, node)
    assert report["stages"][-1]["verdict"] == verdict
    assert canary.is_as_before() > before
    if fault == "slow":
        reasons = report["stages"][-1]["reasons"]
        assert any(reason.startswith("latency_median_ms is ") for reason in reasons), reasons
        # Only the first member ever had it.
        started = canary.records("stage-started")
        assert [one["nodes"] for one in started] == [["node-1"]]


FAULTS = [
    ("slow", ()),
    ("dies", ()),
    ("crashes", ()),
    ("hangs", ()),
    ("slow", ("node-2",)),
    ("slow", ("node-3",)),
    ("dies", ("node-3",)),
    ("crashes", ("node-2", "node-3")),
    ("hangs", ("node-2", "node-3")),
    ("hangs", ("node-3",)),
]


@pytest.mark.heavy
def test_a_bad_release_is_stopped_and_goes_back_every_time_of_20(canary, release):
    before = canary.acknowledged()
    for number, (fault, nodes) in enumerate(FAULTS * 2, 1):
        began = time.monotonic()
        report = goes_back(canary, release, fault, *nodes)
        now = canary.is_as_before()
        assert now > before
        why = report["error"]["message"][:150]
        print(
            f"{number:2} {fault} {' '.join(nodes)}: back after {time.monotonic() - began:.0f} s, {now} writes; {why}"
        )
        before = now
    assert len(canary.records("upgrade-rolled-back")) == 20


@pytest.mark.slow
def test_a_kill_and_ctrl_c_in_the_middle_leave_the_truth(canary):
    before = canary.acknowledged()
    words = ("upgrade", "--version", "3.5.1", "--upgrade-style", "canary")
    for signum, reached in ((signal.SIGKILL, canary.is_changing), (signal.SIGINT, canary.has_a_stage)):
        process = canary.rigger.start(*words)
        wait_for(reached, 90)
        process.send_signal(signum)
        process.communicate(timeout=60)
        # What outlived rigger has its way first.
        refused = canary.rigger("status").out
        assert "The upgrade of bird from 3.5.0 to 3.5.1 is not finished." in refused
        assert canary.rigger("config", "get", "VERSION").out.strip() == "3.5.0"
        words = ("upgrade", "--continue", "--wait")
    runs = canary.runs()
    assert (runs["node-2"], runs["node-3"]) == ("3.5.0", "3.5.0")
    said = canary.rigger(*words, "-v")
    assert "3.5.0 to 3.5.1" in said.out
    assert canary.runs() == dict.fromkeys(NODES, "3.5.1") and canary.acknowledged() > before
    judged = [(one["stage"], one["verdict"]) for one in canary.records("stage-judged")]
    assert judged == [(0, "measured"), (1, "good"), (2, "good")]


@pytest.mark.heavy
def test_a_way_back_that_was_killed_is_finished_by_the_next(canary, release):
    before = canary.acknowledged()
    release.fault("slow")
    process = canary.rigger.start("upgrade", "--version", BAD, "--upgrade-style", "canary")

    def goes_back_now():
        return any(one["rollback"] for one in canary.records("upgrade-started"))

    wait_for(goes_back_now, 120)
    time.sleep(1)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    said = canary.rigger("upgrade", "--continue", "--wait")
    assert "bird runs 3.5.0." in said.out
    assert canary.is_as_before() > before


@pytest.mark.slow
def test_programs_of_ones_own_are_not_in_the_way_back(canary, release, tmp_path):
    """The folder has the new version alone by now; the nodes still have the old one."""
    own = tmp_path / "own"
    own.mkdir()
    archive = f"{release.folder}/v{BAD}/etcd-v{BAD}-linux-amd64.tar.gz"
    subprocess.run(["tar", "-xzf", archive, "-C", own, "--strip-components=1"], check=True)
    canary.rigger("config", "set", f"ETCD_BIN_DIR={own}")
    goes_back(canary, release, "dies")
    assert canary.runs() == dict.fromkeys(NODES, "3.5.0")
