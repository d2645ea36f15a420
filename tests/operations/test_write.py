"""What was answered, written: values that are stored, and those that are taken back."""

import os

import pytest
from helpers.platform_repository import Repository
from helpers.repositories import git
from helpers.without_terminal import Listener

from rigger.envfile import file as envfile
from rigger.environments.home import Home
from rigger.errors import BadUsage, Locked
from rigger.operations.answers import Given
from rigger.operations.configure import configure
from rigger.operations.consent import Consent
from rigger.operations.provision import provision
from rigger.operations.write import compute

MODULES = {"PROVIDER": "soil", "PLATFORM": "tree"}
TRUST = Consent(trust=True)


@pytest.fixture
def home(cluster):
    return Home(cluster.rigger.home)


def written(home, heard=None, ask=None, **values):
    return configure(home, Given("wood", values, defaults=ask is None), heard, TRUST, ask).environment


def own_names(environment) -> set[str]:
    return {*environment.vars()} - {"PATH", "ORIGINAL_PATH"}


class Meanwhile:
    """Somebody during whose conversation another rigger does something."""

    def __init__(self, do):
        self.do = do

    def __call__(self, describe, told):
        return self

    def fill(self, interview, on_answer):
        interview.take_defaults = True
        assert interview.advance() is None

    def review(self, interview, on_answer):
        self.do()


def test_what_nobody_said_is_not_stored(home):
    wood = written(home, **MODULES, COLOUR="red")
    assert own_names(wood) == {"PROVIDER", "PLATFORM", "COLOUR", "VERSION", "TREE_ID", "TREE_VERSION"}
    assert len(wood.vars()["TREE_ID"]) == 10 and wood.secrets() == {}


def test_a_new_one_is_recorded_by_names_alone(home):
    wood = written(home, **MODULES, TOKEN="a-secret-token")
    [record] = wood.audit.records()
    assert record["by"] == "rigger configure" and {"TOKEN", "PROVIDER"} <= {*record["changed"]}
    assert "a-secret-token" not in str(record)
    assert wood.secrets() == {"TOKEN": "a-secret-token"} and "TOKEN" not in wood.vars()


def test_a_change_is_recorded_by_what_is_different(home):
    wood = written(home, **MODULES, COLOUR="red", NODES="3")
    written(home, COLOUR="blue", NODES="3")
    assert wood.audit.records()[-1]["changed"] == ["COLOUR"]
    written(home, COLOUR="blue")
    assert len(wood.audit.records()) == 2


def test_what_only_the_other_provider_knew_goes_with_it(home, modules):
    modules.write("provider", "sand", "questions: [{name: GRAIN, default: fine}]\n")
    wood = written(home, **MODULES, NODES="3", COLOUR="red")
    written(home, PROVIDER="sand", GRAIN="coarse")
    assert "NODES" not in wood.vars() and wood.vars()["COLOUR"] == "red"
    written(home, PROVIDER="soil")
    assert "GRAIN" not in wood.vars()


def test_an_environment_that_somebody_else_made_meanwhile_is_not_written_over(home):
    first = Meanwhile(lambda: written(home, **MODULES, COLOUR="red"))
    with pytest.raises(
        BadUsage, match="Another rigger configure has made the environment wood meanwhile"
    ) as caught:
        written(home, ask=first, **MODULES, COLOUR="blue")
    assert "--name NAME" in caught.value.next_step
    assert home.get("wood").vars()["COLOUR"] == "red"


def test_what_others_saved_while_somebody_answered_stays(home):
    wood = written(home, **MODULES, COLOUR="red")
    others = Meanwhile(lambda: wood.save_values({**wood.values(), "NODES": "7"}))
    written(home, ask=others, COLOUR="blue")
    assert (wood.vars()["NODES"], wood.vars()["COLOUR"]) == ("7", "blue")


def test_an_environment_in_use_is_left_alone(home):
    wood = written(home, **MODULES, COLOUR="red")
    with wood.locked("rigger provision"), pytest.raises(Locked, match="rigger provision"):
        written(home, COLOUR="blue")
    assert wood.vars()["COLOUR"] == "red" and len(wood.audit.records()) == 1


def test_another_id_is_not_put_on_a_cluster_that_exists(home, wood, tmp_path):
    provision(wood)
    path = tmp_path / "wood.vars"
    before = wood.vars()
    envfile.write(str(path), {**MODULES, "TREE_ID": "0123456789"})
    with pytest.raises(BadUsage, match="TREE_ID"):
        configure(home, Given("wood", path=str(path), defaults=True))
    assert wood.vars() == before


def test_vars_that_a_module_computes_are_written_with_the_rest(home, modules):
    modules.write(
        "provider", "sand", 'vars: {PLACE: "{{ NODES }} nodes"}\nquestions: [{name: NODES, default: "2"}]\n'
    )
    wood = written(home, PROVIDER="sand", PLATFORM="tree", NODES="4")
    assert wood.vars()["PLACE"] == "4 nodes"
    wood.save_values({**wood.values(), "NODES": "5"})
    compute(wood)
    assert wood.vars()["PLACE"] == "5 nodes"


@pytest.mark.slow
def test_a_checkout_follows_what_was_chosen_unless_work_would_be_lost(home, tmp_path):
    repository = Repository(tmp_path / "oak")
    wood = written(home, PROVIDER="soil", REPOSITORY=repository.url, VERSION="v1.9.0")
    folder = wood.file("checkout")
    assert git(folder, "describe", "--tags") == "v1.9.0" and wood.vars()["OAK_ROOT"] == folder
    heard = Listener()
    written(home, heard, VERSION="v1.10.0")
    assert git(folder, "describe", "--tags") == "v1.10.0"
    commit = git(folder, "rev-parse", "HEAD")
    assert f"{folder} is at v1.10.0 ({commit[:12]})." in heard.lines
    with open(os.path.join(folder, "rigger", "deploy"), "a") as file:
        file.write("# mine\n")
    heard = Listener()
    written(home, heard, VERSION="v1.9.0")
    assert git(folder, "rev-parse", "HEAD") == commit and wood.vars()["VERSION"] == "v1.9.0"
    assert heard.warnings[0].startswith(f"{folder} is not changed: ")
    assert '"rigger checkout" brings it to what is configured.' in heard.lines
    assert [r["version"] for r in wood.audit.records() if r["event"] == "checked-out"] == [
        "v1.9.0",
        "v1.10.0",
    ]
