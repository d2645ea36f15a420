"""Secrets by reference: looked up when steps run, stored nowhere, shown nowhere."""

import json
import os

import pytest

PROVIDER = """
    vars: {GATE_URL: "https://ada:{{ GATE_TOKEN }}@gate.example"}
    questions:
      - {name: GATE_TOKEN, ask: Which token?, type: secret, check: bin/check, pattern: "[a-z0-9:-]{6,}"}
      - {name: NOTE, ask: A note?, optional: true, changes: none}
"""
SECRET = "s3cret-of-the-gate"
CREATE = """
    echo "token: $GATE_TOKEN url: $GATE_URL"
    printf %s "$GATE_TOKEN" | wc -c
    printf %s "$GATE_URL" | wc -c
    echo create >>"$RAN"
"""


@pytest.fixture
def gate(rigger, modules):
    rigger.env["RAN"] = os.path.join(rigger.folder, "ran")
    check = (
        'case $GATE_TOKEN in s3cret*|env:*) ;; *) echo "the gate does not know $GATE_TOKEN"; exit 1 ;; esac'
    )
    modules.write("provider", "gate", PROVIDER, create=CREATE, bin__check=check)

    def configure(reference, *words, code=0, **options):
        arguments = ("--no-input", "--name", "g", "--provider", "gate", "--platform", "noop", *words)
        given = ("--set", f"GATE_TOKEN={reference}") if reference else ()
        return rigger("configure", *arguments, *given, code=code, **options)

    rigger.configured = configure
    return rigger


def files_with(rigger, text):
    """Return the files of the whole home that have a text in them."""
    found = []
    for folder, _, names in os.walk(rigger.home):
        for name in names:
            with open(os.path.join(folder, name), "rb") as file:
                if text.encode() in file.read():
                    found.append(os.path.relpath(os.path.join(folder, name), rigger.home))
    return found


def reference_of(kind, rigger):
    path = os.path.join(rigger.folder, "token")
    with open(path, "w") as file:
        file.write(SECRET + "\n")
    rigger.env["MY_TOKEN"] = SECRET
    return {"env": "env:MY_TOKEN", "file": f"file:{path}", "command": f"command:tr a-z a-z <{path}; echo"}[
        kind
    ]


@pytest.mark.parametrize("kind", ["env", "file", "command"])
def test_a_step_gets_the_secret_and_no_file_and_no_output_has_it(gate, kind):
    reference = reference_of(kind, gate)
    said = gate.configured(reference)
    assert reference in said.out and "RIGGER_GATE_TOKEN" not in said.out
    done = gate("provision", "-v")
    assert f"\n{len(SECRET)}\n" in done.out, "the script has the secret itself"
    assert f"\n{len(SECRET) + len('https://ada:@gate.example')}\n" in done.out, "and what is made of it"
    assert "token: *** url: ***" in done.out
    assert SECRET not in said.out + said.err + done.out + done.err
    assert files_with(gate, SECRET) == []
    assert reference.replace("$", "\\$") in open(gate.path("environments", "g", "vars")).read()
    assert not os.path.exists(gate.path("environments", "g", "secrets"))
    assert gate("config", "get", "GATE_TOKEN").out.strip() == reference


def test_a_command_looks_a_secret_up_once_for_all_its_steps(gate):
    count = os.path.join(gate.folder, "count")
    gate.configured(f"command:echo once >>{count}; echo {SECRET}")
    os.unlink(count)
    assert "create" in gate("provision").out
    assert open(count).read() == "once\n"
    for command in ("status", "config get", "config diff", "history"):
        gate(*command.split())
    assert open(count).read() == "once\n"


@pytest.mark.slow
def test_another_secret_under_the_same_reference_runs_create_again_and_the_same_one_does_not(gate):
    gate.configured(reference_of("env", gate))
    gate("provision")
    assert "provision" in gate("config", "diff").out or gate("config", "diff").out.strip() != "GATE_TOKEN"
    assert "create" not in gate("provision", "--plan").out.partition("up to date")[0]
    other = reference_of("file", gate)
    gate("config", "set", f"GATE_TOKEN={other}")
    assert "create" not in gate("provision", "--plan").out.partition("up to date")[0], (
        "the secret is the same"
    )
    gate.env["MY_TOKEN"] = "s3cret-after-a-while"
    gate("config", "set", "GATE_TOKEN=env:MY_TOKEN")
    assert "GATE_TOKEN is new" in gate("provision", "--plan").out
    gate("provision")
    assert open(gate.env["RAN"]).read().split() == ["create", "create"]


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("env:NOBODY_SET_THIS", "is not set in the environment of rigger"),
        ("file:/nowhere/at/all", "cannot be read: No such file or directory"),
        ("file:token", "is not a whole path"),
        ("command:echo the vault is locked >&2; exit 7", "exited 7: the vault is locked"),
        ("command:true", "gives nothing"),
    ],
)
def test_what_cannot_be_looked_up_is_refused_with_a_sentence(gate, reference, reason):
    said = gate.configured(reference, code=2)
    assert "GATE_TOKEN cannot be looked up" in said.err and reason in said.err
    gate.configured(reference_of("env", gate))
    assert reason in gate("config", "set", f"GATE_TOKEN={reference}", code=2).err


