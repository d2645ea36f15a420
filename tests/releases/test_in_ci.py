"""The examples for CI of the page `releases`: what a job would run is taken from there, and run."""

import json
import os
import re
import shutil
import subprocess

import pytest
import yaml
from conftest import ROOT
from helpers.programs import install_rigger
from helpers.shop import Shop, image

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("jq"), reason="jq is not installed, which the examples use"),
]


def example(name):
    """Return the block of code that follows a system's name on the page."""
    with open(os.path.join(ROOT, "docs", "releases.rst")) as file:
        text = file.read()
    block = re.search(
        rf"^{name}.*?:\n\n\.\. code-block:: [a-z]+\n\n((?:    [^\n]*\n|\n)+)", text, re.M | re.S
    )[1]
    return re.sub(r"^    ", "", block, flags=re.M)


@pytest.fixture
def shop(rigger, modules, tmp_path):
    """The project of a job, in whose shell there is a program rigger."""
    programs = install_rigger(tmp_path / "programs")
    rigger.env["PATH"] = f"{programs}:{rigger.env['PATH']}"
    rigger.env |= {"REGISTRY": "127.0.0.1:9", "GITHUB_RUN_ID": "17", "BUILD_URL": "https://ci.example/17"}
    return Shop(rigger, modules, ("wood", "forest"))


def job(shop, script, code=0, **env):
    """Run what a job runs, as such systems do: a failure of any line ends it."""
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", script],
        cwd=shop.rigger.folder,
        env={**shop.rigger.env, **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert done.returncode == code, (script, done.stdout, done.stderr)
    return done.stdout


def test_github_actions(shop):
    setting, deploying, telling = [step["run"] for step in yaml.safe_load(example("GitHub Actions"))]
    job(shop, setting, GITHUB_SHA="0001")
    job(shop, deploying, GITHUB_SHA="0001")
    assert job(shop, telling) == "confirmed\n"
    [one] = shop.deployments()
    assert one["description"] == "commit 0001" and shop.runs() == image("ref.0001")
    job(shop, deploying, GITHUB_SHA="0001")  # a job that is run again
    assert job(shop, telling) == "confirmed\n" and len(shop.deployments()) == 1
    job(shop, setting, GITHUB_SHA="broken")
    job(shop, deploying, 5, GITHUB_SHA="broken", GITHUB_RUN_ID="18")
    said = job(shop, telling)
    assert said.startswith("failed\n") and "shop/deploy exited 1" in said


def test_gitlab(shop):
    shop.build("1")
    shop.deploy("stage")
    jobs = yaml.safe_load(example("GitLab"))
    job(shop, "\n".join(jobs["plan"]["script"]))
    job(shop, "\n".join(jobs["prod"]["script"]))
    assert shop.runs("forest") == image("1")
    for script in (jobs["plan"]["script"], jobs["prod"]["script"]):  # nothing is to change
        job(shop, "\n".join(script))
    assert len(shop.deployments("prod")) == 1
    for version, script in (("2", jobs["plan"]["script"]), ("3", [])):
        shop.build(version)
        shop.deploy("stage")
        job(shop, "\n".join(script))
    job(shop, "\n".join(jobs["prod"]["script"]), 8)  # another release than the one that was agreed to
    assert shop.runs("forest") == image("1")


def test_jenkins(shop):
    deploying, back = re.findall(r"(?:script: |\bsh )'(rigger [^']*)'", example("Jenkins"))
    shop.build("1")
    job(shop, deploying)
    shop.build("sick")
    job(shop, f"{deploying} --confirm-within 1s --confirm-every 0s", 5)
    job(shop, back)
    assert shop.runs("forest") == image("1")
    last = shop.deployments("prod")[-1]
    assert (last["status"], last["description"]) == ("confirmed", "https://ci.example/17 failed")
    assert json.loads(shop.rigger("release", "status", "-o", "json").out)["environments"][1]["certain"]
