"""An environment, made and changed by answers, from Python."""

import os
import subprocess
import sys

import pytest
from conftest import ROOT
from helpers.platform_repository import Repository
from helpers.without_terminal import Listener, Person, configured

from rigger.environments.drafts import Draft
from rigger.environments.home import Home
from rigger.errors import BadUsage, Interrupted
from rigger.operations.answers import Given
from rigger.operations.configure import configure
from rigger.operations.consent import Consent
from rigger.operations.provision import provision
from rigger.operations.status import status

MODULES = {"PROVIDER": "soil", "PLATFORM": "tree"}
SECRET = "a-secret-token"


@pytest.fixture
def home(cluster):
    return Home(cluster.rigger.home)


class Speaker:
    """Somebody who answers a question as a dict says, else takes the default, and may stop at one."""

    def __init__(self, stops_at="", **answers):
        self.answers, self.stops_at, self.asked, self.reviewed = answers, stops_at, [], 0

    def __call__(self, describe, told):
        return self

    def fill(self, interview, on_answer):
        while question := interview.advance():
            self.asked.append(question.name)
            if question.name == self.stops_at:
                raise Interrupted("Nothing was changed.")
            default = interview.default(question) or ""
            interview.answer(question, self.answers.get(question.name, default))
            on_answer()

    def review(self, interview, on_answer):
        self.reviewed += 1


def test_an_environment_is_made_and_is_the_current_one(home):
    given = Given("wood", {**MODULES, "NODES": "3", "TOKEN": SECRET})
    made = configure(home, given)
    wood = made.environment
    assert [*made.as_dict()] == [
        "name",
        "vars_file",
        "changed",
        "command",
        "version_change",
        "current_before",
    ]
    assert made.changed and made.as_dict()["version_change"] is None
    assert home.current_name() == "wood" and made.as_dict()["vars_file"] == wood.vars_file
    assert wood.vars()["NODES"] == "3" and wood.secrets() == {"TOKEN": SECRET}
    assert "COLOUR" not in wood.vars(), "a default is worked out when it is used"
    assert made.secrets == ("RIGGER_TOKEN",) and SECRET not in made.command + repr(made)


def test_the_command_that_is_told_gives_the_same_again(home):
    made = configure(home, Given("wood", {**MODULES, "NODES": "3", "COMMENT": "a 'few' words"}))
    before = made.environment.values()
    assert made.command.startswith("rigger configure --no-input --name wood ")
    copy = {**os.environ, "RIGGER_HOME": f"{home.path}-copy", "PYTHONPATH": ROOT}
    words = made.command.replace("rigger", f"{sys.executable} -m rigger", 1)
    subprocess.run(["sh", "-c", words], env=copy, check=True, capture_output=True)
    after = Home(f"{home.path}-copy").get("wood").values()
    own = ("TREE_ID", "PATH", "ORIGINAL_PATH")
    assert {n: v for n, v in before.items() if n not in own} == {
        n: v for n, v in after.items() if n not in own
    }


def test_the_same_again_changes_nothing_and_records_nothing(home, wood):
    records = len(wood.audit.records())
    assert not configure(home, Given(defaults=True)).changed
    assert not configure(home, Given("wood", MODULES)).changed
    assert len(wood.audit.records()) == records


def test_what_was_not_said_stays(home):
    configure(home, Given("wood", {**MODULES, "NODES": "3", "TOKEN": SECRET}))
    changed = configure(home, Given(flags={"COLOUR": "red"}))
    vars = changed.environment.vars()
    assert changed.changed and (vars["COLOUR"], vars["NODES"]) == ("red", "3")
    assert changed.environment.secrets() == {"TOKEN": SECRET}


@pytest.mark.parametrize(
    "flags, said",
    [
        ({**MODULES, "NODES": "many"}, "NODES"),
        ({**MODULES, "COLUOR": "red"}, "There is no variable 'COLUOR'"),
        ({**MODULES, "PROVIDER": "sand"}, "sand"),
        ({**MODULES, "VERSION": "0.1"}, "VERSION"),
    ],
)
def test_what_is_wrong_makes_no_environment(home, flags, said):
    with pytest.raises(BadUsage, match=said):
        configure(home, Given("wood", flags))
    assert home.names() == [] and home.current_name() is None


def test_a_file_of_vars_is_taken_over_and_told_of(home, tmp_path):
    path = tmp_path / "prod.vars"
    path.write_text(
        'export PROVIDER="soil"\nexport PLATFORM="tree"\nexport NODES="4"\nexport TREE_ID="0123456789"\n'
    )
    heard = Listener()
    made = configure(home, Given(path=str(path), flags={"COLOUR": "red"}), heard).environment
    assert made.name == "prod" and f"NODES is 4 (from {path})" in heard.lines
    assert (made.vars()["NODES"], made.vars()["COLOUR"], made.vars()["TREE_ID"]) == ("4", "red", "0123456789")