def test_a_step_whose_secret_is_gone_does_not_start(gate):
    gate.configured(reference_of("env", gate))
    assert "looks no secret up: GATE_TOKEN.\n" in gate("config", "diff").out
    del gate.env["MY_TOKEN"]
    said = gate("provision", code=4)
    assert (
        "GATE_TOKEN cannot be looked up: env:MY_TOKEN is not set" in said.err
        and "Nothing was started" in said.err
    )
    assert not os.path.exists(gate.env["RAN"])
    for command in ("status", "config get", "config diff", "history"):
        gate(*command.split())


def test_the_rules_of_the_question_hold_for_the_secret(gate):
    gate.env["MY_TOKEN"] = "UPPER!"
    assert "does not match" in gate.configured("env:MY_TOKEN", code=2).err
    gate.env["MY_TOKEN"] = "unknown-there"
    said = gate.configured("env:MY_TOKEN", code=2)
    assert "the gate does not know ***" in said.err and "unknown-there" not in said.err


def test_a_secret_that_looks_like_a_reference_is_given_as_a_literal(gate):
    gate.configured("literal:env:s3cret")
    done = gate("provision", "-v")
    assert f"\n{len('env:s3cret')}\n" in done.out and "env:s3cret" not in done.out
    assert files_with(gate, "env:s3cret") == ["environments/g/secrets"]


def test_other_questions_have_no_references(gate):
    gate.configured(reference_of("env", gate), "--set", "NOTE=env:MY_TOKEN")
    assert gate("config", "get", "NOTE").out.strip() == "env:MY_TOKEN"


@pytest.mark.slow
def test_a_bundle_carries_the_reference_and_the_other_machine_agrees_to_it(gate, tmp_path):
    marker = str(tmp_path / "marker")
    gate.configured(f"command:touch {marker}; echo {SECRET[:6]}''{SECRET[6:]}")
    gate("provision")
    bundle = str(tmp_path / "g.rigger")
    gate("save", "-f", bundle)
    os.unlink(marker)
    gate.env["RIGGER_HOME"] = str(tmp_path / "another")
    said = gate("configure", "--no-input", "--file", bundle, code=2)
    assert f"GATE_TOKEN=command:touch {marker}" in said.out + said.err and not os.path.exists(marker)
    gate("configure", "--no-input", "--trust", "--file", bundle)
    gate("provision", "--again")
    assert os.path.exists(marker)


def test_an_answers_file_and_a_vars_file_may_have_references(gate, tmp_path):
    reference, answers = reference_of("file", gate), tmp_path / "answers.env"
    answers.write_text(f"GATE_TOKEN={reference}\n")
    gate.configured("", "--answers", str(answers))
    assert gate("config", "get", "GATE_TOKEN").out.strip() == reference
    shared = tmp_path / "shared.vars"
    reference = "file:~/of-somebody-else"  # not the one that this user gave before
    shared.write_text(f'export GATE_TOKEN="{reference}"\nexport PROVIDER="gate"\nexport PLATFORM="noop"\n')
    said = gate("configure", "--no-input", "--name", "h", "--file", str(shared), code=2)
    assert f"GATE_TOKEN={reference}" in said.out + said.err


# Secrets that nobody needs to think of


def test_a_secret_is_made_once_and_kept_like_any_other(rigger, modules):
    manifest = "questions:\n  - {name: DB_PASSWORD, type: secret, generate: {length: 40}}\n"
    modules.write("provider", "db", manifest, create='printf %s "$DB_PASSWORD" | wc -c\n')
    arguments = ("configure", "--no-input", "--name", "d", "--provider", "db", "--platform", "noop")
    said = rigger(*arguments)
    made = rigger("config", "get", "DB_PASSWORD", "--show-secrets").out.strip()
    assert len(made) == 40 and made.isalnum() and "DB_PASSWORD is ******** (generated)" in said.out
    rigger(*arguments)
    assert rigger("config", "get", "DB_PASSWORD", "--show-secrets").out.strip() == made
    assert files_with(rigger, made) == ["environments/d/secrets"]
    done = rigger("provision", "-v")
    assert "\n40\n" in done.out and made not in done.out
    rigger("configure", "--no-input", "--name", "e", "--provider", "db", "--platform", "noop")
    other = json.loads(rigger("config", "get", "--show-secrets", "-o", "json").out)["values"]
    assert made not in json.dumps(other)


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        ("{name: A, generate: {length: 32}}", "is no secret"),
        ("{name: A, type: secret, generate: {length: 4}}", "4 is not a length"),
        ("{name: A, type: secret, generate: {}}", "the field 'length' is missing"),
    ],
)
def test_what_cannot_be_generated_is_refused(rigger, modules, question, reason):
    modules.write("provider", "db", f"questions:\n  - {question}\n")
    said = rigger("configure", "--no-input", "--provider", "db", "--platform", "noop", code=9)
    assert reason in said.err
