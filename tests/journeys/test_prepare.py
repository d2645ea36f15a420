"""What a platform may ask for beyond its usual scripts: `prepare`, computed vars, answers that are kept."""

import os

import pytest

from rigger.envfile import file as envfile
from rigger.errors import Refused
from rigger.modules import manifest as modules_manifest

TRACE = 'echo "{0} $(basename "$0")" >>"$TRACE"\n'
COMPUTED = """
questions:
  - {name: COLOUR, ask: Which colour?, default: red, keep: true}
  - {name: SIZE, ask: Which size?, default: large}
vars:
  PLACE: "{{ RIGGER_ENVIRONMENT_DIR }}/units"
  PAINT: "{{ COLOUR }} paint in {{ PLACE }}"
  SMALL: "{{ SIZE }}"
"""


@pytest.fixture
def prepared(rigger, modules, tmp_path):
    """A platform that has something to do before the machines are made."""
    rigger.env["TRACE"] = str(tmp_path / "trace")
    scripts = {verb: TRACE.format("provider") for verb in ("install", "create", "check", "destroy")}
    modules.write("provider", "soil", **scripts)
    verbs = ("install", "deploy", "check", "undeploy", "prepare")
    scripts = {verb: TRACE.format("platform") for verb in verbs}
    folder = modules.write("platform", "tree", "versions: [1.0.0, 1.1.0]\n", **scripts)
    modules.script(folder, "setup-clients", TRACE.format("platform") + 'touch "$RIGGER_BIN_DIR/tree"\n')
    rigger.modules, rigger.trace = modules, tmp_path / "trace"
    rigger(
        "configure",
        "--defaults",
        "--name",
        "e",
        "--platform",
        "tree",
        "--provider",
        "soil",
        "--version",
        "1.0.0",
    )
    return rigger


def ran(rigger) -> list[str]:
    """Return the scripts that ran since the last look."""
    lines = rigger.trace.read_text().splitlines() if rigger.trace.exists() else []
    rigger.trace.write_text("")
    return lines


LOOKS = ["provider check", "platform check"]
ALL = [
    "provider install",
    "platform setup-clients",
    "platform prepare",
    "provider create",
    "platform install",
    "platform deploy",
    *LOOKS,
]


def test_clients_and_preparation_come_before_the_machines_and_the_providers_check_last(prepared):
    prepared("provision")
    assert ran(prepared) == ALL
    prepared("provision")
    assert ran(prepared) == LOOKS


def test_another_version_brings_other_clients_but_prepares_no_machines(prepared):
    prepared("provision")
    ran(prepared)
    prepared("config", "set", "VERSION=1.1.0")
    prepared("provision", "--allow-version-change")
    assert ran(prepared) == ["platform setup-clients", "platform install", "platform deploy", *LOOKS]


def test_machines_are_never_made_again_without_preparation(prepared):
    prepared("provision")
    ran(prepared)
    folder = os.path.join(prepared.modules.folder, "providers", "soil")
    prepared.modules.script(folder, "create", TRACE.format("provider") + ": changed\n")
    prepared("provision")
    assert ran(prepared) == [
        "platform prepare",
        "provider create",
        "platform install",
        "platform deploy",
        *LOOKS,
    ]


def test_what_was_only_prepared_is_taken_back_by_destroy(prepared):
    folder = os.path.join(prepared.modules.folder, "providers", "soil")
    prepared.modules.script(folder, "create", TRACE.format("provider") + "exit 1\n")
    prepared("provision", code=5)
    assert ran(prepared) == ALL[:4]
    prepared("destroy", "--yes")
    assert ran(prepared) == ["platform undeploy", "provider destroy"]


def test_a_platform_without_preparation_plans_as_ever(rigger, modules):
    folder = modules.write("platform", "bush")
    modules.script(folder, "setup-clients", "")
    rigger("configure", "--defaults", "--name", "e", "--platform", "bush", "--provider", "noop")
    said = rigger("provision", "--plan").out
    assert "setup-clients" not in said and "prepare" not in said
    assert said.count("/check") == 1


# Computed vars


@pytest.fixture
def computed(rigger, modules):
    modules.write("platform", "tree", COMPUTED, deploy='echo "PLACE is $PLACE, PAINT is $PAINT"\n')
    rigger("configure", "--defaults", "--name", "e", "--platform", "tree", "--provider", "noop")
    return rigger


def vars_of(rigger, name="e"):
    return envfile.read(rigger.path("environments", name, "vars"))


def test_computed_vars_and_kept_answers_stand_in_the_vars_file_at_once(computed):
    found, place = vars_of(computed), computed.path("environments", "e", "units")
    assert (found["PLACE"], found["PAINT"], found["SMALL"]) == (place, f"red paint in {place}", "large")
    assert found["COLOUR"] == "red" and "SIZE" not in found
    assert f"PAINT is red paint in {place}" in computed("provision", "-v").out


def test_a_changed_value_changes_what_is_computed_of_it(computed):
    computed("config", "set", "COLOUR=blue")
    assert vars_of(computed)["PAINT"].startswith("blue paint")
    computed("configure", "--no-input", "--set", "COLOUR=green")
    assert vars_of(computed)["PAINT"].startswith("green paint")


def test_what_somebody_made_of_a_computed_var_does_not_last(computed):
    path = computed.path("environments", "e", "vars")
    text = open(path).read().replace("red paint", "wet paint")
    with open(path, "w") as file:
        file.write(text)
    computed("provision")
    assert vars_of(computed)["PAINT"].startswith("red paint")


def test_a_computed_var_that_holds_a_secret_is_kept_among_the_secrets(rigger, modules):
    manifest = """
        questions:
          - {name: TOKEN, ask: Which token?, type: secret}
        vars:
          URL: "https://{{ TOKEN }}@example.org"
    """
    modules.write("platform", "tree", manifest)
    rigger(
        "configure", "--defaults", "--name", "e", "--platform", "tree", "--provider", "noop",
        env={"RIGGER_TOKEN": "s3cret-t0ken"},
    )  # fmt: skip
    rigger("provision", env={"RIGGER_TOKEN": "s3cret-t0ken"})
    assert (
        "URL" not in vars_of(rigger) and "s3cret" not in open(rigger.path("environments", "e", "vars")).read()
    )
    assert (
        envfile.read(rigger.path("environments", "e", "secrets"))["URL"] == "https://s3cret-t0ken@example.org"
    )


@pytest.mark.parametrize(
    "line, complaint",
    [
        ("vars: {LD_PRELOAD: x}", "LD_PRELOAD"),
        ("vars: {VERSION: x}", "a question of rigger's own"),
        ("ssh-agent: KEY", "must be a list"),
        ("questions: [{name: A, make: dsa}]", "'dsa' is not one of ed25519, rsa"),
        ("questions: [{name: A, keep: perhaps}]", "neither true nor false"),
    ],
)
def test_wrong_fields_are_refused_with_their_place(tmp_path, line, complaint):
    (tmp_path / "rigger.yml").write_text(f"interface: 2\nname: tree\nrole: platform\n{line}\n")
    with pytest.raises(Refused, match="rigger.yml, line 4") as problem:
        modules_manifest.load(str(tmp_path))
    assert complaint in problem.value.message


def test_a_computed_var_of_something_unknown_names_itself(rigger, modules):
    modules.write("platform", "tree", 'vars: {PAINT: "{{ NOTHING }}"}\n')
    said = rigger(
        "configure", "--defaults", "--name", "e", "--platform", "tree", "--provider", "noop", code=9
    )
    assert "vars, PAINT" in said.err and "NOTHING" in said.err
