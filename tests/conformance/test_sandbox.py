"""A private home, and an environment in it whose missing values are made up."""

import os
import re

import pytest

from rigger.conformance import subject
from rigger.conformance.sandbox import RehearsalOptions, configure_sandbox, open_sandbox
from rigger.errors import BadUsage
from rigger.modules import scaffold


@pytest.fixture
def configured():
    """Return the vars and secrets of a sandbox that was made for a module."""

    def configure(module, provider="", **values):
        with open_sandbox() as sandbox:
            options = RehearsalOptions(values, provider)
            environment = configure_sandbox(sandbox, subject.load(str(module.folder)), options)
            left = {name for name in os.environ if name.startswith("RIGGER_")}
            return {**environment.vars(), **environment.secrets(), "LEFT": left, "HOME": sandbox.home}

    return configure


def test_a_home_and_temporary_files_of_its_own_which_are_gone_afterwards(private_home, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", "/mine")
    before = dict(os.environ)
    with open_sandbox() as sandbox:
        assert os.environ["HOME"] == os.path.expanduser("~") == sandbox.home != str(private_home)
        assert os.environ["TMPDIR"] == sandbox.temporary and "XDG_CONFIG_HOME" not in os.environ
        assert os.environ["RIGGER_HOME"] == os.path.join(sandbox.home, ".rigger")
        assert os.stat(sandbox.home).st_mode & 0o777 == 0o700
        os.environ["LEFT"] = "x"
    assert dict(os.environ) == before
    assert not os.path.exists(sandbox.root)


def test_an_error_gives_the_environment_back_and_a_sandbox_that_is_kept_stays():
    before = dict(os.environ)
    with pytest.raises(ZeroDivisionError), open_sandbox() as sandbox:
        sandbox.keep = True
        1 / 0  # noqa: B018
    assert dict(os.environ) == before
    assert os.path.isdir(sandbox.home)


@pytest.mark.parametrize(
    ("name", "stays"),
    [
        ("RIGGER_NAME", False),
        ("RIGGER_PASSPHRASE", False),
        ("RIGGER_STATE_DIR", False),
        ("RIGGER_PROVIDER_PATH", True),
        ("RIGGER_ZONE", True),
    ],
)
def test_what_the_persons_own_rigger_is_told_does_not_get_in_and_answers_do(monkeypatch, name, stays):
    monkeypatch.setenv(name, "mine")
    with open_sandbox():
        assert os.environ.get(name) == ("mine" if stays else None)


def test_what_nobody_gave_is_made_up(provider, configured):
    for question in (
        "{name: COUNT, type: integer, min: 3}",
        "{name: FEW, type: integer}",
        "{name: PLACE, type: path}",
        "{name: WORD, ask: Which?}",
        "{name: SEVERAL, type: checkbox, choices: [a, b]}",
        "{name: BREADTH, default: middle}",
        "{name: NOTE, optional: true}",
        "{name: API_TOKEN, type: secret}",
    ):
        provider.question(question)
    found = configured(provider)
    assert (found["COUNT"], found["FEW"], found["WORD"], found["SEVERAL"]) == ("3", "1", "sandbox", "a")
    assert found["PLACE"] == os.path.join(found["HOME"], "place")
    assert "BREADTH" not in found and "NOTE" not in found, "they need no value"
    assert re.fullmatch("sandbox-[0-9a-f]{16}", found["API_TOKEN"])


def test_what_was_given_counts_and_answers_do_not_reach_scripts_by_another_name(
    provider, configured, monkeypatch
):
    provider.question("{name: ZONE, ask: Which?}")
    provider.question("{name: API_TOKEN, type: secret}")
    provider.question("{name: ACCOUNT, ask: Which?}")
    monkeypatch.setenv("RIGGER_ACCOUNT", "mine")
    found = configured(provider, ZONE="z1", API_TOKEN="my-own-token")
    assert (found["ZONE"], found["API_TOKEN"], found["ACCOUNT"]) == ("z1", "my-own-token", "mine")
    assert found["LEFT"] <= {"RIGGER_HOME", "RIGGER_PROVIDER_PATH", "RIGGER_PLATFORM_PATH"}


def test_a_platform_stands_on_local_or_on_the_provider_that_was_named(platform, configured, tmp_path):
    assert configured(platform)["PROVIDER"] == "local"
    scaffold.write("provider", "soil", str(tmp_path / "soil"))
    assert configured(platform, provider=str(tmp_path / "soil"))["PROVIDER"] == str(tmp_path / "soil")


def test_a_value_that_nobody_can_make_up_is_asked_for(provider, configured):
    provider.question('{name: ZONE, ask: "Which zone?", pattern: "z[0-9]+"}')
    with pytest.raises(BadUsage, match="A sandbox could not be configured: .*1 value is missing") as missing:
        configured(provider)
    assert missing.value.next_step == "Values are given with --set NAME=VALUE or as RIGGER_NAME."


# Seen from the command


@pytest.mark.slow
def test_a_home_of_its_own(tried, provider, private_home, rigger):
    provider.replace(
        "create",
        "set -euo pipefail\n",
        'set -euo pipefail\n[[ -z ${XDG_CONFIG_HOME-} ]]\necho kept >"$HOME/.cloudrc"\ntouch "${TMPDIR:?}/left"\n',
    )
    report = tried(provider, env={"XDG_CONFIG_HOME": str(private_home / "config"), "RIGGER_NAME": "mine"})
    assert "destroy: files stay in the home and the state after destroy: .cloudrc" in report["advice"]
    assert any(line.startswith(": temporary files stay behind: left;") for line in report["advice"])
    assert os.listdir(private_home) == []


@pytest.mark.slow
def test_values_that_nobody_can_make_up(rigger, provider, private_home):
    provider.question('{name: ZONE, ask: "Which zone?", pattern: "z[0-9]+"}')
    provider.question("{name: COUNT, type: integer, min: 3}")
    provider.question("{name: FOLDER, type: path}")
    said = rigger("module", "check", "--run", provider.folder, code=2)
    assert "1 value is missing" in said.err and "--set ZONE=" in said.err and "COUNT" not in said.err
    provider.replace(
        "create",
        "set -euo pipefail\n",
        'set -euo pipefail\n[[ $COUNT == 3 && $FOLDER == "$HOME"/* && $ZONE == z1 ]]\n',
    )
    rigger("module", "check", "--run", provider.folder, "--set", "ZONE=z1")
    assert (
        "does not match" in rigger("module", "check", "--run", provider.folder, "--set", "ZONE=1", code=2).err
    )
    assert (
        "did you mean ZONE"
        in rigger("module", "check", "--run", provider.folder, "--set", "ZONA=z1", code=2).err
    )
    assert "Add --run" in rigger("module", "check", provider.folder, "--set", "ZONE=z1", code=2).err


@pytest.mark.slow
def test_a_secret_is_on_no_command_line(tried, provider, tmp_path):
    provider.question("{name: ZONE, type: select, choices: {command: bin/zones}}")
    provider.question("{name: API_TOKEN, type: secret}")
    provider.script("bin/zones", f"tr '\\0' ' ' </proc/$PPID/cmdline >{tmp_path}/seen\necho west\n")
    tried(provider, "--set", "ZONE=west", "--set", "SIZE=large")
    assert "SIZE=large" in (tmp_path / "seen").read_text() and "TOKEN" not in (tmp_path / "seen").read_text()
