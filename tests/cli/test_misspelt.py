"""Variables of the process environment that rigger would read under nearly the same name."""

import pytest


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("RIGGER_HOEM", "RIGGER_HOME"),
        ("RIGGER_HOM", "RIGGER_HOME"),
        ("RIGGER_ENVIRONMNET", "RIGGER_ENVIRONMENT"),
        ("RIGGER_ENVIROMENT", "RIGGER_ENVIRONMENT"),
        ("RIGGER_PASPHRASE", "RIGGER_PASSPHRASE"),
        ("RIGGER_PROVIDERS_PATH", "RIGGER_PROVIDER_PATH"),
    ],
)
def test_a_misspelt_setting_is_named_by_every_command(rigger, name, meant):
    for words in (("list",), ("list", "-o", "json")):
        said = rigger(*words, env={name: "x"})
        assert f"rigger: {name} is set, but rigger does not read it (did you mean {meant}?)." in said.err
        assert name not in said.out


@pytest.mark.parametrize(
    "name",
    [
        *(
            "RIGGER_NAME",
            "RIGGER_PLATFORM",
            "RIGGER_PROVIDER",
            "RIGGER_VERSION",
            "RIGGER_NODES",
            "RIGGER_TIMEOUT",
        ),
        *("RIGGER_ENVIRONMENT_ID", "RIGGER_BIN_DIR", "RIGGER_SHELL_NAMES", "RIGGER_DOMAIN", "MY_RIGGER_HOEM"),
    ],
)
def test_of_answers_and_of_what_rigger_sets_nothing_is_said(rigger, name):
    assert rigger("list", env={name: "x"}).err == ""


def test_scripts_name_their_own_as_they_like(rigger):
    assert rigger("list", env={"RIGGER_HOEM": "x", "RIGGER_STEP": "1"}).err == ""


def test_configure_names_a_misspelt_answer(rigger, modules):
    text = "description: Earth\nquestions:\n  - {name: %s, ask: Which?, default: a}\n"
    modules.write("provider", "soil", text % "REGION")
    modules.write("provider", "sand", text % "REGIONS")
    options = ("configure", "--no-input", "--name", "a", "--provider", "soil", "--platform", "noop")
    given = {"RIGGER_REGOIN": "b", "RIGGER_REGIONS": "c", "RIGGER_ZONE": "d"}
    said = rigger(*options, env=given).out
    assert "RIGGER_REGOIN is set, but rigger does not read it (did you mean RIGGER_REGION?)." in said
    assert "RIGGER_REGIONS" not in said and "RIGGER_ZONE" not in said
    assert "does not read" not in rigger(*options, env={"RIGGER_REGION": "b"}).out
