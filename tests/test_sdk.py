"""What Python scripts say to rigger, and that rigger understands it."""

import json
import os
import subprocess
import sys

import pytest
from helpers.clusters import Cluster

from rigger import sdk
from rigger.envfile import output
from rigger.environments import inventory

NODE = {
    "name": "node-1",
    "address": "192.0.2.7",
    "private_address": "10.0.0.7",
    "ssh": {"user": "root", "port": 22, "key": "~/.ssh/id", "jump": "node-2"},
    "port_offset": 3,
    "labels": {"zone": "a"},
}


@pytest.fixture
def step(tmp_path, monkeypatch):
    """Make the files of a step, and return a function that reads one of them."""
    monkeypatch.setenv("RIGGER_STEP", "01-create")
    for name in ("OUTPUT", "SECRETS_OUTPUT", "INVENTORY_OUTPUT"):
        monkeypatch.setenv(f"RIGGER_{name}", str(tmp_path / name))
    return lambda name: (tmp_path / name).read_bytes()


@pytest.mark.parametrize(
    "value", ["", "plain", "two\nlines\n", "a=b<<END_A", "END_A\nEND_A_\n", "\udcff'\"$x`"]
)
def test_vars_and_secrets_come_back_byte_for_byte(step, value):
    sdk.save_vars({"A": value, "B": "after"})
    sdk.save_secrets({"A": value})
    assert output.parse_output(step("OUTPUT"), "x") == ({"A": value, "B": "after"}, [])
    assert output.parse_output(step("SECRETS_OUTPUT"), "x") == ({"A": value}, [])


def test_nodes_are_those_of_the_inventory(step):
    sdk.write_nodes([NODE])
    sdk.write_nodes([{"name": "node-2", "address": "192.0.2.8"}])
    nodes, problems = inventory.parse_output(step("INVENTORY_OUTPUT"))
    assert problems == [] and nodes == [inventory.Node(**NODE), inventory.Node("node-2", "192.0.2.8")]


def test_the_inventory_is_read(tmp_path):
    path = str(tmp_path / "inventory.json")
    assert sdk.read_nodes({"RIGGER_INVENTORY": path}) == []
    inventory.write(path, [inventory.Node(**NODE)])
    assert sdk.read_nodes({"RIGGER_INVENTORY": path}) == [NODE]
    for content, reason in (("{", "cannot be read as an inventory"), ('["x"]', "is not a list of nodes")):
        (tmp_path / "inventory.json").write_text(content)
        with pytest.raises(sdk.StepFailed, match=reason):
            sdk.read_nodes({"RIGGER_INVENTORY": path})


def test_a_file_of_nodes_is_as_rigger_writes_it(tmp_path):
    others = [{"name": "node-2", "address": "192.0.2.8"}]
    inventory.write(str(tmp_path / "theirs.json"), [inventory.Node(**NODE), inventory.Node(**others[0])])
    sdk.write_nodes_file(str(tmp_path / "mine.tsv"), [NODE, *others])
    assert (tmp_path / "mine.tsv").read_bytes() == (tmp_path / "theirs.tsv").read_bytes()


def test_leftovers_can_be_added_to_by_a_shell(step):
    sdk.report_leftovers(["a disk", "an\naddress"])
    program = os.path.join(os.path.dirname(sdk.__file__), "libexec", "rigger-leftover")
    subprocess.run([program, "a name"], check=True)
    values, problems = output.parse_output(step("OUTPUT"), "x")
    assert problems == [] and values == {"LEFTOVERS": "a disk\nan address\na name"}


def test_nothing_given_back_needs_no_file(monkeypatch):
    monkeypatch.delenv("RIGGER_OUTPUT", raising=False)
    sdk.save_vars({})
    with pytest.raises(sdk.StepFailed, match="RIGGER_OUTPUT is not set"):
        sdk.save_vars({"A": "b"})


def test_an_answer_that_is_missing_is_named(monkeypatch):
    monkeypatch.setenv("REGION", "here")
    values = sdk.answers()
    assert values["REGION"] == "here" and values.get("NOBODY_SET_THIS") is None
    with pytest.raises(sdk.StepFailed, match="NOBODY_SET_THIS has no answer"):
        values["NOBODY_SET_THIS"]


