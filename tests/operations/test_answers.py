"""Questions that are answered by a person, or from what was given beforehand."""

import pytest
from helpers.interviews import NODES
from helpers.without_terminal import Listener

from rigger.configuration.questionnaire import Questionnaire
from rigger.environments.drafts import Draft
from rigger.environments.home import Home
from rigger.errors import BadUsage, Interrupted, InvalidConfig, NotReady
from rigger.operations.answers import (
    Answering,
    Given,
    answer_all,
    check_names_of_any,
    interview_of,
    sources_of,
    takes_defaults,
)
from rigger.questions.model import Question
from rigger.questions.sources import DRAFT, Sources
from rigger.sources.spec import SOURCE
from rigger.ssh import keys as ssh_keys

PASSWORD = Question("TOKEN", "Which token?", type="secret")
FRUIT = Question("FRUIT", "Which fruit?")
MODULES = {"PROVIDER": "soil", "PLATFORM": "tree"}


class Speaker:
    """Somebody who answers questions by their names, and changes answers when all are given."""

    def __init__(self, stops_at="", changes=None, **answers):
        self.answers, self.stops_at, self.changes = answers, stops_at, changes or {}
        self.asked = []
        self.told = None

    def __call__(self, describe, told):
        self.told = dict(told)
        return self

    def fill(self, interview, on_answer):
        while question := interview.advance():
            self.asked.append(question.name)
            if question.name == self.stops_at:
                raise Interrupted("Nothing was changed.")
            interview.answer(question, self.answers[question.name])
            on_answer()

    def review(self, interview, on_answer):
        for name, value in self.changes.items():
            [question] = [q for q in interview.applicable() if q.name == name]
            interview.answer(question, value)
            on_answer()
        self.changes = {}


@pytest.fixture
def home(cluster):
    return Home(cluster.rigger.home)


@pytest.fixture
def work(home):
    """Return what makes the questions of a new environment `wood`, answered by a speaker or by nobody."""

    def prepare(questions, given=None, ask=None, saved=None, take_defaults=None):
        given = given or Given()
        modules = [Question(name, name, pinned=True, default=value) for name, value in MODULES.items()]
        sources = sources_of(given, None, saved or {})
        questionnaire, target, heard = Questionnaire(home.path), home.at("wood"), Listener()
        takes = takes_defaults(given, sources, bool(ask)) if take_defaults is None else take_defaults
        interview = interview_of(
            lambda values: [*modules, *questions], sources, target, questionnaire, given, heard, takes
        )
        return Answering(home, target, questionnaire, interview, given, heard, ask)

    return prepare


# Where answers are looked for


def test_flags_come_before_the_process_environment_and_that_before_a_file(monkeypatch, home):
    draft = Draft(home.path, "wood")
    draft.write({"NODES": "5"}, ())

    def found(**given):
        answer = sources_of(Given(**given), draft, {"NODES": "6"}).find(NODES)
        return answer.value, answer.source

    assert found() == ("5", DRAFT)
    assert found(answers={"NODES": "4"}, answers_name="a.env") == ("4", "a.env")
    monkeypatch.setenv("CLUSTER_SIZE", "3")
    assert found(answers={"NODES": "4"}) == ("3", "$CLUSTER_SIZE")
    assert found(answers={"NODES": "4"}, flags={"NODES": "2"}) == ("2", "--set NODES")
    monkeypatch.delenv("CLUSTER_SIZE")
    saved = sources_of(Given(path="/x/prod.vars"), None, {"NODES": "6"}).find(NODES)
    assert (saved.value, saved.source) == ("6", "/x/prod.vars")


@pytest.mark.parametrize(
    "given, saved, asks, takes",
    [
        (Given(), {}, True, False),
        (Given(), {}, False, True),
        (Given(defaults=True), {}, True, True),
        (Given(), {"NODES": "3"}, True, True),
        (Given(advanced=True), {"NODES": "3"}, True, False),
        (Given(advanced=True), {"NODES": "3"}, False, True),
    ],
)
def test_when_a_default_is_taken_without_a_question(given, saved, asks, takes):
    assert takes_defaults(given, Sources(saved=saved), asks) is takes


# Where nobody can be asked


def test_all_that_is_missing_is_said_at_once(work):
    missing = work([FRUIT, NODES, PASSWORD], Given(flags={"NODES": "4"}))
    with pytest.raises(BadUsage) as caught:
        answer_all(missing, review=False, saved_in="vars")
    assert "2 values are missing" in caught.value.message
    assert "--set FRUIT=" in str(caught.value) and "--set TOKEN=" in str(caught.value)
    assert missing.reporter.lines == []


def test_values_that_were_given_are_told_with_their_source_and_secrets_are_not_shown(work, monkeypatch):
    monkeypatch.setenv("RIGGER_TOKEN", "a-secret-token")
    given = Given(flags={"FRUIT": "x" * 100 + "\x1b[2J"}, answers={"NODES": "4"}, answers_name="a.env")
    ready = work([FRUIT, NODES, PASSWORD], given)
    answer_all(ready, review=False, saved_in="vars")
    fruit, nodes, token = ready.reporter.lines
    assert nodes == "NODES is 4 (from a.env)" and token == "TOKEN is ******** (from $RIGGER_TOKEN)"
    assert fruit.startswith("FRUIT is xxx") and fruit.endswith("(from --set)") and len(fruit) < 90
    assert ready.values() == {
        **MODULES,
        "FRUIT": given.flags["FRUIT"],
        "NODES": "4",
        "TOKEN": "a-secret-token",
    }
    assert "a-secret-token" not in repr(ready)


