"""The platform's tests, run from Python, and their report."""

import json
import os

import pytest
from helpers.clusters import PLATFORM, Cluster
from helpers.without_terminal import Person, configured

from rigger import errors
from rigger.errors import BadUsage, InvalidConfig, NotReady
from rigger.operations.provision import provision
from rigger.operations.test import test as run_tests

SUITES = PLATFORM.replace(
    "smoke: {description: the first look, tests: [grows]}",
    "smoke: {description: the first look, tests: [grows]}\n"
    "      whole: {description: all of it, tests: [grows, blooms, fades]}",
)
SUITES += "    components:\n      root: {description: below, tests: [blooms]}\n"


@pytest.fixture
def garden(rigger, modules, in_process):
    """A cluster whose platform has two suites and a component."""
    cluster = in_process(Cluster(rigger, modules, platform=SUITES))
    for name in ("blooms", "fades"):
        cluster.script("platform", f"tests/{name}")
    return cluster


@pytest.fixture
def wood(garden):
    environment = configured(garden)
    provision(environment)
    garden.ran()
    return environment


def test_a_suite_that_passes(wood, garden):
    garden.script("platform", "tests/blooms", "rigger-figure petals 5")
    result = run_tests(wood, ("whole",))
    assert garden.ran() == ["platform/tests/grows", "platform/tests/blooms", "platform/tests/fades"]
    assert result.suite == "whole" and [case.outcome for case in result.cases] == ["passed"] * 3
    assert result.cases[1].figures == {"petals": "5"}
    report = result.as_dict()
    assert (report["suite"], report["passed"], report["configured_version"]) == ("whole", 3, "1.10.0")


def test_the_report_lies_where_it_says(wood):
    result = run_tests(wood, ("smoke",))
    assert result.folder == result.as_dict()["report"] == wood.file("tests", result.summary["run"])
    assert {"summary.json"} < {*os.listdir(result.folder)}
    with open(os.path.join(result.folder, "summary.json")) as file:
        assert json.load(file) == result.summary


def test_one_that_fails_stops_no_other(wood, garden):
    garden.script("platform", "tests/grows", "echo too dry; exit 1")
    garden.script("platform", "tests/fades", "echo not in spring; exit 77")
    with pytest.raises(errors.TestsFailed, match=r"^1 of 3 tests failed: grows\.$") as caught:
        run_tests(wood, ("whole",))
    result = caught.value.result
    assert [case.outcome for case in result.cases] == ["failed", "passed", "skipped"]
    assert [case.reason for case in result.cases] == ["too dry", "", "not in spring"]
    assert caught.value.next_step == "Why:\n  rigger logs 2"
    assert os.path.isfile(os.path.join(result.folder, "summary.json"))


def test_a_component_is_named_by_two_words_or_by_one(wood, garden):
    for words in (("component", "root"), ("root",)):
        assert run_tests(wood, words).suite == "root"
        assert garden.ran() == ["platform/tests/blooms"]


def test_a_suite_that_is_none_is_named_with_those_there_are(wood, garden):
    with pytest.raises(BadUsage, match="tree has no suite 'smok'") as caught:
        run_tests(wood, ("smok",))
    assert caught.value.next_step == "It offers: smoke, whole, component root."
    assert garden.ran() == [] and not os.path.exists(wood.file("tests"))


def test_a_person_chooses_what_was_not_named(wood, garden):
    person = Person("component root")
    assert run_tests(wood, consent=person.consent()).suite == "root"
    assert person.asked == ["Which tests should run?"]
    with pytest.raises(BadUsage, match="Which tests") as caught:
        run_tests(wood)
    assert caught.value.next_step == "tree offers: smoke, whole, component root."


def test_a_platform_without_tests_says_so(wood, modules):
    modules.write("platform", "tree", "versions: [1.9.0, 1.10.0]\n")
    with pytest.raises(BadUsage, match=r"^tree offers no tests\.$"):
        run_tests(wood)


def test_there_has_to_be_a_cluster(garden):
    with pytest.raises(InvalidConfig, match="There is no cluster to test in wood yet") as caught:
        run_tests(configured(garden), ("smoke",))
    assert caught.value.next_step == "Make it:\n  rigger provision" and garden.ran() == []


def test_what_never_began_has_no_report(wood, modules, garden):
    modules.write("platform", "tree", SUITES + "    tools: [no-such-program]\n")
    with pytest.raises(NotReady) as caught:
        run_tests(wood, ("smoke",))
    assert caught.value.result is None and not os.path.exists(wood.file("tests"))


def test_a_run_that_ended_before_its_tests_has_a_report_too(wood, garden):
    garden.script("platform", "setup-clients", "exit 3")
    with pytest.raises(errors.StepFailed) as caught:
        run_tests(wood, ("smoke",))
    result = caught.value.result
    assert result.cases == () and result.as_dict()["passed"] == 0 and os.path.isdir(result.folder)