# A conversation


def test_somebody_answers_and_looks_at_it_all(home):
    given, speaker = Given("wood", {"PLATFORM": "tree"}), Speaker(PROVIDER="soil", NODES="4")
    made = configure(home, given, ask=speaker)
    assert made.environment.vars()["NODES"] == "4" and speaker.reviewed == 1
    assert {"PROVIDER", "NODES", "COLOUR"} <= {*speaker.asked} and "PLATFORM" not in speaker.asked
    agreed = Speaker(PROVIDER="soil")
    configure(home, Given("grove", {"PLATFORM": "tree"}), consent=Consent(yes=True), ask=agreed)
    assert agreed.reviewed == 0


def test_who_stops_goes_on_later(home):
    with pytest.raises(Interrupted):
        speaker = Speaker(stops_at="COLOUR", PROVIDER="soil", NODES="4")
        configure(home, Given("wood", {"PLATFORM": "tree"}), ask=speaker)
    assert home.names() == [] and Draft(home.path, "wood").read()["NODES"] == "4"
    speaker, person = Speaker(), Person(True)
    made = configure(home, Given("wood"), consent=person.consent(), ask=speaker)
    assert "NODES" not in speaker.asked and made.environment.vars()["NODES"] == "4"
    assert person.asked == ["Resume with the answers given a moment ago?"]
    assert Draft(home.path, "wood").read() == {}


def test_a_wrong_name_is_told_before_anybody_answers(home):
    speaker = Speaker(**MODULES)
    with pytest.raises(BadUsage, match="COLUOR"):
        configure(home, Given("wood", {"COLUOR": "red"}), ask=speaker)
    assert speaker.asked == []


def test_a_change_says_which_environment_it_is_of(home, wood):
    heard = Listener()
    configure(home, Given(advanced=True), heard, ask=Speaker(NODES="4"))
    assert 'Changing environment wood; "rigger configure --name NAME" makes another.' in heard.lines
    assert wood.vars()["NODES"] == "4"


# A cluster that exists


def test_a_cluster_keeps_its_modules(home, wood, modules):
    modules.write("provider", "sand")
    changed = configure(home, Given("wood", {"PROVIDER": "sand"})).environment
    assert changed.vars()["PROVIDER"] == "sand", "nothing was made with the other one"
    configure(home, Given("wood", {"PROVIDER": "soil"}))
    provision(wood)
    speaker = Speaker()
    with pytest.raises(BadUsage, match="wood was made with PROVIDER=soil, which cannot change") as caught:
        configure(home, Given("wood", {"PROVIDER": "sand"}, advanced=True), ask=speaker)
    assert '"rigger destroy" first' in caught.value.next_step and wood.vars()["PROVIDER"] == "soil"
    assert speaker.asked == [], "nobody answers in vain"


def test_a_vars_file_that_was_lost_comes_back_from_the_record(home, wood):
    provision(wood)
    id = wood.vars()["TREE_ID"]
    os.unlink(wood.vars_file)
    heard = Listener()
    configure(home, Given("wood", defaults=True), heard)
    assert wood.vars()["TREE_ID"] == id and status(wood).problem == ""
    [warning] = heard.warnings
    assert f"{wood.vars_file} has lost what wood was made with; its record says: " in warning
    assert "PROVIDER=soil" in warning and '"rigger provision --again"' in warning


def test_scripts_that_cannot_run_are_warned_of(cluster, home):
    os.chmod(os.path.join(cluster.folders["platform"], "deploy"), 0o644)
    heard = Listener()
    configured(cluster)
    configure(home, Given("wood", defaults=True), heard)
    [warning] = heard.warnings
    assert warning.startswith("tree cannot do all it should: ") and "deploy" in warning


def test_a_repository_is_agreed_to_before_it_is_used(home, tmp_path):
    url = Repository(tmp_path / "oak").url
    given = Given("grove", {"REPOSITORY": url, "PROVIDER": "soil"})
    with pytest.raises(BadUsage, match=f"if the scripts of {url} at"):
        configure(home, given)
    assert home.names() == []
    made = configure(home, given, consent=Consent(trust=True)).environment
    assert os.path.isfile(made.file("checkout", "rigger", "deploy"))
    assert (made.vars()["PLATFORM"], made.vars()["OAK_ROOT"]) == ("oak", made.file("checkout"))
