"""What goes wrong on a machine of the provider local: made on that one alone, undone, and gone with it."""

import os
import subprocess
import time

import pytest
from helpers.clusters import wait_for
from helpers.steps import Steps


@pytest.fixture
def machines(private_home):
    steps = Steps(private_home, NODES="2")
    steps.provider("create")
    yield steps
    steps.provider("destroy")
    assert steps.processes() == [] and not os.path.exists(steps.machines)


def faults(steps, *words, code=0):
    done = subprocess.run(
        [os.path.join(steps.folders["provider"], "faults"), *words],
        env=steps.environment("provider"),
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == code, done
    return done.stdout


def sleeper(steps, node):
    """Start a program on a machine that outlives the command, and return its number."""
    said = steps.on(node, "sh", "-c", "setsid sleep 300 </dev/null >/dev/null 2>&1 & echo $!")
    pid = int(said.stdout)
    wait_for(lambda: state(pid) == "S")
    return pid


def state(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(") ")[2][0]
    except OSError:
        return ""


def offered(steps):
    return {line.split("\t")[0]: line.split("\t")[1:] for line in faults(steps, "list").splitlines()}


def test_every_fault_is_offered_or_said_why_not(machines):
    found = offered(machines)
    assert {*found} == {"member-killed", "node-silent", "node-slow", "disk-slow", "link-slow", "disk-full"}
    assert all(possible in ("yes", "no") and words for possible, words in found.values())
    assert [name for name in ("disk-slow", "link-slow") if found[name][0] == "yes"] == []


def test_a_machine_is_silent_and_goes_on_and_dies_alone(machines):
    other, struck = sleeper(machines, "node-1"), sleeper(machines, "node-2")
    faults(machines, "make", "node-silent", "node-2")
    wait_for(lambda: state(struck) == "T")
    faults(machines, "undo", "node-silent", "node-2")
    wait_for(lambda: state(struck) == "S")
    faults(machines, "make", "member-killed", "node-2")
    wait_for(lambda: state(struck) in ("", "Z"))
    faults(machines, "undo", "member-killed", "node-2")
    assert state(other) == "S"
    faults(machines, "make", "node-silent", "node-9", code=1)
    faults(machines, "make", "flood", "node-2", code=1)


def test_a_slow_machine_stands_still_most_of_the_time_until_that_is_undone(machines):
    struck = sleeper(machines, "node-2")
    faults(machines, "make", "node-slow", "node-2")
    wait_for(lambda: state(struck) == "T")
    seen = []
    for _ in range(50):
        seen.append(state(struck))
        time.sleep(0.02)
    assert seen.count("T") > 20 and seen.count("S") > 0
    faults(machines, "undo", "node-slow", "node-2")
    time.sleep(0.4)
    assert state(struck) == "S"
    # One that nobody undoes ends with the machine: the fixture looks.
    faults(machines, "make", "node-slow", "node-1")


def test_a_full_disk_is_full_until_that_is_undone_and_goes_with_the_machine(machines):
    if offered(machines)["disk-full"][0] == "no":
        pytest.skip(f"disk-full: {offered(machines)['disk-full'][1]}")
    faults(machines, "prepare", "disk-full", "node-2")
    write = ("sh", "-c", "head -c 100000 /dev/zero >more")
    assert machines.on("node-2", *write).returncode == 0
    faults(machines, "make", "disk-full", "node-2")
    assert machines.on("node-2", "sh", "-c", "head -c 100000 /dev/zero >another").returncode != 0
    assert machines.on("node-1", *write).returncode == 0
    faults(machines, "undo", "disk-full", "node-2")
    assert machines.on("node-2", *write).returncode == 0
