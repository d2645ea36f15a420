"""Which changes make a step run again, and how they are told."""

import pytest
from helpers.plan_steps import AFTER_CREATE, AFTER_DEPLOY, CHECKS, why


@pytest.mark.slow
@pytest.mark.parametrize(
    ("assignment", "expected"),
    [
        ("COMMENT=something else", CHECKS),
        ("TOOLS=many", ["provider/install", *CHECKS]),
        ("COLOUR=red", AFTER_DEPLOY),
        ("MIRROR=near", ["platform/install", *AFTER_DEPLOY]),
        ("VERSION=1.9.0", ["platform/install", *AFTER_DEPLOY]),
        ("NODES=3", AFTER_CREATE),
        ("TOKEN=a-secret-token", AFTER_CREATE),
        ("REGION=there", AFTER_CREATE),
    ],
)
def test_a_changed_value_runs_the_steps_that_it_concerns(provisioned, assignment, expected):
    provisioned.rigger("config", "set", assignment)
    provisioned.rigger("provision", "--yes", "--allow-version-change")
    assert provisioned.ran() == expected
    provisioned.rigger("provision")
    assert provisioned.ran() == CHECKS


def test_a_value_that_is_changed_back_needs_nothing(provisioned):
    provisioned.rigger("config", "set", "COLOUR=red")
    assert why(provisioned)["platform/deploy"] == "COLOUR green -> red"
    provisioned.rigger("config", "unset", "COLOUR")
    assert list(why(provisioned)) == CHECKS


@pytest.mark.slow
def test_a_secret_is_not_shown_as_a_reason(provisioned):
    provisioned.rigger("config", "set", "TOKEN=swordfish-1")
    assert why(provisioned)["provider/create"] == "TOKEN is new"
    provisioned.rigger("provision")
    provisioned.rigger("config", "set", "TOKEN=swordfish-2")
    assert why(provisioned)["provider/create"] == "TOKEN is new"
    assert "swordfish" not in provisioned.rigger("provision").out + provisioned.content("audit.jsonl")


def test_a_reason_shows_a_hostile_value_on_one_short_line(provisioned):
    provisioned.rigger("config", "set", "COLOUR=red\x1b]0;title\x07\n" + "x" * 5000)
    said = provisioned.rigger("provision")
    assert "\x1b" not in said.out and "\x07" not in said.out
    assert max(map(len, said.out.splitlines())) < 300


@pytest.mark.slow
def test_a_changed_script_runs_again_and_what_follows_from_it(provisioned):
    provisioned.script("platform", "install", "echo newer")
    assert why(provisioned)["platform/install"] == "its script changed"
    provisioned.rigger("provision")
    assert provisioned.ran() == ["platform/install", *AFTER_DEPLOY]
    provisioned.script("platform", "check", "echo more careful")
    provisioned.rigger("provision")
    assert provisioned.ran() == CHECKS