def test_what_is_saved_or_a_default_is_not_told(work):
    quiet = work([FRUIT, NODES], saved={"FRUIT": "pear"})
    answer_all(quiet, review=False, saved_in="vars")
    assert quiet.reporter.lines == [] and quiet.values() == {**MODULES, "FRUIT": "pear", "NODES": "3"}


def test_a_saved_value_that_no_longer_holds_names_its_file(work):
    with pytest.raises(InvalidConfig, match="/x/prod.vars"):
        answer_all(work([NODES], saved={"NODES": "many"}), review=False, saved_in="/x/prod.vars")


def test_a_name_that_no_question_has_is_told_before_what_is_missing(work):
    with pytest.raises(BadUsage, match=r"There is no variable 'COLUOR' \(--set\)"):
        answer_all(work([FRUIT], Given(flags={"COLUOR": "red"})), review=False, saved_in="vars")
    answers = Given(answers={"NAME": "wood", "COLUOR": "red"}, answers_name="a.env", flags={"FRUIT": "fig"})
    with pytest.raises(BadUsage, match=r"There is no variable 'COLUOR' \(a\.env\)"):
        answer_all(work([FRUIT], answers), review=False, saved_in="vars")


def test_a_name_that_no_module_has_at_all(home):
    questionnaire = Questionnaire(home.path)
    check_names_of_any(questionnaire, Sources(flags={"COLOUR": "red", "NODES": "3"}, answers={"NAME": "x"}))
    with pytest.raises(BadUsage, match=r"There is no variable 'COLUOR' \(a\.env\)"):
        check_names_of_any(questionnaire, Sources(answers={"COLUOR": "red"}, answers_name="a.env"))


# Somebody who can


def test_a_person_is_asked_what_is_missing_and_may_change_it(work):
    speaker = Speaker(FRUIT="fig", NODES="4", TOKEN="a-secret-token", changes={"NODES": "5"}, **MODULES)
    asked = work([FRUIT, NODES, PASSWORD], ask=speaker)
    answer_all(asked, review=True, saved_in="vars")
    assert speaker.asked == ["PROVIDER", "PLATFORM", "FRUIT", "NODES", "TOKEN"] and speaker.told == {}
    assert asked.values() == {**MODULES, "FRUIT": "fig", "NODES": "5", "TOKEN": "a-secret-token"}


def test_without_a_review_nothing_is_changed(work):
    speaker = Speaker(FRUIT="fig", changes={"FRUIT": "pear"}, **MODULES)
    asked = work([FRUIT], ask=speaker)
    answer_all(asked, review=False, saved_in="vars")
    assert asked.values()["FRUIT"] == "fig"


def test_every_answer_is_kept_for_a_conversation_that_goes_on_later(work, home):
    given = Given(flags={"PLATFORM": "tree"}, answers={"NODES": "4"})
    speaker = Speaker(PROVIDER="soil", TOKEN="a-secret-token", stops_at="FRUIT")
    with pytest.raises(Interrupted):
        answer_all(work([NODES, PASSWORD, FRUIT], given, ask=speaker), review=True, saved_in="vars")
    draft = Draft(home.path, "wood")
    assert draft.read() == {**MODULES, "TOKEN": "a-secret-token"}, "a file is given again, a flag may be not"
    with open(draft.vars_file) as file:
        assert "a-secret-token" not in file.read()


def test_a_repository_that_cannot_be_had_is_asked_for_again(work):
    where, url = Question(SOURCE, "Where from?"), Question("REPOSITORY", "Which?")

    class Unlucky(Speaker):
        tries = 0

        def review(self, interview, on_answer):
            self.tries += 1
            if self.tries == 1:
                raise NotReady("https://example.invalid cannot be reached.")

    answers = {SOURCE: "release", "REPOSITORY": "https://example.invalid"}
    speaker = Unlucky(**answers, **MODULES)
    asked = work([where, url], ask=speaker)
    answer_all(asked, review=True, saved_in="vars")
    assert speaker.asked[-2:] == [SOURCE, "REPOSITORY"] and speaker.asked.count(SOURCE) == 2
    assert asked.reporter.warnings == ["https://example.invalid cannot be reached."]
    speaker = Unlucky(**answers, **MODULES)
    with pytest.raises(NotReady):
        answer_all(
            work([where, url], Given(defaults=True), ask=speaker, take_defaults=False), True, saved_in="vars"
        )


def test_secrets_are_known_by_their_questions(work):
    ready = work([], Given(flags=MODULES))
    answer_all(ready, review=False, saved_in="vars")
    assert ready.secret_names() == {"TOKEN"}
    provider, platform = ready.modules()
    assert (provider.name, platform.name) == ("soil", "tree")


def test_a_key_is_found_or_made(work, private_home):
    key = Question("KEY", "Which key?", type="ssh-key", make="ed25519")
    made = work([key], Given(flags=MODULES))
    answer_all(made, review=False, saved_in="vars")
    path = made.values()["KEY"]
    assert f"Made an SSH key without a passphrase for KEY: {path}" in made.reporter.lines
    assert ssh_keys.private_keys() == [path]
    again = work([key], Given(flags=MODULES))
    answer_all(again, review=False, saved_in="vars")
    assert again.values()["KEY"] == path and not [s for s in again.reporter.lines if "Made" in s]
