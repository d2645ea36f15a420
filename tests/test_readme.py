"""The README is valid, tells of every command and option, and its examples work when they are pasted."""

import os
import re
import shlex
import shutil
import subprocess
import sys

import pytest
from conftest import ROOT

from rigger import errors
from rigger.cli import help
from rigger.modules import contract, fields

with open(os.path.join(ROOT, "README.rst"), encoding="utf-8") as file:
    README = file.read()


def section(title):
    """Return the text of a section, up to the next one."""
    match = re.search(rf"^{re.escape(title)}\n-+\n(.*?)(?=^[^\n]+\n-+\n|\Z)", README, re.M | re.S)
    assert match, f"there is no section {title!r}"
    return match[1]


def pasted(title):
    """Return the commands of a section's code block as somebody would copy them."""
    block = re.search(r"\.\. code-block:: bash\n\n((?:    [^\n]*\n|\n)+)", section(title))
    return re.sub(r"^    ", "", block[1], flags=re.M)


@pytest.fixture
def shell(private_home, tmp_path):
    """Run commands in a bash of somebody who has installed rigger."""
    programs = tmp_path / "bin"
    programs.mkdir()
    rigger = programs / "rigger"
    rigger.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m rigger "$@"\n')
    rigger.chmod(0o755)
    env = {
        **os.environ,
        "PYTHONPATH": ROOT,
        "PATH": f"{programs}:{os.environ['PATH']}",
        "HOME": str(private_home),
    }

    def run(text):
        done = subprocess.run(
            ["bash", "-e"], input=text, env=env, cwd=tmp_path, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    return run


def test_readme_is_valid():
    docutils = pytest.importorskip("docutils.core")
    settings = {"report_level": 2, "halt_level": 2, "warning_stream": False}
    docutils.publish_string(README, writer="null", settings_overrides=settings)


def test_readme_is_what_the_package_index_shows():
    assert "\t" not in README
    assert README.isascii()
    assert not [line for line in README.splitlines() if len(line) > 130]


def test_the_provider_works_when_pasted(shell, private_home):
    said = shell(pasted("Writing a provider"))
    assert "trial is as configured" in said
    state = private_home / ".rigger" / "environments" / "trial" / "modules" / "boxes"
    assert sorted(os.listdir(state)) == ["box-1", "box-2"]
    assert (state / "box-1" / "colour").read_text() == "grey\n"

    (state / "box-2" / "colour").unlink()
    (state / "box-2").rmdir()
    assert "box-2 is gone" in shell("rigger check || true")
    shell("rigger provision && rigger config set NODES=1 && rigger provision --yes")
    assert os.listdir(state) == ["box-1"]
    shell("rigger destroy --yes")
    assert os.listdir(state) == []


def test_the_platform_works_when_pasted(shell, private_home):
    said = shell(pasted("Writing a provider") + pasted("Writing a platform"))
    assert "smoke: 1 passed" in said
    boxes = private_home / ".rigger" / "environments" / "greeting" / "modules" / "boxes"
    assert {name: (boxes / name / "greeting").read_text() for name in sorted(os.listdir(boxes))} == {
        f"box-{number}": f"Ahoy from box-{number}\n" for number in (1, 2, 3)
    }
    assert shell('eval "$(rigger shellinit)" && echo "$HELLO_NODES"') == "box-1 box-2 box-3 \n"

    (boxes / "box-3" / "greeting").write_text("Grr\n")
    assert "box-3 said: Grr" in shell("rigger test smoke || [ $? = 6 ]")


VERBS = {
    "config": [["get"], ["set"], ["unset"], ["edit"], ["diff"]],
    "bundle": [["inspect"], ["verify"], ["diff"]],
    "provider": [["list"], ["new"]],
    "platform": [["list"], ["new"]],
    "module": [["check"], ["schema"]],
}


def options(text):
    return set(re.findall(r"(?<![\w-])(--[a-z][a-z-]+)", text))


HELPED = {}


def helped(rigger, *command):
    """Return the options that the help of a command names; each is asked once."""
    if command not in HELPED:
        HELPED[command] = options(rigger(*command, "--help").out)
    return HELPED[command]


def test_every_command_and_option_is_described(rigger):
    described = section("Commands")
    for section_ in help.COMMANDS.values():
        for name in section_:
            assert f"``rigger {name}" in described, name
            for command in [[name, *verb] for verb in VERBS.get(name, [[]])]:
                missing = helped(rigger, *command) - options(described)
                assert not missing, f"rigger {' '.join(command)}: the README does not mention {missing}"


def test_no_option_is_invented(rigger):
    known = options(help.text())
    for section_ in help.COMMANDS.values():
        for name in section_:
            for verb in VERBS.get(name, [[]]):
                known |= helped(rigger, name, *verb)
    assert options(section("Commands")) <= known


def test_exit_codes_are_those_of_the_errors():
    listed = {int(code) for code in re.findall(r"^(\d+)\s{2,}", section("Exit codes"), re.M)}
    kinds = {kind.exit_code for kind in vars(errors).values() if hasattr(kind, "exit_code")}
    assert listed == kinds | {0}


def test_every_manifest_field_is_described():
    names = [entry.name for entry in [*fields.FIELDS, *fields.QUESTION_FIELDS]]
    described = section("Writing a provider")
    missing = [name for name in names if f"``{name}``" not in described and f"``{name}: " not in described]
    assert not missing


def test_every_variable_of_a_script_is_described():
    described = section("Writing a provider")
    missing = [
        name
        for name in sorted(contract.CONTRACT_VARIABLES)
        if f"``{name}``" not in README and f"${name}`" not in described + section("Writing a platform")
    ]
    assert not missing


def test_every_helper_is_described():
    described = section("Writing a provider")
    programs = [
        name for name in os.listdir(os.path.join(ROOT, "rigger", "libexec")) if name.startswith("rigger-")
    ]
    assert len(programs) > 5
    assert not [name for name in programs if f"``{name}" not in described]


def test_what_ships_is_described():
    described = section("What ships with rigger")
    for role, folder in (("provider", "providers"), ("platform", os.path.join("rigger", "platforms"))):
        for name in os.listdir(os.path.join(ROOT, folder)):
            if os.path.isfile(os.path.join(ROOT, folder, name, "rigger.yml")):
                assert f"{role} ``{name}``" in described


def test_the_repository_works_when_pasted(shell, private_home):
    identity = "git config --global user.name Ada; git config --global user.email ada@example.com\n"
    shell("rigger configure --defaults --provider noop")  # as after the quickstart, there is an environment
    environments = private_home / ".rigger" / "environments"
    before = (environments / "etcd" / "vars").read_bytes()
    said = shell(identity + pasted("Using your own repository in five minutes"))
    assert "smoke: 1 passed" in said and "Checked out v1.1.0" in said and "tulip runs v1.1.0" in said
    assert (environments / "tulip" / "checkout" / "flower").read_text() == "yellow\n"
    assert (environments / "etcd" / "vars").read_bytes() == before
    assert not (environments / "etcd" / "runs").exists()
    shell("cd tulip && rigger configure --path . --no-input && rigger provision")
    shell("rigger check && rigger destroy --yes")


def test_whoever_pastes_what_makes_a_cluster_gets_a_new_one():
    makes = re.findall(r"^    (rigger configure .*--(?:platform|provider|repository) .*)$", README, re.M)
    assert len(makes) > 7
    assert not [line for line in makes if "--name " not in line]


def test_the_terraform_provider_works_when_pasted(shell, private_home):
    if not shutil.which("terraform"):
        pytest.skip("there is no terraform on the PATH")
    said = shell(pasted("Writing a Terraform provider in ten minutes"))
    assert "Plan: 2 to add" in said and "pots is as configured" in said
    assert said.split()[-3:] == [f"terraform_data.pot[{number}]" for number in range(3)]
    assert shell("rigger config get GLAZED") == "blue\n"
    shell("rigger check && rigger destroy --yes")
