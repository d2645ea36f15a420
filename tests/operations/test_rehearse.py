"""Rehearsals of the upgrade of a real etcd: the shipped platform says go, planted faults are found, nothing is left."""

import json
import os
import signal
import time

import pytest
from helpers.clusters import wait_for
from helpers.rehearsed import DUPLICATES, LOSES, NEVER_HEALTHY, ROLLBACK_BREAKS, Prod, planted

from rigger.rehearsals.model import SCENARIOS


@pytest.fixture
def prod(rigger, etcd_cache):
    one = Prod(rigger, etcd_cache)
    yield one
    rigger("destroy", "-y")


@pytest.mark.slow
def test_a_rehearsal_says_go_and_leaves_the_cluster_as_it_was(prod):
    before = prod.is_now()
    report = prod.rehearse("plain")
    assert prod.is_now() == before
    assert prod.has_no_copy()
    assert (report["verdict"], report["from"], report["to"], report["nodes"]) == ("go", "3.5.0", "3.5.1", 3)
    [plain] = report["rehearsals"]
    figures = plain["figures"]
    assert int(figures["acknowledged"]) > 10 and (figures["lost"], figures["duplicated"]) == ("0", "0")
    assert float(figures["longest_gap_seconds"]) > 0 and plain["seconds"] > 0
    assert float(plain["before"]["latency_median_ms"]) > 0 and float(plain["after"]["latency_median_ms"]) > 0
    assert plain["data"] == plain["data_after"] and plain["data"]["keys"] == "2"
    steps = [mark["text"] for mark in plain["marks"] if mark["kind"] == "step"]
    assert steps == ["app-test", "backup", "upgrade-graceful", "check", "app-test"]
    # The file says the same, and the page shows it without asking for anything.
    with open(report["file"]) as file:
        assert json.load(file)["plan"] == report["plan"]
    with open(report["page"]) as file:
        page = file.read()
    assert "<svg" in page and "upgrade-graceful" in page
    assert not any(word in page for word in ("src=", "href=", "url(", "@import", "<script"))


@pytest.mark.slow
def test_what_goes_wrong_in_life_does_an_etcd_no_harm(prod):
    before = prod.is_now()
    report = prod.rehearse()
    assert prod.is_now() == before
    assert prod.has_no_copy()
    assert report["verdict"] == "go", report["reason"]
    made = {one["name"]: one["verdict"] for one in report["rehearsals"]}
    apart = {one["name"]: one["reason"] for one in report["left_out"]}
    assert {*made, *apart} == {scenario.name for scenario in SCENARIOS} and {*made.values()} == {"go"}
    assert {*apart} - {"disk-full"} == {"slow-disk", "slow-link"} and all(apart.values())
    for one in report["rehearsals"]:
        struck = [mark for mark in one["marks"] if mark["kind"] == "fault"]
        assert len(struck) == (0 if one["name"] == "plain" else 1), one["name"]


PLANTED = [
    (LOSES, "killed-inside", "acknowledged writes were lost"),
    (DUPLICATES, "killed-inside", "writes were duplicated"),
    (NEVER_HEALTHY, "plain", "etcd does not run on node-1"),
    (ROLLBACK_BREAKS, "back-half-way", "the data are not those of the backup any more"),
]
IDS = ["loses", "duplicates", "never-healthy", "rollback-breaks"]


@pytest.mark.slow
@pytest.mark.parametrize(("fault", "rehearsal", "said"), PLANTED, ids=IDS)
def test_a_planted_fault_is_found(rigger, etcd_cache, tmp_path, fault, rehearsal, said):
    planted(rigger, str(tmp_path), fault)
    prod = Prod(rigger, etcd_cache)
    try:
        report = prod.rehearse(rehearsal, code=6)
        assert report["verdict"] == "no-go" and said in report["reason"], report
        # Where nothing goes wrong they do no harm: that is rehearsed first, to know when the middle of a step is.
        if rehearsal != "plain":
            assert [(one["name"], one["verdict"]) for one in report["rehearsals"]] == [
                ("plain", "go"),
                (rehearsal, "no-go"),
            ]
        assert prod.has_no_copy()
        # What the scripts printed is kept for whoever asks why.
        done = report["rehearsals"][-1]
        assert os.listdir(os.path.join(os.path.dirname(report["file"]), done["logs"], "runs"))
    finally:
        rigger("destroy", "-y")


