"""Which questions are asked, in which order, and what follows from an answer."""

import pytest
from helpers.interviews import NODES, interview

from rigger.errors import Refused
from rigger.questions.interview import Interview
from rigger.questions.missing import missing_values
from rigger.questions.model import Answer, BadAnswer, Choice, Question
from rigger.questions.order import credentials_last
from rigger.questions.sources import Sources


def answered(talk, **answers):
    """Answer what is asked, in order; return the names that were asked for."""
    asked = []
    while (question := talk.advance()) is not None:
        asked.append(question.name)
        talk.answer(question, answers[question.name])
    return asked


class Programs:
    """Programs of a manifest, by their command; remembers what was run with which values."""

    def __init__(self, **said):
        self.said = said
        self.ran = []

    def __call__(self, folder, command, values):
        self.ran.append((command, dict(values)))
        said = self.said[command]
        return said(values) if callable(said) else said


# Which questions are asked


def test_a_condition_decides_whether_a_question_is_asked():
    cloud = Question("CLOUD", "Which?", type="select", choices=(Choice("aws"), Choice("none")))
    region = Question("REGION", "Where?", when="{{ CLOUD == 'aws' }}")
    asked = answered(interview(cloud, region), CLOUD="none")
    assert asked == ["CLOUD"]
    talk = interview(cloud, region)
    assert answered(talk, CLOUD="aws", REGION="eu") == ["CLOUD", "REGION"]
    assert talk.values() == {"CLOUD": "aws", "REGION": "eu"}


def test_a_question_that_does_not_apply_has_no_value_even_if_one_was_given():
    region = Question("REGION", "Where?", when="false")
    talk = interview(region, flags={"REGION": "eu"}, saved={"REGION": "us"})
    assert talk.advance() is None
    assert talk.values() == {}


def test_a_condition_on_an_optional_answer_that_stayed_empty_does_not_hold():
    proxy = Question("PROXY", "Which proxy?", optional=True)
    password = Question("PASSWORD", "Its password?", when="{{ PROXY != 'none' }}")
    talk = interview(proxy, password)
    assert answered(talk, PROXY="") == ["PROXY"]


def test_a_condition_on_an_unknown_name_is_the_manifests_fault():
    typo = Question("REGION", "Where?", when="{{ PROVDER == 'aws' }}", origin="providers/aws/rigger.yml")
    with pytest.raises(Refused, match="providers/aws/rigger.yml.*REGION.*PROVDER"):
        interview(Question("PROVIDER", "?"), typo, flags={"PROVIDER": "aws"}).advance()


def test_an_answer_can_bring_other_questions():
    def script(values):
        kind = values.get("KIND")
        return [Question("KIND", "?"), *([Question(kind.upper(), "?")] if kind else [])]

    talk = Interview(script, Sources())
    assert answered(talk, KIND="disk", DISK="10G") == ["KIND", "DISK"]
    talk.answer(talk.applicable()[0], "tape")
    assert talk.advance().name == "TAPE"
    assert talk.values() == {"KIND": "tape"}


def test_an_answer_can_change_the_default_of_a_question_met_before_it():
    def script(values):
        nodes = "5" if values.get("TYPE") == "production" else "3"
        return [Question("NODES", "?", type="integer", default=nodes), Question("TYPE", "?")]

    talk = Interview(script, Sources(flags={"TYPE": "production"}))
    question = talk.advance()
    assert question.name == "NODES"
    talk.answer(Question("TYPE", "?"), "production")
    assert talk.default(talk.advance()) == "5"


def test_two_modules_may_ask_the_same_question_once():
    talk = interview(NODES, Question("OTHER", "?"), NODES)
    assert answered(talk, NODES="3", OTHER="x") == ["NODES", "OTHER"]


def test_advanced_questions_are_asked_only_when_wanted():
    dir = Question("DIR", "Where?", default="/srv", advanced=True)
    talk = interview(dir)
    assert talk.advance() is None
    assert talk.answers["DIR"] == Answer("/srv", "default", explicit=False)
    assert interview(dir, advanced=True).advance() == dir


def test_an_advanced_question_without_default_is_asked_all_the_same():
    token = Question("TOKEN", "?", advanced=True)
    assert interview(token).advance() == token
    assert interview(Question("NOTE", "?", advanced=True, optional=True)).advance() is None


def test_optional_questions_may_stay_empty():
    note = Question("NOTE", "A note?", optional=True)
    talk = interview(note)
    assert answered(talk, NOTE="") == ["NOTE"]
    assert talk.values() == {}
    talk = interview(note, take_defaults=True)
    assert talk.advance() is None
    assert talk.values() == {}


