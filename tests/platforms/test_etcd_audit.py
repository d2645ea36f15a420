"""What the audit of the platform `etcd` finds, on real members that somebody worked on by hand."""

import os
import re
import shutil

import pytest
from helpers.clusters import wait_for
from helpers.etcd_members import kill

pytestmark = pytest.mark.slow


@pytest.fixture
def cluster(steps):
    one = steps()
    one.provision()
    return one


def home_of(cluster, node):
    return os.path.join(cluster.machines, node, "rigger-etcd")


def by_hand(cluster, node, script):
    done = cluster.on(node, "sh", "-c", script)
    assert done.returncode == 0, done


def differences(cluster, code=8, **values):
    return cluster.platform("audit", code=code, **values).out


def test_what_rigger_made_has_no_differences(cluster):
    assert differences(cluster, 0) == ""
    cluster.provision(4)
    kill(cluster, "node-2")
    cluster.platform("deploy")
    assert differences(cluster, 0) == ""
    cluster.platform("upgrade-graceful", ETCD_VERSION="3.5.1", RIGGER_FROM_VERSION="3.5.0")
    assert differences(cluster, 0, ETCD_VERSION="3.5.1") == ""
    said = differences(cluster)
    assert "3.5.1/etcd" in said and said.count("has other flags") == 4


def test_members_that_were_added_or_taken_away(cluster):
    change_members(cluster, "add", "eve", "--peer-urls=http://127.9.9.9:2380")
    assert "that is none of this environment's nodes" in differences(cluster)
    found = {line.split(", ")[2] or "eve": line.split(",")[0] for line in listed(cluster)}
    change_members(cluster, "remove", found["eve"])
    assert differences(cluster, 0) == ""
    change_members(cluster, "remove", found["node-3"])
    assert "node-3 has no member in the cluster" in differences(cluster)


def change_members(cluster, *arguments):
    """Change the members, once they have known one another for the seconds that etcd wants."""

    def changed():
        try:
            # One that is taken away would end before it has answered.
            return cluster.etcdctl("member", *arguments, node="node-1") or True
        except AssertionError as problem:
            assert "unhealthy cluster" in str(problem)
            return False

    wait_for(changed)


def listed(cluster):
    return cluster.etcdctl("member", "list").splitlines()


def test_a_process_that_ended_and_one_beside_the_member(cluster):
    program = f"{home_of(cluster, 'node-1')}/3.5.0/etcd"
    gateway = f"{program} gateway start --listen-addr=127.0.0.1:0 --endpoints=127.0.0.1:2379"
    by_hand(cluster, "node-1", f"setsid {gateway} >/dev/null 2>&1 </dev/null & sleep 1")
    kill(cluster, "node-2")
    said = differences(cluster)
    assert re.search(r"node-1: process \d+ runs etcd, beside the member", said)
    assert "node-2: etcd does not run" in said


def test_flags_of_what_runs_and_of_its_next_start(cluster):
    run = f"{home_of(cluster, 'node-1')}/run"
    with open(run) as file:
        text = file.read()
    with open(run, "w") as file:
        file.write(re.sub(r"^(set -- .*)$", r"\1 --max-txn-ops '77'", text, count=1, flags=re.M))
    said = differences(cluster)
    assert "node-1" in said and "has other flags" in said and "runs with other words" not in said
    kill(cluster, "node-1")
    by_hand(
        cluster,
        "node-1",
        f"rm {home_of(cluster, 'node-1')}/member; setsid sh {run} >/dev/null 2>&1 </dev/null & sleep 1",
    )
    assert (
        "node-1: etcd runs with other words than it was started with: with --max-txn-ops 77"
        in differences(cluster)
    )


def test_programs_and_data(cluster):
    program = f"{home_of(cluster, 'node-2')}/3.5.0/etcd"
    os.rename(program, f"{program}.old")
    shutil.copy(f"{program}.old", program)
    with open(program, "ab") as file:
        file.write(b"\0")
    data = f"{home_of(cluster, 'node-3')}/data"
    os.chmod(data, 0o755)
    said = differences(cluster)
    assert (
        f"node-2: the programs in {os.path.dirname(program)} are not those that were installed there" in said
    )
    os.remove(f"{os.path.dirname(program)}/sums")  # older members have none
    assert "the programs of etcd 3.5.0 on node-2 are not those on node-1" in differences(cluster)
    assert f"node-3: others than its owner may look into {data} (r-xr-x)" in said
    kill(cluster, "node-3")
    shutil.rmtree(data)
    assert "node-3: its data are gone" in differences(cluster)


def test_a_program_of_another_version_under_its_name(steps):
    one = steps()
    one.provision(1)
    program = f"{home_of(one, 'node-1')}/3.5.0/etcd"
    os.rename(program, f"{program}.old")
    with open(program, "w") as file:
        file.write("#!/bin/sh\necho etcd Version: 3.4.27\n")
    os.chmod(program, 0o755)
    said = differences(one)
    assert f"node-1: {program} is not etcd 3.5.0, it says: etcd Version: 3.4.27" in said
    assert "are not those that were installed there" in said
    assert "the program that runs was replaced or deleted" not in said  # it runs, under its other name


def test_programs_that_are_not_whole_are_installed_again(steps):
    one = steps()
    one.provision(2)
    gone, short = (f"{home_of(one, node)}/3.5.0" for node in ("node-1", "node-2"))
    os.remove(f"{gone}/etcdctl")
    shutil.copy(f"{short}/etcd", f"{short}/cut")
    os.truncate(f"{short}/cut", 100)
    os.rename(f"{short}/cut", f"{short}/etcd")
    said = differences(one)
    assert f"node-1: {gone}/etcdctl is not there" in said
    assert f"node-2: the programs in {short} are not those that were installed there" in said
    one.platform("install")
    assert "are not those" not in differences(one) and "is not there" not in differences(one)


def test_nodes_that_are_no_more(cluster):
    shutil.rmtree(home_of(cluster, "node-1"))
    assert "node-1: there is no etcd" in differences(cluster)
