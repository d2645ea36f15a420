"""Which upgrade is asked for, and what is asked of a person."""

import pytest
from helpers.second_machine import PLATFORM
from helpers.without_terminal import Person, configured

from rigger.audit.upgrades import Request
from rigger.errors import BadUsage, InvalidConfig, Refused, StepFailed
from rigger.operations.consent import Consent
from rigger.operations.provision import provision
from rigger.operations.session import session
from rigger.operations.upgrade import upgrade
from rigger.operations.upgrade_request import UpgradeOptions, request_of
from rigger.operations.values import set_values
from rigger.runs.reporter import Silent


@pytest.fixture
def wood(trees):
    """A cluster that runs 1.9.0, of a platform with two styles."""
    environment = configured(trees, VERSION="1.9.0")
    provision(environment)
    return environment


def asked_of(environment, consent=None, **options) -> Request:
    with session(environment, "rigger upgrade", Silent(), consent or Consent()) as work:
        return request_of(work, UpgradeOptions(**options))


def as_platform(trees, before, after) -> None:
    trees.modules.write("platform", "tree", PLATFORM.replace(before, after))


def half_upgraded(trees, wood) -> None:
    trees.script("platform", "upgrade-graceful", "exit 3")
    with pytest.raises(StepFailed):
        upgrade(wood, UpgradeOptions("1.10.0", "graceful"))


# A new one


def test_what_was_said_is_what_is_asked_for(wood):
    assert asked_of(wood, to="1.10.0", style="graceful") == Request("1.9.0", "1.10.0", "graceful")
    assert asked_of(wood, to="v1.10.0", style="inplace").to == "1.10.0", "a release is called as it is known"
    assert asked_of(wood, to="1.10.7", style="inplace").to == "1.10.7", "its pattern admits it"


@pytest.mark.parametrize(
    "options, said",
    [
        ({"to": "3.0"}, "tree has no version '3.0'"),
        ({"to": "1.9.0"}, "The cluster runs tree 1.9.0 already"),
        ({"to": "1.8.0"}, "1.8.0 is older than 1.9.0"),
        ({"to": "2.0.0"}, "cannot go graceful from 1.9.0 to 2.0.0: only within a major version"),
        ({"to": "1.10.0", "style": "elegant"}, "tree has no upgrade style 'elegant'"),
    ],
)
def test_what_makes_no_sense_is_refused(wood, options, said):
    with pytest.raises(BadUsage, match=said):
        asked_of(wood, **{"style": "graceful", **options})


def test_an_older_version_has_to_be_meant(wood):
    down = asked_of(wood, to="1.8.0", style="graceful", allow_downgrade=True)
    assert (down.start, down.to, down.back) == ("1.9.0", "1.8.0", False)


def test_a_version_that_speaks_an_unknown_interface_is_refused_and_not_offered(trees, wood):
    trees.modules.write("platform", "tree", PLATFORM + "    interfaces: {2: 1.8.0, 3: 2.0.0}\n")
    with pytest.raises(Refused, match="tree 2.0.0 speaks interface 3"):
        asked_of(wood, to="2.0.0", style="inplace")
    with pytest.raises(BadUsage) as caught:
        asked_of(wood)
    assert caught.value.next_step == "Add --version VERSION: 1.10.0."


# What was not said


def test_a_person_chooses_version_and_style(wood):
    person = Person("1.10.0", "inplace")
    assert asked_of(wood, person.consent()) == Request("1.9.0", "1.10.0", "inplace")
    assert person.asked == ["Upgrade from 1.9.0 to?", "How?"]


def test_where_nobody_can_be_asked_the_choices_are_named(wood):
    with pytest.raises(BadUsage, match="Which version") as caught:
        asked_of(wood, style="graceful")
    assert caught.value.next_step == "Add --version VERSION: 2.0.0, 1.10.0."
    with pytest.raises(BadUsage, match="Which style") as caught:
        asked_of(wood, to="1.10.0")
    assert caught.value.next_step == "Add --upgrade-style STYLE: graceful, inplace."


def test_the_only_style_is_not_asked_for_and_none_is_said(trees, wood):
    two = "      inplace: {description: all at once, within: major}\n"
    as_platform(trees, two, "")
    assert asked_of(wood, to="1.10.0").style == "graceful"
    trees.modules.write("platform", "tree", PLATFORM[: PLATFORM.index("    upgrades:")])
    with pytest.raises(BadUsage, match="tree has no upgrades") as caught:
        asked_of(wood, to="1.10.0")
    assert caught.value.next_step == "Its manifest offers no style."


@pytest.mark.parametrize(
    "pattern, way",
    [
        ("", "A newer one is known once "),
        ("    version-pattern: 1[.]10[.][0-9]\n", "If there is a newer one, name it"),
    ],
)
def test_the_newest_version_says_how_a_newer_one_gets_known(trees, wood, pattern, way):
    newest = PLATFORM.replace("[1.8.0, 1.9.0, 1.10.0, 2.0.0]", "[1.8.0, 1.9.0]")
    trees.modules.write("platform", "tree", newest.replace("    version-pattern: 1[.]10[.][0-9]\n", pattern))
    with pytest.raises(BadUsage, match="1.9.0 is the newest version of tree that is known") as caught:
        asked_of(wood, Person().consent(), style="graceful")
    assert caught.value.next_step.startswith(way)


# What stands in its way


def test_an_upgrade_begins_at_what_runs_whatever_is_configured(wood):
    set_values(wood, {"VERSION": "1.8.0"})
    assert asked_of(wood, to="1.10.0", style="graceful").start == "1.9.0"


def test_what_was_never_deployed_cannot_be_upgraded(trees):
    wood = configured(trees, VERSION="1.9.0")
    with pytest.raises(InvalidConfig, match="There is no cluster to upgrade in wood yet"):
        asked_of(wood, to="1.10.0", style="graceful")


# One that did not finish


def test_the_rest_and_the_way_back_are_those_of_what_was_begun(trees, wood):
    for options in ({"resume": True}, {"rollback": True}):
        with pytest.raises(BadUsage, match="No upgrade of wood is unfinished"):
            asked_of(wood, **options)
    half_upgraded(trees, wood)
    rest = asked_of(wood, resume=True)
    assert (rest.start, rest.to, rest.style, rest.back) == ("1.9.0", "1.10.0", "graceful", False)
    assert rest.since > 0
    assert asked_of(wood, rollback=True) == Request("1.10.0", "1.9.0", "graceful", back=True)
    with pytest.raises(InvalidConfig, match="from 1.9.0 to 1.10.0 is not finished"):
        asked_of(wood, to="1.10.0", style="graceful")


def test_a_way_back_that_was_begun_is_gone_on_with(trees, wood):
    half_upgraded(trees, wood)
    with pytest.raises(StepFailed):
        upgrade(wood, UpgradeOptions(rollback=True))
    for options in ({"resume": True}, {"rollback": True}):
        back = asked_of(wood, **options)
        assert (back.start, back.to, back.back) == ("1.10.0", "1.9.0", True) and back.since > 0


def test_a_style_that_is_gone_meanwhile_is_named(trees, wood):
    half_upgraded(trees, wood)
    as_platform(trees, "graceful:", "quick:")
    with pytest.raises(BadUsage, match="tree has no upgrade style 'graceful'"):
        asked_of(wood, resume=True)