@pytest.mark.heavy
@pytest.mark.parametrize(("fault", "rehearsal", "said"), PLANTED, ids=IDS)
def test_a_planted_fault_is_found_20_times_of_20(rigger, etcd_cache, tmp_path, fault, rehearsal, said):
    planted(rigger, str(tmp_path), fault)
    prod = Prod(rigger, etcd_cache)
    try:
        reports = [prod.rehearse(rehearsal, code=None) for _ in range(20)]
        assert [one["verdict"] for one in reports] == ["no-go"] * 20
        assert all(said in one["reason"] for one in reports)
    finally:
        rigger("destroy", "-y")


@pytest.mark.heavy
def test_the_shipped_etcd_is_a_go_20_times_of_20(prod):
    reports = [prod.rehearse(code=None) for _ in range(20)]
    assert [one["verdict"] for one in reports] == ["go"] * 20, [one["reason"] for one in reports]


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["copy", "machines", "upgrade"])
def test_the_copy_of_a_killed_rehearsal_is_removed_by_the_next_command(prod, moment):
    before = prod.is_now()
    private = prod.rigger.path("environments", ".rehearsal-prod")

    def reached():
        if moment == "copy":
            return os.path.isdir(private)
        if moment == "machines":
            return len(os.listdir(prod.machines)) > 1
        try:
            with open(os.path.join(private, "environments", "prod-rehearsal", "audit.jsonl")) as file:
                return '"step":"upgrade-graceful"' in file.read()
        except OSError:
            return False

    words = ("upgrade", "--to", "3.5.1", "--upgrade-style", "graceful", "--rehearse", "--only", "plain")
    process = prod.rigger.start(*words)
    wait_for(reached, 120)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    assert os.path.isdir(private)
    said = prod.rigger("status")
    assert "A rehearsal of prod was killed: its copy is removed now." in said.out + said.err
    assert prod.has_no_copy() and prod.is_now() == before


@pytest.mark.slow
def test_ctrl_c_removes_the_copy_at_once(prod):
    words = ("upgrade", "--to", "3.5.1", "--upgrade-style", "graceful", "--rehearse", "--only", "plain")
    process = prod.rigger.start(*words)
    wait_for(lambda: len(os.listdir(prod.machines)) > 1, 120)
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130 and prod.has_no_copy()


@pytest.mark.slow
def test_an_upgrade_that_requires_a_rehearsal_is_refused_without_one(prod):
    upgrade = ("upgrade", "--to", "3.5.1", "--upgrade-style", "graceful")
    refused = prod.rigger(*upgrade, "--require-rehearsal", code=4)
    assert "The upgrade from 3.5.0 to 3.5.1, graceful, was never rehearsed here." in refused.err
    assert prod.rehearse("plain")["verdict"] == "go"
    prod.rigger("config", "set", "REQUIRE_REHEARSAL=1h")
    time.sleep(2)
    refused = prod.rigger(*upgrade, "--require-rehearsal=1s", code=4)
    assert "was rehearsed" in refused.err and "1 s is the most" in refused.err
    # Another value makes it another plan; a check does not.
    prod.rigger("config", "set", "ETCD_JUDGE_TIME=5s")
    assert "with other values" in prod.rigger(*upgrade, code=4).err
    prod.rigger("config", "unset", "ETCD_JUDGE_TIME")
    prod.rigger("check")
    # Somebody who makes a verdict of his own is noticed.
    [folder] = os.listdir(os.path.join(prod.path, "rehearsals"))
    path = os.path.join(prod.path, "rehearsals", folder, "verdict.json")
    with open(path) as file:
        text = file.read()
    with open(path, "w") as file:
        file.write(text.replace('"lost": "0"', '"lost": "1"'))
    assert "is not the verdict that was recorded" in prod.rigger(*upgrade, code=4).err
    with open(path, "w") as file:
        file.write(text)
    assert "etcd runs 3.5.1" in prod.rigger(*upgrade).out.replace("prod: ", "").replace(
        "prod runs", "etcd runs"
    )
    # Bundles have the verdict, and the record of it.
    prod.rigger("save", "-o", os.path.join(prod.rigger.folder, "prod.rigger"))
    inside = json.loads(
        prod.rigger("bundle", "inspect", os.path.join(prod.rigger.folder, "prod.rigger"), "-o", "json").out
    )
    assert f"rehearsals/{folder}/verdict.json" in inside["files"]
