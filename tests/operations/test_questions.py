"""The questions as data: what a form has to know, and the same answers as those of the prompts."""

import json

import pytest


@pytest.fixture
def asked(rigger):
    """Return the report of `configure --questions`, and its questions by name."""

    def ask(*words, **options):
        report = json.loads(rigger("configure", "--questions", "-o", "json", *words, **options).out)
        return report, {row["name"]: row for row in report["questions"]}

    return ask


def test_what_a_question_says_of_itself(cluster, asked):
    report, rows = asked("--name", "new", "--provider", "soil", "--platform", "tree", "--set", "NODES=3")
    assert report["environment"] == "new" and report["complete"] and report["missing"] == []
    nodes = rows["NODES"]
    assert (nodes["type"], nodes["default"], nodes["min"], nodes["max"]) == ("integer", "2", 0, 9)
    assert (nodes["value"], nodes["source"]) == ("3", "--set NODES")
    assert (rows["COLOUR"]["value"], rows["COLOUR"]["source"]) == ("green", "default")
    assert rows["TOKEN"]["secret"] and rows["TOKEN"]["optional"] and not rows["TOKEN"]["answered"]
    assert "soil" in [choice["value"] for choice in rows["PROVIDER"]["choices"]]


def test_nothing_is_written(cluster, asked, rigger):
    asked("--name", "new", "--provider", "soil", "--platform", "tree")
    assert json.loads(rigger("list", "-o", "json").out)["environments"] == []


def test_saved_values_with_their_source_and_no_secret(cluster, asked):
    cluster.configure("--set", "TOKEN=a-secret-token", "--set", "COLOUR=red")
    report, rows = asked("--name", "wood")
    assert "a-secret-token" not in json.dumps(report)
    assert (rows["TOKEN"]["answered"], rows["TOKEN"]["value"], rows["TOKEN"]["source"]) == (
        True,
        None,
        "saved",
    )
    assert (rows["COLOUR"]["value"], rows["COLOUR"]["source"]) == ("red", "saved")
    _, rows = asked("--name", "wood", env={"RIGGER_COLOUR": "blue"})
    assert (rows["COLOUR"]["value"], rows["COLOUR"]["source"]) == ("blue", "$RIGGER_COLOUR")


MAKES = """
    questions:
      - {name: REGION, ask: Which region?, type: select, choices: {command: regions}}
      - {name: ZONE, ask: Which zone?, default: "{{ REGION }}-1", when: "{{ REGION == 'north' }}"}
      - {name: KEY, type: secret, generate: {length: 20}}
      - {name: CODE, ask: Which code?, pattern: "[0-9]{4}", advanced: true, default: "1234"}
      - {name: TOKEN, ask: Which token?, type: secret}
"""


def test_choices_are_live_and_what_is_missing_is_named(rigger, modules, asked):
    modules.write("provider", "cloud", MAKES, regions="printf 'north\\tcold\\nsouth\\n'")
    words = ("--provider", "cloud", "--platform", "noop")
    report, rows = asked(*words)
    assert rows["REGION"]["choices"] == [
        {"value": "north", "description": "cold"},
        {"value": "south", "description": ""},
    ]
    assert rows["REGION"]["live"] and rows["ZONE"]["value"] == "north-1" and rows["ZONE"]["applies"]
    assert (rows["CODE"]["pattern"], rows["CODE"]["advanced"]) == ("[0-9]{4}", True)
    assert (report["complete"], report["missing"]) == (False, ["KEY", "TOKEN"])
    assert rows["KEY"]["generate"] == 20 and not rows["KEY"]["answered"]  # none was made
    _, rows = asked(*words, "--set", "REGION=south")
    assert not rows["ZONE"]["applies"] and "REGION" in rows["ZONE"]["when"]


def test_values_that_are_wrong(cluster, rigger, asked):
    said = rigger("configure", "--questions", "-o", "json", "--provider", "soil", "--set", "NODES=99", code=2)
    assert json.loads(said.out)["outcome"] == "failed" and "NODES" in json.loads(said.out)["error"]["message"]


# Exactly this file


def test_what_the_file_does_not_name_goes_after_it_was_shown(cluster, rigger, tmp_path):
    cluster.configure("--set", "COLOUR=red", "--set", "NODES=3", "--set", "TOKEN=a-secret-token")
    answers = tmp_path / "answers.env"
    answers.write_text("PROVIDER=soil\nPLATFORM=tree\nVERSION=1.10.0\nNODES=4\n")
    words = ("configure", "--name", "wood", "--no-input", "--answers", answers, "--exactly")
    said = rigger(*words, code=2)
    assert "Add --yes" in said.err and "- COLOUR=red" in said.out and "TOKEN" not in said.out
    assert rigger("config", "get", "COLOUR").out == "red\n"
    rigger(*words, "--yes")
    assert rigger("config", "get", "COLOUR").out == "green\n"
    assert rigger("config", "get", "NODES").out == "4\n"
    assert rigger("config", "get", "--show-secrets", "TOKEN").out == "a-secret-token\n"
    assert "stays as it was" in rigger(*words).out  # nothing is left to unset, nothing to agree to
    before = {r["event"] for r in cluster.records()}
    assert before == {"configured"}


def test_it_needs_a_file(cluster, rigger):
    assert "--exactly is about an answers file" in rigger("configure", "--exactly", code=2).err
