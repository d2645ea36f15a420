"""The questions that follow from which modules are chosen."""

import os

import pytest

from rigger.configuration.questionnaire import Questionnaire, asked_by_config_sh, questionnaire_of
from rigger.errors import BadUsage, RiggerError


def test_the_newest_version_is_the_default(home):
    questions = {
        q.name: q for q in Questionnaire(home.path).questions({"PLATFORM": "tree", "PROVIDER": "soil"})
    }
    assert questions["VERSION"].default == "1.10.0"
    assert [choice.value for choice in questions["VERSION"].choices] == ["1.10.0", "1.10.0-rc.1", "1.9.0"]


def test_few_questions_and_credentials_last(home):
    asked = [
        q.name
        for q in Questionnaire(home.path).questions({"PLATFORM": "tree", "PROVIDER": "soil"})
        if not q.advanced
    ]
    assert asked[:4] == ["PLATFORM", "VERSION", "PROVIDER", "TYPE"] and asked[-1] == "TOKEN"


def test_names_are_checked(home):
    catalog = Questionnaire(home.path)
    with pytest.raises(BadUsage) as refused:
        catalog.check_names({"NODE": "1"}, {"PLATFORM": "tree", "PROVIDER": "soil"}, "answers.env")
    assert "'NODE' (answers.env) (did you mean NODES?)" in refused.value.message


def test_a_broken_module_describes_itself_and_hides_no_other(home, rigger):
    folder = os.path.join(rigger.env["RIGGER_PROVIDER_PATH"], "broken")
    os.makedirs(folder)
    with open(os.path.join(folder, "rigger.yml"), "w") as file:
        file.write("interface: 2\nnmae: broken\n")
    catalog = Questionnaire(home.path)
    question = next(q for q in catalog.questions({}) if q.name == "PROVIDER")
    described = {choice.value: choice.description for choice in catalog.describe(question).choices}
    assert "cannot be used" in described["broken"] and "nmae" in described["broken"] and "soil" in described
    with pytest.raises(RiggerError):
        catalog.finder.module("provider", "broken")


# What is asked follows from what is chosen

CHOSEN = {"PLATFORM": "tree", "PROVIDER": "soil"}


def names(questions):
    return [question.name for question in questions]


def defaults(questions):
    return {question.name: question.default for question in questions}


def test_more_is_asked_once_modules_are_chosen(home):
    asked = Questionnaire(home.path)
    assert names(asked.questions({})) == ["PLATFORM", "PROVIDER"]
    assert names(asked.questions({"PLATFORM": "tree"})) == ["PLATFORM", "VERSION", "PROVIDER"]
    assert names(asked.questions(CHOSEN)) == [
        "PLATFORM", "VERSION", "PROVIDER", "TYPE", "NODES", "REGION", "ZONE", "COLOUR", "SIZE", "TOKEN",
    ]  # fmt: skip


def test_a_type_gives_defaults_also_to_what_no_manifest_asks(home):
    asked = Questionnaire(home.path)
    assert (
        defaults(asked.questions({**CHOSEN, "TYPE": "large"})).items() >= {"NODES": "5", "SIZE": "xl"}.items()
    )
    assert defaults(asked.questions(CHOSEN)).items() >= {"NODES": "3", "SIZE": "xl"}.items()


def test_questions_that_are_returned_are_kept_and_cannot_be_changed(home):
    asked = Questionnaire(home.path)
    questions = asked.questions(CHOSEN)
    assert isinstance(questions, tuple) and asked.questions(CHOSEN) is questions


def test_modules_that_are_not_named(home):
    asked = Questionnaire(home.path)
    assert asked.chosen({}) == (None, None)
    provider, platform = asked.modules(CHOSEN)
    assert (provider.name, platform.name) == ("soil", "tree")


def test_a_question_without_modules_to_choose_from_is_not_described_anew(home):
    asked = Questionnaire(home.path)
    colour = next(q for q in asked.questions(CHOSEN) if q.name == "COLOUR")
    assert asked.describe(colour) is colour


def test_the_names_of_all_questions_of_all_modules(home, rigger):
    os.makedirs(os.path.join(rigger.env["RIGGER_PROVIDER_PATH"], "broken"))
    with open(os.path.join(rigger.env["RIGGER_PROVIDER_PATH"], "broken", "rigger.yml"), "w") as file:
        file.write("interface: 2\nnmae: broken\n")
    assert {"NODES", "REGION", "TOKEN", "COLOUR", "SIZE"} <= Questionnaire(home.path).names_of_any()


def test_what_only_the_other_provider_knew_is_left_behind(home, modules):
    modules.write("provider", "sand", "questions: [{name: NODES}, {name: GRAIN}]\noutputs: [HEAP]\n")
    asked = Questionnaire(home.path)
    before, after = {**CHOSEN, "PROVIDER": "sand"}, CHOSEN
    assert asked.left_behind(before, after) == {"GRAIN", "HEAP"}
    assert asked.left_behind(before, before) == set()


def test_what_a_provider_that_cannot_be_read_left_stays(home):
    assert Questionnaire(home.path).left_behind({**CHOSEN, "PROVIDER": "gone"}, CHOSEN) == set()


def test_a_name_is_known_that_was_stored_before(home):
    asked = Questionnaire(home.path)
    asked.check_names({"NODES": "1", "MADE": "x"}, CHOSEN, "config set", also=["MADE"])
    with pytest.raises(BadUsage) as refused:
        asked.check_names({"MADE": "x"}, CHOSEN, "config set")
    assert "COLOUR" in refused.value.next_step


# Of an environment


def test_a_checkout_counts_only_where_it_is_used(environment):
    made = environment()
    assert questionnaire_of(made, made.vars()).source is None
    source = questionnaire_of(made, {**made.vars(), "CHECKOUT": "/srv/oak"}).source
    assert source.place == "/srv/oak" and source.comes_first


def test_the_repository_comes_before_the_platform_that_it_may_bring(environment, tmp_path):
    made = environment()
    values = {**made.vars(), "CHECKOUT": str(tmp_path)}
    asked = names(questionnaire_of(made, values).questions(values))
    assert asked[:6] == ["REPOSITORY", "REF", "CHECKOUT", "VERSION", "PLATFORM", "PROVIDER"]
    assert asked.count("VERSION") == 1


def test_a_provider_with_a_manifest_has_no_config_sh_that_asks(environment):
    made = environment()
    assert asked_by_config_sh(made, made.vars()) == set()
