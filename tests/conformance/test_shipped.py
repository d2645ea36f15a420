"""What ships with rigger, what it writes for authors, and the manual's examples conform, without advice."""

import glob
import os
import re
import shutil
import subprocess
import sys

import pytest
from conftest import ROOT
from helpers.manual_pages import pasted

from rigger.conformance import rules, subject
from rigger.conformance.finding import ADVICE, FAIL


@pytest.fixture
def conforms(rigger):
    """See that `module check --run` finds nothing wrong with a folder and advises nothing."""
    rigger.env["PATH"] = os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"]

    def run(folder, *arguments):
        said = rigger("module", "check", "--run", folder, *arguments, code=None, timeout=1800)
        assert not re.findall(r"^ *(?:FAIL|ADVICE) .*", said.out, re.M), said.out
        assert said.code == 0 and "0 failed, 0 advice" in said.out, said.err

    return run


@pytest.fixture
def example(private_home, tmp_path):
    """Write the files of an example of the manual as somebody would who pastes it, and return their folder."""

    def paste(topic, *folder):
        text = re.sub(r"^rigger .*\n", "", pasted(topic), flags=re.M)
        env = {**os.environ, "HOME": str(private_home), "GIT_AUTHOR_NAME": "Ada", "GIT_COMMITTER_NAME": "Ada"}
        env |= {"GIT_AUTHOR_EMAIL": "ada@example.com", "GIT_COMMITTER_EMAIL": "ada@example.com"}
        subprocess.run(["bash", "-e"], input=text, env=env, cwd=tmp_path, text=True, check=True)
        return os.path.join(*folder)

    return paste


@pytest.mark.slow
def test_all_that_ships_reads_well():
    shipped = [*glob.glob("providers/*/rigger.yml", root_dir=ROOT)]
    shipped += glob.glob("rigger/platforms/*/rigger.yml", root_dir=ROOT)
    shipped += glob.glob("rigger/addons/*/rigger.yml", root_dir=ROOT)
    assert len(shipped) >= 11
    for manifest in shipped:
        found = rules.examine(subject.load(os.path.join(ROOT, os.path.dirname(manifest))))
        assert [f"{manifest}:{f.line}: {f.text}" for f in found if f.level in (FAIL, ADVICE)] == []


@pytest.mark.slow
@pytest.mark.parametrize("folder", ["providers/local", "providers/noop", "rigger/platforms/noop"])
def test_what_ships(conforms, folder):
    conforms(os.path.join(ROOT, folder))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["monitoring", "node-exporter", "proxy"])
def test_the_addons_that_ship(conforms, name):
    conforms(os.path.join(ROOT, "rigger", "addons", name), "--provider", "local")


@pytest.mark.slow
def test_the_boxes_and_the_greeting_of_the_manual(conforms, example, private_home):
    boxes = example("write-a-provider", private_home, ".rigger", "providers", "boxes")
    conforms(boxes)
    hello = example("write-a-platform", private_home, ".rigger", "platforms", "hello")
    conforms(hello, "--provider", boxes)


@pytest.mark.slow
def test_the_pots_of_the_manual(conforms, example, private_home):
    if not shutil.which("terraform"):
        pytest.skip("there is no terraform on the PATH")
    conforms(example("write-a-terraform-provider", private_home, ".rigger/providers/kiln"))


@pytest.mark.slow
def test_the_repository_of_the_manual(conforms, example, tmp_path):
    conforms(example("write-in-a-repository", tmp_path, "tulip", "rigger"))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["--terraform", pytest.param("--ansible", marks=pytest.mark.heavy)])
def test_a_new_provider(conforms, rigger, kind):
    if kind == "--terraform" and not shutil.which("terraform"):
        pytest.skip("there is no terraform on the PATH")
    rigger("provider", "new", "soil", kind)
    conforms("./soil")


@pytest.mark.heavy
def test_a_new_platform_of_playbooks(conforms, rigger):
    rigger("platform", "new", "hello", "--ansible")
    conforms("./hello")
