"""What an environment is configured to be, worked out of its files."""

import os

import pytest
from helpers.soil_and_tree import PROVIDER

from rigger.configuration import resolve
from rigger.errors import InvalidConfig


def test_values_answers_and_secrets(environment):
    found = resolve.resolve(
        environment(
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


def test_a_default_is_worked_out_anew(environment, modules):
    made = environment(TYPE="large")
    assert resolve.resolve(made).values["NODES"] == "5"
    modules.write("provider", "soil", PROVIDER.replace("NODES: 5", "NODES: 7"))
    assert resolve.resolve(made).values["NODES"] == "7"
    assert resolve.resolve(made, {"NODES": "2"}).values["REGION"] == "r-2"


def test_a_question_that_does_not_apply_has_no_value(environment):
    assert "ZONE" not in resolve.resolve(environment(ZONE="left over")).values


def test_a_question_that_applies_has_one(environment):
    assert resolve.resolve(environment(REGION="far")).values["ZONE"] == "z"


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
def test_what_is_wrong_is_named_with_the_file_and_the_next_step(environment, vars, named):
    made = environment(**vars)
    with pytest.raises(InvalidConfig) as refused:
        resolve.resolve(made)
    assert (
        named in refused.value.message and made.vars_file in refused.value.message and refused.value.next_step
    )


def test_a_folder_is_welcome_as_a_module(environment, rigger):
    folder = os.path.join(rigger.env["RIGGER_PROVIDER_PATH"], "soil")
    assert resolve.resolve(environment(PROVIDER=folder)).provider.folder == folder


def test_values_that_are_changed_are_only_tried(environment):
    made = environment()
    assert resolve.resolve(made, {"COLOUR": "red"}).values["COLOUR"] == "red"
    assert "COLOUR" not in made.vars()


# Vars that modules compute


def computing(modules, environment, **secrets):
    modules.write(
        "platform",
        "tree",
        'prefix: OAK\nversions: [1.10.0]\nvars: {WHERE: "{{ OAK_ROOT }}/{{ TOKEN | default(0) }}"}\n',
    )
    return environment(secrets)


def test_computed_vars_follow_where_modules_lie(environment, modules):
    made = computing(modules, environment)
    config = resolve.resolve(made)
    assert config.values["WHERE"] == f"{config.platform.folder}/0"
    resolve.write_computed(made, config)
    assert made.vars()["WHERE"] == config.values["WHERE"] and made.secrets() == {}


def test_a_computed_var_that_holds_a_secret_is_one(environment, modules):
    made = computing(modules, environment, TOKEN="hush-hush")
    resolve.write_computed(made, resolve.resolve(made))
    assert "WHERE" not in made.vars() and made.secrets()["WHERE"].endswith("/hush-hush")


def test_where_nothing_is_computed_nothing_is_written(environment):
    made = environment()
    before = os.stat(made.vars_file).st_ino
    resolve.write_computed(made, resolve.resolve(made))
    assert os.stat(made.vars_file).st_ino == before


# A checkout that is not where it should be


def test_a_clone_that_is_gone_can_be_had_again(environment):
    made = environment(PLATFORM="oak", REPOSITORY="https://git.example.com/oak")
    with pytest.raises(InvalidConfig, match=f"is not in {made.file('checkout')}, where") as refused:
        resolve.resolve(made)
    assert 'Type "rigger checkout"' in refused.value.next_step


def test_another_folder_can_be_named_for_one_of_the_users_own(environment):
    with pytest.raises(InvalidConfig, match="is not in /nowhere/oak, where") as refused:
        resolve.resolve(environment(PLATFORM="oak", CHECKOUT="/nowhere/oak"))
    assert "rigger configure --path FOLDER" in refused.value.next_step
