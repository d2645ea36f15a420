"""rigger test"""

import json
import os
import signal
from xml.etree import ElementTree

import pytest
from helpers.clusters import PROVIDER, Cluster, ended, wait_for

PLATFORM = """
    versions: [1.9.0]
    suites:
      smoke: {description: the first look, tests: [grows, wilts, waits]}
    components:
      leaf: {description: the leaves, tests: [grows]}
"""


@pytest.fixture
def cluster(rigger, modules):
    cluster = Cluster(rigger, modules, PROVIDER, PLATFORM)
    cluster.script("platform", "tests/grows", 'echo "version $TREE_VERSION"')
    cluster.script(
        "platform",
        "tests/wilts",
        "printf 'noise \\033[31m\\001<&>]]>\\n'; echo 'it wilted: \"3 < 4\"' >&2; exit 1",
    )
    cluster.script("platform", "tests/waits", "echo not the season; exit 77")
    cluster.configure()
    cluster.rigger("provision")
    cluster.ran()
    return cluster


def report(cluster) -> tuple[dict, ElementTree.Element]:
    folder = cluster.file("tests", sorted(os.listdir(cluster.file("tests")))[-1])
    with open(os.path.join(folder, "summary.json")) as file:
        summary = json.load(file)
    return summary, ElementTree.parse(os.path.join(folder, "junit.xml")).getroot()


def test_a_suite_with_every_outcome(cluster):
    said = cluster.rigger("test", "smoke", code=6)
    assert cluster.ran() == ["platform/tests/grows", "platform/tests/wilts", "platform/tests/waits"]
    assert "1 of 3 tests failed: wilts." in said.err and "rigger logs" in said.err
    table = [
        line.split() for line in said.out.splitlines() if line.strip().startswith(("grows", "wilts", "waits"))
    ]
    assert [(row[0], row[1]) for row in table] == [
        ("grows", "passed"),
        ("wilts", "failed"),
        ("waits", "skipped"),
    ]
    assert "1 passed, 1 failed, 1 skipped" in said.out
    summary, suite = report(cluster)
    assert (summary["passed"], summary["failed"], summary["skipped"], summary["version"]) == (
        1,
        1,
        1,
        "1.9.0",
    )
    assert summary["tests"][1]["reason"] == 'it wilted: "3 < 4"'
    assert summary["tests"][2]["reason"] == "not the season"
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("3", "1", "1")
    failure = suite.find("testcase[@name='wilts']/failure")
    assert failure.get("message") == 'it wilted: "3 < 4"' and "<&>]]>" in failure.text
    assert suite.find("testcase[@name='waits']/skipped").get("message") == "not the season"
    assert suite.find("testcase[@name='grows']") is not None


def test_a_component(cluster):
    said = cluster.rigger("test", "component", "leaf")
    assert cluster.ran() == ["platform/tests/grows"]
    assert "leaf: 1 passed" in said.out


def test_the_report_as_json(cluster):
    found = json.loads(cluster.rigger("test", "smoke", "-o", "json", code=6).out)
    assert [test["outcome"] for test in found["tests"]] == ["passed", "failed", "skipped"]
    assert os.path.isfile(os.path.join(found["report"], "junit.xml"))


@pytest.mark.slow
def test_what_is_offered_is_said(cluster):
    for words in ([], ["smok"], ["component"], ["component", "lea"], ["smoke", "more"]):
        refused = cluster.rigger("test", *words, code=2)
        assert "smoke, component leaf" in refused.err, words
    assert "did you mean smoke?" in cluster.rigger("test", "smok", code=2).err
    assert cluster.ran() == []


def test_there_must_be_a_cluster(cluster):
    cluster.rigger("destroy", "--yes")
    assert "rigger provision" in cluster.rigger("test", "smoke", code=3).err


def test_a_missing_test_is_said_before_any_starts(cluster):
    os.unlink(os.path.join(cluster.folders["platform"], "tests", "waits"))
    assert "tests/waits is missing" in cluster.rigger("test", "smoke", code=4).err
    assert cluster.ran() == []


def test_an_interrupted_run_reports_what_it_knows(cluster):
    cluster.script("platform", "tests/wilts", ': >"$RIGGER_STATE_DIR/ready"; exec sleep 60')
    process = cluster.rigger.start("test", "smoke")
    wait_for(lambda: os.path.exists(cluster.file("modules", "tree", "ready")))
    process.send_signal(signal.SIGINT)
    code, said = ended(process)
    assert code == 130 and "interrupted" in said
    summary, suite = report(cluster)
    assert [(test["name"], test["outcome"]) for test in summary["tests"]] == [
        ("grows", "passed"),
        ("wilts", "failed"),
    ]
    assert summary["tests"][1]["reason"] == "interrupted"
    assert suite.get("tests") == "2"
    assert cluster.rigger("history").out.count("interrupted") == 1


@pytest.mark.slow
def test_a_test_that_hangs_is_stopped(cluster, modules):
    modules.write("platform", "tree", PLATFORM + "    timeouts: {test: 1s}\n")
    cluster.script("platform", "tests/grows", "sleep 60")
    said = cluster.rigger("test", "component", "leaf", code=6)
    assert "timed out" in said.out


def test_tests_do_not_count_as_changes(cluster):
    cluster.rigger("test", "smoke", code=6)
    assert cluster.plan()["changes"] is False
    assert "deployed since" in cluster.rigger("status").out


def test_a_skipped_test_is_no_failure(rigger, modules):
    cluster = Cluster(rigger, modules, PROVIDER, "suites: {smoke: [waits, grows]}\n")
    cluster.script("platform", "tests/waits", "echo not the season; exit 77")
    cluster.configure()
    rigger("provision")
    said = rigger("test", "smoke").out
    assert "1 passed, 1 skipped" in said and "failed" not in said
    assert json.loads(rigger("history", "-o", "json").out)["runs"][-1]["outcome"] == "done"


def test_a_component_may_be_named_alone(cluster):
    assert "leaf: 1 passed" in cluster.rigger("test", "leaf").out
