"""Two people look after one cluster, each with a record of their own: a record that is behind must not act."""

import json
import os
import shutil
import time

import pytest
from helpers.clusters import wait_for
from helpers.machines import LOST_AFTER, Machines
from helpers.two_operators import VERSIONS, Crew, Interleaving


@pytest.fixture
def crew(rigger, modules, tmp_path):
    crew = Crew(rigger, modules, tmp_path)
    yield crew
    shutil.rmtree(crew.machines, ignore_errors=True)


@pytest.fixture(scope="module")
def fleet(tmp_path_factory):
    with Machines(tmp_path_factory.mktemp("fleet"), 3) as machines:
        yield machines


def ssh_crew(fleet, rigger, modules, tmp_path):
    rigger.env.update(RIGGER_SSH_TIMEOUT=LOST_AFTER)
    where = " ".join(f"{m.address}:{m.port}" for m in fleet.machines)
    sets = (f"SSH_MACHINES={where}", f"SSH_KEY={fleet.key}", f"SSH_USER={fleet.user}")
    return Crew(rigger, modules, tmp_path, ("ssh", *(word for one in sets for word in ("--set", one))))


def upgraded(crew, who, to=VERSIONS[1], **options):
    return who("upgrade", "--version", to, "--upgrade-style", "inplace", **options)


@pytest.mark.slow
def test_a_record_that_is_behind_takes_nothing_back(crew):
    crew.together()
    upgraded(crew, crew.ada)
    crew.ada("config", "set", "NODES=1")
    crew.ada("provision", "-y")
    before = crew.acts()
    for command in (
        ("provision", "-y", "--again"),
        ("upgrade", "--version", VERSIONS[1], "--upgrade-style", "inplace"),
        ("test", "smoke"),
        ("destroy", "-y"),
    ):
        said = crew.bob(*command, code=8)
        assert "This record of ship is behind: " in said.err
        assert f"It says {VERSIONS[1]} on node-1; this one {VERSIONS[0]} on node-1, node-2." in said.err
        assert "configure --file" in said.err and "--take-over" in said.err
    assert crew.acts() == before
    assert not os.path.exists(crew.node(2)) and os.path.exists(crew.node(1))


@pytest.mark.slow
def test_a_record_that_is_behind_says_what_it_knows_to_run_whatever_it_wishes(crew):
    crew.together()
    upgraded(crew, crew.ada)
    crew.bob("config", "set", f"VERSION={VERSIONS[1]}")
    said = upgraded(crew, crew.bob, code=8)
    assert f"It says {VERSIONS[1]} on node-1, node-2; this one {VERSIONS[0]} on node-1, node-2." in said.err


@pytest.mark.slow
def test_check_of_a_record_that_is_behind_advises_nothing_that_takes_members_back(crew):
    crew.together()
    upgraded(crew, crew.ada)
    said = crew.bob("check", code=8)
    assert "is behind" in said.err and "rigger provision" not in said.err


@pytest.mark.slow
def test_the_newer_bundle_is_the_way_on(crew):
    crew.together()
    upgraded(crew, crew.ada)
    crew.bob("check", code=8)
    crew.bob("provision", code=8)
    crew.hand_over(crew.ada, crew.bob)
    crew.bob("check")
    upgraded(crew, crew.bob, VERSIONS[2])
    crew.ada("provision", "--again", "-y", code=8)


@pytest.mark.slow
def test_taking_over_is_recorded_and_leaves_the_other_behind(crew):
    crew.together()
    upgraded(crew, crew.ada)
    said = crew.bob("provision", "-y", "--again", "--take-over")
    assert "Taken over from " in said.out + said.err
    assert [r["event"] for r in crew.log(crew.bob)].count("taken-over") == 1
    assert "is behind" in crew.ada("provision", "-y", "--again", code=8).err


@pytest.mark.slow
def test_what_changes_nothing_leaves_both_able_to_act(crew):
    crew.together()
    crew.ada("test", "smoke")
    crew.ada("provision")
    crew.bob("provision")
    upgraded(crew, crew.bob)


@pytest.mark.slow
def test_machines_that_a_record_knows_nothing_of_are_not_removed(crew):
    crew.hand_over(crew.ada, crew.bob)
    crew.ada("provision")
    crew.bob("config", "set", "NODES=1")
    assert "is behind" in crew.bob("provision", "-y", code=8).err
    assert "is behind" in crew.bob("destroy", "-y", code=8).err
    assert os.path.exists(crew.node(2))


@pytest.mark.slow
def test_one_run_at_a_time(crew):
    crew.together()
    crew.close_gate()
    running = crew.ada.start("provision", "-y", "--again")
    wait_for(crew.at_the_gate)
    for options in ((), ("--take-over",)):
        assert "being changed with another record" in crew.bob("provision", "-y", *options, code=7).err
    began = time.monotonic()
    said = crew.bob("provision", "-y", "--wait=3s", code=7)
    assert "Waiting: ship is being changed with another record" in said.out and time.monotonic() - began > 3
    waiting = crew.bob.start("provision", "-y", "--wait=5m")
    time.sleep(3)
    assert waiting.poll() is None
    crew.open_gate()
    assert running.wait(60) == 0
    said = waiting.communicate(timeout=60)[0].decode()
    assert "Waiting: ship is being changed" in said and "is behind" in said and waiting.returncode == 8
    assert [record["event"] for record in crew.log(crew.bob)].count("claim-begun") <= 5
    assert not crew.clashes()


