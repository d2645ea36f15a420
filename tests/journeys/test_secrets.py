"""A secret on its way through a command: into defaults, outputs, logs, reports, a bundle, and out of none of them."""

import pytest
from conftest import Rigger
from helpers.clusters import PLATFORM, PROVIDER, Cluster
from helpers.run_records import files_with
from helpers.second_machine import contents, fields

SECRET = "sw0rd-f1sh-Sentinel"
MADE = """
      - {name: URL, default: "postgres://app:{{ TOKEN }}@db"}
      - {name: LOUD, default: "{{ TOKEN | upper }}", changes: install}
      - {name: AGAIN, default: "<{{ LOUD }}>"}
      - {name: SAFE, default: "{{ 'yes, there is one' if TOKEN else 'there is none' }}"}
      - {name: LONG, default: "{{ TOKEN | length }} characters"}
"""
VARS = '\n    vars:\n      COMPUTED: "x-{{ TOKEN | reverse }}"\n'


@pytest.fixture
def cluster(rigger, modules):
    cluster = Cluster(rigger, modules, provider=PROVIDER + MADE + VARS, platform=PLATFORM)
    cluster.said = cluster.configure(env={"RIGGER_TOKEN": SECRET})
    return cluster


def shown(*answers) -> str:
    return "".join(said.out + said.err for said in answers)


def forms(secret) -> list[str]:
    return [secret, secret.upper(), secret[::-1]]


@pytest.mark.slow
def test_a_default_that_is_made_of_a_secret_is_one(cluster, tmp_path):
    cluster.script("provider", "create", 'echo "$URL $LOUD $AGAIN $COMPUTED"; [ "$AGAIN" = "<$LOUD>" ]')
    said = shown(
        cluster.said,
        cluster.rigger("config", "get"),
        cluster.rigger("config", "get", "-o", "json"),
        cluster.rigger("provision", "--plan", "-o", "json"),
        cluster.rigger("provision"),
        cluster.rigger("provision", "--plan"),
        cluster.rigger("config", "set", "TOKEN=another-token-4711"),
        cluster.rigger("config", "diff"),
        cluster.rigger("config", "diff", "-o", "json"),
        cluster.rigger("provision", "--plan"),
        cluster.rigger("logs"),
        cluster.rigger("save", "-o", tmp_path / "x.rigger"),
    )
    seen = [form for secret in (SECRET, "another-token-4711") for form in forms(secret) if form in said]
    assert not seen and "*** *** *** ***" in said
    names = ["AGAIN", "COMPUTED", "LOUD", "TOKEN", "URL"]
    assert fields(tmp_path / "x.rigger")["redacted"] == names
    for name in names:
        assert "is a secret" in cluster.rigger("config", "get", name, code=2).err
    assert cluster.rigger("config", "get", "SAFE").out == "yes, there is one\n"
    assert cluster.rigger("config", "get", "LONG").out == "18 characters\n"
    for form in forms(SECRET):
        assert set(files_with(cluster.path, form.encode())) <= {"secrets"}
    assert not cluster.rigger("config", "diff").out.count("SAFE")


@pytest.mark.slow
def test_an_answer_that_has_a_secret_in_it_is_one(cluster):
    said = cluster.configure("--set", f"COMMENT=it is {SECRET}!")
    said = shown(
        said, cluster.rigger("config", "set", f"REGION=of-{SECRET}"), cluster.rigger("config", "get")
    )
    assert SECRET not in said and 'RIGGER_COMMENT="$RIGGER_COMMENT"' in said
    assert files_with(cluster.path, SECRET.encode()) == ["secrets"]
    cluster.script("provider", "create", '[ "$COMMENT" = "it is $TOKEN!" ] && [ "$REGION" = "of-$TOKEN" ]')
    cluster.rigger("provision")


@pytest.mark.slow
def test_what_was_no_secret_when_a_step_ran_is_no_new_value_now(cluster):
    cluster.rigger("config", "set", "COMMENT=made-later", "TOOLS=made-later")
    cluster.script("provider", "create", "rigger-save-secrets PASSWORD=made-later")
    cluster.rigger("provision")
    assert {step["step"] for step in cluster.plan()["steps"]} == {"check"}
    assert "is a secret" in cluster.rigger("config", "get", "TOOLS", code=2).err


@pytest.mark.slow
def test_a_bundle_asks_for_what_was_given_and_works_the_rest_out(cluster, tmp_path):
    cluster.rigger("config", "set", f"COMMENT=it is {SECRET}!")
    cluster.rigger("provision")
    cluster.rigger("save", "-o", tmp_path / "x.rigger")
    assert not any(SECRET.encode() in data for data in contents(tmp_path / "x.rigger").values())
    other = Rigger(str(tmp_path / "elsewhere"), str(tmp_path))
    other.env.update(cluster.rigger.env, RIGGER_HOME=other.home)
    load = ("configure", "--file", tmp_path / "x.rigger", "--no-input", "--trust")
    missing = other(*load, code=2, env={"RIGGER_TOKEN": "new-token-4711"})
    assert "1 value is missing" in missing.err and "--set COMMENT=" in missing.err
    other(*load, env={"RIGGER_TOKEN": "new-token-4711", "RIGGER_COMMENT": "it is new-token-4711!"})
    assert other("config", "get", "URL", "--show-secrets").out == "postgres://app:new-token-4711@db\n"
    assert "is a secret" in other("config", "get", "COMMENT", code=2).err


@pytest.mark.slow
def test_whatever_rigger_says_itself_is_masked(cluster):
    """A record, a node and a log of before the value was a secret, a failed step's last lines, an error's sentence."""
    cluster.rigger("config", "set", "COMMENT=made-later-4711")
    cluster.script(
        "provider",
        "create",
        """echo "log: made-later-4711"
        echo '{"name": "node-1", "address": "10.0.0.1", "labels": {"pw": "made-later-4711"}}' >>"$RIGGER_INVENTORY_OUTPUT"
        rigger-save-secrets PASSWORD=made-later-4711""",
    )
    cluster.script("platform", "deploy", "rigger-leftover 'a disk of made-later-4711'; exit 1")
    cluster.rigger("provision", code=5)
    with open(cluster.file("runs", "kept.log"), "w") as file:
        file.write("made-later-4711")
    said = shown(
        cluster.rigger("provision", code=5),
        cluster.rigger("status"),
        cluster.rigger("status", "-o", "json"),
        cluster.rigger("history", "-o", "json"),
        cluster.rigger("logs"),
        cluster.rigger("config", "get"),
        cluster.rigger("config", "get", "no-made-later-4711", code=2),
        cluster.rigger("config", "set", "NODES=made-later-4711", code=2),
        cluster.rigger("upgrade", "--version", "made-later-4711", code=None),
    )
    assert "made-later-4711" not in said and "no-***" in said
    assert "made-later-4711" in cluster.rigger("config", "get", "--show-secrets").out
    assert "made-later-4711" in cluster.rigger("config", "get", "--show-secrets", "-o", "json").out
