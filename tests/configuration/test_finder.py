"""Which modules there are, and which of them the values name."""

import os

import pytest

from rigger.configuration.finder import ModuleFinder
from rigger.errors import BadUsage, InvalidConfig, Refused
from rigger.sources.saved import SavedSource

OAK = "interface: 2\nname: oak\nrole: platform\n"
SOIL = "interface: 2\nname: soil\nrole: provider\n"


@pytest.fixture
def checkout(tmp_path):
    """A platform's repository, with a provider that is called as one of the user's."""
    folder = tmp_path / "oak"
    for place, head, verbs in (
        ("rigger", OAK, ("install", "deploy", "check", "undeploy")),
        ("contrib/soil", SOIL, ("install", "create", "check", "destroy")),
    ):
        (folder / place).mkdir(parents=True)
        (folder / place / "rigger.yml").write_text(head)
        for verb in verbs:
            (folder / place / verb).write_text("#!/bin/sh\n")
            (folder / place / verb).chmod(0o755)
    return str(folder)


@pytest.fixture
def saved(environment, home):
    """What finds the modules of an environment with these values."""

    def make(**values):
        made = environment(**values)
        return ModuleFinder(home.path, SavedSource(made, made.vars())), made.vars()

    return make


def test_the_modules_that_values_name(home):
    finder = ModuleFinder(home.path)
    assert finder.chosen({}) == (None, None)
    provider, platform = finder.modules({"PROVIDER": "soil", "PLATFORM": "tree"})
    assert (provider.name, platform.name) == ("soil", "tree")
    assert {"soil", "local"} <= {*finder.folders("provider")}


@pytest.mark.parametrize(
    ("values", "missing"), [({"PROVIDER": "soil"}, "PLATFORM"), ({"PLATFORM": "tree"}, "PROVIDER")]
)
def test_values_that_do_not_name_both(home, values, missing):
    with pytest.raises(InvalidConfig) as refused:
        ModuleFinder(home.path).modules(values)
    assert (
        refused.value.message == f"{missing} has no value." and "rigger configure" in refused.value.next_step
    )


def test_an_unknown_module_is_told_with_those_that_are_known(home):
    with pytest.raises(BadUsage, match=r"did you mean soil\?"):
        ModuleFinder(home.path).module("provider", "soli")


def test_a_manifest_is_read_once(home, rigger):
    finder = ModuleFinder(home.path)
    first = finder.module("provider", "soil")
    os.unlink(os.path.join(rigger.env["RIGGER_PROVIDER_PATH"], "soil", "rigger.yml"))
    assert finder.module("provider", "soil") is first


def test_without_a_repository_all_is_known_at_once(home):
    finder = ModuleFinder(home.path)
    assert finder.is_complete({}) and not finder.in_repository({"REPOSITORY": "/srv/oak"})
    assert finder.version({"VERSION": "1"}) == {}


def test_modules_of_the_checkout_come_first(saved, checkout):
    finder, values = saved(CHECKOUT=checkout, PLATFORM="oak", VERSION="2.0.0")
    provider, platform = finder.modules(values)
    assert provider.folder == os.path.join(checkout, "contrib", "soil")
    assert platform.folder == os.path.join(checkout, "rigger")
    assert finder.in_repository(values) and finder.version(values) == {"VERSION": "2.0.0"}
    assert finder.own_platform(values) == "oak"


def test_a_version_whose_scripts_speak_no_known_interface(saved, checkout):
    with open(os.path.join(checkout, "rigger", "rigger.yml"), "a") as file:
        file.write("interfaces: {2: 1.0.0, 3: 2.0.0}\n")
    finder, values = saved(CHECKOUT=checkout, PLATFORM="oak", VERSION="2.0.0")
    with pytest.raises(Refused, match="oak 2.0.0 speaks interface 3"):
        finder.chosen(values)
    assert finder.chosen({**values, "VERSION": "1.9.0"})[1].name == "oak"


def test_a_checkout_without_a_platform_says_where_it_was_looked_for(saved, tmp_path):
    finder, values = saved(CHECKOUT=str(tmp_path), PLATFORM="")
    finder.find_checkout(values)
    with pytest.raises(
        Refused, match=rf"{tmp_path} has no manifest of a platform: .* or contrib/rigger/\."
    ) as refused:
        finder.own_platform(values)
    assert "--platform NAME" in refused.value.next_step


def test_a_repository_is_known_by_the_manifest_that_names_it(saved, modules, tmp_path):
    modules.write("platform", "elm", "repository: https://git.example.com/elm.git\nversions: git-tags\n")
    finder, values = saved(REPOSITORY="git@git.example.com:elm", PLATFORM="")
    assert finder.platform_beforehand(values).name == "elm"
    assert finder.own_platform(values) == "elm"
    assert finder.platform_beforehand({"REPOSITORY": "https://git.example.com/ash"}) is None


def test_a_copy_that_came_in_a_bundle_comes_from_no_repository(saved, modules, home):
    modules.write("platform", "elm", "repository: https://git.example.com/elm.git\nversions: git-tags\n")
    finder, _ = saved()
    assert finder.comes_from_repository(finder.module("platform", "elm"))
    assert not finder.comes_from_repository(finder.module("platform", "tree"))
    copy = home.at("wood").file("scripts", "platform", "elm")
    os.makedirs(os.path.dirname(copy))
    os.rename(finder.module("platform", "elm").folder, copy)
    assert not finder.comes_from_repository(finder.module("platform", copy))


def test_the_checkout_has_the_module_again_that_came_in_a_bundle(saved, checkout, home):
    copy = home.at("wood").file("scripts", "provider", "soil")
    finder, values = saved(CHECKOUT=checkout, PLATFORM="oak", PROVIDER=copy)
    assert finder.modules(values)[0].folder == os.path.join(checkout, "contrib", "soil")


def test_a_name_is_of_the_module_that_was_last_given_for_it(home, modules):
    for name in ("clay", "sand"):
        modules.write("addon", name, f"questions: [{{name: {name.upper()}}}]\n")
    finder = ModuleFinder(home.path)
    for name in ("clay", "sand", "clay"):
        (found,) = finder.addons({"kiln": os.path.join(modules.folder, "addons", name)})
        assert [question.name for question in found.questions] == [f"KILN_{name.upper()}"]