@pytest.mark.slow
def test_a_run_that_was_killed_is_gone_on_with_by_its_own_record_alone(crew):
    crew.together()
    crew.close_gate()
    running = crew.ada.start("provision", "-y", "--again")
    wait_for(crew.at_the_gate)
    running.kill()
    running.communicate()
    assert "being changed" in crew.bob("provision", "-y", code=7).err  # its script goes on
    crew.open_gate()
    wait_for(lambda: not crew.at_the_gate())
    wait_for(lambda: crew.ada("check", code=None).code != 7)
    said = crew.bob("provision", "-y", code=8).err
    assert "is behind" in said and "did not end" in said
    crew.ada("provision", "-y")
    crew.hand_over(crew.ada, crew.bob)
    crew.bob("provision", "-y", "--again")


@pytest.mark.slow
def test_a_killed_run_of_another_machine_counts_as_over_after_a_while(crew):
    crew.together()
    path = crew.claim_file(1, "claim.run")
    run = dict.fromkeys(("head", "who", "when", "command", "path", "place"), "elsewhere")
    run = {"id": crew.id(), "serial": 1, **run, "pid": 1, "started": 1}
    run = {
        name: run[name]
        for name in ("id", "serial", "head", "who", "when", "command", "path", "place", "pid", "started")
    }
    for until, code in ((2**33, 7), (1, 8)):
        with open(path, "w") as file:
            file.write(f"{until} {json.dumps(run, separators=(',', ':'))}\n")
        for options, expected in (((), code), (("--take-over",), 7 if code == 7 else 0)):
            crew.ada("provision", "-y", "--again", *options, code=expected)
    assert not os.path.exists(path)


@pytest.mark.slow
def test_a_claim_that_is_gone_and_a_record_that_lost_its_past_are_alarms(crew):
    crew.together()
    claims = [crew.claim_file(number) for number in (1, 2)]
    os.unlink(claims[0])
    crew.ada("provision")  # one of two is enough
    upgraded(crew, crew.ada)
    assert os.path.exists(claims[0])
    for path in claims:
        os.unlink(path)
    said = crew.ada("provision", "-y", "--again", code=8).err
    assert "The claim of ship is gone from node-1, node-2" in said
    crew.ada("check", code=8)
    crew.ada("provision", "-y", "--again", "--take-over")
    for name in ("audit.jsonl", "audit.head"):
        os.unlink(crew.ada.path("environments", "ship", name))
    assert (
        "there is no record, although there are machines"
        in crew.ada("provision", "-y", "--again", code=3).err
    )


@pytest.mark.slow
def test_a_cluster_without_a_claim_is_taken_as_it_is(crew):
    crew.together()
    for number in (1, 2):
        os.unlink(crew.claim_file(number))
    log = crew.ada.path("environments", "ship", "audit.jsonl")
    with open(log) as file:
        lines = file.readlines()
    with open(log, "w") as file:
        file.writelines(line for line in lines[: next(i for i, x in enumerate(lines) if '"claim-left"' in x)])
    os.unlink(crew.ada.path("environments", "ship", "audit.head"))  # of an older rigger, which kept none
    crew.ada("provision", "-y", "--again")


def test_save_says_that_only_one_may_go_on(crew):
    assert (
        "Only one of the two may change the cluster"
        in crew.ada("save", "-o", os.path.join(crew.folder, "x")).out
    )


@pytest.mark.slow
def test_nothing_is_left_where_the_cluster_was_destroyed(fleet, rigger, modules, tmp_path):
    crew = ssh_crew(fleet, rigger, modules, tmp_path)
    crew.together()
    crew.ada("provision", "-y", "--again")
    assert "is behind" in crew.bob("destroy", "-y", code=8).err
    said = crew.ada("ssh", "node-1", "find", "/var/lib/rigger", ".", "-name", "claim", code=None).out
    assert f"{crew.id()}/claim" in said
    crew.ada("destroy", "-y")
    assert not any("claim" in name for name in left_on(fleet))
    crew.ada("provision", "-y")
    crew.ada("destroy", "-y")


def left_on(fleet):
    found = []
    for machine in fleet.machines:
        root = f"/proc/{machine.pid}/root" if machine.pid else ""
        for place in (f"{root}/var/lib/rigger", f"{root}{machine.home}/.local"):
            found += [
                os.path.join(where, n) for where, folders, names in os.walk(place) for n in (*names, *folders)
            ]
    return found


@pytest.mark.slow
def test_a_few_random_interleavings(crew):
    crew.together()
    Interleaving(crew, seed=0, steps=8).run()


@pytest.mark.heavy
@pytest.mark.parametrize("seed", range(1, 101))
def test_random_interleavings(crew, seed):
    crew.together()
    Interleaving(crew, seed, steps=10).run()


@pytest.mark.heavy
@pytest.mark.parametrize("seed", range(101, 121))
def test_random_interleavings_over_ssh(fleet, rigger, modules, tmp_path, seed):
    crew = ssh_crew(fleet, rigger, modules, tmp_path)
    crew.together()
    try:
        Interleaving(crew, seed, steps=8).run()
    finally:
        for who in crew.both:
            who("destroy", "-y", "--take-over", code=None)
