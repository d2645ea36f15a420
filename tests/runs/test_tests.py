"""The tests of a suite: which there are, how each went, and the report."""

import json
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rigger.errors import BadUsage
from rigger.modules.model import Module, Suite
from rigger.plans.model import Step
from rigger.runs import tests
from rigger.runs.result import SKIPPED, StepResult
from rigger.runs.tests import Case

PLATFORM = Module(
    "tree",
    "platform",
    "/m/platforms/tree",
    suites={"smoke": Suite("smoke", "the first look", ("grows",)), "full": Suite("full", "all", ("grows",))},
    components={"kv": Suite("kv", "keys and values", ("puts",)), "full": Suite("full", "", ("puts",))},
)
BARE = Module("stone", "platform", "/m/platforms/stone")


def test_what_is_offered_can_be_found_by_those_words():
    offered = tests.offered(PLATFORM)
    assert [choice.value for choice in offered] == ["smoke", "full", "component kv", "component full"]
    for choice in offered:
        assert tests.find(PLATFORM, choice.value.split()).description == choice.description


def test_a_component_needs_no_word_for_its_kind_unless_a_suite_is_called_so():
    assert tests.find(PLATFORM, ["kv"]).description == "keys and values"
    assert tests.find(PLATFORM, ["full"]).description == "all"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["smoky"], "tree has no suite 'smoky' (did you mean smoke?)."),
        (["component", "smoke"], "tree has no component 'smoke'."),
        (["component"], "tree has no component ''."),
        ([], "tree has no suite ''."),
        (["smoke", "full"], "tree has no suite 'smoke full'"),
    ],
)
def test_a_suite_that_is_not_there(words, sentence):
    with pytest.raises(BadUsage) as problem:
        tests.find(PLATFORM, words)
    assert problem.value.message.startswith(sentence)
    assert problem.value.next_step == "It offers: smoke, full, component kv, component full."


def test_a_platform_without_tests_offers_none():
    with pytest.raises(BadUsage) as problem:
        tests.find(BARE, ["smoke"])
    assert (tests.offered(BARE), problem.value.next_step) == ([], "It offers: none.")


# How a test went


def result(log, exit_code=0, verb="tests/net/reach", **fields) -> StepResult:
    return StepResult(Step(PLATFORM, verb, "it is in smoke"), exit_code, 1.25, str(log), **fields)


@pytest.mark.parametrize(
    ("exit_code", "fields", "outcome", "reason"),
    [
        (0, {}, "passed", ""),
        (3, {}, "failed", "no answer"),
        (SKIPPED, {}, "skipped", "no answer"),
        (0, {"problems": ("NODES is no name",)}, "failed", "no answer"),
        (143, {"timed_out": True}, "failed", "timed out"),
        (130, {"interrupted": True}, "failed", "interrupted"),
        (SKIPPED, {"interrupted": True}, "failed", "interrupted"),
    ],
)
def test_the_reason_is_the_last_line_that_says_something(tmp_path, exit_code, fields, outcome, reason):
    (tmp_path / "log").write_text("trying\nno answer\n\n  \n")
    case = tests.case(result(tmp_path / "log", exit_code, **fields))
    assert (case.name, case.outcome, case.reason, case.seconds) == ("net/reach", outcome, reason, 1.25)


def test_a_test_that_said_nothing_has_its_exit_code_for_a_reason(tmp_path):
    (tmp_path / "log").write_text("\n\n")
    assert tests.case(result(tmp_path / "log", 3)).reason == "exit 3"
    assert tests.case(result(tmp_path / "none", 3)).reason == "exit 3"


def test_only_tests_count_as_tests(tmp_path):
    assert tests.is_test(result(tmp_path))
    assert not tests.is_test(result(tmp_path, verb="setup-clients"))


# The report


def test_the_counts_add_up_and_figures_are_told_where_there_are_any():
    cases = [
        Case("grows", "passed", 1.0004, "", "/log", {"lost": "0"}),
        Case("bends", "failed", 0.5, "it broke", "/log"),
        Case("blooms", "skipped", 0.0, "in winter", "/log"),
        Case("falls", "failed", 0.25, "it stands", "/log"),
    ]
    report = tests.summary("smoke", "20261120T214400-test", "1.10.0", cases)
    assert (report["passed"], report["failed"], report["skipped"], report["seconds"]) == (1, 2, 1, 1.75)
    assert (report["suite"], report["run"], report["version"]) == ("smoke", "20261120T214400-test", "1.10.0")
    assert report["tests"][0]["figures"] == {"lost": "0"} and "figures" not in report["tests"][1]


def test_both_reports_say_the_same(tmp_path):
    (tmp_path / "log").write_bytes(b"caf\xe9 <broke> \x1b[31m]]>\n")
    log = str(tmp_path / "log")
    cases = [
        Case("grows", "passed", 1.0, "", log, {"longest_gap_seconds": "0.84"}),
        Case("bends", "failed", 0.5, 'it "broke" & <fell>', log),
        Case("blooms", "skipped", 0.0, "in winter", log),
    ]
    report = tests.summary("smoke", "run", "1.10.0", cases)
    tests.write_report(str(tmp_path / "report"), report)
    assert json.loads((tmp_path / "report" / "summary.json").read_text()) == report
    assert (tmp_path / "report").stat().st_mode & 0o777 == 0o700
    suite = ElementTree.parse(tmp_path / "report" / "junit.xml").getroot()
    counts = {name: suite.get(name) for name in ("tests", "failures", "skipped", "errors", "time")}
    assert counts == {"tests": "3", "failures": "1", "skipped": "1", "errors": "0", "time": "1.500"}
    grows, bends, blooms = suite.findall("testcase")
    assert (grows.get("classname"), grows.get("name"), grows.get("time")) == ("smoke", "grows", "1.000")
    assert grows.find("properties/property").attrib == {"name": "longest_gap_seconds", "value": "0.84"}
    assert bends.find("failure").get("message") == 'it "broke" & <fell>'
    assert bends.find("failure").text == "caf\ufffd <broke> [31m]]>\n"
    assert blooms.find("skipped").get("message") == "in winter" and bends.find("skipped") is None


def test_of_a_long_log_the_end_is_in_the_report(tmp_path):
    (tmp_path / "log").write_bytes(b"the beginning\n" + b"x" * tests.OUTPUT_BYTES + b"\nthe end\n")
    report = tests.summary("smoke", "run", "1", [Case("bends", "failed", 0, "", str(tmp_path / "log"))])
    tests.write_report(str(tmp_path), report)
    text = ElementTree.parse(tmp_path / "junit.xml").findtext("testcase/failure")
    assert text.endswith("\nthe end\n") and len(text) == tests.OUTPUT_BYTES


@given(st.text(), st.text())
def test_any_text_gives_xml_that_can_be_read(tmp_path_factory, reason, figure):
    folder = tmp_path_factory.mktemp("report")
    case = Case("bends", "failed", 0.0, reason, str(folder / "none"), {"figure": figure})
    tests.write_report(str(folder), tests.summary("smoke", "run", "1", [case]))
    found = ElementTree.parse(folder / "junit.xml").getroot()
    assert found.find("testcase/failure").get("message") is not None
