"""What has a caller's id is carried out once, however often it is asked for, and whoever was killed meanwhile."""

import json
import os
import random
import signal
import subprocess
import sys
import time

import pytest
from helpers.clusters import wait_for

from rigger.environments.lock import FileLock


@pytest.fixture
def cluster(cluster):
    cluster.configure()
    return cluster


def provisions(cluster, request, **options):
    return cluster.rigger("provision", "--request", request, **options)


def events(cluster, name, **fields):
    records = cluster.records() if os.path.exists(cluster.file("audit.jsonl")) else []
    return [r for r in records if r["event"] == name and all(r.get(n) == v for n, v in fields.items())]


def begun(cluster, request):
    return events(cluster, "run-started", request=request)


def is_free(cluster):
    return not FileLock(cluster.file("lock"), "wood").holder()


def test_the_same_request_is_carried_out_once(cluster):
    first = provisions(cluster, "a-1")
    ran, records = cluster.ran(), cluster.records()
    again = provisions(cluster, "a-1")
    assert "Request a-1 was carried out before, as run 1" in again.out and "is as configured" in first.out
    assert cluster.ran() == [] and cluster.records() == records and "provider/create" in ran
    [run] = begun(cluster, "a-1")
    assert run["words"] == "provision"


def test_its_report_is_the_same_and_says_that_it_is_repeated(cluster):
    first = json.loads(cluster.rigger("provision", "--request", "a-1", "-o", "json").out)
    again = json.loads(cluster.rigger("provision", "-o", "json", env={"RIGGER_REQUEST": "a-1"}).out)
    assert again.pop("repeated") is True and again.pop("request") == "a-1"
    assert again == first and first["outcome"] == "done"


def test_a_failure_is_repeated_with_its_exit_code_and_its_words(cluster):
    cluster.script("platform", "deploy", "exit 3")
    first = cluster.rigger("provision", "--request", "a-1", "-o", "json", code=5)
    cluster.script("platform", "deploy")
    again = cluster.rigger("provision", "--request", "a-1", "-o", "json", code=5)
    assert json.loads(again.out)["error"] == json.loads(first.out)["error"]
    assert json.loads(again.out)["outcome"] == "failed"
    assert "platform/deploy exited 3" in again.err or "deploy exited 3" in again.err
    provisions(cluster, "a-2")


def test_another_command_or_other_options_are_refused(cluster):
    provisions(cluster, "a-1")
    said = cluster.rigger("provision", "--again", "--request", "a-1", code=2).err
    assert 'Request a-1 is "rigger provision", and not "rigger provision --again".' in said
    assert 'is "rigger provision"' in cluster.rigger("destroy", "-y", "--request", "a-1", code=2).err
    same = ("-y", "-v", "--wait", "--reason", "once more", "--request", "a-1")
    assert "carried out before" in cluster.rigger("provision", *same).out


def test_what_began_no_run_may_be_asked_for_again(cluster):
    assert "no cluster" in cluster.rigger("test", "smoke", "--request", "t-1", code=3).err
    cluster.rigger("provision")
    cluster.rigger("test", "smoke", "--request", "t-1")
    assert (
        len(begun(cluster, "t-1")) == 1
        and "carried out before" in cluster.rigger("test", "smoke", "--request", "t-1").out
    )


@pytest.mark.parametrize("id", ["two words", "-x", "é", "x" * 129])
def test_what_is_no_id(cluster, id):
    assert "no id of a request" in cluster.rigger("provision", f"--request={id}", code=2).err


def test_a_script_does_not_get_it(cluster):
    cluster.script("platform", "deploy", 'echo "id: $RIGGER_REQUEST"')
    cluster.rigger("provision", env={"RIGGER_REQUEST": "a-1"})
    assert cluster.log("04-deploy") == "id: \n" and len(begun(cluster, "a-1")) == 1


def test_a_repeat_follows_the_run_under_way(cluster):
    cluster.script(
        "platform", "deploy", 'echo begun; while [ ! -e "$RIGGER_HOME/go" ]; do sleep 0.05; done; echo over'
    )
    first = cluster.rigger.start("provision", "--request", "a-1")
    wait_for(lambda: events(cluster, "step-started", step="deploy"))
    second = cluster.rigger.start("provision", "--request", "a-1")
    assert "is locked by" in provisions(cluster, "a-2", code=7).err
    time.sleep(0.5)
    open(cluster.rigger.path("go"), "w").close()
    said = second.communicate(timeout=60)[0].decode()
    assert second.returncode == 0 and first.wait(60) == 0
    first.communicate()
    assert "Request a-1 is under way" in said and "begun\n" in said and "over\n" in said
    assert len(begun(cluster, "a-1")) == 1


# Killed. One second is enough for the steps, so that some moments lie before, and some after them.

ASKS = "import subprocess, sys; sys.exit(subprocess.call(sys.argv[1:], start_new_session=True))"
MOMENTS = 30


def counted(cluster):
    """Let every step count, when it has ended well, what it did."""
    for role, verb in (("provider", "install"), ("platform", "install"), ("platform", "deploy")):
        cluster.script(role, verb, f'sleep 0.2\necho {role}/{verb} >>"$NOTED.done"\n')
    cluster.configure("--set", "NODES=0", "--yes")


def done_once(cluster, request):
    """Hold the record to: one result, no step that had ended well began again, and none was left out."""
    [end] = events(cluster, "request-finished", request=request)
    runs = {run["run"] for run in begun(cluster, request)}
    good = [
        (r["module"], r["step"])
        for r in events(cluster, "step-finished", exit_code=0)
        if r["run"] in runs and r["step"] != "check"
    ]
    assert len(good) == len(set(good)) == 4, good
    assert end["exit_code"] == 0
    return len(runs)


@pytest.mark.heavy
def test_a_caller_that_is_killed_at_any_moment_and_asks_again(cluster):
    counted(cluster)
    chance = random.Random(4711)
    for number in range(MOMENTS):
        request = f"caller-{number}"
        words = [*cluster.rigger.argv, "provision", "--again", "--request", request]
        caller = subprocess.Popen(
            [sys.executable, "-c", ASKS, *words],
            cwd=cluster.rigger.folder,
            env=cluster.rigger.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        time.sleep(chance.uniform(0, 4))
        caller.send_signal(signal.SIGKILL)
        caller.wait()
        caller.stdout.close()
        said = cluster.rigger("provision", "--again", "--request", request)
        again = cluster.rigger("provision", "--again", "--request", request)
        assert "carried out before" in again.out, said
        assert done_once(cluster, request) == 1


@pytest.mark.heavy
def test_a_rigger_that_is_killed_at_any_moment_and_is_asked_again(cluster):
    counted(cluster)
    chance, resumed = random.Random(4712), 0
    for number in range(MOMENTS):
        request = f"rigger-{number}"
        process = cluster.rigger.start("provision", "--again", "--request", request)
        time.sleep(chance.uniform(0.3, 2))
        process.send_signal(signal.SIGKILL)
        process.wait()
        cluster.rigger("provision", "--again", "--request", request)
        assert "carried out before" in cluster.rigger("provision", "--again", "--request", request).out
        resumed += done_once(cluster, request) - 1
        process.stdout.close()
    assert resumed > 3  # else no kill met a run
    assert cluster.rigger("audit").code == 0
