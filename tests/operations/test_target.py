"""Which environment configure makes or changes."""

import os
import re

import pytest
from helpers.without_terminal import Person
from hypothesis import HealthCheck, settings
from hypothesis import given as for_all
from hypothesis import strategies as st

from rigger.environments.drafts import Draft
from rigger.environments.home import NAME, Home
from rigger.errors import BadUsage
from rigger.operations.answers import Given
from rigger.operations.consent import Consent
from rigger.operations.provision import provision
from rigger.operations.target import Target, choose, draft_of, named_after_platform

NOBODY = Consent()


@pytest.fixture
def home(cluster):
    return Home(cluster.rigger.home)


def chosen(home, loaded=None, **given) -> Target:
    return choose(home, Given(**given), loaded or {}, NOBODY, asks=False)


def name_of(home, loaded=None, **given) -> str:
    return chosen(home, loaded, **given).environment.name


# Its name


def test_a_name_is_looked_for_in_an_order(home, wood, monkeypatch):
    assert chosen(home).named is False and name_of(home) == "wood"
    assert name_of(home, path="/somewhere/prod.vars") == "prod"
    assert name_of(home, path="/somewhere/prod.vars", answers={"NAME": "answered"}) == "answered"
    monkeypatch.setenv("RIGGER_NAME", "of-the-variable")
    assert name_of(home, answers={"NAME": "answered"}) == "of-the-variable"
    assert name_of(home, name="given") == "given" and chosen(home, name="given").named


@pytest.mark.parametrize(
    "path, name",
    [
        ("/x/prod.vars", "prod"),
        ("/x/environments/prod/vars", "prod"),
        ("/x/my prod!.vars", "my-prod"),
        ("/x/prod.eu.vars", "prod"),
        ("/x/prod/.vars", "prod"),
    ],
)
def test_a_file_suggests_a_name(home, path, name):
    assert name_of(home, path=path) == name


@for_all(st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=80))
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_a_file_is_called_the_name_is_one(home, called):
    assert re.fullmatch(NAME, name_of(home, path=f"/{called}/{called}"))


def test_the_first_one_is_called_like_its_platform(home, monkeypatch):
    assert name_of(home, flags={"PLATFORM": "tree"}) == "tree"
    assert name_of(home, flags={"PLATFORM": "/my/own platform/"}) == "own-platform"
    assert name_of(home, flags={"PLATFORM": "/my/---"}) == "cluster"
    assert name_of(home, {"PLATFORM": "loaded"}, path="/vars") == "loaded"
    assert name_of(home, answers={"PLATFORM": "answered"}) == "answered"
    monkeypatch.setenv("RIGGER_PLATFORM", "set")
    assert name_of(home, answers={"PLATFORM": "answered"}) == "set"
    assert name_of(home, flags={"PLATFORM": "tree"}) == "tree"


def test_who_was_not_named_is_called_like_the_platform_that_was_chosen_in_the_end(home, wood):
    values = {"PLATFORM": "tree"}
    unnamed = Target(home.at("deis"), named=False)
    assert named_after_platform(home, unnamed, values).name == "tree"
    assert named_after_platform(home, Target(home.at("deis"), named=True), values).name == "deis"
    assert named_after_platform(home, Target(wood, named=False), values).name == "wood"
    assert named_after_platform(home, unnamed, {"PLATFORM": "wood"}).name == "deis"  # wood is another one


# Whether it is meant


def test_a_file_of_another_cluster_is_not_put_on_one(home, wood):
    loaded = {**wood.vars(), "TREE_ID": "0123456789"}
    with pytest.raises(
        BadUsage, match="wood is not the one in /x/wood.vars: its TREE_ID is another"
    ) as caught:
        chosen(home, loaded, path="/x/wood.vars")
    assert caught.value.next_step == "Give this one a name of its own with --name NAME."
    assert name_of(home, loaded, path="/x/wood.vars", name="other") == "other"


def test_one_cluster_does_not_become_two_environments(home, wood):
    with pytest.raises(BadUsage, match="/x/prod.vars describes the environment wood") as caught:
        chosen(home, wood.vars(), path="/x/prod.vars")
    assert '"rigger use wood"' in caught.value.next_step and "take TREE_ID out" in caught.value.next_step
    without = {name: value for name, value in wood.vars().items() if name != "TREE_ID"}
    assert name_of(home, without, path="/x/prod.vars") == "prod"


def test_another_provider_does_not_mean_the_cluster_that_happens_to_be_current(home, wood, modules):
    modules.write("provider", "sand")
    assert name_of(home, flags={"PROVIDER": "sand"}) == "wood", "nothing was made with the old one yet"
    provision(wood)
    assert name_of(home, flags={"PROVIDER": "soil"}) == "wood"
    with pytest.raises(BadUsage, match="wood was made with PROVIDER=soil"):
        chosen(home, flags={"PROVIDER": "sand"})
    assert name_of(home, flags={"PROVIDER": "sand"}, name="wood") == "wood"  # refused later, by its own words


def test_a_platform_from_elsewhere_does_not_mean_the_current_one(home, wood, tmp_path):
    with pytest.raises(BadUsage, match="not from https://example.invalid/tree.git"):
        chosen(home, flags={"REPOSITORY": "https://example.invalid/tree.git"})


# A conversation that was interrupted


def draft(home, name, **values):
    home.make()
    Draft(home.path, name).write(values, ())
    return Draft(home.path, name)


def test_a_person_goes_on_from_what_was_answered(home):
    draft(home, "tree", COLOUR="red")
    person = Person(True)
    found = draft_of(home, home.at("tree"), True, person.consent())
    assert found.read() == {"COLOUR": "red"}
    assert person.asked == ["Resume with the answers given a moment ago?"]


def test_the_newest_draft_is_offered_to_who_gave_no_name(home, wood):
    old, new = draft(home, "oak", COLOUR="red"), draft(home, "elm", COLOUR="blue")
    os.utime(old.vars_file, (1, 1))
    person = Person(True)
    found = choose(home, Given(), {}, person.consent(), asks=True)
    assert (found.environment.name, found.named, found.draft.read()) == ("elm", True, {"COLOUR": "blue"})
    assert person.asked == ["Resume with the answers given for environment elm a moment ago?"]
    assert draft_of(home, wood, True, Person().consent()) is None
    assert new.read() and old.read()


def test_a_no_throws_the_draft_away_and_nothing_is_asked_where_defaults_are_taken(home):
    kept = draft(home, "tree", COLOUR="red")
    given = Given(name="tree", defaults=True)
    assert choose(home, given, {}, Person().consent(), asks=True).draft is None and kept.read()
    person = Person(False)
    assert choose(home, Given(name="tree"), {}, person.consent(), asks=True).draft is None
    assert person.asked and not os.path.exists(kept.vars_file)