def test_an_optional_answer_can_be_emptied_although_there_is_a_default():
    note = Question("NOTE", "A note?", optional=True, default="hello")
    talk = interview(note)
    talk.answer(note, "")
    assert talk.answers["NOTE"] == Answer("", "asked", explicit=True)
    again = interview(note, saved={"NOTE": ""})
    assert again.advance() is None
    assert again.values() == {"NOTE": ""}


def test_missing_lists_everything_at_once():
    questions = (
        Question("REGION", "Where?"),
        NODES,
        Question("ZONE", "Which zone?", when="{{ REGION == 'eu' }}"),
        Question("COPY", "Where to?", default="{{ REGION }}-copy"),
        Question("TOKEN", "Which token?", type="secret"),
        Question("NOTE", "A note?", optional=True),
    )
    talk = interview(*questions, take_defaults=True)
    assert [question.name for question in talk.missing()] == ["REGION", "COPY", "TOKEN"]
    assert talk.answers["NODES"].value == "3"
    assert talk.advance().name == "REGION", "what is missing is still to be answered"
    error = missing_values(talk.missing(), "rigger configure")
    assert error.exit_code == 2
    for flag in ("--set REGION=...", "--set COPY=...", "--set TOKEN=..."):
        assert flag in error.message
    assert "3 values are missing" in error.message


def test_missing_values_say_why_one_that_is_there_does_not_count():
    key = Question("KEY", "Which key?", type="ssh-key", default="/nowhere/id")
    talk = interview(key, take_defaults=True)
    missing = talk.missing()
    assert missing == [key]
    error = missing_values(missing, "rigger configure", talk.set_aside)
    assert "there is no file /nowhere/id (its default)." in error.message


def test_one_cause_of_several_missing_values_is_said_once():
    def failing(reason):
        return 1, "", f"{reason}\n"

    programs = Programs(look=failing("there is no way to the cloud."), zones=failing("REGION has no answer"))
    region = Question("REGION", "Which region?", type="select", choices_command="look")
    size = Question("SIZE", "Which size?", type="select", choices_command="look")
    zone = Question("ZONE", "Which zone?", type="select", choices_command="zones")
    talk = interview(region, size, zone, program=programs, take_defaults=True)
    lines = missing_values(talk.missing(), "rigger configure", talk.set_aside).message.splitlines()[1:]
    assert lines[0].endswith("choices of REGION: there is no way to the cloud (its default).")
    assert lines[1].endswith("Which size? (Cannot be looked up for the same reason as REGION.)")
    assert lines[2].endswith("choices of ZONE: REGION has no answer (its default).")


# Defaults


def test_a_default_is_a_template_over_the_answers():
    name = Question("NAME", "?")
    bucket = Question("BUCKET", "?", default="{{ NAME | upper }}-{{ REGION | default('eu') }}")
    talk = interview(name, bucket, flags={"NAME": "demo"})
    assert talk.default(talk.advance()) == "DEMO-eu"


def test_a_default_that_nobody_changed_is_not_stored():
    talk = interview(NODES)
    talk.answer(NODES, "3")
    assert talk.answers["NODES"] == Answer("3", "default", explicit=False)
    talk.answer(NODES, "5")
    assert talk.answers["NODES"] == Answer("5", "asked", explicit=True)


@pytest.mark.parametrize(
    "question, typed",
    [
        (Question("DIR", "?", type="path", default="~/machines"), "~/machines"),
        (Question("BACKUPS", "?", type="confirm", default="yes"), "true"),
        (Question("NODES", "?", type="integer", default="03"), "3"),
        (Question("ZONES", "?", type="checkbox", choices=(Choice("a"), Choice("b")), default="a, b"), "a,b"),
    ],
)
def test_a_default_in_other_words_is_still_the_default(question, typed, private_home):
    talk = interview(question)
    talk.answer(question, typed)
    assert not talk.answers[question.name].explicit
    untold = interview(question, take_defaults=True)
    assert untold.advance() is None
    assert untold.values() == talk.values(), "taken silently, the default is stored in the same form"


def test_pinned_defaults_are_stored():
    version = Question("VERSION", "?", default="3.5.1", pinned=True)
    talk = interview(version, take_defaults=True)
    assert talk.advance() is None
    assert talk.answers["VERSION"].explicit
    talk = interview(version)
    talk.answer(version, "3.5.1")
    assert talk.answers["VERSION"] == Answer("3.5.1", "default", explicit=True)


