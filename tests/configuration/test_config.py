"""What an environment is configured to be."""

import os

import pytest

from rigger.configuration import questionnaire, resolve
from rigger.environments.home import Home
from rigger.environments.state import state_of
from rigger.errors import BadUsage, InvalidConfig, RiggerError

PROVIDER = """
    types:
      small: {NODES: 1, SIZE: s}
      large: {NODES: 5, SIZE: xl}
    questions:
      - {name: NODES, type: integer, default: 3}
      - {name: REGION, default: "r-{{ NODES }}"}
      - {name: ZONE, when: "{{ REGION == 'far' }}", default: z}
      - {name: TOKEN, type: secret, optional: true}
"""
PLATFORM = "    prefix: OAK\n    versions: [1.9.0, 1.10.0, 1.10.0-rc.1]\n    questions:\n      - {name: COLOUR, default: green}\n"


@pytest.fixture
def home(tmp_path, rigger, modules, monkeypatch):
    modules.write("provider", "soil", PROVIDER)
    modules.write("platform", "tree", PLATFORM)
    for name in ("RIGGER_PROVIDER_PATH", "RIGGER_PLATFORM_PATH"):
        monkeypatch.setenv(name, rigger.env[name])
    return Home(str(tmp_path / "home"))


def environment(home, secrets=None, **vars):
    return home.create(
        "wood",
        {"PROVIDER": "soil", "PLATFORM": "tree", "VERSION": "1.10.0", "TYPE": "small", **vars},
        secrets or {},
    )


def test_values_answers_and_secrets(home):
    found = resolve.resolve(
        environment(
            home,
            {"TOKEN": "hush", "KEY": "from a script"},
            COLOUR="red",
            MADE="by a script",
            OAK_ID="0123456789",
        )
    )
    assert (found.provider.name, found.platform.name, found.id) == ("soil", "tree", "0123456789")
    assert found.values["NODES"] == "1" and found.values["REGION"] == "r-1" and found.values["SIZE"] == "s"
    assert found.values["OAK_VERSION"] == "1.10.0" and found.values["MADE"] == "by a script"
    assert found.secrets == {"TOKEN": "hush", "KEY": "from a script"}
    assert "TOKEN" not in found.parameters() and found.parameters()["COLOUR"] == "red"
    assert "hush" not in repr(found)


def test_a_default_is_worked_out_anew(home, modules):
    made = environment(home, TYPE="large")
    assert resolve.resolve(made).values["NODES"] == "5"
    modules.write("provider", "soil", PROVIDER.replace("NODES: 5", "NODES: 7"))
    assert resolve.resolve(made).values["NODES"] == "7"
    assert resolve.resolve(made, {"NODES": "2"}).values["REGION"] == "r-2"


def test_a_question_that_does_not_apply_has_no_value(home):
    assert "ZONE" not in resolve.resolve(environment(home, ZONE="left over")).values


def test_a_question_that_applies_has_one(home):
    assert resolve.resolve(environment(home, REGION="far")).values["ZONE"] == "z"


@pytest.mark.parametrize(
    ("vars", "named"),
    [
        ({"NODES": "many"}, "NODES"),
        ({"VERSION": "2"}, "VERSION"),
        ({"TYPE": "huge"}, "TYPE"),
        ({"PROVIDER": ""}, "PROVIDER"),
        ({"PLATFORM": "tre"}, "tree"),
        ({"PROVIDER": "/nowhere/soil"}, "/nowhere/soil"),
    ],
)
def test_what_is_wrong_is_named_with_the_file_and_the_next_step(home, vars, named):
    made = environment(home, **vars)
    with pytest.raises(InvalidConfig) as refused:
        resolve.resolve(made)
    assert (
        named in refused.value.message and made.vars_file in refused.value.message and refused.value.next_step
    )


def test_the_newest_version_is_the_default(home):
    questions = {
        q.name: q
        for q in questionnaire.Questionnaire(home.path).questions({"PLATFORM": "tree", "PROVIDER": "soil"})
    }
    assert questions["VERSION"].default == "1.10.0"
    assert [choice.value for choice in questions["VERSION"].choices] == ["1.10.0", "1.10.0-rc.1", "1.9.0"]


def test_few_questions_and_credentials_last(home):
    asked = [
        q.name
        for q in questionnaire.Questionnaire(home.path).questions({"PLATFORM": "tree", "PROVIDER": "soil"})
        if not q.advanced
    ]
    assert asked[:3] == ["VERSION", "PROVIDER", "TYPE"] and asked[-1] == "TOKEN"


def test_a_folder_is_welcome_as_a_module(home, rigger):
    folder = os.path.join(rigger.env["RIGGER_PROVIDER_PATH"], "soil")
    assert resolve.resolve(environment(home, PROVIDER=folder)).provider.folder == folder


def test_names_are_checked(home):
    catalog = questionnaire.Questionnaire(home.path)
    with pytest.raises(BadUsage) as refused:
        catalog.check_names({"NODE": "1"}, {"PLATFORM": "tree", "PROVIDER": "soil"}, "answers.env")
    assert "'NODE' (answers.env) (did you mean NODES?)" in refused.value.message


def test_a_broken_module_describes_itself_and_hides_no_other(home, rigger):
    folder = os.path.join(rigger.env["RIGGER_PROVIDER_PATH"], "broken")
    os.makedirs(folder)
    with open(os.path.join(folder, "rigger.yml"), "w") as file:
        file.write("interface: 2\nnmae: broken\n")
    catalog = questionnaire.Questionnaire(home.path)
    question = next(q for q in catalog.questions({}) if q.name == "PROVIDER")
    described = {choice.value: choice.description for choice in catalog.describe(question).choices}
    assert "cannot be used" in described["broken"] and "nmae" in described["broken"] and "soil" in described
    with pytest.raises(RiggerError):
        catalog.finder.module("provider", "broken")


def test_the_recorded_version_is_the_one_that_the_vars_said(home):
    made = environment(home)
    say = made.audit.append

    def step(command, version):
        say("run-started", command, id="0123456789", platform="tree", provider="soil")
        say(
            "step-started",
            command,
            step="deploy",
            command=command,
            parameters={"VERSION": version, "T": "***f"},
        )
        return state_of(made).cluster.answers

    assert state_of(made).cluster is None
    assert step("provision", "1") == {"VERSION": "1"}
    say("upgrade-started", **{"from": "1", "to": "2"})
    assert step("upgrade", "2") == {"VERSION": "1"}
    say("upgrade-started", rollback=True, **{"from": "2", "to": "1"})
    assert step("upgrade", "1") == {"VERSION": "1"}
    say("upgrade-rolled-back", **{"from": "2", "to": "1"})
    say("upgrade-started", **{"from": "1", "to": "3"})
    step("upgrade", "3")
    say("upgrade-finished", **{"from": "1", "to": "3"})
    assert state_of(made).cluster.answers == {"VERSION": "3"}
    assert step("test", "3") == {"VERSION": "3"}
    say("destroyed")
    assert state_of(made).cluster is None
