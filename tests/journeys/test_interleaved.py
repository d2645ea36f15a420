"""Two riggers at once: what one does while the other stands still, at moments that are easily forgotten."""

import subprocess
import sys

import pytest
from helpers.clusters import Cluster
from helpers.halted import Halted
from helpers.run_records import unbroken

from rigger.trust import ledger

WRITES = "rigger.audit.log.render"
CONFIGURE = ["configure", "--defaults", "--name", "wood", "--provider", "soil", "--platform", "tree"]


@pytest.fixture
def cluster(rigger, modules):
    return Cluster(rigger, modules)


def test_a_first_record_that_comes_late_breaks_nothing(cluster, rigger, tmp_path):
    with Halted(rigger, str(tmp_path), *CONFIGURE, before=WRITES) as slow:
        rigger("-e", "wood", "provision", code=None)  # there is no environment yet
        code, said = slow.goes_on()
    assert code == 0, said
    assert [record["event"] for record in cluster.records()] == ["configured"]
    rigger("provision")
    assert unbroken(cluster)


@pytest.mark.slow
def test_nobody_gets_in_between_a_new_environment_and_the_rest_that_configure_does(cluster, rigger, tmp_path):
    with Halted(rigger, str(tmp_path), *CONFIGURE, before="rigger.operations.write.compute") as slow:
        said = rigger("-e", "wood", "provision", code=7)
        assert "rigger configure" in said.err
        assert slow.goes_on()[0] == 0
    rigger("provision")
    assert unbroken(cluster)


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [[*CONFIGURE, "--set", "COLOUR=red"], ["config", "set", "COLOUR=red"], ["provision"], ["destroy", "-y"]],
    ids=["configure", "config set", "provision", "destroy"],
)
def test_whoever_records_keeps_others_from_recording(cluster, rigger, tmp_path, command):
    cluster.configure()
    with Halted(rigger, str(tmp_path), *command, before=WRITES) as slow:
        for other in (["config", "set", "COLOUR=blue"], [*CONFIGURE, "--set", "COLOUR=blue"], ["provision"]):
            rigger(*other, code=7)
        assert slow.goes_on()[0] == 0
    rigger("config", "set", "COLOUR=blue")
    assert unbroken(cluster)


def test_of_those_who_agree_at_once_all_are_remembered(rigger):
    home = rigger.path()
    code = "import sys; from rigger.trust.ledger import agree_repository as agree; agree(*sys.argv[1:])"
    urls = [f"https://git.example.com/{name}.git" for name in "abcdefgh"]
    running = [
        subprocess.Popen([sys.executable, "-c", code, home, url, "a" * 40], env=rigger.env) for url in urls
    ]
    assert [one.wait() for one in running] == [0] * len(urls)
    assert [url for url in urls if not ledger.agreed_commits(home, url)] == []
