"""Every command, option and example in the README and the pages is one that there is, and what can be pasted works."""

import json
import os
import re
import shutil
import subprocess

import pytest
import yaml
from conftest import ROOT
from helpers.manual_pages import pasted, read
from helpers.programs import install_rigger

from rigger.cli.declared import Group
from rigger.cli.help import summaries
from rigger.cli.main import find_verb
from rigger.manual import pages
from rigger.modules import contract

DOCS = os.path.join(ROOT, "docs")
SOURCES = [os.path.join(ROOT, "README.rst"), *(page.path for page in pages.pages())]
SOURCES += [
    os.path.join(DOCS, "commands", name) for name in sorted(os.listdir(os.path.join(DOCS, "commands")))
]
TERRAFORMS = {"terraform"}  # whose words are another program's


def blocks(text):
    """Yield the blocks of code of a page, without their indentation."""
    for block in re.findall(r"(?:::|code-block:: [a-z]+)\n\n((?:    [^\n]*\n|\n)+)", text):
        yield re.sub(r"^    ", "", block, flags=re.M)


def mentioned(text):
    """Yield every call of rigger: on lines of blocks, and in literals."""
    for block in blocks(text):
        if "rigger.yml <<'END'" in block or "rigger/rigger.yml" in block:
            block = re.sub(r"<<'END'\n.*?^END$", "", block, flags=re.S | re.M)
        for line in block.splitlines():
            yield from re.findall(r"(?:^|&& |\$\(|; |\$ )(rigger [^#&|;)<>]*)", line.strip())
    for words in re.findall(r"``(rigger [^`]*)``", re.sub(r"\s+", " ", text)):
        yield from (one.strip() for one in re.split(r"&&", words))


def verb_of(words):
    """Return the command that words name, and the words behind it."""
    words = words[2:] if words[:1] == ["-e"] else words
    assert words and words[0] in summaries(), f"there is no command {words[:1]}"
    found = find_verb(words[0])
    if not isinstance(found, Group):
        return found, words[1:]
    if len(words) == 1:
        return None, []
    assert words[1] in found.verbs, f"there is no command {words[:2]}"
    return found.verbs[words[1]], words[2:]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: os.path.relpath(path, ROOT))
def test_every_command_and_option_exists(path):
    for call in mentioned(read(path)):
        words = [word.strip("[]\"',.:") for word in call.split()[1:]]
        if not words or words[0].startswith("-") or words[0] in ("COMMAND", "VERB"):
            continue
        verb, rest = verb_of(words)
        if verb is None or verb.name in TERRAFORMS:
            continue
        rest = rest[: rest.index("--")] if "--" in rest else rest
        known = {name for option in verb.options for name in option.names + option.off} | {"--help"}
        unknown = [word for word in rest if re.fullmatch(r"--?[a-z][a-z-]*", word) and word not in known]
        assert not unknown, f"{call}: {unknown}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: os.path.relpath(path, ROOT))
def test_every_variable_and_program_of_the_contract_exists(path):
    text = read(path)
    programs = {
        name for name in os.listdir(os.path.join(ROOT, "rigger", "libexec")) if name.startswith("rigger-")
    }
    named = set(re.findall(r"``(rigger-[a-z-]+)[ `]", text))
    assert named <= programs, named - programs


def test_every_program_is_described():
    page = read(os.path.join(DOCS, "contract.rst"))
    programs = [
        name for name in os.listdir(os.path.join(ROOT, "rigger", "libexec")) if name.startswith("rigger-")
    ]
    assert len(programs) > 5
    assert not [name for name in programs if f"``{name}" not in page]


def test_what_ships_is_described():
    page = read(os.path.join(DOCS, "providers.rst"))
    for role, folder in (("provider", "providers"), ("platform", os.path.join("rigger", "platforms"))):
        for name in os.listdir(os.path.join(ROOT, folder)):
            if os.path.isfile(os.path.join(ROOT, folder, name, contract.MANIFEST)):
                assert f"{role} ``{name}``" in page


def test_whoever_pastes_what_makes_a_cluster_gets_a_new_one():
    makes = [
        line
        for path in SOURCES
        for line in re.findall(
            r"^    (rigger configure .*--(?:platform|provider|repository) .*)$", read(path), re.M
        )
    ]
    assert len(makes) > 7
    assert not [line for line in makes if "--name " not in line]


