"""The operator's journey with a real etcd: stand up, watch, save, load elsewhere, upgrade there, lose nothing."""

import json
import os

import pytest
from helpers.clusters import killed, wait_for
from helpers.second_machine import dies, elsewhere

ELECTION = 5.0  # seconds; etcd elects after 1 to 2 without a leader, and this machine may be busy
UPGRADE = ["upgrade", "--version", "3.5.1", "--upgrade-style"]


@pytest.fixture(scope="session")
def programs(tmp_path_factory):
    """What is downloaded once for all tests of a session."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "etcd-programs"
    folder.mkdir(exist_ok=True)
    return str(folder)


def use(rigger, programs):
    os.makedirs(rigger.home, mode=0o700, exist_ok=True)
    os.symlink(programs, rigger.path("cache"))
    return rigger


@pytest.fixture
def moved(rigger, programs, tmp_path):
    """A cluster of etcd 3.5.0 with applications, saved by one person and loaded by another."""
    use(rigger, programs)
    other = use(elsewhere(rigger, tmp_path), programs)
    rigger("configure", "--defaults", "--name", "prod", "--version", "3.5.0")
    try:
        rigger("provision")
        rigger("test", "app-deploy")
        rigger("save", "-o", tmp_path / "prod.rigger")
        other("configure", "--file", tmp_path / "prod.rigger")
        yield other
    finally:
        owner = other if os.path.isdir(other.path("environments", "prod")) else rigger
        owner("destroy", "--yes")
        assert not members(rigger, other)


def members(*riggers) -> list[str]:
    """Return the command lines of what still runs from any of the homes."""
    homes = [os.path.dirname(one.home) for one in riggers]
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/cmdline", "rb") as file:
                found.append(file.read().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return [line for line in found if any(line.startswith(f"{home}/") for home in homes)]


def versions(rigger) -> set[str]:
    said = rigger("shellinit").out
    endpoints = next(line.split('"')[1] for line in said.splitlines() if "ETCDCTL_ENDPOINTS" in line)
    import urllib.request

    found = set()
    for endpoint in endpoints.split(","):
        with urllib.request.urlopen(f"{endpoint}/version", timeout=10) as answer:
            found.add(json.load(answer)["etcdserver"])
    return found


def nothing_lost(rigger) -> dict:
    tested = json.loads(rigger("test", "app-test", "-o", "json").out)
    figures = tested["tests"][0]["figures"]
    assert (figures["lost"], figures["duplicated"]) == ("0", "0")
    assert int(figures["acknowledged"]) > 0
    return figures


def upgraded(rigger) -> bool:
    assert rigger("config", "get", "ETCD_VERSION").out == "3.5.1\n"
    assert json.loads(rigger("provision", "--plan", "-o", "json").out)["changes"] is False
    rigger("provision")
    return versions(rigger) == {"3.5.1"}


@pytest.mark.slow
def test_it_is_the_same_cluster_there(moved):
    assert json.loads(moved("status", "-o", "json").out)["state"] == "deployed"
    moved("provision", "--plan", "--exit-code")
    moved("check")
    moved("test", "smoke")
    nothing_lost(moved)
    moved("backup", "-f", "data")
    moved("restore", "data", "--yes")
    moved("check")


@pytest.mark.parametrize("style", ["graceful", pytest.param("inplace", marks=pytest.mark.slow)])
def test_upgraded_there_nothing_is_lost(moved, style):
    said = json.loads(moved(*UPGRADE, style, "-o", "json").out)
    figures = said["steps"][-1]["figures"]
    assert said["steps"][-1]["step"] == "tests/app-test"
    assert (figures["lost"], figures["duplicated"]) == ("0", "0")
    assert float(figures["longest_gap_seconds"]) > 0
    if style == "graceful":
        assert float(figures["longest_gap_seconds"]) < ELECTION
    assert upgraded(moved)
    nothing_lost(moved)


@pytest.mark.slow
@pytest.mark.parametrize("style", ["graceful", pytest.param("inplace", marks=pytest.mark.heavy)])
def test_killed_at_every_step_boundary_and_resumed_nothing_is_lost(moved, style):
    steps = ["tests/app-test", "backup", f"upgrade-{style}", "check"]
    boundaries = [f"step-{end} {step}" for step in steps for end in ("started", "finished")]
    assert not dies(moved, "upgrade-started", "after", *UPGRADE, style)
    begun = False  # what was killed before anything was changed is over
    for boundary in ["run-started", *boundaries, "run-finished"]:
        command = ("upgrade", "--continue") if begun else (*UPGRADE, style)
        assert not dies(moved, boundary, "after", *command), boundary
        begun = begun or boundary == f"step-started upgrade-{style}"
        assert moved("config", "get", "ETCD_VERSION").out == "3.5.0\n"
        assert ("from 3.5.0 to 3.5.1 is not finished" in moved("status").out) is begun
        if begun:
            moved("provision", code=3)
    moved("upgrade", "--continue")
    assert upgraded(moved)
    nothing_lost(moved)


@pytest.mark.slow
@pytest.mark.parametrize("style", ["graceful", pytest.param("inplace", marks=pytest.mark.heavy)])
def test_killed_inside_the_upgrade_and_resumed_nothing_is_lost(moved, style):
    process = moved.start(*UPGRADE, style)
    runs = moved.path("environments", "prod", "runs")

    def at_work():
        paths = [os.path.join(place, name) for place, _, names in os.walk(runs) for name in names]
        logs = [path for path in paths if path.endswith(f"upgrade-{style}.log")]
        return any(os.path.getsize(path) for path in logs)

    wait_for(at_work, 60)
    killed(process)
    wait_for(lambda: moved("upgrade", "--continue", code=None).code != 7, 120)
    assert upgraded(moved)
    nothing_lost(moved)


@pytest.mark.slow
def test_the_way_back_loses_nothing_either(moved):
    assert not dies(moved, "step-finished upgrade-graceful", "after", *UPGRADE, "graceful")
    moved("upgrade", "--rollback")
    assert versions(moved) == {"3.5.0"}
    assert moved("config", "get", "ETCD_VERSION").out == "3.5.0\n"
    nothing_lost(moved)


@pytest.mark.slow
def test_a_restore_in_the_middle_leads_back_to_the_old_version(moved):
    assert not dies(moved, "step-finished upgrade-graceful", "after", *UPGRADE, "graceful")
    moved("test", "app-destroy")
    moved("restore", moved.path("environments", "prod", "backups", backups(moved)[-1]), "--yes")
    assert versions(moved) == {"3.5.0"}
    assert "is not finished" not in moved("status").out
    moved("provision")
    moved(*UPGRADE, "inplace")
    assert upgraded(moved)


def backups(rigger) -> list[str]:
    return sorted(os.listdir(rigger.path("environments", "prod", "backups")))