def test_a_default_must_satisfy_its_own_question():
    talk = interview(Question("NODES", "?", type="integer", default="30", max=9), take_defaults=True)
    assert talk.advance().name == "NODES"
    assert "at most 9, not 30 (its default)" in talk.set_aside["NODES"].message


def test_select_and_confirm_have_a_default_without_saying_so():
    assert interview().default(Question("A", "?", type="select", choices=(Choice("x"), Choice("y")))) == "x"
    assert interview().default(Question("A", "?", type="confirm")) == "false"
    assert interview().default(Question("A", "?")) is None


# A changed answer


def types_script(values):
    nodes, sizes = ("5", ("large",)) if values.get("TYPE") == "production" else ("3", ("small", "large"))
    return [
        Question("TYPE", "?", default="development", pinned=True),
        Question("NODES", "?", type="integer", default=nodes),
        Question("SIZE", "?", type="select", choices=tuple(map(Choice, sizes))),
        Question("LABEL", "?", default="{{ NODES }} nodes", advanced=True),
    ]


def test_defaults_follow_a_changed_answer():
    talk = Interview(types_script, Sources())
    answered(talk, TYPE="development", NODES="3", SIZE="large")
    talk.answer(talk.applicable()[0], "production")
    assert talk.advance() is None
    assert talk.values() == {"TYPE": "production", "NODES": "5", "SIZE": "large", "LABEL": "5 nodes"}


def test_given_answers_stay_when_another_changes():
    talk = Interview(types_script, Sources(flags={"NODES": "3"}))
    answered(talk, TYPE="development", SIZE="large")
    talk.answer(talk.applicable()[0], "production")
    assert talk.values()["NODES"] == "3"
    assert talk.answers["NODES"].source == "--set NODES"


def test_an_answer_that_no_longer_holds_is_asked_again():
    talk = Interview(types_script, Sources(flags={"SIZE": "small"}))
    answered(talk, TYPE="development", NODES="4")
    talk.answer(talk.applicable()[0], "production")
    assert talk.values()["NODES"] == "4"
    assert talk.advance().name == "SIZE"
    assert "must be one of large, not 'small'" in talk.set_aside["SIZE"].message


def test_a_forgotten_answer_is_asked_for_whatever_was_given():
    talk = interview(NODES, flags={"NODES": "3"})
    assert talk.advance() is None
    talk.forget("NODES")
    assert talk.advance() == NODES
    talk.answer(NODES, "4")
    assert talk.advance() is None
    assert talk.answers["NODES"] == Answer("4", "asked")


def test_a_choice_that_leads_to_a_broken_module_is_a_bad_answer():
    def script(values):
        if values.get("PROVIDER") == "broken":
            raise Refused("providers/broken/rigger.yml, line 3: there is no field 'nmae'.")
        return [Question("PROVIDER", "?", default="local"), NODES]

    talk = Interview(script, Sources())
    talk.answer(talk.advance(), "local")
    with pytest.raises(BadAnswer, match="nmae"):
        talk.answer(talk.applicable()[0], "broken")
    assert talk.values() == {"PROVIDER": "local"}


# Programs


def test_live_choices_come_from_a_program_that_sees_the_answers():
    programs = Programs(regions=(0, "eu\tEurope\n\nus\n", ""))
    region = Question("REGION", "?", type="select", choices_command="regions")
    talk = interview(Question("TOKEN", "?", type="secret"), region, program=programs, flags={"TOKEN": "t0k"})
    assert talk.choices(talk.advance()) == (Choice("eu", "Europe"), Choice("us", ""))
    assert programs.ran == [("regions", {"TOKEN": "t0k"})]
    with pytest.raises(BadAnswer, match="one of eu, us"):
        talk.answer(region, "mars")
    talk.answer(region, "us")
    assert talk.choices(region)
    assert len(programs.ran) == 1, "asked once for the same answers"
    assert talk.answers["REGION"].explicit, "what a service offers today may be gone tomorrow"


def test_live_choices_are_asked_for_anew_when_an_answer_changes():
    programs = Programs(zones=lambda values: (0, f"{values['REGION']}-1\n{values['REGION']}-2\n", ""))
    region = Question("REGION", "?")
    zone = Question("ZONE", "?", type="select", choices_command="zones")
    talk = interview(region, zone, program=programs)
    answered(talk, REGION="eu", ZONE="eu-2")
    talk.answer(region, "us")
    assert talk.advance() == zone
    assert "us-1" in talk.set_aside["ZONE"].message


