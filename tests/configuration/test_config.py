"""What an environment is configured to be, as a value."""

import pytest

from rigger.configuration.config import Config
from rigger.modules.model import Module
from rigger.questions.model import Answer, Question


def config(provider="soil", platform="tree"):
    return Config(
        Module(provider, "provider", "/soil"),
        Module(platform, "platform", "/tree", prefix="OAK"),
        (Question("NODES", "How many?"), Question("TOKEN", "Which?", type="secret")),
        {"NODES": Answer("3", "asked"), "TOKEN": Answer("hush", "asked")},
        {"NODES": "3", "TOKEN": "hush", "OAK_ID": "0123456789"},
        {"TOKEN": "hush"},
    )


def test_the_provider_is_made_before_what_stands_on_it():
    assert [module.name for module in config().modules] == ["soil", "tree"]


def test_a_secret_is_no_parameter_and_is_not_shown():
    assert config().parameters() == {"NODES": "3"}
    assert repr(config()) == "Config(tree on soil)"


def test_a_question_is_found_by_its_name():
    assert config().question("TOKEN").secret and config().question("COLOUR") is None


def test_the_id_is_the_platforms_own():
    assert config().id == "0123456789"


@pytest.mark.parametrize(
    ("provider", "platform", "folders"),
    [("soil", "tree", ["soil", "tree"]), ("noop", "noop", ["noop", "noop-platform"])],
)
def test_two_modules_of_one_name_have_a_folder_each(provider, platform, folders):
    found = config(provider, platform)
    assert [found.state_name(module) for module in found.modules] == folders
