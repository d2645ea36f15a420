"""A provider that asks by config.sh, destroyed and provisioned again: its answers, and what config.sh gave, stay."""

import os

import pytest

CONFIG = """
export SUGGESTED=nothing
export STACK_TAG="${STACK_TAG:-test}-${NOOP_ID}"
export STACK_NAME="${STACK_NAME:-deis-${STACK_TAG}}"
prompt "Which domain?" DOMAIN
prompt "Which key?" ACCESS_KEY_ID
prompt "Which secret key?" SECRET_ACCESS_KEY
rigger-save-vars DOMAIN ACCESS_KEY_ID SECRET_ACCESS_KEY STACK_NAME STACK_TAG
"""
SAYS = 'echo "$STACK_NAME $STACK_TAG $DOMAIN $ACCESS_KEY_ID ${#SECRET_ACCESS_KEY}" >>"$CALLS"\n'
CREATE = """
export DOMAIN="${STACK_TAG}.${DOMAIN}"
export TUNNEL=10.0.0.1
rigger-save-vars TUNNEL STACK_TAG STACK_NAME DOMAIN
"""


@pytest.fixture
def calls(rigger, tmp_path):
    """Return what reads the lines that create and destroy have written since."""
    folder = str(tmp_path / "repository" / "contrib" / "cloud")
    os.makedirs(folder)
    for name, text in {
        "config.sh": CONFIG,
        "create": f"#!/usr/bin/env bash\nset -eo pipefail -o nounset\n{SAYS}{CREATE}",
        "destroy": f'#!/usr/bin/env bash\nset -eo pipefail -o nounset\n: "$TUNNEL"\n{SAYS}',
    }.items():
        with open(os.path.join(folder, name), "w") as file:
            file.write(text)
        os.chmod(os.path.join(folder, name), 0o644 if name == "config.sh" else 0o755)
    path = str(tmp_path / "calls")
    rigger.env["CALLS"] = path
    answers = ("DOMAIN=deis.test", "ACCESS_KEY_ID=AKIA12345678", "SECRET_ACCESS_KEY=a-long-secret")
    words = [word for answer in answers for word in ("--set", answer)]
    rigger("configure", "--no-input", "--trust", "--platform", "noop", "--provider", folder, *words)

    def read():
        with open(path) as file:
            lines = [line.split() for line in file]
        os.unlink(path)
        return lines

    return read


@pytest.mark.slow
def test_answers_and_what_config_sh_gave_survive_a_destroy(rigger, calls):
    id = rigger("config", "get", "NOOP_ID").out.strip()
    tag = f"test-{id}"
    asked = [f"deis-{tag}", tag, "deis.test", "AKIA12345678", "13"]
    made = [f"deis-{tag}", tag, f"{tag}.deis.test", "AKIA12345678", "13"]
    for _ in range(2):
        rigger("provision")
        assert calls() == [asked]
        assert '"changes": false' in rigger("provision", "--plan", "-o", "json").out
        rigger("destroy", "--yes")
        assert calls() == [made]
        assert rigger("config", "get", "DOMAIN").out == "deis.test\n"
        assert "TUNNEL has no value" in rigger("config", "get", "TUNNEL", code=2).err


def test_a_create_that_runs_again_does_not_compose_upon_what_it_composed(rigger, calls):
    rigger("provision")
    first = calls()
    rigger("configure", "--no-input")
    rigger("provision", "--again")
    assert calls() == first
    assert rigger("config", "get", "DOMAIN").out.count("test-") == 1