def test_a_program_that_cannot_list_choices():
    answers = iter([(1, "", "debug\nno route to host\n"), (0, "eu\n", "")])
    region = Question("REGION", "?", type="select", choices_command="regions")
    talk = interview(region, program=Programs(regions=lambda values: next(answers)))
    with pytest.raises(BadAnswer, match="regions could not list the choices of REGION: no route to host"):
        talk.choices(region)
    assert talk.choices(region) == (Choice("eu"),), "a failure is not remembered"


def test_any_value_will_do_when_the_choices_are_given_up():
    region = Question("REGION", "?", type="select", choices_command="regions")
    talk = interview(region, program=Programs(regions=(1, "", "no")))
    with pytest.raises(BadAnswer):
        talk.answer(region, "mars")
    talk.give_up_choices(region)
    talk.answer(region, "mars")
    assert talk.advance() is None
    assert talk.values() == {"REGION": "mars"}


def test_defaults_cannot_be_taken_while_the_choices_cannot_be_listed():
    region = Question("REGION", "?", type="select", choices_command="regions")
    talk = interview(region, program=Programs(regions=(1, "", "no route")), take_defaults=True)
    assert talk.missing() == [region]
    assert "no route" in talk.set_aside["REGION"].message


def test_a_check_program_says_what_is_wrong():
    bad = (1, "one\nit expired.\n", "")
    programs = Programs(check=lambda values: (0, "", "") if values["TOKEN"] == "good" else bad)
    token = Question("TOKEN", "?", type="secret", check="check")
    talk = interview(NODES, token, program=programs, flags={"NODES": "3"})
    assert talk.advance() == token
    with pytest.raises(BadAnswer, match=r"^TOKEN was not accepted: it expired\.$"):
        talk.answer(token, "bad")
    assert programs.ran[-1] == ("check", {"NODES": "3", "TOKEN": "bad"})
    talk.answer(token, "good")
    assert talk.values()["TOKEN"] == "good"


def test_a_check_program_cannot_give_the_secret_away():
    token = Question("TOKEN", "?", type="secret", check="check")
    talk = interview(token, program=Programs(check=(1, "", "no such token: hunter2")))
    with pytest.raises(BadAnswer) as caught:
        talk.answer(token, "hunter2")
    assert "hunter2" not in caught.value.message
    assert "hunter2" not in repr(Answer("hunter2", "asked"))


def test_values_given_beforehand_are_checked_by_the_program_too():
    token = Question("TOKEN", "?", type="secret", check="check")
    with pytest.raises(BadAnswer, match=r"expired \(from --set TOKEN\)"):
        interview(token, program=Programs(check=(1, "", "expired")), flags={"TOKEN": "t0ken"}).advance()


# Credentials last


def names(questions):
    return [question.name for question in questions]


def test_credentials_come_last():
    token = Question("TOKEN", "?", type="secret")
    assert names(credentials_last([token, NODES])) == ["NODES", "TOKEN"]


@pytest.mark.parametrize(
    "later",
    [
        Question("REGION", "?", choices_command="regions"),
        Question("REGION", "?", check="check-region"),
        Question("REGION", "?", when="{{ TOKEN is defined }}"),
        Question("REGION", "?", default="{{ TOKEN }}"),
    ],
)
def test_credentials_that_a_later_question_needs_stay_before_it(later):
    token = Question("TOKEN", "?", type="secret")
    assert names(credentials_last([token, later])) == ["TOKEN", "REGION"]


def test_a_longer_name_is_another_name():
    token = Question("TOKEN", "?", type="secret")
    later = Question("KIND", "?", when="{{ OTHER_TOKEN_KIND is defined }}")
    assert names(credentials_last([token, later])) == ["KIND", "TOKEN"]


def test_a_literal_that_looks_like_a_reference_is_known_and_what_is_made_of_it_is_secret():
    token = Question("TOKEN", "Which token?", type="secret")
    url = Question("URL", "Where?", default="https://{{ TOKEN }}@there")
    talk = interview(token, url, saved={"TOKEN": "literal:env:hunter2"}, take_defaults=True)
    assert talk.advance() is None and talk.unknown() == set()
    assert talk.meant()["TOKEN"].value == "env:hunter2" and talk.secret_names() == {"TOKEN", "URL"}


def test_a_reference_that_was_not_looked_up_stands_for_nothing():
    token = Question("TOKEN", "Which token?", type="secret")
    talk = interview(token, saved={"TOKEN": "env:MINE"})
    assert talk.advance() is None and talk.unknown() == {"TOKEN"}
    assert talk.meant()["TOKEN"].value == "" and talk.values() == {"TOKEN": "env:MINE"}
