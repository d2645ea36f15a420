"""What was given to a provider that asks by config.sh and that nothing asks for: kept, told, listed, and given to every script."""

import os

import pytest


@pytest.fixture
def cloud(rigger, tmp_path):
    """Write a provider whose scripts read a variable that it never asks for; return its folder."""
    folder = str(tmp_path / "repository" / "contrib" / "cloud")
    os.makedirs(folder)
    config = 'prompt "Which size?" SIZE small\nrigger-save-vars SIZE\n'
    says = '#!/usr/bin/env bash\necho "$(basename "$0") ${REGION-none} ${MY_TOKEN-none}" >>"$CALLS"\n'
    for name, text in {"config.sh": config, "create": says, "destroy": says}.items():
        with open(os.path.join(folder, name), "w") as file:
            file.write(text)
        os.chmod(os.path.join(folder, name), 0o644 if name == "config.sh" else 0o755)
    rigger.env["CALLS"] = str(tmp_path / "calls")
    return folder


def configure(rigger, cloud, *words, **options):
    common = ("--no-input", "--trust", "--platform", "noop", "--provider", cloud)
    return rigger("configure", *common, *words, **options)


def test_it_reaches_every_script_also_in_another_shell(rigger, cloud):
    said = configure(
        rigger, cloud, "--set", "SIZ=1", "--set", "REGION=eu-west-1", "--set", "MY_TOKEN=s3cret-one"
    )
    assert "Nothing asks for MY_TOKEN; it is kept, and every script gets it." in said.out
    assert "Nothing asks for SIZ (did you mean SIZE?)" in said.out
    assert "--set REGION=eu-west-1" in said.out and 'RIGGER_MY_TOKEN="$RIGGER_MY_TOKEN"' in said.out
    assert "s3cret-one" not in said.out
    rigger("provision")
    rigger("destroy", "--yes")
    with open(rigger.env["CALLS"]) as file:
        assert file.read() == "create eu-west-1 s3cret-one\ndestroy eu-west-1 s3cret-one\n"
    with open(rigger.path("environments", "noop", "secrets")) as file:
        assert file.read() == 'export MY_TOKEN="s3cret-one"\n'


def test_it_stays_and_is_listed_when_something_else_is_configured(rigger, cloud):
    configure(rigger, cloud, "--set", "REGION=eu-west-1")
    said = configure(rigger, cloud, "--set", "SIZE=large")
    assert "--set REGION=eu-west-1" in said.out and "Nothing asks" not in said.out
    rigger("config", "set", "REGION=us-east-1")
    said = configure(rigger, cloud)
    assert "--set REGION=us-east-1" in said.out and "--set SIZE=large" in said.out
    configure(rigger, cloud, "--set", "REGION=")
    assert rigger("config", "get", "REGION", code=None).out.strip() == ""


def test_an_answers_file_may_have_it_too(rigger, cloud, tmp_path):
    (tmp_path / "answers").write_text("REGION=eu-west-1\n")
    said = configure(rigger, cloud, "--answers", tmp_path / "answers")
    assert "Nothing asks for REGION" in said.out
    assert rigger("config", "get", "REGION").out == "eu-west-1\n"


@pytest.mark.parametrize("name", ["LD_PRELOAD", "RIGGER_HOME", "PATH", "BASH_ENV"])
def test_what_would_change_how_programs_run_is_refused(rigger, cloud, name):
    assert name in configure(rigger, cloud, "--set", f"{name}=x", code=2).err
    assert not os.path.exists(rigger.path("environments", "noop"))


def test_another_provider_of_interface_2_takes_no_such_value(rigger, cloud):
    said = rigger(
        "configure", "--no-input", "--provider", "noop", "--platform", "noop", "--set", "REGION=x", code=2
    )
    assert "There is no variable 'REGION'" in said.err