def fails(values):
    raise sdk.StepFailed("There is no such region.", "Choose another.")


def differs(values):
    raise sdk.DifferencesFound("2 things differ.", "")


def refuses(values):
    sdk.render("/dev/null", values)
    sdk.write_file("/nonexistent/file", b"")


@pytest.mark.parametrize(
    ("program", "code", "said"),
    [
        (lambda values: None, 0, ""),
        (fails, 1, "There is no such region. Choose another."),
        (differs, 8, "2 things differ."),
        (refuses, 1, "Cannot write /nonexistent/file: No such file or directory"),
    ],
)
def test_an_error_is_a_sentence_and_an_exit_code(step, monkeypatch, capsys, program, code, said):
    assert sdk.is_step() and sdk.run(program) == code
    assert capsys.readouterr().err.startswith(f"error: {said}" if said else "")
    monkeypatch.delenv("RIGGER_STEP")  # for a question the wizard has its own words before it
    assert not sdk.is_step() and sdk.run(program) == code
    assert capsys.readouterr().err.startswith(said)


def test_what_is_said(capsys):
    sdk.say("made")
    sdk.log("by the way")
    sdk.log("slowly", "warning")
    sdk.list_choices([("a", "the first"), ("b", "")])
    assert capsys.readouterr() == ("made\na\tthe first\nb\t\n", "by the way\nwarning: slowly\n")


def test_a_template_that_cannot_be_filled_in_says_where(tmp_path):
    (tmp_path / "x.j2").write_text("{{ a }} {{ b }}")
    assert sdk.render(str(tmp_path / "x.j2"), {"a": 1, "b": [2]}) == "1 [2]"
    with pytest.raises(sdk.RiggerError, match="x.j2: 'b' is undefined"):
        sdk.render(str(tmp_path / "x.j2"), {"a": 1})


CREATE = """\
import sys

import helper
from rigger import sdk


def create(values: sdk.Answers) -> None:
    sdk.say(f"Making {values['NODES']} machines, {helper.HOW}")
    sdk.save_vars({"DOMAIN": "example.com"})
    sdk.save_secrets({"PASS": "two\\nlines"})
    sdk.write_nodes({"name": f"node-{n + 1}", "address": "192.0.2.7"} for n in range(int(values["NODES"])))


sys.exit(sdk.run(create))
"""
START = 'exec "$RIGGER_PYTHON" "${0%/*}/lib/create.py"'


def test_a_provider_in_python(rigger, modules):
    cluster = Cluster(rigger, modules)
    lib = os.path.join(cluster.folders["provider"], "lib")
    os.mkdir(lib)
    for name, text in {"create.py": CREATE, "helper.py": 'HOW = "slowly"\n'}.items():
        with open(os.path.join(lib, name), "w") as file:
            file.write(text)
    # A module of that name in the folder that a step runs in must not get in the way.
    with open(os.path.join(cluster.folders["provider"], "rigger.py"), "w") as file:
        file.write("raise SystemExit('not this one')\n")
    cluster.script("provider", "create", START)
    cluster.configure()
    assert "Making 2 machines, slowly" in cluster.rigger("provision", "-v").out
    assert cluster.nodes() == ["node-1", "node-2"] and "DOMAIN=" in cluster.content("vars")
    assert "two" in cluster.content("secrets") and "two" not in cluster.content("vars")

    # A change of what a script imports is a change of the script.
    def why():
        return [row["why"] for row in cluster.plan()["steps"] if row["step"] == "create"]

    assert why() == []
    with open(os.path.join(lib, "helper.py"), "w") as file:
        file.write('HOW = "slowlY"\n')
    assert why() == ["its script changed"]


def test_it_is_small_enough_to_start_with():
    code = "import json, sys, rigger.sdk; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    heavy = {"click", "jinja2", "boto3", "yaml", "cryptography"} & set(json.loads(done.stdout))
    assert not heavy
