"""A changed value, validated by its question and in the form in which it is stored."""

import pytest

from rigger.configuration.change import validated
from rigger.errors import BadUsage, InvalidConfig, RiggerError

ID = {"OAK_ID": "0123456789", "OAK_VERSION": "1.10.0"}


@pytest.fixture
def changed(environment):
    """Validate changes of an environment's values; `gone` are names that go."""

    def change(given, gone=(), secrets=None, program=None, **vars):
        return validated(environment(secrets, **ID, **vars), given, gone, program)

    return change


def test_a_value_is_stored_as_its_question_reads_it(changed):
    assert changed({"NODES": " 07 "})[0]["NODES"] == "7"


def test_only_what_changes_is_returned(changed):
    assert changed({"COLOUR": "red"})[0] == {"COLOUR": "red"}


def test_another_version_is_the_platforms_own_too(changed):
    assert changed({"VERSION": "1.9.0"})[0] == {"VERSION": "1.9.0", "OAK_VERSION": "1.9.0"}


def test_the_root_is_the_folder_as_it_is_stored(changed, private_home):
    (private_home / "oak").mkdir()
    found = changed({"CHECKOUT": "~/oak"})[0]
    assert found["CHECKOUT"] == found["OAK_ROOT"] == str(private_home / "oak")


def test_secrets_are_told_by_question_and_by_where_they_lie(changed):
    _, secret = changed({"TOKEN": "hush"}, secrets={"KEY": "of a script"})
    assert secret == {"TOKEN", "KEY"}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"NODES": "many"}, "NODES must be a whole number"),
        ({"TYPE": "huge"}, "TYPE"),
        ({"NODE": "1"}, r"no variable 'NODE' \(config set\) \(did you mean NODES\?\)"),
        ({"OAK_ID": "another"}, "OAK_ID is computed by rigger"),
        ({"OAK_VERSION": "1.9.0"}, "OAK_VERSION is computed by rigger"),
        ({"MADE": "a\0b"}, "MADE"),
    ],
)
def test_what_cannot_be_stored(changed, given, said):
    with pytest.raises(BadUsage, match=said):
        changed(given, MADE="by a script")


def test_what_rigger_works_out_may_be_given_as_it_is(changed):
    assert changed({"OAK_ID": "0123456789"})[0] == {"OAK_ID": "0123456789"}


def test_what_rigger_works_out_cannot_go(changed):
    with pytest.raises(BadUsage, match="OAK_ID is computed") as refused:
        changed({}, gone=["OAK_ID"])
    assert refused.value.next_step == "Set VERSION for another version."


def test_a_module_that_would_be_missing(changed):
    with pytest.raises(InvalidConfig, match="does not say which PROVIDER"):
        changed({}, gone=["PROVIDER"])


def test_values_that_would_be_missing_are_named(changed, modules):
    modules.write(
        "platform", "tree", "prefix: OAK\nversions: [1.10.0]\nquestions: [{name: COLOUR}, {name: SHADE}]\n"
    )
    with pytest.raises(InvalidConfig, match="^COLOUR, SHADE would have no value") as refused:
        changed({})
    assert "rigger config set NAME=VALUE" in refused.value.next_step


def test_a_check_sees_the_values_as_they_would_be(changed, modules):
    folder = modules.write(
        "platform",
        "tree",
        "prefix: OAK\nversions: [1.10.0]\nquestions: [{name: SHADE}, {name: COLOUR, check: look}]\n",
    )
    seen = []

    def program(environment, where, command, values):
        seen.append((environment.name, where, command, values["SHADE"], values["COLOUR"]))
        return (0, "", "") if values["COLOUR"] == "red" else (1, "", "no such colour")

    assert changed({"COLOUR": "red"}, program=program, SHADE="dark")[0] == {"COLOUR": "red"}
    assert ("wood", folder, "look", "dark", "red") in seen


def test_a_check_that_fails_says_why(changed, modules):
    modules.write(
        "platform", "tree", "prefix: OAK\nversions: [1.10.0]\nquestions: [{name: COLOUR, check: look}]\n"
    )
    with pytest.raises(RiggerError, match=r"COLOUR was not accepted: no such colour"):
        changed({"COLOUR": "blue"}, program=lambda *asked: (1, "", "no such colour\n"))