def test_blocks_of_yaml_are_yaml_and_blocks_of_shell_are_shell():
    found = 0
    for path in SOURCES:
        for kind, block in re.findall(r"code-block:: (yaml|bash)\n\n((?:    [^\n]*\n|\n)+)", read(path)):
            found += 1
            text = re.sub(r"^    ", "", block, flags=re.M)
            if kind == "yaml":
                yaml.safe_load(text)
            else:
                subprocess.run(["bash", "-n"], input=text, text=True, check=True)
    assert found > 6


# What can be pasted


@pytest.fixture
def shell(private_home, tmp_path):
    """Run commands in a bash of somebody who has installed rigger."""
    programs = install_rigger(tmp_path / "bin")
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


@pytest.mark.slow
def test_the_provider_works_when_pasted(shell, private_home):
    said = shell(pasted("write-a-provider"))
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


@pytest.mark.slow
def test_the_platform_works_when_pasted(shell, private_home):
    said = shell(pasted("write-a-provider") + pasted("write-a-platform"))
    assert "smoke: 1 passed" in said
    boxes = private_home / ".rigger" / "environments" / "greeting" / "modules" / "boxes"
    assert {name: (boxes / name / "greeting").read_text() for name in sorted(os.listdir(boxes))} == {
        f"box-{number}": f"Ahoy from box-{number}\n" for number in (1, 2, 3)
    }
    assert shell('eval "$(rigger shellinit)" && echo "$HELLO_NODES"') == "box-1 box-2 box-3 \n"

    (boxes / "box-3" / "greeting").write_text("Grr\n")
    assert "box-3 said: Grr" in shell("rigger test smoke || [ $? = 6 ]")


@pytest.mark.slow
def test_the_repository_works_when_pasted(shell, private_home):
    identity = "git config --global user.name Ada; git config --global user.email ada@example.com\n"
    shell("rigger configure --defaults --provider noop")  # as after the quickstart, there is an environment
    environments = private_home / ".rigger" / "environments"
    before = (environments / "etcd" / "vars").read_bytes()
    said = shell(identity + pasted("write-in-a-repository"))
    assert "smoke: 1 passed" in said and "Checked out v1.1.0" in said and "tulip runs v1.1.0" in said
    assert (environments / "tulip" / "checkout" / "flower").read_text() == "yellow\n"
    assert (environments / "etcd" / "vars").read_bytes() == before
    assert not (environments / "etcd" / "runs").exists()
    shell("cd tulip && rigger configure --path . --no-input && rigger provision")
    shell("rigger check && rigger destroy --yes")


@pytest.mark.slow
def test_the_terraform_provider_works_when_pasted(shell, private_home):
    if not shutil.which("terraform"):
        pytest.skip("there is no terraform on the PATH")
    said = shell(pasted("write-a-terraform-provider"))
    assert "Plan: 2 to add" in said and "pots is as configured" in said
    assert said.split()[-3:] == [f"terraform_data.pot[{number}]" for number in range(3)]
    assert shell("rigger config get GLAZED") == "blue\n"
    shell("rigger check && rigger destroy --yes")


@pytest.mark.slow
def test_the_job_for_ci_works_when_pasted_and_leaves_nothing(shell, private_home, tmp_path):
    [job] = re.findall(r"code-block:: bash\n\n((?:    [^\n]*\n|\n)+)", read(pages.find("recipes").path))[-1:]
    job = re.sub(r"^    ", "", job, flags=re.M)
    assert "ci.env" in job
    shell(job.replace("--name ci", "--name ci --platform noop"))
    report = json.loads((tmp_path / "tests.json").read_text())
    assert report["passed"] == 1 and report["report"].startswith(str(private_home))
    assert json.loads((tmp_path / "provision.json").read_text())["run"]
    assert os.listdir(private_home / ".rigger" / "environments") == []

    failing = job.replace("--name ci", "--name ci --platform noop").replace("test smoke", "test nosuch")
    shell(f"(\n{failing}\n) && exit 1; [ $? = 2 ]")
    assert os.listdir(private_home / ".rigger" / "environments") == []
